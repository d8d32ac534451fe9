// All five risk tools on data nobody should have: they answer or refuse, and no figure is missing
// without a reason.
#include <thread>

#include <gtest/gtest.h>

#include "risk_fixture.h"

namespace tb::tools::test {
namespace {

class ExtremeDataTest : public RiskToolsTest {
  protected:
    static Json arguments_of(const std::string& tool, const std::string& block) {
        Json arguments = {{"blockId", block}};
        if (tool == "get_position_sizing") {
            arguments["capitalBase"] = 100'000;
        }
        if (tool == "run_monte_carlo") {
            arguments["randomSeed"] = 5;
            arguments["numSimulations"] = 100;
        }
        return arguments;
    }

    // Answers or errors of all tools and conventions; call() checks that no number is NaN or
    // infinite. `must_answer`: tools that may not refuse.
    void expect_sane(const std::string& block, const std::vector<std::string>& must_answer) {
        for (const char* const tool : kTools) {
            for (const char* const conventions : {"correct", "reference"}) {
                mcp::ToolContext context;
                Json arguments = arguments_of(tool, block);
                arguments["conventions"] = conventions;
                const auto result = run(tool, context, arguments);
                if (result.has_value()) {
                    expect_reasons(*result->structured, tool);
                    EXPECT_EQ(result->text.find("nan"), std::string::npos) << result->text;
                    EXPECT_EQ(result->text.find("inf "), std::string::npos) << result->text;
                } else {
                    EXPECT_FALSE(result.error().message.empty());
                    EXPECT_EQ(std::count(must_answer.begin(), must_answer.end(), tool), 0)
                        << tool << " " << conventions << ": " << result.error().message;
                }
            }
        }
    }

    // Where figures are missing, something says why.
    static void expect_reasons(const Json& answer, const std::string& tool) {
        const bool has_reason = answer.contains("notes") || answer.contains("warnings");
        for (const char* const part : {"statistics", "summary", "portfolio", "analytics"}) {
            if (!answer.contains(part)) {
                continue;
            }
            for (const auto& [name, value] : answer[part].items()) {
                const bool always_null = part == std::string("summary") &&
                                         name.starts_with("avg") && name.ends_with("Periods");
                if (value.is_null() && !always_null && name != "avgEffectiveFactors" &&
                    answer["conventions"] == "correct") {
                    EXPECT_TRUE(has_reason) << tool << " " << part << "." << name;
                }
            }
        }
    }

    static constexpr const char* kTools[] = {"run_walk_forward", "run_monte_carlo",
                                             "get_correlation_matrix", "get_tail_risk",
                                             "get_position_sizing"};
};

TEST_F(ExtremeDataTest, NoneOneAndTwoTrades) {
    write_block("none", {});
    write_block("one", trades_of("alpha", 1, {10}));
    write_block("two", trades_of("alpha", 2, {10, -5}));
    expect_sane("none", {});
    expect_sane("one", {"get_position_sizing"});
    expect_sane("two", {"get_position_sizing"});
}

TEST_F(ExtremeDataTest, EverythingTheSame) {
    for (const double pl : {10.0, 0.0, -10.0}) {
        std::vector<Row> rows = trades_of("alpha", 60, {pl});
        for (const Row& row : trades_of("beta", 60, {pl})) {
            rows.push_back(row);
        }
        write_block("same", rows);
        expect_sane("same", {kTools, kTools + 5});
    }
}

TEST_F(ExtremeDataTest, AtTheEdgeOfTheRangeOfNumbers) {
    const std::vector<std::vector<double>> cases = {
        {1e308, -1e308}, {1e308}, {-1e308}, {1e308, 1e308, -1, 5e-324}, {1e-308, -1e-308}};
    for (const std::vector<double>& results : cases) {
        std::vector<Row> rows = trades_of("alpha", 60, results);
        for (Row& row : trades_of("beta", 60, results)) {
            row.margin = 1e-300;
            row.funds = 1e308;
            rows.push_back(row);
        }
        write_block("huge", rows);
        expect_sane("huge", {"get_position_sizing"});
    }
}

TEST_F(ExtremeDataTest, OpenTradesAndOneDay) {
    std::vector<Row> rows = trades_of("alpha", 40, {10, -5});
    for (Row& row : rows) {
        row.opened = weekday(0);
        row.closed.reset();
    }
    write_block("day", rows);
    expect_sane("day", {"get_position_sizing", "run_monte_carlo"});
    for (Row& row : rows) {
        row.open = true;
        row.strategy = row.pl > 0 ? "alpha" : "beta";
    }
    write_block("open", rows);
    expect_sane("open", {"get_position_sizing"});
}

TEST_F(ExtremeDataTest, ChangedFileGivesNewFiguresInEveryTool) {  // I-5
    const auto two = [&](double other) {
        std::vector<Row> rows = trades_of("alpha", 60, {10, -5, 7, other});
        for (const Row& row : trades_of("beta", 60, {3, 8, -6, other})) {
            rows.push_back(row);
        }
        return rows;
    };
    write_block("A", two(1));
    std::vector<Json> before;
    for (const char* const tool : kTools) {
        before.push_back(call(tool, arguments_of(tool, "A")));
    }
    write_block("A", two(-40));
    std::size_t i = 0;
    for (const char* const tool : kTools) {
        Json after = call(tool, arguments_of(tool, "A"));
        EXPECT_EQ(after["syncInfo"]["status"], i == 0 ? "synced" : "unchanged") << tool;
        after["syncInfo"] = before[i]["syncInfo"];
        EXPECT_NE(after, before[i]) << tool;
        ++i;
    }
}

TEST_F(ExtremeDataTest, ConcurrentCallsGiveTheSameAnswers) {
    std::vector<Row> rows = trades_of("alpha", 60, {10, -5, 7});
    for (const Row& row : trades_of("beta", 60, {3, 8, -6, 2})) {
        rows.push_back(row);
    }
    write_block("A", rows);
    ASSERT_TRUE(app().fresh_block("A", {}).has_value());
    std::vector<Json> alone;
    for (const char* const tool : kTools) {
        alone.push_back(call(tool, arguments_of(tool, "A")));
    }
    std::vector<std::vector<Json>> answers(4);
    std::vector<std::thread> threads;
    for (auto& own : answers) {
        threads.emplace_back([this, &own] {
            for (const char* const tool : kTools) {
                own.push_back(call(tool, arguments_of(tool, "A")));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const auto& own : answers) {
        EXPECT_EQ(own, alone);
    }
}

}  // namespace
}  // namespace tb::tools::test
