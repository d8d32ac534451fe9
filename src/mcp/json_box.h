// The JSON value type of the protocol library and a holder for it.
//
// Json keeps the order of members, so that every message we write is the same bytes each time.
// Headers only forward-declare it (the full header costs seconds per file): a class that holds a
// Json by value holds a JsonBox, which behaves like a value and is null until given one. Files that
// look inside include <nlohmann/json.hpp>.
//
// Thread-compatible.
#pragma once

#include <memory>

#include <nlohmann/json_fwd.hpp>

namespace tb::mcp {

using Json = nlohmann::ordered_json;

class JsonBox {
  public:
    JsonBox();            // JSON null
    JsonBox(Json value);  // NOLINT(google-explicit-constructor): a box is its value
    JsonBox(const JsonBox& other);
    JsonBox& operator=(const JsonBox& other);
    JsonBox(JsonBox&& other) noexcept;  // leaves null behind
    JsonBox& operator=(JsonBox&& other) noexcept;
    ~JsonBox();

    // True for "not set" and for JSON null alike.
    [[nodiscard]] bool is_null() const;
    [[nodiscard]] const Json& get() const;
    [[nodiscard]] Json& get();
    [[nodiscard]] const Json& operator*() const { return get(); }
    [[nodiscard]] Json& operator*() { return get(); }
    [[nodiscard]] const Json* operator->() const { return &get(); }
    [[nodiscard]] Json* operator->() { return &get(); }

  private:
    std::unique_ptr<Json> value_;
};

}  // namespace tb::mcp
