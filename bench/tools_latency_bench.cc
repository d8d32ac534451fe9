// Latency of the tools end to end: fresh check of the block, cached rows, figures, JSON and text.
// TB_BENCH_DIR names a data directory (`tradeblocks demo DIR --blocks 1 --trades 2000 --no-sync`);
// its first block is used. Target: median within 10 ms for the statistics tools.
#include <cstdlib>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include "mcp/tool.h"
#include "tools/app.h"
#include "tools/registry.h"

namespace {

using tb::mcp::Json;

struct Server {
    std::unique_ptr<tb::tools::App> app;
    tb::mcp::ToolRegistry registry;
    std::string block;
};

// Null when there is no directory to work on.
Server* server() {
    static const std::unique_ptr<Server> made = []() -> std::unique_ptr<Server> {
        const char* const directory = std::getenv("TB_BENCH_DIR");  // NOLINT(concurrency-mt-unsafe)
        if (directory == nullptr) {
            return nullptr;
        }
        auto result = std::make_unique<Server>();
        tb::tools::AppOptions options;
        options.data_dir = directory;
        result->app = std::make_unique<tb::tools::App>(std::move(options));
        auto registry = tb::tools::make_registry(*result->app);
        if (!registry.has_value() || !result->app->sync_all({}, {}).has_value()) {
            return nullptr;
        }
        result->registry = std::move(*registry);
        const auto blocks = result->app->stored_block_ids();
        if (!blocks.has_value() || blocks->empty()) {
            return nullptr;
        }
        result->block = blocks->front();
        return result;
    }();
    return made.get();
}

void tool(benchmark::State& state, const char* name) {
    Server* const serving = server();
    if (serving == nullptr) {
        state.SkipWithError("TB_BENCH_DIR names no data directory");
        return;
    }
    const tb::mcp::ToolSpec* const spec = serving->registry.find(name);
    if (spec == nullptr) {
        state.SkipWithError("no such tool");
        return;
    }
    Json arguments = {{"blockId", serving->block}};
    if (std::string(name) == "get_position_sizing") {
        arguments["capitalBase"] = 100'000;
    }
    for (auto _ : state) {
        tb::mcp::ToolContext context;
        context.set_budget_chars(tb::mcp::kDefaultResultChars);
        const auto result = tb::mcp::call_tool(*spec, context, arguments);
        if (!result.has_value()) {
            state.SkipWithError(result.error().message.c_str());
            return;
        }
        benchmark::DoNotOptimize(result->text.data());
    }
}

#define TB_TOOL_BENCHMARK(name) \
    BENCHMARK_CAPTURE(tool, name, #name)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()

TB_TOOL_BENCHMARK(get_statistics);
TB_TOOL_BENCHMARK(get_period_returns);
TB_TOOL_BENCHMARK(get_strategy_comparison);
TB_TOOL_BENCHMARK(get_performance_charts);
TB_TOOL_BENCHMARK(get_correlation_matrix);
TB_TOOL_BENCHMARK(get_tail_risk);
TB_TOOL_BENCHMARK(get_position_sizing);
TB_TOOL_BENCHMARK(run_walk_forward);
TB_TOOL_BENCHMARK(run_monte_carlo);

}  // namespace
