#include "core/cancel.h"

#include <utility>

namespace tb {

CancelToken::Registration::Registration(std::shared_ptr<detail::CancelState> state, int id)
    : state_(std::move(state)), id_(id) {}

CancelToken::Registration::Registration(Registration&& other) noexcept
    : state_(std::move(other.state_)), id_(other.id_) {}

CancelToken::Registration& CancelToken::Registration::operator=(Registration&& other) noexcept {
    if (this != &other) {
        reset();
        state_ = std::move(other.state_);
        id_ = other.id_;
    }
    return *this;
}

CancelToken::Registration::~Registration() {
    reset();
}

void CancelToken::Registration::reset() {
    if (state_ != nullptr) {
        const std::lock_guard lock(state_->mutex);
        state_->callbacks.erase(id_);
    }
    state_.reset();
}

CancelToken::Registration CancelToken::on_cancel(std::function<void()> callback) const {
    if (state_ == nullptr) {
        return {};
    }
    const std::lock_guard lock(state_->mutex);
    if (state_->cancelled.load()) {
        callback();
        return {};
    }
    const int id = state_->next_id++;
    state_->callbacks.emplace(id, std::move(callback));
    return {state_, id};
}

void CancelSource::cancel() const {
    const std::lock_guard lock(state_->mutex);
    if (state_->cancelled.exchange(true)) {
        return;
    }
    for (const auto& [id, callback] : state_->callbacks) {
        callback();
    }
    state_->callbacks.clear();
}

}  // namespace tb
