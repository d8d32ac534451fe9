#include "analytics/statistics_checks.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analytics/excursion.h"
#include "analytics/numerics.h"

namespace tb::analytics {

namespace {

// Two decimals, or what fits a sentence: an absurd cell of a file has three hundred digits.
std::string amount(double dollars) {
    constexpr double kReadable = 1e15;
    if (!std::isfinite(dollars)) {
        return "a number beyond all bounds";
    }
    return std::fabs(dollars) < kReadable ? fmt::format("{:.2f}", dollars)
                                          : fmt::format("{:.3e}", dollars);
}

constexpr double kAgreement = 0.01;         // share of the start capital
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
    std::int64_t withdrawals = 0;
    std::int64_t unexplained = 0;
    std::optional<Date> first_unexplained;
    CompensatedSum withdrawn;
    for (std::size_t i = 0; i < log.size(); ++i) {
        if (log[i].withdrawn.value_or(0) != 0) {
            ++withdrawals;
            withdrawn.add(*log[i].withdrawn);
        }
        if (i == 0) {
            continue;
        }
        const double before = log[i - 1].net_liquidity;
        const double moved = log[i].net_liquidity - log[i].daily_pl - before;
        if (std::fabs(moved) > kUnexplainedMove * std::fabs(before)) {
            ++unexplained;
            first_unexplained = first_unexplained.value_or(log[i].date);
        }
    }
    std::vector<std::string> warnings;
    if (withdrawals > 0) {
        warnings.push_back(
            fmt::format("the daily log has withdrawals on {} days ({} in all); returns, "
                        "drawdown and growth "
                        "of the log leave them out, figures from the trades do not know of them",
                        withdrawals, amount(withdrawn.value())));
    }
    if (unexplained > 0) {
        warnings.push_back(fmt::format(
            "the daily log's balance moves by other than its P/L on {} days, first on {}: "
            "deposits, "
            "withdrawals or missing days; returns treat such moves as deposits or withdrawals",
            unexplained, first_unexplained->to_iso()));
    }
    return warnings;
}

std::vector<std::string> log_disagreements(const RealizedSpan& trades,
                                           std::span<const DailyLogEntry> log) {
    std::vector<std::string> reasons;
    if (log.empty()) {
        return reasons;
    }
    CompensatedSum log_pl;
    for (const DailyLogEntry& e : log) {
        log_pl.add(e.daily_pl);
    }
    if (log.front().date > trades.first) {
        reasons.push_back(fmt::format("it starts on {}, the trades realize from {}",
                                      log.front().date.to_iso(), trades.first.to_iso()));
    }
    if (log.back().date < trades.last) {
        reasons.push_back(fmt::format("it ends on {}, the trades realize until {}",
                                      log.back().date.to_iso(), trades.last.to_iso()));
    }
    const double capital = log.front().net_liquidity - log.front().daily_pl;
    const double allowed = kAgreement * std::fabs(capital);
    if (trades.start_capital && !(std::fabs(*trades.start_capital - capital) <= allowed)) {
        reasons.push_back(fmt::format("it starts from {} dollars, the trades from {}",
                                      amount(capital), amount(*trades.start_capital)));
    }
    if (!(std::fabs(log_pl.value() - trades.net_pl) <= allowed)) {
        reasons.push_back(fmt::format("its P/L sums to {} dollars, the trades' to {}",
                                      amount(log_pl.value()), amount(trades.net_pl)));
    }
    return reasons;
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
