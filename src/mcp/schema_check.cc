// The checks of schema.h: arguments (with coercion), results, and published schemas.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/date.h"
#include "mcp/json_text.h"
#include "mcp/nearest.h"
#include "mcp/render.h"
#include "mcp/schema.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kShownChars = 80;  // of a received value in an error text
constexpr std::size_t kShownChoices = 12;

std::string shown(const Json& value) {
    return cell_text(to_json_text(value), kShownChars);
}

std::string quoted_list(const std::vector<std::string>& values) {
    std::string text;
    for (std::size_t i = 0; i < values.size() && i < kShownChoices; ++i) {
        text += (i == 0 ? "'" : ", '") + values[i] + "'";
    }
    return values.size() > kShownChoices ? text + ", …" : text;
}

std::string number_bounds(const Schema& schema) {
    std::string text = schema.type == JsonType::kInteger ? "an integer" : "a number";
    if (schema.minimum.has_value() && schema.maximum.has_value()) {
        text += " from " + number_text(*schema.minimum) + " to " + number_text(*schema.maximum);
    } else if (schema.minimum.has_value()) {
        text += " of at least " + number_text(*schema.minimum);
    } else if (schema.maximum.has_value()) {
        text += " of at most " + number_text(*schema.maximum);
    }
    return text;
}

// What the caller may send, in words.
std::string allowed(const Schema& schema) {
    if (!schema.enum_values.empty()) {
        return "one of " + quoted_list(schema.enum_values);
    }
    switch (schema.type) {
        case JsonType::kString:
            return schema.is_date ? "a date as YYYY-MM-DD" : "a string";
        case JsonType::kNumber:
        case JsonType::kInteger:
            return number_bounds(schema);
        case JsonType::kBoolean:
            return "true or false";
        case JsonType::kArray:
            return !schema.element.empty() && schema.element.front().type != JsonType::kAny
                       ? "a list, each element " + allowed(schema.element.front())
                       : "a list";
        case JsonType::kObject:
            return "an object";
        case JsonType::kAny:
            return "any value";
    }
    return "any value";
}

bool is_integral(const Json& value) {
    if (value.is_number_integer()) {
        return true;
    }
    if (!value.is_number_float()) {
        return false;
    }
    const double number = value.get<double>();
    return std::isfinite(number) && std::trunc(number) == number;
}

bool has_type(JsonType type, const Json& value) {
    switch (type) {
        case JsonType::kString:
            return value.is_string();
        case JsonType::kNumber:
            return value.is_number();
        case JsonType::kInteger:
            return is_integral(value);
        case JsonType::kBoolean:
            return value.is_boolean();
        case JsonType::kArray:
            return value.is_array();
        case JsonType::kObject:
            return value.is_object();
        case JsonType::kAny:
            return true;
    }
    return false;
}

// A whole string that is a JSON number ("5", "-2.5e3"), nothing looser.
std::optional<Json> number_in(const std::string& text) {
    auto json = parse_json(text);
    if (json.has_value() && json->is_number()) {
        return std::move(*json);
    }
    return std::nullopt;
}

// Benign slips of callers put right (06 T4); leaves the value alone when it is not one.
void coerce(const Schema& schema, Json& value) {
    if (has_type(schema.type, value)) {
        // 5.0 where 5 is meant; within the range where a double is exact.
        if (schema.type == JsonType::kInteger && value.is_number_float() &&
            std::abs(value.get<double>()) <= 9007199254740992.0) {
            value = static_cast<std::int64_t>(value.get<double>());
        }
        return;
    }
    if (!value.is_string()) {
        return;
    }
    const std::string text = value.get<std::string>();
    if (schema.type == JsonType::kNumber || schema.type == JsonType::kInteger) {
        if (auto number = number_in(text); number.has_value() && has_type(schema.type, *number)) {
            value = std::move(*number);
            coerce(schema, value);
        }
    } else if (schema.type == JsonType::kBoolean && (text == "true" || text == "false")) {
        value = text == "true";
    } else if (schema.type == JsonType::kArray && !schema.element.empty()) {
        // Some clients send lists as JSON text; else a bare string is a list of one.
        if (auto list = parse_json(text); list.has_value() && list->is_array()) {
            value = std::move(*list);
        } else if (schema.element.front().type == JsonType::kString) {
            value = Json::array({text});
        }
    }
}

class ArgumentChecker {
  public:
    // NOLINTNEXTLINE(misc-no-recursion): as deep as the declared table
    void members(const std::vector<Field>& fields, Json& object, const std::string& path) {
        std::vector<std::string> names;
        for (const Field& field : fields) {
            names.push_back(field.name);
        }
        for (const auto& [name, unused] : object.items()) {
            if (std::find(names.begin(), names.end(), name) == names.end()) {
                std::string text =
                    "unknown parameter '" + path + cell_text(name, kShownChars) + "'";
                const std::string hint = did_you_mean(name, names, 1);
                if (hint.empty()) {
                    text += names.empty() ? "; it takes no parameters"
                                          : "; known: " + quoted_list(names);
                }
                failures_.push_back(text + hint);
            }
        }
        for (const Field& field : fields) {
            member(field, object, path);
        }
    }

    [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }

  private:
    void member(const Field& field, Json& object, const std::string& path) {  // NOLINT
        const auto found = object.find(field.name);
        if (found != object.end() && found->is_null() && !field.schema.nullable &&
            field.schema.type != JsonType::kAny) {
            object.erase(found);  // null is how many callers say "not given"
        }
        if (!object.contains(field.name)) {
            if (!field.schema.default_value.is_null()) {
                object[field.name] = *field.schema.default_value;
            } else if (field.presence == Field::Presence::kRequired) {
                failures_.push_back("parameter '" + path + field.name +
                                    "' is required: " + allowed(field.schema));
            }
            return;
        }
        check(field.schema, object[field.name], path + field.name);
    }

    void check(const Schema& schema, Json& value, const std::string& path) {  // NOLINT
        if (value.is_null() && schema.nullable) {
            return;
        }
        coerce(schema, value);
        if (!has_type(schema.type, value) || !in_range(schema, value)) {
            fail(schema, value, path);
            return;
        }
        if (schema.type == JsonType::kString) {
            check_text(schema, value, path);
        } else if (schema.type == JsonType::kArray && !schema.element.empty()) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                check(schema.element.front(), value[i], path + "[" + std::to_string(i) + "]");
            }
        } else if (schema.type == JsonType::kObject) {
            if (!schema.element.empty()) {
                for (const auto& [name, unused] : value.items()) {
                    check(schema.element.front(), value[name], path + "." + name);
                }
            } else {
                members(schema.fields, value, path + ".");
            }
        }
    }

    void check_text(const Schema& schema, const Json& value, const std::string& path) {
        const auto& text = value.get_ref<const std::string&>();
        if (schema.is_date && !Date::from_iso(text).has_value()) {
            fail(schema, value, path);
        } else if (!schema.enum_values.empty() &&
                   std::find(schema.enum_values.begin(), schema.enum_values.end(), text) ==
                       schema.enum_values.end()) {
            fail(schema, value, path, did_you_mean(text, schema.enum_values, 1));
        }
    }

    static bool in_range(const Schema& schema, const Json& value) {
        if (!value.is_number()) {
            return true;
        }
        const double number = value.get<double>();
        return std::isfinite(number) && (!schema.minimum || number >= *schema.minimum) &&
               (!schema.maximum || number <= *schema.maximum);
    }

    void fail(const Schema& schema, const Json& value, const std::string& path,
              const std::string& hint = {}) {
        failures_.push_back("parameter '" + path + "' is " + shown(value) + " but must be " +
                            allowed(schema) + hint);
    }

    std::vector<std::string> failures_;
};

class ResultChecker {
  public:
    void members(const std::vector<Field>& fields, const Json& object,  // NOLINT
                 const std::string& path) {
        for (const Field& field : fields) {
            const auto found = object.find(field.name);
            if (found == object.end()) {
                if (field.presence != Field::Presence::kOptional) {
                    fail(path + field.name, "is missing");
                }
                continue;
            }
            check(field.schema, *found, path + field.name);
        }
    }

    void check(const Schema& schema, const Json& value, const std::string& path) {  // NOLINT
        if (value.is_null() && (schema.nullable || schema.type == JsonType::kAny)) {
            return;
        }
        if (!has_type(schema.type, value)) {
            fail(path, "is " + shown(value) + ", not " + std::string(json_type_name(schema.type)));
            return;
        }
        if (value.is_number()) {
            check_number(schema, value, path);
        } else if (value.is_string()) {
            check_text(schema, value.get_ref<const std::string&>(), path);
        } else if (schema.type == JsonType::kArray && !schema.element.empty()) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                check(schema.element.front(), value[i], path + "[" + std::to_string(i) + "]");
            }
        } else if (schema.type == JsonType::kObject && schema.element.empty()) {
            members(schema.fields, value, path + ".");
        } else if (schema.type == JsonType::kObject) {
            for (const auto& [name, member] : value.items()) {
                check(schema.element.front(), member, path + "." + name);
            }
        }
    }

    // NaN and infinities anywhere, declared or not: they would go out as null.
    void finite(const Json& value, const std::string& path) {  // NOLINT
        if (value.is_number_float() && !std::isfinite(value.get<double>())) {
            fail(path, "is not finite");
        } else if (value.is_object()) {
            for (const auto& [name, member] : value.items()) {
                finite(member, path.empty() ? name : path + "." + name);
            }
        } else if (value.is_array()) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                finite(value[i], path + "[" + std::to_string(i) + "]");
            }
        }
    }

    void fail(const std::string& path, const std::string& what) {
        failures_.push_back(path + ": " + what);
    }
    [[nodiscard]] std::vector<std::string> take() { return std::move(failures_); }

  private:
    void check_number(const Schema& schema, const Json& value, const std::string& path) {
        const double number = value.get<double>();
        if ((schema.minimum && number < *schema.minimum) ||
            (schema.maximum && number > *schema.maximum)) {
            fail(path, "is " + shown(value) + ", not " + number_bounds(schema));
        }
    }
    void check_text(const Schema& schema, const std::string& text, const std::string& path) {
        if (schema.is_date && !Date::from_iso(text).has_value()) {
            fail(path, "is " + shown(text) + ", not a date as YYYY-MM-DD");
        }
        if (!schema.enum_values.empty() &&
            std::find(schema.enum_values.begin(), schema.enum_values.end(), text) ==
                schema.enum_values.end()) {
            fail(path, "is " + shown(text) + ", not " + allowed(schema));
        }
    }

    std::vector<std::string> failures_;
};

bool matches_type_name(const Json& name, const Json& value) {
    for (const JsonType type : {JsonType::kString, JsonType::kNumber, JsonType::kInteger,
                                JsonType::kBoolean, JsonType::kArray, JsonType::kObject}) {
        if (name == json_type_name(type)) {
            return has_type(type, value);
        }
    }
    return name == "null" && value.is_null();
}

class SchemaChecker {
  public:
    void check(const Json& schema, const Json& value, const std::string& path) {  // NOLINT
        if (const auto type = schema.find("type");
            type != schema.end() && !matches_type_name(*type, value)) {
            fail(path, "is " + shown(value) + ", not " + type->get<std::string>());
            return;
        }
        if (const auto values = schema.find("enum");
            values != schema.end() &&
            std::find(values->begin(), values->end(), value) == values->end()) {
            fail(path, "is " + shown(value) + ", not one of " + shown(*values));
        }
        if (value.is_number()) {
            bounds(schema, value, path);
        } else if (value.is_object()) {
            object(schema, value, path);
        } else if (value.is_array() && schema.contains("items")) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                check(schema["items"], value[i], path + "[" + std::to_string(i) + "]");
            }
        }
    }
    [[nodiscard]] std::vector<std::string> take() { return std::move(failures_); }

  private:
    void bounds(const Json& schema, const Json& value, const std::string& path) {
        const double number = value.get<double>();
        if ((schema.contains("minimum") && number < schema["minimum"].get<double>()) ||
            (schema.contains("maximum") && number > schema["maximum"].get<double>())) {
            fail(path, "is " + shown(value) + ", out of range");
        }
    }

    void object(const Json& schema, const Json& value, const std::string& path) {  // NOLINT
        const auto properties = schema.find("properties");
        if (const auto required = schema.find("required"); required != schema.end()) {
            for (const Json& name : *required) {
                if (!value.contains(name.get_ref<const std::string&>())) {
                    fail(path + "." + name.get<std::string>(), "is missing");
                }
            }
        }
        const auto others = schema.find("additionalProperties");
        for (const auto& [name, member] : value.items()) {
            if (properties != schema.end() && properties->contains(name)) {
                check((*properties)[name], member, path + "." + name);
            } else if (others != schema.end() && others->is_boolean() && !others->get<bool>()) {
                fail(path + "." + name, "is not a known member");
            } else if (others != schema.end() && others->is_object()) {
                check(*others, member, path + "." + name);
            }
        }
    }

    void fail(const std::string& path, const std::string& what) {
        failures_.push_back((path.empty() ? "value" : path.substr(1)) + ": " + what);
    }
    std::vector<std::string> failures_;
};

}  // namespace

tl::expected<Json, std::string> check_arguments(const std::vector<Field>& arguments,
                                                const Json& given) {
    if (!given.is_null() && !given.is_object()) {
        return tl::unexpected<std::string>("arguments must be an object, not " + shown(given));
    }
    Json checked = given.is_null() ? Json::object() : given;
    ArgumentChecker checker;
    checker.members(arguments, checked, "");
    if (checker.failures().empty()) {
        return checked;
    }
    std::string text;
    for (const std::string& failure : checker.failures()) {
        text += text.empty() ? failure : "\n" + failure;
    }
    return tl::unexpected<std::string>(std::move(text));
}

std::vector<std::string> check_result(const std::vector<Field>& results, const Json& value) {
    ResultChecker checker;
    if (!value.is_object()) {
        checker.fail("result", "is not an object");
        return checker.take();
    }
    checker.members(results, value, "");
    checker.finite(value, "");
    return checker.take();
}

std::vector<std::string> check_against_schema(const Json& schema, const Json& value) {
    SchemaChecker checker;
    checker.check(schema, value, "");
    return checker.take();
}

}  // namespace tb::mcp
