#include "cli/toml_edit.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace tb::cli {

namespace {

constexpr std::size_t kMaxDepth = 64;

void append_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0U | (code >> 6U));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0U | (code >> 12U));
        out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else {
        out += static_cast<char>(0xF0U | (code >> 18U));
        out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
        out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    }
}

bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    Result<std::vector<TomlStatement>> scan() {
        if (text_.starts_with("\xEF\xBB\xBF")) {
            position_ = 3;
        }
        std::vector<TomlStatement> statements;
        TomlKey table;
        while (position_ < text_.size()) {
            const std::size_t begin = position_;
            skip_blanks();
            if (at_line_end()) {
                TB_RETURN_IF_ERROR(end_line());
                continue;
            }
            TomlStatement statement;
            statement.begin = begin;
            if (peek() == '[') {
                TB_RETURN_IF_ERROR(read_header(statement));
                table = statement.key;
            } else {
                TB_RETURN_IF_ERROR(read_assignment(statement, table));
            }
            TB_RETURN_IF_ERROR(end_line());
            statement.end = position_;
            statements.push_back(std::move(statement));
        }
        return statements;
    }

  private:
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
    }
    [[nodiscard]] bool sees(std::string_view what) const {
        return text_.substr(position_).starts_with(what);
    }
    [[nodiscard]] bool at_line_end() const {
        return position_ >= text_.size() || peek() == '#' || peek() == '\n' || sees("\r\n");
    }
    bool take(std::string_view what) {
        const bool there = sees(what);
        position_ += there ? what.size() : 0;
        return there;
    }
    void skip_blanks() {
        while (peek() == ' ' || peek() == '\t') {
            ++position_;
        }
    }
    [[nodiscard]] tl::unexpected<Error> wrong(std::string_view what) const {
        const auto line =
            1 + std::count(
                    text_.begin(),
                    text_.begin() + static_cast<std::ptrdiff_t>(std::min(position_, text_.size())),
                    '\n');
        return make_error(ErrorCode::kParse, fmt::format("line {}: {}", line, what));
    }

    // Blanks, a comment, and the line end with it.
    Result<void> end_line() {
        skip_blanks();
        if (peek() == '#') {
            while (position_ < text_.size() && peek() != '\n') {
                ++position_;
            }
        }
        if (position_ >= text_.size() || take("\n") || take("\r\n")) {
            return {};
        }
        return wrong("something follows where the line should end");
    }

    Result<void> read_header(TomlStatement& statement) {
        const bool array = sees("[[");
        statement.kind = array ? TomlStatement::Kind::kTableArray : TomlStatement::Kind::kTable;
        position_ += array ? 2 : 1;
        TB_TRY(statement.key, read_key());
        if (!take(array ? "]]" : "]")) {
            return wrong("a table header without its closing bracket");
        }
        return {};
    }

    Result<void> read_assignment(TomlStatement& statement, const TomlKey& table) {
        TB_TRY(const TomlKey key, read_key());
        if (!take("=")) {
            return wrong("a key without a value");
        }
        skip_blanks();
        statement.key = table;
        statement.table = table.size();
        statement.key.insert(statement.key.end(), key.begin(), key.end());
        statement.value_begin = position_;
        TB_TRY(statement.value, read_value(0));
        statement.value_end = position_;
        return {};
    }

    Result<TomlKey> read_key() {
        TomlKey key;
        do {
            skip_blanks();
            if (sees("\"\"\"") || sees("'''")) {
                return wrong("a key over several lines");
            }
            if (peek() == '"' || peek() == '\'') {
                TB_TRY(std::string part, read_string());
                key.push_back(std::move(part));
            } else {
                const std::size_t begin = position_;
                while (is_bare(peek())) {
                    ++position_;
                }
                if (position_ == begin) {
                    return wrong("a key is missing");
                }
                key.emplace_back(text_.substr(begin, position_ - begin));
            }
            skip_blanks();
        } while (take("."));
        return key;
    }

    Result<TomlValue> read_value(std::size_t depth) {
        if (depth > kMaxDepth) {
            return wrong("nested too deeply");
        }
        if (peek() == '"' || peek() == '\'') {
            TomlValue value;
            TB_TRY(value.text, read_string());
            return value;
        }
        if (take("[")) {
            return read_array(depth);
        }
        if (take("{")) {
            return read_inline_table(depth);
        }
        const std::size_t begin = position_;
        const auto is_scalar = [](char c) {
            return is_bare(c) || c == '+' || c == '.' || c == ':';
        };
        while (is_scalar(peek())) {
            ++position_;
        }
        // "1979-05-27 07:32:00"
        if (position_ - begin == 10 && peek() == ' ' && peek(1) >= '0' && peek(1) <= '9') {
            ++position_;
            while (is_scalar(peek())) {
                ++position_;
            }
        }
        const std::string_view scalar = text_.substr(begin, position_ - begin);
        const std::size_t sign = !scalar.empty() && (scalar[0] == '+' || scalar[0] == '-') ? 1 : 0;
        const std::string_view word = scalar.substr(sign);
        const bool number = !word.empty() && word[0] >= '0' && word[0] <= '9';
        if (!number && word != "inf" && word != "nan" && scalar != "true" && scalar != "false") {
            return wrong("a value is missing or not TOML");
        }
        return TomlValue{};
    }

    Result<void> skip_lines() {
        while (true) {
            skip_blanks();
            if (position_ >= text_.size() || !at_line_end()) {
                return {};
            }
            TB_RETURN_IF_ERROR(end_line());
        }
    }

    Result<TomlValue> read_array(std::size_t depth) {
        TomlValue array;
        array.texts.emplace();
        while (true) {
            TB_RETURN_IF_ERROR(skip_lines());
            if (take("]")) {
                return array;
            }
            TB_TRY(TomlValue item, read_value(depth + 1));
            if (!item.text.has_value()) {
                array.texts.reset();
            } else if (array.texts.has_value()) {
                array.texts->push_back(std::move(*item.text));
            }
            TB_RETURN_IF_ERROR(skip_lines());
            if (!take(",") && peek() != ']') {
                return wrong("an array without its closing bracket");
            }
        }
    }

    Result<TomlValue> read_inline_table(std::size_t depth) {
        skip_blanks();
        if (take("}")) {
            return TomlValue{};
        }
        while (true) {
            TB_TRY([[maybe_unused]] const TomlKey key, read_key());
            if (!take("=")) {
                return wrong("a key without a value");
            }
            skip_blanks();
            TB_TRY([[maybe_unused]] const TomlValue value, read_value(depth + 1));
            skip_blanks();
            if (take("}")) {
                return TomlValue{};
            }
            if (!take(",")) {
                return wrong("an inline table without its closing brace");
            }
        }
    }

    Result<std::string> read_string() {
        const char quote = peek();
        const std::string three(3, quote);
        const bool long_form = sees(three);
        position_ += long_form ? 3 : 1;
        if (long_form && !take("\n")) {
            take("\r\n");
        }
        std::string out;
        while (position_ < text_.size()) {
            if (long_form ? sees(three) : peek() == quote) {
                position_ += long_form ? 3 : 1;
                // Up to two quotes may stand before the closing three.
                while (long_form && peek() == quote) {
                    out += quote;
                    ++position_;
                }
                return out;
            }
            if (!long_form && (peek() == '\n' || peek() == '\r')) {
                break;
            }
            if (quote == '"' && peek() == '\\') {
                TB_RETURN_IF_ERROR(read_escape(out, long_form));
            } else {
                out += text_[position_++];
            }
        }
        return wrong("a string without its closing quote");
    }

    Result<void> read_escape(std::string& out, bool long_form) {
        constexpr std::string_view kLetters = "btnfr\"\\e";
        constexpr std::string_view kMeanings = "\b\t\n\f\r\"\\\x1b";
        ++position_;
        const char letter = peek();
        if (const std::size_t found = kLetters.find(letter);
            letter != '\0' && found != std::string_view::npos) {
            out += kMeanings[found];
            ++position_;
            return {};
        }
        if (letter == 'u' || letter == 'U') {
            const std::size_t digits = letter == 'u' ? 4 : 8;
            const std::string_view hex = text_.substr(position_ + 1, digits);
            std::uint32_t code = 0;
            const auto parsed = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
            const bool surrogate = code >= 0xD800 && code < 0xE000;
            if (hex.size() != digits || parsed.ptr != hex.data() + hex.size() || surrogate ||
                code > 0x10FFFF) {
                return wrong("an escape that is no character");
            }
            append_utf8(out, code);
            position_ += 1 + digits;
            return {};
        }
        if (long_form && (letter == '\n' || letter == '\r' || letter == ' ' || letter == '\t')) {
            while (peek() == '\n' || peek() == '\r' || peek() == ' ' || peek() == '\t') {
                ++position_;
            }
            return {};
        }
        return wrong("an unknown escape in a string");
    }

    std::string_view text_;
    std::size_t position_ = 0;
};

bool starts_with(const TomlKey& key, const TomlKey& beginning) {
    return key.size() >= beginning.size() &&
           std::equal(beginning.begin(), beginning.end(), key.begin());
}

struct Located {
    bool found = false;
    std::size_t header_end = 0;
    std::vector<TomlStatement> assignments;
};

// The table's own statements, once it is certain that nothing else in the file defines it too.
Result<Located> locate(std::string_view text, const TomlKey& table) {
    TB_TRY(std::vector<TomlStatement> statements, Scanner(text).scan());
    const std::string name = fmt::format("[{}]", fmt::join(table, "."));
    const auto refused = [&](std::string_view why) {
        return make_error(ErrorCode::kRefused, fmt::format("{} {}", name, why));
    };
    Located located;
    for (TomlStatement& statement : statements) {
        using Kind = TomlStatement::Kind;
        if (statement.kind == Kind::kTable) {
            if (statement.key == table && std::exchange(located.found, true)) {
                return refused("is there twice");
            }
            if (statement.key == table) {
                located.header_end = statement.end;
            }
        } else if (starts_with(table, statement.key)) {
            return refused("cannot be added to: it is an array, an inline table or a plain value");
        } else if (statement.kind == Kind::kAssignment && starts_with(statement.key, table)) {
            if (statement.table < table.size()) {
                return refused("is written with dotted keys");
            }
            if (statement.table == table.size() && statement.key.size() == table.size() + 1) {
                located.assignments.push_back(std::move(statement));
            }
        }
    }
    return located;
}

}  // namespace

Result<std::vector<TomlStatement>> scan_toml(std::string_view text) {
    return Scanner(text).scan();
}

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            out += fmt::format("\\u{:04x}", byte);
        } else {
            out += c;
        }
    }
    return out + "\"";
}

Result<std::optional<std::vector<TomlStatement>>> toml_table(std::string_view text,
                                                             const TomlKey& table) {
    TB_TRY(Located located, locate(text, table));
    if (!located.found) {
        return std::optional<std::vector<TomlStatement>>();
    }
    return std::optional(std::move(located.assignments));
}

Result<std::string> set_in_toml_table(std::string_view text, const TomlKey& table,
                                      const std::vector<TomlSetting>& settings) {
    TB_TRY(const Located located, locate(text, table));
    const std::string_view newline = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
    std::string out(text);
    if (!located.found) {
        if (!out.empty() && !out.ends_with('\n')) {
            out += newline;
        }
        if (!out.empty()) {
            out += newline;
        }
        out += fmt::format("[{}]{}", fmt::join(table, "."), newline);
        for (const TomlSetting& setting : settings) {
            if (!setting.value.empty()) {
                out += fmt::format("{} = {}{}", setting.key, setting.value, newline);
            }
        }
        return out;
    }
    struct Edit {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::string text;
    };
    std::vector<Edit> edits;
    std::string fresh;
    for (const TomlSetting& setting : settings) {
        const auto there =
            std::find_if(located.assignments.begin(), located.assignments.end(),
                         [&](const auto& one) { return one.key.back() == setting.key; });
        if (there == located.assignments.end()) {
            if (!setting.value.empty()) {
                fresh += fmt::format("{} = {}{}", setting.key, setting.value, newline);
            }
        } else if (setting.value.empty()) {
            edits.push_back({there->begin, there->end, ""});
        } else {
            edits.push_back({there->value_begin, there->value_end, setting.value});
        }
    }
    if (!fresh.empty()) {
        const bool open_end = !text.substr(0, located.header_end).ends_with('\n');
        edits.push_back({located.header_end, located.header_end,
                         open_end ? std::string(newline) + fresh : fresh});
    }
    // From the back, so that positions stay right.
    std::sort(edits.begin(), edits.end(),
              [](const Edit& a, const Edit& b) { return a.begin > b.begin; });
    for (const Edit& edit : edits) {
        out.replace(edit.begin, edit.end - edit.begin, edit.text);
    }
    return out;
}

}  // namespace tb::cli
