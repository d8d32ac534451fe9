#include "core/clock.h"

#include <chrono>

#include <fmt/format.h>

#include "core/date.h"

namespace tb {

std::string Timestamp::to_rfc3339() const {
    constexpr std::int64_t kDay = 86'400'000'000;
    std::int64_t day = micros / kDay;
    std::int64_t rest = micros % kDay;
    if (rest < 0) {
        rest += kDay;
        --day;
    }
    return fmt::format("{}T{}.{:03}Z", Date(static_cast<std::int32_t>(day)).to_iso(),
                       TimeOfDay(static_cast<std::int32_t>(rest / 1'000'000)).to_iso(),
                       rest / 1000 % 1000);
}

Timestamp SystemClock::now() const {
    return {std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
}

const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
}

}  // namespace tb
