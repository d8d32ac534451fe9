#include "demo/sample_data.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/check.h"
#include "core/file_system.h"
#include "core/unique_fd.h"
#include "demo/exports.h"
#include "demo/market_path.h"
#include "demo/messy_rows.h"
#include "demo/trades.h"

namespace tb::demo {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kStartCents = 100'000'00;

// Files appear under their names only when complete, so that a program watching the directory never
// sees half of one. No fsync: sample data can be made again.
class SampleFile {
  public:
    static Result<SampleFile> create(const fs::path& path) {
        std::error_code error;
        fs::create_directories(path.parent_path(), error);
        if (error) {
            return make_error(ErrorCode::kIo, "cannot create folder: " + error.message(),
                              path.parent_path().string());
        }
        SampleFile file;
        file.path_ = path;
        file.temporary_ = path.string() + ".tmp";
        file.fd_.reset(
            ::open(file.temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
        if (!file.fd_.valid()) {
            return file.failure("cannot create");
        }
        return file;
    }

    Result<void> append(std::string_view text) {
        bytes_ += static_cast<std::int64_t>(text.size());
        while (!text.empty()) {
            const ssize_t written = ::write(fd_.get(), text.data(), text.size());
            if (written < 0 && errno != EINTR) {
                return failure("cannot write");
            }
            text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
        }
        return {};
    }

    Result<std::int64_t> finish() {
        fd_.reset();
        if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
            return failure("cannot rename");
        }
        return bytes_;
    }

  private:
    [[nodiscard]] tl::unexpected<Error> failure(std::string_view what) const {
        const int error = errno;
        return make_error(ErrorCode::kIo,
                          fmt::format("{}: {}", what, std::generic_category().message(error)),
                          path_.string());
    }

    fs::path path_;
    std::string temporary_;
    UniqueFd fd_;
    std::int64_t bytes_ = 0;
};

Result<void> claim_directory(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error) {
        return make_error(ErrorCode::kIo, "cannot create folder: " + error.message(),
                          directory.string());
    }
    const auto marker = directory / kMarkerFile;
    if (!fs::exists(marker, error) && !fs::is_empty(directory, error)) {
        return make_error(ErrorCode::kRefused,
                          "the folder is not empty and was not made by this command; name a new "
                          "or empty one",
                          directory.string());
    }
    TB_TRY(SampleFile file, SampleFile::create(marker));
    TB_RETURN_IF_ERROR(file.append("Sample data of tradeblocks; may be deleted or overwritten.\n"));
    TB_TRY([[maybe_unused]] const auto bytes, file.finish());
    return {};
}

Result<void> write_text(SampleSummary& summary, const fs::path& path, std::string_view text) {
    TB_TRY(SampleFile file, SampleFile::create(path));
    TB_RETURN_IF_ERROR(file.append(text));
    TB_TRY(const std::int64_t bytes, file.finish());
    summary.bytes += bytes;
    ++summary.files;
    return {};
}

Result<void> write_trade_log(SampleSummary& summary, const fs::path& path,
                             const std::vector<Row>& rows, std::string_view prefix = "",
                             std::string_view eol = "\n") {
    summary.rows += static_cast<std::int64_t>(rows.size()) - 1;
    return write_text(summary, path, std::string(prefix) + to_csv(rows, eol));
}

std::span<const SampleTrade> tail(const std::vector<SampleTrade>& trades, std::size_t count) {
    return std::span(trades).last(std::min(count, trades.size()));
}

Result<void> write_blocks(SampleSummary& summary, const fs::path& dir, const MarketPath& path,
                          std::size_t from, std::size_t to, std::uint64_t seed) {
    const auto at = [](int hour, int minute) { return (hour * 60 + minute) * 60; };
    {
        const auto trades = make_trades(
            path,
            {{"0DTE Iron Condor 10:00", Structure::kIronCondor, 850, 40, 2, at(10, 0), 0, 320, 0},
             {"0DTE Call Spread 13:00", Structure::kCallSpread, 800, 60, 3, at(13, 0), 0, 300, 10}},
            from, to, 1, seed);
        const auto block = dir / "0DTE Iron Condor";
        TB_RETURN_IF_ERROR(write_trade_log(summary, block / "tradelog.csv",
                                           trade_log(trades, kStartCents, false)));
        TB_RETURN_IF_ERROR(write_text(summary, block / "dailylog.csv",
                                      to_csv(daily_log(trades, path, kStartCents), "\n")));
        TB_RETURN_IF_ERROR(write_text(summary, block / "strategy-trade-log.csv",
                                      to_csv(reporting_log(tail(trades, 180), seed), "\n")));
    }
    {
        const auto trades = make_trades(
            path, {{"7DTE Put Spread", Structure::kPutSpread, 1000, 100, 1, at(9, 45), 5, 300, 30}},
            from, to - 5, 1, seed + 1);
        const auto block = dir / "Weekly Put Spread";
        TB_RETURN_IF_ERROR(write_trade_log(summary, block / "weekly-put-spread-backtest.csv",
                                           trade_log(trades, kStartCents / 2, true)));
        TB_RETURN_IF_ERROR(write_text(summary, block / "weekly-put-spread-daily.csv",
                                      to_csv(daily_log(trades, path, kStartCents / 2), "\n")));
    }
    {
        const auto trades =
            make_trades(path,
                        {{"", Structure::kPutSpread, 700, 80, 1, at(10, 15), 0, 200, 0},
                         {"", Structure::kCallSpread, 700, 80, 1, at(10, 15), 0, 200, 0}},
                        to - 120, to, 4, seed + 2);
        const auto block = dir / "MEIC";
        TB_RETURN_IF_ERROR(write_trade_log(summary, block / "meic-tradelog.csv",
                                           trade_log(trades, kStartCents, false), "\xEF\xBB\xBF",
                                           "\r\n"));
        TB_RETURN_IF_ERROR(
            write_text(summary, block / "meic-dailylog.csv",
                       "\xEF\xBB\xBF" + to_csv(daily_log(trades, path, kStartCents), "\r\n")));
    }
    {
        const auto trades = make_trades(
            path, {{"Wide Condor", Structure::kIronCondor, 1000, 25, 4, at(11, 0), 0, 350, 10}},
            from + 100, to, 1, seed + 3);
        const auto block = dir / "Toolbox Live";
        TB_RETURN_IF_ERROR(write_trade_log(summary, block / "tradelog.csv",
                                           trade_log(trades, kStartCents, false)));
        TB_RETURN_IF_ERROR(write_text(summary, block / "toolbox-export.csv",
                                      to_csv(tat_log(tail(trades, 90), seed), "\r\n")));
    }
    {
        const auto trades = make_trades(
            path, {{"Lunch Spread", Structure::kPutSpread, 900, 50, 5, at(12, 0), 0, 300, 0}},
            to - 80, to, 1, seed + 4);
        std::vector<Row> rows = trade_log(trades, kStartCents, false);
        TB_CHECK(make_messy(rows), "the sample has a row for every mess");
        TB_RETURN_IF_ERROR(write_trade_log(summary, dir / "Messy Export" / "tradelog.csv", rows));
    }
    return {};
}

// One block of bulk data, streamed: newest trade first, every trade made twice (once for the sum of
// profits, because the account value counts down from there) instead of kept in memory.
Result<void> write_bulk_block(SampleSummary& summary, const fs::path& path,
                              const MarketPath& market, std::int64_t trades, std::uint64_t seed) {
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
    TB_TRY(SampleFile file, SampleFile::create(path));
    std::string text;
    append_csv_row(text, trade_log_header(false), "\n");
    for (std::int64_t i = trades; i-- > 0;) {
        const SampleTrade trade = trade_at(i);
        append_csv_row(text, trade_log_row(trade, funds, false), "\n");
        funds -= trade.pl;
        if (text.size() > (1U << 20U)) {
            TB_RETURN_IF_ERROR(file.append(text));
            text.clear();
        }
    }
    TB_RETURN_IF_ERROR(file.append(text));
    TB_TRY(const std::int64_t bytes, file.finish());
    summary.bytes += bytes;
    summary.rows += trades;
    ++summary.files;
    return {};
}

}  // namespace

Result<SampleSummary> write_demo_data(const fs::path& directory, std::uint64_t seed) {
    TB_RETURN_IF_ERROR(claim_directory(directory));
    constexpr std::size_t kWarmUpDays = 90;
    constexpr std::size_t kShownDays = 420;
    const MarketPath path(seed, *Date::from_ymd(2023, 12, 1), kWarmUpDays + kShownDays, 456'000);
    SampleSummary summary;
    TB_RETURN_IF_ERROR(
        write_blocks(summary, directory, path, kWarmUpDays, kWarmUpDays + kShownDays, seed));
    for (const MarketFile& file : market_files(path, kWarmUpDays)) {
        TB_RETURN_IF_ERROR(
            write_text(summary, directory / "_marketdata" / file.name, file.content));
    }
    return summary;
}

Result<SampleSummary> write_bulk_data(const fs::path& directory, const BulkOptions& options) {
    if (options.blocks < 1 || options.trades_per_block < 0) {
        return make_error(ErrorCode::kInvalidArgument,
                          "wants at least one block and no negative number of trades");
    }
    TB_RETURN_IF_ERROR(claim_directory(directory));
    const MarketPath path(options.seed, *Date::from_ymd(2014, 1, 2), 2600);
    SampleSummary summary;
    for (std::int64_t block = 0; block < options.blocks; ++block) {
        const auto name = fmt::format("block-{:04}", block + 1);
        TB_RETURN_IF_ERROR(write_bulk_block(summary, directory / name / "tradelog.csv", path,
                                            options.trades_per_block,
                                            options.seed + static_cast<std::uint64_t>(block)));
    }
    return summary;
}

}  // namespace tb::demo
