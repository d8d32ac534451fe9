// One consistent look at a file that somebody else may be writing: its hash, its encoding and, when
// it is small, its bytes, all taken from one read during which the file did not change.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blocks/ingest.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "core/result.h"
#include "core/sha256.h"
#include "csv/encoding.h"

namespace tb::sync {

// Up to this size one read serves hashing and parsing; larger files are read twice, as a stream, so
// that memory does not grow with them.
inline constexpr std::uint64_t kInMemoryFileBytes = 4U << 20U;
inline constexpr std::size_t kReadBytes = 1U << 20U;

struct FileContent {
    FileStat stat;        // the same before and after the read
    Timestamp looked_at;  // before the file was opened
    std::string hash;
    csv::Encoding encoding = csv::Encoding::kUtf8;
    std::optional<std::string> bytes;  // when at most kInMemoryFileBytes
};

// kBusy when the file kept changing (several tries, some 150 ms); kRefused when its path leads out
// of `root` (FileSystem::open_inside); kNotFound, kIo, kInterrupted.
[[nodiscard]] Result<FileContent> read_file_content(FileSystem& fs,
                                                    const std::filesystem::path& root,
                                                    const std::filesystem::path& path,
                                                    const Clock& clock, const CancelToken& cancel);

// Streams a file for parsing and hashes what it hands out, so that the hash is of exactly the bytes
// that were parsed. Ask finish() after the last byte.
class HashingFileSource final : public blocks::ByteSource {
  public:
    // As FileSystem::open_inside.
    [[nodiscard]] static Result<std::unique_ptr<HashingFileSource>> open(
        FileSystem& fs, const std::filesystem::path& root, const std::filesystem::path& path);

    [[nodiscard]] Result<std::span<const std::byte>> next() override;
    // Reads on to the end of the file if the parser stopped early; then the hash of all bytes.
    [[nodiscard]] Result<std::string> finish();

    explicit HashingFileSource(std::unique_ptr<File> file);

  private:
    std::unique_ptr<File> file_;
    std::vector<std::byte> buffer_;
    Sha256 hasher_;
};

// Changed less than blocks::kStillSeconds before it was looked at, by its time of modification:
// what writes it may not be done. Times in the future say nothing and count as old.
[[nodiscard]] bool may_still_change(const FileStat& stat, Timestamp looked_at);

// Whether an unchanged stat proves unchanged content: every stamp is the same, and the file was
// already older than any clock tick when it was last read (01 item 21, 08 §3). A write in the same
// tick as that read would leave the same stamps; such a file is read again.
[[nodiscard]] bool stat_proves_unchanged(const FileStat& stored, Timestamp stored_looked_at,
                                         const FileStat& now);

}  // namespace tb::sync
