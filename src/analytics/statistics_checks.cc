#include "analytics/statistics_checks.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analytics/excursion.h"
#include "analytics/log_flows.h"
#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

constexpr double kAgreement = 0.01;         // share of the larger of two balances
constexpr std::size_t kStrayDays = 20;      // one in so many may differ
constexpr double kUnexplainedMove = 0.005;  // share of the balance
constexpr double kContractShares = 100;
constexpr double kSlack = 0.001;  // share of the margin: amounts are rounded
constexpr double kExtreme = 1e75;

bool premium_identity_fails(const Trade& t) {
    if (t.premium == 0 || !t.avg_closing_cost || !t.date_closed) {
        return false;
    }
    const double unit = t.premium_unit == PremiumUnit::kCents ? 1 : kContractShares;
    const double position = t.premium_unit == PremiumUnit::kTotal ? 1 : unit * t.contracts;
    const double expected = (t.premium - *t.avg_closing_cost) * position;
    const double allowed = std::max(1.0, 0.01 * std::fabs(expected));
    // Exports state the P/L after fees whatever the basis column says, so either reading may fit.
    return std::fabs(t.gross_pl() - expected) > allowed &&
           std::fabs(t.pl + t.fees() - expected) > allowed;
}

// A loss of more than margin or debit, fees aside; a gain of more than the credit and the margin. A
// debit can gain any multiple.
bool moves_beyond_its_means(const Trade& t) {
    if (!(t.margin_req > 0)) {
        return false;
    }
    const double pl = t.net_pl();
    const double means = std::max(t.margin_req, premium_dollars(t).value_or(0));
    const double allowed = means * (1 + kSlack) + std::fabs(t.fees());
    return std::fabs(pl) > allowed && (pl < 0 || !(t.premium < 0));
}

}  // namespace

void TradeSanity::add(const Trade& t) {
    ++trades_;
    beyond_margin_ += moves_beyond_its_means(t) ? 1 : 0;
    bad_premium_ += premium_identity_fails(t) ? 1 : 0;
    open_ += t.date_closed ? 0 : 1;
}

std::vector<std::string> TradeSanity::warnings() const {
    std::vector<std::string> warnings;
    if (beyond_margin_ > 0) {
        warnings.push_back(fmt::format(
            "{} of {} trades gain or lose more than their margin requirement; check their P/L",
            beyond_margin_, trades_));
    }
    if (bad_premium_ > 0) {
        warnings.push_back(
            fmt::format("{} of {} trades have a P/L that does not follow from premium, closing "
                        "cost and contracts; check units of those columns",
                        bad_premium_, trades_));
    }
    if (open_ > 0) {
        warnings.push_back(
            fmt::format("{} of {} trades have no closing date; their P/L counts on the opening day",
                        open_, trades_));
    }
    return warnings;
}

std::vector<std::string> log_sanity_warnings(std::span<const DailyLogEntry> log) {
    const LogFlows flows = log_flows(log);
    std::int64_t unexplained = 0;
    std::optional<Date> first_unexplained;
    for (std::size_t i = 1; i < log.size(); ++i) {
        const double before = log[i - 1].net_liquidity;
        const double moved = balance_flow(log, i) + (flows.in_balance ? flows.withdrawn[i] : 0);
        if (std::fabs(moved) > kUnexplainedMove * std::fabs(before)) {
            ++unexplained;
            first_unexplained = first_unexplained.value_or(log[i].date);
        }
    }
    std::vector<std::string> warnings;
    if (flows.withdrawals > 0) {
        warnings.push_back(fmt::format(
            "the daily log has withdrawals on {} days ({} in all, first on {}; its column {}); "
            "they count neither as losses nor as drawdown",
            flows.withdrawals, readable_amount(flows.total), flows.first->to_iso(),
            flows.column == LogFlows::Column::kSoFar ? "states what has been withdrawn so far"
                                                     : "states what was withdrawn on the day"));
    }
    if (unexplained > 0) {
        warnings.push_back(fmt::format(
            "the daily log's balance moves by other than its P/L on {} days, first on {}: "
            "deposits, withdrawals or missing days; returns treat such moves as deposits or "
            "withdrawals",
            unexplained, first_unexplained->to_iso()));
    }
    return warnings;
}

namespace {

bool agree(double a, double b) {
    return std::fabs(a - b) <= kAgreement * std::max(std::fabs(a), std::fabs(b));
}

// The log's days beside what the trades say of them.
class LogComparison {
  public:
    LogComparison(const RealizedTrades& trades, std::span<const DailyLogEntry> log)
        : log_(log), realized_(log.size()), positions_(log.size(), 0) {
        std::vector<std::size_t> by_day(trades.realized.size());
        for (std::size_t i = 0; i < by_day.size(); ++i) {
            by_day[i] = i;
        }
        std::sort(by_day.begin(), by_day.end(), [&](std::size_t a, std::size_t b) {
            return trades.realized[a] < trades.realized[b];
        });
        CompensatedSum sum;
        std::size_t next = 0;
        for (std::size_t d = 0; d < log.size(); ++d) {
            for (; next < by_day.size() && trades.realized[by_day[next]] <= log[d].date.days();
                 ++next) {
                sum.add(trades.net_pl[by_day[next]]);
            }
            realized_[d] = sum.value();
        }
        // +1 on the first log day that ends with the position, -1 on the first without it.
        std::vector<std::int64_t> change(log.size() + 1, 0);
        const auto first_at = [&](std::int32_t day) {
            return static_cast<std::size_t>(
                std::lower_bound(log.begin(), log.end(), day,
                                 [](const DailyLogEntry& e, std::int32_t wanted) {
                                     return e.date.days() < wanted;
                                 }) -
                log.begin());
        };
        for (std::size_t i = 0; i < trades.opened.size(); ++i) {
            if (trades.opened[i] < trades.realized[i]) {
                ++change[first_at(trades.opened[i])];
                --change[first_at(trades.realized[i])];
            }
        }
        std::int64_t held = 0;
        for (std::size_t d = 0; d < log.size(); ++d) {
            held += change[d];
            positions_[d] = held;
        }
    }

    [[nodiscard]] bool has_funds() const {
        const auto states = [](const DailyLogEntry& e) { return e.current_funds.has_value(); };
        return std::all_of(log_.begin(), log_.end(), states) &&
               std::any_of(log_.begin(), log_.end(),
                           [](const DailyLogEntry& e) { return *e.current_funds != 0; });
    }
    // The account before its first day, as far as it is realized.
    [[nodiscard]] double start() const {
        return has_funds() ? *log_.front().current_funds - realized_.front()
                           : log_.front().net_liquidity - log_.front().daily_pl;
    }
    [[nodiscard]] bool flat(std::size_t day) const { return positions_[day] == 0; }

    struct Differences {
        std::size_t compared = 0;
        std::size_t count = 0;
        bool last = false;
        std::size_t first_day = 0;
        double log = 0;  // of the first day that differs
        double trades = 0;
        [[nodiscard]] bool too_many() const {
            return last || count > std::max<std::size_t>(1, compared / kStrayDays);
        }
    };
    // The realized balance by log and trades; `withdrawn`: dollars taken out so far per day.
    [[nodiscard]] Differences balances(std::span<const double> withdrawn) const {
        Differences found;
        CompensatedSum log_pl;
        const bool funds = has_funds();
        for (std::size_t d = 0; d < log_.size(); ++d) {
            log_pl.add(log_[d].daily_pl);
            if (!funds && !flat(d)) {
                continue;
            }
            const double by_log = funds ? *log_[d].current_funds : start() + log_pl.value();
            const double by_trades = start() + realized_[d] - (funds ? withdrawn[d] : 0);
            note(found, d, by_log, by_trades);
        }
        return found;
    }
    // Net liquidity and current funds on days that end without a position.
    [[nodiscard]] Differences positions() const {
        Differences found;
        for (std::size_t d = 0; has_funds() && d < log_.size(); ++d) {
            if (flat(d)) {
                note(found, d, log_[d].net_liquidity, *log_[d].current_funds);
            }
        }
        return found;
    }

  private:
    static void note(Differences& found, std::size_t day, double by_log, double by_trades) {
        ++found.compared;
        found.last = !agree(by_log, by_trades);
        if (found.last) {
            if (found.count == 0) {
                found.first_day = day;
                found.log = by_log;
                found.trades = by_trades;
            }
            ++found.count;
        }
    }

    std::span<const DailyLogEntry> log_;
    std::vector<double> realized_;         // net P/L by the end of the day
    std::vector<std::int64_t> positions_;  // held over the night
};

// Since the first day, whose own is not in the balance the log starts from.
std::vector<double> withdrawn_since_start(std::span<const DailyLogEntry> log) {
    std::vector<double> sums;
    CompensatedSum sum;
    for (const double amount : log_flows(log).withdrawn) {
        sum.add(sums.empty() ? 0 : amount);
        sums.push_back(sum.value());
    }
    return sums;
}

}  // namespace

std::vector<std::string> log_disagreements(const RealizedTrades& trades,
                                           std::span<const DailyLogEntry> log) {
    std::vector<std::string> reasons;
    if (log.empty()) {
        return reasons;
    }
    const auto [first, last] = std::minmax_element(trades.realized.begin(), trades.realized.end());
    if (log.front().date > Date(*first)) {
        reasons.push_back(fmt::format("it starts on {}, the trades realize from {}",
                                      log.front().date.to_iso(), Date(*first).to_iso()));
    }
    if (log.back().date < Date(*last)) {
        reasons.push_back(fmt::format("it ends on {}, the trades realize until {}",
                                      log.back().date.to_iso(), Date(*last).to_iso()));
    }
    const LogComparison compare(trades, log);
    const double start = compare.start();
    if (trades.start_capital && !agree(*trades.start_capital, start)) {
        reasons.push_back(fmt::format("it starts from {} dollars, the trades from {}",
                                      readable_amount(start),
                                      readable_amount(*trades.start_capital)));
    }
    // Current funds may or may not be what is left after withdrawals.
    const std::vector<double> none(log.size(), 0);
    LogComparison::Differences balances = compare.balances(none);
    if (balances.too_many()) {
        const auto less = compare.balances(withdrawn_since_start(log));
        balances = less.count < balances.count ? less : balances;
    }
    if (balances.too_many()) {
        reasons.push_back(fmt::format(
            "its {} differ from the trades' realized balance on {} of {} days, first on {}: "
            "{} dollars, the trades' {}",
            compare.has_funds() ? "current funds" : "daily P/L sums", balances.count,
            balances.compared, log[balances.first_day].date.to_iso(), readable_amount(balances.log),
            readable_amount(balances.trades)));
    }
    const auto positions = compare.positions();
    if (2 * positions.count > positions.compared + 1) {
        reasons.push_back(fmt::format(
            "its net liquidity differs from its current funds on {} of {} days on which the trades "
            "hold no position",
            positions.count, positions.compared));
    }
    return reasons;
}

std::vector<std::string> log_position_warnings(const RealizedTrades& trades,
                                               std::span<const DailyLogEntry> log) {
    const auto found = LogComparison(trades, log).positions();
    if (found.count == 0) {
        return {};
    }
    return {fmt::format(
        "on {} days, first on {}, the daily log's net liquidity ({}) differs from its current "
        "funds ({}) although no trade of the trade log is open: positions may be missing there",
        found.count, log[found.first_day].date.to_iso(), readable_amount(found.log),
        readable_amount(found.trades))};
}

std::optional<Note> extreme_amounts_note(std::span<const Trade> trades) {
    const auto extreme = [](double x) {
        return !(std::fabs(x) <= kExtreme) || (x != 0 && std::fabs(x) < 1 / kExtreme);
    };
    const auto count = std::count_if(trades.begin(), trades.end(), [&](const Trade& t) {
        return extreme(t.pl) || extreme(t.opening_fees) || extreme(t.closing_fees) ||
               extreme(t.margin_req) || extreme(t.premium) ||
               extreme(t.funds_at_close.value_or(0)) || extreme(t.max_profit.value_or(0)) ||
               extreme(t.max_loss.value_or(0));
    });
    if (count == 0) {
        return std::nullopt;
    }
    return Note{
        "*",
        fmt::format("{} trades have amounts beyond 1e75 or below 1e-75; figures that cannot be "
                    "represented are absent",
                    count)};
}

}  // namespace tb::analytics
