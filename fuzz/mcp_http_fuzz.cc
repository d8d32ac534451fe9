// Bytes from the network: header values, negotiation, host and origin rules, tokens, event ids, and
// whole requests through admission, era, header agreement and the server behind them. Whatever
// comes in, every reply has a known status and a body that is JSON or empty, and decoding a header
// value undoes encoding it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "mcp/http_endpoint.h"
#include "mcp/json_text.h"
#include "mcp/render.h"

namespace {

using namespace tb::mcp;  // NOLINT(google-build-using-namespace): a program of its own

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

std::unique_ptr<Server> make_server() {
    ToolSpec echo;
    echo.name = "echo";
    echo.title = "Echo";
    echo.description = "Says it again.";
    echo.arguments = {field::text("text", "What").with_header("Text"),
                      field::integer("count", "How often").with_header("Count")};
    echo.handler = [](ToolContext&, const Json& arguments) -> Outcome<ToolResult> {
        ToolResult result;
        result.text = to_json_text(arguments);
        return result;
    };
    ServerContent content;
    auto tools = ToolRegistry::make({std::move(echo)});
    require(tools.has_value());
    content.tools = std::move(*tools);
    ServerOptions options;
    options.identity.name = "fuzz";
    options.identity.version = "1";
    options.workers = 1;
    auto server = Server::make(std::move(options), std::move(content));
    require(server.has_value());
    return std::move(*server);
}

// Request line and header fields up to an empty line, then the body; as forgiving as can be,
// because the transport's own parser has a suite of its own.
HttpHead split_request(std::string_view text, std::string_view& body) {
    HttpHead head;
    const auto next_line = [&] {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        return line;
    };
    const std::string_view first = next_line();
    const auto space = std::min(first.find(' '), first.size());
    head.method = first.substr(0, space);
    head.target = first.substr(std::min(space + 1, first.size()));
    for (std::string_view line = next_line(); !line.empty(); line = next_line()) {
        const auto colon = std::min(line.find(':'), line.size());
        head.fields.push_back({std::string(line.substr(0, colon)),
                               std::string(line.substr(std::min(colon + 1, line.size())))});
    }
    body = text;
    head.peer = "192.0.2.1";
    return head;
}

void check_reply(const HttpReply& reply) {
    require(reply.status >= 200 && reply.status < 600);
    require(reply.body.empty() || reply.body == "ok" || parse_json(reply.body).has_value());
    for (const HttpField& field : reply.fields) {
        require(field.value.find_first_of("\r\n") == std::string::npos);
    }
}

void run_request(HttpEndpoint& endpoint, std::string_view text) {
    const HttpEndpoint::Time now{};
    std::string_view body;
    const HttpHead head = split_request(text, body);
    HttpEndpoint::Admission admission = endpoint.admit(head, now);
    for (const HttpField& field : endpoint.common_fields(head)) {
        require(field.value.find_first_of("\r\n") == std::string::npos);
    }
    if (admission.refusal.has_value()) {
        check_reply(*admission.refusal);
        return;
    }
    HttpAnswer answer = endpoint.handle(head, body, admission.principal, now);
    if (const auto* reply = std::get_if<HttpReply>(&answer)) {
        check_reply(*reply);
        return;
    }
    const auto& exchange = std::get<HttpExchange>(answer);
    const auto reader = exchange.channel->attach({}, exchange.resume_after);
    const HttpChannel::Step step = exchange.channel->next(reader, false);
    if (step.kind == HttpChannel::Kind::kReply) {
        check_reply(HttpEndpoint::reply_for(exchange, step.reply));
    }
    exchange.channel->detach(reader);
    endpoint.end(exchange);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::unique_ptr<Server> server = make_server();
    static const HttpOptions options = [] {
        HttpOptions made;
        made.limits.calls_per_second = 1e9;
        made.limits.calls_burst = 1e9;
        made.limits.legacy_clients = 4;
        return made;
    }();
    static HttpEndpoint endpoint(*server, options);

    const std::string text(reinterpret_cast<const char*>(data), size);
    const std::string valid = to_valid_utf8(text);
    require(decode_header_value(encode_header_value(valid)) == valid);
    if (const auto decoded = decode_header_value(text)) {
        require(to_valid_utf8(*decoded) == *decoded);
    }
    static_cast<void>(parse_accept(&text));
    static_cast<void>(is_json_content_type(&text));
    static_cast<void>(bearer_token(text));
    static_cast<void>(parse_event_id(text));
    static_cast<void>(TokenSet::parse(text));
    require(!is_allowed_origin("null", {}, {text}));
    static_cast<void>(is_allowed_origin(text, {"desk.example.org:1"}, {}));
    run_request(endpoint, text);
    endpoint.sweep({});
    return 0;
}
