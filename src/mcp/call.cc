#include <algorithm>

#include "core/log.h"
#include "mcp/fit.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "mcp/server_impl.h"
#include "mcp/tool_result.h"

namespace tb::mcp {

namespace {

// A handler that has not returned this long after the hard deadline is answered for.
constexpr std::chrono::seconds kGiveUpAfter{2};
constexpr std::chrono::minutes kUserMayTake{10};
constexpr std::chrono::minutes kStateLives{10};

std::chrono::milliseconds limit_of(const Message& request, const ServerImpl& server) {
    const auto usual = server.options().hard_deadline;
    const auto name = request.params->find("name");
    if (request.method != "tools/call" || name == request.params->end() || !name->is_string()) {
        return usual;
    }
    const ToolSpec* const tool = server.content().tools.find(name->get_ref<const std::string&>());
    const auto arguments = request.params->find("arguments");
    return tool == nullptr || arguments == request.params->end()
               ? usual
               : time_limit(*tool, *arguments, usual);
}

std::int64_t epoch_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// The same text for the same value, however its members were ordered.
std::string canonical(const Json& value) {
    return nlohmann::json::parse(to_json_text(value)).dump();
}

std::optional<std::string> malformed(const InputRequest& request, const Json& answer) {
    if (!answer.is_object()) {
        return "is not an object";
    }
    const auto text_member = [&](const char* name) {
        const auto found = answer.find(name);
        return found != answer.end() && found->is_string();
    };
    switch (request.kind) {
        case InputKind::kForm:
        case InputKind::kUrl: {
            const std::string action =
                text_member("action") ? answer["action"].get<std::string>() : std::string();
            if (action != "accept" && action != "decline" && action != "cancel") {
                return R"(needs "action": accept, decline or cancel)";
            }
            if (answer.contains("content") && !answer["content"].is_object()) {
                return R"(member "content" is not an object)";
            }
            return std::nullopt;
        }
        case InputKind::kSampling:
            return text_member("role") && answer.contains("content")
                       ? std::nullopt
                       : std::optional<std::string>(R"(needs "role" and "content")");
        case InputKind::kRoots:
            return answer.contains("roots") && answer["roots"].is_array()
                       ? std::nullopt
                       : std::optional<std::string>(R"(needs "roots")");
    }
    return std::nullopt;
}

// An accepted form that does not fit what was asked for counts as not answered.
bool fits_form(const InputRequest& request, const Json& answer) {
    if (request.kind != InputKind::kForm || answer.value("action", "") != "accept") {
        return true;
    }
    const Json content = answer.value("content", Json::object());
    const auto schema = request.params->find("requestedSchema");
    return schema == request.params->end() || check_against_schema(*schema, content).empty();
}

}  // namespace

Call::Call(std::shared_ptr<ConnectionImpl> owner, Message request, RequestInfo request_info,
           std::shared_ptr<Outlet> where)
    : connection_(std::move(owner)),
      principal_(connection_->principal()),
      request_(std::move(request)),
      info_(std::move(request_info)),
      outlet_(std::move(where)),
      time_limit_(limit_of(request_, connection_->server())),
      hard_deadline_(received_ + time_limit_),
      gate_(received_) {}

void Call::emit(OutMessage message, bool is_answer) {
    if (on_worker_.load()) {
        outlet_->wait_for_room(token_);
    }
    {
        const std::lock_guard lock(mutex_);
        if (done_) {
            return;
        }
        done_ = is_answer;
        if (is_answer) {
            // Before the client can have the answer: it may use the id again at once.
            connection_->free_id(key_);
        }
        outlet_->send(std::move(message));
    }
    if (is_answer) {
        finish();
    }
}

void Call::finish() {
    connection_->forget_call();
    outlet_->finished();
}

void Call::answer_result(const Json& result) {
    emit({encode_result(*request_.id, result), OutMessage::Kind::kResponse, 0}, true);
}

void Call::answer_text(std::string_view result_text) {
    emit({encode_result_text(*request_.id, result_text), OutMessage::Kind::kResponse, 0}, true);
}

void Call::answer_error(const RpcError& error) {
    const RpcError shown = {error.code, visible_lines(error.message), error.data};
    emit({encode_error(request_.id, shown), OutMessage::Kind::kResponse, shown.code}, true);
}

void Call::drop() {
    {
        const std::lock_guard lock(mutex_);
        if (done_) {
            return;
        }
        done_ = true;
        connection_->free_id(key_);
    }
    cancel_.cancel();
    finish();
}

void Call::interrupt() {
    cancel_.cancel();
}

// ---- progress and log messages ----

void Call::send_progress(const ProgressGate::Frame& frame) {
    Json params = {{"progressToken", info_.progress_token}, {"progress", frame.progress}};
    if (frame.total > 0) {
        params["total"] = frame.total;
    }
    if (!frame.message.empty() && info_.revision >= Revision::k2025_03_26) {
        params["message"] = first_chars(visible_text(frame.message), kMaxCellChars);
    }
    outlet_->send({encode_notification("notifications/progress", params),
                   OutMessage::Kind::kNotification, 0});
}

void Call::progress(const Progress& progress) {
    if (info_.progress_token.is_null() || !outlet_->has_room()) {
        return;
    }
    // Deciding and sending under one lock keeps frames of worker and timer in order.
    const std::lock_guard lock(mutex_);
    if (done_) {
        return;
    }
    if (const auto frame = gate_.report(progress, SteadyClock::now())) {
        send_progress(*frame);
    }
}

bool Call::tick(SteadyClock::time_point now) {
    bool expired = false;
    bool give_up = false;
    const bool wants_progress = !info_.progress_token.is_null() && outlet_->has_room();
    {
        const std::lock_guard lock(mutex_);
        if (done_) {
            return true;
        }
        expired = !waiting_for_user_ && now >= hard_deadline_;
        give_up = expired && now >= hard_deadline_ + kGiveUpAfter;
        if (wants_progress) {
            if (const auto frame = gate_.tick(now)) {
                send_progress(*frame);
            }
        }
    }
    if (expired && !timed_out_.exchange(true)) {
        cancel_.cancel();
    }
    if (give_up) {
        answer_gave_up();
    }
    return give_up;
}

void Call::answer_gave_up() {
    const std::string text = "Stopped: one call may take " +
                             std::to_string(time_limit_.count() / 1000) +
                             " s. Ask for less at once.";
    if (request_.method != "tools/call") {
        answer_error({code::kInternalError, text, {}});
        return;
    }
    Json result = tool_error_json(text);
    connection_->server().finish_result(result, era());
    answer_result(result);
}

void Call::log(LoggingLevel level, std::string_view logger, const Json& data) {
    if (!info_.log_level.has_value() || level < *info_.log_level) {
        return;
    }
    Json params = {{"level", logging_level_name(level)}};
    if (!logger.empty()) {
        params["logger"] = logger;
    }
    params["data"] = data;
    make_harmless(params["data"]);
    emit({encode_notification("notifications/message", params), OutMessage::Kind::kNotification, 0},
         false);
}

void Call::close_stream() {
    outlet_->close_stream();
}

// ---- questions ----

bool Call::can_ask(InputKind kind) const {
    const Json& declared = info_.capabilities;
    switch (kind) {
        case InputKind::kForm:
        case InputKind::kUrl: {
            const auto elicitation = declared.find("elicitation");
            if (elicitation == declared.end() || !elicitation->is_object() ||
                info_.revision < Revision::k2025_06_18) {
                return false;
            }
            const bool url = elicitation->contains("url");
            if (kind == InputKind::kUrl) {
                return url && info_.revision >= Revision::k2025_11_25;
            }
            return elicitation->contains("form") || !url;  // {} means form
        }
        case InputKind::kSampling:
            return declared.contains("sampling");
        case InputKind::kRoots:
            return declared.contains("roots");
    }
    return false;
}

Outcome<std::vector<InputAnswer>> Call::ask(const std::vector<InputRequest>& requests) {
    return era() == Era::kModern ? ask_modern(requests) : ask_legacy(requests);
}

Outcome<std::vector<InputAnswer>> Call::ask_modern(const std::vector<InputRequest>& requests) {
    std::vector<InputAnswer> answers;
    for (const InputRequest& request : requests) {
        const auto found = answers_.find(request.key);
        if (found == answers_.end()) {
            needed_.push_back(request);
            continue;
        }
        if (const auto why = malformed(request, *found)) {
            return tl::unexpected<ToolError>(ToolError::protocol(
                code::kInvalidParams, "inputResponses['" + cell_text(request.key) + "'] " + *why));
        }
        if (!fits_form(request, *found)) {
            needed_.push_back(request);
            continue;
        }
        used_.insert(request.key);
        answers.push_back({*found});
    }
    if (!needed_.empty()) {
        return tl::unexpected<ToolError>(ToolError::input_required());
    }
    return answers;
}

Outcome<std::vector<InputAnswer>> Call::ask_legacy(const std::vector<InputRequest>& requests) {
    struct Box {
        std::mutex mutex;
        std::condition_variable arrived;
        std::vector<std::optional<Message>> answers;
        std::size_t missing = 0;
    };
    const auto box = std::make_shared<Box>();
    box->answers.resize(requests.size());
    box->missing = requests.size();
    std::vector<RequestId> ids;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        ids.push_back(connection_->open_question([box, i](Message message) {
            const std::lock_guard lock(box->mutex);
            box->answers[i] = std::move(message);
            --box->missing;
            box->arrived.notify_all();
        }));
        Json params = *requests[i].params;
        make_harmless(params);
        if (requests[i].kind == InputKind::kForm && info_.revision < Revision::k2025_11_25) {
            params.erase("mode");
        }
        emit({encode_request(ids.back(), requests[i].method(), params), OutMessage::Kind::kRequest,
              0},
             false);
    }
    const auto asked = SteadyClock::now();
    {
        const std::lock_guard lock(mutex_);
        waiting_for_user_ = true;
    }
    {
        const WorkerPool::Waiting waiting;
        const auto registration = token_.on_cancel([box] {
            const std::lock_guard lock(box->mutex);
            box->arrived.notify_all();
        });
        std::unique_lock lock(box->mutex);
        box->arrived.wait_for(lock, kUserMayTake,
                              [&] { return box->missing == 0 || token_.cancelled(); });
    }
    {
        const std::lock_guard lock(mutex_);
        waiting_for_user_ = false;
        hard_deadline_ += SteadyClock::now() - asked;
    }
    for (const RequestId& id : ids) {
        connection_->close_question(id);
    }
    const std::lock_guard lock(box->mutex);
    std::vector<InputAnswer> answers;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (!box->answers[i].has_value()) {
            return tool_error(token_.cancelled() ? "cancelled while waiting for the user"
                                                 : "the user did not answer in time");
        }
        const Message& message = *box->answers[i];
        if (!message.error.is_null()) {
            return tool_error("the client refused to ask: " +
                              cell_text(message.error->is_object()
                                            ? message.error->value("message", "no reason given")
                                            : "no reason given"));
        }
        if (const auto why = malformed(requests[i], *message.result)) {
            return tool_error("the client's answer to '" + requests[i].key + "' " + *why);
        }
        if (!fits_form(requests[i], *message.result)) {
            return tool_error("the client's answer to '" + requests[i].key +
                              "' is not what was asked for");
        }
        answers.push_back({*message.result});
    }
    return answers;
}

// ---- rounds of a modern request (06 P17) ----

std::string Call::seal_context() const {
    Json salient = Json::object();
    for (const char* name : {"name", "arguments", "uri"}) {
        if (const auto found = request_.params->find(name); found != request_.params->end()) {
            salient[name] = *found;
        }
    }
    return principal_.name + "\n" + request_.method + "\n" + canonical(salient);
}

bool Call::open_rounds() {
    if (era() != Era::kModern) {
        return true;
    }
    const Json& params = *request_.params;
    const auto refuse = [&](const char* why) {
        answer_error({code::kInvalidParams, why, {}});
        return false;
    };
    if (const auto sealed = params.find("requestState"); sealed != params.end()) {
        const auto plain = sealed->is_string()
                               ? connection_->server().sealer().open(
                                     sealed->get_ref<const std::string&>(), seal_context())
                               : std::nullopt;
        if (!plain.has_value()) {
            return refuse("requestState was not issued for this request; call without it");
        }
        const Json state = Json::parse(*plain);  // sealed by us, hence well-formed
        const auto expires = state["expires"].get<std::int64_t>();
        if (expires < epoch_seconds()) {
            return refuse("requestState has expired; call without it");
        }
        // What was confirmed once is done once, however often the message is sent.
        if (!connection_->server().use_state(sealed->get_ref<const std::string&>(), expires,
                                             epoch_seconds())) {
            return refuse("requestState was used already; call without it");
        }
        answers_ = state["answers"];
        handler_state_ = state["handler"].get<std::string>();
    }
    if (const auto given = params.find("inputResponses"); given != params.end()) {
        if (!given->is_object()) {
            return refuse("inputResponses must be an object");
        }
        answers_.update(*given);
    }
    return true;
}

Json Call::input_required_result(const std::string& handler_state) {
    Json requests = Json::object();
    for (const InputRequest& request : needed_) {
        Json entry = {{"method", request.method()}};
        if (!request.params->empty()) {
            entry["params"] = *request.params;
        }
        make_harmless(entry);
        requests[request.key] = std::move(entry);
    }
    // Answers nobody asked for are not carried along.
    Json kept = Json::object();
    for (const std::string& key : used_) {
        kept[key] = answers_[key];
    }
    const auto expires =
        epoch_seconds() + std::chrono::duration_cast<std::chrono::seconds>(kStateLives).count();
    const Json state = {{"expires", expires}, {"handler", handler_state}, {"answers", kept}};
    Json result = {
        {"resultType", "input_required"},
        {"inputRequests", std::move(requests)},
        {"requestState", connection_->server().sealer().seal(to_json_text(state), seal_context())}};
    return result;
}

ContextOptions Call::context_options() {
    ContextOptions options;
    options.cancel = token_;
    options.soft_deadline = received_ + connection_->server().options().soft_deadline;
    options.hard_deadline = received_ + time_limit_;
    options.principal = principal_;
    options.revision = info_.revision;
    options.client_capabilities = info_.capabilities;
    options.channel = this;
    options.notifier = &connection_->server();
    options.state = handler_state_;
    return options;
}

}  // namespace tb::mcp
