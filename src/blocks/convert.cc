#include "blocks/convert.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace tb::blocks {

namespace {

using csv::CellState;

// Slots of TextArena::add_repeated.
constexpr std::size_t kStrategySlot = 0;
constexpr std::size_t kReasonSlot = 1;
constexpr std::size_t kTickerSlot = 2;
constexpr double kShares = 100;  // of one contract

template <class Field>
std::vector<int> ticker_columns(const HeaderMap& header) {
    std::vector<int> columns;
    for (const Field field :
         {Field::kTicker, Field::kSymbol, Field::kUnderlying, Field::kUnderlyingSymbol}) {
        columns.push_back(header.column_of[static_cast<std::size_t>(field)]);
    }
    return columns;
}

std::string_view ticker_of(std::string_view text, TextArena& arena) {
    if (text.empty()) {
        return kDefaultTicker;
    }
    const std::string ticker = resolve_ticker(text);
    return ticker.empty() ? kDefaultTicker : arena.add_repeated(ticker, kTickerSlot);
}

bool has_decimal_sign(std::string_view text, csv::NumberStyle style) {
    const char decimal = style == csv::NumberStyle::kDecimalComma ? ',' : '.';
    return text.find(decimal) != std::string_view::npos;
}

// A premium in dollars of one share.
double per_share(double premium, PremiumUnit unit, double contracts) {
    switch (unit) {
        case PremiumUnit::kDollars:
            return premium;
        case PremiumUnit::kCents:
            return premium / kShares;
        case PremiumUnit::kTotal:
            return premium / (kShares * contracts);
    }
    return premium;
}

// The unit that a cell of our own output names, else `otherwise`.
PremiumUnit named_unit(RowCells& row, TradeField field, PremiumUnit otherwise) {
    const std::string_view name = row.text(field);
    const auto unit = premium_unit_from_name(name);
    if (!unit && !name.empty()) {
        row.repaired(field, name, "not a unit we know; decided by the file");
    }
    return unit.value_or(otherwise);
}

template <class Field>
std::optional<std::int32_t> contracts(RowCells& row, Field field) {
    const std::string_view cell = row.text(field);
    if (cell.empty() && !row.has_column(field)) {
        return 1;  // said once for the whole file
    }
    if (cell.empty() && row.is_own_output()) {
        return std::nullopt;  // as stored: unusable in the file it came from
    }
    const csv::CellValue<std::int32_t> value = csv::parse_contracts(cell, row.style());
    if (value.state == CellState::kInvalid) {
        row.broken(field, cell, value.note);
        return std::nullopt;
    }
    if (value.state == CellState::kRepaired) {
        row.repaired(field, cell, value.note);
    }
    return value.value;
}

// As contracts(), with the same notes, but the fraction of a fill is kept beside the rounded
// number.
template <class Field>
std::optional<double> fractional_contracts(RowCells& row, Field field) {
    const csv::CellValue<double> exact = csv::parse_number(row.text(field), row.style());
    const std::optional<double> whole = contracts(row, field);
    const bool positive = exact.has_value() && exact.value > 0 && exact.value < 2147483648.0;
    return positive ? exact.value : whole;
}

std::string timestamp_text(const csv::DateTime& moment) {
    std::string text = moment.date.to_iso() + "T" + moment.time->to_iso();
    if (!moment.fraction.empty()) {
        text += ".";
        text += moment.fraction;
    }
    return text;
}

}  // namespace

std::string resolve_ticker(std::string_view text) {
    text = trim(text);
    while (!text.empty() && (text.front() == '^' || text.front() == '$')) {
        text.remove_prefix(1);
    }
    std::string ticker;
    bool letter = false;
    for (const char c : text) {
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            break;
        }
        const char lower = ascii_lower(c);
        if (lower >= 'a' && lower <= 'z') {
            ticker.push_back(static_cast<char>(lower - 'a' + 'A'));
            letter = true;
        } else if ((c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-') {
            ticker.push_back(c);
        }
    }
    return letter ? ticker : std::string();
}

ExtraColumns::ExtraColumns(const HeaderMap& header, std::vector<int> ticker_columns,
                           int kept_column)
    : ticker_columns_(std::move(ticker_columns)), header_columns_(header.names.size()) {
    std::vector<int> indices = header.extra_columns;
    for (const int column : ticker_columns_) {
        if (column != HeaderMap::kNone) {
            indices.push_back(column);
        }
    }
    if (kept_column != HeaderMap::kNone) {
        indices.push_back(kept_column);
    }
    std::sort(indices.begin(), indices.end());
    for (const int column : indices) {
        const auto index = static_cast<std::size_t>(column);
        std::string name = header.names[index];
        if (name.empty()) {
            name = fmt::format("column {}", index + 1);
        }
        std::string key;
        append_json_string(key, name);
        columns_.push_back({index, std::move(key)});
    }
}

std::string_view ExtraColumns::ticker_text(const RowCells& row) {
    const auto& cells = row.record().cells;
    for (const int column : ticker_columns_) {
        if (column >= 0 && static_cast<std::size_t>(column) < cells.size() &&
            !cells[static_cast<std::size_t>(column)].empty()) {
            used_ticker_ = column;
            return cells[static_cast<std::size_t>(column)];
        }
    }
    used_ticker_ = HeaderMap::kNone;
    return {};
}

void ExtraColumns::append(std::string_view quoted_key, std::string_view text) {
    json_.push_back(json_.empty() ? '{' : ',');
    json_.append(quoted_key);
    json_.push_back(':');
    append_json_string(json_, text);
}

std::string_view ExtraColumns::write(const RowCells& row, TextArena& arena) {
    return write(row, {}, arena);
}

std::string_view ExtraColumns::write(const RowCells& row, std::string_view before,
                                     TextArena& arena) {
    const auto& cells = row.record().cells;
    if (columns_.empty() && cells.size() <= header_columns_) {
        return arena.add(before);
    }
    json_.clear();
    if (before.size() > 2) {
        json_.append(before.substr(0, before.size() - 1));
    }
    for (const Column& column : columns_) {
        if (column.index < cells.size() && !cells[column.index].empty() &&
            static_cast<int>(column.index) != used_ticker_) {
            append(column.quoted_key, cells[column.index]);
        }
    }
    for (std::size_t i = header_columns_; i < cells.size(); ++i) {
        if (!cells[i].empty()) {
            append(fmt::format("\"column {}\"", i + 1), cells[i]);
        }
    }
    if (json_.empty()) {
        return {};
    }
    json_.push_back('}');
    return arena.add(json_);
}

TradeConverter::TradeConverter(const HeaderMap& header, const IngestOptions& options,
                               const FileReading& reading)
    : header_(header),
      default_basis_(options.default_pl_basis == PlBasis::kNetIncludesFees
                         ? reading.blank_basis.value_or(PlBasis::kNetIncludesFees)
                         : options.default_pl_basis),
      premium_unit_(reading.premium_unit),
      extra_(header, ticker_columns<TradeField>(header)) {}

void TradeConverter::survey(const RowCells& row, ReadingSurvey& survey) {
    if (row.has_column(TradeField::kPlBasis)) {
        survey.basis.see(row.text(TradeField::kPlBasis));
    }
    const std::string_view written = row.text(TradeField::kPremium);
    if (written.empty()) {
        return;
    }
    survey.premium.see_written(has_decimal_sign(written, row.style()));
    if (!survey.premium.wants_rows()) {
        return;
    }
    const auto premium = row.quiet_number(TradeField::kPremium);
    const auto opened = row.quiet_date(TradeField::kDateOpened);
    if (!premium || !opened) {
        return;
    }
    PremiumRow seen;
    seen.premium = *premium;
    seen.legs = row.text(TradeField::kLegs);
    seen.opened = opened->date;
    seen.contracts = row.has_column(TradeField::kContracts)
                         ? row.quiet_number(TradeField::kContracts)
                         : std::optional<double>(1);
    if (row.quiet_date(TradeField::kDateClosed)) {
        seen.avg_closing_cost = row.quiet_number(TradeField::kAvgClosingCost);
    }
    seen.pl = row.quiet_number(TradeField::kPl);
    seen.fees = row.quiet_number(TradeField::kOpeningCommissions).value_or(0) +
                row.quiet_number(TradeField::kClosingCommissions).value_or(0);
    survey.premium.see(seen);
}

std::vector<std::string> TradeConverter::file_notes() const {
    std::vector<std::string> notes;
    const auto missing = [this](TradeField field) {
        return header_.column_of[static_cast<std::size_t>(field)] == HeaderMap::kNone;
    };
    if (missing(TradeField::kContracts)) {
        notes.emplace_back("no column No. of Contracts: 1 contract assumed for every row");
    }
    if (default_basis_ == PlBasis::kGrossBeforeFees && missing(TradeField::kPlBasis) &&
        (missing(TradeField::kOpeningCommissions) || missing(TradeField::kClosingCommissions))) {
        notes.emplace_back(
            "P/L is gross, but a column of commissions is missing: 0 taken for the net figure");
    }
    return notes;
}

void TradeConverter::convert_money(RowCells& row, TradeRecord& trade) {
    using Member = std::optional<double> TradeRecord::*;
    static constexpr std::array<std::pair<TradeField, Member>, 16> kNumbers = {{
        {TradeField::kPremium, &TradeRecord::premium},
        {TradeField::kMarginReq, &TradeRecord::margin_req},
        {TradeField::kOpeningCommissions, &TradeRecord::opening_commissions},
        {TradeField::kClosingCommissions, &TradeRecord::closing_commissions},
        {TradeField::kOpeningPrice, &TradeRecord::opening_price},
        {TradeField::kClosingPrice, &TradeRecord::closing_price},
        {TradeField::kAvgClosingCost, &TradeRecord::avg_closing_cost},
        {TradeField::kFundsAtClose, &TradeRecord::funds_at_close},
        {TradeField::kOpeningRatio, &TradeRecord::opening_short_long_ratio},
        {TradeField::kClosingRatio, &TradeRecord::closing_short_long_ratio},
        {TradeField::kOpeningVix, &TradeRecord::opening_vix},
        {TradeField::kClosingVix, &TradeRecord::closing_vix},
        {TradeField::kGap, &TradeRecord::gap},
        {TradeField::kMovement, &TradeRecord::movement},
        {TradeField::kMaxProfit, &TradeRecord::max_profit},
        {TradeField::kMaxLoss, &TradeRecord::max_loss},
    }};
    for (const auto& [field, member] : kNumbers) {
        trade.*member = row.number(field);
    }
    trade.num_contracts = contracts(row, TradeField::kContracts);
    if (trade.premium) {
        trade.premium_unit = named_unit(row, TradeField::kPremiumUnit, premium_unit_);
    }
}

void TradeConverter::convert_pl(RowCells& row, TradeRecord& trade) {
    const bool is_open = row.text(TradeField::kDateClosed).empty();
    const auto pl = row.profit(TradeField::kPl, is_open);
    if (!pl) {
        return;
    }
    trade.pl = *pl;
    trade.pl_basis = default_basis_;
    if (const auto basis = row.text(TradeField::kPlBasis); !basis.empty()) {
        trade.pl_basis = PlBasis::kNetIncludesFees;
        if (equals_ignoring_case(basis, "gross_before_fees")) {
            trade.pl_basis = PlBasis::kGrossBeforeFees;
        } else if (!equals_ignoring_case(basis, "net_includes_fees")) {
            row.repaired(TradeField::kPlBasis, basis, "not a basis we know; read as net");
        }
    }
    trade.net_pl = trade.pl;
    if (trade.pl_basis == PlBasis::kGrossBeforeFees) {
        for (const TradeField field :
             {TradeField::kOpeningCommissions, TradeField::kClosingCommissions}) {
            const auto fees = field == TradeField::kOpeningCommissions ? trade.opening_commissions
                                                                       : trade.closing_commissions;
            trade.net_pl -= fees.value_or(0);
            if (!fees && (row.has_column(field) || row.has_column(TradeField::kPlBasis))) {
                row.repaired(
                    field, row.text(field),
                    "P/L is gross and commissions are missing: 0 taken for the net figure");
            }
        }
    }
}

void TradeConverter::convert_text(RowCells& row, TextArena& arena, TradeRecord& trade) {
    trade.strategy = arena.add_repeated(row.text(TradeField::kStrategy), kStrategySlot);
    trade.reason_for_close = arena.add_repeated(row.text(TradeField::kReasonForClose), kReasonSlot);
    const std::string_view legs = row.text(TradeField::kLegs);
    trade.legs = arena.add(legs.empty() ? row.text(TradeField::kSymbol) : legs);
    trade.ticker = ticker_of(extra_.ticker_text(row), arena);
    const std::string_view extra = row.text(TradeField::kExtraJson);
    const bool is_object = extra.starts_with('{') && nlohmann::json::accept(extra);
    if (!extra.empty() && !is_object) {
        row.repaired(TradeField::kExtraJson, extra, "not a JSON object; not stored");
    }
    trade.extra_json = extra_.write(row, is_object ? extra : std::string_view(), arena);
}

void TradeConverter::convert(RowCells& row, TextArena& arena, TradeRecord& trade) {
    const auto opened = row.required_date(TradeField::kDateOpened);
    if (!opened) {
        return;
    }
    trade.date_opened = opened->date;
    trade.time_opened = row.time(TradeField::kTimeOpened);
    if (!trade.time_opened) {
        trade.time_opened = opened->time;
    }
    trade.time_closed = row.time(TradeField::kTimeClosed);
    if (const auto closed = row.optional_date(TradeField::kDateClosed)) {
        trade.date_closed = closed->date;
        if (!trade.time_closed) {
            trade.time_closed = closed->time;
        }
    }
    convert_money(row, trade);
    convert_pl(row, trade);
    if (!row.skipped()) {
        convert_text(row, arena, trade);
    }
}

DailyConverter::DailyConverter(const HeaderMap& header, const IngestOptions& /*options*/,
                               const FileReading& reading)
    : drawdown_is_positive_(reading.drawdown_is_positive), extra_(header, {}) {}

void DailyConverter::survey(const RowCells& row, ReadingSurvey& survey) {
    if (survey.drawdown.wants_rows()) {
        survey.drawdown.see(row.quiet_number(DailyField::kDrawdownPct).value_or(0));
    }
}

void DailyConverter::convert(RowCells& row, TextArena& arena, DailyRecord& day_row) {
    const auto date = row.required_date(DailyField::kDate);
    if (!date) {
        return;
    }
    day_row.date = date->date;
    day_row.net_liquidity = row.number(DailyField::kNetLiquidity);
    day_row.current_funds = row.number(DailyField::kCurrentFunds);
    day_row.withdrawn = row.number(DailyField::kWithdrawn);
    day_row.trading_funds = row.number(DailyField::kTradingFunds);
    day_row.pl_pct = row.number(DailyField::kPlPct);
    day_row.drawdown_pct = row.number(DailyField::kDrawdownPct);
    if (drawdown_is_positive_ && day_row.drawdown_pct) {
        day_row.drawdown_pct = 0 - *day_row.drawdown_pct;  // never a negative zero
    }
    if (!row.text(DailyField::kPl).empty()) {
        day_row.pl = row.profit(DailyField::kPl, false);
    }
    if (!row.skipped()) {
        day_row.extra_json = extra_.write(row, arena);
    }
}

ReportingConverter::ReportingConverter(const HeaderMap& header, const IngestOptions& /*options*/,
                                       const FileReading& reading)
    : header_(header),
      premium_unit_(reading.premium_is_proven ? reading.premium_unit : PremiumUnit::kDollars),
      extra_(header, ticker_columns<ReportingField>(header)) {}

void ReportingConverter::survey(const RowCells& row, ReadingSurvey& survey) {
    const std::string_view legs = row.text(ReportingField::kLegs);
    survey.premium.see_written(true);  // points, with or without decimals
    if (legs.empty() || !survey.premium.wants_rows()) {
        return;
    }
    const auto premium = row.quiet_number(ReportingField::kInitialPremium);
    const auto opened = row.quiet_date(ReportingField::kDateOpened);
    if (premium && opened) {
        PremiumRow seen;
        seen.premium = *premium;
        seen.legs = legs;
        seen.opened = opened->date;
        seen.contracts = row.quiet_number(ReportingField::kContracts);
        survey.premium.see(seen);
    }
}

std::vector<std::string> ReportingConverter::file_notes() const {
    if (header_.column_of[static_cast<std::size_t>(ReportingField::kContracts)] ==
        HeaderMap::kNone) {
        return {"no column No. of Contracts: 1 contract assumed for every row"};
    }
    return {};
}

void ReportingConverter::convert(RowCells& row, TextArena& arena, ReportingRecord& fill) {
    const auto opened = row.required_date(ReportingField::kDateOpened);
    if (!opened) {
        return;
    }
    fill.date_opened = opened->date;
    fill.time_opened = row.time(ReportingField::kTimeOpened);
    if (!fill.time_opened) {
        fill.time_opened = opened->time;
    }
    fill.time_closed = row.time(ReportingField::kTimeClosed);
    if (const auto closed = row.optional_date(ReportingField::kDateClosed)) {
        fill.date_closed = closed->date;
        if (!fill.time_closed) {
            fill.time_closed = closed->time;
        }
    }
    fill.initial_premium = row.number(ReportingField::kInitialPremium);
    fill.num_contracts = fractional_contracts(row, ReportingField::kContracts);
    if (fill.initial_premium) {
        fill.initial_premium =
            per_share(*fill.initial_premium, premium_unit_, fill.num_contracts.value_or(1));
    }
    fill.opening_price = row.number(ReportingField::kOpeningPrice);
    fill.closing_price = row.number(ReportingField::kClosingPrice);
    fill.avg_closing_cost = row.number(ReportingField::kAvgClosingCost);
    if (fill.avg_closing_cost) {
        fill.avg_closing_cost =
            per_share(*fill.avg_closing_cost, premium_unit_, fill.num_contracts.value_or(1));
    }
    const bool is_open = row.text(ReportingField::kDateClosed).empty();
    if (const auto pl = row.profit(ReportingField::kPl, is_open)) {
        fill.pl = *pl;
    }
    if (row.skipped()) {
        return;
    }
    if (opened->time) {
        fill.opened_at = arena.add(timestamp_text(*opened));
    }
    fill.strategy = arena.add_repeated(row.text(ReportingField::kStrategy), kStrategySlot);
    fill.reason_for_close =
        arena.add_repeated(row.text(ReportingField::kReasonForClose), kReasonSlot);
    const std::string_view legs = row.text(ReportingField::kLegs);
    fill.legs = arena.add(legs.empty() ? row.text(ReportingField::kSymbol) : legs);
    fill.ticker = ticker_of(extra_.ticker_text(row), arena);
    fill.extra_json = extra_.write(row, arena);
}

TatConverter::TatConverter(const HeaderMap& header, const IngestOptions& /*options*/,
                           const FileReading& /*reading*/)
    : header_(header),
      extra_(header, ticker_columns<TatField>(header),
             header.column_of[static_cast<std::size_t>(TatField::kPriceOpen)]) {}

std::vector<std::string> TatConverter::file_notes() const {
    std::vector<std::string> notes = {"read as a Trade Automation Toolbox export"};
    if (header_.column_of[static_cast<std::size_t>(TatField::kQty)] == HeaderMap::kNone) {
        notes.emplace_back("no column Qty: 1 contract assumed for every row");
    }
    return notes;
}

std::string TatConverter::legs(const RowCells& row) {
    const auto part = [&row](TatField put, TatField call) {
        std::string text;
        for (const auto& [field, suffix] : {std::pair(put, 'P'), std::pair(call, 'C')}) {
            const std::string_view strike = row.text(field);
            if (!strike.empty() && strike != "0") {
                text += text.empty() ? "" : "/";
                text += strike;
                text += suffix;
            }
        }
        return text;
    };
    const std::string shorts = part(TatField::kShortPut, TatField::kShortCall);
    const std::string longs = part(TatField::kLongPut, TatField::kLongCall);
    const std::string_view type = row.text(TatField::kTradeType);
    if (shorts.empty() && longs.empty()) {
        return type.empty() ? "Unknown" : std::string(type);
    }
    std::string text(row.text(TatField::kSymbol));
    text += text.empty() ? "" : " ";
    text += shorts;
    text += shorts.empty() || longs.empty() ? "" : " | ";
    text += longs;
    text += type.empty() ? "" : " ";
    text += type;
    return text;
}

void TatConverter::convert(RowCells& row, TextArena& arena, ReportingRecord& fill) {
    const auto first_of = [&row](TatField first, TatField second) {
        return row.text(first).empty() ? second : first;
    };
    const auto opened = row.required_date(first_of(TatField::kOpenDate, TatField::kDate));
    if (!opened) {
        return;
    }
    fill.date_opened = opened->date;
    fill.time_opened = row.time(first_of(TatField::kOpenTime, TatField::kTimeOpened));
    if (!fill.time_opened) {
        fill.time_opened = opened->time;
    }
    fill.time_closed = row.time(first_of(TatField::kCloseTime, TatField::kTimeClosed));
    if (const auto closed = row.optional_date(TatField::kCloseDate)) {
        fill.date_closed = closed->date;
        if (!fill.time_closed) {
            fill.time_closed = closed->time;
        }
    }
    fill.num_contracts = fractional_contracts(row, TatField::kQty);
    // PriceOpen and PriceClose are prices of the position, never of the underlying, which the
    // export does not state.
    const auto total = row.number(TatField::kTotalPremium);
    fill.initial_premium = row.number(TatField::kPriceOpen);
    if (total && fill.num_contracts) {
        fill.initial_premium = per_share(*total, PremiumUnit::kTotal, *fill.num_contracts);
    }
    if (row.text(TatField::kProfitLoss).empty()) {  // also of a trade that is open
        row.skip("ProfitLoss", row.joined(), "no profit or loss");
    } else if (const auto pl = row.profit(TatField::kProfitLoss, false)) {
        fill.pl = *pl;
    }
    if (row.skipped()) {
        return;
    }
    const std::string_view strategy = row.text(first_of(TatField::kTemplate, TatField::kStrategy));
    fill.strategy = arena.add_repeated(strategy.empty() ? "Unknown" : strategy, kStrategySlot);
    fill.reason_for_close = arena.add_repeated(row.text(TatField::kStatus), kReasonSlot);
    fill.legs = arena.add(legs(row));
    fill.ticker = ticker_of(extra_.ticker_text(row), arena);
    fill.extra_json = extra_.write(row, arena);
}

}  // namespace tb::blocks
