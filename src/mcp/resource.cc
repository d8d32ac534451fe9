#include "mcp/resource.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "mcp/render.h"
#include "mcp/utf8.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kQuotedUriChars = 500;
constexpr std::string_view kUnreserved =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

bool is_variable_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    });
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char upper = static_cast<char>(c & ~0x20);
    return upper >= 'A' && upper <= 'F' ? upper - 'A' + 10 : -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) {
            return std::nullopt;
        }
        const int high = hex_value(text[i + 1]);
        const int low = hex_value(text[i + 2]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

// A decoded value that cannot climb out of its place: one path component of printable UTF-8.
bool is_safe_component(std::string_view value) {
    if (value.empty() || value == "." || value == "..") {
        return false;
    }
    while (!value.empty()) {
        const utf8::Decoded point = utf8::decode(value);
        if (!point.valid || point.code_point < 0x20 || point.code_point == 0x7F ||
            point.code_point == '/' || point.code_point == '\\') {
            return false;
        }
        value.remove_prefix(point.length);
    }
    return true;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (kUnreserved.find(c) != std::string_view::npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += kHex[byte >> 4U];
            out += kHex[byte & 15U];
        }
    }
    return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t at = text.find(separator);
        parts.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(at + 1);
    }
}

tl::unexpected<Error> bad_template(std::string_view text, const char* why) {
    return make_error(ErrorCode::kInvalidArgument, why, "URI template " + std::string(text));
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return out;
}

bool holds_in_order(std::string_view text, std::string_view wanted) {
    std::size_t at = 0;
    for (const char c : wanted) {
        at = text.find(c, at);
        if (at == std::string_view::npos) {
            return false;
        }
        ++at;
    }
    return true;
}

}  // namespace

ToolError resource_not_found(std::string uri) {
    uri = first_chars(uri, kQuotedUriChars);  // as somebody wrote it
    std::string text = "Resource not found: " + uri;
    return ToolError::protocol(code::kInvalidParams, std::move(text),
                               Json{{"uri", std::move(uri)}});
}

Result<UriTemplate> UriTemplate::parse(std::string_view text) {
    UriTemplate made;
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t open = rest.find('{');
        Piece piece;
        piece.literal = std::string(rest.substr(0, open));
        if (open == std::string_view::npos) {
            made.pieces_.push_back(std::move(piece));
            break;
        }
        const std::size_t close = rest.find('}', open);
        if (close == std::string_view::npos) {
            return bad_template(text, "'{' without '}'");
        }
        std::string_view name = rest.substr(open + 1, close - open - 1);
        rest.remove_prefix(close + 1);
        if (name.starts_with('?')) {
            made.pieces_.push_back(std::move(piece));
            made.query_ = split(name.substr(1), ',');
            for (const std::string& variable : made.query_) {
                if (!is_variable_name(variable) || !rest.empty()) {
                    return bad_template(text, "{?a,b} must be last and hold plain names");
                }
                made.variables_.push_back(variable);
            }
            break;
        }
        if (!is_variable_name(name) || (piece.literal.empty() && !made.pieces_.empty())) {
            return bad_template(text, "only {name} between literals and a last {?a,b}");
        }
        piece.variable = std::string(name);
        made.variables_.push_back(piece.variable);
        made.pieces_.push_back(std::move(piece));
    }
    return made;
}

std::optional<UriVariables> UriTemplate::match(std::string_view uri) const {
    UriVariables values;
    std::string_view path = uri;
    std::string_view query;
    if (!query_.empty()) {
        const std::size_t mark = uri.find('?');
        path = uri.substr(0, mark);
        query = mark == std::string_view::npos ? std::string_view() : uri.substr(mark + 1);
    }
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const Piece& piece = pieces_[i];
        if (!path.starts_with(piece.literal)) {
            return std::nullopt;
        }
        path.remove_prefix(piece.literal.size());
        if (piece.variable.empty()) {
            continue;
        }
        // A value ends at the next literal's first character or at a separator.
        const char stop = i + 1 < pieces_.size() && !pieces_[i + 1].literal.empty()
                              ? pieces_[i + 1].literal[0]
                              : '/';
        const std::size_t end = std::min(path.find(stop), path.find_first_of("/?#"));
        const std::optional<std::string> value = percent_decode(path.substr(0, end));
        if (!value.has_value() || !is_safe_component(*value)) {
            return std::nullopt;
        }
        values[piece.variable] = *value;
        path.remove_prefix(std::min(end, path.size()));
    }
    if (!path.empty()) {
        return std::nullopt;
    }
    if (query.empty()) {
        return values;
    }
    for (const std::string& pair : split(query, '&')) {
        const std::size_t equals = pair.find('=');
        const std::string name = pair.substr(0, equals);
        const std::optional<std::string> value =
            equals == std::string::npos ? std::nullopt
                                        : percent_decode(std::string_view(pair).substr(equals + 1));
        if (!value.has_value() || !is_safe_component(*value) ||
            std::find(query_.begin(), query_.end(), name) == query_.end()) {
            return std::nullopt;
        }
        values[name] = *value;
    }
    return values;
}

std::string UriTemplate::expand(const UriVariables& values) const {
    std::string out;
    const auto value_of = [&](const std::string& name) {
        const auto found = values.find(name);
        return found == values.end() ? std::string() : percent_encode(found->second);
    };
    for (const Piece& piece : pieces_) {
        out += piece.literal;
        if (!piece.variable.empty()) {
            out += value_of(piece.variable);
        }
    }
    char separator = '?';
    for (const std::string& name : query_) {
        if (values.contains(name)) {
            out.append(1, separator).append(name).append("=").append(value_of(name));
            separator = '&';
        }
    }
    return out;
}

std::vector<std::string> rank_completions(const std::vector<std::string>& candidates,
                                          std::string_view typed) {
    const std::string wanted = lower(typed);
    std::vector<std::string> prefix;
    std::vector<std::string> fuzzy;
    std::set<std::string_view> seen;
    for (const std::string& candidate : candidates) {
        if (!seen.insert(candidate).second) {
            continue;
        }
        const std::string text = lower(candidate);
        if (text.starts_with(wanted)) {
            prefix.push_back(candidate);
        } else if (holds_in_order(text, wanted)) {
            fuzzy.push_back(candidate);
        }
    }
    prefix.insert(prefix.end(), fuzzy.begin(), fuzzy.end());
    return prefix;
}

}  // namespace tb::mcp
