// HTML of the report from the tools' answers; see report.h.
//
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "mcp/json_box.h"
#include "report/report.h"

namespace tb::report {

// Answers of the tools; null where a tool failed, and then the reason.
struct ReportData {
    mcp::JsonBox statistics;  // never null
    mcp::JsonBox charts;
    mcp::JsonBox strategies;
    mcp::JsonBox monte_carlo;
    std::string charts_error;
    std::string strategies_error;
    std::string monte_carlo_error;
};

[[nodiscard]] std::string render_page(const ReportRequest& request, const ReportData& data);

// Text for HTML content and quoted attributes: valid UTF-8 without control and bidirectional
// characters (mcp::visible_text), `& < > " '` as entities.
[[nodiscard]] std::string html_text(std::string_view text);
// JSON that may stand inside <script>: nothing in it can end the element or, in old engines, a
// line of script (`<`, `>`, `&`, U+2028 and U+2029 are written as \u escapes).
[[nodiscard]] std::string script_json(const mcp::Json& value);

}  // namespace tb::report
