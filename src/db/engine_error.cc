#include "db/engine_error.h"

#include <string>

#include <fmt/format.h>

namespace tb::db {

namespace {

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

ErrorCode code_of(std::string_view text) {
    if (contains(text, "Could not set lock on file")) {
        return ErrorCode::kLocked;
    }
    if (text.starts_with("INTERRUPT Error")) {
        return ErrorCode::kInterrupted;
    }
    if (text.starts_with("Out of Memory Error") || contains(text, "No space left on device") ||
        contains(text, "Disk quota exceeded") || contains(text, "File too large")) {
        return ErrorCode::kResourceExhausted;
    }
    for (const std::string_view system_said :
         {"No such file or directory", "Permission denied", "Operation not permitted",
          "Read-only file system", "Input/output error", "Not a directory", "Is a directory",
          "Too many open files"}) {
        if (contains(text, system_said)) {
            return ErrorCode::kIo;
        }
    }
    return ErrorCode::kDatabase;
}

}  // namespace

Error error_from_text(std::string_view text) {
    // Behind a failed assertion the engine lists its call stack, with where the program lies.
    text = text.substr(0, text.find("\n\nStack Trace:"));
    const ErrorCode code = code_of(text);
    if (code != ErrorCode::kLocked) {
        return Error{code, std::string(text), {}};
    }
    // "... Conflicting lock is held in /usr/bin/x (PID 123). See also ..." The pid first: it is
    // what the reader can act on, and lock_holder() reads it back.
    Error error{code, {}, {}};
    const std::size_t pid = text.find("(PID ");
    const std::size_t end = pid == std::string_view::npos ? pid : text.find(')', pid);
    if (end == std::string_view::npos) {
        error.message = "the database is in use by another process: " + std::string(text);
    } else {
        error.message =
            fmt::format("the database is in use by process {}; end it or wait for it ({})",
                        text.substr(pid + 5, end - pid - 5), text.substr(0, end + 1));
    }
    return error;
}

}  // namespace tb::db
