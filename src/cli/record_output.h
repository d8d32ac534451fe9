// Lists of records (history, issues, status) as a table for people or as JSON.
//
//   RecordOutput records({{"blockId", "BLOCK"}, {"rowsAdded", "ADDED", Align::kRight}});
//   records.add({"MEIC", std::int64_t{788}});
//   records.print(session.terminal, invocation.has("--json"));
//
// Single-thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/table.h"

namespace tb::cli {

// monostate = null.
using RecordValue = std::variant<std::monostate, std::string, std::int64_t, double, bool>;

struct RecordField {
    std::string json_name;  // empty = only in the table
    std::string title;      // empty = only in JSON
    Align align = Align::kLeft;
    std::size_t min_width = 8;
    bool optional = false;  // in a table without room for it
};

class RecordOutput {
  public:
    explicit RecordOutput(std::vector<RecordField> fields) : fields_(std::move(fields)) {}
    void add(std::vector<RecordValue> values, Style style = Style::kPlain);
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    // JSON: an array of objects.
    void print(Terminal& terminal, bool as_json) const;

  private:
    struct Row {
        std::vector<RecordValue> values;
        Style style = Style::kPlain;
    };
    std::vector<RecordField> fields_;
    std::vector<Row> rows_;
};

// For values read from the database.
[[nodiscard]] RecordValue text_or_null(const std::optional<std::string>& value);
[[nodiscard]] RecordValue number_or_null(const std::optional<std::int64_t>& value);

}  // namespace tb::cli
