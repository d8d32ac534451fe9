#include <algorithm>
#include <cctype>

#include "core/log.h"
#include "mcp/json_text.h"
#include "mcp/nearest.h"
#include "mcp/render.h"
#include "mcp/server_impl.h"
#include "mcp/tool_result.h"

namespace tb::mcp {

namespace {

// Resources that one client, or one listen, hears of.
constexpr std::size_t kMaxWatchedUris = 1'024;

// Collects the answers of a batch into one array (revision 2025-03-26).
class BatchOutlet final : public Outlet {
  public:
    BatchOutlet(std::shared_ptr<Outlet> outer, std::size_t requests)
        : outer_(std::move(outer)), open_(requests) {}

    void wait_for_room(const CancelToken& cancel) override { outer_->wait_for_room(cancel); }
    [[nodiscard]] bool has_room() const override { return outer_->has_room(); }
    bool send(OutMessage message) override {
        if (message.kind != OutMessage::Kind::kResponse) {
            return outer_->send(std::move(message));
        }
        const std::lock_guard lock(mutex_);
        answers_ += (answers_.empty() ? "" : ",") + message.text;
        return true;
    }
    void finished() override {
        const std::lock_guard lock(mutex_);
        if (--open_ > 0) {
            return;
        }
        if (!answers_.empty()) {
            outer_->send({"[" + answers_ + "]", OutMessage::Kind::kResponse, 0});
        }
        outer_->finished();
    }
    void close_stream() override { outer_->close_stream(); }

  private:
    const std::shared_ptr<Outlet> outer_;
    std::mutex mutex_;
    std::string answers_;
    std::size_t open_;
};

void send_error(Outlet& outlet, const std::optional<RequestId>& id, const RpcError& error) {
    outlet.send({encode_error(id, error), OutMessage::Kind::kResponse, error.code});
    outlet.finished();
}

void send_result(Outlet& outlet, const RequestId& id, const Json& result) {
    outlet.send({encode_result(id, result), OutMessage::Kind::kResponse, 0});
    outlet.finished();
}

RpcError invalid_params(std::string text) {
    return {code::kInvalidParams, std::move(text), {}};
}

// W3C trace context, version 00; anything else is not copied into log lines.
std::string checked_trace(const Json& meta) {
    const auto found = meta.find("traceparent");
    if (found == meta.end() || !found->is_string()) {
        return {};
    }
    const auto& text = found->get_ref<const std::string&>();
    const bool plain = text.size() == 55 && std::all_of(text.begin(), text.end(), [](char c) {
                           return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == '-';
                       });
    return plain ? text : std::string();
}

const Json& meta_of(const Message& message) {
    static const Json none = Json::object();
    const auto found = message.params->find("_meta");
    return found != message.params->end() && found->is_object() ? *found : none;
}

Json progress_token_of(const Json& meta) {
    const auto found = meta.find("progressToken");
    // It is in every notification of progress: one of a megabyte is none.
    constexpr std::size_t kMaxTokenBytes = 1'024;
    const bool is_token =
        found != meta.end() &&
        (found->is_number_integer() ||
         (found->is_string() && found->get_ref<const std::string&>().size() <= kMaxTokenBytes));
    return is_token ? *found : Json();
}

bool wants(const Json& filter, const char* name) {
    const auto found = filter.find(name);
    return found != filter.end() && found->is_boolean() && found->get<bool>();
}

std::string_view method_of(News::Kind kind) {
    switch (kind) {
        case News::Kind::kTools:
            return "notifications/tools/list_changed";
        case News::Kind::kPrompts:
            return "notifications/prompts/list_changed";
        case News::Kind::kResources:
            return "notifications/resources/list_changed";
        case News::Kind::kResourceUpdated:
            return "notifications/resources/updated";
    }
    return "";
}

bool wants(const Listen& listen, News::Kind kind) {
    switch (kind) {
        case News::Kind::kTools:
            return listen.tools;
        case News::Kind::kPrompts:
            return listen.prompts;
        case News::Kind::kResources:
            return listen.resources;
        case News::Kind::kResourceUpdated:
            return false;  // asked for by uri
    }
    return false;
}

// The params of each notification to send: one of a list, or one per name the client has for the
// resource.
std::vector<Json> params_of(const News& news, bool wants_list, const WatchedUris& uris,
                            const Json& params) {
    if (news.kind != News::Kind::kResourceUpdated) {
        return wants_list ? std::vector<Json>{params} : std::vector<Json>{};
    }
    std::vector<Json> out;
    for (const auto& [given, canonical] : uris) {
        if (canonical == news.uri) {
            out.push_back(params);
            out.back()["uri"] = given;
        }
    }
    return out;
}

Json subscription_meta(const RequestId& id) {
    return {{std::string(meta::kSubscriptionId), id.to_json()}};
}

}  // namespace

ConnectionImpl::ConnectionImpl(std::shared_ptr<ServerImpl> server, ConnectionOptions options)
    : server_(std::move(server)),
      principal_(std::move(options.principal)),
      background_(std::move(options.background)),
      legacy_(options.assume_legacy) {}

Principal ConnectionImpl::principal() const {
    const std::lock_guard lock(principal_mutex_);
    return principal_;
}

void ConnectionImpl::set_principal(const Principal& principal) {
    const std::lock_guard lock(principal_mutex_);
    principal_ = principal;
}

// ---- coming in ----

void ConnectionImpl::receive(std::string_view text, const std::shared_ptr<Outlet>& outlet) {
    receive(decode_text(text), outlet, false);
}

void ConnectionImpl::receive(Inbound inbound, const std::shared_ptr<Outlet>& outlet,
                             bool require_modern) {
    if (!inbound.is_batch) {
        Decoded& only = inbound.messages.front();
        if (only.has_value()) {
            handle(std::move(*only), outlet, require_modern, false);
        } else {
            send_error(*outlet, only.error().id, only.error().error);
        }
        return;
    }
    if (legacy_revision() != Revision::k2025_03_26) {
        send_error(*outlet, std::nullopt,
                   {code::kInvalidRequest,
                    "Invalid request: batches exist in revision 2025-03-26 alone",
                    {}});
        return;
    }
    const auto answers = static_cast<std::size_t>(
        std::count_if(inbound.messages.begin(), inbound.messages.end(), [](const Decoded& entry) {
            return !entry.has_value() || entry->kind == Message::Kind::kRequest;
        }));
    const auto batch = std::make_shared<BatchOutlet>(outlet, answers);
    for (Decoded& entry : inbound.messages) {
        if (entry.has_value()) {
            handle(std::move(*entry), batch, require_modern, true);
        } else {
            send_error(*batch, entry.error().id, entry.error().error);
        }
    }
}

void ConnectionImpl::handle(Message message, const std::shared_ptr<Outlet>& outlet,
                            bool require_modern, bool in_batch) {
    switch (message.kind) {
        case Message::Kind::kRequest:
            handle_request(std::move(message), outlet, require_modern, in_batch);
            return;
        case Message::Kind::kNotification:
            handle_notification(message);
            return;
        case Message::Kind::kResponse:
            handle_response(std::move(message));
            return;
    }
}

void ConnectionImpl::handle_response(Message message) {
    std::function<void(Message)> deliver;
    {
        const std::lock_guard lock(mutex_);
        const auto found =
            message.id.has_value() ? questions_.find(message.id->to_text()) : questions_.end();
        if (found != questions_.end()) {
            deliver = std::move(found->second);
            questions_.erase(found);
        }
    }
    if (deliver == nullptr) {
        tb::log(LogLevel::kWarning, "dropped a response to a question that is not open");
        return;
    }
    deliver(std::move(message));
}

void ConnectionImpl::handle_notification(const Message& message) {
    if (message.method != "notifications/cancelled") {
        return;  // initialized, roots changes and whatever else: nothing waits for them
    }
    const auto member = message.params->find("requestId");
    const auto id = member == message.params->end() ? std::nullopt : RequestId::from_json(*member);
    if (!id.has_value()) {
        return;
    }
    std::shared_ptr<Call> call;
    std::shared_ptr<Outlet> listening;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = calls_.find(id->to_text()); found != calls_.end()) {
            call = found->second;
        }
        if (const auto found = listens_.find(id->to_text()); found != listens_.end()) {
            listening = found->second.outlet;
            listens_.erase(found);
        }
    }
    if (call != nullptr) {
        call->drop();
    }
    if (listening != nullptr) {
        server_->give_listen_slots(1);
        listening->finished();
    }
}

tl::expected<RequestInfo, RpcError> ConnectionImpl::classify(const Message& message,
                                                             bool require_modern) {
    const auto fail = [](std::string text) {
        return tl::unexpected<RpcError>(invalid_params(std::move(text)));
    };
    const Json& meta = meta_of(message);
    RequestInfo info;
    info.progress_token = progress_token_of(meta);
    info.trace = checked_trace(meta);
    if (!has_modern_meta(message) && !require_modern) {
        const std::lock_guard lock(mutex_);
        if (!legacy_.has_value() && message.method != "initialize" && message.method != "ping") {
            return fail("params._meta needs \"" + std::string(meta::kProtocolVersion) +
                        "\" (or open the connection with initialize)");
        }
        info.revision = legacy_.value_or(kNewestLegacy);
        info.capabilities = legacy_capabilities_;
        info.log_level = legacy_level_;
        return info;
    }
    const auto version = meta.find(std::string(meta::kProtocolVersion));
    if (version == meta.end() || !version->is_string()) {
        return fail("params._meta needs \"" + std::string(meta::kProtocolVersion) + "\", a string");
    }
    const auto revision = parse_revision(version->get_ref<const std::string&>());
    if (!revision.has_value() || era_of(*revision) != Era::kModern) {
        Json supported = Json::array();
        for (const Revision known : kModernRevisions) {
            supported.push_back(revision_name(known));
        }
        return tl::unexpected<RpcError>(
            RpcError{code::kUnsupportedVersion, "Unsupported protocol version",
                     Json{{"supported", std::move(supported)}, {"requested", *version}}});
    }
    const auto capabilities = meta.find(std::string(meta::kClientCapabilities));
    if (capabilities == meta.end() || !capabilities->is_object()) {
        return fail("params._meta needs \"" + std::string(meta::kClientCapabilities) +
                    "\", an object");
    }
    info.revision = *revision;
    info.capabilities = *capabilities;
    if (const auto level = meta.find(std::string(meta::kLogLevel)); level != meta.end()) {
        info.log_level = level->is_string()
                             ? parse_logging_level(level->get_ref<const std::string&>())
                             : std::nullopt;
        if (!info.log_level.has_value()) {
            return fail("unknown log level " + cell_text(to_json_text(*level)));
        }
    }
    return info;
}

void ConnectionImpl::handle_request(Message message, const std::shared_ptr<Outlet>& outlet,
                                    bool require_modern, bool in_batch) {
    auto info = classify(message, require_modern);
    if (!info.has_value()) {
        refuse(message, *outlet, info.error(), "protocol");
        return;
    }
    const Era era = era_of(info->revision);
    if (!server_->serves(message.method, era)) {
        refuse(message, *outlet,
               {code::kMethodNotFound, "Method not found: " + cell_text(message.method), {}},
               "tool");
        return;
    }
    if (server_->stopping()) {
        refuse(message, *outlet, {code::kInternalError, "The server is shutting down", {}},
               "ending");
        return;
    }
    if (in_batch && message.method == "initialize") {
        send_error(*outlet, message.id,
                   {code::kInvalidRequest, "Invalid request: initialize in a batch", {}});
        return;
    }
    if (handle_legacy_method(message, *outlet)) {
        return;
    }
    const auto key = key_for(*message.id, outlet);
    if (!key.has_value()) {
        refuse(message, *outlet, {code::kInvalidRequest, "Invalid request: this id is in use", {}},
               "limit");
        return;
    }
    if (message.method == "subscriptions/listen") {
        listen(message, outlet);
        return;
    }
    const auto call =
        std::make_shared<Call>(shared_from_this(), std::move(message), std::move(*info), outlet);
    call->set_key(*key);
    bool closed = false;
    {
        const std::lock_guard lock(mutex_);
        closed = closed_;
        calls_.emplace(call->key(), call);
    }
    if (closed) {
        call->drop();
    } else if (!server_->answer_inline(*call)) {
        run(call);
    }
}

void ConnectionImpl::refuse(const Message& message, Outlet& outlet, const RpcError& error,
                            const char* why) {
    server_->note_refused(message, principal(), why);
    send_error(outlet, message.id, error);
}

std::optional<std::string> ConnectionImpl::key_for(const RequestId& id,
                                                   const std::shared_ptr<Outlet>& outlet) {
    const std::string key = id.to_text();
    const std::lock_guard lock(mutex_);
    if (listens_.contains(key)) {
        return std::nullopt;
    }
    const auto found = calls_.find(key);
    if (found == calls_.end()) {
        return key;
    }
    // No id has such a text: those of strings are in quotes.
    return found->second->outlet() == outlet
               ? std::nullopt
               : std::optional("twin " + std::to_string(next_twin_++));
}

void ConnectionImpl::run(const std::shared_ptr<Call>& call) {
    server_->watch(call);
    if (server_->submit([call, server = server_] { server->run(call); })) {
        return;
    }
    const std::string text = "The server is busy with other calls; try again in a moment.";
    server_->note_refused(call->request(), call->principal(), "limit");
    if (call->request().method != "tools/call") {
        call->answer_error({code::kInternalError, text, {}});
        return;
    }
    Json result = tool_error_json(text);
    server_->finish_result(result, call->era());
    call->answer_result(result);
}

// ---- legacy conversation ----

void ConnectionImpl::initialize(const Message& message, Outlet& outlet) {
    const Json& params = *message.params;
    const auto version = params.find("protocolVersion");
    if (version == params.end() || !version->is_string()) {
        send_error(outlet, message.id, invalid_params("protocolVersion must be a string"));
        return;
    }
    const auto asked = parse_revision(version->get_ref<const std::string&>());
    const Revision agreed =
        asked.has_value() && era_of(*asked) == Era::kLegacy ? *asked : kNewestLegacy;
    {
        const std::lock_guard lock(mutex_);
        legacy_ = agreed;
        const auto capabilities = params.find("capabilities");
        legacy_capabilities_ = capabilities != params.end() && capabilities->is_object()
                                   ? *capabilities
                                   : Json::object();
        legacy_level_ = LoggingLevel::kInfo;
        legacy_uris_.clear();
    }
    send_result(outlet, *message.id, server_->initialize_result(agreed));
}

bool ConnectionImpl::handle_legacy_method(const Message& message, Outlet& outlet) {
    const std::string& method = message.method;
    if (method == "initialize") {
        initialize(message, outlet);
        return true;
    }
    if (method == "ping") {
        send_result(outlet, *message.id, Json::object());
        return true;
    }
    const auto member = [&](const char* name) {
        const auto found = message.params->find(name);
        return found != message.params->end() && found->is_string() ? found->get<std::string>()
                                                                    : std::string();
    };
    if (method == "logging/setLevel") {
        const auto level = parse_logging_level(member("level"));
        if (!level.has_value()) {
            send_error(outlet, message.id,
                       invalid_params("level must be one of debug, info, "
                                      "notice, warning, error, critical, "
                                      "alert, emergency"));
            return true;
        }
        {
            const std::lock_guard lock(mutex_);
            legacy_level_ = *level;
        }
        send_result(outlet, *message.id, Json::object());
        return true;
    }
    if (method == "resources/subscribe" || method == "resources/unsubscribe") {
        const std::string uri = member("uri");
        if (uri.empty()) {
            send_error(outlet, message.id, invalid_params("params.uri must be a string"));
            return true;
        }
        const auto canonical = server_->canonical_uri(uri);
        if (!canonical.has_value()) {
            send_error(outlet, message.id,
                       {code::kLegacyResourceNotFound, "Resource not found", Json{{"uri", uri}}});
            return true;
        }
        bool is_full = false;
        {
            const std::lock_guard lock(mutex_);
            if (method != "resources/subscribe") {
                legacy_uris_.erase(uri);
            } else if (legacy_uris_.contains(uri) || legacy_uris_.size() < kMaxWatchedUris) {
                legacy_uris_.insert_or_assign(uri, *canonical);
            } else {
                is_full = true;
            }
        }
        if (is_full) {
            send_error(outlet, message.id,
                       {code::kInternalError,
                        "Too many subscriptions: at most " + std::to_string(kMaxWatchedUris) +
                            " of one client",
                        {}});
            return true;
        }
        send_result(outlet, *message.id, Json::object());
        return true;
    }
    return false;
}

// ---- news ----

void ConnectionImpl::listen(const Message& message, const std::shared_ptr<Outlet>& outlet) {
    const auto filter = message.params->find("notifications");
    if (filter == message.params->end() || !filter->is_object()) {
        send_error(*outlet, message.id, invalid_params("notifications must be an object"));
        return;
    }
    if (!server_->take_listen_slot()) {
        send_error(*outlet, message.id, {code::kInternalError, "Too many open subscriptions", {}});
        return;
    }
    const ServerOptions& options = server_->options();
    Listen entry{*message.id, outlet, false, false, false, {}};
    Json honoured = Json::object();
    const auto honour = [&](const char* name, bool possible) {
        const bool yes = possible && wants(*filter, name);
        if (yes) {
            honoured[name] = true;
        }
        return yes;
    };
    entry.tools = honour("toolsListChanged", options.tools_list_changes);
    entry.prompts = honour("promptsListChanged", options.prompts_list_changes);
    entry.resources = honour("resourcesListChanged", options.resources_change);
    if (const auto uris = filter->find("resourceSubscriptions");
        uris != filter->end() && uris->is_array() && options.resources_change) {
        Json kept = Json::array();
        for (const Json& uri : *uris) {
            const auto canonical = uri.is_string()
                                       ? server_->canonical_uri(uri.get_ref<const std::string&>())
                                       : std::nullopt;
            if (canonical.has_value() && entry.uris.size() < kMaxWatchedUris) {
                entry.uris.insert_or_assign(uri.get<std::string>(), *canonical);
                kept.push_back(uri);
            }
        }
        honoured["resourceSubscriptions"] = std::move(kept);
    }
    const Json params = {{"_meta", subscription_meta(*message.id)}, {"notifications", honoured}};
    {
        const std::lock_guard lock(mutex_);
        if (!closed_) {
            // Under the lock, so that no news can overtake the acknowledgement.
            outlet->send({encode_notification("notifications/subscriptions/acknowledged", params),
                          OutMessage::Kind::kNotification, 0});
            listens_.emplace(message.id->to_text(), std::move(entry));
            return;
        }
    }
    server_->give_listen_slots(1);
    outlet->finished();
}

void ConnectionImpl::tell(const News& news) {
    const std::string_view method = method_of(news.kind);
    const std::lock_guard lock(mutex_);
    if (closed_) {
        return;
    }
    const auto send = [&](Outlet& outlet, const std::vector<Json>& all) {
        for (const Json& params : all) {
            if (outlet.has_room()) {
                outlet.send(
                    {encode_notification(method, params), OutMessage::Kind::kNotification, 0});
            }
        }
    };
    for (const auto& [unused, entry] : listens_) {
        send(*entry.outlet, params_of(news, wants(entry, news.kind), entry.uris,
                                      {{"_meta", subscription_meta(entry.id)}}));
    }
    if (legacy_.has_value() && background_ != nullptr) {
        send(*background_, params_of(news, true, legacy_uris_, Json::object()));
    }
}

void ConnectionImpl::end_subscriptions() {
    std::map<std::string, Listen> ending;
    {
        const std::lock_guard lock(mutex_);
        ending.swap(listens_);
    }
    for (const auto& [unused, entry] : ending) {
        Json params = {{"_meta", subscription_meta(entry.id)}, {"requestId", entry.id.to_json()}};
        entry.outlet->send({encode_notification("notifications/cancelled", params),
                            OutMessage::Kind::kNotification, 0});
        Json result = {{"_meta", subscription_meta(entry.id)}};
        server_->finish_result(result, Era::kModern);
        entry.outlet->send({encode_result(entry.id, result), OutMessage::Kind::kResponse, 0});
        entry.outlet->finished();
    }
    server_->give_listen_slots(ending.size());
}

// ---- ending ----

void ConnectionImpl::close() {
    std::map<std::string, std::shared_ptr<Call>> calls;
    std::map<std::string, Listen> listens;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        background_.reset();
        calls = calls_;
        listens.swap(listens_);
    }
    for (const auto& [unused, call] : calls) {
        call->drop();
    }
    for (const auto& [unused, entry] : listens) {
        entry.outlet->finished();
    }
    server_->give_listen_slots(listens.size());
}

void ConnectionImpl::interrupt_calls() {
    std::map<std::string, std::shared_ptr<Call>> calls;
    {
        const std::lock_guard lock(mutex_);
        calls = calls_;
    }
    for (const auto& [unused, call] : calls) {
        call->interrupt();
    }
}

void ConnectionImpl::free_id(const std::string& key) {
    std::shared_ptr<Call> call;  // released after the lock; the caller holds another one
    const std::lock_guard lock(mutex_);
    if (const auto found = calls_.find(key); found != calls_.end()) {
        call = std::move(found->second);
        calls_.erase(found);
    }
    ++answering_;
}

void ConnectionImpl::forget_call() {
    const std::lock_guard lock(mutex_);
    --answering_;
}

RequestId ConnectionImpl::open_question(std::function<void(Message)> deliver) {
    const std::lock_guard lock(mutex_);
    RequestId id(next_question_++);
    questions_.emplace(id.to_text(), std::move(deliver));
    return id;
}

void ConnectionImpl::close_question(const RequestId& id) {
    const std::lock_guard lock(mutex_);
    questions_.erase(id.to_text());
}

std::optional<Revision> ConnectionImpl::legacy_revision() const {
    const std::lock_guard lock(mutex_);
    return legacy_;
}

std::size_t ConnectionImpl::calls_in_flight() const {
    const std::lock_guard lock(mutex_);
    return calls_.size() + answering_;
}

void ConnectionImpl::set_background(std::shared_ptr<Outlet> outlet) {
    const std::lock_guard lock(mutex_);
    background_ = std::move(outlet);
}

}  // namespace tb::mcp
