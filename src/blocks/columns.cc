#include "blocks/columns.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"

namespace tb::blocks {

namespace {

constexpr bool kNumber = true;
constexpr bool kRequired = true;
constexpr bool kDate = true;
constexpr bool kOnlyOwn = true;
constexpr std::size_t kLongestName = 200;

const std::vector<std::string_view>& pl_names() {
    static const std::vector<std::string_view> names = {"p/l", "p&l", "profit/loss", "pl"};
    return names;
}

std::vector<ColumnSpec> make_trade_columns() {
    return {
        {"Date Opened", {}, false, kRequired, kDate},
        {"Time Opened", {}},
        {"Opening Price", {}, kNumber},
        {"Legs", {}},
        {"Premium", {}, kNumber},
        {"Closing Price", {}, kNumber},
        {"Date Closed", {}, false, false, kDate},
        {"Time Closed", {}},
        {"Avg. Closing Cost", {"avg closing cost", "average closing cost"}, kNumber},
        {"Reason For Close", {}},
        {"P/L", pl_names(), kNumber, kRequired},
        {"No. of Contracts",
         {"no of contracts", "number of contracts", "contracts", "contracts traded",
          "num contracts", "# of contracts", "qty", "quantity"},
         kNumber},
        {"Funds at Close", {}, kNumber},
        {"Margin Req.", {"margin req", "margin requirement"}, kNumber},
        {"Strategy", {}},
        {"Opening Commissions + Fees",
         {"opening commissions & fees", "opening commissions and fees", "opening comms & fees",
          "opening comms + fees", "opening comms and fees", "opening commissions", "opening fees"},
         kNumber},
        {"Closing Commissions + Fees",
         {"closing commissions & fees", "closing commissions and fees", "closing comms & fees",
          "closing comms + fees", "closing comms and fees", "closing commissions", "closing fees"},
         kNumber},
        {"Opening Short/Long Ratio", {"opening short long ratio"}, kNumber},
        {"Closing Short/Long Ratio", {"closing short long ratio"}, kNumber},
        {"Opening VIX", {}, kNumber},
        {"Closing VIX", {}, kNumber},
        {"Gap", {}, kNumber},
        {"Movement", {}, kNumber},
        {"Max Profit", {}, kNumber},
        {"Max Loss", {}, kNumber},
        {"P/L Basis", {"p&l basis", "pl basis"}},
        {"Premium Unit", {}},
        {"Net PL", {}, false, false, false, kOnlyOwn},
        {"Block ID", {}, false, false, false, kOnlyOwn},
        {"Source Line", {}, false, false, false, kOnlyOwn},
        {"Extra JSON", {}, false, false, false, kOnlyOwn},
        {"Ticker", {}},
        {"Symbol", {}},
        {"Underlying", {}},
        {"Underlying Symbol", {"underlyingsymbol"}},
    };
}

std::vector<ColumnSpec> make_daily_columns() {
    return {
        {"Date", {}, false, kRequired, kDate},
        {"Net Liquidity",
         {"netliquidity", "net liq", "portfolio value", "equity", "value"},
         kNumber,
         kRequired},
        {"Current Funds", {}, kNumber},
        {"Withdrawn", {}, kNumber},
        {"Trading Funds", {}, kNumber},
        {"P/L", pl_names(), kNumber},
        {"P/L %", {"p/l%", "p&l %", "pl %"}, kNumber},
        {"Drawdown %", {"drawdown%", "drawdown"}, kNumber},
    };
}

std::vector<ColumnSpec> make_reporting_columns() {
    return {
        {"Strategy", {}},
        {"Date Opened", {}, false, kRequired, kDate},
        {"Time Opened", {}},
        {"Opening Price", {}, kNumber},
        {"Legs", {}},
        {"Initial Premium", {"initial premium ($)", "initial credit"}, kNumber},
        {"No. of Contracts",
         {"no of contracts", "number of contracts", "contracts", "contracts traded",
          "num contracts", "# of contracts", "qty", "quantity"},
         kNumber},
        {"P/L", pl_names(), kNumber, kRequired},
        {"Closing Price", {}, kNumber},
        {"Date Closed", {}, false, false, kDate},
        {"Time Closed", {}},
        {"Avg. Closing Cost", {"avg closing cost", "average closing cost"}, kNumber},
        {"Reason For Close", {}},
        {"Ticker", {}},
        {"Symbol", {}},
        {"Underlying", {}},
        {"Underlying Symbol", {"underlyingsymbol"}},
    };
}

std::vector<ColumnSpec> make_tat_columns() {
    return {
        {"TradeID", {"trade id"}, false, kRequired},
        {"ProfitLoss", {"profit loss"}, kNumber, kRequired},
        {"BuyingPower", {"buying power"}, kNumber, kRequired},
        {"OpenDate", {"open date"}, false, false, kDate},
        {"Date", {}, false, false, kDate},
        {"CloseDate", {"close date"}, false, false, kDate},
        {"OpenTime", {"open time"}},
        {"TimeOpened", {"time opened"}},
        {"CloseTime", {"close time"}},
        {"TimeClosed", {"time closed"}},
        {"Template", {}},
        {"Strategy", {}},
        {"Qty", {}, kNumber},
        {"TotalPremium", {"total premium"}, kNumber},
        {"PriceOpen", {"price open"}, kNumber},
        {"Status", {}},
        {"TradeType", {"trade type"}},
        {"ShortPut", {"short put"}},
        {"ShortCall", {"short call"}},
        {"LongPut", {"long put"}},
        {"LongCall", {"long call"}},
        {"Ticker", {}},
        {"Symbol", {}},
        {"Underlying", {}},
        {"Underlying Symbol", {"underlyingsymbol"}},
    };
}

template <class Field>
std::span<const ColumnSpec> checked(const std::vector<ColumnSpec>& columns) {
    TB_CHECK(columns.size() == static_cast<std::size_t>(Field::kCount),
             "a column table must follow its enum");
    return columns;
}

std::string shown_name(std::string_view cell, std::size_t column) {
    const std::string_view name = trim(cell);
    if (name.size() <= kLongestName) {
        return std::string(name);
    }
    return fmt::format("{}… (column {})", utf8_prefix(name, kLongestName), column + 1);
}

struct Match {
    int field = HeaderMap::kNone;
    bool is_alias = false;
};

Match find_field(const std::string& normalised, std::span<const ColumnSpec> specs) {
    for (std::size_t field = 0; field < specs.size(); ++field) {
        const ColumnSpec& spec = specs[field];
        if (equals_ignoring_case(normalised, spec.name)) {
            return {static_cast<int>(field), false};
        }
        if (std::find(spec.aliases.begin(), spec.aliases.end(), normalised) != spec.aliases.end()) {
            return {static_cast<int>(field), true};
        }
    }
    return {};
}

}  // namespace

std::span<const ColumnSpec> trade_columns() {
    static const std::vector<ColumnSpec> columns = make_trade_columns();
    return checked<TradeField>(columns);
}

std::span<const ColumnSpec> daily_columns() {
    static const std::vector<ColumnSpec> columns = make_daily_columns();
    return checked<DailyField>(columns);
}

std::span<const ColumnSpec> reporting_columns() {
    static const std::vector<ColumnSpec> columns = make_reporting_columns();
    return checked<ReportingField>(columns);
}

std::span<const ColumnSpec> tat_columns() {
    static const std::vector<ColumnSpec> columns = make_tat_columns();
    return checked<TatField>(columns);
}

std::string normalise_header(std::string_view cell) {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    constexpr std::string_view kNoBreakSpace = "\xC2\xA0";
    std::string result;
    bool blank = false;
    while (!cell.empty()) {
        if (cell.substr(0, kMark.size()) == kMark) {
            cell.remove_prefix(kMark.size());
            continue;
        }
        const bool no_break = cell.substr(0, kNoBreakSpace.size()) == kNoBreakSpace;
        const char c = no_break ? ' ' : cell.front();
        cell.remove_prefix(no_break ? kNoBreakSpace.size() : 1);
        if (c == ' ' || c == '_' || (c >= '\t' && c <= '\r')) {
            blank = !result.empty();
            continue;
        }
        if (blank) {
            result.push_back(' ');
            blank = false;
        }
        result.push_back(ascii_lower(c));
    }
    return result;
}

bool is_pl_name(std::string_view normalised) {
    return std::find(pl_names().begin(), pl_names().end(), normalised) != pl_names().end();
}

bool is_tat_header(std::span<const std::string> header_cells) {
    return map_header(header_cells, tat_columns(), Preference::kCanonical).missing.empty();
}

namespace {

// Columns of our own output count as fields only all together.
void release_lone_own_columns(HeaderMap& map) {
    bool some = false;
    bool all = true;
    for (std::size_t field = 0; field < map.specs.size(); ++field) {
        some = some || map.specs[field].only_own;
        all = all && (!map.specs[field].only_own || map.column_of[field] != HeaderMap::kNone);
    }
    map.is_own_output = some && all;
    for (std::size_t field = 0; field < map.specs.size() && !map.is_own_output; ++field) {
        if (map.specs[field].only_own && map.column_of[field] != HeaderMap::kNone) {
            map.extra_columns.push_back(map.column_of[field]);
            map.column_of[field] = HeaderMap::kNone;
        }
    }
}

}  // namespace

HeaderMap map_header(std::span<const std::string> header_cells, std::span<const ColumnSpec> specs,
                     Preference preference) {
    HeaderMap map;
    map.specs = specs;
    map.column_of.assign(specs.size(), HeaderMap::kNone);
    std::vector<bool> taken_by_alias(specs.size(), false);
    std::vector<std::string> extra_names;
    for (std::size_t column = 0; column < header_cells.size(); ++column) {
        map.names.push_back(shown_name(header_cells[column], column));
        const std::string normalised = normalise_header(header_cells[column]);
        const Match match = find_field(normalised, specs);
        if (match.field == HeaderMap::kNone) {
            const bool again =
                !normalised.empty() &&
                std::find(extra_names.begin(), extra_names.end(), normalised) != extra_names.end();
            if (again) {
                map.notes.push_back(
                    fmt::format("column {} repeats the name '{}': the first is used", column + 1,
                                map.names.back()));
            } else {
                map.extra_columns.push_back(static_cast<int>(column));
                extra_names.push_back(normalised);
            }
            continue;
        }
        const auto field = static_cast<std::size_t>(match.field);
        int& current = map.column_of[field];
        const bool replaces = current != HeaderMap::kNone &&
                              match.is_alias != taken_by_alias[field] &&
                              match.is_alias == (preference == Preference::kAlias);
        if (current != HeaderMap::kNone) {
            const int loser = replaces ? current : static_cast<int>(column);
            const int winner = replaces ? static_cast<int>(column) : current;
            map.notes.push_back(
                fmt::format("columns {} '{}' and {} '{}' both mean {}: the first named is used",
                            winner + 1, map.names[static_cast<std::size_t>(winner)], loser + 1,
                            map.names[static_cast<std::size_t>(loser)], specs[field].name));
            // The same name twice is a copy; another name may hold something else, so it is kept.
            if (normalise_header(header_cells[static_cast<std::size_t>(loser)]) !=
                normalise_header(header_cells[static_cast<std::size_t>(winner)])) {
                map.extra_columns.push_back(loser);
            }
        }
        if (current == HeaderMap::kNone || replaces) {
            current = static_cast<int>(column);
            taken_by_alias[field] = match.is_alias;
        }
    }
    release_lone_own_columns(map);
    std::sort(map.extra_columns.begin(), map.extra_columns.end());
    for (std::size_t field = 0; field < specs.size(); ++field) {
        if (specs[field].is_required && map.column_of[field] == HeaderMap::kNone) {
            map.missing.emplace_back(specs[field].name);
        }
    }
    return map;
}

bool looks_cut_off(std::span<const std::string> header_cells, std::span<const ColumnSpec> specs) {
    for (std::size_t column = 0; column < header_cells.size(); ++column) {
        const std::string name = normalise_header(header_cells[column]);
        const bool known = find_field(name, specs).field != HeaderMap::kNone;
        if (column + 1 < header_cells.size()) {
            if (!known) {
                return false;
            }
            continue;
        }
        return known || std::any_of(specs.begin(), specs.end(), [&](const ColumnSpec& spec) {
                   return equals_ignoring_case(spec.name.substr(0, name.size()), name);
               });
    }
    return true;
}

}  // namespace tb::blocks
