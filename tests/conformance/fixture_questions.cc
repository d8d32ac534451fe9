#include <nlohmann/json.hpp>

#include "fixture.h"

namespace tb::fixture {

using namespace mcp;         // NOLINT(google-build-using-namespace): a fixture of that library
using namespace mcp::field;  // NOLINT(google-build-using-namespace)

namespace {

// A form with one required field.
InputRequest one_field_form(std::string key, std::string message, std::string field_name,
                            std::string type) {
    return InputRequest::form(std::move(key), std::move(message),
                              Json{{"type", "object"},
                                   {"properties", {{field_name, {{"type", std::move(type)}}}}},
                                   {"required", {field_name}}});
}

InputRequest model_question(std::string key, std::string text, int max_tokens) {
    return InputRequest::sampling(
        std::move(key),
        Json{{"messages",
              Json::array({{{"role", "user"},
                            {"content", {{"type", "text"}, {"text", std::move(text)}}}}})},
             {"maxTokens", max_tokens}});
}

std::string model_text(const InputAnswer& answer) {
    const Json& content = (*answer.result)["content"];
    return content.is_object() ? content.value("text", std::string()) : content.dump();
}

std::string form_text(const InputAnswer& answer) {
    return "Elicitation completed: action=" + answer.action() +
           ", content=" + answer.content().dump();
}

InputRequest name_question() {
    return one_field_form("user_name", "What is your name?", "name", "string");
}

std::string field_of(const InputAnswer& answer, const char* name) {
    const Json& content = answer.content();
    return content.is_object() ? content.value(name, std::string()) : std::string();
}

// ---- for legacy clients ----

Outcome<ToolResult> ask_model(ToolContext& context, const Json& arguments) {
    TB_TRY_TOOL(
        const InputAnswer answer,
        context.ask(model_question("sampling", arguments.at("prompt").get<std::string>(), 100)));
    return text_result("LLM response: " + model_text(answer));
}

Outcome<ToolResult> ask_user(ToolContext& context, const Json& arguments) {
    const auto described = [](const char* description) {
        return Json{{"type", "string"}, {"description", description}};
    };
    TB_TRY_TOOL(const InputAnswer answer, context.ask(InputRequest::form(
                                              "form", arguments.at("message").get<std::string>(),
                                              Json{{"type", "object"},
                                                   {"properties",
                                                    {{"username", described("User's response")},
                                                     {"email", described("User's email address")}}},
                                                   {"required", {"username", "email"}}})));
    return text_result("User response: " + form_text(answer));
}

Outcome<ToolResult> ask_with_defaults(ToolContext& context) {
    TB_TRY_TOOL(const InputAnswer answer,
                context.ask(InputRequest::form("form", "Please review and update the form fields",
                                               Json::parse(R"({"type": "object", "properties": {
            "name": {"type": "string", "description": "User name", "default": "John Doe"},
            "age": {"type": "integer", "description": "User age", "default": 30},
            "score": {"type": "number", "description": "User score", "default": 95.5},
            "status": {"type": "string", "description": "User status",
                       "enum": ["active", "inactive", "pending"], "default": "active"},
            "verified": {"type": "boolean", "description": "Verification status", "default": true}
            }, "required": []})"))));
    return text_result(form_text(answer));
}

Outcome<ToolResult> ask_with_enums(ToolContext& context) {
    TB_TRY_TOOL(const InputAnswer answer,
                context.ask(InputRequest::form("form", "Please choose", Json::parse(R"({
            "type": "object", "properties": {
            "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
            "titledSingle": {"type": "string", "oneOf": [
                {"const": "value1", "title": "First Option"},
                {"const": "value2", "title": "Second Option"},
                {"const": "value3", "title": "Third Option"}]},
            "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"]},
            "untitledMulti": {"type": "array", "items":
                {"type": "string", "enum": ["option1", "option2", "option3"]}},
            "titledMulti": {"type": "array", "items": {"anyOf": [
                {"const": "value1", "title": "First Choice"},
                {"const": "value2", "title": "Second Choice"},
                {"const": "value3", "title": "Third Choice"}]}}
            }, "required": []})"))));
    return text_result(form_text(answer));
}

// ---- rounds of input_required ----

Outcome<ToolResult> ask_everything(ToolContext& context) {
    context.set_handler_state("multiple");
    TB_TRY_TOOL(const std::vector<InputAnswer> answers,
                context.ask({name_question(), model_question("greeting", "Generate a greeting", 50),
                             InputRequest::roots("client_roots")}));
    return text_result(model_text(answers[1]) + " " + field_of(answers[0], "name") + ", " +
                       std::to_string((*answers[2].result)["roots"].size()) + " roots");
}

Outcome<ToolResult> ask_confirmation(ToolContext& context) {
    const bool carried = context.handler_state() == "asked";
    context.set_handler_state("asked");
    TB_TRY_TOOL(const InputAnswer answer,
                context.ask(one_field_form("confirm", "Please confirm", "ok", "boolean")));
    // A client may answer without the state; it was then never checked.
    return text_result(carried && answer.accepted() ? "Confirmed: state-ok" : "Confirmed");
}

Outcome<ToolResult> ask_in_two_steps(ToolContext& context) {
    TB_TRY_TOOL(
        const InputAnswer name,
        context.ask(one_field_form("step1", "Step 1: What is your name?", "name", "string")));
    context.set_handler_state("named");
    TB_TRY_TOOL(const InputAnswer color,
                context.ask(one_field_form("step2", "Step 2: What is your favorite color?", "color",
                                           "string")));
    return text_result(field_of(name, "name") + " likes " + field_of(color, "color"));
}

Outcome<ToolResult> ask_what_is_possible(ToolContext& context) {
    std::vector<InputRequest> requests;
    if (context.can_ask(InputKind::kForm)) {
        requests.push_back(name_question());
    }
    if (context.can_ask(InputKind::kSampling)) {
        requests.push_back(model_question("greeting", "Generate a greeting", 50));
    }
    if (context.can_ask(InputKind::kRoots)) {
        requests.push_back(InputRequest::roots("client_roots"));
    }
    if (requests.empty()) {
        return text_result("The client can answer nothing");
    }
    TB_TRY_TOOL(const std::vector<InputAnswer> answers, context.ask(requests));
    return text_result(std::to_string(answers.size()) + " answers");
}

}  // namespace

std::vector<ToolSpec> asking_tools() {
    std::vector<ToolSpec> tools;
    const auto add = [&](std::string name, std::string description,
                         Outcome<ToolResult> (*handler)(ToolContext&)) {
        tools.push_back(
            simple_tool(std::move(name), std::move(description),
                        [handler](ToolContext& context, const Json&) { return handler(context); }));
    };
    tools.push_back(simple_tool("test_sampling", "Asks the client's model", ask_model));
    tools.back().arguments = {text("prompt", "What to ask").required()};
    tools.push_back(simple_tool("test_elicitation", "Asks the user", ask_user));
    tools.back().arguments = {text("message", "What to ask").required()};
    add("test_elicitation_sep1034_defaults", "Asks with default values", ask_with_defaults);
    add("test_elicitation_sep1330_enums", "Asks with every form of choice", ask_with_enums);
    add("test_missing_capability", "Needs a client that can sample",
        [](ToolContext& context) -> Outcome<ToolResult> {
            if (!context.can_ask(InputKind::kSampling)) {
                return tl::unexpected<ToolError>(
                    ToolError::missing_capability(Json{{"sampling", Json::object()}}));
            }
            return text_result("The client can sample");
        });
    add("test_input_required_result_elicitation", "Asks for a name",
        [](ToolContext& context) -> Outcome<ToolResult> {
            TB_TRY_TOOL(const InputAnswer answer, context.ask(name_question()));
            return text_result("Hello, " + field_of(answer, "name") + "!");
        });
    add("test_input_required_result_sampling", "Asks the client's model for a capital",
        [](ToolContext& context) -> Outcome<ToolResult> {
            TB_TRY_TOOL(const InputAnswer answer,
                        context.ask(model_question("capital_question",
                                                   "What is the capital of France?", 100)));
            return text_result(model_text(answer));
        });
    add("test_input_required_result_list_roots", "Asks for the client's roots",
        [](ToolContext& context) -> Outcome<ToolResult> {
            TB_TRY_TOOL(const InputAnswer answer, context.ask(InputRequest::roots("client_roots")));
            return text_result("Roots: " + (*answer.result)["roots"].dump());
        });
    add("test_input_required_result_request_state", "Asks and carries a state", ask_confirmation);
    add("test_input_required_result_multiple_inputs", "Asks three things at once", ask_everything);
    add("test_input_required_result_multi_round", "Asks twice", ask_in_two_steps);
    add("test_input_required_result_tampered_state", "Asks and carries a sealed state",
        ask_confirmation);
    add("test_input_required_result_capabilities", "Asks only what the client can answer",
        ask_what_is_possible);
    return tools;
}

}  // namespace tb::fixture
