// The HTTP server as a program runs it.
#include <cerrno>
#include <utility>

#include <poll.h>

#include "mcp/http.h"

namespace tb::mcp {

Result<void> serve_http(
    Server& server, HttpOptions options, int stop_fd,
    const std::function<void(const std::vector<std::string>& urls)>& on_listening) {
    TB_TRY(const auto transport, HttpTransport::start(server, std::move(options)));
    on_listening(transport->urls());
    pollfd wanted{stop_fd, POLLIN, 0};
    while (::poll(&wanted, 1, -1) < 0 && errno == EINTR) {
    }
    transport->stop();
    return {};
}

}  // namespace tb::mcp
