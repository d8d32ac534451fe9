#include "core/check.h"

#include <cstdlib>
#include <string>

#include <unistd.h>

namespace tb {

void check_failed(const char* condition, const char* why, const char* file, int line) {
    const std::string text = std::string(file) + ":" + std::to_string(line) +
                             ": invariant broken: " + why + " (" + condition + ")\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    std::abort();
}

}  // namespace tb
