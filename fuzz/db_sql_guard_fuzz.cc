// Any text as a user's query: the guard must not crash, and whatever it lets through must change
// nothing, however it ends.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "db/database.h"
#include "db/query_runner.h"
#include "db/sql_guard.h"

namespace {

using tb::db::Connection;
using tb::db::Database;

struct Fixture {
    std::optional<Database> database;
    std::optional<Connection> connection;
    std::string before;

    Fixture() {
        tb::db::DatabaseOptions options;
        options.memory_limit = "200MB";
        options.threads = 1;
        database.emplace(*Database::open_in_memory(options));
        connection.emplace(*database->connect());
        require(connection
                    ->execute("CREATE SCHEMA trades; CREATE TABLE trades.trade_data(block_id "
                              "VARCHAR, pl DOUBLE, date_opened DATE); INSERT INTO "
                              "trades.trade_data VALUES ('A', 1.5, '2024-01-02'), ('B', -2, NULL)")
                    .has_value());
        before = state();
    }

    static void require(bool condition) {
        if (!condition) {
            std::abort();
        }
    }

    [[nodiscard]] std::string state() {
        auto rows = connection->collect(
            "SELECT concat_ws(' ', (SELECT sum(hash(t)) FROM trades.trade_data t), (SELECT "
            "count(*) "
            "FROM duckdb_tables()), (SELECT count(*) FROM duckdb_views()), (SELECT count(*) FROM "
            "duckdb_databases()), (SELECT count(*) FROM duckdb_logs()), (SELECT sum(hash(name || "
            "coalesce(value, ''))) FROM duckdb_settings()))");
        require(rows.has_value() && rows->next().value_or(false));
        return rows->get<std::string>(0);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Fixture fixture;
    const std::string_view sql(reinterpret_cast<const char*>(data), size);
    tb::db::QueryLimits limits;
    limits.max_rows = 10;
    limits.max_bytes = 1U << 20U;
    limits.timeout = std::chrono::milliseconds(100);
    const auto result = tb::db::run_query_to_json(*fixture.connection, sql, limits);
    Fixture::require(!fixture.connection->in_transaction());
    // What the guard itself refused has not been run.
    if (result.has_value() || result.error().code == tb::ErrorCode::kDatabase ||
        result.error().code == tb::ErrorCode::kInterrupted) {
        Fixture::require(fixture.state() == fixture.before);
    }
    return 0;
}
