// What the five risk tools share: which trades they look at, the rates behind their Sharpe ratios
// and how long lists are shortened.
//
// Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/correlation_series.h"
#include "analytics/filters.h"
#include "analytics/parallel.h"
#include "analytics/rates.h"
#include "mcp/content.h"
#include "mcp/context.h"
#include "mcp/schema.h"
#include "tools/app.h"
#include "tools/portfolio/common.h"

namespace tb::tools {

struct RiskSelection {
    FreshBlock fresh;
    Conventions conventions = Conventions::kCorrect;
    analytics::TradeFilter filter;  // as asked for
    analytics::TradeSet trades;     // what passed
};

// The block of `blockId` and its trades by the arguments `strategy`, `names` (the name of the
// argument that lists strategies; may be empty), `tickerFilter`, `dateRangeFrom` and
// `dateRangeTo`, as far as the tool has them. kCorrect: dates are realization days (02 I-4), names
// the block does not have are an error, and so is a selection without trades. kReference: dates
// are opening days, everything else is silently empty.
[[nodiscard]] mcp::Outcome<RiskSelection> select_trades(App& app, mcp::ToolContext& context,
                                                        const mcp::Json& arguments,
                                                        std::string_view names);

// For what holds every strategy against every other: work and answer grow with the square of their
// number. The error when the selection has more of them.
inline constexpr std::size_t kMostPairedStrategies = 500;
[[nodiscard]] std::optional<mcp::ToolError> too_many_to_pair(const RiskSelection& selection);

// The start capital get_statistics measures the selection from (start_capital of common.h). nullopt
// when neither the trades nor a daily log that matches them state one. Only kCorrect does this.
[[nodiscard]] std::optional<double> account_start_capital(const RiskSelection& selection);

// "date_realized" or "date_opened": the day that dateRangeFrom and dateRangeTo are compared with.
[[nodiscard]] std::string_view date_filter_name(Conventions conventions);

// Runs on all processors, stops with the call, reports its progress.
[[nodiscard]] analytics::RunContext run_context(mcp::ToolContext& context);

// `dateRangeFrom` and `dateRangeTo`.
[[nodiscard]] std::vector<mcp::Field> date_bound_arguments();
// `normalization` and `dateBasis` with the reference's defaults.
[[nodiscard]] mcp::Field normalization_argument(std::string name = "normalization");
[[nodiscard]] mcp::Field date_basis_argument(std::string name = "dateBasis");
[[nodiscard]] analytics::Normalization normalization_of(const mcp::Json& arguments,
                                                        std::string_view name = "normalization");
[[nodiscard]] analytics::DateBasis date_basis_of(const mcp::Json& arguments,
                                                 std::string_view name = "dateBasis");

// Names of several arguments and their values (null when left out), in this order.
[[nodiscard]] mcp::Json echo_all(const mcp::Json& arguments,
                                 const std::vector<std::string_view>& names);

// Which rate went in: {mode, annualRatePct} or {mode, series, dataThrough, rateIs}.
[[nodiscard]] mcp::Json rate_json(const analytics::RiskFreeRates& rates, Conventions conventions);

// Rows of numbers or null, as a result member.
[[nodiscard]] mcp::Field matrix_field(std::string name, std::string description);
[[nodiscard]] mcp::Json matrix_json(const std::vector<std::vector<std::optional<double>>>& matrix);

// A figure as it is; null when missing. Figures beyond the range of numbers become null in
// risk_result, which says so.
[[nodiscard]] mcp::Json figure_json(std::optional<double> value);

// An explanation with its inputs as JSON.
[[nodiscard]] Explanation explanation(std::string figure, std::string formula, mcp::Json inputs,
                                      std::size_t rows, std::string basis);

// The answer: `result` with the frame, numbers beyond the range of numbers replaced by null with a
// note each, and the named lists shortened (the first name first, whole entries from their end,
// at least one stays) until the object fits the budget. Of the list `curve` points are left out all
// along it instead, so that it still shows where it begins and ends. What was cut is said in
// result.shortened, in the warnings and in the text, which is cut at a line to the same budget.
[[nodiscard]] mcp::ToolResult risk_result(mcp::ToolContext& context, mcp::Json result,
                                          AnswerFrame frame, std::string text,
                                          const std::vector<std::string>& lists,
                                          std::string_view curve = {});

}  // namespace tb::tools
