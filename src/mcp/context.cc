#include "mcp/context.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace tb::mcp {

namespace {

class SilentNotifier final : public Notifier {
  public:
    void tools_changed() override {}
    void prompts_changed() override {}
    void resources_changed() override {}
    void resource_updated(std::string_view /*uri*/) override {}
};

std::optional<std::chrono::milliseconds> time_left(
    const std::optional<ContextOptions::SteadyTime>& deadline) {
    if (!deadline.has_value()) {
        return std::nullopt;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        *deadline - std::chrono::steady_clock::now());
    return std::max(left, std::chrono::milliseconds(0));
}

Json capability_for(InputKind kind) {
    switch (kind) {
        case InputKind::kForm:
            return {{"elicitation", Json::object()}};
        case InputKind::kUrl:
            return {{"elicitation", {{"url", Json::object()}}}};
        case InputKind::kSampling:
            return {{"sampling", Json::object()}};
        case InputKind::kRoots:
            return {{"roots", Json::object()}};
    }
    return Json::object();
}

}  // namespace

InputRequest InputRequest::form(std::string key, std::string message, Json requested_schema) {
    return {std::move(key), InputKind::kForm,
            Json{{"mode", "form"},
                 {"message", std::move(message)},
                 {"requestedSchema", std::move(requested_schema)}}};
}

InputRequest InputRequest::url(std::string key, std::string message, std::string url) {
    return {std::move(key), InputKind::kUrl,
            Json{{"mode", "url"}, {"message", std::move(message)}, {"url", std::move(url)}}};
}

InputRequest InputRequest::sampling(std::string key, Json params) {
    return {std::move(key), InputKind::kSampling, std::move(params)};
}

InputRequest InputRequest::roots(std::string key) {
    return {std::move(key), InputKind::kRoots, Json::object()};
}

std::string_view InputRequest::method() const {
    switch (kind) {
        case InputKind::kForm:
        case InputKind::kUrl:
            return "elicitation/create";
        case InputKind::kSampling:
            return "sampling/createMessage";
        case InputKind::kRoots:
            return "roots/list";
    }
    return "elicitation/create";
}

std::string InputAnswer::action() const {
    return result->is_object() ? result->value("action", std::string()) : std::string();
}

bool InputAnswer::accepted() const {
    return action() == "accept";
}

const Json& InputAnswer::content() const {
    static const Json null;
    if (!result->is_object()) {
        return null;
    }
    const auto content = result->find("content");
    return content == result->end() ? null : *content;
}

ToolContext::ToolContext() = default;
ToolContext::ToolContext(ContextOptions options) : options_(std::move(options)) {}

bool ToolContext::past_soft_deadline() const {
    return options_.soft_deadline.has_value() &&
           std::chrono::steady_clock::now() >= *options_.soft_deadline;
}

std::optional<std::chrono::milliseconds> ToolContext::soft_time_left() const {
    return time_left(options_.soft_deadline);
}

std::optional<std::chrono::milliseconds> ToolContext::hard_time_left() const {
    return time_left(options_.hard_deadline);
}

const Json& ToolContext::client_capabilities() const {
    return options_.client_capabilities.get();
}

void ToolContext::report(const Progress& progress) {
    if (options_.channel != nullptr) {
        options_.channel->progress(progress);
    }
}

ProgressCallback ToolContext::progress_callback() {
    return [this](const Progress& progress) { report(progress); };
}

void ToolContext::log(LoggingLevel level, std::string_view logger, const Json& data) {
    if (options_.channel != nullptr) {
        options_.channel->log(level, logger, data);
    }
}

void ToolContext::log(LoggingLevel level, std::string_view text) {
    log(level, "", Json(text));
}

bool ToolContext::can_ask(InputKind kind) const {
    return options_.channel != nullptr && options_.channel->can_ask(kind);
}

Outcome<std::vector<InputAnswer>> ToolContext::ask(const std::vector<InputRequest>& requests) {
    Json missing = Json::object();
    for (const InputRequest& request : requests) {
        if (!can_ask(request.kind)) {
            missing.update(capability_for(request.kind), /*merge_objects=*/true);
        }
    }
    if (!missing.empty()) {
        return tl::unexpected<ToolError>(ToolError::missing_capability(std::move(missing)));
    }
    // Time the user takes is not the call's.
    const auto asked = std::chrono::steady_clock::now();
    auto answers = options_.channel->ask(requests);
    const auto waited = std::chrono::steady_clock::now() - asked;
    if (options_.soft_deadline.has_value()) {
        *options_.soft_deadline += waited;
    }
    if (options_.hard_deadline.has_value()) {
        *options_.hard_deadline += waited;
    }
    return answers;
}

Outcome<InputAnswer> ToolContext::ask(InputRequest request) {
    TB_TRY_TOOL(std::vector<InputAnswer> answers,
                ask(std::vector<InputRequest>{std::move(request)}));
    return std::move(answers.front());
}

Outcome<bool> ToolContext::confirm(std::string key, std::string message) {
    Json schema = {{"type", "object"},
                   {"properties", {{"confirm", {{"type", "boolean"}, {"title", "Confirm"}}}}},
                   {"required", {"confirm"}}};
    TB_TRY_TOOL(const InputAnswer answer,
                ask(InputRequest::form(std::move(key), std::move(message), std::move(schema))));
    if (!answer.accepted() || !answer.content().is_object()) {
        return false;
    }
    const auto confirmed = answer.content().find("confirm");
    return confirmed != answer.content().end() && confirmed->is_boolean() && confirmed->get<bool>();
}

Notifier& ToolContext::notifier() {
    static SilentNotifier silent;
    return options_.notifier == nullptr ? silent : *options_.notifier;
}

void ToolContext::close_stream() {
    if (options_.channel != nullptr) {
        options_.channel->close_stream();
    }
}

}  // namespace tb::mcp
