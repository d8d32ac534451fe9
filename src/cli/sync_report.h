// What a sync did, for people and as JSON.
//
// Thread-safe.
#pragma once

#include <string>

#include "cli/store_access.h"
#include "cli/terminal.h"

namespace tb::cli {

// Summary, a table of the blocks that changed or need attention, and the reasons. `everything`
// lists unchanged blocks too.
void print_sync_report(Terminal& terminal, const WholeSync& result, bool everything);

// One line, or several with `pretty`. Field names as in the server's answers.
[[nodiscard]] std::string sync_report_json(const WholeSync& result, bool pretty);

// The result of a single block in the shape of a whole sync.
[[nodiscard]] WholeSync as_whole_sync(sync::BlockSyncResult block);

}  // namespace tb::cli
