// Files that fail, change or lie while they are read; processes that stop half-way.
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "core/cancel.h"
#include "support/full_disk.h"
#include "sync_fixture.h"

namespace tb::sync::test {
namespace {

// Large enough to be streamed, not held in memory.
std::vector<double> many(std::size_t count, double first) {
    std::vector<double> pls(count);
    for (std::size_t i = 0; i < count; ++i) {
        pls[i] = first + static_cast<double>(i % 97);
    }
    return pls;
}
constexpr std::size_t kLargeRows = 45'000;

TEST_F(SyncTest, FileThatCannotBeOpenedKeepsOldRowsAndIsStale) {
    write("A/tradelog.csv", trade_log({1, 2}));
    sync_all();
    write("A/tradelog.csv", trade_log({3}));
    fs_.fail_open["tradelog.csv"] = "cannot open: Permission denied";
    const BlockSyncResult block = sync_all_and_find("A");
    EXPECT_EQ(block.status, SyncStatus::kStale);
    ASSERT_TRUE(block.error.has_value());
    EXPECT_NE(block.error->message.find("Permission denied"), std::string::npos);
    EXPECT_EQ(trades("A"), (Sums{2, 3}));
    fs_.fail_open.clear();
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    expect_stored("A", "tradelog.csv", {3});
}

TEST_F(SyncTest, ReadErrorKeepsOldRowsWhereverItStrikes) {
    write("A/tradelog.csv", trade_log(many(kLargeRows, 1)));
    sync_all();
    const Sums before = trades("A");
    write("A/tradelog.csv", trade_log(many(kLargeRows, 2)));
    for (const std::uint64_t at : {0ULL, 1'500'000ULL, 4'000'000ULL}) {
        fs_.fail_read_at["tradelog.csv"] = at;
        EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kStale) << at;
        EXPECT_EQ(trades("A"), before) << at;
    }
    // Fails only while the rows are being written, after the hash was taken.
    fs_.fail_read_at.clear();
    int passes = 0;
    fs_.before_read = [&](const std::string& name, std::uint64_t position) {
        passes += name == "tradelog.csv" && position == 0 ? 1 : 0;
        if (passes == 2 && position > 2'000'000) {
            fs_.fail_read_at["tradelog.csv"] = 0;
        }
    };
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kStale);
    EXPECT_EQ(trades("A"), before);
    EXPECT_EQ(count("SELECT count(*) FROM trades._sync_log"), 1);
}

TEST_F(SyncTest, UnreadableFolderKeepsItsRows) {
    write("A/tradelog.csv", trade_log({1}));
    sync_all();
    fs_.fail_list["A"] = "cannot list: Permission denied";
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kStale);
    EXPECT_EQ(trades("A").rows, 1);
}

TEST_F(SyncTest, UnreadableDataDirectoryIsAnErrorAndDeletesNothing) {
    write("A/tradelog.csv", trade_log({1}));
    sync_all();
    fs_.fail_list[dir_.path().filename().string()] = "cannot list: Input/output error";
    const auto result = sync_all_blocks(dir_.path(), options());
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kIo);
    EXPECT_EQ(trades("A").rows, 1);
}

TEST_F(SyncTest, FileThatChangesOnceWhileReadIsReadAgain) {
    write("A/tradelog.csv", trade_log({1}));
    bool done = false;
    fs_.before_read = [&](const std::string& name, std::uint64_t) {
        if (name == "tradelog.csv" && !done) {
            done = true;
            write("A/tradelog.csv", trade_log({5, 6}));
        }
    };
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    expect_stored("A", "tradelog.csv", {5, 6});
}

TEST_F(SyncTest, FileThatKeepsChangingIsBusyAndKeepsOldRows) {
    write("A/tradelog.csv", trade_log({1}));
    sync_all();
    write("A/tradelog.csv", trade_log({2}));
    int turn = 0;
    fs_.before_read = [&](const std::string& name, std::uint64_t) {
        if (name == "tradelog.csv") {
            write("A/tradelog.csv", trade_log(std::vector<double>(2 + ++turn % 5, 7.0)));
        }
    };
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kBusy);
    EXPECT_EQ(trades("A"), (Sums{1, 1}));
    fs_.before_read = nullptr;
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
}

TEST_F(SyncTest, LargeFileReplacedBetweenHashAndParseIsNeverStoredUnderTheWrongHash) {
    write("A/tradelog.csv", trade_log(many(kLargeRows, 1)));
    int passes = 0;
    fs_.before_read = [&](const std::string& name, std::uint64_t position) {
        if (name != "tradelog.csv" || position != 0) {
            return;
        }
        if (++passes == 2) {  // the second pass over the first version begins
            write("A/tradelog.csv", trade_log(many(kLargeRows, 3)));
        }
    };
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    expect_stored("A", "tradelog.csv", many(kLargeRows, 3));
}

TEST_F(SyncTest, LargeHalfWrittenAndRejectedFilesAreTreatedLikeSmallOnes) {
    write("A/tradelog.csv", trade_log(many(kLargeRows, 1)));
    write("A/dailylog.csv", daily_log({1}));
    sync_all();
    const Sums before = trades("A");
    const std::string changed = trade_log(many(kLargeRows, 2));
    write("A/tradelog.csv", changed.substr(0, changed.size() - 30));
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kIncomplete);
    EXPECT_EQ(trades("A"), before);

    std::string bad = trade_log(many(10, 1));
    for (std::size_t i = 0; i < 400'000; ++i) {
        bad += "no trade,,,,,\r\n";
    }
    write("A/tradelog.csv", bad);
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kError);
    expect_nothing_stored("A");
    EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), 0);
    EXPECT_EQ(count("SELECT count(*) FROM trades._sync_issues WHERE block_id = 'A'"), 1000);
    EXPECT_EQ(count("SELECT issues_total FROM trades._sync_files WHERE block_id = 'A'"), 400'000);
}

TEST_F(SyncTest, RewriteWithinTheTickOfTheLastReadIsFound) {
    clock_.catch_up();  // files are as new as the clock
    write("A/tradelog.csv", trade_log({1, 2}));
    sync_all();
    const auto path = dir_.path() / "A/tradelog.csv";
    const auto stamp = std::filesystem::last_write_time(path);
    // Same size, same modification time, written in place: only the content differs.
    std::string content = trade_log({1, 3});
    std::ofstream(path, std::ios::binary | std::ios::in)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
    std::filesystem::last_write_time(path, stamp);
    EXPECT_EQ(sync_all_and_find("A").status, SyncStatus::kSynced);
    expect_stored("A", "tradelog.csv", {1, 3});
}

TEST_F(SyncTest, FreshFilesAreHashedAgainUntilTheirStampsCanBeTrusted) {
    clock_.catch_up();
    write("A/tradelog.csv", trade_log({1}));
    sync_all();
    fs_.opens = 0;
    sync_all();
    EXPECT_GT(fs_.opens, 0);  // too fresh to trust
    clock_.advance_seconds(10);
    sync_all();  // reads once more and remembers the stamps
    fs_.opens = 0;
    sync_all();
    EXPECT_EQ(fs_.opens, 0);
}

TEST_F(SyncTest, VerifyReadsEverythingWhateverTheStampsSay) {
    write("A/tradelog.csv", trade_log({1}));
    sync_all();
    fs_.opens = 0;
    EXPECT_EQ(sync_all_and_find("A", true).status, SyncStatus::kUnchanged);
    EXPECT_GT(fs_.opens, 0);
}

TEST_F(SyncTest, CancelledSyncKeepsFinishedBlocksAndLeavesNoHalfOnes) {
    for (int i = 0; i < 12; ++i) {
        write(fmt::format("block {:02}/tradelog.csv", i), trade_log({i + 1.0, 2.0}));
    }
    sync_all();
    for (int i = 0; i < 12; ++i) {
        write(fmt::format("block {:02}/tradelog.csv", i), trade_log({i + 10.0}));
    }
    const CancelSource source;
    SyncOptions with = options();
    with.cancel = source.token();
    int commits = 0;
    with.probe = [&](std::string_view point) {
        if (point == "after_commit" && ++commits == 3) {
            source.cancel();
        }
    };
    const auto result = sync_all_blocks(dir_.path(), with);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInterrupted);
    for (int i = 0; i < 12; ++i) {
        const std::string id = fmt::format("block {:02}", i);
        const Sums now = trades(id);
        const bool is_new =
            metadata(id)->tradelog_hash == *hash_file_content(dir_.path() / id / "tradelog.csv");
        EXPECT_EQ(now, is_new ? (Sums{1, i + 10.0}) : (Sums{2, i + 3.0})) << id;
    }
    EXPECT_EQ(sync_all().failed, 0);
}

TEST_F(SyncTest, ProgressCountsEveryBlock) {
    for (int i = 0; i < 5; ++i) {
        write(fmt::format("block {}/tradelog.csv", i), trade_log({1.0 + i}));
    }
    std::vector<std::uint64_t> done;
    SyncOptions with = options();
    with.progress = [&](const Progress& progress) {
        done.push_back(progress.done);
        EXPECT_EQ(progress.total, 5U);
    };
    ASSERT_TRUE(sync_all_blocks(dir_.path(), with).has_value());
    EXPECT_EQ(done, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

TEST_F(SyncTest, ProgressIsReportedForOneBlockAndForMarketFiles) {
    write("A/tradelog.csv", trade_log({1}));
    write("_marketdata/treasury_rates.csv", "date,rate_percent\n2024-01-02,5.25\n");
    std::vector<std::string> told;
    SyncOptions with = options();
    with.progress = [&](const Progress& progress) {
        if (progress.done == progress.total) {
            told.push_back(progress.message);
        }
    };
    ASSERT_TRUE(sync_block("A", dir_.path(), with).has_value());
    ASSERT_TRUE(sync_market_data(dir_.path(), with).has_value());
    EXPECT_EQ(told, (std::vector<std::string>{"A", "treasury_rates.csv"}));
}

// The disk is full for some transactions and has room again for the last block.
TEST_F(SyncTest, DiskFullAtCommitIsStaleAndHarmsNoOtherBlock) {
    write("A/tradelog.csv", trade_log({1}));
    write("B/tradelog.csv", trade_log({1, 2}));
    sync_all();
    write("A/tradelog.csv", trade_log({2}));
    write("B/tradelog.csv", trade_log({3}));
    write("C/tradelog.csv", trade_log({4, 5}));
    write("D/tradelog.csv", trade_log({6}));
    SyncOptions with = options();
    std::optional<tb::test::FullDisk> full;
    int transactions = 0;
    with.probe = [&](std::string_view point) {
        if (point == "after_delete") {
            full.reset();
            ++transactions;
        } else if (point == "before_commit" && transactions >= 2 && transactions <= 4) {
            const auto store = *db::DataStore::for_directory(dir_.path());
            full.emplace(store->wal_bytes() + 100);  // for B, C with D, C
        }
    };
    const auto result = sync_all_blocks(dir_.path(), with);
    full.reset();
    ASSERT_TRUE(result.has_value()) << result.error().to_string();
    EXPECT_EQ(transactions, 5);
    ASSERT_EQ(result->blocks.size(), 4U);
    EXPECT_EQ(result->blocks[0].status, SyncStatus::kSynced);
    EXPECT_EQ(result->blocks[1].status, SyncStatus::kStale);
    EXPECT_EQ(result->blocks[1].error->code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(result->blocks[2].status, SyncStatus::kStale);
    EXPECT_EQ(result->blocks[3].status, SyncStatus::kSynced);
    EXPECT_EQ(trades("B"), (Sums{2, 3}));
    expect_nothing_stored("C");
    expect_stored("D", "tradelog.csv", {6});
    EXPECT_EQ(text("SELECT string_agg(DISTINCT strategy, ', ') FROM trades.trade_data "
                   "WHERE block_id = 'D'"),
              text("SELECT string_agg(DISTINCT strategy, ', ') FROM trades.trade_data "
                   "WHERE block_id = 'A'"));
    EXPECT_EQ(text("SELECT string_agg(block_id || ' ' || event, ', ' ORDER BY id) "
                   "FROM trades._sync_log"),
              "A added, B added, A changed, D added");
    EXPECT_EQ(sync_all().synced, 2);
    expect_stored("B", "tradelog.csv", {3});
    expect_stored("C", "tradelog.csv", {4, 5});
    remove("C");
    EXPECT_EQ(sync_all().deleted, 1);
    write("C/tradelog.csv", trade_log({7}));
    EXPECT_EQ(sync_all().synced, 1);
    expect_stored("C", "tradelog.csv", {7});
}

// kill -9 at each named point inside the transactions of a sync, in a process of its own.
TEST_F(SyncTest, ProcessKilledAtAnyPointLeavesOldOrNewNeverMixed) {
    write("A/tradelog.csv", trade_log({1, 2}));
    write("A/dailylog.csv", daily_log({3}));
    write("B/tradelog.csv", trade_log(many(kLargeRows, 4)));
    sync_all();
    ASSERT_TRUE((*db::DataStore::for_directory(dir_.path()))->close().has_value());
    write("A/tradelog.csv", trade_log({10, 20, 30}));
    write("A/dailylog.csv", daily_log({5, 6}));
    write("B/tradelog.csv", trade_log(many(kLargeRows, 8)));
    const std::string new_a = *hash_file_content(dir_.path() / "A/tradelog.csv");

    for (const std::string point :
         {"after_delete", "after_append", "mid_stream", "before_commit", "after_commit"}) {
        const pid_t child = ::fork();
        if (child == 0) {
            SyncOptions with = options();
            with.probe = [&](std::string_view here) {
                if (here == point) {
                    ::kill(::getpid(), SIGKILL);
                }
            };
            [[maybe_unused]] const auto unreachable = sync_all_blocks(dir_.path(), with);
            ::_exit(0);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        const auto stored = metadata("A");
        ASSERT_TRUE(stored.has_value()) << point;
        const bool is_new = stored->tradelog_hash == new_a;
        EXPECT_EQ(trades("A"), is_new ? (Sums{3, 60}) : (Sums{2, 3})) << point;
        EXPECT_EQ(count("SELECT count(*) FROM trades.daily_data"), is_new ? 2 : 1) << point;
        const bool b_new =
            metadata("B")->tradelog_hash == *hash_file_content(dir_.path() / "B/tradelog.csv");
        double expected = 0;
        for (const double pl : many(kLargeRows, b_new ? 8 : 4)) {
            expected += pl;
        }
        EXPECT_EQ(trades("B"), (Sums{static_cast<std::int64_t>(kLargeRows), expected})) << point;
        ASSERT_TRUE((*db::DataStore::for_directory(dir_.path()))->close().has_value());
    }
    sync_all();
    expect_stored("A", "tradelog.csv", {10, 20, 30});
    expect_stored("B", "tradelog.csv", many(kLargeRows, 8));
}

TEST_F(SyncTest, ConcurrentSyncsAndReadersOfOneDirectoryAgree) {
    for (int i = 0; i < 6; ++i) {
        write(fmt::format("block {}/tradelog.csv", i), trade_log({1.0, 2.0}));
    }
    sync_all();
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int r = 0; r < 2; ++r) {
        readers.emplace_back([&] {
            while (!stop) {
                for (int i = 0; i < 6; ++i) {
                    // Old or new, never mixed: all rows of a version have the same P/L sum.
                    const Sums sums = trades(fmt::format("block {}", i));
                    wrong += sums == (Sums{2, 3}) || sums == (Sums{3, 30}) ? 0 : 1;
                }
            }
        });
    }
    for (int i = 0; i < 6; ++i) {
        write(fmt::format("block {}/tradelog.csv", i), trade_log({5, 10, 15}));
    }
    std::vector<std::thread> syncs;
    for (int s = 0; s < 3; ++s) {
        syncs.emplace_back([&] {
            if (!sync_all_blocks(dir_.path(), options()).has_value()) {
                ++wrong;
            }
        });
    }
    for (std::thread& thread : syncs) {
        thread.join();
    }
    stop = true;
    for (std::thread& thread : readers) {
        thread.join();
    }
    EXPECT_EQ(wrong.load(), 0);
    for (int i = 0; i < 6; ++i) {
        expect_stored(fmt::format("block {}", i), "tradelog.csv", {5, 10, 15});
    }
    EXPECT_EQ(count("SELECT count(*) FROM trades._sync_log"), 12);
}

}  // namespace
}  // namespace tb::sync::test
