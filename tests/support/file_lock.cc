#include "support/file_lock.h"

#include <sys/wait.h>

#include <fcntl.h>
#include <unistd.h>

namespace tb::test {

bool another_process_can_lock(const std::filesystem::path& file) {
    const pid_t child = ::fork();
    if (child == 0) {
        struct flock wanted {};
        wanted.l_type = F_WRLCK;
        wanted.l_whence = SEEK_SET;
        const int fd = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
        ::_exit(fd >= 0 && ::fcntl(fd, F_SETLK, &wanted) == 0 ? 0 : 1);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

}  // namespace tb::test
