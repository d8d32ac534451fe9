// Which folders of a data directory are blocks, and which CSV of a block plays which role. One
// eligibility rule and one discovery rule for listing, syncing and importing (01 §1.1, §1.4, §1.5
// with items 2, 10, 14, 26-29).
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/records.h"
#include "core/file_system.h"
#include "core/result.h"

namespace tb::blocks {

struct BlockFolder {
    std::string id;  // folder name, verbatim bytes
    std::filesystem::path path;
};

struct BlockListing {
    std::vector<BlockFolder> folders;   // byte order of ids
    std::vector<std::string> warnings;  // e.g. a `blocks` folder beside blocks, ignored links
};

// Direct sub-folders that may hold a block (00 §2 folder eligibility). A folder without any CSV is
// listed here: whether it is a block shows in discover_files.
[[nodiscard]] Result<BlockListing> list_block_folders(FileSystem& fs,
                                                      const std::filesystem::path& data_dir);

// True for names that can be a block id at all: one path component, not hidden, not `_...`, not
// ending in .tmp/.duckdb/.duckdb.tmp. Callers that take ids from outside check this first.
[[nodiscard]] bool is_eligible_folder_name(std::string_view name);

// A name that a CSV of a block can have: ends in .csv, and is not hidden nor the lock that a
// spreadsheet keeps beside an open file (`~$name.csv`).
[[nodiscard]] bool is_csv_name(std::string_view name);

// What a header line says a file is; nullopt = not one of ours. `first_data_cells` are the cells
// of the second record, empty if there is none (a daily log needs a numeric one, item 10).
[[nodiscard]] std::optional<FileRole> classify_header(
    std::span<const std::string> header_cells, std::span<const std::string> first_data_cells);

struct RoleFile {
    FileRole role = FileRole::kTradeLog;
    std::string file_name;
    std::string recognised_by;  // "name", "header", "block.json mapping"
};

struct BlockFiles {
    std::optional<RoleFile> tradelog;
    std::optional<RoleFile> dailylog;
    std::optional<RoleFile> reportinglog;
    std::vector<std::string> csv_names;  // every CSV seen, byte order (for caching)
    std::vector<std::string> warnings;   // further CSVs of the same kind, unrecognised CSVs
    // CSVs that cannot be told yet: empty, or ending within their first line, as a file does that
    // is just being written. A role that is missing above may be one of these, so its absence is
    // no reason to drop what is known of it.
    std::vector<std::string> undecided;
};

// Order of claims: names in block.json's csvMappings (plain file names only), standard names, a
// name that says strategy log, headers in byte order of names. Names that begin with a point and
// links that lead out of the data directory (the folder's parent) are no candidates. Errors of the
// file system are returned, since a file that cannot be read is not a file that is gone.
[[nodiscard]] Result<BlockFiles> discover_files(FileSystem& fs,
                                                const std::filesystem::path& folder);

// Why a folder with CSVs but without a trade log is no block; each sentence names the folder.
[[nodiscard]] std::vector<std::string> reasons_for_no_block(std::string_view id,
                                                            const BlockFiles& files);

}  // namespace tb::blocks
