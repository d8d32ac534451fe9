#include "mcp/transport_memory.h"

#include "mcp/json_rpc.h"

namespace tb::mcp {

bool MemoryOutlet::send(OutMessage message) {
    const std::lock_guard lock(mutex_);
    responses_ += message.kind == OutMessage::Kind::kResponse ? 1 : 0;
    messages_.push_back(std::move(message));
    changed_.notify_all();
    return true;
}

void MemoryOutlet::finished() {
    const std::lock_guard lock(mutex_);
    ++finished_;
    changed_.notify_all();
}

bool MemoryOutlet::wait_for_responses(std::size_t count, std::chrono::milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return responses_ >= count; });
}

bool MemoryOutlet::wait_for_finished(std::size_t count, std::chrono::milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, [&] { return finished_ >= count; });
}

std::optional<OutMessage> MemoryOutlet::wait_for(
    const std::function<bool(const OutMessage&)>& matches,
    std::chrono::milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    std::optional<OutMessage> found;
    std::size_t seen = 0;
    changed_.wait_for(lock, timeout, [&] {
        for (; seen < messages_.size() && !found.has_value(); ++seen) {
            if (matches(messages_[seen])) {
                found = messages_[seen];
            }
        }
        return found.has_value();
    });
    return found;
}

std::vector<OutMessage> MemoryOutlet::messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
}

MemoryClient::MemoryClient(Server& server, Principal principal)
    : outlet_(std::make_shared<MemoryOutlet>()),
      connection_(server.connect({outlet_, std::move(principal), std::nullopt})) {}

MemoryClient::~MemoryClient() {
    connection_->close();
}

void MemoryClient::send(std::string_view text) {
    connection_->receive(text, outlet_);
}

std::optional<std::string> MemoryClient::request(std::string_view text,
                                                 std::chrono::milliseconds timeout) {
    const Inbound inbound = decode_text(text);
    const Decoded& only = inbound.messages.front();
    if (!only.has_value() || !only->id.has_value()) {
        return std::nullopt;
    }
    // Every response begins this way, see encode_result and encode_error.
    const std::string start = R"({"jsonrpc":"2.0","id":)" + only->id->to_text() + ",";
    send(text);
    const auto answer = outlet_->wait_for(
        [&](const OutMessage& message) {
            return message.kind == OutMessage::Kind::kResponse && message.text.starts_with(start);
        },
        timeout);
    return answer.has_value() ? std::optional<std::string>(answer->text) : std::nullopt;
}

}  // namespace tb::mcp
