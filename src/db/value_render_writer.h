// Query results as text, row by row, in the formats of the command line and the server.
//
//   json      an array of row objects, one per line
//   ndjson    one row object per line
//   csv       RFC 4180 with a header line; NULL is an empty cell, empty text is ""
//   markdown  a table for documents and chats
//   table     aligned columns for a terminal; the widths come from the first rows
//
// A spreadsheet runs a cell of CSV that begins with = + - or @ as a formula. `spreadsheet_safe`
// puts an apostrophe before text (also column names) that begins so, behind blanks, too, or with a
// tab or line break; numbers stay numbers.
//
// json, ndjson and csv are for programs and hold every value in full. markdown and table are for
// reading: line breaks and control characters are written as escapes, invisible characters are made
// visible, and cells are cut at 200 characters with an ellipsis, because cell text is untrusted.
//
// Single-thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "db/query_runner.h"

namespace tb::db {

enum class ResultFormat { kTable, kCsv, kJson, kNdjson, kMarkdown };

// "table", "csv", "json", "ndjson", "markdown".
[[nodiscard]] std::optional<ResultFormat> result_format(std::string_view name);

inline constexpr std::size_t kMaxReadableCell = 200;  // characters, markdown and table
inline constexpr std::size_t kWidthSampleRows = 200;  // table

// Where the text goes, piece by piece. An error (a closed pipe) ends the query.
using TextSink = std::function<Result<void>(std::string_view)>;

class ResultWriter : public RowConsumer {
  public:
    // After the last row, when run_query succeeded: what is held back and the closing text.
    [[nodiscard]] virtual Result<void> finish() = 0;
};

[[nodiscard]] std::unique_ptr<ResultWriter> make_result_writer(ResultFormat format, TextSink sink,
                                                               bool spreadsheet_safe = false);

// Cell text as it may be shown to a reader, see above.
[[nodiscard]] std::string readable_cell(std::string_view text);

}  // namespace tb::db
