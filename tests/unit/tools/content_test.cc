// What a server offers besides tools: resources, templates, completion, prompts; and sizes of
// lists.
#include "tools/content.h"

#include <fmt/format.h>

#include "core/date.h"
#include "mcp/json_text.h"
#include "mcp/transport_memory.h"
#include "tool_support.h"

namespace tb::tools {
namespace {

using mcp::Json;

class Content : public ToolTest {
  protected:
    // Sends a modern request and gives its result, or the error with `"error": true`.
    Json request(const std::string& method, Json params = Json::object()) {
        if (server_ == nullptr) {
            auto content = make_content(app_, {});
            EXPECT_TRUE(content.has_value()) << content.error().to_string();
            mcp::ServerOptions options;
            options.identity = {"tradeblocks", "TradeBlocks", "1", "", {}};
            options.instructions = instructions(app_, content->tools);
            options.check_results = true;
            auto server = mcp::Server::make(std::move(options), std::move(*content));
            EXPECT_TRUE(server.has_value()) << server.error().to_string();
            server_ = std::move(*server);
            client_ = std::make_unique<mcp::MemoryClient>(*server_);
        }
        params["_meta"] = {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                           {"io.modelcontextprotocol/clientCapabilities", Json::object()}};
        const Json message = {
            {"jsonrpc", "2.0"}, {"id", ++id_}, {"method", method}, {"params", params}};
        const auto answer =
            client_->request(mcp::to_json_text(message), std::chrono::milliseconds(60'000));
        EXPECT_TRUE(answer.has_value()) << method;
        const Json parsed = Json::parse(answer.value_or("{}"));
        if (parsed.contains("error")) {
            Json error = parsed["error"];
            error["error"] = true;
            return error;
        }
        return parsed["result"];
    }
    Json read(const std::string& uri) {
        const Json result = request("resources/read", {{"uri", uri}});
        return result.contains("contents")
                   ? Json::parse(result["contents"][0]["text"].get<std::string>())
                   : result;
    }
    Json complete(const Json& ref, const std::string& argument, const std::string& typed,
                  const Json& known = Json::object()) {
        return request("completion/complete", {{"ref", ref},
                                               {"argument", {{"name", argument}, {"value", typed}}},
                                               {"context", {{"arguments", known}}}})["completion"];
    }

    std::unique_ptr<mcp::Server> server_;
    std::unique_ptr<mcp::MemoryClient> client_;
    int id_ = 0;
};

TEST_F(Content, T13_ToolsListFitsItsBudget) {
    const Json tools = request("tools/list")["tools"];
    EXPECT_LE(tools.size(), 30U);
    std::string sizes;
    for (const Json& tool : tools) {
        sizes += tool["name"].get<std::string>() + " " +
                 std::to_string(mcp::to_json_text(tool).size()) + "\n";
    }
    EXPECT_LE(mcp::to_json_text(tools).size(), 40'000U) << sizes;
    for (const char* const name :
         {"list_blocks", "get_block_info", "get_trades", "get_reporting_log_stats", "sync",
          "get_sync_history", "get_data_issues", "run_sql", "describe_database", "import_csv",
          "purge_market_table", "get_backtest_help"}) {
        EXPECT_NE(registry_.find(name), nullptr) << name;
    }
}

TEST_F(Content, T9_WhatIsAskedForInFullIsAnsweredInFull) {
    std::string rows;
    for (int i = 0; i < 600; ++i) {
        const std::string date = Date(19'000 + i / 60).to_iso();
        rows += date + ",09:35:00,1 P,2.5," + date + ",15:00:00," +
                std::to_string((i * 7919) % 1001 - 480) + ",1,1000,Strategy number " +
                std::to_string(i % 60) + ",1,1,Expired,SPX\n";
    }
    write_block("A", rows);
    const auto answer = [&](const std::string& tool, Json arguments) {
        arguments["blockId"] = "A";
        return request("tools/call", {{"name", tool}, {"arguments", std::move(arguments)}});
    };
    // 60 x 60 figures are far above the cap of a default answer.
    const Json matrix = answer("get_correlation_matrix", {{"conventions", "reference"}});
    ASSERT_TRUE(matrix.contains("structuredContent")) << mcp::to_json_text(matrix);
    EXPECT_EQ(matrix["structuredContent"]["correlationMatrix"].size(), 60U);
    EXPECT_GT(mcp::to_json_text(matrix["structuredContent"]).size(), mcp::kMaxResultChars);
    const Json tail =
        answer("get_tail_risk", {{"conventions", "reference"}, {"minTradingDays", 10}});
    ASSERT_TRUE(tail.contains("structuredContent")) << mcp::to_json_text(tail);
    EXPECT_EQ(tail["structuredContent"]["copulaCorrelationMatrix"].size(), 60U);
    const Json charts = {"equity_curve",  "drawdown",           "trade_sequence",
                         "rom_timeline",  "rolling_metrics",    "holding_periods",
                         "mfe_mae",       "margin_utilization", "premium_efficiency",
                         "daily_exposure"};
    const Json full =
        answer("get_performance_charts",
               {{"charts", charts}, {"points", "full"}, {"maxChars", mcp::kMaxResultChars}});
    ASSERT_TRUE(full.contains("structuredContent")) << mcp::to_json_text(full);
    EXPECT_EQ(full["structuredContent"]["tradeSequence"].size(), 600U);
    EXPECT_GT(mcp::to_json_text(full["structuredContent"]).size(), mcp::kMaxResultChars);
}

TEST_F(Content, T9_AnAimBelowTheHardCapIsNoPromise) {
    std::string rows;
    for (int i = 0; i < 300; ++i) {
        rows +=
            "2024-01-02,09:35:00,1 P,2.5,2024-01-02,15:00:00,10,1,1000,A strategy with a long "
            "name number " +
            std::to_string(i % 150) + ",1,1,Expired,SPX\n";
    }
    write_block("A", rows);
    const Json answer = request(
        "tools/call",
        {{"name", "get_tail_risk"}, {"arguments", {{"blockId", "A"}, {"maxChars", 1'000}}}});
    ASSERT_TRUE(answer.contains("structuredContent")) << mcp::to_json_text(answer);
    EXPECT_LE(mcp::to_json_text(answer["structuredContent"]).size(), mcp::kMaxResultChars);
}

TEST_F(Content, T14_InstructionsAreShortAndNameTheFirstTool) {
    const std::string text = instructions(app_, registry_);
    EXPECT_LE(text.size(), 2'000U);
    EXPECT_NE(text.substr(0, 500).find("list_blocks"), std::string::npos);
    EXPECT_NE(text.find("blockId"), std::string::npos);
}

TEST_F(Content, T13_SelectionsAreCheckedAndReadOnlyWins) {
    mcp::ToolSelection wanted;
    wanted.toolsets = {"import"};
    wanted.read_only = true;
    const auto nothing = make_content(app_, wanted);
    ASSERT_TRUE(nothing.has_value()) << nothing.error().to_string();
    EXPECT_TRUE(nothing->tools.tools().empty());
    wanted.toolsets = {"cor"};
    const auto unknown = make_content(app_, wanted);
    ASSERT_FALSE(unknown.has_value());
    EXPECT_NE(unknown.error().message.find("core"), std::string::npos);
}

TEST_F(Content, T16_RealBlocksCanBeReadAsResources) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    const Json list = request("resources/list")["resources"];
    std::set<std::string> uris;
    for (const Json& resource : list) {
        uris.insert(resource["uri"].get<std::string>());
    }
    EXPECT_TRUE(uris.contains("tradeblocks://blocks"));
    EXPECT_TRUE(uris.contains("tradeblocks://schema"));
    EXPECT_TRUE(uris.contains("tradeblocks://blocks/EMA%20Test%20Data"));
    EXPECT_EQ(read("tradeblocks://blocks")["totalMatching"], 2);
    EXPECT_EQ(read("tradeblocks://blocks/EMA%20Test%20Data")["tradeCount"], 384);
    EXPECT_EQ(read("tradeblocks://schema")["schemas"]["trades"]["tables"]["trade_data"]["rowCount"],
              916);
    EXPECT_EQ(read("tradeblocks://schema/market.vix_intraday")["schemas"].size(), 1U);
    const Json manual = request("resources/read", {{"uri", "tradeblocks://tools/get_trades"}});
    EXPECT_NE(manual["contents"][0]["text"].get<std::string>().find("trades[].netPl"),
              std::string::npos);
    const Json guide = request("resources/read", {{"uri", "tradeblocks://guides/optionomega"}});
    EXPECT_EQ(guide["contents"][0]["mimeType"], "text/markdown");
}

TEST_F(Content, T16_RowPagesReachTheEnd) {
    TB_REQUIRE_SHARED();
    copy_real_blocks();
    for (const auto& [part, total] :
         std::map<std::string, std::size_t>{{"trades", 532}, {"daily", 192}, {"reporting", 26}}) {
        std::string uri = "tradeblocks://blocks/MEIC%20Test%20Data/" + part;
        const std::string first = uri;
        std::size_t seen = 0;
        double pl = 0;
        while (!uri.empty()) {
            const Json page = read(uri);
            ASSERT_TRUE(page.contains("rows")) << page.dump();
            EXPECT_EQ(page["totalRows"], total);
            seen += page["rows"].size();
            for (const Json& row : page["rows"]) {
                pl += row["pl"].get<double>();
            }
            uri = page["nextCursor"].is_null()
                      ? ""
                      : first + "?cursor=" + page["nextCursor"].get<std::string>();
        }
        EXPECT_EQ(seen, total) << part;
        const double wanted = part == "trades" ? 408.08 : part == "daily" ? 3589.96 : -2045.51436;
        EXPECT_NEAR(pl, wanted, 1e-6) << part;
    }
}

TEST_F(Content, T16_WhatIsNotThereIsAnErrorWithItsUri) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    for (const char* const uri :
         {"tradeblocks://blocks/B", "tradeblocks://blocks/..%2FA", "tradeblocks://blocks/%2E%2E",
          "tradeblocks://blocks/A/daily", "tradeblocks://blocks/A/trades?cursor=7",
          "tradeblocks://schema/trades._sync_log", "tradeblocks://tools/nope",
          "tradeblocks://nothing"}) {
        const Json error = request("resources/read", {{"uri", uri}});
        EXPECT_EQ(error.value("code", 0), -32602) << uri << error.dump();
        EXPECT_EQ(error["data"]["uri"], uri);
    }
}

TEST_F(Content, T16_CursorOfAnOlderFileIsRefused) {
    std::string rows;
    for (int i = 0; i < 120; ++i) {
        rows += "2024-01-02,10:00:00,a,1,,," + std::to_string(i) + ",1,10,s,1,1,x,SPX\n";
    }
    write_block("A", rows);
    const Json page = read("tradeblocks://blocks/A/trades");
    ASSERT_EQ(page["rows"].size(), 100U);
    write_block("A", rows + "2024-01-02,10:00:00,a,1,,,999,1,10,s,1,1,x,SPX\n");
    const Json error =
        read("tradeblocks://blocks/A/trades?cursor=" + page["nextCursor"].get<std::string>());
    EXPECT_EQ(error.value("code", 0), -32602) << error.dump();
}

TEST_F(Content, T15_CompletesBlocksStrategiesAndTables) {
    write_block("Iron Condor",
                "2024-01-02,10:00:00,a,1,,,50,1,10,zeta,1,1,x,SPX\n"
                "2024-01-03,10:00:00,a,1,,,50,1,10,Alpha,1,1,x,SPX\n");
    write_block("Fly", "2024-01-02,10:00:00,a,1,,,50,1,10,other,1,1,x,SPX\n");
    const Json block = {{"type", "ref/resource"}, {"uri", "tradeblocks://blocks/{blockId}"}};
    EXPECT_EQ(complete(block, "blockId", "iro")["values"], Json::array({"Iron Condor"}));
    EXPECT_EQ(complete(block, "blockId", "")["total"], 2);
    const Json prompt = {{"type", "ref/prompt"}, {"name", "review_block"}};
    EXPECT_EQ(complete(prompt, "blockId", "f")["values"][0], "Fly");
    EXPECT_EQ(complete(prompt, "strategy", "", {{"blockId", "Iron Condor"}})["values"],
              Json::array({"Alpha", "zeta"}));
    EXPECT_EQ(complete(prompt, "strategy", "")["values"], Json::array());
    const Json table = {{"type", "ref/resource"}, {"uri", "tradeblocks://schema/{table}"}};
    EXPECT_EQ(complete(table, "table", "market.v")["values"], Json::array({"market.vix_intraday"}));
}

TEST_F(Content, T17_PromptsEmbedTheirBlock) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    write_block("B", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    const Json prompts = request("prompts/list")["prompts"];
    ASSERT_EQ(prompts.size(), 6U);
    for (const Json& prompt : prompts) {
        const std::string name = prompt["name"].get<std::string>();
        Json arguments = Json::object();
        for (const Json& argument : prompt["arguments"]) {
            if (argument.value("required", false)) {
                const std::string key = argument["name"].get<std::string>();
                arguments[key] = key == "blockIdB" ? "B" : key == "question" ? "Why | how?" : "A";
            }
        }
        const Json result = request("prompts/get", {{"name", name}, {"arguments", arguments}});
        ASSERT_TRUE(result.contains("messages")) << name << result.dump();
        EXPECT_EQ(result["messages"][0]["content"]["type"], "text");
        const Json& second = result["messages"][1]["content"];
        if (name == "explore_with_sql") {
            EXPECT_EQ(second["type"], "resource_link");
        } else {
            EXPECT_EQ(second["resource"]["uri"], "tradeblocks://blocks/A") << name;
            EXPECT_EQ(Json::parse(second["resource"]["text"].get<std::string>())["tradeCount"], 1);
        }
    }
    const Json unknown =
        request("prompts/get", {{"name", "review_block"}, {"arguments", {{"blockId", "Z"}}}});
    EXPECT_EQ(unknown.value("code", 0), mcp::code::kInvalidParams) << unknown.dump();
}

TEST_F(Content, T9_WhatIsAskedForInFullComesInFull) {
    std::string rows;
    for (int i = 0; i < 4'500; ++i) {
        const std::string day =
            fmt::format("20{:02}-{:02}-{:02}", 10 + i / 336, 1 + i / 28 % 12, 1 + i % 28);
        rows +=
            fmt::format("{0},10:00:00,a,1,{0},11:00:00,{1}.25,1,10,strategy number {2},1,1,x,SPX\n",
                        day, i % 7 - 3, i % 60);
    }
    write_block("Big", rows);
    const auto call = [&](const char* tool, Json arguments) {
        arguments["blockId"] = "Big";
        return request("tools/call", {{"name", tool}, {"arguments", arguments}});
    };
    const Json charts = call("get_performance_charts", {{"points", "full"}});
    ASSERT_TRUE(charts.contains("structuredContent")) << charts.dump().substr(0, 300);
    EXPECT_GT(mcp::to_json_text(charts["structuredContent"]).size(), mcp::kMaxRaisedResultChars);
    EXPECT_EQ(charts["structuredContent"]["truncationApplied"], false);
    for (const char* const tool : {"get_correlation_matrix", "get_tail_risk", "run_monte_carlo"}) {
        const Json reference = call(tool, {{"conventions", "reference"}});
        EXPECT_TRUE(reference.contains("structuredContent")) << reference.dump().substr(0, 300);
    }
    const Json least = call("get_tail_risk", {{"maxChars", 1}});
    EXPECT_TRUE(least.contains("structuredContent")) << least.dump().substr(0, 300);
}

TEST_F(Content, T9_BlockInfoCutsItsStrategiesAndSaysHowMany) {
    std::string rows;
    for (int i = 0; i < 400; ++i) {
        rows += fmt::format("2024-01-02,10:00:00,a,1,,,50,1,10,{:03}{},1,1,x,SPX\n", i,
                            std::string(150, 'n'));
    }
    write_block("Many", rows);
    const Json result =
        request("tools/call", {{"name", "get_block_info"}, {"arguments", {{"blockId", "Many"}}}});
    ASSERT_TRUE(result.contains("structuredContent")) << result.dump().substr(0, 300);
    const Json& info = result["structuredContent"];
    EXPECT_LE(mcp::to_json_text(info).size(), mcp::kDefaultResultChars);
    const auto shown = info["strategies"].size();
    EXPECT_GT(shown, 0U);
    EXPECT_EQ(info["strategiesOmitted"].get<std::size_t>(), 400 - shown);
    const std::string text = result["content"][0]["text"].get<std::string>();
    EXPECT_NE(text.find(fmt::format("and {} more", 400 - shown)), std::string::npos);
}

TEST_F(Content, Q9_ErrorsShowWhatHidesInNames) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,safe\xE2\x80\xAEgnp,1,1,x,SPX\n");
    const Json result = request(
        "tools/call", {{"name", "get_trades"},
                       {"arguments", {{"blockId", "A"}, {"strategy", "safe\x1B<U+202E>gnp"}}}});
    EXPECT_EQ(
        result["content"][0]["text"],
        "No strategy 'safe<U+001B><U+202E>gnp' in this block; did you mean 'safe<U+202E>gnp'?");
}

TEST_F(Content, PromptsAndInstructionsNameNoToolThatWasLeftOut) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    const auto selections = [&] {
        std::vector<mcp::ToolSelection> all;
        for (const char* const toolset : {"core", "sql", "portfolio", "risk"}) {
            all.emplace_back().toolsets = {toolset};
        }
        for (const auto& tool : registry_.tools()) {
            all.emplace_back().excluded = {tool->name};
        }
        return all;
    }();
    for (const mcp::ToolSelection& selection : selections) {
        const auto offered = registry_.select(selection);
        ASSERT_TRUE(offered.has_value());
        std::vector<std::string> texts = {instructions(app_, *offered)};
        for (const mcp::PromptSpec& prompt : prompts(app_, *offered)) {
            mcp::ToolContext context;
            const auto result = prompt.handler(
                context,
                {{"blockId", "A"}, {"blockIdA", "A"}, {"blockIdB", "A"}, {"question", "q"}});
            ASSERT_TRUE(result.has_value()) << prompt.name;
            texts.push_back(result->messages[0].content.json->at("text").get<std::string>());
            EXPECT_EQ(texts.back().find(": ."), std::string::npos) << texts.back();
        }
        for (const std::string& text : texts) {
            for (const auto& tool : registry_.tools()) {
                if (offered->find(tool->name) == nullptr && tool->name != "sync") {
                    EXPECT_EQ(text.find(tool->name), std::string::npos)
                        << tool->name << " in: " << text;
                }
            }
        }
    }
    mcp::ToolSelection only_sql;
    only_sql.toolsets = {"sql"};
    EXPECT_EQ(prompts(app_, *registry_.select(only_sql)).size(), 1U);
}

TEST_F(Content, PromptsNameOnlyToolsThereAre) {
    write_block("A", "2024-01-02,10:00:00,a,1,,,50,1,10,s,1,1,x,SPX\n");
    std::vector<std::string> texts = {instructions(app_, registry_)};
    for (const mcp::PromptSpec& prompt : prompts(app_, registry_)) {
        mcp::ToolContext context;
        const auto result = prompt.handler(
            context, {{"blockId", "A"}, {"blockIdA", "A"}, {"blockIdB", "A"}, {"question", "q"}});
        ASSERT_TRUE(result.has_value()) << prompt.name;
        texts.push_back(result->messages[0].content.json->at("text").get<std::string>());
    }
    for (const mcp::ToolSpec& spec : [&] {
             std::vector<mcp::ToolSpec> specs;
             for (const auto& tool : registry_.tools()) {
                 specs.push_back(*tool);
             }
             return specs;
         }()) {
        texts.push_back(spec.description);
    }
    for (const std::string& text : texts) {
        for (const char* const verb :
             {"get_", "run_", "compare_", "describe_", "list_", "import_"}) {
            for (std::size_t at = 0; (at = text.find(verb, at)) != std::string::npos; ++at) {
                if (at > 0 && (std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0 ||
                               text[at - 1] == '_')) {
                    continue;
                }
                const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
                const std::string name = text.substr(at, end - at);
                EXPECT_NE(registry_.find(name), nullptr) << name << " in: " << text;
            }
        }
    }
}

TEST_F(Content, ChangedBlocksNameTheirResources) {
    const auto uris = changed_resource_uris({"EMA Test Data"});
    const std::vector<std::string> of_block{
        "tradeblocks://blocks/EMA%20Test%20Data", "tradeblocks://blocks/EMA%20Test%20Data/trades",
        "tradeblocks://blocks/EMA%20Test%20Data/daily",
        "tradeblocks://blocks/EMA%20Test%20Data/reporting", "tradeblocks://blocks"};
    ASSERT_GT(uris.size(), of_block.size());
    EXPECT_TRUE(std::equal(of_block.begin(), of_block.end(), uris.begin()));
    // Their row counts are in these.
    for (const char* const uri : {"tradeblocks://schema", "tradeblocks://schema/trades.trade_data",
                                  "tradeblocks://schema/trades.reporting_data"}) {
        EXPECT_NE(std::find(uris.begin(), uris.end(), uri), uris.end()) << uri;
    }
    EXPECT_TRUE(changed_resource_uris({}).empty());
    const auto market = changed_resource_uris({"_marketdata"});
    EXPECT_EQ(market.front(), "tradeblocks://schema");
    EXPECT_NE(std::find(market.begin(), market.end(), "tradeblocks://schema/market.spx_daily"),
              market.end());
    EXPECT_EQ(std::count_if(market.begin(), market.end(),
                            [](const std::string& uri) {
                                return uri.find("/trades.") != std::string::npos ||
                                       uri.find("://blocks") != std::string::npos;
                            }),
              0);
}

}  // namespace
}  // namespace tb::tools
