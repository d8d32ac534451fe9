// The small pieces a page is made of: text that is safe in HTML, figures as people read them,
// tables.
//
// A figure that is null shows as "n/a". Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/json_box.h"

namespace tb::report {

// Text for HTML content and quoted attributes: valid UTF-8 without control and bidirectional
// characters (mcp::visible_text), `& < > " '` as entities.
[[nodiscard]] std::string html_text(std::string_view text);
// JSON that may stand inside <script>: nothing in it can end the element or, in old engines, a
// line of script (`<`, `>`, `&`, U+2028 and U+2029 are written as \u escapes).
[[nodiscard]] std::string script_json(const mcp::Json& value);

// Member of an object, or null.
[[nodiscard]] const mcp::Json& member(const mcp::Json& object, std::string_view name);
[[nodiscard]] std::optional<double> number(const mcp::Json& value);
// A text member, or "".
[[nodiscard]] std::string text_of(const mcp::Json& object, std::string_view name);

// "n/a".
[[nodiscard]] std::string missing();
// Dollars with cents.
[[nodiscard]] std::string money(const mcp::Json& value);
// Dollars as they fit a card: without cents from $100,000 on, the exact amount as its title.
[[nodiscard]] std::string card_money(const mcp::Json& value);
// Dollars in at most eight characters, for narrow cells: "-$1,234", "$56.8k", "$1.23M".
[[nodiscard]] std::string short_money(double dollars);
[[nodiscard]] std::string ratio(const mcp::Json& value);
// `factor` 100 for a fraction, 1 for what is in percent already.
[[nodiscard]] std::string percent(const mcp::Json& value, double factor = 1);
[[nodiscard]] std::string count(const mcp::Json& value);
// A profit factor without a value is infinite where something was won and nothing lost. `figures`
// has profitFactor, avgWin and avgLoss.
[[nodiscard]] std::string profit_factor(const mcp::Json& figures);
// "gain" or "loss" by the sign, to colour an amount.
[[nodiscard]] const char* sign_class(const mcp::Json& value);
[[nodiscard]] std::string problem(const std::string& error);

// A table in a box that scrolls sideways when the screen is narrower. The first column names the
// row; cells are HTML.
class Table {
  public:
    struct Cell {
        Cell(std::string text) : html(std::move(text)) {}  // NOLINT(google-explicit-constructor)
        Cell(std::string text, const char* css) : html(std::move(text)), css_class(css) {}
        std::string html;
        const char* css_class = "";
    };

    explicit Table(const std::vector<std::string>& head, std::string_view css_class = {});
    void row(const std::string& name, const std::vector<Cell>& cells);
    [[nodiscard]] std::string html() const;
    [[nodiscard]] bool empty() const { return rows_ == 0; }

  private:
    std::string html_;
    std::size_t rows_ = 0;
};

}  // namespace tb::report
