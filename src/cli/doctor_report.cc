#include "cli/doctor_report.h"

#include <sys/mman.h>

#include <algorithm>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "blocks/discovery.h"
#include "cli/parser.h"
#include "core/file_system.h"
#include "core/text.h"
#include "core/version.h"
#include "db/connection.h"
#include "db/data_store.h"
#include "market/market_files.h"
#include "serve/claim.h"
#include "serve/command_relay.h"
#include "serve/greeting.h"
#include "serve/place.h"
#include "sync/not_read.h"

namespace tb::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMaxConfigBytes = 256U << 20U;
constexpr std::string_view kRejectedFiles =
    "SELECT block_id, file_name, rejection FROM trades._sync_files WHERE rejection IS NOT NULL "
    "ORDER BY ALL";

bool has_csv_name(std::string_view name) {
    return name.size() > 4 && equals_ignoring_case(name.substr(name.size() - 4), ".csv");
}

// Warnings of the discovery that are about one file begin with its name.
std::string take_note(std::vector<std::string>& warnings, const std::string& file) {
    const std::string beginning = fmt::format("'{}' ", file);
    for (auto warning = warnings.begin(); warning != warnings.end(); ++warning) {
        if (warning->starts_with(beginning)) {
            std::string note = warning->substr(beginning.size());
            warnings.erase(warning);
            return note;
        }
    }
    return "";
}

void examine_block(const blocks::BlockFolder& folder, DoctorReport& report) {
    FolderFinding finding;
    finding.name = folder.id;
    auto found = blocks::discover_files(real_file_system(), folder.path);
    if (!found) {
        report.problems.push_back(
            {fmt::format("block {}: {}", folder.id, found.error().to_string()),
             "make the folder and its files readable for this user"});
        report.folders.push_back(std::move(finding));
        return;
    }
    for (const std::string& name : found->csv_names) {
        FileFinding file{name, {}, {}, take_note(found->warnings, name)};
        for (const auto* const role : {&found->tradelog, &found->dailylog, &found->reportinglog}) {
            if (role->has_value() && (*role)->file_name == name) {
                file.role = blocks::role_name((*role)->role);
                file.recognised_by = (*role)->recognised_by;
            }
        }
        if (::access((folder.path / name).c_str(), R_OK) != 0) {
            report.problems.push_back({fmt::format("{}/{} cannot be read", folder.id, name),
                                       "make the file readable for this user"});
        }
        finding.files.push_back(std::move(file));
    }
    finding.notes = std::move(found->warnings);
    if (finding.files.empty()) {
        finding.notes.emplace_back("no CSV files: not a block");
    } else if (!found->tradelog.has_value()) {
        report.problems.push_back(
            {fmt::format("block {} has no trade log", folder.id),
             found->undecided.empty()
                 ? "put the export of the trades into the folder; its first line names the columns"
                 : "a file seems half-written; look again when it is complete"});
    } else {
        for (const FileFinding& file : finding.files) {
            if (!file.role.empty() && !file.note.empty()) {
                report.problems.push_back({fmt::format("{}/{} {}", folder.id, file.name, file.note),
                                           "export it again with all columns"});
            }
        }
    }
    report.folders.push_back(std::move(finding));
}

void examine_market_folder(const fs::path& data_dir, DoctorReport& report) {
    const auto entries = real_file_system().list(data_dir / market::kMarketFolder);
    if (!entries) {
        return;
    }
    FolderFinding finding;
    finding.name = market::kMarketFolder;
    for (const DirectoryEntry& entry : *entries) {
        if (!entry.is_regular || !has_csv_name(entry.name)) {
            continue;
        }
        const market::MarketFile* const known = market::find_market_file(entry.name);
        finding.files.push_back(
            {entry.name, known == nullptr ? "" : fmt::format("market.{}", known->table),
             known == nullptr ? "" : "name",
             known == nullptr ? "no market data file of this name is read" : ""});
    }
    report.folders.push_back(std::move(finding));
}

// False when there is nothing to look into.
bool examine_folder(const fs::path& data_dir, DoctorReport& report) {
    std::error_code failed;
    if (!fs::is_directory(data_dir, failed)) {
        report.problems.push_back(
            {fmt::format("{} is {}", data_dir.string(),
                         fs::exists(data_dir, failed) ? "not a folder" : "not there"),
             "name the data directory that holds one folder per block"});
        return false;
    }
    report.writable = ::access(data_dir.c_str(), W_OK) == 0;
    const auto listing = blocks::list_block_folders(real_file_system(), data_dir);
    const auto entries = real_file_system().list(data_dir);
    report.readable = listing.has_value() && entries.has_value();
    if (!report.readable) {
        report.problems.push_back({fmt::format("{} cannot be read", data_dir.string()),
                                   "make the folder readable for this user"});
        return false;
    }
    if (!report.writable) {
        report.problems.push_back(
            {fmt::format("{} cannot be written", data_dir.string()),
             "the database is kept there; without it every answer starts from the CSV files, in "
             "memory: make the folder writable for this user"});
    }
    report.notes = listing->warnings;
    for (const blocks::BlockFolder& folder : listing->folders) {
        examine_block(folder, report);
    }
    for (const DirectoryEntry& entry : *entries) {
        if (entry.is_regular && entry.name.front() != '.' && has_csv_name(entry.name)) {
            report.problems.push_back(
                {fmt::format("{} lies beside the block folders and is not read", entry.name),
                 "move it into a folder of its own, or use tradeblocks import"});
        }
    }
    examine_market_folder(data_dir, report);
    for (const auto find : {sync::files_not_read, sync::market_files_not_read}) {
        for (const sync::NotRead& file : find(real_file_system(), data_dir)) {
            report.notes.push_back(file.subject + " " + file.says);
        }
    }
    return true;
}

void examine_owner(const DoctorOptions& options, DoctorReport& report) {
    const auto place = serve::existing_place(*options.data_dir, options.runtime_root);
    if (!place) {
        report.problems.push_back({place.error().to_string(),
                                   "until then several servers on this folder cannot share it"});
        return;
    }
    const auto fd = serve::dial(*place);
    if (!fd) {
        if (fd.error().code != ErrorCode::kNotFound) {
            report.problems.push_back(
                {fmt::format("the server of this folder: {}", fd.error().to_string()),
                 "end it, then look again"});
        }
        return;
    }
    const auto greeting = serve::greet_owner(fd->get(), serve::own_greeting(serve::Wants::kTools));
    if (!greeting) {
        report.owner = OwnerFinding{};
        report.problems.push_back(
            {fmt::format("a server owns this folder, but: {}", greeting.error().to_string()),
             "end that server (or the assistant that started it) and start it again"});
        return;
    }
    report.owner = OwnerFinding{greeting->pid, greeting->version};
    if (greeting->version != kVersion) {
        report.problems.push_back(
            {fmt::format("the server that owns this folder (process {}) is version {}, this is {}",
                         greeting->pid, greeting->version, kVersion),
             "restart the assistant that started it"});
    }
}

void report_rejection(const std::string& block, const std::string& file, const std::string& why,
                      DoctorReport& report) {
    report.problems.push_back(
        {fmt::format("{}/{} was rejected by the last sync: {}", block, file, why),
         "see tradeblocks issues; correct or export it again"});
}

// The file cannot be opened beside its owner, who is asked instead.
Result<void> look_through_owner(const DoctorOptions& options, DoctorReport& report) {
    const UniqueFd out(::memfd_create("out", MFD_CLOEXEC));
    const UniqueFd err(::memfd_create("err", MFD_CLOEXEC));
    if (!out.valid() || !err.valid()) {
        return make_error(ErrorCode::kIo, "no memory for the answer");
    }
    std::error_code failed;
    serve::CommandRequest request;
    request.command = "sql";
    request.values = {{"DIR", fs::absolute(*options.data_dir, failed).string()},
                      {"SQL", std::string(kRejectedFiles)},
                      {"--no-sync", ""},
                      {"--format", "json"}};
    const serve::RelayedCommand relayed = serve::relay_command(
        *options.data_dir, options.runtime_root, request, {out.get(), err.get()}, CancelToken());
    const auto text_of = [](const UniqueFd& file) {
        std::string text(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
        const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return text;
    };
    if (relayed.kind != serve::RelayedCommand::Kind::kDone || relayed.code != 0) {
        return make_error(ErrorCode::kBusy, relayed.reason.empty() ? text_of(err) : relayed.reason);
    }
    const auto rows = nlohmann::json::parse(text_of(out), nullptr, false);
    for (const auto& row : rows) {
        report_rejection(row.value("block_id", ""), row.value("file_name", ""),
                         row.value("rejection", ""), report);
    }
    return {};
}

Result<void> look_inside(const fs::path& file, DatabaseFinding& finding, DoctorReport& report) {
    db::DatabaseOptions options;
    options.read_only = true;
    TB_TRY(const db::Database database, db::Database::open(file, options));
    TB_TRY(db::Connection connection, database.connect());
    {
        TB_TRY(db::Rows versions,
               connection.collect(
                   "SELECT coalesce(max(version), 0)::INTEGER FROM trades._schema_info"));
        TB_TRY(const bool there, versions.next());
        if (there) {
            finding.schema_version = versions.get<std::int32_t>(0);
        }
    }
    if (finding.schema_version.value_or(0) > db::kSchemaVersion) {
        return {};  // of tables we may not know
    }
    TB_TRY(db::Rows rejected, connection.collect(std::string(kRejectedFiles)));
    while (true) {
        TB_TRY(const bool more, rejected.next());
        if (!more) {
            return {};
        }
        report_rejection(rejected.get<std::string>(0), rejected.get<std::string>(1),
                         rejected.get<std::string>(2), report);
    }
}

// Reads every block; false when the rest of the look would read what cannot be read. A file that
// cannot be looked at now (a server uses it) is judged by what follows.
bool blocks_are_right(DatabaseFinding& finding, DoctorReport& report) {
    constexpr const char* kAdvice =
        "the next sync sets a damaged file aside, never deletes it, and builds a new one";
    const auto looked = db::look_through_file(finding.file, {});
    if (!looked || looked->error.has_value()) {
        return true;
    }
    if (!looked->damage.empty()) {
        finding.state = "damaged";
        report.problems.push_back(
            {fmt::format("the database is damaged: {}", looked->damage), kAdvice});
        return false;
    }
    for (const db::FileFindings::Difference& difference : looked->differences) {
        report.problems.push_back(
            {fmt::format("{}{} is not what was stored: {}", difference.table,
                         difference.block_id.empty()
                             ? std::string()
                             : fmt::format(" of block '{}'", difference.block_id),
                         difference.what),
             "the next sync reads it again from its files"});
    }
    return true;
}

void examine_database(const DoctorOptions& options, DoctorReport& report) {
    DatabaseFinding& finding = report.database.emplace();
    finding.file = *options.data_dir / db::kDatabaseFileName;
    std::error_code failed;
    const auto size_of = [&](const fs::path& file) -> std::uint64_t {
        const std::uintmax_t bytes = fs::file_size(file, failed);
        return failed ? 0 : bytes;
    };
    if (!fs::exists(finding.file, failed)) {
        return;
    }
    finding.bytes = size_of(finding.file);
    finding.log_bytes = size_of(fs::path(finding.file.string() + ".wal"));
    if (report.owner.has_value()) {
        finding.state = "served";
        blocks_are_right(finding, report);  // a server that has nothing to do lets the file go
        // One of another version runs no commands; that is a problem already.
        if (report.owner->version == kVersion) {
            if (const auto asked = look_through_owner(options, report); !asked) {
                report.problems.push_back(
                    {fmt::format("the server of this folder: {}", asked.error().to_string()),
                     "end it, then look again"});
            }
        }
        return;
    }
    if (!blocks_are_right(finding, report)) {
        return;
    }
    const auto looked = look_inside(finding.file, finding, report);
    if (looked) {
        const bool newer = finding.schema_version.value_or(0) > db::kSchemaVersion;
        finding.state = newer ? "newer" : "fine";
        if (newer) {
            report.problems.push_back(
                {fmt::format("the database has schema version {}, this program knows {}",
                             *finding.schema_version, db::kSchemaVersion),
                 "use the newer version of this program"});
        }
        return;
    }
    const Error& error = looked.error();
    if (error.code == ErrorCode::kLocked) {
        finding.state = "locked";
        finding.holder = db::lock_holder(error);
        report.problems.push_back({fmt::format("the database is locked: {}", error.message),
                                   "wait for that program or close it; until then reading commands "
                                   "answer from the CSV files"});
    } else if (db::is_newer_engine_file(error)) {
        finding.state = "newer";
        report.problems.push_back({error.to_string(), "use the newer version of this program"});
    } else {
        finding.state = db::is_damage(error) ? "damaged" : "unusable";
        report.problems.push_back(
            {fmt::format("the database cannot be opened: {}", error.to_string()),
             "the next sync sets a damaged file aside, never deletes it, and builds a new one"});
    }
}

// The data directory as the entry names it; where its arguments are no command line of ours (it
// starts the program through another one), the first that is a whole path.
std::optional<std::string> served_by(const ServerEntry& entry) {
    const auto line = parse_command_line(entry.args);
    if (line.has_value() && line->command != nullptr && line->invocation.has("DIR")) {
        return line->invocation.text("DIR");
    }
    const auto whole = std::find_if(entry.args.begin(), entry.args.end(),
                                    [](const auto& arg) { return fs::path(arg).is_absolute(); });
    return whole == entry.args.end() ? std::nullopt : std::optional(*whole);
}

void judge_entry(const DoctorOptions& options, ClientFinding& finding, DoctorReport& report) {
    const ServerEntry& entry = *finding.entry;
    const std::string again = fmt::format("run: tradeblocks setup {} DIR", finding.client->id);
    const fs::path command = entry.command;
    std::error_code failed;
    finding.state = "configured";
    if (command.empty() && !entry.url.empty()) {
        return;  // somebody else starts that server
    }
    if (command.empty() || (command.is_absolute() && ::access(command.c_str(), X_OK) != 0)) {
        finding.state = "broken";
        report.problems.push_back({fmt::format("{} starts \"{}\", which is not a program",
                                               finding.client->title, entry.command),
                                   again});
        return;
    }
    const auto served = served_by(entry);
    if (served.has_value() && !fs::path(*served).is_absolute()) {
        finding.state = "broken";
        report.problems.push_back(
            {fmt::format("{} serves \"{}\": what a relative path means there depends on the folder "
                         "it starts programs in",
                         finding.client->title, *served),
             again});
    } else if (served.has_value() && !fs::is_directory(*served, failed)) {
        finding.state = "broken";
        report.problems.push_back(
            {fmt::format("{} serves {}, which is no folder", finding.client->title, *served),
             again});
    } else if (served.has_value() && options.data_dir.has_value() &&
               !fs::equivalent(*served, *options.data_dir, failed)) {
        finding.state = "other folder";
    }
}

void examine_client(const ClientSpec& client, const DoctorOptions& options, DoctorReport& report) {
    const auto file = client_file(client, options.os, options.environment);
    if (!file) {
        return;
    }
    std::error_code failed;
    ClientFinding finding;
    finding.client = &client;
    finding.file = *file;
    const bool there = fs::exists(*file, failed);
    finding.installed = is_installed(client, *file);
    fs::path directory = fs::path("/path/to") / "your data directory";
    if (options.data_dir.has_value()) {
        const fs::path real = fs::weakly_canonical(*options.data_dir, failed);
        directory = failed ? *options.data_dir : real;
    }
    finding.snippet =
        client_snippet(client, {options.program.string(), {"serve", directory.string()}});
    if (there) {
        const auto content = read_whole_file(real_file_system(), *file, kMaxConfigBytes);
        const auto entry =
            content ? read_entry(client, *content)
                    : Result<std::optional<ServerEntry>>(tl::unexpected<Error>(content.error()));
        if (!entry) {
            finding.state = "unreadable";
            report.problems.push_back(
                {fmt::format("{}: {}: {}", client.title, file->string(), entry.error().to_string()),
                 "correct the file, or put the snippet into it by hand"});
        } else if (entry->has_value()) {
            finding.entry = *entry;
            judge_entry(options, finding, report);
            if (const auto off = switched_off(client, *content)) {
                finding.state = "switched off";
                report.problems.push_back(
                    {fmt::format("the entry of {} is switched off: {}", client.title, *off),
                     fmt::format("switch it on in {}", file->string())});
            }
        }
    }
    report.clients.push_back(std::move(finding));
}

}  // namespace

DoctorReport examine(const DoctorOptions& options) {
    DoctorReport report;
    report.data_dir = options.data_dir;
    if (const auto checked = db::check_engine_version(db::engine_version()); !checked) {
        report.problems.push_back({checked.error().to_string(),
                                   "install the DuckDB library that came with this program"});
    }
    if (options.data_dir.has_value() && examine_folder(*options.data_dir, report)) {
        examine_owner(options, report);
        examine_database(options, report);
    }
    for (const ClientSpec& client : clients()) {
        examine_client(client, options, report);
    }
    return report;
}

}  // namespace tb::cli
