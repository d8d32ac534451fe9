#include "db/sql_guard_growth.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/number.h"

namespace tb::db::detail {

namespace {

using namespace std::string_view_literals;

constexpr double kListItemBytes = 8;

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

// Size by their second argument; by the largest; by their fourth.
constexpr std::array kBySecond{"repeat"sv,      "lpad"sv,         "rpad"sv,
                               "list_resize"sv, "array_resize"sv, "bitstring"sv};
constexpr std::array kByLargest{"range"sv, "generate_series"sv, "format"sv, "printf"sv};
constexpr std::array kLists{"range"sv, "generate_series"sv, "list_resize"sv, "array_resize"sv};
// What goes in twice comes out multiplied; or is compared character by character, in memory.
constexpr std::array kProducts{
    "replace"sv,         "regexp_replace"sv,      "list_zip"sv,
    "array_zip"sv,       "levenshtein"sv,         "editdist3"sv,
    "jaro_similarity"sv, "damerau_levenshtein"sv, "jaro_winkler_similarity"sv};
// Every character becomes several, or an item of a list.
struct Widening {
    std::string_view name;
    double factor;
};
constexpr double kTextItemBytes = 16;
constexpr std::array kWidenings{
    Widening{"bin", 8},
    Widening{"to_binary", 8},
    Widening{"hex", 2},
    Widening{"to_hex", 2},
    Widening{"base64", 2},
    Widening{"to_base64", 2},
    Widening{"url_encode", 3},
    Widening{"regexp_escape", 2},
    Widening{"split", kTextItemBytes},
    Widening{"str_split", kTextItemBytes},
    Widening{"string_split", kTextItemBytes},
    Widening{"string_to_array", kTextItemBytes},
    Widening{"str_split_regex", kTextItemBytes},
    Widening{"string_split_regex", kTextItemBytes},
    Widening{"regexp_split_to_array", kTextItemBytes},
    Widening{"regexp_extract_all", kTextItemBytes},
};

GrowthSize product(const GrowthSize& a, const GrowthSize& b) {
    GrowthSize result{};
    for (std::size_t i = 0; i < a.size(); ++i) {
        for (std::size_t k = 0; k < b.size(); ++k) {
            result[std::min(i + k, result.size() - 1)] += a[i] * b[k];
        }
    }
    return result;
}

GrowthSize at_least_one(GrowthSize size) {
    if (std::all_of(size.begin(), size.end(), [](double x) { return x < 1; })) {
        size[0] = 1;
    }
    return size;
}

double number_of(std::string_view function, const std::vector<Growth>& arguments) {
    double sum = 0;
    double factor = 1;
    double largest = 0;
    for (const Growth& argument : arguments) {
        sum += argument.number;
        factor *= std::max(argument.number, 1.0);
        largest = std::max(largest, argument.number);
    }
    if (function == "+" || function == "-" || function == "add") {
        return sum;
    }
    if (function == "*" || function == "multiply" || function == "lcm") {
        return factor;
    }
    if (function == "**" || function == "^" || function == "pow" || function == "power") {
        return std::pow(std::max(largest, 2.0), std::max(largest, 2.0));
    }
    if (function == "<<" || function == "exp" || function == "factorial" ||
        function == "!__postfix") {
        return largest * std::pow(2.0, largest);
    }
    return largest;
}

}  // namespace

void Growth::set_literal(double value) {
    number = std::isfinite(value) ? std::fabs(value) : 0;
}

void Growth::set_literal(std::string_view text) {
    number = std::fabs(parse_double(text).value_or(0));
    for (std::size_t at = 0; at < text.size();) {
        double run = 0;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
            run = run * 10 + (text[at] - '0');
            ++at;
        }
        digits = std::max(digits, run);
        ++at;
    }
}

void Growth::add(const Growth& part, bool as_member) {
    number = std::max(number, part.number);
    digits = std::max(digits, part.digits);
    from_column = from_column || part.from_column;
    has_lambda = has_lambda || part.has_lambda;
    if (as_member) {
        Growth member = part;
        member.members.clear();
        members.push_back(std::move(member));
    } else if (!part.members.empty()) {
        members = part.members;
    }
    for (std::size_t i = 0; i < size.size(); ++i) {
        size[i] += part.size[i];
    }
}

void Growth::apply_function(std::string_view name) {
    const std::vector<Growth> arguments = std::move(members);
    members.clear();
    number = number_of(name, arguments);
    if (name == "least" && std::any_of(arguments.begin(), arguments.end(),
                                       [](const Growth& a) { return !a.from_column; })) {
        from_column = false;
    }
    if (contains(kProducts, name) || has_lambda) {
        GrowthSize all{1, 0, 0, 0};
        for (const Growth& argument : arguments) {
            all = product(all, at_least_one(argument.size));
        }
        size = all[0] > 1 || all[1] + all[2] + all[3] > 0 ? all : size;
        has_lambda = false;
    }
    const auto* const widening = std::find_if(kWidenings.begin(), kWidenings.end(),
                                              [&](const Widening& w) { return w.name == name; });
    if (widening != kWidenings.end()) {
        size = product(at_least_one(size), GrowthSize{widening->factor, 0, 0, 0});
        return;
    }
    double count = 0;
    bool unknown = false;
    const auto take = [&](const Growth& argument) {
        count = std::max(count, argument.number);
        unknown = unknown || argument.from_column;
    };
    if (contains(kBySecond, name) && arguments.size() > 1) {
        take(arguments[1]);
    } else if (contains(kByLargest, name)) {
        std::for_each(arguments.begin(), arguments.end(), take);
        count = name == "format" || name == "printf" ? std::max(count, digits) : count;
        // What format() shows is no width: only a literal can be taken for one.
        unknown = unknown && name != "format" && name != "printf";
    } else if (name == "bar" && arguments.size() > 3) {
        take(arguments[3]);
    } else {
        return;
    }
    GrowthSize factor{};
    factor[unknown ? 1 : 0] = std::max(count, 1.0) * (contains(kLists, name) ? kListItemBytes : 1);
    size = product(at_least_one(size), factor);
}

double total_size(const GrowthSize& size, double largest_number) {
    double total = 0;
    double factor = 1;
    for (const double part : size) {
        total += part * factor;
        factor *= std::max(largest_number, 1.0);
    }
    return total;
}

}  // namespace tb::db::detail
