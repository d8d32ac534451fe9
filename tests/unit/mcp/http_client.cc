#include "http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <gtest/gtest.h>

#include "core/text.h"
#include "mcp/http_headers.h"
#include "test_server.h"

namespace tb::mcp::test {

int HttpResponse::error_code() const {
    const Json message = json();
    return message.is_object() && message.contains("error") ? message["error"]["code"].get<int>()
                                                            : 0;
}

std::string HttpResponse::field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
}

HttpClient::HttpClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{kWait.count() / 1000, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

void HttpClient::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return;  // refused half-way; the answer says why
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool HttpClient::fill() {
    char bytes[4096];
    const auto got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) {
        return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
}

std::string HttpClient::line() {
    auto end = buffer_.find("\r\n");
    while (end == std::string::npos) {
        if (!fill()) {
            return {};
        }
        end = buffer_.find("\r\n");
    }
    std::string text = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return text;
}

std::string HttpClient::take(std::size_t count) {
    while (buffer_.size() < count) {
        if (!fill()) {
            break;
        }
    }
    std::string bytes = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return bytes;
}

HttpResponse HttpClient::head() {
    current_ = {};
    stream_.clear();
    const std::string status = line();
    if (status.size() < 12) {
        return current_;
    }
    current_.status = std::stoi(status.substr(9, 3));
    for (std::string text = line(); !text.empty(); text = line()) {
        const auto colon = text.find(": ");
        current_.fields[ascii_lower(text.substr(0, colon))] = text.substr(colon + 2);
    }
    return current_;
}

HttpResponse HttpClient::response() {
    HttpResponse out = head();
    if (out.field("transfer-encoding") == "chunked") {
        for (std::string bytes = chunk(); !bytes.empty(); bytes = chunk()) {
            out.body += bytes;
        }
    } else if (const std::string length = out.field("content-length"); !length.empty()) {
        out.body = take(std::stoul(length));
    }
    return out;
}

std::string HttpClient::chunk() {
    const std::string size = line();
    if (size.empty()) {
        return {};
    }
    const std::size_t count = std::stoul(size, nullptr, 16);
    std::string bytes = take(count);
    line();
    return bytes;
}

HttpEvent HttpClient::event() {
    while (true) {
        const auto end = stream_.find("\n\n");
        if (end == std::string::npos) {
            const std::string bytes = chunk();
            if (bytes.empty()) {
                return {};
            }
            stream_ += bytes;
            continue;
        }
        const std::string text = stream_.substr(0, end + 1);
        stream_.erase(0, end + 2);
        HttpEvent event;
        bool is_comment = true;
        for (std::size_t start = 0; start < text.size();) {
            const auto stop = text.find('\n', start);
            const std::string field = text.substr(start, stop - start);
            start = stop + 1;
            is_comment = is_comment && field.starts_with(":");
            if (field.starts_with("id: ")) {
                event.id = field.substr(4);
            } else if (field.starts_with("data: ")) {
                event.data = field.substr(6);
            }
        }
        if (!is_comment) {
            return event;
        }
    }
}

bool HttpClient::closes() {
    while (fill()) {
    }
    char byte = 0;
    return ::recv(fd_.get(), &byte, 1, MSG_DONTWAIT) == 0 || errno != EAGAIN;
}

HttpResponse exchange_once(std::uint16_t port, std::string_view request) {
    HttpClient client(port);
    client.send(request);
    return client.response();
}

std::string post_text(const std::string& body, std::vector<HttpField> fields,
                      const std::string& path) {
    const auto add_default = [&](const std::string& name, const std::string& value) {
        for (const HttpField& field : fields) {
            if (equals_ignoring_case(field.name, name)) {
                return;
            }
        }
        fields.push_back({name, value});
    };
    add_default("Host", "localhost");
    add_default("Content-Type", "application/json");
    add_default("Accept", "application/json, text/event-stream");
    add_default("Content-Length", std::to_string(body.size()));
    std::string text = "POST " + path + " HTTP/1.1\r\n";
    for (const HttpField& field : fields) {
        if (field.value != "-") {  // a dash leaves a header out
            text += field.name + ": " + field.value + "\r\n";
        }
    }
    return text + "\r\n" + body;
}

std::vector<HttpField> modern_fields(const Json& message) {
    std::vector<HttpField> fields = {{"MCP-Protocol-Version", "2026-07-28"},
                                     {"Mcp-Method", message.at("method").get<std::string>()}};
    for (const char* const name : {"name", "uri"}) {
        const Json& params = message.at("params");
        if (params.contains(name)) {
            fields.push_back({"Mcp-Name", encode_header_value(params[name].get<std::string>())});
        }
    }
    return fields;
}

}  // namespace tb::mcp::test
