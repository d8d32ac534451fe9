#include "sync/file_progress.h"

#include <string>
#include <vector>

#include "sync_fixture.h"

namespace tb::sync {
namespace {

using std::chrono::milliseconds;

TEST(FileProgress, SaysShareRowsAndTimeLeft) {
    std::vector<Progress> told;
    const ProgressCallback callback = [&](const Progress& progress) { told.push_back(progress); };
    const auto start = FileProgress::Clock::time_point(std::chrono::hours(5));
    FileProgress progress(callback, "MEIC: tradelog.csv", 200'000, start);
    progress.bytes_read = 20'000;
    progress.add_rows(1'000, start + milliseconds(200));
    progress.add_rows(1'000, start + milliseconds(210));  // too soon after the last
    progress.bytes_read = 50'000;
    progress.add_rows(1'234, start + milliseconds(10'000));
    progress.bytes_read = 250'000;  // the file has grown
    progress.add_rows(1, start + milliseconds(20'000));
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[0].done, 20'000U);
    EXPECT_EQ(told[0].total, 200'000U);
    EXPECT_EQ(told[0].unit, "bytes");
    EXPECT_EQ(told[0].message, "MEIC: tradelog.csv, 1,000 rows");
    // A quarter took 10 s.
    EXPECT_EQ(told[1].message, "MEIC: tradelog.csv, 3,234 rows, about 31 s left");
    EXPECT_EQ(told[2].done, 200'000U);
    EXPECT_EQ(told[2].message, "MEIC: tradelog.csv, 3,235 rows");
}

class FileProgressSync : public test::SyncTest {};

TEST_F(FileProgressSync, ALargeFileMovesWithinItself) {
    const std::string log = trade_log(std::vector<double>(50'000, 1.5));
    ASSERT_GT(log.size(), std::size_t{4} << 20U);  // more than is read at once
    write("Big/tradelog.csv", log);
    SyncOptions with = options();
    std::vector<Progress> bytes;
    with.progress = [&](const Progress& progress) {
        if (progress.unit == "bytes") {
            bytes.push_back(progress);
        }
    };
    ASSERT_TRUE(sync_all_blocks(dir_.path(), with).has_value());
    ASSERT_FALSE(bytes.empty());
    for (const Progress& progress : bytes) {
        EXPECT_EQ(progress.total, log.size());
        EXPECT_EQ(progress.message.find("Big: tradelog.csv, "), 0U) << progress.message;
    }
    EXPECT_GT(bytes.back().done, 0U);
}

}  // namespace
}  // namespace tb::sync
