#include "cli/commands.h"

#include <algorithm>

namespace tb::cli {

const std::vector<Command>& commands() {
    static const std::vector<Command> table{
        sync_command(),     status_command(),     history_command(),     issues_command(),
        sql_command(),      import_command(),     stats_command(),       returns_command(),
        compare_command(),  montecarlo_command(), walkforward_command(), correlation_command(),
        tailrisk_command(), size_command(),       report_command(),      serve_command(),
        call_command(),     tools_command(),      doctor_command(),      setup_command(),
        demo_command(),     completion_command(),
    };
    return table;
}

const Command* find_command(std::string_view name) {
    const auto found = std::find_if(commands().begin(), commands().end(),
                                    [&](const Command& command) { return command.name == name; });
    return found == commands().end() ? nullptr : &*found;
}

}  // namespace tb::cli
