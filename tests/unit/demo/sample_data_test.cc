#include "demo/sample_data.h"

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/sha256.h"
#include "demo/exports.h"
#include "demo/market_path.h"
#include "demo/messy_rows.h"
#include "demo/random.h"
#include "demo/trades.h"
#include "support/temp_dir.h"

namespace tb::demo {
namespace {

std::map<std::string, std::string> files_below(const std::filesystem::path& root) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.is_regular_file()) {
            std::ifstream in(entry.path(), std::ios::binary);
            files[std::filesystem::relative(entry.path(), root).string()] =
                std::string(std::istreambuf_iterator<char>(in), {});
        }
    }
    return files;
}

std::int64_t cents_of(const std::string& text) {
    const bool negative = text.starts_with('-');
    const auto dot = text.find('.');
    std::string digits = text.substr(
        negative ? 1 : 0, dot == std::string::npos ? std::string::npos : dot - (negative ? 1 : 0));
    std::string fraction = dot == std::string::npos ? "" : text.substr(dot + 1);
    fraction.resize(2, '0');
    const std::int64_t value = std::stoll(digits + fraction);
    return negative ? -value : value;
}

MarketPath small_path() {
    return MarketPath(5, *Date::from_ymd(2024, 1, 2), 60);
}

std::vector<SampleTrade> small_trades(const MarketPath& path) {
    return make_trades(path,
                       {{"Condor", Structure::kIronCondor, 600, 40, 2, 10 * 3600, 0, 250, 0},
                        {"Weekly", Structure::kPutSpread, 900, 100, 3, 11 * 3600, 5, 300, 30}},
                       2, 54, 2, 9);
}

// A change of the generator changes this value and every bench that relies on "same data": the
// number must come out the same on every machine and compiler.
TEST(SampleData, TheSameSeedGivesTheSameBytes) {
    const test::TempDir first;
    const test::TempDir second;
    const auto summary = write_demo_data(first.path() / "a", 1);
    ASSERT_TRUE(summary.has_value()) << summary.error().to_string();
    ASSERT_TRUE(write_demo_data(second.path() / "b", 1).has_value());
    const auto files = files_below(first.path() / "a");
    EXPECT_EQ(files, files_below(second.path() / "b"));
    EXPECT_EQ(static_cast<std::int64_t>(files.size()), summary->files + 1);  // and the marker

    std::string all;
    for (const auto& [name, content] : files) {
        all += name + "\n" + content;
    }
    EXPECT_EQ(sha256_hex(std::as_bytes(std::span(all))).substr(0, 16), "ce1ea594baa7c97a");
}

TEST(SampleData, AnotherSeedGivesOtherTrades) {
    const test::TempDir dir;
    ASSERT_TRUE(write_demo_data(dir.path() / "a", 1).has_value());
    ASSERT_TRUE(write_demo_data(dir.path() / "b", 2).has_value());
    EXPECT_NE(dir.read("a/MEIC/meic-tradelog.csv"), dir.read("b/MEIC/meic-tradelog.csv"));
}

TEST(SampleData, RefusesAFolderThatHoldsSomethingElse) {
    const test::TempDir dir;
    dir.write("mine/tradelog.csv", "precious\n");
    const auto result = write_demo_data(dir.path(), 1);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kRefused);
    EXPECT_EQ(files_below(dir.path()).size(), 1U);
    EXPECT_FALSE(write_bulk_data(dir.path(), {}).has_value());
}

TEST(SampleData, RefusesItsOwnFolderOnceAnythingElseIsInIt) {
    const auto refused = [](const std::filesystem::path& folder) {
        const auto before = files_below(folder);
        const auto result = write_demo_data(folder, 2);
        EXPECT_FALSE(result.has_value()) << folder;
        EXPECT_FALSE(write_bulk_data(folder, {}).has_value());
        EXPECT_EQ(files_below(folder), before);
        return result.has_value() ? ErrorCode::kInternal : result.error().code;
    };
    const test::TempDir dir;
    for (const char* const name : {"mine.txt", "My Block/tradelog.csv", "MEIC/my-own.csv",
                                   "MEIC/meic-tradelog.csv", "_marketdata/vix.csv", ".hidden"}) {
        const std::filesystem::path folder = dir.path() / "own";
        ASSERT_TRUE(write_demo_data(folder, 1).has_value());
        dir.write(std::filesystem::path("own") / name, "precious\n");
        EXPECT_EQ(refused(folder), ErrorCode::kRefused) << name;
        std::filesystem::remove_all(folder);
    }
    const auto folder = dir.path() / "links";
    ASSERT_TRUE(write_demo_data(folder, 1).has_value());
    std::filesystem::create_directory(folder / "empty");
    EXPECT_EQ(refused(folder), ErrorCode::kRefused);
    std::filesystem::remove(folder / "empty");
    std::filesystem::create_symlink("/dev/null", folder / "link");
    EXPECT_EQ(refused(folder), ErrorCode::kRefused);
    std::filesystem::remove(folder / "link");
    std::filesystem::rename(folder / "MEIC", dir.path() / "moved");
    std::filesystem::create_directory_symlink(dir.path() / "moved", folder / "MEIC");
    EXPECT_EQ(refused(folder), ErrorCode::kRefused);
    std::filesystem::remove(folder / "MEIC");
    EXPECT_TRUE(write_demo_data(folder, 2).has_value());
}

TEST(SampleData, AMarkerOfAnEarlierVersionProvesNothing) {
    const test::TempDir dir;
    dir.write("a/.tradeblocks-sample",
              "Sample data of tradeblocks; may be deleted or overwritten.\n");
    dir.write("a/MEIC/meic-tradelog.csv", "precious\n");
    EXPECT_FALSE(write_demo_data(dir.path() / "a", 1).has_value());
    EXPECT_EQ(dir.read("a/MEIC/meic-tradelog.csv"), "precious\n");
}

TEST(SampleData, WritesNoFolderIntoADataDirectory) {
    const test::TempDir dir;
    dir.write("Trades/analytics.duckdb", "");
    const auto result = write_demo_data(dir.path() / "Trades" / "new" / "", 1);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kRefused);
    EXPECT_FALSE(std::filesystem::exists(dir.path() / "Trades" / "new"));
}

TEST(SampleData, ReplacesWhatEarlierRunsWroteAndASyncAdded) {
    const test::TempDir dir;
    const auto folder = dir.path() / "a";
    ASSERT_TRUE(write_demo_data(folder, 1).has_value());
    dir.write("a/analytics.duckdb", "db");
    dir.write("a/.tradeblocks/market-history/x", "y");
    dir.write("a/.tradeblocks-sample.tmp", "left over");
    std::filesystem::remove(folder / "MEIC" / "meic-dailylog.csv");
    ASSERT_TRUE(write_demo_data(folder, 2).has_value());
    ASSERT_TRUE(write_bulk_data(folder, {.trades_per_block = 3}).has_value());
    ASSERT_TRUE(write_demo_data(folder, 1).has_value());
    const test::TempDir other;
    ASSERT_TRUE(write_demo_data(other.path() / "b", 1).has_value());
    EXPECT_EQ(dir.read("a/MEIC/meic-tradelog.csv"), other.read("b/MEIC/meic-tradelog.csv"));
    EXPECT_EQ(dir.read("a/analytics.duckdb"), "db");
}

TEST(SampleData, WritesOverItsOwnFolder) {
    const test::TempDir dir;
    ASSERT_TRUE(write_demo_data(dir.path() / "a", 1).has_value());
    const auto before = files_below(dir.path());
    ASSERT_TRUE(write_demo_data(dir.path() / "a", 1).has_value());
    EXPECT_EQ(files_below(dir.path()), before);
}

TEST(SampleData, BulkBlocksHaveTheTradesAskedFor) {
    const test::TempDir dir;
    const auto summary =
        write_bulk_data(dir.path() / "bulk", {.seed = 3, .blocks = 3, .trades_per_block = 900});
    ASSERT_TRUE(summary.has_value()) << summary.error().to_string();
    EXPECT_EQ(summary->rows, 2'700);
    EXPECT_EQ(summary->files, 3);
    std::set<std::string> contents;
    for (const char* const block : {"block-0001", "block-0002", "block-0003"}) {
        const auto text = dir.read(std::filesystem::path("bulk") / block / "tradelog.csv");
        EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 901);
        contents.insert(text);
    }
    EXPECT_EQ(contents.size(), 3U);
    // The measured figures of the design are per 225 bytes a trade.
    EXPECT_NEAR(static_cast<double>(summary->bytes) / 2'700, 225, 12);
}

TEST(SampleData, BulkFundsAreTheRunningSumOfProfits) {
    const test::TempDir dir;
    ASSERT_TRUE(
        write_bulk_data(dir.path() / "bulk", {.seed = 8, .blocks = 1, .trades_per_block = 400})
            .has_value());
    std::istringstream in(dir.read("bulk/block-0001/tradelog.csv"));
    std::string line;
    std::getline(in, line);
    std::vector<std::pair<std::int64_t, std::int64_t>> pl_and_funds;  // newest first
    while (std::getline(in, line)) {
        std::vector<std::string> cells;
        std::istringstream row(line);
        for (std::string cell; std::getline(row, cell, ',');) {
            cells.push_back(cell);
        }
        ASSERT_EQ(cells.size(), 23U);
        pl_and_funds.emplace_back(cents_of(cells[10]), cents_of(cells[12]));
    }
    for (std::size_t i = 0; i + 1 < pl_and_funds.size(); ++i) {
        EXPECT_EQ(pl_and_funds[i].second - pl_and_funds[i].first, pl_and_funds[i + 1].second);
    }
}

TEST(SampleTrades, ProfitIsPremiumLessCostLessFees) {
    const MarketPath path = small_path();
    const auto trades = small_trades(path);
    ASSERT_GT(trades.size(), 100U);
    std::set<std::string_view> reasons;
    for (const SampleTrade& trade : trades) {
        EXPECT_EQ(trade.pl, trade.contracts * (trade.premium - trade.closing_cost) * 100 -
                                trade.opening_fees - trade.closing_fees);
        EXPECT_GT(trade.margin, 0);
        EXPECT_LE(std::pair(trade.date_opened, trade.time_opened),
                  std::pair(trade.date_closed, trade.time_closed));
        EXPECT_GE(trade.max_profit_bp, trade.max_loss_bp);
        reasons.insert(trade.reason);
    }
    EXPECT_EQ(reasons.size(), 3U) << "expired, stopped and profit-taking trades all occur";
}

TEST(SampleTrades, DailyLogAddsUpToTheTrades) {
    const MarketPath path = small_path();
    const auto trades = small_trades(path);
    std::int64_t total = 0;
    for (const SampleTrade& trade : trades) {
        total += trade.pl;
    }
    const auto rows = daily_log(trades, path, 5'000'000);
    std::int64_t daily = 0;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        daily += cents_of(rows[i][5]);
    }
    EXPECT_EQ(daily, total);
    EXPECT_EQ(cents_of(rows.back()[1]), 5'000'000 + total);
}

TEST(SampleMarket, HasNoWeekendsAndNoHolidays) {
    for (const char* const closed :
         {"2024-01-01", "2024-01-15", "2024-03-29", "2024-05-27", "2024-06-19", "2024-07-04",
          "2024-09-02", "2024-11-28", "2024-12-25", "2022-12-26", "2025-04-18", "2024-06-15"}) {
        EXPECT_FALSE(is_exchange_day(*Date::from_iso(closed))) << closed;
    }
    // Juneteenth before it was a holiday; New Year on a Saturday is not kept on Friday.
    for (const char* const open : {"2020-06-19", "2021-12-31", "2024-07-05", "2024-11-29"}) {
        EXPECT_TRUE(is_exchange_day(*Date::from_iso(open))) << open;
    }
}

TEST(SampleMarket, PricesStayPlausible) {
    const MarketPath path(1, *Date::from_ymd(2014, 1, 2), 2600);
    ASSERT_EQ(path.days().size(), 2600U);
    for (const TradingDay& day : path.days()) {
        for (std::size_t i = 0; i < day.index.size(); ++i) {
            ASSERT_GT(day.index[i], 100'000);
            ASSERT_LT(day.index[i], 1'500'000);
            ASSERT_GE(day.vix[i], 950);
            ASSERT_LE(day.vix[i], 6'500);
        }
    }
}

TEST(SampleMarket, EveryMarketFileHasOneRowADayAndNoShortRow) {
    const MarketPath path(1, *Date::from_ymd(2024, 1, 2), 150);
    const std::map<std::string, std::size_t> columns{{"spx_daily.csv", 36},
                                                     {"spx_15min.csv", 40},
                                                     {"spx_highlow.csv", 18},
                                                     {"vix_intraday.csv", 33},
                                                     {"treasury_rates.csv", 2}};
    const auto files = market_files(path, 90);
    ASSERT_EQ(files.size(), columns.size());
    for (const MarketFile& file : files) {
        std::istringstream in(file.content);
        std::size_t rows = 0;
        for (std::string line; std::getline(in, line); ++rows) {
            EXPECT_EQ(static_cast<std::size_t>(std::count(line.begin(), line.end(), ',')) + 1,
                      columns.at(file.name))
                << file.name << ": " << line;
        }
        EXPECT_EQ(rows, 61U) << file.name;
    }
}

TEST(SampleText, DecimalsLoseOnlyTrailingZeros) {
    EXPECT_EQ(decimal_text(11'973'500, 2), "119735");
    EXPECT_EQ(decimal_text(-1'786, 2), "-17.86");
    EXPECT_EQ(decimal_text(-5, 2), "-0.05");
    EXPECT_EQ(decimal_text(1'780, 2), "17.8");
    EXPECT_EQ(decimal_text(0, 2), "0");
    EXPECT_EQ(decimal_text(100, 0), "100");
}

TEST(SampleText, QuotesOnlyWhereNeeded) {
    std::string out;
    const std::vector<std::string> cells{"plain", "a,b", "say \"no\"", ""};
    append_csv_row(out, cells, "\r\n");
    EXPECT_EQ(out, "plain,\"a,b\",\"say \"\"no\"\"\",\r\n");
}

TEST(SampleText, MessyNeedsEnoughRows) {
    std::vector<Row> few{trade_log_header(false)};
    EXPECT_FALSE(make_messy(few));
}

TEST(SampleRandom, BellIsCenteredAndBounded) {
    Random random({42});
    std::int64_t sum = 0;
    for (int i = 0; i < 20'000; ++i) {
        const std::int64_t value = random.bell_milli();
        ASSERT_LE(std::abs(value), 3'464);
        sum += value;
    }
    EXPECT_LT(std::abs(sum / 20'000), 40);
}

}  // namespace
}  // namespace tb::demo
