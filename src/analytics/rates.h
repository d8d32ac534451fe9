// Risk-free rates: what a day's deduction in Sharpe and Sortino is.
//
// Three sources: a fixed annual rate given by the user; a daily series of the 3-month Treasury bill
// (DTB3, discount basis, percent a year), sorted in from the user's file; or, when there is none,
// the built-in monthly averages of that series (02 §3; Sharpe differs by less than 1e-4 from the
// daily series). Lookup: the day's own entry, else the nearest earlier one; before the first entry
// the first, after the last the last, which is counted as stale.
//
// kCorrect turns the discount rate into the bond-equivalent yield 365 d / (360 - 91 d) and ignores
// entries on Saturdays and Sundays, which the published series does not have (02 I-24). A fixed
// rate is taken as a yield as it stands. kReference uses the discount rate.
//
// Thread-safe: RiskFreeRates is immutable; it borrows the series, which must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/trade.h"
#include "core/result.h"

namespace tb::analytics {

struct RateEntry {
    Date date;
    double rate_percent = 0;  // annual, discount basis
};

// Ascending by date, no duplicate dates, finite rates in (-100, 100].
struct RateSeries {
    std::vector<RateEntry> entries;
    std::string name = "FRED_DTB3";
};

// Sorts and checks; kInvalidArgument names the first bad or doubled day. Empty input is an error.
[[nodiscard]] Result<RateSeries> make_rate_series(std::vector<RateEntry> entries,
                                                  std::string name = "FRED_DTB3");

enum class RateMode { kFixed, kDailySeries, kMonthlyAverages };
enum class RateResolution { kExact, kPrior, kClampedEarliest, kStaleAfterLatest };

struct ResolvedRate {
    double annual_pct = 0;  // what is deducted: yield (kCorrect) or discount rate (kReference)
    RateResolution resolution = RateResolution::kExact;
};

// How the days of one result were resolved. Under kMonthlyAverages a day inside a listed month
// counts as exact.
struct ResolutionCounts {
    std::int64_t exact = 0;
    std::int64_t prior = 0;
    std::int64_t clamped_earliest = 0;
    std::int64_t stale_after_latest = 0;
    void add(RateResolution resolution);
    bool operator==(const ResolutionCounts&) const = default;
};

class RiskFreeRates {
  public:
    // The built-in monthly averages.
    RiskFreeRates() = default;
    // kInvalidArgument unless -100 < annual_pct <= 100.
    [[nodiscard]] static Result<RiskFreeRates> fixed(double annual_pct);
    // `series` is borrowed; an empty one falls back to the monthly averages.
    [[nodiscard]] static RiskFreeRates daily(const RateSeries& series);

    [[nodiscard]] RateMode mode() const { return mode_; }
    [[nodiscard]] std::optional<double> fixed_annual_pct() const;
    // "FRED_DTB3", or "FRED_DTB3_MONTHLY_AVERAGE" for the built-in table; empty when fixed.
    [[nodiscard]] std::string series_name() const;
    // Last day covered; nullopt when fixed.
    [[nodiscard]] std::optional<Date> data_through() const;
    // First day covered; nullopt when fixed.
    [[nodiscard]] std::optional<Date> data_from() const;
    [[nodiscard]] ResolvedRate resolve(Date day, Conventions conventions) const;

  private:
    RateMode mode_ = RateMode::kMonthlyAverages;
    double fixed_pct_ = 0;
    const RateSeries* series_ = nullptr;
};

// Days that lie outside the table on either side, for which its first or last rate was taken: one
// sentence each, none when all lie inside. `what`: what was counted, in the plural ("daily
// returns").
[[nodiscard]] std::vector<std::string> clamped_rate_warnings(const ResolutionCounts& counts,
                                                             const RiskFreeRates& rates,
                                                             std::string_view what);

// 100 * 365 d / (360 - 91 d) with d = discount_pct / 100: annual percent, simple, 365 days.
[[nodiscard]] double bond_equivalent_yield_pct(double discount_pct);

// The rate in whole hundredths of a percent; nullopt if it is not exactly such a number.
[[nodiscard]] std::optional<std::int64_t> rate_basis_points(double rate_percent);

}  // namespace tb::analytics
