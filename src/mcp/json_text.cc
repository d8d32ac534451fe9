#include "mcp/json_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "mcp/json_peer.h"
#include "mcp/number_digits.h"
#include "mcp/utf8.h"

namespace tb::mcp {

namespace {

// One pass over the raw text before the parser sees it: nesting and members per object, so that
// the limits hold no matter how the tree is built. Text that is not JSON may pass; the parser
// refuses it.
Result<void> check_limits(std::string_view text, std::size_t max_members) {
    std::array<std::size_t, kMaxJsonDepth> commas{};
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                in_string = false;
            }
            continue;
        }
        switch (c) {
            case '"':
                in_string = true;
                break;
            case '{':
            case '[':
                if (depth == kMaxJsonDepth) {
                    return make_error(
                        ErrorCode::kResourceExhausted,
                        "JSON nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
                }
                // Arrays may be long; counting theirs from far below never reaches the limit.
                commas.at(depth++) = c == '{' ? 1 : 0;
                break;
            case '}':
            case ']':
                depth -= depth > 0 ? 1 : 0;
                break;
            case ',':
                if (depth > 0 && commas.at(depth - 1) > 0 && ++commas.at(depth - 1) > max_members) {
                    return make_error(
                        ErrorCode::kResourceExhausted,
                        "JSON object with more than " + std::to_string(max_members) + " members");
                }
                break;
            default:
                break;
        }
    }
    return {};
}

void append_integer(std::string& out, auto value) {
    std::array<char, 24> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    out.append(buffer.data(), end);
}

void append_escaped(std::string& out, unsigned char c) {
    constexpr std::string_view kHex = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            out += "\\u00";
            out += kHex[c >> 4U];
            out += kHex[c & 15U];
    }
}

}  // namespace

namespace {

Result<Json> parse_within(std::string_view text, std::size_t max_members) {
    TB_RETURN_IF_ERROR(check_limits(text, max_members));
    Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) {
        return make_error(ErrorCode::kParse, "not valid JSON");
    }
    return json;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
    return parse_within(text, kMaxJsonMembers);
}

Result<Json> parse_peer_json(std::string_view text) {
    return parse_within(text, std::numeric_limits<std::size_t>::max());
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t from = 0;
    std::size_t i = 0;
    while (i < text.size()) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            ++i;
            continue;
        }
        if (c >= 0x80) {
            const utf8::Decoded point = utf8::decode(text.substr(i));
            if (point.valid) {
                i += point.length;
                continue;
            }
            out.append(text.substr(from, i - from)).append(utf8::kReplacement);
            i += point.length;
        } else {
            out.append(text.substr(from, i - from));
            append_escaped(out, c);
            ++i;
        }
        from = i;
    }
    out.append(text.substr(from)).push_back('"');
}

void append_json_number(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    if (value == 0) {
        out += '0';  // -0 as well
        return;
    }
    // ECMAScript Number::toString: n is the decimal point's place behind the first digit.
    const ShortestDigits shortest = shortest_digits(value);
    const std::string& digits = shortest.digits;
    const int count = static_cast<int>(digits.size());
    const int n = shortest.exponent;
    if (shortest.negative) {
        out += '-';
    }
    if (n >= count && n <= 21) {
        out.append(digits).append(static_cast<std::size_t>(n - count), '0');
    } else if (n > 0 && n <= 21) {
        const auto point = static_cast<std::size_t>(n);
        out.append(digits, 0, point).append(".").append(digits, point);
    } else if (n > -6 && n <= 0) {
        out.append("0.").append(static_cast<std::size_t>(-n), '0').append(digits);
    } else {
        out += digits[0];
        if (count > 1) {
            out.append(".").append(digits, 1);
        }
        out += 'e';
        out += n - 1 < 0 ? '-' : '+';
        append_integer(out, std::abs(n - 1));
    }
}

// Recursion is as deep as the value; values from outside are bounded by kMaxJsonDepth.
void append_json_text(std::string& out, const Json& value) {  // NOLINT(misc-no-recursion)
    switch (value.type()) {
        case Json::value_t::object: {
            out += '{';
            bool first = true;
            for (const auto& [name, member] : value.items()) {
                out.append(first ? "" : ",");
                first = false;
                append_json_string(out, name);
                out += ':';
                append_json_text(out, member);
            }
            out += '}';
            return;
        }
        case Json::value_t::array: {
            out += '[';
            bool first = true;
            for (const Json& element : value) {
                out.append(first ? "" : ",");
                first = false;
                append_json_text(out, element);
            }
            out += ']';
            return;
        }
        case Json::value_t::string:
            append_json_string(out, value.get_ref<const std::string&>());
            return;
        case Json::value_t::boolean:
            out += value.get<bool>() ? "true" : "false";
            return;
        case Json::value_t::number_integer:
            append_integer(out, value.get<std::int64_t>());
            return;
        case Json::value_t::number_unsigned:
            append_integer(out, value.get<std::uint64_t>());
            return;
        case Json::value_t::number_float:
            append_json_number(out, value.get<double>());
            return;
        case Json::value_t::null:
        case Json::value_t::binary:     // never made by this program
        case Json::value_t::discarded:  // a failed parse; parse_json never returns one
            out += "null";
            return;
    }
}

std::string to_json_text(const Json& value) {
    std::string out;
    append_json_text(out, value);
    return out;
}

std::size_t replace_non_finite(Json& value) {  // NOLINT(misc-no-recursion): as deep as the value
    if (value.is_number_float()) {
        if (std::isfinite(value.get<double>())) {
            return 0;
        }
        value = nullptr;
        return 1;
    }
    std::size_t count = 0;
    if (value.is_structured()) {
        for (Json& element : value) {
            count += replace_non_finite(element);
        }
    }
    return count;
}

}  // namespace tb::mcp
