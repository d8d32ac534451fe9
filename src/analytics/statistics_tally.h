// Counts and sums over one set of trades, shared by the portfolio's and the strategies' statistics.
//
// Thread-compatible.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "analytics/numerics.h"
#include "analytics/trade.h"

namespace tb::analytics {

// Sums over one set of trades, from P.
struct Tally {
    std::int64_t trades = 0;
    std::int64_t wins = 0;
    std::int64_t losses = 0;
    std::int64_t open = 0;  // without closing day and without result: P = 0
    CompensatedSum reported;
    CompensatedSum net;
    CompensatedSum fees;
    CompensatedSum profit;
    CompensatedSum loss;  // negative
    double max_win = 0;
    double max_loss = 0;

    void add(const Trade& t) {
        const double p = t.net_pl();
        ++trades;
        reported.add(t.pl);
        net.add(p);
        fees.add(t.fees());
        if (p > 0) {
            ++wins;
            profit.add(p);
            max_win = std::max(max_win, p);
        } else if (p < 0) {
            ++losses;
            loss.add(p);
            max_loss = std::min(max_loss, p);
        } else if (!t.date_closed) {
            ++open;
        }
    }
    [[nodiscard]] double win_rate() const {
        return trades == 0 ? 0 : static_cast<double>(wins) / static_cast<double>(trades);
    }
    [[nodiscard]] double avg_win() const {
        return wins == 0 ? 0 : profit.value() / static_cast<double>(wins);
    }
    [[nodiscard]] double avg_loss() const {
        return losses == 0 ? 0 : loss.value() / static_cast<double>(losses);
    }
    // {value, infinite}
    [[nodiscard]] std::pair<std::optional<double>, bool> profit_factor() const {
        if (losses == 0) {
            return wins == 0 ? std::pair(std::optional(0.0), false)
                             : std::pair(std::optional<double>(), true);
        }
        return {profit.value() / -loss.value(), false};
    }
};

// False for rows whose P/L or fees are not numbers; no figure counts them.
[[nodiscard]] inline bool is_usable(const Trade& t) {
    return std::isfinite(t.pl) && std::isfinite(t.opening_fees) && std::isfinite(t.closing_fees);
}

}  // namespace tb::analytics
