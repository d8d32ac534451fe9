#include "mcp/tool_docs.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tb::mcp {
namespace {

TEST(ToolDocs, ManualComesFromTheTable) {
    ToolSpec spec;
    spec.name = "list_blocks";
    spec.title = "List blocks";
    spec.description = "What there is.";
    spec.toolset = "core";
    spec.handler = [](ToolContext&, const Json&) { return ToolResult{}; };
    spec.arguments = {field::text("blockId", "Which block").required(),
                      field::choice("sortBy", {"name", "netPl"}, "Order").default_value("name"),
                      field::integer("limit", "Rows").range(1, 100)};
    spec.results = {
        field::integer("count", "How many"),
        field::list("rows",
                    field::object_schema({field::date("day", "Opened"),
                                          field::number("pl", "Profit").unit("USD").nullable()}),
                    "One each"),
        field::map_of("byStrategy", field::object_schema({field::integer("n", "Trades")}),
                      "Grouped")};
    const auto registry = ToolRegistry::make({spec});
    ASSERT_TRUE(registry.has_value());
    EXPECT_EQ(tools_markdown(*registry),
              "## list_blocks\n\n"
              "**List blocks** — toolset `core`, reads only.\n\n"
              "What there is.\n\n"
              "| Argument | Flag | Type | Rule | Meaning |\n|---|---|---|---|---|\n"
              "| blockId (required) | --block-id | string |  | Which block |\n"
              "| sortBy | --sort-by | string | `name`, `netPl`, default `\"name\"` | Order |\n"
              "| limit | --limit | integer | ≥ 1, ≤ 100 | Rows |\n\n"
              "| Result | Type | Meaning |\n|---|---|---|\n"
              "| count | integer | How many |\n"
              "| rows | list of object | One each |\n"
              "| rows[].day | date | Opened |\n"
              "| rows[].pl | number or null | Profit (USD) |\n"
              "| byStrategy | object | Grouped |\n"
              "| byStrategy.*.n | integer | Trades |\n\n");
}

}  // namespace
}  // namespace tb::mcp
