// Arguments nobody would think of: each call answers, within its schema, or says what is wrong.
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "mcp/json_text.h"
#include "risk_fixture.h"
#include "tools/portfolio/risk.h"

namespace tb::tools::test {
namespace {

class RandomArgumentsTest : public RiskToolsTest {
  protected:
    using Random = std::mt19937;

    static std::size_t below(Random& random, std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
    }

    static double number(Random& random, const mcp::Schema& schema) {
        const double odd[] = {0, -1, 1, 0.5, 1e-9, 1e308, -1e308, 1e9, 2147483648.0, 1e18};
        const double low = schema.minimum.value_or(-10);
        const double high = std::min(schema.maximum.value_or(1000), low + 1000);
        switch (below(random, 4)) {
            case 0:
                return low;
            case 1:
                return high;
            case 2:
                return odd[below(random, std::size(odd))];
            default:
                return std::uniform_real_distribution<double>(low, high)(random);
        }
    }

    // Mostly of the right type, now and then not.
    static Json value(Random& random, const mcp::Schema& schema) {  // NOLINT(misc-no-recursion)
        if (below(random, 25) == 0) {
            return Json::array({"odd", 7, nullptr});
        }
        switch (schema.type) {
            case mcp::JsonType::kString:
                if (!schema.enum_values.empty()) {
                    return schema.enum_values[below(random, schema.enum_values.size())];
                }
                return std::vector<std::string>{"alpha",      "BETA", "",    "2024-02-01",
                                                "2024-13-45", "SPX",  "\xFF"}[below(random, 7)];
            case mcp::JsonType::kNumber:
                return number(random, schema);
            case mcp::JsonType::kInteger:
                return below(random, 3) == 0 ? Json(number(random, schema))
                                             : Json(static_cast<std::int64_t>(
                                                   std::clamp(number(random, schema), -1e6, 1e6)));
            case mcp::JsonType::kBoolean:
                return below(random, 2) == 0;
            case mcp::JsonType::kArray: {
                Json list = Json::array();
                for (std::size_t i = below(random, 4); i > 0; --i) {
                    list.push_back(value(random, schema.element.front()));
                }
                return list;
            }
            default: {
                const char* const names[] = {"kellyMultiplier", "fixedContracts", "strategy:alpha",
                                             "maxDrawdownPct", "nonsense"};
                Json map = Json::object();
                for (std::size_t i = below(random, 3); i > 0; --i) {
                    Json range = Json::array();
                    for (std::size_t k = 1 + below(random, 4); k > 0; --k) {
                        range.push_back(number(random, {}));
                    }
                    map[names[below(random, std::size(names))]] = std::move(range);
                }
                return map;
            }
        }
    }

    void try_arguments(const mcp::ToolSpec& spec, std::uint32_t seed) {
        Random random(seed);
        Json arguments = {{"blockId", "A"}};
        for (const mcp::Field& field : spec.arguments) {
            const bool given =
                field.presence == mcp::Field::Presence::kRequired || below(random, 4) == 0;
            if (given && field.name != "blockId") {
                arguments[field.name] = value(random, field.schema);
            }
        }
        if (spec.name == "run_monte_carlo") {  // what takes long is not what is tried here
            arguments["numSimulations"] = 100;
            arguments["simulationLength"] = 50;
        }
        mcp::ToolContext context;
        const auto result = run(spec.name, context, arguments);
        if (!result.has_value()) {
            RC_ASSERT(!result.error().message.empty());
            // An exception would have become this.
            RC_ASSERT(result.error().message.find("unexpectedly") == std::string::npos);
        } else {
            RC_ASSERT(!result->text.empty());
        }
    }
};

TEST_F(RandomArgumentsTest, AnswerOrSayWhatIsWrong) {
    std::vector<Row> rows = trades_of("alpha", 60, {10, -5, 7, 3, -20});
    for (const Row& row : trades_of("beta", 60, {3, 8, -6, 2})) {
        rows.push_back(row);
    }
    write_block("A", with_funds(rows, 10'000));
    for (const auto make :
         {run_walk_forward_tool, run_monte_carlo_tool, get_correlation_matrix_tool,
          get_tail_risk_tool, get_position_sizing_tool}) {
        const mcp::ToolSpec spec = make(app());
        rc::check(spec.name, [&](std::uint32_t seed) { try_arguments(spec, seed); });
    }
}

}  // namespace
}  // namespace tb::tools::test
