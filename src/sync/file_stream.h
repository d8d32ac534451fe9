// Parses a file that is too large for memory on a thread of its own while the caller writes what
// has been parsed: at most a few batches are alive at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "blocks/ingest.h"
#include "sync/block_job.h"
#include "sync/bounded_queue.h"

namespace tb::sync {

struct StreamResult {
    blocks::IngestReport report;
    std::string hash;  // of the bytes that were parsed
};

// Hands through and counts what was read, for whoever watches.
class CountingSource final : public blocks::ByteSource {
  public:
    CountingSource(blocks::ByteSource& source, std::atomic<std::uint64_t>& bytes)
        : source_(source), bytes_(bytes) {}
    Result<std::span<const std::byte>> next() override {
        auto piece = source_.next();
        bytes_ += piece.has_value() ? piece->size() : 0;
        return piece;
    }

  private:
    blocks::ByteSource& source_;
    std::atomic<std::uint64_t>& bytes_;
};

// Calls `write` for every batch, in file order, on the calling thread, and adds what was read to
// `bytes_read`. An error of `write` stops the parser and comes back.
template <class Record, class Ingest, class Write>
Result<StreamResult> stream_file_records(FileSystem& fs, const FileJob& file,
                                         const CancelToken& cancel,
                                         std::atomic<std::uint64_t>& bytes_read, Ingest ingest,
                                         Write write) {
    constexpr std::size_t kBatchesAhead = 6;
    BoundedQueue<blocks::RecordBatch<Record>> queue(kBatchesAhead);

    class QueueSink final : public blocks::RecordSink<Record> {
      public:
        explicit QueueSink(BoundedQueue<blocks::RecordBatch<Record>>& target) : target_(target) {}
        Result<void> on_batch(blocks::RecordBatch<Record> batch) override {
            if (!target_.push(std::move(batch), 1)) {
                return make_error(ErrorCode::kInterrupted, "the writer stopped");
            }
            return {};
        }

      private:
        BoundedQueue<blocks::RecordBatch<Record>>& target_;
    };

    Result<StreamResult> outcome = StreamResult{};
    {
        const std::jthread parser([&] {
            outcome = [&]() -> Result<StreamResult> {
                TB_TRY(
                    const auto source,
                    HashingFileSource::open(fs, file.path.parent_path().parent_path(), file.path));
                const blocks::IngestOptions options = ingest_options(file, cancel);
                QueueSink sink(queue);
                StreamResult result;
                CountingSource counting(*source, bytes_read);
                TB_TRY(result.report, ingest(counting, options, sink));
                TB_TRY(result.hash, source->finish());
                return result;
            }();
            queue.close();
        });
        while (auto batch = queue.pop()) {
            if (auto written = write(std::move(*batch)); !written.has_value()) {
                queue.close();
                return tl::unexpected<Error>(written.error());
            }
        }
    }
    return outcome;
}

}  // namespace tb::sync
