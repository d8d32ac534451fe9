#include "analytics/filters.h"

#include "statistics_support.h"

namespace tb::analytics {
namespace {

using test::day;
using test::make_set;
using test::make_trade;

TradeFilter by_strategy(std::string name) {
    TradeFilter filter;
    filter.strategy = std::move(name);
    return filter;
}
TradeFilter by_ticker(std::string ticker) {
    TradeFilter filter;
    filter.ticker = std::move(ticker);
    return filter;
}

TEST(DateBound, I8_MalformedDatesAreErrorsNotIgnored) {
    for (const char* text : {"2025-2-3", "03/02/2025", "2025-02-31", "", "yesterday"}) {
        const auto bound = parse_date_bound(text, BoundSide::kFrom, "from", Conventions::kCorrect);
        ASSERT_FALSE(bound.has_value()) << text;
        EXPECT_EQ(bound.error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(bound.error().context, "from");
    }
    EXPECT_EQ(*parse_date_bound("2025-2-3", BoundSide::kFrom, "from", Conventions::kReference),
              std::nullopt);
    EXPECT_EQ(*parse_date_bound(std::nullopt, BoundSide::kTo, "to", Conventions::kCorrect),
              std::nullopt);
    EXPECT_EQ(*parse_date_bound("2025-02-03", BoundSide::kTo, "to", Conventions::kCorrect),
              day("2025-02-03"));
}

TEST(DateBound, ReferenceComparesDaysThatDoNotExistAsText) {
    const auto bound = [](const char* text, BoundSide side) {
        return *parse_date_bound(text, side, "x", Conventions::kReference);
    };
    EXPECT_EQ(bound("2025-02-31", BoundSide::kFrom), day("2025-03-01"));
    EXPECT_EQ(bound("2025-02-31", BoundSide::kTo), day("2025-02-28"));
    EXPECT_EQ(bound("2025-13-01", BoundSide::kFrom), day("2026-01-01"));
    EXPECT_EQ(bound("2025-13-01", BoundSide::kTo), day("2025-12-31"));
    EXPECT_EQ(bound("2025-00-10", BoundSide::kTo), day("2024-12-31"));
    EXPECT_EQ(bound("2025-04-00", BoundSide::kTo), day("2025-03-31"));
    EXPECT_EQ(bound("2025-12-40", BoundSide::kFrom), day("2026-01-01"));
}

TEST(DateBound, ARangeFromLateToEarlyIsAnError) {
    EXPECT_FALSE(parse_date_range("2025-03-01", "2025-02-01", Conventions::kCorrect).has_value());
    EXPECT_TRUE(parse_date_range("2025-03-01", "2025-02-01", Conventions::kReference).has_value());
    EXPECT_TRUE(parse_date_range("2025-03-01", "2025-03-01", Conventions::kCorrect).has_value());
}

class Filters : public ::testing::Test {
  protected:
    Filters() {
        std::vector<Trade> trades = {
            make_trade("2025-01-02", "2025-01-10", 11), make_trade("2025-01-03", "2025-01-03", 22),
            make_trade("2025-01-06", "2025-01-07", 33), make_trade("2025-01-08", "2025-01-08", 44)};
        trades[1].strategy = 1;
        trades[2].ticker = "QQQ";
        trades[3].date_closed.reset();
        set_ = make_set(std::move(trades), {"Iron Fly", "Calendar"});
    }
    std::vector<double> kept(const TradeFilter& filter) {
        std::vector<double> pl;
        for (const Trade& t : filter_trades(set_, filter).trades) {
            pl.push_back(t.pl);
        }
        return pl;
    }
    TradeSet set_;
};

TEST_F(Filters, StrategyAndTickerIgnoreCase) {
    EXPECT_EQ(kept(by_strategy("iron FLY")), (std::vector<double>{11, 33, 44}));
    TradeFilter either;
    either.strategies = {"CALENDAR", "nothing"};
    EXPECT_EQ(kept(either), (std::vector<double>{22}));
    EXPECT_EQ(kept(by_ticker("qqq")), (std::vector<double>{33}));
    EXPECT_EQ(kept(by_strategy("Iron")), std::vector<double>{});
    EXPECT_EQ(kept(by_strategy("")).size(), 4);
}

TEST_F(Filters, DatesByRealizationOrOpening) {
    TradeFilter filter;
    filter.dates = {day("2025-01-07"), day("2025-01-10")};
    EXPECT_EQ(kept(filter), (std::vector<double>{11, 33, 44}));  // the open one on its opening day
    filter.date_field = DateField::kOpened;
    EXPECT_EQ(kept(filter), (std::vector<double>{44}));
}

TEST_F(Filters, NamesInUseFollowTheRowsLeft) {
    EXPECT_EQ(strategies_in_use(set_), (std::vector<std::string>{"Iron Fly", "Calendar"}));
    EXPECT_EQ(strategies_in_use(filter_trades(set_, by_ticker("QQQ"))),
              (std::vector<std::string>{"Iron Fly"}));
}

TEST(FilterLog, KeepsTheInclusiveRange) {
    const std::vector<DailyLogEntry> log = {test::log_entry("2025-01-02", 1, 1),
                                            test::log_entry("2025-01-03", 2, 1),
                                            test::log_entry("2025-01-07", 3, 1)};
    EXPECT_EQ(filter_log(log, {day("2025-01-03"), day("2025-01-07")}).size(), 2);
    EXPECT_EQ(filter_log(log, {day("2025-01-04"), day("2025-01-06")}).size(), 0);
    EXPECT_EQ(filter_log(log, {}).size(), 3);
    EXPECT_EQ(filter_log(log, {day("2025-02-01"), day("2025-01-01")}).size(), 0);
}

}  // namespace
}  // namespace tb::analytics
