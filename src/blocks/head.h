// The front of a file of a block: what it is, where its header line stands, and what to say about a
// file that is none of ours. Nothing of a line that is no header is ever quoted: it may hold an
// account number or a name.
//
// Thread-safe; all functions are pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/records.h"
#include "core/result.h"
#include "csv/header_search.h"

namespace tb::blocks {

// Text in which the header is looked for.
inline constexpr std::size_t kHeadTextBytes = 64 * 1024;

// "it looks like an account statement", or "" if `text` does not.
[[nodiscard]] std::string statement_words(std::string_view text);

// The columns without which a file of this role cannot be read: "Date Opened and P/L".
[[nodiscard]] std::string_view wanted_columns(FileRole role);

// What the first bytes of a file say about its role.
struct FileHead {
    enum class Kind {
        kRole,       // the header of `role`; `lacks` names required columns that it does not have
        kNotOurs,    // whole, and nothing that is read here: `why` says what it is
        kUndecided,  // empty, or ends within its first line
    };
    Kind kind = Kind::kNotOurs;
    FileRole role = FileRole::kTradeLog;
    std::string lacks;
    std::string why;  // a predicate: "is a web page, not a CSV: ..."
};

// `whole`: the file has no more bytes. Errors: of the decoder.
[[nodiscard]] Result<FileHead> look_at_head(std::span<const std::byte> bytes, bool whole);

}  // namespace tb::blocks
