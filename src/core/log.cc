#include "core/log.h"

#include <atomic>
#include <string>

#include <unistd.h>

#include "core/clock.h"

namespace tb {

namespace {
std::atomic<LogLevel> minimum{LogLevel::kWarning};

std::string_view name_of(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug:
            return "debug";
        case LogLevel::kInfo:
            return "info";
        case LogLevel::kWarning:
            return "warning";
        case LogLevel::kError:
        case LogLevel::kOff:
            return "error";
    }
    return "error";
}
}  // namespace

void set_log_level(LogLevel level) {
    minimum.store(level);
}

LogLevel log_level() {
    return minimum.load();
}

void log(LogLevel level, std::string_view message) {
    if (level < minimum.load() || level == LogLevel::kOff) {
        return;
    }
    std::string line = system_clock().now().to_rfc3339();
    line.append(" ").append(name_of(level)).append(" ").append(message).append("\n");
    // One write per line keeps lines of several threads whole.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace tb
