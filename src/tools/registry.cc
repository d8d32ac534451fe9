#include "tools/registry.h"

#include <iterator>
#include <utility>

#include "tools/data/tools.h"
#include "tools/figure_units.h"
#include "tools/portfolio/tools.h"

namespace tb::tools {

namespace {

// An answer that failed on a damaged database is tried once more when that has been healed. Tools
// that write are not: they tell what became of the first try.
mcp::ToolHandler healing(App& app, mcp::ToolHandler handler, bool may_repeat) {
    return [&app, handler = std::move(handler), may_repeat](mcp::ToolContext& context,
                                                            const mcp::Json& arguments) {
        auto outcome = handler(context, arguments);
        if (app.heal_if_suspected(context.token()) && may_repeat) {
            return handler(context, arguments);
        }
        return outcome;
    };
}

}  // namespace

std::vector<mcp::ToolSpec> all_tools(App& app) {
    std::vector<mcp::ToolSpec> table = data_tools(app);
    for (auto part : {statistics_tools, risk_tools}) {
        std::vector<mcp::ToolSpec> more = part(app);
        table.insert(table.end(), std::make_move_iterator(more.begin()),
                     std::make_move_iterator(more.end()));
    }
    for (mcp::ToolSpec& tool : table) {
        declare_units(tool);
        tool.handler = healing(app, std::move(tool.handler), tool.annotations.read_only);
    }
    return table;
}

Result<mcp::ToolRegistry> make_registry(App& app) {
    TB_TRY(mcp::ToolRegistry registry, mcp::ToolRegistry::make(all_tools(app)));
    if (!app.options().read_only) {
        return registry;
    }
    mcp::ToolSelection selection;
    selection.read_only = true;
    return registry.select(selection);
}

}  // namespace tb::tools
