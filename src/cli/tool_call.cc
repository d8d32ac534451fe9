#include "cli/tool_call.h"

#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/store_access.h"
#include "mcp/context.h"
#include "mcp/json_text.h"
#include "mcp/tool_result.h"

namespace tb::cli {

using mcp::Json;

namespace {

// Progress of a tool on the terminal; nobody to ask.
class TerminalChannel final : public mcp::ClientChannel {
  public:
    explicit TerminalChannel(Terminal& terminal) : terminal_(terminal) {}
    void progress(const Progress& progress) override { terminal_.progress(progress); }
    void log(mcp::LoggingLevel, std::string_view, const Json&) override {}
    [[nodiscard]] bool can_ask(mcp::InputKind) const override { return false; }
    mcp::Outcome<std::vector<mcp::InputAnswer>> ask(
        const std::vector<mcp::InputRequest>&) override {
        return mcp::tool_error("a command line cannot be asked");
    }
    void close_stream() override {}

  private:
    Terminal& terminal_;
};

ExitCode print_failure(const mcp::ToolError& error, Session& session, const Rephrase& rephrase) {
    const std::string& text =
        error.kind == mcp::ToolError::Kind::kProtocol ? error.rpc.message : error.message;
    session.terminal.error({ErrorCode::kInvalidArgument, rephrase ? rephrase(text) : text, ""});
    return session.cancel.cancelled() ? ExitCode::kInterrupted : ExitCode::kFailed;
}

}  // namespace

ExitCode call_tool(const mcp::ToolSpec& tool, const Json& arguments, Session& session,
                   const PrintResult& print, const Rephrase& rephrase) {
    TerminalChannel channel(session.terminal);
    mcp::ContextOptions options;
    options.cancel = session.cancel;
    options.channel = &channel;
    options.budget_chars = 0;
    mcp::ToolContext context(std::move(options));
    auto outcome = mcp::call_tool(tool, context, arguments);
    session.terminal.clear_progress();
    if (!outcome.has_value()) {
        return print_failure(outcome.error(), session, rephrase);
    }
    print(std::move(*outcome));
    return ExitCode::kDone;
}

void print_structured(mcp::ToolResult result, Session& session) {
    const Json json =
        mcp::tool_result_json(std::move(result), mcp::kMaxRaisedResultChars, mcp::kModern);
    const Json& structured = json["structuredContent"];
    const bool for_reading = session.terminal.out_width() > 0;
    session.terminal.out().write_data(
        (for_reading ? structured.dump(2, ' ', false, Json::error_handler_t::replace)
                     : mcp::to_json_text(structured)) +
        "\n");
}

Result<ExitCode> with_app(const Invocation& invocation, Session& session,
                          const std::function<Result<ExitCode>(tools::App& app)>& work) {
    if (session.app != nullptr) {
        return work(*session.app);
    }
    TB_RETURN_IF_ERROR(check_data_directory(invocation.text("DIR")));
    tools::AppOptions options;
    options.data_dir = invocation.text("DIR");
    TB_TRY(options.store, store_options());
    tools::App app(std::move(options));
    auto result = work(app);
    app.close();
    return result;
}

}  // namespace tb::cli
