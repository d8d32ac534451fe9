#include "db/sql_guard.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <duckdb.h>
#include <fmt/format.h>

#include "core/text.h"
#include "db/engine.h"
#include "db/sql_guard_tree.h"
#include "db/sql_nesting.h"

namespace tb::db {

namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

// Behind blanks and comments. Only for messages, for finding EXPLAIN and for counting: whatever it
// gets wrong, the parser decides.
std::size_t skip_blanks(std::string_view sql, std::size_t at) {
    while (at < sql.size()) {
        const auto c = static_cast<unsigned char>(sql[at]);
        if (c <= ' ') {
            ++at;
        } else if (sql.substr(at, 2) == "--") {
            const std::size_t end = sql.find_first_of("\r\n", at);
            at = end == std::string_view::npos ? sql.size() : end;
        } else if (sql.substr(at, 2) == "/*") {
            std::size_t depth = 0;
            do {
                if (sql.substr(at, 2) == "/*") {
                    ++depth;
                    at += 2;
                } else if (sql.substr(at, 2) == "*/") {
                    --depth;
                    at += 2;
                } else {
                    ++at;
                }
            } while (depth > 0 && at < sql.size());
        } else {
            break;
        }
    }
    return at;
}

std::string first_word(std::string_view sql) {
    const std::size_t begin = skip_blanks(sql, 0);
    std::size_t end = begin;
    while (end < sql.size() && is_word(sql[end])) {
        ++end;
    }
    std::string word(sql.substr(begin, std::min<std::size_t>(end - begin, 30)));
    std::transform(word.begin(), word.end(), word.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return word;
}

// At least the number of common tables in the text: every `AS` (wherever it stands, comments and
// strings included) that a parenthesis, MATERIALIZED, or something unclear may follow.
std::size_t count_common_tables(std::string_view sql) {
    std::size_t count = 0;
    for (std::size_t at = 0; at + 2 < sql.size(); ++at) {
        const bool as =
            (sql[at] == 'a' || sql[at] == 'A') && (sql[at + 1] == 's' || sql[at + 1] == 'S') &&
            (at == 0 || !is_word(sql[at - 1]) || static_cast<unsigned char>(sql[at - 1]) >= 0x80) &&
            (!is_word(sql[at + 2]) || static_cast<unsigned char>(sql[at + 2]) >= 0x80);
        if (!as) {
            continue;
        }
        std::size_t next = at + 2;
        while (next < sql.size() && static_cast<unsigned char>(sql[next]) <= ' ') {
            ++next;
        }
        const std::string word = ascii_lower(sql.substr(next, 12));
        const char c = next < sql.size() ? sql[next] : ' ';
        count += c == '(' || c == '/' || c == '-' || static_cast<unsigned char>(c) >= 0x80 ||
                         word.starts_with("not") || word.starts_with("materialized")
                     ? 1
                     : 0;
    }
    return count;
}

Result<void> check_limits(std::string_view sql) {
    if (sql.size() > kMaxSqlBytes) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("the query has {} bytes, more than the limit of {}",
                                      sql.size(), kMaxSqlBytes));
    }
    if (sql.find('\0') != std::string_view::npos) {
        return make_error(ErrorCode::kInvalidArgument, "the query holds a NUL character");
    }
    TB_RETURN_IF_ERROR(check_nesting(sql));
    const std::size_t tables = count_common_tables(sql);
    if (tables > kMaxCommonTables || tables * sql.size() > kMaxCommonTableBytes) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("about {} tables defined by WITH in a query of {} bytes: the "
                                      "limit is {}, and {} for tables times bytes",
                                      tables, sql.size(), kMaxCommonTables, kMaxCommonTableBytes));
    }
    return {};
}

// The statement behind a leading EXPLAIN; nullopt if there is none.
std::optional<std::string_view> behind_explain(std::string_view sql) {
    constexpr std::string_view kWord = "explain";
    const std::size_t begin = skip_blanks(sql, 0);
    const std::size_t end = begin + kWord.size();
    if (end >= sql.size() || !equals_ignoring_case(sql.substr(begin, kWord.size()), kWord) ||
        is_word(sql[end])) {
        return std::nullopt;
    }
    return sql.substr(end);
}

// For a text behind EXPLAIN that is no query: (FORMAT json), VERBOSE.
bool takes_explain_option(std::string_view query) {
    const std::size_t begin = skip_blanks(query, 0);
    return query.substr(begin).starts_with('(') || first_word(query) == "VERBOSE";
}

// How many statements the engine's parser sees; 0 also for a syntax error.
std::size_t count_statements(Connection& connection, const std::string& sql) {
    duckdb_extracted_statements statements = nullptr;
    const idx_t count = duckdb_extract_statements(raw(connection), sql.c_str(), &statements);
    duckdb_destroy_extracted(&statements);
    return static_cast<std::size_t>(count);
}

struct Advice {
    std::string_view word;
    std::string_view text;
};

constexpr Advice kAdvice[] = {
    {"PRAGMA",
     "use DESCRIBE trades.trade_data, SHOW ALL TABLES or SELECT * FROM "
     "pragma_table_info('trades.trade_data')"},
    {"SET", "settings are fixed when the program starts"},
    {"RESET", "settings are fixed when the program starts"},
    {"COPY", "ask for the rows and choose an output format"},
    {"EXPORT", "ask for the rows and choose an output format"},
    {"ATTACH", "there is one database: the schemas trades and market"},
    {"DETACH", "there is one database: the schemas trades and market"},
    {"USE", "there is one database: the schemas trades and market"},
    {"INSTALL", "extensions cannot be added"},
    {"LOAD", "extensions cannot be added"},
    {"CALL", "write SELECT * FROM with one of the allowed table functions"},
    {"BEGIN", "every query has a read-only transaction of its own"},
    {"COMMIT", "every query has a read-only transaction of its own"},
    {"ROLLBACK", "every query has a read-only transaction of its own"},
    {"PREPARE", "write the query itself"},
    {"EXECUTE", "write the query itself"},
};
constexpr std::string_view kDefaultAdvice =
    "tables follow the CSV files in the data folder, change those instead";

Error several_statements(std::size_t count) {
    return Error{ErrorCode::kRefused, fmt::format("{} statements: send one at a time", count), {}};
}

Error not_a_query(Connection& connection, const std::string& sql) {
    const std::string word = first_word(sql);
    const std::size_t statements = count_statements(connection, sql);
    // The engine expands a PIVOT without values into two statements.
    if (statements == 2 && ascii_lower(sql).find("pivot") != std::string::npos) {
        return Error{ErrorCode::kRefused,
                     "PIVOT needs the list of its values here: PIVOT trades.trade_data ON strategy "
                     "IN ('A', 'B') USING sum(pl). Ask for them first with SELECT DISTINCT",
                     {}};
    }
    if (statements > 1) {
        return several_statements(statements);
    }
    if (word == "WITH") {
        return Error{ErrorCode::kRefused,
                     fmt::format("this WITH holds or ends in something that is no query, and only "
                                 "queries are allowed: {}",
                                 kDefaultAdvice),
                     {}};
    }
    std::string_view advice = kDefaultAdvice;
    for (const Advice& item : kAdvice) {
        if (item.word == word) {
            advice = item.text;
        }
    }
    return Error{ErrorCode::kRefused,
                 fmt::format("{} is not allowed, only queries are (SELECT, WITH, FROM, VALUES, "
                             "DESCRIBE, SHOW, SUMMARIZE, PIVOT, EXPLAIN): {}",
                             word.empty() ? "this statement" : word, advice),
                 {}};
}

Result<detail::TreeReport> parse(Connection& connection, std::string_view sql) {
    TB_TRY(Rows rows,
           connection.collect("SELECT CAST(json_serialize_sql($1::VARCHAR) AS VARCHAR)", sql));
    TB_TRY(const bool any, rows.next());
    if (!any || rows.is_null(0)) {
        return make_error(ErrorCode::kInternal, "the engine gave no tree of the query");
    }
    return detail::inspect_tree(rows.get<std::string_view>(0), sql.size());
}

}  // namespace

Result<GuardedSql> guard_sql(Connection& connection, std::string_view sql) {
    TB_RETURN_IF_ERROR(check_limits(sql));
    GuardedSql guarded;
    guarded.sql = std::string(sql);
    std::string_view query = sql;
    if (const auto inner = behind_explain(sql)) {
        guarded.explain = true;
        query = *inner;
        const std::string word = first_word(query);
        if (word == "ANALYZE" || word == "ANALYSE") {
            return make_error(ErrorCode::kRefused,
                              "EXPLAIN ANALYZE runs the statement and is not allowed: use EXPLAIN, "
                              "or run the query itself");
        }
        // Exactly what was judged, with nothing in front that was skipped here.
        guarded.sql = "EXPLAIN " + std::string(query);
    }
    TB_TRY(detail::TreeReport report, parse(connection, query));
    if (!report.parsed) {
        if (report.error_type != "not implemented") {
            std::string message = report.error_message;
            if (guarded.explain && takes_explain_option(query)) {
                message += "\nEXPLAIN has no options here: write EXPLAIN and then the query";
            }
            return make_error(ErrorCode::kInvalidArgument, std::move(message));
        }
        return tl::unexpected<Error>(not_a_query(connection, std::string(query)));
    }
    if (report.statements == 0) {
        return make_error(ErrorCode::kInvalidArgument, "the query is empty");
    }
    if (report.statements > 1) {
        return tl::unexpected<Error>(several_statements(report.statements));
    }
    guarded.unbounded = std::move(report.unbounded);
    return guarded;
}

}  // namespace tb::db
