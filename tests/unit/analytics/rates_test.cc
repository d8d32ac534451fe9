#include "analytics/rates.h"

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;
using test::day;

RateSeries sample_series() {
    return make_rate_series({{day("2026-01-02"), 3.54},
                             {day("2025-12-31"), 3.57},
                             {day("2026-01-03"), 3.61},  // a Saturday
                             {day("2026-01-06"), 3.52}})
        .value();
}

TEST(Rates, LookupSaysHowItWasResolved) {
    const RateSeries series = sample_series();
    const RiskFreeRates rates = RiskFreeRates::daily(series);
    const auto resolve = [&](const char* d) {
        return rates.resolve(day(d), Conventions::kReference);
    };
    EXPECT_EQ(resolve("2026-01-02").resolution, RateResolution::kExact);
    EXPECT_EQ(resolve("2026-01-02").annual_pct, 3.54);
    EXPECT_EQ(resolve("2026-01-01").resolution, RateResolution::kPrior);
    EXPECT_EQ(resolve("2026-01-01").annual_pct, 3.57);
    EXPECT_EQ(resolve("2020-05-05").resolution, RateResolution::kClampedEarliest);
    EXPECT_EQ(resolve("2020-05-05").annual_pct, 3.57);
    EXPECT_EQ(resolve("2026-02-01").resolution, RateResolution::kStaleAfterLatest);
    EXPECT_EQ(resolve("2026-02-01").annual_pct, 3.52);
    EXPECT_EQ(rates.data_through(), day("2026-01-06"));
    EXPECT_EQ(rates.series_name(), "FRED_DTB3");
}

TEST(Rates, I24_SaturdayEntriesDoNotCount) {
    const RateSeries series = sample_series();
    const RiskFreeRates rates = RiskFreeRates::daily(series);
    EXPECT_EQ(rates.resolve(day("2026-01-05"), Conventions::kReference).annual_pct, 3.61);
    EXPECT_TRUE(close_to(rates.resolve(day("2026-01-05"), Conventions::kCorrect).annual_pct,
                         bond_equivalent_yield_pct(3.54)));
}

TEST(Rates, I24_DiscountBecomesBondEquivalentYield) {
    // 365 d/(360 - 91 d) with d = 0.0536, 02 §6.
    EXPECT_NEAR(bond_equivalent_yield_pct(5.36), 5.51, 0.005);
    EXPECT_TRUE(
        close_to(bond_equivalent_yield_pct(5.36), 100 * 365 * 0.0536 / (360 - 91 * 0.0536)));
    EXPECT_EQ(bond_equivalent_yield_pct(0), 0);
}

TEST(Rates, MonthlyAveragesWhenThereIsNoSeries) {
    const RiskFreeRates rates;
    EXPECT_EQ(rates.mode(), RateMode::kMonthlyAverages);
    const auto pct = [&](const char* d) {
        return rates.resolve(day(d), Conventions::kReference).annual_pct;
    };
    EXPECT_EQ(pct("2013-01-15"), 0.07);
    EXPECT_EQ(pct("2019-07-04"), 2.10);
    EXPECT_EQ(pct("2023-10-31"), 5.34);
    EXPECT_EQ(pct("2026-07-01"), 3.72);
    EXPECT_EQ(rates.resolve(day("2012-12-31"), Conventions::kReference).resolution,
              RateResolution::kClampedEarliest);
    EXPECT_EQ(rates.resolve(day("2026-08-01"), Conventions::kReference).resolution,
              RateResolution::kStaleAfterLatest);
    EXPECT_EQ(rates.data_through(), day("2026-07-31"));
}

TEST(Rates, FixedRateIsTakenAsItStands) {
    const auto rates = RiskFreeRates::fixed(2.0);
    ASSERT_TRUE(rates.has_value());
    EXPECT_EQ(rates->resolve(day("2025-01-02"), Conventions::kCorrect).annual_pct, 2.0);
    EXPECT_EQ(rates->fixed_annual_pct(), 2.0);
    EXPECT_EQ(rates->data_through(), std::nullopt);
    EXPECT_EQ(RiskFreeRates::fixed(-100).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(RiskFreeRates::fixed(100.5).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(RiskFreeRates::fixed(100).has_value());
}

TEST(Rates, BadSeriesAreRefusedWithTheDay) {
    EXPECT_FALSE(make_rate_series({}).has_value());
    const auto doubled = make_rate_series({{day("2025-01-02"), 4.2}, {day("2025-01-02"), 4.3}});
    ASSERT_FALSE(doubled.has_value());
    EXPECT_NE(doubled.error().message.find("2025-01-02"), std::string::npos);
    EXPECT_FALSE(make_rate_series({{day("2025-01-02"), 101}}).has_value());
}

TEST(Rates, BasisPointsMustBeExact) {
    EXPECT_EQ(rate_basis_points(5.36), 536);
    EXPECT_EQ(rate_basis_points(-0.05), -5);
    EXPECT_EQ(rate_basis_points(5.365), std::nullopt);
}

}  // namespace
}  // namespace tb::analytics
