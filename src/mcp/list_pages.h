// A list cut into pages and serialised once, with cursors that notice when they are not ours.
//
// A cursor is base64url of "<offset>:<tag>"; the tag is the start of a SHA-256 over the list's
// method, its whole content and the offset. It depends on nothing else, so pages are the same bytes
// in every process (06 P15), and a cursor into a list that has changed is refused (P14).
//
// Immutable, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/json_box.h"
#include "mcp/protocol.h"

namespace tb::mcp {

class ListPages {
  public:
    struct Spec {
        std::string member;  // "tools"
        std::size_t page_size = 0;
        Json* modern_members = nullptr;  // resultType, ttlMs, cacheScope, _meta; used during make
    };
    ListPages() = default;
    [[nodiscard]] static ListPages make(const Spec& spec, const Json& items);

    // The result text of the first page.
    [[nodiscard]] const std::string& first(Era era) const { return pages_of(era).front(); }
    // Of the page a cursor names; empty for a cursor that is not from this list.
    [[nodiscard]] const std::string* at(std::string_view cursor, Era era) const;

  private:
    [[nodiscard]] const std::vector<std::string>& pages_of(Era era) const {
        return era == Era::kModern ? modern_ : legacy_;
    }
    std::vector<std::string> legacy_;
    std::vector<std::string> modern_;
    std::vector<std::string> cursors_;  // of pages 1, 2, …
};

}  // namespace tb::mcp
