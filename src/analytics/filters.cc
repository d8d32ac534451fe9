#include "analytics/filters.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "core/text.h"
#include "core/unicode.h"

namespace tb::analytics {

namespace {

bool has_iso_shape(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
        return false;
    }
    for (const std::size_t i : {0U, 1U, 2U, 3U, 5U, 6U, 8U, 9U}) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return true;
}

// The last real day before, or the first real day after, a date text such as 2025-02-31, found by
// stepping the text's own order: day 31..01 of the month, then month ends.
std::optional<Date> nearest_real_day(std::string_view text, BoundSide side) {
    const auto number = [&](std::size_t at, std::size_t count) {
        std::int32_t value = 0;
        for (std::size_t i = at; i < at + count; ++i) {
            value = value * 10 + (text[i] - '0');
        }
        return value;
    };
    std::int32_t year = number(0, 4);
    std::int32_t month = number(5, 2);
    std::int32_t day = number(8, 2);
    if (side == BoundSide::kTo) {
        // Largest real day <= (year, month, day).
        if (month > 12) {
            month = 12;
            day = 31;
        }
        if (month < 1) {
            return Date::from_ymd(year - 1, 12, 31);
        }
        for (day = std::min(day, 31); day >= 1; --day) {
            if (const auto real = Date::from_ymd(year, month, day)) {
                return real;
            }
        }
        return Date::from_ymd(year, month, 1)->plus_days(-1);
    }
    // Smallest real day >= (year, month, day).
    if (month > 12) {
        return Date::from_ymd(year + 1, 1, 1);
    }
    if (month < 1) {
        return Date::from_ymd(year, 1, 1);
    }
    if (const auto real = Date::from_ymd(year, month, std::max(day, 1))) {
        return real;
    }
    return month == 12 ? Date::from_ymd(year + 1, 1, 1) : Date::from_ymd(year, month + 1, 1);
}

// Which of `names` any of `wanted` asks for; all of them when nothing is wanted.
std::vector<char> wanted_names(const std::vector<std::string>& names,
                               const std::vector<std::string>& wanted, bool reference) {
    std::vector<char> asked(names.size(), wanted.empty() ? 1 : 0);
    for (const std::string& name : wanted) {
        const NameWanted one(name, names);
        for (std::size_t i = 0; i < names.size(); ++i) {
            const bool matches =
                reference ? equals_ignoring_case(names[i], name) : one.matches(names[i]);
            asked[i] = asked[i] != 0 || matches ? 1 : 0;
        }
    }
    return asked;
}

}  // namespace

bool TradeFilter::is_subset() const {
    return (strategy && !strategy->empty()) || !strategies.empty() || (ticker && !ticker->empty());
}

Result<std::optional<Date>> parse_date_bound(std::optional<std::string_view> text, BoundSide side,
                                             std::string_view argument, Conventions conventions) {
    if (!text) {
        return std::optional<Date>();
    }
    if (const auto date = Date::from_iso(*text)) {
        return std::optional<Date>(*date);
    }
    if (conventions == Conventions::kReference) {
        return has_iso_shape(*text) ? nearest_real_day(*text, side) : std::optional<Date>();
    }
    return make_error(ErrorCode::kInvalidArgument,
                      fmt::format("'{}' is not a calendar day; write YYYY-MM-DD, for instance "
                                  "2025-03-31",
                                  *text),
                      std::string(argument));
}

Result<DateRange> parse_date_range(std::optional<std::string_view> from,
                                   std::optional<std::string_view> to, Conventions conventions) {
    DateRange range;
    TB_TRY(range.from, parse_date_bound(from, BoundSide::kFrom, "from", conventions));
    TB_TRY(range.to, parse_date_bound(to, BoundSide::kTo, "to", conventions));
    if (conventions == Conventions::kCorrect && range.from && range.to && *range.from > *range.to) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("the range starts {} after its end {}; swap the two dates",
                                      range.from->to_iso(), range.to->to_iso()),
                          "dateRange");
    }
    return range;
}

TradeSet filter_trades(const TradeSet& set, const TradeFilter& filter) {
    const std::vector<char> any =
        wanted_names(set.strategies, filter.strategies, filter.reference_names);
    const std::vector<char> one =
        wanted_names(set.strategies,
                     filter.strategy && !filter.strategy->empty() ? std::vector{*filter.strategy}
                                                                  : std::vector<std::string>(),
                     filter.reference_names);
    const bool by_ticker = filter.ticker && !filter.ticker->empty();
    TradeSet result;
    result.strategies = set.strategies;
    result.text = set.text;
    result.unnamed = set.unnamed;
    for (const Trade& trade : set.trades) {
        const Date day =
            filter.date_field == DateField::kRealized ? trade.realized_on() : trade.date_opened;
        if (any[trade.strategy] != 0 && one[trade.strategy] != 0 && filter.dates.contains(day) &&
            (!by_ticker || same_folded(trade.ticker, *filter.ticker))) {
            result.trades.push_back(trade);
        }
    }
    return result;
}

std::span<const DailyLogEntry> filter_log(std::span<const DailyLogEntry> log,
                                          const DateRange& range) {
    auto first = log.begin();
    auto last = log.end();
    if (range.from) {
        first = std::lower_bound(log.begin(), log.end(), *range.from,
                                 [](const DailyLogEntry& e, Date d) { return e.date < d; });
    }
    if (range.to) {
        last = std::upper_bound(first, log.end(), *range.to,
                                [](Date d, const DailyLogEntry& e) { return d < e.date; });
    }
    return first < last ? std::span<const DailyLogEntry>(first, last)
                        : std::span<const DailyLogEntry>();
}

ReportingSet filter_reporting(const ReportingSet& set, const std::optional<std::string>& strategy,
                              const DateRange& dates, bool reference_names) {
    ReportingSet result;
    result.strategies = set.strategies;
    result.text = set.text;
    result.unnamed = set.unnamed;
    const std::vector<char> wanted = wanted_names(
        set.strategies,
        strategy && !strategy->empty() ? std::vector{*strategy} : std::vector<std::string>(),
        reference_names);
    for (const ReportingTrade& fill : set.trades) {
        if (dates.contains(fill.date_opened) && wanted[fill.strategy] != 0) {
            result.trades.push_back(fill);
        }
    }
    return result;
}

std::vector<std::string> strategies_in_use(const TradeSet& set) {
    std::vector<char> seen(set.strategies.size(), 0);
    std::vector<std::string> names;
    for (const Trade& trade : set.trades) {
        if (seen[trade.strategy] == 0) {
            seen[trade.strategy] = 1;
            names.push_back(set.strategies[trade.strategy]);
        }
    }
    return names;
}

}  // namespace tb::analytics
