// get_backtest_help: what the backtester offers, by topic (01 §6.7).
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/arguments.h"
#include "tools/data/backtest_guide.h"
#include "tools/data/tools.h"

namespace tb::tools {

namespace {

namespace field = mcp::field;
using mcp::Json;

std::vector<std::string> topic_names() {
    std::vector<std::string> names;
    for (const GuideTopic& topic : guide_topics()) {
        names.emplace_back(topic.name);
    }
    return names;
}

mcp::Outcome<mcp::ToolResult> get_backtest_help(const Json& arguments) {
    const std::string name = *text_argument(arguments, "topic");
    const auto topics = guide_topics();
    const auto topic = std::find_if(topics.begin(), topics.end(),
                                    [&](const GuideTopic& entry) { return entry.name == name; });
    std::string content(topic->content);
    if (const auto subtopic = text_argument(arguments, "subtopic")) {
        content = sections_about(content, *subtopic);
    }
    std::string text = "# " + std::string(topic->title) + "\n\n" + content;
    Json result = {{"topic", topic->name},
                   {"title", topic->title},
                   {"content", std::move(content)},
                   {"availableTopics", topic_names()}};
    return mcp::ToolResult{.text = std::move(text), .structured = std::move(result)};
}

}  // namespace

mcp::ToolSpec get_backtest_help_tool() {
    return {.name = "get_backtest_help",
            .title = "Backtester guide",
            .description =
                "How Option Omega backtests are set up and exported. About the backtester, not the "
                "data: for that use list_blocks.",
            .toolset = "core",
            .annotations = mcp::Annotations::reads(),
            .scope = "",
            .arguments = {field::choice("topic", topic_names(), "Topic").required(),
                          field::text("subtopic", "Only sections that hold these words")},
            .results = {field::text("topic", "Topic"), field::text("title", "Its title"),
                        field::text("content", "Markdown"),
                        field::list("availableTopics", field::text_schema(), "All topics")},
            .handler = [](mcp::ToolContext&, const Json& arguments) {
                return get_backtest_help(arguments);
            }};
}

}  // namespace tb::tools
