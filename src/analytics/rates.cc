#include "analytics/rates.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "analytics/calendar.h"
#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

// Arithmetic means of the daily DTB3 values of each month, percent, January 2013 to July 2026 (the
// last one of a part of the month), as published by the US Treasury through FRED.
constexpr std::int32_t kFirstYear = 2013;
// clang-format off
constexpr std::array kMonthlyAverages = {
    0.07, 0.10, 0.09, 0.06, 0.04, 0.05, 0.04, 0.04, 0.02, 0.05, 0.07, 0.07,  // 2013
    0.04, 0.05, 0.05, 0.03, 0.03, 0.04, 0.03, 0.03, 0.02, 0.02, 0.02, 0.03,  // 2014
    0.03, 0.02, 0.03, 0.02, 0.02, 0.02, 0.03, 0.07, 0.02, 0.02, 0.12, 0.23,  // 2015
    0.26, 0.31, 0.29, 0.23, 0.27, 0.27, 0.30, 0.30, 0.29, 0.33, 0.45, 0.51,  // 2016
    0.51, 0.52, 0.74, 0.80, 0.89, 0.98, 1.07, 1.01, 1.03, 1.07, 1.23, 1.32,  // 2017
    1.41, 1.57, 1.70, 1.76, 1.86, 1.90, 1.96, 2.03, 2.13, 2.25, 2.33, 2.37,  // 2018
    2.37, 2.39, 2.40, 2.38, 2.35, 2.17, 2.10, 1.95, 1.89, 1.65, 1.54, 1.54,  // 2019
    1.52, 1.52, 0.29, 0.14, 0.13, 0.16, 0.13, 0.10, 0.11, 0.10, 0.09, 0.09,  // 2020
    0.08, 0.04, 0.03, 0.02, 0.02, 0.04, 0.05, 0.05, 0.04, 0.05, 0.05, 0.06,  // 2021
    0.15, 0.33, 0.44, 0.76, 0.98, 1.49, 2.23, 2.63, 3.13, 3.72, 4.15, 4.25,  // 2022
    4.54, 4.65, 4.69, 4.92, 5.14, 5.16, 5.25, 5.30, 5.32, 5.34, 5.27, 5.24,  // 2023
    5.22, 5.24, 5.24, 5.24, 5.25, 5.24, 5.20, 5.05, 4.72, 4.51, 4.42, 4.27,  // 2024
    4.21, 4.22, 4.20, 4.21, 4.25, 4.23, 4.25, 4.12, 3.92, 3.82, 3.78, 3.59,  // 2025
    3.57, 3.60, 3.61, 3.61, 3.60, 3.66, 3.72,  // 2026
};
// clang-format on

std::int32_t month_index(Date day) {
    const YearMonthDay ymd = day.ymd();
    return (ymd.year - kFirstYear) * 12 + ymd.month - 1;
}

ResolvedRate resolve_monthly(Date day) {
    const std::int32_t last = static_cast<std::int32_t>(kMonthlyAverages.size()) - 1;
    const std::int32_t index = month_index(day);
    if (index < 0) {
        return {kMonthlyAverages.front(), RateResolution::kClampedEarliest};
    }
    if (index > last) {
        return {kMonthlyAverages.back(), RateResolution::kStaleAfterLatest};
    }
    return {kMonthlyAverages[static_cast<std::size_t>(index)], RateResolution::kExact};
}

// Entries that count: all for the reference, weekdays only for us. Steps back over ignored ones.
ResolvedRate resolve_daily(const std::vector<RateEntry>& entries, Date day, bool weekdays_only) {
    const auto usable = [&](const RateEntry& e) { return !weekdays_only || is_weekday(e.date); };
    const auto after = std::upper_bound(entries.begin(), entries.end(), day,
                                        [](Date d, const RateEntry& e) { return d < e.date; });
    auto at = after;
    while (at != entries.begin()) {
        --at;
        if (!usable(*at)) {
            continue;
        }
        if (at->date == day) {
            return {at->rate_percent, RateResolution::kExact};
        }
        const bool later_exists = std::any_of(after, entries.end(), usable);
        return {at->rate_percent,
                later_exists ? RateResolution::kPrior : RateResolution::kStaleAfterLatest};
    }
    const auto first = std::find_if(entries.begin(), entries.end(), usable);
    return {first == entries.end() ? entries.front().rate_percent : first->rate_percent,
            RateResolution::kClampedEarliest};
}

bool valid_rate(double pct) {
    return pct > -100 && pct <= 100;
}

}  // namespace

Result<RateSeries> make_rate_series(std::vector<RateEntry> entries, std::string name) {
    if (entries.empty()) {
        return make_error(ErrorCode::kInvalidArgument, "the rate series has no rows", name);
    }
    std::sort(entries.begin(), entries.end(),
              [](const RateEntry& a, const RateEntry& b) { return a.date < b.date; });
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!valid_rate(entries[i].rate_percent)) {
            return make_error(ErrorCode::kInvalidArgument,
                              fmt::format("rate {} of {} is not above -100 and at most 100 percent",
                                          entries[i].rate_percent, entries[i].date.to_iso()),
                              name);
        }
        if (i > 0 && entries[i].date == entries[i - 1].date) {
            return make_error(ErrorCode::kInvalidArgument,
                              fmt::format("{} has two rates", entries[i].date.to_iso()), name);
        }
    }
    return RateSeries{std::move(entries), std::move(name)};
}

void ResolutionCounts::add(RateResolution resolution) {
    switch (resolution) {
        case RateResolution::kExact:
            ++exact;
            break;
        case RateResolution::kPrior:
            ++prior;
            break;
        case RateResolution::kClampedEarliest:
            ++clamped_earliest;
            break;
        case RateResolution::kStaleAfterLatest:
            ++stale_after_latest;
            break;
    }
}

Result<RiskFreeRates> RiskFreeRates::fixed(double annual_pct) {
    if (!valid_rate(annual_pct)) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("{} is not above -100 and at most 100 percent", annual_pct),
                          "riskFreeRateAnnualPct");
    }
    RiskFreeRates rates;
    rates.mode_ = RateMode::kFixed;
    rates.fixed_pct_ = annual_pct;
    return rates;
}

RiskFreeRates RiskFreeRates::daily(const RateSeries& series) {
    RiskFreeRates rates;
    if (!series.entries.empty()) {
        rates.mode_ = RateMode::kDailySeries;
        rates.series_ = &series;
    }
    return rates;
}

std::optional<double> RiskFreeRates::fixed_annual_pct() const {
    return mode_ == RateMode::kFixed ? std::optional(fixed_pct_) : std::nullopt;
}

std::string RiskFreeRates::series_name() const {
    switch (mode_) {
        case RateMode::kFixed:
            return {};
        case RateMode::kDailySeries:
            return series_->name;
        case RateMode::kMonthlyAverages:
            break;
    }
    return "FRED_DTB3_MONTHLY_AVERAGE";
}

std::optional<Date> RiskFreeRates::data_through() const {
    switch (mode_) {
        case RateMode::kFixed:
            return std::nullopt;
        case RateMode::kDailySeries:
            return series_->entries.back().date;
        case RateMode::kMonthlyAverages:
            break;
    }
    const auto months = static_cast<std::int32_t>(kMonthlyAverages.size());
    return Date::from_ymd(kFirstYear + months / 12, months % 12 + 1, 1)->plus_days(-1);
}

std::optional<Date> RiskFreeRates::data_from() const {
    switch (mode_) {
        case RateMode::kFixed:
            return std::nullopt;
        case RateMode::kDailySeries:
            return series_->entries.front().date;
        case RateMode::kMonthlyAverages:
            break;
    }
    return Date::from_ymd(kFirstYear, 1, 1);
}

ResolvedRate RiskFreeRates::resolve(Date day, Conventions conventions) const {
    if (mode_ == RateMode::kFixed) {
        return {fixed_pct_, RateResolution::kExact};
    }
    const bool correct = conventions == Conventions::kCorrect;
    ResolvedRate rate = mode_ == RateMode::kDailySeries
                            ? resolve_daily(series_->entries, day, correct)
                            : resolve_monthly(day);
    if (correct) {
        rate.annual_pct = bond_equivalent_yield_pct(rate.annual_pct);
    }
    return rate;
}

std::vector<std::string> clamped_rate_warnings(const ResolutionCounts& counts,
                                               const RiskFreeRates& rates, std::string_view what) {
    std::vector<std::string> warnings;
    if (counts.clamped_earliest > 0) {
        warnings.push_back(
            fmt::format("{} {} lie before the first risk-free rate ({}); that first rate was used",
                        counts.clamped_earliest, what, rates.data_from()->to_iso()));
    }
    if (counts.stale_after_latest > 0) {
        warnings.push_back(
            fmt::format("{} {} lie after the last risk-free rate ({}); that last rate was used",
                        counts.stale_after_latest, what, rates.data_through()->to_iso()));
    }
    return warnings;
}

double bond_equivalent_yield_pct(double discount_pct) {
    const double d = discount_pct / 100;
    return 100 * 365 * d / (360 - 91 * d);
}

std::optional<std::int64_t> rate_basis_points(double rate_percent) {
    const double points = std::round(rate_percent * 100);
    if (!std::isfinite(points) || std::fabs(points) > 1e15 ||
        round_fixed(rate_percent, 2) != rate_percent) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(points);
}

}  // namespace tb::analytics
