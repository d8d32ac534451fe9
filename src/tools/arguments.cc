#include "tools/arguments.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/names.h"

namespace tb::tools {

namespace {

const mcp::Json* given(const mcp::Json& arguments, std::string_view name) {
    const auto found = arguments.find(name);
    return found == arguments.end() || found->is_null() ? nullptr : &*found;
}

// Somebody may give a strategy's name as the file has it, or as answers show it.
bool names_strategies(std::string_view argument) {
    return argument == "strategy" || argument == "strategyFilter" ||
           argument == "selectedStrategies" || argument == "containsStrategy";
}

}  // namespace

mcp::Field block_argument() {
    return mcp::field::text("blockId", "Id from list_blocks").required();
}

mcp::Field max_chars_argument() {
    return mcp::field::integer("maxChars", "Most characters");
}

std::optional<std::string> text_argument(const mcp::Json& arguments, std::string_view name) {
    const mcp::Json* value = given(arguments, name);
    if (value == nullptr) {
        return std::nullopt;
    }
    return names_strategies(name) ? shown_name(value->get<std::string>())
                                  : value->get<std::string>();
}

std::optional<double> number_argument(const mcp::Json& arguments, std::string_view name) {
    const mcp::Json* value = given(arguments, name);
    return value == nullptr ? std::nullopt : std::optional(value->get<double>());
}

std::optional<std::int64_t> integer_argument(const mcp::Json& arguments, std::string_view name) {
    const mcp::Json* value = given(arguments, name);
    return value == nullptr ? std::nullopt : std::optional(value->get<std::int64_t>());
}

std::optional<bool> flag_argument(const mcp::Json& arguments, std::string_view name) {
    const mcp::Json* value = given(arguments, name);
    return value == nullptr ? std::nullopt : std::optional(value->get<bool>());
}

std::optional<Date> date_argument(const mcp::Json& arguments, std::string_view name) {
    const auto text = text_argument(arguments, name);
    return text.has_value() ? Date::from_iso(*text) : std::nullopt;
}

std::vector<std::string> texts_argument(const mcp::Json& arguments, std::string_view name) {
    const mcp::Json* value = given(arguments, name);
    std::vector<std::string> texts;
    if (value != nullptr) {
        texts = value->get<std::vector<std::string>>();
    }
    if (names_strategies(name)) {
        std::transform(texts.begin(), texts.end(), texts.begin(), shown_name);
    }
    return texts;
}

}  // namespace tb::tools
