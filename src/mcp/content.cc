#include "mcp/content.h"

#include <nlohmann/json.hpp>

namespace tb::mcp {

namespace {

ContentItem binary(const char* type, std::string base64, std::string mime_type) {
    return {Json{{"type", type}, {"data", std::move(base64)}, {"mimeType", std::move(mime_type)}}};
}

ContentItem embedded(Json resource) {
    return {Json{{"type", "resource"}, {"resource", std::move(resource)}}};
}

}  // namespace

ContentItem ContentItem::text(std::string text) {
    return {Json{{"type", "text"}, {"text", std::move(text)}}};
}

ContentItem ContentItem::image(std::string base64, std::string mime_type) {
    return binary("image", std::move(base64), std::move(mime_type));
}

ContentItem ContentItem::audio(std::string base64, std::string mime_type) {
    return binary("audio", std::move(base64), std::move(mime_type));
}

ContentItem ContentItem::embedded_text(std::string uri, std::string mime_type, std::string text) {
    return embedded(
        {{"uri", std::move(uri)}, {"mimeType", std::move(mime_type)}, {"text", std::move(text)}});
}

ContentItem ContentItem::embedded_blob(std::string uri, std::string mime_type, std::string base64) {
    return embedded(
        {{"uri", std::move(uri)}, {"mimeType", std::move(mime_type)}, {"blob", std::move(base64)}});
}

ContentItem ContentItem::resource_link(std::string uri, std::string name, std::string description,
                                       std::string mime_type) {
    Json link = {{"type", "resource_link"}, {"uri", std::move(uri)}, {"name", std::move(name)}};
    if (!description.empty()) {
        link["description"] = std::move(description);
    }
    if (!mime_type.empty()) {
        link["mimeType"] = std::move(mime_type);
    }
    return {std::move(link)};
}

ToolError::ToolError(const Error& error) : message(error.to_string()) {}

ToolError ToolError::protocol(int code, std::string text, JsonBox data) {
    ToolError error(text);
    error.kind = Kind::kProtocol;
    error.rpc = {code, std::move(text), std::move(data)};
    return error;
}

ToolError ToolError::missing_capability(JsonBox capabilities) {
    return protocol(code::kMissingCapability,
                    "The client did not declare a capability this call needs",
                    Json{{"requiredCapabilities", std::move(capabilities.get())}});
}

ToolError ToolError::input_required() {
    ToolError error{std::string("the client must be asked first")};
    error.kind = Kind::kInputRequired;
    return error;
}

}  // namespace tb::mcp
