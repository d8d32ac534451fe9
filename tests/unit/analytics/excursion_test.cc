#include "analytics/excursion.h"

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;
using test::make_trade;

// The first row of a real export: 2.55 a share (255 cents), three contracts.
Trade real_row() {
    Trade t = make_trade("2025-01-02", "2025-01-02", 756);
    t.premium = 255;
    t.premium_unit = PremiumUnit::kCents;
    t.contracts = 3;
    t.margin_req = 44235;
    t.max_profit = 100;
    t.max_loss = -1.96;
    t.opening_ratio = 8;
    t.closing_ratio = 2;
    return t;
}

TEST(PremiumDollars, TheFilesUnitDecidesNeverTheSize) {
    EXPECT_TRUE(close_to(premium_dollars(real_row()), 765));
    Trade t = real_row();
    t.premium = -2.55;
    t.premium_unit = PremiumUnit::kDollars;
    EXPECT_TRUE(close_to(premium_dollars(t), 765));
    t.margin_req = 0;
    EXPECT_TRUE(close_to(premium_dollars(t), 765));
    t.premium = 60;  // 18,000 dollars, however large
    EXPECT_TRUE(close_to(premium_dollars(t), 18000));
    t.premium = 6000;
    t.premium_unit = PremiumUnit::kTotal;
    EXPECT_TRUE(close_to(premium_dollars(t), 6000));
    // 15 cents of one contract: 15 dollars, beside a margin that made it 1,500 before.
    t.premium = 15;
    t.premium_unit = PremiumUnit::kCents;
    t.contracts = 1;
    t.margin_req = 5000;
    EXPECT_TRUE(close_to(premium_dollars(t), 15));
    t.premium = 0;
    EXPECT_EQ(premium_dollars(t), std::nullopt);
}

TEST(Excursions, PercentsOfPremiumBecomeDollars) {
    EXPECT_TRUE(close_to(mfe_dollars(real_row()), 765));
    EXPECT_TRUE(close_to(mae_dollars(real_row()), 765 * 0.0196));
    Trade t = real_row();
    t.max_loss = 0;
    EXPECT_EQ(mae_dollars(t), std::nullopt);
    t.premium = 0;
    EXPECT_EQ(mfe_dollars(t), std::nullopt);
}

TEST(Excursions, RecordHoldsBothBasesAndPrefersPremium) {
    const std::vector<Trade> trades = {real_row()};
    const auto records = excursion_records(trades, Conventions::kCorrect);
    ASSERT_EQ(records.size(), 1);
    const ExcursionRecord& r = records[0];
    EXPECT_EQ(r.basis, ExcursionBasis::kPremium);
    EXPECT_TRUE(close_to(r.profit_capture_percent, 100 * 756.0 / 765));
    EXPECT_TRUE(close_to(r.excursion_ratio, 100 / 1.96));
    EXPECT_TRUE(close_to(r.mfe_percent, 100));
    EXPECT_TRUE(close_to(r.mae_percent, 1.96));
    EXPECT_TRUE(close_to(r.by_margin->mfe_percent, 100 * 765.0 / 44235));
    EXPECT_TRUE(close_to(r.by_margin->pl_percent, 100 * 756.0 / 44235));
    EXPECT_TRUE(close_to(r.ratio_change, 0.25));
    EXPECT_TRUE(close_to(r.ratio_change_percent, -75));
    EXPECT_TRUE(r.is_winner);
}

TEST(Excursions, I17_RecordsCountFees) {
    Trade t = real_row();
    t.basis = PlBasis::kGrossBeforeFees;
    t.opening_fees = 9;
    const std::vector<Trade> trades = {t};
    EXPECT_EQ(excursion_records(trades, Conventions::kCorrect)[0].pl, 747);
    EXPECT_EQ(excursion_records(trades, Conventions::kReference)[0].pl, 756);
}

TEST(Excursions, EfficiencyFallsBackToMfeThenMargin) {
    Trade t = real_row();
    EXPECT_TRUE(close_to(premium_efficiency(t, 756).percent, 98.82352941176471));
    t.premium = 0;
    EXPECT_EQ(premium_efficiency(t, 756).basis, ExcursionBasis::kMargin);
    EXPECT_TRUE(close_to(premium_efficiency(t, 756).percent, 100 * 756.0 / 44235));
    t.margin_req = 0;
    EXPECT_EQ(premium_efficiency(t, 756).percent, std::nullopt);
    EXPECT_STREQ(excursion_basis_name(premium_efficiency(t, 756).basis), "unknown");
}

std::vector<Trade> three_rows() {
    std::vector<Trade> trades = {real_row(), real_row(), real_row(), real_row()};
    trades[1].pl = -300;
    trades[1].max_profit = 40;
    trades[1].max_loss = -60;
    trades[2].pl = 150;
    trades[2].max_profit = 55;
    trades[2].max_loss.reset();
    trades[3].max_profit.reset();  // neither side: no record
    trades[3].max_loss.reset();
    return trades;
}

TEST(Excursions, AggregatesPerBasisAndOverall) {
    const auto records = excursion_records(three_rows(), Conventions::kCorrect);
    ASSERT_EQ(records.size(), 3);
    const ExcursionStatistics s = excursion_statistics(records);
    EXPECT_EQ(s.trades_with_mfe, 3);
    EXPECT_EQ(s.trades_with_mae, 2);
    EXPECT_TRUE(close_to(s.by_premium.mean_mfe_percent, 65));
    EXPECT_TRUE(close_to(s.by_premium.median_mfe_percent, 55));
    EXPECT_TRUE(close_to(s.by_premium.mean_mae_percent, (1.96 + 60) / 3));  // a missing side is 0
    const double winners = (100 * 756.0 / 765 + 100 * 150 / (0.55 * 765)) / 2;
    EXPECT_TRUE(close_to(s.winner_avg_profit_capture, winners));
    EXPECT_TRUE(close_to(s.non_winner_avg_profit_capture, -100 * 300 / (0.4 * 765)));
    EXPECT_EQ(excursion_statistics({}).avg_profit_capture, std::nullopt);
}

TEST(Excursions, DistributionPutsTheMaximumIntoTheLastBucket) {
    const auto records = excursion_records(three_rows(), Conventions::kCorrect);
    const auto buckets = excursion_distribution(records, 25);
    ASSERT_EQ(buckets.size(), 4);
    EXPECT_EQ(buckets[0].mae_count, 1);
    EXPECT_EQ(buckets[1].mfe_count, 1);
    EXPECT_EQ(buckets[2].mfe_count, 1);
    EXPECT_EQ(buckets[2].mae_count, 1);
    EXPECT_EQ(buckets[3].mfe_count, 1);  // exactly 100
    EXPECT_EQ(buckets[3].to, 100);
    EXPECT_TRUE(excursion_distribution({}, 10).empty());
}

TEST(Excursions, DistributionIsBounded) {
    std::vector<Trade> trades = {real_row()};
    trades[0].max_profit = 1e9;
    const auto records = excursion_records(trades, Conventions::kCorrect);
    EXPECT_EQ(excursion_distribution(records, 10).size(), kMaxExcursionBuckets);
}

}  // namespace
}  // namespace tb::analytics
