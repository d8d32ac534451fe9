// One public document from the network: an authorization server's description or key set.
//
// https with the certificate and its host name checked against the system's authorities
// (SSL_CERT_FILE and SSL_CERT_DIR are heard); http for this machine only. No redirects, no proxy,
// no credentials, nothing of a caller's request is sent along.
//
// Blocks; any thread but an I/O thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "core/cancel.h"
#include "core/result.h"
#include "mcp/oauth_url.h"

namespace tb::mcp {

struct FetchLimits {
    std::chrono::milliseconds time{5'000};  // for everything, name resolution included
    std::size_t bytes = std::size_t{256} << 10U;
};

// The body of a 200. kIo: cannot connect, certificate, time, another status; kResourceExhausted:
// above `bytes`; kInterrupted. Messages are for the operator.
[[nodiscard]] Result<std::string> fetch_document(const OauthUrl& url, const FetchLimits& limits,
                                                 const CancelToken& cancel);

// How the keys are fetched; fetch_document with the default limits, or a test's own.
using DocumentFetcher = std::function<Result<std::string>(const OauthUrl&, const CancelToken&)>;

}  // namespace tb::mcp
