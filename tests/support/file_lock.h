// Whether another process could take the write lock of a file, as the engine of a second program
// would try it. Opens the file only in a child process: a descriptor closed in this one would drop
// the very lock that is asked about.
#pragma once

#include <filesystem>

namespace tb::test {

[[nodiscard]] bool another_process_can_lock(const std::filesystem::path& file);

}  // namespace tb::test
