#include "sync/not_read.h"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sync_fixture.h"

namespace tb::sync::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class NotReadTest : public SyncTest {
  protected:
    std::vector<std::string> lines() {
        std::vector<std::string> all;
        for (const NotRead& file : files_not_read(real_file_system(), dir_.path())) {
            all.push_back(file.subject + " " + file.says);
        }
        return all;
    }
    std::vector<std::string> market_lines() {
        return not_read_lines(market_files_not_read(real_file_system(), dir_.path()));
    }
};

TEST_F(NotReadTest, AFolderOfBlocksAndMarketFilesHasNothingToSay) {
    write("A/tradelog.csv", trade_log({1}));
    write("A/dailylog.csv", daily_log({1}));
    write("A/unknown.csv", "a,b\n1,2\n");  // the block's own warning
    write("_marketdata/spx_daily.csv", "x");
    write(".tradeblocks/market-history/spx_daily.csv", "x");
    write("analytics.duckdb", "x");
    write("analytics.duckdb.corrupt-20260101T000000", "x");
    write("A/block.json", "{}");
    std::filesystem::create_directory(dir_.path() / "empty");
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_THAT(market_lines(), IsEmpty());
}

TEST_F(NotReadTest, WhatSystemsLeaveBehindIsNobodysBusiness) {
    for (const std::string name :
         {".DS_Store", "Thumbs.db", "desktop.ini", "~$trades.csv", ".~lock.trades.csv#",
          "._trades.csv", "__MACOSX/A/._t.csv", "__MACOSX/t.csv", ".git/config", "@eaDir/t.csv"}) {
        for (const std::string folder : {"", "A/", "_marketdata/", "A/deeper/"}) {
            write(folder + name, "x");
        }
    }
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_THAT(market_lines(), IsEmpty());
}

TEST_F(NotReadTest, EveryKindOfFileIsNamedWithWhatToDo) {
    write("X/tradelog.csv", trade_log({1}));
    const std::vector<std::pair<std::string, std::string>> files = {
        {"trades.xlsx", "spreadsheet"},
        {"trades.ODS", "spreadsheet"},
        {"t.csv.gz", "unpack it"},
        {"t.zip", "unpack it"},
        {"t.csv.crdownload", "unfinished"},
        {"t.csv.part", "unfinished"},
        {".t.csv.icloud", "iCloud"},
        {"t.csv.txt", "rename it"},
        {"picture.png", "end in .csv"},
        {"notes", "end in .csv"},
        {".hidden.csv", "begins with a point"}};
    for (const auto& [name, says] : files) {
        write("X/" + name, "x");
    }
    std::filesystem::create_symlink("nowhere.csv", dir_.path() / "X/broken.csv");
    const auto all = lines();
    for (const auto& [name, says] : files) {
        EXPECT_THAT(all, Contains(testing::AllOf(StartsWith(fmt::format("'X/{}' ", name)),
                                                 HasSubstr(says))));
    }
    EXPECT_THAT(all, Contains(StartsWith("'X/broken.csv' is a link that leads nowhere")));
    EXPECT_EQ(all.size(), files.size() + 1);
}

TEST_F(NotReadTest, CsvsWhereNothingLooksAreNamedWithTheirPlace) {
    write("2025/IC/t.csv", trade_log({1}));
    write("A/tradelog.csv", trade_log({1}));
    write("A/old/2024/t.csv", trade_log({1}));
    write("_old/t.csv", trade_log({1}));
    write("_old/B/tradelog.csv", trade_log({1}));
    write("C.tmp/tradelog.csv", trade_log({1}));
    write("june.csv", trade_log({1}));
    write("A/looks.csv/x.csv", trade_log({1}));
    EXPECT_THAT(
        lines(),
        ElementsAre(
            "'2025/IC/t.csv' lies in a folder within a folder and is not read: move the folder "
            "'2025/IC' into the data directory itself",
            "'A/looks.csv' is a folder, not a file, and is not read",
            StartsWith("'A/looks.csv/x.csv' lies in a folder within a folder"),
            StartsWith("'A/old/2024/t.csv' lies in a folder within a folder"),
            StartsWith("'C.tmp/tradelog.csv' lies in a folder that is set aside by its name"),
            StartsWith("'_old/B/tradelog.csv' lies in a folder that is set aside by its name"),
            "'_old/t.csv' lies in a folder that is set aside by its name and is not read: rename "
            "'_old' if it is to be a block",
            "'june.csv' lies beside the block folders and is not read: move it into a folder of "
            "its own"));
}

TEST_F(NotReadTest, MarketFilesOfOtherKindsAndPlacesAreNamed) {
    write("_marketdata/2026-01-06.csv.gz", "x");
    write("_marketdata/spx_eod_202601.txt", "x");
    write("_marketdata/SPX_Daily.csv", "x");
    write("_marketdata/options/2026-01-06.csv", "x");
    EXPECT_THAT(market_lines(),
                ElementsAre(StartsWith("'2026-01-06.csv.gz' below _marketdata is packed"),
                            StartsWith("'SPX_Daily.csv' below _marketdata is not read: only files "
                                       "named spx_daily.csv, spx_15min.csv"),
                            StartsWith("'options/2026-01-06.csv' below _marketdata is not read"),
                            StartsWith("'spx_eod_202601.txt' below _marketdata is not read")));
}

TEST_F(NotReadTest, ManyOfOneKindAreOneLineAndManyKindsAreCounted) {
    write("A/tradelog.csv", trade_log({1}));
    for (int i = 1; i <= 9; ++i) {
        write(fmt::format("2025/{}.csv", i), trade_log({1}));
        write(fmt::format("2025/deep/{}.csv", i), trade_log({1}));
    }
    const auto all = files_not_read(real_file_system(), dir_.path());
    EXPECT_EQ(all.size(), 9U);
    EXPECT_THAT(not_read_lines(all),
                ElementsAre(testing::AllOf(
                    StartsWith("'2025/deep/1.csv' lies in a folder within a folder"),
                    HasSubstr("; likewise '2025/deep/2.csv', '2025/deep/3.csv' and 6 more"))));
    for (int i = 1; i <= 30; ++i) {
        write(fmt::format("d{:02}/x.xlsx", i), "x");
    }
    const auto lines = not_read_lines(files_not_read(real_file_system(), dir_.path()));
    ASSERT_EQ(lines.size(), kNotReadLines);
    EXPECT_EQ(lines.back(), "and 22 more files that are not read: tradeblocks doctor names all");
}

TEST_F(NotReadTest, LinksToFoldersAreNotFollowedInACircle) {
    write("A/tradelog.csv", trade_log({1}));
    std::filesystem::create_directory_symlink(dir_.path(), dir_.path() / "A/up");
    EXPECT_THAT(lines(), ElementsAre(StartsWith("'A/up' is a link to a folder")));
}

TEST_F(NotReadTest, FoldersThatCannotBeLookedIntoAreNamed) {
    write("A/tradelog.csv", trade_log({1}));
    write("A/locked/t.csv", trade_log({1}));
    write("_marketdata/spx_daily.csv", "x");
    fs_.fail_list["locked"] = "cannot list: Permission denied";
    fs_.fail_list["_marketdata"] = "cannot list: Permission denied";
    EXPECT_THAT(not_read_lines(files_not_read(fs_, dir_.path())),
                ElementsAre("'A/locked' cannot be looked into: make the folder readable"));
    EXPECT_EQ(market_files_not_read(fs_, dir_.path()).size(), 1U);
}

TEST_F(NotReadTest, SyncSaysItEachTime) {
    write("A/tradelog.csv", trade_log({1}));
    write("2025/IC/t.csv", trade_log({1}));
    for (int i = 0; i < 2; ++i) {
        const SyncResult result = sync_all();
        EXPECT_THAT(result.warnings, Contains(HasSubstr("'2025/IC/t.csv'")));
        EXPECT_EQ(result.not_read.size(), 1U);
    }
}

}  // namespace
}  // namespace tb::sync::test
