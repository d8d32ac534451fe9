#include "analytics/charts_distribution.h"

#include <algorithm>
#include <cmath>

#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

constexpr std::int64_t kFewestSamples = 10;

double pl_of(const Trade& t, Conventions conventions) {
    return conventions == Conventions::kReference ? t.pl : t.net_pl();
}

// Sums over a run of trades, as differences of prefix sums.
struct Sums {
    std::int64_t count = 0;
    std::int64_t wins = 0;
    std::int64_t with_margin = 0;
    double pl = 0;
    double rom = 0;
};

// One entry per trade with a value, ascending by value, with sums of all before it.
class Prefixes {
  public:
    Prefixes(std::span<const Trade> trades, std::span<const std::optional<double>> values,
             Conventions conventions) {
        std::vector<std::pair<double, std::size_t>> order;
        for (std::size_t i = 0; i < std::min(trades.size(), values.size()); ++i) {
            if (values[i] && std::isfinite(*values[i])) {
                order.emplace_back(*values[i], i);
            }
        }
        std::sort(order.begin(), order.end());
        CompensatedSum pl;
        CompensatedSum rom;
        Sums sums;
        before_.push_back(sums);
        for (const auto& [value, index] : order) {
            const Trade& t = trades[index];
            const double p = pl_of(t, conventions);
            pl.add(p);
            ++sums.count;
            sums.wins += p > 0 ? 1 : 0;
            if (t.margin_req > 0) {
                rom.add(100 * p / t.margin_req);
                ++sums.with_margin;
            }
            sums.pl = pl.value();
            sums.rom = rom.value();
            values_.push_back(value);
            before_.push_back(sums);
        }
    }

    [[nodiscard]] const std::vector<double>& values() const { return values_; }

    [[nodiscard]] ThresholdSide at_or_above(double threshold) const {
        return side(index(std::lower_bound(values_.begin(), values_.end(), threshold)),
                    values_.size());
    }
    [[nodiscard]] ThresholdSide at_or_below(double threshold) const {
        return side(0, index(std::upper_bound(values_.begin(), values_.end(), threshold)));
    }
    [[nodiscard]] ThresholdSide below(double threshold) const {
        return side(0, index(std::lower_bound(values_.begin(), values_.end(), threshold)));
    }

  private:
    [[nodiscard]] std::size_t index(std::vector<double>::const_iterator at) const {
        return static_cast<std::size_t>(at - values_.begin());
    }
    [[nodiscard]] ThresholdSide side(std::size_t first, std::size_t end) const {
        const Sums& a = before_[first];
        const Sums& b = before_[end];
        ThresholdSide s;
        s.count = b.count - a.count;
        s.total_pl = b.pl - a.pl;
        s.percent = 100 * static_cast<double>(s.count) / static_cast<double>(values_.size());
        s.pl_percent = before_.back().pl == 0 ? 0 : 100 * s.total_pl / before_.back().pl;
        if (b.with_margin > a.with_margin) {
            s.avg_rom = (b.rom - a.rom) / static_cast<double>(b.with_margin - a.with_margin);
        }
        if (s.count > 0) {
            s.win_rate_pct =
                100 * static_cast<double>(b.wins - a.wins) / static_cast<double>(s.count);
        }
        return s;
    }
    std::vector<double> values_;
    std::vector<Sums> before_;
};

std::optional<double> metric_of(const ThresholdSide& side, ThresholdMetric metric) {
    switch (metric) {
        case ThresholdMetric::kAvgRom:
            return side.avg_rom;
        case ThresholdMetric::kWinRate:
            return side.win_rate_pct;
        case ThresholdMetric::kTotalPl:
            break;
    }
    return side.total_pl;
}

double aggregate(const std::vector<double>& values, TableFunction function) {
    if (values.empty()) {
        return 0;
    }
    switch (function) {
        case TableFunction::kSum:
            return compensated_sum(values);
        case TableFunction::kMin:
            return *std::min_element(values.begin(), values.end());
        case TableFunction::kMax:
            return *std::max_element(values.begin(), values.end());
        case TableFunction::kAverage:
            break;
    }
    return *mean(values);
}

}  // namespace

std::optional<FieldDistribution> field_distribution(std::span<const Trade> trades,
                                                    std::span<const std::optional<double>> values,
                                                    std::int32_t buckets, Conventions conventions) {
    const Prefixes prefixes(trades, values, conventions);
    const std::vector<double>& sorted = prefixes.values();
    if (sorted.empty() || buckets < 1) {
        return std::nullopt;
    }
    FieldDistribution d;
    d.count = static_cast<std::int64_t>(sorted.size());
    d.min = sorted.front();
    d.max = sorted.back();
    d.mean = *mean(sorted);
    d.median = *quantile_sorted(sorted, 0.5);
    d.population_sd = *population_sd(sorted);
    for (std::int32_t i = 0; i <= buckets; ++i) {
        const double computed = d.min + i * ((d.max - d.min) / buckets);
        // The last one must not fall short of the maximum by a rounding.
        const bool exact_end = i == buckets && conventions == Conventions::kCorrect;
        const double threshold = exact_end ? d.max : computed;
        d.rows.push_back(
            {threshold, prefixes.at_or_above(threshold), prefixes.at_or_below(threshold)});
    }
    return d;
}

std::optional<BestThreshold> best_threshold(const FieldDistribution& distribution,
                                            ThresholdMetric metric, bool above) {
    std::optional<BestThreshold> best;
    for (const ThresholdRow& row : distribution.rows) {
        const ThresholdSide& side = above ? row.at_or_above : row.at_or_below;
        const std::optional<double> value = metric_of(side, metric);
        if (side.count >= kFewestSamples && value && (!best || *value > best->value)) {
            best = BestThreshold{row.threshold, above, *value};
        }
    }
    return best;
}

std::optional<ThresholdTradeOff> threshold_trade_off(std::span<const Trade> trades,
                                                     std::span<const std::optional<double>> values,
                                                     const FieldDistribution& distribution,
                                                     double threshold, Conventions conventions) {
    if (distribution.rows.empty()) {
        return std::nullopt;
    }
    const auto nearest = std::min_element(distribution.rows.begin(), distribution.rows.end(),
                                          [&](const ThresholdRow& a, const ThresholdRow& b) {
                                              return std::fabs(a.threshold - threshold) <
                                                     std::fabs(b.threshold - threshold);
                                          });
    const Prefixes prefixes(trades, values, conventions);
    ThresholdTradeOff trade_off{nearest->threshold, nearest->at_or_above,
                                prefixes.below(nearest->threshold)};
    if (conventions == Conventions::kReference) {
        trade_off.excluded.win_rate_pct = nearest->at_or_below.win_rate_pct;
        trade_off.excluded.avg_rom = nearest->at_or_below.avg_rom;
    }
    return trade_off;
}

std::vector<TableRow> aggregate_table(std::span<const Trade> trades,
                                      std::span<const std::optional<double>> field,
                                      std::span<const double> edges,
                                      std::span<const TableColumn> columns,
                                      Conventions conventions) {
    std::vector<TableRow> rows(edges.size() + 1);
    for (std::size_t i = 0; i < edges.size(); ++i) {
        rows[i].to = edges[i];
        rows[i + 1].from = edges[i];
    }
    std::vector<std::int64_t> wins(rows.size(), 0);
    std::vector<std::vector<std::vector<double>>> values(
        rows.size(), std::vector<std::vector<double>>(columns.size()));
    for (std::size_t i = 0; i < std::min(trades.size(), field.size()); ++i) {
        if (!field[i] || std::isnan(*field[i])) {
            continue;
        }
        const auto row = static_cast<std::size_t>(
            std::upper_bound(edges.begin(), edges.end(), *field[i]) - edges.begin());
        ++rows[row].count;
        wins[row] += pl_of(trades[i], conventions) > 0 ? 1 : 0;
        for (std::size_t c = 0; c < columns.size(); ++c) {
            if (i < columns[c].values.size() && columns[c].values[i]) {
                values[row][c].push_back(*columns[c].values[i]);
            }
        }
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (rows[r].count > 0) {
            rows[r].win_rate_pct =
                100 * static_cast<double>(wins[r]) / static_cast<double>(rows[r].count);
        }
        for (std::size_t c = 0; c < columns.size(); ++c) {
            rows[r].columns.push_back(aggregate(values[r][c], columns[c].function));
        }
    }
    return rows;
}

std::vector<double> default_table_edges(std::string_view field) {
    if (field == "openingVix" || field == "closingVix") {
        return {15, 20, 25, 30, 35};
    }
    if (field == "openingShortLongRatio" || field == "closingShortLongRatio") {
        return {0.5, 0.75, 1, 1.25, 1.5};
    }
    if (field == "mfePercent" || field == "maePercent") {
        return {10, 25, 50, 75, 100};
    }
    if (field == "rom") {
        return {-20, -10, 0, 10, 20, 30};
    }
    if (field == "durationHours") {
        return {1, 2, 4, 8, 24};
    }
    if (field == "gap") {
        return {-2, -1, 0, 1, 2};
    }
    return {0, 25, 50, 75, 100};
}

}  // namespace tb::analytics
