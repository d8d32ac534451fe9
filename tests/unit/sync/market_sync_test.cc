// Market history through whole syncs: what happens to the journals beside the database.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/file_lock.h"
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

TEST_F(MarketSyncTest, DaysOnDamagedJournalLinesAreReportedOrWrittenAgain) {
    const std::string journal = ".tradeblocks/market-history/treasury_rates.csv";
    const std::string damaged = "date,rate_percent\n2024-01-02,5x\n2024-01-03,2\n";
    write("_marketdata/treasury_rates.csv", "date,rate_percent\n2024-01-02,1\n2024-01-03,2\n");
    sync_market();
    // The rewrite that the missing line end causes leaves the damaged line out; the table has it.
    write(journal, damaged + "2024-01-0");
    write("_marketdata/treasury_rates.csv", "date,rate_percent\n2024-01-04,3\n");
    sync_market();
    sync_market();
    EXPECT_NE(dir_.read(journal).find("\n2024-01-02,1,"), std::string::npos);
    EXPECT_EQ(dir_.read(journal + ".unread-1"), damaged + "2024-01-0");
    // Here no table has it.
    write(journal, damaged);
    remove("_marketdata");
    lose_the_database();
    const MarketSyncResult restored = sync_market();
    ASSERT_EQ(restored.warnings.size(), 2U);
    EXPECT_NE(restored.warnings[1].find("1 damaged line"), std::string::npos);
    EXPECT_NE(restored.warnings[1].find("line 2 (2024-01-02): a cell that is no number"),
              std::string::npos);
}

TEST_F(MarketSyncTest, AChangedDigitInAJournalIsNoticedAndASpreadsheetIsNone) {
    const std::string journal = ".tradeblocks/market-history/treasury_rates.csv";
    write("_marketdata/treasury_rates.csv",
          "date,rate_percent\n2024-01-02,1.5\n2024-01-03,2.25\n2024-01-04,3\n");
    sync_market();
    remove("_marketdata");
    const std::string good = dir_.read(journal);
    const auto rows_from = [&](const std::string& text) {
        write(journal, text);
        lose_the_database();
        const MarketSyncResult restored = sync_market();
        return restored.warnings.empty() ? std::string("-") : restored.warnings.back();
    };
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    // As a spreadsheet saves it: other line ends, other decimals, quotes.
    std::string saved;
    for (const char c : good) {
        saved += c == '\n' ? std::string("\r\n") : std::string(1, c);
    }
    saved.replace(saved.find(",1.5,"), 5, ",\"1.500\",");
    EXPECT_NE(rows_from(saved).find("3 days"), std::string::npos);
    EXPECT_EQ(count("SELECT count(*) FROM market.treasury_rates"), 3);
    // A digit that changed is not believed, and the day is named.
    const std::string warning = rows_from(changed(",2.25,", ",9.25,"));
    EXPECT_NE(warning.find("1 damaged line"), std::string::npos) << warning;
    EXPECT_NE(warning.find("line 3 (2024-01-03): its values are not those it was written with"),
              std::string::npos)
        << warning;
    EXPECT_EQ(count("SELECT count(*) FROM market.treasury_rates"), 2);
    // Corrected by hand, with the check taken out: taken.
    std::string corrected = changed(",2.25,", ",9.25,");
    const std::size_t check = corrected.find(",9.25,") + 6;
    corrected.erase(check, corrected.find('\n', check) - check);
    EXPECT_NE(rows_from(corrected).find("3 days"), std::string::npos);
    EXPECT_EQ(text("SELECT rate_percent::VARCHAR FROM market.treasury_rates WHERE date = "
                   "'2024-01-03'"),
              "9.25");
    // Of an older version: without checks at all.
    EXPECT_NE(rows_from("date,rate_percent\n2024-01-02,7\n").find("1 days"), std::string::npos);
    // Nothing of it can be read: said, and kept when it is written anew.
    const std::string european = "date;rate_percent;line_check\n02.01.2024;1,5;1\n";
    EXPECT_NE(rows_from(european).find("nothing of the file can be read"), std::string::npos);
    write("_marketdata/treasury_rates.csv", "date,rate_percent\n2024-01-05,4\n");
    sync_market();
    EXPECT_EQ(dir_.read(journal + ".unread-1"), european);
}

TEST_F(MarketSyncTest, JournalThatCannotBeReadPutsOffTheFilesUntilItCan) {
    write("_marketdata/spx_daily.csv", kThreeDays);
    sync_market();
    lose_the_database();
    fs_.fail_open["spx_daily.csv"] = "cannot open: Input/output error";
    MarketSyncResult result = sync_market();
    ASSERT_EQ(result.files.size(), 1U);
    EXPECT_EQ(result.files[0].status, SyncStatus::kStale);
    EXPECT_EQ(result.deferred, 1);
    EXPECT_EQ(days(), 0);
    remove("_marketdata");
    EXPECT_EQ(sync_market().deferred, 1);
    fs_.fail_open.clear();
    EXPECT_EQ(sync_market().deferred, 0);
    EXPECT_EQ(days(), 3);
}

TEST_F(MarketSyncTest, FileBeyondTheLimitsIsRejectedOnceAndForAll) {
    write("_marketdata/treasury_rates.csv",
          "date,rate_percent\n2024-01-02,\"" + std::string(2U << 20U, 'x'));
    for (int i = 0; i < 2; ++i) {
        const MarketSyncResult result = sync_market();
        ASSERT_EQ(result.files.size(), 1U);
        EXPECT_EQ(result.files[0].status, SyncStatus::kError);
        EXPECT_NE(result.files[0].error->message.find("record on line 2"), std::string::npos);
    }
    EXPECT_EQ(count("SELECT count(*) FROM trades._sync_log"), 1);
}

TEST_F(MarketSyncTest, RejectedFileStoresNoRowAndNamesTheFirstUnreadableOne) {
    write("_marketdata/treasury_rates.csv",
          "date,rate_percent\n2024-01-02,abc\n2024-01-02,5\nx,1\ny,2\nz,3\n");
    const MarketSyncResult result = sync_market();
    ASSERT_EQ(result.failed, 1);
    EXPECT_NE(
        result.files[0].error->message.find("3 of 5 rows cannot be read, the first on line 4"),
        std::string::npos)
        << result.files[0].error->message;
    EXPECT_EQ(count("SELECT rows_stored FROM trades._sync_files"), 0);
    EXPECT_EQ(count("SELECT count(duration_ms) FROM trades._sync_log"), 1);
}

TEST_F(MarketSyncTest, MetadataThatAnotherProgramChangedMakesTheFileNew) {
    write("_marketdata/spx_daily.csv", kThreeDays);
    sync_market();
    {
        db::Connection connection = reader();
        auto stored = get_market_sync_metadata(connection, "spx_daily.csv");
        ASSERT_TRUE(stored.has_value() && stored->has_value());
        (*stored)->content_hash = "";
        ASSERT_TRUE(upsert_market_sync_metadata(connection, **stored).has_value());
        ASSERT_TRUE(connection.run("DELETE FROM market.spx_daily").has_value());
    }
    EXPECT_EQ(sync_market().synced, 1);
    EXPECT_EQ(days(), 3);
    EXPECT_EQ(sync_market().unchanged, 1);
}

TEST_F(MarketSyncTest, FileReadByOlderRulesIsReadAgain) {
    write("_marketdata/spx_daily.csv", kThreeDays);
    sync_market();
    {
        db::Connection connection = reader();
        ASSERT_TRUE(connection.run("UPDATE trades._sync_files SET settings = NULL"));
        ASSERT_TRUE(connection.run("DELETE FROM market.spx_daily"));
    }
    EXPECT_EQ(sync_market().synced, 1);
    EXPECT_EQ(days(), 3);
    EXPECT_EQ(sync_market().unchanged, 1);
}

// Days that the rules of old had made of evening bars and of the last bar of a day.
TEST_F(MarketSyncTest, DaysThatOlderRulesMadeOfTheSameBarsAreMadeAnew) {
    write("_marketdata/spx_daily.csv",
          "time,open,high,low,close\n"
          "1767567600,6800,6921,6780,6912\n"  // Sunday 2026-01-04, 18:00
          "1767654000,6912,6940,6900,6933\n"
          "1767740400,6933,6950,6920,6940\n"
          "1767826800,6940,6960,6930,6950\n");  // for Thursday
    sync_market();
    const auto dates = [&] {
        return text(
            "SELECT string_agg(date, ' ' ORDER BY date) "
            "FROM market.spx_daily");
    };
    ASSERT_EQ(dates(), "2026-01-05 2026-01-06 2026-01-07 2026-01-08");
    {
        db::Connection connection = reader();
        ASSERT_TRUE(connection.run("UPDATE trades._sync_files SET settings = 'rules 1'"));
        ASSERT_TRUE(connection.run("DELETE FROM market.spx_daily"));
        ASSERT_TRUE(connection.run(
            "INSERT INTO market.spx_daily (date, \"Close\") VALUES ('2025-12-31', 6800), "
            "('2026-01-04', 6912), ('2026-01-05', 6933), ('2026-01-06', 6940), "
            "('2026-01-07', 6950)"));
    }
    const MarketSyncResult result = sync_market();
    EXPECT_EQ(dates(), "2025-12-31 2026-01-05 2026-01-06 2026-01-07 2026-01-08");
    EXPECT_EQ(text("SELECT string_agg(\"Close\"::INT::VARCHAR, ' ' ORDER BY date) "
                   "FROM market.spx_daily"),
              "6800 6912 6933 6940 6950");
    ASSERT_EQ(result.files.size(), 1U);
    const std::string notes = fmt::format("{}", fmt::join(result.files[0].warnings, "\n"));
    EXPECT_NE(notes.find("1 stored day was no trading day"), std::string::npos) << notes;
    lose_the_database();
    remove("_marketdata");
    sync_market();
    EXPECT_EQ(dates(), "2025-12-31 2026-01-05 2026-01-06 2026-01-07 2026-01-08")
        << "nor does the journal have the Sunday";
}

TEST_F(MarketSyncTest, CsvsOfOtherNamesAreNamedEachTime) {
    write("_marketdata/spx_daily.csv", kThreeDays);
    write("_marketdata/SPX_Daily.csv", kThreeDays);
    write("_marketdata/notes.txt", "x");
    for (const std::int64_t synced : {1, 0}) {
        const MarketSyncResult result = sync_market();
        EXPECT_EQ(result.synced, synced);
        ASSERT_EQ(result.warnings.size(), 2U);
        EXPECT_TRUE(result.warnings[0].starts_with("'SPX_Daily.csv' below _marketdata is not read"))
            << result.warnings[0];
        EXPECT_TRUE(result.warnings[1].starts_with("'notes.txt' below _marketdata is not read"))
            << result.warnings[1];
    }
}

TEST_F(MarketSyncTest, NoJournalIsMadeForTablesWithoutRows) {
    write("_marketdata/spx_daily.csv", "time,open,high,low,close\n");
    EXPECT_EQ(sync_market().synced, 1);
    EXPECT_EQ(sync_market().unchanged, 1);
    EXPECT_FALSE(std::filesystem::exists(dir_.path() / ".tradeblocks/market-history"));
}

TEST_F(MarketSyncTest, LinksAreFollowedOnlyInsideTheDataDirectory) {
    const tb::test::TempDir elsewhere;
    const auto outside = elsewhere.write("spx_daily.csv", kThreeDays);
    write("_marketdata/treasury_rates.csv", "date,rate_percent\n2024-01-02,5\n");
    const auto link = dir_.path() / "_marketdata/spx_daily.csv";
    std::filesystem::create_symlink(outside, link);
    for (int i = 0; i < 2; ++i) {
        const MarketSyncResult result = sync_market();
        EXPECT_EQ(result.processed, 1);
        ASSERT_EQ(result.warnings.size(), 1U);
        EXPECT_EQ(result.warnings[0],
                  "the link '_marketdata/spx_daily.csv' is ignored: it leads out of the data "
                  "directory");
        EXPECT_EQ(days(), 0);
    }
    std::filesystem::remove(link);
    write("store/daily.csv", kThreeDays);
    std::filesystem::create_symlink(dir_.path() / "store/daily.csv", link);
    EXPECT_EQ(sync_market().synced, 1);
    EXPECT_EQ(days(), 3);
}

TEST_F(MarketSyncTest, FolderThatIsALinkOutOfTheDataDirectoryIsNamedAndIgnored) {
    const tb::test::TempDir elsewhere;
    elsewhere.write("spx_daily.csv", kThreeDays);
    std::filesystem::create_directory_symlink(elsewhere.path(), dir_.path() / "_marketdata");
    const MarketSyncResult result = sync_market();
    EXPECT_EQ(result.processed, 0);
    ASSERT_EQ(result.warnings.size(), 1U);
    EXPECT_TRUE(result.warnings[0].starts_with("the link '_marketdata' is ignored"))
        << result.warnings[0];
    EXPECT_EQ(days(), 0);
}

TEST_F(MarketSyncTest, LinkedOwnFolderIsNeitherReadNorWritten) {
    const tb::test::TempDir elsewhere;
    elsewhere.write("market-history/spx_daily.csv", "date,Close\n2023-12-29,4700\n");
    elsewhere.write("pl-basis/A", "gross_before_fees\n");
    const std::string before = elsewhere.read("market-history/spx_daily.csv");
    std::filesystem::create_directory_symlink(elsewhere.path(), dir_.path() / ".tradeblocks");
    write("_marketdata/spx_daily.csv", kThreeDays);
    write("A/tradelog.csv", trade_log({10, -5}));
    for (const std::int64_t synced : {1, 0}) {
        const MarketSyncResult result = sync_market();
        EXPECT_EQ(result.synced, synced);
        ASSERT_EQ(result.warnings.size(), 1U);
        EXPECT_NE(result.warnings[0].find("'.tradeblocks/market-history' leads out"),
                  std::string::npos)
            << result.warnings[0];
        EXPECT_EQ(days(), 3);
    }
    const SyncResult blocks = sync_all();
    ASSERT_EQ(blocks.warnings.size(), 1U);
    EXPECT_TRUE(blocks.warnings[0].starts_with("the link '.tradeblocks' is ignored"))
        << blocks.warnings[0];
    EXPECT_EQ(text("SELECT DISTINCT pl_basis FROM trades.trade_data"), "net_includes_fees");
    EXPECT_EQ(elsewhere.read("market-history/spx_daily.csv"), before);
    EXPECT_EQ(std::distance(std::filesystem::recursive_directory_iterator(elsewhere.path()), {}),
              4);
}

// The engine's lock is gone as soon as this process closes any descriptor of the file.
TEST_F(MarketSyncTest, DatabaseUnderAnotherNameIsNeverOpened) {
    write("_marketdata/spx_daily.csv", kThreeDays);
    write("A/tradelog.csv", trade_log({10, -5}));
    const auto store = *db::DataStore::for_directory(dir_.path());
    ASSERT_TRUE(store->open().has_value());
    const auto database = dir_.path() / "analytics.duckdb";
    ASSERT_FALSE(tb::test::another_process_can_lock(database));
    std::filesystem::create_symlink(database, dir_.path() / "A/dailylog.csv");
    std::filesystem::create_hard_link(database, dir_.path() / "A/other.csv");
    std::filesystem::create_symlink(database, dir_.path() / "_marketdata/vix_intraday.csv");
    std::filesystem::create_hard_link(database, dir_.path() / "_marketdata/spx_15min.csv");
    const MarketSyncResult market = sync_market();
    EXPECT_EQ(market.synced, 1);
    ASSERT_EQ(market.warnings.size(), 2U);
    EXPECT_EQ(market.warnings[0],
              "'_marketdata/spx_15min.csv' is ignored: it is the program's own database, not an "
              "export");
    const BlockSyncResult block = sync_all_and_find("A");
    EXPECT_EQ(block.status, SyncStatus::kSynced);
    ASSERT_EQ(block.warnings.size(), 2U);
    EXPECT_EQ(block.warnings[0],
              "'dailylog.csv' is ignored: it is the program's own database, not an export");
    EXPECT_FALSE(tb::test::another_process_can_lock(database));
}

}  // namespace
}  // namespace tb::sync::test
