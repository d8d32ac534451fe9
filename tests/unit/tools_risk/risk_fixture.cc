#include "risk_fixture.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "mcp/json_text.h"
#include "mcp/render.h"
#include "mcp/tool_result.h"
#include "tools/figure_units.h"
#include "tools/registry.h"

namespace tb::tools::test {

Date day(std::string_view iso) {
    return Date::from_iso(iso).value();
}

Date weekday(int n) {
    return day("2024-01-01").plus_days(n / 5 * 7 + n % 5);  // a Monday
}

std::vector<Row> trades_of(const std::string& strategy, int count,
                           const std::vector<double>& results) {
    std::vector<Row> rows;
    for (int i = 0; i < count; ++i) {
        Row row;
        row.opened = weekday(i);
        row.strategy = strategy;
        row.pl = results[static_cast<std::size_t>(i) % results.size()];
        rows.push_back(row);
    }
    return rows;
}

std::vector<Row> with_funds(std::vector<Row> rows, double start) {
    for (Row& row : rows) {
        start += row.pl;
        row.funds = start;
    }
    return rows;
}

RiskToolsTest::RiskToolsTest() {
    AppOptions options;
    options.data_dir = dir_.path();
    app_ = std::make_unique<App>(std::move(options));
    auto made = make_registry(*app_);
    if (made.has_value()) {
        registry_ = std::move(*made);
    } else {
        ADD_FAILURE() << made.error().to_string();
    }
}

void RiskToolsTest::write_block(const std::string& id, const std::vector<Row>& rows) {
    std::string text =
        "Date Opened,Time Opened,Strategy,Legs,Premium,No. of Contracts,P/L,Date Closed,Time "
        "Closed,Margin Req.,Opening Commissions + Fees,Closing Commissions + Fees,Funds at "
        "Close,P/L "
        "Basis,Max Loss\n";
    const auto cell = [](const std::optional<double>& value) {
        return value ? mcp::to_json_text(Json(*value)) : std::string();
    };
    for (const Row& row : rows) {
        text +=
            fmt::format("{},10:00:00,{},legs,{},{},{},{},{},{},{},0,{},{},{}\n",
                        row.opened.to_iso(), row.strategy, row.premium, cell(row.contracts),
                        cell(row.pl), row.open ? "" : row.closed.value_or(row.opened).to_iso(),
                        row.open ? "" : "15:00:00", cell(row.margin), cell(row.fees),
                        cell(row.funds), row.gross ? "gross_before_fees" : "", cell(row.max_loss));
    }
    dir_.write(std::filesystem::path(id) / "tradelog.csv", text);
}

void RiskToolsTest::copy_real_blocks() {
    const std::filesystem::path data = tb::test::shared_dir() / "data";
    std::filesystem::copy(data / "blocks", dir_.path(), std::filesystem::copy_options::recursive);
    std::filesystem::create_directories(dir_.path() / "_marketdata");
    std::filesystem::copy_file(data / "rates" / "treasury_3m_daily.csv",
                               dir_.path() / "_marketdata" / "treasury_rates.csv");
}

mcp::Outcome<mcp::ToolResult> RiskToolsTest::run(const std::string& tool, mcp::ToolContext& context,
                                                 const Json& arguments) {
    const mcp::ToolSpec* const spec = registry_.find(tool);
    if (spec == nullptr) {
        return mcp::tool_error("no tool " + tool);
    }
    auto result = mcp::call_tool(*spec, context, arguments);
    if (result.has_value()) {
        EXPECT_EQ(mcp::check_result(spec->results, *result->structured),
                  std::vector<std::string>{});
        std::vector<std::string> without_unit;
        EXPECT_FALSE(units_of(*result->structured, &without_unit).empty());
        EXPECT_EQ(without_unit, std::vector<std::string>{}) << "src/tools/figure_units_table.cc";
        if (context.budget_chars() != 0) {  // over MCP, which refuses more
            EXPECT_LE(mcp::char_count(mcp::to_json_text(*result->structured)),
                      mcp::result_budget(*spec, arguments).cap);
        }
    }
    return result;
}

Json RiskToolsTest::call(const std::string& tool, Json arguments, std::size_t budget) {
    mcp::ToolContext context;
    context.set_budget_chars(budget);
    auto result = run(tool, context, arguments);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result.has_value() ? *result->structured : Json::object();
}

std::string RiskToolsTest::text_of(const std::string& tool, Json arguments, std::size_t budget) {
    mcp::ToolContext context;
    context.set_budget_chars(budget);
    auto result = run(tool, context, arguments);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result.has_value() ? result->text : std::string();
}

std::string RiskToolsTest::error_of(const std::string& tool, Json arguments) {
    mcp::ToolContext context;
    auto result = run(tool, context, arguments);
    EXPECT_FALSE(result.has_value()) << result->text;
    return result.has_value() ? std::string() : result.error().message;
}

Json with(Json arguments, const Json& more) {
    arguments.update(more);
    return arguments;
}

Json reference(Json arguments) {
    arguments["conventions"] = "reference";
    return arguments;
}

Json explanation_of(const Json& answer, std::string_view figure) {
    for (const Json& entry : answer["explain"]) {
        const std::string names = entry["figure"].get<std::string>();
        const std::string place = names.substr(0, names.substr(0, names.find(", ")).rfind('.') + 1);
        for (std::size_t begin = 0; begin < names.size();) {
            const std::size_t end = std::min(names.find(", ", begin), names.size());
            if ((begin == 0 ? "" : place) + names.substr(begin, end - begin) == figure) {
                return entry;
            }
            begin = end + 2;
        }
    }
    return nullptr;
}

bool mentions(const Json& list, std::string_view text) {
    return std::any_of(list.begin(), list.end(), [&](const Json& entry) {
        return entry.dump().find(text) != std::string::npos;
    });
}

}  // namespace tb::tools::test
