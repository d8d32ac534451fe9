#include "analytics/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace tb::analytics {

namespace {

constexpr std::size_t kProgressReports = 20;

// Everything the threads of one loop share.
struct LoopState {
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> done{0};
    std::atomic<bool> stop{false};
    std::atomic<bool> cancelled{false};
    std::mutex mutex;
    std::exception_ptr failure;  // guarded by mutex
};

void report_progress(const RunContext& context, const ParallelLoop& loop, std::size_t done,
                     std::size_t& reported) {
    const std::size_t step = std::max<std::size_t>(1, loop.count / kProgressReports);
    if (context.progress && (done >= reported + step || done == loop.count)) {
        reported = done;
        context.progress(Progress{done, loop.count, loop.unit, loop.message});
    }
}

void work(const RunContext& context, const ParallelLoop& loop, LoopState& state,
          const std::function<void(std::size_t, std::size_t)>& body, bool is_caller) {
    const std::size_t chunk = std::max<std::size_t>(1, loop.chunk);
    std::size_t reported = 0;
    while (!state.stop.load(std::memory_order_relaxed)) {
        if (context.cancel.cancelled()) {
            state.cancelled = true;
            state.stop = true;
            return;
        }
        const std::size_t begin = state.next.fetch_add(chunk);
        if (begin >= loop.count) {
            return;
        }
        const std::size_t end = std::min(loop.count, begin + chunk);
        try {
            body(begin, end);
            const std::size_t done = state.done.fetch_add(end - begin) + (end - begin);
            if (is_caller) {
                report_progress(context, loop, done, reported);
            }
        } catch (...) {
            const std::lock_guard lock(state.mutex);
            if (!state.failure) {
                state.failure = std::current_exception();
            }
            state.stop = true;
            return;
        }
    }
}

}  // namespace

unsigned thread_count(const RunContext& context) {
    const unsigned wanted =
        context.threads != 0 ? context.threads : std::thread::hardware_concurrency();
    return std::clamp(wanted, 1U, kMaxThreads);
}

Result<void> parallel_for(const RunContext& context, const ParallelLoop& loop,
                          const std::function<void(std::size_t, std::size_t)>& body) {
    LoopState state;
    const std::size_t chunk = std::max<std::size_t>(1, loop.chunk);
    const std::size_t chunks = loop.count / chunk + (loop.count % chunk != 0 ? 1 : 0);
    const std::size_t threads = std::min<std::size_t>(thread_count(context), chunks);

    std::vector<std::thread> helpers;
    try {
        for (std::size_t i = 1; i < threads; ++i) {
            helpers.emplace_back([&] { work(context, loop, state, body, false); });
        }
    } catch (const std::system_error&) {
        // No more threads to be had: the loop is complete with fewer of them.
    } catch (...) {
        state.stop = true;
        for (auto& helper : helpers) {
            helper.join();
        }
        throw;
    }
    work(context, loop, state, body, true);
    for (auto& helper : helpers) {
        helper.join();
    }
    if (state.failure) {
        std::rethrow_exception(state.failure);
    }
    if (state.cancelled) {
        return make_error(ErrorCode::kInterrupted, "cancelled");
    }
    return {};
}

}  // namespace tb::analytics
