#include "serve/forward.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/version.h"
#include "tools/result_store.h"

namespace tb::serve {

using mcp::Json;
using mcp::Outcome;
using mcp::ToolContext;
using mcp::ToolError;

namespace {

// Owners that end while the same call is out; after these it is the call that is to blame.
constexpr int kMaxOwners = 3;
// Owners that were gone before they were asked; beyond it something is wrong.
constexpr int kMaxRoutes = 100;

std::optional<mcp::InputKind> kind_of(const std::string& method, const Json& params) {
    if (method == "elicitation/create") {
        return params.value("mode", "form") == "url" ? mcp::InputKind::kUrl : mcp::InputKind::kForm;
    }
    if (method == "sampling/createMessage") {
        return mcp::InputKind::kSampling;
    }
    if (method == "roots/list") {
        return mcp::InputKind::kRoots;
    }
    return std::nullopt;
}

// The owner wants to know something of our client: asks it and adds the answers to `params`.
Outcome<void> answer_questions(const Json& result, Json& params, ToolContext& context) {
    std::vector<mcp::InputRequest> questions;
    for (const auto& [key, request] : result.at("inputRequests").items()) {
        const Json question = request.value("params", Json::object());
        const auto kind = kind_of(request.value("method", ""), question);
        if (!kind.has_value()) {
            return mcp::tool_error("the owner of this folder asked a question of unknown kind");
        }
        questions.push_back({key, *kind, question});
    }
    TB_TRY_TOOL(const std::vector<mcp::InputAnswer> answers, context.ask(questions));
    Json given = Json::object();
    for (std::size_t i = 0; i < questions.size(); ++i) {
        given[questions[i].key] = *answers[i].result;
    }
    params["inputResponses"] = std::move(given);
    if (const auto state = result.find("requestState"); state != result.end()) {
        params["requestState"] = *state;
    }
    return {};
}

struct Question {
    std::string method;
    Json params;
    enum class Kind {
        kReads,     // changes nothing, and what it does is ours
        kRunsCode,  // changes nothing, but runs what the caller gave: SQL
        kWrites,
    };
    Kind kind = Kind::kReads;
    std::string what;  // for error texts
};

ToolError lost_owner(const Question& question) {
    if (question.kind == Question::Kind::kRunsCode) {
        return ToolError(fmt::format(
            "the process that owns this data folder ended while it worked on {}. It is not tried "
            "again, because the query itself may have ended that process; nothing was changed. Ask "
            "another way, or again if that process was ended by somebody",
            question.what));
    }
    return ToolError(fmt::format(
        "the process that owns this data folder ended before it answered {}; it may or may not "
        "have been carried out. Look at the present state (list_blocks, get_sync_history) before "
        "calling it again",
        question.what));
}

tl::unexpected<ToolError> silent_owner(std::int64_t pid, const Question& question) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(kBeat * kSilentBeats);
    return mcp::tool_error(fmt::format(
        "the tradeblocks process that owns this data folder (process {0}) has not answered for {1} "
        "s: it is stopped or hangs. Let it go on (kill -CONT {0}) or end it (kill -9 {0}; another "
        "copy takes over), then {2}",
        pid, seconds.count(),
        question.kind != Question::Kind::kWrites
            ? std::string("ask again")
            : "look at the present state (list_blocks, get_sync_history): " + question.what +
                  " may or may not have been carried out"));
}

// The owner's result, or nothing when it is to be done here.
Outcome<std::optional<Json>> ask_owner(Host& host, Question question, ToolContext& context) {
    int owners = 0;
    for (int routes = 0; routes < kMaxRoutes && owners < kMaxOwners; ++routes) {
        TB_TRY_TOOL(const Route route, host.route(context.token()));
        if (route.owner == nullptr) {
            return std::optional<Json>();
        }
        Json params = question.params;
        bool lost = false;     // while it worked on this
        bool is_gone = false;  // lost, or gone before
        while (!is_gone) {
            LinkReply reply =
                route.owner->request(question.method, params, context, /*may_give_up=*/true);
            switch (reply.kind) {
                case LinkReply::Kind::kCancelled:
                    return tl::unexpected<ToolError>(
                        Error{ErrorCode::kInterrupted, "cancelled", ""});
                case LinkReply::Kind::kError:
                    if (question.method == "tools/call" &&
                        reply.error.code == mcp::code::kInvalidParams) {
                        // Our own server has checked name, arguments and what the client sent.
                        return mcp::tool_error(fmt::format(
                            "another version of tradeblocks owns this data folder and cannot "
                            "answer {} (this is {}): {}. Restart whatever runs the other one",
                            question.what, kVersion, reply.error.message));
                    }
                    return tl::unexpected<ToolError>(ToolError::protocol(
                        reply.error.code, reply.error.message, reply.error.data));
                case LinkReply::Kind::kLost:
                    lost = is_gone = true;
                    break;
                case LinkReply::Kind::kNotSent:
                    is_gone = true;
                    break;
                case LinkReply::Kind::kSilent:
                    return silent_owner(route.owner->owner_pid(), question);
                case LinkReply::Kind::kResult:
                    if (reply.result->value("resultType", "") != "input_required") {
                        return std::optional<Json>(std::move(*reply.result));
                    }
                    TB_TRY_TOOL([[maybe_unused]] const bool answered, [&]() -> Outcome<bool> {
                        if (auto done = answer_questions(*reply.result, params, context); !done) {
                            return tl::unexpected<ToolError>(done.error());
                        }
                        return true;
                    }());
            }
        }
        owners += lost ? 1 : 0;
        if (lost && question.kind != Question::Kind::kReads) {
            return tl::unexpected<ToolError>(lost_owner(question));
        }
    }
    if (owners < kMaxOwners) {
        return mcp::tool_error("the owners of this data folder end one after the other; try again");
    }
    return mcp::tool_error(
        fmt::format("{} processes that own this data folder ended one after the other while they "
                    "worked on {}, which is given up; their logs say why",
                    kMaxOwners, question.what));
}

// ---- tools ----

Outcome<mcp::ToolResult> tool_result_of(const Json& json) {
    const Json content = json.value("content", Json::array());
    mcp::ToolResult result;
    std::size_t first = 0;
    if (!content.empty() && content[0].value("type", "") == "text") {
        result.text = content[0].value("text", "");
        first = 1;
    }
    if (json.value("isError", false)) {
        return mcp::tool_error(result.text);
    }
    for (std::size_t i = first; i < content.size(); ++i) {
        result.extra.push_back({content[i]});
    }
    if (const auto structured = json.find("structuredContent"); structured != json.end()) {
        result.structured = *structured;
    }
    if (const auto meta = json.find("_meta"); meta != json.end() && meta->is_object()) {
        Json own = *meta;
        own.erase(std::string(mcp::meta::kServerInfo));
        if (!own.empty()) {
            result.meta = std::move(own);
        }
    }
    return result;
}

// Which of our clients was given which link to a stored result. The owner takes all of them for
// one, so who may read what is decided here.
class GivenLinks {
  public:
    void remember(const mcp::ToolResult& result, const std::string& principal) {
        for (const mcp::ContentItem& item : result.extra) {
            if (item.json->value("type", "") == "resource_link") {
                const std::lock_guard lock(mutex_);
                links_.push_back({item.json->value("uri", ""), principal});
                if (links_.size() > kMost) {
                    links_.pop_front();
                }
            }
        }
    }
    [[nodiscard]] bool was_given(std::string_view uri, const std::string& principal) {
        const std::string_view bare = uri.substr(0, uri.find('?'));
        const std::lock_guard lock(mutex_);
        return std::any_of(links_.begin(), links_.end(), [&](const Link& link) {
            return link.uri == bare && link.principal == principal;
        });
    }

  private:
    static constexpr std::size_t kMost = 4'096;  // far more than an owner keeps results
    struct Link {
        std::string uri;
        std::string principal;
    };
    std::mutex mutex_;
    std::deque<Link> links_;
};

mcp::ToolHandler forwarded_tool(Host& host, const mcp::ToolSpec& spec) {
    const Question::Kind kind = !spec.annotations.read_only ? Question::Kind::kWrites
                                : spec.repeatable           ? Question::Kind::kReads
                                                            : Question::Kind::kRunsCode;
    return [&host, local = spec.handler, name = spec.name, kind](
               ToolContext& context, const Json& arguments) -> Outcome<mcp::ToolResult> {
        Question question{"tools/call", {{"name", name}, {"arguments", arguments}}, kind, name};
        TB_TRY_TOOL(const auto answer, ask_owner(host, std::move(question), context));
        if (!answer.has_value()) {
            return local(context, arguments);
        }
        context.set_budget_chars(0);  // the owner has kept to it, or was asked for everything
        return tool_result_of(*answer);
    };
}

Result<mcp::ToolRegistry> forwarded_tools(Host& host, const mcp::ToolRegistry& registry,
                                          const std::shared_ptr<GivenLinks>& links) {
    std::vector<mcp::ToolSpec> table;
    for (const auto& tool : registry.tools()) {
        mcp::ToolSpec spec = *tool;
        spec.handler = [links, run = forwarded_tool(host, *tool)](ToolContext& context,
                                                                  const Json& arguments) {
            auto result = run(context, arguments);
            if (result.has_value()) {
                links->remember(*result, context.principal().name);
            }
            return result;
        };
        table.push_back(std::move(spec));
    }
    return mcp::ToolRegistry::make(std::move(table));
}

// ---- resources, prompts, completion ----

Outcome<std::optional<mcp::ResourceContents>> read_at_owner(Host& host, const std::string& uri,
                                                            ToolContext& context) {
    TB_TRY_TOOL(
        const auto answer,
        ask_owner(host, {"resources/read", {{"uri", uri}}, Question::Kind::kReads, uri}, context));
    if (!answer.has_value()) {
        return std::optional<mcp::ResourceContents>();
    }
    mcp::ResourceContents contents;
    for (const Json& item : answer->value("contents", Json::array())) {
        contents.push_back({item.value("uri", ""), item.value("mimeType", ""),
                            item.value("text", ""), item.value("blob", "")});
    }
    return std::optional<mcp::ResourceContents>(std::move(contents));
}

mcp::ResourceInfo resource_info_of(const Json& json) {
    mcp::ResourceInfo info;
    info.uri = json.value("uri", "");
    info.name = json.value("name", "");
    info.title = json.value("title", "");
    info.description = json.value("description", "");
    info.mime_type = json.value("mimeType", "");
    if (const auto size = json.find("size"); size != json.end() && size->is_number_integer()) {
        info.size = size->get<std::int64_t>();
    }
    const Json annotations = json.value("annotations", Json::object());
    info.last_modified = annotations.value("lastModified", "");
    info.audience = annotations.value("audience", std::vector<std::string>{});
    if (const auto priority = annotations.find("priority"); priority != annotations.end()) {
        info.priority = priority->get<double>();
    }
    return info;
}

std::function<std::vector<mcp::ResourceInfo>(ToolContext&)> forwarded_list(
    Host& host, const mcp::ServerContent& content) {
    std::vector<std::string> fixed;
    for (const mcp::ResourceSpec& spec : content.resources) {
        fixed.push_back(spec.info.uri);
    }
    return [&host, local = content.dynamic_resources, fixed](ToolContext& context) {
        const auto answer = ask_owner(
            host, {"resources/list", Json::object(), Question::Kind::kReads, "resources/list"},
            context);
        std::vector<mcp::ResourceInfo> list;
        if (!answer.has_value()) {
            return list;
        }
        if (!answer->has_value()) {
            return local(context);
        }
        for (const Json& item : (*answer)->value("resources", Json::array())) {
            mcp::ResourceInfo info = resource_info_of(item);
            if (std::find(fixed.begin(), fixed.end(), info.uri) == fixed.end()) {
                list.push_back(std::move(info));
            }
        }
        return list;
    };
}

mcp::Completer forwarded_completer(Host& host, mcp::Completer local, const Json& reference,
                                   const std::string& argument) {
    if (local == nullptr) {
        return nullptr;
    }
    return [&host, local = std::move(local), reference, argument](
               ToolContext& context, std::string_view typed, const mcp::UriVariables& known) {
        Json params = {{"ref", reference}, {"argument", {{"name", argument}, {"value", typed}}}};
        if (!known.empty()) {
            params["context"] = {{"arguments", known}};
        }
        const auto answer = ask_owner(
            host, {"completion/complete", std::move(params), Question::Kind::kReads, "completion"},
            context);
        if (!answer.has_value()) {
            return std::vector<std::string>();
        }
        if (!answer->has_value()) {
            return local(context, typed, known);
        }
        return (*answer)
            ->value("completion", Json::object())
            .value("values", std::vector<std::string>());
    };
}

void forward_templates(Host& host, std::vector<mcp::ResourceTemplateSpec>& templates,
                       const std::shared_ptr<GivenLinks>& links) {
    for (mcp::ResourceTemplateSpec& spec : templates) {
        const Json reference = {{"type", "ref/resource"}, {"uri", spec.uri_template}};
        for (auto& [variable, completer] : spec.completers) {
            completer = forwarded_completer(host, completer, reference, variable);
        }
        const bool is_result = spec.uri_template.starts_with(tools::kResultUri);
        spec.read = [&host, links, is_result, local = spec.read](
                        ToolContext& context, const std::string& uri,
                        const mcp::UriVariables& variables) -> Outcome<mcp::ResourceContents> {
            if (is_result && !links->was_given(uri, context.principal().name)) {
                return tl::unexpected<ToolError>(tools::result_gone(uri));
            }
            TB_TRY_TOOL(auto contents, read_at_owner(host, uri, context));
            if (contents.has_value()) {
                return std::move(*contents);
            }
            return local(context, uri, variables);
        };
    }
}

Outcome<mcp::PromptResult> prompt_result_of(const Json& json) {
    mcp::PromptResult result;
    result.description = json.value("description", "");
    for (const Json& message : json.value("messages", Json::array())) {
        result.messages.push_back(
            {message.value("role", "user"), {message.value("content", Json::object())}});
    }
    return result;
}

void forward_prompts(Host& host, std::vector<mcp::PromptSpec>& prompts) {
    for (mcp::PromptSpec& prompt : prompts) {
        const Json reference = {{"type", "ref/prompt"}, {"name", prompt.name}};
        for (mcp::PromptArgument& argument : prompt.arguments) {
            argument.completer =
                forwarded_completer(host, argument.completer, reference, argument.name);
        }
        prompt.handler = [&host, local = prompt.handler, name = prompt.name, task = prompt.task](
                             ToolContext& context,
                             const mcp::UriVariables& arguments) -> Outcome<mcp::PromptResult> {
            const Json params = {{"name", name}, {"arguments", Json(arguments)}};
            TB_TRY_TOOL(
                const auto answer,
                ask_owner(host, {"prompts/get", params, Question::Kind::kReads, name}, context));
            if (!answer.has_value()) {
                return local(context, arguments);
            }
            TB_TRY_TOOL(mcp::PromptResult result, prompt_result_of(*answer));
            if (task != nullptr && !result.messages.empty()) {
                // The owner may offer tools that this server does not.
                result.messages.front().content = mcp::ContentItem::text(task(arguments));
            }
            return result;
        };
    }
}

}  // namespace

mcp::ServerOptions whole_lists(mcp::ServerOptions options) {
    options.page_size = std::numeric_limits<std::size_t>::max();
    options.max_completions = std::numeric_limits<std::size_t>::max();
    return options;
}

Result<mcp::ServerContent> forwarded(mcp::ServerContent content, Host& host) {
    mcp::ServerContent result;
    const auto links = std::make_shared<GivenLinks>();
    TB_TRY(result.tools, forwarded_tools(host, content.tools, links));
    if (content.dynamic_resources != nullptr) {
        result.dynamic_resources = forwarded_list(host, content);
    }
    result.resources = std::move(content.resources);
    for (mcp::ResourceSpec& spec : result.resources) {
        spec.read = [&host, local = spec.read,
                     uri = spec.info.uri](ToolContext& context) -> Outcome<mcp::ResourceContents> {
            TB_TRY_TOOL(auto contents, read_at_owner(host, uri, context));
            if (contents.has_value()) {
                return std::move(*contents);
            }
            return local(context);
        };
    }
    result.templates = std::move(content.templates);
    forward_templates(host, result.templates, links);
    result.prompts = std::move(content.prompts);
    forward_prompts(host, result.prompts);
    return result;
}

}  // namespace tb::serve
