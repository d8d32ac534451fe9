#include "mcp/http_headers.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "core/number.h"
#include "core/text.h"
#include "mcp/render.h"

namespace tb::mcp {

namespace {

constexpr std::string_view kEncodedStart = "=?base64?";
constexpr std::string_view kEncodedEnd = "?=";
constexpr std::string_view kVersionHeader = "MCP-Protocol-Version";

// RFC 9110 §5.5: outer spaces and tabs are not part of a value.
std::string_view trim_blanks(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_header_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 0x20 && c <= 0x7E) || c == '\t'; });
}

bool looks_encoded(std::string_view text) {
    return text.size() >= kEncodedStart.size() + kEncodedEnd.size() &&
           text.starts_with(kEncodedStart) && text.ends_with(kEncodedEnd);
}

}  // namespace

std::optional<std::string> decode_header_value(std::string_view raw) {
    const std::string_view text = trim_blanks(raw);
    if (!is_header_text(text)) {
        return std::nullopt;
    }
    if (!looks_encoded(text)) {
        return std::string(text);
    }
    auto bytes = base64_decode(
        text.substr(kEncodedStart.size(), text.size() - kEncodedStart.size() - kEncodedEnd.size()));
    if (bytes.has_value() && to_valid_utf8(*bytes) != *bytes) {
        return std::nullopt;
    }
    return bytes;
}

std::string encode_header_value(std::string_view value) {
    const bool plain =
        is_header_text(value) && trim_blanks(value).size() == value.size() && !looks_encoded(value);
    if (plain) {
        return std::string(value);
    }
    std::string out(kEncodedStart);
    out += base64_encode(value);
    out += kEncodedEnd;
    return out;
}

// ---- content negotiation ----

namespace {

// Calls `visit` with every element of a comma-separated list.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        visit(trim_blanks(list.substr(0, comma)));
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
}

// True for a quality of zero ("q=0", "q=0.000"): not acceptable.
bool is_refused(std::string_view parameters) {
    bool refused = false;
    while (!parameters.empty()) {
        const auto semicolon = parameters.find(';');
        const std::string_view parameter = trim_blanks(parameters.substr(0, semicolon));
        if (parameter.size() > 2 && ascii_lower(parameter[0]) == 'q' && parameter[1] == '=') {
            refused = parameter.substr(2).find_first_not_of("0.") == std::string_view::npos;
        }
        parameters = semicolon == std::string_view::npos ? std::string_view()
                                                         : parameters.substr(semicolon + 1);
    }
    return refused;
}

}  // namespace

Accepts parse_accept(const std::string* accept) {
    if (accept == nullptr) {
        return {.json = true, .stream = false, .any_stream = true};
    }
    Accepts accepts;
    for_each_element(*accept, [&](std::string_view element) {
        const auto semicolon = element.find(';');
        const std::string type = ascii_lower(trim_blanks(element.substr(0, semicolon)));
        if (semicolon != std::string_view::npos && is_refused(element.substr(semicolon + 1))) {
            return;
        }
        const bool everything = type == "*/*";
        accepts.json |= everything || type == "application/*" || type == "application/json";
        accepts.stream |= type == "text/event-stream";
        accepts.any_stream |= everything || type == "text/*" || type == "text/event-stream";
    });
    return accepts;
}

bool is_json_content_type(const std::string* content_type) {
    if (content_type == nullptr) {
        return false;
    }
    const std::string_view whole = *content_type;
    return equals_ignoring_case(trim_blanks(whole.substr(0, whole.find(';'))), "application/json");
}

// ---- where a request may come from ----

namespace {

struct HostPort {
    std::string host;  // lower case, IPv6 with its brackets
    std::string port;  // may be empty
};

// Empty for anything that is not `host[:port]` or `[v6][:port]`.
std::optional<HostPort> split_host(std::string_view text) {
    HostPort out;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        out.host = ascii_lower(text.substr(0, close + 1));
        rest = text.substr(close + 1);
    } else {
        const auto colon = std::min(text.find(':'), text.size());
        out.host = ascii_lower(text.substr(0, colon));
        rest = text.substr(colon);
    }
    if (!rest.empty()) {
        out.port = rest.substr(1);
        const bool digits = rest[0] == ':' && !out.port.empty() && out.port.size() <= 5 &&
                            out.port.find_first_not_of("0123456789") == std::string::npos;
        if (!digits) {
            return std::nullopt;
        }
    }
    if (out.host.empty() || out.host.find_first_of(" \t/@\\") != std::string::npos) {
        return std::nullopt;
    }
    return out;
}

}  // namespace

bool is_allowed_host(std::string_view host, const std::vector<std::string>& allowed) {
    const auto given = split_host(trim_blanks(host));
    if (!given.has_value()) {
        return false;
    }
    if (given->host == "localhost" || given->host == "127.0.0.1" || given->host == "[::1]") {
        return true;
    }
    return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& entry) {
        const auto known = split_host(entry);
        return known.has_value() && known->host == given->host &&
               (known->port.empty() || known->port == given->port);
    });
}

bool is_allowed_origin(std::string_view origin, const std::vector<std::string>& allowed_hosts,
                       const std::vector<std::string>& allowed_origins) {
    const std::string_view text = trim_blanks(origin);
    if (std::any_of(allowed_origins.begin(), allowed_origins.end(),
                    [&](const std::string& entry) { return entry == text; })) {
        return text != "null";
    }
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (text.starts_with(scheme)) {
            return is_allowed_host(text.substr(scheme.size()), allowed_hosts);
        }
    }
    return false;
}

// ---- agreement of header and body ----

namespace {

RpcError mismatch(std::string why) {
    return RpcError{code::kHeaderMismatch, "Header mismatch: " + std::move(why), {}};
}

const Json* member(const Json& object, std::string_view name) {
    if (!object.is_object()) {
        return nullptr;
    }
    const auto found = object.find(std::string(name));
    return found == object.end() ? nullptr : &*found;
}

const Json* meta_of(const Message& message) {
    return member(*message.params, "_meta");
}

bool is_duplicate(const HttpHead& head, std::string_view name) {
    return head.count(name) > 1;
}

// The name of the thing a request is about, where the specification wants it in Mcp-Name.
const Json* named_thing(const Message& message) {
    const std::string& method = message.method;
    if (method == "tools/call" || method == "prompts/get") {
        return member(*message.params, "name");
    }
    if (method == "resources/read") {
        return member(*message.params, "uri");
    }
    if (method.starts_with("tasks/")) {
        return member(*message.params, "taskId");
    }
    return nullptr;
}

// Integers are compared as numbers: "42", "42.0" and 42 are the same (H6).
bool same_number(const std::string& text, const Json& value) {
    std::int64_t exact = 0;
    const char* end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, exact);
    if (problem == std::errc() && stop == end && value.is_number_integer() &&
        !(value.is_number_unsigned() &&
          value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))) {
        return exact == value.get<std::int64_t>();
    }
    const auto number = parse_double(text);
    return number.has_value() && *number == value.get<double>();
}

bool same_value(const std::string& text, const Json& value) {
    if (value.is_string()) {
        return text == value.get_ref<const std::string&>();
    }
    if (value.is_boolean()) {
        return text == (value.get<bool>() ? "true" : "false");
    }
    return value.is_number() && same_number(text, value);
}

// One header against its value in the body; null or absent in the body means no header.
std::optional<RpcError> check_one(const HttpHead& head, const std::string& name, const Json* value,
                                  bool required) {
    const std::string* raw = head.find(name);
    if (is_duplicate(head, name)) {
        return mismatch(name + " is given more than once");
    }
    const bool in_body = value != nullptr && !value->is_null();
    if (raw == nullptr) {
        return in_body && required ? std::optional(mismatch(name + " is missing")) : std::nullopt;
    }
    const auto decoded = decode_header_value(*raw);
    if (!decoded.has_value()) {
        return mismatch(name + " holds invalid characters or invalid base64");
    }
    if (!in_body) {
        return mismatch(name + " has no counterpart in the body");
    }
    if (!same_value(*decoded, *value)) {
        return mismatch(name + " differs from the body");
    }
    return std::nullopt;
}

std::optional<RpcError> check_parameters(const HttpHead& head, const Message& message,
                                         const ToolRegistry& tools) {
    const Json* name = member(*message.params, "name");
    const ToolSpec* spec = name != nullptr && name->is_string()
                               ? tools.find(name->get_ref<const std::string&>())
                               : nullptr;
    if (spec == nullptr) {
        return std::nullopt;
    }
    for (const HeaderParameter& parameter : header_parameters(*spec)) {
        const Json* value = member(*message.params, "arguments");
        for (const std::string& step : parameter.path) {
            value = value == nullptr ? nullptr : member(*value, step);
        }
        if (value != nullptr && value->is_structured()) {
            continue;  // the wrong type altogether: the tool's own check says so
        }
        if (auto error = check_one(head, "Mcp-Param-" + parameter.header, value, true)) {
            return error;
        }
    }
    return std::nullopt;
}

std::string supported_list() {
    std::string names;
    for (const Revision revision : kModernRevisions) {
        names += (names.empty() ? "" : ", ") + std::string(revision_name(revision));
    }
    return names;
}

}  // namespace

EraDecision decide_era(const HttpHead& head, const Message& message) {
    const std::string* header = head.find(kVersionHeader);
    if (is_duplicate(head, kVersionHeader)) {
        return {Era::kModern, mismatch(std::string(kVersionHeader) + " is given more than once")};
    }
    const std::string_view version = header == nullptr ? std::string_view() : trim_blanks(*header);
    if (has_modern_meta(message)) {
        const Json& body = (*meta_of(message))[std::string(meta::kProtocolVersion)];
        const bool needed = message.kind == Message::Kind::kRequest;
        if (header == nullptr && needed) {
            return {Era::kModern, mismatch(std::string(kVersionHeader) + " is missing")};
        }
        if (header != nullptr && body != version) {
            return {Era::kModern, mismatch(std::string(kVersionHeader) + " differs from the body")};
        }
        return {Era::kModern, std::nullopt};
    }
    if (header == nullptr) {
        return {Era::kLegacy, std::nullopt};
    }
    const auto revision = parse_revision(version);
    if (!revision.has_value()) {
        RpcError error{code::kUnsupportedVersion,
                       "Unsupported protocol version; supported: " + supported_list(),
                       {}};
        Json supported = Json::array();
        for (const Revision known : kModernRevisions) {
            supported.push_back(revision_name(known));
        }
        error.data =
            Json{{"supported", std::move(supported)}, {"requested", to_valid_utf8(version)}};
        return {Era::kLegacy, std::move(error)};
    }
    return {era_of(*revision), std::nullopt};
}

std::optional<RpcError> check_mirrored_headers(const HttpHead& head, const Message& message,
                                               const ToolRegistry& tools) {
    const bool required = message.kind == Message::Kind::kRequest;
    const Json method(message.method);
    // Methods are plain ASCII and never encoded; decoding one that looks encoded does no harm.
    if (auto error = check_one(head, "Mcp-Method", &method, required)) {
        return error;
    }
    if (!required) {
        return std::nullopt;
    }
    const Json* name = named_thing(message);
    if (name != nullptr && !name->is_string() && !name->is_null()) {
        return std::nullopt;  // a malformed request: answered with -32602 by whoever reads it
    }
    const bool mirrors = name != nullptr || message.method == "tools/call" ||
                         message.method == "prompts/get" || message.method == "resources/read" ||
                         message.method.starts_with("tasks/");
    if (mirrors) {
        if (auto error = check_one(head, "Mcp-Name", name, true)) {
            return error;
        }
    }
    if (message.method == "tools/call") {
        return check_parameters(head, message, tools);
    }
    return std::nullopt;
}

bool has_complete_envelope(const Message& message) {
    const Json* meta_member = meta_of(message);
    if (meta_member == nullptr) {
        return false;
    }
    const Json* version = member(*meta_member, meta::kProtocolVersion);
    const Json* capabilities = member(*meta_member, meta::kClientCapabilities);
    return version != nullptr && version->is_string() && capabilities != nullptr &&
           capabilities->is_object();
}

}  // namespace tb::mcp
