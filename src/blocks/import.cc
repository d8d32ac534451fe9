#include "blocks/import.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "blocks/discovery.h"
#include "blocks/head.h"
#include "blocks/import_basis.h"
#include "core/text.h"
#include "core/unique_fd.h"

namespace tb::blocks {

namespace {

constexpr std::size_t kCopyBytes = 256 * 1024;
constexpr std::int64_t kSecond = 1'000'000'000;  // nanoseconds
constexpr std::size_t kMaxIdBytes = 200;  // file systems allow 255; the hidden name is longer

tl::unexpected<Error> io_error(std::string_view what, const std::filesystem::path& path) {
    return make_error(ErrorCode::kIo,
                      fmt::format("{}: {}", what, std::generic_category().message(errno)),
                      path.string());
}

std::string make_id(std::string_view name, bool keep_non_ascii) {
    std::string id;
    char previous = '\0';
    const auto dash = [&id] {
        if (!id.empty() && id.back() != '-') {
            id.push_back('-');
        }
    };
    for (const char c : name) {
        const char lower = ascii_lower(c);
        const bool upper_case = lower != c;
        const bool alphanumeric = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
        if (c == '-' || c == '_' || c == ' ' || (c >= '\t' && c <= '\r')) {
            dash();
        } else if (alphanumeric || (keep_non_ascii && static_cast<unsigned char>(c) >= 0x80)) {
            if (upper_case && previous >= 'a' && previous <= 'z') {
                dash();
            }
            id.push_back(lower);
        }
        previous = c;
    }
    if (!id.empty() && id.back() == '-') {
        id.pop_back();
    }
    return id;
}

// The bytes of an open file.
class FileSource final : public ByteSource {
  public:
    explicit FileSource(File& file) : file_(file), buffer_(kCopyBytes) {}
    Result<std::span<const std::byte>> next() override {
        TB_TRY(const std::size_t size, file_.read(buffer_));
        return std::span<const std::byte>(buffer_).first(size);
    }

  private:
    File& file_;
    std::vector<std::byte> buffer_;
};

template <class Record>
class NullSink final : public RecordSink<Record> {
  public:
    Result<void> on_batch(RecordBatch<Record> /*batch*/) override { return {}; }
};

// A folder that goes away again unless it is kept.
class HiddenFolder {
  public:
    explicit HiddenFolder(std::filesystem::path path) : path_(std::move(path)) {}
    HiddenFolder(const HiddenFolder&) = delete;
    HiddenFolder& operator=(const HiddenFolder&) = delete;
    ~HiddenFolder() {
        if (!kept_) {
            std::error_code ignored;
            std::filesystem::remove_all(path_, ignored);
        }
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    void keep() { kept_ = true; }

  private:
    std::filesystem::path path_;
    bool kept_ = false;
};

Result<void> write_bytes(int fd, std::span<const std::byte> bytes,
                         const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) {
            return io_error("cannot write", path);
        }
        bytes = bytes.subspan(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return {};
}

Result<void> flush_folder(const std::filesystem::path& folder) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid() || ::fsync(fd.get()) != 0) {
        return io_error("cannot flush", folder);
    }
    return {};
}

Result<std::unique_ptr<File>> open_source(FileSystem& fs, const ImportRequest& request) {
    if (request.source_roots.empty()) {
        return fs.open(request.source);
    }
    Result<std::unique_ptr<File>> opened = make_error(ErrorCode::kRefused, "outside of the roots");
    for (const std::filesystem::path& root : request.source_roots) {
        opened = fs.open_inside(root, request.source);
        if (opened.has_value() || opened.error().code != ErrorCode::kRefused) {
            break;
        }
    }
    return opened;
}

// The file was changed so shortly ago that more of it may follow.
bool may_grow(const FileStat& stat) {
    using std::chrono::duration_cast;
    using std::chrono::nanoseconds;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::int64_t age = duration_cast<nanoseconds>(now).count() - stat.mtime_ns;
    return std::abs(age) < std::int64_t{kStillSeconds} * 1'000'000'000;
}

// The next bytes; empty at the end. Behind a last line without an end the end is only believed once
// the file is still.
Result<std::span<const std::byte>> next_piece(File& source, FileSource& bytes, bool line_is_open) {
    constexpr auto kPause = std::chrono::milliseconds(50);
    while (true) {
        TB_TRY(const std::span<const std::byte> piece, bytes.next());
        if (!piece.empty() || !line_is_open) {
            return piece;
        }
        TB_TRY(const FileStat stat, source.stat());
        if (!may_grow(stat)) {
            return piece;
        }
        std::this_thread::sleep_for(kPause);
    }
}

// Copies with the time of modification, by which a sync sees that the file is whole, and tells the
// encoding of what was copied.
Result<csv::Encoding> copy_file(FileSystem& fs, const ImportRequest& request,
                                const std::filesystem::path& target) {
    TB_TRY(const std::unique_ptr<File> source, open_source(fs, request));
    const UniqueFd fd(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd.valid()) {
        return io_error("cannot create", target);
    }
    csv::EncodingDetector detector;
    FileSource bytes(*source);
    bool line_is_open = false;
    while (true) {
        if (request.cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled", request.source.string());
        }
        TB_TRY(const std::span<const std::byte> piece, next_piece(*source, bytes, line_is_open));
        if (piece.empty()) {
            break;
        }
        line_is_open = piece.back() != std::byte{'\n'} && piece.back() != std::byte{'\r'};
        detector.update(piece);
        TB_RETURN_IF_ERROR(write_bytes(fd.get(), piece, target));
    }
    TB_TRY(const FileStat stat, source->stat());
    if (stat.mtime_ns >= 0) {
        // Where times cannot be set the next sync waits a little; that is all.
        const std::array<timespec, 2> times = {
            {{0, UTIME_OMIT}, {stat.mtime_ns / kSecond, stat.mtime_ns % kSecond}}};
        (void)::futimens(fd.get(), times.data());
    }
    if (::fsync(fd.get()) != 0) {
        return io_error("cannot flush", target);
    }
    return detector.finish();
}

Result<IngestReport> validate_once(FileSystem& fs, const std::filesystem::path& file, FileRole role,
                                   const IngestOptions& options) {
    TB_TRY(const std::unique_ptr<File> opened, fs.open(file));
    FileSource source(*opened);
    switch (role) {
        case FileRole::kTradeLog: {
            NullSink<TradeRecord> sink;
            return ingest_trade_log(source, options, sink);
        }
        case FileRole::kDailyLog: {
            NullSink<DailyRecord> sink;
            return ingest_daily_log(source, options, sink);
        }
        case FileRole::kReportingLog:
            break;
    }
    NullSink<ReportingRecord> sink;
    return ingest_reporting_log(source, options, sink);
}

Result<IngestReport> validate(FileSystem& fs, const std::filesystem::path& file, FileRole role,
                              IngestOptions options) {
    TB_TRY(IngestReport report, validate_once(fs, file, role, options));
    if (report.outcome == IngestOutcome::kReadAgain) {
        options.reading = std::move(report.reading);
        TB_TRY(report, validate_once(fs, file, role, options));
    }
    return report;
}

// The role by header, as discovery would see it under no telling name.
Result<FileRole> find_role(FileSystem& fs, const std::filesystem::path& file) {
    TB_TRY(const std::unique_ptr<File> opened, fs.open(file));
    std::vector<std::byte> bytes(kHeadTextBytes);
    TB_TRY(const std::size_t size, opened->read(bytes));
    TB_TRY(const FileHead head, look_at_head(std::span(bytes).first(size), size < bytes.size()));
    if (head.kind == FileHead::Kind::kRole) {
        return head.role;
    }
    return make_error(
        ErrorCode::kInvalidArgument,
        head.kind == FileHead::Kind::kUndecided
            ? "the file is empty or ends within its first line"
            : fmt::format("the file {}; a trade log has at least the columns {}, a daily log {}, "
                          "a log of live fills {}. Export the file again or say what it is",
                          head.why, wanted_columns(FileRole::kTradeLog),
                          wanted_columns(FileRole::kDailyLog),
                          wanted_columns(FileRole::kReportingLog)));
}

// Before the block is there, so that no sync can read it with another basis. Without a word about
// the basis only what an earlier block of that name left behind is undone.
Result<void> remember_basis(FileSystem& fs, const ImportRequest& request, const std::string& id) {
    const PlBasis basis = request.pl_basis.value_or(PlBasis::kNetIncludesFees);
    TB_TRY(const PlBasis before, read_import_pl_basis(fs, request.data_dir, id));
    if (!request.pl_basis && before == basis) {
        return {};
    }
    return write_import_pl_basis(request.data_dir, id, basis);
}

tl::unexpected<Error> already_there(const std::string& id) {
    return make_error(
        ErrorCode::kInvalidArgument,
        fmt::format("'{}' exists already in the data directory; choose another name", id));
}

// Unlike rename(), refuses also an empty folder of that name.
Result<void> move_into_place(const std::filesystem::path& from, const std::filesystem::path& to,
                             const std::string& id) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return {};
    }
    if (errno == EEXIST) {
        return already_there(id);
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return io_error("cannot create", to);
    }
    // A file system without that call. mkdir tells whether the name was free; rename then replaces
    // the empty folder just made.
    if (::mkdir(to.c_str(), 0755) != 0) {
        if (errno == EEXIST) {
            return already_there(id);
        }
        return io_error("cannot create", to);
    }
    if (::rename(from.c_str(), to.c_str()) != 0) {
        const auto failed = io_error("cannot create", to);
        ::rmdir(to.c_str());
        return failed;
    }
    return {};
}

}  // namespace

Result<std::string> block_id_from_name(std::string_view name) {
    std::string id = make_id(name, false);
    if (id.empty()) {
        id = make_id(name, true);
        csv::EncodingDetector detector;
        detector.update(std::as_bytes(std::span(id)));
        if (!detector.valid_utf8()) {
            id.clear();
        }
    }
    if (id.empty() || id.size() > kMaxIdBytes || !is_eligible_folder_name(id)) {
        return make_error(
            ErrorCode::kInvalidArgument,
            fmt::format("no folder name can be made of '{}': give a name with letters "
                        "or digits, at most {} bytes",
                        name, kMaxIdBytes));
    }
    return id;
}

Result<ImportOutcome> import_file(FileSystem& fs, const ImportRequest& request) {
    ImportOutcome outcome;
    TB_TRY(
        outcome.block_id,
        block_id_from_name(request.name.empty() ? request.source.stem().string() : request.name));
    const auto final_folder = request.data_dir / outcome.block_id;
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::symlink_status(final_folder, ignored))) {
        return already_there(outcome.block_id);
    }
    std::string pattern =
        (request.data_dir / fmt::format(".import-{}.XXXXXX", outcome.block_id)).string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        return io_error("cannot create a folder in the data directory", request.data_dir);
    }
    HiddenFolder hidden{pattern};
    if (::chmod(pattern.c_str(), 0755) != 0) {
        return io_error("cannot set permissions", pattern);
    }
    const auto copy = hidden.path() / "import.csv";
    IngestOptions options;
    options.file_name = request.source.filename().string();
    options.cancel = request.cancel;
    options.default_pl_basis = request.pl_basis.value_or(PlBasis::kNetIncludesFees);
    TB_TRY(options.encoding, copy_file(fs, request, copy));
    if (request.role) {
        outcome.role = *request.role;
    } else {
        TB_TRY(outcome.role, find_role(fs, copy));
    }
    TB_TRY(outcome.report, validate(fs, copy, outcome.role, options));
    if (outcome.report.outcome != IngestOutcome::kComplete) {
        return make_error(ErrorCode::kParse, outcome.report.rejection, options.file_name);
    }
    const auto name = standard_file_name(outcome.role);
    if (::rename(copy.c_str(), (hidden.path() / name).c_str()) != 0) {
        return io_error("cannot rename", copy);
    }
    TB_RETURN_IF_ERROR(flush_folder(hidden.path()));
    if (outcome.role == FileRole::kTradeLog) {
        TB_RETURN_IF_ERROR(remember_basis(fs, request, outcome.block_id));
    }
    TB_RETURN_IF_ERROR(move_into_place(hidden.path(), final_folder, outcome.block_id));
    hidden.keep();
    // The block is there and readable by now; a power cut in the next seconds may still undo it.
    (void)flush_folder(request.data_dir);
    outcome.file = final_folder / name;
    return outcome;
}

}  // namespace tb::blocks
