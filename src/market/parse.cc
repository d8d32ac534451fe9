#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"
#include "csv/cell.h"
#include "csv/decoder.h"
#include "csv/reader.h"
#include "market/exchange_day.h"
#include "market/market_files.h"

namespace tb::market {

namespace {

constexpr double kNull = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxIssueValueBytes = 200;

// One column of the file that the table has.
struct Source {
    std::size_t cell = 0;    // position in the file
    std::size_t column = 0;  // position in the table
    bool integer = false;
    std::string name;  // as in the file
};

struct Header {
    std::size_t time_cell = 0;
    std::size_t cell_count = 0;
    std::vector<Source> sources;  // ordered by table column
};

struct Draft {
    std::int64_t line = 0;
    std::vector<double> values;       // one per source
    std::vector<MarketIssue> issues;  // repaired cells
};

// What one numeric cell says; the table has no other kind of column.
struct Cell {
    double value = kNull;
    std::string_view note;  // the value was read with an assumption, or could not be read
};

Cell parse_value(std::string_view text, bool integer, csv::NumberStyle style) {
    if (text.empty() || equals_ignoring_case(text, "nan") || equals_ignoring_case(text, "na")) {
        return {};
    }
    const auto parsed = csv::parse_number(text, style);
    if (!parsed.has_value()) {
        return {kNull, parsed.note.empty() ? "not a number: stored as NULL" : parsed.note};
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

class Parser {
  public:
    Parser(const MarketFile& file, std::string text, const CancelToken& cancel)
        : file_(file), table_(market_table(file)), text_(std::move(text)), cancel_(cancel) {}

    Result<void> run(MarketParse& parse);

  private:
    using OnRecord = std::function<void(const csv::Record&)>;

    // Calls back for every record behind the header; the header's cells go to `header` first.
    Result<void> each_record(const std::function<bool(const csv::Record&, char delimiter)>& header,
                             const OnRecord& on_record);
    bool read_header(const csv::Record& record, MarketParse& parse);
    Result<void> survey(MarketParse& parse, bool semicolons);
    void read_row(const csv::Record& record, MarketParse& parse);
    void skip(std::int64_t line, std::string_view value, std::string_view reason);
    void finish(MarketParse& parse);

    const MarketFile& file_;
    const db::TableSpec& table_;
    std::string text_;
    const CancelToken& cancel_;
    Header header_;
    csv::NumberStyle style_ = csv::NumberStyle::kPoint;
    std::map<Date, Draft> drafts_;
    std::vector<MarketIssue> skipped_;
    std::int64_t unreadable_ = 0;
    MarketIssue first_unreadable_;
};

Result<void> Parser::each_record(
    const std::function<bool(const csv::Record&, char delimiter)>& header,
    const OnRecord& on_record) {
    csv::RecordReader reader;
    reader.feed(text_);
    reader.finish();
    csv::Record record;
    bool first = true;
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
        if (!first) {
            on_record(record);
        } else if (!header(record, reader.delimiter())) {
            return {};
        }
        first = false;
    }
}

// False: the header is unusable, and `parse` says why.
bool Parser::read_header(const csv::Record& record, MarketParse& parse) {
    header_.cell_count = record.cells.size();
    std::vector<std::string> names;
    std::vector<std::string> unknown;
    std::optional<std::size_t> time_cell;
    for (const std::string_view cell : record.cells) {
        names.emplace_back(cell);
    }
    for (const std::string_view wanted :
         {file_.time_column, std::string_view("time"), std::string_view("date")}) {
        for (std::size_t i = 0; i < names.size() && !time_cell; ++i) {
            if (equals_ignoring_case(names[i], wanted)) {
                time_cell = i;
            }
        }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i == time_cell) {
            continue;
        }
        const auto column = std::find_if(
            table_.columns.begin(), table_.columns.end(), [&](const db::ColumnSpec& spec) {
                return spec.name != "date" && equals_ignoring_case(spec.name, names[i]);
            });
        if (column != table_.columns.end()) {
            header_.sources.push_back({i, static_cast<std::size_t>(column - table_.columns.begin()),
                                       column->type == db::TypeId::kInteger, names[i]});
        } else if (!names[i].empty()) {
            unknown.push_back(names[i]);
        }
    }
    std::stable_sort(header_.sources.begin(), header_.sources.end(),
                     [](const Source& a, const Source& b) { return a.column < b.column; });
    if (!unknown.empty()) {
        parse.notes.push_back(fmt::format("ignored {} the table does not have: {}",
                                          unknown.size() == 1 ? "a column" : "columns",
                                          fmt::join(unknown, ", ")));
    }
    if (time_cell && !header_.sources.empty()) {
        header_.time_cell = *time_cell;
        return true;
    }
    parse.outcome = ParseOutcome::kRejected;
    parse.rejection =
        fmt::format("{}; the first line holds: {}. Export the chart again with its header line",
                    time_cell ? fmt::format("no column of the table market.{}", file_.table)
                              : fmt::format("no column named \"{}\"", file_.time_column),
                    utf8_prefix(fmt::format("{}", fmt::join(names, ", ")), 500));
    return false;
}

// A first look at all rows where the header alone does not say how to read them: which of several
// columns of one name has data, and what a comma means in a file separated by semicolons.
Result<void> Parser::survey(MarketParse& parse, bool semicolons) {
    std::vector<std::int64_t> filled(header_.sources.size(), 0);
    std::int64_t commas = 0;
    std::int64_t points = 0;
    TB_RETURN_IF_ERROR(each_record(
        [](const csv::Record&, char) { return true; },
        [&](const csv::Record& record) {
            for (std::size_t i = 0; i < header_.sources.size(); ++i) {
                const std::size_t cell = header_.sources[i].cell;
                if (cell >= record.cells.size()) {
                    continue;
                }
                const auto evidence = csv::number_evidence(record.cells[cell]);
                commas += evidence == csv::NumberStyle::kDecimalComma ? 1 : 0;
                points += evidence == csv::NumberStyle::kPoint ? 1 : 0;
                const bool has_value =
                    csv::parse_number(record.cells[cell]).has_value() || evidence.has_value();
                filled[i] += has_value ? 1 : 0;
            }
        }));
    if (semicolons) {
        style_ =
            commas > 0 && points == 0 ? csv::NumberStyle::kDecimalComma : csv::NumberStyle::kUnsure;
        if (style_ == csv::NumberStyle::kDecimalComma) {
            parse.notes.emplace_back("numbers were read with decimal commas");
        }
    }
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
    return {};
}

void Parser::skip(std::int64_t line, std::string_view value, std::string_view reason) {
    skipped_.push_back({line, "", std::string(utf8_prefix(value, kMaxIssueValueBytes)),
                        std::string(reason), true});
}

void Parser::read_row(const csv::Record& record, MarketParse& parse) {
    if (!record.terminated && (record.open_quote || record.cells.size() < header_.cell_count)) {
        parse.outcome = ParseOutcome::kIncomplete;
        parse.rejection = fmt::format(
            "the last row (line {}) is not finished: the file is probably being written",
            record.line);
        return;
    }
    ++parse.data_rows;
    const std::string_view time =
        header_.time_cell < record.cells.size() ? record.cells[header_.time_cell] : "";
    const auto refuse = [&](std::string_view reason) {
        skip(record.line, time, reason);
        if (++unreadable_ == 1) {
            first_unreadable_ = skipped_.back();
        }
    };
    if (record.has_nul) {
        return refuse("the row holds NUL bytes");
    }
    if (record.misplaced_quote) {
        return refuse("text behind a closing quote: rows may be glued together here");
    }
    for (std::size_t i = header_.cell_count; i < record.cells.size(); ++i) {
        if (!record.cells[i].empty()) {
            return refuse("more cells than columns: no telling which value belongs where");
        }
    }
    const MarketTime when = parse_market_time(time);
    if (!when.day) {
        return refuse(when.problem);
    }
    Draft draft;
    draft.line = record.line;
    draft.values.reserve(header_.sources.size());
    if (record.cells.size() < header_.cell_count) {
        draft.issues.push_back({record.line, "", std::to_string(record.cells.size()),
                                "fewer cells than columns: the missing ones are NULL", false});
    }
    for (const Source& source : header_.sources) {
        const std::string_view text =
            source.cell < record.cells.size() ? record.cells[source.cell] : "";
        const Cell cell = parse_value(text, source.integer, style_);
        draft.values.push_back(cell.value);
        if (!cell.note.empty()) {
            draft.issues.push_back({record.line, source.name,
                                    std::string(utf8_prefix(text, kMaxIssueValueBytes)),
                                    std::string(cell.note), false});
        }
    }
    const auto [slot, inserted] = drafts_.try_emplace(*when.day);
    if (!inserted) {
        skip(slot->second.line, when.day->to_iso(),
             fmt::format("line {} is of the same day and replaces it", record.line));
    }
    slot->second = std::move(draft);
}

void Parser::finish(MarketParse& parse) {
    parse.rows_skipped = static_cast<std::int64_t>(skipped_.size());
    parse.issues = std::move(skipped_);
    std::int64_t weekend = 0;
    for (const Source& source : header_.sources) {
        parse.rows.columns.push_back(source.column);
    }
    for (auto& [date, draft] : drafts_) {
        weekend += date.weekday() > 4 ? 1 : 0;
        parse.rows.dates.push_back(date);
        parse.rows.values.insert(parse.rows.values.end(), draft.values.begin(), draft.values.end());
        parse.rows_repaired += draft.issues.empty() ? 0 : 1;
        std::move(draft.issues.begin(), draft.issues.end(), std::back_inserter(parse.issues));
    }
    std::stable_sort(parse.issues.begin(), parse.issues.end(),
                     [](const MarketIssue& a, const MarketIssue& b) { return a.line < b.line; });
    parse.issues_total = static_cast<std::int64_t>(parse.issues.size());
    if (parse.issues.size() > kMaxStoredIssues) {
        parse.issues.resize(kMaxStoredIssues);
    }
    if (weekend > 0) {
        parse.notes.push_back(fmt::format(
            "{} of {} days are a Saturday or Sunday in New York: is `time` the opening of the bar?",
            weekend, parse.rows.dates.size()));
    }
    if (2 * unreadable_ > parse.data_rows) {
        parse.outcome = ParseOutcome::kRejected;
        parse.rejection =
            fmt::format("{} of {} rows cannot be read, the first on line {}: {}", unreadable_,
                        parse.data_rows, first_unreadable_.line, first_unreadable_.reason);
    }
}

Result<void> Parser::run(MarketParse& parse) {
    bool usable = false;
    bool semicolons = false;
    bool seen_header = false;
    TB_RETURN_IF_ERROR(each_record(
        [&](const csv::Record& record, char delimiter) {
            seen_header = true;
            semicolons = delimiter == ';';
            if (record.open_quote) {
                parse.outcome = ParseOutcome::kIncomplete;
                parse.rejection =
                    "the header line is not finished: the file is probably being "
                    "written";
                return false;
            }
            usable = read_header(record, parse);
            return false;
        },
        [](const csv::Record&) {}));
    if (!seen_header) {
        parse.outcome = ParseOutcome::kIncomplete;
        parse.rejection = "the file is empty: it is probably being written";
    }
    if (!usable) {
        return {};
    }
    const auto same =
        std::adjacent_find(header_.sources.begin(), header_.sources.end(),
                           [](const Source& a, const Source& b) { return a.column == b.column; });
    if (semicolons || same != header_.sources.end()) {
        TB_RETURN_IF_ERROR(survey(parse, semicolons));
    }
    TB_RETURN_IF_ERROR(each_record([](const csv::Record&, char) { return true; },
                                   [&](const csv::Record& record) { read_row(record, parse); }));
    if (parse.outcome == ParseOutcome::kComplete) {
        finish(parse);
    }
    return {};
}

Result<std::string> decode_all(const MarketFile& file, csv::Encoding encoding,
                               const NextBytes& next, const CancelToken& cancel,
                               MarketParse& parse) {
    csv::Decoder decoder(encoding);
    std::string text;
    while (true) {
        if (cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled");
        }
        TB_TRY(const std::span<const std::byte> bytes, next());
        if (bytes.empty()) {
            break;
        }
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
