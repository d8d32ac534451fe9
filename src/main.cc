#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "cli/run.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "core/log.h"
#include "db/sql_worker_main.h"

namespace {

void set_log_level_from_environment() {
    const char* const text = std::getenv("TRADEBLOCKS_LOG");
    const std::string_view level = text == nullptr ? "" : text;
    if (level == "debug") {
        tb::set_log_level(tb::LogLevel::kDebug);
    } else if (level == "info") {
        tb::set_log_level(tb::LogLevel::kInfo);
    } else if (level == "error") {
        tb::set_log_level(tb::LogLevel::kError);
    } else if (level == "off") {
        tb::set_log_level(tb::LogLevel::kOff);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (tb::db::is_sql_worker(argc, argv)) {
        return tb::db::run_sql_worker();
    }
    set_log_level_from_environment();
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    const tb::cli::SignalWatcher signals;  // before any other thread
    tb::cli::Terminal terminal(tb::cli::TerminalSettings::detect());
    return static_cast<int>(tb::cli::run(words, terminal, signals.token()));
}
