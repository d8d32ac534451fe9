// A folder of its own for one test, removed afterwards. Thread-compatible.
#pragma once

#include <filesystem>
#include <string_view>

namespace tb::test {

class TempDir {
  public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    TempDir(TempDir&&) = delete;
    TempDir& operator=(TempDir&&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    // Writes a file below the folder, making parent folders; returns its full path.
    std::filesystem::path write(const std::filesystem::path& relative,
                                std::string_view content) const;
    [[nodiscard]] std::string read(const std::filesystem::path& relative) const;

  private:
    std::filesystem::path path_;
};

// The root of the checkout the tests were built from.
[[nodiscard]] std::filesystem::path source_dir();

// The folder with real exports and golden figures beside the checkout (TB_SHARED overrides), or an
// empty path where there is none: tests that need it then skip and say so.
[[nodiscard]] std::filesystem::path shared_dir();

}  // namespace tb::test

// First line of a test that needs the real data.
#define TB_REQUIRE_SHARED()                                                                \
    if (tb::test::shared_dir().empty()) {                                                  \
        GTEST_SKIP() << "needs the shared data folder beside the checkout (or TB_SHARED)"; \
    }
