// The sections of the page, each from the answers of the tools. A section whose tool failed says
// why; one that has nothing to say is empty.
//
// Thread-safe.
#pragma once

#include <string>

#include "report/page.h"

namespace tb::report {

// What a reader must know before the figures: skipped and repaired rows of the files, logs that are
// not used, assumptions, files that are not up to date. Each sentence once.
[[nodiscard]] std::string attention(const ReportData& data);
[[nodiscard]] std::string key_figures(const ReportData& data);
// Equity and drawdown over time, the worst drawdowns as a table.
[[nodiscard]] std::string account(const ReportData& data);
// Net P/L of each month, in percent of the account and in dollars.
[[nodiscard]] std::string months(const ReportData& data);
// Distribution, rolling figures, weekdays, reasons for closing.
[[nodiscard]] std::string trades(const ReportData& data);
[[nodiscard]] std::string strategies(const ReportData& data);
// Live fills against the backtest; empty for a block without a reporting log.
[[nodiscard]] std::string live_fills(const ReportData& data);
[[nodiscard]] std::string simulation(const ReportRequest& request, const ReportData& data);
// Why figures have no value.
[[nodiscard]] std::string remarks(const ReportData& data);

// The columns the charts draw, by chart.
[[nodiscard]] mcp::JsonBox chart_data(const ReportData& data);

}  // namespace tb::report
