// Helpers of the db tests: results that must hold, first cells, and processes that hold or leave a
// database file. Single-thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/unique_fd.h"
#include "db/connection.h"

namespace tb::db::test {

// The value, or a test failure with the error's text.
template <class T>
T must(Result<T> result) {
    if (!result.has_value()) {
        throw std::runtime_error(std::string(error_code_name(result.error().code)) + ": " +
                                 result.error().to_string());
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*result);
    }
}

// Cell (0, 0) of a query.
template <class T>
T cell(Connection& connection, std::string_view sql) {
    Rows rows = must(connection.collect(sql));
    if (!must(rows.next())) {
        throw std::runtime_error("no rows: " + std::string(sql));
    }
    return rows.get<T>(0);
}

// Column 0 as texts.
std::vector<std::string> texts(Connection& connection, std::string_view sql);

// Another process (this program again) that has the database file open until it is told to end.
class HoldingProcess {
  public:
    enum class Ending { kClosesFile, kDies };
    // Runs `sql` on the file, then reports that it is ready.
    HoldingProcess(const std::filesystem::path& file, std::string_view sql);
    HoldingProcess(const HoldingProcess&) = delete;
    HoldingProcess& operator=(const HoldingProcess&) = delete;
    HoldingProcess(HoldingProcess&&) = delete;
    HoldingProcess& operator=(HoldingProcess&&) = delete;
    ~HoldingProcess() { end(Ending::kDies); }

    [[nodiscard]] pid_t pid() const { return pid_; }
    // kDies: killed, so that the write-ahead log stays behind. Waits for its end.
    void end(Ending ending);

  private:
    pid_t pid_ = -1;
    UniqueFd release_;
};

// A folder this process cannot write to while the object lives (also when it runs as root).
class UnwritableFolder {
  public:
    explicit UnwritableFolder(std::filesystem::path folder);
    UnwritableFolder(const UnwritableFolder&) = delete;
    UnwritableFolder& operator=(const UnwritableFolder&) = delete;
    UnwritableFolder(UnwritableFolder&&) = delete;
    UnwritableFolder& operator=(UnwritableFolder&&) = delete;
    ~UnwritableFolder();

  private:
    std::filesystem::path folder_;
    bool was_root_;
};

}  // namespace tb::db::test
