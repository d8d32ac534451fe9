// Shapes of tool arguments and results, declared as data.
//
// From one table of fields come the JSON Schemas in tools/list, the check and coercion of
// arguments, the check of results in tests, command-line flags and the tool documentation. The
// schemas stay in the plain subset every client keeps (06 T3): one `type` per property, no $ref, no
// unions. A nullable result value therefore has no `type` in its published schema; its description
// says "number or null" and our own check knows the exact rule.
//
//     using namespace tb::mcp::field;                                // inside a .cc file
//     .arguments = {text("blockId", "Block id as listed by list_blocks").required(),
//                   choice("sortBy", {"name", "netPl"}, "Order of the rows").default_value("name"),
//                   integer("limit", "Most rows to return").range(1, 100).default_value(20)},
//     .results = {integer("tradeCount", "Trades in the block"),
//                 number("netPl", "Sum of net profit and loss").unit("USD"),
//                 number("sharpe", "Annualised Sharpe ratio").nullable(),
//                 list("rows", object_schema({date("date", "Day opened"), ...}), "One per trade")}
//
// Thread-compatible; immutable once in a registry.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "mcp/json_box.h"

namespace tb::mcp {

enum class JsonType { kString, kNumber, kInteger, kBoolean, kArray, kObject, kAny };
[[nodiscard]] std::string_view json_type_name(JsonType type);  // "string", …; "any"

struct Field;

// The shape of one value.
struct Schema {
    JsonType type = JsonType::kAny;
    bool nullable = false;
    bool is_date = false;  // a string that must be a calendar day YYYY-MM-DD
    std::string description;
    std::string unit;                      // appended to the published description: "… (USD)"
    std::vector<std::string> enum_values;  // strings only; empty = any
    std::optional<double> minimum;         // inclusive
    std::optional<double> maximum;         // inclusive
    JsonBox default_value;                 // arguments only
    std::vector<Field> fields;             // kObject with known members
    std::vector<Schema> element;           // kArray: exactly one, its items; kObject: at most one,
                                           // the values of a map whose keys are data
};

// A named value: an argument of a tool, a member of its result, or a member of a nested object.
// Arguments are optional unless required(); result members are always present unless optional().
struct Field {
    enum class Presence { kDefault, kRequired, kOptional };
    std::string name;
    Schema schema;
    Presence presence = Presence::kDefault;
    std::string header;  // x-mcp-header: HTTP clients repeat the value in header Mcp-Param-<header>

    [[nodiscard]] Field required() &&;
    [[nodiscard]] Field optional() &&;
    [[nodiscard]] Field nullable() &&;
    [[nodiscard]] Field unit(std::string text) &&;
    [[nodiscard]] Field range(double minimum, double maximum) &&;
    [[nodiscard]] Field at_least(double minimum) &&;
    [[nodiscard]] Field at_most(double maximum) &&;
    [[nodiscard]] Field default_value(Json value) &&;
    [[nodiscard]] Field with_header(std::string name_in_header) &&;
};

namespace field {
[[nodiscard]] Field text(std::string name, std::string description);
[[nodiscard]] Field number(std::string name, std::string description);
[[nodiscard]] Field integer(std::string name, std::string description);
[[nodiscard]] Field boolean(std::string name, std::string description);
[[nodiscard]] Field date(std::string name, std::string description);  // YYYY-MM-DD
[[nodiscard]] Field choice(std::string name, std::vector<std::string> values,
                           std::string description);
[[nodiscard]] Field list(std::string name, Schema items, std::string description);
[[nodiscard]] Field object(std::string name, std::vector<Field> members, std::string description);
// An object whose member names are data (strategies, tickers); every value has the given shape.
[[nodiscard]] Field map_of(std::string name, Schema values, std::string description);
// Any JSON value, for instance a cell of an SQL result.
[[nodiscard]] Field any(std::string name, std::string description);

[[nodiscard]] Schema text_schema();
[[nodiscard]] Schema number_schema();
[[nodiscard]] Schema integer_schema();
[[nodiscard]] Schema date_schema();
[[nodiscard]] Schema any_schema();
[[nodiscard]] Schema choice_schema(std::vector<std::string> values);
[[nodiscard]] Schema object_schema(std::vector<Field> members);
[[nodiscard]] Schema list_schema(Schema items);
}  // namespace field

// ---- published JSON Schemas ----

// Root object with properties, required and additionalProperties: false (06 T3).
[[nodiscard]] Json input_schema_json(const std::vector<Field>& arguments);
// Root object with properties and required; open for additional members (06 T8).
[[nodiscard]] Json output_schema_json(const std::vector<Field>& results);
// What of it goes into tools/list: name, type and unit of the main members. Lists of
// tools are read into every conversation and have a budget (06 T13); all else about results is in
// the manual (tool_docs.h). A value that matches the full schema matches the outline.
[[nodiscard]] Json output_outline_json(const std::vector<Field>& results);

// ---- checks ----

// The arguments a handler gets: checked, benignly coerced ("5" -> 5, "true" -> true, "a" -> ["a"]
// where a list of strings is wanted), null taken as absent, defaults filled in. Otherwise one text
// with every failure, one per line: parameter, what was received, what is allowed, nearest value.
[[nodiscard]] tl::expected<Json, std::string> check_arguments(const std::vector<Field>& arguments,
                                                              const Json& given);

// Every way in which `value` does not match, as "path: what is wrong"; empty = it matches. Members
// the table does not name are fine (the schema is open) but must not be NaN or infinite.
[[nodiscard]] std::vector<std::string> check_result(const std::vector<Field>& results,
                                                    const Json& value);

// Checks any value against a published schema of the plain subset (type, properties, required,
// additionalProperties, enum, minimum, maximum, items); other keywords are not looked at.
[[nodiscard]] std::vector<std::string> check_against_schema(const Json& schema, const Json& value);

}  // namespace tb::mcp
