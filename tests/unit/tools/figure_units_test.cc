// Every number of an answer has a unit.
#include "tools/figure_units.h"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/temp_dir.h"
#include "tools/app.h"
#include "tools/figure_units_table.h"
#include "tools/registry.h"

namespace tb::tools {
namespace {

using mcp::Json;

// Numbers of a published schema without "(unit)" at the end of the description; in an outline the
// unit is all the description.
void numbers_without_unit(const Json& schema, const std::string& place, bool outline,
                          std::vector<std::string>& found) {
    const std::string type = schema.value("type", "");
    const std::string description = schema.value("description", "");
    const bool nullable_number =
        description.rfind("number or null", 0) == 0 || description.rfind("integer or null", 0) == 0;
    if ((type == "number" || type == "integer" || nullable_number) &&
        (description.empty() || (!outline && description.back() != ')'))) {
        found.push_back(place);
    }
    if (schema.contains("properties")) {
        for (const auto& [name, member] : schema["properties"].items()) {
            numbers_without_unit(member, place + "." + name, outline, found);
        }
    }
    if (schema.contains("items")) {
        numbers_without_unit(schema["items"], place + "[]", outline, found);
    }
}

TEST(FigureUnits, NoNumberOfAnOutputSchemaIsWithoutOne) {
    const test::TempDir dir;
    AppOptions options;
    options.data_dir = dir.path();
    App app(std::move(options));
    std::vector<std::string> found;
    std::size_t tools = 0;
    for (const mcp::ToolSpec& tool : all_tools(app)) {
        ++tools;
        numbers_without_unit(mcp::output_schema_json(tool.results), tool.name, false, found);
        numbers_without_unit(mcp::output_outline_json(tool.results), tool.name + " (outline)", true,
                             found);
    }
    EXPECT_GE(tools, 20U);
    EXPECT_EQ(found, std::vector<std::string>()) << "src/tools/figure_units_table.cc";
}

TEST(FigureUnits, TheLongestPlaceCounts) {
    EXPECT_EQ(figure_unit("strategies.winRate")->unit, "fraction of the trades, 0 to 1");
    EXPECT_EQ(figure_unit("rollingMetrics.winRate")->unit, "percent of the trades, 0 to 100");
    EXPECT_EQ(figure_unit("monthlyReturns.2025.6")->unit, "USD, + profit, - loss");
    EXPECT_FALSE(figure_unit("nobodyKnowsThis"));
    std::vector<std::string> unknown;
    const Json units = units_of(Json{{"stats", {{"netPl", 1}, {"odd", 2.5}}},
                                     {"rows", {{{"winRate", 0.5}, {"name", "x"}}}},
                                     {"explain", {{"inputs", {{"anything", 1}}}}}},
                                &unknown);
    EXPECT_EQ(units, (Json{{"netPl", "USD after fees, + profit, - loss"},
                           {"winRate", "fraction of the trades, 0 to 1"}}));
    EXPECT_EQ(unknown, std::vector<std::string>{"stats.odd"});
    EXPECT_EQ(units_text(units, 20), "Units: netPl: USD after fe…\n");
}

TEST(FigureUnits, EachPlaceIsInTheTableOnce) {
    std::set<std::string_view> places;
    for (const FigureUnit& unit : figure_unit_table()) {
        EXPECT_TRUE(places.insert(unit.place).second) << unit.place;
        EXPECT_FALSE(unit.unit.empty()) << unit.place;
    }
}

}  // namespace
}  // namespace tb::tools
