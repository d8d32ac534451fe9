// Log lines for the operator, to stderr only: stdout belongs to the protocol or to the command's
// own answer. No data values and no paths outside the data root.
//
// Thread-safe.
#pragma once

#include <string_view>

namespace tb {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

// Lines below this level are dropped. Default kWarning; TRADEBLOCKS_LOG is read by main.
void set_log_level(LogLevel level);
[[nodiscard]] LogLevel log_level();
void log(LogLevel level, std::string_view message);

}  // namespace tb
