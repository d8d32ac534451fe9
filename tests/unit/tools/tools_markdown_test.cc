// docs/tools.md says what the table of tools says.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "core/file_system.h"
#include "support/temp_dir.h"
#include "tools/content.h"
#include "tools/data/name_order.h"

namespace tb::tools {
namespace {

// Run with TB_WRITE_DOCS=1 to write the file anew:
//   TB_WRITE_DOCS=1 build/release/tools_test --gtest_filter='ToolsMarkdown.*'
TEST(ToolsMarkdown, FileEqualsTheTable) {
    const std::filesystem::path file = test::source_dir() / "docs" / "tools.md";
    const std::string text = render_tools_markdown();
    if (std::getenv("TB_WRITE_DOCS") != nullptr) {
        ASSERT_TRUE(write_file_atomically(file, text).has_value());
    }
    const auto stored = read_whole_file(real_file_system(), file, 10'000'000);
    ASSERT_TRUE(stored.has_value());
    EXPECT_TRUE(*stored == text)
        << "write docs/tools.md anew: TB_WRITE_DOCS=1 tools_test --gtest_filter='ToolsMarkdown.*'";
}

TEST(NameOrder, IsThatOfAFileManager) {
    const std::vector<std::string> sorted = {"",    " a", "_a", "-a", "1a",      "2",
                                             "10x", "a",  "A",  "a1", "ab",      "Ab",
                                             "AB",  "b",  "B2", "za", "\xC3\xA9"};
    std::vector<std::string> names = sorted;
    std::sort(names.begin(), names.end(),
              [](const auto& a, const auto& b) { return name_less(a, b); });
    // Digit by digit: "10x" comes before "1a".
    EXPECT_EQ(names,
              (std::vector<std::string>{"", " a", "_a", "-a", "10x", "1a", "2", "a", "A", "a1",
                                        "ab", "Ab", "AB", "b", "B2", "za", "\xC3\xA9"}));
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_FALSE(name_less(names[i], names[i]));
    }
}

}  // namespace
}  // namespace tb::tools
