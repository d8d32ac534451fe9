#include "wire_schema.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "support/temp_dir.h"

namespace tb::mcp::test {

namespace {

bool has_type(const Json& name, const Json& value) {
    const std::string type = name.get<std::string>();
    if (type == "integer") {
        return value.is_number_integer() ||
               (value.is_number_float() &&
                value.get<double>() == static_cast<double>(value.get<std::int64_t>()));
    }
    return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
           (type == "string" && value.is_string()) || (type == "number" && value.is_number()) ||
           (type == "boolean" && value.is_boolean()) || (type == "null" && value.is_null());
}

bool fail(std::vector<std::string>* why, const std::string& path, const std::string& what) {
    if (why != nullptr) {
        why->push_back(path + ": " + what);
    }
    return false;
}

}  // namespace

const Json* JsonSchemaChecker::definition(std::string_view name) const {
    for (const char* group : {"definitions", "$defs"}) {
        if (root_.contains(group) && root_[group].contains(std::string(name))) {
            return &root_[group][std::string(name)];
        }
    }
    return nullptr;
}

bool JsonSchemaChecker::has(std::string_view name) const {
    return definition(name) != nullptr;
}

std::vector<std::string> JsonSchemaChecker::check(std::string_view name, const Json& value) const {
    std::vector<std::string> why;
    const Json* schema = definition(name);
    if (schema == nullptr) {
        return {"the schema has no definition " + std::string(name)};
    }
    matches(*schema, value, std::string(name), &why);
    return why;
}

bool JsonSchemaChecker::matches(const Json& schema, const Json& value, const std::string& path,
                                std::vector<std::string>* why) const {
    if (schema.is_boolean()) {
        return schema.get<bool>() || fail(why, path, "nothing is allowed here");
    }
    if (const auto ref = schema.find("$ref"); ref != schema.end()) {
        const std::string text = ref->get<std::string>();
        const std::string name = text.substr(text.rfind('/') + 1);
        const Json* target = definition(name);
        if (target == nullptr) {
            return fail(why, path, "unknown reference " + text);
        }
        if (!matches(*target, value, path + "<" + name + ">", why)) {
            return false;
        }
    }
    if (const auto type = schema.find("type"); type != schema.end()) {
        const bool ok = type->is_array()
                            ? std::any_of(type->begin(), type->end(),
                                          [&](const Json& one) { return has_type(one, value); })
                            : has_type(*type, value);
        if (!ok) {
            return fail(why, path, "is " + value.dump() + ", not " + type->dump());
        }
    }
    if (schema.contains("const") && schema["const"] != value) {
        return fail(why, path, "is " + value.dump() + ", not " + schema["const"].dump());
    }
    if (const auto values = schema.find("enum");
        values != schema.end() &&
        std::find(values->begin(), values->end(), value) == values->end()) {
        return fail(why, path, "is " + value.dump() + ", not one of " + values->dump());
    }
    for (const char* word : {"anyOf", "oneOf"}) {
        const auto options = schema.find(word);
        if (options != schema.end() &&
            std::none_of(options->begin(), options->end(), [&](const Json& option) {
                return matches(option, value, path, nullptr);
            })) {
            return fail(why, path, "fits no alternative: " + value.dump());
        }
    }
    if (const auto all = schema.find("allOf"); all != schema.end()) {
        for (const Json& part : *all) {
            if (!matches(part, value, path, why)) {
                return false;
            }
        }
    }
    if (value.is_number()) {
        const double number = value.get<double>();
        if ((schema.contains("minimum") && number < schema["minimum"].get<double>()) ||
            (schema.contains("maximum") && number > schema["maximum"].get<double>())) {
            return fail(why, path, "out of range: " + value.dump());
        }
    }
    if (value.is_array()) {
        if (schema.contains("maxItems") && value.size() > schema["maxItems"].get<std::size_t>()) {
            return fail(why, path, "too many items");
        }
        if (schema.contains("items")) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                if (!matches(schema["items"], value[i], path + "[" + std::to_string(i) + "]",
                             why)) {
                    return false;
                }
            }
        }
    }
    return !value.is_object() || matches_object(schema, value, path, why);
}

bool JsonSchemaChecker::matches_object(const Json& schema, const Json& value,
                                       const std::string& path,
                                       std::vector<std::string>* why) const {
    if (const auto required = schema.find("required"); required != schema.end()) {
        for (const Json& name : *required) {
            if (!value.contains(name.get<std::string>())) {
                return fail(why, path, "member " + name.dump() + " is missing");
            }
        }
    }
    const Json none = Json::object();
    const Json& properties = schema.contains("properties") ? schema["properties"] : none;
    for (const auto& [name, member] : value.items()) {
        const std::string place = path + "." + name;
        if (properties.contains(name)) {
            if (!matches(properties[name], member, place, why)) {
                return false;
            }
        } else if (schema.contains("additionalProperties") &&
                   !matches(schema["additionalProperties"], member, place, why)) {
            return false;
        }
    }
    return true;
}

const JsonSchemaChecker* wire_schema(Revision revision) {
    static std::map<Revision, std::unique_ptr<JsonSchemaChecker>> loaded;
    if (tb::test::shared_dir().empty()) {
        return nullptr;
    }
    auto& checker = loaded[revision];
    if (checker == nullptr) {
        const auto file = tb::test::shared_dir() / "data" / "mcp-schema" /
                          (std::string(revision_name(revision)) + ".json");
        std::ifstream in(file);
        std::stringstream text;
        text << in.rdbuf();
        checker = std::make_unique<JsonSchemaChecker>(Json::parse(text.str()));
    }
    return checker.get();
}

namespace {

std::string result_definition(const std::string& method, const Json& result) {
    if (result.value("resultType", "") == "input_required") {
        return "InputRequiredResult";
    }
    static const std::map<std::string, std::string> names = {
        {"initialize", "InitializeResult"},
        {"server/discover", "DiscoverResult"},
        {"tools/list", "ListToolsResult"},
        {"tools/call", "CallToolResult"},
        {"resources/list", "ListResourcesResult"},
        {"resources/templates/list", "ListResourceTemplatesResult"},
        {"resources/read", "ReadResourceResult"},
        {"prompts/list", "ListPromptsResult"},
        {"prompts/get", "GetPromptResult"},
        {"completion/complete", "CompleteResult"},
        {"subscriptions/listen", "SubscriptionsListenResult"},
    };
    const auto found = names.find(method);
    return found == names.end() ? "Result" : found->second;
}

std::string error_definition(const JsonSchemaChecker& schema, const Json& error) {
    if (schema.has("UnsupportedProtocolVersionError")) {
        switch (error.value("code", 0)) {
            case code::kUnsupportedVersion:
                return "UnsupportedProtocolVersionError";
            case code::kMissingCapability:
                return "MissingRequiredClientCapabilityError";
            default:
                break;
        }
    }
    return schema.has("JSONRPCErrorResponse") ? "JSONRPCErrorResponse" : "JSONRPCError";
}

}  // namespace

std::vector<std::string> check_wire(Revision revision, const Json& message,
                                    const std::map<std::string, std::string>& methods) {
    const JsonSchemaChecker* schema = wire_schema(revision);
    if (schema == nullptr) {
        return {};
    }
    if (message.contains("error")) {
        // 06 S4: an unreadable message is answered without id, which older revisions do not know.
        if (!message.contains("id") && !schema->has("JSONRPCErrorResponse")) {
            return {};
        }
        return schema->check(error_definition(*schema, message["error"]), message);
    }
    if (message.contains("result")) {
        const auto method = methods.find(message["id"].dump());
        auto why = schema->check(
            result_definition(method == methods.end() ? "" : method->second, message["result"]),
            message["result"]);
        for (std::string& line : schema->check("JSONRPCMessage", message)) {
            why.push_back(std::move(line));
        }
        return why;
    }
    return schema->check(message.contains("id") ? "ServerRequest" : "ServerNotification", message);
}

}  // namespace tb::mcp::test
