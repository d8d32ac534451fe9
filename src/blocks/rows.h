// The cells of one record by field, with a log of what was skipped or repaired on the way: the
// tool set of the row converters (convert.h). Internal to this module.
//
// Thread-compatible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/columns.h"
#include "blocks/ingest.h"
#include "csv/cell.h"
#include "csv/file_locale.h"
#include "csv/reader.h"

namespace tb::blocks {

// Stable copies of cell text in a few big chunks owned by a batch.
class TextArena {
  public:
    // Text goes into `chunks` from now on.
    void bind(std::deque<std::string>& chunks) {
        chunks_ = &chunks;
        free_ = nullptr;
        free_bytes_ = 0;
        repeated_ = {};
    }
    // An empty text needs no copy and stays an empty view.
    [[nodiscard]] std::string_view add(std::string_view text) {
        if (text.empty()) {
            return {};
        }
        if (text.size() > free_bytes_) {
            grow(text.size());
        }
        char* const copy = free_;
        std::memcpy(copy, text.data(), text.size());
        free_ += text.size();
        free_bytes_ -= text.size();
        return {copy, text.size()};
    }
    // For columns whose neighbours are mostly equal; `slot` tells the columns apart.
    [[nodiscard]] std::string_view add_repeated(std::string_view text, std::size_t slot) {
        if (repeated_[slot] != text) {
            repeated_[slot] = add(text);
        }
        return repeated_[slot];
    }

  private:
    static constexpr std::size_t kChunkBytes = 64 * 1024;
    static constexpr std::size_t kSlots = 4;

    void grow(std::size_t at_least);

    std::deque<std::string>* chunks_ = nullptr;
    char* free_ = nullptr;
    std::size_t free_bytes_ = 0;
    std::array<std::string_view, kSlots> repeated_;
};

// Issues of one file: exact totals, the first kMaxStoredIssues in full.
class IssueLog {
  public:
    void add(std::int64_t line, std::string_view column, std::string_view value,
             std::string_view reason, IssueAction action);
    [[nodiscard]] std::int64_t total() const { return total_; }
    [[nodiscard]] std::vector<RowIssue> take() { return std::move(stored_); }
    [[nodiscard]] const std::vector<RowIssue>& stored() const { return stored_; }

  private:
    std::vector<RowIssue> stored_;
    std::int64_t total_ = 0;
};

// One record at a time. Conversions note what they repair; a skipped row forgets its repairs.
class RowCells {
  public:
    RowCells(const HeaderMap& header, const csv::FileLocale& locale)
        : header_(header), style_(locale.number_style), order_(locale.date_order) {}

    void start(const csv::Record& record) {
        record_ = &record;
        repairs_.clear();
        skip_ = {};
        broken_values_ = 0;
    }
    [[nodiscard]] const csv::Record& record() const { return *record_; }
    [[nodiscard]] csv::NumberStyle style() const { return style_; }
    [[nodiscard]] bool is_own_output() const { return header_.is_own_output; }

    template <class Field>
    [[nodiscard]] bool has_column(Field field) const {
        return column(field) != HeaderMap::kNone;
    }
    // Empty if the column or the cell is not there.
    template <class Field>
    [[nodiscard]] std::string_view text(Field field) const {
        const int at = column(field);
        return at >= 0 && static_cast<std::size_t>(at) < record_->cells.size()
                   ? record_->cells[static_cast<std::size_t>(at)]
                   : std::string_view();
    }
    template <class Field>
    [[nodiscard]] std::optional<double> number(Field field) {
        const std::string_view cell = text(field);
        if (cell.empty()) {
            return std::nullopt;
        }
        const csv::CellValue<double> value = csv::parse_number(cell, style_);
        if (value.state != csv::CellState::kValue) {
            note_cell(name(field), cell, value.state, value.note);
        }
        return value.has_value() ? std::optional<double>(value.value) : std::nullopt;
    }
    // As number(), without a note.
    template <class Field>
    [[nodiscard]] std::optional<double> quiet_number(Field field) const {
        const csv::CellValue<double> value = csv::parse_number(text(field), style_);
        return value.has_value() ? std::optional<double>(value.value) : std::nullopt;
    }
    template <class Field>
    [[nodiscard]] std::optional<csv::DateTime> quiet_date(Field field) const {
        const csv::CellValue<csv::DateTime> value = csv::parse_date(text(field), order_);
        return value.has_value() ? std::optional<csv::DateTime>(value.value) : std::nullopt;
    }
    template <class Field>
    [[nodiscard]] std::optional<TimeOfDay> time(Field field) {
        const std::string_view cell = text(field);
        if (cell.empty()) {
            return std::nullopt;
        }
        const csv::CellValue<TimeOfDay> value = csv::parse_time(cell);
        if (value.state != csv::CellState::kValue) {
            note_cell(name(field), cell, value.state, value.note);
        }
        return value.has_value() ? std::optional<TimeOfDay>(value.value) : std::nullopt;
    }
    // A day that the row can do without.
    template <class Field>
    [[nodiscard]] std::optional<csv::DateTime> optional_date(Field field) {
        const std::string_view cell = text(field);
        if (cell.empty()) {
            return std::nullopt;
        }
        const csv::CellValue<csv::DateTime> value = csv::parse_date(cell, order_);
        if (value.state != csv::CellState::kValue) {
            note_cell(name(field), cell, value.state, value.note);
        }
        return value.has_value() ? std::optional<csv::DateTime>(value.value) : std::nullopt;
    }
    // The day without which the row is skipped.
    template <class Field>
    [[nodiscard]] std::optional<csv::DateTime> required_date(Field field) {
        return required_date(static_cast<std::size_t>(field), text(field));
    }
    // Profit or loss: skips the row unless it is a number, or empty while `is_open`.
    template <class Field>
    [[nodiscard]] std::optional<double> profit(Field field, bool is_open) {
        return profit(static_cast<std::size_t>(field), text(field), is_open);
    }

    template <class Field>
    void repaired(Field field, std::string_view value, std::string_view reason) {
        note_cell(name(field), value, csv::CellState::kRepaired, reason);
    }
    // As repaired(), for a cell that cannot be what its column wants; the field stays empty.
    template <class Field>
    void broken(Field field, std::string_view value, std::string_view reason) {
        note_cell(name(field), value, csv::CellState::kInvalid, reason);
    }
    void repaired_row(std::string_view value, std::string_view reason) {
        note_cell({}, value, csv::CellState::kRepaired, reason);
    }
    // Only the first reason counts.
    void skip(std::string_view column_name, std::string_view value, std::string_view reason);
    [[nodiscard]] bool skipped() const { return !skip_.reason.empty(); }
    [[nodiscard]] bool has_repairs() const { return !repairs_.empty(); }
    // A cell of this row was not what its column wants.
    [[nodiscard]] bool has_broken_values() const { return broken_values_ > 0; }
    // Cells in which the decoder had to replace something.
    void note_damage();
    // The whole record for a message.
    [[nodiscard]] std::string joined() const;
    void write_issues(IssueLog& log) const;

  private:
    struct Note {
        std::string_view column;
        std::string value;
        std::string reason;
    };

    template <class Field>
    [[nodiscard]] int column(Field field) const {
        return header_.column_of[static_cast<std::size_t>(field)];
    }
    template <class Field>
    [[nodiscard]] std::string_view name(Field field) const {
        return header_.specs[static_cast<std::size_t>(field)].name;
    }
    [[nodiscard]] std::optional<csv::DateTime> required_date(std::size_t field,
                                                             std::string_view cell);
    [[nodiscard]] std::optional<double> profit(std::size_t field, std::string_view cell,
                                               bool is_open);
    void note_cell(std::string_view column_name, std::string_view value, csv::CellState state,
                   std::string_view reason);

    const HeaderMap& header_;
    csv::NumberStyle style_;
    csv::DateOrder order_;
    const csv::Record* record_ = nullptr;
    std::vector<Note> repairs_;
    Note skip_;
    int broken_values_ = 0;
};

}  // namespace tb::blocks
