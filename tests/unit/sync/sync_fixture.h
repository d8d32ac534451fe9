// A data directory of its own, a clock and a file system under the test's control, and words to
// tell a story with: given files, when synced, then rows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/temp_dir.h"
#include "sync/metadata.h"
#include "sync/sync.h"

namespace tb::sync::test {

// Time stands still until moved. It starts an hour ahead of the real one, so that files written by
// a test count as old; `catch_up()` makes them fresh instead.
class FakeClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const override;
    void advance_seconds(std::int64_t seconds) { offset_micros_ += seconds * 1'000'000; }
    void catch_up() { offset_micros_ = 0; }

  private:
    std::int64_t offset_micros_ = 3'600'000'000;
};

// The real file system with faults on demand, by file name.
class FaultyFileSystem final : public FileSystem {
  public:
    Result<std::unique_ptr<File>> open(const std::filesystem::path& path) override;
    Result<FileStat> stat(const std::filesystem::path& path) override;
    Result<std::vector<DirectoryEntry>> list(const std::filesystem::path& directory) override;

    std::map<std::string, std::string> fail_open;       // file name -> what went wrong
    std::map<std::string, std::uint64_t> fail_read_at;  // file name -> byte
    std::map<std::string, std::string> fail_list;       // folder name -> what went wrong
    // Called before every read of a file, with its name and the bytes read so far.
    std::function<void(const std::string& name, std::uint64_t position)> before_read;
    std::int64_t opens = 0;  // that succeeded
};

struct Sums {
    std::int64_t rows = 0;
    double pl = 0;
    bool operator==(const Sums&) const = default;
};

class SyncTest : public ::testing::Test {
  protected:
    // A trade log with one row per number: distinct values in every column, P/L as given.
    static std::string trade_log(const std::vector<double>& pls);
    static std::string trade_row(std::size_t index, double pl);
    static std::string daily_log(const std::vector<double>& pls);
    static std::string reporting_log(const std::vector<double>& pls);

    void write(const std::filesystem::path& relative, std::string_view content) {
        dir_.write(relative, content);
    }
    void remove(const std::filesystem::path& relative) {
        std::filesystem::remove_all(dir_.path() / relative);
    }

    SyncOptions options();
    SyncResult sync_all(bool verify = false);
    BlockSyncResult sync_one(std::string_view id);
    // The result of one block out of a whole sync; fails the test if it is not there.
    BlockSyncResult sync_all_and_find(const std::string& id, bool verify = false);

    db::Connection reader();
    Sums trades(const std::string& block_id);
    std::int64_t count(const std::string& sql);
    std::string text(const std::string& sql);
    std::optional<BlockSyncMetadata> metadata(const std::string& block_id);
    // Metadata equal to the file's hash always means that exactly those rows are in the table.
    void expect_stored(const std::string& block_id, const std::string& file,
                       const std::vector<double>& pls);
    void expect_nothing_stored(const std::string& block_id);

    tb::test::TempDir dir_;
    FakeClock clock_;
    FaultyFileSystem fs_;
};

}  // namespace tb::sync::test
