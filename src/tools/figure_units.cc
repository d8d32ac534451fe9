#include "tools/figure_units.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

#include "mcp/render.h"
#include "tools/figure_units_table.h"

namespace tb::tools {

namespace {

using mcp::Json;

std::vector<std::string_view> names_of(std::string_view place) {
    std::vector<std::string_view> names;
    while (true) {
        const std::size_t dot = place.find('.');
        names.push_back(place.substr(0, dot));
        if (dot == std::string_view::npos) {
            return names;
        }
        place.remove_prefix(dot + 1);
    }
}

struct Entry {
    std::vector<std::string_view> names;
    const FigureUnit* unit = nullptr;
};

// Entries by their last name, longest first; those that end in "*" under "*".
using Index = std::unordered_map<std::string_view, std::vector<Entry>>;

Index make_index() {
    Index index;
    for (const FigureUnit& unit : figure_unit_table()) {
        Entry entry{names_of(unit.place), &unit};
        index[entry.names.back()].push_back(std::move(entry));
    }
    for (auto& [last, entries] : index) {
        std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
            return a.names.size() > b.names.size();
        });
    }
    return index;
}

bool ends_with(const std::vector<std::string_view>& place, const Entry& entry) {
    return entry.names.size() <= place.size() &&
           std::equal(entry.names.rbegin(), entry.names.rend(), place.rbegin(),
                      [](std::string_view wanted, std::string_view name) {
                          return wanted == "*" || wanted == name;
                      });
}

const Entry* longest(const Index& index, std::string_view last,
                     const std::vector<std::string_view>& place) {
    const auto found = index.find(last);
    if (found == index.end()) {
        return nullptr;
    }
    const auto entry = std::find_if(found->second.begin(), found->second.end(),
                                    [&](const Entry& e) { return ends_with(place, e); });
    return entry == found->second.end() ? nullptr : &*entry;
}

const FigureUnit* unit_at(const std::vector<std::string_view>& place) {
    static const Index kIndex = make_index();
    const Entry* const named = longest(kIndex, place.back(), place);
    const Entry* const any = longest(kIndex, "*", place);
    if (named == nullptr || (any != nullptr && any->names.size() > named->names.size())) {
        return any == nullptr ? nullptr : any->unit;
    }
    return named->unit;
}

// Members that hold what others say, or data as it is.
bool is_no_figure(std::string_view name) {
    return name == "explain" || name == "units";
}

std::string joined(const std::vector<std::string_view>& place) {
    std::string text;
    for (const std::string_view name : place) {
        text.append(text.empty() ? "" : ".").append(name);
    }
    return text;
}

// Recursion over an answer made by this program: its depth is that of its own objects.
void collect(const Json& value, std::vector<std::string_view>& place, Json& units,  // NOLINT
             std::vector<std::string>* unknown) {
    if (value.is_array()) {
        for (const Json& element : value) {
            collect(element, place, units, unknown);
        }
        return;
    }
    if (value.is_object()) {
        for (const auto& [name, member] : value.items()) {
            if (place.empty() && is_no_figure(name)) {
                continue;
            }
            place.emplace_back(name);
            collect(member, place, units, unknown);
            place.pop_back();
        }
        return;
    }
    if (!value.is_number() || place.empty()) {
        return;
    }
    if (const FigureUnit* const unit = unit_at(place)) {
        units[std::string(unit->place)] = unit->unit;
    } else if (unknown != nullptr) {
        unknown->push_back(joined(place));
    }
}

void declare(mcp::Schema& schema, std::vector<std::string_view>& place) {  // NOLINT
    const bool is_number =
        schema.type == mcp::JsonType::kNumber || schema.type == mcp::JsonType::kInteger;
    if (is_number && schema.unit.empty() && !place.empty()) {
        if (const FigureUnit* const unit = unit_at(place)) {
            schema.unit = unit->unit;
        }
    }
    for (mcp::Field& field : schema.fields) {
        place.emplace_back(field.name);
        declare(field.schema, place);
        place.pop_back();
    }
    for (mcp::Schema& element : schema.element) {
        const bool keyed = schema.type == mcp::JsonType::kObject;
        if (keyed) {
            place.emplace_back("*");
        }
        declare(element, place);
        if (keyed) {
            place.pop_back();
        }
    }
}

}  // namespace

std::optional<FigureUnit> figure_unit(std::string_view place) {
    const FigureUnit* const unit = unit_at(names_of(place));
    return unit == nullptr ? std::nullopt : std::optional(*unit);
}

Json units_of(const Json& answer, std::vector<std::string>* unknown) {
    Json units = Json::object();
    std::vector<std::string_view> place;
    collect(answer, place, units, unknown);
    return units;
}

std::string units_text(const Json& units, std::size_t max_chars) {
    std::string text;
    for (const auto& [place, unit] : units.items()) {
        text += (text.empty() ? "" : "; ") + place + ": " + unit.get<std::string>();
    }
    return text.empty() ? text : "Units: " + mcp::first_chars(text, max_chars) + "\n";
}

void declare_units(mcp::ToolSpec& tool) {
    std::vector<std::string_view> place;
    for (mcp::Field& field : tool.results) {
        place.emplace_back(field.name);
        declare(field.schema, place);
        place.pop_back();
    }
}

}  // namespace tb::tools
