// Workflows a person starts from the client's menu (06 T17). Each gives the assistant its task, the
// tools in a sensible order, and the block's summary as an embedded resource.
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/render.h"
#include "tools/content.h"
#include "tools/data/block_json.h"

namespace tb::tools {

namespace {

using mcp::ContentItem;
using mcp::PromptArgument;
using mcp::PromptMessage;
using mcp::PromptResult;
using mcp::PromptSpec;
using mcp::UriVariables;

constexpr std::string_view kHonesty =
    "Use only figures that the tools give; do not add up rows yourself. Say which block and period "
    "each figure is about, and pass on everything that syncErrors or warnings say.";

std::string given(const UriVariables& arguments, const std::string& name) {
    const auto found = arguments.find(name);
    return found == arguments.end() ? std::string() : found->second;
}

// What a person typed stays on its line and cannot pass for our own words.
std::string in_quotes(std::string_view text) {
    return "\"" + mcp::cell_text(text) + "\"";
}

PromptMessage message(std::string text) {
    return {"user", ContentItem::text(std::move(text))};
}

mcp::Outcome<PromptMessage> block_message(App& app, mcp::ToolContext& context,
                                          const std::string& block_id) {
    const auto fresh = app.fresh_block(block_id, context.token());
    if (!fresh.has_value()) {
        const Error& error = fresh.error();
        if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kInvalidArgument) {
            return tl::unexpected<mcp::ToolError>(
                mcp::ToolError::protocol(mcp::code::kInvalidParams, error.to_string()));
        }
        return tl::unexpected<mcp::ToolError>(error);
    }
    return PromptMessage{"user",
                         ContentItem::embedded_text(block_uri(block_id), "application/json",
                                                    mcp::to_json_text(block_info_json(*fresh)))};
}

PromptMessage schema_message(const mcp::ToolContext& context) {
    if (context.revision() < mcp::Revision::k2025_06_18) {
        return message(
            "The resource tradeblocks://schema (also the tool describe_database) has the "
            "tables and example queries.");
    }
    return {"user",
            ContentItem::resource_link("tradeblocks://schema", "schema",
                                       "Tables, columns and example queries", "application/json")};
}

PromptArgument block_argument(App& app, std::string name, std::string description,
                              bool required = true) {
    return {std::move(name), "Block", std::move(description), required, block_completer(app)};
}

PromptArgument strategy_argument(App& app) {
    return {"strategy", "Strategy", "Only this strategy of the block", false,
            strategy_completer(app, "blockId")};
}

std::string only_strategy(const UriVariables& arguments) {
    const std::string strategy = given(arguments, "strategy");
    return strategy.empty() ? "" : fmt::format(" Look at strategy {} only.", in_quotes(strategy));
}

// A prompt about one block: the task, then the block.
PromptSpec about_block(App& app, std::string name, std::string title, std::string description,
                       std::string task, std::vector<PromptArgument> further) {
    PromptSpec spec;
    spec.name = std::move(name);
    spec.title = std::move(title);
    spec.description = std::move(description);
    spec.arguments = {block_argument(app, "blockId", "Block id")};
    for (PromptArgument& argument : further) {
        spec.arguments.push_back(std::move(argument));
    }
    spec.handler = [&app, summary = spec.description, task = std::move(task)](
                       mcp::ToolContext& context,
                       const UriVariables& arguments) -> mcp::Outcome<PromptResult> {
        const std::string block_id = given(arguments, "blockId");
        TB_TRY_TOOL(PromptMessage block, block_message(app, context, block_id));
        std::string text =
            fmt::format("Block {}.{} {}", in_quotes(block_id), only_strategy(arguments), task);
        if (const std::string capital = given(arguments, "capital"); !capital.empty()) {
            text += fmt::format(" The account holds {} USD.", in_quotes(capital));
        }
        text.append(" ").append(kHonesty);
        return PromptResult{summary, {message(std::move(text)), std::move(block)}};
    };
    return spec;
}

PromptSpec compare_blocks_prompt(App& app) {
    PromptSpec spec;
    spec.name = "compare_blocks";
    spec.title = "Compare two blocks";
    spec.description = "Which of two blocks is better, and by what measure";
    spec.arguments = {block_argument(app, "blockIdA", "First block id"),
                      block_argument(app, "blockIdB", "Second block id")};
    spec.handler = [&app](mcp::ToolContext& context,
                          const UriVariables& arguments) -> mcp::Outcome<PromptResult> {
        const std::string a = given(arguments, "blockIdA");
        const std::string b = given(arguments, "blockIdB");
        TB_TRY_TOOL(PromptMessage first, block_message(app, context, a));
        TB_TRY_TOOL(PromptMessage second, block_message(app, context, b));
        std::string text = fmt::format(
            "Compare blocks {} and {}. Call compare_blocks for the figures side by side, "
            "block_diff "
            "for what the strategies have in common, and get_correlation_matrix where both hold "
            "several strategies. Mind that their periods may differ: compare the common period "
            "too. "
            "Conclude with return against drawdown, how sure one can be with so many trades, and "
            "whether they belong together in one portfolio.",
            in_quotes(a), in_quotes(b));
        text.append(" ").append(kHonesty);
        return PromptResult{"Comparison of two blocks",
                            {message(std::move(text)), std::move(first), std::move(second)}};
    };
    return spec;
}

PromptSpec explore_with_sql_prompt(App& app) {
    PromptSpec spec;
    spec.name = "explore_with_sql";
    spec.title = "Answer a question with SQL";
    spec.description = "Explores trades and market data with queries";
    spec.arguments = {
        {"question", "Question", "What you want to know", true, {}},
        block_argument(app, "blockId", "Only this block", false),
    };
    spec.handler = [&app](mcp::ToolContext& context,
                          const UriVariables& arguments) -> mcp::Outcome<PromptResult> {
        std::string text = fmt::format(
            "Answer this question from the database: {}. Call describe_database first, then "
            "run_sql "
            "with small, checked steps: look at a few rows, then aggregate. Use net_pl for profit "
            "after fees, and only market values that were known when the trade was opened (lag "
            "closing values by a day). Show the final query and say how many trades it rests on.",
            in_quotes(given(arguments, "question")));
        text.append(" ").append(kHonesty);
        std::vector<PromptMessage> messages;
        messages.push_back(message(std::move(text)));
        messages.push_back(schema_message(context));
        if (const std::string block_id = given(arguments, "blockId"); !block_id.empty()) {
            TB_TRY_TOOL(PromptMessage block, block_message(app, context, block_id));
            messages.push_back(std::move(block));
        }
        return PromptResult{"Exploration with SQL", std::move(messages)};
    };
    return spec;
}

}  // namespace

std::vector<PromptSpec> prompts(App& app) {
    return {
        about_block(
            app, "review_block", "Review a block", "A full review of one block",
            "Review it: get_statistics for the whole and by strategy (get_strategy_comparison), "
            "get_period_returns for good and bad months, get_performance_charts for the shape of "
            "equity and drawdown, get_data_issues for rows that were left out. Conclude with "
            "strengths, weaknesses, what depends on a few trades, and open questions.",
            {strategy_argument(app)}),
        compare_blocks_prompt(app),
        about_block(
            app, "size_portfolio", "Size positions", "How large positions should be",
            "Advise on position sizes: get_position_sizing for Kelly figures, run_monte_carlo "
            "for the drawdowns to expect at that size (give percentiles and the seed), "
            "get_tail_risk for joint losses. Prefer a fraction of Kelly and say what would "
            "have to be true for more.",
            {strategy_argument(app), {"capital", "Account", "Account value in USD", false, {}}}),
        about_block(
            app, "explain_drawdown", "Explain the drawdown", "What caused the deepest drawdown",
            "Explain its deepest drawdown: get_performance_charts for when it began, reached "
            "bottom and recovered, get_trades (dates of that period, sortBy pl, sortOrder "
            "asc) for the trades that made it, get_strategy_comparison for whose they were, "
            "and run_sql with market.spx_daily for what the market did, if it is there.",
            {strategy_argument(app)}),
        about_block(
            app, "check_live_alignment", "Check live against backtest",
            "Whether live fills follow the backtest",
            "Check whether live trading follows the backtest: get_reporting_log_stats for "
            "what was traded, compare_backtest_to_actual for the differences trade by trade, "
            "get_data_issues for rows that were left out. Tell slippage, missed trades and "
            "different sizes apart, and say how many matched trades the figures rest on.",
            {strategy_argument(app)}),
        explore_with_sql_prompt(app),
    };
}

}  // namespace tb::tools
