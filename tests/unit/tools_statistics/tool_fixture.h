// A data directory of small blocks, the registry on it, and calls that check every answer against
// its result table. Thread-compatible.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mcp/context.h"
#include "mcp/tool.h"
#include "support/temp_dir.h"
#include "tools/app.h"
#include "tools/registry.h"

namespace tb::tools {

using mcp::Json;

// One row of a trade log; texts as in the file.
struct Row {
    std::string opened = "2024-01-02";
    std::string opened_at = "10:00:00";
    std::string closed = "2024-01-02";
    std::string closed_at = "15:00:00";
    std::string pl = "0";
    std::string funds = {};
    std::string strategy = "alpha";
    std::string contracts = "1";
    std::string margin = {};
    std::string opening_fees = {};
    std::string closing_fees = {};
    std::string basis = {};
    std::string premium = {};
    std::string max_profit = {};
    std::string max_loss = {};
    std::string reason = "Expired";
    std::string symbol = {};
    std::string vix = {};
};
[[nodiscard]] std::string trade_log(const std::vector<Row>& rows);

class ToolTest : public ::testing::Test {
  protected:
    ToolTest();

    void write_block(const std::string& id, const std::vector<Row>& rows);
    // The real blocks and rates; only after TB_REQUIRE_SHARED().
    void copy_shared_block(const std::string& id);

    // The answer's object; a failure of the test when the call fails or breaks its result table.
    Json call(const std::string& tool, Json arguments, std::size_t budget_chars = 0);
    // The same with conventions "reference".
    Json reference(const std::string& tool, Json arguments);
    // The text of a failed call, empty when it succeeds.
    std::string error_of(const std::string& tool, const Json& arguments);
    // The text of the last successful call.
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] const mcp::ToolSpec& tool(const std::string& name) const;

    tb::test::TempDir dir_;
    std::unique_ptr<App> app_;

  private:
    mcp::ToolRegistry registry_;
    std::string text_;
};

// Whether `notes` of an answer has one about this figure.
[[nodiscard]] bool has_note(const Json& answer, std::string_view figure);
// Members that are neither finite numbers nor anything else JSON has: none may exist.
[[nodiscard]] std::vector<std::string> non_finite_paths(const Json& value);

// Bytes of the object as it is sent.
[[nodiscard]] std::size_t json_chars(const Json& value);

}  // namespace tb::tools
