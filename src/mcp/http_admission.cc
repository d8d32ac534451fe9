// Which requests are let in, and what the others are told (06 H2, H3, X1-X3).
#include <algorithm>
#include <utility>

#include "core/text.h"
#include "mcp/http_endpoint.h"
#include "mcp/oauth.h"

namespace tb::mcp {

namespace {

constexpr std::string_view kPreflightHeaders =
    "Accept, Authorization, Content-Type, Last-Event-ID, Mcp-Method, Mcp-Name, "
    "MCP-Protocol-Version, Mcp-Session-Id";

}  // namespace

bool has_doubtful_length(const HttpHead& head) {
    const std::size_t codings = head.count("Transfer-Encoding");
    const std::size_t lengths = head.count("Content-Length");
    const bool is_chunked =
        codings == 1 && equals_ignoring_case(*head.find("Transfer-Encoding"), "chunked");
    return codings + lengths > 1 || (codings == 1 && !is_chunked);
}

std::optional<HttpReply> HttpEndpoint::check_source(const HttpHead& head) const {
    const std::string* host = head.find("Host");
    if (host == nullptr || head.count("Host") != 1 ||
        !is_allowed_host(*host, options_.allowed_hosts)) {
        return http_error(403, code::kInvalidRequest,
                          "Forbidden: this Host is not allowed (configure allowed hosts)");
    }
    const std::string* origin = head.find("Origin");
    if (origin != nullptr &&
        (head.count("Origin") != 1 ||
         !is_allowed_origin(*origin, options_.allowed_hosts, options_.allowed_origins))) {
        return http_error(403, code::kInvalidRequest,
                          "Forbidden: this Origin is not allowed (configure allowed origins)");
    }
    return std::nullopt;
}

std::optional<HttpReply> HttpEndpoint::check_method(const HttpHead& head) const {
    if (head.method == "POST") {
        return std::nullopt;
    }
    // GET and DELETE are for legacy clients that have an id (H3).
    const std::string* version = head.find("MCP-Protocol-Version");
    const auto revision = version == nullptr ? std::nullopt : parse_revision(*version);
    const bool modern = revision.has_value() && era_of(*revision) == Era::kModern;
    const bool known = head.method == "GET" || head.method == "DELETE";
    if (known && !modern && head.find(kClientIdHeader) != nullptr) {
        return std::nullopt;
    }
    HttpReply reply = http_error(405, code::kInvalidRequest, "Method not allowed: use POST");
    reply.fields.push_back({"Allow", "POST"});
    return reply;
}

HttpReply HttpEndpoint::preflight(const HttpHead& head) const {
    std::string headers(kPreflightHeaders);
    // Parameters that are mirrored in headers have names of their own (H6).
    if (const std::string* wanted = head.find("Access-Control-Request-Headers")) {
        std::size_t start = 0;
        while (start < wanted->size()) {
            const std::size_t end = std::min(wanted->find(',', start), wanted->size());
            const std::string name(trim(std::string_view(*wanted).substr(start, end - start)));
            const bool is_token = name.find_first_not_of(
                                      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_") == std::string::npos;
            if (is_token && ascii_lower(name).starts_with("mcp-param-")) {
                headers += ", " + name;
            }
            start = end + 1;
        }
    }
    return {204,
            {{"Access-Control-Allow-Methods", "POST, GET, DELETE"},
             {"Access-Control-Allow-Headers", std::move(headers)},
             {"Access-Control-Max-Age", "600"}},
            {}};
}

std::vector<HttpField> HttpEndpoint::common_fields(const HttpHead& head) const {
    std::vector<HttpField> fields = {{"Cache-Control", "no-store"},
                                     {"X-Content-Type-Options", "nosniff"}};
    const std::string* origin = head.find("Origin");
    if (origin != nullptr && head.count("Origin") == 1 &&
        is_allowed_origin(*origin, options_.allowed_hosts, options_.allowed_origins)) {
        fields.push_back({"Access-Control-Allow-Origin", *origin});
        fields.push_back({"Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate"});
        fields.push_back({"Vary", "Origin"});
    }
    return fields;
}

HttpReply HttpEndpoint::challenge(int status, const std::string& error, std::string message,
                                  const std::set<std::string>& scopes) const {
    HttpReply reply = http_error(status, code::kInvalidRequest, std::move(message));
    std::string value = R"(Bearer realm="tradeblocks")";
    if (!error.empty()) {
        value += R"(, error=")" + error + '"';
    }
    if (options_.oauth != nullptr) {
        value += R"(, resource_metadata=")" + options_.oauth->metadata_url() + '"';
    }
    if (!scopes.empty()) {
        std::string list;
        for (const std::string& scope : scopes) {
            list += (list.empty() ? "" : " ") + scope;
        }
        value += R"(, scope=")" + list + '"';
    }
    reply.fields.push_back({"WWW-Authenticate", std::move(value)});
    return reply;
}

// One answer whatever was wrong with the token: why is for our log.
HttpEndpoint::Admission HttpEndpoint::refuse_token(const HttpHead& head, Time now) {
    if (!auth_failures_.take(head.peer, now)) {
        HttpReply reply = http_error(429, code::kInvalidRequest, "Too many failed attempts");
        reply.fields.push_back({"Retry-After", "1"});
        return {std::move(reply), {}};
    }
    const char* const message = options_.oauth == nullptr
                                    ? "Unauthorized: this token is not known"
                                    : "Unauthorized: this token is not accepted";
    return {challenge(401, "invalid_token", message, first_scopes_), {}};
}

HttpEndpoint::Admission HttpEndpoint::authorize(const HttpHead& head, Time now) {
    if (options_.tokens.empty() && options_.oauth == nullptr) {
        return {};
    }
    const std::string* value = head.find("Authorization");
    if (value == nullptr) {
        return {challenge(401, "", "Unauthorized: a bearer token is needed", first_scopes_), {}};
    }
    const auto token = bearer_token(*value);
    if (!token.has_value() || head.count("Authorization") != 1) {
        return refuse_token(head, now);
    }
    if (options_.oauth != nullptr) {
        if (token->size() > kMaxAccessTokenBytes) {
            return refuse_token(head, now);
        }
        return {std::nullopt, {}, std::string(*token)};
    }
    if (auto principal = options_.tokens.find(*token)) {
        return {std::nullopt, std::move(*principal)};
    }
    return refuse_token(head, now);
}

HttpEndpoint::Admission HttpEndpoint::admit_checked(const HttpHead& head,
                                                    OauthResource::Verdict verdict, Time now) {
    switch (verdict.status) {
        case OauthResource::Status::kAccepted:
            break;
        case OauthResource::Status::kRefused:
            return refuse_token(head, now);
        case OauthResource::Status::kKeysNeeded:
        case OauthResource::Status::kUnavailable: {
            HttpReply reply = http_error(
                503, code::kInternalError,
                "Tokens cannot be checked now: the keys of the authorization server are missing");
            reply.fields.push_back({"Retry-After", "5"});
            return {std::move(reply), {}};
        }
    }
    // Every scope of ours implies this one: without it the token is for something else.
    if (!verdict.principal.allows(std::string(kScopeBlocksRead))) {
        return {challenge(403, "insufficient_scope",
                          "Forbidden: the token has none of the scopes of this server",
                          {std::string(kScopeBlocksRead)}),
                {}};
    }
    return {std::nullopt, std::move(verdict.principal)};
}

// RFC 9728; the same for everybody, and no secret.
HttpReply HttpEndpoint::metadata(const HttpHead& head) const {
    if (head.method != "GET" && head.method != "HEAD") {
        HttpReply reply = http_error(405, code::kInvalidRequest, "Method not allowed: use GET");
        reply.fields.push_back({"Allow", "GET, HEAD"});
        return reply;
    }
    return {200, {{"Content-Type", "application/json"}}, options_.oauth->metadata_text(scopes_)};
}

HttpEndpoint::Admission HttpEndpoint::admit(const HttpHead& head, Time now) {
    if (has_doubtful_length(head)) {
        return {http_error(400, code::kInvalidRequest,
                           "Bad request: its length can be read in two ways"),
                {}};
    }
    // For supervisors, which know the machine by any name; it tells nothing (H12).
    if (head.path() == "/healthz" && (head.method == "GET" || head.method == "HEAD")) {
        return {HttpReply{200, {{"Content-Type", "text/plain"}}, "ok"}, {}};
    }
    if (auto refusal = check_source(head)) {
        return {std::move(refusal), {}};
    }
    if (head.method == "OPTIONS" && head.find("Origin") != nullptr &&
        head.find("Access-Control-Request-Method") != nullptr) {
        return {preflight(head), {}};
    }
    if (options_.oauth != nullptr && options_.oauth->is_metadata_path(head.path(), options_.path)) {
        return {metadata(head), {}};
    }
    if (auto refusal = check_method(head)) {
        return {std::move(refusal), {}};
    }
    if (head.path() != options_.path) {
        return {
            http_error(404, code::kInvalidRequest, "Not found: the endpoint is " + options_.path),
            {}};
    }
    return authorize(head, now);
}

HttpReply HttpEndpoint::too_large(std::string what) {
    return http_error(413, code::kInvalidRequest, "Too large: " + std::move(what));
}

}  // namespace tb::mcp
