#include "db/sql_nesting.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/text.h"

namespace tb::db {

namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

class Scanner {
  public:
    explicit Scanner(std::string_view sql) : sql_(sql) {}

    Nesting run() {
        while (at_ < sql_.size()) {
            step();
        }
        return nesting_;
    }

  private:
    [[nodiscard]] bool here(std::string_view text) const {
        return sql_.substr(at_, text.size()) == text;
    }

    void step() {
        const char c = sql_[at_];
        if (here("--")) {
            const std::size_t end = sql_.find_first_of("\r\n", at_);
            at_ = end == std::string_view::npos ? sql_.size() : end;
        } else if (here("/*")) {
            skip_comment();
        } else if (c == '\'' || c == '"') {
            ++at_;
            quoted(c, false);
        } else if (c == '$' && dollar_quoted()) {
            return;
        } else if (is_word(c)) {
            word();
        } else {
            bracket(c);
            ++at_;
        }
    }

    // Comments nest, as the engine's do.
    void skip_comment() {
        std::size_t depth = 0;
        while (at_ < sql_.size()) {
            if (here("/*")) {
                ++depth;
                at_ += 2;
            } else if (here("*/")) {
                at_ += 2;
                if (--depth == 0) {
                    return;
                }
            } else {
                ++at_;
            }
        }
    }

    // Behind the opening quote; doubled quotes belong to the text.
    void quoted(char quote, bool backslashes) {
        const std::size_t begin = at_;
        while (at_ < sql_.size()) {
            if (backslashes && sql_[at_] == '\\') {
                at_ += 2;
            } else if (sql_[at_] != quote) {
                ++at_;
            } else if (at_ + 1 < sql_.size() && sql_[at_ + 1] == quote) {
                at_ += 2;
            } else {
                break;
            }
        }
        at_ = std::min(at_, sql_.size());
        if (quote == '\'') {
            text(sql_.substr(begin, at_ - begin));
        }
        ++at_;
    }

    // $$ text $$, $tag$ text $tag$
    bool dollar_quoted() {
        std::size_t end = at_ + 1;
        while (end < sql_.size() && sql_[end] != '$' && is_word(sql_[end])) {
            ++end;
        }
        if (end >= sql_.size() || sql_[end] != '$') {
            ++at_;
            return true;
        }
        const std::string_view tag = sql_.substr(at_, end + 1 - at_);
        const std::size_t begin = end + 1;
        const std::size_t close = std::min(sql_.find(tag, begin), sql_.size());
        text(sql_.substr(begin, close - begin));
        at_ = std::min(close + tag.size(), sql_.size());
        return true;
    }

    void word() {
        const std::size_t begin = at_;
        while (at_ < sql_.size() && is_word(sql_[at_])) {
            ++at_;
        }
        const std::string_view word = sql_.substr(begin, at_ - begin);
        if ((word == "e" || word == "E") && at_ < sql_.size() && sql_[at_] == '\'') {
            ++at_;
            quoted('\'', true);
        } else if (equals_ignoring_case(word, "case")) {
            open();
        } else if (equals_ignoring_case(word, "end")) {
            close();
        }
    }

    void bracket(char c) {
        if (c == '(' || c == '[' || c == '{') {
            open();
        } else if (c == ')' || c == ']' || c == '}') {
            close();
        }
    }

    void open() { nesting_.code = std::max(nesting_.code, ++depth_); }
    void close() { depth_ -= depth_ > 0 ? 1 : 0; }

    void text(std::string_view inside) {
        std::size_t depth = 0;
        for (const char c : inside) {
            if (c == '[' || c == '{' || c == '(') {
                nesting_.text = std::max(nesting_.text, ++depth);
            } else if (c == ']' || c == '}' || c == ')') {
                depth -= depth > 0 ? 1 : 0;
            }
        }
    }

    std::string_view sql_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    Nesting nesting_;
};

}  // namespace

Nesting nesting_of(std::string_view sql) {
    return Scanner(sql).run();
}

Result<void> check_nesting(std::string_view sql) {
    const Nesting nesting = nesting_of(sql);
    if (nesting.code > kMaxNesting) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("the query is nested {} deep, more than the limit of {} "
                                      "brackets and CASE inside one another",
                                      nesting.code, kMaxNesting));
    }
    if (nesting.text > kMaxTextNesting) {
        return make_error(ErrorCode::kResourceExhausted,
                          fmt::format("a text in the query has brackets {} deep, more than the "
                                      "limit of {}",
                                      nesting.text, kMaxTextNesting));
    }
    return {};
}

}  // namespace tb::db
