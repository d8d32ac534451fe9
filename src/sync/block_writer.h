// The one writer of the block tables: takes the jobs that inspection worked out and makes the
// database say what the files say.
//
// A block's rows, issues, log rows and metadata are written in one transaction. Small new blocks
// are grouped into shared transactions (a group that fails is written again block by block), so
// that a first load is not a thousand commits; a block that was stored before and large blocks get
// their own, until so many blocks changed at once that grouping keeps the cost linear.
//
// Single-thread; streams of large files run on a thread of their own inside.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "db/connection.h"
#include "sync/block_job.h"
#include "sync/block_transaction.h"

namespace tb::sync {

class BlockWriter {
  public:
    // Looks at a block again whose file moved between hashing and parsing.
    using InspectAgain = std::function<Result<BlockJob>(const BlockJob&)>;

    BlockWriter(db::Connection& connection, WriteEnvironment& environment,
                InspectAgain inspect_again)
        : connection_(connection), env_(environment), inspect_again_(std::move(inspect_again)) {}

    // Errors: kInterrupted, kResourceExhausted for the stand-in's limit, a damaged database, or one
    // that could not be opened anew after a failed COMMIT. All other trouble is in the block's
    // result.
    [[nodiscard]] Result<void> add(BlockJob job);
    [[nodiscard]] Result<void> finish();
    // In the order of add(); jobs that are not blocks have none.
    [[nodiscard]] std::vector<BlockSyncResult> take_results() { return std::move(results_); }
    [[nodiscard]] bool wrote_anything() const { return wrote_; }

  private:
    struct Pending {
        BlockJob job;
        std::size_t result_index = 0;
    };

    [[nodiscard]] bool is_fatal(const Error& error) const;
    [[nodiscard]] Result<void> make_usable();
    [[nodiscard]] Result<void> flush();
    [[nodiscard]] Result<void> write_alone(Pending& item);
    [[nodiscard]] Result<WriteOutcome> write(const std::vector<Pending*>& items);
    void note_committed(Pending& item, std::vector<FileSyncReport> reports);
    void note_deferred(Pending& item, SyncStatus status, Error error);
    [[nodiscard]] bool goes_alone(const BlockJob& job);
    void remember_stamps(const BlockJob& job);
    [[nodiscard]] Result<void> write_stamps();

    db::Connection& connection_;
    WriteEnvironment& env_;
    InspectAgain inspect_again_;
    std::vector<BlockSyncResult> results_;
    std::vector<Pending> group_;
    std::int64_t group_rows_ = 0;
    std::int64_t known_blocks_written_ = 0;
    bool wrote_ = false;
    std::vector<std::string> written_ids_;
    bool unusable_ = false;  // the connection is gone: make_usable() failed
    bool gave_up_ = false;   // nothing can be written any more, but what is stored can be read

    struct Stamp {
        std::string block_id;
        blocks::FileRole role;
        FileStat stat;
        Timestamp looked_at;
    };
    std::vector<Stamp> stamps_;
};

// The result of a job that needs no writing.
[[nodiscard]] BlockSyncResult result_without_writing(const BlockJob& job);

}  // namespace tb::sync
