// Fresh blocks: synced on demand, loaded once, loaded again when their files change.
#include "tools/app.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace tb::tools {
namespace {

constexpr std::string_view kHeader =
    "Date Opened,Time Opened,Legs,Premium,Date Closed,Time Closed,P/L,No. of Contracts,Margin "
    "Req.,Strategy,Opening Commissions + Fees,Closing Commissions + Fees,P/L Basis\n";

class AppTest : public ::testing::Test {
  protected:
    AppTest() : app_({.data_dir = dir_.path(), .store = {}, .import_roots = {}}) {
        // Newest first, as Option Omega writes it.
        dir_.write("A/tradelog.csv",
                   std::string(kHeader) +
                       "2024-01-03,10:15:00,c,420,2024-01-04,15:00:00,30,2,700,beta,1,2,\n"
                       "2024-01-03,9:05 AM,b,4.20,,,-20,,800,,3,4,gross_before_fees\n"
                       "2024-01-02,11:00:00,a,,2024-01-02,16:00:00,10,1,900,alpha,,,\n");
    }

    std::int64_t stored_trades() {
        auto connection = app_.reader();
        EXPECT_TRUE(connection.has_value());
        auto rows = connection->collect("SELECT count(*) FROM trades.trade_data");
        EXPECT_TRUE(rows.has_value() && rows->next().value_or(false));
        return rows->get<std::int64_t>(0);
    }

    tb::test::TempDir dir_;
    App app_;
};

TEST_F(AppTest, BlockIsLoadedInOpeningOrderWithUnitsAndDefaults) {
    const auto block = app_.fresh_block("A", {});
    ASSERT_TRUE(block.has_value()) << block.error().to_string();
    const auto& set = block->data->trades;
    ASSERT_EQ(set.trades.size(), 3U);
    EXPECT_EQ(set.strategies, (std::vector<std::string>{"alpha", "A", "beta"}));
    const auto& first = set.trades[0];
    EXPECT_EQ(first.legs, "a");
    EXPECT_EQ(first.premium, 0);
    EXPECT_EQ(first.net_pl(), 10);
    const auto& second = set.trades[1];
    EXPECT_EQ(second.legs, "b");
    EXPECT_EQ(second.time_opened->to_iso(), "09:05:00");
    EXPECT_EQ(second.contracts, 1);
    EXPECT_FALSE(second.date_closed.has_value());
    EXPECT_EQ(second.premium_unit, analytics::PremiumUnit::kDollars);
    EXPECT_EQ(second.net_pl(), -27);
    EXPECT_EQ(second.gross_pl(), -20);
    const auto& third = set.trades[2];
    // One unit and one basis for the whole file: 4.20 proves dollars, the row that says gross is
    // it.
    EXPECT_EQ(third.premium_unit, analytics::PremiumUnit::kDollars);
    EXPECT_EQ(third.contracts, 2);
    EXPECT_EQ(third.gross_pl(), 30);
    EXPECT_EQ(third.ticker, "SPX");
    EXPECT_EQ(third.realized_on().to_iso(), "2024-01-04");
    EXPECT_EQ(block->data->data_version(),
              *sync::hash_file_content(dir_.path() / "A/tradelog.csv"));
}

TEST_F(AppTest, UnchangedBlockComesFromTheCacheAndAChangedOneDoesNot) {
    const auto first = app_.fresh_block("A", {});
    const auto again = app_.fresh_block("A", {});
    ASSERT_TRUE(first.has_value() && again.has_value());
    EXPECT_EQ(first->data, again->data);
    dir_.write("A/tradelog.csv", std::string(kHeader) + "2024-02-01,10:00:00,z,1,,,77,1,1,s,,,\n");
    const auto changed = app_.fresh_block("A", {});
    ASSERT_TRUE(changed.has_value());
    ASSERT_EQ(changed->data->trades.trades.size(), 1U);
    EXPECT_EQ(changed->data->trades.trades[0].pl, 77);
    EXPECT_EQ(first->data->trades.trades.size(), 3U);  // who holds the old rows keeps them
}

TEST_F(AppTest, AReaderFindsWhatWasSyncedThoughTheDatabaseWasOpenedAnewSince) {
    ASSERT_TRUE(app_.sync_all({}, {}).has_value());
    // As when another call exchanges a stand-in, or the process gets another role.
    app_.close();
    std::filesystem::remove(dir_.path() / "analytics.duckdb");
    EXPECT_EQ(stored_trades(), 3);
    dir_.write("A/tradelog.csv", std::string(kHeader) + "2024-02-01,10:00:00,z,1,,,77,1,1,s,,,\n");
    EXPECT_EQ(stored_trades(), 3) << "looked at only when it is to be synced";
}

TEST_F(AppTest, AFileThatWasTakenAwayIsMadeAnewBySyncing) {
    ASSERT_TRUE(app_.sync_all({}, {}).has_value());
    std::filesystem::remove(dir_.path() / "analytics.duckdb");
    const auto synced = app_.sync_all({}, {});
    ASSERT_TRUE(synced.has_value());
    EXPECT_EQ(synced->blocks.synced, 1);
    EXPECT_EQ(stored_trades(), 3);
    EXPECT_TRUE(std::filesystem::exists(dir_.path() / "analytics.duckdb"));
}

TEST_F(AppTest, UnknownBlockNamesTheNearestOne) {
    dir_.write("EMA Test Data/tradelog.csv", kHeader);
    const auto block = app_.fresh_block("ema test dta", {});
    ASSERT_FALSE(block.has_value());
    EXPECT_EQ(block.error().code, ErrorCode::kNotFound);
    EXPECT_NE(block.error().message.find("EMA Test Data"), std::string::npos);
}

TEST_F(AppTest, UnusableBlockSaysWhyAndHalfWrittenOneKeepsItsRows) {
    ASSERT_TRUE(app_.fresh_block("A", {}).has_value());
    dir_.write("A/tradelog.csv", std::string(kHeader) + "2024-02-01,10:00:00,z,1");
    const auto half = app_.fresh_block("A", {});
    ASSERT_TRUE(half.has_value()) << half.error().to_string();
    EXPECT_EQ(half->sync.status, sync::SyncStatus::kIncomplete);
    EXPECT_EQ(half->data->trades.trades.size(), 3U);
    dir_.write("A/tradelog.csv", "alpha,beta\n1,2\n");
    const auto bad = app_.fresh_block("A", {});
    ASSERT_FALSE(bad.has_value());
    EXPECT_EQ(bad.error().code, ErrorCode::kParse);
}

TEST_F(AppTest, ListenerHearsOfChangedBlocksOnly) {
    std::vector<std::string> heard;
    app_.set_change_listener([&](const std::vector<std::string>& ids) {
        heard.insert(heard.end(), ids.begin(), ids.end());
    });
    ASSERT_TRUE(app_.sync_all({}, {}).has_value());
    ASSERT_TRUE(app_.sync_all({}, {}).has_value());
    EXPECT_EQ(heard, (std::vector<std::string>{"A"}));
    EXPECT_EQ(app_.stored_block_ids().value(), (std::vector<std::string>{"A"}));
}

TEST_F(AppTest, ListenerHearsOfMarketRowsThatCameIn) {
    std::vector<std::string> heard;
    ASSERT_TRUE(app_.sync_all({}, {}).has_value());
    app_.set_change_listener([&](const std::vector<std::string>& ids) {
        heard.insert(heard.end(), ids.begin(), ids.end());
    });
    dir_.write("_marketdata/spx_daily.csv", "date,close\n2024-01-02,4742.83\n");
    ASSERT_TRUE(app_.sync_all({}, {}).has_value());
    ASSERT_TRUE(app_.sync_all({}, {}).has_value());
    EXPECT_EQ(heard, (std::vector<std::string>{"_marketdata"}));
}

TEST_F(AppTest, RealBlocksLoadWithTheirFigures) {
    TB_REQUIRE_SHARED();
    std::filesystem::copy(tb::test::shared_dir() / "data/blocks", dir_.path(),
                          std::filesystem::copy_options::recursive);
    const auto block = app_.fresh_block("EMA Test Data", {});
    ASSERT_TRUE(block.has_value());
    double pl = 0;
    for (const auto& trade : block->data->trades.trades) {
        pl += trade.net_pl();
        EXPECT_EQ(trade.premium_unit, analytics::PremiumUnit::kCents);
    }
    EXPECT_EQ(pl, 19735);
    EXPECT_EQ(block->data->daily_log.size(), 192U);
    EXPECT_EQ(block->data->reporting.trades.size(), 384U);
    EXPECT_TRUE(block->data->has_daily_log() && block->data->has_reporting_log());
}

}  // namespace
}  // namespace tb::tools
