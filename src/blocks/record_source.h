// Bytes of a source as records. Internal to this module.
//
// Thread-compatible.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "blocks/ingest.h"
#include "csv/decoder.h"
#include "csv/file_kind.h"
#include "csv/reader.h"

namespace tb::blocks {

class RecordSource {
  public:
    RecordSource(ByteSource& source, const IngestOptions& options)
        : source_(source),
          options_(options),
          decoder_(options.encoding),
          reader_({.max_record_bytes = kMaxRecordBytes, .max_columns = kMaxColumns}) {}

    // kRecord, kEnd or kLimit.
    Result<csv::ReadStatus> next(csv::Record& record) {
        while (true) {
            const csv::ReadStatus status = reader_.next(record);
            if (status != csv::ReadStatus::kNeedMore) {
                return status;
            }
            TB_RETURN_IF_ERROR(fill());
        }
    }
    // Text behind the last record: `bytes` of it unless the file ends before.
    Result<std::string_view> look_ahead(std::size_t bytes) {
        while (reader_.unread().size() < bytes && !ended_) {
            TB_RETURN_IF_ERROR(fill());
        }
        return reader_.unread().substr(0, bytes);
    }
    [[nodiscard]] bool all_read() const { return ended_; }
    // The bytes at the front of the file, as far as they have been read, at most csv::kKindBytes.
    [[nodiscard]] std::span<const std::byte> first_bytes() const { return first_bytes_; }
    [[nodiscard]] csv::RecordReader& reader() { return reader_; }
    [[nodiscard]] const csv::RecordReader& reader() const { return reader_; }
    [[nodiscard]] const csv::Decoder& decoder() const { return decoder_; }

  private:
    static constexpr std::size_t kPieceBytes = 256 * 1024;  // decoded and split at a time

    Result<void> fill() {
        if (options_.cancel.cancelled()) {
            return make_error(ErrorCode::kInterrupted, "cancelled", options_.file_name);
        }
        if (piece_.empty()) {
            TB_TRY(piece_, source_.next());
        }
        if (piece_.empty()) {
            TB_TRY(const std::string_view rest, decoder_.finish());
            reader_.feed(rest);
            reader_.finish();
            ended_ = true;
            return {};
        }
        const auto part = piece_.subspan(0, std::min(piece_.size(), kPieceBytes));
        piece_ = piece_.subspan(part.size());
        if (first_bytes_.size() < csv::kKindBytes) {
            const auto more = part.first(std::min(part.size(), csv::kKindBytes));
            first_bytes_.insert(first_bytes_.end(), more.begin(), more.end());
        }
        TB_TRY(const std::string_view text, decoder_.decode(part));
        reader_.feed(text);
        return {};
    }

    ByteSource& source_;
    const IngestOptions& options_;
    csv::Decoder decoder_;
    csv::RecordReader reader_;
    std::span<const std::byte> piece_;
    std::vector<std::byte> first_bytes_;
    bool ended_ = false;
};

}  // namespace tb::blocks
