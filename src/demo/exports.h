// CSV texts of the sample data: the files trading programs export, in their columns and number
// formats.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "demo/market_path.h"
#include "demo/trades.h"

namespace tb::demo {

using Row = std::vector<std::string>;

// `value` / 10^decimals without trailing zeros: (119735'00, 2) -> "119735", (-1786, 2) -> "-17.86".
[[nodiscard]] std::string decimal_text(std::int64_t value, int decimals);

// Quotes a cell only where RFC 4180 needs it.
void append_csv_row(std::string& out, std::span<const std::string> cells, std::string_view eol);

// The backtest export of Option Omega: 23 columns, 25 with VIX.
[[nodiscard]] Row trade_log_header(bool with_vix);
[[nodiscard]] Row trade_log_row(const SampleTrade& trade, std::int64_t funds_cents, bool with_vix);

// Account value after each trade closed, in the order of `trades`: realized in order of closing.
[[nodiscard]] std::vector<std::int64_t> funds_after(std::span<const SampleTrade> trades,
                                                    std::int64_t start_cents);

// Rows newest first, as exported.
[[nodiscard]] std::vector<Row> trade_log(std::span<const SampleTrade> trades,
                                         std::int64_t start_cents, bool with_vix);
// One row per exchange day from the first opening to the last closing, oldest first.
[[nodiscard]] std::vector<Row> daily_log(std::span<const SampleTrade> trades,
                                         const MarketPath& path, std::int64_t start_cents);
// Live fills of the same trades: a tick of slippage, fractions of seconds in the timestamps.
[[nodiscard]] std::vector<Row> reporting_log(std::span<const SampleTrade> trades,
                                             std::uint64_t seed);
// The same as Trade Automation Toolbox writes it.
[[nodiscard]] std::vector<Row> tat_log(std::span<const SampleTrade> trades, std::uint64_t seed);

[[nodiscard]] std::string to_csv(std::span<const Row> rows, std::string_view eol);

// The files below _marketdata: name and content.
struct MarketFile {
    std::string name;
    std::string content;
};
[[nodiscard]] std::vector<MarketFile> market_files(const MarketPath& path, std::size_t first_day);

}  // namespace tb::demo
