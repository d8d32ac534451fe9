// What has to be done for one block, worked out by looking at its folder: the hand-over between the
// thread that looks, hashes and parses ahead and the one thread that writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "blocks/ingest.h"
#include "sync/file_content.h"
#include "sync/stored_state.h"

namespace tb::sync {

template <class Record>
using Batches = std::vector<blocks::RecordBatch<Record>>;

using AnyBatches = std::variant<std::monostate, Batches<blocks::TradeRecord>,
                                Batches<blocks::DailyRecord>, Batches<blocks::ReportingRecord>>;

struct FileJob {
    blocks::RoleFile file;
    FileStat stat;
    Timestamp looked_at;
    std::string hash;
    std::string settings;
    csv::Encoding encoding = csv::Encoding::kUtf8;
    blocks::PlBasis default_pl_basis = blocks::PlBasis::kNetIncludesFees;
    // Content, role or settings differ from what is stored. False: only the stamps may differ.
    bool changed = false;
    // Too large for memory: parsed from the file while it is written.
    bool streamed = false;
    // Changed so shortly before it was read that more may follow.
    bool still_changing = false;
    // How a streamed file has to be read, known once it was read by another way.
    std::optional<blocks::FileReading> reading;
    std::filesystem::path path;
    blocks::IngestReport report;  // of a changed file that is not streamed
    AnyBatches batches;
};

[[nodiscard]] inline blocks::IngestOptions ingest_options(const FileJob& file,
                                                          const CancelToken& cancel) {
    return {file.file.file_name, file.encoding, file.default_pl_basis, cancel,
            file.still_changing, file.reading};
}

enum class JobKind {
    kNotABlock,  // no trade log and nothing stored: left alone
    kUnchanged,
    kReplace,      // at least one role has new content, or a role's file is gone
    kReject,       // the trade log is structurally unusable
    kKnownReject,  // ... and was so last time, with the same content
    kDelete,       // folder or trade log gone
    kDefer,        // incomplete, stale or busy
};

struct BlockJob {
    std::string block_id;
    JobKind kind = JobKind::kUnchanged;
    StoredBlock stored;
    std::vector<FileJob> files;                // changed and unchanged ones
    std::vector<blocks::FileRole> gone_roles;  // stored before, no file now
    SyncStatus deferred_as = SyncStatus::kStale;
    std::optional<Error> error;
    std::vector<std::string> warnings;
    double inspect_ms = 0;
    std::size_t memory_bytes = 0;
};

struct InspectContext {
    FileSystem& fs;
    const Clock& clock;
    const CancelToken& cancel;
    bool verify = false;
    // Stop before reading any content: a job that would need it comes back as kReplace without
    // hashes. For the cheap first pass over an unchanged directory.
    bool stat_only = false;
    std::filesystem::path data_dir;
};

// Never fails as a whole: what goes wrong with one block is in its job. kInterrupted apart.
[[nodiscard]] Result<BlockJob> inspect_block(const InspectContext& context,
                                             const blocks::BlockFolder& folder, StoredBlock stored);

// A job for stored rows whose folder is gone.
[[nodiscard]] BlockJob deletion_job(std::string block_id, StoredBlock stored);

}  // namespace tb::sync
