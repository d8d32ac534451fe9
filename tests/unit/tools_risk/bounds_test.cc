// The simulations can be stopped at any moment, and sizes nobody needs are refused before they cost
// memory.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "risk_fixture.h"

namespace tb::tools::test {
namespace {

using SimulationBounds = RiskToolsTest;

// Tells the test when a call has begun to work.
class Listener : public mcp::ClientChannel {
  public:
    void progress(const Progress& progress) override {
        last_ = progress;
        begun_ = true;
        begun_.notify_all();
    }
    void log(mcp::LoggingLevel /*level*/, std::string_view /*logger*/,
             const Json& /*data*/) override {}
    [[nodiscard]] bool can_ask(mcp::InputKind /*kind*/) const override { return false; }
    mcp::Outcome<std::vector<mcp::InputAnswer>> ask(
        const std::vector<mcp::InputRequest>& /*requests*/) override {
        return mcp::tool_error("nobody answers");
    }
    void close_stream() override {}
    void wait_for_begin() const { begun_.wait(false); }
    void give_up() {
        begun_ = true;
        begun_.notify_all();
    }
    [[nodiscard]] const Progress& last() const { return last_; }

  private:
    std::atomic<bool> begun_ = false;
    Progress last_;
};

class CancelledRun : public SimulationBounds {
  protected:
    // Runs the tool, cancels it from another thread as soon as it says that it works, and gives
    // the last it said of its progress.
    Progress cancelled(const std::string& tool, const Json& arguments) {
        CancelSource source;
        Listener listener;
        std::thread canceller([&] {
            listener.wait_for_begin();
            source.cancel();
        });
        mcp::ContextOptions options;
        options.cancel = source.token();
        options.channel = &listener;
        mcp::ToolContext context(std::move(options));
        const auto result = run(tool, context, arguments);
        listener.give_up();
        canceller.join();
        EXPECT_FALSE(result.has_value());
        return listener.last();
    }
};

TEST_F(CancelledRun, ManyShortPathsEndInTheMiddle) {
    write_block("A", trades_of("alpha", 40, {100, -50, 30, -20}));
    const Progress last =
        cancelled("run_monte_carlo",
                  {{"blockId", "A"}, {"numSimulations", 10'000}, {"simulationLength", 4'000}});
    EXPECT_EQ(last.unit, "simulations");
    EXPECT_EQ(last.total, 10'000U);
    EXPECT_LT(last.done, 5'000U);
}

TEST_F(CancelledRun, FewLongPathsEndInTheMiddle) {
    write_block("A", trades_of("alpha", 40, {100, -50, 30, -20}));
    const Progress last = cancelled("run_monte_carlo", {{"blockId", "A"},
                                                        {"numSimulations", 100},
                                                        {"simulationLength", 1'000'000},
                                                        {"includeWorstCase", true},
                                                        {"worstCaseMode", "guarantee"}});
    EXPECT_EQ(last.total, 200U);  // with and without the worst cases
    EXPECT_LT(last.done, 100U);
}

TEST_F(CancelledRun, WalkForwardOverAFullGridEndsInTheMiddle) {
    std::vector<Row> rows = trades_of("alpha", 120, {10, -5, 7});
    for (const Row& row : trades_of("beta", 120, {3, 8, -6, 2})) {
        rows.push_back(row);
    }
    write_block("A", with_funds(rows, 10'000));
    const Json arguments = {{"blockId", "A"},
                            {"inSampleDays", 28},
                            {"outOfSampleDays", 14},
                            {"stepSizeDays", 2},
                            {"enableCorrelationConstraint", true},
                            {"parameterRanges", {{"kellyMultiplier", {0.001, 20, 0.001}}}}};
    const Progress last = cancelled("run_walk_forward", arguments);
    EXPECT_EQ(last.unit, "batches");
    EXPECT_GT(last.total, 1'000U);
    EXPECT_LT(last.done, last.total / 2);
}

TEST_F(SimulationBounds, SizesNobodyNeedsAreRefusedByName) {
    write_block("A", trades_of("alpha", 40, {100, -50, 30, -20}));
    const auto monte_carlo = [&](const Json& more) {
        return error_of("run_monte_carlo", with({{"blockId", "A"}}, more));
    };
    for (const char* const name : {"simulationLength", "resampleWindow", "meanBlockLength"}) {
        for (const Json& value : {Json(20'000'000), Json(9'000'000'000'000'000'000), Json(1e300)}) {
            const std::string error = monte_carlo({{name, value}});
            EXPECT_NE(error.find(name), std::string::npos) << error;
        }
    }
    EXPECT_NE(monte_carlo({{"simulationLength", 1'000'001}}).find("to 1000000"), std::string::npos);
    EXPECT_NE(monte_carlo({{"numSimulations", 10'000}, {"simulationLength", 1'000'000}})
                  .find("exceed the limit"),
              std::string::npos);
    const auto walk_forward = [&](const Json& more) {
        return error_of("run_walk_forward", with({{"blockId", "A"}}, more));
    };
    EXPECT_NE(walk_forward({{"parameterRanges", {{"kellyMultiplier", {0, 1e308, 1e-300}}}}})
                  .find("combinations"),
              std::string::npos);
    EXPECT_NE(walk_forward({{"parameterRanges",
                             {{"kellyMultiplier", {1, 200, 1}}, {"fixedContracts", {1, 200, 1}}}}})
                  .find("40000 combinations"),
              std::string::npos);
    EXPECT_NE(walk_forward({{"inSampleDays", 60'000}}).find("inSampleDays"), std::string::npos);
}

TEST_F(SimulationBounds, LimitThatCannotBeWorkedOutIsNotTakenForKept) {
    std::vector<Row> rows;
    for (int s = 0; s < 301; ++s) {
        for (const Row& row : trades_of("s" + std::to_string(s), 1, {s % 2 == 0 ? 10.0 : -5.0})) {
            rows.push_back(row);
        }
    }
    write_block("many", rows);
    const Json arguments = {{"blockId", "many"}, {"enableTailRiskConstraint", true}};
    for (const Json& asked : {arguments, reference(arguments)}) {
        EXPECT_NE(error_of("run_walk_forward", asked).find("limited to 300 strategies"),
                  std::string::npos);
    }
}

}  // namespace
}  // namespace tb::tools::test
