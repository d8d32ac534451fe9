#include "core/result.h"

namespace tb {

std::string_view error_code_name(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return "invalid_argument";
        case ErrorCode::kNotFound:
            return "not_found";
        case ErrorCode::kParse:
            return "parse";
        case ErrorCode::kIo:
            return "io";
        case ErrorCode::kBusy:
            return "busy";
        case ErrorCode::kLocked:
            return "locked";
        case ErrorCode::kDatabase:
            return "database";
        case ErrorCode::kRefused:
            return "refused";
        case ErrorCode::kInterrupted:
            return "interrupted";
        case ErrorCode::kResourceExhausted:
            return "resource_exhausted";
        case ErrorCode::kInternal:
            return "internal";
    }
    return "internal";
}

std::string Error::to_string() const {
    return context.empty() ? message : context + ": " + message;
}

tl::unexpected<Error> with_context(Error error, std::string_view prefix) {
    error.context =
        error.context.empty() ? std::string(prefix) : std::string(prefix) + ": " + error.context;
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace tb
