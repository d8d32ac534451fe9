#include "mcp/http_token_checks.h"

#include <chrono>
#include <exception>
#include <utility>

#include "core/log.h"

namespace tb::mcp {

namespace {

using Verdict = OauthResource::Verdict;
using Status = OauthResource::Status;

// One for each open connection is the most there can be (HttpLimits); more is a mistake somewhere.
constexpr std::size_t kQueueLimit = 256;
constexpr std::chrono::milliseconds kEndMayTake{1'000};

template <class Ask>
Verdict guarded(Ask ask) {
    try {
        return ask();
    } catch (const std::exception&) {  // out of memory; what() may hold data and stays here
        log(LogLevel::kError, "oauth: a token could not be checked");
        return {Status::kUnavailable, {}};
    }
}

}  // namespace

struct TokenChecks::Job {
    std::shared_ptr<OauthResource> resource;
    CancelToken cancel;
    std::shared_ptr<WorkerPool> fetches;
    std::string token;
    Done done;

    static void start(const std::shared_ptr<Job>& job) {
        Verdict verdict = guarded([&] { return job->resource->check(job->token); });
        const bool is_over = verdict.status != Status::kKeysNeeded;
        if (is_over || !job->fetches->submit([job] { job->finish(); })) {
            job->done(is_over ? std::move(verdict) : Verdict{Status::kUnavailable, {}});
        }
    }
    void finish() {
        done(guarded([this] { return resource->check_with_fetch(token, cancel); }));
    }
};

TokenChecks::TokenChecks(std::shared_ptr<OauthResource> resource)
    : resource_(std::move(resource)),
      checks_(std::make_shared<WorkerPool>(1, kQueueLimit)),
      fetches_(std::make_shared<WorkerPool>(1, kQueueLimit)) {
    static_cast<void>(fetches_->submit([resource = resource_, cancel = cancel_.token()] {
        try {
            resource->warm_up(cancel);
        } catch (const std::exception&) {
            log(LogLevel::kError, "oauth: the issuer's keys could not be fetched");
        }
    }));
}

TokenChecks::~TokenChecks() {
    cancel();
    checks_->stop(kEndMayTake);
    fetches_->stop(kEndMayTake);
}

void TokenChecks::check(std::string token, Done done) {
    auto job = std::make_shared<Job>(
        Job{resource_, cancel_.token(), fetches_, std::move(token), std::move(done)});
    if (!checks_->submit([job] { Job::start(job); })) {
        job->done({Status::kUnavailable, {}});
    }
}

}  // namespace tb::mcp
