// What must hold for any block, seen through the tools: from the rows of the file to the figures of
// the answer.
#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "risk_fixture.h"

namespace tb::tools::test {
namespace {

constexpr const char* kTools[] = {
    "get_statistics", "get_period_returns",  "get_strategy_comparison", "get_correlation_matrix",
    "get_tail_risk",  "get_position_sizing", "run_walk_forward",        "run_monte_carlo"};

class ToolProperties : public RiskToolsTest {
  protected:
    // Two strategies, some 60 weekdays, one to three trades a day; quarter dollars, so that sums
    // and the scales used here are exact.
    static std::vector<Row> random_rows(std::uint32_t seed) {
        std::mt19937 random(seed);
        const auto below = [&](std::uint32_t bound) { return static_cast<int>(random() % bound); };
        std::vector<Row> rows;
        for (int d = 0; d < 60; ++d) {
            for (int n = 1 + below(3); n > 0; --n) {
                Row row;
                row.opened = weekday(d);
                row.closed = weekday(d + (below(4) == 0 ? below(3) : 0));
                row.strategy = below(2) == 0 ? "alpha" : "beta";
                row.pl = (below(2001) - 960) / 4.0;
                row.fees = below(9) / 4.0;
                row.contracts = 1 + below(4);
                rows.push_back(row);
            }
        }
        // The balance after each close; rows of one day close in the order of the file.
        std::vector<Row*> closes;
        for (Row& row : rows) {
            closes.push_back(&row);
        }
        std::stable_sort(closes.begin(), closes.end(),
                         [](const Row* a, const Row* b) { return *a->closed < *b->closed; });
        double funds = 50'000;
        for (Row* const row : closes) {
            funds += row->pl;
            row->funds = funds;
        }
        return rows;
    }

    static Json arguments_of(const std::string& tool, const Json& more = Json::object()) {
        Json arguments = {{"blockId", "A"}};
        if (tool == "get_position_sizing") {
            arguments["capitalBase"] = 100'000;
        } else if (tool == "get_tail_risk") {
            arguments.update({{"minTradingDays", 10}, {"tailThreshold", 0.3}});
        } else if (tool == "run_monte_carlo") {
            arguments.update({{"randomSeed", 5},
                              {"numSimulations", 100},
                              {"resampleMethod", "daily"},  // sums of days: no order inside a day
                              {"bandPoints", 3},
                              {"riskFreeRateAnnualPct", 0}});
        } else if (tool == "get_statistics") {
            arguments["riskFreeRateAnnualPct"] = 0;
        } else if (tool == "run_walk_forward") {
            arguments.update({{"riskFreeRateAnnualPct", 0},
                              {"inSampleDays", 28},
                              {"outOfSampleDays", 14},
                              {"parameterRanges", {{"kellyMultiplier", {0.5, 1.5, 0.5}}}}});
        }
        arguments.update(more);
        return arguments;
    }

    // What every tool says of these rows; without what speaks of the sync.
    std::vector<Json> answers(const std::vector<Row>& rows) {
        write_block("A", rows);
        std::vector<Json> all;
        for (const char* const tool : kTools) {
            Json answer = call(tool, arguments_of(tool));
            for (const char* const other : {"syncInfo", "warnings"}) {
                answer.erase(other);
            }
            all.push_back(std::move(answer));
        }
        // Nothing to compare would agree with everything.
        EXPECT_TRUE(all[3]["analytics"]["averageCorrelation"].is_number());
        EXPECT_TRUE(all[4]["analytics"]["averageJointTailRisk"].is_number()) << all[4];
        EXPECT_FALSE(all[6]["periods"].empty());
        return all;
    }

    // Both answers have the same members, and every number of the second is that of the first,
    // times `k` where it is in `dollars`. Names in `changed` need not agree.
    // NOLINTNEXTLINE(misc-no-recursion): as deep as an answer
    static void compare(const Json& a, const Json& b, double k,
                        const std::set<std::string>& dollars, const std::set<std::string>& changed,
                        const std::string& path, const std::string& name) {
        if (changed.count(name) != 0) {
            return;
        }
        if (a.is_structured()) {
            ASSERT_EQ(a.type(), b.type()) << path;
            ASSERT_EQ(a.size(), b.size()) << path;
            for (const auto& [member, value] : a.items()) {
                const Json& other = a.is_array() ? b[std::stoul(member)] : b.at(member);
                compare(value, other, k, dollars, changed, path + "/" + member, member);
            }
        } else if (a.is_number() && b.is_number()) {
            const double expected = a.get<double>() * (dollars.count(name) != 0 ? k : 1);
            EXPECT_NEAR(b.get<double>(), expected, 1e-9 * std::max(1.0, std::abs(expected)))
                << path;
        } else {
            EXPECT_EQ(a, b) << path;
        }
    }
    static void compare_all(const std::vector<Json>& a, const std::vector<Json>& b, double k,
                            const std::set<std::string>& dollars,
                            const std::set<std::string>& changed) {
        for (std::size_t i = 0; i < a.size(); ++i) {
            compare(a[i], b[i], k, dollars, changed, kTools[i], "");
        }
    }

    // A few blocks only: each is written, synced and shown to every tool.
    static void for_blocks(const std::function<void(std::vector<Row>)>& body) {
        for (const std::uint32_t seed : {1U, 20'240'102U, 77U}) {
            SCOPED_TRACE(seed);
            body(random_rows(seed));
        }
    }

    Json stats(const Json& more) {
        return call("get_statistics", arguments_of("get_statistics", more))["stats"];
    }
};

// The parts' figures add up to the whole's.
void expect_sums(const Json& whole, const std::vector<Json>& parts,
                 const std::vector<const char*>& figures) {
    for (const char* const figure : figures) {
        double sum = 0;
        for (const Json& part : parts) {
            sum += part.at(figure).get<double>();
        }
        EXPECT_NEAR(sum, whole.at(figure).get<double>(), 1e-9 * std::max(1.0, std::abs(sum)))
            << figure;
    }
}

TEST_F(ToolProperties, ScalingAllAmountsScalesDollarsAndLeavesEverythingElse) {
    const std::set<std::string> dollars = {
        "totalPl",          "netPl",         "grossPl",  "reportedPl",       "commissions",
        "totalCommissions", "avgWin",        "avgLoss",  "maxWin",           "maxLoss",
        "initialCapital",   "avgDailyPl",    "exposure", "outOfSampleNetPl", "meanFinalValue",
        "medianFinalValue", "stdFinalValue", "dollars",  "peakBalance",      "troughBalance"};
    for_blocks([&](std::vector<Row> rows) {
        const std::vector<Json> before = answers(rows);
        for (Row& row : rows) {
            row.pl *= 4;
            row.fees *= 4;
            *row.funds *= 4;
            *row.margin *= 4;
        }
        compare_all(before, answers(rows), 4, dollars, {});
    });
}

TEST_F(ToolProperties, OrderOfTheRowsOfADayMattersOnlyToStreaks) {
    for_blocks([&](std::vector<Row> rows) {
        const std::vector<Json> before = answers(rows);
        for (std::size_t first = 0; first < rows.size();) {
            std::size_t end = first;
            while (end < rows.size() && rows[end].opened == rows[first].opened) {
                ++end;
            }
            std::reverse(rows.begin() + static_cast<std::ptrdiff_t>(first),
                         rows.begin() + static_cast<std::ptrdiff_t>(end));
            first = end;
        }
        compare_all(before, answers(rows), 1, {},
                    {"maxWinStreak", "maxLossStreak", "currentStreak"});
    });
}

TEST_F(ToolProperties, StrategiesAddUpToTheBlock) {
    for_blocks([&](const std::vector<Row>& rows) {
        write_block("A", rows);
        expect_sums(stats(Json::object()),
                    {stats({{"strategy", "alpha"}}), stats({{"strategy", "beta"}})},
                    {"totalTrades", "winningTrades", "losingTrades", "breakEvenTrades", "totalPl",
                     "netPl", "totalCommissions"});
        const Json compared = call("get_strategy_comparison", {{"blockId", "A"}});
        expect_sums({{"netPl", stats(Json::object())["netPl"]}, {"trades", rows.size()}},
                    compared["strategies"].get<std::vector<Json>>(), {"netPl", "trades"});
        const auto totals = [&](const Json& more) {
            return call("get_period_returns", with({{"blockId", "A"}}, more))["totals"];
        };
        expect_sums(totals(Json::object()),
                    {totals({{"strategy", "alpha"}}), totals({{"strategy", "beta"}})},
                    {"reportedPl", "grossPl", "commissions", "netPl", "tradeCount"});
    });
}

TEST_F(ToolProperties, DisjointRangesAddUpToTheWhole) {
    for_blocks([&](const std::vector<Row>& rows) {
        write_block("A", rows);
        for (const char* const cut : {"2024-01-31", "2024-02-16", "2024-12-31"}) {
            const std::string next = day(cut).plus_days(1).to_iso();
            const bool all_before = std::string(cut) == "2024-12-31";
            const Json whole = stats(Json::object());
            std::vector<Json> parts = {stats({{"endDate", cut}})};
            const auto of_range = [&](const Json& range) {
                return call(
                    "get_period_returns",
                    {{"blockId", "A"}, {"period", "daily"}, {"dateRange", range}, {"limit", 1000}});
            };
            if (!all_before) {
                parts.push_back(stats({{"startDate", next}}));
                const Json first = of_range({{"to", cut}});
                const Json second = of_range({{"from", next}});
                Json joined = first["periods"];
                for (const Json& period : second["periods"]) {
                    joined.push_back(period);
                }
                EXPECT_EQ(joined, of_range({{"from", "2024-01-01"}})["periods"]);
            }
            expect_sums(whole, parts,
                        {"totalTrades", "winningTrades", "losingTrades", "breakEvenTrades",
                         "totalPl", "netPl", "totalCommissions"});
            double largest = 0;
            double worst = 0;
            for (const Json& part : parts) {
                largest = std::max(largest, part["maxWin"].get<double>());
                worst = std::min(worst, part["maxLoss"].get<double>());
            }
            EXPECT_EQ(largest, whole["maxWin"]);
            EXPECT_EQ(worst, whole["maxLoss"]);
        }
    });
}

TEST_F(ToolProperties, TradeWithoutAResultChangesOnlyCountsAndWhatCountsTrades) {
    const std::set<std::string> counts = {
        "totalTrades",    "breakEvenTrades",   "tradesAnalyzed", "tradeCount",     "trades",
        "inSampleTrades", "outOfSampleTrades", "analyzedTrades", "netIncludesFees"};
    // Win rates are of all trades, and Kelly goes by the win rate; a break-even ends a streak.
    std::set<std::string> changed = {
        "winRate",           "kellyPercentage",    "maxWinStreak",     "maxLossStreak",
        "currentStreak",     "rawKellyFraction",   "rawKellyPercent",  "adjustedKellyFraction",
        "fullKelly",         "halfKelly",          "quarterKelly",     "recommendedAllocation",
        "rawAllocation",     "adjustedAllocation", "scaledAllocation", "totalAllocation",
        "totalAllocationPct"};
    changed.insert(counts.begin(), counts.end());
    for_blocks([&](std::vector<Row> rows) {
        // On the first day, after everything else; alpha traded on it too.
        rows[0].strategy = "alpha";
        const std::vector<Json> base = answers(rows);
        Row zero = rows[0];
        zero.closed = zero.opened;
        zero.pl = 0;
        zero.fees = 0;
        zero.margin.reset();
        auto after = rows.begin();
        for (auto row = rows.begin(); row != rows.end(); ++row) {
            if (row->opened == zero.opened) {
                after = row + 1;
            }
        }
        double funds = 50'000;
        for (auto row = rows.begin(); row != after; ++row) {
            funds = *row->closed == zero.opened ? *row->funds : funds;
        }
        zero.funds = funds;
        rows.insert(after, zero);
        const std::vector<Json> more = answers(rows);
        compare_all(base, more, 1, {}, changed);
        const Json& was = base[0]["stats"];
        const Json& is = more[0]["stats"];
        EXPECT_EQ(is["totalTrades"], was["totalTrades"].get<int>() + 1);
        EXPECT_EQ(is["breakEvenTrades"], was["breakEvenTrades"].get<int>() + 1);
        EXPECT_DOUBLE_EQ(is["winRate"].get<double>(),
                         was["winningTrades"].get<double>() / is["totalTrades"].get<double>());
    });
}

}  // namespace
}  // namespace tb::tools::test
