// Schemas and tools as data: what is published, what is checked, what is put right.
#include "mcp/schema.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/nearest.h"
#include "mcp/resource.h"
#include "mcp/tool.h"

namespace tb::mcp {
namespace {

std::vector<Field> arguments() {
    return {field::text("blockId", "Block id").required(),
            field::choice("sortBy", {"name", "netPl", "tradeCount"}, "Order").default_value("name"),
            field::integer("limit", "Rows").range(1, 100),
            field::number("minPl", "Least profit").unit("USD"),
            field::boolean("hasDailyLog", "Only with a daily log"),
            field::date("startDate", "First day"),
            field::list("strategies", field::text_schema(), "Which"),
            field::object("range", {field::integer("from", "First").required()}, "Bounds")};
}

std::string failure(const Json& given) {
    const auto checked = check_arguments(arguments(), given);
    return checked.has_value() ? "accepted: " + checked->dump() : checked.error();
}

TEST(Schema, T3_InputSchemaIsThePlainSubset) {
    EXPECT_EQ(to_json_text(input_schema_json(arguments())),
              R"~({"type":"object","properties":{)~"
              R"~("blockId":{"type":"string","description":"Block id"},)~"
              R"~("sortBy":{"type":"string","description":"Order","enum":["name","netPl",)~"
              R"~("tradeCount"],"default":"name"},)~"
              R"~("limit":{"type":"integer","description":"Rows","minimum":1,"maximum":100},)~"
              R"~("minPl":{"type":"number","description":"Least profit (USD)"},)~"
              R"~("hasDailyLog":{"type":"boolean","description":"Only with a daily log"},)~"
              R"~("startDate":{"type":"string","description":"First day (YYYY-MM-DD)"},)~"
              R"~("strategies":{"type":"array","description":"Which","items":{"type":"string"}},)~"
              R"~("range":{"type":"object","description":"Bounds",)~"
              R"~("properties":{"from":{"type":"integer","description":"First"}},)~"
              R"~("required":["from"],"additionalProperties":false}},)~"
              R"~("required":["blockId"],"additionalProperties":false})~");
    EXPECT_EQ(to_json_text(input_schema_json({})),
              R"~({"type":"object","properties":{},"additionalProperties":false})~");
}

TEST(Schema, T8_OutputSchemaIsOpenAndDocumentsNull) {
    const std::vector<Field> results = {
        field::number("sharpe", "Sharpe ratio").nullable(),
        field::map_of("byStrategy", field::object_schema({field::integer("n", "Trades")}),
                      "By name"),
        field::text("note", "A note").optional()};
    EXPECT_EQ(to_json_text(output_schema_json(results)),
              R"~({"type":"object",)~"
              R"~("properties":{"sharpe":{"description":"number or null: Sharpe ratio"},)~"
              R"~("byStrategy":{"type":"object","description":"By name"},)~"
              R"~("note":{"type":"string","description":"A note"}},"required":["sharpe",)~"
              R"~("byStrategy"]})~");
    EXPECT_TRUE(
        check_result(results, {{"sharpe", nullptr}, {"byStrategy", {{"a", {{"n", 3}}}}}}).empty());
    const auto broken = check_result(
        results, {{"sharpe", "1.2"}, {"byStrategy", {{"a", {{"n", 3.5}}}}}, {"note", 7}});
    EXPECT_EQ(broken, (std::vector<std::string>{"sharpe: is \"1.2\", not number",
                                                "byStrategy.a.n: is 3.5, not integer",
                                                "note: is 7, not string"}));
    EXPECT_EQ(check_result(results, {{"sharpe", 1}}),
              (std::vector<std::string>{"byStrategy: is missing"}));
    EXPECT_EQ(check_result(results, {{"sharpe", std::nan("")},
                                     {"byStrategy", Json::object()},
                                     {"extra", {1, std::nan("")}}}),
              (std::vector<std::string>{"sharpe: is not finite", "extra[1]: is not finite"}));
}

TEST(Schema, T4_BenignSlipsArePutRight) {
    const auto checked = check_arguments(arguments(), {{"blockId", "EMA"},
                                                       {"limit", "20"},
                                                       {"minPl", "-1.5"},
                                                       {"hasDailyLog", "true"},
                                                       {"startDate", nullptr},
                                                       {"strategies", "0DTE"},
                                                       {"range", {{"from", 5.0}}}});
    ASSERT_TRUE(checked.has_value()) << checked.error();
    EXPECT_EQ(
        to_json_text(*checked),
        R"~({"blockId":"EMA","limit":20,"minPl":-1.5,"hasDailyLog":true,"strategies":["0DTE"],)~"
        R"~("range":{"from":5},"sortBy":"name"})~");
    EXPECT_EQ(check_arguments(arguments(), {{"blockId", "x"}, {"strategies", R"(["a","b"])"}})
                  .value()["strategies"]
                  .dump(),
              R"~(["a","b"])~");
}

TEST(Schema, T4_AllFailuresAreNamedAtOnce) {
    EXPECT_EQ(failure({{"blockID", "EMA"},
                       {"sortBy", "netpl"},
                       {"limit", 101},
                       {"minPl", "lots"},
                       {"hasDailyLog", "yes"},
                       {"startDate", "2025-02-30"},
                       {"strategies", {1, "a"}},
                       {"range", Json::object()}}),
              "unknown parameter 'blockID'; did you mean 'blockId'?\n"
              "parameter 'blockId' is required: a string\n"
              "parameter 'sortBy' is \"netpl\" but must be one of 'name', 'netPl', 'tradeCount'; "
              "did you mean 'netPl'?\n"
              "parameter 'limit' is 101 but must be an integer from 1 to 100\n"
              "parameter 'minPl' is \"lots\" but must be a number\n"
              "parameter 'hasDailyLog' is \"yes\" but must be true or false\n"
              "parameter 'startDate' is \"2025-02-30\" but must be a date as YYYY-MM-DD\n"
              "parameter 'strategies[0]' is 1 but must be a string\n"
              "parameter 'range.from' is required: an integer");
    EXPECT_EQ(failure({{"blockId", "x"}, {"limit", "5x"}}),
              "parameter 'limit' is \"5x\" but must be an integer from 1 to 100");
    EXPECT_EQ(failure({{"blockId", "x"}, {"limit", 2.5}}),
              "parameter 'limit' is 2.5 but must be an integer from 1 to 100");
    EXPECT_EQ(failure(Json::array({1})), "arguments must be an object, not [1]");
    EXPECT_EQ(check_arguments({}, {{"x", 1}}).error(),
              "unknown parameter 'x'; it takes no parameters");
}

TEST(Schema, PublishedSchemaAndTableJudgeAlike) {
    // The table's own check and a plain reading of what it publishes must agree on values that
    // need no coercion.
    const Json schema = input_schema_json(arguments());
    const std::vector<Json> values = {
        {{"blockId", "a"}},
        {{"blockId", "a"}, {"limit", 100}},
        {{"blockId", "a"}, {"limit", 0}},
        {{"blockId", "a"}, {"sortBy", "other"}},
        {{"blockId", "a"}, {"unknown", 1}},
        {{"blockId", "a"}, {"strategies", {"x", "y"}}},
        {{"blockId", "a"}, {"strategies", {"x", 2}}},
        {{"blockId", "a"}, {"range", {{"from", 1}}}},
        {{"blockId", "a"}, {"range", {{"from", 1}, {"to", 2}}}},
        Json::object(),
    };
    for (const Json& value : values) {
        EXPECT_EQ(check_arguments(arguments(), value).has_value(),
                  check_against_schema(schema, value).empty())
            << value.dump();
    }
}

ToolSpec good_tool(std::string name) {
    ToolSpec spec;
    spec.name = std::move(name);
    spec.title = "A title";
    spec.description = "Does it.";
    spec.toolset = "core";
    spec.handler = [](ToolContext&, const Json&) { return ToolResult{}; };
    return spec;
}

TEST(Tool, T2_EntryHasTitleSchemasAndAllFiveAnnotations) {
    ToolSpec spec = good_tool("purge_table");
    spec.annotations = Annotations::deletes();
    spec.arguments = {field::text("blockId", "Block").with_header("Block-Id")};
    spec.results = {field::integer("rows", "Deleted")};
    spec.max_result_chars = 100'000;
    EXPECT_EQ(to_json_text(tool_json(spec)),
              R"~({"name":"purge_table","title":"A title","description":"Does it.",)~"
              R"~("inputSchema":{"type":"object","properties":{"blockId":{"type":"string",)~"
              R"~("description":"Block","x-mcp-header":"Block-Id"}},)~"
              R"~("additionalProperties":false},)~"
              R"~("outputSchema":{"type":"object","properties":{"rows":{"type":"integer"}}},)~"
              R"~("annotations":{"title":"A title","readOnlyHint":false,)~"
              R"~("destructiveHint":true,"idempotentHint":true,"openWorldHint":false},)~"
              R"~("_meta":{"anthropic/maxResultSizeChars":100000}})~");
    const auto headers = header_parameters(spec);
    ASSERT_EQ(headers.size(), 1U);
    EXPECT_EQ(headers[0].header, "Block-Id");
    EXPECT_EQ(headers[0].path, (std::vector<std::string>{"blockId"}));
}

TEST(Tool, T13_ListsHoldAnOutlineOfResults) {
    const std::vector<Field> results = {
        field::integer("count", "How many").unit("trades, 0 or more"),
        field::number("ratio", "Sharpe").nullable(),
        field::list("rows", field::object_schema({field::date("day", "Day")}), "One per day"),
        field::list("names", field::text_schema(), "Names").optional(),
        field::map_of("by", field::integer_schema(), "By name"),
    };
    const Json outline = output_outline_json(results);
    EXPECT_EQ(
        to_json_text(outline),
        R"~({"type":"object","properties":{"count":{"type":"integer","description":"trades"},)~"
        R"~("rows":{"type":"array","items":{"type":"object"}},"by":{"type":"object"}}})~");
    const Json value =
        Json::parse(R"~({"count":2,"ratio":null,"rows":[{"day":"2024-01-02"}],"by":{"a":1}})~");
    EXPECT_TRUE(check_result(results, value).empty());
    EXPECT_TRUE(check_against_schema(outline, value).empty());
}

TEST(Tool, RawSchemaPassesThroughUntouched) {
    ToolSpec spec = good_tool("raw_tool");
    spec.raw_input_schema =
        Json::parse(R"~({"$schema":"x","type":"object","$defs":{"a":{"$anchor":"b"}},)~"
                    R"~("properties":{"q":{"type":"string","x-mcp-header":"Q"}},"if":{},)~"
                    R"~("additionalProperties":false})~");
    EXPECT_EQ(to_json_text(tool_json(spec)["inputSchema"]), to_json_text(*spec.raw_input_schema));
    EXPECT_EQ(header_parameters(spec).at(0).header, "Q");
}

TEST(Tool, T1_BrokenTablesAreRefusedWithEveryReason) {
    ToolSpec bad_name = good_tool("Bad-Name");
    ToolSpec bare = good_tool("bare_tool");
    bare.title.clear();
    bare.handler = nullptr;
    bare.description = std::string(1025, 'x');
    bare.arguments = {field::text("a", ""), field::text("a", "Twice")};
    const auto made = ToolRegistry::make(
        {good_tool("same_name"), good_tool("same_name"), bad_name, bare, good_tool("a")});
    ASSERT_FALSE(made.has_value());
    for (const char* part : {"same_name: declared twice", "'Bad-Name': names match", "no title",
                             "no handler", "1 to 1024 bytes", "repeated field 'a'",
                             "bare_tool argument.a: no description", "'a': names match"}) {
        EXPECT_NE(made.error().message.find(part), std::string::npos) << part;
    }
}

TEST(Tool, T13_ReadOnlyWinsOverEverySelection) {
    ToolSpec writer = good_tool("import_csv");
    writer.toolset = "import";
    writer.annotations = Annotations::adds(false);
    ToolSpec sql = good_tool("run_sql");
    sql.toolset = "sql";
    const auto registry = *ToolRegistry::make({good_tool("list_blocks"), writer, sql});
    const auto names = [&](const ToolSelection& selection) {
        std::string text;
        const auto chosen = registry.select(selection);
        if (!chosen.has_value()) {
            return chosen.error().message;
        }
        for (const auto& tool : chosen->tools()) {
            text += tool->name + " ";
        }
        return text;
    };
    EXPECT_EQ(names({}), "list_blocks import_csv run_sql ");
    EXPECT_EQ(names({{"core"}, {"import_csv"}, {}, false}), "list_blocks import_csv ");
    EXPECT_EQ(names({{"core"}, {"import_csv"}, {}, true}), "list_blocks ");
    EXPECT_EQ(names({{}, {}, {"run_sql"}, false}), "list_blocks import_csv ");
    EXPECT_EQ(names({{"cor"}, {}, {"run_sq"}, false}),
              "unknown toolset 'cor'; did you mean 'core'?\n"
              "unknown tool 'run_sq'; did you mean 'run_sql'?");
}

TEST(Tool, CliFlagsComeFromTheTable) {
    ToolSpec spec = good_tool("list_blocks");
    spec.arguments = arguments();
    const auto flags = cli_flags(spec);
    ASSERT_EQ(flags.size(), 8U);
    EXPECT_EQ(flags[0].flag, "--block-id");
    EXPECT_TRUE(flags[0].required);
    EXPECT_EQ(flags[1].help, "Order {name,netPl,tradeCount} [default \"name\"]");
    EXPECT_EQ(flags[6].flag, "--strategies");
    EXPECT_TRUE(flags[6].repeatable);
    EXPECT_EQ(flags[6].type, JsonType::kString);
}

TEST(Nearest, T5_RanksCaseThenPartThenDistance) {
    const std::vector<std::string> names = {"EMA Test Data", "MEIC Test Data", "run_sql",
                                            "get_block_info", "get_block_stats"};
    EXPECT_EQ(nearest_names("EMA", names), (std::vector<std::string>{"EMA Test Data"}));
    EXPECT_EQ(nearest_names("run_slq", names), (std::vector<std::string>{"run_sql"}));
    EXPECT_EQ(nearest_names("get_block_inf", names),
              (std::vector<std::string>{"get_block_info", "get_block_stats"}));
    EXPECT_TRUE(nearest_names("zzz", names).empty());
    EXPECT_EQ(did_you_mean("meic test dat", names),
              "; did you mean 'MEIC Test Data' or 'EMA Test Data'?");
}

TEST(Nearest, ANameThatExistsIsNotSuggestedForItself) {
    EXPECT_EQ(did_you_mean("run_sql", {"run_sql"}), "");
    EXPECT_EQ(did_you_mean("run_sql", {"run_sql", "RUN_SQL"}), "; did you mean 'RUN_SQL'?");
}

TEST(InputSchema, T3_AMapHasPropertiesToo) {
    const Json schema =
        input_schema_json({field::map_of("ranges", field::number_schema(), "By name")});
    EXPECT_EQ(schema["properties"]["ranges"]["properties"], Json::object());
}

TEST(UriTemplate, T16_DecodesOnceAndRefusesTraversal) {
    const auto made = UriTemplate::parse("tradeblocks://blocks/{blockId}/trades{?cursor}");
    ASSERT_TRUE(made.has_value());
    const auto matched = made->match("tradeblocks://blocks/EMA%20Test%20Data/trades?cursor=a%3Db");
    ASSERT_TRUE(matched.has_value());
    EXPECT_EQ(matched->at("blockId"), "EMA Test Data");
    EXPECT_EQ(matched->at("cursor"), "a=b");
    EXPECT_EQ(made->match("tradeblocks://blocks/a%2541/trades")->at("blockId"), "a%41");
    for (const char* bad :
         {"tradeblocks://blocks/../trades", "tradeblocks://blocks/%2E%2E/trades",
          "tradeblocks://blocks/a%2Fb/trades", "tradeblocks://blocks/a%5Cb/trades",
          "tradeblocks://blocks/a%00/trades", "tradeblocks://blocks/a%FF/trades",
          "tradeblocks://blocks/a%2/trades", "tradeblocks://blocks//trades",
          "tradeblocks://blocks/a/b/trades", "tradeblocks://blocks/a/trades/x",
          "tradeblocks://blocks/a/trades?other=1", "tradeblocks://blocks/a/trade"}) {
        EXPECT_FALSE(made->match(bad).has_value()) << bad;
    }
    EXPECT_EQ(made->expand({{"blockId", "a b/ü"}, {"cursor", "x"}}),
              "tradeblocks://blocks/a%20b%2F%C3%BC/trades?cursor=x");
    for (const char* bad : {"a{", "a{+b}", "a{b}{c}", "a{?x}y", "a{}"}) {
        EXPECT_FALSE(UriTemplate::parse(bad).has_value()) << bad;
    }
}

TEST(Completion, T15_PrefixBeforeFuzzyWithoutRepeats) {
    EXPECT_EQ(rank_completions({"pineapple", "apple", "banana", "Apricot", "apple"}, "ap"),
              (std::vector<std::string>{"apple", "Apricot", "pineapple"}));
    EXPECT_EQ(rank_completions({"b", "a"}, ""), (std::vector<std::string>{"b", "a"}));
}

}  // namespace
}  // namespace tb::mcp
