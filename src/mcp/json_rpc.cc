#include "mcp/json_rpc.h"

#include <nlohmann/json.hpp>

#include "mcp/json_peer.h"
#include "mcp/json_text.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kMaxIdBytes = 1'024;

}  // namespace

std::optional<RequestId> RequestId::from_json(const Json& json) {
    // Unsigned is asked first: the library calls every non-negative number unsigned.
    if (json.is_number_unsigned()) {
        return RequestId(Unsigned{json.get<std::uint64_t>()});
    }
    if (json.is_number_integer()) {
        return RequestId(json.get<std::int64_t>());
    }
    // Ids come back in every answer and are looked up: nobody needs one of a megabyte.
    if (json.is_string() && json.get_ref<const std::string&>().size() <= kMaxIdBytes) {
        return RequestId(json.get<std::string>());
    }
    return std::nullopt;
}

RequestId::RequestId(Unsigned value) : value_(value.number) {
    // One representation per value, so that equal ids compare equal however they were made.
    if (value.number <= static_cast<std::uint64_t>(INT64_MAX)) {
        value_ = static_cast<std::int64_t>(value.number);
    }
}

Json RequestId::to_json() const {
    return std::visit([](const auto& value) { return Json(value); }, value_);
}

std::string RequestId::to_text() const {
    return to_json_text(to_json());
}

namespace {

tl::unexpected<BadMessage> invalid(std::string why, std::optional<RequestId> id) {
    return tl::unexpected<BadMessage>(BadMessage{
        {code::kInvalidRequest, "Invalid request: " + std::move(why), {}}, std::move(id)});
}

Decoded decode_response(Json& json, std::optional<RequestId> id) {
    Message message;
    message.kind = Message::Kind::kResponse;
    message.id = std::move(id);
    if (const auto result = json.find("result"); result != json.end()) {
        message.result = std::move(*result);
    } else {
        message.error = std::move(json["error"]);
    }
    return message;
}

}  // namespace

Decoded decode_message(Json json) {
    if (!json.is_object()) {
        return invalid("a message is a JSON object", std::nullopt);
    }
    const auto id_member = json.find("id");
    const bool has_id = id_member != json.end();
    std::optional<RequestId> id = has_id ? RequestId::from_json(*id_member) : std::nullopt;
    const auto version = json.find("jsonrpc");
    if (version == json.end() || *version != "2.0") {
        return invalid(R"(member "jsonrpc" must be "2.0")", std::move(id));
    }
    const auto method = json.find("method");
    if (method == json.end()) {
        if (json.contains("result") || json.contains("error")) {
            return decode_response(json, std::move(id));
        }
        return invalid(R"(member "method" is missing)", std::move(id));
    }
    if (!method->is_string()) {
        return invalid(R"(member "method" must be a string)", std::move(id));
    }
    if (has_id && !id.has_value()) {
        return invalid(R"(member "id" must be a string or an integer)", std::nullopt);
    }
    Message message;
    message.kind = has_id ? Message::Kind::kRequest : Message::Kind::kNotification;
    message.id = std::move(id);
    message.method = std::move(method->get_ref<std::string&>());
    message.params = Json::object();
    if (const auto params = json.find("params"); params != json.end()) {
        if (!params->is_object()) {
            return tl::unexpected<BadMessage>(
                BadMessage{{code::kInvalidParams, R"(member "params" must be an object)", {}},
                           std::move(message.id)});
        }
        message.params = std::move(*params);
    }
    return message;
}

namespace {

Inbound decode(Result<Json> json) {
    Inbound inbound;
    if (!json.has_value()) {
        const bool malformed = json.error().code == ErrorCode::kParse;
        inbound.messages.push_back(tl::unexpected<BadMessage>(
            BadMessage{{malformed ? code::kParseError : code::kInvalidRequest,
                        (malformed ? "Parse error: " : "Invalid request: ") + json.error().message,
                        {}},
                       std::nullopt}));
        return inbound;
    }
    if (!json->is_array()) {
        inbound.messages.push_back(decode_message(std::move(*json)));
        return inbound;
    }
    inbound.is_batch = true;
    for (Json& element : *json) {
        inbound.messages.push_back(decode_message(std::move(element)));
    }
    if (inbound.messages.empty()) {
        inbound.messages.push_back(invalid("empty batch", std::nullopt));
    }
    return inbound;
}

}  // namespace

Inbound decode_text(std::string_view text) {
    return decode(parse_json(text));
}

Inbound decode_peer_text(std::string_view text) {
    return decode(parse_peer_json(text));
}

bool has_modern_meta(const Message& message) {
    if (!message.params->is_object()) {
        return false;
    }
    const auto meta_member = message.params->find("_meta");
    return meta_member != message.params->end() && meta_member->is_object() &&
           meta_member->contains(std::string(meta::kProtocolVersion));
}

namespace {

std::string opened(const RequestId& id) {
    return R"({"jsonrpc":"2.0","id":)" + id.to_text();
}

}  // namespace

std::string encode_result_text(const RequestId& id, std::string_view result_text) {
    std::string out = opened(id);
    out.append(R"(,"result":)").append(result_text).append("}");
    return out;
}

std::string encode_result(const RequestId& id, const Json& result) {
    std::string out = opened(id) + R"(,"result":)";
    append_json_text(out, result);
    out += '}';
    return out;
}

std::string encode_error(const std::optional<RequestId>& id, const RpcError& error) {
    std::string out = id.has_value() ? opened(*id) : R"({"jsonrpc":"2.0")";
    out += R"(,"error":{"code":)" + std::to_string(error.code) + R"(,"message":)";
    append_json_string(out, error.message);
    if (!error.data.is_null()) {
        out += R"(,"data":)";
        append_json_text(out, *error.data);
    }
    out += "}}";
    return out;
}

std::string encode_notification(std::string_view method, const Json& params) {
    std::string out = R"({"jsonrpc":"2.0","method":)";
    append_json_string(out, method);
    out += R"(,"params":)";
    append_json_text(out, params);
    out += '}';
    return out;
}

std::string encode_request(const RequestId& id, std::string_view method, const Json& params) {
    std::string out = opened(id) + R"(,"method":)";
    append_json_string(out, method);
    out += R"(,"params":)";
    append_json_text(out, params);
    out += '}';
    return out;
}

}  // namespace tb::mcp
