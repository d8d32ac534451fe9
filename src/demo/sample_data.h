// Writes data directories full of made-up trading exports: a small, varied one to look at
// (`tradeblocks demo`), or any number of blocks of any size (benchmarks, soak tests).
//
// The same options give the same bytes on every machine. Files of the small set:
//   0DTE Iron Condor/     tradelog.csv, dailylog.csv, strategy-trade-log.csv (live fills)
//   Weekly Put Spread/    an export under its own name, found by its header; with VIX columns
//   MEIC/                 several entries a day, blank strategy names, CRLF, byte-order mark
//   Toolbox Live/         a backtest and a Trade Automation Toolbox file
//   Messy Export/         the rows people's spreadsheets really bring: `issues` explains them
//   _marketdata/          four chart exports and the treasury rates
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "core/result.h"

namespace tb::demo {

// Records what was written into a directory, so that a second run may replace those files.
inline constexpr std::string_view kMarkerFile = ".tradeblocks-sample";

struct SampleSummary {
    std::int64_t files = 0;
    std::int64_t bytes = 0;
    std::int64_t rows = 0;  // data rows of trade logs, bad ones included
};

struct BulkOptions {
    std::uint64_t seed = 1;
    std::int64_t blocks = 1;
    std::int64_t trades_per_block = 1000;
};

// kRefused when `directory` holds anything that these functions (and a sync of it) did not write,
// or lies in a data directory: nobody's own files are ever overwritten. kIo when the disk refuses.
[[nodiscard]] Result<SampleSummary> write_demo_data(const std::filesystem::path& directory,
                                                    std::uint64_t seed);
// Blocks `block-0001`, ... with one tradelog.csv each of about 225 bytes a trade.
[[nodiscard]] Result<SampleSummary> write_bulk_data(const std::filesystem::path& directory,
                                                    const BulkOptions& options);

}  // namespace tb::demo
