#include "db/recovery.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "core/unique_fd.h"
#include "db/connection.h"
#include "db/file_lock.h"
#include "db/isolated.h"
#include "db/salvage.h"
#include "db/schema.h"

namespace tb::db {

namespace {

constexpr std::string_view kCorrupt = ".corrupt-";
// Between the parts of what the child says.
constexpr char kSeparator = '\x1f';
constexpr std::chrono::seconds kCopyMayTake{600};  // of processor time

std::filesystem::path with_suffix(std::filesystem::path file, std::string_view suffix) {
    return file += suffix;
}

bool is_there(const std::filesystem::path& file) {
    std::error_code failed;
    return std::filesystem::exists(std::filesystem::symlink_status(file, failed));
}

tl::unexpected<Error> io_error(std::string_view what, const std::filesystem::path& file,
                               const std::error_code& failed) {
    return make_error(ErrorCode::kIo, fmt::format("cannot {}: {}", what, failed.message()),
                      file.filename().string());
}

// Never over an existing file.
Result<void> rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return {};
    }
    if (errno == EINVAL && !is_there(to)) {  // a file system that does not know the flag
        std::error_code failed;
        std::filesystem::rename(from, to, failed);
        if (!failed) {
            return {};
        }
    }
    return io_error(fmt::format("rename it to {}", to.filename().string()), from,
                    std::error_code(errno, std::generic_category()));
}

// Only files of our own making, so never the user's data.
void remove_own(const std::filesystem::path& rebuild) {
    std::error_code ignored;
    std::filesystem::remove(rebuild, ignored);
    std::filesystem::remove(with_suffix(rebuild, ".wal"), ignored);
}

// Held by one process at a time, gone with it; leaves no file behind.
Result<UniqueFd> lock_directory(const std::filesystem::path& directory) {
    UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) {
        return io_error("open the folder", directory,
                        std::error_code(errno, std::generic_category()));
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return make_error(ErrorCode::kLocked,
                          "another process is replacing the damaged database right now");
    }
    return fd;  // where folders cannot be locked (some network file systems), go on without
}

std::string compact_time(Timestamp now) {
    std::string text = now.to_rfc3339();  // 2026-11-22T13:08:26.123Z
    std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == '.'; });
    return text;  // 20261122T130826123Z
}

// First free name of the pattern, for two damages within a millisecond.
std::filesystem::path corrupt_name(const std::filesystem::path& file, Timestamp now) {
    const std::string base = fmt::format("{}{}", kCorrupt, compact_time(now));
    auto candidate = with_suffix(file, base);
    for (int i = 2; is_there(candidate) || is_there(with_suffix(candidate, ".wal")); ++i) {
        candidate = with_suffix(file, fmt::format("{}-{}", base, i));
    }
    return candidate;
}

// The database first and its log second: a crash in between leaves the log where
// finish_interrupted_replacement finds it, never a database that opens without it.
Result<void> set_aside(const std::filesystem::path& file, RecoveryReport& report) {
    report.set_aside = corrupt_name(file, report.recovered_at);
    TB_RETURN_IF_ERROR(rename_file(file, report.set_aside));
    const auto wal = with_suffix(file, ".wal");
    if (!is_there(wal)) {
        return {};
    }
    report.set_aside_wal = with_suffix(report.set_aside, ".wal");
    auto renamed = rename_file(wal, report.set_aside_wal);
    if (!renamed.has_value()) {
        TB_RETURN_IF_ERROR(rename_file(report.set_aside, file));
    }
    return renamed;
}

// In the child. Says "open" when the file can be read, "at" and a table before each one, and each
// table with what came of it.
void copy_in_child(const std::filesystem::path& damaged, const std::filesystem::path& rebuild,
                   DatabaseOptions options, const std::vector<std::string>& leave_out,
                   const Say& say) {
    const auto fresh = Database::open_private(rebuild, options);
    auto target = fresh.has_value() ? fresh->connect() : tl::unexpected(fresh.error());
    if (!target.has_value()) {
        say(fmt::format("error{}{}", kSeparator, target.error().message));
        return;
    }
    options.read_only = true;
    const auto source_file = Database::open_private(damaged, options);
    auto source =
        source_file.has_value() ? source_file->connect() : tl::unexpected(source_file.error());
    if (!source.has_value()) {
        say("unreadable");
        return;
    }
    say("open");
    const auto copied = salvage_history(
        *source, *target,
        [&](const std::string& table) {
            say(fmt::format("at{}{}", kSeparator, table));
            return std::find(leave_out.begin(), leave_out.end(), table) == leave_out.end();
        },
        [&](const SalvagedTable& table) {
            say(fmt::format("table{0}{1}{0}{2}{0}{3}{0}{4}", kSeparator, table.table,
                            table.rows_copied, table.complete ? 1 : 0, table.problem));
        });
    say(copied.has_value() ? std::string("done")
                           : fmt::format("error{}{}", kSeparator, copied.error().message));
}

struct CopyTry {
    bool opened = false;
    bool done = false;
    std::string at;  // the table over which the child died
    std::string error;
    std::vector<SalvagedTable> tables;
};

CopyTry read_try(const IsolatedOutcome& outcome) {
    CopyTry result;
    for (const std::string& piece : outcome.said) {
        std::vector<std::string> parts;
        std::size_t begin = 0;
        while (parts.size() < 4 && piece.find(kSeparator, begin) != std::string::npos) {
            const std::size_t end = piece.find(kSeparator, begin);
            parts.push_back(piece.substr(begin, end - begin));
            begin = end + 1;
        }
        parts.push_back(piece.substr(begin));
        const std::string& kind = parts.front();
        if (kind == "open") {
            result.opened = true;
        } else if (kind == "done") {
            result.done = true;
        } else if (kind == "at" && parts.size() == 2) {
            result.at = parts[1];
        } else if (kind == "error" && parts.size() >= 2) {
            result.error = parts[1];
        } else if (kind == "table" && parts.size() == 5) {
            SalvagedTable table{parts[1], 0, parts[3] == "1", parts[4]};
            std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), table.rows_copied);
            result.tables.push_back(std::move(table));
        }
    }
    return result;
}

// Tries until the child survives, each time without one table more.
Result<CopyTry> copy_from(const std::filesystem::path& damaged,
                          const std::filesystem::path& rebuild, const DatabaseOptions& options) {
    std::vector<std::string> leave_out;
    while (true) {
        TB_TRY(
            const IsolatedOutcome outcome,
            run_isolated(
                [&](const Say& say) { copy_in_child(damaged, rebuild, options, leave_out, say); },
                kCopyMayTake));
        CopyTry result = read_try(outcome);
        const bool died_at_table =
            !outcome.crash.empty() && result.opened && !result.at.empty() &&
            std::find(leave_out.begin(), leave_out.end(), result.at) == leave_out.end();
        if (!died_at_table) {
            result.opened = result.opened && outcome.crash.empty();
            return result;
        }
        leave_out.push_back(result.at);
    }
}

Result<void> copy_history(RecoveryReport& report, const std::filesystem::path& rebuild,
                          const DatabaseOptions& options) {
    TB_TRY(CopyTry copy, copy_from(report.set_aside, rebuild, options));
    if (!copy.opened && copy.error.empty() && !report.set_aside_wal.empty()) {
        // If need be without its log.
        const auto hidden_wal = with_suffix(report.set_aside_wal, "-hidden");
        TB_RETURN_IF_ERROR(rename_file(report.set_aside_wal, hidden_wal));
        auto again = copy_from(report.set_aside, rebuild, options);
        TB_RETURN_IF_ERROR(rename_file(hidden_wal, report.set_aside_wal));
        TB_TRY(copy, std::move(again));
        report.without_wal = copy.opened;
    }
    report.readable = copy.opened;
    report.tables = std::move(copy.tables);
    if (!copy.error.empty()) {
        return make_error(ErrorCode::kIo, copy.error, rebuild.filename().string());
    }
    // A child that was stopped in between may have left a log: folded in by opening.
    TB_TRY(const Database fresh, Database::open(rebuild, options));
    TB_TRY(Connection connection, fresh.connect());
    return connection.execute("CHECKPOINT");
}

// Salvages into the rebuild file and gives it the database's name.
Result<void> rebuild_from(RecoveryReport& report, const std::filesystem::path& file,
                          const std::filesystem::path& rebuild, const DatabaseOptions& options) {
    TB_RETURN_IF_ERROR(copy_history(report, rebuild, options));
    if (is_there(with_suffix(rebuild, ".wal"))) {
        return make_error(ErrorCode::kIo, "the rebuilt database could not be written completely",
                          rebuild.filename().string());
    }
    return rename_file(rebuild, file);
}

// An empty database with all tables under the name by which the next opening knows of an
// interrupted replacement.
Result<void> make_rebuild(const std::filesystem::path& rebuild, const DatabaseOptions& options,
                          Timestamp now) {
    const auto unfinished = with_suffix(rebuild, "-new");
    remove_own(rebuild);
    remove_own(unfinished);
    {
        TB_TRY(const Database fresh, Database::open(unfinished, options));
        TB_TRY(Connection connection, fresh.connect());
        TB_TRY([[maybe_unused]] const SchemaChange change, ensure_schema(connection, now));
    }
    return rename_file(unfinished, rebuild);
}

std::filesystem::path newest_set_aside(const std::filesystem::path& file) {
    const std::string prefix = file.filename().string() + std::string(kCorrupt);
    std::string newest;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(file.parent_path(), failed)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(prefix) && name.find(".wal", prefix.size()) == std::string::npos) {
            newest = std::max(newest, name);
        }
    }
    return newest.empty() ? std::filesystem::path() : file.parent_path() / newest;
}

}  // namespace

bool RecoveryReport::complete() const {
    return readable && !without_wal && !tables.empty() &&
           std::all_of(tables.begin(), tables.end(), [](const auto& t) { return t.complete; });
}

std::string RecoveryReport::to_string() const {
    std::string text = fmt::format(
        "The database was damaged ({}) and has been set aside as {}; a new one has taken its place "
        "and is filled from the CSV files.",
        damage, set_aside.filename().string());
    if (!readable) {
        return text +
               " Nothing could be read from it: market history that is no longer in the CSV files "
               "and not in the journals, and the log of past syncs, are in the set-aside file "
               "only.";
    }
    if (without_wal) {
        text += " Its latest changes (the write-ahead log) could not be read.";
    }
    std::int64_t copied = 0;
    std::string lost;
    for (const SalvagedTable& table : tables) {
        copied += table.rows_copied;
        if (!table.complete) {
            lost += fmt::format("{}{} ({} rows copied; {})", lost.empty() ? "" : "; ", table.table,
                                table.rows_copied, table.problem);
        }
    }
    text += fmt::format(" {} rows of history were copied", copied);
    return text + (lost.empty() ? "; all tables of history are complete."
                                : fmt::format("; not complete: {}.", lost));
}

std::optional<FileIdentity> identity_of(const std::filesystem::path& file) {
    struct stat status {};  // stat, never open: closing it would drop the engine's lock
    if (::stat(file.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return FileIdentity{static_cast<std::uint64_t>(status.st_dev),
                        static_cast<std::uint64_t>(status.st_ino)};
}

Result<std::optional<RecoveryReport>> replace_damaged(const std::filesystem::path& file,
                                                      const Error& damage, bool opens,
                                                      const DatabaseOptions& options, Timestamp now,
                                                      std::optional<FileIdentity> seen) {
    TB_TRY(const UniqueFd lock, lock_directory(file.parent_path()));
    if (seen.has_value() && seen != identity_of(file)) {
        return std::nullopt;
    }
    if (opens && is_open_here(file)) {
        return make_error(ErrorCode::kBusy, "connections are still in use");
    }
    if (opens) {
        TB_TRY(const FileLock ours, FileLock::take(file));
        if (const std::int64_t holder = foreign_lock_holder(file); holder != 0) {
            return make_error(ErrorCode::kLocked,
                              fmt::format("the database is in use by process {}; end it or wait "
                                          "for it",
                                          holder));
        }
    } else {
        const auto again = Database::open(file, options);
        if (again.has_value()) {
            return std::nullopt;
        }
        // Locked, out of memory, no permission: that is no reason to move anything.
        if (again.error().code != ErrorCode::kDatabase) {
            return tl::unexpected<Error>(again.error());
        }
    }
    const auto rebuild = with_suffix(file, ".rebuild");
    TB_RETURN_IF_ERROR(make_rebuild(rebuild, options, now));
    RecoveryReport report;
    report.recovered_at = now;
    report.damage = damage.message;
    if (auto moved = set_aside(file, report); !moved.has_value()) {
        remove_own(rebuild);
        return tl::unexpected<Error>(moved.error());
    }
    TB_RETURN_IF_ERROR(rebuild_from(report, file, rebuild, options));
    return report;
}

Result<std::optional<RecoveryReport>> finish_interrupted_replacement(
    const std::filesystem::path& file, const DatabaseOptions& options, Timestamp now) {
    const auto rebuild = with_suffix(file, ".rebuild");
    if (!is_there(rebuild)) {
        return std::nullopt;
    }
    TB_TRY(const UniqueFd lock, lock_directory(file.parent_path()));
    if (!is_there(rebuild)) {
        return std::nullopt;  // the other process has finished
    }
    RecoveryReport report;
    report.recovered_at = now;
    report.damage = "an earlier replacement of a damaged database was interrupted";
    report.set_aside = newest_set_aside(file);
    if (is_there(file) || report.set_aside.empty()) {
        remove_own(rebuild);  // the damaged file had not been set aside yet
        return std::nullopt;
    }
    const auto aside_wal = with_suffix(report.set_aside, ".wal");
    for (const auto& stray : {with_suffix(file, ".wal"), with_suffix(aside_wal, "-hidden")}) {
        if (is_there(stray)) {
            TB_RETURN_IF_ERROR(rename_file(stray, aside_wal));
        }
    }
    if (is_there(aside_wal)) {
        report.set_aside_wal = aside_wal;
    }
    TB_RETURN_IF_ERROR(rebuild_from(report, file, rebuild, options));
    return report;
}

}  // namespace tb::db
