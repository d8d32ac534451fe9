#include <map>

#include <fmt/format.h>

#include "blocks/discovery.h"
#include "cli/commands.h"
#include "cli/record_output.h"
#include "cli/store_access.h"
#include "core/file_system.h"
#include "sync/metadata.h"
#include "sync/not_read.h"

namespace tb::cli {

namespace {

struct StoredFile {
    std::string role;
    std::string name;
    std::optional<std::int64_t> size;
    std::optional<std::int64_t> mtime_ns;
    std::optional<std::int64_t> rows_stored;
    std::int64_t rows_skipped = 0;
    bool rejected = false;
};

struct StoredBlock {
    std::string synced_at;
    std::vector<StoredFile> files;
};

using StoredBlocks = std::map<std::string, StoredBlock>;

Result<StoredBlocks> read_stored(db::Connection& connection) {
    StoredBlocks blocks;
    TB_TRY(const auto times, sync::get_all_sync_metadata(connection));
    for (const sync::BlockSyncMetadata& block : times) {
        blocks[block.block_id].synced_at = block.synced_at.to_rfc3339();
    }
    TB_TRY(auto files,
           connection.collect("SELECT block_id, role, file_name, size, mtime_ns, rows_stored, "
                              "coalesce(rows_skipped, 0), rejection IS NOT NULL "
                              "FROM trades._sync_files WHERE role <> 'market'"));
    while (true) {
        TB_TRY(const bool more, files.next());
        if (!more) {
            break;
        }
        StoredFile file;
        file.role = files.get<std::string>(1);
        file.name = files.get<std::string>(2);
        file.size = files.get_optional<std::int64_t>(3);
        file.mtime_ns = files.get_optional<std::int64_t>(4);
        file.rows_stored = files.get_optional<std::int64_t>(5);
        file.rows_skipped = files.get<std::int64_t>(6);
        file.rejected = files.get<bool>(7);
        blocks[files.get<std::string>(0)].files.push_back(std::move(file));
    }
    return blocks;
}

// The files that sync would read, by role.
std::map<std::string, std::string> names_by_role(const Result<blocks::BlockFiles>& found) {
    std::map<std::string, std::string> names;
    if (!found) {
        return names;
    }
    for (const auto* const file : {&found->tradelog, &found->dailylog, &found->reportinglog}) {
        if (file->has_value()) {
            names[std::string(blocks::role_name((*file)->role))] = (*file)->file_name;
        }
    }
    return names;
}

// In words, judged by size and time alone: status reads no file.
std::string state_of(const std::filesystem::path& folder, const StoredBlock* stored,
                     const std::map<std::string, std::string>& now) {
    if (stored == nullptr || stored->files.empty()) {
        return "new";
    }
    if (!now.contains("tradelog")) {
        return "trade log gone";
    }
    if (now.size() != stored->files.size()) {
        return "changed";
    }
    bool rejected = false;
    for (const StoredFile& file : stored->files) {
        const auto name = now.find(file.role);
        if (name == now.end() || name->second != file.name) {
            return "changed";
        }
        const auto stat = real_file_system().stat(folder / file.name);
        if (!stat) {
            return "unreadable";
        }
        if (static_cast<std::int64_t>(stat->size) != file.size || stat->mtime_ns != file.mtime_ns) {
            return "changed";
        }
        rejected = rejected || file.rejected;
    }
    return rejected ? "rejected" : "up to date";
}

Style style_of(const std::string& state) {
    if (state == "up to date") {
        return Style::kPlain;
    }
    return state == "rejected" || state == "unreadable" ? Style::kRed : Style::kYellow;
}

void add_record(RecordOutput& records, const std::string& id, const std::string& state,
                const StoredBlock* stored, const std::map<std::string, std::string>& now,
                bool as_json) {
    std::optional<std::int64_t> trades;
    std::int64_t skipped = 0;
    std::optional<std::string> synced_at;
    if (stored != nullptr) {
        for (const StoredFile& file : stored->files) {
            skipped += file.rows_skipped;
            if (file.role == "tradelog") {
                trades = file.rows_stored;
            }
        }
        if (!stored->synced_at.empty()) {
            synced_at =
                as_json ? stored->synced_at
                        : stored->synced_at.substr(0, 10) + " " + stored->synced_at.substr(11, 8);
        }
    }
    std::vector<RecordValue> values{id, state, number_or_null(trades), skipped};
    for (const char* const role : {"tradelog", "dailylog", "reportinglog"}) {
        const auto name = now.find(role);
        values.push_back(name == now.end() ? RecordValue() : RecordValue(name->second));
    }
    values.push_back(text_or_null(synced_at));
    records.add(std::move(values), style_of(state));
}

Result<ExitCode> run(const Invocation& invocation, Session& session) {
    const std::string directory = invocation.text("DIR");
    const bool as_json = invocation.has("--json");
    TB_TRY(const auto store, store_of(directory));
    TB_TRY(const auto listing, blocks::list_block_folders(real_file_system(), store->directory()));
    StoredBlocks stored;
    if (has_database(directory)) {
        TB_TRY([[maybe_unused]] const bool stand_in, open_for_reading(*store, session));
        TB_TRY(auto connection, store->reader());
        connection.cancel_with(session.cancel);
        TB_TRY(stored, read_stored(connection));
    } else {
        session.terminal.note("nothing was synced here yet: run tradeblocks sync");
    }
    RecordOutput records({{"blockId", "BLOCK", Align::kLeft, 12},
                          {"state", "STATE", Align::kLeft, 14},
                          {"tradeCount", "TRADES", Align::kRight},
                          {"rowsSkipped", "SKIPPED", Align::kRight},
                          {"tradelog", "TRADE LOG", Align::kLeft, 12},
                          {"dailylog", "DAILY LOG", Align::kLeft, 12},
                          {"reportinglog", "REPORTING LOG", Align::kLeft, 13, true},
                          {"syncedAt", "SYNCED (UTC)", Align::kLeft, 19, true}});
    std::vector<std::string> warnings = listing.warnings;
    for (const auto find : {sync::files_not_read, sync::market_files_not_read}) {
        const auto not_read = find(real_file_system(), store->directory());
        for (std::string& line :
             sync::not_read_lines(not_read, as_json ? not_read.size() : sync::kNotReadLines)) {
            warnings.push_back(std::move(line));
        }
    }
    for (const blocks::BlockFolder& folder : listing.folders) {
        const auto files = blocks::discover_files(real_file_system(), folder.path);
        const auto now = names_by_role(files);
        const auto found = stored.find(folder.id);
        const StoredBlock* const known = found == stored.end() ? nullptr : &found->second;
        if (!files) {
            warnings.push_back(files.error().to_string());
        } else if (known == nullptr && !now.contains("tradelog")) {
            // A folder without a trade log is no block.
            const auto reasons = blocks::reasons_for_no_block(folder.id, *files);
            warnings.insert(warnings.end(), reasons.begin(), reasons.end());
            continue;
        }
        add_record(records, folder.id, files ? state_of(folder.path, known, now) : "unreadable",
                   known, now, as_json);
        if (known != nullptr) {
            stored.erase(found);
        }
    }
    for (const auto& [id, block] : stored) {
        add_record(records, id, "folder gone", &block, {}, as_json);
    }
    if (as_json || records.size() > 0) {
        records.print(session.terminal, as_json);
    } else {
        session.terminal.out().write(
            "no blocks: give each portfolio a folder of its own with its CSV exports, or use "
            "tradeblocks import\n");
    }
    for (const std::string& warning : warnings) {
        session.terminal.warning(warning);
    }
    return ExitCode::kDone;
}

}  // namespace

Command status_command() {
    return {.name = "status",
            .summary = "list the blocks, their files and whether they are up to date",
            .description =
                "Shows what the next sync would look at, without reading or changing anything: "
                "each block, which file plays which role, how many trades are stored, and whether "
                "size and times of the files still are as they were.",
            .arguments = {{"DIR", ValueKind::kDirectory, "the data directory"}},
            .options = {{"--json", ValueKind::kFlag, "", "as JSON", {}, ""}},
            .examples = {{"status ~/Trades", "what is there"}},
            .run = run,
            .relay = Relay::kRepeat};
}

}  // namespace tb::cli
