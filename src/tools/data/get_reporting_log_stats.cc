// get_reporting_log_stats: what was really traded, by strategy (01 §6.3).
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/render.h"
#include "tools/arguments.h"
#include "tools/data/tools.h"
#include "tools/json.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Json;

constexpr std::size_t kBesideStrategies = 8'000;  // totals and the state of the sync
constexpr const char* kBeyondRange =
    "sums that are null are beyond the range of numbers: look at the amounts in the file";

std::vector<mcp::Field> result_fields() {
    std::vector<mcp::Field> fields = {
        field::text("blockId", "The block"),
        field::boolean("hasReportingLog", "It has one; all else is empty if not"),
        field::integer("totalTrades", "Fills"),
        field::integer("invalidTrades", "Rows of the file left out (get_data_issues)"),
        field::number("totalPL", "As in the file").unit("USD").nullable(),
        field::object("dateRange",
                      {field::date("start", "First day").nullable(),
                       field::date("end", "Last day").nullable()},
                      "Days opened"),
        field::integer("strategyCount", "Strategies"),
        field::list("strategies", field::text_schema(), "Sorted"),
        field::map_of(
            "byStrategy",
            field::object_schema({field::integer("tradeCount", "Fills"),
                                  field::number("winRate", "Share with P/L above 0, 0 to 1"),
                                  field::number("totalPL", "Sum").unit("USD").nullable(),
                                  field::number("avgPL", "Per fill").unit("USD").nullable(),
                                  field::number("contractCount", "Contracts").nullable()}),
            "By name"),
        field::integer("strategiesOmitted",
                       "Left out of strategies and byStrategy for size: use run_sql"),
        field::text("calculatedAt", "RFC 3339"),
        field::boolean("stale", "The file has changed but cannot be read now"),
    };
    for (mcp::Field& sync : block_sync_fields()) {
        fields.push_back(std::move(sync));
    }
    return fields;
}

struct Group {
    std::int64_t trades = 0;
    std::int64_t winners = 0;
    double pl = 0;
    double contracts = 0;
};

std::map<std::string, Group> groups_of(const analytics::ReportingSet& set) {
    std::map<std::string, Group> groups;
    for (const analytics::ReportingTrade& trade : set.trades) {
        Group& group = groups[set.strategies[trade.strategy]];
        ++group.trades;
        group.winners += trade.pl > 0 ? 1 : 0;
        group.pl += trade.pl;
        group.contracts += trade.contracts;
    }
    return groups;
}

Json group_json(const Group& group) {
    const auto trades = static_cast<double>(group.trades);
    return {{"tradeCount", group.trades},
            {"winRate", static_cast<double>(group.winners) / trades},
            {"totalPL", number_json(group.pl)},
            {"avgPL", number_json(group.pl / trades)},
            {"contractCount", number_json(group.contracts)}};
}

Result<std::int64_t> invalid_rows(App& app, std::string_view block_id, const CancelToken& cancel) {
    TB_TRY(db::Connection connection, app.reader(cancel));
    TB_TRY(db::Rows rows,
           connection.query("SELECT coalesce(sum(rows_skipped), 0)::BIGINT FROM trades._sync_files "
                            "WHERE block_id = $1 AND role = 'reportinglog'",
                            block_id));
    TB_TRY([[maybe_unused]] const bool more, rows.next());
    return rows.get<std::int64_t>(0);
}

Json log_json(const BlockData& block) {
    const analytics::ReportingSet& set = block.reporting;
    std::optional<Date> first;
    std::optional<Date> last;
    double pl = 0;
    for (const analytics::ReportingTrade& trade : set.trades) {
        first = std::min(first.value_or(trade.date_opened), trade.date_opened);
        last = std::max(last.value_or(trade.date_opened), trade.date_opened);
        pl += trade.pl;
    }
    Json names = Json::array();
    Json by_strategy = Json::object();
    for (const auto& [name, group] : groups_of(set)) {
        names.push_back(name);
        // Names are unique: looking for each of thousands first would take their square.
        by_strategy.get_ref<Json::object_t&>().emplace_back(name, group_json(group));
    }
    return {{"blockId", block.block_id},
            {"hasReportingLog", block.has_reporting_log()},
            {"totalTrades", set.trades.size()},
            {"invalidTrades", 0},
            {"totalPL", number_json(pl)},
            {"dateRange", {{"start", date_json(first)}, {"end", date_json(last)}}},
            {"strategyCount", names.size()},
            {"strategies", std::move(names)},
            {"byStrategy", std::move(by_strategy)}};
}

// Drops strategies from the end until the rest fits; how many are gone.
std::size_t fit_strategies(Json& log, std::size_t budget) {
    Json& by_strategy = log["byStrategy"];
    if (budget == 0) {
        return 0;
    }
    const std::size_t room = budget - std::min(budget / 2, kBesideStrategies);
    std::size_t used = 0;
    Json kept = Json::object();
    for (const auto& [name, group] : by_strategy.items()) {
        used += mcp::to_json_text(group).size() + 2 * name.size() + 12;  // in both lists
        if (used > room && !kept.empty()) {
            break;
        }
        kept.get_ref<Json::object_t&>().emplace_back(name, group);
    }
    const std::size_t omitted = by_strategy.size() - kept.size();
    by_strategy = std::move(kept);
    Json& names = log["strategies"];
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(by_strategy.size()), names.end());
    return omitted;
}

double number_of(const Json& value) {
    return value.is_null() ? std::nan("") : value.get<double>();
}

std::string log_text(const Json& log) {
    if (!log["hasReportingLog"].get<bool>()) {
        return fmt::format(
            "Block '{}' has no reporting log (live fills). Put one into its folder "
            "as reportinglog.csv.\n",
            mcp::cell_text(log["blockId"].get<std::string>()));
    }
    const auto day = [&](const char* which) {
        const Json& date = log["dateRange"][which];
        return date.is_null() ? std::string("-") : date.get<std::string>();
    };
    std::string text =
        fmt::format("{} fills, {} to {}, P/L {} as in the file, {} rows left out as unusable\n",
                    mcp::count_text(log["totalTrades"].get<std::int64_t>()), day("start"),
                    day("end"), mcp::money_text(number_of(log["totalPL"])),
                    mcp::count_text(log["invalidTrades"].get<std::int64_t>()));
    mcp::MarkdownTable table({"Strategy", "Fills", "Win rate", "P/L", "Average P/L", "Contracts"});
    for (const auto& [name, group] : log["byStrategy"].items()) {
        table.add_row({name, mcp::count_text(group["tradeCount"].get<std::int64_t>()),
                       mcp::percent_text(100 * group["winRate"].get<double>()),
                       mcp::money_text(number_of(group["totalPL"])),
                       mcp::money_text(number_of(group["avgPL"])),
                       mcp::number_text(number_of(group["contractCount"]))});
    }
    text += table.text("");
    if (const auto omitted = log["strategiesOmitted"].get<std::int64_t>(); omitted > 0) {
        text += fmt::format("({} more strategies; run_sql on trades.reporting_data has them)\n",
                            mcp::count_text(omitted));
    }
    return text;
}

mcp::Outcome<mcp::ToolResult> get_reporting_log_stats(App& app, mcp::ToolContext& context,
                                                      const Json& arguments) {
    TB_TRY_TOOL(const FreshBlock fresh,
                app.fresh_block(*text_argument(arguments, "blockId"), context.token()));
    Json log = log_json(*fresh.data);
    TB_TRY_TOOL(log["invalidTrades"], invalid_rows(app, fresh.data->block_id, context.token()));
    log["strategiesOmitted"] = fit_strategies(log, context.budget_chars());
    log["calculatedAt"] = app.clock().now().to_rfc3339();
    log["stale"] = fresh.sync.error.has_value();
    std::string text = sync_trouble_text(fresh.sync) + log_text(log);
    add_block_sync(log, fresh.sync);
    const bool missing = std::any_of(log["byStrategy"].begin(), log["byStrategy"].end(),
                                     [](const Json& group) { return group["totalPL"].is_null(); });
    if (log["totalPL"].is_null() || missing) {
        text += std::string("Note: ") + kBeyondRange + "\n";
        log["warnings"].push_back(kBeyondRange);
    }
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(log)};
}

}  // namespace

mcp::ToolSpec get_reporting_log_stats_tool(App& app) {
    return {.name = "get_reporting_log_stats",
            .title = "Live fills of a block",
            .description =
                "Totals of a block's reporting log (what was really traded), overall and by "
                "strategy. To hold it against the backtest use compare_backtest_to_actual.",
            .toolset = "core",
            .annotations = mcp::Annotations::reads(),
            .scope = "blocks:read",
            .arguments = {block_argument()},
            .results = result_fields(),
            .handler = [&app](mcp::ToolContext& context, const Json& arguments) {
                return get_reporting_log_stats(app, context, arguments);
            }};
}

}  // namespace tb::tools
