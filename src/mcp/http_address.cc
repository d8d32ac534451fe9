#include <arpa/inet.h>

#include <charconv>

#include "core/text.h"
#include "mcp/http.h"

namespace tb::mcp {

Result<HttpAddress> parse_http_address(std::string_view text) {
    const auto fail = [&] {
        return make_error(ErrorCode::kInvalidArgument,
                          "'" + std::string(text) +
                              "' is not [HOST:]PORT, for example 3100, 127.0.0.1:3100, "
                              "[::1]:3100 or 0.0.0.0:3100");
    };
    HttpAddress address;
    const auto colon = text.rfind(':');
    const std::string_view port_text =
        colon == std::string_view::npos ? text : text.substr(colon + 1);
    const auto [stop, problem] =
        std::from_chars(port_text.data(), port_text.data() + port_text.size(), address.port);
    if (problem != std::errc() || stop != port_text.data() + port_text.size()) {
        return fail();
    }
    if (colon == std::string_view::npos) {
        return address;
    }
    std::string host = ascii_lower(text.substr(0, colon));
    if (host == "localhost") {
        return address;
    }
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    in6_addr bytes{};
    if (::inet_pton(bracketed ? AF_INET6 : AF_INET, host.c_str(), &bytes) != 1) {
        return fail();
    }
    address.host = host;
    return address;
}

bool is_loopback_address(std::string_view host) {
    const std::string text(host);
    in_addr v4{};
    if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24U) == 127;
    }
    in6_addr v6{};
    return ::inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace tb::mcp
