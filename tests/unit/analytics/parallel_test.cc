#include "analytics/parallel.h"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tb::analytics {
namespace {

TEST(ParallelFor, VisitsEveryIndexOnceForAnyThreadsAndChunks) {
    for (const unsigned threads : {0U, 1U, 2U, 5U, 1000U}) {
        for (const std::size_t count : {0U, 1U, 7U, 64U, 101U}) {
            for (const std::size_t chunk : {0U, 1U, 3U, 200U}) {
                std::vector<std::atomic<int>> visits(count);
                const auto done = parallel_for({threads, {}, {}}, {count, chunk, "items", ""},
                                               [&](std::size_t begin, std::size_t end) {
                                                   for (std::size_t i = begin; i < end; ++i) {
                                                       ++visits[i];
                                                   }
                                               });
                ASSERT_TRUE(done.has_value());
                for (const auto& visit : visits) {
                    ASSERT_EQ(visit.load(), 1) << threads << " " << count << " " << chunk;
                }
            }
        }
    }
}

TEST(ParallelFor, StopsWithInterruptedOnceCancelled) {
    CancelSource source;
    std::atomic<int> chunks{0};
    const auto done = parallel_for({2, source.token(), {}}, {10'000, 1, "items", ""},
                                   [&](std::size_t, std::size_t) {
                                       if (++chunks == 3) {
                                           source.cancel();
                                       }
                                   });
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, ErrorCode::kInterrupted);
    EXPECT_LT(chunks.load(), 100);
}

TEST(ParallelFor, ThrowsTheExceptionOfABodyAgain) {
    const auto run = [] {
        return parallel_for({2, {}, {}}, {100, 1, "items", ""}, [](std::size_t begin, std::size_t) {
            if (begin == 50) {
                throw std::runtime_error("bad item");
            }
        });
    };
    EXPECT_THROW((void)run(), std::runtime_error);
}

TEST(ParallelFor, ReportsGrowingProgressOnTheCallingThreadAFewTimes) {
    const auto caller = std::this_thread::get_id();
    std::vector<std::uint64_t> reports;
    const ProgressCallback progress = [&](const Progress& p) {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        EXPECT_EQ(p.total, 5'000U);
        EXPECT_EQ(p.unit, "simulations");
        reports.push_back(p.done);
    };
    ASSERT_TRUE(parallel_for({1, {}, progress}, {5'000, 10, "simulations", "m"},
                             [](std::size_t, std::size_t) {})
                    .has_value());
    EXPECT_EQ(reports.size(), 20U);
    EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
    EXPECT_EQ(reports.back(), 5'000U);
}

}  // namespace
}  // namespace tb::analytics
