// Runs every recorded case of shared/golden/core through the tool of the same name with
// conventions "reference" and compares the figures (00 §5).
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "golden/compare.h"
#include "golden/monte_carlo_compare.h"
#include "mcp/context.h"
#include "mcp/tool.h"
#include "support/temp_dir.h"
#include "tools/app.h"
#include "tools/registry.h"

namespace tb::golden {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> golden_names() {
    std::vector<std::string> names;
    const fs::path shared = test::shared_dir();
    if (shared.empty() || !fs::exists(shared / "golden" / "core")) {
        return names;
    }
    for (const auto& entry : fs::directory_iterator(shared / "golden" / "core")) {
        if (entry.path().extension() == ".json") {
            names.push_back(entry.path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

Json read_case(const std::string& name) {
    std::ifstream file(test::shared_dir() / "golden" / "core" / (name + ".json"));
    return Json::parse(file);
}

// The five blocks and the daily rates in a folder of their own, for all cases together.
class Blocks {
  public:
    Blocks() {
        const fs::path data = test::shared_dir() / "data";
        fs::copy(data / "blocks", folder_.path(), fs::copy_options::recursive);
        fs::create_directories(folder_.path() / "_marketdata");
        fs::copy_file(data / "rates" / "treasury_3m_daily.csv",
                      folder_.path() / "_marketdata" / "treasury_rates.csv");
        tools::AppOptions options;
        options.data_dir = folder_.path();
        app_ = std::make_unique<tools::App>(std::move(options));
        auto made = tools::make_registry(*app_);
        if (made.has_value()) {
            registry_ = std::move(*made);
        } else {
            ADD_FAILURE() << made.error().to_string();
        }
    }
    static Blocks& get() {
        static Blocks blocks;
        return blocks;
    }

    [[nodiscard]] const mcp::ToolSpec* tool(const std::string& name) const {
        return registry_.find(name);
    }

  private:
    test::TempDir folder_;
    std::unique_ptr<tools::App> app_;
    mcp::ToolRegistry registry_;
};

mcp::Outcome<mcp::ToolResult> call(const mcp::ToolSpec& tool, const Json& arguments) {
    mcp::ToolContext context;  // no budget: complete
    return mcp::call_tool(tool, context, arguments);
}

bool is_error_or_empty(const Json& recorded) {
    return recorded.contains("isError");
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, FiguresAreTheReferences) {
    const Json recorded = read_case(GetParam());
    const mcp::ToolSpec* const tool = Blocks::get().tool(recorded["tool"].get<std::string>());
    ASSERT_NE(tool, nullptr) << "no tool " << recorded["tool"];
    Json arguments = recorded["arguments"];
    arguments["conventions"] = "reference";
    const auto result = call(*tool, arguments);
    if (is_error_or_empty(recorded["result"])) {
        EXPECT_FALSE(result.has_value()) << result->structured->dump().substr(0, 500);
        return;
    }
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ((*result->structured)["conventions"], "reference");
    EXPECT_EQ(mcp::check_result(tool->results, *result->structured), std::vector<std::string>{});
    std::vector<std::string> found = differences(recorded["result"], *result->structured);
    if (recorded["result"].contains("distribution")) {
        const std::vector<std::string> more =
            distribution_differences(recorded["result"]["distribution"], [&](int seed) {
                arguments["randomSeed"] = seed;
                const auto seeded = call(*tool, arguments);
                return seeded.has_value() ? *seeded->structured : Json();
            });
        found.insert(found.end(), more.begin(), more.end());
    }
    std::string report;
    for (std::size_t i = 0; i < found.size() && i < 10; ++i) {
        report += "\n  " + found[i];
    }
    EXPECT_TRUE(found.empty()) << found.size() << " differences" << report;
}

std::string test_name(const testing::TestParamInfo<std::string>& golden) {
    std::string name = golden.param;
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Core, Golden, testing::ValuesIn(golden_names()), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Golden);

// A new recorded case without a tool would otherwise be a failure in the middle of many.
TEST(GoldenFiles, HaveAToolEach) {
    TB_REQUIRE_SHARED();
    for (const std::string& name : golden_names()) {
        const std::string tool = name.substr(0, name.find("__"));
        EXPECT_NE(Blocks::get().tool(tool), nullptr) << name;
    }
}

TEST(GoldenFiles, AreAllThere) {
    TB_REQUIRE_SHARED();
    EXPECT_GE(golden_names().size(), 168U);
}

}  // namespace
}  // namespace tb::golden
