// TB_CHECK: an invariant of ours that no input may break. Always on; prints the reason to stderr
// and aborts before wrong data can reach the database. Never for bad input: that is an Error.
#pragma once

namespace tb {
[[noreturn]] void check_failed(const char* condition, const char* why, const char* file, int line);
}  // namespace tb

#define TB_CHECK(condition, why)                                       \
    do {                                                               \
        if (!(condition)) {                                            \
            ::tb::check_failed(#condition, (why), __FILE__, __LINE__); \
        }                                                              \
    } while (false)
