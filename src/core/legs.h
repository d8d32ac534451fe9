// The legs of an options position as trading programs write them in one cell.
//
//   pipe form (Option Omega)   3 Oct 8 6725 P STO 4.45 | 3 Oct 8 6575 P BTO 0.25
//       contracts, month, day, strike, put or call, order, price of a share; one leg may stand
//       alone. The month is a name of three letters or more, the price has no sign.
//   slash form                 SPX 4500P/4450P      SPY Jan25 470 Call
//       root, strike, right; a root left out is the first one's. The word before a strike that is
//       followed by Call or Put is not interpreted. No expiry, contracts or prices, and no sides:
//       the first, third ... leg counts as bought, the others as sold (side_assumed).
//   Toolbox form (TAT)         SPX 5900P/6100C | 5850P/6150C IC
//       as imported by us: what was sold, then what was bought, then the name of the kind of trade.
//
// Letter case does not matter, blanks around legs and signs do not either. Text of any other shape
// is kParse; more than kMaxLegs legs or kMaxLegsBytes bytes are kResourceExhausted. The time is
// linear in the length of the text.
//
// A leg of the pipe form has a month and a day but no year: it expires on the first such day on or
// after the day the trade was opened (29 February: of the next leap year).
//
// Thread-safe; all functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "core/result.h"

namespace tb {

inline constexpr std::size_t kMaxLegs = 64;
inline constexpr std::size_t kMaxLegsBytes = 8'192;

enum class OptionRight { kCall, kPut };
enum class LegOrder { kBuyToOpen, kSellToOpen, kBuyToClose, kSellToClose };  // BTO, STO, BTC, STC

struct OptionLeg {
    std::string root;                       // upper case; empty where the form has none
    std::optional<std::int64_t> contracts;  // > 0; of this leg, nullopt where the form has none
    std::optional<Date> expiry;
    double strike = 0;  // points of the underlying, > 0
    OptionRight right = OptionRight::kCall;
    bool bought = true;             // BTO, BTC; the other two are sold
    std::optional<LegOrder> order;  // nullopt where the form has none
    std::optional<double> price;    // points, of one share; >= 0
    bool side_assumed = false;      // `bought` is a convention of the form, not in the text
};

// The legs in the order of the text, at least one.
[[nodiscard]] Result<std::vector<OptionLeg>> parse_legs(std::string_view text, Date opened);

// Net price of the position in points of one share, as the account sees it: sold minus bought,
// each leg weighted by its contracts over the fewest of any leg (a 1:2 ratio spread counts its
// second leg twice); > 0 is a credit. nullopt unless every leg has price and contracts.
[[nodiscard]] std::optional<double> net_price(const std::vector<OptionLeg>& legs);

}  // namespace tb
