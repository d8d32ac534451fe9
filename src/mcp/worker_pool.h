// A bounded pool of worker threads.
//
// Threads start when first needed. A job that waits for a person (an elicitation) says so with
// Waiting, and the pool may start a spare thread meanwhile, so that open questions do not starve
// the other calls.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace tb::mcp {

class WorkerPool {
  public:
    WorkerPool(std::size_t workers, std::size_t queue_limit);
    ~WorkerPool();  // stop() without waiting; running jobs end on their own
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // False if the queue is full or the pool has been stopped. Jobs must not throw.
    [[nodiscard]] bool submit(std::function<void()> job);

    // Marks the calling worker as waiting while it lives. Nothing on other threads.
    class Waiting {
      public:
        Waiting();
        ~Waiting();
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;
    };

    // Takes no more jobs, runs what is queued, waits for the workers at most `wait`. False if some
    // are still running; they keep the pool's state alive. True: every thread has ended, together
    // with what was kept for it (thread-local objects of libraries).
    bool stop(std::chrono::milliseconds wait);

  private:
    friend class Waiting;
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace tb::mcp
