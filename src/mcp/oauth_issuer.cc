#include "mcp/oauth_issuer.h"

#include <sys/stat.h>

#include <array>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include "core/file_system.h"
#include "core/log.h"
#include "core/unique_fd.h"
#include "mcp/oauth_json.h"

namespace tb::mcp {

namespace {

// True if `pause` has passed since `then`, or the clock was set back.
bool has_passed(Timestamp then, Timestamp now, std::chrono::seconds pause) {
    const std::chrono::microseconds age(now.micros - then.micros);
    return age < std::chrono::microseconds(0) || age >= pause;
}

}  // namespace

IssuerKeys::IssuerKeys(Options options, const Clock& clock, DocumentFetcher fetch)
    : options_(std::move(options)), clock_(clock), fetch_(std::move(fetch)) {}

Result<KeySet> IssuerKeys::load_file(const std::filesystem::path& file) {
    const std::string name = file.filename().string();
    TB_RETURN_IF_ERROR(check_not_database(file));
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info {};
    if (!fd.valid() || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return make_error(ErrorCode::kIo, "the key set cannot be read", name);
    }
    if ((info.st_mode & S_IWOTH) != 0) {
        return make_error(ErrorCode::kRefused,
                          "everybody may write the key set; take that away (chmod o-w)", name);
    }
    std::string text;
    std::array<char, 16'384> buffer{};
    while (text.size() <= kMaxKeySetBytes) {
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0) {
            return make_error(ErrorCode::kIo, "the key set cannot be read", name);
        }
        if (got == 0) {
            break;
        }
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    auto keys = KeySet::parse(text);
    if (!keys.has_value()) {
        return with_context(keys.error(), name);
    }
    return keys;
}

std::shared_ptr<const KeySet> IssuerKeys::file_keys() {
    const FileStat state = real_file_system().stat(*options_.key_set_file).value_or(FileStat());
    const std::lock_guard lock(mutex_);
    if (file_state_ == state) {
        return keys_;
    }
    file_state_ = state;
    keys_ = nullptr;
    auto loaded = load_file(*options_.key_set_file);
    if (loaded.has_value()) {
        keys_ = std::make_shared<const KeySet>(std::move(*loaded));
    } else {
        log(LogLevel::kError, "oauth: no token is accepted until the key set is usable: " +
                                  loaded.error().to_string());
    }
    return keys_;
}

bool IssuerKeys::is_fresh() const {
    return keys_ != nullptr && fetched_.has_value() &&
           !has_passed(*fetched_, clock_.now(), kKeysLive);
}

bool IssuerKeys::is_due(bool for_unknown_key) const {
    if (is_fresh() && !for_unknown_key) {
        return false;
    }
    return !attempted_.has_value() ||
           has_passed(*attempted_, clock_.now(), is_fresh() ? kUnknownKeyPause : kFailedFetchPause);
}

std::shared_ptr<const KeySet> IssuerKeys::keys() {
    if (options_.key_set_file.has_value()) {
        return file_keys();
    }
    const std::lock_guard lock(mutex_);
    return is_fresh() ? keys_ : nullptr;
}

bool IssuerKeys::may_refresh() {
    const std::lock_guard lock(mutex_);
    return !options_.key_set_file.has_value() && is_due(true);
}

bool IssuerKeys::refresh(bool for_unknown_key, const CancelToken& cancel) {
    if (options_.key_set_file.has_value()) {
        return file_keys() != nullptr;
    }
    const std::lock_guard only_one(fetching_);
    {
        const std::lock_guard lock(mutex_);
        if (!is_due(for_unknown_key)) {
            return is_fresh();
        }
        attempted_ = clock_.now();
    }
    auto fetched = fetch_keys(cancel);
    const std::lock_guard lock(mutex_);
    if (fetched.has_value()) {
        keys_ = std::make_shared<const KeySet>(std::move(*fetched));
        fetched_ = clock_.now();
    } else if (!cancel.cancelled()) {
        log(LogLevel::kError,
            "oauth: the issuer's keys cannot be fetched: " + fetched.error().to_string() +
                (is_fresh() ? "" : "; no token is accepted until they can"));
    }
    return is_fresh();
}

Result<OauthUrl> IssuerKeys::discover(const CancelToken& cancel) const {
    Error last;
    for (const std::string& text : issuer_metadata_urls(options_.issuer)) {
        TB_TRY(const OauthUrl url, parse_oauth_url(text));
        const auto document = fetch_(url, cancel);
        if (!document.has_value()) {
            last = document.error();
            if (cancel.cancelled()) {
                break;
            }
            continue;
        }
        const auto json = parse_oauth_json(*document);
        if (!json.has_value()) {
            last = Error{json.error().code, json.error().message, url.text};
            continue;
        }
        // RFC 8414 §3.3: a description of somebody else must not be used.
        const std::string* const issuer = oauth_text(*json, "issuer");
        if (issuer == nullptr || *issuer != options_.issuer.text) {
            last = Error{ErrorCode::kRefused, "its \"issuer\" is not exactly the configured issuer",
                         url.text};
            continue;
        }
        const std::string* const key_set = oauth_text(*json, "jwks_uri");
        if (key_set == nullptr) {
            last = Error{ErrorCode::kNotFound, "it names no \"jwks_uri\"", url.text};
            continue;
        }
        TB_TRY(OauthUrl found, parse_oauth_url(*key_set));
        if (options_.issuer.is_https && !found.is_https) {
            return make_error(ErrorCode::kRefused, "its \"jwks_uri\" is not https", url.text);
        }
        return found;
    }
    last.message += " (name the key set itself with --oauth-jwks if the issuer does not)";
    return tl::unexpected<Error>(std::move(last));
}

Result<KeySet> IssuerKeys::fetch_keys(const CancelToken& cancel) const {
    OauthUrl url;
    if (options_.key_set.has_value()) {
        url = *options_.key_set;
    } else {
        TB_TRY(url, discover(cancel));
    }
    TB_TRY(const std::string text, fetch_(url, cancel));
    auto keys = KeySet::parse(text);
    if (!keys.has_value()) {
        return with_context(keys.error(), url.text);
    }
    return keys;
}

}  // namespace tb::mcp
