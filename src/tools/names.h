// Names of strategies as answers show them and as arguments give them back.
//
// A cell of a file can hold anything: a name is shown with at most 200 characters, and characters
// that hide or command as <U+202E>. The database keeps it as it is written.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

namespace tb::tools {

inline constexpr std::size_t kNameChars = 200;

[[nodiscard]] std::string shown_name(std::string_view name);

// The same for all names of a block: two that look alike when shown get a number behind.
class ShownNames {
  public:
    [[nodiscard]] std::string add(std::string_view name);

  private:
    std::unordered_set<std::string> taken_;
};

}  // namespace tb::tools
