// The P/L basis a trader named when importing a trade log whose file does not say it.
//
// Kept beside the data, never inside the CSV (01 item 15) nor in the block's folder: the file
// `<data>/.tradeblocks/pl-basis/<block id>` holds `gross_before_fees` or `net_includes_fees`. A
// `P/L Basis` column in the trade log wins over it, row by row.
//
// Thread-safe.
#pragma once

#include <filesystem>
#include <string_view>

#include "blocks/records.h"
#include "core/file_system.h"
#include "core/result.h"

namespace tb::blocks {

// Net unless the file is there and says gross. kIo when it is there but cannot be read: guessing
// would change figures without a word.
[[nodiscard]] Result<PlBasis> read_import_pl_basis(FileSystem& fs,
                                                   const std::filesystem::path& data_dir,
                                                   std::string_view block_id);

[[nodiscard]] Result<void> write_import_pl_basis(const std::filesystem::path& data_dir,
                                                 std::string_view block_id, PlBasis basis);

}  // namespace tb::blocks
