// Market history through whole syncs: what happens to the journals beside the database.
#include "sync_fixture.h"

namespace tb::sync::test {
namespace {

constexpr std::string_view kThreeDays =
    "time,open,high,low,close\n"
    "2024-01-02,1,2,0.5,1.5\n"
    "2024-01-03,2,3,1.5,2.5\n"
    "2024-01-04,3,4,2.5,3.5\n";

class MarketSyncTest : public SyncTest {
  protected:
    MarketSyncResult sync_market() {
        auto result = sync_market_data(dir_.path(), options());
        EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().to_string());
        return result.value_or(MarketSyncResult{});
    }
    void lose_the_database() {
        EXPECT_TRUE((*db::DataStore::for_directory(dir_.path()))->close().has_value());
        remove("analytics.duckdb");
    }
    std::int64_t days() { return count("SELECT count(*) FROM market.spx_daily"); }
};

TEST_F(MarketSyncTest, HistoryComesBackFromTheJournalWhenTheDatabaseIsGone) {
    write("_marketdata/spx_daily.csv", kThreeDays);
    EXPECT_EQ(sync_market().synced, 1);
    remove("_marketdata");
    lose_the_database();
    EXPECT_EQ(sync_market().processed, 0);
    EXPECT_EQ(days(), 3);
}

TEST_F(MarketSyncTest, JournalThatWasDeletedIsWrittenAgain) {
    write("_marketdata/spx_daily.csv", kThreeDays);
    EXPECT_EQ(sync_market().synced, 1);
    for (const bool with_file : {true, false}) {
        remove(".tradeblocks");
        if (!with_file) {
            remove("_marketdata");
        }
        EXPECT_EQ(sync_market().synced, 0);
        EXPECT_TRUE(
            std::filesystem::exists(dir_.path() / ".tradeblocks/market-history/spx_daily.csv"))
            << with_file;
    }
    // Twice: the second time nothing but the table tells that there was a file once.
    for (int i = 0; i < 2; ++i) {
        lose_the_database();
        EXPECT_EQ(sync_market().processed, 0);
        EXPECT_EQ(days(), 3);
        remove(".tradeblocks");
        EXPECT_EQ(sync_market().processed, 0);
    }
}

TEST_F(MarketSyncTest, RowsAreCountedPerFileAndTogether) {
    write("_marketdata/spx_daily.csv",
          "time,open,high,low,close\n"
          "2024-01-02,1,2,0.5,1.5\n"
          "2024-01-03,2,3,abc,2.5\n"
          "2024-02-30,2,3,1,2.5\n");
    const MarketSyncResult first = sync_market();
    EXPECT_EQ(first.rows_inserted, 2);
    EXPECT_EQ(first.rows_repaired, 1);
    EXPECT_EQ(first.rows_skipped, 1);
    const MarketSyncResult again = sync_market();
    ASSERT_EQ(again.files.size(), 1U);
    EXPECT_EQ(again.rows_inserted, 0);
    EXPECT_EQ(again.files[0].rows_repaired, 1);
    EXPECT_EQ(again.rows_skipped, 1);
    write("_marketdata/spx_daily.csv", "time,open,high,low,close\n2024-01-03,2,3,1.5,2.75\n");
    EXPECT_EQ(sync_market().rows_updated, 1);
}

TEST_F(MarketSyncTest, NoJournalIsMadeForTablesWithoutRows) {
    write("_marketdata/spx_daily.csv", "time,open,high,low,close\n");
    EXPECT_EQ(sync_market().synced, 1);
    EXPECT_EQ(sync_market().unchanged, 1);
    EXPECT_FALSE(std::filesystem::exists(dir_.path() / ".tradeblocks/market-history"));
}

}  // namespace
}  // namespace tb::sync::test
