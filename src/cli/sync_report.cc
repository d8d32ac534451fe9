#include "cli/sync_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/help.h"
#include "cli/table.h"
#include "tools/sync_report.h"

namespace tb::cli {

namespace {

using sync::BlockSyncResult;
using sync::SyncStatus;

constexpr std::size_t kShownIssues = 5;

Style style_of(SyncStatus status) {
    switch (status) {
        case SyncStatus::kSynced:
            return Style::kGreen;
        case SyncStatus::kUnchanged:
        case SyncStatus::kDeleted:
            return Style::kPlain;
        case SyncStatus::kError:
            return Style::kRed;
        case SyncStatus::kIncomplete:
        case SyncStatus::kStale:
        case SyncStatus::kBusy:
            return Style::kYellow;
    }
    return Style::kPlain;
}

std::string joined(const std::vector<std::string>& parts) {
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string summary(const WholeSync& result) {
    std::vector<std::string> parts;
    const auto add = [&](std::int64_t count, std::string_view what) {
        if (count > 0) {
            parts.push_back(grouped(count) + " " + std::string(what));
        }
    };
    const sync::SyncResult& blocks = result.blocks;
    add(blocks.synced, "synced");
    add(blocks.unchanged, "unchanged");
    add(blocks.deleted, "removed");
    add(blocks.failed, "failed");
    add(blocks.deferred, "deferred");
    std::string text = counted(blocks.processed, "block");
    if (!parts.empty()) {
        text += ": " + joined(parts);
    }
    parts.clear();
    add(blocks.rows_inserted, blocks.rows_inserted == 1 ? "row written" : "rows written");
    add(blocks.rows_skipped, "skipped");
    add(blocks.rows_repaired, "repaired");
    if (!parts.empty()) {
        text += " (" + joined(parts) + ")";
    }
    if (result.market.processed > 0) {
        parts.clear();
        add(result.market.synced, "synced");
        add(result.market.unchanged, "unchanged");
        add(result.market.failed, "failed");
        add(result.market.deferred, "deferred");
        text += "; " + counted(result.market.processed, "market file") + ": " + joined(parts);
    }
    return text + ", in " + duration_text(blocks.duration_ms + result.market.duration_ms);
}

bool needs_attention(const BlockSyncResult& block) {
    return block.status != SyncStatus::kUnchanged || !block.warnings.empty();
}

// A line below the table, broken where a terminal ends.
void remark(Terminal& terminal, std::string_view text) {
    constexpr std::size_t kIndent = 2;
    const std::string line = printable(text);
    const std::size_t width = terminal.out_width();
    terminal.out().write(width > 0 && kIndent + display_width(line) > width
                             ? wrapped(line, kIndent, width)
                             : std::string(kIndent, ' ') + line + "\n");
}

void print_reasons(Terminal& terminal, const BlockSyncResult& block) {
    const auto line = [&](std::string_view text) {
        remark(terminal, fmt::format("{}: {}", block.block_id, text));
    };
    if (block.error.has_value()) {
        line(block.error->to_string());
    }
    for (const std::string& warning : block.warnings) {
        line(warning);
    }
    for (const sync::FileSyncReport& file : block.files) {
        for (const std::string& note : file.notes) {
            line(file.file_name + ": " + note);
        }
        std::size_t shown = 0;
        for (const blocks::RowIssue& issue : file.first_issues) {
            if (shown++ == kShownIssues) {
                break;
            }
            line(fmt::format(
                "{} line {}{}{}: {} ({})", file.file_name, issue.line,
                issue.column.empty() ? "" : ", " + issue.column,
                issue.value.empty() ? "" : ", \"" + issue.value + "\"", issue.reason,
                issue.action == blocks::IssueAction::kSkipped ? "row skipped" : "repaired"));
        }
        if (file.issues_total > static_cast<std::int64_t>(shown)) {
            line(fmt::format("{}: {} more; see tradeblocks issues", file.file_name,
                             grouped(file.issues_total - static_cast<std::int64_t>(shown))));
        }
    }
}

void print_market(Terminal& terminal, const sync::MarketSyncResult& market) {
    for (const sync::MarketFileResult& file : market.files) {
        const auto line = [&](std::string_view text) {
            remark(terminal, fmt::format("_marketdata/{}: {}", file.file_name, text));
        };
        if (file.status == SyncStatus::kSynced) {
            line(fmt::format("{} new, {} updated, {} kept, {} skipped, {} repaired{}",
                             grouped(file.rows_inserted), grouped(file.rows_updated),
                             grouped(file.rows_kept), grouped(file.rows_skipped),
                             grouped(file.rows_repaired),
                             file.max_date ? ", newest " + *file.max_date : ""));
        }
        if (file.error.has_value()) {
            line(fmt::format("{}: {}", sync::status_name(file.status), file.error->to_string()));
        }
        for (const std::string& warning : file.warnings) {
            line(warning);
        }
    }
    for (const std::string& warning : market.warnings) {
        remark(terminal, warning);
    }
}

}  // namespace

void print_sync_report(Terminal& terminal, const WholeSync& result, bool everything) {
    Output& out = terminal.out();
    out.write(terminal.paint(Style::kBold, summary(result)) + "\n");
    Table table({{"BLOCK", Align::kLeft, 16},
                 {"STATUS"},
                 {"TRADES", Align::kRight},
                 {"ROWS WRITTEN", Align::kRight},
                 {"SKIPPED", Align::kRight},
                 {"REPAIRED", Align::kRight}});
    for (const BlockSyncResult& block : result.blocks.blocks) {
        if (everything || needs_attention(block)) {
            table.add({block.block_id, std::string(sync::status_name(block.status)),
                       grouped(block.trade_count), grouped(block.rows_inserted),
                       grouped(block.rows_skipped), grouped(block.rows_repaired)},
                      style_of(block.status));
        }
    }
    if (!table.empty()) {
        out.write("\n");
        table.print(terminal);
        out.write("\n");
    }
    for (const BlockSyncResult& block : result.blocks.blocks) {
        print_reasons(terminal, block);
    }
    print_market(terminal, result.market);
    for (const std::string& warning : result.blocks.warnings) {
        remark(terminal, warning);
    }
    if (result.blocks.processed == 0) {
        out.write(
            "  no block here: give each portfolio a folder of its own with its CSV exports, or use "
            "tradeblocks import\n");
    }
}

std::string sync_report_json(const WholeSync& result, bool pretty) {
    mcp::Json json =
        tools::sync_report_json(result.blocks, result.market, tools::ReportDetail::kWhole);
    json["notRead"] = mcp::Json::array();
    for (const auto* const files : {&result.blocks.not_read, &result.market.not_read}) {
        for (const sync::NotRead& file : *files) {
            json["notRead"].push_back({{"path", file.path}, {"reason", file.says}});
        }
    }
    // Folder names may be any bytes; JSON may not.
    return json.dump(pretty ? 2 : -1, ' ', false, mcp::Json::error_handler_t::replace) + "\n";
}

WholeSync as_whole_sync(BlockSyncResult block) {
    return {tools::as_sync_result(std::move(block)), {}};
}

}  // namespace tb::cli
