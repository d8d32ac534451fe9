// The house rules that a program can check (docs/architecture.md, "House rules"). Each failure
// names file and line.
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "source_scan.h"
#include "support/temp_dir.h"

namespace tb::tidy {
namespace {

constexpr std::size_t kMaxColumns = 100;
constexpr std::size_t kMaxLines = 700;

const std::vector<SourceFile>& tree() {
    static const std::vector<SourceFile> files = source_files(test::source_dir());
    return files;
}

bool is_cpp(const SourceFile& file) {
    return file.path.ends_with(".cc") || file.path.ends_with(".h");
}

std::string module_of(const std::string& path) {
    return path.starts_with("src/") ? path.substr(4, path.find('/', 4) - 4) : "";
}

std::string read_root_file(const std::string& name) {
    std::ifstream in(test::source_dir() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Lines of the code of `file` (comments and strings blanked) on which `bad` is true.
template <class Predicate>
void expect_no_line(const SourceFile& file, const std::string& rule, Predicate bad) {
    std::size_t number = 0;
    const std::string code = code_only(file.text);
    for (const std::string_view line : lines_of(code)) {
        ++number;
        EXPECT_FALSE(bad(line)) << file.path << ":" << number << ": " << rule << ": " << line;
    }
}

TEST(Style, TreeIsFound) {
    EXPECT_GT(tree().size(), 50U);
    EXPECT_GT(std::count_if(tree().begin(), tree().end(), is_cpp), 40);
}

TEST(Style, LinesFitTheScreen) {
    for (const SourceFile& file : tree()) {
        const bool is_cmake = file.path.ends_with(".cmake") || file.path.ends_with(".txt");
        std::size_t number = 0;
        for (const std::string_view line : lines_of(file.text)) {
            ++number;
            // CMake has no way to break a string; text that must stay whole (a row of test data, a
            // link) cannot be broken either.
            const bool whole =
                is_cmake || line.find("://") != std::string_view::npos ||
                (file.path.starts_with("tests/") && line.find('"') != std::string_view::npos);
            EXPECT_LE(width_of(line), whole ? 2 * kMaxColumns : kMaxColumns)
                << file.path << ":" << number;
        }
    }
}

TEST(Style, NoTabsNoTrailingBlanksNoCarriageReturns) {
    for (const SourceFile& file : tree()) {
        std::size_t number = 0;
        for (const std::string_view line : lines_of(file.text)) {
            ++number;
            EXPECT_EQ(line.find_first_of("\t\r"), std::string_view::npos)
                << file.path << ":" << number;
            EXPECT_FALSE(line.ends_with(' ')) << file.path << ":" << number << ": trailing blank";
        }
        EXPECT_TRUE(file.text.empty() || file.text.ends_with('\n'))
            << file.path << ": no line break at the end";
        EXPECT_FALSE(file.text.ends_with("\n\n")) << file.path << ": blank line at the end";
    }
}

TEST(Style, FilesStayReadable) {
    for (const SourceFile& file : tree()) {
        EXPECT_LE(lines_of(file.text).size(), kMaxLines) << file.path;
    }
}

TEST(Style, HeadersSayWhatTheyAreAndAreIncludedOnce) {
    for (const SourceFile& file : tree()) {
        if (file.path.ends_with(".h")) {
            EXPECT_TRUE(file.text.starts_with("//")) << file.path << ": no comment at the top";
            EXPECT_NE(file.text.find("\n#pragma once\n"), std::string::npos) << file.path;
        }
    }
}

// The arrows between modules are the links of CMakeLists.txt and nothing else.
TEST(Style, IncludesFollowTheModuleArrows) {
    const auto reach = module_reach(read_root_file("CMakeLists.txt"));
    ASSERT_GE(reach.size(), 10U);
    for (const SourceFile& file : tree()) {
        const std::string module = module_of(file.path);
        if (!is_cpp(file) || module.empty() || file.path == "src/main.cc") {
            continue;
        }
        ASSERT_TRUE(reach.contains(module)) << file.path << ": folder is no module";
        std::size_t number = 0;
        for (const std::string_view line : lines_of(file.text)) {
            ++number;
            constexpr std::string_view kInclude = "#include \"";
            if (!line.starts_with(kInclude)) {
                continue;
            }
            const std::string_view target = line.substr(kInclude.size());
            const std::string other(target.substr(0, target.find('/')));
            EXPECT_TRUE(reach.at(module).contains(other))
                << file.path << ":" << number << ": " << module << " may not include " << other;
        }
    }
}

TEST(Style, ModuleArrowsHaveNoCycle) {
    const auto reach = module_reach(read_root_file("CMakeLists.txt"));
    for (const auto& [module, others] : reach) {
        for (const std::string& other : others) {
            EXPECT_FALSE(other != module && reach.contains(other) &&
                         reach.at(other).contains(module))
                << module << " and " << other << " reach each other";
        }
    }
}

TEST(Style, OnlyTheDatabaseLayerKnowsTheEngine) {
    for (const SourceFile& file : tree()) {
        if (is_cpp(file) && module_of(file.path) != "db") {
            EXPECT_EQ(file.text.find("\n#include <duckdb"), std::string::npos) << file.path;
        }
    }
}

// Compile time: each of these costs seconds wherever it is included.
TEST(Style, HeavyThirdPartyHeadersStayOutOfOurHeaders) {
    for (const SourceFile& file : tree()) {
        if (!file.path.starts_with("src/") || !file.path.ends_with(".h") ||
            file.path.ends_with("_impl.h")) {  // shared by the sources of one library only
            continue;
        }
        for (const char* const heavy :
             {"<CLI/", "<nlohmann/json.hpp>", "<boost/beast", "<boost/asio", "<spdlog", "<Eigen"}) {
            EXPECT_EQ(file.text.find(std::string("#include ") + heavy), std::string::npos)
                << file.path << " includes " << heavy;
        }
    }
}

TEST(Style, NumbersAndTimesDoNotDependOnTheLocale) {
    static constexpr std::array kBanned{"stod",  "stof",      "strtod", "strtof",  "atof",
                                        "atoi",  "localtime", "gmtime", "sprintf", "setlocale",
                                        "scanf", "sscanf",    "mktime", "strftime"};
    for (const SourceFile& file : tree()) {
        if (!is_cpp(file) || !file.path.starts_with("src/")) {
            continue;
        }
        for (const char* const word : kBanned) {
            expect_no_line(file, std::string(word) + " is banned",
                           [&](std::string_view line) { return has_word(line, word); });
        }
        expect_no_line(file, "std::regex is slow and recursive", [](std::string_view line) {
            return line.find("std::regex") != std::string_view::npos ||
                   line.find("#include <regex>") != std::string_view::npos;
        });
    }
}

// On the stdio transport a stray line on stdout breaks the protocol.
TEST(Style, OnlyTheCommandLineAndTheProtocolPrint) {
    static constexpr std::array kPrinters{"printf",    "puts", "putchar", "fwrite",
                                          "std::cout", "cout", "cerr",    "clog"};
    for (const SourceFile& file : tree()) {
        const std::string module = module_of(file.path);
        if (!is_cpp(file) || module.empty() || module == "cli" || module == "mcp" ||
            file.path == "src/main.cc") {
            continue;
        }
        for (const char* const word : kPrinters) {
            expect_no_line(file, std::string(word) + " only in cli and mcp",
                           [&](std::string_view line) { return has_word(line, word); });
        }
        expect_no_line(file, "no iostream", [](std::string_view line) {
            return line.find("#include <iostream>") != std::string_view::npos;
        });
    }
}

TEST(Style, LibrariesDoNotEndTheProcess) {
    for (const SourceFile& file : tree()) {
        const std::string module = module_of(file.path);
        if (!is_cpp(file) || module.empty() || module == "cli" || file.path == "src/main.cc" ||
            file.path == "src/core/check.cc" ||
            // Ends a child process of its own, never the one it is part of.
            file.path == "src/db/isolated.cc" ||
            // A worker process is nothing without its server.
            file.path == "src/db/sql_sandbox.cc" ||
            // The second SIGTERM has to end the process from within a signal handler.
            file.path == "src/mcp/transport_stdio.cc") {
            continue;
        }
        for (const char* const word : {"exit", "_exit", "abort", "terminate", "quick_exit"}) {
            expect_no_line(file, std::string(word) + " is not a library's business",
                           [&](std::string_view line) { return has_call(line, word); });
        }
    }
}

TEST(Style, HeadersDoNotOpenNamespacesForOthers) {
    for (const SourceFile& file : tree()) {
        if (file.path.ends_with(".h")) {
            expect_no_line(file, "using namespace in a header", [](std::string_view line) {
                return line.find("using namespace") != std::string_view::npos;
            });
        }
    }
}

TEST(Style, NoPromisesInTheCode) {
    for (const SourceFile& file : tree()) {
        if (file.path == "tests/unit/tidy/style_test.cc") {
            continue;
        }
        std::size_t number = 0;
        for (const std::string_view line : lines_of(file.text)) {
            ++number;
            for (const char* const word : {"TODO", "FIXME", "XXX", "HACK"}) {
                EXPECT_FALSE(has_word(line, word)) << file.path << ":" << number;
            }
        }
    }
}

// A test file outside the folders that CMake globs would never run.
TEST(Style, EveryUnitTestFolderIsRegistered) {
    const std::string lists = read_root_file("tests/CMakeLists.txt");
    for (const SourceFile& file : tree()) {
        constexpr std::string_view kUnit = "tests/unit/";
        if (!file.path.starts_with(kUnit) || !is_cpp(file)) {
            continue;
        }
        const std::string rest = file.path.substr(kUnit.size());
        const std::string folder = rest.substr(0, rest.find('/'));
        EXPECT_NE(lists.find("tb_add_test(" + folder + " "), std::string::npos) << file.path;
    }
}

TEST(Style, LockFilesHoldNoDownloadAddresses) {
    for (const char* const lock :
         {"third_party/duckdb/package-lock.json", "third_party/uplot/package-lock.json"}) {
        const std::string text = read_root_file(lock);
        ASSERT_FALSE(text.empty()) << lock;
        EXPECT_EQ(text.find("\"resolved\""), std::string::npos) << lock;
        EXPECT_NE(text.find("\"integrity\": \"sha512-"), std::string::npos) << lock;
    }
}

TEST(SourceScan, BlanksCommentsAndStringsOnly) {
    EXPECT_EQ(code_only("a(\"stod\"); // stod\nb('\\'', 1'000);"),
              "a(      );        \nb(    , 1'000);");
    EXPECT_EQ(code_only("R\"(\"stod)\" x"), std::string("R") + std::string(10, ' ') + "x");
    EXPECT_EQ(code_only("/* a\nb */c"), "    \n    c");
    EXPECT_EQ(code_only("#include \"a/b.h\"\n"), "#include \"a/b.h\"\n");
}

TEST(SourceScan, WordsAreWhole) {
    EXPECT_TRUE(has_word("x = stod(y);", "stod"));
    EXPECT_FALSE(has_word("x = my_stod(y);", "stod"));
    EXPECT_FALSE(has_word("snprintf(y);", "printf"));
    EXPECT_TRUE(has_call("std::exit(1);", "exit"));
    EXPECT_FALSE(has_call("exit = find_exit(1);", "exit"));
}

TEST(SourceScan, ReachGoesThroughPublicLinksOnly) {
    const auto reach = module_reach(
        "tb_add_module(a)\n"
        "tb_add_module(b DEPS tb::a x::y)\n"
        "tb_add_module(c PRIVATE_DEPS tb::b)\n"
        "tb_add_module(d DEPS tb::c)\n");
    EXPECT_EQ(reach.at("b"), (std::set<std::string>{"a", "b"}));
    EXPECT_EQ(reach.at("c"), (std::set<std::string>{"a", "b", "c"}));
    EXPECT_EQ(reach.at("d"), (std::set<std::string>{"c", "d"}));
}

}  // namespace
}  // namespace tb::tidy
