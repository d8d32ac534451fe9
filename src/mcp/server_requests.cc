// The methods that run handlers: tools, resources, prompts, completion; and the lists.
#include <algorithm>

#include "core/log.h"
#include "mcp/fit.h"
#include "mcp/json_text.h"
#include "mcp/nearest.h"
#include "mcp/render.h"
#include "mcp/server_impl.h"
#include "mcp/tool_result.h"

namespace tb::mcp {

namespace {

std::optional<std::string> text_member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string()
               ? std::optional<std::string>(found->get<std::string>())
               : std::nullopt;
}

const Json& object_member(const Json& object, const char* name) {
    static const Json none = Json::object();
    const auto found = object.find(name);
    return found != object.end() && found->is_object() ? *found : none;
}

tl::unexpected<ToolError> invalid_params(std::string text) {
    return tl::unexpected<ToolError>(ToolError::protocol(code::kInvalidParams, std::move(text)));
}

// Why tools/call cannot even start; these are the client's errors, not the tool's.
std::optional<std::string> bad_call(const Json& params, const ToolRegistry& tools) {
    const auto name = text_member(params, "name");
    if (!name.has_value()) {
        return "params.name must be the name of a tool";
    }
    if (const auto arguments = params.find("arguments");
        arguments != params.end() && !arguments->is_null() && !arguments->is_object()) {
        return "params.arguments must be an object";
    }
    if (tools.find(*name) != nullptr) {
        return std::nullopt;
    }
    std::vector<std::string> names;
    for (const auto& tool : tools.tools()) {
        names.push_back(tool->name);
    }
    return "Unknown tool '" + cell_text(*name) + "'" + did_you_mean(*name, names);
}

Json content_json(const ResourceContent& content) {
    Json out = {{"uri", content.uri}};
    if (!content.mime_type.empty()) {
        out["mimeType"] = content.mime_type;
    }
    if (content.base64.empty()) {
        out["text"] = harmless_text(content.text);
    } else {
        out["blob"] = content.base64;
    }
    return out;
}

// Arguments of a prompt: known names, texts only, nothing required missing.
Outcome<UriVariables> prompt_arguments(const PromptSpec& spec, const Json& given) {
    UriVariables out;
    std::vector<std::string> names;
    for (const PromptArgument& argument : spec.arguments) {
        names.push_back(argument.name);
    }
    for (const auto& [name, value] : given.items()) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            return invalid_params("Prompt '" + spec.name + "' has no argument '" + cell_text(name) +
                                  "'" + did_you_mean(name, names));
        }
        if (!value.is_string()) {
            return invalid_params("Argument '" + name + "' must be a string");
        }
        out[name] = value.get<std::string>();
    }
    for (const PromptArgument& argument : spec.arguments) {
        if (argument.required && !out.contains(argument.name)) {
            return invalid_params("Argument '" + argument.name + "' is required");
        }
    }
    return out;
}

// What could not be shortened. The caller can ask for less, or be ready to take more.
ToolError too_long(const ToolSpec& spec, std::size_t chars, std::size_t cap) {
    const bool raises = cap < kMaxRaisedResultChars && has_max_chars(spec);
    return ToolError("the answer has " + count_text(static_cast<std::int64_t>(chars)) +
                     " characters, more than the " + count_text(static_cast<std::int64_t>(cap)) +
                     " that one result may have: ask for less (fewer strategies, a shorter period, "
                     "fewer columns)" +
                     (raises ? ", or raise maxChars" : ""));
}

void log_end(const Call& call, std::string_view outcome) {
    if (log_level() > LogLevel::kInfo) {
        return;
    }
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - call.received());
    std::string line = call.request().method;
    line += " id=" + cell_text(call.request().id->to_text());
    line += " ms=" + std::to_string(ms.count());
    line.append(" ").append(outcome);
    if (!call.info().trace.empty()) {
        line += " traceparent=" + call.info().trace;
    }
    tb::log(LogLevel::kInfo, line);
}

}  // namespace

// ---- without a worker ----

void ServerImpl::answer_list(Call& call, const ListPages& pages) const {
    const Json& params = *call.request().params;
    const auto cursor = params.find("cursor");
    if (cursor == params.end() || cursor->is_null()) {
        call.answer_text(pages.first(call.era()));
        return;
    }
    const std::string* page =
        cursor->is_string() ? pages.at(cursor->get_ref<const std::string&>(), call.era()) : nullptr;
    if (page == nullptr) {
        call.answer_error({code::kInvalidParams, "Unknown cursor; start again without one", {}});
        return;
    }
    call.answer_text(*page);
}

bool ServerImpl::answer_inline(Call& call) {
    const std::string& method = call.request().method;
    if (method == "server/discover") {
        call.answer_text(discover_text_);
    } else if (method == "tools/list") {
        const Principal& principal = call.principal();
        if (options_.lists_depend_on_principal && !principal.unrestricted) {
            answer_list(call, tool_pages(principal));
        } else {
            answer_list(call, tools_);
        }
    } else if (method == "resources/list" && content_.dynamic_resources == nullptr) {
        answer_list(call, resources_);
    } else if (method == "resources/templates/list") {
        answer_list(call, resource_templates_);
    } else if (method == "prompts/list") {
        answer_list(call, prompts_);
    } else if (method == "tools/call") {
        const auto bad = bad_call(*call.request().params, content_.tools);
        if (!bad.has_value()) {
            return false;
        }
        note_refused(call.request(), call.principal(), "tool");
        call.answer_error({code::kInvalidParams, *bad, {}});
    } else {
        return false;
    }
    return true;
}

// ---- on a worker ----

void ServerImpl::run(const std::shared_ptr<Call>& call) {
    call->set_on_worker();
    if (stopping()) {
        note_refused(call->request(), call->principal(), "ending");
        call->answer_error({code::kInternalError, "The server is shutting down", {}});
        return;
    }
    // Whatever a handler or a library throws ends here as an answer.
    try {
        if (call->open_rounds()) {
            ToolContext context(call->context_options());
            dispatch(*call, context);
        }
        log_end(*call, call->token().cancelled() ? "cancelled" : "answered");
    } catch (const std::exception& error) {
        tb::log(LogLevel::kError, call->request().method + " failed: " + error.what());
        call->answer_error({code::kInternalError, "Internal error", {}});
    }
}

void ServerImpl::dispatch(Call& call, ToolContext& context) {
    const std::string& method = call.request().method;
    if (method == "tools/call") {
        call_tool(call, context);
    } else if (method == "resources/read") {
        read_resource(call, context);
    } else if (method == "resources/list") {
        answer_list(call, resource_pages(&context));
    } else if (method == "prompts/get") {
        get_prompt(call, context);
    } else {
        complete(call, context);
    }
}

void ServerImpl::answer_failure(Call& call, const ToolError& error,
                                const ToolContext& context) const {
    if (error.kind == ToolError::Kind::kInputRequired) {
        Json result = call.input_required_result(context.handler_state());
        finish_result(result, call.era());
        call.answer_result(result);
        return;
    }
    const bool is_tool = call.request().method == "tools/call";
    if (error.kind == ToolError::Kind::kProtocol) {
        // The newer codes do not exist for legacy clients: a tool explains itself in words, and an
        // unknown resource has its old code.
        RpcError rpc = error.rpc;
        if (call.era() == Era::kLegacy && rpc.code == code::kMissingCapability) {
            rpc = {code::kInvalidRequest,
                   rpc.message + ": " +
                       to_json_text(rpc.data->value("requiredCapabilities", Json::object())),
                   {}};
            if (is_tool) {
                call.answer_result(tool_error_json(rpc.message));
                return;
            }
        }
        if (call.era() == Era::kLegacy && call.request().method == "resources/read" &&
            rpc.code == code::kInvalidParams && rpc.data->is_object()) {
            rpc.code = code::kLegacyResourceNotFound;
        }
        call.answer_error(rpc);
        return;
    }
    std::string text = error.message;
    if (call.timed_out()) {
        text = "Stopped after " + std::to_string(call.time_limit().count() / 1000) +
               " s, the limit of one call. Ask for less at once. (" + text + ")";
    } else if (stopping()) {
        text = "The server is shutting down; nothing was answered.";
    }
    if (!is_tool) {
        call.answer_error({code::kInternalError, first_chars(text, kMaxErrorChars), {}});
        return;
    }
    Json result = tool_error_json(text);
    finish_result(result, call.era());
    call.answer_result(result);
}

void ServerImpl::note_refused(const Message& message, const Principal& principal,
                              const char* why) const {
    if (options_.on_refused_call == nullptr || message.method != "tools/call") {
        return;
    }
    const auto arguments = message.params->find("arguments");
    options_.on_refused_call(
        {principal, first_chars(text_member(*message.params, "name").value_or(""), kMaxCellChars),
         arguments == message.params->end() ? Json() : *arguments, why});
}

void ServerImpl::call_tool(Call& call, ToolContext& context) {
    const Json& params = *call.request().params;
    const ToolSpec& spec = *content_.tools.find(*text_member(params, "name"));
    const Json& arguments = object_member(params, "arguments");
    if (!context.principal().allows(spec.scope)) {
        note_refused(call.request(), context.principal(), "scope");
        answer_failure(call, ToolError("'" + spec.name + "' needs the scope '" + spec.scope + "'"),
                       context);
        return;
    }
    const ResultBudget budget = result_budget(spec, arguments);
    context.set_budget_chars(budget.aim);
    Outcome<ToolResult> outcome = mcp::call_tool(spec, context, arguments);
    if (!outcome.has_value()) {
        if (outcome.error().is_of_arguments) {
            note_refused(call.request(), context.principal(), "arguments");
        }
        answer_failure(call, outcome.error(), context);
        return;
    }
    if (options_.check_results && !spec.results.empty()) {
        std::string broken;
        for (const std::string& line : check_result(spec.results, *outcome->structured)) {
            broken += "\n" + line;
        }
        if (!broken.empty()) {
            call.answer_error(
                {code::kInternalError, spec.name + " broke its result table:" + broken, {}});
            return;
        }
    }
    if (const auto excess = fit_result(*outcome, budget, context.budget_chars() == 0)) {
        answer_failure(call, too_long(spec, excess->chars, excess->cap), context);
        return;
    }
    Json result = tool_result_json(std::move(*outcome), budget.cap, call.info().revision);
    finish_result(result, call.era());
    call.answer_result(result);
}

Outcome<ResourceContents> ServerImpl::read_contents(const std::string& uri,
                                                    ToolContext& context) const {
    const auto needs = [&](const std::string& scope) -> std::optional<ToolError> {
        if (context.principal().allows(scope)) {
            return std::nullopt;
        }
        return ToolError::protocol(code::kInvalidRequest,
                                   "Forbidden: this resource needs the scope " + scope);
    };
    for (const ResourceSpec& spec : content_.resources) {
        if (spec.info.uri == uri) {
            if (auto refused = needs(spec.scope)) {
                return tl::unexpected<ToolError>(std::move(*refused));
            }
            return spec.read(context);
        }
    }
    for (std::size_t i = 0; i < templates_.size(); ++i) {
        if (const auto variables = templates_[i].match(uri)) {
            if (auto refused = needs(content_.templates[i].scope)) {
                return tl::unexpected<ToolError>(std::move(*refused));
            }
            return content_.templates[i].read(context, uri, *variables);
        }
    }
    return tl::unexpected<ToolError>(resource_not_found(uri));
}

void ServerImpl::read_resource(Call& call, ToolContext& context) {
    const auto uri = text_member(*call.request().params, "uri");
    if (!uri.has_value()) {
        call.answer_error({code::kInvalidParams, "params.uri must be a string", {}});
        return;
    }
    Outcome<ResourceContents> contents = read_contents(*uri, context);
    if (contents.has_value() && contents->empty()) {
        contents = tl::unexpected<ToolError>(resource_not_found(*uri));
    }
    if (!contents.has_value()) {
        answer_failure(call, contents.error(), context);
        return;
    }
    Json result = Json::object();
    Json& list = result["contents"] = Json::array();
    for (const ResourceContent& content : *contents) {
        list.push_back(content_json(content));
    }
    if (call.era() == Era::kModern) {
        result.update(modern_members(options_.resource_ttl, /*is_private=*/true));
    }
    call.answer_result(result);
}

void ServerImpl::get_prompt(Call& call, ToolContext& context) {
    const Json& params = *call.request().params;
    const std::string name = text_member(params, "name").value_or("");
    std::vector<std::string> names;
    const PromptSpec* spec = nullptr;
    for (const PromptSpec& entry : content_.prompts) {
        names.push_back(entry.name);
        spec = entry.name == name ? &entry : spec;
    }
    if (spec == nullptr) {
        call.answer_error({code::kInvalidParams,
                           "Unknown prompt '" + cell_text(name) + "'" + did_you_mean(name, names),
                           {}});
        return;
    }
    const auto arguments = prompt_arguments(*spec, object_member(params, "arguments"));
    if (!arguments.has_value()) {
        answer_failure(call, arguments.error(), context);
        return;
    }
    const Outcome<PromptResult> outcome = spec->handler(context, *arguments);
    if (!outcome.has_value()) {
        answer_failure(call, outcome.error(), context);
        return;
    }
    Json result = Json::object();
    if (!outcome->description.empty()) {
        result["description"] = outcome->description;
    }
    Json& messages = result["messages"] = Json::array();
    for (const PromptMessage& message : outcome->messages) {
        messages.push_back({{"role", message.role}, {"content", *message.content.json}});
    }
    make_harmless(messages);
    finish_result(result, call.era());
    call.answer_result(result);
}

Outcome<std::vector<std::string>> ServerImpl::completions(const Json& params,
                                                          ToolContext& context) const {
    const Json& ref = object_member(params, "ref");
    const Json& argument = object_member(params, "argument");
    const auto name = text_member(argument, "name");
    const auto typed = text_member(argument, "value");
    if (!name.has_value() || !typed.has_value()) {
        return invalid_params("params.argument needs name and value");
    }
    UriVariables known;
    const Json& chosen = object_member(object_member(params, "context"), "arguments");
    for (const auto& [key, value] : chosen.items()) {
        if (value.is_string()) {
            known[key] = value.get<std::string>();
        }
    }
    const std::string type = text_member(ref, "type").value_or("");
    const Completer* completer = nullptr;
    bool found = false;
    if (type == "ref/prompt") {
        const std::string prompt_name = text_member(ref, "name").value_or("");
        for (const PromptSpec& prompt : content_.prompts) {
            for (const PromptArgument& entry : prompt.arguments) {
                if (prompt.name == prompt_name && entry.name == *name) {
                    completer = &entry.completer;
                    found = true;
                }
            }
        }
    } else if (type == "ref/resource") {
        const std::string uri = text_member(ref, "uri").value_or("");
        for (std::size_t i = 0; i < templates_.size(); ++i) {
            const ResourceTemplateSpec& spec = content_.templates[i];
            const auto& variables = templates_[i].variables();
            if (spec.uri_template == uri &&
                std::find(variables.begin(), variables.end(), *name) != variables.end()) {
                const auto entry = spec.completers.find(*name);
                completer = entry == spec.completers.end() ? nullptr : &entry->second;
                found = true;
            }
        }
    }
    if (!found) {
        return invalid_params("Nothing to complete: unknown reference or argument '" +
                              cell_text(*name) + "'");
    }
    if (completer == nullptr || *completer == nullptr) {
        return std::vector<std::string>{};
    }
    return rank_completions((*completer)(context, *typed, known), *typed);
}

void ServerImpl::complete(Call& call, ToolContext& context) {
    const auto values = completions(*call.request().params, context);
    if (!values.has_value()) {
        answer_failure(call, values.error(), context);
        return;
    }
    const std::size_t shown = std::min(values->size(), options_.max_completions);
    Json list = Json::array();
    for (std::size_t i = 0; i < shown; ++i) {
        list.push_back(harmless_text((*values)[i]));
    }
    Json result = {{"completion",
                    {{"values", std::move(list)},
                     {"total", values->size()},
                     {"hasMore", shown < values->size()}}}};
    finish_result(result, call.era());
    call.answer_result(result);
}

}  // namespace tb::mcp
