#include "analytics/backtest_vs_actual.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>

#include <fmt/format.h>

#include "analytics/backtest_vs_actual_match.h"
#include "analytics/numerics.h"
#include "analytics/periods.h"
#include "core/number.h"
#include "core/unicode.h"

namespace tb::analytics {

namespace {

constexpr double kContractShares = 100;
constexpr double kSmallestSpread = 1e-10;  // of slippages, dollars
constexpr std::size_t kFewestForOutliers = 3;
constexpr double kHugeClosingCost = 20;  // times the premium received
constexpr double kFeesOfAContract = 20;  // dollars; more than any broker takes for eight legs

double per_contract(double value, double contracts) {
    return contracts == 0 ? 0 : value / contracts;
}

// Scaled P/L and slippage of a row whose raw figures are set.
void scale(SlippageRow& row, SlippageScaling scaling) {
    row.scaled_backtest_pl = row.backtest_pl;
    row.scaled_actual_pl = row.actual_pl;
    row.scaling_factor = row.matched ? 1 : 0;
    if (scaling == SlippageScaling::kPerContract) {
        row.scaled_backtest_pl = per_contract(row.backtest_pl, row.backtest_contracts);
        row.scaled_actual_pl = per_contract(row.actual_pl, row.actual_contracts);
    } else if (scaling == SlippageScaling::kToReported && row.matched) {
        row.scaling_factor =
            row.backtest_contracts == 0 ? 0 : row.actual_contracts / row.backtest_contracts;
        row.scaled_backtest_pl = row.backtest_pl * row.scaling_factor;
    }
    if (!row.matched) {
        return;
    }
    row.slippage = row.scaled_actual_pl - row.scaled_backtest_pl;
    if (row.scaled_backtest_pl != 0) {
        row.slippage_percent = 100 * row.slippage / std::fabs(row.scaled_backtest_pl);
    }
}

std::vector<SlippageRow> summary_rows(const TradeSet& backtest, const ReportingSet& actual,
                                      const ComparedNames& names) {
    struct Side {
        CompensatedSum pl;
        double contracts = 0;
        std::int64_t trades = 0;
        void add(double p, double n) {
            pl.add(p);
            contracts += n;
            ++trades;
        }
    };
    std::map<std::pair<std::int32_t, std::string_view>, std::pair<Side, Side>> days;
    for (std::size_t i = 0; i < backtest.trades.size(); ++i) {
        const Trade& b = backtest.trades[i];
        days[{b.date_opened.days(), names.backtest[i]}].first.add(b.net_pl(), b.contracts);
    }
    for (std::size_t j = 0; j < actual.trades.size(); ++j) {
        const ReportingTrade& a = actual.trades[j];
        days[{a.date_opened.days(), names.actual[j]}].second.add(a.pl, a.contracts);
    }
    std::vector<SlippageRow> rows;
    for (const auto& [key, sides] : days) {
        SlippageRow row;
        row.date = Date(key.first);
        row.strategy = key.second;
        row.matched = sides.first.trades > 0 && sides.second.trades > 0;
        row.backtest_trades = sides.first.trades;
        row.actual_trades = sides.second.trades;
        row.backtest_pl = sides.first.pl.value();
        row.backtest_contracts = sides.first.contracts;
        row.actual_pl = sides.second.pl.value();
        row.actual_contracts = sides.second.contracts;
        rows.push_back(std::move(row));
    }
    return rows;
}

void add_number_difference(SlippageRow& row, const char* field, std::optional<double> backtest,
                           std::optional<double> actual, bool always) {
    if (always || (backtest && actual && *backtest != *actual)) {
        FieldDifference d;
        d.field = field;
        d.backtest_value = backtest;
        d.actual_value = actual;
        d.delta = actual.value_or(0) - backtest.value_or(0);
        row.differences.push_back(std::move(d));
    }
}

void add_text_difference(SlippageRow& row, const char* field, std::string_view backtest,
                         std::string_view actual) {
    if (backtest != actual) {
        FieldDifference d;
        d.field = field;
        d.backtest = backtest;
        d.actual = actual;
        row.differences.push_back(std::move(d));
    }
}

void add_differences(SlippageRow& row, const Trade& b, const ReportingTrade& a) {
    add_number_difference(row, "numContracts", b.contracts, a.contracts, false);
    add_number_difference(row, "openingPrice", b.opening_price, a.opening_price, false);
    add_text_difference(row, "legs", b.legs, a.legs);
    add_number_difference(row, "closingPrice", b.closing_price, a.closing_price, false);
    add_text_difference(row, "reasonForClose", b.reason_for_close, a.reason_for_close);
    add_number_difference(row, "pl", b.net_pl(), a.pl, true);
}

std::vector<SlippageRow> trade_rows(const TradeSet& backtest, const ReportingSet& actual,
                                    const BacktestComparisonRequest& request,
                                    const std::vector<FillPair>& pairs,
                                    const ComparedNames& names) {
    const bool reference = request.conventions == Conventions::kReference;
    std::vector<SlippageRow> rows;
    for (const FillPair& pair : pairs) {
        SlippageRow row;
        row.matched = pair.backtest && pair.actual;
        row.evidence = pair.evidence;
        row.backtest_trades = pair.backtest ? 1 : 0;
        row.actual_trades = pair.actual ? 1 : 0;
        row.minute = 0;
        if (pair.actual) {
            const ReportingTrade& a = actual.trades[*pair.actual];
            row.date = a.date_opened;
            row.strategy = names.actual[*pair.actual];
            if (a.time_opened && !(reference && request.fill_times_from_timestamp)) {
                row.minute = a.time_opened->minutes();
            }
            row.actual_pl = a.pl;
            row.actual_contracts = a.contracts;
            row.actual_legs = a.legs;
            row.context.actual_reason_for_close = a.reason_for_close;
        }
        if (pair.backtest) {
            const Trade& b = backtest.trades[*pair.backtest];
            row.date = b.date_opened;
            row.strategy = names.backtest[*pair.backtest];
            row.minute = b.time_opened ? b.time_opened->minutes() : 0;
            row.backtest_pl = b.net_pl();
            row.backtest_contracts = b.contracts;
            row.backtest_legs = b.legs;
            row.context.opening_vix = b.opening_vix;
            row.context.closing_vix = b.closing_vix;
            row.context.gap = b.gap;
            row.context.movement = b.movement;
            row.context.backtest_reason_for_close = b.reason_for_close;
        }
        if (row.matched) {
            add_differences(row, backtest.trades[*pair.backtest], actual.trades[*pair.actual]);
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

// z-scores of all matched rows, before any of them is hidden.
std::optional<OutlierStats> mark_outliers(std::vector<SlippageRow>& rows, double threshold) {
    std::vector<double> slippages;
    for (const SlippageRow& row : rows) {
        if (row.matched) {
            slippages.push_back(row.slippage);
        }
    }
    if (slippages.size() < kFewestForOutliers) {
        return std::nullopt;
    }
    OutlierStats stats;
    stats.threshold = threshold;
    stats.mean_slippage = *mean(slippages);
    stats.sd_slippage = *population_sd(slippages);
    if (!(stats.sd_slippage >= kSmallestSpread) || !std::isfinite(stats.sd_slippage)) {
        return std::nullopt;
    }
    CompensatedSum total;
    for (SlippageRow& row : rows) {
        if (!row.matched) {
            continue;
        }
        row.z_score = (row.slippage - stats.mean_slippage) / stats.sd_slippage;
        const double z = std::fabs(*row.z_score);
        if (z >= threshold) {
            row.is_outlier = true;
            row.severity = z >= 3   ? OutlierSeverity::kHigh
                           : z >= 2 ? OutlierSeverity::kMedium
                                    : OutlierSeverity::kLow;
            ++stats.count;
            total.add(row.slippage);
        }
    }
    stats.total_slippage = total.value();
    stats.percent = 100 * static_cast<double>(stats.count) / static_cast<double>(slippages.size());
    stats.avg_slippage =
        stats.count == 0 ? 0 : stats.total_slippage / static_cast<double>(stats.count);
    return stats;
}

void order_rows(std::vector<SlippageRow>& rows) {
    std::stable_sort(rows.begin(), rows.end(), [](const SlippageRow& a, const SlippageRow& b) {
        if (a.date != b.date) {
            return a.date < b.date;
        }
        if (a.strategy != b.strategy) {
            return name_order_less(a.strategy, b.strategy);
        }
        return a.minute < b.minute;
    });
}

void count_unmatched(const std::vector<SlippageRow>& rows, bool reference,
                     BacktestComparison& result) {
    struct Side {
        CompensatedSum pl;
        std::set<std::string> strategies;
        UnmatchedSide summary;
        void add(const SlippageRow& row, double p) {
            summary.from = summary.count == 0 ? row.date : std::min(summary.from, row.date);
            summary.to = summary.count == 0 ? row.date : std::max(summary.to, row.date);
            ++summary.count;
            pl.add(p);
            strategies.insert(row.strategy);
        }
        std::optional<UnmatchedSide> finish() {
            if (summary.count == 0) {
                return std::nullopt;
            }
            summary.total_pl = pl.value();
            summary.strategies.assign(strategies.begin(), strategies.end());
            return summary;
        }
    };
    Side backtest;
    Side actual;
    SlippageCoverage& coverage = result.coverage;
    std::int64_t matched = 0;
    for (const SlippageRow& row : rows) {
        const bool has_backtest = row.backtest_trades > 0;
        coverage.backtest_rows += has_backtest ? 1 : 0;
        coverage.actual_rows += row.matched || !has_backtest ? 1 : 0;
        if (row.matched) {
            ++matched;
        } else if (has_backtest) {
            if (!reference || row.backtest_pl != 0) {
                backtest.add(row, row.backtest_pl);
            }
        } else if (!reference || row.actual_pl != 0) {
            actual.add(row, row.actual_pl);
        }
    }
    const auto percent = [&](std::int64_t of) {
        return of == 0 ? 0 : 100 * static_cast<double>(matched) / static_cast<double>(of);
    };
    coverage.matched_backtest_percent = percent(coverage.backtest_rows);
    coverage.matched_actual_percent = percent(coverage.actual_rows);
    result.unmatched_backtest = backtest.finish();
    result.unmatched_actual = actual.finish();
    SlippageSummary& s = result.summary;
    s.unmatched_backtest_count = backtest.summary.count;
    s.unmatched_actual_count = actual.summary.count;
    s.unmatched_backtest_pl = backtest.pl.value();
    s.unmatched_actual_pl = actual.pl.value();
}

// Totals over `rows`; one-sided ones count only where `include_one_sided`.
void fill_totals(const std::vector<SlippageRow>& rows, bool include_one_sided, SlippageSummary& s) {
    CompensatedSum backtest;
    CompensatedSum actual;
    CompensatedSum slippage;
    for (const SlippageRow& row : rows) {
        if (row.matched || include_one_sided) {
            backtest.add(row.scaled_backtest_pl);
            actual.add(row.scaled_actual_pl);
        }
        if (row.matched) {
            ++s.matched_comparisons;
            slippage.add(row.slippage);
            const auto confidence =
                row.evidence ? std::optional(row.evidence->confidence) : std::nullopt;
            s.high_confidence += confidence == MatchConfidence::kHigh ? 1 : 0;
            s.medium_confidence += confidence == MatchConfidence::kMedium ? 1 : 0;
            s.low_confidence += confidence == MatchConfidence::kLow ? 1 : 0;
        }
    }
    s.total_comparisons = static_cast<std::int64_t>(rows.size());
    if (s.matched_comparisons == 0 && !include_one_sided) {
        return;
    }
    s.total_backtest_pl = backtest.value();
    s.total_actual_pl = actual.value();
    s.total_slippage = actual.value() - backtest.value();
    s.avg_slippage = s.matched_comparisons == 0
                         ? 0
                         : slippage.value() / static_cast<double>(s.matched_comparisons);
    if (backtest.value() != 0) {
        s.avg_slippage_percent = 100 * *s.total_slippage / std::fabs(backtest.value());
    }
}

std::string group_key(const SlippageRow& row, SlippageGroupBy by, Conventions conventions) {
    switch (by) {
        case SlippageGroupBy::kDate:
            return row.date.to_iso();
        case SlippageGroupBy::kWeek:
            return period_key(row.date, PeriodType::kWeekly, conventions);
        case SlippageGroupBy::kMonth:
            return period_key(row.date, PeriodType::kMonthly, conventions);
        case SlippageGroupBy::kNone:
        case SlippageGroupBy::kStrategy:
            break;
    }
    return row.strategy;
}

std::vector<SlippageGroup> group_rows(std::vector<SlippageRow> rows, SlippageGroupBy by,
                                      Conventions conventions) {
    std::vector<SlippageGroup> groups;
    std::map<std::string, std::size_t> known;
    for (SlippageRow& row : rows) {
        const std::string key = group_key(row, by, conventions);
        const auto [at, added] = known.try_emplace(key, groups.size());
        if (added) {
            groups.emplace_back();
            groups.back().key = key;
        }
        groups[at->second].rows.push_back(std::move(row));
    }
    for (SlippageGroup& group : groups) {
        CompensatedSum slippage;
        for (const SlippageRow& row : group.rows) {
            slippage.add(row.slippage);
            group.matched_count += row.matched ? 1 : 0;
            group.outlier_count += row.is_outlier ? 1 : 0;
        }
        group.count = static_cast<std::int64_t>(group.rows.size());
        if (group.matched_count > 0 || conventions == Conventions::kReference) {
            group.total_slippage = slippage.value();
            group.avg_slippage = group.matched_count == 0
                                     ? 0
                                     : slippage.value() / static_cast<double>(group.matched_count);
        }
    }
    std::stable_sort(groups.begin(), groups.end(),
                     [](const SlippageGroup& a, const SlippageGroup& b) {
                         return std::fabs(a.total_slippage.value_or(0)) >
                                std::fabs(b.total_slippage.value_or(0));
                     });
    return groups;
}

// A loss of more than margin or debit and some fees; a gain of more than the margin, unless of a
// debit, which can win any multiple. `margin` is of one contract; 0 = unknown.
bool moves_beyond_its_means(const ReportingTrade& fill, double margin) {
    const double debit = std::max(0.0, -fill.initial_premium.value_or(0)) * kContractShares;
    const double contracts = std::max(1.0, fill.contracts);
    if (!(margin > 0) || (fill.pl > 0 && debit > 0)) {
        return false;
    }
    const double fees = fill.pl < 0 ? kFeesOfAContract : 0;
    return std::fabs(fill.pl) > (std::max(margin, debit) + fees) * contracts;
}

// Fills whose numbers cannot be right.
std::vector<std::string> fill_warnings(const TradeSet& backtest, const ReportingSet& actual) {
    double largest_margin = 0;  // of one contract
    CompensatedSum model_sum;
    for (const Trade& b : backtest.trades) {
        largest_margin = std::max(largest_margin, b.margin_req / std::max(1, b.contracts));
        model_sum.add(b.net_pl());
    }
    CompensatedSum live_sum;
    std::int64_t beyond_margin = 0;
    std::int64_t huge_cost = 0;
    std::int64_t bad_identity = 0;
    for (const ReportingTrade& a : actual.trades) {
        const double contracts = std::max(1.0, a.contracts);
        live_sum.add(a.pl);
        beyond_margin += moves_beyond_its_means(a, largest_margin) ? 1 : 0;
        if (!a.initial_premium || !a.avg_closing_cost) {
            continue;
        }
        huge_cost += *a.initial_premium != 0 && std::fabs(*a.avg_closing_cost) >
                                                    kHugeClosingCost * std::fabs(*a.initial_premium)
                         ? 1
                         : 0;
        const double gross =
            (*a.initial_premium + *a.avg_closing_cost) * a.contracts * kContractShares;
        const double allowed = std::max(50 * contracts, 0.05 * std::fabs(gross));
        bad_identity += std::fabs(gross - a.pl) > allowed ? 1 : 0;
    }
    std::vector<std::string> warnings;
    const auto warn = [&](std::int64_t count, const char* what) {
        if (count > 0) {
            warnings.push_back(
                fmt::format("{} of {} live fills {}", count, actual.trades.size(), what));
        }
    };
    warn(beyond_margin,
         "gain or lose more than the largest margin of the backtest allows; slippage is not "
         "meaningful until their P/L is checked");
    if (beyond_margin > 0) {
        warnings.back() +=
            fmt::format(" (the live P/L sums to {} dollars, that of the backtest to {})",
                        fixed_text(live_sum.value(), 0), fixed_text(model_sum.value(), 0));
    }
    warn(huge_cost,
         "have a closing cost more than 20 times the premium, as if written in another unit");
    warn(bad_identity, "have a P/L that does not follow from premium, closing cost and contracts");
    return warnings;
}

std::vector<std::string> sorted_strategies(const TradeSet& set) {
    std::vector<std::string> names = strategies_in_use(set);
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> sorted_strategies(const ReportingSet& set) {
    std::set<std::string> names;
    for (const ReportingTrade& t : set.trades) {
        names.insert(set.strategies[t.strategy]);
    }
    return {names.begin(), names.end()};
}

// A slippage of 0 must not read like a perfect fill when nothing could be compared (02 I-46).
std::optional<std::string> nothing_matched(const std::vector<SlippageRow>& rows,
                                           const BacktestComparison& result, bool nameless) {
    if (std::any_of(rows.begin(), rows.end(), [](const SlippageRow& r) { return r.matched; })) {
        return std::nullopt;
    }
    const bool common =
        nameless || std::any_of(result.actual_strategies.begin(), result.actual_strategies.end(),
                                [&](const std::string& name) {
                                    return NameWanted(name, result.backtest_strategies).found() !=
                                           NameMatch::kNone;
                                });
    return std::string("no live fill matches the backtest, so no slippage is known") +
           (common ? "" : ": the two logs have no strategy name in common");
}

std::string totals_note(const BacktestComparisonRequest& request) {
    if (request.conventions == Conventions::kCorrect) {
        return request.detail == DetailLevel::kTrades
                   ? "Totals and slippage are of all matched rows; one-sided rows are in coverage "
                     "and unmatchedSummary."
                   : "Totals and slippage are of all matched rows, each the sum of a day and "
                     "strategy; detailLevel trades pairs trade by trade.";
    }
    return request.matched_only
               ? "Summary stats are computed from matched rows only."
               : "Summary stats include unmatched rows because matchedOnly=false. Unmatched trades "
                 "are also reported in unmatchedSummary.";
}

}  // namespace

bool SlippageContext::empty() const {
    return !opening_vix && !closing_vix && !gap && !movement && backtest_reason_for_close.empty() &&
           actual_reason_for_close.empty();
}

std::string SlippageRow::time_opened() const {
    return minute ? fmt::format("{:02}:{:02}", *minute / 60, *minute % 60) : std::string();
}

std::optional<Date> reference_date_bound(std::string_view text, BoundSide side) {
    if (text.empty()) {
        return std::nullopt;
    }
    // Days of four-digit years are in the order of their texts: bisect for the first one that is
    // at or after `text`, or for the first one after it.
    const Date last = *Date::from_ymd(9999, 12, 31);
    std::int32_t low = Date::from_ymd(1000, 1, 1)->days();
    std::int32_t high = last.days() + 1;
    while (low < high) {
        const std::int32_t middle = low + (high - low) / 2;
        const int order = Date(middle).to_iso().compare(text);
        if (order < 0 || (order == 0 && side == BoundSide::kTo)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (side == BoundSide::kTo) {
        return std::max(Date(low - 1), *Date::from_ymd(1000, 1, 1));
    }
    return std::min(Date(low), last);
}

namespace {

// The rows of a name; rows without one where no other has it, since they may be of that strategy.
template <class Set, class Keep>
void keep_strategy(Set& set, const std::string& wanted, const Keep& keep) {
    const bool known = NameWanted(wanted, set.strategies).found() != NameMatch::kNone;
    if (known || !set.unnamed) {
        keep(set);
        return;
    }
    std::erase_if(set.trades, [&](const auto& t) { return t.strategy != *set.unnamed; });
}

struct Sides {
    TradeSet trades;
    ReportingSet fills;
    bool cut = false;  // the backtest, to the fills' days
};

Sides selected(const TradeSet& backtest, const ReportingSet& actual,
               const BacktestComparisonRequest& request) {
    const DateRange dates = request.dates.value_or(DateRange());
    const bool reference = request.conventions == Conventions::kReference;
    const bool named = request.strategy && !request.strategy->empty();
    Sides sides;
    TradeFilter filter;
    filter.date_field = DateField::kOpened;
    filter.dates = dates;
    filter.reference_names = reference;
    sides.fills = filter_reporting(actual, std::nullopt, dates);
    sides.trades = filter_trades(backtest, filter);
    if (named) {
        const auto by_name = [&](auto& set) {
            using Set = std::remove_reference_t<decltype(set)>;
            if constexpr (std::is_same_v<Set, TradeSet>) {
                TradeFilter one;
                one.strategy = request.strategy;
                one.reference_names = reference;
                set = filter_trades(set, one);
            } else {
                set = filter_reporting(set, request.strategy, DateRange(), reference);
            }
        };
        if (reference) {
            by_name(sides.trades);
            by_name(sides.fills);
        } else {
            keep_strategy(sides.trades, *request.strategy, by_name);
            keep_strategy(sides.fills, *request.strategy, by_name);
        }
    }
    if (!request.dates && !sides.fills.trades.empty()) {
        const auto [first, last] =
            std::minmax_element(sides.fills.trades.begin(), sides.fills.trades.end(),
                                [](const ReportingTrade& a, const ReportingTrade& b) {
                                    return a.date_opened < b.date_opened;
                                });
        filter.dates = {first->date_opened, last->date_opened};
        const std::size_t before = sides.trades.trades.size();
        sides.trades = filter_trades(sides.trades, filter);
        sides.cut = sides.trades.trades.size() != before;
    }
    return sides;
}

ComparedNames names_as_written(const TradeSet& backtest, const ReportingSet& actual) {
    ComparedNames names;
    for (const Trade& t : backtest.trades) {
        names.backtest.emplace_back(backtest.strategies[t.strategy]);
    }
    for (const ReportingTrade& t : actual.trades) {
        names.actual.emplace_back(actual.strategies[t.strategy]);
    }
    return names;
}

Result<std::vector<SlippageRow>> compared_rows(const Sides& sides,
                                               const BacktestComparisonRequest& request,
                                               const CancelToken& cancel,
                                               std::vector<std::string>& warnings) {
    const bool reference = request.conventions == Conventions::kReference;
    const bool summary = request.detail == DetailLevel::kSummary;
    FillMatching matching;
    if (!summary || (!reference && (sides.trades.unnamed || sides.fills.unnamed))) {
        TB_TRY(matching, match_trades(sides.trades, sides.fills, request, cancel));
        warnings = matching.warnings;
    }
    const ComparedNames names = reference
                                    ? names_as_written(sides.trades, sides.fills)
                                    : compared_names(sides.trades, sides.fills, matching.pairs);
    return summary ? summary_rows(sides.trades, sides.fills, names)
                   : trade_rows(sides.trades, sides.fills, request, matching.pairs, names);
}

// Days of the summary whose sums are of different numbers of trades.
std::optional<std::string> uneven_days(const std::vector<SlippageRow>& rows) {
    const auto uneven = std::count_if(rows.begin(), rows.end(), [](const SlippageRow& row) {
        return row.matched && row.backtest_trades != row.actual_trades;
    });
    if (uneven == 0) {
        return std::nullopt;
    }
    return fmt::format(
        "{} of the matched days and strategies have another number of live fills than of backtest "
        "trades, so their slippage is not that of the same trades; detailLevel trades pairs them "
        "one to one",
        uneven);
}

}  // namespace

Result<BacktestComparison> compare_backtest_to_actual(const TradeSet& backtest,
                                                      const ReportingSet& actual,
                                                      const BacktestComparisonRequest& request,
                                                      const CancelToken& cancel) {
    const bool reference = request.conventions == Conventions::kReference;
    const Sides sides = selected(backtest, actual, request);
    if (sides.fills.trades.empty() || sides.trades.trades.empty()) {
        return make_error(ErrorCode::kNotFound,
                          sides.fills.trades.empty()
                              ? "no live fill is left after filtering by strategy and dates"
                              : "no backtest trade is left after filtering by strategy and dates");
    }
    BacktestComparison result;
    result.auto_filter_applied = sides.cut;
    result.backtest_trades = static_cast<std::int64_t>(sides.trades.trades.size());
    result.actual_trades = static_cast<std::int64_t>(sides.fills.trades.size());
    result.backtest_strategies = sorted_strategies(sides.trades);
    result.actual_strategies = sorted_strategies(sides.fills);
    std::vector<std::string> matching_warnings;
    TB_TRY(std::vector<SlippageRow> rows, compared_rows(sides, request, cancel, matching_warnings));
    for (SlippageRow& row : rows) {
        scale(row, request.scaling);
    }
    result.summary.outliers = mark_outliers(rows, request.outlier_threshold);
    order_rows(rows);
    count_unmatched(rows, reference, result);
    result.summary.note = totals_note(request);
    if (!reference) {
        result.warnings = fill_warnings(sides.trades, sides.fills);
        if (const auto warning =
                nothing_matched(rows, result, sides.trades.unnamed || sides.fills.unnamed)) {
            result.warnings.insert(result.warnings.begin(), *warning);
        }
        if (const auto warning = uneven_days(rows)) {
            result.warnings.push_back(*warning);
        }
        result.warnings.insert(result.warnings.end(), matching_warnings.begin(),
                               matching_warnings.end());
        fill_totals(rows, false, result.summary);
    }
    std::erase_if(rows, [&](const SlippageRow& row) {
        return (request.matched_only && !row.matched) || (request.outliers_only && !row.is_outlier);
    });
    if (reference) {
        fill_totals(rows, true, result.summary);
    }
    std::stable_sort(rows.begin(), rows.end(), [](const SlippageRow& a, const SlippageRow& b) {
        return std::fabs(a.slippage) > std::fabs(b.slippage);
    });
    if (request.group_by == SlippageGroupBy::kNone) {
        result.rows = std::move(rows);
    } else {
        result.groups = group_rows(std::move(rows), request.group_by, request.conventions);
    }
    return result;
}

}  // namespace tb::analytics
