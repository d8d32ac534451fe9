// Input of every analytic: the rows of a block as plain values.
//
// A TradeSet is filled once from the database (tools/block_cache), is immutable afterwards and may
// be shared between threads. Dates are civil New York days, times of day exchange time, money US
// dollars. Nothing here comes from a file, a clock or a connection.
//
// Definitions follow the trade-log columns of 01 §1.6 and the symbols of 02 §1.1, named in the
// comments: P(t), R(t) and so on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"

namespace tb::analytics {

// Which rules a figure follows: ours (02 §6 applied) or the reference's, mistakes included.
enum class Conventions { kCorrect, kReference };

enum class PlBasis { kNetIncludesFees, kGrossBeforeFees };

// What a premium of 420 says: cents of one share (= dollars of one contract), dollars of one share,
// or dollars of the whole position.
enum class PremiumUnit { kCents, kDollars, kTotal };

struct Trade {
    Date date_opened;                      // do
    std::optional<Date> date_closed;       // dc; none while open
    std::optional<TimeOfDay> time_opened;  // to
    std::optional<TimeOfDay> time_closed;  // tc
    double pl = 0;                         // pl: dollars as in the file, see basis
    PlBasis basis = PlBasis::kNetIncludesFees;
    PremiumUnit premium_unit = PremiumUnit::kDollars;  // as the file proves it
    std::int32_t contracts = 1;                        // n: at least 1 (1 where the file gave none)
    double margin_req = 0;                             // M: dollars, 0 when blank
    double opening_fees = 0;                           // oc: dollars, 0 when blank
    double closing_fees = 0;                           // cc
    double premium = 0;                                // prem: in premium_unit, 0 when blank
    std::optional<double> funds_at_close;              // F: account dollars after this trade closed
    std::optional<double> opening_price;               // op: of the underlying
    std::optional<double> closing_price;
    std::optional<double> avg_closing_cost;
    std::optional<double> opening_ratio;  // short/long ratio
    std::optional<double> closing_ratio;
    std::optional<double> opening_vix;
    std::optional<double> closing_vix;
    std::optional<double> gap;
    std::optional<double> movement;
    std::optional<double> max_profit;  // mxP: percent of premium (Option Omega)
    std::optional<double> max_loss;    // mxL: percent of premium
    std::uint32_t strategy = 0;        // index into TradeSet::strategies
    std::string_view legs;             // views into the TradeSet's text
    std::string_view reason_for_close;
    std::string_view ticker;  // resolved: upper case, "SPX" where the file names none
    std::int64_t source_line = 0;
    // Place in the order in which the whole block realized its results (realization.h); a part of a
    // block keeps the places proven on the whole.
    static constexpr std::uint32_t kUnranked = ~std::uint32_t{0};
    std::uint32_t realization_rank = kUnranked;

    // P(t): dollars after all fees, deducted exactly once.
    [[nodiscard]] double net_pl() const {
        return basis == PlBasis::kNetIncludesFees ? pl : pl - opening_fees - closing_fees;
    }
    // G(t): dollars before fees.
    [[nodiscard]] double gross_pl() const {
        return basis == PlBasis::kNetIncludesFees ? pl + opening_fees + closing_fees : pl;
    }
    // C(t)
    [[nodiscard]] double fees() const { return opening_fees + closing_fees; }
    // R(t): the day the result is realized, or the opening day while open.
    [[nodiscard]] Date realized_on() const { return date_closed.value_or(date_opened); }
};

struct DailyLogEntry {
    Date date;
    double net_liquidity = 0;         // netLiq: dollars at end of day
    double daily_pl = 0;              // dollars
    double drawdown_pct = 0;          // percent, <= 0, as exported (2 decimals)
    std::optional<double> withdrawn;  // dollars, so far (log_flows.h decides by evidence)
    // Dollars: cash, without the value of open positions.
    std::optional<double> current_funds = std::nullopt;
};

// One live fill of the reporting log.
struct ReportingTrade {
    Date date_opened;
    std::optional<Date> date_closed;
    std::optional<TimeOfDay> time_opened;
    std::optional<TimeOfDay> time_closed;
    double pl = 0;
    std::optional<double> opening_price;
    std::optional<double> closing_price;
    std::optional<double> avg_closing_cost;
    std::optional<double> initial_premium;
    double contracts = 1;        // not rounded
    std::uint32_t strategy = 0;  // index into ReportingSet::strategies
    std::string_view legs;
    std::string_view reason_for_close;
};

// Strategy names: trimmed, in NFC, a blank one replaced by the block id.
struct TradeSet {
    std::vector<Trade> trades;            // LOAD order (02 §1.3): (do, to), ties in file order
    std::vector<std::string> strategies;  // in order of first appearance in `trades`
    std::shared_ptr<const void> text;     // owner of the string views
    std::optional<std::uint32_t> unnamed = {};  // the strategy of rows without a name, if any
};

struct ReportingSet {
    std::vector<ReportingTrade> trades;  // by full opening timestamp, ties in file order
    std::vector<std::string> strategies;
    std::shared_ptr<const void> text;
    std::optional<std::uint32_t> unnamed = {};  // as in TradeSet
};

}  // namespace tb::analytics
