// A CSV from anywhere into a new block folder: checked by the parser that will read it, copied byte
// for byte, and visible only when complete (01 §1.2, item 15).
//
// The copy is made in a hidden folder of the data directory, validated there, flushed to disk and
// renamed into place as the last step. A failure leaves nothing behind, and nothing that exists is
// ever overwritten. What the CSV itself does not say, the P/L basis, is kept by import_basis.h, in
// place before the block can be seen; the CSV is never edited.
//
// Thread-safe; two imports of one name leave the first.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/ingest.h"
#include "blocks/records.h"
#include "core/file_system.h"
#include "core/result.h"

namespace tb::blocks {

// Folder name for a display name: words in lower case, joined by `-`, ASCII letters and digits
// only; a name without any keeps its non-ASCII characters instead. "camelCaseName_v2 (new)!" gives
// "camel-case-name-v2-new". kInvalidArgument if nothing is left.
[[nodiscard]] Result<std::string> block_id_from_name(std::string_view name);

struct ImportRequest {
    std::filesystem::path data_dir;
    std::filesystem::path source;
    // The source must lie below one of these, links resolved (FileSystem::open_inside); empty =
    // anywhere.
    std::vector<std::filesystem::path> source_roots{};
    std::string name{};                 // display name; empty = the file's name
    std::optional<FileRole> role{};     // empty = by its header
    std::optional<PlBasis> pl_basis{};  // of a trade log without a `P/L Basis` column; empty = net
    CancelToken cancel{};
};

struct ImportOutcome {
    std::string block_id;
    FileRole role = FileRole::kTradeLog;
    std::filesystem::path file;  // of the copy
    IngestReport report;         // of the validation; kComplete
};

// kInvalidArgument: name or header unusable, block exists; kParse: the file does not pass, with the
// reasons; kRefused: the program's own database, or outside of the roots; kIo, kNotFound: from the
// file system.
[[nodiscard]] Result<ImportOutcome> import_file(FileSystem& fs, const ImportRequest& request);

}  // namespace tb::blocks
