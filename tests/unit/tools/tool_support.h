// Tools called as a command line calls them, on a data directory of the test's own; every result is
// held against the shape its table declares.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mcp/tool.h"
#include "support/temp_dir.h"
#include "tools/app.h"

namespace tb::tools {

inline constexpr std::string_view kTradeHeader =
    "Date Opened,Time Opened,Legs,Premium,Date Closed,Time Closed,P/L,No. of Contracts,Margin "
    "Req.,Strategy,Opening Commissions + Fees,Closing Commissions + Fees,Reason For Close,Symbol\n";
inline constexpr std::string_view kReportingHeader =
    "Strategy,Date Opened,Opening Price,Legs,Initial Premium,No. of Contracts,P/L,Actual P/L\n";

struct Answer {
    std::string text;
    mcp::Json json;
    std::string error;  // of a tool error; the rest is empty then
    [[nodiscard]] bool ok() const { return error.empty(); }
};

class ToolTest : public ::testing::Test {
  protected:
    ToolTest();

    // `budget` 0 = complete. Fails the test if the result is not of the declared shape.
    [[nodiscard]] Answer call(const std::string& tool,
                              const mcp::Json& arguments = mcp::Json::object(),
                              std::size_t budget = 0);
    [[nodiscard]] Answer call(const std::string& tool, const mcp::Json& arguments,
                              mcp::ToolContext& context);
    // The JSON of a call that must succeed.
    [[nodiscard]] mcp::Json json_of(const std::string& tool,
                                    const mcp::Json& arguments = mcp::Json::object());

    // A block whose rows follow the header.
    void write_block(const std::string& id, std::string_view rows) const;
    // The two real data sets, as blocks of this directory.
    void copy_real_blocks() const;

    tb::test::TempDir dir_;
    App app_;
    mcp::ToolRegistry registry_;
};

}  // namespace tb::tools
