// How backtests come about that end up as trade logs here: the options of the backtester, by topic,
// in our own words (01 §6.7).
//
// Thread-safe: constant data.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tb::tools {

struct GuideTopic {
    std::string_view name;     // exit_conditions
    std::string_view title;    // Exit Conditions
    std::string_view content;  // Markdown; sections start with "## "
};

[[nodiscard]] std::span<const GuideTopic> guide_topics();

// The sections that hold the words (upper or lower case); the whole text if none does.
[[nodiscard]] std::string sections_about(std::string_view content, std::string_view words);

// All topics as one document.
[[nodiscard]] std::string guide_document();

}  // namespace tb::tools
