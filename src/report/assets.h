// Files inlined into the page, compiled in by cmake/TbReportAssets.cmake.
#pragma once

#include <string_view>

namespace tb::report {

[[nodiscard]] std::string_view chart_library_script();  // uPlot, minified
[[nodiscard]] std::string_view chart_library_style();
[[nodiscard]] std::string_view chart_library_licence();
[[nodiscard]] std::string_view page_script();  // assets/report.js
[[nodiscard]] std::string_view page_style();   // assets/report.css

}  // namespace tb::report
