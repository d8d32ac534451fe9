#include "analytics/monte_carlo_worst_case.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "analytics/excursion.h"
#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

struct StrategyLoss {
    std::size_t trades = 0;
    double contracts = 0;
    double loss_usd = 0;
    double loss_ratio = 0;
};

double largest_loss(const Trade& trade, Conventions conventions) {
    if (conventions == Conventions::kReference) {
        return std::max({trade.margin_req, std::fabs(trade.max_loss.value_or(0)), -trade.pl, 0.0});
    }
    const double stated = mae_dollars(trade).value_or(0);
    return std::max({trade.margin_req, stated, -trade.net_pl(), 0.0});
}

double account_before(const Trade& trade, const MonteCarloSettings& settings,
                      Conventions conventions) {
    if (conventions == Conventions::kReference) {
        return std::max(1.0, trade.funds_at_close.value_or(0) - trade.pl);
    }
    const double before = trade.funds_at_close ? *trade.funds_at_close - trade.net_pl() : 0;
    return before > 0 ? before : settings.historical_capital.value_or(settings.initial_capital);
}

// Splits `budget` in proportion to `weights`: whole parts first, the rest to the largest fractions.
std::vector<std::size_t> largest_remainder(std::size_t budget, std::span<const double> weights) {
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<std::size_t> shares(weights.size(), 0);
    std::vector<double> fractions(weights.size(), 0);
    std::size_t given = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double quota = static_cast<double>(budget) * weights[i] / total;
        shares[i] = static_cast<std::size_t>(quota);
        fractions[i] = quota - std::floor(quota);
        given += shares[i];
    }
    std::vector<std::size_t> order(weights.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return fractions[a] > fractions[b]; });
    for (std::size_t k = 0; given < budget; ++given, ++k) {
        ++shares[order[k % order.size()]];
    }
    return shares;
}

double entry_value(const StrategyLoss& loss, const MonteCarloSettings& settings,
                   Conventions conventions) {
    const double basis = settings.historical_capital.value_or(settings.initial_capital);
    if (settings.method == ResampleMethod::kPercentage) {
        return loss.loss_ratio > 0 ? -loss.loss_ratio : -loss.loss_usd / basis;
    }
    if (settings.worst_case_sizing == WorstCaseSizing::kRelative) {
        return -loss.loss_ratio * basis;
    }
    if (settings.normalize_to_one_lot && conventions == Conventions::kReference) {
        const double lots = round_half_up(loss.contracts / static_cast<double>(loss.trades));
        return -loss.loss_usd / std::max(1.0, lots);
    }
    return -loss.loss_usd;
}

}  // namespace

std::vector<WorstCaseLoss> worst_case_losses(const TradeSet& trades,
                                             const MonteCarloSettings& settings,
                                             Conventions conventions) {
    std::vector<StrategyLoss> by_strategy(trades.strategies.size());
    std::vector<std::size_t> appearance;
    const bool divide_lots = settings.normalize_to_one_lot && conventions == Conventions::kCorrect;
    for (const Trade& trade : trades.trades) {
        StrategyLoss& loss = by_strategy[trade.strategy];
        if (loss.trades++ == 0) {
            appearance.push_back(trade.strategy);
        }
        loss.contracts += std::abs(trade.contracts);
        const double lots = divide_lots ? std::max(1, std::abs(trade.contracts)) : 1;
        const double usd = largest_loss(trade, conventions) / lots;
        loss.loss_usd = std::max(loss.loss_usd, usd);
        loss.loss_ratio =
            std::max(loss.loss_ratio, usd / account_before(trade, settings, conventions));
    }

    const auto length = static_cast<double>(settings.simulation_length);
    if (!(settings.worst_case_pct > 0) || appearance.empty()) {
        return {};
    }
    const double wanted = std::max(1.0, std::ceil(length * settings.worst_case_pct / 100));
    const auto budget = static_cast<std::size_t>(std::min(length, wanted));
    std::vector<double> weights;
    for (const std::size_t s : appearance) {
        weights.push_back(settings.worst_case_basis == WorstCaseBasis::kHistorical
                              ? static_cast<double>(by_strategy[s].trades)
                              : 1);
    }
    const std::vector<std::size_t> shares = largest_remainder(budget, weights);
    std::vector<WorstCaseLoss> result;
    for (std::size_t k = 0; k < appearance.size(); ++k) {
        const StrategyLoss& loss = by_strategy[appearance[k]];
        if (loss.loss_usd > 0) {
            result.push_back({trades.strategies[appearance[k]], shares[k], loss.loss_usd,
                              loss.loss_ratio, entry_value(loss, settings, conventions)});
        }
    }
    return result;
}

std::vector<double> worst_case_values(std::span<const WorstCaseLoss> losses) {
    std::vector<double> values;
    for (const auto& loss : losses) {
        values.insert(values.end(), loss.entries, loss.value);
    }
    return values;
}

}  // namespace tb::analytics
