#include "source_scan.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>

namespace tb::tidy {

namespace fs = std::filesystem;

namespace {

bool is_source(const fs::path& path) {
    const std::string name = path.filename().string();
    static constexpr std::array kEndings{".cc", ".h", ".py", ".sh", ".cmake"};
    return name == "CMakeLists.txt" || name == "tb" || path.string().ends_with(".ci/run") ||
           std::any_of(kEndings.begin(), kEndings.end(),
                       [&](std::string_view ending) { return name.ends_with(ending); });
}

bool is_word_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Position after the string or character literal that starts at `at` (a quote).
std::size_t skip_literal(std::string_view text, std::size_t at) {
    const char quote = text[at];
    for (std::size_t i = at + 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == quote || text[i] == '\n') {
            return i + 1;
        }
    }
    return text.size();
}

std::size_t skip_raw_string(std::string_view text, std::size_t quote) {
    const std::size_t open = text.find('(', quote);
    if (open == std::string_view::npos) {
        return text.size();
    }
    const std::string end = ")" + std::string(text.substr(quote + 1, open - quote - 1)) + "\"";
    const std::size_t close = text.find(end, open);
    return close == std::string_view::npos ? text.size() : close + end.size();
}

}  // namespace

std::vector<SourceFile> source_files(const fs::path& root) {
    std::vector<SourceFile> files;
    const auto add = [&](const fs::path& path) {
        std::ifstream in(path, std::ios::binary);
        files.push_back({fs::relative(path, root).generic_string(),
                         std::string(std::istreambuf_iterator<char>(in), {})});
    };
    for (const char* const top : {"CMakeLists.txt", "tb", ".ci/run"}) {
        if (fs::exists(root / top)) {
            add(root / top);
        }
    }
    for (const char* const top : {"src", "tests", "bench", "fuzz", "cmake"}) {
        if (!fs::exists(root / top)) {
            continue;
        }
        for (auto it = fs::recursive_directory_iterator(root / top);
             it != fs::recursive_directory_iterator(); ++it) {
            if (it->is_directory() && it->path().filename() == "node_modules") {
                it.disable_recursion_pending();
            } else if (it->is_regular_file() && is_source(it->path())) {
                add(it->path());
            }
        }
    }
    std::sort(files.begin(), files.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return files;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return lines;
}

std::string code_only(std::string_view text) {
    std::string code(text);
    const auto blank = [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i) {
            if (code[i] != '\n') {
                code[i] = ' ';
            }
        }
        return to;
    };
    for (std::size_t i = 0; i < text.size();) {
        if (text.substr(i, 2) == "//") {
            i = blank(i, std::min(text.find('\n', i), text.size()));
        } else if (text.substr(i, 2) == "/*") {
            const std::size_t end = text.find("*/", i);
            i = blank(i, end == std::string_view::npos ? text.size() : end + 2);
        } else if (text[i] == '"' && i > 0 && text[i - 1] == 'R') {
            i = blank(i, skip_raw_string(text, i));
        } else if (text[i] == '"' || (text[i] == '\'' && (i == 0 || !is_word_char(text[i - 1])))) {
            // A quote after a digit separates thousands: 1'000.
            const std::size_t end = skip_literal(text, i);
            const bool include = text.substr(0, i).ends_with("#include ");
            i = include ? end : blank(i, end);
        } else {
            ++i;
        }
    }
    return code;
}

bool has_word(std::string_view line, std::string_view word) {
    for (std::size_t at = line.find(word); at != std::string_view::npos;
         at = line.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !is_word_char(line[at - 1])) &&
            (end == line.size() || !is_word_char(line[end]))) {
            return true;
        }
    }
    return false;
}

bool has_call(std::string_view line, std::string_view function) {
    const std::string call = std::string(function) + "(";
    for (std::size_t at = line.find(call); at != std::string_view::npos;
         at = line.find(call, at + 1)) {
        if (at == 0 || !is_word_char(line[at - 1])) {
            return true;
        }
    }
    return false;
}

std::map<std::string, std::set<std::string>> module_reach(std::string_view cmake_lists) {
    std::map<std::string, std::set<std::string>> public_links;
    std::map<std::string, std::set<std::string>> all_links;
    for (const std::string_view line : lines_of(cmake_lists)) {
        constexpr std::string_view kCall = "tb_add_module(";
        if (!line.starts_with(kCall)) {
            continue;
        }
        std::string words(line.substr(kCall.size()));
        std::replace(words.begin(), words.end(), ')', ' ');
        std::istringstream in(words);
        std::string module;
        in >> module;
        bool is_public = true;
        public_links[module];
        all_links[module].insert(module);
        for (std::string word; in >> word;) {
            if (word == "PRIVATE_DEPS") {
                is_public = false;
            } else if (word.starts_with("tb::")) {
                all_links[module].insert(word.substr(4));
                if (is_public) {
                    public_links[module].insert(word.substr(4));
                }
            }
        }
    }
    std::map<std::string, std::set<std::string>> reach;
    for (const auto& [module, direct] : all_links) {
        std::vector<std::string> open(direct.begin(), direct.end());
        while (!open.empty()) {
            const std::string next = open.back();
            open.pop_back();
            if (reach[module].insert(next).second) {
                const auto& further = next == module ? direct : public_links[next];
                open.insert(open.end(), further.begin(), further.end());
            }
        }
    }
    return reach;
}

std::size_t width_of(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

}  // namespace tb::tidy
