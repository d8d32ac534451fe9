#include "mcp/http_message.h"

#include <algorithm>

#include "core/text.h"

namespace tb::mcp {

const std::string* HttpHead::find(std::string_view name) const {
    for (const HttpField& field : fields) {
        if (equals_ignoring_case(field.name, name)) {
            return &field.value;
        }
    }
    return nullptr;
}

std::size_t HttpHead::count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(fields.begin(), fields.end(), [&](const auto& f) {
        return equals_ignoring_case(f.name, name);
    }));
}

std::string_view HttpHead::path() const {
    const std::string_view whole = target;
    return whole.substr(0, whole.find('?'));
}

HttpReply http_error(int status, const RpcError& error, const std::optional<RequestId>& id) {
    return {status, {{"Content-Type", "application/json"}}, encode_error(id, error)};
}

HttpReply http_error(int status, int rpc_code, std::string message,
                     const std::optional<RequestId>& id) {
    return http_error(status, RpcError{rpc_code, std::move(message), {}}, id);
}

}  // namespace tb::mcp
