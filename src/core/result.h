// Errors as values: every function that can fail for a reason its caller should decide about
// returns Result<T>. Programmer errors are TB_CHECK (core/check.h); exceptions of third-party code
// are caught once at the boundary and turned into an Error.
//
// Thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace tb {

enum class ErrorCode {
    kInvalidArgument,  // the caller's input is wrong; the message names what is allowed
    kNotFound,         // the named thing does not exist
    kParse,            // file or message text is malformed
    kIo,               // the operating system refused or failed
    kBusy,             // changing right now or out of capacity; the same call may succeed later
    kLocked,           // another process holds the database
    kDatabase,         // the engine reported an error
    kRefused,          // understood, but not allowed (read-only SQL, path outside the data folder)
    kInterrupted,      // cancelled or deadline passed
    kResourceExhausted,  // a named limit was hit; the message holds the limit
    kInternal,           // a bug of ours, or an exception nobody expected
};

// Stable lower-case name of a code, for JSON and logs ("invalid_argument").
[[nodiscard]] std::string_view error_code_name(ErrorCode code);

struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string message;  // for people: value seen, value wanted, what to do
    std::string context;  // where: file:row:column, table, or tool name; may be empty

    // "context: message", or the message alone.
    [[nodiscard]] std::string to_string() const;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> make_error(ErrorCode code, std::string message,
                                                      std::string context = {}) {
    return tl::unexpected<Error>(Error{code, std::move(message), std::move(context)});
}

// The same error with `prefix` put in front of its context, for the way up.
[[nodiscard]] tl::unexpected<Error> with_context(Error error, std::string_view prefix);

}  // namespace tb

#define TB_CONCAT_INNER(a, b) a##b
#define TB_CONCAT(a, b) TB_CONCAT_INNER(a, b)

// TB_TRY(auto x, f());  -> x = value, or return the error from this function.
#define TB_TRY(decl, expr) TB_TRY_INNER(TB_CONCAT(tb_try_, __LINE__), decl, expr)
#define TB_TRY_INNER(tmp, decl, expr)                  \
    auto&& tmp = (expr);                               \
    if (!tmp.has_value()) {                            \
        return tl::unexpected<tb::Error>(tmp.error()); \
    }                                                  \
    decl = std::move(*tmp)

// TB_RETURN_IF_ERROR(f());  -> for Result<void>: return the error from this function.
#define TB_RETURN_IF_ERROR(expr)                                 \
    do {                                                         \
        if (auto&& tb_result = (expr); !tb_result.has_value()) { \
            return tl::unexpected<tb::Error>(tb_result.error()); \
        }                                                        \
    } while (false)
