// A queue between one producing and one consuming thread that holds at most a given cost, so that
// reading ahead cannot fill the memory. Either side may close it.
//
// Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace tb::sync {

template <class T>
class BoundedQueue {
  public:
    explicit BoundedQueue(std::size_t max_cost) : max_cost_(max_cost) {}

    // Waits for room (one item always fits an empty queue); false once closed: the item is dropped.
    bool push(T item, std::size_t cost) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return closed_ || items_.empty() || cost_ + cost <= max_cost_; });
        if (closed_) {
            return false;
        }
        items_.emplace_back(std::move(item), cost);
        cost_ += cost;
        filled_.notify_one();
        return true;
    }

    // Waits for an item; nullopt once closed and empty.
    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [&] { return closed_ || !items_.empty(); });
        if (items_.empty()) {
            return std::nullopt;
        }
        std::optional<T> item(std::move(items_.front().first));
        cost_ -= items_.front().second;
        items_.pop_front();
        room_.notify_one();
        return item;
    }

    // No more items are taken in; what is inside can still be popped.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        filled_.notify_all();
        room_.notify_all();
    }

  private:
    const std::size_t max_cost_;
    std::mutex mutex_;
    std::condition_variable room_;
    std::condition_variable filled_;
    std::deque<std::pair<T, std::size_t>> items_;
    std::size_t cost_ = 0;
    bool closed_ = false;
};

}  // namespace tb::sync
