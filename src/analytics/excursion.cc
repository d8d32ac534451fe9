#include "analytics/excursion.h"

#include <algorithm>
#include <cmath>

#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

constexpr double kContractShares = 100;

std::optional<double> percent_of_premium(const Trade& t, std::optional<double> percent) {
    const std::optional<double> premium = premium_dollars(t);
    if (!percent || *percent == 0 || !premium) {
        return std::nullopt;
    }
    return std::fabs(*percent) / 100 * *premium;
}

ExcursionPercents percents_of(const ExcursionRecord& r, double denominator) {
    const auto of = [&](std::optional<double> dollars) {
        return dollars ? std::optional(100 * *dollars / denominator) : std::nullopt;
    };
    return {denominator, of(r.mfe), of(r.mae), 100 * r.pl / denominator};
}

void fill_ratio_change(ExcursionRecord& r, const Trade& t) {
    if (t.opening_ratio && t.closing_ratio && *t.opening_ratio != 0) {
        r.ratio_change = *t.closing_ratio / *t.opening_ratio;
        r.ratio_change_percent = 100 * (*t.closing_ratio - *t.opening_ratio) / *t.opening_ratio;
    }
}

ExcursionAggregate aggregate(std::span<const ExcursionRecord> records,
                             std::optional<ExcursionPercents> ExcursionRecord::*basis) {
    std::vector<double> mfe;
    std::vector<double> mae;
    for (const ExcursionRecord& r : records) {
        if (const auto& percents = r.*basis) {
            mfe.push_back(percents->mfe_percent.value_or(0));
            mae.push_back(percents->mae_percent.value_or(0));
        }
    }
    return {static_cast<std::int64_t>(mfe.size()), mean(mfe), median(mfe), mean(mae), median(mae)};
}

}  // namespace

std::optional<double> premium_dollars(const Trade& trade) {
    const double contracts = std::max(1, std::abs(trade.contracts));
    double dollars = std::fabs(trade.premium);
    switch (trade.premium_unit) {
        case PremiumUnit::kCents:
            dollars *= contracts;
            break;
        case PremiumUnit::kDollars:
            dollars *= kContractShares * contracts;
            break;
        case PremiumUnit::kTotal:
            break;
    }
    return dollars > 0 && std::isfinite(dollars) ? std::optional(dollars) : std::nullopt;
}

std::optional<double> mfe_dollars(const Trade& trade) {
    return percent_of_premium(trade, trade.max_profit);
}

std::optional<double> mae_dollars(const Trade& trade) {
    return percent_of_premium(trade, trade.max_loss);
}

const char* excursion_basis_name(ExcursionBasis basis) {
    switch (basis) {
        case ExcursionBasis::kPremium:
            return "premium";
        case ExcursionBasis::kMargin:
            return "margin";
        case ExcursionBasis::kMaxProfit:
            return "maxProfit";
        case ExcursionBasis::kUnknown:
            break;
    }
    return "unknown";
}

PremiumEfficiency premium_efficiency(const Trade& trade, double pl) {
    const auto of = [&](double denominator, ExcursionBasis basis) {
        return PremiumEfficiency{100 * pl / denominator, denominator, basis};
    };
    if (const auto premium = premium_dollars(trade)) {
        return of(*premium, ExcursionBasis::kPremium);
    }
    if (const auto mfe = mfe_dollars(trade)) {
        return of(*mfe, ExcursionBasis::kMaxProfit);
    }
    if (trade.margin_req != 0) {
        return of(std::fabs(trade.margin_req), ExcursionBasis::kMargin);
    }
    return {};
}

std::vector<ExcursionRecord> excursion_records(std::span<const Trade> trades,
                                               Conventions conventions) {
    std::vector<ExcursionRecord> records;
    for (std::size_t i = 0; i < trades.size(); ++i) {
        const Trade& t = trades[i];
        ExcursionRecord r;
        r.trade_index = i;
        r.pl = conventions == Conventions::kReference ? t.pl : t.net_pl();
        r.mfe = mfe_dollars(t);
        r.mae = mae_dollars(t);
        if (!r.mfe && !r.mae) {
            continue;
        }
        r.is_winner = r.pl > 0;
        if (const auto premium = premium_dollars(t)) {
            r.by_premium = percents_of(r, *premium);
        }
        if (t.margin_req != 0) {
            r.by_margin = percents_of(r, std::fabs(t.margin_req));
        }
        std::optional<ExcursionPercents> primary = r.by_premium ? r.by_premium : r.by_margin;
        r.basis = r.by_premium  ? ExcursionBasis::kPremium
                  : r.by_margin ? ExcursionBasis::kMargin
                                : ExcursionBasis::kUnknown;
        if (!primary && r.mfe) {
            primary = percents_of(r, *r.mfe);
            r.basis = ExcursionBasis::kMaxProfit;
        }
        if (primary) {
            r.mfe_percent = primary->mfe_percent;
            r.mae_percent = primary->mae_percent;
        }
        if (r.mfe) {
            r.profit_capture_percent = 100 * r.pl / *r.mfe;
        }
        if (r.mfe && r.mae) {
            r.excursion_ratio = *r.mfe / *r.mae;
        }
        fill_ratio_change(r, t);
        records.push_back(r);
    }
    return records;
}

ExcursionStatistics excursion_statistics(std::span<const ExcursionRecord> records) {
    ExcursionStatistics s;
    s.total_trades = static_cast<std::int64_t>(records.size());
    std::vector<double> captures;
    std::vector<double> winners;
    std::vector<double> others;
    std::vector<double> ratios;
    for (const ExcursionRecord& r : records) {
        s.trades_with_mfe += r.mfe ? 1 : 0;
        s.trades_with_mae += r.mae ? 1 : 0;
        if (r.profit_capture_percent) {
            captures.push_back(*r.profit_capture_percent);
            (r.is_winner ? winners : others).push_back(*r.profit_capture_percent);
        }
        if (r.excursion_ratio) {
            ratios.push_back(*r.excursion_ratio);
        }
    }
    s.by_premium = aggregate(records, &ExcursionRecord::by_premium);
    s.by_margin = aggregate(records, &ExcursionRecord::by_margin);
    s.avg_profit_capture = mean(captures);
    s.winner_avg_profit_capture = mean(winners);
    s.non_winner_avg_profit_capture = mean(others);
    s.avg_excursion_ratio = mean(ratios);
    return s;
}

std::vector<ExcursionBucket> excursion_distribution(std::span<const ExcursionRecord> records,
                                                    double width) {
    double highest = 0;
    for (const ExcursionRecord& r : records) {
        highest = std::max({highest, r.mfe_percent.value_or(0), r.mae_percent.value_or(0)});
    }
    if (!(highest > 0) || !std::isfinite(highest) || !(width > 0)) {
        return {};
    }
    if (std::ceil(highest / width) > static_cast<double>(kMaxExcursionBuckets)) {
        width = highest / static_cast<double>(kMaxExcursionBuckets);
    }
    const auto count = std::clamp<std::size_t>(static_cast<std::size_t>(std::ceil(highest / width)),
                                               1, kMaxExcursionBuckets);
    std::vector<ExcursionBucket> buckets(count);
    for (std::size_t i = 0; i < count; ++i) {
        buckets[i].from = static_cast<double>(i) * width;
        buckets[i].to = static_cast<double>(i + 1) * width;
    }
    const auto bucket_of = [&](double percent) -> ExcursionBucket& {
        return buckets[std::min(count - 1, static_cast<std::size_t>(percent / width))];
    };
    for (const ExcursionRecord& r : records) {
        if (r.mfe_percent.value_or(0) > 0) {
            ++bucket_of(*r.mfe_percent).mfe_count;
        }
        if (r.mae_percent.value_or(0) > 0) {
            ++bucket_of(*r.mae_percent).mae_count;
        }
    }
    return buckets;
}

}  // namespace tb::analytics
