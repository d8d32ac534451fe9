// The worker's side of sql_worker.h: this program again, started as `<program> --sql-worker` with a
// socket as standard input. It opens what it is given, gives up everything else (sql_sandbox.h),
// answers one query and ends.
//
//     int main(int argc, char** argv) {
//         if (tb::db::is_sql_worker(argc, argv)) {
//             return tb::db::run_sql_worker();
//         }
//
// Every program whose queries run through query_service.h begins like this, before it starts a
// thread or touches a signal.
#pragma once

namespace tb::db {

inline constexpr const char* kSqlWorkerFlag = "--sql-worker";

[[nodiscard]] bool is_sql_worker(int argc, const char* const* argv);
// The exit status: 0, also when the query failed; 2 without a socket to talk to.
[[nodiscard]] int run_sql_worker();

}  // namespace tb::db
