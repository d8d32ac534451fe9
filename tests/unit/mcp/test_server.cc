#include "test_server.h"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "wire_schema.h"

namespace tb::mcp::test {

void Gate::release() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
}

bool Gate::wait_inside(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kWait, [&] { return inside >= count; });
}

bool Gate::wait_cancelled(int count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kWait, [&] { return cancelled >= count; });
}

namespace {

ToolSpec tool(std::string name, std::string description, ToolHandler handler) {
    ToolSpec spec;
    spec.title = "Title of " + name;
    spec.name = std::move(name);
    spec.description = std::move(description);
    spec.toolset = "core";
    spec.handler = std::move(handler);
    return spec;
}

ToolResult text_result(std::string text) {
    ToolResult result;
    result.text = std::move(text);
    return result;
}

ToolSpec echo_tool() {
    ToolSpec spec = tool("echo", "Says it again.", [](ToolContext& ctx, const Json& args) {
        ToolResult result;
        const std::string text = args["text"].get<std::string>();
        for (int i = 0; i < args["count"].get<int>(); ++i) {
            result.text += text + "\n";
        }
        result.structured = Json{{"text", text},
                                 {"count", args["count"]},
                                 {"budget", ctx.budget_chars()},
                                 {"era", ctx.era() == Era::kModern ? "modern" : "legacy"}};
        return result;
    });
    spec.arguments = {
        field::text("text", "What to say").required(),
        field::integer("count", "How often").range(1, 50'000).default_value(2),
        field::integer("maxChars", "Most characters of the answer").at_least(1),
    };
    spec.results = {field::text("text", "What was said"), field::integer("count", "How often"),
                    field::integer("budget", "Characters to aim at"),
                    field::choice("era", {"modern", "legacy"}, "Of the request")};
    return spec;
}

ToolSpec hold_tool(const std::shared_ptr<Gate>& gate) {
    return tool("hold", "Waits until released or cancelled.",
                [gate](ToolContext& ctx, const Json&) -> Outcome<ToolResult> {
                    std::unique_lock lock(gate->mutex);
                    ++gate->inside;
                    gate->changed.notify_all();
                    while (!gate->open && !ctx.cancelled()) {
                        gate->changed.wait_for(lock, std::chrono::milliseconds(1));
                    }
                    --gate->inside;
                    if (ctx.cancelled()) {
                        ++gate->cancelled;
                        gate->changed.notify_all();
                        return tool_error("interrupted");
                    }
                    return text_result("released");
                });
}

ToolSpec count_tool() {
    ToolSpec spec = tool("count", "Reports progress.", [](ToolContext& ctx, const Json& args) {
        const auto steps = args["steps"].get<std::uint64_t>();
        for (std::uint64_t i = 0; i <= steps; ++i) {
            ctx.report({i, steps, "steps", "step " + std::to_string(i)});
        }
        // Backwards: must not be sent.
        ctx.report({0, steps, "steps", "step " + std::to_string(steps)});
        return text_result("counted");
    });
    spec.arguments = {field::integer("steps", "How many").required()};
    return spec;
}

ToolSpec purge_tool(const std::shared_ptr<Gate>& gate) {
    ToolSpec spec = tool(
        "purge", "Deletes after asking.",
        [gate](ToolContext& ctx, const Json& args) -> Outcome<ToolResult> {
            ++gate->runs;
            TB_TRY_TOOL(const bool yes,
                        ctx.confirm("confirm", "Delete " + args["table"].get<std::string>() + "?"));
            return text_result(yes ? "deleted" : "kept");
        });
    spec.annotations = Annotations::deletes();
    spec.scope = "data:write";
    spec.arguments = {field::text("table", "Which").required()};
    return spec;
}

ToolSpec two_rounds_tool(const std::shared_ptr<Gate>& gate) {
    return tool(
        "two_rounds", "Asks twice.", [gate](ToolContext& ctx, const Json&) -> Outcome<ToolResult> {
            ++gate->runs;
            const Json schema = {{"type", "object"},
                                 {"properties", {{"name", {{"type", "string"}}}}},
                                 {"required", {"name"}}};
            TB_TRY_TOOL(const InputAnswer first,
                        ctx.ask(InputRequest::form("step1", "First?", schema)));
            const std::string before = ctx.handler_state();
            ctx.set_handler_state("after-step1");
            TB_TRY_TOOL(const InputAnswer second,
                        ctx.ask(InputRequest::form("step2", "Second?", schema)));
            return text_result(first.content()["name"].get<std::string>() + "+" +
                               second.content()["name"].get<std::string>() + " state=" + before);
        });
}

std::vector<ToolSpec> odd_tools() {
    ToolSpec nan = tool("nan", "Not a number.", [](ToolContext&, const Json&) {
        ToolResult result;
        result.text = "n";
        result.structured = Json{{"value", std::numeric_limits<double>::quiet_NaN()},
                                 {"list", {1.5, std::numeric_limits<double>::infinity()}}};
        return result;
    });
    ToolSpec broken = tool("broken", "Breaks its table.", [](ToolContext&, const Json&) {
        ToolResult result;
        result.text = "b";
        result.structured = Json{{"value", "a text"}};
        return result;
    });
    broken.results = {field::number("value", "A number")};
    ToolSpec mixed = tool("mixed", "All kinds of content.", [](ToolContext&, const Json&) {
        ToolResult result;
        result.text = "mixed";
        result.extra = {ContentItem::image("aW1n", "image/png"),
                        ContentItem::audio("d2F2", "audio/wav"),
                        ContentItem::embedded_text("test://static", "text/plain", "embedded"),
                        ContentItem::resource_link("test://item/7", "item 7", "One item", "")};
        return result;
    });
    return {tool("fail", "Always fails.",
                 [](ToolContext&, const Json&) -> Outcome<ToolResult> {
                     return tool_error("no such block" + std::string(3000, '!'));
                 }),
            tool("throws", "Throws.",
                 [](ToolContext&, const Json&) -> Outcome<ToolResult> {
                     throw std::runtime_error("unexpected thing");
                 }),
            tool("needs_sampling", "Needs a capability.",
                 [](ToolContext& ctx, const Json&) -> Outcome<ToolResult> {
                     TB_TRY_TOOL(const InputAnswer answer,
                                 ctx.ask(InputRequest::sampling("q", Json::object())));
                     return text_result("sampled");
                 }),
            tool("chatty", "Logs.",
                 [](ToolContext& ctx, const Json&) {
                     ctx.log(LoggingLevel::kDebug, "quiet words");
                     ctx.log(LoggingLevel::kWarning, "chatty", Json{{"rows", 3}});
                     return text_result("logged");
                 }),
            std::move(nan),
            std::move(broken),
            std::move(mixed)};
}

}  // namespace

ToolRegistry make_tools(const std::shared_ptr<Gate>& gate) {
    std::vector<ToolSpec> table = {echo_tool(), hold_tool(gate), count_tool(), purge_tool(gate),
                                   two_rounds_tool(gate)};
    for (ToolSpec& spec : odd_tools()) {
        table.push_back(std::move(spec));
    }
    auto registry = ToolRegistry::make(std::move(table));
    EXPECT_TRUE(registry.has_value()) << registry.error().to_string();
    return std::move(*registry);
}

ServerContent make_content(const std::shared_ptr<Gate>& gate) {
    ServerContent content;
    content.tools = make_tools(gate);
    ResourceSpec fixed;
    fixed.info.uri = "test://static";
    fixed.info.name = "static";
    fixed.info.mime_type = "text/plain";
    fixed.info.size = 5;
    fixed.info.last_modified = "2026-01-02T03:04:05Z";
    fixed.info.audience = {"assistant"};
    fixed.read = [](ToolContext&) -> Outcome<ResourceContents> {
        return ResourceContents{{"test://static", "text/plain", "hello", ""}};
    };
    content.resources.push_back(std::move(fixed));
    ResourceTemplateSpec item;
    item.uri_template = "test://item/{id}";
    item.name = "item";
    item.mime_type = "application/json";
    item.completers["id"] = [](ToolContext&, std::string_view, const UriVariables&) {
        return std::vector<std::string>{"apple", "pineapple", "banana", "Apricot", "apple"};
    };
    item.read = [](ToolContext&, const std::string& uri,
                   const UriVariables& values) -> Outcome<ResourceContents> {
        if (values.at("id") == "gone") {
            return tl::unexpected<ToolError>(resource_not_found(uri));
        }
        return ResourceContents{
            {uri, "application/json", "{\"id\":\"" + values.at("id") + "\"}", ""}};
    };
    content.templates.push_back(std::move(item));
    PromptSpec greet;
    greet.name = "greet";
    greet.title = "Greeting";
    PromptArgument name;
    name.name = "name";
    name.description = "Whom";
    name.required = true;
    name.completer = [](ToolContext&, std::string_view, const UriVariables& known) {
        std::vector<std::string> names;
        for (int i = 0; i < 150; ++i) {
            names.push_back((known.contains("title") ? known.at("title") + " " : "") + "n" +
                            std::to_string(i));
        }
        return names;
    };
    greet.arguments = {name};
    greet.handler = [](ToolContext&, const UriVariables& values) -> Outcome<PromptResult> {
        return PromptResult{"A greeting",
                            {{"user", ContentItem::text("Greet " + values.at("name"))}}};
    };
    content.prompts.push_back(std::move(greet));
    return content;
}

ServerOptions make_options() {
    ServerOptions options;
    options.identity.name = "test-server";
    options.identity.title = "Test server";
    options.identity.version = "9.8.7";
    options.instructions = "Call echo first.";
    options.tools_list_changes = true;
    options.check_results = true;
    return options;
}

std::unique_ptr<Server> make_server(const std::shared_ptr<Gate>& gate, ServerOptions options) {
    auto server = Server::make(std::move(options), make_content(gate));
    EXPECT_TRUE(server.has_value()) << server.error().to_string();
    return std::move(*server);
}

Json modern_params(Json params, Json capabilities) {
    params["_meta"][std::string(meta::kProtocolVersion)] = "2026-07-28";
    params["_meta"][std::string(meta::kClientCapabilities)] = std::move(capabilities);
    return params;
}

std::string request_text(const Json& id, const std::string& method, const Json& params) {
    const Json message = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
    return message.dump();
}

Client::Client(Server& server, Principal principal) : client_(server, std::move(principal)) {}

Client::~Client() {
    for (const Json& message : messages()) {
        const std::vector<Json> parts =
            message.is_array() ? message.get<std::vector<Json>>() : std::vector<Json>{message};
        for (const Json& part : parts) {
            const auto why = check_wire(revision_, part, methods_);
            EXPECT_TRUE(why.empty()) << part.dump() << "\n  " << why.front();
        }
    }
}

Json initialize_message(const std::string& revision) {
    return {{"jsonrpc", "2.0"},
            {"id", 1},
            {"method", "initialize"},
            {"params",
             {{"protocolVersion", revision},
              {"capabilities", Json::object()},
              {"clientInfo", {{"name", "t"}, {"version", "1"}}}}}};
}

Json Client::initialize(Revision revision, Json capabilities) {
    revision_ = revision;
    return ask("init", "initialize",
               {{"protocolVersion", revision_name(revision)},
                {"capabilities", std::move(capabilities)},
                {"clientInfo", {{"name", "test"}, {"version", "1"}}}});
}

void Client::start(const Json& id, const std::string& method, const Json& params) {
    methods_.emplace(id.dump(), method);  // a second use of an id is refused
    send(request_text(id, method, params));
}

Json Client::ask(const Json& id, const std::string& method, const Json& params) {
    start(id, method, params);
    return wait_for_answer(id);
}

Json Client::ask_modern(const std::string& method, Json params, Json capabilities) {
    return ask(method, modern_params(std::move(params), std::move(capabilities)));
}

void Client::notify(const std::string& method, const Json& params) {
    send(Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}.dump());
}

Json Client::wait_for_answer(const Json& id) {
    Json answer;
    const auto found = client_.outlet().wait_for(
        [&](const OutMessage& message) {
            if (message.kind != OutMessage::Kind::kResponse) {
                return false;
            }
            answer = Json::parse(message.text);
            return answer.is_object() && answer.contains("id") && answer["id"] == id;
        },
        kWait);
    EXPECT_TRUE(found.has_value()) << "no answer to " << id.dump();
    return found.has_value() ? answer : Json();
}

Json Client::wait_for_method(const std::string& method) {
    Json seen;
    const auto found = client_.outlet().wait_for(
        [&](const OutMessage& message) {
            seen = Json::parse(message.text);
            return seen.is_object() && seen.value("method", "") == method;
        },
        kWait);
    EXPECT_TRUE(found.has_value()) << "no " << method;
    return found.has_value() ? seen : Json();
}

std::vector<Json> Client::messages() {
    std::vector<Json> out;
    for (const OutMessage& message : client_.outlet().messages()) {
        out.push_back(Json::parse(message.text));
    }
    return out;
}

std::vector<Json> Client::with_method(const std::string& method) {
    std::vector<Json> out;
    for (Json& message : messages()) {
        if (message.is_object() && message.value("method", "") == method) {
            out.push_back(std::move(message));
        }
    }
    return out;
}

}  // namespace tb::mcp::test
