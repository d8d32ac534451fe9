// What happens to a block: new, changed, unchanged, deleted, renamed, failing (01 §4, §8.2).
#include <algorithm>

#include <fmt/format.h>

#include "blocks/import_basis.h"
#include "sync_fixture.h"

namespace tb::sync::test {
namespace {

TEST_F(SyncTest, NewBlockIsStoredWithHashAndRows) {
    write("iron condor/tradelog.csv", trade_log({100.5, -50.25, 12}));
    const SyncResult result = sync_all();
    ASSERT_EQ(result.blocks.size(), 1U);
    EXPECT_EQ(result.processed, 1);
    EXPECT_EQ(result.synced, 1);
    EXPECT_EQ(result.rows_inserted, 3);
    EXPECT_EQ(result.blocks[0].block_id, "iron condor");
    EXPECT_EQ(result.blocks[0].status, SyncStatus::kSynced);
    EXPECT_EQ(result.blocks[0].trade_count, 3);
    expect_stored("iron condor", "tradelog.csv", {100.5, -50.25, 12});
    EXPECT_EQ(text("SELECT strategy || '|' || legs || '|' || time_opened || '|' || "
                   "reason_for_close FROM trades.trade_data WHERE pl = -50.25"),
              "Strategy 1|leg 1|09:01:00|Stop 1");
}

TEST_F(SyncTest, EveryColumnOfATradeArrivesInItsPlace) {
    write("A/tradelog.csv",
          "Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,Time "
          "Closed,Avg. Closing Cost,Reason For Close,P/L,No. of Contracts,Funds at Close,Margin "
          "Req.,Strategy,Opening Commissions + Fees,Closing Commissions + Fees,Opening Short/Long "
          "Ratio,Closing Short/Long Ratio,Opening VIX,Closing VIX,Gap,Movement,Max Profit,Max "
          "Loss,Colour\n"
          "2024-01-02,09:31:00,1.5,L,250,2.5,2024-01-03,15:59:00,3.5,R,4.5,6,7.5,8.5,S,9.5,10.5,"
          "11.5,12.5,13.5,14.5,15.5,16.5,17.5,18.5,blue\n");
    sync_all();
    EXPECT_EQ(
        text("SELECT concat_ws('|', block_id, date_opened, time_opened, strategy, legs, premium, "
             "num_contracts, pl, date_closed, time_closed, reason_for_close, margin_req, "
             "opening_commissions, closing_commissions, opening_price, closing_price, "
             "avg_closing_cost, funds_at_close, opening_short_long_ratio, "
             "closing_short_long_ratio, opening_vix, closing_vix, gap, movement, max_profit, "
             "max_loss, pl_basis, net_pl, premium_unit, ticker, source_line, extra_json) "
             "FROM trades.trade_data"),
        "A|2024-01-02|09:31:00|S|L|250.0|6|4.5|2024-01-03|15:59:00|R|8.5|9.5|10.5|1.5|2.5|3.5|7.5|"
        "11.5|12.5|13.5|14.5|15.5|16.5|17.5|18.5|net_includes_fees|4.5|cents|SPX|2|"
        "{\"Colour\":\"blue\"}");
}

TEST_F(SyncTest, DailyAndReportingRowsArriveInTheirPlaces) {
    write("A/tradelog.csv", trade_log({1}));
    write("A/dailylog.csv",
          "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown %\n"
          "2024-02-03,1.5,2.5,3.5,4.5,5.5,6.5,-7.5\n");
    write("A/reportinglog.csv",
          "Strategy,Date Opened,Opening Price,Legs,Initial Premium,No. of Contracts,P/L,Closing "
          "Price,Date Closed,Avg. Closing Cost,Reason For Close\n"
          "S,2024-02-03T10:23:59.10540,1.5,L,2.5,3,4.5,5.5,2024-02-04T16:12:10.8,6.5,R\n");
    sync_all();
    EXPECT_EQ(text("SELECT concat_ws('|', date, net_liquidity, current_funds, withdrawn, "
                   "trading_funds, pl, pl_pct, drawdown_pct, source_line) FROM trades.daily_data"),
              "2024-02-03|1.5|2.5|3.5|4.5|5.5|6.5|-7.5|2");
    EXPECT_EQ(text("SELECT concat_ws('|', date_opened, time_opened, strategy, legs, "
                   "initial_premium, num_contracts, pl, date_closed, time_closed, closing_price, "
                   "avg_closing_cost, reason_for_close, opening_price, ticker, source_line, "
                   "num_contracts_exact) FROM trades.reporting_data"),
              "2024-02-03|10:23:59|S|L|2.5|3|4.5|2024-02-04|16:12:10|5.5|6.5|R|1.5|SPX|2|3.0");
}

TEST_F(SyncTest, SecondSyncChangesNothingAndReadsNothing) {
    write("A/tradelog.csv", trade_log({1, 2}));
    write("B/my-export.csv", trade_log({3}));  // role by header
    sync_all();
    fs_.opens = 0;
    const SyncResult again = sync_all();
    EXPECT_EQ(again.unchanged, 2);
    EXPECT_EQ(again.synced, 0);
    EXPECT_EQ(fs_.opens, 0);
    EXPECT_EQ(metadata("A")->sync_version, 1);
}

TEST_F(SyncTest, ChangedTradeLogReplacesItsRows) {
    write("A/tradelog.csv", trade_log({1, 2, 3}));
    sync_all();
    write("A/tradelog.csv", trade_log({1, 2, 4, 5}));
    const BlockSyncResult block = sync_all_and_find("A");
    EXPECT_EQ(block.status, SyncStatus::kSynced);
    expect_stored("A", "tradelog.csv", {1, 2, 4, 5});
    EXPECT_EQ(metadata("A")->sync_version, 2);
    ASSERT_EQ(block.files.size(), 1U);
    EXPECT_EQ(block.files[0].rows_kept, 2);
    EXPECT_EQ(block.files[0].rows_added, 2);
    EXPECT_EQ(block.files[0].rows_removed, 1);
}

TEST_F(SyncTest, EveryLogOfABlockCountsForChangeDetection) {
    write("A/tradelog.csv", trade_log({1, 2}));
    sync_all();
    EXPECT_FALSE(metadata("A")->dailylog_hash.has_value());

    write("A/dailylog.csv", daily_log({10, 20, 30}));
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    EXPECT_TRUE(metadata("A")->dailylog_hash.has_value());
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 3);

    write("A/reportinglog.csv", reporting_log({7, 8}));
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    EXPECT_EQ(count("SELECT count(*) FROM trades.reporting_data"), 2);

    write("A/dailylog.csv", daily_log({11}));
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 1);

    remove("A/reportinglog.csv");
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    EXPECT_EQ(count("SELECT count(*) FROM trades.reporting_data"), 0);
    EXPECT_FALSE(metadata("A")->reportinglog_hash.has_value());
    expect_stored("A", "tradelog.csv", {1, 2});
}

TEST_F(SyncTest, ChangedFileKeepsOneRecordWithTheNewFigures) {
    write("A/tradelog.csv", trade_log({1, 2}));
    write("A/dailylog.csv", daily_log({3}));
    sync_all();
    write("A/tradelog.csv", trade_log({1, 2, 5}));
    sync_all();
    const std::string record =
        "SELECT content_hash || ' ' || rows_stored || ' ' || data_rows || ' ' || size FROM "
        "trades._sync_files WHERE block_id = 'A' AND role = 'tradelog'";
    const auto expected = [&](int rows) {
        const std::filesystem::path file = dir_.path() / "A" / "tradelog.csv";
        return fmt::format("{} {} {} {}", *hash_file_content(file), rows, rows,
                           std::filesystem::file_size(file));
    };
    EXPECT_EQ(text(record), expected(3));
    EXPECT_EQ(count("SELECT count(*) FROM trades._sync_files"), 2);
    EXPECT_EQ(count("SELECT rows_stored FROM trades._sync_files WHERE role = 'dailylog'"), 1);
    EXPECT_EQ(metadata("A")->sync_version, 2);

    // A second record, which no program of ours writes, does not outlive the next change.
    ASSERT_TRUE(reader()
                    .execute("INSERT INTO trades._sync_files BY NAME SELECT * FROM "
                             "trades._sync_files WHERE role = 'tradelog'")
                    .has_value());
    write("A/tradelog.csv", trade_log({7}));
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    EXPECT_EQ(text(record), expected(1));
    EXPECT_EQ(count("SELECT count(*) FROM trades._sync_files"), 2);
    expect_stored("A", "tradelog.csv", {7});
}

TEST_F(SyncTest, DeletedFolderIsRemovedFromEveryTable) {
    write("A/tradelog.csv", trade_log({1, 2}));
    write("A/dailylog.csv", daily_log({3}));
    write("A/reportinglog.csv", reporting_log({4}));
    write("B/tradelog.csv", trade_log({5}));
    sync_all();
    remove("A");
    const SyncResult result = sync_all();
    EXPECT_EQ(result.deleted, 1);
    EXPECT_EQ(result.unchanged, 1);
    expect_nothing_stored("A");
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 0);
    EXPECT_EQ(count("SELECT count(*) FROM trades.reporting_data"), 0);
    EXPECT_EQ(count("SELECT count(*) FROM trades._sync_files WHERE block_id = 'A'"), 0);
    expect_stored("B", "tradelog.csv", {5});
    EXPECT_EQ(sync_all().processed, 1);
}

TEST_F(SyncTest, RenamedFolderIsDeletedAndNew) {
    write("old/tradelog.csv", trade_log({1, 2}));
    sync_all();
    std::filesystem::rename(dir_.path() / "old", dir_.path() / "new");
    const SyncResult result = sync_all();
    EXPECT_EQ(result.deleted, 1);
    EXPECT_EQ(result.synced, 1);
    expect_nothing_stored("old");
    expect_stored("new", "tradelog.csv", {1, 2});
}

TEST_F(SyncTest, VanishedTradeLogDeletesTheBlockEvenIfADailyLogStays) {
    write("A/tradelog.csv", trade_log({1}));
    write("A/dailylog.csv", daily_log({2}));
    sync_all();
    remove("A/tradelog.csv");
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kDeleted);
    expect_nothing_stored("A");
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 0);
}

TEST_F(SyncTest, FolderWithoutTradeLogIsNoBlockAndNoError) {
    write("notes/readme.txt", "hello");
    write("live only/dailylog.csv", daily_log({1}));
    const SyncResult result = sync_all();
    EXPECT_EQ(result.processed, 0);
    EXPECT_TRUE(result.errors.empty());
    ASSERT_EQ(result.warnings.size(), 2U);
    EXPECT_NE(result.warnings[0].find("live only"), std::string::npos);
    EXPECT_NE(result.warnings[1].find("'notes/readme.txt' is not read"), std::string::npos);
}

TEST_F(SyncTest, FailingNewBlockLeavesNothingButItsReasons) {
    write("bad/tradelog.csv", "alpha,beta\n1,2\n");
    write("good/tradelog.csv", trade_log({9}));
    const SyncResult result = sync_all();
    EXPECT_EQ(result.failed, 1);
    EXPECT_EQ(result.synced, 1);
    ASSERT_EQ(result.errors.size(), 1U);
    EXPECT_EQ(result.errors[0].block_id, "bad");
    EXPECT_NE(result.errors[0].error.message.find("Date Opened"), std::string::npos);
    expect_nothing_stored("bad");
    expect_stored("good", "tradelog.csv", {9});
    EXPECT_EQ(text("SELECT event FROM trades._sync_log WHERE block_id = 'bad'"), "rejected");
}

// The metadata functions are an interface of their own: another program deletes a row to have the
// block read again.
TEST_F(SyncTest, MetadataThatAnotherProgramDeletedOrChangedMakesTheBlockNew) {
    write("A/tradelog.csv", trade_log({1, 2}));
    write("A/dailylog.csv", daily_log({3}));
    write("B/tradelog.csv", trade_log({4}));
    write("C/tradelog.csv", trade_log({5}));
    write("C/dailylog.csv", "Date,Net Liquidity\nx,1\n");  // rejected: no hash in the metadata
    sync_all();
    BlockSyncMetadata other = *metadata("B");
    other.tradelog_hash = std::string(64, '0');
    {
        db::Connection connection = reader();
        ASSERT_TRUE(delete_sync_metadata(connection, "A").has_value());
        ASSERT_TRUE(upsert_sync_metadata(connection, other).has_value());
    }
    EXPECT_EQ(sync_one("A").status, SyncStatus::kSynced);
    const SyncResult result = sync_all();
    EXPECT_EQ(result.synced, 1);
    EXPECT_EQ(result.unchanged, 2);
    expect_stored("A", "tradelog.csv", {1, 2});
    expect_stored("B", "tradelog.csv", {4});
    EXPECT_TRUE(metadata("A")->dailylog_hash.has_value());
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 1);
    EXPECT_EQ(sync_all().unchanged, 3);
}

// What an older program read by other rules: the same bytes may give other rows now.
TEST_F(SyncTest, FilesReadByOlderRulesAreReadAgain) {
    write("A/tradelog.csv", trade_log({1, 2}));
    write("B/tradelog.csv", trade_log({3}));
    write("B/dailylog.csv", daily_log({4}));
    sync_all();
    for (const char* older : {"'rules 0'", "NULL"}) {
        {
            db::Connection connection = reader();
            ASSERT_TRUE(
                connection.run(fmt::format("UPDATE trades._sync_files SET settings = {} "
                                           "WHERE block_id = 'A' OR role = 'dailylog'",
                                           older)));
            ASSERT_TRUE(connection.run("UPDATE trades.trade_data SET pl = 9 WHERE block_id = 'A'"));
            ASSERT_TRUE(connection.run("DELETE FROM trades.daily_data"));
        }
        EXPECT_EQ(sync_one("A").status, SyncStatus::kSynced);
        expect_stored("A", "tradelog.csv", {1, 2});
        EXPECT_EQ(sync_all().synced, 1);
        EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 1);
        EXPECT_EQ(sync_all().unchanged, 2);
    }
}

TEST_F(SyncTest, StructuralFailureOfAKnownBlockRemovesItsRows) {
    write("A/tradelog.csv", trade_log({1, 2}));
    write("A/dailylog.csv", daily_log({3}));
    sync_all();
    write("A/tradelog.csv", "alpha,beta\n1,2\n");
    const BlockSyncResult block = sync_all_and_find("A");
    EXPECT_EQ(block.status, SyncStatus::kError);
    expect_nothing_stored("A");
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 0);

    write("A/tradelog.csv", trade_log({4}));
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    expect_stored("A", "tradelog.csv", {4});
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 1);
}

TEST_F(SyncTest, LastingFailureIsReportedEachTimeButLoggedOnce) {
    write("A/tradelog.csv", "alpha,beta\n1,2\n");
    for (int round = 0; round < 3; ++round) {
        const BlockSyncResult block = sync_all_and_find("A");
        EXPECT_EQ(block.status, SyncStatus::kError);
        ASSERT_TRUE(block.error.has_value());
        EXPECT_NE(block.error->message.find("Date Opened"), std::string::npos);
    }
    EXPECT_EQ(sync_one("A").status, SyncStatus::kError);
    EXPECT_EQ(count("SELECT count(*) FROM trades._sync_log"), 1);
}

TEST_F(SyncTest, MoreThanHalfBadRowsRejectTheBlockAndSayWhy) {
    std::string log = trade_log({1, 2});
    log += "Total,,,,,,,,,,x,,,,,,\r\nnonsense\r\nnonsense\r\n";
    write("A/tradelog.csv", log);
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kError);
    expect_nothing_stored("A");
    EXPECT_GT(count("SELECT count(*) FROM trades._sync_issues WHERE block_id = 'A'"), 0);
}

TEST_F(SyncTest, OneBadRowIsSkippedCountedAndExplained) {
    std::string log = trade_log({1, 2, 3});
    log += "not a date,09:31:00,1,L,2,3,,,,,77,1,,,S,,\r\n";
    write("A/tradelog.csv", log);
    const BlockSyncResult block = sync_all_and_find("A");
    EXPECT_EQ(block.status, SyncStatus::kSynced);
    EXPECT_EQ(block.rows_skipped, 1);
    expect_stored("A", "tradelog.csv", {1, 2, 3});
    EXPECT_EQ(text("SELECT concat_ws('|', file_name, line, column_name, value, action) "
                   "FROM trades._sync_issues"),
              "tradelog.csv|5|Date Opened|not a date|skipped");
    // Still known when nothing changes.
    EXPECT_EQ(sync_all_and_find("A").rows_skipped, 1);
}

TEST_F(SyncTest, RejectedDailyLogTakesOnlyItsOwnRowsAndWarnsEveryTime) {
    write("A/tradelog.csv", trade_log({1}));
    write("A/dailylog.csv", daily_log({2, 3}));
    sync_all();
    write("A/dailylog.csv", "alpha,beta\n1,2\n");
    BlockSyncResult block = sync_all_and_find("A");
    EXPECT_EQ(block.status, SyncStatus::kSynced);
    EXPECT_EQ(block.warnings.size(), 1U);
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 0);
    EXPECT_FALSE(metadata("A")->dailylog_hash.has_value());
    expect_stored("A", "tradelog.csv", {1});
    block = sync_all_and_find("A");
    EXPECT_EQ(block.status, SyncStatus::kUnchanged);
    EXPECT_EQ(block.warnings.size(), 1U);
}

TEST_F(SyncTest, HalfWrittenLastRecordKeepsOldRowsAndIsTriedAgain) {
    write("A/tradelog.csv", trade_log({1, 2}));
    sync_all();
    const std::string longer = trade_log({1, 2, 3});
    write("A/tradelog.csv", longer.substr(0, longer.size() - 40));
    BlockSyncResult block = sync_all_and_find("A");
    EXPECT_EQ(block.status, SyncStatus::kIncomplete);
    EXPECT_EQ(trades("A"), (Sums{2, 3}));
    block = sync_one("A");
    EXPECT_EQ(block.status, SyncStatus::kIncomplete);
    write("A/tradelog.csv", longer);
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    expect_stored("A", "tradelog.csv", {1, 2, 3});
}

TEST_F(SyncTest, HalfWrittenDailyLogDefersTheWholeBlock) {
    write("A/tradelog.csv", trade_log({1}));
    write("A/dailylog.csv", daily_log({2, 3}));
    sync_all();
    write("A/tradelog.csv", trade_log({1, 5}));
    write("A/dailylog.csv", daily_log({2, 3}) + "2024-05-06,1");
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kIncomplete);
    EXPECT_EQ(trades("A"), (Sums{1, 1}));
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 2);
}

TEST_F(SyncTest, EmptyFileInPlaceOfAKnownOneKeepsTheRowsInsteadOfDeletingTheBlock) {
    write("A/my export.csv", trade_log({1, 2}));
    sync_all();
    write("A/my export.csv", "");
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kIncomplete);
    write("A/my export.csv", "Date Op");
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kIncomplete);
    EXPECT_EQ(trades("A"), (Sums{2, 3}));
    remove("A/my export.csv");
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kDeleted);
}

TEST_F(SyncTest, HeaderWithoutLineEndIsNotBelievedOverOlderRows) {
    write("A/tradelog.csv", trade_log({1, 2}));
    sync_all();
    const std::string header = trade_log({});
    write("A/tradelog.csv", header.substr(0, header.size() - 2));
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kIncomplete);
    EXPECT_EQ(trades("A").rows, 2);
    write("A/tradelog.csv", header);
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    expect_stored("A", "tradelog.csv", {});
}

TEST_F(SyncTest, BasisNamedAtImportAppliesAndAnUnreadableOneMakesTheBlockStale) {
    write("A/tradelog.csv", trade_log({100}));
    ASSERT_TRUE(blocks::write_import_pl_basis(dir_.path(), "A", blocks::PlBasis::kGrossBeforeFees));
    sync_all();
    EXPECT_EQ(text("SELECT pl_basis || ' ' || pl || ' ' || net_pl FROM trades.trade_data"),
              "gross_before_fees 100.0 98.0");
    fs_.fail_open["A"] = "cannot open: Permission denied";
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kStale);
    EXPECT_EQ(count("SELECT count(*) FROM trades.trade_data WHERE net_pl = 98"), 1);
    fs_.fail_open.clear();
    ASSERT_TRUE(blocks::write_import_pl_basis(dir_.path(), "A", blocks::PlBasis::kNetIncludesFees));
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    EXPECT_EQ(count("SELECT count(*) FROM trades.trade_data WHERE net_pl = 100"), 1);
}

TEST_F(SyncTest, SyncOfOneBlockTouchesNoOther) {
    write("A/tradelog.csv", trade_log({1}));
    write("B/tradelog.csv", trade_log({2}));
    EXPECT_EQ(sync_one("A").status, SyncStatus::kSynced);
    expect_nothing_stored("B");
    EXPECT_EQ(sync_one("A").status, SyncStatus::kUnchanged);
    remove("A");
    EXPECT_EQ(sync_one("A").status, SyncStatus::kDeleted);
    const auto gone = sync_block("A", dir_.path(), options());
    ASSERT_FALSE(gone.has_value());
    EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
}

TEST_F(SyncTest, NamesThatCannotBeBlocksAreRefused) {
    write("A/tradelog.csv", trade_log({1}));
    for (const std::string name :
         {"../A", "A/", ".", "..", "", "_marketdata", ".hidden", "a.tmp"}) {
        const auto result = sync_block(name, dir_.path(), options());
        ASSERT_FALSE(result.has_value()) << name;
        EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument) << name;
    }
}

TEST_F(SyncTest, AnyFolderNameIsAnId) {
    const std::vector<std::string> names{"O'Brien \"x\"", "Übung 日本", "🚀 moon",  "100%",
                                         "a;b",           "two\nlines", " blanks "};
    for (const std::string& name : names) {
        write(std::filesystem::path(name) / "tradelog.csv", trade_log({1, 2}));
    }
    EXPECT_EQ(sync_all().synced, static_cast<std::int64_t>(names.size()));
    for (const std::string& name : names) {
        expect_stored(name, "tradelog.csv", {1, 2});
    }
    EXPECT_EQ(sync_all().unchanged, static_cast<std::int64_t>(names.size()));
}

TEST_F(SyncTest, SwitchOfTheFilePlayingARoleIsAChange) {
    write("A/export one.csv", trade_log({1}));
    sync_all();
    remove("A/export one.csv");
    write("A/tradelog.csv", trade_log({1}));
    const BlockSyncResult block = sync_all_and_find("A");
    EXPECT_EQ(block.status, SyncStatus::kSynced);
    EXPECT_EQ(text("SELECT file_name FROM trades._sync_files"), "tradelog.csv");
}

TEST_F(SyncTest, LogTellsWhatChangedWhenWithHashes) {
    write("A/tradelog.csv", trade_log({1, 2}));
    sync_all();
    const std::string first = *hash_file_content(dir_.path() / "A/tradelog.csv");
    write("A/tradelog.csv", trade_log({1, 2, 3}));
    sync_all();
    const std::string second = *hash_file_content(dir_.path() / "A/tradelog.csv");
    remove("A");
    sync_all();
    EXPECT_EQ(text("SELECT string_agg(concat_ws(' ', id, event, rows_added, rows_removed, "
                   "rows_kept), '; ' ORDER BY id) FROM trades._sync_log"),
              "1 added 2 0 0; 2 changed 1 0 2; 3 removed 0 3 0");
    EXPECT_EQ(text("SELECT old_hash FROM trades._sync_log WHERE id = 2"), first);
    EXPECT_EQ(text("SELECT new_hash FROM trades._sync_log WHERE id = 2"), second);
    EXPECT_EQ(text("SELECT new_hash FROM trades._sync_log WHERE id = 3"), "NULL");
    EXPECT_EQ(count("SELECT count(*) FROM trades._sync_log WHERE duration_ms > 0"), 3);
}

TEST_F(SyncTest, ManyBlocksAreGroupedAndStillEachComplete) {
    constexpr int kBlocks = 60;
    for (int i = 0; i < kBlocks; ++i) {
        write(fmt::format("block {:03}/tradelog.csv", i), trade_log({i + 0.5, 2.0 * i}));
    }
    write("block 030/tradelog.csv", "alpha,beta\n1,2\n");
    SyncResult result = sync_all();
    EXPECT_EQ(result.synced, kBlocks - 1);
    EXPECT_EQ(result.failed, 1);
    // All change at once: more than go alone, so they are replaced in groups.
    for (int i = 0; i < kBlocks; ++i) {
        write(fmt::format("block {:03}/tradelog.csv", i), trade_log({i + 0.25}));
    }
    result = sync_all();
    EXPECT_EQ(result.synced, kBlocks);
    for (int i = 0; i < kBlocks; ++i) {
        expect_stored(fmt::format("block {:03}", i), "tradelog.csv", {i + 0.25});
    }
    EXPECT_EQ(count("SELECT count(*) FROM trades.trade_data"), kBlocks);
    for (int i = 0; i < kBlocks; i += 2) {
        remove(fmt::format("block {:03}", i));
    }
    EXPECT_EQ(sync_all().deleted, kBlocks / 2);
    EXPECT_EQ(count("SELECT count(*) FROM trades.trade_data"), kBlocks / 2);
}

TEST_F(SyncTest, ResultsAreInByteOrderOfIds) {
    for (const char* name : {"b", "a", "C", "_x", "B"}) {
        write(std::filesystem::path(name) / "tradelog.csv", trade_log({1}));
    }
    std::vector<std::string> ids;
    for (const BlockSyncResult& block : sync_all().blocks) {
        ids.push_back(block.block_id);
    }
    EXPECT_EQ(ids, (std::vector<std::string>{"B", "C", "a", "b"}));
}

TEST_F(SyncTest, RealBlocksGiveTheFiguresOfTheirFiles) {
    TB_REQUIRE_SHARED();
    std::filesystem::copy(tb::test::shared_dir() / "data/blocks", dir_.path(),
                          std::filesystem::copy_options::recursive);
    EXPECT_EQ(sync_all().synced, 5);
    EXPECT_EQ(trades("EMA Test Data"), (Sums{384, 19735}));
    EXPECT_EQ(trades("MEIC Test Data").rows, 532);
    EXPECT_NEAR(trades("MEIC Test Data").pl, 408.08, 1e-9 * 408.08);
    EXPECT_EQ(metadata("EMA Test Data")->tradelog_hash.substr(0, 16), "cd47c194badd5911");
    EXPECT_EQ(metadata("EMA Test Data")->dailylog_hash->substr(0, 16), "ff06f5e93aa39bfc");
    EXPECT_EQ(metadata("EMA Test Data")->reportinglog_hash->substr(0, 16), "57250fae46c91b21");
    EXPECT_EQ(metadata("MEIC Test Data")->tradelog_hash.substr(0, 16), "1e50c6c711170012");
    EXPECT_EQ(metadata("MEIC Test Data")->dailylog_hash->substr(0, 16), "8e8c28ea58cf6937");
    EXPECT_EQ(metadata("MEIC Test Data")->reportinglog_hash->substr(0, 16), "c648b72ea02bc687");
    EXPECT_EQ(text("SELECT concat_ws('|', sum(premium), sum(num_contracts), sum(margin_req), "
                   "sum(opening_commissions), sum(closing_commissions), min(date_opened), "
                   "max(date_opened), max(date_closed), count(*) FILTER (pl > 0), "
                   "count(DISTINCT legs)) FROM trades.trade_data WHERE block_id = 'EMA Test Data'"),
              "135860.0|1110|16258580.0|3330.0|1178.0|2025-01-02|2025-10-08|2025-10-08|186|383");
    EXPECT_EQ(text("SELECT concat_ws('|', count(*), sum(pl), min(drawdown_pct)) FROM "
                   "trades.daily_data WHERE block_id = 'EMA Test Data'"),
              "192|19735.0|-12.89");
    EXPECT_EQ(text("SELECT concat_ws('|', count(*), sum(pl), sum(num_contracts)) FROM "
                   "trades.reporting_data WHERE block_id = 'EMA Test Data'"),
              "384|-36331386.0|1110");
    EXPECT_EQ(count("SELECT count(*) FROM trades.trade_data WHERE block_id = 'MEIC Test Data' AND "
                    "strategy IS NULL"),
              532);
}

}  // namespace
}  // namespace tb::sync::test
