#include "serve/serve.h"

#include <sys/eventfd.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <unistd.h>

#include "core/log.h"
#include "core/version.h"
#include "mcp/transport_stdio.h"
#include "serve/audit_log.h"
#include "serve/forward.h"
#include "serve/icons.h"
#include "tools/content.h"

namespace tb::serve {

namespace {

using SteadyClock = std::chrono::steady_clock;

// Cancelled work ends within a quarter of a second. With what the transports take (800 ms for calls
// in flight at the end of input, 300 ms to drain) the process is gone within two seconds.
constexpr std::chrono::milliseconds kWorkMayTake{700};
constexpr std::chrono::milliseconds kGiveUpAfter{850};
// Closing the database may write the log back into the file, which must not be cut short lightly.
constexpr std::chrono::seconds kCloseMayTake{10};

// Ends the process when the time is up.
class Watchdog {
  public:
    Watchdog(SteadyClock::duration time, std::function<void()> end_process)
        : end_process_(std::move(end_process)),
          deadline_(SteadyClock::now() + time),
          thread_([this] { watch(); }) {}
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    Watchdog(Watchdog&&) = delete;
    Watchdog& operator=(Watchdog&&) = delete;
    ~Watchdog() {
        {
            const std::lock_guard lock(mutex_);
            done_ = true;
            changed_.notify_all();
        }
        thread_.join();
    }
    void extend(SteadyClock::duration time) {
        const std::lock_guard lock(mutex_);
        deadline_ = SteadyClock::now() + time;
        changed_.notify_all();
    }

  private:
    void watch() {
        std::unique_lock lock(mutex_);
        while (!done_) {
            if (SteadyClock::now() >= deadline_) {
                end_process_();  // what was not committed is rolled back at the next start
                return;
            }
            changed_.wait_until(lock, deadline_);
        }
    }

    const std::function<void()> end_process_;
    std::mutex mutex_;
    std::condition_variable changed_;
    SteadyClock::time_point deadline_;
    bool done_ = false;
    std::thread thread_;
};

mcp::ServerOptions server_options(tools::App& app, const mcp::ToolRegistry& tools) {
    mcp::ServerOptions options;
    options.identity.name = "tradeblocks";
    options.identity.title = "TradeBlocks";
    options.identity.version = kVersion;
    options.identity.icons = icons();
    options.instructions = tools::instructions(app, tools);
#ifdef TB_CHECK_RESULTS  // not in release builds: an answer is worth more than its shape
    options.check_results = true;
#endif
    return options;
}

// Every resource of a block that has changed, and the list.
void announce(mcp::Server& server, const std::vector<std::string>& block_ids) {
    server.resources_changed();
    for (const std::string& uri : tools::changed_resource_uris(block_ids)) {
        server.resource_updated(uri);
    }
}

// Other Apps on the same database: they share the open file, and what their syncs change is told to
// everybody. `host` is the variable the Host will be in.
std::shared_ptr<tools::App> make_app(tools::AppOptions options, const std::unique_ptr<Host>& host) {
    auto app = std::make_shared<tools::App>(std::move(options));
    app->set_change_listener([&host](const auto& block_ids) { host->announce(block_ids); });
    return app;
}

// Followers may do what they could do by themselves: their own servers have left out what their
// clients must not (read-only, toolsets).
Result<PeerServer> make_peer_server(const ServeOptions& options, const std::unique_ptr<Host>& host,
                                    const std::vector<std::string>& import_roots) {
    tools::AppOptions own = options.app;
    own.read_only = false;
    own.import_roots.assign(import_roots.begin(), import_roots.end());
    const auto app = make_app(std::move(own), host);
    TB_TRY(mcp::ServerContent content, tools::make_content(*app, {}));
    PeerServer peer;
    peer.app = app;
    mcp::ServerOptions lists = whole_lists(server_options(*app, content.tools));
    TB_TRY(peer.server, mcp::Server::make(std::move(lists), std::move(content)));
    return peer;
}

CommandRunner make_command_runner(const ServeOptions& options, const std::unique_ptr<Host>& host) {
    tools::AppOptions own = options.app;
    own.read_only = false;
    own.import_roots.clear();
    const auto app = make_app(std::move(own), host);
    return [app, run = options.command_runner(*app)](const CommandRequest& request, int out_fd,
                                                     int err_fd, const CancelToken& cancel) {
        return run(request, out_fd, err_fd, cancel);
    };
}

HostOptions host_options(const ServeOptions& options, const std::unique_ptr<Host>& host) {
    HostOptions result;
    result.runtime_root = options.runtime_root;
    result.make_server = [&options, &host](const std::vector<std::string>& roots) {
        return make_peer_server(options, host, roots);
    };
    if (options.command_runner != nullptr) {
        result.run_command = make_command_runner(options, host);
    }
    return result;
}

Result<void> serve_client(const ServeOptions& options, mcp::Server& server,
                          const mcp::StdioChannel& channel, int stop_fd) {
    if (options.http.has_value()) {
        return mcp::serve_http(server, *options.http, stop_fd, options.on_listening);
    }
    mcp::LineTransportOptions transport;
    transport.stop_fd = stop_fd;
    transport.watch_parent = true;
    mcp::serve_lines(server, channel.in.get(), channel.out.get(), transport);
    return {};
}

// The client is gone or we were told to end.
void end(mcp::Server& server, Host& host, const std::function<void()>& end_process) {
    Watchdog watchdog(kGiveUpAfter, end_process);
    bool own_ended = false;
    std::thread own([&] { own_ended = server.shutdown(kWorkMayTake); });
    const bool others_ended = host.send_away(kWorkMayTake);
    own.join();
    if (!own_ended || !others_ended) {
        end_process();
    }
    watchdog.extend(kCloseMayTake);
    host.stop();
}

}  // namespace

Result<void> serve(const ServeOptions& options, const CancelToken& cancel) {
    mcp::StdioChannel channel;
    if (!options.http.has_value()) {
        TB_TRY(channel, mcp::take_stdio());
    }
    const UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const auto registration = cancel.on_cancel([fd = stop.get()] {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
    });
    tools::App app(options.app);
    TB_TRY(mcp::ServerContent content, tools::make_content(app, options.selection));
    std::unique_ptr<Host> host;
    host = std::make_unique<Host>(app, host_options(options, host));
    TB_TRY(content, forwarded(std::move(content), *host));
    mcp::ServerOptions own_options = server_options(app, content.tools);
    if (!options.audit_log.empty()) {
        TB_TRY(const auto audit, AuditLog::open(options.audit_log, options.app.data_dir));
        TB_TRY(content, audited(std::move(content), audit));
        own_options.on_refused_call = [audit](const mcp::RefusedCall& call) {
            audit->record(call);
        };
    }
    TB_TRY(const auto server, mcp::Server::make(std::move(own_options), std::move(content)));
    host->set_change_listener(
        [&server](const std::vector<std::string>& ids) { announce(*server, ids); });
    host->start();
    auto served = serve_client(options, *server, channel, stop.get());
    end(*server, *host, options.end_process);
    return served;
}

}  // namespace tb::serve
