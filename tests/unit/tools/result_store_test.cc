// Results that do not fit one answer: how long they are kept, for whom, and what reading gives.
#include "tools/result_store.h"

#include <algorithm>

#include "tool_support.h"
#include "tools/content.h"

namespace tb::tools {
namespace {

using mcp::Json;
using namespace std::chrono_literals;

StoredResult result_of(std::size_t bytes) {
    return {{}, std::string(bytes, 'x'), ""};
}

struct Time {
    std::chrono::steady_clock::time_point now;
    [[nodiscard]] ResultStore::Now source() const {
        return [this] { return now; };
    }
};

TEST(ResultStore, T12_IdsAre128BitsAndLiveHalfAnHour) {
    Time time;
    ResultStore store({}, time.source());
    const auto id = store.keep("alice", result_of(10));
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(id->size(), 32U);
    EXPECT_EQ(id->find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_NE(store.keep("alice", result_of(10)), id);
    time.now += 29min + 59s;
    ASSERT_NE(store.find(*id, "alice"), nullptr);
    EXPECT_EQ(store.find(*id, "alice")->rows, "xxxxxxxxxx");
    time.now += 1s;
    EXPECT_EQ(store.find(*id, "alice"), nullptr);
}

TEST(ResultStore, T12_OnlyTheOwnerFindsAResult) {
    ResultStore store;
    const auto id = store.keep("alice", result_of(10));
    EXPECT_EQ(store.find(*id, "bob"), nullptr);
    EXPECT_EQ(store.find("", "alice"), nullptr);
    EXPECT_NE(store.find(*id, "alice"), nullptr);
}

TEST(ResultStore, T12_TheOldestMakeRoomByCountAndByBytes) {
    ResultStore few({.results = 2, .bytes = 1'000, .bytes_each = 900});
    const auto a = few.keep("x", result_of(10));
    const auto b = few.keep("x", result_of(10));
    const auto c = few.keep("x", result_of(10));
    EXPECT_EQ(few.find(*a, "x"), nullptr);
    EXPECT_NE(few.find(*b, "x"), nullptr);
    EXPECT_NE(few.find(*c, "x"), nullptr);
    const auto large = few.keep("x", result_of(900));
    EXPECT_EQ(few.find(*b, "x"), nullptr);
    EXPECT_NE(few.find(*c, "x"), nullptr);
    EXPECT_NE(few.keep("x", result_of(101)), std::nullopt);
    EXPECT_EQ(few.find(*large, "x"), nullptr);
    EXPECT_EQ(few.keep("x", result_of(901)), std::nullopt);
}

class Links : public ToolTest {
  protected:
    static mcp::ToolContext context_of(const std::string& name, std::set<std::string> scopes) {
        mcp::ContextOptions options;
        options.principal = {name, scopes.empty(), std::move(scopes)};
        options.budget_chars = 3'000;
        return mcp::ToolContext(std::move(options));
    }
    mcp::ToolResult result(const std::string& tool, const Json& arguments,
                           mcp::ToolContext& context) {
        auto outcome = mcp::call_tool(*registry_.find(tool), context, arguments);
        EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
        return outcome.has_value() ? std::move(*outcome) : mcp::ToolResult{};
    }
    // What resources/read finds there, or the protocol error's text.
    std::string read(const std::string& uri, const std::string& format, mcp::ToolContext& context) {
        const auto spec = result_template(app_);
        mcp::UriVariables variables = {{"id", uri.substr(kResultUri.size())}};
        if (!format.empty()) {
            variables["format"] = format;
        }
        auto contents = spec.read(context, uri, variables);
        return contents.has_value() ? contents->front().text : contents.error().message;
    }
};

TEST_F(Links, T12_ACutQueryLinksToAllItsRows) {
    auto alice = context_of("alice", {});
    const Json query = {{"query",
                         "SELECT range AS n, repeat('a,\"b', 20) AS filler FROM range(200) "
                         "ORDER BY n"},
                        {"limit", 1000}};
    const mcp::ToolResult cut = result("run_sql", query, alice);
    ASSERT_LT((*cut.structured)["returnedRows"].get<int>(), 200);
    ASSERT_EQ(cut.extra.size(), 1U);
    const Json link = *cut.extra[0].json;
    EXPECT_EQ(link["type"], "resource_link");
    EXPECT_EQ(link["mimeType"], "text/csv");
    EXPECT_EQ(link["description"].get<std::string>().substr(0, 12), "All 200 rows");
    const std::string uri = link["uri"];
    ASSERT_TRUE(uri.starts_with("tradeblocks://result/"));

    const std::string csv = read(uri, "", alice);
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 201);
    EXPECT_TRUE(csv.starts_with("n,filler\n0,\"a,\"\"ba,\"\"b")) << csv.substr(0, 60);
    const Json json = Json::parse(read(uri, "json", alice));
    EXPECT_EQ(json["columns"], (Json{"n", "filler"}));
    ASSERT_EQ(json["rows"].size(), 200U);
    EXPECT_EQ(json["rows"][199]["n"], 199);

    auto bob = context_of("bob", {});
    auto alice_without_sql = context_of("alice", {"blocks:read"});
    for (mcp::ToolContext* const other : {&bob, &alice_without_sql}) {
        EXPECT_NE(read(uri, "", *other).find("gone"), std::string::npos);
    }
    EXPECT_NE(read(uri, "xml", alice).find("not found"), std::string::npos);
}

TEST_F(Links, T12_WhatLinksToAPartSaysSo) {
    auto context = context_of("local", {});
    const mcp::ToolResult cut =
        result("run_sql",
               {{"query", "SELECT range AS n, repeat('x', 90) AS filler FROM range(900)"},
                {"limit", 300},
                {"offset", 100}},
               context);
    ASSERT_EQ(cut.extra.size(), 1U);
    EXPECT_EQ((*cut.extra[0].json)["description"].get<std::string>().substr(0, 27),
              "Rows 101-400 of the result ");
}

TEST_F(Links, T12_WhatFitsHasNoLink) {
    auto context = context_of("local", {});
    // More rows than the limit are not cut by the budget: the next page is an offset away.
    for (const int rows : {5, 50}) {
        const mcp::ToolResult whole =
            result("run_sql",
                   {{"query", "SELECT range AS n FROM range(" + std::to_string(rows) + ")"},
                    {"limit", 10}},
                   context);
        EXPECT_TRUE(whole.extra.empty());
    }
    context.set_budget_chars(0);  // a command line
    EXPECT_TRUE(
        result("run_sql", {{"query", "SELECT repeat('x', 900) AS n FROM range(100)"}}, context)
            .extra.empty());
}

TEST_F(Links, T12_ACutPageOfTradesLinksToAllThatMatch) {
    std::string rows;
    for (int i = 0; i < 150; ++i) {
        rows += "2024-01-" + std::to_string(10 + i / 10) + ",10:00:00," + std::string(60, 'l') +
                ",1,,," + std::to_string(i) + ",1,10,s,1,1,x,SPX\n";
    }
    write_block("A", rows);
    auto context = context_of("local", {});
    const mcp::ToolResult cut =
        result("get_trades", {{"blockId", "A"}, {"pageSize", 100}, {"minPl", 50}}, context);
    ASSERT_EQ(cut.extra.size(), 1U);
    const Json json =
        Json::parse(read((*cut.extra[0].json)["uri"].get<std::string>(), "json", context));
    EXPECT_EQ(json["rows"].size(), 100U);  // from 50 to 149, not only this page
    EXPECT_EQ(json["rows"][0].size(), json["columns"].size());
    EXPECT_EQ(json["columns"][6], "netPl");
    EXPECT_TRUE(result("get_trades", {{"blockId", "A"}, {"pageSize", 3}}, context).extra.empty());
}

TEST_F(Links, T12_TheTemplateIsListed) {
    const auto content = make_content(app_, {});
    ASSERT_TRUE(content.has_value());
    EXPECT_TRUE(
        std::any_of(content->templates.begin(), content->templates.end(), [](const auto& spec) {
            return spec.uri_template == "tradeblocks://result/{id}{?format}";
        }));
}

}  // namespace
}  // namespace tb::tools
