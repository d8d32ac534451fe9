// mcp_fixture_server [--http [HOST:]PORT [--token-file FILE]]
//
// Speaks stdio; with --http it prints the first URL on stdout and serves until SIGTERM or SIGINT.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <unistd.h>

#include "core/version.h"
#include "fixture.h"
#include "mcp/http.h"
#include "mcp/transport_stdio.h"

namespace tb::fixture {
namespace {

// The suite's own limit; some of its names are longer than ours may be.
constexpr std::size_t kMaxFixtureName = 64;

Result<std::unique_ptr<mcp::Server>> make_server() {
    mcp::ServerOptions options;
    options.identity = {"mcp-fixture-server", "Conformance fixture", std::string(kVersion), "", {}};
    options.instructions = "Call test_simple_text first. Every tool exists to be tested.";
    options.tools_list_changes = true;
    options.prompts_list_changes = true;
    options.check_results = true;
    std::vector<mcp::ToolSpec> tools = plain_tools();
    for (mcp::ToolSpec& tool : asking_tools()) {
        tools.push_back(std::move(tool));
    }
    mcp::ServerContent content;
    TB_TRY(content.tools, mcp::ToolRegistry::make(std::move(tools), kMaxFixtureName));
    content.resources = resources();
    content.templates = resource_templates();
    content.prompts = prompts();
    return mcp::Server::make(std::move(options), std::move(content));
}

// A handler that is still running uses what returning from main() would destroy.
void end(mcp::Server& server) {
    if (!server.shutdown()) {
        std::_Exit(0);
    }
}

Result<void> run(const std::vector<std::string>& arguments) {
    TB_TRY(const auto server, make_server());
    if (arguments.empty()) {
        TB_TRY(mcp::StdioChannel channel, mcp::take_stdio());
        const mcp::ShutdownSignals signals;
        mcp::LineTransportOptions options;
        options.stop_fd = signals.fd();
        options.watch_parent = true;
        mcp::serve_lines(*server, channel.in.get(), channel.out.get(), options);
        end(*server);
        return {};
    }
    if (arguments.size() < 2 || arguments[0] != "--http") {
        return make_error(ErrorCode::kInvalidArgument,
                          "usage: mcp_fixture_server [--http [HOST:]PORT "
                          "[--token-file FILE]]");
    }
    mcp::HttpOptions options;
    TB_TRY(options.address, mcp::parse_http_address(arguments[1]));
    // The suite runs its scenarios as fast as it can.
    options.limits.calls_per_second = 1'000;
    options.limits.calls_burst = 1'000;
    options.limits.calls_in_flight = 64;
    if (arguments.size() == 4 && arguments[2] == "--token-file") {
        TB_TRY(options.tokens, mcp::TokenSet::load(arguments[3]));
    }
    const mcp::ShutdownSignals signals;
    TB_RETURN_IF_ERROR(mcp::serve_http(*server, options, signals.fd(), [](const auto& urls) {
        std::cout << urls.front() << std::endl;
    }));
    end(*server);
    return {};
}

}  // namespace
}  // namespace tb::fixture

int main(int argc, char** argv) {
    const auto done = tb::fixture::run(std::vector<std::string>(argv + 1, argv + argc));
    if (!done.has_value()) {
        std::cerr << done.error().to_string() << '\n';
        return 1;
    }
    return 0;
}
