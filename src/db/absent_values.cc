#include "db/absent_values.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace tb::db {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxSqlBytesLookedAt = 100'000;
constexpr int kMaxDepth = 200;
constexpr std::int64_t kFewestRows = 1;

struct Use {
    std::string table;  // alias or name, as qualified in the query; may be empty
    std::string column;
    bool compared = false;
    bool operator==(const Use&) const = default;
};

// One SELECT with the tables it names itself.
struct Scope {
    std::map<std::string, std::string> tables;  // alias or name -> name, lower case
    std::vector<Use> uses;
    std::optional<std::string> block;  // of `block_id = '...'` that every row must satisfy
    std::set<std::string> tested;      // IS NULL, IS NOT NULL, COALESCE
};

std::string text_of(const Json& node, const char* name) {
    const auto found = node.find(name);
    return found != node.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_class(const Json& node, std::string_view name) {
    return node.is_object() && text_of(node, "class") == name;
}

// The last part of a column's name, lower case; what stands before it in `qualifier`.
std::string column_of(const Json& node, std::string& qualifier) {
    const auto names = node.find("column_names");
    if (names == node.end() || !names->is_array() || names->empty() || !names->back().is_string()) {
        return {};
    }
    if (names->size() > 1 && (*names)[names->size() - 2].is_string()) {
        qualifier = ascii_lower((*names)[names->size() - 2].get<std::string>());
    }
    return ascii_lower(names->back().get<std::string>());
}

class Reader {
  public:
    // The scopes of all SELECTs in the tree.
    [[nodiscard]] std::vector<Scope> read(const Json& tree) {
        walk(tree, 0, nullptr, false);
        return std::move(scopes_);
    }
    [[nodiscard]] const std::set<std::string>& common_tables() const { return common_; }

  private:
    void walk(const Json& node, int depth, Scope* scope, bool compared) {
        if (depth > kMaxDepth) {
            return;
        }
        if (node.is_array()) {
            for (const Json& child : node) {
                walk(child, depth + 1, scope, compared);
            }
            return;
        }
        if (!node.is_object()) {
            return;
        }
        const std::string type = text_of(node, "type");
        if (type == "SELECT_NODE") {
            Scope own;
            if (const auto where = node.find("where_clause"); where != node.end()) {
                own.block = block_of(*where, 0);
            }
            walk_members(node, depth, &own, false);
            scopes_.push_back(std::move(own));
            return;
        }
        if (scope != nullptr && visit(node, type, *scope, compared)) {
            return;
        }
        if (type == "OPERATOR_IS_NULL" || type == "OPERATOR_IS_NOT_NULL" ||
            type == "OPERATOR_COALESCE") {
            if (scope != nullptr) {
                note_tested(node, *scope);
            }
            return;
        }
        walk_members(node, depth, scope, compared);
    }

    void walk_members(const Json& node, int depth, Scope* scope, bool compared) {
        for (const auto& [name, child] : node.items()) {
            if (name == "cte_map") {
                note_common_tables(child);
            }
            const bool compares = name == "where_clause" || name == "having" || name == "filter" ||
                                  name == "qualify" || name == "when_expr" || name == "condition";
            walk(child, depth + 1, scope, compared || compares);
        }
    }

    // True when there is nothing more below.
    static bool visit(const Json& node, const std::string& type, Scope& scope, bool compared) {
        if (type == "BASE_TABLE") {
            const std::string name = ascii_lower(text_of(node, "table_name"));
            const std::string alias = ascii_lower(text_of(node, "alias"));
            scope.tables[alias.empty() ? name : alias] = name;
            return true;
        }
        if (is_class(node, "COLUMN_REF")) {
            Use use;
            use.column = column_of(node, use.table);
            use.compared = compared;
            if (!use.column.empty() &&
                std::find(scope.uses.begin(), scope.uses.end(), use) == scope.uses.end()) {
                scope.uses.push_back(std::move(use));
            }
            return true;
        }
        return false;
    }

    static void note_tested(const Json& node, Scope& scope) {
        const auto children = node.find("children");
        if (children == node.end()) {
            return;
        }
        for (const Json& child : *children) {
            std::string qualifier;
            if (is_class(child, "COLUMN_REF")) {
                scope.tested.insert(column_of(child, qualifier));
            }
        }
    }

    void note_common_tables(const Json& map) {
        const auto entries = map.find("map");
        if (entries == map.end() || !entries->is_array()) {
            return;
        }
        for (const Json& entry : *entries) {
            common_.insert(ascii_lower(text_of(entry, "key")));
        }
    }

    static std::optional<std::string> block_of(const Json& node, int depth) {
        if (depth > kMaxDepth || !node.is_object()) {
            return std::nullopt;
        }
        if (text_of(node, "type") == "CONJUNCTION_AND" && node.contains("children")) {
            for (const Json& child : node["children"]) {
                if (auto block = block_of(child, depth + 1)) {
                    return block;
                }
            }
            return std::nullopt;
        }
        if (text_of(node, "type") != "COMPARE_EQUAL" || !node.contains("left") ||
            !node.contains("right")) {
            return std::nullopt;
        }
        for (const auto& [one, other] : {std::pair{"left", "right"}, std::pair{"right", "left"}}) {
            std::string qualifier;
            const Json& constant = node[other];
            if (is_class(node[one], "COLUMN_REF") &&
                column_of(node[one], qualifier) == "block_id" && is_class(constant, "CONSTANT") &&
                constant.contains("value")) {
                const Json& value = constant["value"];
                if (value.is_object() && value.contains("value") && value["value"].is_string()) {
                    return value["value"].get<std::string>();
                }
            }
        }
        return std::nullopt;
    }

    std::vector<Scope> scopes_;
    std::set<std::string> common_;
};

std::string sql_quoted(std::string_view name, char quote) {
    std::string text(1, quote);
    for (const char c : name) {
        text += c == quote ? std::string(2, quote) : std::string(1, c);
    }
    return text + quote;
}

// Lower-case table name -> schema and lower-case columns, of our own tables.
struct Known {
    std::string schema;
    std::set<std::string> columns;
};

Result<std::map<std::string, Known>> known_tables(Connection& connection) {
    TB_TRY(Rows rows,
           connection.collect("SELECT schema_name, table_name, column_name FROM duckdb_columns() "
                              "WHERE schema_name IN ('trades', 'market') AND is_nullable"));
    std::map<std::string, Known> tables;
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return tables;
        }
        Known& known = tables[ascii_lower(rows.get<std::string>(1))];
        known.schema = rows.get<std::string>(0);
        known.columns.insert(ascii_lower(rows.get<std::string>(2)));
    }
}

struct Candidate {
    std::string column;
    bool compared = false;
};

// The columns of one table that a SELECT uses; a column that more than one table has counts for
// each of them.
std::vector<Candidate> candidates(const Scope& scope, const std::string& alias,
                                  const Known& known) {
    std::vector<Candidate> found;
    for (const Use& use : scope.uses) {
        if (!known.columns.contains(use.column) || (!use.table.empty() && use.table != alias)) {
            continue;
        }
        const bool compared = use.compared && !scope.tested.contains(use.column);
        const auto same = std::find_if(found.begin(), found.end(), [&](const Candidate& one) {
            return one.column == use.column;
        });
        if (same == found.end()) {
            found.push_back({use.column, compared});
        } else {
            same->compared = same->compared || compared;
        }
    }
    return found;
}

Result<void> count_values(Connection& connection, const std::string& table,
                          const std::vector<Candidate>& columns,
                          const std::optional<std::string>& block,
                          std::vector<AbsentValues>& absent) {
    std::string sql = "SELECT count(*)";
    for (const Candidate& one : columns) {
        sql += ", count(" + sql_quoted(one.column, '"') + ")";
    }
    const std::string where = block ? "block_id = " + sql_quoted(*block, '\'') : std::string();
    sql += " FROM " + table + (where.empty() ? "" : " WHERE " + where);
    TB_TRY(Rows rows, connection.collect(sql));
    TB_TRY(const bool any, rows.next());
    if (!any || rows.get<std::int64_t>(0) < kFewestRows) {
        return {};
    }
    const auto total = rows.get<std::int64_t>(0);
    for (std::size_t i = 0; i < columns.size() && absent.size() < kMaxAbsentColumns; ++i) {
        const auto with = rows.get<std::int64_t>(i + 1);
        if (with == 0 || (columns[i].compared && with < total)) {
            AbsentValues entry{table, columns[i].column, where, with, total};
            const bool known = std::any_of(absent.begin(), absent.end(), [&](const auto& one) {
                return one.to_string() == entry.to_string();
            });
            if (!known) {
                absent.push_back(std::move(entry));
            }
        }
    }
    return {};
}

}  // namespace

std::string AbsentValues::to_string() const {
    return fmt::format("{} has a value in {} of {} rows of {}{}{}{}", column, rows_with_value, rows,
                       table, where.empty() ? "" : " where ", where,
                       rows_with_value == 0 ? "; no comparison with it is ever true"
                                            : "; the others match no comparison with it");
}

Result<std::vector<AbsentValues>> absent_values(Connection& connection, std::string_view sql) {
    std::vector<AbsentValues> absent;
    if (sql.size() > kMaxSqlBytesLookedAt) {
        return absent;
    }
    TB_TRY(Rows rows,
           connection.collect("SELECT CAST(json_serialize_sql($1::VARCHAR) AS VARCHAR)", sql));
    TB_TRY(const bool any, rows.next());
    if (!any || rows.is_null(0)) {
        return absent;
    }
    const Json tree = Json::parse(rows.get<std::string_view>(0), nullptr, false);
    if (!tree.is_object() || tree.value("error", true)) {
        return absent;
    }
    Reader reader;
    std::vector<Scope> scopes = reader.read(tree);
    std::reverse(scopes.begin(), scopes.end());  // the outermost first
    TB_TRY(const auto known, known_tables(connection));
    for (const Scope& scope : scopes) {
        for (const auto& [alias, name] : scope.tables) {
            const auto table = known.find(name);
            if (table == known.end() || reader.common_tables().contains(name)) {
                continue;
            }
            const auto columns = candidates(scope, alias, table->second);
            const bool by_block = table->second.schema == "trades" && scope.block.has_value();
            if (!columns.empty()) {
                TB_RETURN_IF_ERROR(count_values(connection, table->second.schema + "." + name,
                                                columns, by_block ? scope.block : std::nullopt,
                                                absent));
            }
        }
    }
    return absent;
}

}  // namespace tb::db
