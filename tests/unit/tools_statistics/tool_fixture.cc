#include "tool_fixture.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "mcp/json_text.h"
#include "tools/figure_units.h"

namespace tb::tools {

namespace {

void collect(const Json& value, const std::string& path, std::vector<std::string>& found) {
    if (value.is_number_float() && !std::isfinite(value.get<double>())) {
        found.push_back(path);
    }
    if (value.is_structured()) {
        for (const auto& [name, member] : value.items()) {
            collect(member, path + "/" + name, found);
        }
    }
}

}  // namespace

std::string trade_log(const std::vector<Row>& rows) {
    std::string text =
        "Date Opened,Time Opened,Date Closed,Time Closed,P/L,Funds at Close,Strategy,"
        "No. of Contracts,Margin Req.,Opening Commissions + Fees,Closing Commissions + Fees,"
        "P/L Basis,Premium,Max Profit,Max Loss,Reason For Close,Symbol,Opening VIX\n";
    for (const Row& row : rows) {
        for (const std::string* cell :
             {&row.opened, &row.opened_at, &row.closed, &row.closed_at, &row.pl, &row.funds,
              &row.strategy, &row.contracts, &row.margin, &row.opening_fees, &row.closing_fees,
              &row.basis, &row.premium, &row.max_profit, &row.max_loss, &row.reason, &row.symbol}) {
            text += *cell + ",";
        }
        text += row.vix + "\n";
    }
    return text;
}

ToolTest::ToolTest() {
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

void ToolTest::write_block(const std::string& id, const std::vector<Row>& rows) {
    dir_.write(id + "/tradelog.csv", trade_log(rows));
}

void ToolTest::copy_shared_block(const std::string& id) {
    namespace fs = std::filesystem;
    const fs::path data = tb::test::shared_dir() / "data";
    fs::copy(data / "blocks" / id, dir_.path() / id, fs::copy_options::recursive);
    fs::create_directories(dir_.path() / "_marketdata");
    fs::copy_file(data / "rates" / "treasury_3m_daily.csv",
                  dir_.path() / "_marketdata" / "treasury_rates.csv",
                  fs::copy_options::overwrite_existing);
}

const mcp::ToolSpec& ToolTest::tool(const std::string& name) const {
    const mcp::ToolSpec* const spec = registry_.find(name);
    if (spec == nullptr) {
        throw std::invalid_argument("no tool " + name);
    }
    return *spec;
}

Json ToolTest::call(const std::string& name, Json arguments, std::size_t budget_chars) {
    mcp::ToolContext context;
    context.set_budget_chars(budget_chars);
    const auto result = mcp::call_tool(tool(name), context, arguments);
    if (!result.has_value()) {
        ADD_FAILURE() << name << " " << arguments.dump() << ": " << result.error().message;
        return Json::object();
    }
    EXPECT_EQ(mcp::check_result(tool(name).results, *result->structured),
              std::vector<std::string>{});
    EXPECT_EQ(non_finite_paths(*result->structured), std::vector<std::string>{});
    std::vector<std::string> without_unit;
    const Json units = units_of(*result->structured, &without_unit);
    EXPECT_EQ(without_unit, std::vector<std::string>{}) << "src/tools/figure_units_table.cc";
    EXPECT_EQ(result->structured->contains("units"), arguments.value("explain", false));
    EXPECT_FALSE(result->text.empty());
    text_ = result->text;
    return *result->structured;
}

Json ToolTest::reference(const std::string& name, Json arguments) {
    arguments["conventions"] = "reference";
    return call(name, std::move(arguments));
}

std::string ToolTest::error_of(const std::string& name, const Json& arguments) {
    mcp::ToolContext context;
    const auto result = mcp::call_tool(tool(name), context, arguments);
    return result.has_value() ? std::string() : result.error().message;
}

bool has_note(const Json& answer, std::string_view figure) {
    const auto notes = answer.find("notes");
    return notes != answer.end() &&
           std::any_of(notes->begin(), notes->end(), [&](const Json& note) {
               return note["figure"] == figure && !note["reason"].get<std::string>().empty();
           });
}

std::vector<std::string> non_finite_paths(const Json& value) {
    std::vector<std::string> found;
    collect(value, "", found);
    return found;
}

std::size_t json_chars(const Json& value) {
    return mcp::to_json_text(value).size();
}

}  // namespace tb::tools
