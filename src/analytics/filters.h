// Which rows of a block an analytic looks at: strategy, ticker and date range.
//
// A name picks the strategy spelled exactly so, or else all that differ in letter case only
// (core/unicode.h); the reference takes those in any case (of A-Z). A date bound is inclusive and
// must be a real day. Under kCorrect every tool filters by the day the result is realized; the
// reference filters some tools by the opening day.
//
// Thread-safe: all functions are pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/trade.h"
#include "core/result.h"

namespace tb::analytics {

enum class DateField { kRealized, kOpened };

struct DateRange {
    std::optional<Date> from;  // inclusive
    std::optional<Date> to;    // inclusive
    [[nodiscard]] bool contains(Date day) const {
        return (!from || day >= *from) && (!to || day <= *to);
    }
    [[nodiscard]] bool bounded() const { return from.has_value() || to.has_value(); }
};

struct TradeFilter {
    std::optional<std::string> strategy;  // one name; blank = no filter
    std::vector<std::string> strategies;  // any of these; empty = no filter
    std::optional<std::string> ticker;    // Trade::ticker; blank = no filter
    DateRange dates;
    DateField date_field = DateField::kRealized;
    bool reference_names = false;  // compare names as the reference does
    // A strategy or ticker filter: the rest is a part of the account, whose funds must be rebuilt.
    [[nodiscard]] bool is_subset() const;
};

enum class BoundSide { kFrom, kTo };

// A date argument of a tool. kCorrect: `YYYY-MM-DD` of a day that exists, else kInvalidArgument
// naming `argument` (02 I-8). kReference: text of another shape is ignored; a day that does not
// exist (2025-02-31) is compared as text there, which equals the nearest real bound returned here.
[[nodiscard]] Result<std::optional<Date>> parse_date_bound(std::optional<std::string_view> text,
                                                           BoundSide side,
                                                           std::string_view argument,
                                                           Conventions conventions);
// Both bounds; kInvalidArgument also for from > to under kCorrect.
[[nodiscard]] Result<DateRange> parse_date_range(std::optional<std::string_view> from,
                                                 std::optional<std::string_view> to,
                                                 Conventions conventions);

// The rows that pass, in the same order; strategy indices and text stay those of `set`.
[[nodiscard]] TradeSet filter_trades(const TradeSet& set, const TradeFilter& filter);
// Entries of the range; `log` must ascend by date.
[[nodiscard]] std::span<const DailyLogEntry> filter_log(std::span<const DailyLogEntry> log,
                                                        const DateRange& range);
// Reporting fills by strategy and opening day.
[[nodiscard]] ReportingSet filter_reporting(const ReportingSet& set,
                                            const std::optional<std::string>& strategy,
                                            const DateRange& dates, bool reference_names = false);

// Names of the strategies that have rows in `trades`, in order of first appearance.
[[nodiscard]] std::vector<std::string> strategies_in_use(const TradeSet& set);

}  // namespace tb::analytics
