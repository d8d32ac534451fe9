#include "mcp/oauth_json.h"

#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace tb::mcp {

Result<Json> parse_oauth_json(std::string_view text) {
    bool too_large = false;
    bool repeated = false;
    std::vector<std::set<std::string>> names;
    const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t event, Json& value) {
        using Event = Json::parse_event_t;
        if (event == Event::object_start || event == Event::array_start) {
            too_large = too_large || static_cast<std::size_t>(depth) >= kMaxOauthJsonDepth;
        }
        if (event == Event::object_start) {
            names.emplace_back();
        } else if (event == Event::object_end) {
            names.pop_back();
        } else if (event == Event::key) {
            repeated = repeated || !names.back().insert(value.get<std::string>()).second;
            too_large = too_large || names.back().size() > kMaxOauthJsonMembers;
        }
        // From here on nothing more is kept, so that hostile text costs no more than its length.
        return !too_large && !repeated;
    };
    const Json json = Json::parse(text.begin(), text.end(), watch, /*allow_exceptions=*/false);
    if (too_large) {
        return make_error(ErrorCode::kResourceExhausted,
                          "JSON nested deeper than 16 levels or an object above 256 members");
    }
    if (repeated) {
        return make_error(ErrorCode::kParse, "a JSON object names a member twice");
    }
    if (!json.is_object()) {
        return make_error(ErrorCode::kParse, "not a JSON object");
    }
    return json;
}

const std::string* oauth_text(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() || !found->is_string() ? nullptr
                                                        : found->get_ptr<const std::string*>();
}

}  // namespace tb::mcp
