// Names and numbers of the Model Context Protocol: revisions, the two eras, error codes, keys.
//
// "Modern" is revision 2026-07-28: no handshake, every request carries its version and the client's
// capabilities in params._meta. "Legacy" is everything before: initialize first, state per
// connection. One server answers both; which one applies is decided per message (06 P4).
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace tb::mcp {

enum class Era { kLegacy, kModern };

// In order of age, so that `revision >= Revision::k2025_06_18` asks for a feature.
enum class Revision { k2024_11_05, k2025_03_26, k2025_06_18, k2025_11_25, k2026_07_28 };

inline constexpr Revision kNewestLegacy = Revision::k2025_11_25;
inline constexpr Revision kModern = Revision::k2026_07_28;
// Revisions answered per request, newest first: server/discover and -32022 hold the same list.
// Legacy revisions are not in it: they are agreed by initialize, never in _meta.
inline constexpr std::array kModernRevisions = {kModern};

[[nodiscard]] std::string_view revision_name(Revision revision);  // "2026-07-28"
[[nodiscard]] std::optional<Revision> parse_revision(std::string_view name);
[[nodiscard]] constexpr Era era_of(Revision revision) {
    return revision >= Revision::k2026_07_28 ? Era::kModern : Era::kLegacy;
}

// JSON-RPC error codes (06 P7). No other code in -32000…-32099 is ever sent.
namespace code {
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kHeaderMismatch = -32020;
inline constexpr int kMissingCapability = -32021;       // data.requiredCapabilities: an object
inline constexpr int kUnsupportedVersion = -32022;      // data.supported, data.requested
inline constexpr int kLegacyResourceNotFound = -32002;  // legacy only; modern uses kInvalidParams
}  // namespace code

namespace meta {
inline constexpr std::string_view kProtocolVersion = "io.modelcontextprotocol/protocolVersion";
inline constexpr std::string_view kClientCapabilities =
    "io.modelcontextprotocol/clientCapabilities";
inline constexpr std::string_view kClientInfo = "io.modelcontextprotocol/clientInfo";
inline constexpr std::string_view kServerInfo = "io.modelcontextprotocol/serverInfo";
inline constexpr std::string_view kLogLevel = "io.modelcontextprotocol/logLevel";
inline constexpr std::string_view kSubscriptionId = "io.modelcontextprotocol/subscriptionId";
inline constexpr std::string_view kMaxResultChars = "anthropic/maxResultSizeChars";
}  // namespace meta

// Severity of a log message sent to the client (RFC 5424 names).
enum class LoggingLevel { kDebug, kInfo, kNotice, kWarning, kError, kCritical, kAlert, kEmergency };
[[nodiscard]] std::string_view logging_level_name(LoggingLevel level);
[[nodiscard]] std::optional<LoggingLevel> parse_logging_level(std::string_view name);

}  // namespace tb::mcp
