// Runs every recorded case through the tool of the same name with conventions "reference" and
// compares the figures: the own set, and the one beside the checkout where there is one.
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

// A set of recorded answers and the blocks they were recorded on: `core/*.json` below `cases`.
struct GoldenSet {
    fs::path cases;
    fs::path blocks;
    fs::path rates;
};

// Answers on data made by this project's own generator; part of every clone.
GoldenSet own_set() {
    const fs::path own = test::source_dir() / "tests" / "golden" / "own";
    return {own, own / "blocks", own / "_marketdata" / "treasury_rates.csv"};
}

// Answers on real exports, which a clone does not have; empty paths without them.
GoldenSet shared_set() {
    const fs::path shared = test::shared_dir();
    if (shared.empty() || !fs::exists(shared / "golden" / "core")) {
        return {};
    }
    const fs::path data = shared / "data";
    return {shared / "golden", data / "blocks", data / "rates" / "treasury_3m_daily.csv"};
}

std::vector<std::string> golden_names(const GoldenSet& set) {
    std::vector<std::string> names;
    if (set.cases.empty()) {
        return names;
    }
    for (const auto& entry : fs::directory_iterator(set.cases / "core")) {
        if (entry.path().extension() == ".json") {
            names.push_back(entry.path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

Json read_case(const GoldenSet& set, const std::string& name) {
    std::ifstream file(set.cases / "core" / (name + ".json"));
    return Json::parse(file);
}

// The blocks of a set and its daily rates in a folder of their own, for all cases together.
class Blocks {
  public:
    explicit Blocks(const GoldenSet& set) {
        fs::copy(set.blocks, folder_.path(), fs::copy_options::recursive);
        fs::create_directories(folder_.path() / "_marketdata");
        fs::copy_file(set.rates, folder_.path() / "_marketdata" / "treasury_rates.csv");
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
    static Blocks& own() {
        static Blocks blocks(own_set());
        return blocks;
    }
    static Blocks& shared() {
        static Blocks blocks(shared_set());
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

void expect_recorded_figures(const Json& recorded, const Blocks& blocks) {
    const mcp::ToolSpec* const tool = blocks.tool(recorded["tool"].get<std::string>());
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

class OwnGolden : public testing::TestWithParam<std::string> {};

TEST_P(OwnGolden, FiguresAreTheReferences) {
    expect_recorded_figures(read_case(own_set(), GetParam()), Blocks::own());
}

class SharedGolden : public testing::TestWithParam<std::string> {};

TEST_P(SharedGolden, FiguresAreTheReferences) {
    expect_recorded_figures(read_case(shared_set(), GetParam()), Blocks::shared());
}

std::string test_name(const testing::TestParamInfo<std::string>& golden) {
    std::string name = golden.param;
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Core, OwnGolden, testing::ValuesIn(golden_names(own_set())), test_name);
INSTANTIATE_TEST_SUITE_P(Core, SharedGolden, testing::ValuesIn(golden_names(shared_set())),
                         test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SharedGolden);

// A new recorded case without a tool would otherwise be a failure in the middle of many.
TEST(GoldenFiles, HaveAToolEach) {
    std::vector<std::string> names = golden_names(own_set());
    for (const std::string& name : golden_names(shared_set())) {
        names.push_back(name);
    }
    for (const std::string& name : names) {
        const std::string tool = name.substr(0, name.find("__"));
        EXPECT_NE(Blocks::own().tool(tool), nullptr) << name;
    }
}

// Every analytics tool is held against recorded figures in a clone that has nothing else.
TEST(GoldenFiles, OwnSetCoversAllAnalyticsTools) {
    std::map<std::string, int> cases;
    for (const std::string& name : golden_names(own_set())) {
        ++cases[name.substr(0, name.find("__"))];
    }
    EXPECT_EQ(cases.size(), 12U);
    EXPECT_GE(golden_names(own_set()).size(), 233U);
}

TEST(GoldenFiles, SharedSetIsWhole) {
    TB_REQUIRE_SHARED();
    EXPECT_GE(golden_names(shared_set()).size(), 168U);
}

}  // namespace
}  // namespace tb::golden
