#include <nlohmann/json.hpp>

#include "fixture.h"

namespace tb::fixture {

using namespace mcp;  // NOLINT(google-build-using-namespace): a fixture of that library

namespace {

ResourceSpec text_resource(std::string uri, std::string name, std::string description,
                           std::string content) {
    ResourceSpec spec;
    spec.info.uri = uri;
    spec.info.name = std::move(name);
    spec.info.description = std::move(description);
    spec.info.mime_type = "text/plain";
    spec.read = [uri, content](ToolContext&) -> Outcome<ResourceContents> {
        return ResourceContents{{uri, "text/plain", content, ""}};
    };
    return spec;
}

PromptMessage user_says(ContentItem content) {
    return {"user", std::move(content)};
}

PromptSpec prompt(std::string name, std::string description, std::vector<PromptArgument> arguments,
                  std::function<Outcome<PromptResult>(ToolContext&, const UriVariables&)> handler) {
    return {std::move(name),      "", std::move(description),
            std::move(arguments), {}, std::move(handler)};
}

PromptArgument required(std::string name, std::string description,
                        std::vector<std::string> suggestions) {
    return {
        std::move(name), "", std::move(description), true,
        [suggestions](ToolContext&, std::string_view, const UriVariables&) { return suggestions; }};
}

Outcome<PromptResult> ask_for_context(ToolContext& context) {
    TB_TRY_TOOL(
        const InputAnswer answer,
        context.ask(InputRequest::form("user_context", "What context should the prompt use?",
                                       Json{{"type", "object"},
                                            {"properties", {{"context", {{"type", "string"}}}}},
                                            {"required", {"context"}}})));
    const std::string given = answer.content().is_object()
                                  ? answer.content().value("context", std::string())
                                  : std::string();
    return PromptResult{"", {user_says(ContentItem::text("Use this context: " + given))}};
}

}  // namespace

std::vector<ResourceSpec> resources() {
    ResourceSpec binary;
    binary.info.uri = "test://static-binary";
    binary.info.name = "Static binary";
    binary.info.description = "One red pixel";
    binary.info.mime_type = "image/png";
    binary.read = [](ToolContext&) -> Outcome<ResourceContents> {
        return ResourceContents{{"test://static-binary", "image/png", "", std::string(kPixelPng)}};
    };
    return {text_resource("test://static-text", "Static text", "A text that never changes",
                          "This is the content of the static text resource."),
            binary,
            text_resource("test://watched-resource", "Watched", "A text to subscribe to",
                          "Watched resource content")};
}

std::vector<ResourceTemplateSpec> resource_templates() {
    ResourceTemplateSpec spec;
    spec.uri_template = "test://template/{id}/data";
    spec.name = "Templated data";
    spec.description = "Data for any id";
    spec.mime_type = "application/json";
    spec.completers["id"] = [](ToolContext&, std::string_view, const UriVariables&) {
        return std::vector<std::string>{"123", "124", "200"};
    };
    spec.read = [](ToolContext&, const std::string& uri,
                   const UriVariables& variables) -> Outcome<ResourceContents> {
        const std::string& id = variables.at("id");
        const Json data = {{"id", id}, {"templateTest", true}, {"data", "Data for ID: " + id}};
        return ResourceContents{{uri, "application/json", data.dump(), ""}};
    };
    return {spec};
}

std::vector<PromptSpec> prompts() {
    return {
        prompt("test_simple_prompt", "One message", {},
               [](ToolContext&, const UriVariables&) -> Outcome<PromptResult> {
                   return PromptResult{
                       "", {user_says(ContentItem::text("This is a simple prompt for testing."))}};
               }),
        prompt("test_prompt_with_arguments", "Repeats its two arguments",
               {required("arg1", "First test argument", {"paris", "park", "party", "test"}),
                required("arg2", "Second test argument", {"left", "right"})},
               [](ToolContext&, const UriVariables& arguments) -> Outcome<PromptResult> {
                   return PromptResult{"",
                                       {user_says(ContentItem::text(
                                           "Prompt with arguments: arg1='" + arguments.at("arg1") +
                                           "', arg2='" + arguments.at("arg2") + "'"))}};
               }),
        prompt(
            "test_prompt_with_embedded_resource", "Embeds a resource",
            {required("resourceUri", "URI of the resource to embed", {"test://static-text"})},
            [](ToolContext&, const UriVariables& arguments) -> Outcome<PromptResult> {
                return PromptResult{
                    "",
                    {user_says(
                         ContentItem::embedded_text(arguments.at("resourceUri"), "text/plain",
                                                    "Embedded resource content for testing.")),
                     user_says(ContentItem::text("Please process the embedded resource above."))}};
            }),
        prompt("test_prompt_with_image", "Holds an image", {},
               [](ToolContext&, const UriVariables&) -> Outcome<PromptResult> {
                   return PromptResult{
                       "",
                       {user_says(ContentItem::image(std::string(kPixelPng), "image/png")),
                        user_says(ContentItem::text("Please analyze the image above."))}};
               }),
        prompt("test_input_required_result_prompt", "Asks before it answers", {},
               [](ToolContext& context, const UriVariables&) { return ask_for_context(context); }),
    };
}

}  // namespace tb::fixture
