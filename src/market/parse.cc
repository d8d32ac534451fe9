#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "csv/cell.h"
#include "csv/decoder.h"
#include "csv/file_kind.h"
#include "csv/file_locale.h"
#include "csv/header_search.h"
#include "csv/reader.h"
#include "market/bars.h"
#include "market/exchange_day.h"
#include "market/header.h"
#include "market/market_files.h"
#include "market/plausible.h"
#include "market/trading_calendar.h"

namespace tb::market {

namespace {

constexpr double kNull = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxIssueValueBytes = 200;

// What one numeric cell says; the table has no other kind of column.
struct Cell {
    double value = kNull;
    std::string_view note;  // the value was read with an assumption, or could not be read
};

// What vendors write where they have no value: FRED's point on a holiday, the Federal Reserve's ND,
// what spreadsheets and statistics programs print.
bool is_missing(std::string_view text) {
    constexpr std::array<std::string_view, 12> kMissing{
        "", ".", "-", "--", "nan", "na", "n/a", "#n/a", "null", "none", "nd", "n.a."};
    return std::any_of(kMissing.begin(), kMissing.end(), [text](std::string_view missing) {
        return equals_ignoring_case(text, missing);
    });
}

Cell parse_value(std::string_view text, bool integer, csv::NumberStyle style) {
    if (is_missing(text)) {
        return {};
    }
    auto parsed = csv::parse_number(text, style);
    if (!parsed.has_value()) {
        return {kNull, parsed.note.empty() ? "not a number: stored as NULL" : parsed.note};
    }
    if (style == csv::NumberStyle::kDecimalComma) {
        parsed.note = {};  // said once for the whole file
    }
    if (!integer) {
        return {parsed.value, parsed.note};
    }
    const double whole = std::round(parsed.value);
    if (std::fabs(whole) > 2147483647.0) {
        return {kNull, "too large for a whole number column: stored as NULL"};
    }
    return {whole,
            whole != parsed.value ? std::string_view("rounded to a whole number") : parsed.note};
}

// One record as its cells say, before other rows have their say.
struct Row {
    std::int64_t line = 0;
    MarketTime time;
    std::string_view time_text;
    std::vector<double> values;       // one per source
    std::vector<MarketIssue> issues;  // repaired cells
    std::string_view refusal;         // why the row is not stored; static text
    bool unreadable = false;          // refused for its form, not for its prices
};

// The row a day gets, while the rows of the file come in.
struct Draft {
    explicit Draft(std::size_t columns) : bar(columns) {}

    DayBar bar;
    std::vector<MarketIssue> issues;
};

class Parser {
  public:
    Parser(const MarketFile& file, std::string text, const CancelToken& cancel)
        : file_(file), table_(market_table(file)), text_(std::move(text)), cancel_(cancel) {}

    Result<void> run(MarketParse& parse);

  private:
    using OnRecord = std::function<void(const csv::Record&)>;

    // Calls back for every record, or with `skip_header` for every one behind the header.
    Result<void> each_record(bool skip_header, const OnRecord& on_record) const;
    bool find_header(MarketParse& parse);
    bool take_header(Header header, MarketParse& parse);
    Result<bool> survey_format(MarketParse& parse);
    void choose_sources(const std::vector<std::int64_t>& filled, MarketParse& parse);
    Result<bool> survey_times(MarketParse& parse);
    [[nodiscard]] Row read_row(const csv::Record& record) const;
    [[nodiscard]] std::string_view check_form(const csv::Record& record) const;
    void check_prices(Row& row) const;
    void take_row(const csv::Record& record, MarketParse& parse);
    void skip(std::int64_t line, std::string_view value, std::string_view reason);
    void finish(MarketParse& parse);
    void note_days(MarketParse& parse) const;

    const MarketFile& file_;
    const db::TableSpec& table_;
    std::string text_;
    const CancelToken& cancel_;
    csv::HeaderPlace place_;
    Header header_;
    CandlePlaces candle_;        // among the sources
    std::vector<bool> price_;    // which sources are prices
    std::vector<Merge> merges_;  // how the sources of several bars make a day
    csv::NumberStyle style_ = csv::NumberStyle::kPoint;
    TimeFormat times_;
    BarPlan plan_;
    std::map<Date, Draft> drafts_;
    std::vector<MarketIssue> skipped_;
    std::int64_t left_out_ = 0;  // rows without an issue of their own: a note counts them
    std::int64_t unreadable_ = 0;
    MarketIssue first_unreadable_;
};

Result<void> Parser::each_record(bool skip_header, const OnRecord& on_record) const {
    csv::RecordReader reader;
    reader.feed(text_);
    reader.start_at(place_.offset, place_.lines, place_.delimiter);
    reader.finish();
    csv::Record record;
    std::int64_t count = 0;
    while (true) {
        const csv::ReadStatus status = reader.next(record);
        if (status == csv::ReadStatus::kLimit) {
            return tl::unexpected<Error>(reader.error());
        }
        if (status != csv::ReadStatus::kRecord) {
            return {};
        }
        if (++count % 4096 == 0 && cancel_.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled");
        }
        if (count > 1 || !skip_header) {
            on_record(record);
        }
    }
}

// False: there is no usable header, and `parse` says why.
bool Parser::find_header(MarketParse& parse) {
    std::optional<Header> header;
    const auto place = csv::find_header(text_, true, [&](std::span<const std::string> cells) {
        header = map_market_header(file_, cells);
        return header.has_value();
    });
    if (place) {
        place_ = *place;
        if (place_.offset > 0) {
            if (std::string note = csv::header_note(place_, text_); !note.empty()) {
                parse.notes.push_back(std::move(note));
            }
        }
        return take_header(std::move(*header), parse);
    }
    parse.outcome = ParseOutcome::kRejected;
    std::vector<std::string> cells;
    csv::RecordReader reader;
    reader.feed(text_);
    reader.finish();
    csv::Record record;
    const csv::ReadStatus status = reader.next(record);
    if (status == csv::ReadStatus::kLimit) {
        parse.rejection = reader.error().message;
        return false;
    }
    if (status != csv::ReadStatus::kRecord) {
        parse.outcome = ParseOutcome::kIncomplete;
        parse.rejection = "the file is empty: it is probably being written";
        return false;
    }
    if (record.open_quote) {
        parse.outcome = ParseOutcome::kIncomplete;
        parse.rejection = "the header line is not finished: the file is probably being written";
        return false;
    }
    cells.assign(record.cells.begin(), record.cells.end());
    parse.rejection = wanted_columns(file_, cells);
    return false;
}

bool Parser::take_header(Header header, MarketParse& parse) {
    header_ = std::move(header);
    if (!header_.unknown.empty()) {
        parse.notes.push_back(
            fmt::format("ignored {} the table does not have: {}",
                        header_.unknown.size() == 1 ? "a column" : "columns",
                        utf8_prefix(fmt::format("{}", fmt::join(header_.unknown, ", ")), 500)));
    }
    parse.notes.insert(parse.notes.end(), header_.notes.begin(), header_.notes.end());
    return true;
}

// A first look at all rows for what no cell decides alone: the order of dates, what a comma means,
// what the numbers in the time column count, and which of several columns of one name has data.
// False: the file proves both ways, and `parse` says so.
Result<bool> Parser::survey_format(MarketParse& parse) {
    std::vector<std::int64_t> filled(header_.sources.size(), 0);
    csv::LocaleSurvey locale(place_.delimiter);
    TimeSurvey times;
    TB_RETURN_IF_ERROR(each_record(true, [&](const csv::Record& record) {
        if (header_.time_cell < record.cells.size()) {
            const std::string_view cell = record.cells[header_.time_cell];
            times.see(cell);
            csv::DateTime date =
                csv::parse_date(cell, csv::DateOrder::kMonthFirst, kFirstYear).value;
            date.time.reset();  // zones are applied here, not dropped
            locale.see_date(date, record.line);
        }
        for (std::size_t i = 0; i < header_.sources.size(); ++i) {
            const std::size_t cell = header_.sources[i].cell;
            if (cell < record.cells.size() && !is_missing(record.cells[cell])) {
                locale.see_number(record.cells[cell], record.line);
                filled[i] += csv::parse_number(record.cells[cell]).has_value() ||
                                     csv::number_evidence(record.cells[cell]).has_value()
                                 ? 1
                                 : 0;
            }
        }
    }));
    const csv::FileLocale decided = locale.decide();
    if (!decided.refusal.empty()) {
        parse.outcome = ParseOutcome::kRejected;
        parse.rejection = decided.refusal;
        return false;
    }
    parse.notes.insert(parse.notes.end(), decided.notes.begin(), decided.notes.end());
    style_ = decided.number_style;
    times_ = times.decide(decided.date_order);
    choose_sources(filled, parse);
    return true;
}

void Parser::choose_sources(const std::vector<std::int64_t>& filled, MarketParse& parse) {
    std::vector<Source> chosen;
    for (std::size_t i = 0; i < header_.sources.size();) {
        std::size_t end = i;
        std::size_t best = i;
        while (end < header_.sources.size() &&
               header_.sources[end].column == header_.sources[i].column) {
            const auto rank = [&](std::size_t at) {
                return std::pair(filled[at], header_.sources[at].name ==
                                                 table_.columns[header_.sources[at].column].name);
            };
            best = rank(end) > rank(best) ? end : best;
            ++end;
        }
        if (end - i > 1) {
            parse.notes.push_back(fmt::format(
                "{} columns are named \"{}\"; read the one in position {}, with {} values", end - i,
                table_.columns[header_.sources[i].column].name, header_.sources[best].cell + 1,
                filled[best]));
        }
        chosen.push_back(header_.sources[best]);
        i = end;
    }
    header_.sources = std::move(chosen);
    std::vector<std::size_t> columns;
    for (const Source& source : header_.sources) {
        const std::string_view name = table_.columns[source.column].name;
        columns.push_back(source.column);
        price_.push_back(is_price_column(name));
        merges_.push_back(equals_ignoring_case(name, "open")   ? Merge::kFirst
                          : equals_ignoring_case(name, "high") ? Merge::kHighest
                          : equals_ignoring_case(name, "low")  ? Merge::kLowest
                                                               : Merge::kLast);
    }
    candle_ = CandlePlaces::among(table_, columns);
}

// A second look, at the times of the rows that can be read: which of them make which day.
Result<bool> Parser::survey_times(MarketParse& parse) {
    BarSurvey survey;
    TB_RETURN_IF_ERROR(each_record(true, [&](const csv::Record& record) {
        if (const Row row = read_row(record); row.refusal.empty()) {
            survey.see(row.time, row.line);
        }
    }));
    plan_ = survey.decide(file_.table.starts_with("spx_"));
    if (!plan_.refusal.empty()) {
        parse.outcome = ParseOutcome::kRejected;
        parse.rejection = plan_.refusal;
        return false;
    }
    parse.notes.insert(parse.notes.end(), plan_.notes.begin(), plan_.notes.end());
    parse.makes_days = plan_.makes_days;
    return true;
}

std::string_view Parser::check_form(const csv::Record& record) const {
    if (record.has_nul) {
        return "the row holds NUL bytes";
    }
    if (record.misplaced_quote) {
        return "text behind a closing quote: rows may be glued together here";
    }
    for (std::size_t i = header_.cell_count; i < record.cells.size(); ++i) {
        if (!record.cells[i].empty()) {
            return "more cells than columns: no telling which value belongs where";
        }
    }
    return {};
}

Row Parser::read_row(const csv::Record& record) const {
    Row row;
    row.line = record.line;
    row.time_text = header_.time_cell < record.cells.size() ? record.cells[header_.time_cell] : "";
    row.refusal = check_form(record);
    if (row.refusal.empty()) {
        row.time = parse_market_time(row.time_text, times_);
        row.refusal = row.time.day ? std::string_view() : row.time.problem;
    }
    if (!row.refusal.empty()) {
        row.unreadable = true;
        return row;
    }
    row.values.reserve(header_.sources.size());
    if (record.cells.size() < header_.cell_count) {
        row.issues.push_back({record.line, "", std::to_string(record.cells.size()),
                              "fewer cells than columns: the missing ones are NULL", false});
    }
    for (const Source& source : header_.sources) {
        const std::string_view text =
            source.cell < record.cells.size() ? record.cells[source.cell] : "";
        const Cell cell = parse_value(text, source.integer, style_);
        row.values.push_back(cell.value);
        if (!cell.note.empty()) {
            row.issues.push_back({record.line, source.name,
                                  std::string(utf8_prefix(text, kMaxIssueValueBytes)),
                                  std::string(cell.note), false});
        }
    }
    check_prices(row);
    return row;
}

void Parser::check_prices(Row& row) const {
    switch (judge_candle(candle_, row.values)) {
        case CandleFault::kNoPrice:
            row.refusal =
                "a price of 0 or below is no price: the row is taken when the file has one";
            return;
        case CandleFault::kHighBelowLow:
            row.refusal = "the high is below the low: the row is taken when the file is corrected";
            return;
        case CandleFault::kOutside:
        case CandleFault::kNone:
            break;
    }
    std::size_t prices = 0;
    std::size_t none = 0;
    for (std::size_t i = 0; i < row.values.size(); ++i) {
        if (!price_[i] || std::isnan(row.values[i])) {
            continue;
        }
        ++prices;
        if (row.values[i] <= 0) {
            ++none;
            row.issues.push_back({row.line, header_.sources[i].name,
                                  fmt::format("{}", row.values[i]),
                                  "a price of 0 or below is no price: stored as NULL", false});
            row.values[i] = kNull;
        }
    }
    if (none > 0 && none == prices) {
        row.refusal = "no price above 0: the row is taken when the file has one";
    }
}

void Parser::skip(std::int64_t line, std::string_view value, std::string_view reason) {
    skipped_.push_back({line, "", std::string(utf8_prefix(value, kMaxIssueValueBytes)),
                        std::string(reason), true});
}

void Parser::take_row(const csv::Record& record, MarketParse& parse) {
    if (!record.terminated && (record.open_quote || record.cells.size() < header_.cell_count)) {
        parse.outcome = ParseOutcome::kIncomplete;
        parse.rejection = fmt::format(
            "the last row (line {}) is not finished: the file is probably being written",
            record.line);
        return;
    }
    ++parse.data_rows;
    Row row = read_row(record);
    if (!row.refusal.empty()) {
        skip(row.line, row.time_text, row.refusal);
        if (row.unreadable && ++unreadable_ == 1) {
            first_unreadable_ = skipped_.back();
        }
        return;
    }
    const BarTime when = plan_.time_of(row.time);
    switch (plan_.use_of(row.time, row.line)) {
        case BarPlan::Use::kTake:
            break;
        case BarPlan::Use::kReplaced:
            return skip(
                row.line, when.day.to_iso(),
                fmt::format("line {} is of the same {} and replaces it",
                            plan_.replaced_by(row.line), row.time.seconds ? "time" : "day"));
        case BarPlan::Use::kOutside:
        case BarPlan::Use::kCutDay:
            ++left_out_;
            return;
    }
    Draft& draft = drafts_.try_emplace(when.day, header_.sources.size()).first->second;
    draft.bar.add(row.values, when.at, merges_);
    std::move(row.issues.begin(), row.issues.end(), std::back_inserter(draft.issues));
}

void Parser::finish(MarketParse& parse) {
    parse.rows_skipped = static_cast<std::int64_t>(skipped_.size()) + left_out_;
    parse.issues = std::move(skipped_);
    for (const Source& source : header_.sources) {
        parse.rows.columns.push_back(source.column);
    }
    for (auto& [date, draft] : drafts_) {
        const std::vector<double> values = draft.bar.values();
        parse.rows.dates.push_back(date);
        parse.rows.values.insert(parse.rows.values.end(), values.begin(), values.end());
        parse.rows_merged += draft.bar.bars() - 1;
        parse.rows_repaired += draft.issues.empty() ? 0 : 1;
        std::move(draft.issues.begin(), draft.issues.end(), std::back_inserter(parse.issues));
    }
    std::stable_sort(parse.issues.begin(), parse.issues.end(),
                     [](const MarketIssue& a, const MarketIssue& b) { return a.line < b.line; });
    parse.issues_total = static_cast<std::int64_t>(parse.issues.size());
    if (parse.issues.size() > kMaxStoredIssues) {
        parse.issues.resize(kMaxStoredIssues);
    }
    note_days(parse);
    if (2 * unreadable_ > parse.data_rows) {
        parse.outcome = ParseOutcome::kRejected;
        parse.rejection =
            fmt::format("{} of {} rows cannot be read, the first on line {}: {}", unreadable_,
                        parse.data_rows, first_unreadable_.line, first_unreadable_.reason);
    }
}

// What is odd about the days that were made, none of it enough to refuse one.
void Parser::note_days(MarketParse& parse) const {
    const std::size_t count = parse.rows.dates.size();
    std::vector<Date> holidays;
    std::vector<Date> impossible;
    std::vector<double> closes;
    std::size_t weekend = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Date date = parse.rows.dates[i];
        const auto row = parse.rows.row(i);
        weekend += date.weekday() > 4 ? 1 : 0;
        const bool empty =
            std::all_of(row.begin(), row.end(), [](double value) { return std::isnan(value); });
        if (!holiday_name(date).empty() && !empty) {
            holidays.push_back(date);
        }
        if (judge_candle(candle_, row) == CandleFault::kOutside) {
            impossible.push_back(date);
        }
        closes.push_back(file_.table == "treasury_rates" ? row.front()
                         : candle_.close                 ? row[*candle_.close]
                                                         : kNull);
    }
    auto& notes = parse.notes;
    if (parse.rows_merged > 0) {
        notes.push_back(
            fmt::format("{} bars make {} {}: open of the first, highest high, lowest "
                        "low, close of the last",
                        parse.rows_merged + static_cast<std::int64_t>(count), count,
                        count == 1 ? "day" : "days"));
    }
    if (weekend > 0) {
        notes.push_back(fmt::format(
            "{} of {} days are a Saturday or Sunday in New York: is `time` the opening of the bar?",
            weekend, count));
    }
    if (!holidays.empty() && file_.table != "treasury_rates") {
        notes.push_back(fmt::format(
            "{} of {} days {} of the exchange ({}{}): a row there has no trading behind it, and "
            "\"the day before\" of the next day is not it",
            holidays.size(), count, holidays.size() == 1 ? "is a holiday" : "are holidays",
            dates_text(holidays),
            holidays.size() == 1 ? fmt::format(", {}", holiday_name(holidays.front())) : ""));
    }
    if (!impossible.empty()) {
        notes.push_back(fmt::format(
            "{} {} an open or close outside of low to high, stored as written ({}); a corrected "
            "export replaces {}",
            impossible.size(), impossible.size() == 1 ? "day has" : "days have",
            dates_text(impossible), impossible.size() == 1 ? "it" : "them"));
    }
    if (std::string level = level_note(file_.table, parse.rows.dates, closes); !level.empty()) {
        notes.push_back(std::move(level));
    }
    const bool only_candle =
        std::all_of(header_.sources.begin(), header_.sources.end(), [&](const Source& source) {
            const std::string lower = ascii_lower(table_.columns[source.column].name);
            return lower == "open" || lower == "high" || lower == "low" || lower == "close";
        });
    if (only_candle && file_.table != "spx_daily" && file_.table != "treasury_rates") {
        notes.push_back(
            fmt::format("none of the columns for the course of the day ({}, ...): they stay empty",
                        table_.columns[5].name));
    }
}

Result<void> Parser::run(MarketParse& parse) {
    if (!find_header(parse)) {
        return {};
    }
    TB_TRY(const bool decided, survey_format(parse));
    if (!decided) {
        return {};
    }
    TB_TRY(const bool planned, survey_times(parse));
    if (!planned) {
        return {};
    }
    TB_RETURN_IF_ERROR(
        each_record(true, [&](const csv::Record& record) { take_row(record, parse); }));
    if (parse.outcome == ParseOutcome::kComplete) {
        finish(parse);
    }
    return {};
}

// What the bytes are, told by the first of them.
class KindCheck {
  public:
    void see(std::span<const std::byte> bytes) {
        const std::size_t more = std::min(bytes.size(), csv::kKindBytes - head_.size());
        head_.insert(head_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(more));
    }
    [[nodiscard]] csv::FileKind kind() const { return csv::recognise_file(head_); }

  private:
    std::vector<std::byte> head_;
};

Result<std::string> decode_all(const MarketFile& file, csv::Encoding encoding,
                               const NextBytes& next, const CancelToken& cancel,
                               MarketParse& parse) {
    csv::Decoder decoder(encoding);
    KindCheck check;
    std::string text;
    while (true) {
        if (cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled");
        }
        TB_TRY(const std::span<const std::byte> bytes, next());
        if (bytes.empty()) {
            break;
        }
        check.see(bytes);
        TB_TRY(const std::string_view piece, decoder.decode(bytes));
        text += piece;
        if (text.size() > kMaxMarketFileBytes) {
            return make_error(ErrorCode::kResourceExhausted,
                              fmt::format("larger than the limit of {} MiB for market files",
                                          kMaxMarketFileBytes >> 20U),
                              std::string(file.file_name));
        }
    }
    TB_TRY(const std::string_view rest, decoder.finish());
    text += rest;
    if (const csv::FileKind kind = check.kind(); kind != csv::FileKind::kText) {
        parse.outcome = ParseOutcome::kRejected;
        parse.rejection = csv::not_a_csv(kind);
        return text;
    }
    if (encoding != csv::Encoding::kUtf8) {
        parse.notes.push_back(fmt::format("decoded as {}", csv::encoding_name(encoding)));
    }
    if (decoder.cut_inside_character()) {
        parse.outcome = ParseOutcome::kIncomplete;
        parse.rejection = "the file ends inside a character: it is probably being written";
    }
    return text;
}

}  // namespace

Result<MarketParse> parse_market_file(const MarketFile& file, csv::Encoding encoding,
                                      const NextBytes& next, const CancelToken& cancel) {
    MarketParse parse;
    TB_TRY(std::string text, decode_all(file, encoding, next, cancel, parse));
    if (parse.outcome != ParseOutcome::kComplete) {
        return parse;
    }
    Parser parser(file, std::move(text), cancel);
    if (auto done = parser.run(parse); !done) {
        return with_context(done.error(), file.file_name);
    }
    if (parse.outcome != ParseOutcome::kComplete) {
        parse.rows = {};
    }
    return parse;
}

}  // namespace tb::market
