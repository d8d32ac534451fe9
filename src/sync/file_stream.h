// Parses a file that is too large for memory on a thread of its own while the caller writes what
// has been parsed: at most a few batches are alive at any time.
#pragma once

#include <thread>

#include "blocks/ingest.h"
#include "sync/block_job.h"
#include "sync/bounded_queue.h"

namespace tb::sync {

struct StreamResult {
    blocks::IngestReport report;
    std::string hash;  // of the bytes that were parsed
};

// Calls `write` for every batch, in file order, on the calling thread. An error of `write` stops
// the parser and comes back.
template <class Record, class Ingest, class Write>
Result<StreamResult> stream_file_records(FileSystem& fs, const FileJob& file,
                                         const CancelToken& cancel, Ingest ingest, Write write) {
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
                TB_TRY(result.report, ingest(*source, options, sink));
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
