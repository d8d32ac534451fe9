// Loops over an index range on several threads, for simulations whose items are independent.
//
// The range is cut into chunks that threads take in order; which thread takes which chunk is not
// determined, so a body writes only to slots belonging to its own indices and every reduction over
// them happens afterwards, in index order. That is what makes a result the same for any number of
// threads.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "core/cancel.h"
#include "core/progress.h"
#include "core/result.h"

namespace tb::analytics {

// How long work runs and whom it tells. No clock is read: progress is reported about 20 times over
// the whole loop, always from the calling thread.
struct RunContext {
    unsigned threads = 0;  // 0 = as many as the machine has; never more than kMaxThreads
    CancelToken cancel;
    ProgressCallback progress;  // may be empty
};

inline constexpr unsigned kMaxThreads = 64;

// The number of threads a context asks for on this machine, at least 1.
[[nodiscard]] unsigned thread_count(const RunContext& context);

struct ParallelLoop {
    std::size_t count = 0;  // indices 0 .. count-1
    std::size_t chunk = 1;  // indices a thread takes at a time; at least 1
    std::string unit;       // for progress: "simulations"
    std::string message;
};

// Calls body(begin, end) for every chunk. kInterrupted once the token is cancelled (checked before
// each chunk); an exception of a body stops the loop and is thrown again here. If the system
// refuses a thread the loop runs with those it has.
[[nodiscard]] Result<void> parallel_for(const RunContext& context, const ParallelLoop& loop,
                                        const std::function<void(std::size_t, std::size_t)>& body);

}  // namespace tb::analytics
