// HTML of the report from the tools' answers; see report.h.
//
// Thread-safe.
#pragma once

#include <string>

#include "mcp/json_box.h"
#include "report/report.h"

namespace tb::report {

// Answers of the tools; null where a tool failed, and then the reason.
struct ReportData {
    mcp::JsonBox statistics;  // never null
    mcp::JsonBox issues;      // get_data_issues of the block
    mcp::JsonBox charts;
    mcp::JsonBox strategies;
    mcp::JsonBox live_fills;  // null without a reason: the block has no reporting log
    mcp::JsonBox monte_carlo;
    std::string issues_error;
    std::string charts_error;
    std::string strategies_error;
    std::string live_fills_error;
    std::string monte_carlo_error;
};

[[nodiscard]] std::string render_page(const ReportRequest& request, const ReportData& data);

}  // namespace tb::report
