#include "mcp/server.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "core/log.h"
#include "core/sha256.h"
#include "mcp/json_text.h"
#include "mcp/server_impl.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kMaxInstructionsBytes = 2'000;          // 06 T14
constexpr std::chrono::milliseconds kListTtl{3'600'000};      // 06 P16
constexpr std::chrono::milliseconds kMaxResourceTtl{60'000};  // 06 P16
constexpr std::chrono::milliseconds kTick{100};

void put_text(Json& out, const char* name, const std::string& text) {
    if (!text.empty()) {
        out[name] = text;
    }
}

Json annotations_json(const ResourceInfo& info) {
    Json out = Json::object();
    if (!info.audience.empty()) {
        out["audience"] = info.audience;
    }
    if (info.priority.has_value()) {
        out["priority"] = *info.priority;
    }
    put_text(out, "lastModified", info.last_modified);
    return out;
}

Json resource_json(const ResourceInfo& info) {
    Json out = {{"uri", info.uri}, {"name", info.name}};
    put_text(out, "title", info.title);
    put_text(out, "description", info.description);
    put_text(out, "mimeType", info.mime_type);
    if (info.size.has_value()) {
        out["size"] = *info.size;
    }
    if (Json annotations = annotations_json(info); !annotations.empty()) {
        out["annotations"] = std::move(annotations);
    }
    return out;
}

Json template_json(const ResourceTemplateSpec& spec) {
    Json out = {{"uriTemplate", spec.uri_template}, {"name", spec.name}};
    put_text(out, "title", spec.title);
    put_text(out, "description", spec.description);
    put_text(out, "mimeType", spec.mime_type);
    if (!spec.audience.empty()) {
        out["annotations"] = {{"audience", spec.audience}};
    }
    return out;
}

Json prompt_json(const PromptSpec& spec) {
    Json out = {{"name", spec.name}};
    put_text(out, "title", spec.title);
    put_text(out, "description", spec.description);
    if (!spec.arguments.empty()) {
        Json& arguments = out["arguments"] = Json::array();
        for (const PromptArgument& argument : spec.arguments) {
            Json entry = {{"name", argument.name}};
            put_text(entry, "title", argument.title);
            put_text(entry, "description", argument.description);
            entry["required"] = argument.required;
            arguments.push_back(std::move(entry));
        }
    }
    return out;
}

bool has_completers(const ServerContent& content) {
    return std::any_of(content.templates.begin(), content.templates.end(),
                       [](const auto& entry) { return !entry.completers.empty(); }) ||
           std::any_of(content.prompts.begin(), content.prompts.end(), [](const auto& prompt) {
               return std::any_of(prompt.arguments.begin(), prompt.arguments.end(),
                                  [](const auto& argument) { return bool(argument.completer); });
           });
}

bool has_resources(const ServerContent& content) {
    return !content.resources.empty() || !content.templates.empty() ||
           content.dynamic_resources != nullptr;
}

template <class Entries, class Name>
void require_unique(const Entries& entries, const char* what, const Name& name_of,
                    std::string& broken) {
    std::set<std::string> seen;
    for (const auto& entry : entries) {
        if (name_of(entry).empty() || !seen.insert(name_of(entry)).second) {
            broken += std::string(what) + " '" + name_of(entry) + "' is nameless or repeated. ";
        }
    }
}

}  // namespace

// ---- ServerImpl: making and ending ----

ServerImpl::ServerImpl(ServerOptions options, ServerContent content,
                       std::vector<UriTemplate> templates)
    : options_(std::move(options)),
      content_(std::move(content)),
      templates_(std::move(templates)),
      sealer_(options_.secret),
      pool_(options_.workers, options_.queue_limit) {
    build_lists();
}

ServerImpl::~ServerImpl() = default;

void ServerImpl::build_lists() {
    Json discover = modern_members(kListTtl, false);
    Json supported = Json::array();
    for (const Revision revision : kModernRevisions) {
        supported.push_back(revision_name(revision));
    }
    discover["supportedVersions"] = std::move(supported);
    discover["capabilities"] = capabilities();
    put_text(discover, "instructions", options_.instructions);
    if (!options_.identity.icons.is_null()) {
        discover["_meta"][std::string(meta::kServerInfo)]["icons"] = *options_.identity.icons;
    }
    discover_text_ = to_json_text(discover);

    tools_ = tool_pages(Principal{});
    resources_ = resource_pages(nullptr);
    Json members = modern_members(kListTtl, options_.lists_depend_on_principal);
    Json templates = Json::array();
    for (const ResourceTemplateSpec& spec : content_.templates) {
        templates.push_back(template_json(spec));
    }
    resource_templates_ =
        ListPages::make({"resourceTemplates", options_.page_size, &members}, templates);
    Json prompts = Json::array();
    for (const PromptSpec& spec : content_.prompts) {
        prompts.push_back(prompt_json(spec));
    }
    prompts_ = ListPages::make({"prompts", options_.page_size, &members}, prompts);
}

ListPages ServerImpl::tool_pages(const Principal& principal) const {
    Json members = modern_members(kListTtl, options_.lists_depend_on_principal);
    Json tools = Json::array();
    for (const auto& tool : content_.tools.tools()) {
        if (principal.allows(tool->scope)) {
            tools.push_back(tool_json(*tool));
        }
    }
    return ListPages::make({"tools", options_.page_size, &members}, tools);
}

ListPages ServerImpl::resource_pages(ToolContext* context) const {
    Json members =
        modern_members(std::min(options_.resource_ttl, kMaxResourceTtl), /*is_private=*/true);
    Json resources = Json::array();
    for (const ResourceSpec& spec : content_.resources) {
        resources.push_back(resource_json(spec.info));
    }
    if (context != nullptr && content_.dynamic_resources != nullptr) {
        for (const ResourceInfo& info : content_.dynamic_resources(*context)) {
            resources.push_back(resource_json(info));
        }
    }
    return ListPages::make({"resources", options_.page_size, &members}, resources);
}

bool ServerImpl::use_state(std::string_view sealed, std::int64_t expires, std::int64_t now) {
    constexpr std::size_t kMostStates = 100'000;  // of ten minutes
    const std::string digest = sha256_hex(std::as_bytes(std::span(sealed)));
    const std::lock_guard lock(states_mutex_);
    if (used_states_.size() >= kMostStates) {
        std::erase_if(used_states_, [&](const auto& entry) { return entry.second < now; });
        if (used_states_.size() >= kMostStates) {
            return false;
        }
    }
    return used_states_.emplace(digest, expires).second;
}

std::shared_ptr<Connection> ServerImpl::connect(ConnectionOptions options) {
    auto connection = std::make_shared<ConnectionImpl>(shared_from_this(), std::move(options));
    const std::lock_guard lock(mutex_);
    std::erase_if(connections_, [](const auto& entry) { return entry.expired(); });
    connections_.push_back(connection);
    return connection;
}

bool ServerImpl::shutdown(std::chrono::milliseconds wait) {
    stopping_.store(true);
    std::vector<std::shared_ptr<ConnectionImpl>> open;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& entry : connections_) {
            if (auto connection = entry.lock(); connection != nullptr) {
                open.push_back(std::move(connection));
            }
        }
    }
    for (const auto& connection : open) {
        connection->end_subscriptions();
        connection->interrupt_calls();
    }
    const bool all_ended = pool_.stop(wait);
    std::thread timer;
    {
        const std::lock_guard lock(mutex_);
        timer_stop_ = true;
        timer_wake_.notify_all();
        timer.swap(timer_);
    }
    if (timer.joinable()) {
        timer.join();
    }
    return all_ended;
}

// ---- timer ----

void ServerImpl::watch(const std::shared_ptr<Call>& call) {
    const std::lock_guard lock(mutex_);
    if (timer_stop_) {
        return;
    }
    watched_.push_back(call);
    if (!timer_.joinable()) {
        timer_ = std::thread([this] { run_timer(); });  // joined by shutdown, before *this ends
    } else if (watched_.size() == 1) {
        timer_wake_.notify_all();
    }
}

void ServerImpl::run_timer() {
    std::unique_lock lock(mutex_);
    while (!timer_stop_) {
        if (watched_.empty()) {
            timer_wake_.wait(lock, [&] { return timer_stop_ || !watched_.empty(); });
            continue;
        }
        timer_wake_.wait_for(lock, kTick, [&] { return timer_stop_; });
        std::vector<std::shared_ptr<Call>> calls = watched_;
        lock.unlock();
        const auto now = SteadyClock::now();
        std::vector<std::shared_ptr<Call>> ended;
        for (const auto& call : calls) {
            if (call->tick(now)) {
                ended.push_back(call);
            }
        }
        lock.lock();
        std::erase_if(watched_, [&](const auto& call) {
            return std::find(ended.begin(), ended.end(), call) != ended.end();
        });
        // What the last reference frees must not be freed under the lock.
        lock.unlock();
        calls.clear();
        ended.clear();
        lock.lock();
    }
    watched_.clear();
}

// ---- news and subscriptions ----

void ServerImpl::tell(const News& news) {
    std::vector<std::shared_ptr<ConnectionImpl>> open;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& entry : connections_) {
            if (auto connection = entry.lock(); connection != nullptr) {
                open.push_back(std::move(connection));
            }
        }
    }
    for (const auto& connection : open) {
        connection->tell(news);
    }
}

void ServerImpl::tools_changed() {
    if (options_.tools_list_changes) {
        tell({News::Kind::kTools, {}});
    }
}

void ServerImpl::prompts_changed() {
    if (options_.prompts_list_changes) {
        tell({News::Kind::kPrompts, {}});
    }
}

void ServerImpl::resources_changed() {
    if (options_.resources_change) {
        tell({News::Kind::kResources, {}});
    }
}

void ServerImpl::resource_updated(std::string_view uri) {
    if (options_.resources_change) {
        tell({News::Kind::kResourceUpdated, std::string(uri)});
    }
}

std::optional<std::string> ServerImpl::canonical_uri(std::string_view uri) const {
    for (const ResourceSpec& spec : content_.resources) {
        if (spec.info.uri == uri) {
            return spec.info.uri;
        }
    }
    for (const UriTemplate& entry : templates_) {
        if (const auto variables = entry.match(uri)) {
            return entry.expand(*variables);
        }
    }
    return std::nullopt;
}

bool ServerImpl::take_listen_slot() {
    if (listens_.fetch_add(1) < options_.max_subscriptions) {
        return true;
    }
    listens_.fetch_sub(1);
    return false;
}

void ServerImpl::give_listen_slots(std::size_t count) {
    listens_.fetch_sub(count);
}

// ---- what every result carries ----

Json ServerImpl::identity() const {
    Json out = {{"name", options_.identity.name}};
    put_text(out, "title", options_.identity.title);
    out["version"] = options_.identity.version;
    put_text(out, "websiteUrl", options_.identity.website_url);
    return out;
}

Json ServerImpl::capabilities() const {
    Json out = Json::object();
    if (!content_.tools.tools().empty()) {
        out["tools"] = {{"listChanged", options_.tools_list_changes}};
    }
    if (has_resources(content_)) {
        out["resources"] = {{"subscribe", options_.resources_change},
                            {"listChanged", options_.resources_change}};
    }
    if (!content_.prompts.empty()) {
        out["prompts"] = {{"listChanged", options_.prompts_list_changes}};
    }
    if (has_completers(content_)) {
        out["completions"] = Json::object();
    }
    out["logging"] = Json::object();
    if (!options_.extensions.is_null()) {
        out["extensions"] = *options_.extensions;
    }
    return out;
}

Json ServerImpl::initialize_result(Revision revision) const {
    Json server_info = identity();
    if (!options_.identity.icons.is_null()) {
        server_info["icons"] = *options_.identity.icons;
    }
    Json out = {{"protocolVersion", revision_name(revision)},
                {"capabilities", capabilities()},
                {"serverInfo", std::move(server_info)}};
    put_text(out, "instructions", options_.instructions);
    return out;
}

void ServerImpl::finish_result(Json& result, Era era) const {
    if (era == Era::kLegacy) {
        return;
    }
    if (!result.contains("resultType")) {
        result["resultType"] = "complete";
    }
    result["_meta"][std::string(meta::kServerInfo)] = identity();
}

Json ServerImpl::modern_members(std::chrono::milliseconds ttl, bool is_private) const {
    Json out = {{"ttlMs", ttl.count()}, {"cacheScope", is_private ? "private" : "public"}};
    finish_result(out, Era::kModern);
    return out;
}

bool ServerImpl::serves(std::string_view method, Era era) const {
    enum class Part { kAlways, kTools, kResources, kUpdates, kPrompts, kCompletion };
    struct Rule {
        std::string_view method;
        bool legacy;
        bool modern;
        Part part;
    };
    static constexpr std::array<Rule, 15> kRules = {{
        {"initialize", true, false, Part::kAlways},
        {"ping", true, false, Part::kAlways},
        {"logging/setLevel", true, false, Part::kAlways},
        {"server/discover", false, true, Part::kAlways},
        {"subscriptions/listen", false, true, Part::kAlways},
        {"tools/list", true, true, Part::kTools},
        {"tools/call", true, true, Part::kTools},
        {"resources/list", true, true, Part::kResources},
        {"resources/templates/list", true, true, Part::kResources},
        {"resources/read", true, true, Part::kResources},
        {"resources/subscribe", true, false, Part::kUpdates},
        {"resources/unsubscribe", true, false, Part::kUpdates},
        {"prompts/list", true, true, Part::kPrompts},
        {"prompts/get", true, true, Part::kPrompts},
        {"completion/complete", true, true, Part::kCompletion},
    }};
    const auto* rule = std::find_if(kRules.begin(), kRules.end(),
                                    [&](const Rule& entry) { return entry.method == method; });
    if (rule == kRules.end() || !(era == Era::kModern ? rule->modern : rule->legacy)) {
        return false;
    }
    switch (rule->part) {
        case Part::kAlways:
            return true;
        case Part::kTools:
            return !content_.tools.tools().empty();
        case Part::kResources:
            return has_resources(content_);
        case Part::kUpdates:
            return has_resources(content_) && options_.resources_change;
        case Part::kPrompts:
            return !content_.prompts.empty();
        case Part::kCompletion:
            return has_completers(content_);
    }
    return false;
}

// ---- Server ----

Result<std::unique_ptr<Server>> Server::make(ServerOptions options, ServerContent content) {
    std::string broken;
    if (options.instructions.size() > kMaxInstructionsBytes) {
        broken += "instructions above 2,000 bytes. ";
    }
    if (options.identity.name.empty() || options.identity.version.empty()) {
        broken += "the server needs a name and a version. ";
    }
    std::vector<UriTemplate> templates;
    for (const ResourceTemplateSpec& spec : content.templates) {
        TB_TRY(UriTemplate parsed, UriTemplate::parse(spec.uri_template));
        templates.push_back(std::move(parsed));
    }
    require_unique(
        content.resources, "resource", [](const auto& e) { return e.info.uri; }, broken);
    require_unique(
        content.templates, "template", [](const auto& e) { return e.uri_template; }, broken);
    require_unique(
        content.prompts, "prompt", [](const auto& e) { return e.name; }, broken);
    if (!broken.empty()) {
        return make_error(ErrorCode::kInvalidArgument, broken, "server content");
    }
    auto impl =
        std::make_shared<ServerImpl>(std::move(options), std::move(content), std::move(templates));
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::shared_ptr<ServerImpl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
    shutdown();
}

std::shared_ptr<Connection> Server::connect(ConnectionOptions options) {
    return impl_->connect(std::move(options));
}

bool Server::shutdown(std::chrono::milliseconds wait) {
    return impl_->shutdown(wait);
}
const ServerOptions& Server::options() const {
    return impl_->options();
}
const ServerContent& Server::content() const {
    return impl_->content();
}
void Server::tools_changed() {
    impl_->tools_changed();
}
void Server::prompts_changed() {
    impl_->prompts_changed();
}
void Server::resources_changed() {
    impl_->resources_changed();
}
void Server::resource_updated(std::string_view uri) {
    impl_->resource_updated(uri);
}

}  // namespace tb::mcp
