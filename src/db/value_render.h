// Values of a query result as text for people and programs: every type of the engine, one form
// each, the same in every output format.
//
//   NULL, NaN, infinities               null
//   BOOLEAN                             true, false
//   integers, HUGEINT, BIGNUM           a number up to 2^53, beyond that a string of digits
//   FLOAT, DOUBLE                       shortest number that reads back the same: 0.1, 100000,
//                                       1e-7; no ".0", no "-0"
//   DECIMAL                             a number where a double holds it exactly as written, else
//                                       a string; without trailing zeros either way
//   DATE                                "2024-01-02"
//   TIME, TIME WITH TIME ZONE           "09:30:00", "09:30:00.125", "09:30:00-05:00"
//   TIMESTAMP (_S, _MS, _NS)            "2024-01-02T09:30:00", with as much fraction as there is
//   TIMESTAMP WITH TIME ZONE            "2024-01-02T14:30:00Z"
//   INTERVAL                            ISO 8601: "P1Y2M3DT4H5M6.5S", "PT0S", signs per part
//   UUID, VARCHAR, ENUM                 text
//   BLOB                                "\xdeadbeef"
//   BIT                                 "10110"
//   LIST, ARRAY                         [..]
//   STRUCT                              {..}; [..] where the fields have no names
//   MAP                                 {..} with the keys as text
//   UNION                               the value of its member
//
// TIME_NS and VARIANT have to be cast: the engine's C API cannot tell them apart.
//
// Days before year 1 end in " (BC)", infinite days are "infinity" and "-infinity", as the engine
// writes them.
//
// JSON text is pure ASCII where it matters: control characters and the invisible or direction-
// changing characters with which a cell could fool its reader (U+200B-F, U+202A-E, U+2060-4,
// U+2066-9, U+FEFF, U+E0000-7F) are \u escapes, so nothing is lost and nothing hides.
//
// Single-thread: belongs to its Rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"
#include "db/rows.h"
#include "db/types.h"

namespace tb::db {

// Shortest text of a finite double as ECMAScript writes it (digits, plain notation for
// 1e-7 < |x| < 1e21, no sign on zero).
void append_js_number(std::string& out, double value);

// Appends `text` as a JSON string with its quotes, see above.
void append_visible_json_string(std::string& out, std::string_view text);

// Columns with names that differ: the second `x` becomes `x_2`, and so on.
[[nodiscard]] std::vector<ColumnInfo> with_distinct_names(std::vector<ColumnInfo> columns);

// A cell as text, for the way between two processes (sql_worker.h): what it takes to answer
// everything a ValueRenderer is asked.
struct RenderedCell {
    enum class Kind : std::uint8_t {
        kNull,
        kNonFinite,  // shown as null
        kText,       // `text` is plain; quoted as JSON
        kJson,       // `text` in both forms
        kJsonNull,   // null in a union: not null itself, but shown so
    };
    Kind kind = Kind::kNull;
    std::string_view text;
};

// Reads the cells of the chunk that rows.next_chunk() moved to, or of one row that came rendered.
class ValueRenderer {
  public:
    // kDatabase for a column of a type that has no form here; the message says to cast it.
    [[nodiscard]] static Result<ValueRenderer> create(Rows& rows);
    ValueRenderer(ValueRenderer&&) noexcept;
    ValueRenderer& operator=(ValueRenderer&&) noexcept;
    ValueRenderer(const ValueRenderer&) = delete;
    ValueRenderer& operator=(const ValueRenderer&) = delete;
    ~ValueRenderer();

    // After every rows.next_chunk() that gave true.
    void load_chunk(Rows& rows);

    // One that holds one rendered row at a time, row 0. Texts stay the caller's.
    [[nodiscard]] static ValueRenderer of_rendered_rows();
    void load_rendered(std::vector<RenderedCell> cells);
    // The cell's kind; its text is appended to `out`.
    [[nodiscard]] RenderedCell::Kind render(std::string& out, std::size_t column,
                                            std::size_t row) const;

    [[nodiscard]] std::size_t column_count() const;
    // The cell is shown as null: it is NULL, or a number that is NaN or infinite.
    [[nodiscard]] bool is_null(std::size_t column, std::size_t row) const;
    [[nodiscard]] bool is_non_finite(std::size_t column, std::size_t row) const;
    // Cells of the row that are NaN or infinite (not those in lists and structs).
    [[nodiscard]] std::size_t non_finite_count(std::size_t row) const;
    // Bytes of text or blobs in the row, without what is inside lists and structs: a cheap look
    // before rendering.
    [[nodiscard]] std::size_t text_bytes(std::size_t row) const;
    // The cell as JSON.
    void append_json(std::string& out, std::size_t column, std::size_t row) const;
    // The cell as plain text: as JSON, but strings without quotes and escapes; nothing for null.
    void append_text(std::string& out, std::size_t column, std::size_t row) const;

  private:
    struct Impl;
    explicit ValueRenderer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace tb::db
