#include "mcp/worker_pool.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace tb::mcp {

namespace {

constexpr std::size_t kMaxSpareThreads = 32;  // for jobs that wait for people

void join_all(std::vector<std::thread>& threads) {
    for (std::thread& thread : threads) {
        thread.join();
    }
}

}  // namespace

// Threads share the state, so that a handler that does not end cannot hold up the destructor:
// stop() lets go of it. Those that end are joined: what a library keeps per thread is freed on its
// very way out, after the thread has left the books here.
struct WorkerPool::State : std::enable_shared_from_this<WorkerPool::State> {
    State(std::size_t workers, std::size_t limit)
        : worker_count(std::max<std::size_t>(workers, 1)), queue_limit(limit) {}

    const std::size_t worker_count;
    const std::size_t queue_limit;
    std::mutex mutex;
    std::condition_variable work;
    std::condition_variable ended;
    // All below under the mutex.
    std::deque<std::function<void()>> queue;
    std::map<std::thread::id, std::thread> running;
    std::vector<std::thread> leaving;  // to be joined
    std::size_t threads = 0;
    std::size_t idle = 0;
    std::size_t waiting = 0;
    bool stopping = false;

    [[nodiscard]] std::size_t allowed() const {
        return worker_count + std::min(waiting, kMaxSpareThreads);
    }

    void start_thread_if_needed() {
        if (queue.size() <= idle || threads >= allowed()) {
            return;
        }
        try {
            std::thread thread([self = shared_from_this()] { self->run(); });
            running.emplace(thread.get_id(), std::move(thread));
            ++threads;
        } catch (const std::system_error&) {
            // The system gives no more threads: the ones there are do the work.
        }
    }

    void run();

    static State*& current() {
        thread_local State* state = nullptr;
        return state;
    }
};

void WorkerPool::State::run() {
    current() = this;
    std::unique_lock lock(mutex);
    while (true) {
        ++idle;
        work.wait(lock, [&] { return !queue.empty() || stopping || threads > allowed(); });
        --idle;
        if (queue.empty() || threads > allowed()) {
            break;
        }
        std::function<void()> job = std::move(queue.front());
        queue.pop_front();
        lock.unlock();
        job();
        job = nullptr;  // what the job holds is released before the thread counts as idle
        lock.lock();
    }
    --threads;
    if (auto own = running.extract(std::this_thread::get_id()); !own.empty()) {
        leaving.push_back(std::move(own.mapped()));
    }
    start_thread_if_needed();  // a spare that leaves must not strand a job it was woken for
    ended.notify_all();
}

WorkerPool::WorkerPool(std::size_t workers, std::size_t queue_limit)
    : state_(std::make_shared<State>(workers, queue_limit)) {}

WorkerPool::~WorkerPool() {
    stop(std::chrono::milliseconds(0));
}

bool WorkerPool::submit(std::function<void()> job) {
    std::vector<std::thread> leaving;
    bool is_taken = false;
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->stopping || state_->queue.size() >= state_->queue_limit) {
            return false;
        }
        state_->queue.push_back(std::move(job));
        state_->start_thread_if_needed();
        is_taken = state_->threads > 0;
        if (!is_taken) {
            state_->queue.pop_back();
        }
        leaving.swap(state_->leaving);
        state_->work.notify_one();
    }
    join_all(leaving);
    return is_taken;
}

WorkerPool::Waiting::Waiting() {
    if (State* state = State::current(); state != nullptr) {
        const std::lock_guard lock(state->mutex);
        ++state->waiting;
        state->start_thread_if_needed();
    }
}

WorkerPool::Waiting::~Waiting() {
    if (State* state = State::current(); state != nullptr) {
        const std::lock_guard lock(state->mutex);
        --state->waiting;
        state->work.notify_all();
    }
}

bool WorkerPool::stop(std::chrono::milliseconds wait) {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->work.notify_all();
    const bool all_ended = state_->ended.wait_for(lock, wait, [&] { return state_->threads == 0; });
    for (auto& [id, thread] : std::exchange(state_->running, {})) {
        thread.detach();
    }
    std::vector<std::thread> leaving = std::exchange(state_->leaving, {});
    lock.unlock();
    join_all(leaving);
    return all_ended;
}

}  // namespace tb::mcp
