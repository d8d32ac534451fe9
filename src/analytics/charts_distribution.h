// Cumulative distribution of a field over the trades, and tables by ranges of a field (02 §5).
//
// The field is given as one optional value per trade (for instance opening VIX), so that any column
// or derived figure can be used; trades without a value are left out.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/trade.h"

namespace tb::analytics {

// One side of a threshold.
struct ThresholdSide {
    std::int64_t count = 0;
    double percent = 0;  // of the trades with a value
    double total_pl = 0;
    double pl_percent = 0;          // of their total P/L; 0 when that is 0
    std::optional<double> avg_rom;  // mean of 100*pl/margin over trades with margin
    double win_rate_pct = 0;        // pl > 0; 0 without trades
};
struct ThresholdRow {
    double threshold = 0;
    ThresholdSide at_or_above;
    ThresholdSide at_or_below;
};
struct FieldDistribution {
    std::vector<ThresholdRow> rows;  // ascending
    std::int64_t count = 0;          // trades with a value
    double min = 0;
    double max = 0;
    double mean = 0;
    double median = 0;
    double population_sd = 0;
};
// Thresholds min + i*(max-min)/buckets for i = 0..buckets. P/L is reported (kReference) or net
// (kCorrect, 02 I-17). nullopt without any finite value. Sorted once, then prefix sums: O(n log n +
// buckets log n).
[[nodiscard]] std::optional<FieldDistribution> field_distribution(
    std::span<const Trade> trades, std::span<const std::optional<double>> values,
    std::int32_t buckets, Conventions conventions);

enum class ThresholdMetric { kAvgRom, kWinRate, kTotalPl };
// First row with the largest metric at or above (or below) among those with at least 10 trades
// there.
struct BestThreshold {
    double threshold = 0;
    bool above = true;
    double value = 0;
};
[[nodiscard]] std::optional<BestThreshold> best_threshold(const FieldDistribution& distribution,
                                                          ThresholdMetric metric, bool above);

// What a filter "keep at or above" keeps and drops, at the row nearest to `threshold`. kept: at or
// above. excluded: the rest (kCorrect), or at or below, so that the boundary is on both sides
// (kReference) for rates and means.
struct ThresholdTradeOff {
    double threshold = 0;
    ThresholdSide kept;
    ThresholdSide excluded;
};
[[nodiscard]] std::optional<ThresholdTradeOff> threshold_trade_off(
    std::span<const Trade> trades, std::span<const std::optional<double>> values,
    const FieldDistribution& distribution, double threshold, Conventions conventions);

// --- tables -------------------------------------------------------------------------------------

enum class TableFunction { kSum, kAverage, kMin, kMax };
struct TableColumn {
    std::string name;
    std::span<const std::optional<double>> values;  // one per trade
    TableFunction function = TableFunction::kAverage;
};
struct TableRow {
    double from = -std::numeric_limits<double>::infinity();  // inclusive
    double to = std::numeric_limits<double>::infinity();     // exclusive
    std::int64_t count = 0;
    double win_rate_pct = 0;      // of P > 0 (kCorrect) or reported P/L > 0
    std::vector<double> columns;  // over the values present; 0 without any
};
// Rows (-inf,e1), [e1,e2), .., [ek,inf); the bounds of the outer two are infinite by intent.
// `edges` must ascend. Trades without a value of `field` are left out.
[[nodiscard]] std::vector<TableRow> aggregate_table(std::span<const Trade> trades,
                                                    std::span<const std::optional<double>> field,
                                                    std::span<const double> edges,
                                                    std::span<const TableColumn> columns,
                                                    Conventions conventions);
// Customary edges by field name ("openingVix", "openingShortLongRatio", "mfePercent", "rom",
// "durationHours", "gap"); 0, 25, 50, 75, 100 for any other.
[[nodiscard]] std::vector<double> default_table_edges(std::string_view field);

}  // namespace tb::analytics
