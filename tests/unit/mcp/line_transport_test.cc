// The line transport over real descriptors: framing, back-pressure, ends, recorded transcripts.
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "core/unique_fd.h"
#include "mcp/transport_stdio.h"
#include "support/temp_dir.h"
#include "test_server.h"
#include "wire_schema.h"

namespace tb::mcp::test {
namespace {

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Pipe make_pipe() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// A server on one thread, its client's ends of two pipes here.
class LineClient {
  public:
    explicit LineClient(Server& server, LineTransportOptions options = {}) {
        thread_ = std::thread([this, &server, options] {
            end_ = serve_lines(server, to_server_.read.get(), from_server_.write.get(), options);
            from_server_.write.reset();
        });
    }
    ~LineClient() {
        to_server_.write.reset();
        from_server_.read.reset();
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    LineClient(const LineClient&) = delete;
    LineClient& operator=(const LineClient&) = delete;

    void write(const std::string& text) const {
        std::size_t at = 0;
        while (at < text.size()) {
            const ssize_t count =
                ::write(to_server_.write.get(), text.data() + at, text.size() - at);
            ASSERT_GT(count, 0);
            at += static_cast<std::size_t>(count);
        }
    }
    void ask(const Json& id, const std::string& method, const Json& params) const {
        write(request_text(id, method, params) + "\n");
    }
    // The next line; empty at the end of the stream.
    std::string read_line() {
        while (true) {
            const std::size_t end = buffer_.find('\n');
            if (end != std::string::npos) {
                const std::string line = buffer_.substr(0, end);
                buffer_.erase(0, end + 1);
                return line;
            }
            std::array<char, 65536> bytes{};
            const ssize_t count = ::read(from_server_.read.get(), bytes.data(), bytes.size());
            if (count <= 0) {
                return {};
            }
            buffer_.append(bytes.data(), static_cast<std::size_t>(count));
        }
    }
    void close_input() { to_server_.write.reset(); }
    void stop_reading() { from_server_.read.reset(); }
    TransportEnd join() {
        thread_.join();
        return end_;
    }

  private:
    Pipe to_server_ = make_pipe();
    Pipe from_server_ = make_pipe();
    std::string buffer_;
    TransportEnd end_ = TransportEnd::kReadFailed;
    std::thread thread_;
};

class Lines : public ::testing::Test {
  protected:
    void SetUp() override { ::signal(SIGPIPE, SIG_IGN); }
    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
    std::unique_ptr<Server> server_ = make_server(gate_);
};

TEST_F(Lines, S4_MalformedLinesAreAnsweredAndTheNextOneIsServed) {
    LineTransportOptions options;
    options.max_line_bytes = 2000;
    LineClient client(*server_, options);
    client.write("{nonsense\n");
    client.write("\r\n");
    client.write(std::string(5000, 'x') + "\n");
    client.write(std::string(200, '[') + "\n");
    client.write(request_text(1, "ping", Json::object()) + "\r\n");
    const auto code_of = [&] { return Json::parse(client.read_line())["error"]["code"]; };
    EXPECT_EQ(code_of(), code::kParseError);
    EXPECT_EQ(code_of(), code::kInvalidRequest);
    EXPECT_EQ(code_of(), code::kInvalidRequest);
    EXPECT_EQ(client.read_line(), R"({"jsonrpc":"2.0","id":1,"result":{}})");
    client.close_input();
    EXPECT_EQ(client.join(), TransportEnd::kEndOfInput);
}

TEST_F(Lines, S3_ReadingNeverWaitsForARunningCall) {
    LineClient client(*server_);
    client.ask("long", "tools/call", modern_params({{"name", "hold"}}));
    ASSERT_TRUE(gate_->wait_inside(1));
    client.ask(2, "ping", Json::object());
    EXPECT_EQ(client.read_line(), R"({"jsonrpc":"2.0","id":2,"result":{}})");
    client.ask(3, "tools/call", modern_params({{"name", "chatty"}}));
    EXPECT_EQ(Json::parse(client.read_line())["id"], 3);
    client.write(
        R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"long"}})"
        "\n");
    EXPECT_TRUE(gate_->wait_cancelled(1));
}

TEST_F(Lines, S5_PipedRequestsAreAnsweredAfterEndOfInput) {
    LineClient client(*server_);
    for (int i = 0; i < 20; ++i) {
        client.ask(i, "tools/call", modern_params({{"name", "chatty"}}));
    }
    client.close_input();
    int answers = 0;
    while (!client.read_line().empty()) {
        ++answers;
    }
    EXPECT_EQ(answers, 20);
    EXPECT_EQ(client.join(), TransportEnd::kEndOfInput);
}

TEST_F(Lines, S5_EndOfInputInterruptsWorkAfterTheGrace) {
    LineTransportOptions options;
    options.eof_grace = std::chrono::milliseconds(20);
    LineClient client(*server_, options);
    client.ask(1, "tools/call", modern_params({{"name", "hold"}}));
    ASSERT_TRUE(gate_->wait_inside(1));
    client.close_input();
    EXPECT_EQ(client.read_line(), "");
    EXPECT_EQ(client.join(), TransportEnd::kEndOfInput);
    EXPECT_TRUE(gate_->wait_cancelled(1));
}

TEST_F(Lines, S5_StopDescriptorEndsAtOnceAndSubscriptionsGracefully) {
    Pipe stop = make_pipe();
    LineTransportOptions options;
    options.stop_fd = stop.read.get();
    LineClient client(*server_, options);
    client.ask(1, "tools/call", modern_params({{"name", "hold"}}));
    client.ask(2, "subscriptions/listen", modern_params({{"notifications", Json::object()}}));
    ASSERT_TRUE(gate_->wait_inside(1));
    EXPECT_EQ(Json::parse(client.read_line())["method"],
              "notifications/subscriptions/acknowledged");
    ASSERT_EQ(::write(stop.write.get(), "x", 1), 1);
    EXPECT_EQ(Json::parse(client.read_line())["method"], "notifications/cancelled");
    EXPECT_EQ(Json::parse(client.read_line())["id"], 2);
    EXPECT_EQ(client.read_line(), "");
    EXPECT_EQ(client.join(), TransportEnd::kStopped);
    EXPECT_TRUE(gate_->wait_cancelled(1));
}

TEST_F(Lines, S5_ClientThatStopsListeningEndsTheConnection) {
    LineClient client(*server_);
    client.ask(1, "tools/call", modern_params({{"name", "hold"}}));
    ASSERT_TRUE(gate_->wait_inside(1));
    client.stop_reading();
    EXPECT_EQ(client.join(), TransportEnd::kPeerGone);
    EXPECT_TRUE(gate_->wait_cancelled(1));
}

TEST_F(Lines, S7_BackPressureHoldsWorkersButNotCancellationOrTheEnd) {
    LineTransportOptions options;
    options.max_queue_bytes = 1000;
    options.eof_grace = std::chrono::milliseconds(20);
    LineClient client(*server_, options);
    // Answers of 40 kB against a queue of 1 kB and a pipe of 64 kB: workers must wait.
    for (int i = 0; i < 8; ++i) {
        client.ask(i, "tools/call",
                   modern_params({{"name", "echo"},
                                  {"arguments", {{"text", "0123456789"}, {"count", 3'000}}}}));
    }
    client.ask("held", "tools/call", modern_params({{"name", "hold"}}));
    client.write(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})"
                 "\n");
    gate_->release();
    int answers = 0;
    while (answers < 7) {
        const std::string line = client.read_line();
        ASSERT_FALSE(line.empty());
        answers += Json::parse(line)["id"] != Json("held") ? 1 : 0;
    }
    client.ask("again", "tools/call",
               modern_params(
                   {{"name", "echo"}, {"arguments", {{"text", "0123456789"}, {"count", 3'000}}}}));
    // Never read again: the end of input must still end everything.
    client.close_input();
    EXPECT_EQ(client.join(), TransportEnd::kEndOfInput);
}

TEST_F(Lines, WorksOverOneSocketBothWays) {
    std::array<int, 2> fds{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    const UniqueFd ours(fds[0]);
    UniqueFd theirs(fds[1]);
    std::thread serving([&] { serve_lines(*server_, theirs.get(), theirs.get(), {}); });
    // Larger than any socket buffer, so that partial sends happen.
    const std::string request =
        request_text(
            1, "tools/call",
            modern_params(
                {{"name", "echo"},
                 {"arguments",
                  {{"text", std::string(90, 'y')}, {"count", 5'000}, {"maxChars", 500'000}}}})) +
        "\n";
    ASSERT_EQ(::write(ours.get(), request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    std::array<char, 4096> bytes{};
    while (answer.find('\n') == std::string::npos) {
        const ssize_t count = ::read(ours.get(), bytes.data(), bytes.size());
        ASSERT_GT(count, 0);
        answer.append(bytes.data(), static_cast<std::size_t>(count));
    }
    EXPECT_EQ(Json::parse(answer)["result"]["content"][0]["text"].get<std::string>().size(),
              91U * 5'000);
    ::shutdown(ours.get(), SHUT_RDWR);
    serving.join();
}

// ---- whole processes: fd 1 and signals ----

struct Child {
    pid_t pid = -1;
    UniqueFd in;
    UniqueFd out;
};

// A child whose stdin and stdout are ours, running `body`.
template <class Body>
Child spawn(const Body& body) {
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(in.read.get(), STDIN_FILENO);
        ::dup2(out.write.get(), STDOUT_FILENO);
        in.write.reset();
        ::_exit(body());
    }
    return {pid, std::move(in.write), std::move(out.read)};
}

std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> bytes{};
    while (true) {
        const ssize_t count = ::read(fd, bytes.data(), bytes.size());
        if (count <= 0) {
            return text;
        }
        text.append(bytes.data(), static_cast<std::size_t>(count));
    }
}

// A server process with a tool that prints; it takes what main will do.
int serve_on_stdio() {
    auto channel = take_stdio();
    if (!channel.has_value()) {
        return 90;
    }
    const ShutdownSignals signals;
    std::puts("puts before serving");
    std::vector<ToolSpec> table(1);
    table[0].name = "printer";
    table[0].title = "Printer";
    table[0].description = "Prints on purpose.";
    table[0].handler = [](ToolContext&, const Json&) {
        std::puts("noise on stdout");
        std::fflush(stdout);
        [[maybe_unused]] const auto count = ::write(STDOUT_FILENO, "raw noise\n", 10);
        ToolResult result;
        result.text = "printed";
        return result;
    };
    ServerContent content;
    content.tools = *ToolRegistry::make(std::move(table));
    auto server = Server::make(make_options(), std::move(content));
    LineTransportOptions options;
    options.stop_fd = signals.fd();
    options.watch_parent = true;
    const TransportEnd end = serve_lines(**server, channel->in.get(), channel->out.get(), options);
    const bool ended = (*server)->shutdown();
    std::fflush(stdout);
    return !ended ? 91 : (end == TransportEnd::kStopped ? 7 : 0);
}

TEST(StdioProcess, S2_NothingButTheProtocolReachesStdout) {
    Child child = spawn(serve_on_stdio);
    const std::string request = request_text(1, "tools/call", modern_params({{"name", "printer"}}));
    ASSERT_GT(::write(child.in.get(), (request + "\n").data(), request.size() + 1), 0);
    child.in.reset();
    const std::string out = read_all(child.out.get());
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    ASSERT_EQ(std::count(out.begin(), out.end(), '\n'), 1) << out;
    EXPECT_EQ(Json::parse(out)["result"]["content"][0]["text"], "printed");
}

TEST(StdioProcess, S5_SignalsEndTheServerInOrder) {
    for (const int number : {SIGTERM, SIGINT}) {
        Child child = spawn(serve_on_stdio);
        const std::string request = request_text(1, "ping", Json::object()) + "\n";
        ASSERT_GT(::write(child.in.get(), request.data(), request.size()), 0);
        std::array<char, 100> bytes{};
        ASSERT_GT(::read(child.out.get(), bytes.data(), bytes.size()), 0);
        ::kill(child.pid, number);
        int status = 0;
        ::waitpid(child.pid, &status, 0);
        EXPECT_TRUE(WIFEXITED(status));
        EXPECT_EQ(WEXITSTATUS(status), 7);
    }
}

TEST(StdioProcess, S5_ServerEndsWhenItsParentDisappears) {
    // A parent in between starts the server and dies; the server's stdin stays open here.
    Child child = spawn([] {
        const pid_t server = ::fork();
        if (server == 0) {
            ::_exit(serve_on_stdio());
        }
        ::pause();
        return 0;
    });
    const std::string request = request_text(1, "ping", Json::object()) + "\n";
    ASSERT_GT(::write(child.in.get(), request.data(), request.size()), 0);
    std::array<char, 100> bytes{};
    ASSERT_GT(::read(child.out.get(), bytes.data(), bytes.size()), 0);
    ::kill(child.pid, SIGKILL);
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    EXPECT_EQ(read_all(child.out.get()), "") << "the server closed its output by ending";
}

// ---- transcripts ----

class Transcript : public ::testing::TestWithParam<std::string> {};

// "> line" is sent, "< line" must come back exactly so; every line is valid for its revision.
TEST_P(Transcript, ReplaysExactly) {
    ::signal(SIGPIPE, SIG_IGN);
    const auto gate = std::make_shared<Gate>();
    ServerOptions options = make_options();
    options.workers = 1;
    const auto server = make_server(gate, options);
    LineClient client(*server);
    const Revision revision = *parse_revision(GetParam());
    std::ifstream file(tb::test::source_dir().string() + "/tests/unit/mcp/transcripts/" +
                       GetParam() + ".txt");
    ASSERT_TRUE(file.is_open());
    std::map<std::string, std::string> methods;
    std::string line;
    int compared = 0;
    while (std::getline(file, line)) {
        if (line.starts_with("> ")) {
            client.write(line.substr(2) + "\n");
            const Json sent = Json::parse(line.substr(2), nullptr, false);
            if (sent.is_object() && sent.contains("id") && sent.contains("method")) {
                methods[sent["id"].dump()] = sent["method"];
            }
        } else if (line.starts_with("< ")) {
            const std::string got = client.read_line();
            EXPECT_EQ("< " + got, line);
            const auto why = check_wire(revision, Json::parse(got), methods);
            EXPECT_TRUE(why.empty()) << got << "\n  " << why.front();
            ++compared;
        }
    }
    EXPECT_GT(compared, 5);
    client.close_input();
    EXPECT_EQ(client.read_line(), "") << "nothing but what was recorded";
}

INSTANTIATE_TEST_SUITE_P(Eras, Transcript, ::testing::Values("2026-07-28", "2025-11-25"),
                         [](const auto& entry) {
                             std::string name = "R" + entry.param;
                             std::erase(name, '-');
                             return name;
                         });

}  // namespace
}  // namespace tb::mcp::test
