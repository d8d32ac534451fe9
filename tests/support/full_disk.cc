#include "support/full_disk.h"

namespace tb::test {

FullDisk::FullDisk(std::uint64_t bytes) {
    // The write that goes too far is to fail, not to end the process.
    handler_before_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit full = before_;
    full.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &full);
}

FullDisk::~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_before_);
}

}  // namespace tb::test
