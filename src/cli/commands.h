// Every command of the program, in the order in which help shows them.
//
// Thread-safe: built once.
#pragma once

#include <vector>

#include "cli/command.h"

namespace tb::cli {

[[nodiscard]] const std::vector<Command>& commands();
// nullptr if there is none of that name.
[[nodiscard]] const Command* find_command(std::string_view name);

// One per file cmd_<name>.cc.
[[nodiscard]] Command sync_command();
[[nodiscard]] Command status_command();
[[nodiscard]] Command history_command();
[[nodiscard]] Command issues_command();
[[nodiscard]] Command sql_command();
[[nodiscard]] Command import_command();
[[nodiscard]] Command stats_command();
[[nodiscard]] Command returns_command();
[[nodiscard]] Command compare_command();
[[nodiscard]] Command montecarlo_command();
[[nodiscard]] Command walkforward_command();
[[nodiscard]] Command correlation_command();
[[nodiscard]] Command tailrisk_command();
[[nodiscard]] Command size_command();
[[nodiscard]] Command report_command();
[[nodiscard]] Command serve_command();
[[nodiscard]] Command call_command();
[[nodiscard]] Command tools_command();
[[nodiscard]] Command doctor_command();
[[nodiscard]] Command setup_command();
[[nodiscard]] Command demo_command();
[[nodiscard]] Command completion_command();

}  // namespace tb::cli
