#include "cli/record_output.h"

#include <type_traits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/number.h"

namespace tb::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string cell_text(const RecordValue& value) {
    if (const auto* const text = std::get_if<std::string>(&value)) {
        return *text;
    }
    if (const auto* const number = std::get_if<std::int64_t>(&value)) {
        return grouped(*number);
    }
    if (const auto* const number = std::get_if<double>(&value)) {
        return fixed_text(*number, 1);
    }
    if (const auto* const flag = std::get_if<bool>(&value)) {
        return *flag ? "yes" : "no";
    }
    return "-";
}

Json json_value(const RecordValue& value) {
    return std::visit(
        [](const auto& held) {
            if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
                return Json(nullptr);
            } else {
                return Json(held);
            }
        },
        value);
}

}  // namespace

void RecordOutput::add(std::vector<RecordValue> values, Style style) {
    TB_CHECK(values.size() == fields_.size(), "a record has one value a field");
    rows_.push_back({std::move(values), style});
}

void RecordOutput::print(Terminal& terminal, bool as_json) const {
    if (as_json) {
        Json list = Json::array();
        for (const Row& row : rows_) {
            Json object = Json::object();
            for (std::size_t i = 0; i < fields_.size(); ++i) {
                if (!fields_[i].json_name.empty()) {
                    object[fields_[i].json_name] = json_value(row.values[i]);
                }
            }
            list.push_back(std::move(object));
        }
        terminal.out().write_data(list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
        return;
    }
    std::vector<TableColumn> columns;
    for (const RecordField& field : fields_) {
        if (!field.title.empty()) {
            columns.push_back({field.title, field.align, field.min_width, field.optional});
        }
    }
    Table table(std::move(columns));
    for (const Row& row : rows_) {
        std::vector<std::string> cells;
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            if (!fields_[i].title.empty()) {
                cells.push_back(cell_text(row.values[i]));
            }
        }
        table.add(std::move(cells), row.style);
    }
    table.print(terminal);
}

RecordValue text_or_null(const std::optional<std::string>& value) {
    return value ? RecordValue(*value) : RecordValue();
}

RecordValue number_or_null(const std::optional<std::int64_t>& value) {
    return value ? RecordValue(*value) : RecordValue();
}

}  // namespace tb::cli
