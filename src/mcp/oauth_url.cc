#include "mcp/oauth_url.h"

#include <algorithm>
#include <charconv>

#include "core/text.h"
#include "mcp/http.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kMaxUrlBytes = 2'048;

// RFC 3986 without what has to be escaped; it also keeps quotes out of the headers we write.
bool is_url_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < '\x7F' &&
               std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
    });
}

bool is_host_name(std::string_view host) {
    return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
}

bool is_host_ipv6(std::string_view host) {
    return host.find(':') != std::string_view::npos &&
           host.find_first_not_of("0123456789abcdef:.") == std::string_view::npos;
}

// "host", "host:port", "[v6]" or "[v6]:port" in lower case.
bool split_authority(std::string_view text, OauthUrl& url) {
    std::string_view port_text;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) {
            return false;
        }
        url.host = text.substr(1, end - 1);
        port_text = text.substr(end + 1);
        if (!is_host_ipv6(url.host)) {
            return false;
        }
    } else {
        const auto colon = std::min(text.find(':'), text.size());
        url.host = text.substr(0, colon);
        port_text = text.substr(colon);
        if (!is_host_name(url.host)) {
            return false;
        }
    }
    url.port = url.is_https ? 443 : 80;
    if (port_text.empty()) {
        return true;
    }
    port_text.remove_prefix(1);
    const char* const end = port_text.data() + port_text.size();
    const auto [stop, problem] = std::from_chars(port_text.data(), end, url.port);
    return text[text.size() - port_text.size() - 1] == ':' && problem == std::errc() &&
           stop == end && url.port != 0;
}

std::string_view bare_path(const OauthUrl& url) {
    return url.path == "/" ? std::string_view() : std::string_view(url.path);
}

}  // namespace

std::string OauthUrl::origin() const {
    return (is_https ? "https://" : "http://") + authority;
}

std::string OauthUrl::target() const {
    return (path.empty() ? "/" : path) + query;
}

Result<OauthUrl> parse_oauth_url(std::string_view text) {
    const auto fail = [&](const char* why) {
        return make_error(ErrorCode::kInvalidArgument, why,
                          std::string(is_url_text(text) ? text.substr(0, 200) : "URL"));
    };
    if (text.empty() || text.size() > kMaxUrlBytes || !is_url_text(text)) {
        return fail("not a URL of at most 2048 plain characters");
    }
    OauthUrl url;
    url.text = text;
    const std::string lower = ascii_lower(text.substr(0, 8));
    const bool is_http = lower.starts_with("http://");
    url.is_https = lower.starts_with("https://");
    if (!url.is_https && !is_http) {
        return fail("must start with https://");
    }
    text.remove_prefix(is_http ? 7 : 8);
    if (text.find('#') != std::string_view::npos) {
        return fail("must not have a #fragment");
    }
    const auto authority_end = std::min(text.find_first_of("/?"), text.size());
    url.authority = ascii_lower(text.substr(0, authority_end));
    text.remove_prefix(authority_end);
    const auto query = std::min(text.find('?'), text.size());
    url.path = text.substr(0, query);
    url.query = text.substr(query);
    if (url.authority.find('@') != std::string::npos) {
        return fail("must not hold a user name or password");
    }
    if (!split_authority(url.authority, url)) {
        return fail("has no valid host and port");
    }
    if (!url.is_https && url.host != "localhost" && !is_loopback_address(url.host)) {
        return fail("must be https (http is for this machine only)");
    }
    return url;
}

std::string well_known_url(const OauthUrl& url, std::string_view name) {
    std::string text = url.origin();
    text.append("/.well-known/").append(name).append(bare_path(url));
    return text;
}

std::vector<std::string> issuer_metadata_urls(const OauthUrl& issuer) {
    constexpr std::string_view kOpenId = "openid-configuration";
    std::vector<std::string> urls = {well_known_url(issuer, "oauth-authorization-server"),
                                     well_known_url(issuer, kOpenId)};
    std::string_view path = bare_path(issuer);
    if (!path.empty()) {
        if (path.ends_with('/')) {
            path.remove_suffix(1);
        }
        urls.push_back(issuer.origin() + std::string(path) + "/.well-known/" +
                       std::string(kOpenId));
    }
    return urls;
}

}  // namespace tb::mcp
