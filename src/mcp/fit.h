// The last thing that happens to an answer before it is sent: it fits, whatever it is about.
//
// Tools page their main list and keep to the budget they are told. What they did not think of (a
// block with thousands of strategies, a message that quotes a whole file) is shortened here, so
// that one odd item costs itself and never the answer. What was shortened is named.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mcp/json_box.h"

namespace tb::mcp {

// Texts inside an object that is too long are cut to so many characters first.
inline constexpr std::size_t kFittedTextChars = 500;

struct ShortenedList {
    std::string path;  // "blocks[].strategies"
    std::size_t shown = 0;
    std::size_t total = 0;
};

struct Shortened {
    std::size_t texts = 0;  // cut to kFittedTextChars
    std::vector<ShortenedList> lists;
    [[nodiscard]] bool empty() const { return texts == 0 && lists.empty(); }
};

// Makes `answer` (an object) at most `max_chars` characters of JSON text: long texts are cut with
// "…", then lists and maps of many members lose elements from the end, always the longest of them,
// pages (lists of objects at the top, whose place is given by an offset) last and only down to one
// element. Returns what was shortened, with the entry under `shortened`
// ([{list, shown, total}]) and a line in `warnings` already in the object; nothing when it fitted.
// An object without lists may stay too long.
[[nodiscard]] Shortened fit_object(Json& answer, std::size_t max_chars);

// The line that says so, without a line end.
[[nodiscard]] std::string shortened_text(const Shortened& shortened);

// harmless_text of every text in `value`, names of members included: a cell of somebody's file does
// not speak to an assistant in characters people do not see.
void make_harmless(Json& value);

}  // namespace tb::mcp
