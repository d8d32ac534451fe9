// The frame around every analytics answer and the budget of its lists (common.h).
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/statistics_checks.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/figure_units.h"
#include "tools/json.h"
#include "tools/portfolio/common.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Field;
using mcp::Json;

constexpr std::size_t kPageRoom = 150;  // characters of result.page

constexpr std::string_view kFewerStrategies = "ask about fewer strategies to see them";

constexpr double kExtremeAmount = 1e75;  // squares and sums of such amounts overflow a double

bool is_extreme(std::optional<double> amount) {
    return amount.has_value() && !(std::fabs(*amount) <= kExtremeAmount);
}

// The frame's notes and, for blocks with amounts no statistic can hold, one for all the figures
// that are null because of them.
std::vector<analytics::Note> all_notes(const AnswerFrame& frame) {
    std::vector<analytics::Note> notes = frame.notes;
    for (const FreshBlock* block : frame.blocks) {
        if (auto note = analytics::extreme_amounts_note(block->data->trades.trades)) {
            notes.push_back(std::move(*note));
        }
        const auto& log = block->data->daily_log;
        const auto& fills = block->data->reporting.trades;
        const auto count =
            std::count_if(log.begin(), log.end(),
                          [](const analytics::DailyLogEntry& entry) {
                              return is_extreme(entry.net_liquidity) || is_extreme(entry.daily_pl);
                          }) +
            std::count_if(fills.begin(), fills.end(), [](const analytics::ReportingTrade& fill) {
                return is_extreme(fill.pl) || is_extreme(fill.contracts) ||
                       is_extreme(fill.initial_premium) || is_extreme(fill.avg_closing_cost);
            });
        if (count > 0) {
            notes.push_back({"*", fmt::format("{} rows of the daily or reporting log have amounts "
                                              "beyond 1e75; figures that cannot be represented "
                                              "are null",
                                              count)});
        }
    }
    return notes;
}

void append(Json& list, const Json& more) {
    for (const Json& entry : more) {
        list.push_back(entry);
    }
}

// Empty under kReference, which has no such member.
std::string_view counted_by_text(const AnswerFrame& frame) {
    if (frame.conventions == Conventions::kReference) {
        return "";
    }
    switch (frame.counted_by) {
        case CountedBy::kClosingDay:
            return "closing day (opening day while open)";
        case CountedBy::kOpeningDay:
            return "opening day";
        case CountedBy::kNothing:
            break;
    }
    return "";
}

// add_block_sync of one block or, with several, each block's `syncInfo` under its id.
void add_sync(Json& result, const std::vector<const FreshBlock*>& blocks) {
    if (blocks.size() == 1) {
        add_block_sync(result, blocks.front()->sync);
        return;
    }
    Json info = Json::object();
    Json errors = Json::array();
    Json warnings = Json::array();
    for (const FreshBlock* block : blocks) {
        Json one = Json::object();
        add_block_sync(one, block->sync);
        info[block->sync.block_id] = one["syncInfo"];
        if (one.contains("syncErrors")) {
            append(errors, one["syncErrors"]);
        }
        if (one.contains("warnings")) {
            append(warnings, one["warnings"]);
        }
    }
    result["syncInfo"] = std::move(info);
    if (!errors.empty()) {
        result["syncErrors"] = std::move(errors);
    }
    if (!warnings.empty()) {
        result["warnings"] = std::move(warnings);
    }
}

}  // namespace

Field open_object(std::string name, std::string description) {
    return field::map_of(std::move(name), field::any_schema(), std::move(description));
}

Field open_list(std::string name, std::string description) {
    return field::list(std::move(name), field::object_schema({}), std::move(description));
}

Field page_field() {
    return open_object("page", "When rows are missing: offset, shown, total, nextOffset")
        .optional();
}

std::vector<Field> with_frame(std::vector<Field> fields) {
    fields.push_back(field::text("conventions", "correct or reference"));
    fields.push_back(open_list("notes", "Figures without a value and why").optional());
    fields.push_back(
        field::list("warnings", field::text_schema(), "About data and method").optional());
    fields.push_back(open_object("syncInfo", "How fresh the rows are"));
    fields.push_back(open_list("syncErrors", "What is not up to date").optional());
    return fields;
}

void add_frame(Json& result, const AnswerFrame& frame) {
    result["conventions"] = conventions_name(frame.conventions);
    if (const std::string_view counted_by = counted_by_text(frame); !counted_by.empty()) {
        result["countedBy"] = counted_by;
    }
    Json notes = Json::array();
    for (const analytics::Note& note : all_notes(frame)) {
        notes.push_back(
            {{"figure", quoted_line(note.figure)}, {"reason", quoted_line(note.reason)}});
    }
    if (!notes.empty()) {
        result["notes"] = std::move(notes);
    }
    add_sync(result, frame.blocks);
    if (!frame.warnings.empty()) {
        if (!result.contains("warnings")) {
            result["warnings"] = Json::array();
        }
        append(result["warnings"], lines_json(frame.warnings, kFewerStrategies));
    }
    if (!frame.explain) {
        return;
    }
    Json explain = Json::array();
    for (const Explanation& entry : frame.explanations) {
        explain.push_back({{"figure", entry.figure},
                           {"formula", entry.formula},
                           {"inputs", entry.inputs.is_null() ? Json::object() : *entry.inputs},
                           {"rows", entry.rows},
                           {"basis", entry.basis}});
    }
    result["units"] = units_of(result);
    result["explain"] = std::move(explain);
    Json versions = Json::object();
    for (const FreshBlock* block : frame.blocks) {
        versions[block->data->block_id] = block->data->data_version();
    }
    result["dataVersion"] = std::move(versions);
}

std::string frame_text(const AnswerFrame& frame) {
    std::string text;
    for (const FreshBlock* block : frame.blocks) {
        text += sync_trouble_text(block->sync);
    }
    for (const Json& warning : lines_json(frame.warnings, kFewerStrategies)) {
        text += "Warning: " + mcp::visible_text(warning.get<std::string>()) + "\n";
    }
    for (const analytics::Note& note : all_notes(frame)) {
        text += fmt::format("Note: {}: {}\n", mcp::visible_text(quoted_line(note.figure)),
                            mcp::visible_text(quoted_line(note.reason)));
    }
    if (const std::string_view counted_by = counted_by_text(frame); !counted_by.empty()) {
        text += fmt::format("Days, weekdays, weeks and months are by {}\n", counted_by);
    }
    text += fmt::format("Conventions: {}\n", conventions_name(frame.conventions));
    if (frame.explain) {
        for (const Explanation& entry : frame.explanations) {
            text += fmt::format("Explain {}: {} [{} rows of {}; {}]\n", entry.figure, entry.formula,
                                mcp::count_text(entry.rows), entry.basis,
                                entry.inputs.is_null()
                                    ? std::string()
                                    : mcp::visible_text(mcp::to_json_text(*entry.inputs)));
        }
        for (const FreshBlock* block : frame.blocks) {
            text +=
                fmt::format("Data version of {}: {}\n", mcp::visible_text(block->data->block_id),
                            block->data->data_version());
        }
    }
    return text;
}

std::size_t answer_budget(mcp::ToolContext& context, Conventions conventions) {
    if (conventions == Conventions::kReference) {
        context.set_budget_chars(0);
    }
    return context.budget_chars();
}

void page_list(Json& result, const char* list, const Json& arguments, std::size_t budget) {
    Json& rows = result[list];
    const std::size_t total = rows.size();
    const auto offset = static_cast<std::size_t>(std::clamp<std::int64_t>(
        integer_argument(arguments, "offset").value_or(0), 0, static_cast<std::int64_t>(total)));
    const auto limit = static_cast<std::size_t>(
        integer_argument(arguments, "limit").value_or(static_cast<std::int64_t>(total)));
    const std::size_t end = offset + std::min(limit, total - offset);
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(end), rows.end());
    rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(offset));
    if (budget != 0) {
        Json kept = std::move(rows);
        rows = Json::array();
        const std::size_t rest = mcp::char_count(mcp::to_json_text(result)) + kPageRoom;
        mcp::fit_rows(kept, budget > rest ? budget - rest : 1);
        result[list] = std::move(kept);
    }
    const std::size_t shown = result[list].size();
    if (shown == total) {
        return;
    }
    Json page = {{"list", list}, {"offset", offset}, {"shown", shown}, {"total", total}};
    if (offset + shown < total) {
        page["nextOffset"] = offset + shown;
    }
    result["page"] = std::move(page);
}

std::vector<std::size_t> thin_out(std::span<const double> values, std::size_t most,
                                  std::span<const std::size_t> always) {
    const std::size_t count = values.size();
    std::vector<std::size_t> kept;
    if (count <= most) {
        kept.resize(count);
        for (std::size_t i = 0; i < count; ++i) {
            kept[i] = i;
        }
        return kept;
    }
    always = always.first(std::min(always.size(), (most - 2) / 2));
    const std::size_t stretches = (most - 2 - always.size()) / 2;
    const std::size_t inner = count - 2;
    kept.assign(always.begin(), always.end());
    kept.push_back(0);
    for (std::size_t stretch = 0; stretch < stretches; ++stretch) {
        const std::size_t begin = 1 + inner * stretch / stretches;
        const std::size_t end = 1 + inner * (stretch + 1) / stretches;
        std::size_t low = begin;
        std::size_t high = begin;
        for (std::size_t i = begin; i < end; ++i) {
            low = values[i] < values[low] ? i : low;
            high = values[i] > values[high] ? i : high;
        }
        kept.push_back(std::min(low, high));
        if (low != high) {
            kept.push_back(std::max(low, high));
        }
    }
    kept.push_back(count - 1);
    std::sort(kept.begin(), kept.end());
    kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
    return kept;
}

}  // namespace tb::tools
