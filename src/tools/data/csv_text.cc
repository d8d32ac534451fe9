#include "tools/data/csv_text.h"

#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/render.h"

namespace tb::tools {

using mcp::Json;

namespace {

void append_cell(std::string& text, const std::string& value) {
    std::string cell = mcp::visible_text(value);
    if (cell.find_first_of(",\"") != std::string::npos) {
        for (std::size_t at = 0; (at = cell.find('"', at)) != std::string::npos; at += 2) {
            cell.insert(at, "\"");
        }
        cell = "\"" + cell + "\"";
    }
    text += cell;
}

}  // namespace

std::string plain_text(const Json& value) {
    if (value.is_string()) {
        return value.get<std::string>();
    }
    return value.is_null() ? "" : mcp::to_json_text(value);
}

std::string csv_text(const std::vector<std::string>& names, const Json& rows) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += i == 0 ? "" : ",";
        append_cell(text, names[i]);
    }
    text += "\n";
    for (const Json& row : rows) {
        bool first = true;
        for (const Json& value : row) {
            text += first ? "" : ",";
            append_cell(text, plain_text(value));
            first = false;
        }
        text += "\n";
    }
    return text;
}

}  // namespace tb::tools
