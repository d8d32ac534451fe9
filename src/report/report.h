// The printable report of a block: one HTML page with everything inside it.
//
// The figures are those of the tools get_statistics, get_performance_charts,
// get_strategy_comparison and run_monte_carlo, called through the registry, so that the page cannot
// say anything else than an assistant or `tradeblocks stats` does. What a tool cannot tell (too few
// trades for a simulation, say) is a sentence in its place, not a missing section.
//
// The page needs no network: style, chart library (uPlot) and data are inlined, and its content
// security policy allows nothing but that one script. Everything that came from a file is escaped.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/date.h"
#include "mcp/content.h"
#include "mcp/context.h"
#include "mcp/tool.h"

namespace tb::report {

// Stands in the head of every page, so that a later run knows it for one of ours.
inline constexpr std::string_view kPageMark =
    "<meta name=\"generator\" content=\"tradeblocks report\">";

struct ReportRequest {
    std::string block_id;
    std::optional<std::string> strategy;  // one strategy only, any case
    std::optional<std::string> from;      // realization days, YYYY-MM-DD, inclusive
    std::optional<std::string> to;
    bool reference = false;  // conventions "reference"
    // Fixed by default: the same data makes the same page.
    std::uint64_t seed = 1;
    std::int32_t simulations = 1000;
    std::optional<Date> made_on;  // printed in the footer
};

// The page. The error is that of get_statistics: no such block, no trades under these filters.
[[nodiscard]] mcp::Outcome<std::string> make_report(const mcp::ToolRegistry& registry,
                                                    mcp::ToolContext& context,
                                                    const ReportRequest& request);

}  // namespace tb::report
