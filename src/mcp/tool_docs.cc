#include "mcp/tool_docs.h"

#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/render.h"

namespace tb::mcp {

namespace {

std::string type_text(const Schema& schema) {
    std::string text = schema.is_date ? "date" : std::string(json_type_name(schema.type));
    if (schema.type == JsonType::kArray && !schema.element.empty()) {
        text = "list of " + type_text(schema.element.front());  // as deep as the declared table
    }
    return schema.nullable ? text + " or null" : text;
}

std::string rule_text(const Schema& schema) {
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    for (const std::string& value : schema.enum_values) {
        add("`" + value + "`");
    }
    if (schema.minimum.has_value()) {
        add("≥ " + number_text(*schema.minimum));
    }
    if (schema.maximum.has_value()) {
        add("≤ " + number_text(*schema.maximum));
    }
    if (!schema.default_value.is_null()) {
        add("default `" + to_json_text(*schema.default_value) + "`");
    }
    return text;
}

std::string description_text(const Schema& schema) {
    return schema.unit.empty() ? schema.description : schema.description + " (" + schema.unit + ")";
}

void add_results(const std::vector<Field>& fields, const std::string& path,  // NOLINT
                 MarkdownTable& table) {
    for (const Field& field : fields) {
        std::string place = path + field.name;
        table.add_row({place, type_text(field.schema), description_text(field.schema)});
        const Schema* inner = &field.schema;
        while (!inner->element.empty()) {
            place += inner->type == JsonType::kArray ? "[]" : ".*";
            inner = &inner->element.front();
        }
        add_results(inner->fields, place + ".", table);
    }
}

std::string hints(const Annotations& annotations) {
    std::string text = annotations.read_only ? "reads only" : "changes data";
    text += annotations.destructive ? ", may delete or overwrite" : "";
    text += annotations.open_world ? ", uses the network" : "";
    return text;
}

}  // namespace

std::string tools_markdown(const ToolRegistry& registry) {
    std::string out;
    for (const auto& tool : registry.tools()) {
        out += "## " + tool->name + "\n\n**" + tool->title + "** — toolset `" + tool->toolset +
               "`, " + hints(tool->annotations) + ".\n\n" + tool->description + "\n\n";
        if (!tool->arguments.empty()) {
            MarkdownTable table({"Argument", "Flag", "Type", "Rule", "Meaning"});
            const std::vector<CliFlag> flags = cli_flags(*tool);
            for (std::size_t i = 0; i < flags.size(); ++i) {
                const Field& field = tool->arguments[i];
                table.add_row({field.name + (flags[i].required ? " (required)" : ""), flags[i].flag,
                               type_text(field.schema), rule_text(field.schema),
                               description_text(field.schema)});
            }
            out += table.text("") + "\n";
        }
        if (!tool->results.empty()) {
            MarkdownTable table({"Result", "Type", "Meaning"});
            add_results(tool->results, "", table);
            out += table.text("") + "\n";
        }
    }
    return out;
}

}  // namespace tb::mcp
