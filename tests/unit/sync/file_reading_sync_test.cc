// How files are read as a whole, seen from the database: cut ends, locales that only the end of a
// file decides, refused files.
#include <string>

#include <gmock/gmock.h>

#include "sync_fixture.h"

namespace tb::sync::test {
namespace {

using testing::HasSubstr;

TEST_F(SyncTest, LastRecordWithoutLineEndIsReadOnceTheFileIsStill) {
    const std::string text = "Date Opened,Strategy,P/L\n2025-12-01,A,5\n2025-12-02,A,-12";
    clock_.catch_up();
    write("A/tradelog.csv", text);
    const BlockSyncResult fresh = sync_all_and_find("A");
    EXPECT_EQ(fresh.status, SyncStatus::kIncomplete);
    EXPECT_THAT(fresh.error->message, HasSubstr("has no line end"));
    expect_nothing_stored("A");
    clock_.advance_seconds(3);
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    EXPECT_EQ(trades("A"), (Sums{2, -7}));
    EXPECT_THAT(this->text("SELECT notes FROM trades._sync_files"),
                HasSubstr("line 3, has no line "));

    clock_.catch_up();
    write("A/tradelog.csv", text + ".50\n2025-12-03,A,1");
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kIncomplete);
    EXPECT_EQ(trades("A"), (Sums{2, -7}));
    write("A/tradelog.csv", text + ".50\n2025-12-03,A,1\n");
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    EXPECT_EQ(trades("A"), (Sums{3, -6.5}));
}

// `rows` rows on 1 December, written so that only the last line tells that from 12 January.
std::string day_first_log(std::size_t rows) {
    std::string text = "Date Opened,Legs,P/L\n";
    for (std::size_t i = 0; i < rows; ++i) {
        text += "01/12/2025,a put spread that is long enough to fill a file,1\n";
    }
    return text + "15/12/2025,x,1\n";
}

TEST_F(SyncTest, TheEndOfAFileDecidesHowItIsReadInMemoryAndAsAStream) {
    write("Memory/tradelog.csv", day_first_log(10'000));
    write("Stream/tradelog.csv", day_first_log(80'000));
    write("Stream/dailylog.csv", daily_log({1, 2}));
    ASSERT_GT(std::filesystem::file_size(dir_.path() / "Stream/tradelog.csv"), 4U << 20U);
    for (const char* const id : {"Memory", "Stream"}) {
        EXPECT_EQ(sync_all_and_find(id).status == SyncStatus::kError, false);
    }
    EXPECT_EQ(trades("Memory"), (Sums{10'001, 10'001}));
    EXPECT_EQ(trades("Stream"), (Sums{80'001, 80'001}));
    EXPECT_EQ(count("SELECT count(*) FROM trades.trade_data WHERE month(date_opened) != 12"), 0);
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 2);
    EXPECT_EQ(sync_all().unchanged, 2);
}

TEST_F(SyncTest, ARefusedFileCountsEveryRecordAsSkipped) {
    write("A/tradelog.csv", trade_log({1}));
    write("A/dailylog.csv", "Date,Net Liquidity,P/L\nbad,1,1\n2024-01-02,2,2\nworse,3,3\n");
    sync_all();
    EXPECT_EQ(text("SELECT concat_ws('|', data_rows, rows_stored, rows_skipped, rows_repaired) "
                   "FROM trades._sync_files WHERE role = 'dailylog'"),
              "3|0|3|0");
    write("A/dailylog.csv", "PK\x03\x04[Content_Types].xml xl/workbook.xml");
    sync_all();
    EXPECT_THAT(text("SELECT rejection FROM trades._sync_files WHERE role = 'dailylog'"),
                HasSubstr("is an Excel workbook, not a CSV"));
}

TEST_F(SyncTest, LocksOfOpenSpreadsheetsAreNobodysBusiness) {
    write("A/tradelog.csv", trade_log({1}));
    for (const char* const name : {"A/~$tradelog.csv", "A/.~lock.tradelog.csv#", "A/._tradelog.csv",
                                   "__MACOSX/tradelog.csv"}) {
        write(name, "junk");
    }
    const SyncResult result = sync_all();
    EXPECT_EQ(result.synced, 1);
    EXPECT_TRUE(result.warnings.empty());
    EXPECT_TRUE(sync_all_and_find("A").warnings.empty());
}

}  // namespace
}  // namespace tb::sync::test
