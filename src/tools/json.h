// Plain values of the lower layers as JSON of an answer: missing and non-finite numbers are null,
// days `YYYY-MM-DD`, times `HH:MM:SS` (00 §2); and what a sync did, the same way in every answer.
//
// Every answer that rests on a sync carries `syncInfo`, and `syncErrors` when something was not
// brought up to date, so that old or partial figures are never shown as fresh ones.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"
#include "mcp/schema.h"
#include "sync/sync.h"
#include "tools/app.h"

namespace tb::tools {

// What an answer quotes from files is cut where it enters, so that one odd cell or message never
// makes the answer: at most so many characters, the last of them "…".
inline constexpr std::size_t kQuotedCellChars = 200;
inline constexpr std::size_t kQuotedLineChars = 500;  // a message or warning, which quotes cells
[[nodiscard]] mcp::Json cell_json(std::string_view text);
[[nodiscard]] mcp::Json optional_cell_json(const std::optional<std::string>& text);  // null
[[nodiscard]] std::string quoted_line(std::string_view text);
// At most 20 lines, each cut; the last says how many more there are and where.
[[nodiscard]] mcp::Json lines_json(const std::vector<std::string>& lines, std::string_view where);

[[nodiscard]] mcp::Json number_json(std::optional<double> value);
[[nodiscard]] mcp::Json text_json(const std::optional<std::string>& value);
[[nodiscard]] mcp::Json date_json(std::optional<Date> value);
[[nodiscard]] mcp::Json time_json(std::optional<TimeOfDay> value);

// ---- sync ----

// Result members `syncInfo`, `syncErrors` (optional) and `warnings` (optional) of a tool about one
// block, and their values, which are added to `result`.
[[nodiscard]] std::vector<mcp::Field> block_sync_fields();
void add_block_sync(mcp::Json& result, const sync::BlockSyncResult& sync);

// The same for a tool that looks at the whole directory.
[[nodiscard]] std::vector<mcp::Field> directory_sync_fields();
void add_directory_sync(mcp::Json& result, const App::SyncAll& sync);

// For the text of an answer: empty when all is fresh and whole, else lines that say which block or
// file was not brought up to date and why, what was left out, and what else to know; each ends in a
// line break.
[[nodiscard]] std::string sync_trouble_text(const sync::BlockSyncResult& sync);
[[nodiscard]] std::string sync_trouble_text(const App::SyncAll& sync);

}  // namespace tb::tools
