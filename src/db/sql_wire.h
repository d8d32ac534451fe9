// What a server and its worker process for queries say to each other (sql_worker.h), in frames over
// a pair of connected sockets: a type, a length, and as many bytes. Control frames are JSON, rows
// are binary. A descriptor may ride along with a frame.
//
//   server                               worker
//   kSetUp  engine limits         ->
//   kCopy   database, folder      ->
//                                 <-     kCopied  (+ descriptor of the copy)
//   kQuery  statement, limits     ->
//           (+ descriptor)
//                                 <-     kColumns, kRows ..., kDone
// kError may stand for any answer. What a worker sends is not trusted: lengths are checked.
//
// For .cc files of src/db only. Single-thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"
#include "core/unique_fd.h"
#include "db/types.h"
#include "db/value_render.h"

namespace tb::db::detail {

enum class FrameType : std::uint8_t {
    kSetUp = 'U',
    kCopy = 'S',
    kCopied = 'K',
    kQuery = 'Q',
    kColumns = 'C',
    kRows = 'R',
    kDone = 'D',
    kError = 'E',
};

// One frame of rows holds this much, or a single row.
inline constexpr std::size_t kRowsFrameBytes = 64U << 10U;
// A row that takes more is an error, whatever the consumer allows: the server holds it whole.
inline constexpr std::size_t kMaxWireRowBytes = 64U << 20U;
inline constexpr std::size_t kMaxFrameBytes = kMaxWireRowBytes + kRowsFrameBytes;

struct Frame {
    FrameType type = FrameType::kError;
    std::string payload;
    UniqueFd passed;
};

// Blocks until all of it is written; false when the other side is gone.
[[nodiscard]] bool write_frame(int socket, FrameType type, std::string_view payload,
                               int passed_fd = -1);

enum class ReadEnd { kFrame, kClosed, kStopped, kTimeout, kNonsense };
struct ReadLimits {
    std::optional<std::chrono::steady_clock::time_point> deadline;
    int stop_fd = -1;  // readable: stop
};
[[nodiscard]] ReadEnd read_frame(int socket, const ReadLimits& limits, Frame& frame);

[[nodiscard]] std::string json_text(const Error& error);
[[nodiscard]] Error error_of(const nlohmann::json& json);
[[nodiscard]] std::string json_text(const std::vector<ColumnInfo>& columns);
[[nodiscard]] std::optional<std::vector<ColumnInfo>> columns_of(const nlohmann::json& json);

// One row behind another.
void append_row(std::string& out, const ValueRenderer& values, std::size_t row);
// Takes the next row off `rows`; nullopt for what is no row of so many columns.
[[nodiscard]] std::optional<std::vector<RenderedCell>> take_row(std::string_view& rows,
                                                                std::size_t columns);

}  // namespace tb::db::detail
