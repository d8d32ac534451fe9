// docs/tools.md says what the table of tools says.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "core/file_system.h"
#include "support/temp_dir.h"
#include "tools/content.h"

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

}  // namespace
}  // namespace tb::tools
