#include "analytics/kelly.h"

#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

constexpr double kUnrealisticMultiple = 100;
constexpr double kUnrealisticDollars = 10'000'000;

// Sums of one kind of result; losses as positive amounts.
struct Sides {
    CompensatedSum win;
    CompensatedSum loss;
    std::int64_t wins = 0;
    std::int64_t losses = 0;
    void add(double value) {
        if (value > 0) {
            win.add(value);
            ++wins;
        } else if (value < 0) {
            loss.add(-value);
            ++losses;
        }
    }
    [[nodiscard]] double avg_win() const {
        return wins == 0 ? 0 : win.value() / static_cast<double>(wins);
    }
    [[nodiscard]] double avg_loss() const {
        return losses == 0 ? 0 : loss.value() / static_cast<double>(losses);
    }
    [[nodiscard]] bool both() const { return wins > 0 && losses > 0; }
};

double kelly_fraction(double p, double b) {
    return (b * p - (1 - p)) / b;
}

void use_margin_version(KellyMetrics& kelly, const Sides& margin) {
    kelly.win_rate =
        static_cast<double>(margin.wins) / static_cast<double>(margin.wins + margin.losses);
    kelly.percent = *kelly.normalized_kelly_pct;
    kelly.fraction = kelly.percent / 100;
    kelly.payoff_ratio = *kelly.avg_win_pct / *kelly.avg_loss_pct;
    kelly.has_valid_kelly = true;
    kelly.method = KellyMethod::kPercentage;
}

}  // namespace

KellyMetrics kelly_metrics(std::span<const Trade> trades, const KellyOptions& options) {
    KellyMetrics kelly;
    if (trades.empty()) {
        return kelly;
    }
    const bool reference = options.conventions == Conventions::kReference;
    Sides dollars;
    Sides margin;
    bool any_margin = false;
    for (const Trade& t : trades) {
        const double pl = reference ? t.pl : t.net_pl();
        dollars.add(pl);
        if (t.margin_req > 0) {
            any_margin = true;
            margin.add(100 * pl / t.margin_req);
        }
    }
    kelly.win_rate = static_cast<double>(dollars.wins) / static_cast<double>(trades.size());
    kelly.avg_win = dollars.avg_win();
    kelly.avg_loss = dollars.avg_loss();
    kelly.payoff_ratio = kelly.avg_loss > 0 ? kelly.avg_win / kelly.avg_loss : 0;
    kelly.has_valid_kelly = dollars.both();
    if (kelly.has_valid_kelly) {
        kelly.fraction = kelly_fraction(kelly.win_rate, kelly.payoff_ratio);
        kelly.percent = 100 * kelly.fraction;
    }
    if (any_margin) {
        kelly.avg_win_pct = margin.avg_win();
        kelly.avg_loss_pct = margin.avg_loss();
    }
    if (margin.both()) {
        const double p =
            static_cast<double>(margin.wins) / static_cast<double>(margin.wins + margin.losses);
        kelly.normalized_kelly_pct = 100 * kelly_fraction(p, margin.avg_win() / margin.avg_loss());
    }
    const double limit =
        options.capital ? kUnrealisticMultiple * *options.capital : kUnrealisticDollars;
    kelly.has_unrealistic_values = kelly.avg_win > limit || kelly.avg_loss > limit;
    if (reference) {
        kelly.method = kelly.has_valid_kelly && kelly.normalized_kelly_pct
                           ? KellyMethod::kPercentage
                           : KellyMethod::kAbsolute;
    } else if (options.use_margin_returns && kelly.normalized_kelly_pct) {
        use_margin_version(kelly, margin);
    } else if (options.use_margin_returns) {
        kelly.warning =
            "margin returns were asked for, but there are not both winners and losers with a "
            "margin "
            "requirement; dollar results were used";
    }
    return kelly;
}

std::vector<StrategyKelly> strategy_kelly(const TradeSet& set, const KellyOptions& options) {
    std::vector<std::vector<Trade>> groups(set.strategies.size());
    std::vector<std::uint32_t> order;
    for (const Trade& t : set.trades) {
        if (groups[t.strategy].empty()) {
            order.push_back(t.strategy);
        }
        groups[t.strategy].push_back(t);
    }
    std::vector<StrategyKelly> result;
    for (const std::uint32_t index : order) {
        const std::string& name = set.strategies[index];
        result.push_back({name.empty() ? "Uncategorized" : name,
                          static_cast<std::int64_t>(groups[index].size()),
                          kelly_metrics(groups[index], options)});
    }
    return result;
}

}  // namespace tb::analytics
