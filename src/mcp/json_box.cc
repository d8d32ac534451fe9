#include "mcp/json_box.h"

#include <nlohmann/json.hpp>

namespace tb::mcp {

JsonBox::JsonBox() = default;
JsonBox::JsonBox(Json value) : value_(std::make_unique<Json>(std::move(value))) {}
JsonBox::JsonBox(const JsonBox& other)
    : value_(other.value_ == nullptr ? nullptr : std::make_unique<Json>(*other.value_)) {}
JsonBox& JsonBox::operator=(const JsonBox& other) {
    if (this != &other) {
        value_ = other.value_ == nullptr ? nullptr : std::make_unique<Json>(*other.value_);
    }
    return *this;
}
JsonBox::JsonBox(JsonBox&& other) noexcept = default;
JsonBox& JsonBox::operator=(JsonBox&& other) noexcept = default;
JsonBox::~JsonBox() = default;

bool JsonBox::is_null() const {
    return value_ == nullptr || value_->is_null();
}

const Json& JsonBox::get() const {
    static const Json null;
    return value_ == nullptr ? null : *value_;
}

Json& JsonBox::get() {
    if (value_ == nullptr) {
        value_ = std::make_unique<Json>();
    }
    return *value_;
}

}  // namespace tb::mcp
