#include "mcp/worker_pool.h"

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include <gtest/gtest.h>

namespace tb::mcp::test {
namespace {

using std::chrono::milliseconds;

std::atomic<int> thread_locals_alive = 0;

// What a library keeps per thread and frees when the thread ends, slowly.
struct PerThread {
    PerThread() { ++thread_locals_alive; }
    ~PerThread() {
        std::this_thread::sleep_for(milliseconds(50));
        --thread_locals_alive;
    }
    void touch() {}
};
thread_local PerThread per_thread;

TEST(WorkerPool, StoppedMeansThatThreadLocalObjectsAreGone) {
    WorkerPool pool(4, 16);
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(pool.submit([] { per_thread.touch(); }));
    }
    EXPECT_TRUE(pool.stop(milliseconds(5'000)));
    EXPECT_EQ(thread_locals_alive.load(), 0);
}

TEST(WorkerPool, SparesThatHaveLeftAreGoneWhenItIsStopped) {
    WorkerPool pool(1, 64);
    for (int i = 0; i < 20; ++i) {
        std::promise<void> ran;
        ASSERT_TRUE(pool.submit([&] {
            const WorkerPool::Waiting waiting;
            per_thread.touch();
            ran.set_value();
        }));
        ran.get_future().wait();
    }
    EXPECT_TRUE(pool.stop(milliseconds(5'000)));
    EXPECT_EQ(thread_locals_alive.load(), 0);
}

TEST(WorkerPool, JobThatDoesNotEndHoldsUpNeitherStopNorDestructor) {
    std::promise<void> release;
    std::promise<void> ended;
    {
        WorkerPool pool(1, 4);
        ASSERT_TRUE(pool.submit([gate = release.get_future().share(), &ended] {
            gate.wait();
            ended.set_value();
        }));
        EXPECT_FALSE(pool.stop(milliseconds(20)));
        EXPECT_FALSE(pool.stop(milliseconds(0)));
    }
    release.set_value();
    ended.get_future().wait();
}

TEST(WorkerPool, QueuedJobsStillRunAndNewOnesAreRefusedOnceStopped) {
    std::atomic<int> ran = 0;
    WorkerPool pool(2, 16);
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(pool.submit([&] { ++ran; }));
    }
    EXPECT_TRUE(pool.stop(milliseconds(5'000)));
    EXPECT_EQ(ran.load(), 10);
    EXPECT_FALSE(pool.submit([] {}));
}

}  // namespace
}  // namespace tb::mcp::test
