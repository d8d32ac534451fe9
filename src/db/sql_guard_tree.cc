#include "db/sql_guard_tree.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "db/sql_bounds.h"
#include "db/sql_guard.h"
#include "db/sql_guard_growth.h"

namespace tb::db {

namespace {

using namespace std::string_view_literals;

constexpr std::array kTableFunctions{"range"sv,
                                     "generate_series"sv,
                                     "unnest"sv,
                                     "repeat"sv,
                                     "repeat_row"sv,
                                     "json_each"sv,
                                     "json_tree"sv,
                                     "duckdb_tables"sv,
                                     "duckdb_columns"sv,
                                     "duckdb_views"sv,
                                     "duckdb_schemas"sv,
                                     "duckdb_constraints"sv,
                                     "duckdb_types"sv,
                                     "duckdb_functions"sv,
                                     "duckdb_keywords"sv,
                                     "duckdb_indexes"sv,
                                     "pragma_table_info"sv,
                                     "icu_calendar_names"sv,
                                     "pg_timezone_names"sv};

// Scalar functions that write, change or disclose something of the server, or take SQL as text.
constexpr std::array kForbiddenFunctions{"write_log"sv,
                                         "nextval"sv,
                                         "currval"sv,
                                         "setseed"sv,
                                         "current_setting"sv,
                                         "getenv"sv,
                                         "getvariable"sv,
                                         "checkpoint"sv,
                                         "force_checkpoint"sv,
                                         "json_serialize_plan"sv,
                                         "json_execute_serialized_sql"sv,
                                         "query"sv,
                                         "query_table"sv,
                                         "glob"sv,
                                         "sniff_csv"sv,
                                         "pg_conf_load_time"sv,
                                         "in_search_path"sv,
                                         "sql_auto_complete"sv};
constexpr std::array kForbiddenPrefixes{"read_"sv,   "write_"sv,   "duckdb_"sv,   "pragma_"sv,
                                        "enable_"sv, "disable_"sv, "truncate_"sv, "copy_"sv,
                                        "export_"sv, "import_"sv,  "load_"sv,     "install_"sv,
                                        "attach_"sv, "parquet_"sv, "scan_"sv,     "which_secret"sv};

// Views of the engine that tell about tables and columns only.
constexpr std::array kCatalogViews{
    "duckdb_tables"sv,      "duckdb_columns"sv, "duckdb_views"sv,   "duckdb_schemas"sv,
    "duckdb_constraints"sv, "duckdb_types"sv,   "duckdb_indexes"sv, "sqlite_master"sv,
    "sqlite_schema"sv,      "pg_tables"sv,      "pg_views"sv,       "pg_class"sv,
    "pg_namespace"sv,       "pg_attribute"sv,   "pg_type"sv,        "pg_description"sv,
    "pg_constraint"sv,      "pg_index"sv,       "pg_indexes"sv};
constexpr std::array kSpecialPrefixes{"duckdb_"sv, "pragma_"sv, "pg_"sv, "sqlite_"sv};
constexpr std::array kSchemas{
    ""sv, "main"sv, "trades"sv, "market"sv, "information_schema"sv, "pg_catalog"sv};
// What SHOW may list; anything else arrives as DESCRIBE of a query.
constexpr std::array kShowNames{""sv,
                                "\"tables\""sv,
                                "\"databases\""sv,
                                "\"schemas\""sv,
                                "__show_tables_expanded"sv,
                                "\"variables\""sv};

constexpr std::array kNodeTypes{"SELECT_NODE"sv, "SET_OPERATION_NODE"sv, "RECURSIVE_CTE_NODE"sv,
                                "CTE_NODE"sv};
constexpr std::array kTableTypes{"BASE_TABLE"sv, "TABLE_FUNCTION"sv,  "SUBQUERY"sv,
                                 "JOIN"sv,       "EXPRESSION_LIST"sv, "EMPTY"sv,
                                 "PIVOT"sv,      "SHOW_REF"sv};
constexpr std::array kOtherTypes{"ORDER_DEFAULT"sv, "ASCENDING"sv, "DESCENDING"sv};
constexpr std::array kTypeSuffixes{"_MODIFIER"sv, "_TYPE_INFO"sv};
constexpr std::array kClasses{"CONSTANT"sv,
                              "COLUMN_REF"sv,
                              "STAR"sv,
                              "FUNCTION"sv,
                              "COMPARISON"sv,
                              "CONJUNCTION"sv,
                              "CAST"sv,
                              "CASE"sv,
                              "BETWEEN"sv,
                              "OPERATOR"sv,
                              "SUBQUERY"sv,
                              "WINDOW"sv,
                              "LAMBDA"sv,
                              "LAMBDA_REF"sv,
                              "COLLATE"sv,
                              "DEFAULT"sv,
                              "POSITIONAL_REFERENCE"sv};

constexpr std::size_t kMaxTreeDepth = 20'000;
constexpr double kStoredTableColumns = 64;  // more than any of our tables has
constexpr double kFunctionColumns = 24;

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

template <std::size_t N>
bool starts_with_any(const std::array<std::string_view, N>& prefixes, std::string_view word) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return word.starts_with(prefix); });
}

constexpr std::string_view kWhereDataIs =
    "the data is in the tables of the schemas trades and market; SHOW ALL TABLES lists them";

// One object or array of the tree that is being read, and what its parents need to know of it.
struct Frame {
    bool is_array = false;
    std::string key;      // its name in its parent
    std::string pending;  // name of the member being read
    std::string type;
    std::string expression_class;
    std::string function_name;
    std::string table_name;
    std::string schema_name;
    std::string catalog_name;
    std::string cte_name;                       // member "key" of an entry of a cte_map
    std::optional<std::string> table_function;  // the function a TABLE_FUNCTION calls
    std::size_t common_tables = 0;              // names to forget at the end of this node
    double width = 0;                           // columns: widest child, or sum for a join
    double tables = 0;                          // joined here: of the child with most, or the sum
    double items = 0;                           // members of an array
    double stars = 0;                           // `*` in expressions below, outside of subqueries
    double from_width = 0;
    double select_items = 0;
    double select_stars = 0;
    double pivot_values = 1;
    double weight = 0;  // of subqueries below
    detail::Growth growth;
    std::optional<std::string> text;                // of a text literal
    std::vector<std::optional<std::string>> texts;  // of the arguments of a call
    bool distinct = false;                          // agg(DISTINCT x)
    bool ordered = false;                           // agg(x ORDER BY y)
};

class Inspector final : public nlohmann::json_sax<nlohmann::json> {
  public:
    detail::TreeReport report;
    std::optional<Error> refusal;

    // After the whole tree.
    [[nodiscard]] std::string unbounded(std::size_t sql_bytes) const {
        return bounds_.verdict(sql_bytes);
    }

    bool null() override { return true; }
    bool boolean(bool value) override {
        if (!frames_.empty() && value) {
            Frame& frame = frames_.back();
            frame.distinct = frame.distinct || frame.pending == "distinct";
            if (frame.pending == "columns" && frame.expression_class == "STAR") {
                bounds_.leave("COLUMNS()");
            }
        }
        if (frames_.size() == 1 && frames_.back().pending == "error") {
            report.parsed = !value;
        }
        return leaf();
    }
    bool number_integer(number_integer_t value) override {
        return number(static_cast<double>(value));
    }
    bool number_unsigned(number_unsigned_t value) override {
        return number(static_cast<double>(value));
    }
    bool number_float(number_float_t value, const string_t&) override { return number(value); }
    bool binary(binary_t&) override { return leaf(); }
    bool string(string_t& value) override;
    bool start_object(std::size_t) override { return push(false); }
    bool start_array(std::size_t) override { return push(true); }
    bool key(string_t& name) override {
        frames_.back().pending = name;
        return true;
    }
    bool end_object() override;
    bool end_array() override;
    bool parse_error(std::size_t, const std::string& token,
                     const nlohmann::detail::exception&) override {
        // The engine writes 1e999 as Infinity, which JSON does not have.
        return token.ends_with('I') ? refuse(
                                          "a number of the query is too large: the largest is "
                                          "1.79e308",
                                          ErrorCode::kInvalidArgument)
                                    : false;
    }

  private:
    bool leaf() {
        if (!frames_.empty() && frames_.back().is_array) {
            frames_.back().items += 1;
        }
        return true;
    }
    bool number(double value) {
        if (!frames_.empty() && frames_.back().pending == "value") {
            frames_.back().growth.set_literal(value);
        }
        return leaf();
    }
    bool push(bool is_array);
    bool refuse(std::string message, ErrorCode code = ErrorCode::kRefused) {
        refusal = Error{code, std::move(message), {}};
        return false;
    }
    bool limit(std::string message) {
        return refuse(std::move(message), ErrorCode::kResourceExhausted);
    }

    bool check_expression(Frame& frame);
    bool check_function(const std::string& name);
    bool check_table(Frame& frame);
    bool check_base_table(const Frame& frame);
    bool check_table_function(const Frame& frame);
    bool finish_node(Frame& frame);
    double width_of_table(const Frame& frame) const;
    void fold(Frame&& frame);
    void fold_call(Frame& parent, Frame& frame);

    std::vector<Frame> frames_;
    std::vector<std::pair<std::string, double>> common_tables_;
    std::size_t table_references_ = 0;
    double total_columns_ = 0;
    double largest_number_ = 0;
    detail::Bounds bounds_;
};

bool Inspector::push(bool is_array) {
    Frame frame;
    frame.is_array = is_array;
    if (!frames_.empty()) {
        frame.key = frames_.back().is_array ? std::string() : frames_.back().pending;
    }
    if (frames_.size() >= kMaxTreeDepth) {
        return limit("the query is nested too deeply");
    }
    bounds_.depth(frames_.size());
    if (!is_array && frame.key == "sample") {
        bounds_.leave("a sample");
    }
    frames_.push_back(std::move(frame));
    return true;
}

bool Inspector::string(string_t& value) {
    if (frames_.empty()) {
        return true;
    }
    Frame& frame = frames_.back();
    if (frame.is_array) {
        return leaf();
    }
    const std::string& name = frame.pending;
    if (name == "type") {
        frame.type = value;
    } else if (name == "class") {
        frame.expression_class = value;
    } else if (name == "function_name") {
        frame.function_name = value;
    } else if (name == "table_name") {
        frame.table_name = value;
    } else if (name == "schema_name") {
        frame.schema_name = value;
    } else if (name == "catalog_name") {
        frame.catalog_name = value;
    } else if (name == "key") {
        frame.cte_name = value;
    } else if (name == "value") {
        frame.growth.set_literal(value);
        bounds_.text_literal(value.size());
        frame.text = value;
    } else if (name == "id" && frame.key == "cast_type") {
        bounds_.cast_to(value);
    } else if (name == "exclude_clause" && value != "NO_OTHER") {
        bounds_.leave("EXCLUDE in a window");
    } else if (frames_.size() == 1 && name == "error_type") {
        report.error_type = value;
    } else if (frames_.size() == 1 && name == "error_message") {
        report.error_message = value;
    }
    return true;
}

bool Inspector::check_function(const std::string& name) {
    const std::string lower = ascii_lower(name);
    if (!contains(kForbiddenFunctions, lower) && !starts_with_any(kForbiddenPrefixes, lower)) {
        return true;
    }
    return refuse(
        fmt::format("the function {}() is not allowed: it writes, reads or shows more "
                    "than the tables hold; {}",
                    lower, kWhereDataIs));
}

bool Inspector::check_expression(Frame& frame) {
    const std::string& kind = frame.expression_class;
    if (kind == "PARAMETER") {
        return refuse("parameters ($1, ?) have no values here: write the values into the query");
    }
    if (!contains(kClasses, kind)) {
        return refuse(fmt::format("expressions of kind {} are not allowed", kind));
    }
    bounds_.expression(kind);
    bounds_.subquery_weight(frame.weight);
    if ((kind == "FUNCTION" || kind == "WINDOW") && frame.key != "function") {
        bounds_.call({ascii_lower(frame.function_name), frame.texts, kind == "WINDOW",
                      frame.distinct, frame.ordered});
    }
    if (kind == "STAR") {
        frame.stars += 1;
    } else if (kind == "SUBQUERY") {
        frame.weight = 3 * (1 + frame.weight);
        frame.stars = 0;
        if (frame.weight > kMaxSubqueryWeight) {
            return limit(
                "too many subqueries inside one another: give the inner ones names with WITH");
        }
    }
    if (kind == "COLUMN_REF" || kind == "STAR" || kind == "SUBQUERY" || kind == "LAMBDA_REF" ||
        kind == "POSITIONAL_REFERENCE") {
        frame.growth.from_column = true;
    } else if (kind == "LAMBDA") {
        frame.growth.has_lambda = true;
    }
    // The function of a TABLE_FUNCTION is judged there, by its own list; it makes rows, one by one.
    if (kind == "FUNCTION" && frame.key != "function") {
        frame.growth.apply_function(ascii_lower(frame.function_name));
    }
    largest_number_ = std::max(largest_number_, frame.growth.number);
    if ((kind == "FUNCTION" || kind == "WINDOW") && frame.key != "function") {
        return check_function(frame.function_name);
    }
    return true;
}

bool Inspector::check_base_table(const Frame& frame) {
    const std::string table = ascii_lower(frame.table_name);
    const std::string schema = ascii_lower(frame.schema_name);
    for (const std::string* const name :
         {&frame.table_name, &frame.schema_name, &frame.catalog_name}) {
        if (name->find_first_of("/\\.*?:[]") != std::string::npos) {
            return refuse(fmt::format(
                "\"{}\" looks like a file: queries read tables only. For a table in a schema write "
                "trades.trade_data, without quotes around both; {}",
                utf8_prefix(*name, 100), kWhereDataIs));
        }
    }
    if (!contains(kSchemas, schema)) {
        return refuse(fmt::format("there is no schema \"{}\": {}",
                                  utf8_prefix(frame.schema_name, 100), kWhereDataIs));
    }
    if (starts_with_any(kSpecialPrefixes, table) && !contains(kCatalogViews, table)) {
        return refuse(fmt::format("\"{}\" shows internals of the server and is not allowed: {}",
                                  utf8_prefix(frame.table_name, 100), kWhereDataIs));
    }
    return true;
}

bool Inspector::check_table_function(const Frame& frame) {
    const std::string name = ascii_lower(frame.table_function.value_or(""));
    if (contains(kTableFunctions, name)) {
        return true;
    }
    if (name.starts_with("read_") || name == "glob" || name.starts_with("parquet_") ||
        name == "sniff_csv") {
        return refuse(
            fmt::format("{}() reads files, and queries read tables only: {}", name, kWhereDataIs));
    }
    if (name == "query" || name == "query_table") {
        return refuse(fmt::format("{}() runs SQL held in a string: write the query itself", name));
    }
    return refuse(fmt::format("the table function {}() is not among those queries may use: {}",
                              name, fmt::join(kTableFunctions, ", ")));
}

double Inspector::width_of_table(const Frame& frame) const {
    if (frame.type == "BASE_TABLE") {
        for (auto known = common_tables_.rbegin(); known != common_tables_.rend(); ++known) {
            if (frame.schema_name.empty() && equals_ignoring_case(known->first, frame.table_name)) {
                return known->second;
            }
        }
        return kStoredTableColumns;
    }
    if (frame.type == "TABLE_FUNCTION" || frame.type == "SHOW_REF") {
        return kFunctionColumns;
    }
    if (frame.type == "PIVOT") {
        return frame.width + frame.pivot_values;
    }
    return frame.width;
}

bool Inspector::check_table(Frame& frame) {
    if (frame.type == "BASE_TABLE" && !check_base_table(frame)) {
        return false;
    }
    if (frame.type == "TABLE_FUNCTION" && !check_table_function(frame)) {
        return false;
    }
    if (frame.type == "SHOW_REF" && !contains(kShowNames, frame.table_name)) {
        return refuse(fmt::format(
            "SHOW {} is not allowed: use SHOW ALL TABLES, or DESCRIBE trades.trade_data",
            utf8_prefix(frame.table_name, 100)));
    }
    if (frame.type != "EMPTY" && frame.type != "JOIN" &&
        ++table_references_ > kMaxTableReferences) {
        return limit(fmt::format("more than {} tables in one query", kMaxTableReferences));
    }
    bounds_.table(frame.type, ascii_lower(frame.table_function.value_or("")));
    frame.width = width_of_table(frame);
    frame.tables = std::max(frame.tables, 1.0);
    bounds_.joined_tables(frame.tables);
    if (frame.tables > kMaxJoinedTables) {
        return limit(
            fmt::format("more than {:.0f} tables joined: join fewer at once, with the "
                        "others in a second query",
                        kMaxJoinedTables));
    }
    frame.stars = 0;
    return true;
}

bool Inspector::finish_node(Frame& frame) {
    bounds_.node(frame.type);
    if (frame.type == "SELECT_NODE") {
        frame.width = frame.select_items + frame.select_stars * frame.from_width;
        total_columns_ += frame.width;
        bounds_.columns(frame.width, total_columns_);
        if (frame.width > kMaxResultColumns || total_columns_ > kMaxTotalColumns) {
            return limit(fmt::format(
                "the query may produce about {:.0f} columns, more than the limit of {:.0f}: name "
                "the columns instead of using * again and again",
                std::max(frame.width, total_columns_),
                frame.width > kMaxResultColumns ? kMaxResultColumns : kMaxTotalColumns));
        }
    }
    frame.stars = 0;
    common_tables_.resize(common_tables_.size() - frame.common_tables);
    return true;
}

// What the parent learns of a finished member.
void Inspector::fold(Frame&& frame) {
    if (frames_.empty()) {
        return;
    }
    Frame& parent = frames_.back();
    if (parent.is_array) {
        parent.items += 1;
        // Rows of VALUES are arrays in an array.
        parent.width = std::max(parent.width, frame.is_array ? frame.items : frame.width);
    } else if (parent.type == "JOIN") {
        parent.width += frame.width;
    } else {
        parent.width = std::max(parent.width, frame.width);
    }
    parent.tables = parent.type == "JOIN" ? parent.tables + frame.tables
                                          : std::max(parent.tables, frame.tables);
    parent.growth.add(frame.growth, parent.is_array && parent.key == "children");
    fold_call(parent, frame);
    parent.stars += frame.stars;
    parent.weight += frame.weight;
    if (parent.type == "SELECT_NODE" && frame.key == "select_list") {
        parent.select_items = frame.items;
        parent.select_stars = frame.stars;
    } else if (parent.type == "SELECT_NODE" && frame.key == "from_table") {
        parent.from_width = frame.width;
    } else if (frame.key == "function" && frame.expression_class == "FUNCTION") {
        parent.table_function = frame.function_name;
    } else if (frame.key == "entries" || frame.key == "aggregates") {
        parent.pivot_values *= std::max(frame.items, 1.0);
    } else if (frame.key == "pivots") {
        parent.pivot_values *= frame.pivot_values;
    } else if (parent.is_array) {
        parent.pivot_values *= frame.pivot_values;
    }
    if (frames_.size() == 1 && frame.key == "statements") {
        report.statements = static_cast<std::size_t>(frame.items);
    }
}

// What Bounds wants to know of a call.
void Inspector::fold_call(Frame& parent, Frame& frame) {
    if (parent.is_array && parent.key == "children") {
        parent.texts.push_back(frame.expression_class == "CONSTANT" ? std::move(frame.text)
                                                                    : std::nullopt);
    } else if (frame.key == "children") {
        parent.texts = std::move(frame.texts);
    } else if (frame.key == "value" && parent.expression_class == "CONSTANT") {
        parent.text = std::move(frame.text);
    } else if ((frame.key == "orders" && parent.key == "order_bys") || frame.key == "arg_orders") {
        parent.ordered = frame.items > 0;
    } else if (frame.key == "order_bys") {
        parent.ordered = frame.ordered;
    } else if (frame.key == "group_sets") {
        bounds_.grouping_sets(frame.items);
    }
}

bool Inspector::end_array() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    fold(std::move(frame));
    return true;
}

bool Inspector::end_object() {
    Frame& frame = frames_.back();
    const bool is_node = contains(kNodeTypes, frame.type);
    if (!frame.expression_class.empty()) {
        if (!check_expression(frame)) {
            return false;
        }
    } else if (is_node) {
        if (!finish_node(frame)) {
            return false;
        }
    } else if (contains(kTableTypes, frame.type)) {
        if (!check_table(frame)) {
            return false;
        }
    } else if (!frame.type.empty() && !contains(kOtherTypes, frame.type) &&
               !frame.type.ends_with(kTypeSuffixes[0]) && !frame.type.ends_with(kTypeSuffixes[1])) {
        return refuse(fmt::format("queries may not use {}", frame.type));
    }
    if (frame.type.ends_with(kTypeSuffixes[0])) {
        bounds_.modifier(frame.type);
    }
    if (frame.table_function && frame.type != "TABLE_FUNCTION" &&
        !check_function(*frame.table_function)) {
        return false;
    }
    if (!frame.cte_name.empty()) {
        // An entry of a cte_map: known from here on, until its node ends.
        const auto owner =
            std::find_if(frames_.rbegin() + 1, frames_.rend(),
                         [](const Frame& above) { return contains(kNodeTypes, above.type); });
        if (owner != frames_.rend()) {
            common_tables_.emplace_back(frame.cte_name, frame.width);
            ++owner->common_tables;
        }
        frame.width = 0;
    }
    if (frames_.size() == 1 &&
        detail::total_size(frame.growth.size, largest_number_) > detail::kMaxGrowth) {
        return limit(fmt::format(
            "values made by repeat(), lpad(), range() and the like may take more than the limit of "
            "{:.0f} bytes: use smaller numbers (least(n, 100) for counts from columns), or FROM "
            "range(n), which makes rows",
            detail::kMaxGrowth));
    }
    Frame done = std::move(frames_.back());
    frames_.pop_back();
    fold(std::move(done));
    return true;
}

}  // namespace

std::span<const std::string_view> table_functions() {
    return kTableFunctions;
}

namespace detail {

Result<TreeReport> inspect_tree(std::string_view json, std::size_t sql_bytes) {
    Inspector inspector;
    const bool complete = nlohmann::json::sax_parse(json, &inspector);
    if (inspector.refusal) {
        return tl::unexpected<Error>(*inspector.refusal);
    }
    if (!complete) {
        return make_error(ErrorCode::kInternal, "the engine's tree of the query is not readable");
    }
    inspector.report.unbounded = inspector.unbounded(sql_bytes);
    return std::move(inspector.report);
}

}  // namespace detail

}  // namespace tb::db
