// Whatever lies in a data directory, every tool answers within its budget or says what is wrong
// with the block it was asked about; no odd item takes an answer away from the others.
#include <cctype>
#include <cstdlib>
#include <regex>

#include <fmt/format.h>

#include "hostile_directory.h"
#include "mcp/json_text.h"
#include "mcp/render.h"
#include "mcp/tool_result.h"
#include "mcp/transport_memory.h"
#include "tool_support.h"
#include "tools/content.h"

namespace tb::tools {
namespace {

using mcp::Json;

bool is_nightly() {
    return std::getenv("TB_NIGHTLY") != nullptr;  // NOLINT(concurrency-mt-unsafe)
}

class HostileDirectories : public ToolTest {
  protected:
    void start() {
        auto content = make_content(app_, {});
        ASSERT_TRUE(content.has_value()) << content.error().to_string();
        mcp::ServerOptions options;
        options.identity = {"tradeblocks", "TradeBlocks", "1", "", {}};
        options.check_results = true;
        auto server = mcp::Server::make(std::move(options), std::move(*content));
        ASSERT_TRUE(server.has_value()) << server.error().to_string();
        server_ = std::move(*server);
        client_ = std::make_unique<mcp::MemoryClient>(*server_);
    }

    // Calls and checks everything that holds for every answer; true if it is no error.
    bool ask(const std::string& tool, Json arguments) {
        const mcp::ToolSpec& spec = *registry_.find(tool);
        const mcp::ResultBudget budget = mcp::result_budget(spec, arguments);
        const bool complete = arguments.value("conventions", "") == "reference";
        const std::string about = tool + " " + mcp::to_json_text(arguments).substr(0, 300);
        Json params = {{"name", tool}, {"arguments", std::move(arguments)}};
        params["_meta"] = {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                           {"io.modelcontextprotocol/clientCapabilities", Json::object()}};
        const auto raw = client_->request(
            mcp::to_json_text(Json{
                {"jsonrpc", "2.0"}, {"id", ++id_}, {"method", "tools/call"}, {"params", params}}),
            std::chrono::seconds(90));
        if (!raw.has_value()) {
            ADD_FAILURE() << "no answer: " << about;
            return false;
        }
        const Json answer = Json::parse(*raw, nullptr, false);
        EXPECT_FALSE(answer.is_discarded()) << about;
        if (!answer.contains("result")) {
            ADD_FAILURE() << about << ": " << raw->substr(0, 1500);
            return false;
        }
        const Json& result = answer["result"];
        EXPECT_EQ(mcp::harmless_text(*raw), *raw) << about << ": raw characters";
        expect_harmless(result, about);
        const auto text = result["content"][0]["text"].get<std::string>();
        if (result.value("isError", false)) {
            EXPECT_LE(mcp::char_count(text), mcp::kMaxErrorChars) << about;
            for (const char* const word : {"unexpectedly", "Internal error", "out of memory",
                                           "shutting down", "Stopped after"}) {
                EXPECT_EQ(text.find(word), std::string::npos) << about << ": " << text;
            }
            last_error_ = text;
            return false;
        }
        EXPECT_LE(mcp::char_count(text), budget.cap) << about;
        EXPECT_TRUE(result.contains("structuredContent")) << about;
        if (!complete) {
            EXPECT_LE(mcp::char_count(mcp::to_json_text(result["structuredContent"])),
                      budget.structured_cap)
                << about;
        }
        if (!quotes_cells(tool)) {
            static const std::regex kNoNumber(R"((^|[^a-zA-Z])-?(nan|inf)\b|-\$?0\.00\b)");
            std::smatch found;
            EXPECT_FALSE(std::regex_search(text, found, kNoNumber))
                << about << ": '" << found.str() << "' in\n"
                << text.substr(0, 3000);
        }
        return true;
    }
    void must_answer(const std::string& tool, Json arguments) {
        const std::string about = tool + " " + mcp::to_json_text(arguments).substr(0, 300);
        EXPECT_TRUE(ask(tool, std::move(arguments))) << about << ": " << last_error_;
    }

    // Whose answers hold cells as they are written in files, "nan" among them.
    static bool quotes_cells(const std::string& tool) {
        return tool == "get_data_issues" || tool == "sync" || tool == "get_sync_history" ||
               tool == "run_sql" || tool == "import_csv" || tool == "list_blocks";
    }

    static void expect_harmless(const Json& value, const std::string& about) {  // NOLINT
        if (value.is_string()) {
            const auto& text = value.get_ref<const std::string&>();
            EXPECT_EQ(mcp::harmless_text(text), text) << about;
        } else if (value.is_structured()) {
            for (const auto& member : value.items()) {
                EXPECT_EQ(mcp::harmless_text(member.key()), member.key()) << about;
                expect_harmless(member.value(), about);
            }
        }
    }

    static Json arguments_of(const std::string& tool, const std::string& block) {
        if (tool == "compare_blocks") {
            return {{"blockIds", {block, HostileDirectory::kGood}}};
        }
        if (tool == "block_diff") {
            return {{"blockIdA", block}, {"blockIdB", HostileDirectory::kGood}};
        }
        Json arguments = {{"blockId", block}};
        if (tool == "get_position_sizing") {
            arguments["capitalBase"] = 100'000;
        }
        if (tool == "run_monte_carlo") {
            arguments["randomSeed"] = 5;
            arguments["numSimulations"] = 200;
        }
        return arguments;
    }

    // Every tool that is asked about one block.
    std::vector<std::string> tools_about_blocks() const {
        std::vector<std::string> names;
        for (const auto& tool : registry_.tools()) {
            for (const mcp::Field& field : tool->arguments) {
                if (field.presence == mcp::Field::Presence::kRequired &&
                    field.name.starts_with("blockId")) {
                    names.push_back(tool->name);
                    break;
                }
            }
        }
        return names;
    }

    void ask_about_directory() {
        must_answer("list_blocks", {{"sortBy", "netPl"}, {"sortOrder", "desc"}});
        for (const char* const tool :
             {"list_blocks", "sync", "get_sync_history", "get_data_issues", "describe_database"}) {
            must_answer(tool, Json::object());
        }
        must_answer("get_data_issues", {{"limit", 500}, {"maxChars", 500'000}});
        must_answer("get_sync_history", {{"limit", 200}});
        must_answer("sync", {{"verify", true}});
        must_answer("run_sql", {{"query", "SELECT * FROM trades.trade_data"}, {"limit", 1}});
        must_answer("run_sql", {{"query",
                                 "SELECT strategy, sum(pl / 1e9) FROM trade_data GROUP BY "
                                 "ALL ORDER BY ALL"},
                                {"limit", 1000}});
        must_answer(
            "get_backtest_help",
            {{"topic",
              registry_.find("get_backtest_help")->arguments[0].schema.enum_values.front()}});
    }

    void ask_about_block(const std::string& block, bool must) {
        for (const std::string& tool : tools_about_blocks()) {
            const Json usual = arguments_of(tool, block);
            if (must) {
                must_answer(tool, usual);
            } else {
                ask(tool, usual);
            }
            Json broad = usual;
            broad["explain"] = true;
            const mcp::ToolSpec& spec = *registry_.find(tool);
            for (const mcp::Field& field : spec.arguments) {
                if (field.name == "charts") {
                    broad["charts"] = field.schema.element.front().enum_values;
                } else if (field.name == "pageSize" || field.name == "limit") {
                    broad[field.name] = field.schema.maximum.value_or(1000);
                } else if (field.name == "detailLevel") {
                    broad["detailLevel"] = "trades";
                }
            }
            bool has_explain = false;
            for (const mcp::Field& field : spec.arguments) {
                has_explain = has_explain || field.name == "explain";
            }
            if (!has_explain) {
                broad.erase("explain");
            }
            if (must) {
                must_answer(tool, broad);
            } else {
                ask(tool, broad);
            }
            if (has_explain && !must) {
                broad["conventions"] = "reference";
                ask(tool, broad);
            }
        }
    }

    std::unique_ptr<mcp::Server> server_;
    std::unique_ptr<mcp::MemoryClient> client_;
    std::string last_error_;
    int id_ = 0;
};

TEST_F(HostileDirectories, TwoRowsBeyondTheRangeOfNumbers) {
    write_block("A",
                "2024-01-02,09:35:00,x,1,2024-01-02,15:00:00,1e308,1,100,S,0,0,Expired,SPX\n"
                "2024-01-03,09:35:00,x,1,2024-01-03,15:00:00,1e308,1,100,S,0,0,Expired,SPX\n");
    write_block("B", "2024-01-02,09:35:00,x,1,2024-01-02,15:00:00,50,1,100,S,0,0,Expired,SPX\n");
    const Answer answer = call("list_blocks");
    ASSERT_TRUE(answer.ok()) << answer.error;
    EXPECT_TRUE(answer.json["blocks"][0]["totalPl"].is_null());
    EXPECT_EQ(answer.json["blocks"][1]["totalPl"], 50);
    EXPECT_NE(answer.text.find("beyond the range of numbers"), std::string::npos) << answer.text;
    EXPECT_NE(answer.json["warnings"].dump().find("beyond the range"), std::string::npos);
}

TEST_F(HostileDirectories, AHeaderOfSevenHundredThousandCharacters) {
    HostileDirectory directory(dir_, 1);
    directory.add_good_block();
    dir_.write("A/tradelog.csv", std::string(700'000, 'h') + ",P/L\n1,2\n");
    start();
    ask_about_directory();
    const Answer answer = call("sync", Json::object(), mcp::kDefaultResultChars);
    ASSERT_TRUE(answer.ok()) << answer.error;
    EXPECT_LT(answer.text.size(), 10'000U);
}

TEST_F(HostileDirectories, FourThousandStrategiesInABlock) {
    HostileDirectory directory(dir_, 2);
    directory.add_good_block();
    const std::string id = directory.add_many_strategies(4'000);
    start();
    ask_about_directory();
    ask_about_block(std::string(HostileDirectory::kGood), true);
    for (const std::string& tool : tools_about_blocks()) {
        if (tool != "get_correlation_matrix" && tool != "get_tail_risk") {
            must_answer(tool, arguments_of(tool, id));
        } else {
            ask(tool, arguments_of(tool, id));  // sixteen million pairs: an answer or a refusal
        }
    }
    const Json blocks = json_of("list_blocks")["blocks"];
    EXPECT_EQ(blocks[0]["strategies"].size(), 4'000U) << "a command line gets them all";
    const Answer brief = call("list_blocks", Json::object(), mcp::kDefaultResultChars);
    EXPECT_EQ(brief.json["count"], 2);
    EXPECT_EQ(brief.json["blocks"][0]["strategies"].size() +
                  brief.json["blocks"][0]["strategiesOmitted"].get<std::size_t>(),
              4'000U);
}

TEST_F(HostileDirectories, HundredsOfRejectedBlocks) {
    HostileDirectory directory(dir_, 3);
    directory.add_good_block();
    directory.add_rejected_blocks(150);
    start();
    ask_about_directory();
    ask_about_block(std::string(HostileDirectory::kGood), true);
    // All of them can be had, page by page.
    std::size_t seen = 0;
    std::int64_t offset = 0;
    for (int page = 0; page < 200; ++page) {
        const Answer answer = call("get_data_issues", {{"rejectedOffset", offset}}, 24'000);
        ASSERT_TRUE(answer.ok()) << answer.error;
        EXPECT_EQ(answer.json["rejectedTotal"], 150);
        seen += answer.json["rejectedFiles"].size();
        if (answer.json["nextRejectedOffset"].is_null()) {
            break;
        }
        offset = answer.json["nextRejectedOffset"].get<std::int64_t>();
    }
    EXPECT_EQ(seen, 150U);
}

TEST_F(HostileDirectories, EachKindBesideAGoodBlock) {
    HostileDirectory directory(dir_, 4);
    directory.add_good_block();
    const std::vector<std::string> ids = {
        directory.add_extreme_amounts(),  directory.add_huge_cells(),
        directory.add_odd_names(),        directory.add_odd_days(),
        directory.add_many_issues(3'000), directory.add_odd_daily_log(),
        directory.add_reporting_log(),    directory.add_empty_log()};
    directory.add_market_files();
    start();
    ask_about_directory();
    for (const std::string& id : ids) {
        ask_about_block(id, false);
    }
    ask_about_block(std::string(HostileDirectory::kGood), true);
}

TEST_F(HostileDirectories, NamesAreGivenBackAsTheyAreShown) {
    write_block("a \xE2\x80\xAE\x1b[31m",
                "2024-01-02,09:35:00,x,1,2024-01-02,15:00:00,50,1,100,\"" +
                    std::string(5'000, 's') +
                    "\",0,0,Expired,SPX\n"
                    "2024-01-02,09:35:00,x,1,2024-01-02,15:00:00,7,1,100,\"" +
                    std::string(5'001, 's') + "\",0,0,Expired,SPX\n");
    const Json block = json_of("get_block_info", {{"blockId", "a <U+202E><U+001B>[31m"}});
    EXPECT_EQ(block["tradeCount"], 2);
    ASSERT_EQ(block["strategies"].size(), 2U);
    for (const Json& name : block["strategies"]) {
        EXPECT_EQ(mcp::char_count(name.get<std::string>()), 200U);
        const Json trades =
            json_of("get_trades", {{"blockId", "a <U+202E><U+001B>[31m"}, {"strategy", name}});
        EXPECT_EQ(trades["pagination"]["totalTrades"], 1) << name;
    }
}

// TB_HOSTILE_SEED=n tries that one alone.
TEST_F(HostileDirectories, RandomOnes) {
    const char* const wanted = std::getenv("TB_HOSTILE_SEED");  // NOLINT(concurrency-mt-unsafe)
    const std::uint32_t first =
        wanted == nullptr ? 100 : static_cast<std::uint32_t>(std::strtoul(wanted, nullptr, 10));
    const std::uint32_t count = wanted != nullptr ? 1 : is_nightly() ? 200 : 3;
    for (std::uint32_t seed = first; seed < first + count; ++seed) {
        SCOPED_TRACE("TB_HOSTILE_SEED=" + std::to_string(seed));
        client_.reset();
        server_.reset();
        app_.close();
        for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
            std::filesystem::remove_all(entry.path());
        }
        HostileDirectory directory(dir_, seed);
        directory.add_good_block();
        const std::vector<std::string> ids = directory.add_some();
        start();
        ask_about_directory();
        for (const std::string& id : ids) {
            ask_about_block(id, false);
        }
        ask_about_block(std::string(HostileDirectory::kGood), true);
        if (HasFailure()) {
            return;
        }
    }
}

}  // namespace
}  // namespace tb::tools
