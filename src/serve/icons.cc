#include "serve/icons.h"

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base64.h"

namespace tb::serve {

namespace {

constexpr std::string_view kSvg =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">)"
    R"(<rect width="48" height="48" fill="#0f172a"/><rect x="8" y="28" width="8" height="12")"
    R"( fill="#38bdf8"/><rect x="20" y="18" width="8" height="22" fill="#34d399"/>)"
    R"(<rect x="32" y="9" width="8" height="31" fill="#fbbf24"/></svg>)";

// The same drawing, 48 x 48.
constexpr std::string_view kPngBase64 =
    "iVBORw0KGgoAAAANSUhEUgAAADAAAAAwCAIAAADYYG7QAAAAWUlEQVR42u3YMQ3AIBRAQRx0rAGmzgy1ihiCCMw0"
    "6YKBP5OWXPIE3PzScV6fKgEBAQHtDnp7DgMCAgLaElRGDQMCAgICWgG62xMGBAQEBAT0F5BhBQQEtKgJELvTvPxH"
    "CN8AAAAASUVORK5CYII=";

}  // namespace

mcp::JsonBox icons() {
    return mcp::Json{{{"src", "data:image/svg+xml;base64," + base64_encode(kSvg)},
                      {"mimeType", "image/svg+xml"},
                      {"sizes", {"any"}}},
                     {{"src", "data:image/png;base64," + std::string(kPngBase64)},
                      {"mimeType", "image/png"},
                      {"sizes", {"48x48"}}}};
}

}  // namespace tb::serve
