#include "tools/names.h"

#include <fmt/format.h>

#include "mcp/render.h"

namespace tb::tools {

std::string shown_name(std::string_view name) {
    return mcp::first_chars(mcp::harmless_text(name), kNameChars);
}

std::string ShownNames::add(std::string_view name) {
    const std::string shown = shown_name(name);
    std::string own = shown;
    for (int number = 2; !taken_.insert(own).second; ++number) {
        const std::string suffix = fmt::format(" ({})", number);
        own = mcp::first_chars(shown, kNameChars - suffix.size()) + suffix;
    }
    return own;
}

}  // namespace tb::tools
