// Changing one table of somebody else's TOML file without touching a byte of the rest. Not a TOML
// library: it finds where each statement begins and ends, so that comments, order and spelling of
// everything that is not ours stay as they are. What it does not understand is an error, never a
// guess.
//
// Thread-safe (no state).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tb::cli {

using TomlKey = std::vector<std::string>;  // a.b."c d" -> {"a", "b", "c d"}

// Of values we look at; other kinds have neither.
struct TomlValue {
    std::optional<std::string> text;
    std::optional<std::vector<std::string>> texts;  // an array of strings only
};

struct TomlStatement {
    enum class Kind { kTable, kTableArray, kAssignment };
    Kind kind = Kind::kAssignment;
    TomlKey key;            // full path: that of the table in front included
    std::size_t table = 0;  // how many parts of `key` came from the table
    TomlValue value;
    // Bytes of the text: the whole line(s) with the line end, and the value alone.
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t value_begin = 0;
    std::size_t value_end = 0;
};

// Every statement in order. kParse with the line.
[[nodiscard]] Result<std::vector<TomlStatement>> scan_toml(std::string_view text);

// A basic string with its quotes.
[[nodiscard]] std::string toml_string(std::string_view text);

// What one table says about the keys we care about; nullopt if there is no such table.
[[nodiscard]] Result<std::optional<std::vector<TomlStatement>>> toml_table(std::string_view text,
                                                                           const TomlKey& table);

struct TomlSetting {
    std::string key;
    std::string value;  // as TOML; empty = remove the key
};

// The text with these settings in `table`, which is appended if there is none. Other keys of the
// table and its sub-tables stay.
//   kParse    no TOML
//   kRefused  the table is written in a way that cannot be extended (inline, dotted, twice)
[[nodiscard]] Result<std::string> set_in_toml_table(std::string_view text, const TomlKey& table,
                                                    const std::vector<TomlSetting>& settings);

}  // namespace tb::cli
