// The keys of one authorization server, kept for an hour and fetched again when a token names one
// that is not among them (at most once a minute).
//
// Three sources: a file (read again whenever it changes), a key set's https address, or the issuer
// itself, whose description names that address. Without usable keys nothing is accepted.
//
// keys() never waits for the network. Thread-safe.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/file_system.h"
#include "mcp/oauth_fetch.h"
#include "mcp/oauth_keys.h"

namespace tb::mcp {

inline constexpr std::chrono::seconds kKeysLive{3'600};
inline constexpr std::chrono::seconds kUnknownKeyPause{60};  // between fetches for unknown keys
inline constexpr std::chrono::seconds kFailedFetchPause{5};  // between attempts without any keys

class IssuerKeys {
  public:
    struct Options {
        OauthUrl issuer;
        std::optional<OauthUrl> key_set;                    // else discovered
        std::optional<std::filesystem::path> key_set_file;  // instead of both
    };
    IssuerKeys(Options options, const Clock& clock, DocumentFetcher fetch);

    // The keys if they are fresh; null if they have to be fetched first. With a file: as it is now,
    // null if it cannot be read or makes no sense (the reason is logged once).
    [[nodiscard]] std::shared_ptr<const KeySet> keys();
    // Fetches if that is allowed now: no keys or old ones, or `for_unknown_key`. Calls wait for
    // each other. False if there are no usable keys afterwards (logged).
    bool refresh(bool for_unknown_key, const CancelToken& cancel);
    // True if a fetch for an unknown key would happen: a file never needs one.
    [[nodiscard]] bool may_refresh();

    // Reads the file, for an error at the start. kIo, kRefused (others may write it), and what
    // KeySet::parse says.
    [[nodiscard]] static Result<KeySet> load_file(const std::filesystem::path& file);

  private:
    [[nodiscard]] std::shared_ptr<const KeySet> file_keys();
    [[nodiscard]] Result<KeySet> fetch_keys(const CancelToken& cancel) const;
    [[nodiscard]] Result<OauthUrl> discover(const CancelToken& cancel) const;
    [[nodiscard]] bool is_fresh() const;                    // under the lock
    [[nodiscard]] bool is_due(bool for_unknown_key) const;  // under the lock

    const Options options_;
    const Clock& clock_;
    const DocumentFetcher fetch_;
    std::mutex fetching_;  // before mutex_
    std::mutex mutex_;
    std::shared_ptr<const KeySet> keys_;
    std::optional<Timestamp> fetched_;    // when keys_ came
    std::optional<Timestamp> attempted_;  // the last fetch, successful or not
    std::optional<FileStat> file_state_;  // when it was read; all zero if there was none
};

}  // namespace tb::mcp
