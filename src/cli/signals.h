// Ctrl-C and termination while a command runs: the first cancels, so that the work stops at its
// next check point and leaves a consistent database; the second ends the process at once.
//
// Make it before any other thread is started, because signals are blocked in the threads that come
// after and taken by one thread of its own. One per process. Thread-safe.
#pragma once

#include <memory>

#include "core/cancel.h"

namespace tb::cli {

class SignalWatcher {
  public:
    // SIGINT, SIGTERM and SIGHUP cancel; SIGPIPE is ignored (writing then says EPIPE).
    SignalWatcher();
    SignalWatcher(const SignalWatcher&) = delete;
    SignalWatcher& operator=(const SignalWatcher&) = delete;
    SignalWatcher(SignalWatcher&&) = delete;
    SignalWatcher& operator=(SignalWatcher&&) = delete;
    ~SignalWatcher();

    [[nodiscard]] CancelToken token() const { return source_.token(); }

  private:
    struct Impl;
    CancelSource source_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tb::cli
