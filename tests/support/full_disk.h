// A disk that is full for this process: while the object lives, no file it writes grows beyond
// `bytes` (a limit of the system, RLIMIT_FSIZE). Shorter files can still be written.
//
// One at a time in a process.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <cstdint>

namespace tb::test {

class FullDisk {
  public:
    explicit FullDisk(std::uint64_t bytes);
    ~FullDisk();
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;
    FullDisk(FullDisk&&) = delete;
    FullDisk& operator=(FullDisk&&) = delete;

  private:
    rlimit before_{};
    void (*handler_before_)(int) = SIG_DFL;
};

}  // namespace tb::test
