#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/relay.h"
#include "cli/store_access.h"
#include "mcp/oauth.h"
#include "serve/serve.h"
#include "tools/registry.h"

namespace tb::cli {

namespace {

// A command without a server around it may hold the file for the length of a large sync.
constexpr auto kLockWait = std::chrono::milliseconds(3'000);

std::vector<std::string> listed(const std::string& text) {
    std::vector<std::string> result;
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ',');) {
        if (!part.empty()) {
            result.push_back(part);
        }
    }
    return result;
}

std::set<std::string> name_set(const Invocation& invocation, const std::string& option) {
    const auto names = listed(invocation.text(option));
    return {names.begin(), names.end()};
}

// What clients' configurations may name, even where this version has no tool of that set (06 T13).
constexpr std::array kToolsets{"core",   "portfolio", "risk", "walkforward",
                               "market", "import",    "sql",  "admin"};

// Such a set is said and left out. When nothing else was asked for, nothing is offered.
Result<void> leave_out_empty_sets(mcp::ToolSelection& selection, Session& session) {
    tools::App app({.data_dir = ".", .store = {}, .import_roots = {}});  // opens nothing
    TB_TRY(const mcp::ToolRegistry registry, tools::make_registry(app));
    const auto& table = registry.tools();
    const bool chose = !selection.toolsets.empty();
    for (const std::string name : kToolsets) {
        const bool is_empty = std::none_of(table.begin(), table.end(),
                                           [&](const auto& tool) { return tool->toolset == name; });
        if (is_empty && selection.toolsets.erase(name) > 0) {
            session.terminal.warning(
                fmt::format("--toolsets {}: this version has no tools of that set", name));
        }
    }
    if (chose && selection.toolsets.empty() && selection.tools.empty()) {
        for (const auto& tool : table) {
            selection.excluded.insert(tool->name);
        }
    }
    return {};
}

Result<mcp::ToolSelection> selection_of(const Invocation& invocation, Session& session) {
    mcp::ToolSelection selection;
    selection.toolsets = name_set(invocation, "--toolsets");
    selection.tools = name_set(invocation, "--tools");
    selection.excluded = name_set(invocation, "--exclude-tools");
    selection.read_only = invocation.has("--read-only");
    if (selection.toolsets.contains("all")) {
        selection.toolsets.clear();
        selection.tools.clear();
    } else if (!selection.toolsets.empty()) {
        TB_RETURN_IF_ERROR(leave_out_empty_sets(selection, session));
    }
    return selection;
}

Result<mcp::TokenSet> tokens_of(const Invocation& invocation) {
    if (invocation.has("--token-file")) {
        return mcp::TokenSet::load(invocation.text("--token-file"));
    }
    const char* const text = std::getenv("TRADEBLOCKS_TOKEN");
    return text == nullptr || *text == '\0' ? mcp::TokenSet() : mcp::TokenSet::parse(text);
}

// Null without the options. One way of proving who one is must not hide another (06 X1).
Result<std::shared_ptr<mcp::OauthResource>> oauth_of(const Invocation& invocation,
                                                     const mcp::TokenSet& tokens) {
    const bool complete = invocation.has("--oauth-issuer") && invocation.has("--oauth-resource");
    if (!complete) {
        for (const char* const option : {"--oauth-issuer", "--oauth-resource", "--oauth-jwks"}) {
            if (invocation.has(option)) {
                return make_error(ErrorCode::kInvalidArgument,
                                  "OAuth needs both --oauth-issuer and --oauth-resource");
            }
        }
        return std::shared_ptr<mcp::OauthResource>();
    }
    if (!tokens.empty()) {
        return make_error(
            ErrorCode::kInvalidArgument,
            fmt::format("--oauth-issuer and {} exclude each other: choose one way "
                        "in which clients prove who they are",
                        invocation.has("--token-file") ? "--token-file" : "TRADEBLOCKS_TOKEN"));
    }
    return mcp::OauthResource::make({invocation.text("--oauth-issuer"),
                                     invocation.text("--oauth-resource"),
                                     invocation.text("--oauth-jwks")});
}

Result<std::optional<mcp::HttpOptions>> http_of(const Invocation& invocation) {
    if (!invocation.has("--http")) {
        for (const char* const option :
             {"--token-file", "--oauth-issuer", "--oauth-resource", "--oauth-jwks", "--allow-host",
              "--allow-origin", "--allow-anonymous-network"}) {
            if (invocation.has(option)) {
                return make_error(ErrorCode::kInvalidArgument,
                                  fmt::format("{} is for --http", option));
            }
        }
        return std::optional<mcp::HttpOptions>();
    }
    mcp::HttpOptions http;
    TB_TRY(http.address, mcp::parse_http_address(invocation.text("--http")));
    TB_TRY(http.tokens, tokens_of(invocation));
    TB_TRY(http.oauth, oauth_of(invocation, http.tokens));
    http.allowed_hosts = listed(invocation.text("--allow-host"));
    http.allowed_origins = listed(invocation.text("--allow-origin"));
    http.allow_anonymous_network = invocation.has("--allow-anonymous-network");
    return std::optional(std::move(http));
}

Result<ExitCode> run_server(const Invocation& invocation, Session& session) {
    serve::ServeOptions options;
    TB_TRY(options.app.store, store_options());
    options.app.store.lock_wait = kLockWait;
    options.app.data_dir = invocation.text("DIR");
    if (const auto there = check_data_directory(invocation.text("DIR")); !there) {
        // A disk may come later; but nobody should wonder why every call fails.
        session.terminal.warning(there.error().to_string());
        if (!options.app.data_dir.is_absolute()) {
            std::error_code ignored;
            session.terminal.warning(fmt::format(
                "\"{}\" is a relative path, looked for in {}: name the folder by its "
                "whole path (tradeblocks setup does)",
                options.app.data_dir.string(), std::filesystem::current_path(ignored).string()));
        }
    }
    if (!invocation.has("--http") && ::isatty(STDIN_FILENO) == 1) {
        session.terminal.note(
            "serving over standard input and output, as assistants start it; Ctrl-C ends it "
            "(tradeblocks --help lists the commands for people)");
    }
    options.app.read_only = invocation.has("--read-only");
    options.audit_log = invocation.text("--audit-log");
    if (invocation.has("--audit-log") && options.audit_log.empty()) {
        return make_error(ErrorCode::kInvalidArgument, "--audit-log wants the name of a file");
    }
    TB_TRY(options.selection, selection_of(invocation, session));
    TB_TRY(options.http, http_of(invocation));
    if (options.http.has_value()) {
        // Whoever calls over the network has no business elsewhere on this machine.
        options.app.import_roots = {std::filesystem::absolute(options.app.data_dir)};
    }
    options.runtime_root = runtime_root();
    options.command_runner = command_runner;
    options.end_process = [] { ::_exit(static_cast<int>(ExitCode::kDone)); };
    options.on_listening = [&](const std::vector<std::string>& urls) {
        session.terminal.note(
            fmt::format("serving {} at {}", invocation.text("DIR"), fmt::join(urls, " and ")));
    };
    TB_RETURN_IF_ERROR(serve::serve(options, session.cancel));
    return ExitCode::kDone;
}

// Whatever is wrong with an argument is wrong with the command line.
Result<ExitCode> run(const Invocation& invocation, Session& session) {
    auto served = run_server(invocation, session);
    if (!served.has_value() && served.error().code == ErrorCode::kInvalidArgument) {
        session.terminal.error(served.error());
        return ExitCode::kUsage;
    }
    return served;
}

std::vector<Option> serve_options() {
    return {
        {"--http",
         ValueKind::kAddress,
         "[HOST:]PORT",
         "serve over HTTP at this address, path /mcp",
         {},
         "127.0.0.1:3100"},
        {"--toolsets",
         ValueKind::kText,
         "A,B",
         "only the tools of these sets (see tradeblocks tools)",
         {},
         "all"},
        {"--tools", ValueKind::kText, "A,B", "these tools as well", {}, ""},
        {"--exclude-tools", ValueKind::kText, "A,B", "but not these tools", {}, ""},
        {"--read-only", ValueKind::kFlag, "", "no tool that writes, whatever else is said", {}, ""},
        {"--audit-log",
         ValueKind::kFile,
         "FILE",
         "append a JSON line per tool call: who, when, which tool, how much; no data",
         {},
         ""},
        {"--token-file",
         ValueKind::kFile,
         "FILE",
         "tokens that clients over HTTP must have",
         {},
         ""},
        {"--oauth-issuer",
         ValueKind::kText,
         "URL",
         "instead of tokens: accept access tokens (JWT) of this OAuth authorization server",
         {},
         ""},
        {"--oauth-resource",
         ValueKind::kText,
         "URL",
         "with it: the URL under which clients reach this server, as in their tokens' aud",
         {},
         ""},
        {"--oauth-jwks",
         ValueKind::kFile,
         "FILE|URL",
         "with it: the issuer's public keys (JWK Set)",
         {},
         "asked of the issuer"},
        {"--allow-host",
         ValueKind::kText,
         "A,B",
         "names under which clients may reach the HTTP server besides localhost",
         {},
         ""},
        {"--allow-origin", ValueKind::kText, "A,B", "web pages that may call it", {}, ""},
        {"--allow-anonymous-network",
         ValueKind::kFlag,
         "",
         "serve other machines without tokens: everybody who can reach the port can read "
         "everything",
         {},
         ""}};
}

}  // namespace

Command serve_command() {
    return {
        .name = "serve",
        .summary = "serve the data directory to an assistant over MCP",
        .description =
            "Speaks the Model Context Protocol on standard input and output, for clients that "
            "start their servers themselves, or over HTTP. Whatever is asked about a block is "
            "answered from its files as they are at that moment.\n\n"
            "Any number of copies may serve one folder: the first one owns the database, the "
            "others "
            "pass their calls on to it, and one of them takes over when it ends. Commands like "
            "tradeblocks sync do the same.\n\n"
            "Over HTTP the server listens on this machine only. For other addresses it wants "
            "tokens, one a line, as \"name scopes token\" or the token alone (at least 128 bits, "
            "for instance from openssl rand -hex 32; scopes are blocks:read, sql:read, data:write "
            "or *), in a file that only you can read or in TRADEBLOCKS_TOKEN. Or an OAuth "
            "authorization server of yours gives the tokens, with these scopes: name it with "
            "--oauth-issuer, and with --oauth-resource the URL that clients use for this server; "
            "signature, issuer, audience and times of every token are checked. TLS is for a "
            "reverse proxy in front of it.",
        .arguments = {{"DIR", ValueKind::kDirectory, "the data directory, one folder per block"}},
        .options = serve_options(),
        .examples = {{"serve ~/Trades", "what a client's configuration starts"},
                     {"serve --http 3100 ~/Trades", "at http://127.0.0.1:3100/mcp"},
                     {"serve ~/Trades --read-only --toolsets core,sql", "a smaller choice"}},
        .run = run};
}

}  // namespace tb::cli
