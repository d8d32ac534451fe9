// Folders, roles and headers: 01 §1.1, §1.4, §1.5 with items 2, 9, 10, 14 and 26-29 of 01 §8.
#include "blocks/discovery.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace tb::blocks {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Cells = std::vector<std::string>;

constexpr const char* kTrade = "Date Opened,P/L,Strategy\n2024-01-02,1,A\n";
constexpr const char* kDaily = "Date,Net Liquidity\n2024-01-02,100\n";
constexpr const char* kReporting = "Date Opened,P/L,Initial Premium,Strategy\n2024-01-02,1,2,A\n";

BlockFiles discover(const tb::test::TempDir& dir, const char* block = "b") {
    auto files = discover_files(real_file_system(), dir.path() / block);
    EXPECT_TRUE(files.has_value());
    return files ? *files : BlockFiles();
}

std::vector<std::string> ids(const tb::test::TempDir& dir) {
    std::vector<std::string> names;
    const auto listing = list_block_folders(real_file_system(), dir.path());
    for (const BlockFolder& folder : listing.value().folders) {
        names.push_back(folder.id);
    }
    return names;
}

TEST(BlockFolders, HiddenUnderscoreAndTemporaryNamesAreNoBlocks) {
    for (const auto* name : {"", ".", "..", ".git", ".tradeblocks", "_marketdata", "_old", "a.tmp",
                             "a.duckdb", "a.duckdb.tmp", "a/b", "../x"}) {
        EXPECT_FALSE(is_eligible_folder_name(name)) << name;
    }
    EXPECT_FALSE(is_eligible_folder_name(std::string_view("a\0b", 3)));
    for (const auto* name :
         {"a", "My Block", "100%;'\"", "\xF0\x9F\x98\x80", "a\nb", " x ", "tmp"}) {
        EXPECT_TRUE(is_eligible_folder_name(name)) << name;
    }
}

TEST(BlockFolders, DirectSubFoldersAreListedInByteOrder) {
    const tb::test::TempDir dir;
    for (const auto* name : {"b", "B", "_x", ".y", "c.tmp", "a\nb", "sub/deeper"}) {
        dir.write(std::string(name) + "/tradelog.csv", kTrade);
    }
    dir.write("file.csv", kTrade);
    EXPECT_THAT(ids(dir), ElementsAre("B", "a\nb", "b", "sub"));
}

TEST(BlockFolders, WhyAFolderIsNoBlockNamesTheFolder) {
    const tb::test::TempDir dir;
    dir.write("b/daily.csv", kDaily);
    dir.write("b/other.csv", "a,b\n1,2\n");
    EXPECT_THAT(reasons_for_no_block("b", discover(dir)),
                ElementsAre(HasSubstr("folder 'b': 'other.csv'"), HasSubstr("no trade log")));
}

TEST(BlockFolders, LinksAreFollowedOnlyInsideTheDataDirectory) {
    const tb::test::TempDir dir;
    const tb::test::TempDir outside;
    dir.write("real/tradelog.csv", kTrade);
    outside.write("tradelog.csv", kTrade);
    std::filesystem::create_directory_symlink(dir.path() / "real", dir.path() / "inner");
    std::filesystem::create_directory_symlink(outside.path(), dir.path() / "outer");
    std::filesystem::create_directory_symlink(dir.path(), dir.path() / "self");
    EXPECT_THAT(ids(dir), ElementsAre("inner", "real"));
    const auto listing = list_block_folders(real_file_system(), dir.path());
    EXPECT_THAT(listing->warnings,
                ElementsAre(AllOf(HasSubstr("'outer'"), HasSubstr("inside the data directory")),
                            AllOf(HasSubstr("'self'"), HasSubstr("inside the data directory"))));
}

TEST(BlockFolders, FolderNamedBlocksIsWarnedAboutNeverSwitchedTo) {
    const tb::test::TempDir dir;
    dir.write("a/tradelog.csv", kTrade);
    dir.write("blocks/inner/tradelog.csv", kTrade);
    EXPECT_THAT(ids(dir), ElementsAre("a", "blocks"));
    EXPECT_THAT(list_block_folders(real_file_system(), dir.path())->warnings,
                ElementsAre(HasSubstr("as the data directory")));
}

TEST(BlockFolders, MissingDataDirectoryIsNotFound) {
    const tb::test::TempDir dir;
    const auto listing = list_block_folders(real_file_system(), dir.path() / "none");
    EXPECT_EQ(listing.error().code, ErrorCode::kNotFound);
}

TEST(Discovery, StandardNamesClaimTheirRoleUnseen) {
    const tb::test::TempDir dir;
    dir.write("b/tradelog.csv", "junk\n");
    dir.write("b/a.csv", kTrade);
    const auto files = discover(dir);
    EXPECT_EQ(files.tradelog->file_name, "tradelog.csv");
    EXPECT_EQ(files.tradelog->recognised_by, "name");
    EXPECT_THAT(files.warnings, ElementsAre(HasSubstr("'a.csv' is a tradelog too")));
    EXPECT_THAT(files.csv_names, ElementsAre("a.csv", "tradelog.csv"));
}

TEST(Discovery, HeadersDecideSoThatADailyLogIsNeverATradeLog) {
    const tb::test::TempDir dir;
    dir.write("b/a-daily.csv", kDaily);
    dir.write("b/b-trades.CSV", kTrade);
    dir.write("b/c-fills.csv", kReporting);
    const auto files = discover(dir);
    EXPECT_EQ(files.dailylog->file_name, "a-daily.csv");
    EXPECT_EQ(files.tradelog->file_name, "b-trades.CSV");
    EXPECT_EQ(files.reportinglog->file_name, "c-fills.csv");
    EXPECT_EQ(files.tradelog->recognised_by, "header");
    EXPECT_TRUE(files.warnings.empty());
}

TEST(Discovery, ReportingLogAloneIsNoTradeLog) {
    const tb::test::TempDir dir;
    dir.write("b/fills.csv", kReporting);
    EXPECT_FALSE(discover(dir).tradelog.has_value());
}

TEST(Discovery, StrategyLogNamesClaimTheReportingRoleUnseen) {
    for (const std::string name :
         {"ema-Strategy-Trade-Log.csv", "my-strategylog-1.csv", "STRATEGY-LOG-7.csv"}) {
        const tb::test::TempDir dir;
        dir.write("b/" + name, kTrade);
        dir.write("b/z.csv", kTrade);
        const auto files = discover(dir);
        EXPECT_EQ(files.reportinglog->file_name, name);
        EXPECT_EQ(files.tradelog->file_name, "z.csv");
    }
}

TEST(Discovery, MappingsOfBlockJsonComeFirstIfPlainNames) {
    const tb::test::TempDir dir;
    dir.write("b/tradelog.csv", kTrade);
    dir.write("b/mine.csv", kTrade);
    dir.write("secret.csv", kDaily);
    dir.write("b/block.json", R"({"csvMappings":{"tradelog":"mine.csv","dailylog":"../secret.csv",)"
                              R"("reportinglog":"gone.csv"}})");
    const auto files = discover(dir);
    EXPECT_EQ(files.tradelog->file_name, "mine.csv");
    EXPECT_EQ(files.tradelog->recognised_by, "block.json mapping");
    EXPECT_FALSE(files.dailylog.has_value());
    EXPECT_FALSE(files.reportinglog.has_value());
    EXPECT_THAT(files.warnings, ElementsAre(HasSubstr("../secret.csv"), HasSubstr("tradelog.csv")));
}

TEST(Discovery, BrokenBlockJsonIsAsIfAbsent) {
    for (const auto* json :
         {"", "{", "[]", R"({"csvMappings":[]})", R"({"csvMappings":{"tradelog":5}})"}) {
        const tb::test::TempDir dir;
        dir.write("b/block.json", json);
        dir.write("b/x.csv", kTrade);
        EXPECT_EQ(discover(dir).tradelog->file_name, "x.csv") << json;
    }
}

TEST(Discovery, EmptyOrCutOffFilesAreUndecidedNotAbsent) {
    const tb::test::TempDir dir;
    dir.write("b/empty.csv", "");
    dir.write("b/cut.csv", "Date Ope");
    const auto files = discover(dir);
    EXPECT_THAT(files.undecided, ElementsAre("cut.csv", "empty.csv"));
    EXPECT_FALSE(files.tradelog.has_value());
}

TEST(Discovery, StrayFilesThatLackColumnsNeverSpoilABlock) {
    const tb::test::TempDir dir;
    dir.write("b/a.csv", "Symbol,Contracts,Price\nX,1,2\n");
    dir.write("b/b.csv", "Symbol,P/L,Contracts\nX,1,2\n");
    dir.write("b/c.csv", kTrade);
    const auto files = discover(dir);
    EXPECT_EQ(files.tradelog->file_name, "c.csv");
    EXPECT_FALSE(files.reportinglog.has_value());
    EXPECT_EQ(files.warnings.size(), 2U);
}

TEST(Discovery, TradeLogThatLacksColumnsIsUsedWhenThereIsNoBetterOne) {
    const tb::test::TempDir dir;
    dir.write("b/a.csv", "Symbol,P/L,Contracts\nX,1,2\n");
    const auto files = discover(dir);
    EXPECT_EQ(files.tradelog->file_name, "a.csv");
    EXPECT_THAT(files.warnings, ElementsAre(HasSubstr("Date Opened")));
}

TEST(Discovery, HiddenFilesAndLinksToTheOutsideAreNoCandidates) {
    const tb::test::TempDir dir;
    const tb::test::TempDir outside;
    outside.write("x.csv", kTrade);
    dir.write("b/._my-strategylog.csv", "binary");
    dir.write("other/shared.csv", kDaily);
    std::filesystem::create_symlink(outside.path() / "x.csv", dir.path() / "b/tradelog.csv");
    std::filesystem::create_symlink(dir.path() / "other/shared.csv", dir.path() / "b/dailylog.csv");
    const auto files = discover(dir);
    EXPECT_FALSE(files.tradelog.has_value());
    EXPECT_FALSE(files.reportinglog.has_value());
    EXPECT_TRUE(files.dailylog.has_value());
    EXPECT_THAT(files.warnings, ElementsAre(HasSubstr("leads out")));

    // Both links lead to somewhere inside, wherever the folder itself lies.
    dir.write("_archive/2024/real/readme.txt", "x");
    std::filesystem::create_symlink(dir.path() / "other/shared.csv",
                                    dir.path() / "_archive/2024/real/dailylog.csv");
    std::filesystem::create_directory_symlink(dir.path() / "_archive/2024/real",
                                              dir.path() / "linked");
    const auto linked = discover_files(real_file_system(), dir.path() / "linked");
    ASSERT_TRUE(linked.has_value());
    EXPECT_TRUE(linked->dailylog.has_value());
    EXPECT_THAT(linked->warnings, ElementsAre());
}

TEST(Discovery, EncodedAndSemicolonHeadersAreRecognised) {
    const tb::test::TempDir dir;
    std::string utf16 = "\xFF\xFE";
    for (const char c : std::string(kTrade)) {
        utf16 += c;
        utf16 += '\0';
    }
    dir.write("b/one.csv", utf16);
    dir.write("b/two.csv", "\xEF\xBB\xBF\"Date\";\"Net Liquidity\"\r2024-01-02;\"1,5\"\r");
    const auto files = discover(dir);
    EXPECT_EQ(files.tradelog->file_name, "one.csv");
    EXPECT_EQ(files.dailylog->file_name, "two.csv");
}

class BrokenFileSystem final : public FileSystem {
  public:
    Result<std::unique_ptr<File>> open(const std::filesystem::path& /*path*/) override {
        return make_error(ErrorCode::kIo, "bad sector");
    }
    Result<FileStat> stat(const std::filesystem::path& path) override {
        return real_file_system().stat(path);
    }
    Result<std::vector<DirectoryEntry>> list(const std::filesystem::path& path) override {
        return real_file_system().list(path);
    }
};

TEST(Discovery, UnreadableFilesAreErrorsNotMissingRoles) {
    const tb::test::TempDir dir;
    dir.write("b/x.csv", kTrade);
    BrokenFileSystem broken;
    EXPECT_EQ(discover_files(broken, dir.path() / "b").error().code, ErrorCode::kIo);
    dir.write("c/tradelog.csv", kTrade);
    EXPECT_TRUE(discover_files(broken, dir.path() / "c").has_value());
    dir.write("c/block.json", R"({"csvMappings":{"tradelog":"x.csv"}})");
    EXPECT_EQ(discover_files(broken, dir.path() / "c").error().code, ErrorCode::kIo);
}

std::optional<FileRole> classify(const Cells& header, const Cells& row = {}) {
    return classify_header(header, row);
}

TEST(ClassifyHeader, TradeLogsByProfitAndTwoTradeColumns) {
    for (const std::string pl : {"P/L", "p&l", "Profit/Loss", "PL"}) {
        EXPECT_EQ(classify({"Date Opened", pl, "Strategy"}), FileRole::kTradeLog) << pl;
    }
    EXPECT_EQ(classify({"\xEF\xBB\xBF"
                        "DATE OPENED",
                        " p/l ", "legs"}),
              FileRole::kTradeLog);
    EXPECT_EQ(classify({"P/L", "Date Opened"}), FileRole::kTradeLog);  // rule 5: one is enough
    EXPECT_EQ(classify({"P/L", "No. of Contracts"}), FileRole::kTradeLog);
    EXPECT_EQ(classify({"Net P/L", "Date Opened", "Strategy"}), std::nullopt);
}

TEST(ClassifyHeader, InitialPremiumOrCreditMakesAReportingLog) {
    EXPECT_EQ(classify({"Date Opened", "P/L", "Strategy", "Initial Premium"}),
              FileRole::kReportingLog);
    EXPECT_EQ(classify({"Date Opened", "P/L", "Legs", "Initial Credit"}), FileRole::kReportingLog);
}

TEST(ClassifyHeader, DailyLogsNeedADateAValueAndANumericFirstRow) {
    EXPECT_EQ(classify({"Date", "Net Liquidity", "P/L"}, {"2024-01-02", "$1,000", "5"}),
              FileRole::kDailyLog);
    EXPECT_EQ(classify({"Date", "Net Liquidity"}, {"2024-01-02", "high"}), std::nullopt);
    EXPECT_EQ(classify({"Date", "Net Liquidity"}), FileRole::kDailyLog);
    EXPECT_EQ(classify({"date", "equity"}, {"2024-01-02", "5"}), FileRole::kDailyLog);
}

TEST(ClassifyHeader, TatFilesAreReportingLogs) {
    EXPECT_EQ(classify({"TradeID", "OpenDate", "PROFITLOSS", "BuyingPower"}),
              FileRole::kReportingLog);
}

TEST(ClassifyHeader, ReportingAliasesWithoutAProfitColumn) {
    for (const std::string name :
         {"Initial Premium ($)", "Initial Credit", "Contracts", "Contracts Traded", "Trade ID",
          "Reported Value", "Actual P/L"}) {
        EXPECT_EQ(classify({"Date Opened", name}), FileRole::kReportingLog) << name;
    }
    EXPECT_EQ(classify({"P/L", "Actual P/L"}), FileRole::kReportingLog);
}

TEST(ClassifyHeader, TrapsOfSubstringMatchingAreGone) {
    EXPECT_EQ(classify({"Update Time", "x", ""}, {"1", "2", "3"}), std::nullopt);
    EXPECT_EQ(classify({"Actual Type", "Price"}), std::nullopt);
    EXPECT_EQ(classify({"Date", "x", ""}, {"2024-01-02", "2", "3"}), std::nullopt);
    EXPECT_EQ(classify({"Candidate", "Valued"}, {"1", "2"}), std::nullopt);
    EXPECT_EQ(classify({}), std::nullopt);
}

}  // namespace
}  // namespace tb::blocks
