#include "analytics/filters.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

namespace tb::analytics {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

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

// Primary weights of the root collation for ASCII: whitespace, punctuation, symbols, digits,
// letters. Other bytes follow in code order.
std::array<std::uint32_t, 256> make_primary_weights() {
    constexpr std::string_view kOrder = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789";
    std::array<std::uint32_t, 256> weights{};
    std::uint32_t next = 1;
    for (const char c : kOrder) {
        weights[static_cast<unsigned char>(c)] = next++;
    }
    for (char c = 'a'; c <= 'z'; ++c) {
        weights[static_cast<unsigned char>(c)] = next;
        weights[static_cast<unsigned char>(c - 'a' + 'A')] = next++;
    }
    for (std::size_t c = 128; c < 256; ++c) {
        weights[c] = next++;
    }
    return weights;
}

// What U+00C0 to U+017F sort as in the root collation: a letter, the two letters of a digit (1 ae,
// 2 ss, 3 ij, 4 oe), or themselves ('.').
constexpr std::string_view kBaseLetters =
    "AAAAAA1CEEEEIIIIDNOOOOO.OUUUUY.2aaaaaa1ceeeeiiiidnooooo.ouuuuy.y"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiI.33JjKk.LlLlLlL"
    "lLlNnNnNn...OoOoOo44RrRrRrSsSsSsSsTtTt..UuUuUuUuUuUuWwYyYZzZzZzs";
constexpr std::size_t kBaseLettersFrom = 0xC0;
static_assert(kBaseLetters.size() == 0x180 - kBaseLettersFrom);
constexpr std::array<std::string_view, 4> kLetterPairs = {"ae", "ss", "ij", "oe"};

// One letter as the collation compares it: first all primaries, then accents, then case.
struct CollationElement {
    std::uint32_t primary = 0;
    std::uint32_t accent = 0;  // 0 without one
    bool upper = false;
};

std::vector<CollationElement> collation_elements(std::string_view text) {
    static const std::array<std::uint32_t, 256> kWeights = make_primary_weights();
    std::vector<CollationElement> elements;
    elements.reserve(text.size());
    const auto weight = [&](char c) { return kWeights[static_cast<unsigned char>(c)]; };
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0xC3 || lead > 0xC5 || i + 1 == text.size()) {
            elements.push_back({weight(text[i]), 0, is_upper(text[i])});
            continue;
        }
        // Two bytes, U+00C0 to U+017F.
        const auto next = static_cast<unsigned char>(text[i + 1]);
        const std::uint32_t code = (lead & 0x1FU) << 6U | (next & 0x3FU);
        const char base = kBaseLetters[code - kBaseLettersFrom];
        if (base == '.') {
            elements.push_back({weight(text[i]), 0, false});
            continue;
        }
        ++i;
        const bool pair = base >= '1' && base <= '4';
        const bool upper = pair ? code == 0xC6 || code == 0x132 || code == 0x152 : is_upper(base);
        // The accent is that of the small letter, so that case is left for the last comparison.
        const std::uint32_t accent = !upper ? code : code < 0x100 ? code + 0x20 : code + 1;
        if (!pair) {
            elements.push_back({weight(base), accent, upper});
            continue;
        }
        for (const char c : kLetterPairs[static_cast<std::size_t>(base - '1')]) {
            elements.push_back({weight(c), accent, upper});
        }
    }
    return elements;
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

std::string to_lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), lower);
    return result;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [](char x, char y) { return lower(x) == lower(y); });
}

TradeSet filter_trades(const TradeSet& set, const TradeFilter& filter) {
    std::vector<char> wanted(set.strategies.size(), 1);
    for (std::size_t i = 0; i < set.strategies.size(); ++i) {
        const std::string& name = set.strategies[i];
        const bool one = !filter.strategy || filter.strategy->empty() ||
                         equals_ignoring_case(name, *filter.strategy);
        const bool any =
            filter.strategies.empty() ||
            std::any_of(filter.strategies.begin(), filter.strategies.end(),
                        [&](const std::string& s) { return equals_ignoring_case(name, s); });
        wanted[i] = one && any ? 1 : 0;
    }
    const bool by_ticker = filter.ticker && !filter.ticker->empty();
    TradeSet result;
    result.strategies = set.strategies;
    result.text = set.text;
    for (const Trade& trade : set.trades) {
        const Date day =
            filter.date_field == DateField::kRealized ? trade.realized_on() : trade.date_opened;
        if (wanted[trade.strategy] != 0 && filter.dates.contains(day) &&
            (!by_ticker || equals_ignoring_case(trade.ticker, *filter.ticker))) {
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
                              const DateRange& dates) {
    ReportingSet result;
    result.strategies = set.strategies;
    result.text = set.text;
    const bool by_name = strategy && !strategy->empty();
    for (const ReportingTrade& fill : set.trades) {
        if (dates.contains(fill.date_opened) &&
            (!by_name || equals_ignoring_case(set.strategies[fill.strategy], *strategy))) {
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

bool collation_less(std::string_view a, std::string_view b) {
    const std::vector<CollationElement> left = collation_elements(a);
    const std::vector<CollationElement> right = collation_elements(b);
    const auto compare = [&](const auto& by) {
        return std::lexicographical_compare_three_way(
            left.begin(), left.end(), right.begin(), right.end(),
            [&](const CollationElement& x, const CollationElement& y) { return by(x) <=> by(y); });
    };
    auto order = compare([](const CollationElement& e) { return e.primary; });
    if (order == std::strong_ordering::equal) {
        order = compare([](const CollationElement& e) { return e.accent; });
    }
    if (order == std::strong_ordering::equal) {
        order = compare([](const CollationElement& e) { return e.upper; });
    }
    return order == std::strong_ordering::less;
}

}  // namespace tb::analytics
