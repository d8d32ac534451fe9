#include "demo/sample_folder.h"

#include <cerrno>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/file_system.h"
#include "core/output_file.h"
#include "demo/sample_data.h"

namespace tb::demo {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFirstLine =
    "Sample data of tradeblocks: these files may be deleted or replaced by another run.\n";
// Beside the marker while a file is being written; what an interrupted run left is replaced.
constexpr std::string_view kTemporaryName = ".tradeblocks-sample.tmp";
constexpr std::uint64_t kMaxMarkerBytes = 64U << 20U;
constexpr std::size_t kHashChars = 64;

using Ledger = SampleFolder::Ledger;

tl::unexpected<Error> system_failure(std::string_view what, const fs::path& path) {
    return make_error(ErrorCode::kIo,
                      fmt::format("{}: {}", what, std::generic_category().message(errno)),
                      path.string());
}

Result<void> write_text(int fd, std::string_view text, const fs::path& path) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return system_failure("cannot write", path);
        }
        text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return {};
}

// The marker's text up to its last whole line; nullopt if there is none of ours.
std::optional<std::string> read_marker(const fs::path& marker) {
    std::error_code failed;
    if (!fs::is_regular_file(fs::symlink_status(marker, failed))) {
        return std::nullopt;
    }
    auto text = read_whole_file(real_file_system(), marker, kMaxMarkerBytes);
    if (!text.has_value() || !text->starts_with(kFirstLine)) {
        return std::nullopt;
    }
    text->resize(text->rfind('\n') + 1);
    return std::move(*text);
}

Ledger ledger_of(std::string_view marker) {
    Ledger ledger;
    std::string_view rest = marker.substr(kFirstLine.size());
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        if (end > kHashChars + 2) {
            ledger[std::string(rest.substr(kHashChars + 2, end - kHashChars - 2))].emplace(
                rest.substr(0, kHashChars));
        }
        rest.remove_prefix(end + 1);
    }
    return ledger;
}

Result<std::string> hash_of(const fs::path& path) {
    TB_TRY(const auto file, real_file_system().open(path));
    std::string buffer(std::size_t{1} << 18U, '\0');
    Sha256 hash;
    while (true) {
        const auto bytes = std::as_writable_bytes(std::span(buffer));
        TB_TRY(const std::size_t got, file->read(bytes));
        if (got == 0) {
            return hash.finish_hex();
        }
        hash.update(bytes.first(got));
    }
}

bool holds_listed_files(const Ledger& ledger, const std::string& folder) {
    const auto next = ledger.lower_bound(folder + "/");
    return next != ledger.end() && next->first.starts_with(folder + "/");
}

// What syncing the sample adds at the top of the folder, and what this class keeps there.
bool is_added_by_program(const std::string& name) {
    return name.starts_with("analytics.duckdb") || name == ".tradeblocks" || name == kMarkerFile ||
           name == kTemporaryName;
}

Result<void> check_content(const fs::path& directory, const Ledger& ledger) {
    std::error_code failed;
    fs::recursive_directory_iterator entry(directory, failed);
    for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
        const std::string name = entry->path().lexically_relative(directory).string();
        if (entry.depth() == 0 && is_added_by_program(name)) {
            entry.disable_recursion_pending();
            continue;
        }
        const fs::file_status status = entry->symlink_status(failed);
        bool is_ours = false;
        if (fs::is_directory(status)) {
            is_ours = holds_listed_files(ledger, name);
        } else if (const auto listed = ledger.find(name);
                   fs::is_regular_file(status) && listed != ledger.end()) {
            TB_TRY(const std::string hash, hash_of(entry->path()));
            is_ours = listed->second.contains(hash);
        }
        if (!is_ours) {
            return make_error(
                ErrorCode::kRefused,
                fmt::format("the folder holds \"{}\", which this command did not write or which "
                            "was changed since; name a new or empty folder",
                            name),
                directory.string());
        }
    }
    if (failed) {
        return make_error(ErrorCode::kIo, "cannot list the folder: " + failed.message(),
                          directory.string());
    }
    return {};
}

// The folder with its links resolved, made if it is not there.
Result<fs::path> made(const fs::path& wanted) {
    std::error_code failed;
    fs::path directory = fs::weakly_canonical(fs::absolute(wanted, failed), failed);
    if (!directory.has_filename()) {
        directory = directory.parent_path();
    }
    if (failed) {
        return make_error(ErrorCode::kIo, failed.message(), wanted.string());
    }
    if (const auto around = data_directory_around(directory.parent_path())) {
        return make_error(
            ErrorCode::kRefused,
            fmt::format("lies in the data directory {}; name a folder elsewhere", around->string()),
            wanted.string());
    }
    fs::create_directories(directory, failed);
    if (failed) {
        return make_error(ErrorCode::kIo, "cannot create folder: " + failed.message(),
                          wanted.string());
    }
    return directory;
}

}  // namespace

Result<SampleFolder> SampleFolder::claim(const fs::path& directory) {
    SampleFolder folder;
    TB_TRY(folder.directory_, made(directory));
    const fs::path marker = folder.directory_ / kMarkerFile;
    std::error_code failed;
    const bool is_new = fs::is_empty(folder.directory_, failed);
    auto text = is_new ? std::optional(std::string(kFirstLine)) : read_marker(marker);
    if (failed || !text.has_value()) {
        return make_error(ErrorCode::kRefused,
                          "the folder is not empty and was not made by this command; name a new or "
                          "empty one",
                          directory.string());
    }
    folder.recorded_ = ledger_of(*text);
    if (!is_new) {
        TB_RETURN_IF_ERROR(check_content(folder.directory_, folder.recorded_));
    }
    TB_RETURN_IF_ERROR(write_file_atomically(marker, *text));
    folder.marker_.reset(::open(marker.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    if (!folder.marker_.valid()) {
        return system_failure("cannot write", marker);
    }
    return folder;
}

Result<void> SampleFolder::create(const fs::path& name) {
    name_ = name;
    bytes_ = 0;
    std::error_code error;
    const fs::path folder = (directory_ / name).parent_path();
    fs::create_directories(folder, error);
    if (error) {
        return make_error(ErrorCode::kIo, "cannot create folder: " + error.message(),
                          folder.string());
    }
    const fs::path temporary = directory_ / kTemporaryName;
    ::unlink(temporary.c_str());
    fd_.reset(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd_.valid()) {
        return failure("cannot create");
    }
    return {};
}

Result<void> SampleFolder::append(std::string_view text) {
    bytes_ += static_cast<std::int64_t>(text.size());
    hash_.update(std::as_bytes(std::span(text)));
    return write_text(fd_.get(), text, directory_ / name_);
}

Result<std::int64_t> SampleFolder::finish() {
    if (::fsync(fd_.get()) != 0) {
        return failure("cannot flush");
    }
    fd_.reset();
    // First the record: a file without one would be nobody's.
    const std::string hash = hash_.finish_hex();
    if (recorded_[name_.string()].insert(hash).second) {
        TB_RETURN_IF_ERROR(write_text(marker_.get(), fmt::format("{}  {}\n", hash, name_.string()),
                                      directory_ / kMarkerFile));
    }
    if (::rename((directory_ / kTemporaryName).c_str(), (directory_ / name_).c_str()) != 0) {
        return failure("cannot rename");
    }
    return bytes_;
}

tl::unexpected<Error> SampleFolder::failure(std::string_view what) const {
    return system_failure(what, directory_ / name_);
}

}  // namespace tb::demo
