#include "db/file_check.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "db/isolated.h"
#include "db/row_sums.h"
#include "db/transaction.h"

namespace tb::db {

namespace {

// Between the parts of a piece that the child says; the last part may hold it.
constexpr char kSeparator = '\x1f';
// Reading takes a second per 100 MB or so; an engine that has lost its way takes for ever.
constexpr std::int64_t kBaseSeconds = 60;
constexpr std::uint64_t kBytesPerSecond = 5'000'000;

struct Sum {
    std::string rows;
    std::string content;
    bool operator==(const Sum&) const = default;
};
using Sums = std::map<std::pair<std::string, std::string>, Sum>;  // by table and block

// In the child: reads everything and says what it finds.
class Look {
  public:
    Look(Connection& connection, const Say& say) : connection_(connection), say_(say) {}

    Result<void> run() {
        TB_TRY(tables_, names("SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE "
                              "database_name = current_database() ORDER BY 1"));
        TB_RETURN_IF_ERROR(read_stored_sums());
        for (const TableSpec& table : all_tables()) {
            if (tables_.contains(table.qualified_name())) {
                TB_RETURN_IF_ERROR(read_table(table));
            }
        }
        TB_RETURN_IF_ERROR(read_other_tables());
        TB_RETURN_IF_ERROR(compare_row_counts());
        for (const auto& [key, sum] : stored_) {  // those of which no row is left
            if (!seen_.contains(key)) {
                differs(key.first, key.second, sum.rows, "0");
            }
        }
        return {};
    }

  private:
    Result<std::set<std::string>> names(std::string_view sql) {
        std::set<std::string> result;
        TB_TRY(Rows rows, connection_.collect(sql));
        while (true) {
            TB_TRY(const bool more, rows.next());
            if (!more) {
                return result;
            }
            result.insert(rows.get<std::string>(0));
        }
    }

    Result<void> read_stored_sums() {
        if (!tables_.contains("trades._row_sums")) {
            return {};
        }
        TB_TRY(Rows rows,
               connection_.collect("SELECT table_name, block_id, row_count::VARCHAR, content_sum "
                                   "FROM trades._row_sums WHERE engine_version = $1",
                                   engine_version()));
        while (true) {
            TB_TRY(const bool more, rows.next());
            if (!more) {
                return {};
            }
            stored_.insert_or_assign({rows.get<std::string>(0), rows.get<std::string>(1)},
                                     Sum{rows.get<std::string>(2), rows.get<std::string>(3)});
        }
    }

    Result<void> read_table(const TableSpec& table) {
        const std::string name = table.qualified_name();
        if (sums_per(table) == SumsPer::kNothing || !has_our_columns(table)) {
            return read_all(name);
        }
        TB_TRY(Rows rows, connection_.collect(row_sums_sql(table)));
        while (true) {
            TB_TRY(const bool more, rows.next());
            if (!more) {
                tables_.erase(name);
                return {};
            }
            const std::pair key(name, rows.get_optional<std::string>(0).value_or(""));
            const Sum sum{rows.get<std::string>(1), rows.get<std::string>(2)};
            seen_.insert_or_assign(key, sum);
            const auto stored = stored_.find(key);
            if (stored != stored_.end() && !(stored->second == sum)) {
                differs(key.first, key.second, stored->second.rows, sum.rows);
            }
        }
    }

    bool has_our_columns(const TableSpec& table) {
        return connection_.prepare(row_sums_sql(table)).has_value();
    }

    Result<void> read_all(const std::string& table) {
        const std::string name = table;  // a copy: it is taken out of the set
        tables_.erase(name);
        const std::size_t dot = name.find('.');
        TB_TRY(const auto columns,
               names(fmt::format("SELECT column_name FROM duckdb_columns() WHERE database_name = "
                                 "current_database() AND schema_name || '.' || table_name = {}",
                                 text(name))));
        std::string all;
        for (const std::string& column : columns) {
            all += fmt::format("{}{}", all.empty() ? "" : ", ", identifier(column));
        }
        TB_TRY(Rows rows, connection_.collect(fmt::format(
                              "SELECT count(*), max(hash({})) FROM {}.{}", all,
                              identifier(name.substr(0, dot)), identifier(name.substr(dot + 1)))));
        TB_TRY([[maybe_unused]] const bool one, rows.next());
        return {};
    }

    // What another program has put into the file: its blocks are read like ours.
    Result<void> read_other_tables() {
        while (!tables_.empty()) {
            TB_RETURN_IF_ERROR(read_all(*tables_.begin()));
        }
        return {};
    }

    // A second witness beside the sums: how many rows each file brought.
    Result<void> compare_row_counts() {
        auto rows = connection_.collect(
            "SELECT block_id, role, rows_stored::VARCHAR FROM trades._sync_files WHERE rejection "
            "IS NULL AND role IN ('tradelog', 'dailylog', 'reportinglog')");
        if (!rows.has_value()) {  // a database of another kind
            return {};
        }
        while (true) {
            TB_TRY(const bool more, rows->next());
            if (!more) {
                return {};
            }
            const std::string role = rows->get_optional<std::string>(1).value_or("");
            const std::string table = role == "tradelog"   ? "trades.trade_data"
                                      : role == "dailylog" ? "trades.daily_data"
                                                           : "trades.reporting_data";
            const std::string block = rows->get_optional<std::string>(0).value_or("");
            const std::string wanted = rows->get_optional<std::string>(2).value_or("");
            const auto found = seen_.find({table, block});
            const std::string there = found == seen_.end() ? "0" : found->second.rows;
            if (!wanted.empty() && wanted != there) {
                differs(table, block, wanted, there);
            }
        }
    }

    void differs(const std::string& table, const std::string& block, const std::string& stored,
                 const std::string& there) {
        if (told_.emplace(table, block).second) {
            say_(fmt::format("differs{0}{1}{0}{2}{0}{3}", kSeparator, table,
                             stored == there
                                 ? fmt::format("its {} rows have other contents", there)
                                 : fmt::format("{} rows were stored, {} are there", stored, there),
                             block));
        }
    }

    static std::string text(std::string_view value) { return quoted(value, '\''); }
    static std::string identifier(std::string_view value) { return quoted(value, '"'); }
    static std::string quoted(std::string_view value, char quote) {
        std::string result(1, quote);
        for (const char c : value) {
            result.append(c == quote ? 2 : 1, c);
        }
        return result + quote;
    }

    Connection& connection_;
    const Say& say_;
    std::set<std::string> tables_;  // still to be read
    Sums stored_;
    Sums seen_;
    std::set<std::pair<std::string, std::string>> told_;
};

void say_error(const Say& say, std::string_view kind, const Error& error) {
    say(fmt::format("{}{}{}{}{}", kind, kSeparator, static_cast<int>(error.code), kSeparator,
                    error.message));
}

void look(const std::filesystem::path& file, DatabaseOptions options, const Say& say) {
    options.read_only = true;
    const auto database = Database::open_private(file, options);
    if (!database.has_value()) {
        say_error(say, is_damage_at_open(database.error()) ? "damage" : "error", database.error());
        return;
    }
    auto connection = database->connect();
    if (!connection.has_value()) {
        say_error(say, "error", connection.error());
        return;
    }
    // Statements of ours on a file that could be opened: what the engine objects to is the file.
    if (const auto read = Look(*connection, say).run(); !read.has_value()) {
        say_error(say, read.error().code == ErrorCode::kDatabase ? "damage" : "error",
                  read.error());
        return;
    }
    say("done");
}

std::vector<std::string_view> parts_of(std::string_view piece, std::size_t most) {
    std::vector<std::string_view> parts;
    while (parts.size() + 1 < most) {
        const std::size_t end = piece.find(kSeparator);
        if (end == std::string_view::npos) {
            break;
        }
        parts.push_back(piece.substr(0, end));
        piece.remove_prefix(end + 1);
    }
    parts.push_back(piece);
    return parts;
}

void take(std::string_view piece, FileFindings& findings) {
    if (piece.starts_with("differs")) {
        const auto parts = parts_of(piece, 4);
        if (parts.size() == 4) {
            findings.differences.push_back(
                {std::string(parts[1]), std::string(parts[3]), std::string(parts[2])});
        }
        return;
    }
    const auto parts = parts_of(piece, 3);
    if (parts.size() != 3) {
        return;
    }
    if (parts[0] == "damage") {
        findings.damage = parts[2];
        return;
    }
    int code = 0;
    std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), code);
    findings.error = Error{static_cast<ErrorCode>(code), std::string(parts[2]), {}};
}

Result<void> keep_aside(Connection& connection, const FileFindings::Difference& difference,
                        SchemaChange& change) {
    const std::string name = difference.table.substr(difference.table.find('.') + 1);
    const TableSpec* const table = find_table("market", name);
    if (table == nullptr) {
        return {};
    }
    std::set<std::string> taken;
    TB_TRY(Rows rows, connection.collect("SELECT table_name FROM duckdb_tables() WHERE "
                                         "database_name = current_database() AND schema_name = "
                                         "'market'"));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            break;
        }
        taken.insert(rows.get<std::string>(0));
    }
    std::string kept;
    for (int i = 1; kept.empty() || taken.contains(kept); ++i) {
        kept = fmt::format("{}_differs_{}", name, i);
    }
    TB_RETURN_IF_ERROR(connection.execute(
        fmt::format("ALTER TABLE {} RENAME TO {}", table->qualified_name(), kept)));
    TB_RETURN_IF_ERROR(ensure_table(connection, *table));
    TB_RETURN_IF_ERROR(forget_row_sums_of_table(connection, difference.table));
    TB_RETURN_IF_ERROR(connection.execute(
        "DELETE FROM market._sync_metadata; DELETE FROM trades._sync_files WHERE block_id = "
        "'_marketdata'"));
    change.reload_history = true;
    change.notes.push_back(fmt::format(
        "{} is not what was stored ({}): the database file was damaged or another program changed "
        "it. The table is filled anew from its journal and the market files; what was found is "
        "kept as market.{}",
        difference.table, difference.what, kept));
    return {};
}

}  // namespace

Result<FileFindings> look_through_file(const std::filesystem::path& file,
                                       const DatabaseOptions& options) {
    std::error_code failed;
    const std::uintmax_t bytes = std::filesystem::file_size(file, failed);
    const std::chrono::seconds time(
        kBaseSeconds + static_cast<std::int64_t>(failed ? 0 : bytes / kBytesPerSecond));
    TB_TRY(const IsolatedOutcome outcome,
           run_isolated([&](const Say& say) { look(file, options, say); }, time));
    FileFindings findings;
    for (const std::string& piece : outcome.said) {
        take(piece, findings);
    }
    if (!outcome.crash.empty()) {
        findings.damage = "the engine cannot read it: " + outcome.crash;
    } else if (findings.damage.empty() && !findings.error.has_value() &&
               (outcome.said.empty() || outcome.said.back() != "done")) {
        return make_error(ErrorCode::kInternal, "the look through the file was cut short");
    }
    return findings;
}

Result<void> put_right(Connection& connection,
                       const std::vector<FileFindings::Difference>& differences,
                       SchemaChange& change) {
    if (differences.empty()) {
        return {};
    }
    TB_TRY(Transaction transaction, Transaction::begin(connection));
    for (const FileFindings::Difference& difference : differences) {
        if (difference.table.starts_with("market.")) {
            TB_RETURN_IF_ERROR(keep_aside(connection, difference, change));
            continue;
        }
        for (const std::string_view table : {"trades._sync_files", "trades._row_sums"}) {
            TB_TRY([[maybe_unused]] const std::int64_t count,
                   connection.run(fmt::format("DELETE FROM {} WHERE block_id = $1", table),
                                  difference.block_id));
        }
        change.notes.push_back(fmt::format(
            "block '{}': {} is not what was stored ({}): the database file was damaged or another "
            "program changed it; the block is read again from its files",
            difference.block_id, difference.table, difference.what));
    }
    return transaction.commit();
}

}  // namespace tb::db
