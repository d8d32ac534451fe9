// Workflows a person starts from the client's menu (06 T17). Each gives the assistant its task, the
// tools in a sensible order, and the block's summary as an embedded resource.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/fit.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "tools/content.h"
#include "tools/data/block_json.h"

namespace tb::tools {

namespace {

using mcp::ContentItem;
using mcp::Json;
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
    Json block = block_info_json(*fresh);
    static_cast<void>(mcp::fit_object(block, mcp::kDefaultResultChars / 2));
    return PromptMessage{"user", ContentItem::embedded_text(block_uri(block_id), "application/json",
                                                            mcp::to_json_text(block))};
}

PromptMessage schema_message(const mcp::ToolContext& context, bool can_describe) {
    if (context.revision() < mcp::Revision::k2025_06_18) {
        return message(
            fmt::format("The resource tradeblocks://schema{} has the tables and example queries.",
                        can_describe ? " (also the tool describe_database)" : ""));
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

// One tool and what it is for in a prompt. Steps whose tools this server does not offer are left
// out, and a prompt without its first step is not offered at all.
struct Step {
    std::vector<std::string_view> tools;
    std::string_view text;
};

class Offer {
  public:
    explicit Offer(const mcp::ToolRegistry& registry) : registry_(registry) {}
    [[nodiscard]] bool has(const Step& step) const {
        return std::all_of(step.tools.begin(), step.tools.end(),
                           [&](std::string_view tool) { return registry_.find(tool) != nullptr; });
    }
    // "a, b, c" of the steps that can be gone.
    [[nodiscard]] std::string text(const std::vector<Step>& steps) const {
        std::string text;
        for (const Step& step : steps) {
            if (has(step)) {
                text.append(text.empty() ? "" : ", ").append(step.text);
            }
        }
        return text;
    }

  private:
    const mcp::ToolRegistry& registry_;
};

struct BlockTask {
    std::string name;
    std::string title;
    std::string description;
    std::string begin;
    std::vector<Step> steps;
    std::string end;
    std::vector<PromptArgument> further;
};

// A prompt about one block: the task, then the block.
PromptSpec about_block(App& app, const Offer& offer, BlockTask task) {
    PromptSpec spec;
    spec.name = std::move(task.name);
    spec.title = std::move(task.title);
    spec.description = std::move(task.description);
    spec.arguments = {block_argument(app, "blockId", "Block id")};
    for (PromptArgument& argument : task.further) {
        spec.arguments.push_back(std::move(argument));
    }
    std::string work = task.begin + ": " + offer.text(task.steps) + ". " + task.end;
    spec.task = [work = std::move(work)](const UriVariables& arguments) {
        std::string text = fmt::format("Block {}.{} {}", in_quotes(given(arguments, "blockId")),
                                       only_strategy(arguments), work);
        if (const std::string capital = given(arguments, "capital"); !capital.empty()) {
            text += fmt::format(" The account holds {} USD.", in_quotes(capital));
        }
        return text.append(" ").append(kHonesty);
    };
    spec.handler = [&app, summary = spec.description, text = spec.task](
                       mcp::ToolContext& context,
                       const UriVariables& arguments) -> mcp::Outcome<PromptResult> {
        TB_TRY_TOOL(PromptMessage block, block_message(app, context, given(arguments, "blockId")));
        return PromptResult{summary, {message(text(arguments)), std::move(block)}};
    };
    return spec;
}

const std::vector<Step>& comparison_steps() {
    static const std::vector<Step> steps = {
        {{"compare_blocks"}, "compare_blocks for the figures side by side"},
        {{"block_diff"}, "block_diff for what the strategies have in common"},
        {{"get_correlation_matrix"}, "get_correlation_matrix where both hold several strategies"}};
    return steps;
}

PromptSpec compare_blocks_prompt(App& app, const Offer& offer) {
    PromptSpec spec;
    spec.name = "compare_blocks";
    spec.title = "Compare two blocks";
    spec.description = "Which of two blocks is better, and by what measure";
    spec.arguments = {block_argument(app, "blockIdA", "First block id"),
                      block_argument(app, "blockIdB", "Second block id")};
    spec.task = [steps = offer.text(comparison_steps())](const UriVariables& arguments) {
        std::string text = fmt::format(
            "Compare blocks {} and {}. Call {}. Mind that their periods may differ: compare the "
            "common period too. Conclude with return against drawdown, how sure one can be with so "
            "many trades, and whether they belong together in one portfolio.",
            in_quotes(given(arguments, "blockIdA")), in_quotes(given(arguments, "blockIdB")),
            steps);
        return text.append(" ").append(kHonesty);
    };
    spec.handler = [&app, text = spec.task](
                       mcp::ToolContext& context,
                       const UriVariables& arguments) -> mcp::Outcome<PromptResult> {
        TB_TRY_TOOL(PromptMessage first, block_message(app, context, given(arguments, "blockIdA")));
        TB_TRY_TOOL(PromptMessage second,
                    block_message(app, context, given(arguments, "blockIdB")));
        return PromptResult{"Comparison of two blocks",
                            {message(text(arguments)), std::move(first), std::move(second)}};
    };
    return spec;
}

PromptSpec explore_with_sql_prompt(App& app, const Offer& offer) {
    PromptSpec spec;
    spec.name = "explore_with_sql";
    spec.title = "Answer a question with SQL";
    spec.description = "Explores trades and market data with queries";
    spec.arguments = {
        {"question", "Question", "What you want to know", true, {}},
        block_argument(app, "blockId", "Only this block", false),
    };
    const bool can_describe = offer.has({{"describe_database"}, ""});
    spec.task = [can_describe](const UriVariables& arguments) {
        std::string text = fmt::format(
            "Answer this question from the database: {}. Call {}run_sql with small, checked steps: "
            "look at a few rows, then aggregate. Use net_pl for profit "
            "after fees, and only market values that were known when the trade was opened (lag "
            "closing values by a day). Show the final query and say how many trades it rests on.",
            in_quotes(given(arguments, "question")),
            can_describe ? "describe_database first, then " : "");
        return text.append(" ").append(kHonesty);
    };
    spec.handler = [&app, can_describe, text = spec.task](
                       mcp::ToolContext& context,
                       const UriVariables& arguments) -> mcp::Outcome<PromptResult> {
        std::vector<PromptMessage> messages;
        messages.push_back(message(text(arguments)));
        messages.push_back(schema_message(context, can_describe));
        if (const std::string block_id = given(arguments, "blockId"); !block_id.empty()) {
            TB_TRY_TOOL(PromptMessage block, block_message(app, context, block_id));
            messages.push_back(std::move(block));
        }
        return PromptResult{"Exploration with SQL", std::move(messages)};
    };
    return spec;
}

}  // namespace

std::vector<PromptSpec> prompts(App& app, const mcp::ToolRegistry& registry) {
    const Offer offer(registry);
    std::vector<BlockTask> tasks;
    tasks.push_back(
        {"review_block",
         "Review a block",
         "A full review of one block",
         "Review it",
         {{{"get_statistics"}, "get_statistics for the whole"},
          {{"get_strategy_comparison"}, "get_strategy_comparison for its strategies"},
          {{"get_period_returns"}, "get_period_returns for good and bad months"},
          {{"get_performance_charts"},
           "get_performance_charts for the shape of equity and drawdown"},
          {{"get_data_issues"}, "get_data_issues for rows that were left out"}},
         "Conclude with strengths, weaknesses, what depends on a few trades, and open questions.",
         {strategy_argument(app)}});
    tasks.push_back(
        {"size_portfolio",
         "Size positions",
         "How large positions should be",
         "Advise on position sizes",
         {{{"get_position_sizing"}, "get_position_sizing for Kelly figures"},
          {{"run_monte_carlo"},
           "run_monte_carlo for the drawdowns to expect at that size (give percentiles and the "
           "seed)"},
          {{"get_tail_risk"}, "get_tail_risk for joint losses"}},
         "Prefer a fraction of Kelly and say what would have to be true for more.",
         {strategy_argument(app), {"capital", "Account", "Account value in USD", false, {}}}});
    tasks.push_back(
        {"explain_drawdown",
         "Explain the drawdown",
         "What caused the deepest drawdown",
         "Explain its deepest drawdown",
         {{{"get_performance_charts"},
           "get_performance_charts for when it began, reached bottom and recovered"},
          {{"get_trades"},
           "get_trades (dates of that period, sortBy pl, sortOrder asc) for the trades that made "
           "it"},
          {{"get_strategy_comparison"}, "get_strategy_comparison for whose they were"},
          {{"run_sql"}, "run_sql with market.spx_daily for what the market did, if it is there"}},
         "Say what was bad luck and what was risk taken.",
         {strategy_argument(app)}});
    tasks.push_back(
        {"check_live_alignment",
         "Check live against backtest",
         "Whether live fills follow the backtest",
         "Check whether live trading follows the backtest",
         {{{"compare_backtest_to_actual"},
           "compare_backtest_to_actual for the differences trade by trade"},
          {{"get_reporting_log_stats"}, "get_reporting_log_stats for what was traded"},
          {{"get_data_issues"}, "get_data_issues for rows that were left out"}},
         "Tell slippage, missed trades and different sizes apart, and say how many matched trades "
         "the figures rest on.",
         {strategy_argument(app)}});
    std::vector<PromptSpec> offered;
    for (BlockTask& task : tasks) {
        if (offer.has(task.steps.front())) {
            offered.push_back(about_block(app, offer, std::move(task)));
        }
    }
    if (offer.has(comparison_steps().front())) {
        offered.insert(offered.begin() + std::min<std::ptrdiff_t>(1, std::ssize(offered)),
                       compare_blocks_prompt(app, offer));
    }
    if (offer.has({{"run_sql"}, ""})) {
        offered.push_back(explore_with_sql_prompt(app, offer));
    }
    return offered;
}

}  // namespace tb::tools
