#include "mcp/http_auth.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <span>

#include "core/file_system.h"
#include "core/sha256.h"
#include "core/text.h"

namespace tb::mcp {

namespace {

constexpr std::array kScopes = {kScopeBlocksRead, kScopeSqlRead, kScopeDataWrite,
                                kScopeMarketFetch};
constexpr double kMinTokenBits = 128;
constexpr std::size_t kMaxTokenFileBytes = 1U << 20U;

std::string digest_of(std::string_view token) {
    return sha256_hex(std::as_bytes(std::span(token.data(), token.size())));
}

// An upper bound of what the text can hold: hex digits count 4 bits, anything else 6.
double token_bits(std::string_view token) {
    const bool hex = token.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    return static_cast<double>(token.size()) * (hex ? 4 : 6);
}

// RFC 6750 b64token.
bool is_token_text(std::string_view token) {
    return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("-._~+/=").find(c) != std::string_view::npos;
    });
}

std::vector<std::string> words_of(std::string_view line) {
    std::vector<std::string> words;
    line = line.substr(0, line.find('#'));
    while (true) {
        const auto first = line.find_first_not_of(" \t\r");
        if (first == std::string_view::npos) {
            return words;
        }
        line.remove_prefix(first);
        const auto length = std::min(line.find_first_of(" \t\r"), line.size());
        words.emplace_back(line.substr(0, length));
        line.remove_prefix(length);
    }
}

Result<std::set<std::string>> parse_scopes(std::string_view list, const std::string& where) {
    std::set<std::string> scopes;
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const std::string_view scope = list.substr(0, comma);
        if (std::find(kScopes.begin(), kScopes.end(), scope) == kScopes.end()) {
            return make_error(ErrorCode::kInvalidArgument,
                              "unknown scope '" + std::string(scope) +
                                  "'; known: blocks:read, sql:read, data:write, market:fetch, or *",
                              where);
        }
        scopes.emplace(scope);
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return scopes;
}

// The same time for every pair of equally long texts.
bool equal_in_constant_time(std::string_view a, std::string_view b) {
    unsigned char difference = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    }
    volatile unsigned char result = difference;
    return result == 0;
}

}  // namespace

std::set<std::string> with_implied_scopes(std::set<std::string> scopes) {
    const auto imply = [&](std::string_view broad, std::string_view narrow) {
        if (scopes.contains(std::string(broad))) {
            scopes.emplace(narrow);
        }
    };
    imply(kScopeDataWrite, kScopeSqlRead);
    imply(kScopeSqlRead, kScopeBlocksRead);
    imply(kScopeMarketFetch, kScopeBlocksRead);
    return scopes;
}

Result<TokenSet> TokenSet::parse(std::string_view text) {
    TokenSet set;
    std::set<std::string> names;
    std::size_t line_number = 0;
    while (!text.empty()) {
        ++line_number;
        const auto end = std::min(text.find('\n'), text.size());
        const std::vector<std::string> words = words_of(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (words.empty()) {
            continue;
        }
        const std::string where = "tokens:" + std::to_string(line_number);
        if (words.size() != 1 && words.size() != 3) {
            return make_error(ErrorCode::kInvalidArgument,
                              "a line is `name scopes token`, or a token alone", where);
        }
        const std::string& token = words.back();
        if (!is_token_text(token) || token_bits(token) < kMinTokenBits) {
            return make_error(ErrorCode::kInvalidArgument,
                              "a token needs at least 128 bits (32 hex digits or 22 characters of "
                              "A-Z a-z 0-9 - . _ ~ + / =); make one with `openssl rand -hex 32`",
                              where);
        }
        Entry entry;
        entry.digest = digest_of(token);
        entry.principal.name = words.size() == 3 ? words[0] : "token" + std::to_string(line_number);
        entry.principal.unrestricted = words.size() == 1 || words[1] == "*";
        if (!entry.principal.unrestricted) {
            TB_TRY(auto scopes, parse_scopes(words[1], where));
            entry.principal.scopes = with_implied_scopes(std::move(scopes));
        }
        const bool known = std::any_of(set.entries_.begin(), set.entries_.end(),
                                       [&](const Entry& e) { return e.digest == entry.digest; });
        if (known || !names.insert(entry.principal.name).second) {
            return make_error(ErrorCode::kInvalidArgument, "the name or the token is used twice",
                              where);
        }
        set.entries_.push_back(std::move(entry));
    }
    if (set.empty()) {
        return make_error(ErrorCode::kInvalidArgument, "there is no token in it", "tokens");
    }
    return set;
}

Result<TokenSet> TokenSet::load(const std::filesystem::path& file) {
    const std::string name = file.filename().string();
    TB_RETURN_IF_ERROR(check_not_database(file));
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
        return make_error(ErrorCode::kIo, "the token file cannot be read", name);
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return make_error(ErrorCode::kRefused,
                          "others may read the token file; give it mode 0600 (chmod 600)", name);
    }
    if (static_cast<std::size_t>(info.st_size) > kMaxTokenFileBytes) {
        return make_error(ErrorCode::kResourceExhausted, "the token file is above 1 MiB", name);
    }
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream),
                           std::istreambuf_iterator<char>()};
    if (!stream.good() && !stream.eof()) {
        return make_error(ErrorCode::kIo, "the token file cannot be read", name);
    }
    return parse(text);
}

std::optional<Principal> TokenSet::find(std::string_view token) const {
    const std::string digest = digest_of(token);
    const Entry* found = nullptr;
    for (const Entry& entry : entries_) {
        if (equal_in_constant_time(entry.digest, digest)) {
            found = &entry;
        }
    }
    return found == nullptr ? std::nullopt : std::optional(found->principal);
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
    constexpr std::string_view kScheme = "bearer ";
    if (!equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) {
        return std::nullopt;
    }
    authorization.remove_prefix(kScheme.size());
    authorization.remove_prefix(
        std::min(authorization.find_first_not_of(' '), authorization.size()));
    return is_token_text(authorization) ? std::optional(authorization) : std::nullopt;
}

double RateLimiter::level_at(const Bucket& bucket, Time now) const {
    const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
    return std::min(burst_, bucket.level + std::max(0.0, seconds) * per_second_);
}

bool RateLimiter::take(const std::string& key, Time now) {
    auto found = buckets_.find(key);
    if (found == buckets_.end()) {
        if (buckets_.size() >= max_keys_) {
            buckets_.erase(std::max_element(
                buckets_.begin(), buckets_.end(), [&](const auto& a, const auto& b) {
                    return level_at(a.second, now) < level_at(b.second, now);
                }));
        }
        found = buckets_.emplace(key, Bucket{burst_, now}).first;
    }
    Bucket& bucket = found->second;
    bucket.level = level_at(bucket, now);
    bucket.filled = now;
    if (bucket.level < 1) {
        return false;
    }
    bucket.level -= 1;
    return true;
}

}  // namespace tb::mcp
