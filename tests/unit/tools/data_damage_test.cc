// What tools answer when the database cannot be written, was written by others, or is damaged.
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "core/sha256.h"
#include "db/database.h"
#include "support/full_disk.h"
#include "tool_support.h"

namespace tb::tools {
namespace {

namespace fs = std::filesystem;
using mcp::Json;

std::string trade(int i, double pl) {
    return fmt::format(
        "2024-{:02}-{:02},10:00:00,leg {},1,2024-{:02}-{:02},11:00:00,{},1,10,s {},1,"
        "1,x,SPX\n",
        i % 12 + 1, i % 28 + 1, i * 7919, i % 12 + 1, i % 28 + 1, pl, i % 5);
}

class DamageTools : public ToolTest {
  protected:
    fs::path file() { return dir_.path() / "analytics.duckdb"; }
    std::string sum_by_sql() {
        const Answer answer =
            call("run_sql", {{"query",
                              "SELECT sum(pl)::VARCHAR AS s, count(*)::VARCHAR AS n FROM "
                              "trades.trade_data"}});
        return answer.ok() ? answer.json["rows"].dump() : answer.error;
    }
};

TEST_F(DamageTools, ANullOfAnotherProgramInTheBookkeepingIsNoReasonToEnd) {
    write_block("A", trade(1, 50) + trade(2, -20));
    ASSERT_TRUE(call("list_blocks").ok());
    app_.close();
    {
        const auto other = db::Database::open(file());
        ASSERT_TRUE(other.has_value());
        ASSERT_TRUE(other->connect()->execute(
            "UPDATE trades._sync_metadata SET sync_version = NULL, dailylog_hash = NULL"));
    }
    const Json blocks = json_of("list_blocks");
    ASSERT_EQ(blocks["blocks"].size(), 1U);
    EXPECT_EQ(blocks["blocks"][0]["tradeCount"], 2);
    EXPECT_EQ(json_of("get_block_info", {{"blockId", "A"}})["blockId"], "A");
}

TEST_F(DamageTools, AFullDiskLeavesEverythingReadable) {
    write_block("A", trade(1, 50));
    write_block("B", trade(2, 70) + trade(3, 5));
    ASSERT_TRUE(call("list_blocks").ok());
    ASSERT_EQ(sum_by_sql(), R"([{"s":"125.0","n":"3"}])");
    std::string changed;
    for (int i = 0; i < 3000; ++i) {
        changed += trade(i, 1);
    }
    write_block("A", changed);
    std::optional<tb::test::FullDisk> full(2048);
    for (int round = 0; round < 2; ++round) {
        const auto started = std::chrono::steady_clock::now();
        const Answer unchanged = call("get_block_info", {{"blockId", "B"}});
        EXPECT_TRUE(unchanged.ok()) << unchanged.error;
        const Answer stale = call("get_block_info", {{"blockId", "A"}});
        ASSERT_TRUE(stale.ok()) << stale.error;
        EXPECT_NE(stale.text.find("NOT UP TO DATE 'A'"), std::string::npos) << stale.text;
        const Answer list = call("list_blocks");
        ASSERT_TRUE(list.ok()) << list.error;
        EXPECT_EQ(list.json["blocks"].size(), 2U);
        const Answer history = call("get_sync_history");
        EXPECT_TRUE(history.ok()) << history.error;
        EXPECT_EQ(sum_by_sql(), R"([{"s":"125.0","n":"3"}])");
        EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
    }
    full.reset();
    EXPECT_EQ(json_of("list_blocks")["blocks"][0]["tradeCount"], 3000);
    EXPECT_EQ(sum_by_sql(), R"([{"s":"3075.0","n":"3002"}])");
}

TEST_F(DamageTools, ARottenBlockIsHealedByTheQuestionThatMeetsIt) {
    std::string rows;
    for (int i = 0; i < 4000; ++i) {
        rows += trade(i, i * 0.25 - 300);
    }
    write_block("A", rows);
    const std::string truth = sum_by_sql();
    ASSERT_NE(truth.find("4000"), std::string::npos) << truth;
    app_.close();
    const std::string good = dir_.read("analytics.duckdb");
    constexpr std::size_t kHeaders = 3 * 4096;
    constexpr std::size_t kBlock = 256 * 1024;
    int healed = 0;
    for (std::size_t at = kHeaders + 3000; at < good.size(); at += kBlock) {
        SCOPED_TRACE(at);
        for (const auto& entry : fs::directory_iterator(dir_.path())) {
            if (entry.path().filename().string().find(".corrupt-") != std::string::npos) {
                fs::remove(entry.path());
            }
        }
        std::string damaged = good;
        damaged[at] = static_cast<char>(~damaged[at]);
        const auto before = fs::last_write_time(file());
        dir_.write("analytics.duckdb", damaged);
        fs::last_write_time(file(), before);  // as bits rot
        EXPECT_EQ(sum_by_sql(), truth);
        const Json blocks = json_of("list_blocks");
        EXPECT_EQ(blocks["blocks"][0]["tradeCount"], 4000);
        EXPECT_EQ(sum_by_sql(), truth);
        for (const auto& entry : fs::directory_iterator(dir_.path())) {
            healed += entry.path().filename().string().find(".corrupt-") != std::string::npos;
        }
        app_.close();
        dir_.write("analytics.duckdb", good);
    }
    EXPECT_GT(healed, 0);
}

TEST_F(DamageTools, TheDataVersionIsThatOfAllLogs) {
    write_block("A", trade(1, 50));
    const auto version = [&] {
        return json_of("get_block_info", {{"blockId", "A"}})["dataVersion"].get<std::string>();
    };
    const std::string alone = version();
    EXPECT_EQ(alone, *sync::hash_file_content(dir_.path() / "A/tradelog.csv"));
    const std::string header =
        "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown %\n";
    dir_.write("A/dailylog.csv", header + "2024-02-02,100050,100050,0,100050,50,0.05,0\n");
    const std::string with_daily = version();
    EXPECT_NE(with_daily, alone);
    const std::string hashes =
        alone + "\n" + *sync::hash_file_content(dir_.path() / "A/dailylog.csv") + "\n\n";
    EXPECT_EQ(with_daily, sha256_hex(std::as_bytes(std::span(hashes))));
    dir_.write("A/dailylog.csv", header + "2024-02-02,100051,100051,0,100051,50,0.05,0\n");
    EXPECT_NE(version(), with_daily);
}

// Others may have the file while nobody asks; whoever keeps it then is named.
TEST_F(DamageTools, TheFileIsLetGoWhenNobodyAsks) {
    write_block("A", trade(1, 50));
    ASSERT_TRUE(call("list_blocks").ok());
    EXPECT_FALSE(app_.release_if_idle(std::chrono::seconds(60)));
    EXPECT_TRUE(app_.release_if_idle(std::chrono::seconds(0)));
    {
        const auto other = db::Database::open(file());
        ASSERT_TRUE(other.has_value());
        ASSERT_TRUE(other->connect()->execute("CREATE TABLE notes AS SELECT 1 AS n"));
    }
    EXPECT_EQ(json_of("list_blocks")["blocks"][0]["tradeCount"], 1);
    const Answer notes = call("run_sql", {{"query", "SELECT n FROM main.notes"}});
    EXPECT_TRUE(notes.ok()) << notes.error;
}

}  // namespace
}  // namespace tb::tools
