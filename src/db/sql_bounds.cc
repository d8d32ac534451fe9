#include "db/sql_bounds.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tb::db::detail {

namespace {

using namespace std::string_view_literals;

enum class Kind {
    kPlain,    // numbers, dates, truth values: constant time, no memory
    kText,     // makes a text no longer than what goes in, or of a few dozen bytes
    kSearch,   // looks for its second argument, which must be a literal
    kLike,     // pattern must be a literal with few wildcards
    kAnyCase,  // the same, by a slower way of the engine
    kGrow,     // joins texts
    kReplace,
    kStream,   // aggregate or window function with a state of constant size
    kKeep,     // aggregate that keeps every value
    kCollect,  // ... and gives them all back
};

struct Entry {
    std::string_view name;
    Kind kind;
};

constexpr std::array kPlain = {"+"sv,
                               "-"sv,
                               "*"sv,
                               "/"sv,
                               "//"sv,
                               "%"sv,
                               "**"sv,
                               "^"sv,
                               "&"sv,
                               "|"sv,
                               "~"sv,
                               "<<"sv,
                               ">>"sv,
                               "@"sv,
                               "abs"sv,
                               "acos"sv,
                               "add"sv,
                               "age"sv,
                               "ascii"sv,
                               "asin"sv,
                               "atan"sv,
                               "atan2"sv,
                               "bit_count"sv,
                               "bit_length"sv,
                               "cbrt"sv,
                               "ceil"sv,
                               "ceiling"sv,
                               "century"sv,
                               "char_length"sv,
                               "character_length"sv,
                               "constant_or_null"sv,
                               "cos"sv,
                               "cot"sv,
                               "current_catalog"sv,
                               "current_database"sv,
                               "current_date"sv,
                               "current_localtime"sv,
                               "current_localtimestamp"sv,
                               "current_schema"sv,
                               "date_add"sv,
                               "date_diff"sv,
                               "date_part"sv,
                               "date_sub"sv,
                               "date_trunc"sv,
                               "datediff"sv,
                               "datepart"sv,
                               "datesub"sv,
                               "datetrunc"sv,
                               "day"sv,
                               "dayofmonth"sv,
                               "dayofweek"sv,
                               "dayofyear"sv,
                               "decade"sv,
                               "degrees"sv,
                               "divide"sv,
                               "epoch"sv,
                               "epoch_ms"sv,
                               "epoch_ns"sv,
                               "epoch_us"sv,
                               "era"sv,
                               "even"sv,
                               "exp"sv,
                               "fdiv"sv,
                               "floor"sv,
                               "fmod"sv,
                               "gamma"sv,
                               "gcd"sv,
                               "gen_random_uuid"sv,
                               "get_current_time"sv,
                               "get_current_timestamp"sv,
                               "greatest"sv,
                               "hash"sv,
                               "hour"sv,
                               "isfinite"sv,
                               "isinf"sv,
                               "isnan"sv,
                               "isodow"sv,
                               "isoyear"sv,
                               "julian"sv,
                               "last_day"sv,
                               "lcm"sv,
                               "least"sv,
                               "len"sv,
                               "length"sv,
                               "lgamma"sv,
                               "ln"sv,
                               "log"sv,
                               "log10"sv,
                               "log2"sv,
                               "make_date"sv,
                               "make_time"sv,
                               "make_timestamp"sv,
                               "make_timestamp_ms"sv,
                               "microsecond"sv,
                               "millennium"sv,
                               "millisecond"sv,
                               "minute"sv,
                               "mod"sv,
                               "month"sv,
                               "multiply"sv,
                               "nanosecond"sv,
                               "nextafter"sv,
                               "normalized_interval"sv,
                               "now"sv,
                               "nullif"sv,
                               "ord"sv,
                               "pi"sv,
                               "pow"sv,
                               "power"sv,
                               "quarter"sv,
                               "radians"sv,
                               "random"sv,
                               "round"sv,
                               "round_even"sv,
                               "roundbankers"sv,
                               "second"sv,
                               "sign"sv,
                               "signbit"sv,
                               "sin"sv,
                               "sqrt"sv,
                               "strlen"sv,
                               "strptime"sv,
                               "subtract"sv,
                               "tan"sv,
                               "tanh"sv,
                               "time_bucket"sv,
                               "timezone"sv,
                               "timezone_hour"sv,
                               "timezone_minute"sv,
                               "to_centuries"sv,
                               "to_days"sv,
                               "to_decades"sv,
                               "to_hours"sv,
                               "to_microseconds"sv,
                               "to_millennia"sv,
                               "to_milliseconds"sv,
                               "to_minutes"sv,
                               "to_months"sv,
                               "to_quarters"sv,
                               "to_seconds"sv,
                               "to_timestamp"sv,
                               "to_weeks"sv,
                               "to_years"sv,
                               "today"sv,
                               "transaction_timestamp"sv,
                               "trunc"sv,
                               "try_strptime"sv,
                               "typeof"sv,
                               "uuid"sv,
                               "version"sv,
                               "week"sv,
                               "weekday"sv,
                               "weekofyear"sv,
                               "xor"sv,
                               "year"sv,
                               "yearweek"sv};
constexpr std::array kText = {
    "chr"sv,       "dayname"sv,   "lcase"sv, "left"sv,  "lower"sv,  "ltrim"sv,    "md5"sv,
    "monthname"sv, "reverse"sv,   "right"sv, "rtrim"sv, "sha256"sv, "strftime"sv, "strip_accents"sv,
    "substr"sv,    "substring"sv, "trim"sv,  "ucase"sv, "upper"sv};
constexpr std::array kSearch = {"contains"sv, "ends_with"sv, "instr"sv,
                                "position"sv, "prefix"sv,    "starts_with"sv,
                                "strpos"sv,   "suffix"sv,    "^@"sv};
constexpr std::array kLike = {"~~"sv, "!~~"sv};
constexpr std::array kAnyCase = {"~~*"sv, "!~~*"sv};
constexpr std::array kGrow = {"||"sv, "concat"sv, "concat_ws"sv};
constexpr std::array kReplace = {"replace"sv};
constexpr std::array kStream = {"any_value"sv,
                                "approx_count_distinct"sv,
                                "approx_quantile"sv,
                                "arbitrary"sv,
                                "arg_max"sv,
                                "arg_max_null"sv,
                                "arg_min"sv,
                                "arg_min_null"sv,
                                "argmax"sv,
                                "argmin"sv,
                                "avg"sv,
                                "bit_and"sv,
                                "bit_or"sv,
                                "bit_xor"sv,
                                "bool_and"sv,
                                "bool_or"sv,
                                "corr"sv,
                                "count"sv,
                                "count_if"sv,
                                "count_star"sv,
                                "countif"sv,
                                "covar_pop"sv,
                                "covar_samp"sv,
                                "cume_dist"sv,
                                "dense_rank"sv,
                                "favg"sv,
                                "first"sv,
                                "first_value"sv,
                                "fsum"sv,
                                "geomean"sv,
                                "geometric_mean"sv,
                                "kahan_sum"sv,
                                "kurtosis"sv,
                                "kurtosis_pop"sv,
                                "lag"sv,
                                "last"sv,
                                "last_value"sv,
                                "lead"sv,
                                "max"sv,
                                "max_by"sv,
                                "mean"sv,
                                "min"sv,
                                "min_by"sv,
                                "nth_value"sv,
                                "ntile"sv,
                                "percent_rank"sv,
                                "product"sv,
                                "rank"sv,
                                "rank_dense"sv,
                                "regr_avgx"sv,
                                "regr_avgy"sv,
                                "regr_count"sv,
                                "regr_intercept"sv,
                                "regr_r2"sv,
                                "regr_slope"sv,
                                "regr_sxx"sv,
                                "regr_sxy"sv,
                                "regr_syy"sv,
                                "row_number"sv,
                                "sem"sv,
                                "skewness"sv,
                                "stddev"sv,
                                "stddev_pop"sv,
                                "stddev_samp"sv,
                                "sum"sv,
                                "sum_no_overflow"sv,
                                "sumkahan"sv,
                                "var_pop"sv,
                                "var_samp"sv,
                                "variance"sv,
                                "wavg"sv,
                                "weighted_avg"sv};
constexpr std::array kKeep = {"entropy"sv,  "mad"sv,           "median"sv,       "mode"sv,
                              "quantile"sv, "quantile_cont"sv, "quantile_disc"sv};
constexpr std::array kCollect = {"array_agg"sv, "group_concat"sv, "list"sv, "listagg"sv,
                                 "string_agg"sv};

// With one argument more these keep that many values: arg_max(a, b, 1000000000).
constexpr std::array kTopN = {"min"sv,          "max"sv,         "arg_max"sv, "arg_min"sv,
                              "argmax"sv,       "argmin"sv,      "max_by"sv,  "min_by"sv,
                              "arg_max_null"sv, "arg_min_null"sv};

constexpr std::array kCastTypes = {"BOOLEAN"sv,
                                   "TINYINT"sv,
                                   "SMALLINT"sv,
                                   "INTEGER"sv,
                                   "BIGINT"sv,
                                   "UTINYINT"sv,
                                   "USMALLINT"sv,
                                   "UINTEGER"sv,
                                   "UBIGINT"sv,
                                   "HUGEINT"sv,
                                   "UHUGEINT"sv,
                                   "FLOAT"sv,
                                   "DOUBLE"sv,
                                   "DECIMAL"sv,
                                   "DATE"sv,
                                   "TIME"sv,
                                   "TIMESTAMP"sv,
                                   "TIMESTAMP_S"sv,
                                   "TIMESTAMP_MS"sv,
                                   "TIMESTAMP_NS"sv,
                                   "TIMESTAMP WITH TIME ZONE"sv,
                                   "TIME WITH TIME ZONE"sv,
                                   "INTERVAL"sv,
                                   "VARCHAR"sv,
                                   "UUID"sv};
constexpr std::array kExpressions = {"CONSTANT"sv,   "COLUMN_REF"sv,
                                     "STAR"sv,       "FUNCTION"sv,
                                     "COMPARISON"sv, "CONJUNCTION"sv,
                                     "CAST"sv,       "CASE"sv,
                                     "BETWEEN"sv,    "OPERATOR"sv,
                                     "SUBQUERY"sv,   "WINDOW"sv,
                                     "DEFAULT"sv,    "POSITIONAL_REFERENCE"sv};
constexpr std::array kNodes = {"SELECT_NODE"sv, "SET_OPERATION_NODE"sv, "CTE_NODE"sv};
constexpr std::array kTables = {"BASE_TABLE"sv,      "SUBQUERY"sv, "JOIN"sv,    "TABLE_FUNCTION"sv,
                                "EXPRESSION_LIST"sv, "EMPTY"sv,    "SHOW_REF"sv};
constexpr std::array kModifiers = {"LIMIT_MODIFIER"sv, "DISTINCT_MODIFIER"sv, "ORDER_MODIFIER"sv};
// Catalogue functions have as many rows as the database has tables and columns.
constexpr std::array kRowFunctions = {"range"sv, "generate_series"sv};
constexpr std::array kCatalogueFunctions = {
    "duckdb_tables"sv,      "duckdb_columns"sv,   "duckdb_views"sv,     "duckdb_schemas"sv,
    "duckdb_constraints"sv, "duckdb_types"sv,     "duckdb_functions"sv, "duckdb_keywords"sv,
    "duckdb_indexes"sv,     "pragma_table_info"sv};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

template <std::size_t N>
void append(std::vector<Entry>& entries, const std::array<std::string_view, N>& names, Kind kind) {
    for (const std::string_view name : names) {
        entries.push_back({name, kind});
    }
}

const std::vector<Entry>& entries() {
    static const std::vector<Entry> all = [] {
        std::vector<Entry> list;
        append(list, kPlain, Kind::kPlain);
        append(list, kText, Kind::kText);
        append(list, kSearch, Kind::kSearch);
        append(list, kLike, Kind::kLike);
        append(list, kAnyCase, Kind::kAnyCase);
        append(list, kGrow, Kind::kGrow);
        append(list, kReplace, Kind::kReplace);
        append(list, kStream, Kind::kStream);
        append(list, kKeep, Kind::kKeep);
        append(list, kCollect, Kind::kCollect);
        std::sort(list.begin(), list.end(),
                  [](const Entry& a, const Entry& b) { return a.name < b.name; });
        return list;
    }();
    return all;
}

std::optional<Kind> kind_of(std::string_view name) {
    const auto found = std::lower_bound(
        entries().begin(), entries().end(), name,
        [](const Entry& entry, std::string_view wanted) { return entry.name < wanted; });
    return found != entries().end() && found->name == name ? std::optional(found->kind)
                                                           : std::nullopt;
}

}  // namespace

void Bounds::leave(std::string_view why) {
    if (why_.empty()) {
        why_ = why;
    }
}

void Bounds::call(const CallShape& call) {
    ++functions_;
    const auto kind = kind_of(call.name);
    if (!kind.has_value()) {
        return leave(fmt::format("{}() is not on the list of bounded functions", call.name));
    }
    switch (*kind) {
        case Kind::kPlain:
            break;
        case Kind::kText:
            ++text_calls_;
            break;
        case Kind::kSearch:
            search(call);
            break;
        case Kind::kLike:
            like(call, false);
            break;
        case Kind::kAnyCase:
            like(call, true);
            break;
        case Kind::kGrow:
            grow(call);
            break;
        case Kind::kReplace:
            replace(call);
            break;
        case Kind::kStream:
            keeps_values_ = keeps_values_ || call.ordered;
            if (contains(kTopN, call.name) &&
                call.text_arguments.size() > (call.name == "min" || call.name == "max" ? 1U : 2U)) {
                leave(fmt::format("{}() of several values keeps them all", call.name));
            }
            break;
        case Kind::kCollect:
            ++collections_;
            [[fallthrough]];
        case Kind::kKeep:
            keeps_values_ = true;
            // A frame of a million rows is sorted anew for every row.
            if (call.window) {
                leave(fmt::format("{}() over a window", call.name));
            }
            break;
    }
    if (call.window && (call.distinct || call.ordered)) {
        leave("DISTINCT or ORDER BY inside a window function");
    }
}

void Bounds::search(const CallShape& call) {
    if (call.text_arguments.size() < 2 || !call.text_arguments[1].has_value()) {
        leave(fmt::format("{}() looks for something that is no literal", call.name));
    }
}

// With a literal pattern of % alone the engine goes over the text once. Else it tries every place
// for every %, at a cost of n^k: one search and a pattern of a few bytes are n times that.
void Bounds::like(const CallShape& call, bool any_case) {
    if (call.text_arguments.size() < 2 || !call.text_arguments[1].has_value()) {
        return leave("a LIKE pattern that is no literal");
    }
    const std::string& pattern = *call.text_arguments[1];
    const bool single = pattern.find('_') != std::string::npos;
    const bool search = pattern.find('%') != std::string::npos;
    if (!search) {
        return;
    }
    if (!any_case && !single) {
        return;
    }
    const auto end = std::min(pattern.find_last_not_of('%'), pattern.size() - 1);
    const auto searches =
        std::count(pattern.begin(), pattern.begin() + static_cast<std::ptrdiff_t>(end), '%');
    if (searches > 1 || pattern.size() > kBoundedPatternBytes) {
        leave("a LIKE pattern with several searches");
    }
    text_calls_ += any_case ? 2 : 0;  // both sides in lower case
}

void Bounds::grow(const CallShape& call) {
    ++text_calls_;
    const auto others = static_cast<std::size_t>(
        std::count(call.text_arguments.begin(), call.text_arguments.end(), std::nullopt));
    doublings_ += others > 1 ? others - 1 : 0;
}

void Bounds::replace(const CallShape& call) {
    ++text_calls_;
    const auto& arguments = call.text_arguments;
    if (arguments.size() != 3 || !arguments[1].has_value() || !arguments[2].has_value() ||
        arguments[1]->empty() || arguments[2]->size() > 2 * arguments[1]->size()) {
        return leave("replace() that makes texts much longer");
    }
    doublings_ += arguments[2]->size() > arguments[1]->size() ? 1 : 0;
}

void Bounds::text_literal(std::size_t bytes) {
    if (bytes > kBoundedLiteralBytes) {
        leave(fmt::format("a text of more than {} bytes", kBoundedLiteralBytes));
    }
}

void Bounds::cast_to(std::string_view type_id) {
    if (!contains(kCastTypes, type_id)) {
        return leave("a cast to a nested or unusual type");
    }
    text_calls_ += type_id == "VARCHAR" ? 1 : 0;
}

void Bounds::expression(std::string_view expression_class) {
    if (!contains(kExpressions, expression_class)) {
        leave(fmt::format("an expression of kind {}", expression_class));
    }
}

void Bounds::node(std::string_view node_type) {
    ++selects_;
    if (!contains(kNodes, node_type)) {
        leave("WITH RECURSIVE");
    }
}

void Bounds::table(std::string_view table_type, std::string_view function) {
    if (!contains(kTables, table_type)) {
        return leave(fmt::format("{}", table_type));
    }
    tables_ += table_type == "JOIN" || table_type == "EMPTY" ? 0 : 1;
    if (table_type == "JOIN") {
        multiplies_rows_ = true;
    } else if (table_type == "TABLE_FUNCTION") {
        multiplies_rows_ = multiplies_rows_ || contains(kRowFunctions, function);
        if (!contains(kRowFunctions, function) && !contains(kCatalogueFunctions, function)) {
            leave(fmt::format("the table function {}()", function));
        }
    }
}

void Bounds::modifier(std::string_view modifier_type) {
    if (!contains(kModifiers, modifier_type)) {
        leave(fmt::format("{}", modifier_type));
    }
}

void Bounds::depth(std::size_t levels) {
    if (levels > kBoundedTreeDepth) {
        leave("deep nesting");
    }
}

void Bounds::joined_tables(double tables) {
    if (tables > static_cast<double>(kBoundedTables)) {
        leave("many tables joined");
    }
}

void Bounds::columns(double of_one, double of_all) {
    if (of_one > kBoundedColumns || of_all > kBoundedTotalColumns) {
        leave("many columns");
    }
}

void Bounds::grouping_sets(double sets) {
    multiplies_rows_ = multiplies_rows_ || sets > 1;
    if (sets > kBoundedGroupingSets) {
        leave("many grouping sets");
    }
}

void Bounds::subquery_weight(double weight) {
    if (weight > kBoundedSubqueryWeight) {
        leave("subqueries inside one another");
    }
}

std::string Bounds::verdict(std::size_t sql_bytes) const {
    if (!why_.empty()) {
        return why_;
    }
    if (sql_bytes > kBoundedSqlBytes || functions_ > kBoundedFunctions ||
        selects_ > kBoundedSelects || tables_ > kBoundedTables) {
        return "a long query";
    }
    if (text_calls_ > kBoundedTextCalls || doublings_ > kBoundedDoublings) {
        return "many texts are made";
    }
    if (keeps_values_ && multiplies_rows_) {
        return "an aggregate that keeps the values of a join";
    }
    if (collections_ > 0 &&
        (collections_ > kBoundedCollections || selects_ > 1 || text_calls_ > 4)) {
        return "collected values are used further";
    }
    return {};
}

std::vector<std::string_view> bounded_functions() {
    std::vector<std::string_view> names;
    for (const Entry& entry : entries()) {
        names.push_back(entry.name);
    }
    return names;
}

}  // namespace tb::db::detail
