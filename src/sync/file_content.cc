#include "sync/file_content.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>

namespace tb::sync {

namespace {

// Coarsest time stamps of file systems in use (FAT: 2 s).
constexpr std::int64_t kRacyWindowNs = 2'000'000'000;
constexpr std::array<std::chrono::milliseconds, 3> kRetryPauses{
    std::chrono::milliseconds(10), std::chrono::milliseconds(40), std::chrono::milliseconds(100)};

bool same_content_state(const FileStat& a, const FileStat& b) {
    return a.size == b.size && a.mtime_ns == b.mtime_ns && a.ctime_ns == b.ctime_ns &&
           a.inode == b.inode && a.device == b.device;
}

// One try; nullopt when the file changed meanwhile.
Result<std::optional<FileContent>> try_read(FileSystem& fs, const std::filesystem::path& root,
                                            const std::filesystem::path& path, const Clock& clock,
                                            const CancelToken& cancel) {
    FileContent content;
    content.looked_at = clock.now();
    TB_TRY(const std::unique_ptr<File> file, fs.open_inside(root, path));
    TB_TRY(content.stat, file->stat());
    const bool keep = content.stat.size <= kInMemoryFileBytes;
    std::string buffer;
    buffer.resize(keep ? static_cast<std::size_t>(content.stat.size) + 1 : kReadBytes);

    Sha256 hasher;
    csv::EncodingDetector detector;
    std::uint64_t total = 0;
    while (true) {
        if (cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled while reading", path.string());
        }
        TB_TRY(const std::size_t got, file->read(std::as_writable_bytes(std::span(buffer))));
        const auto piece = std::as_bytes(std::span(buffer.data(), got));
        hasher.update(piece);
        detector.update(piece);
        total += got;
        if (keep || got < buffer.size()) {
            break;
        }
    }
    TB_TRY(const FileStat after, file->stat());
    // A new file may have been renamed over the path while the old one was being read.
    const Result<FileStat> named = fs.stat(path);
    if (!named.has_value() && named.error().code != ErrorCode::kNotFound) {
        return tl::unexpected<Error>(named.error());
    }
    if (!same_content_state(content.stat, after) || total != content.stat.size ||
        !named.has_value() || !same_content_state(content.stat, *named)) {
        return std::optional<FileContent>();
    }
    content.hash = hasher.finish_hex();
    content.encoding = detector.finish();
    if (keep) {
        buffer.resize(static_cast<std::size_t>(total));
        content.bytes = std::move(buffer);
    }
    return std::optional<FileContent>(std::move(content));
}

}  // namespace

Result<FileContent> read_file_content(FileSystem& fs, const std::filesystem::path& root,
                                      const std::filesystem::path& path, const Clock& clock,
                                      const CancelToken& cancel) {
    for (std::size_t attempt = 0;; ++attempt) {
        TB_TRY(std::optional<FileContent> content, try_read(fs, root, path, clock, cancel));
        if (content.has_value()) {
            return std::move(*content);
        }
        if (attempt == kRetryPauses.size()) {
            return make_error(ErrorCode::kBusy,
                              "the file kept changing while it was being read; it will be read "
                              "again at the next sync",
                              path.filename().string());
        }
        std::this_thread::sleep_for(kRetryPauses[attempt]);
    }
}

HashingFileSource::HashingFileSource(std::unique_ptr<File> file)
    : file_(std::move(file)), buffer_(kReadBytes) {}

Result<std::unique_ptr<HashingFileSource>> HashingFileSource::open(
    FileSystem& fs, const std::filesystem::path& root, const std::filesystem::path& path) {
    TB_TRY(std::unique_ptr<File> file, fs.open_inside(root, path));
    return std::make_unique<HashingFileSource>(std::move(file));
}

Result<std::span<const std::byte>> HashingFileSource::next() {
    TB_TRY(const std::size_t got, file_->read(buffer_));
    const auto piece = std::span<const std::byte>(buffer_.data(), got);
    hasher_.update(piece);
    return piece;
}

Result<std::string> HashingFileSource::finish() {
    while (true) {
        TB_TRY(const auto piece, next());
        if (piece.empty()) {
            return hasher_.finish_hex();
        }
    }
}

bool may_still_change(const FileStat& stat, Timestamp looked_at) {
    const std::int64_t age = looked_at.micros - stat.mtime_ns / 1000;
    // A clock that runs a little ahead of the file system's is no future.
    return std::abs(age) < std::int64_t{blocks::kStillSeconds} * 1'000'000;
}

bool stat_proves_unchanged(const FileStat& stored, Timestamp stored_looked_at,
                           const FileStat& now) {
    if (!same_content_state(stored, now)) {
        return false;
    }
    const std::int64_t newest = std::max(now.mtime_ns, now.ctime_ns);
    return newest / 1000 + kRacyWindowNs / 1000 <= stored_looked_at.micros;
}

}  // namespace tb::sync
