// The figures of 01 §9 for the two real portfolios, from their files alone.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "blocks/discovery.h"
#include "collect.h"
#include "core/file_system.h"
#include "support/temp_dir.h"

namespace tb::blocks {
namespace {

using test::Ingested;

std::string read(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::filesystem::path block(const char* name) {
    return tb::test::shared_dir() / "data" / "blocks" / name;
}

void expect_sum(double calculated, double expected) {
    EXPECT_LE(std::abs(calculated - expected), 1e-9 * std::max(1.0, std::abs(expected)))
        << "calculated " << calculated << ", expected " << expected << " (01 §9)";
}

template <class Record>
double sum(const std::vector<Record>& rows, const std::function<double(const Record&)>& value) {
    double total = 0;
    for (const Record& row : rows) {
        total += value(row);
    }
    return total;
}

void expect_clean(const IngestReport& report, std::int64_t rows) {
    EXPECT_EQ(report.outcome, IngestOutcome::kComplete) << report.rejection;
    EXPECT_EQ(report.data_rows, rows);
    EXPECT_EQ(report.rows_stored, rows);
    EXPECT_EQ(report.rows_skipped, 0);
    EXPECT_EQ(report.issues_total, 0);
}

struct TradeFigures {
    std::int64_t rows;
    double pl, premium, contracts, margin, opening_fees, closing_fees;
    const char *first_open, *last_open, *last_close;
    std::int64_t winners;
    std::size_t distinct_legs;
};

void expect_trade_figures(const Ingested<TradeRecord>& got, const TradeFigures& want) {
    expect_clean(got.report, want.rows);
    const auto total = [&got](auto member) {
        return sum<TradeRecord>(got.rows,
                                [member](const TradeRecord& t) { return (t.*member).value(); });
    };
    expect_sum(sum<TradeRecord>(got.rows, [](const auto& t) { return t.pl; }), want.pl);
    expect_sum(sum<TradeRecord>(got.rows, [](const auto& t) { return t.net_pl; }), want.pl);
    expect_sum(total(&TradeRecord::premium), want.premium);
    expect_sum(total(&TradeRecord::num_contracts), want.contracts);
    expect_sum(total(&TradeRecord::margin_req), want.margin);
    expect_sum(total(&TradeRecord::opening_commissions), want.opening_fees);
    expect_sum(total(&TradeRecord::closing_commissions), want.closing_fees);
    EXPECT_EQ(got.report.first_date.value().to_iso(), want.first_open);
    EXPECT_EQ(got.report.last_date.value().to_iso(), want.last_open);
    Date last_close;
    std::set<std::string_view> legs;
    std::int64_t winners = 0;
    for (const TradeRecord& trade : got.rows) {
        last_close = std::max(last_close, trade.date_closed.value());
        legs.insert(trade.legs);
        winners += trade.pl > 0 ? 1 : 0;
        EXPECT_EQ(trade.ticker, "SPX");
        EXPECT_EQ(trade.premium_unit, PremiumUnit::kCents);
        EXPECT_TRUE(trade.extra_json.empty());
    }
    EXPECT_EQ(last_close.to_iso(), want.last_close);
    EXPECT_EQ(winners, want.winners);
    EXPECT_EQ(legs.size(), want.distinct_legs);
}

template <class Record>
std::map<std::string, std::int64_t> by_strategy(const std::vector<Record>& rows) {
    std::map<std::string, std::int64_t> counts;
    for (const Record& row : rows) {
        ++counts[std::string(row.strategy)];
    }
    return counts;
}

TEST(RealData, EmaTradeLogHasTheRecordedFigures) {
    TB_REQUIRE_SHARED();
    Ingested<TradeRecord> got;
    test::ingest_into(got, read(block("EMA Test Data") / "ema-tradelog.csv"));
    expect_trade_figures(got, {384, 19735, 135860, 1110, 16258580, 3330, 1178, "2025-01-02",
                               "2025-10-08", "2025-10-08", 186, 383});
    EXPECT_EQ(by_strategy(got.rows),
              (std::map<std::string, std::int64_t>{{"0DTE CCS - EMA Entry", 205},
                                                   {"0DTE PCS - EMA Entry", 179}}));
    const TradeRecord& first = got.rows.front();
    EXPECT_EQ(first.source_line, 2);
    EXPECT_EQ(first.time_opened->to_iso(), "10:15:00");
    EXPECT_EQ(first.opening_price, 6740.79);
    EXPECT_EQ(first.closing_price, 6753.72);
    EXPECT_EQ(first.funds_at_close, 119735);
    EXPECT_EQ(first.opening_short_long_ratio, 17.8);
    EXPECT_EQ(first.max_loss, -17.86);
    EXPECT_EQ(first.reason_for_close, "Expired");
}

TEST(RealData, MeicTradeLogHasTheRecordedFiguresAndBlankStrategies) {
    TB_REQUIRE_SHARED();
    Ingested<TradeRecord> got;
    test::ingest_into(got, read(block("MEIC Test Data") / "meic-tradelog.csv"));
    expect_trade_figures(got, {532, 408.08, 151310, 532, 3969060, 1893.92, 390, "2025-01-03",
                               "2025-11-21", "2025-11-21", 282, 532});
    EXPECT_EQ(by_strategy(got.rows), (std::map<std::string, std::int64_t>{{"", 532}}));
}

void expect_daily(const char* folder, const char* file, double pl, double drawdown,
                  const char* last) {
    Ingested<DailyRecord> got;
    test::ingest_into(got, read(block(folder) / file));
    expect_clean(got.report, 192);
    expect_sum(sum<DailyRecord>(got.rows, [](const auto& d) { return d.pl.value(); }), pl);
    double lowest = 0;
    for (const DailyRecord& day : got.rows) {
        lowest = std::min(lowest, day.drawdown_pct.value());
    }
    expect_sum(lowest, drawdown);
    EXPECT_EQ(got.report.last_date->to_iso(), last);
}

TEST(RealData, DailyLogsHaveTheRecordedFigures) {
    TB_REQUIRE_SHARED();
    expect_daily("EMA Test Data", "ema-dailylog.csv", 19735, -12.89, "2025-10-08");
    expect_daily("MEIC Test Data", "meic-dailylog.csv", 3589.96, -5.05, "2025-10-08");
}

struct StrategyFigures {
    std::int64_t rows;
    double win_rate;
    double pl;
};

void expect_reporting(const std::string& bytes, std::int64_t rows, double pl, double contracts,
                      const std::map<std::string, StrategyFigures>& strategies) {
    Ingested<ReportingRecord> got;
    test::ingest_into(got, bytes);
    expect_clean(got.report, rows);
    expect_sum(sum<ReportingRecord>(got.rows, [](const auto& r) { return r.pl; }), pl);
    expect_sum(sum<ReportingRecord>(got.rows, [](const auto& r) { return *r.num_contracts; }),
               contracts);
    for (const auto& [name, want] : strategies) {
        std::int64_t count = 0;
        std::int64_t winners = 0;
        double total = 0;
        for (const ReportingRecord& row : got.rows) {
            if (row.strategy == name) {
                ++count;
                winners += row.pl > 0 ? 1 : 0;
                total += row.pl;
            }
        }
        EXPECT_EQ(count, want.rows) << name;
        EXPECT_EQ(static_cast<double>(winners) / static_cast<double>(count), want.win_rate);
        expect_sum(total, want.pl);
    }
    for (const ReportingRecord& row : got.rows) {
        EXPECT_TRUE(row.time_opened.has_value());
        EXPECT_TRUE(row.time_closed.has_value());
    }
}

TEST(RealData, ReportingLogsHaveTheRecordedFiguresPerStrategy) {
    TB_REQUIRE_SHARED();
    expect_reporting(read(block("EMA Test Data") / "ema-strategy-trade-log.csv"), 384, -36331386,
                     1110,
                     {{"0DTE CCS - EMA Entry", {205, 0.4682926829268293, -14310789}},
                      {"0DTE PCS - EMA Entry", {179, 0.46368715083798884, -22020597}}});
    expect_reporting(read(block("MEIC Test Data") / "meic-strategy-trade-log.csv"), 26, -2045.51436,
                     52, {{"MEIC", {26, 0.46153846153846156, -2045.51436}}});
}

TEST(RealData, ReportingTimestampsKeepAllFractionDigits) {
    TB_REQUIRE_SHARED();
    Ingested<ReportingRecord> got;
    test::ingest_into(got, read(block("MEIC Test Data") / "meic-strategy-trade-log.csv"));
    EXPECT_EQ(got.rows[0].opened_at, "2025-05-30T10:15:40.546199");
    EXPECT_EQ(got.rows[0].time_opened->to_iso(), "10:15:40");
    EXPECT_EQ(got.rows[0].time_closed->to_iso(), "15:26:20");
    EXPECT_EQ(got.rows[0].initial_premium, 2.63);
}

TEST(RealData, EveryBlockFolderIsDiscoveredWithTheRightRoles) {
    TB_REQUIRE_SHARED();
    auto& fs = real_file_system();
    const auto ema = discover_files(fs, block("EMA Test Data"));
    ASSERT_TRUE(ema.has_value());
    EXPECT_EQ(ema->tradelog->file_name, "ema-tradelog.csv");
    EXPECT_EQ(ema->tradelog->recognised_by, "header");
    EXPECT_EQ(ema->dailylog->file_name, "ema-dailylog.csv");
    EXPECT_EQ(ema->reportinglog->file_name, "ema-strategy-trade-log.csv");
    EXPECT_TRUE(ema->warnings.empty());
    const auto meic = discover_files(fs, block("MEIC Test Data"));
    ASSERT_TRUE(meic.has_value());
    EXPECT_EQ(meic->tradelog->file_name, "meic-tradelog.csv");
    EXPECT_EQ(meic->dailylog->file_name, "meic-dailylog.csv");
    EXPECT_EQ(meic->reportinglog->file_name, "meic-strategy-trade-log.csv");
    const auto folders = list_block_folders(fs, tb::test::shared_dir() / "data" / "blocks");
    ASSERT_TRUE(folders.has_value());
    EXPECT_EQ(folders->folders.size(), 5U);
}

TEST(RealData, GrossBlockDeductsFeesOnceAndMixedBasesArePerRow) {
    TB_REQUIRE_SHARED();
    Ingested<TradeRecord> gross;
    test::ingest_into(gross, read(block("EMA Gross") / "tradelog.csv"));
    expect_sum(sum<TradeRecord>(gross.rows, [](const auto& t) { return t.net_pl; }),
               19735.0 - 3330 - 1178);
    Ingested<TradeRecord> mixed;
    test::ingest_into(mixed, read(block("Edge Mixed") / "tradelog.csv"));
    EXPECT_EQ(mixed.report.outcome, IngestOutcome::kComplete);
    EXPECT_EQ(mixed.report.rows_skipped, 0);
    EXPECT_EQ(mixed.report.issues_total, 0);
    for (const TradeRecord& trade : mixed.rows) {
        const double fees = *trade.opening_commissions + *trade.closing_commissions;
        EXPECT_EQ(trade.net_pl,
                  trade.pl_basis == PlBasis::kNetIncludesFees ? trade.pl : trade.pl - fees);
    }
    EXPECT_EQ(mixed.rows[0].ticker, "SPX");
    EXPECT_EQ(mixed.rows[0].date_closed, std::nullopt);
}

}  // namespace
}  // namespace tb::blocks
