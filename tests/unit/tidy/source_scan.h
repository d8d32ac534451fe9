// Reading the source tree for the style test: files, comment-free code, module arrows.
//
// Thread-compatible.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tb::tidy {

struct SourceFile {
    std::string path;  // relative to the root, with `/`
    std::string text;
};

// Files of the tree that people write, sorted: C++, CMake, Python, shell. Not: build folders,
// node_modules, third-party files, test data.
[[nodiscard]] std::vector<SourceFile> source_files(const std::filesystem::path& root);

// Views into `text`, which therefore must not be a temporary.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);
std::vector<std::string_view> lines_of(std::string&& text) = delete;

// C++ text with comments, strings and characters blanked out; line breaks stay.
[[nodiscard]] std::string code_only(std::string_view text);

// Whether `word` occurs in code as a whole identifier (`printf` is not in `snprintf`).
[[nodiscard]] bool has_word(std::string_view line, std::string_view word);

// Whether `function` is called in code: the whole word and an opening bracket.
[[nodiscard]] bool has_call(std::string_view line, std::string_view function);

// Modules and what each may include: itself and every module it links, directly or through them.
// Parsed from the tb_add_module lines.
[[nodiscard]] std::map<std::string, std::set<std::string>> module_reach(
    std::string_view cmake_lists);

// Number of characters, not of bytes.
[[nodiscard]] std::size_t width_of(std::string_view utf8);

}  // namespace tb::tidy
