// Backtest trades against live fills: matching, slippage and its outliers (02 §4.12).
//
// Slippage = actual - backtest P/L of a matched pair after scaling, in dollars; negative is worse
// than the backtest. Backtest P/L is net, the actual P/L is the reporting log's number.
//
// Matching. Trade level: one to one, see backtest_vs_actual_match.h. Summary level: rows are summed
// per (opening day, strategy) on each side and equal keys match; under kCorrect names that differ
// in case only are one, and a row without a name goes under that of its partner.
// kReference, trade level: without a Time Opened column the fills count as opened at 00:00.
//
// Totals. kReference sums the rows it returns, one-sided ones included. kCorrect: slippage and its
// totals come from all matched rows, whatever is shown; one-sided rows are counted apart in
// `coverage`; without a matched row there are none.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/filters.h"
#include "analytics/trade.h"
#include "core/cancel.h"
#include "core/result.h"

namespace tb::analytics {

enum class SlippageScaling {
    kRaw,
    kPerContract,  // each side divided by its contracts
    kToReported,   // backtest times actual/backtest contracts
};
enum class DetailLevel { kSummary, kTrades };
enum class SlippageGroupBy { kNone, kStrategy, kDate, kWeek, kMonth };
enum class OutlierSeverity { kLow, kMedium, kHigh };

// How sure it is that a trade and a fill belong together.
enum class MatchConfidence {
    kLow,     // another pairing is as near, or neither times nor legs could be compared
    kMedium,  // the best there is, but not all of the next
    kHigh,    // same strategy and type of legs, same expiries, times at most kSureMinutes and
              // strikes at most kSureStrikeShare apart
};
inline constexpr std::int32_t kSureMinutes = 5;
inline constexpr double kSureStrikeShare = 0.01;  // of the strike, for each leg

// What a pair rests on.
struct PairEvidence {
    MatchConfidence confidence = MatchConfidence::kLow;
    bool ambiguous = false;                         // another pairing is exactly as near
    bool same_name = true;                          // of the strategy, without case
    std::optional<std::int32_t> minutes_apart;      // actual - backtest; both times known
    std::optional<double> strikes_apart;            // points, the leg farthest apart; both read
    std::optional<std::int32_t> expiry_days_apart;  // likewise
};

struct BacktestComparisonRequest {
    std::optional<std::string> strategy;
    std::optional<DateRange> dates;  // of opening; absent: the backtest is cut to the fills' days
    SlippageScaling scaling = SlippageScaling::kRaw;
    DetailLevel detail = DetailLevel::kSummary;
    bool matched_only = false;
    bool outliers_only = false;
    double outlier_threshold = 2;  // of |z|
    SlippageGroupBy group_by = SlippageGroupBy::kNone;
    std::int32_t match_tolerance_minutes = 30;  // kCorrect, trade level
    // True when the fills' times come from inside Date Opened and the log has no Time Opened
    // column: the reference does not see such times.
    bool fill_times_from_timestamp = true;
    Conventions conventions = Conventions::kCorrect;
};

// A pair of values that differ between backtest and fill; texts as shown.
struct FieldDifference {
    std::string
        field;  // "numContracts", "openingPrice", "legs", "closingPrice", "reasonForClose", "pl"
    std::string backtest;
    std::string actual;
    // Set for numbers, all three; the texts are then empty.
    std::optional<double> backtest_value;
    std::optional<double> actual_value;
    std::optional<double> delta;  // actual - backtest
};

struct SlippageContext {
    std::optional<double> opening_vix;
    std::optional<double> closing_vix;
    std::optional<double> gap;
    std::optional<double> movement;
    std::string backtest_reason_for_close;  // empty when absent
    std::string actual_reason_for_close;
    [[nodiscard]] bool empty() const;
};

struct SlippageRow {
    Date date;  // opening day
    std::string strategy;
    std::optional<std::int32_t> minute;  // of opening; nullopt at summary level
    bool matched = false;
    double backtest_pl = 0;  // not scaled
    double actual_pl = 0;    // not scaled
    double scaled_backtest_pl = 0;
    double scaled_actual_pl = 0;
    double slippage = 0;                     // 0 on one-sided rows
    std::optional<double> slippage_percent;  // of |scaled_backtest_pl|; nullopt where that is 0
    double backtest_contracts = 0;
    double actual_contracts = 0;
    double scaling_factor = 1;                 // 1 unless kToReported; 0 on one-sided rows
    std::optional<std::string> backtest_legs;  // trade level
    std::optional<std::string> actual_legs;
    std::vector<FieldDifference> differences;  // matched rows at trade level
    bool is_outlier = false;
    std::optional<OutlierSeverity> severity;  // |z| >= 3 high, >= 2 medium, else low
    std::optional<double> z_score;            // matched rows, when the slippages vary
    SlippageContext context;                  // trade level
    std::optional<PairEvidence> evidence;     // matched rows, kCorrect, trade level
    std::int64_t backtest_trades = 0;         // summed up in the row
    std::int64_t actual_trades = 0;
    [[nodiscard]] std::string time_opened() const;  // "HH:MM" or ""
};

struct OutlierStats {
    double mean_slippage = 0;
    double sd_slippage = 0;  // population
    double threshold = 2;
    std::int64_t count = 0;
    double percent = 0;  // of matched rows
    double total_slippage = 0;
    double avg_slippage = 0;  // 0 without outliers
};

struct SlippageSummary {
    std::int64_t total_comparisons = 0;  // rows: shown (kReference), all (kCorrect)
    std::int64_t matched_comparisons = 0;
    std::int64_t unmatched_backtest_count = 0;  // kReference: only those with P/L other than 0
    std::int64_t unmatched_actual_count = 0;
    double unmatched_backtest_pl = 0;  // not scaled
    double unmatched_actual_pl = 0;
    // The four are nullopt under kCorrect where nothing matched; kReference: 0 then.
    std::optional<double> total_backtest_pl;     // scaled
    std::optional<double> total_actual_pl;       // scaled
    std::optional<double> total_slippage;        // actual - backtest
    std::optional<double> avg_slippage;          // per matched row
    std::optional<double> avg_slippage_percent;  // 100*total_slippage/|total_backtest_pl|
    std::optional<OutlierStats> outliers;        // nullopt below 3 matched rows or without spread
    std::string note;                            // what the totals hold
    // Matched rows by confidence; kCorrect, trade level.
    std::int64_t high_confidence = 0;
    std::int64_t medium_confidence = 0;
    std::int64_t low_confidence = 0;
};

// What could be compared at all.
struct SlippageCoverage {
    std::int64_t backtest_rows = 0;  // matched and one-sided
    std::int64_t actual_rows = 0;
    double matched_backtest_percent = 0;  // of backtest_rows, 0 without
    double matched_actual_percent = 0;
};

struct UnmatchedSide {
    std::int64_t count = 0;
    Date from;
    Date to;
    double total_pl = 0;                  // not scaled
    std::vector<std::string> strategies;  // sorted by code
};

struct SlippageGroup {
    std::string key;  // strategy, "2025-03-14", "2025-W11", "2025-03"
    std::int64_t count = 0;
    std::int64_t matched_count = 0;
    std::optional<double> total_slippage;  // nullopt under kCorrect where nothing matched
    std::optional<double> avg_slippage;    // per matched row
    std::int64_t outlier_count = 0;
    std::vector<SlippageRow> rows;
};

struct BacktestComparison {
    SlippageSummary summary;
    SlippageCoverage coverage;
    std::optional<UnmatchedSide> unmatched_backtest;  // before the output filters
    std::optional<UnmatchedSide> unmatched_actual;
    std::vector<SlippageRow> rows;      // largest |slippage| first; empty when grouped
    std::vector<SlippageGroup> groups;  // largest |total_slippage| first
    std::int64_t backtest_trades = 0;   // after filtering
    std::int64_t actual_trades = 0;
    std::vector<std::string> backtest_strategies;  // sorted by code
    std::vector<std::string> actual_strategies;
    bool auto_filter_applied = false;  // the backtest was cut to the fills' days
    // The first say what is wrong with the inputs: implausible fills, nothing matched.
    std::vector<std::string> warnings;
};

// kNotFound when a side has no trade left after filtering; kInterrupted when cancelled.
[[nodiscard]] Result<BacktestComparison> compare_backtest_to_actual(
    const TradeSet& backtest, const ReportingSet& actual, const BacktestComparisonRequest& request,
    const CancelToken& cancel = {});

// A date bound as the reference's comparison takes it: unlike the other tools (parse_date_bound) it
// compares any text with each day's YYYY-MM-DD, so "2025-6-1" is after all of 2025. The nearest day
// on that side; 9999-12-31 or 1000-01-01 where the text leaves no day; nullopt for an empty text.
[[nodiscard]] std::optional<Date> reference_date_bound(std::string_view text, BoundSide side);

}  // namespace tb::analytics
