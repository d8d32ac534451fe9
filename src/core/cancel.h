// Cooperative cancellation: the one who starts long work keeps a CancelSource and hands out its
// token; the worker asks cancelled() at check points and registers callbacks for blocking calls
// (for instance the engine's interrupt). A default-made token can never be cancelled.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace tb {

namespace detail {
struct CancelState {
    std::atomic<bool> cancelled{false};
    std::mutex mutex;
    std::unordered_map<int, std::function<void()>> callbacks;
    int next_id = 0;
};
}  // namespace detail

class CancelToken {
  public:
    CancelToken() = default;

    [[nodiscard]] bool cancelled() const {
        return state_ != nullptr && state_->cancelled.load(std::memory_order_relaxed);
    }

    // Runs `callback` once when cancelled (at once if it already is), on the cancelling thread and
    // under the token's lock: it must be short and must not touch this token. While the returned
    // Registration lives the callback may run; its destructor waits for a running one.
    class Registration {
      public:
        Registration() = default;
        Registration(Registration&& other) noexcept;
        Registration& operator=(Registration&& other) noexcept;
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;
        ~Registration();

      private:
        friend class CancelToken;
        Registration(std::shared_ptr<detail::CancelState> state, int id);
        void reset();
        std::shared_ptr<detail::CancelState> state_;
        int id_ = 0;
    };
    [[nodiscard]] Registration on_cancel(std::function<void()> callback) const;

  private:
    friend class CancelSource;
    explicit CancelToken(std::shared_ptr<detail::CancelState> state) : state_(std::move(state)) {}
    std::shared_ptr<detail::CancelState> state_;
};

class CancelSource {
  public:
    CancelSource() : state_(std::make_shared<detail::CancelState>()) {}
    [[nodiscard]] CancelToken token() const { return CancelToken(state_); }
    // Idempotent. Not safe inside a signal handler: use a flag there and a thread that calls this.
    void cancel() const;
    [[nodiscard]] bool cancelled() const { return state_->cancelled.load(); }

  private:
    std::shared_ptr<detail::CancelState> state_;
};

}  // namespace tb
