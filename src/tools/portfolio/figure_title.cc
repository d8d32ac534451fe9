#include "tools/portfolio/figure_title.h"

#include "core/text.h"

namespace tb::tools {

std::string figure_title(std::string_view name) {
    if (name == "cagr") {
        return "CAGR";
    }
    std::string title;
    while (!name.empty()) {
        std::size_t size = 1;
        while (size < name.size() && !(name[size] >= 'A' && name[size] <= 'Z')) {
            ++size;
        }
        const std::string word = ascii_lower(name.substr(0, size));
        title += title.empty() ? "" : " ";
        const bool is_person = word == "sharpe" || word == "sortino" || word == "calmar";
        title += word == "pl" ? "P/L" : word;
        if (is_person) {
            title[title.size() - word.size()] =
                static_cast<char>(title[title.size() - word.size()] - 'a' + 'A');
        }
        name.remove_prefix(size);
    }
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') {
        title[0] = static_cast<char>(title[0] - 'a' + 'A');
    }
    return title;
}

}  // namespace tb::tools
