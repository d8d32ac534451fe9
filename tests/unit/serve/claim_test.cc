#include "serve/claim.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "support/temp_dir.h"

namespace tb::serve {
namespace {

namespace fs = std::filesystem;

class ClaimTest : public ::testing::Test {
  protected:
    ClaimTest() {
        fs::create_directory(temp_.path() / "data");
        place_ = *place_of(temp_.path() / "data", temp_.path() / "run");
    }
    std::optional<Claim> claim() {
        auto claimed = try_claim(place_);
        EXPECT_TRUE(claimed.has_value()) << claimed.error().to_string();
        return claimed.has_value() ? std::move(*claimed) : std::nullopt;
    }
    // A process that owns the place until it is killed; returns when it does.
    pid_t start_owner() {
        std::array<int, 2> ready{};
        EXPECT_EQ(::pipe(ready.data()), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            const auto claimed = try_claim(place_);
            const char byte = claimed.has_value() && claimed->has_value() ? '1' : '0';
            [[maybe_unused]] const auto written = ::write(ready[1], &byte, 1);
            while (true) {
                ::pause();
            }
        }
        char byte = 0;
        EXPECT_EQ(::read(ready[0], &byte, 1), 1);
        EXPECT_EQ(byte, '1');
        ::close(ready[0]);
        ::close(ready[1]);
        return child;
    }
    static void kill_and_reap(pid_t child) {
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }

    test::TempDir temp_;
    Place place_;
};

TEST_F(ClaimTest, OnlyOneProcessHasIt) {
    const pid_t owner = start_owner();
    EXPECT_FALSE(claim().has_value());
    EXPECT_TRUE(dial(place_).has_value());
    kill_and_reap(owner);
}

TEST_F(ClaimTest, OnlyOneHolderEvenInOneProcess) {
    auto first = claim();
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(claim().has_value());
    first.reset();
    EXPECT_TRUE(claim().has_value());
}

TEST_F(ClaimTest, AKilledOwnerLeavesNothingInTheWay) {
    kill_and_reap(start_owner());
    EXPECT_TRUE(fs::exists(place_.socket())) << "the killed process could not remove it";
    EXPECT_EQ(dial(place_).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(claim().has_value());
}

TEST_F(ClaimTest, AnythingElseUnderTheNameOfTheSocketIsReplaced) {
    temp_.write(place_.socket(), "no socket");
    const auto mine = claim();
    ASSERT_TRUE(mine.has_value());
    EXPECT_TRUE(dial(place_).has_value());
}

TEST_F(ClaimTest, AnOwnerWhoseLockFileWasRemovedStaysTheOwner) {
    const pid_t owner = start_owner();
    fs::remove(place_.lock_file());
    EXPECT_FALSE(claim().has_value());
    kill_and_reap(owner);
    EXPECT_TRUE(claim().has_value());
}

TEST_F(ClaimTest, AnOwnerThatListensNoMoreStillHasTheClaim) {
    auto mine = claim();
    ASSERT_TRUE(mine.has_value());
    mine->stop_listening();
    EXPECT_EQ(dial(place_).error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(claim().has_value());
}

TEST_F(ClaimTest, TheSocketIsForTheOwnerAlone) {
    const auto mine = claim();
    ASSERT_TRUE(mine.has_value());
    struct stat status {};
    ASSERT_EQ(::stat(place_.socket().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    ASSERT_EQ(::stat(place_.lock_file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(ClaimTest, AProcessOfAnotherUserIsTurnedAway) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can become another user";
    }
    const auto mine = claim();
    ASSERT_TRUE(mine.has_value());
    // Even if the folders let it through.
    fs::permissions(place_.socket(), fs::perms(0777));
    for (fs::path folder = place_.folder; folder != temp_.path().parent_path();
         folder = folder.parent_path()) {
        fs::permissions(folder, fs::perms(0755));
    }
    const pid_t child = ::fork();
    if (child == 0) {
        const bool changed = ::setgid(65534) == 0 && ::setuid(65534) == 0;
        // It sees that the socket is not one of its own user, too.
        const auto there = dial(place_);
        const bool refused = !there.has_value() && there.error().code == ErrorCode::kRefused;
        ::_exit(changed && refused ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    pollfd waiting{mine->listener(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, 5'000), 1);
    EXPECT_FALSE(accept_peer(mine->listener()).valid());
    // One of our own is welcome.
    const auto own = dial(place_);
    ASSERT_TRUE(own.has_value());
    ASSERT_EQ(::poll(&waiting, 1, 5'000), 1);
    EXPECT_TRUE(accept_peer(mine->listener()).valid());
}

}  // namespace
}  // namespace tb::serve
