// Premium in dollars, and how far a trade went for and against it before it closed (02 §2.10).
//
// Option Omega exports Max Profit and Max Loss in percent of the premium. MFE (maximum favorable
// excursion) and MAE (maximum adverse excursion) here are dollars.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/statistics_types.h"
#include "analytics/trade.h"

namespace tb::analytics {

// Premium of the whole position in dollars, by the unit that its file proves (blocks/reading.h) and
// never by its size: |premium| * contracts where it is in cents of a share, times 100 shares where
// it is in dollars of a share, |premium| itself where it is the position's. nullopt when blank or
// zero.
[[nodiscard]] std::optional<double> premium_dollars(const Trade& trade);
// |Max Profit|/100 * premium and |Max Loss|/100 * premium; nullopt when either factor is absent.
[[nodiscard]] std::optional<double> mfe_dollars(const Trade& trade);
[[nodiscard]] std::optional<double> mae_dollars(const Trade& trade);

enum class ExcursionBasis { kPremium, kMargin, kMaxProfit, kUnknown };
[[nodiscard]] const char* excursion_basis_name(ExcursionBasis basis);  // "premium", ...

// P/L in percent of the premium, else of MFE, else of the margin; kUnknown without any.
struct PremiumEfficiency {
    std::optional<double> percent;
    std::optional<double> denominator;  // dollars
    ExcursionBasis basis = ExcursionBasis::kUnknown;
};
[[nodiscard]] PremiumEfficiency premium_efficiency(const Trade& trade, double pl);

struct ExcursionPercents {
    double denominator = 0;  // dollars
    std::optional<double> mfe_percent;
    std::optional<double> mae_percent;
    double pl_percent = 0;
};

struct ExcursionRecord {
    std::size_t trade_index = 0;  // in the span given; trade number = index + 1
    double pl = 0;
    std::optional<double> mfe;  // dollars
    std::optional<double> mae;  // dollars
    std::optional<ExcursionPercents> by_premium;
    std::optional<ExcursionPercents> by_margin;
    // Of the primary denominator: premium, else margin, else MFE.
    ExcursionBasis basis = ExcursionBasis::kUnknown;
    std::optional<double> mfe_percent;
    std::optional<double> mae_percent;
    std::optional<double> profit_capture_percent;  // 100*pl/MFE
    std::optional<double> excursion_ratio;         // MFE/MAE
    std::optional<double> ratio_change;            // closing/opening short/long ratio
    std::optional<double> ratio_change_percent;    // nullopt for an opening ratio of 0
    bool is_winner = false;                        // pl > 0
};

// One record per trade that has MFE or MAE. `pl` is the reported P/L under kReference, the net P/L
// under kCorrect (02 I-17).
[[nodiscard]] std::vector<ExcursionRecord> excursion_records(std::span<const Trade> trades,
                                                             Conventions conventions);

// Mean and median of the percents over the records that have the basis; a missing side counts 0.
struct ExcursionAggregate {
    std::int64_t count = 0;
    std::optional<double> mean_mfe_percent;  // nullopt without records
    std::optional<double> median_mfe_percent;
    std::optional<double> mean_mae_percent;
    std::optional<double> median_mae_percent;
};
struct ExcursionStatistics {
    std::int64_t total_trades = 0;  // records
    std::int64_t trades_with_mfe = 0;
    std::int64_t trades_with_mae = 0;
    ExcursionAggregate by_premium;
    ExcursionAggregate by_margin;
    std::optional<double> avg_profit_capture;  // over records with one
    std::optional<double> winner_avg_profit_capture;
    std::optional<double> non_winner_avg_profit_capture;
    std::optional<double> avg_excursion_ratio;
};
[[nodiscard]] ExcursionStatistics excursion_statistics(std::span<const ExcursionRecord> records);

struct ExcursionBucket {
    double from = 0;  // percent
    double to = 0;
    std::int64_t mfe_count = 0;
    std::int64_t mae_count = 0;
};
inline constexpr std::size_t kMaxExcursionBuckets = 500;
// kReference draws as many as its width asks for, up to this; beyond it kMaxExcursionBuckets.
inline constexpr std::size_t kMaxReferenceBuckets = 5'000;
// Buckets of `width` percent from 0 over the primary percents; wider ones (max/500) when there
// would be more than 500. A missing or zero percent is not counted. Empty when the maximum is 0.
[[nodiscard]] std::vector<ExcursionBucket> excursion_distribution(
    std::span<const ExcursionRecord> records, double width = 10);

}  // namespace tb::analytics
