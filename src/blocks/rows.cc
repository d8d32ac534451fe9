#include "blocks/rows.h"

#include <algorithm>

#include "core/text.h"

namespace tb::blocks {

namespace {

constexpr std::size_t kMaxValueBytes = 200;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// What of a cell goes into an issue: short, valid UTF-8, without NUL bytes.
std::string excerpt(std::string_view value) {
    std::string result(utf8_prefix(value, kMaxValueBytes));
    std::replace(result.begin(), result.end(), '\0', ' ');
    if (result.size() < value.size()) {
        result += "…";
    }
    return result;
}

}  // namespace

void TextArena::grow(std::size_t at_least) {
    std::string& chunk = chunks_->emplace_back(std::max(kChunkBytes, at_least), '\0');
    free_ = chunk.data();
    free_bytes_ = chunk.size();
}

void IssueLog::add(std::int64_t line, std::string_view column, std::string_view value,
                   std::string_view reason, IssueAction action) {
    ++total_;
    if (stored_.size() < kMaxStoredIssues) {
        stored_.push_back(
            {line, std::string(column), std::string(value), std::string(reason), action});
    }
}

std::optional<csv::DateTime> RowCells::required_date(std::size_t field, std::string_view cell) {
    const csv::CellValue<csv::DateTime> value = csv::parse_date(cell, order_);
    if (value.state == csv::CellState::kValue) {
        return value.value;
    }
    const std::string_view column_name = header_.specs[field].name;
    if (value.state == csv::CellState::kRepaired) {
        note_cell(column_name, cell, value.state, value.note);
        return value.value;
    }
    if (value.state == csv::CellState::kEmpty) {
        skip(column_name, joined(), "no date");
        return std::nullopt;
    }
    const auto at = static_cast<std::size_t>(header_.column_of[field]);
    const bool repeated = normalise_header(cell) == normalise_header(header_.names[at]);
    skip(column_name, cell, repeated ? "the header line again" : value.note);
    return std::nullopt;
}

std::optional<double> RowCells::profit(std::size_t field, std::string_view cell, bool is_open) {
    const std::string_view column_name = header_.specs[field].name;
    const csv::CellValue<double> value = csv::parse_number(cell, style_);
    switch (value.state) {
        case csv::CellState::kValue:
            return value.value;
        case csv::CellState::kRepaired:
            note_cell(column_name, cell, value.state, value.note);
            return value.value;
        case csv::CellState::kEmpty:
            if (is_open) {
                note_cell(column_name, cell, csv::CellState::kRepaired,
                          "no profit or loss and no close date: an open trade, 0 stored");
                return 0.0;
            }
            skip(column_name, joined(), "no profit or loss although the trade is closed");
            return std::nullopt;
        case csv::CellState::kInvalid:
            break;
    }
    skip(column_name, cell, value.note);
    return std::nullopt;
}

void RowCells::note_cell(std::string_view column_name, std::string_view value, csv::CellState state,
                         std::string_view reason) {
    const bool broken = state == csv::CellState::kInvalid;
    broken_values_ += broken ? 1 : 0;
    repairs_.push_back({column_name, excerpt(value), std::string(reason)});
    if (broken) {
        repairs_.back().reason += "; stored as empty";
    }
}

void RowCells::skip(std::string_view column_name, std::string_view value, std::string_view reason) {
    if (!skipped()) {
        skip_ = {column_name, excerpt(value), std::string(reason)};
    }
}

void RowCells::note_damage() {
    const auto& cells = record_->cells;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (cells[i].find(kReplacement) != std::string_view::npos) {
            note_cell(i < header_.names.size() ? std::string_view(header_.names[i]) : "", cells[i],
                      csv::CellState::kRepaired, "a damaged character, replaced by U+FFFD");
        }
    }
}

std::string RowCells::joined() const {
    std::string text;
    for (const std::string_view cell : record_->cells) {
        if (text.size() > kMaxValueBytes) {
            break;
        }
        text.append(cell);
        text.push_back(',');
    }
    if (!text.empty()) {
        text.pop_back();
    }
    return text;
}

void RowCells::write_issues(IssueLog& log) const {
    if (skipped()) {
        log.add(record_->line, skip_.column, skip_.value, skip_.reason, IssueAction::kSkipped);
        return;
    }
    for (const Note& note : repairs_) {
        log.add(record_->line, note.column, note.value, note.reason, IssueAction::kRepaired);
    }
}

}  // namespace tb::blocks
