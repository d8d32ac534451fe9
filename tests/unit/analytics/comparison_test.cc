#include "analytics/comparison.h"

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::close_to;
using test::day;
using test::make_set;
using test::make_trade;
using test::with_funds;

constexpr auto kReference = Conventions::kReference;

StatisticsOptions options(Conventions conventions = Conventions::kCorrect) {
    StatisticsOptions o;
    o.conventions = conventions;
    o.rates = RiskFreeRates::fixed(0).value();
    return o;
}

TradeSet sample() {
    std::vector<Trade> trades = {
        make_trade("2025-01-02", "2025-01-06", 50), make_trade("2025-01-03", "2025-01-03", 120),
        make_trade("2025-01-06", "2025-01-06", -30), make_trade("2025-01-07", "2025-01-07", 60),
        make_trade("2025-01-08", "2025-01-08", -45)};
    const std::uint32_t strategy[] = {0, 1, 0, 2, 1};
    for (std::size_t i = 0; i < trades.size(); ++i) {
        trades[i].strategy = strategy[i];
        trades[i].opening_fees = 1.0 + static_cast<double>(i);
    }
    return make_set(with_funds(trades, 4000), {"beta", "Alpha", "gamma"});
}

std::vector<std::string> names(const StrategyComparison& c) {
    std::vector<std::string> result;
    for (const StrategyRow& row : c.strategies) {
        result.push_back(row.name);
    }
    return result;
}

TEST(StrategyComparison, SortsByEveryKeyAndCuts) {
    StrategyComparisonRequest request;
    const auto sorted = [&](StrategySort by, bool descending) {
        request.sort_by = by;
        request.descending = descending;
        return names(*strategy_comparison(sample(), request));
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(sorted(StrategySort::kNetPl, true), (Names{"Alpha", "gamma", "beta"}));
    EXPECT_EQ(sorted(StrategySort::kNetPl, false), (Names{"beta", "gamma", "Alpha"}));
    EXPECT_EQ(sorted(StrategySort::kName, false), (Names{"Alpha", "beta", "gamma"}));
    EXPECT_EQ(sorted(StrategySort::kProfitFactor, true), (Names{"gamma", "Alpha", "beta"}));
    // Ties stay in order of first appearance, in both directions.
    EXPECT_EQ(sorted(StrategySort::kTrades, true), (Names{"beta", "Alpha", "gamma"}));
    EXPECT_EQ(sorted(StrategySort::kWinRate, false), (Names{"beta", "Alpha", "gamma"}));
    request.limit = 1;
    request.min_trades = 2;
    const auto cut = strategy_comparison(sample(), request);
    EXPECT_EQ(cut->strategies.size(), 1);
    EXPECT_EQ(cut->total_strategies, 2);
}

TEST(StrategyComparison, I4_DatesMeanRealization) {
    StrategyComparisonRequest request;
    request.dates = {day("2025-01-06"), day("2025-01-06")};
    const auto ours = strategy_comparison(sample(), request);
    ASSERT_EQ(ours->strategies.size(), 1);
    EXPECT_EQ(ours->strategies[0].trades, 2);  // the one opened on January 2 too
    EXPECT_EQ(ours->date_field, DateField::kRealized);
    request.conventions = kReference;
    EXPECT_EQ(strategy_comparison(sample(), request)->strategies[0].trades, 1);
    request.dates = {day("2026-01-01"), {}};
    EXPECT_FALSE(strategy_comparison(sample(), request).has_value());
}

TEST(StrategyComparison, I26_NetPlIsNetAndSumsToThePortfolio) {
    TradeSet set = sample();
    for (Trade& t : set.trades) {
        t.basis = PlBasis::kGrossBeforeFees;
    }
    StrategyComparisonRequest request;
    double ours = 0;
    const auto first = strategy_comparison(set, request);
    for (const StrategyRow& row : first->strategies) {
        ours += row.net_pl;
    }
    EXPECT_TRUE(close_to(ours, portfolio_statistics(set.trades, {}, options()).stats.net_pl));
    EXPECT_EQ(ours, 155 - 15);
    request.conventions = kReference;
    double theirs = 0;
    const auto second = strategy_comparison(set, request);
    for (const StrategyRow& row : second->strategies) {
        theirs += row.net_pl;
    }
    EXPECT_EQ(theirs, 155);
}

TEST(BlockComparison, I27_ABadBlockDoesNotFailTheOthers) {
    const TradeSet set = sample();
    std::vector<BlockInput> blocks = {{"zeta", &set, {}, {}},
                                      {"broken", nullptr, {}, Error{ErrorCode::kIo, "gone", ""}},
                                      {"Eta", &set, {}, {}},
                                      {"missing", nullptr, {}, {}}};
    const BlockComparison c = compare_blocks(blocks, std::nullopt, false, options());
    ASSERT_EQ(c.blocks.size(), 2);
    EXPECT_EQ(c.blocks[0].block_id, "Eta");
    ASSERT_EQ(c.failed.size(), 2);
    EXPECT_EQ(c.failed[0].error.message, "gone");
    EXPECT_EQ(c.failed[1].error.code, ErrorCode::kNotFound);
}

TEST(BlockComparison, SortsUndefinedAsZeroAndInfinityOnTop) {
    const TradeSet winner = make_set(with_funds({make_trade("2025-01-02", "2025-01-02", 5)}, 100));
    const TradeSet loser = make_set(with_funds({make_trade("2025-01-02", "2025-01-02", -5)}, 100));
    const TradeSet mixed = sample();
    const std::vector<BlockInput> blocks = {
        {"loser", &loser, {}, {}}, {"winner", &winner, {}, {}}, {"mixed", &mixed, {}, {}}};
    const BlockComparison by_pf =
        compare_blocks(blocks, BlockMetric::kProfitFactor, true, options());
    EXPECT_EQ(by_pf.blocks[0].block_id, "winner");
    EXPECT_EQ(by_pf.blocks[2].block_id, "loser");
    EXPECT_EQ(block_metric_value(by_pf.blocks[0].statistics.stats, BlockMetric::kProfitFactor),
              std::nullopt);
    const BlockComparison by_sharpe =
        compare_blocks(blocks, BlockMetric::kSharpeRatio, false, options());
    EXPECT_EQ(by_sharpe.blocks[0].block_id, "loser");  // both undefined: input order
    EXPECT_EQ(by_sharpe.blocks[2].block_id, "mixed");
}

TEST(BlockMetrics, NamesGoBothWays) {
    for (const BlockMetric metric : all_block_metrics()) {
        EXPECT_EQ(block_metric_from_name(block_metric_name(metric)), metric);
    }
    EXPECT_EQ(block_metric_from_name("pl"), std::nullopt);
}

TEST(BlockDiff, StrategiesAndTotalsSideBySide) {
    const TradeSet a = sample();
    TradeSet b = sample();
    b.strategies = {"beta", "delta", "gamma"};
    b.trades[0].pl = 80;
    const BlockDiff d = block_diff({"A", &a, {}, {}}, {"B", &b, {}, {}}, {}, options());
    EXPECT_EQ(d.shared, (std::vector<std::string>{"beta", "gamma"}));
    EXPECT_EQ(d.unique_to_a, (std::vector<std::string>{"Alpha"}));
    EXPECT_EQ(d.unique_to_b, (std::vector<std::string>{"delta"}));
    EXPECT_EQ(d.overlap_percent, 50);
    ASSERT_EQ(d.strategies.size(), 4);
    EXPECT_EQ(d.strategies[0].delta_net_pl, 30);
    EXPECT_FALSE(d.strategies[2].b.has_value());
    EXPECT_FALSE(d.strategies[3].a.has_value());
    EXPECT_EQ(d.delta.net_pl, 30);
    EXPECT_EQ(d.delta.total_trades, 0);
    EXPECT_TRUE(
        close_to(d.delta.profit_factor, *d.totals_b.profit_factor - *d.totals_a.profit_factor));
}

TEST(BlockDiff, NamesThatDifferInCaseAreOneStrategyAsInAFilter) {
    const TradeSet a = sample();
    TradeSet b = sample();
    b.strategies = {"beta", "ALPHA", "Gamma"};
    const BlockDiff d = block_diff({"A", &a, {}, {}}, {"B", &b, {}, {}}, {}, options());
    EXPECT_EQ(d.shared, (std::vector<std::string>{"Alpha", "beta", "gamma"}));
    EXPECT_TRUE(d.unique_to_b.empty());
    EXPECT_EQ(d.strategies[0].delta_net_pl, 0);
    EXPECT_EQ(block_diff({"A", &a, {}, {}}, {"B", &b, {}, {}}, {}, options(kReference)).shared,
              (std::vector<std::string>{"beta"}));
}

TEST(BlockDiff, I4_BothBlocksAndLogsUseTheRealizationDay) {
    const TradeSet set = sample();
    const DateRange range = {day("2025-01-06"), day("2025-01-06")};
    const BlockInput block = {"A", &set, {}, {}};
    EXPECT_EQ(block_diff(block, block, range, options()).a.trade_count, 2);
    EXPECT_EQ(block_diff(block, block, range, options(kReference)).a.trade_count, 1);
}

TEST(BlockDiff, EmptyBlocksHaveNoOverlapAndNoRatios) {
    const TradeSet empty;
    const TradeSet set = sample();
    const BlockDiff d = block_diff({"A", &empty, {}, {}}, {"B", &set, {}, {}}, {}, options());
    EXPECT_EQ(d.overlap_percent, 0);
    EXPECT_EQ(d.totals_a.total_trades, 0);
    EXPECT_EQ(d.delta.sharpe_ratio, std::nullopt);
    EXPECT_EQ(d.delta.net_pl, 155);
    EXPECT_EQ(
        block_diff({"A", &empty, {}, {}}, {"B", &empty, {}, {}}, {}, options()).overlap_percent, 0);
}

}  // namespace
}  // namespace tb::analytics
