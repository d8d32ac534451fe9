#include "tool_support.h"

#include "tools/registry.h"

namespace tb::tools {

using mcp::Json;

ToolTest::ToolTest() : app_({.data_dir = dir_.path(), .store = {}, .import_roots = {}}) {
    auto registry = make_registry(app_);
    EXPECT_TRUE(registry.has_value()) << registry.error().to_string();
    registry_ = std::move(*registry);
}

Answer ToolTest::call(const std::string& tool, const Json& arguments, std::size_t budget) {
    mcp::ToolContext context;
    context.set_budget_chars(budget);
    return call(tool, arguments, context);
}

Answer ToolTest::call(const std::string& tool, const Json& arguments, mcp::ToolContext& context) {
    const mcp::ToolSpec* const spec = registry_.find(tool);
    if (spec == nullptr) {
        ADD_FAILURE() << "no tool " << tool;
        return {};
    }
    auto result = mcp::call_tool(*spec, context, arguments);
    if (!result.has_value()) {
        return {"", Json(), result.error().message.empty() ? "(no text)" : result.error().message};
    }
    Answer answer{result->text, *result->structured, ""};
    for (const std::string& problem : mcp::check_result(spec->results, answer.json)) {
        ADD_FAILURE() << tool << ": " << problem;
    }
    EXPECT_FALSE(answer.text.empty());
    return answer;
}

Json ToolTest::json_of(const std::string& tool, const Json& arguments) {
    const Answer answer = call(tool, arguments);
    EXPECT_TRUE(answer.ok()) << tool << ": " << answer.error;
    return answer.json;
}

void ToolTest::write_block(const std::string& id, std::string_view rows) const {
    dir_.write(id + "/tradelog.csv", std::string(kTradeHeader) + std::string(rows));
}

void ToolTest::copy_real_blocks() const {
    for (const char* const id : {"EMA Test Data", "MEIC Test Data"}) {
        std::filesystem::copy(tb::test::shared_dir() / "data/blocks" / id, dir_.path() / id,
                              std::filesystem::copy_options::recursive);
    }
}

}  // namespace tb::tools
