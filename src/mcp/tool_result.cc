#include "mcp/tool_result.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

#include "mcp/fit.h"
#include "mcp/json_text.h"
#include "mcp/render.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kLeastBudget = 1'000;
constexpr std::string_view kCutNote =
    "(cut here: the answer is longer than one result may be; narrow the question, page through "
    "it, or raise maxChars where the tool has it)";

bool knows(Revision revision, const Json& item) {
    const std::string type = item.value("type", "");
    if (type == "resource_link") {
        return revision >= Revision::k2025_06_18;
    }
    return type != "audio" || revision >= Revision::k2025_03_26;
}

Json as_text(const Json& item) {
    const std::string type = item.value("type", "");
    std::string text = "[" + type + "]";
    if (type == "resource_link") {
        text = visible_text(item.value("name", "")) + ": " + item.value("uri", "");
    }
    return ContentItem::text(std::move(text)).json.get();
}

void note_missing_numbers(Json& structured) {
    const std::size_t count = replace_non_finite(structured);
    if (count == 0) {
        return;
    }
    Json& warnings = structured["warnings"];
    if (!warnings.is_array()) {
        warnings = Json::array();
    }
    warnings.push_back(std::to_string(count) +
                       (count == 1 ? " value is not a finite number and shown as null"
                                   : " values are not finite numbers and shown as null"));
}

const Field* argument_named(const ToolSpec& spec, std::string_view name) {
    const auto found = std::find_if(spec.arguments.begin(), spec.arguments.end(),
                                    [&](const Field& field) { return field.name == name; });
    return found == spec.arguments.end() ? nullptr : &*found;
}

// As the handler will get it; empty if it was not given or the call will be refused for it.
std::optional<double> number_given(const ToolSpec& spec, const Json& arguments,
                                   std::string_view name) {
    const Field* const field = argument_named(spec, name);
    if (field == nullptr || !arguments.is_object() || !arguments.contains(field->name)) {
        return std::nullopt;
    }
    const auto checked = check_arguments({*field}, Json{{field->name, arguments.at(field->name)}});
    if (!checked.has_value()) {
        return std::nullopt;
    }
    const auto value = checked->find(field->name);
    return value != checked->end() && value->is_number() ? std::optional(value->get<double>())
                                                         : std::nullopt;
}

}  // namespace

bool has_max_chars(const ToolSpec& spec) {
    return argument_named(spec, "maxChars") != nullptr;
}

ResultBudget result_budget(const ToolSpec& spec, const Json& arguments) {
    ResultBudget budget;
    budget.cap = std::max(kMaxResultChars, spec.max_result_chars);
    budget.structured_cap = budget.cap;
    const auto wanted = number_given(spec, arguments, "maxChars");
    if (wanted && *wanted >= 1) {
        const double most = static_cast<double>(kMaxRaisedResultChars);
        budget.aim = std::max(kLeastBudget, static_cast<std::size_t>(std::min(*wanted, most)));
        budget.cap = std::max(budget.aim, kLeastBudget);
        budget.structured_cap = std::max(kMaxResultChars, budget.cap);
    }
    return budget;
}

std::chrono::milliseconds time_limit(const ToolSpec& spec, const Json& arguments,
                                     std::chrono::milliseconds usual) {
    const auto wanted = number_given(spec, arguments, "timeoutSeconds");
    if (!wanted) {
        return usual;
    }
    const Json& by_default = *argument_named(spec, "timeoutSeconds")->schema.default_value;
    const double further = *wanted - (by_default.is_number() ? by_default.get<double>() : 0);
    return usual +
           std::chrono::milliseconds(static_cast<std::int64_t>(std::max(further, 0.0) * 1'000));
}

std::optional<Excess> fit_result(ToolResult& result, const ResultBudget& budget, bool complete) {
    Json& structured = *result.structured;
    if (!structured.is_object()) {
        return std::nullopt;
    }
    const std::size_t cap = complete ? kMaxCompleteResultChars : budget.structured_cap;
    if (!complete) {
        if (const Shortened shortened = fit_object(structured, cap); !shortened.empty()) {
            result.text.insert(0, "Note: " + shortened_text(shortened) + ".\n");
        }
    }
    const std::size_t chars = char_count(to_json_text(structured));
    return chars > cap ? std::optional(Excess{chars, cap}) : std::nullopt;
}

Json tool_result_json(ToolResult result, std::size_t cap, Revision revision) {
    Json out = Json::object();
    Json& content = out["content"] = Json::array();
    const bool has_structured = result.structured->is_object();
    if (has_structured) {
        note_missing_numbers(*result.structured);
        make_harmless(*result.structured);
    }
    if (result.text.empty() && result.extra.empty() && has_structured) {
        result.text = to_json_text(*result.structured);
    }
    result.text = harmless_text(result.text);
    if (!result.text.empty()) {
        content.push_back(
            ContentItem::text(cut_at_line(std::move(result.text), cap, kCutNote)).json.get());
    }
    for (const ContentItem& item : result.extra) {
        content.push_back(knows(revision, *item.json) ? *item.json : as_text(*item.json));
    }
    if (has_structured) {
        out["structuredContent"] = std::move(*result.structured);
    }
    if (result.meta->is_object()) {
        out["_meta"] = std::move(*result.meta);
    }
    return out;
}

std::string visible_lines(std::string_view text) {
    std::string out;
    while (true) {
        const std::size_t end = text.find('\n');
        out += visible_text(text.substr(0, end));
        if (end == std::string_view::npos) {
            return out;
        }
        out += '\n';
        text.remove_prefix(end + 1);
    }
}

Json tool_error_json(std::string_view text) {
    Json out = Json::object();
    out["content"] = Json::array();
    out["content"].push_back(
        *ContentItem::text(first_chars(visible_lines(text), kMaxErrorChars)).json);
    out["isError"] = true;
    return out;
}

}  // namespace tb::mcp
