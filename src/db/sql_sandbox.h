// What a worker process for queries gives up before it looks at anything of a user's
// (sql_worker.h). Linux; elsewhere, and where the kernel lacks a part, that part is left out and
// the others hold.
//
// For .cc files of src/db only. Called on the main thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace tb::db::detail {

enum class ProcessMemory : std::uint8_t { kResident = 1, kData = 5 };  // places in /proc/self/statm
// In bytes; 0 where it cannot be told. kData is what RLIMIT_DATA counts.
[[nodiscard]] std::uint64_t process_memory(ProcessMemory kind);

// At the start: no descriptors but 0, 1 and 2, no core dumps, last in line for the processor and
// first in line when memory runs out.
void leave_everything_behind();

// Ends the process when the other side of the socket is gone, whatever the process is busy with.
// The thread lives as long as the process.
void end_with(int socket);

// At once: what the engine holds goes with the process.
[[noreturn]] void end_process(int status);

struct SandboxLimits {
    std::uint64_t memory_bytes = 0;     // beyond what the process has now
    std::chrono::seconds cpu{0};        // of all threads together
    std::chrono::milliseconds wall{0};  // the process ends itself after that
};
// From here on no file or socket can be opened and no process started; what is open stays.
void enter_sandbox(const SandboxLimits& limits);

}  // namespace tb::db::detail
