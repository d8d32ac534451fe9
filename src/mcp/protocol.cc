#include "mcp/protocol.h"

#include <utility>

namespace tb::mcp {

namespace {
constexpr std::array<std::pair<Revision, std::string_view>, 5> kRevisions = {{
    {Revision::k2024_11_05, "2024-11-05"},
    {Revision::k2025_03_26, "2025-03-26"},
    {Revision::k2025_06_18, "2025-06-18"},
    {Revision::k2025_11_25, "2025-11-25"},
    {Revision::k2026_07_28, "2026-07-28"},
}};
constexpr std::array<std::string_view, 8> kLevels = {"debug", "info",     "notice", "warning",
                                                     "error", "critical", "alert",  "emergency"};
}  // namespace

std::string_view revision_name(Revision revision) {
    return kRevisions.at(static_cast<std::size_t>(revision)).second;
}

std::optional<Revision> parse_revision(std::string_view name) {
    for (const auto& [revision, text] : kRevisions) {
        if (text == name) {
            return revision;
        }
    }
    return std::nullopt;
}

std::string_view logging_level_name(LoggingLevel level) {
    return kLevels.at(static_cast<std::size_t>(level));
}

std::optional<LoggingLevel> parse_logging_level(std::string_view name) {
    for (std::size_t i = 0; i < kLevels.size(); ++i) {
        if (kLevels.at(i) == name) {
            return static_cast<LoggingLevel>(i);
        }
    }
    return std::nullopt;
}

}  // namespace tb::mcp
