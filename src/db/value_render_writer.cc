#include "db/value_render_writer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/number.h"
#include "core/text.h"

namespace tb::db {

namespace {

constexpr std::array<std::pair<std::string_view, ResultFormat>, 5> kFormats{{
    {"table", ResultFormat::kTable},
    {"csv", ResultFormat::kCsv},
    {"json", ResultFormat::kJson},
    {"ndjson", ResultFormat::kNdjson},
    {"markdown", ResultFormat::kMarkdown},
}};

// Characters of valid UTF-8: what a terminal gives a column each, near enough.
std::size_t character_count(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

bool is_number(TypeId type) {
    switch (type) {
        case TypeId::kTinyInt:
        case TypeId::kSmallInt:
        case TypeId::kInteger:
        case TypeId::kBigInt:
        case TypeId::kUTinyInt:
        case TypeId::kUSmallInt:
        case TypeId::kUInteger:
        case TypeId::kUBigInt:
        case TypeId::kHugeInt:
        case TypeId::kUHugeInt:
        case TypeId::kFloat:
        case TypeId::kDouble:
        case TypeId::kDecimal:
            return true;
        default:
            return false;
    }
}

class JsonWriter final : public ResultWriter {
  public:
    JsonWriter(TextSink sink, bool array) : sink_(std::move(sink)), array_(array) {}

    Result<void> begin(const std::vector<ColumnInfo>& columns) override {
        for (const ColumnInfo& column : columns) {
            keys_.emplace_back(keys_.empty() ? "{" : ",");
            append_visible_json_string(keys_.back(), column.name);
            keys_.back() += ':';
        }
        return {};
    }

    Result<std::size_t> row(const ValueRenderer& values, std::size_t row) override {
        line_ = !array_ ? "" : first_ ? "[\n" : ",\n";
        first_ = false;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            line_ += keys_[i];
            values.append_json(line_, i, row);
        }
        line_ += array_ ? "}" : "}\n";
        TB_RETURN_IF_ERROR(sink_(line_));
        return line_.size();
    }

    Result<void> finish() override {
        if (!array_) {
            return {};
        }
        return sink_(first_ ? "[]\n" : "\n]\n");
    }

  private:
    TextSink sink_;
    bool array_;
    bool first_ = true;
    std::vector<std::string> keys_;
    std::string line_;
};

// What a spreadsheet might run instead of showing it. Full-width forms of the four signs are taken
// for them in some countries.
bool may_be_formula(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n\v\f";
    constexpr std::array<std::string_view, 8> kSigns = {"=",      "+",      "-",      "@",
                                                        "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};
    const std::string_view rest =
        text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
    const bool suspect = text.find_first_of("\t\r\n") == 0 ||
                         std::any_of(kSigns.begin(), kSigns.end(),
                                     [&](std::string_view sign) { return rest.starts_with(sign); });
    return suspect && !parse_double(trim(rest)).has_value();
}

class CsvWriter final : public ResultWriter {
  public:
    CsvWriter(TextSink sink, bool safe) : sink_(std::move(sink)), safe_(safe) {}

    Result<void> begin(const std::vector<ColumnInfo>& columns) override {
        for (const ColumnInfo& column : columns) {
            line_ += line_.empty() ? "" : ",";
            append_cell(safe_ && may_be_formula(column.name) ? "'" + column.name : column.name);
            is_number_.push_back(is_number(column.type));
        }
        line_ += '\n';
        return sink_(line_);
    }

    Result<std::size_t> row(const ValueRenderer& values, std::size_t row) override {
        line_.clear();
        for (std::size_t i = 0; i < values.column_count(); ++i) {
            line_ += i == 0 ? "" : ",";
            if (!values.is_null(i, row)) {
                cell_.clear();
                values.append_text(cell_, i, row);
                if (safe_ && !is_number_[i] && may_be_formula(cell_)) {
                    cell_.insert(0, 1, '\'');
                }
                append_cell(cell_);
            } else if (values.column_count() == 1) {
                // A line without anything would be no record at all.
                line_ += "\"\"";
            }
        }
        line_ += '\n';
        TB_RETURN_IF_ERROR(sink_(line_));
        return line_.size();
    }

    Result<void> finish() override { return {}; }

  private:
    void append_cell(std::string_view text) {
        const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string::npos &&
                           text.front() != ' ' && text.back() != ' ';
        if (plain) {
            line_ += text;
            return;
        }
        line_ += '"';
        for (const char c : text) {
            line_ += c;
            if (c == '"') {
                line_ += c;
            }
        }
        line_ += '"';
    }

    TextSink sink_;
    bool safe_;
    std::vector<bool> is_number_;  // by column
    std::string line_;
    std::string cell_;
};

std::string shown(const ValueRenderer& values, std::size_t column, std::size_t row) {
    std::string text;
    values.append_text(text, column, row);
    return readable_cell(text);
}

class MarkdownWriter final : public ResultWriter {
  public:
    explicit MarkdownWriter(TextSink sink) : sink_(std::move(sink)) {}

    Result<void> begin(const std::vector<ColumnInfo>& columns) override {
        std::string names = "|";
        std::string rule = "|";
        for (const ColumnInfo& column : columns) {
            names += " " + escaped(readable_cell(column.name)) + " |";
            rule += is_number(column.type) ? " ---: |" : " --- |";
        }
        return sink_(names + "\n" + rule + "\n");
    }

    Result<std::size_t> row(const ValueRenderer& values, std::size_t row) override {
        std::string line = "|";
        for (std::size_t i = 0; i < values.column_count(); ++i) {
            line += " " + escaped(shown(values, i, row)) + " |";
        }
        line += '\n';
        TB_RETURN_IF_ERROR(sink_(line));
        return line.size();
    }

    Result<void> finish() override { return {}; }

  private:
    static std::string escaped(std::string_view text) {
        std::string result;
        for (const char c : text) {
            result += c == '|' ? "\\|" : std::string(1, c);
        }
        return result;
    }

    TextSink sink_;
};

class TableWriter final : public ResultWriter {
  public:
    explicit TableWriter(TextSink sink) : sink_(std::move(sink)) {}

    Result<void> begin(const std::vector<ColumnInfo>& columns) override {
        for (const ColumnInfo& column : columns) {
            names_.push_back(readable_cell(column.name));
            widths_.push_back(character_count(names_.back()));
            right_.push_back(is_number(column.type));
        }
        return {};
    }

    Result<std::size_t> row(const ValueRenderer& values, std::size_t row) override {
        std::vector<std::string> cells;
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < values.column_count(); ++i) {
            cells.push_back(values.is_null(i, row) ? "-" : shown(values, i, row));
            bytes += cells.back().size() + 2;
        }
        if (header_written_) {
            TB_RETURN_IF_ERROR(sink_(line(cells)));
            return bytes;
        }
        for (std::size_t i = 0; i < cells.size(); ++i) {
            widths_[i] = std::max(widths_[i], character_count(cells[i]));
        }
        sample_.push_back(std::move(cells));
        if (sample_.size() >= kWidthSampleRows) {
            TB_RETURN_IF_ERROR(write_sample());
        }
        return bytes;
    }

    Result<void> finish() override { return header_written_ ? Result<void>{} : write_sample(); }

  private:
    Result<void> write_sample() {
        header_written_ = true;
        TB_RETURN_IF_ERROR(sink_(line(names_)));
        std::vector<std::string> rule;
        for (const std::size_t width : widths_) {
            rule.emplace_back(width, '-');
        }
        TB_RETURN_IF_ERROR(sink_(line(rule)));
        for (const auto& cells : sample_) {
            TB_RETURN_IF_ERROR(sink_(line(cells)));
        }
        sample_.clear();
        return {};
    }

    [[nodiscard]] std::string line(const std::vector<std::string>& cells) const {
        std::string text;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const std::size_t count = character_count(cells[i]);
            const std::string blanks(widths_[i] > count ? widths_[i] - count : 0, ' ');
            text += i == 0 ? "" : "  ";
            text += right_[i] ? blanks + cells[i] : cells[i] + blanks;
        }
        text.resize(text.find_last_not_of(' ') + 1);
        return text + "\n";
    }

    TextSink sink_;
    std::vector<std::string> names_;
    std::vector<std::size_t> widths_;
    std::vector<bool> right_;
    std::vector<std::vector<std::string>> sample_;
    bool header_written_ = false;
};

}  // namespace

std::optional<ResultFormat> result_format(std::string_view name) {
    for (const auto& [known, format] : kFormats) {
        if (known == name) {
            return format;
        }
    }
    return std::nullopt;
}

std::unique_ptr<ResultWriter> make_result_writer(ResultFormat format, TextSink sink,
                                                 bool spreadsheet_safe) {
    switch (format) {
        case ResultFormat::kCsv:
            return std::make_unique<CsvWriter>(std::move(sink), spreadsheet_safe);
        case ResultFormat::kJson:
            return std::make_unique<JsonWriter>(std::move(sink), true);
        case ResultFormat::kNdjson:
            return std::make_unique<JsonWriter>(std::move(sink), false);
        case ResultFormat::kMarkdown:
            return std::make_unique<MarkdownWriter>(std::move(sink));
        case ResultFormat::kTable:
            break;
    }
    return std::make_unique<TableWriter>(std::move(sink));
}

std::string readable_cell(std::string_view text) {
    // Enough bytes for the characters that are kept, and one more to see that something is cut.
    constexpr std::size_t kEnough = 4 * (kMaxReadableCell + 1);
    std::size_t end = std::min(text.size(), kEnough);
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    bool cut = end < text.size();
    std::size_t characters = 0;
    for (std::size_t at = 0; at < end; ++at) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
        if (begins && ++characters > kMaxReadableCell) {
            end = at;
            cut = true;
        }
    }
    std::string json;
    append_visible_json_string(json, text.substr(0, end));
    // The JSON form without what only JSON needs: quotes around, and before quotes and backslashes.
    std::string result;
    for (std::size_t at = 1; at + 1 < json.size(); ++at) {
        if (json[at] == '\\' && (json[at + 1] == '"' || json[at + 1] == '\\')) {
            ++at;
        }
        result += json[at];
    }
    return cut ? result + "\xE2\x80\xA6" : result;
}

}  // namespace tb::db
