// Who owns a data directory: the process that holds the lock of its place.
//
// The lock is the kernel's (flock), so it goes with its holder however that ends; nobody is ever
// signalled and nothing has to be cleaned up by hand. A socket that was left behind is replaced by
// the next owner, under the lock.
//
//     TB_TRY(auto claim, try_claim(place));
//     if (claim.has_value()) {          // we own it: accept on claim->listener()
//     } else { dial(place) }            // somebody else does: talk to them
//
// Claim: single-thread. The functions are thread-safe.
#pragma once

#include <filesystem>
#include <optional>

#include "core/result.h"
#include "core/unique_fd.h"
#include "serve/place.h"

namespace tb::serve {

class Claim {
  public:
    Claim(Claim&&) noexcept = default;
    Claim& operator=(Claim&&) = delete;
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim();  // stop_listening(), then gives the lock up

    // Non-blocking; accept_peer() takes from it.
    [[nodiscard]] int listener() const { return listener_.get(); }
    // Removes the socket: from here on nobody new comes in, but the claim is still ours.
    void stop_listening();
    // Keeps folders that are swept by age (/tmp) from losing our files. Call it every few hours.
    void refresh() const;

  private:
    friend Result<std::optional<Claim>> try_claim(const Place& place);
    Claim(UniqueFd lock, UniqueFd listener, std::filesystem::path socket)
        : lock_(std::move(lock)), listener_(std::move(listener)), socket_(std::move(socket)) {}
    UniqueFd lock_;
    UniqueFd listener_;
    std::filesystem::path socket_;
};

// Nothing when another process holds the claim (or at least answers on the socket). kIo.
[[nodiscard]] Result<std::optional<Claim>> try_claim(const Place& place);

// A connection to the owner.
//   kNotFound  nobody listens (now)
//   kRefused   who listens there is another user
//   kIo        anything else
[[nodiscard]] Result<UniqueFd> dial(const Place& place);

// The next connection of a process of this user; invalid if there is none, or if it was another
// user's (closed at once).
[[nodiscard]] UniqueFd accept_peer(int listener);

}  // namespace tb::serve
