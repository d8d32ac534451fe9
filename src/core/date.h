// Civil dates and times of day, as written in trading exports: no time zone, no clock.
//
// A Date is a count of days since 1970-01-01 in the proleptic Gregorian calendar (the same count
// as DuckDB's DATE). A TimeOfDay is seconds since midnight, exchange time (New York). Instants are
// core/clock.h's Timestamp; a civil date never passes through a time zone.
//
// Thread-compatible; all functions are pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tb {

struct YearMonthDay {
    std::int32_t year = 1970;
    std::int32_t month = 1;  // 1..12
    std::int32_t day = 1;    // 1..31
    auto operator<=>(const YearMonthDay&) const = default;
};

struct IsoWeek {
    std::int32_t year = 1970;  // ISO year, which differs from the calendar year around New Year
    std::int32_t week = 1;     // 1..53
    auto operator<=>(const IsoWeek&) const = default;
};

class Date {
  public:
    constexpr Date() = default;
    constexpr explicit Date(std::int32_t days_since_epoch) : days_(days_since_epoch) {}

    // nullopt unless the day exists in the calendar.
    [[nodiscard]] static std::optional<Date> from_ymd(std::int32_t year, std::int32_t month,
                                                      std::int32_t day);
    // Exactly `YYYY-MM-DD`; anything else is nullopt. Forms of trading exports: csv/cell.h.
    [[nodiscard]] static std::optional<Date> from_iso(std::string_view text);

    [[nodiscard]] constexpr std::int32_t days() const { return days_; }
    [[nodiscard]] YearMonthDay ymd() const;
    // 0 = Monday .. 6 = Sunday.
    [[nodiscard]] constexpr std::int32_t weekday() const {
        return static_cast<std::int32_t>(((static_cast<std::int64_t>(days_) + 3) % 7 + 7) % 7);
    }
    [[nodiscard]] IsoWeek iso_week() const;
    [[nodiscard]] std::string to_iso() const;

    [[nodiscard]] constexpr Date plus_days(std::int32_t n) const { return Date(days_ + n); }
    [[nodiscard]] constexpr std::int32_t operator-(Date other) const { return days_ - other.days_; }
    auto operator<=>(const Date&) const = default;

  private:
    std::int32_t days_ = 0;
};

class TimeOfDay {
  public:
    constexpr TimeOfDay() = default;
    constexpr explicit TimeOfDay(std::int32_t seconds) : seconds_(seconds) {}
    // Exactly `HH:MM:SS`.
    [[nodiscard]] static std::optional<TimeOfDay> from_iso(std::string_view text);
    [[nodiscard]] constexpr std::int32_t seconds() const { return seconds_; }
    [[nodiscard]] constexpr std::int32_t minutes() const { return seconds_ / 60; }
    [[nodiscard]] std::string to_iso() const;
    auto operator<=>(const TimeOfDay&) const = default;

  private:
    std::int32_t seconds_ = 0;
};

}  // namespace tb
