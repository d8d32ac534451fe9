#include "analytics/kelly.h"

#include <cmath>
#include <string>

#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

constexpr double kUnrealisticMultiple = 100;
constexpr double kUnrealisticDollars = 10'000'000;

// Mean of positive amounts. Where their sum overflows although their mean cannot, the sum of the
// amounts over 2^64 is taken instead.
class Mean {
  public:
    void add(double value) {
        sum_.add(value);
        small_sum_.add(value / kScale);
        ++count_;
    }
    [[nodiscard]] std::int64_t count() const { return count_; }
    // 0 for none.
    [[nodiscard]] double value() const {
        if (count_ == 0) {
            return 0;
        }
        const auto n = static_cast<double>(count_);
        return std::isfinite(sum_.value()) ? sum_.value() / n : small_sum_.value() / n * kScale;
    }

  private:
    static constexpr double kScale = 0x1p64;
    CompensatedSum sum_;
    CompensatedSum small_sum_;
    std::int64_t count_ = 0;
};

// Results of one kind; losses as positive amounts.
struct Sides {
    Mean win;
    Mean loss;
    void add(double value) {
        if (value > 0) {
            win.add(value);
        } else if (value < 0) {
            loss.add(-value);
        }
    }
    [[nodiscard]] bool both() const { return win.count() > 0 && loss.count() > 0; }
    [[nodiscard]] double payoff() const { return win.value() / loss.value(); }
    // Winners among those that won or lost; only with both.
    [[nodiscard]] double win_rate() const {
        return static_cast<double>(win.count()) / static_cast<double>(win.count() + loss.count());
    }
};

// nullopt where odds or fraction are beyond the range of numbers.
std::optional<double> kelly_fraction(double p, double b) {
    const double fraction = (b * p - (1 - p)) / b;
    return std::isfinite(b) && std::isfinite(fraction) ? std::optional(fraction) : std::nullopt;
}

void add_warning(KellyMetrics& kelly, const char* text) {
    kelly.warning += (kelly.warning.empty() ? "" : "; ") + std::string(text);
}

void fill_dollar_version(KellyMetrics& kelly, const Sides& dollars, bool reference) {
    kelly.avg_win = dollars.win.value();
    kelly.avg_loss = dollars.loss.value();
    kelly.payoff_ratio = kelly.avg_loss > 0 ? dollars.payoff() : 0;
    kelly.decided_win_rate = kelly.win_rate;
    if (!dollars.both()) {
        return;
    }
    // p/(p+q), the share of winners among decided trades, makes the one formula of the other.
    const double p = reference ? kelly.win_rate : dollars.win_rate();
    kelly.decided_win_rate = p;
    const auto fraction = kelly_fraction(p, kelly.payoff_ratio);
    kelly.has_valid_kelly = fraction.has_value();
    kelly.out_of_range = !fraction;
    kelly.fraction = fraction.value_or(0);
    kelly.percent = 100 * kelly.fraction;
    if (!std::isfinite(kelly.percent)) {
        kelly.fraction = 0;
        kelly.percent = 0;
        kelly.has_valid_kelly = false;
        kelly.out_of_range = true;
    }
}

void fill_margin_version(KellyMetrics& kelly, const Sides& margin) {
    kelly.avg_win_pct = margin.win.value();
    kelly.avg_loss_pct = margin.loss.value();
    if (margin.both()) {
        if (const auto fraction = kelly_fraction(margin.win_rate(), margin.payoff())) {
            kelly.normalized_kelly_pct = 100 * *fraction;
        }
    }
    bool lost = margin.both() && !kelly.normalized_kelly_pct;
    for (auto* const figure :
         {&kelly.avg_win_pct, &kelly.avg_loss_pct, &kelly.normalized_kelly_pct}) {
        if (*figure && !std::isfinite(**figure)) {
            figure->reset();
            lost = true;
        }
    }
    if (lost) {
        add_warning(kelly, "results as percent of margin are beyond the range of numbers");
    }
}

void use_margin_version(KellyMetrics& kelly, const Sides& margin) {
    kelly.win_rate = margin.win_rate();
    kelly.decided_win_rate = kelly.win_rate;
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
    kelly.win_rate = static_cast<double>(dollars.win.count()) / static_cast<double>(trades.size());
    fill_dollar_version(kelly, dollars, reference);
    if (any_margin) {
        fill_margin_version(kelly, margin);
    }
    if (kelly.out_of_range || !std::isfinite(kelly.avg_win) || !std::isfinite(kelly.avg_loss)) {
        add_warning(kelly, "mean win, mean loss or their ratio is beyond the range of numbers");
    }
    const double limit =
        options.capital ? kUnrealisticMultiple * *options.capital : kUnrealisticDollars;
    kelly.has_unrealistic_values = kelly.avg_win > limit || kelly.avg_loss > limit;
    if (reference) {
        kelly.method = kelly.has_valid_kelly && kelly.normalized_kelly_pct
                           ? KellyMethod::kPercentage
                           : KellyMethod::kAbsolute;
    } else if (options.use_margin_returns && kelly.normalized_kelly_pct && kelly.avg_win_pct &&
               kelly.avg_loss_pct) {
        use_margin_version(kelly, margin);
    } else if (options.use_margin_returns) {
        add_warning(kelly,
                    "margin returns were asked for, but there are not both winners and losers with "
                    "a margin requirement; dollar results were used");
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
