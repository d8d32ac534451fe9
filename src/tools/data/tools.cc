#include "tools/data/tools.h"

namespace tb::tools {

std::vector<mcp::ToolSpec> data_tools(App& app) {
    return {
        list_blocks_tool(app),
        get_block_info_tool(app),
        get_trades_tool(app),
        get_reporting_log_stats_tool(app),
        sync_tool(app),
        get_sync_history_tool(app),
        get_data_issues_tool(app),
        run_sql_tool(app),
        describe_database_tool(app),
        import_csv_tool(app),
        purge_market_table_tool(app),
        get_backtest_help_tool(),
    };
}

}  // namespace tb::tools
