#include "cli/amount.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "core/number.h"
#include "core/text.h"

namespace tb::cli {

namespace {

constexpr double kMostExactWhole = 9'007'199'254'740'992.0;  // 2^53

// The digits without the commas between their groups; nullopt where a comma is somewhere else.
std::optional<std::string> without_commas(std::string_view text) {
    constexpr std::size_t kGroup = 3;
    const std::size_t end = std::min(text.find_first_not_of("0123456789,"), text.size());
    std::string digits;
    std::size_t in_group = 0;
    bool grouped = false;
    for (const char c : text.substr(0, end)) {
        if (c != ',') {
            digits += c;
            ++in_group;
            continue;
        }
        if (grouped ? in_group != kGroup : in_group == 0 || in_group > kGroup) {
            return std::nullopt;
        }
        grouped = true;
        in_group = 0;
    }
    if (grouped && in_group != kGroup) {
        return std::nullopt;
    }
    return digits.append(text.substr(end));
}

}  // namespace

std::optional<double> read_amount(std::string_view text) {
    text = trim(text);
    std::string sign;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        sign = text.front() == '-' ? "-" : "";
        text.remove_prefix(1);
    }
    const bool dollars = !text.empty() && text.front() == '$';
    text.remove_prefix(dollars ? 1 : 0);
    if (text.empty() || text.front() == '-' || text.front() == '+') {
        return std::nullopt;
    }
    std::string_view exponent;
    switch (ascii_lower(text.back())) {
        case 'k':
            exponent = "e3";
            break;
        case 'm':
            exponent = "e6";
            break;
        case 'b':
            exponent = "e9";
            break;
        default:
            break;
    }
    text.remove_suffix(exponent.empty() ? 0 : 1);
    auto digits = without_commas(text);
    if (!digits.has_value() || (!exponent.empty() && digits->find_first_of("eE") != digits->npos)) {
        return std::nullopt;
    }
    return parse_double(sign + *digits + std::string(exponent));
}

std::optional<std::int64_t> read_whole_amount(std::string_view text) {
    std::int64_t whole = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (problem == std::errc() && end == text.data() + text.size()) {
        return whole;  // all 64 bits, for seeds
    }
    const auto value = read_amount(text);
    if (!value.has_value() || std::trunc(*value) != *value || std::abs(*value) > kMostExactWhole) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(*value);
}

}  // namespace tb::cli
