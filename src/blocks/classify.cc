#include <algorithm>
#include <array>
#include <initializer_list>

#include "blocks/columns.h"
#include "blocks/discovery.h"
#include "csv/cell.h"

namespace tb::blocks {

namespace {

// Words of a header cell: runs of letters and digits.
using Words = std::vector<std::string>;

Words words_of(std::string_view normalised) {
    Words words;
    std::string word;
    for (const char c : normalised) {
        const bool part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (part) {
            word.push_back(c);
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    if (!word.empty()) {
        words.push_back(std::move(word));
    }
    return words;
}

bool has_words(const Words& words, std::initializer_list<std::string_view> sequence) {
    return std::search(words.begin(), words.end(), sequence.begin(), sequence.end()) != words.end();
}

// What one cell of a header says (01 §1.5; whole cells and whole words only, item 10).
struct CellTraits {
    bool pl = false;             // p/l, p&l, profit/loss, pl
    bool trade_pattern = false;  // date opened, symbol, strategy, ...
    bool initial_premium = false;
    bool date = false;
    bool value = false;
    bool reporting_name = false;
    bool actual_pl = false;
};

CellTraits traits_of(const std::string& cell) {
    constexpr std::array<std::string_view, 5> kReportingNames = {
        "initial premium ($)", "initial credit", "contracts", "contracts traded", "pl"};
    constexpr std::array<std::string_view, 5> kValueNames = {"net liquidity", "netliquidity",
                                                             "portfolio value", "equity", "value"};
    const std::string name = normalise_header(cell);
    const Words words = words_of(name);
    const auto one_of = [&name](const auto& names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    CellTraits traits;
    traits.pl = is_pl_name(name);
    traits.trade_pattern = has_words(words, {"date", "opened"}) ||
                           has_words(words, {"date", "closed"}) || has_words(words, {"symbol"}) ||
                           has_words(words, {"strategy"}) || has_words(words, {"contracts"}) ||
                           has_words(words, {"premium"}) || has_words(words, {"legs"});
    traits.initial_premium =
        has_words(words, {"initial", "premium"}) || has_words(words, {"initial", "credit"});
    traits.date = name == "date";
    traits.value = one_of(kValueNames) || name == "net liq";
    traits.actual_pl =
        has_words(words, {"actual"}) && (has_words(words, {"p"}) || has_words(words, {"pl"}));
    traits.reporting_name = one_of(kReportingNames) || traits.actual_pl || name == "trade id" ||
                            has_words(words, {"reported"});
    return traits;
}

bool is_number_in_any_style(std::string_view cell) {
    return csv::parse_number(cell).has_value() ||
           csv::parse_number(cell, csv::NumberStyle::kDecimalComma).has_value();
}

}  // namespace

std::optional<FileRole> classify_header(std::span<const std::string> header_cells,
                                        std::span<const std::string> first_data_cells) {
    std::vector<CellTraits> cells;
    cells.reserve(header_cells.size());
    for (const std::string& cell : header_cells) {
        cells.push_back(traits_of(cell));
    }
    const auto any = [&cells](auto member) {
        return std::any_of(cells.begin(), cells.end(),
                           [member](const CellTraits& cell) { return cell.*member; });
    };
    const auto patterns = std::count_if(cells.begin(), cells.end(),
                                        [](const CellTraits& cell) { return cell.trade_pattern; });
    const bool pl = any(&CellTraits::pl);
    if (pl && patterns >= 2) {
        return any(&CellTraits::initial_premium) ? FileRole::kReportingLog : FileRole::kTradeLog;
    }
    if (any(&CellTraits::date) && any(&CellTraits::value) && patterns < 2) {
        // The first row decides: a table of words is no daily log.
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool numeric =
                first_data_cells.empty() ||
                (i < first_data_cells.size() && is_number_in_any_style(first_data_cells[i]));
            if (cells[i].value && numeric) {
                return FileRole::kDailyLog;
            }
        }
    }
    if (is_tat_header(header_cells)) {
        return FileRole::kReportingLog;
    }
    if (any(&CellTraits::reporting_name) && (!pl || any(&CellTraits::actual_pl))) {
        return FileRole::kReportingLog;
    }
    if (pl && patterns >= 1) {
        return FileRole::kTradeLog;
    }
    return std::nullopt;
}

}  // namespace tb::blocks
