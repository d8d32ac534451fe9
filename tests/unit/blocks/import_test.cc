// Block ids and imports: 01 §1.2 and item 15 of 01 §8.1.
#include "blocks/import.h"

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "blocks/import_basis.h"
#include "support/temp_dir.h"

namespace tb::blocks {
namespace {

constexpr const char* kTrade = "Date Opened,P/L,Strategy\r\n2024-01-02,1,A\r\n";

class Import : public ::testing::Test {
  protected:
    Result<ImportOutcome> run(std::string_view content, const std::string& name = "My Block") {
        ImportRequest request{data_.path(), elsewhere_.write("export.csv", content)};
        request.name = name;
        request.pl_basis = basis_;
        return import_file(real_file_system(), request);
    }
    [[nodiscard]] PlBasis kept_basis() const {
        return read_import_pl_basis(real_file_system(), data_.path(), "my-block").value();
    }
    [[nodiscard]] std::size_t entries() const {
        return real_file_system().list(data_.path()).value().size();
    }

    tb::test::TempDir data_;
    tb::test::TempDir elsewhere_;
    std::optional<PlBasis> basis_;
};

TEST(BlockId, FollowsTheReferenceWhereThatSucceeds) {
    EXPECT_EQ(block_id_from_name("camelCaseName_v2 (new)!"), "camel-case-name-v2-new");
    EXPECT_EQ(block_id_from_name("../../evil path"), "evil-path");
    EXPECT_EQ(block_id_from_name("  A -- B__c\t"), "a-b-c");
    EXPECT_EQ(block_id_from_name("Caf\xC3\xA9 XYZ"), "caf-xyz");
}

TEST(BlockId, NonAsciiNamesKeepTheirCharacters) {
    EXPECT_EQ(block_id_from_name("\xE6\x97\xA5\xE6\x9C\xAC"), "\xE6\x97\xA5\xE6\x9C\xAC");
}

TEST(BlockId, NamesWithoutAnythingUsableAreRefused) {
    for (const auto& name : {std::string(), std::string("..."), std::string("- _ -"),
                             std::string("\xFF\xFE"), std::string(500, 'a')}) {
        EXPECT_EQ(block_id_from_name(name).error().code, ErrorCode::kInvalidArgument);
    }
}

TEST_F(Import, CopiesTheBytesUnderTheStandardName) {
    const auto outcome = run(kTrade);
    ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
    EXPECT_EQ(outcome->block_id, "my-block");
    EXPECT_EQ(outcome->role, FileRole::kTradeLog);
    EXPECT_EQ(outcome->report.rows_stored, 1);
    EXPECT_EQ(data_.read("my-block/tradelog.csv"), kTrade);
    EXPECT_EQ(entries(), 1U);
    EXPECT_EQ(kept_basis(), PlBasis::kNetIncludesFees);
}

TEST_F(Import, AFileThatIsStillGrowingIsWaitedForAndItsTimeKept) {
    const std::string text = "Date Opened,Strategy,P/L\n2025-12-01,A,-12";
    const auto source = elsewhere_.path() / "export.csv";
    const std::jthread writer([&source] {
        while (!std::filesystem::exists(source)) {
            std::this_thread::yield();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        std::ofstream(source, std::ios::app) << ".50\n";
    });
    ASSERT_TRUE(run(text).has_value());
    EXPECT_EQ(data_.read("my-block/tradelog.csv"), text + ".50\n");
    EXPECT_EQ(std::filesystem::last_write_time(data_.path() / "my-block/tradelog.csv"),
              std::filesystem::last_write_time(source));
}

TEST_F(Import, BasisIsKeptOutsideTheUntouchedFolder) {
    basis_ = PlBasis::kGrossBeforeFees;
    ASSERT_TRUE(run(kTrade).has_value());
    EXPECT_EQ(data_.read("my-block/tradelog.csv"), kTrade);
    EXPECT_EQ(kept_basis(), PlBasis::kGrossBeforeFees);
    EXPECT_EQ(real_file_system().list(data_.path() / "my-block")->size(), 1U);
}

TEST_F(Import, BasisOfAnEarlierBlockOfThatNameIsForgotten) {
    basis_ = PlBasis::kGrossBeforeFees;
    ASSERT_TRUE(run(kTrade).has_value());
    std::filesystem::remove_all(data_.path() / "my-block");
    basis_.reset();
    ASSERT_TRUE(run(kTrade).has_value());
    EXPECT_EQ(kept_basis(), PlBasis::kNetIncludesFees);
}

TEST_F(Import, DailyAndReportingLogsGetTheirNames) {
    ASSERT_TRUE(run("Date,Net Liquidity\n2024-01-02,5\n", "d").has_value());
    ASSERT_TRUE(run("Date Opened,P/L,Initial Premium\n2024-01-02,5,6\n", "r").has_value());
    EXPECT_TRUE(std::filesystem::exists(data_.path() / "d/dailylog.csv"));
    EXPECT_TRUE(std::filesystem::exists(data_.path() / "r/reportinglog.csv"));
}

TEST_F(Import, ExistingPathsAreNeverTouched) {
    std::filesystem::create_directory(data_.path() / "my-block");
    EXPECT_EQ(run(kTrade).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(std::filesystem::is_empty(data_.path() / "my-block"));
    data_.write("file", "x");
    EXPECT_EQ(run(kTrade, "file").error().code, ErrorCode::kInvalidArgument);
    std::filesystem::create_symlink("nowhere", data_.path() / "link");
    EXPECT_EQ(run(kTrade, "link").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Import, FailuresLeaveNothingBehind) {
    EXPECT_EQ(run("hello\nworld\n").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(run("Date Opened,P/L,Legs\nbad,x,y\n").error().code, ErrorCode::kParse);
    EXPECT_EQ(run("Date Opened,P/L,Legs\n2024-01-02,1").error().code, ErrorCode::kParse);
    EXPECT_EQ(run("").error().code, ErrorCode::kInvalidArgument);
    ImportRequest missing{data_.path(), elsewhere_.path() / "none.csv"};
    EXPECT_EQ(import_file(real_file_system(), missing).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(entries(), 0U);
}

TEST_F(Import, NameDefaultsToTheFileName) {
    EXPECT_EQ(run(kTrade, "")->block_id, "export");
}

}  // namespace
}  // namespace tb::blocks
