#include "mcp/tool.h"

#include <algorithm>
#include <cctype>
#include <exception>

#include <nlohmann/json.hpp>

#include "core/log.h"
#include "mcp/nearest.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kMinNameBytes = 2;

bool is_tool_name(std::string_view name, std::size_t max_bytes) {
    return name.size() >= kMinNameBytes && name.size() <= max_bytes && name[0] >= 'a' &&
           name[0] <= 'z' && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

void check_fields(const std::vector<Field>& fields, const std::string& where,  // NOLINT
                  std::vector<std::string>& broken) {
    std::set<std::string> names;
    for (const Field& field : fields) {
        if (field.name.empty() || !names.insert(field.name).second) {
            broken.push_back(where + ": nameless or repeated field '" + field.name + "'");
        }
        const Schema& schema = field.schema;
        if (schema.description.empty()) {
            broken.push_back(where + "." + field.name + ": no description");
        }
        if (schema.type == JsonType::kArray && schema.element.size() != 1) {
            broken.push_back(where + "." + field.name + ": a list declares its items");
        }
        if (!field.header.empty() &&
            (schema.type == JsonType::kArray || schema.type == JsonType::kObject ||
             schema.type == JsonType::kAny || schema.type == JsonType::kNumber)) {
            broken.push_back(where + "." + field.name +
                             ": only strings, integers and booleans go into headers");
        }
        if (schema.type == JsonType::kObject) {
            check_fields(schema.fields, where + "." + field.name, broken);
        }
    }
}

void check_spec(const ToolSpec& spec, std::size_t max_name_bytes,
                std::vector<std::string>& broken) {
    if (!is_tool_name(spec.name, max_name_bytes)) {
        broken.push_back("'" + spec.name + "': names match [a-z][a-z0-9_]{1," +
                         std::to_string(max_name_bytes - 1) + "}");
    }
    if (spec.title.empty()) {
        broken.push_back(spec.name + ": no title");
    }
    if (spec.description.empty() || spec.description.size() > kMaxDescriptionBytes) {
        broken.push_back(spec.name + ": description must have 1 to " +
                         std::to_string(kMaxDescriptionBytes) + " bytes");
    }
    if (spec.annotations.read_only && spec.annotations.destructive) {
        broken.push_back(spec.name + ": read-only and destructive");
    }
    if (spec.max_result_chars > kMaxRaisedResultChars) {
        broken.push_back(spec.name + ": max_result_chars above " +
                         std::to_string(kMaxRaisedResultChars));
    }
    if (spec.handler == nullptr) {
        broken.push_back(spec.name + ": no handler");
    }
    check_fields(spec.arguments, spec.name + " argument", broken);
    check_fields(spec.results, spec.name + " result", broken);
}

Error broken_table(const std::vector<std::string>& broken) {
    std::string text;
    for (const std::string& line : broken) {
        text += text.empty() ? line : "\n" + line;
    }
    return {ErrorCode::kInvalidArgument, std::move(text), "tool table"};
}

void collect_headers(const std::vector<Field>& fields, std::vector<std::string>& path,  // NOLINT
                     std::vector<HeaderParameter>& out) {
    for (const Field& field : fields) {
        path.push_back(field.name);
        if (!field.header.empty()) {
            out.push_back({field.header, path, field.schema.type});
        }
        collect_headers(field.schema.fields, path, out);
        path.pop_back();
    }
}

JsonType type_of_name(const Json& name) {
    for (const JsonType type : {JsonType::kString, JsonType::kNumber, JsonType::kInteger,
                                JsonType::kBoolean, JsonType::kArray, JsonType::kObject}) {
        if (name == json_type_name(type)) {
            return type;
        }
    }
    return JsonType::kAny;
}

// The same for a schema passed through untouched; only plain properties are looked at.
void collect_raw_headers(const Json& schema, std::vector<std::string>& path,  // NOLINT
                         std::vector<HeaderParameter>& out) {
    const auto properties = schema.is_object() ? schema.find("properties") : schema.end();
    if (properties == schema.end() || !properties->is_object()) {
        return;
    }
    for (const auto& [name, property] : properties->items()) {
        path.push_back(name);
        if (property.is_object() && property.contains("x-mcp-header") &&
            property["x-mcp-header"].is_string()) {
            out.push_back({property["x-mcp-header"].get<std::string>(), path,
                           type_of_name(property.value("type", Json()))});
        }
        collect_raw_headers(property, path, out);
        path.pop_back();
    }
}

std::string kebab_case(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (std::isupper(static_cast<unsigned char>(c)) != 0) {
            if (!out.empty()) {
                out += '-';
            }
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else {
            out += c == '_' ? '-' : c;
        }
    }
    return out;
}

}  // namespace

Json tool_json(const ToolSpec& spec) {
    Json out = {{"name", spec.name},
                {"title", spec.title},
                {"description", spec.description},
                {"inputSchema", spec.raw_input_schema.is_null() ? input_schema_json(spec.arguments)
                                                                : *spec.raw_input_schema}};
    if (!spec.results.empty()) {
        out["outputSchema"] = output_outline_json(spec.results);
    }
    out["annotations"] = {{"title", spec.title},
                          {"readOnlyHint", spec.annotations.read_only},
                          {"destructiveHint", spec.annotations.destructive},
                          {"idempotentHint", spec.annotations.idempotent},
                          {"openWorldHint", spec.annotations.open_world}};
    Json meta = spec.meta.is_null() ? Json::object() : *spec.meta;
    if (spec.max_result_chars > kMaxResultChars) {
        meta[std::string(meta::kMaxResultChars)] = spec.max_result_chars;
    }
    if (!meta.empty()) {
        out["_meta"] = std::move(meta);
    }
    return out;
}

std::vector<HeaderParameter> header_parameters(const ToolSpec& spec) {
    std::vector<HeaderParameter> out;
    std::vector<std::string> path;
    if (spec.raw_input_schema.is_null()) {
        collect_headers(spec.arguments, path, out);
    } else {
        collect_raw_headers(*spec.raw_input_schema, path, out);
    }
    return out;
}

std::vector<CliFlag> cli_flags(const ToolSpec& spec) {
    std::vector<CliFlag> out;
    const Json properties = input_schema_json(spec.arguments)["properties"];
    for (const Field& field : spec.arguments) {
        const Json& published = properties[field.name];
        CliFlag flag;
        flag.flag = "--" + kebab_case(field.name);
        flag.argument = field.name;
        flag.repeatable = field.schema.type == JsonType::kArray;
        flag.type = flag.repeatable ? field.schema.element.front().type : field.schema.type;
        flag.required = field.presence == Field::Presence::kRequired;
        flag.help = published.value("description", std::string());
        if (!field.schema.enum_values.empty()) {
            flag.help += " {";
            for (const std::string& value : field.schema.enum_values) {
                flag.help += (flag.help.back() == '{' ? "" : ",") + value;
            }
            flag.help += "}";
        }
        if (!field.schema.default_value.is_null()) {
            flag.help += " [default " + field.schema.default_value->dump() + "]";
        }
        out.push_back(std::move(flag));
    }
    return out;
}

Result<ToolRegistry> ToolRegistry::make(std::vector<ToolSpec> table, std::size_t max_name_bytes) {
    std::vector<std::string> broken;
    std::set<std::string> names;
    for (const ToolSpec& spec : table) {
        check_spec(spec, max_name_bytes, broken);
        if (!names.insert(spec.name).second) {
            broken.push_back(spec.name + ": declared twice");
        }
    }
    if (!broken.empty()) {
        return tl::unexpected<Error>(broken_table(broken));
    }
    ToolRegistry registry;
    for (ToolSpec& spec : table) {
        registry.tools_.push_back(std::make_shared<const ToolSpec>(std::move(spec)));
    }
    return registry;
}

Result<ToolRegistry> ToolRegistry::select(const ToolSelection& selection) const {
    std::vector<std::string> names;
    std::vector<std::string> toolsets;
    for (const auto& tool : tools_) {
        names.push_back(tool->name);
        if (std::find(toolsets.begin(), toolsets.end(), tool->toolset) == toolsets.end()) {
            toolsets.push_back(tool->toolset);
        }
    }
    std::vector<std::string> broken;
    const auto known = [&](const std::set<std::string>& wanted, const std::vector<std::string>& all,
                           const std::string& what) {
        for (const std::string& name : wanted) {
            if (std::find(all.begin(), all.end(), name) == all.end()) {
                broken.push_back("unknown " + what + " '" + name + "'" + did_you_mean(name, all));
            }
        }
    };
    known(selection.toolsets, toolsets, "toolset");
    known(selection.tools, names, "tool");
    known(selection.excluded, names, "tool");
    if (!broken.empty()) {
        return tl::unexpected<Error>(broken_table(broken));
    }
    const bool all = selection.toolsets.empty() && selection.tools.empty();
    ToolRegistry chosen;
    for (const auto& tool : tools_) {
        const bool included = all || selection.toolsets.contains(tool->toolset) ||
                              selection.tools.contains(tool->name);
        if (included && !selection.excluded.contains(tool->name) &&
            (!selection.read_only || tool->annotations.read_only)) {
            chosen.tools_.push_back(tool);
        }
    }
    return chosen;
}

const ToolSpec* ToolRegistry::find(std::string_view name) const {
    const auto found = std::find_if(tools_.begin(), tools_.end(),
                                    [&](const auto& tool) { return tool->name == name; });
    return found == tools_.end() ? nullptr : found->get();
}

std::vector<std::string> ToolRegistry::nearest(std::string_view name) const {
    std::vector<std::string> names;
    for (const auto& tool : tools_) {
        names.push_back(tool->name);
    }
    return nearest_names(name, names);
}

Outcome<ToolResult> call_tool(const ToolSpec& spec, ToolContext& context, const Json& arguments) {
    // The one place where exceptions of handlers and the libraries below them end.
    try {
        if (!spec.raw_input_schema.is_null()) {
            return spec.handler(context, arguments.is_null() ? Json::object() : arguments);
        }
        auto checked = check_arguments(spec.arguments, arguments);
        if (!checked.has_value()) {
            ToolError refused("Invalid arguments for " + spec.name + ":\n" + checked.error());
            refused.is_of_arguments = true;
            return tl::unexpected<ToolError>(std::move(refused));
        }
        return spec.handler(context, *checked);
    } catch (const std::bad_alloc&) {
        return tool_error(spec.name + " ran out of memory; ask for less at once");
    } catch (const std::exception& error) {
        // The reason may hold paths or data: it is for the operator, not for the client (06 Q12).
        log(LogLevel::kError, spec.name + " threw: " + error.what());
        return tool_error(spec.name + " failed unexpectedly; the server's log has the reason");
    }
}

}  // namespace tb::mcp
