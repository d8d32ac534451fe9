#include "mcp/schema.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "mcp/json_text.h"

namespace tb::mcp {

std::string_view json_type_name(JsonType type) {
    switch (type) {
        case JsonType::kString:
            return "string";
        case JsonType::kNumber:
            return "number";
        case JsonType::kInteger:
            return "integer";
        case JsonType::kBoolean:
            return "boolean";
        case JsonType::kArray:
            return "array";
        case JsonType::kObject:
            return "object";
        case JsonType::kAny:
            return "any";
    }
    return "any";
}

// ---- declaring ----

Field Field::required() && {
    presence = Presence::kRequired;
    return std::move(*this);
}
Field Field::optional() && {
    presence = Presence::kOptional;
    return std::move(*this);
}
Field Field::nullable() && {
    schema.nullable = true;
    return std::move(*this);
}
Field Field::unit(std::string text) && {
    schema.unit = std::move(text);
    return std::move(*this);
}
Field Field::range(double minimum, double maximum) && {
    schema.minimum = minimum;
    schema.maximum = maximum;
    return std::move(*this);
}
Field Field::at_least(double minimum) && {
    schema.minimum = minimum;
    return std::move(*this);
}
Field Field::at_most(double maximum) && {
    schema.maximum = maximum;
    return std::move(*this);
}
Field Field::default_value(Json value) && {
    schema.default_value = std::move(value);
    return std::move(*this);
}
Field Field::with_header(std::string name_in_header) && {
    header = std::move(name_in_header);
    return std::move(*this);
}

namespace field {

namespace {
Field make(std::string name, Schema schema, std::string description) {
    Field made;
    made.name = std::move(name);
    made.schema = std::move(schema);
    made.schema.description = std::move(description);
    return made;
}
Schema of_type(JsonType type) {
    Schema schema;
    schema.type = type;
    return schema;
}
}  // namespace

Schema text_schema() {
    return of_type(JsonType::kString);
}
Schema number_schema() {
    return of_type(JsonType::kNumber);
}
Schema integer_schema() {
    return of_type(JsonType::kInteger);
}
Schema any_schema() {
    return of_type(JsonType::kAny);
}
Schema date_schema() {
    Schema schema = of_type(JsonType::kString);
    schema.is_date = true;
    return schema;
}
Schema choice_schema(std::vector<std::string> values) {
    Schema schema = of_type(JsonType::kString);
    schema.enum_values = std::move(values);
    return schema;
}
Schema object_schema(std::vector<Field> members) {
    Schema schema = of_type(JsonType::kObject);
    schema.fields = std::move(members);
    return schema;
}
Schema list_schema(Schema items) {
    Schema schema = of_type(JsonType::kArray);
    schema.element.push_back(std::move(items));
    return schema;
}

Field text(std::string name, std::string description) {
    return make(std::move(name), text_schema(), std::move(description));
}
Field number(std::string name, std::string description) {
    return make(std::move(name), number_schema(), std::move(description));
}
Field integer(std::string name, std::string description) {
    return make(std::move(name), integer_schema(), std::move(description));
}
Field boolean(std::string name, std::string description) {
    return make(std::move(name), of_type(JsonType::kBoolean), std::move(description));
}
Field date(std::string name, std::string description) {
    return make(std::move(name), date_schema(), std::move(description));
}
Field choice(std::string name, std::vector<std::string> values, std::string description) {
    return make(std::move(name), choice_schema(std::move(values)), std::move(description));
}
Field list(std::string name, Schema items, std::string description) {
    return make(std::move(name), list_schema(std::move(items)), std::move(description));
}
Field object(std::string name, std::vector<Field> members, std::string description) {
    return make(std::move(name), object_schema(std::move(members)), std::move(description));
}
Field map_of(std::string name, Schema values, std::string description) {
    Schema schema = of_type(JsonType::kObject);
    schema.element.push_back(std::move(values));
    return make(std::move(name), std::move(schema), std::move(description));
}
Field any(std::string name, std::string description) {
    return make(std::move(name), any_schema(), std::move(description));
}

}  // namespace field

// ---- publishing ----

namespace {

enum class Side { kInput, kOutput };

// 5.0 as 5: bounds are doubles here, but "minimum": 1 is what people write.
Json bound_json(double value) {
    if (std::abs(value) < 9e15 && std::trunc(value) == value) {
        return static_cast<std::int64_t>(value);
    }
    return value;
}

std::string published_description(const Schema& schema) {
    std::string text = schema.description;
    if (schema.is_date && text.find("YYYY-MM-DD") == std::string::npos) {
        text += text.empty() ? "YYYY-MM-DD" : " (YYYY-MM-DD)";
    }
    if (!schema.unit.empty()) {
        text += " (" + schema.unit + ")";
    }
    if (schema.nullable) {
        const std::string type = std::string(json_type_name(schema.type)) + " or null";
        text = text.empty() ? type : type + ": " + text;
    }
    return text;
}

bool is_required(const Field& field, Side side) {
    return field.presence == Field::Presence::kRequired ||
           (side == Side::kOutput && field.presence == Field::Presence::kDefault);
}

Json schema_json(const Schema& schema, Side side);

// Members of a result that its outline names: tables put the ones that matter first.
constexpr std::size_t kOutlineMembers = 4;
// A greater bound guards the program and is checked, but tells a caller nothing.
constexpr double kTellingMaximum = 1e6;

// Recursion over a table written in our own source: its depth is what somebody typed.
void add_members(Json& out, const std::vector<Field>& fields, Side side) {  // NOLINT
    Json properties = Json::object();
    Json required = Json::array();
    for (const Field& field : fields) {
        properties[field.name] = schema_json(field.schema, side);
        if (!field.header.empty()) {
            properties[field.name]["x-mcp-header"] = field.header;
        }
        if (is_required(field, side)) {
            required.push_back(field.name);
        }
    }
    out["properties"] = std::move(properties);
    if (!required.empty()) {
        out["required"] = std::move(required);
    }
    if (side == Side::kInput) {
        out["additionalProperties"] = false;
    }
}

Json schema_json(const Schema& schema, Side side) {  // NOLINT(misc-no-recursion)
    Json out = Json::object();
    if (schema.type != JsonType::kAny && !schema.nullable) {
        out["type"] = json_type_name(schema.type);
    }
    if (const std::string description = published_description(schema); !description.empty()) {
        out["description"] = description;
    }
    if (!schema.enum_values.empty() && !schema.nullable) {
        out["enum"] = schema.enum_values;
    }
    if (schema.minimum.has_value() && !schema.nullable) {
        out["minimum"] = bound_json(*schema.minimum);
    }
    if (schema.maximum.has_value() && *schema.maximum < kTellingMaximum && !schema.nullable) {
        out["maximum"] = bound_json(*schema.maximum);
    }
    // A switch that is off unless turned on goes without saying.
    if (!schema.default_value.is_null() && *schema.default_value != Json(false)) {
        out["default"] = *schema.default_value;
    }
    if (schema.type == JsonType::kArray && !schema.element.empty()) {
        out["items"] = schema_json(schema.element.front(), side);
    }
    if (schema.type == JsonType::kObject && schema.element.empty()) {
        add_members(out, schema.fields, side);
    } else if (schema.type == JsonType::kObject && side == Side::kInput) {
        out["properties"] = Json::object();  // Codex refuses objects without (06 §6)
    }
    return out;
}

}  // namespace

Json input_schema_json(const std::vector<Field>& arguments) {
    Json out = {{"type", "object"}};
    add_members(out, arguments, Side::kInput);
    return out;
}

Json output_schema_json(const std::vector<Field>& results) {
    Json out = {{"type", "object"}};
    add_members(out, results, Side::kOutput);
    return out;
}

Json output_outline_json(const std::vector<Field>& results) {
    const auto shape = [](const Schema& schema) {
        const bool has_type = schema.type != JsonType::kAny && !schema.nullable;
        Json out = has_type ? Json{{"type", json_type_name(schema.type)}} : Json::object();
        if (!schema.unit.empty()) {  // without what it says about the sign
            out["description"] = schema.unit.substr(0, schema.unit.find(','));
        }
        return out;
    };
    Json properties = Json::object();
    for (const Field& field : results) {
        // What may be null has no type to publish, and what may be absent no place in an outline.
        if (!is_required(field, Side::kOutput) || field.schema.nullable) {
            continue;
        }
        if (properties.size() == kOutlineMembers) {
            break;
        }
        Json& member = properties[field.name] = shape(field.schema);
        if (field.schema.type == JsonType::kArray && !field.schema.element.empty()) {
            member["items"] = shape(field.schema.element.front());
        }
    }
    return {{"type", "object"}, {"properties", std::move(properties)}};
}

}  // namespace tb::mcp
