// A data directory of made-up blocks and the tools on it, for the tests of the risk tools.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/cancel.h"
#include "core/date.h"
#include "mcp/context.h"
#include "mcp/tool.h"
#include "support/temp_dir.h"
#include "tools/app.h"

namespace tb::tools::test {

using mcp::Json;

// One trade as it is written into the file; blank cells where a value is missing.
struct Row {
    Date opened;
    double pl = 0;
    std::string strategy = "alpha";
    std::optional<Date> closed;  // default: the opening day
    double contracts = 1;
    std::optional<double> margin = 1000;
    double fees = 0;  // opening; the closing ones are 0
    bool gross = false;
    std::optional<double> funds;
    std::string premium = "2.00";
    std::optional<double> max_loss;  // percent of premium
    bool open = false;
};

[[nodiscard]] Date day(std::string_view iso);
// The n-th weekday from 2024-01-01 on.
[[nodiscard]] Date weekday(int n);
// `count` trades of one strategy on consecutive weekdays with these results, repeated.
[[nodiscard]] std::vector<Row> trades_of(const std::string& strategy, int count,
                                         const std::vector<double>& results);

// Gives every row the balance after it, in this order, from `start` dollars on.
[[nodiscard]] std::vector<Row> with_funds(std::vector<Row> rows, double start);

class RiskToolsTest : public ::testing::Test {
  protected:
    RiskToolsTest();

    void write_block(const std::string& id, const std::vector<Row>& rows);
    // The real blocks and rates.
    void copy_real_blocks();

    // The answer, checked against its output schema; complete unless `budget` is given.
    Json call(const std::string& tool, Json arguments, std::size_t budget = 0);
    std::string text_of(const std::string& tool, Json arguments, std::size_t budget = 0);
    // The message of a call that must fail; empty (and a test failure) if it does not.
    std::string error_of(const std::string& tool, Json arguments);
    // A call with a context of one's own.
    mcp::Outcome<mcp::ToolResult> run(const std::string& tool, mcp::ToolContext& context,
                                      const Json& arguments);

    App& app() { return *app_; }

    tb::test::TempDir dir_;

  private:
    std::unique_ptr<App> app_;
    mcp::ToolRegistry registry_;
};

[[nodiscard]] Json with(Json arguments, const Json& more);
[[nodiscard]] Json reference(Json arguments);
// What `explain: true` says about a figure ("statistics.meanFinalValue"); null if nothing. Entries
// may be about several: "strategies[].avgWin, avgLoss".
[[nodiscard]] Json explanation_of(const Json& answer, std::string_view figure);
// Whether any element of `list` contains `text`.
[[nodiscard]] bool mentions(const Json& list, std::string_view text);

}  // namespace tb::tools::test
