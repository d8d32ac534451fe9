// Instants and the clock they come from. The clock is passed in, so that tests own time.
//
// Thread-safe (SystemClock).
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace tb {

// Microseconds since 1970-01-01T00:00:00Z (DuckDB's TIMESTAMP of the same instant in UTC).
struct Timestamp {
    std::int64_t micros = 0;
    // RFC 3339 in UTC with milliseconds: `2026-11-22T13:08:26.123Z`.
    [[nodiscard]] std::string to_rfc3339() const;
    auto operator<=>(const Timestamp&) const = default;
};

class Clock {
  public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;
    [[nodiscard]] virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const override;
};

// The process-wide system clock.
[[nodiscard]] const Clock& system_clock();

}  // namespace tb
