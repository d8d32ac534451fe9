// What the shell sees (00 §8). Stable: scripts depend on it.
#pragma once

#include "core/result.h"

namespace tb::cli {

enum class ExitCode : int {
    kDone = 0,
    kFailed = 1,
    kUsage = 2,         // the command line itself is wrong
    kPartly = 3,        // done, but some blocks failed or were deferred
    kBusy = 4,          // data directory busy or locked by another process
    kInterrupted = 130  // Ctrl-C; the database is consistent
};

[[nodiscard]] inline ExitCode exit_code_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::kLocked:
        case ErrorCode::kBusy:
            return ExitCode::kBusy;
        case ErrorCode::kInterrupted:
            return ExitCode::kInterrupted;
        default:
            return ExitCode::kFailed;
    }
}

}  // namespace tb::cli
