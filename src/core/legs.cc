#include "core/legs.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/number.h"
#include "core/text.h"

namespace tb {

namespace {

constexpr std::size_t kQuoted = 120;                    // bytes of a text in its refusal
constexpr std::int64_t kMostContracts = 1'000'000'000;  // of a leg
constexpr double kHighestNumber = 1e9;                  // of a strike or price

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return result;
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    text = trim(text);
    while (!text.empty()) {
        const std::size_t end = text.find_first_of(" \t\r\n\v\f\xC2");
        std::size_t length = std::min(end, text.size());
        if (length < text.size() && text[length] == '\xC2' && trim(text.substr(length, 2)) != "") {
            length = text.size();  // not a no-break space: the rest cannot be a word of a leg
        }
        words.push_back(text.substr(0, length));
        text = trim(text.substr(length));
    }
    return words;
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(at);
        parts.push_back(trim(text.substr(0, end)));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

// digits[.digits], nothing else.
std::optional<double> plain_number(std::string_view text) {
    if (text.empty() || !is_digit(text.front()) || !is_digit(text.back()) ||
        text.find_first_not_of("0123456789.") != std::string_view::npos) {
        return std::nullopt;
    }
    const auto value = parse_double(text);
    return value && *value <= kHighestNumber ? value : std::nullopt;
}

std::optional<double> strike_of(std::string_view text) {
    const auto value = plain_number(text);
    return value && *value > 0 ? value : std::nullopt;
}

std::optional<std::int64_t> whole_number(std::string_view text, std::int64_t most) {
    if (text.empty()) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    for (const char c : text) {
        if (!is_digit(c)) {
            return std::nullopt;
        }
        value = value * 10 + (c - '0');
        if (value > most) {
            return std::nullopt;
        }
    }
    return value > 0 ? std::optional(value) : std::nullopt;
}

std::optional<std::int32_t> month_of(std::string_view name) {
    constexpr std::array<std::string_view, 12> kMonths = {
        "january", "february", "march",     "april",   "may",      "june",
        "july",    "august",   "september", "october", "november", "december"};
    for (std::size_t i = 0; name.size() >= 3 && i < kMonths.size(); ++i) {
        if (name.size() <= kMonths[i].size() &&
            equals_ignoring_case(name, kMonths[i].substr(0, name.size()))) {
            return static_cast<std::int32_t>(i) + 1;
        }
    }
    return equals_ignoring_case(name, "sept") ? std::optional(9) : std::nullopt;
}

// The first such day on or after `opened`; nullopt where no year has it.
std::optional<Date> next_day(std::int32_t month, std::int32_t day, Date opened) {
    constexpr std::int32_t kYearsToLeapDay = 8;  // 1896-02-29 to 1904-02-29
    const std::int32_t year = opened.ymd().year;
    for (std::int32_t y = year; y <= year + kYearsToLeapDay; ++y) {
        const auto date = Date::from_ymd(y, month, day);
        if (date && *date >= opened) {
            return date;
        }
    }
    return std::nullopt;
}

std::optional<OptionRight> right_of(std::string_view word) {
    if (equals_ignoring_case(word, "C") || equals_ignoring_case(word, "call")) {
        return OptionRight::kCall;
    }
    if (equals_ignoring_case(word, "P") || equals_ignoring_case(word, "put")) {
        return OptionRight::kPut;
    }
    return std::nullopt;
}

std::optional<LegOrder> order_of(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, LegOrder>, 4> kOrders = {
        {{"BTO", LegOrder::kBuyToOpen},
         {"STO", LegOrder::kSellToOpen},
         {"BTC", LegOrder::kBuyToClose},
         {"STC", LegOrder::kSellToClose}}};
    for (const auto& [name, order] : kOrders) {
        if (equals_ignoring_case(word, name)) {
            return order;
        }
    }
    return std::nullopt;
}

// "3 Oct 8 6725 P STO 4.45"
std::optional<OptionLeg> pipe_leg(std::string_view text, Date opened) {
    const std::vector<std::string_view> words = words_of(text);
    if (words.size() != 7 || words[4].size() != 1) {
        return std::nullopt;
    }
    const auto contracts = whole_number(words[0], kMostContracts);
    const auto month = month_of(words[1]);
    const auto day = whole_number(words[2], 31);
    const auto strike = strike_of(words[3]);
    const auto right = right_of(words[4]);
    const auto order = order_of(words[5]);
    const auto price = plain_number(words[6]);
    if (!contracts || !month || !day || !strike || !right || !order || !price) {
        return std::nullopt;
    }
    const auto expiry = next_day(*month, static_cast<std::int32_t>(*day), opened);
    if (!expiry) {
        return std::nullopt;
    }
    OptionLeg leg;
    leg.contracts = contracts;
    leg.expiry = expiry;
    leg.strike = *strike;
    leg.right = *right;
    leg.bought = *order == LegOrder::kBuyToOpen || *order == LegOrder::kBuyToClose;
    leg.order = order;
    leg.price = price;
    return leg;
}

// "4500P", "4500 P" -> strike and right; `words` holds nothing else.
std::optional<OptionLeg> strike_and_right(const std::vector<std::string_view>& words) {
    std::string_view strike;
    std::string_view right;
    if (words.size() == 1 && words[0].size() > 1) {
        strike = words[0].substr(0, words[0].size() - 1);
        right = words[0].substr(words[0].size() - 1);
    } else if (words.size() == 2 && words[1].size() == 1) {
        strike = words[0];
        right = words[1];
    }
    const auto number = strike_of(strike);
    const auto type = right_of(right);
    if (!number || !type) {
        return std::nullopt;
    }
    OptionLeg leg;
    leg.strike = *number;
    leg.right = *type;
    return leg;
}

bool is_root(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), is_letter);
}

// One part of the slash form; `root` is the first part's, empty while this is the first.
std::optional<OptionLeg> slash_leg(std::string_view text, const std::string& root) {
    std::vector<std::string_view> words = words_of(text);
    if (words.empty()) {
        return std::nullopt;
    }
    // "SPY Jan25 470 Call"
    if (words.size() == 4 && is_root(words[0]) && words[3].size() > 1) {
        const auto strike = strike_of(words[2]);
        const auto right = right_of(words[3]);
        if (strike && right) {
            OptionLeg leg;
            leg.root = upper(words[0]);
            leg.strike = *strike;
            leg.right = *right;
            return leg;
        }
        return std::nullopt;
    }
    std::string own_root;
    if (is_root(words[0])) {
        own_root = upper(words[0]);
        words.erase(words.begin());
    } else if (root.empty()) {
        return std::nullopt;
    }
    auto leg = strike_and_right(words);
    if (leg) {
        leg->root = own_root.empty() ? root : own_root;
    }
    return leg;
}

// "5900P/6100C" -> two legs of one side.
bool toolbox_part(std::string_view text, bool bought, const std::string& root,
                  std::vector<OptionLeg>& legs) {
    for (const std::string_view part : split(text, '/')) {
        auto leg = strike_and_right({part});
        if (!leg) {
            return false;
        }
        leg->bought = bought;
        leg->root = root;
        legs.push_back(*std::move(leg));
    }
    return true;
}

// "SPX 5900P/6100C | 5850P/6150C IC": words before and behind the strikes are the root and the
// kind of trade.
std::optional<std::vector<OptionLeg>> toolbox_legs(std::string_view sold, std::string_view bought) {
    const std::vector<std::string_view> before = words_of(sold);
    const std::vector<std::string_view> behind = words_of(bought);
    if (before.empty() || before.size() > 2 || behind.empty()) {
        return std::nullopt;
    }
    std::string root;
    if (before.size() == 2) {
        root = upper(before[0]);
    }
    std::vector<OptionLeg> legs;
    if (!toolbox_part(before.back(), false, root, legs) ||
        !toolbox_part(behind.front(), true, root, legs)) {
        return std::nullopt;
    }
    return legs;
}

// What was wrong, without a character cut in half.
tl::unexpected<Error> unreadable(std::string_view part) {
    return make_error(ErrorCode::kParse,
                      fmt::format("'{}{}' is not a leg; legs are written like "
                                  "'3 Oct 8 6725 P STO 4.45 | 3 Oct 8 6575 P BTO 0.25' or "
                                  "'SPX 4500P/4450P'",
                                  utf8_prefix(part, kQuoted), part.size() > kQuoted ? "…" : ""));
}

tl::unexpected<Error> too_long() {
    return make_error(
        ErrorCode::kResourceExhausted,
        fmt::format("more than {} legs or {} bytes of them", kMaxLegs, kMaxLegsBytes));
}

Result<std::vector<OptionLeg>> slash_form(std::string_view text) {
    std::vector<OptionLeg> legs;
    std::string root;
    for (const std::string_view part : split(text, '/')) {
        auto leg = slash_leg(part, root);
        if (!leg) {
            return unreadable(part);
        }
        if (legs.empty()) {
            root = leg->root;
        }
        leg->bought = legs.size() % 2 == 0;
        leg->side_assumed = true;
        legs.push_back(*std::move(leg));
    }
    return legs;
}

}  // namespace

Result<std::vector<OptionLeg>> parse_legs(std::string_view text, Date opened) {
    if (text.size() > kMaxLegsBytes ||
        static_cast<std::size_t>(std::count_if(
            text.begin(), text.end(), [](char c) { return c == '|' || c == '/'; })) >= kMaxLegs) {
        return too_long();
    }
    text = trim(text);
    if (text.empty()) {
        return make_error(ErrorCode::kParse, "the text of the legs is blank");
    }
    const std::vector<std::string_view> parts = split(text, '|');
    std::vector<OptionLeg> legs;
    for (const std::string_view part : parts) {
        auto leg = pipe_leg(part, opened);
        if (leg) {
            legs.push_back(*std::move(leg));
            continue;
        }
        if (legs.empty() && parts.size() == 2) {
            if (auto toolbox = toolbox_legs(parts[0], parts[1])) {
                return *std::move(toolbox);
            }
        }
        if (parts.size() == 1) {
            return slash_form(text);
        }
        return unreadable(part);
    }
    return legs;
}

std::optional<double> net_price(const std::vector<OptionLeg>& legs) {
    std::int64_t fewest = kMostContracts;
    for (const OptionLeg& leg : legs) {
        if (!leg.price || !leg.contracts || *leg.contracts <= 0) {
            return std::nullopt;
        }
        fewest = std::min(fewest, *leg.contracts);
    }
    if (legs.empty()) {
        return std::nullopt;
    }
    double total = 0;
    for (const OptionLeg& leg : legs) {
        const double amount =
            *leg.price * static_cast<double>(*leg.contracts) / static_cast<double>(fewest);
        total += leg.bought ? -amount : amount;
    }
    return total;
}

}  // namespace tb
