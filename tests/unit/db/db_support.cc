#include "db_support.h"

#include <sys/wait.h>

#include <array>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "db/database.h"

namespace tb::db::test {

std::vector<std::string> texts(Connection& connection, std::string_view sql) {
    Rows rows = must(connection.query(sql));
    std::vector<std::string> values;
    while (must(rows.next())) {
        values.push_back(rows.get<std::string>(0));
    }
    return values;
}

HoldingProcess::HoldingProcess(const std::filesystem::path& file, std::string_view sql) {
    std::array<int, 2> ready{};
    std::array<int, 2> release{};
    if (::pipe(ready.data()) != 0 || ::pipe(release.data()) != 0) {
        throw std::runtime_error("no pipes");
    }
    // Only simple calls between fork and exec: other threads of this process may hold locks.
    const std::vector<std::string> variables = {
        "TB_TEST_HOLD_FILE=" + file.string(), "TB_TEST_HOLD_SQL=" + std::string(sql),
        "TB_TEST_HOLD_READY=" + std::to_string(ready[1]),
        "TB_TEST_HOLD_RELEASE=" + std::to_string(release[0])};
    std::vector<char*> environment;
    for (const std::string& variable : variables) {
        environment.push_back(const_cast<char*>(variable.c_str()));
    }
    for (char** inherited = ::environ; *inherited != nullptr; ++inherited) {
        environment.push_back(*inherited);
    }
    environment.push_back(nullptr);
    std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
    std::string filter = "--gtest_filter=OtherProcess.DISABLED_HoldsFile";
    std::string disabled = "--gtest_also_run_disabled_tests";
    std::string brief = "--gtest_brief=1";
    const std::array<char*, 5> arguments = {program.data(), filter.data(), disabled.data(),
                                            brief.data(), nullptr};
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(ready[0]);
        ::close(release[1]);
        const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        ::dup2(nowhere, STDOUT_FILENO);
        ::dup2(nowhere, STDERR_FILENO);
        ::execve(program.c_str(), arguments.data(), environment.data());
        ::_exit(127);
    }
    ::close(ready[1]);
    ::close(release[0]);
    release_.reset(release[1]);
    const UniqueFd reader(ready[0]);
    char byte = 0;
    if (pid_ < 0 || ::read(reader.get(), &byte, 1) != 1) {
        throw std::runtime_error("the holding process did not get ready");
    }
}

void HoldingProcess::end(Ending ending) {
    if (pid_ < 0) {
        return;
    }
    if (ending == Ending::kDies) {
        ::kill(pid_, SIGKILL);
    }
    release_.reset();
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
}

UnwritableFolder::UnwritableFolder(std::filesystem::path folder)
    : folder_(std::move(folder)), was_root_(::geteuid() == 0) {
    using std::filesystem::perms;
    std::filesystem::permissions(folder_, perms::owner_read | perms::owner_exec |
                                              perms::group_read | perms::group_exec |
                                              perms::others_read | perms::others_exec);
    constexpr uid_t kNobody = 65534;
    if (was_root_ && ::seteuid(kNobody) != 0) {
        throw std::runtime_error("cannot give up root");
    }
}

UnwritableFolder::~UnwritableFolder() {
    if (was_root_ && ::seteuid(0) != 0) {
        std::abort();  // the other tests would fail for a reason that is hard to see
    }
    std::error_code ignored;
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, ignored);
}

// The other process: not a test by itself, run by HoldingProcess only.
TEST(OtherProcess, DISABLED_HoldsFile) {
    const char* const file = std::getenv("TB_TEST_HOLD_FILE");
    const char* const sql = std::getenv("TB_TEST_HOLD_SQL");
    const char* const ready = std::getenv("TB_TEST_HOLD_READY");
    const char* const release = std::getenv("TB_TEST_HOLD_RELEASE");
    ASSERT_TRUE(file != nullptr && sql != nullptr && ready != nullptr && release != nullptr);
    const Database database = must(Database::open(file));
    Connection connection = must(database.connect());
    must(connection.execute(sql));
    ASSERT_EQ(::write(std::stoi(ready), "r", 1), 1);
    char byte = 0;
    ASSERT_EQ(::read(std::stoi(release), &byte, 1), 0);  // until the other end is closed
}

}  // namespace tb::db::test
