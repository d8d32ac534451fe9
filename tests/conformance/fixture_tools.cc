#include <thread>

#include <nlohmann/json.hpp>

#include "fixture.h"

namespace tb::fixture {

using namespace mcp;         // NOLINT(google-build-using-namespace): a fixture of that library
using namespace mcp::field;  // NOLINT(google-build-using-namespace)
using std::chrono::milliseconds;

ToolSpec simple_tool(std::string name, std::string description, ToolHandler handler) {
    ToolSpec spec;
    spec.title = name;
    spec.name = std::move(name);
    spec.description = std::move(description);
    spec.toolset = "fixture";
    spec.annotations = Annotations::reads();
    spec.handler = std::move(handler);
    return spec;
}

ToolResult text_result(std::string text) {
    ToolResult result;
    result.text = std::move(text);
    return result;
}

bool sleep_unless_cancelled(const ToolContext& context, milliseconds time) {
    constexpr milliseconds kStep{5};
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end && !context.cancelled()) {
        std::this_thread::sleep_for(kStep);
    }
    return !context.cancelled();
}

namespace {

Outcome<ToolResult> with_extra(std::string text, std::vector<ContentItem> extra) {
    ToolResult result = text_result(std::move(text));
    result.extra = std::move(extra);
    return result;
}

Outcome<ToolResult> log_three_times(ToolContext& context) {
    constexpr milliseconds kPause{50};
    context.log(LoggingLevel::kInfo, "Tool execution started");
    sleep_unless_cancelled(context, kPause);
    context.log(LoggingLevel::kInfo, "Tool processing data");
    sleep_unless_cancelled(context, kPause);
    context.log(LoggingLevel::kInfo, "Tool execution completed");
    return text_result("Tool with logging completed");
}

Outcome<ToolResult> report_three_times(ToolContext& context) {
    constexpr milliseconds kPause{50};
    for (const unsigned done : {0U, 50U, 100U}) {
        if (done != 0) {
            sleep_unless_cancelled(context, kPause);
        }
        context.report(
            {done, 100, "percent", "Completed step " + std::to_string(done) + " of 100"});
    }
    return text_result("Tool with progress completed");
}

Outcome<ToolResult> break_off_and_answer(ToolContext& context) {
    context.close_stream();
    sleep_unless_cancelled(context, milliseconds(100));
    return text_result("Reconnection test completed");
}

// Every keyword here must come through tools/list untouched (SEP-1613, SEP-2106).
Json schema_2020_12() {
    return Json::parse(R"({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {"$anchor": "addressDef", "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"}},
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false})");
}

// What the suite does not ask for and our own end-to-end tests do.
ToolSpec structured_tool() {
    ToolSpec spec =
        simple_tool("test_structured_content", "Returns two rows as text and as data", nullptr);
    spec.arguments = {integer("factor", "Multiplies every figure").range(1, 1000).default_value(1),
                      choice("order", {"up", "down"}, "Order of the rows").default_value("up")};
    spec.results = {integer("rowCount", "Rows that follow"),
                    list("rows",
                         object_schema({date("day", "Day"), number("netPl", "Profit").unit("USD"),
                                        number("ratio", "May be missing").nullable()}),
                         "One per day")};
    spec.handler = [](ToolContext&, const Json& arguments) -> Outcome<ToolResult> {
        const auto factor = arguments.at("factor").get<double>();
        Json rows =
            Json::array({{{"day", "2024-03-01"}, {"netPl", 12.5 * factor}, {"ratio", 0.75}},
                         {{"day", "2024-03-04"}, {"netPl", -3 * factor}, {"ratio", nullptr}}});
        if (arguments.at("order") == "down") {
            rows = Json::array({rows[1], rows[0]});
        }
        ToolResult result = text_result("2 rows: 2024-03-01, 2024-03-04");
        result.structured = Json{{"rowCount", 2}, {"rows", std::move(rows)}};
        return result;
    };
    return spec;
}

ToolSpec slow_tool() {
    ToolSpec spec = simple_tool("test_slow", "Works for a while, reporting progress", nullptr);
    spec.arguments = {integer("milliseconds", "How long").required().range(0, 60'000)};
    spec.handler = [](ToolContext& context, const Json& arguments) -> Outcome<ToolResult> {
        const auto total = arguments.at("milliseconds").get<std::uint64_t>();
        for (std::uint64_t done = 0; done < total; done += 20) {
            context.report({done, total, "ms", "working"});
            if (!sleep_unless_cancelled(context, milliseconds(20))) {
                return tool_error("cancelled");
            }
        }
        return text_result("Worked for " + std::to_string(total) + " ms");
    };
    return spec;
}

ToolSpec header_tool() {
    ToolSpec spec = simple_tool("test_header_parameters",
                                "Has parameters that HTTP clients mirror in headers", nullptr);
    spec.arguments = {text("region", "Where").required().with_header("Region"),
                      integer("priority", "How urgent").with_header("Priority")};
    spec.handler = [](ToolContext&, const Json& arguments) -> Outcome<ToolResult> {
        return text_result("region=" + arguments.at("region").get<std::string>());
    };
    return spec;
}

}  // namespace

std::vector<ToolSpec> plain_tools() {
    std::vector<ToolSpec> tools;
    const auto add = [&](std::string name, std::string description, ToolHandler handler) {
        tools.push_back(simple_tool(std::move(name), std::move(description), std::move(handler)));
    };
    add("test_simple_text", "Returns one text", [](ToolContext&, const Json&) {
        return Outcome<ToolResult>(text_result("This is a simple text response for testing."));
    });
    add("test_image_content", "Returns one image", [](ToolContext&, const Json&) {
        return with_extra("", {ContentItem::image(std::string(kPixelPng), "image/png")});
    });
    add("test_audio_content", "Returns one sound", [](ToolContext&, const Json&) {
        return with_extra("", {ContentItem::audio(std::string(kSilenceWav), "audio/wav")});
    });
    add("test_embedded_resource", "Returns a resource by value", [](ToolContext&, const Json&) {
        return with_extra("",
                          {ContentItem::embedded_text("test://embedded-resource", "text/plain",
                                                      "This is an embedded resource content.")});
    });
    add("test_multiple_content_types", "Returns text, image and resource",
        [](ToolContext&, const Json&) {
            return with_extra(
                "Multiple content types test:",
                {ContentItem::image(std::string(kPixelPng), "image/png"),
                 ContentItem::embedded_text("test://mixed-content-resource", "application/json",
                                            R"({"test":"data","value":123})")});
        });
    add("test_tool_with_logging", "Sends three log messages",
        [](ToolContext& context, const Json&) { return log_three_times(context); });
    add("test_tool_with_progress", "Reports progress three times",
        [](ToolContext& context, const Json&) { return report_three_times(context); });
    add("test_error_handling", "Always fails",
        [](ToolContext&, const Json&) -> Outcome<ToolResult> {
            return tool_error("This tool intentionally returns an error for testing");
        });
    add("test_reconnection", "Breaks off its stream and answers on the next one",
        [](ToolContext& context, const Json&) { return break_off_and_answer(context); });
    add("test_streaming_elicitation", "Reports before it answers, and never asks",
        [](ToolContext& context, const Json&) -> Outcome<ToolResult> {
            context.report({1, 2, "steps", "half way"});
            context.log(LoggingLevel::kInfo, "half way");
            return text_result("Streaming completed");
        });
    add("test_logging_tool", "Logs once, if the request wants to know",
        [](ToolContext& context, const Json&) -> Outcome<ToolResult> {
            context.log(LoggingLevel::kInfo, "logging tool was called");
            return text_result("Logging completed");
        });
    add("test_trigger_tool_change", "Announces a change of the list of tools",
        [](ToolContext& context, const Json&) -> Outcome<ToolResult> {
            context.notifier().tools_changed();
            return text_result("Announced");
        });
    add("test_trigger_prompt_change", "Announces a change of the list of prompts",
        [](ToolContext& context, const Json&) -> Outcome<ToolResult> {
            context.notifier().prompts_changed();
            return text_result("Announced");
        });
    add("test_trigger_resource_update", "Announces new content of test://watched-resource",
        [](ToolContext& context, const Json&) -> Outcome<ToolResult> {
            context.notifier().resource_updated("test://watched-resource");
            return text_result("Announced");
        });
    ToolSpec schema =
        simple_tool("json_schema_2020_12_tool", "Has an input schema with many keywords", nullptr);
    schema.raw_input_schema = schema_2020_12();
    schema.handler = [](ToolContext&, const Json& arguments) -> Outcome<ToolResult> {
        return text_result("Received " + std::to_string(arguments.size()) + " arguments");
    };
    tools.push_back(std::move(schema));
    tools.push_back(structured_tool());
    tools.push_back(slow_tool());
    tools.push_back(header_tool());
    return tools;
}

}  // namespace tb::fixture
