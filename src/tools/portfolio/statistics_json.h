// The portfolio statistics (02 §2.5) as members of an answer; shared by the tools that show them.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/exposure.h"
#include "analytics/statistics.h"
#include "mcp/json_box.h"
#include "tools/portfolio/common.h"

namespace tb::tools {

// `stats` in the tool's order. A figure without a value is null (kCorrect, a note says why) or
// left out (kReference).
[[nodiscard]] mcp::Json statistics_json(const analytics::PortfolioStatistics& stats,
                                        Conventions conventions);
// `calculationMethodology`.
[[nodiscard]] mcp::Json methodology_json(const analytics::StatisticsResult& result,
                                         const analytics::RiskFreeRates& rates);
// {basis, worst: [...], afterEachTrade: {basis, worst}}: the deepest drawdowns, each with percent,
// dollars, peakDate, troughDate, recoveryDate (null: not yet), peakBalance and troughBalance.
[[nodiscard]] mcp::Json drawdowns_json(const analytics::DrawdownTable& by_day,
                                       const analytics::DrawdownTable& by_trade);
// "5.77% ($6,000.00) from 2024-01-05 to 2024-01-08, not recovered"; "none" for an empty table.
[[nodiscard]] std::string drawdown_text(const analytics::DrawdownTable& table);
// "daily log", "trades by day", "after each trade".
[[nodiscard]] std::string_view drawdown_basis_text(analytics::DrawdownBasis basis);
// {date, exposure, exposurePercent} or null; the day as an instant under kReference if `instant`.
[[nodiscard]] mcp::Json exposure_peak_json(const std::optional<analytics::ExposurePeak>& peak,
                                           Conventions conventions, bool instant);

// How each figure of `result` was computed; the figures are named `prefix` + name ("stats.").
[[nodiscard]] std::vector<Explanation> explain_statistics(const analytics::StatisticsResult& result,
                                                          std::string_view prefix);

// Two to four decimals for a ratio, "n/a" without a value.
[[nodiscard]] std::string figure_text(std::optional<double> value);
// "12.34 %", "n/a" without a value.
[[nodiscard]] std::string share_text(std::optional<double> percent);
[[nodiscard]] std::string dollars_text(std::optional<double> usd);

}  // namespace tb::tools
