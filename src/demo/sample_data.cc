#include "demo/sample_data.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/check.h"
#include "demo/exports.h"
#include "demo/market_path.h"
#include "demo/messy_rows.h"
#include "demo/sample_folder.h"
#include "demo/trades.h"

namespace tb::demo {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kStartCents = 100'000'00;

// What writing needs and adds up.
struct Job {
    SampleFolder folder;
    SampleSummary summary = {};
};

Result<void> write_text(Job& job, const fs::path& name, std::string_view text) {
    TB_RETURN_IF_ERROR(job.folder.create(name));
    TB_RETURN_IF_ERROR(job.folder.append(text));
    TB_TRY(const std::int64_t bytes, job.folder.finish());
    job.summary.bytes += bytes;
    ++job.summary.files;
    return {};
}

Result<void> write_trade_log(Job& job, const fs::path& path, const std::vector<Row>& rows,
                             std::string_view prefix = "", std::string_view eol = "\n") {
    job.summary.rows += static_cast<std::int64_t>(rows.size()) - 1;
    return write_text(job, path, std::string(prefix) + to_csv(rows, eol));
}

std::span<const SampleTrade> tail(const std::vector<SampleTrade>& trades, std::size_t count) {
    return std::span(trades).last(std::min(count, trades.size()));
}

Result<void> write_blocks(Job& job, const MarketPath& path, std::size_t from, std::size_t to,
                          std::uint64_t seed) {
    const auto at = [](int hour, int minute) { return (hour * 60 + minute) * 60; };
    {
        const auto trades = make_trades(
            path,
            {{"0DTE Iron Condor 10:00", Structure::kIronCondor, 850, 40, 2, at(10, 0), 0, 320, 0},
             {"0DTE Call Spread 13:00", Structure::kCallSpread, 800, 60, 3, at(13, 0), 0, 300, 10}},
            from, to, 1, seed);
        const fs::path block = "0DTE Iron Condor";
        TB_RETURN_IF_ERROR(
            write_trade_log(job, block / "tradelog.csv", trade_log(trades, kStartCents, false)));
        TB_RETURN_IF_ERROR(write_text(job, block / "dailylog.csv",
                                      to_csv(daily_log(trades, path, kStartCents), "\n")));
        TB_RETURN_IF_ERROR(write_text(job, block / "strategy-trade-log.csv",
                                      to_csv(reporting_log(tail(trades, 180), seed), "\n")));
    }
    {
        const auto trades = make_trades(
            path, {{"7DTE Put Spread", Structure::kPutSpread, 1000, 100, 1, at(9, 45), 5, 300, 30}},
            from, to - 5, 1, seed + 1);
        const fs::path block = "Weekly Put Spread";
        TB_RETURN_IF_ERROR(write_trade_log(job, block / "weekly-put-spread-backtest.csv",
                                           trade_log(trades, kStartCents / 2, true)));
        TB_RETURN_IF_ERROR(write_text(job, block / "weekly-put-spread-daily.csv",
                                      to_csv(daily_log(trades, path, kStartCents / 2), "\n")));
    }
    {
        const auto trades =
            make_trades(path,
                        {{"", Structure::kPutSpread, 700, 80, 1, at(10, 15), 0, 200, 0},
                         {"", Structure::kCallSpread, 700, 80, 1, at(10, 15), 0, 200, 0}},
                        to - 120, to, 4, seed + 2);
        const fs::path block = "MEIC";
        TB_RETURN_IF_ERROR(write_trade_log(job, block / "meic-tradelog.csv",
                                           trade_log(trades, kStartCents, false), "\xEF\xBB\xBF",
                                           "\r\n"));
        TB_RETURN_IF_ERROR(
            write_text(job, block / "meic-dailylog.csv",
                       "\xEF\xBB\xBF" + to_csv(daily_log(trades, path, kStartCents), "\r\n")));
    }
    {
        const auto trades = make_trades(
            path, {{"Wide Condor", Structure::kIronCondor, 1000, 25, 4, at(11, 0), 0, 350, 10}},
            from + 100, to, 1, seed + 3);
        const fs::path block = "Toolbox Live";
        TB_RETURN_IF_ERROR(
            write_trade_log(job, block / "tradelog.csv", trade_log(trades, kStartCents, false)));
        TB_RETURN_IF_ERROR(write_text(job, block / "toolbox-export.csv",
                                      to_csv(tat_log(tail(trades, 90), seed), "\r\n")));
    }
    {
        const auto trades = make_trades(
            path, {{"Lunch Spread", Structure::kPutSpread, 900, 50, 5, at(12, 0), 0, 300, 0}},
            to - 80, to, 1, seed + 4);
        std::vector<Row> rows = trade_log(trades, kStartCents, false);
        TB_CHECK(make_messy(rows), "the sample has a row for every mess");
        TB_RETURN_IF_ERROR(write_trade_log(job, fs::path("Messy Export") / "tradelog.csv", rows));
    }
    return {};
}

// One block of bulk data, streamed: newest trade first, every trade made twice (once for the sum of
// profits, because the account value counts down from there) instead of kept in memory.
Result<void> write_bulk_block(Job& job, const fs::path& path, const MarketPath& market,
                              std::int64_t trades, std::uint64_t seed) {
    static constexpr std::string_view kNames[] = {"0DTE Put Spread - EMA Entry",
                                                  "0DTE Call Spread - EMA Entry",
                                                  "0DTE Iron Condor - Midday Entry"};
    const auto day_count = static_cast<std::int64_t>(market.days().size());
    const std::int64_t per_day = (trades + day_count - 1) / day_count;
    const auto trade_at = [&](std::int64_t index) {
        StrategySpec spec{kNames[static_cast<std::size_t>(index % 3)]};
        spec.structure = static_cast<Structure>(index % 3);
        spec.contracts = static_cast<std::int32_t>(1 + (index * 7) % 5);
        spec.distance_milli = 450 + 50 * (index % 7);
        return make_trade(market, spec, static_cast<std::size_t>(index / per_day),
                          static_cast<int>(index % per_day), seed);
    };
    std::int64_t funds = kStartCents;
    for (std::int64_t i = 0; i < trades; ++i) {
        funds += trade_at(i).pl;
    }
    TB_RETURN_IF_ERROR(job.folder.create(path));
    std::string text;
    append_csv_row(text, trade_log_header(false), "\n");
    for (std::int64_t i = trades; i-- > 0;) {
        const SampleTrade trade = trade_at(i);
        append_csv_row(text, trade_log_row(trade, funds, false), "\n");
        funds -= trade.pl;
        if (text.size() > (1U << 20U)) {
            TB_RETURN_IF_ERROR(job.folder.append(text));
            text.clear();
        }
    }
    TB_RETURN_IF_ERROR(job.folder.append(text));
    TB_TRY(const std::int64_t bytes, job.folder.finish());
    job.summary.bytes += bytes;
    job.summary.rows += trades;
    ++job.summary.files;
    return {};
}

Result<Job> claim(const fs::path& directory) {
    TB_TRY(SampleFolder folder, SampleFolder::claim(directory));
    return Job{std::move(folder)};
}

}  // namespace

Result<SampleSummary> write_demo_data(const fs::path& directory, std::uint64_t seed) {
    TB_TRY(Job job, claim(directory));
    constexpr std::size_t kWarmUpDays = 90;
    constexpr std::size_t kShownDays = 420;
    const MarketPath path(seed, *Date::from_ymd(2023, 12, 1), kWarmUpDays + kShownDays, 456'000);
    TB_RETURN_IF_ERROR(write_blocks(job, path, kWarmUpDays, kWarmUpDays + kShownDays, seed));
    for (const MarketFile& file : market_files(path, kWarmUpDays)) {
        TB_RETURN_IF_ERROR(write_text(job, fs::path("_marketdata") / file.name, file.content));
    }
    return job.summary;
}

Result<SampleSummary> write_bulk_data(const fs::path& directory, const BulkOptions& options) {
    if (options.blocks < 1 || options.trades_per_block < 0) {
        return make_error(ErrorCode::kInvalidArgument,
                          "wants at least one block and no negative number of trades");
    }
    TB_TRY(Job job, claim(directory));
    const MarketPath path(options.seed, *Date::from_ymd(2014, 1, 2), 2600);
    for (std::int64_t block = 0; block < options.blocks; ++block) {
        const auto name = fmt::format("block-{:04}", block + 1);
        TB_RETURN_IF_ERROR(write_bulk_block(job, fs::path(name) / "tradelog.csv", path,
                                            options.trades_per_block,
                                            options.seed + static_cast<std::uint64_t>(block)));
    }
    return job.summary;
}

}  // namespace tb::demo
