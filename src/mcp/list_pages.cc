#include "mcp/list_pages.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "core/sha256.h"
#include "mcp/json_text.h"

namespace tb::mcp {

namespace {

constexpr std::size_t kTagChars = 16;

std::string cursor_for(const std::string& member, const std::string& content_hash,
                       std::size_t offset) {
    const std::string text = member + ":" + content_hash + ":" + std::to_string(offset);
    const std::string tag =
        sha256_hex(std::as_bytes(std::span<const char>(text))).substr(0, kTagChars);
    return base64url_encode(std::to_string(offset) + ":" + tag);
}

}  // namespace

ListPages ListPages::make(const Spec& spec, const Json& items) {
    ListPages made;
    const std::string content = to_json_text(items);
    const std::string content_hash = sha256_hex(std::as_bytes(std::span<const char>(content)));
    const std::size_t page_size = std::max<std::size_t>(spec.page_size, 1);
    std::size_t offset = 0;
    do {
        Json page = Json::object();
        Json& entries = page[spec.member] = Json::array();
        for (std::size_t i = offset; i < std::min(items.size(), offset + page_size); ++i) {
            entries.push_back(items[i]);
        }
        offset += page_size;
        if (offset < items.size()) {
            made.cursors_.push_back(cursor_for(spec.member, content_hash, offset));
            page["nextCursor"] = made.cursors_.back();
        }
        made.legacy_.push_back(to_json_text(page));
        page.update(*spec.modern_members);
        made.modern_.push_back(to_json_text(page));
    } while (offset < items.size());
    return made;
}

const std::string* ListPages::at(std::string_view cursor, Era era) const {
    const auto found = std::find(cursors_.begin(), cursors_.end(), cursor);
    if (found == cursors_.end()) {
        return nullptr;
    }
    const auto page = static_cast<std::size_t>(found - cursors_.begin()) + 1;
    return &pages_of(era)[page];
}

}  // namespace tb::mcp
