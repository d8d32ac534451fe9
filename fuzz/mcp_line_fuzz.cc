// Bytes from a client: line reader, JSON-RPC codec and the whole server behind them. Whatever comes
// in, every message that goes out is one line of JSON, and every request is finished exactly once.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/line_io.h"
#include "mcp/server.h"

namespace {

using namespace tb::mcp;  // NOLINT(google-build-using-namespace): a program of its own

class CheckingOutlet final : public Outlet {
  public:
    bool send(OutMessage message) override {
        if (message.text.find('\n') != std::string::npos || !parse_json(message.text).has_value()) {
            std::abort();
        }
        return true;
    }
};

std::unique_ptr<Server> make_server() {
    ToolSpec echo;
    echo.name = "echo";
    echo.title = "Echo";
    echo.description = "Says it again.";
    echo.arguments = {field::text("text", "What"), field::integer("count", "n").range(0, 3),
                      field::list("list", field::text_schema(), "Some")};
    echo.handler = [](ToolContext& ctx, const Json& args) -> Outcome<ToolResult> {
        if (args.contains("count")) {
            TB_TRY_TOOL(const bool yes, ctx.confirm("sure", "Sure?"));
            static_cast<void>(yes);
        }
        ToolResult result;
        result.text = to_json_text(args);
        result.structured = args;
        return result;
    };
    ServerContent content;
    content.tools = *ToolRegistry::make({std::move(echo)});
    ResourceTemplateSpec item;
    item.uri_template = "test://item/{id}{?cursor}";
    item.name = "item";
    item.completers["id"] = [](ToolContext&, std::string_view typed, const UriVariables&) {
        return std::vector<std::string>{std::string(typed), "apple"};
    };
    item.read = [](ToolContext&, const std::string& uri,
                   const UriVariables& values) -> Outcome<ResourceContents> {
        return ResourceContents{{uri, "text/plain", values.at("id"), ""}};
    };
    content.templates.push_back(std::move(item));
    ServerOptions options;
    options.identity.name = "fuzz";
    options.identity.version = "1";
    options.workers = 1;
    options.tools_list_changes = true;
    return std::move(*Server::make(std::move(options), std::move(content)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::unique_ptr<Server> server = make_server();
    const auto outlet = std::make_shared<CheckingOutlet>();
    const auto connection = server->connect({outlet, Principal{}, std::nullopt});
    LineReader reader(4096,
                      {[&](std::string_view line) { connection->receive(line, outlet); }, [] {}});
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    // Two pieces, so that lines are cut at every place sooner or later.
    const std::size_t cut = size == 0 ? 0 : data[0] % size;
    reader.feed(bytes.substr(0, cut));
    reader.feed(bytes.substr(cut));
    reader.finish();
    server->tools_changed();
    connection->close();
    return 0;
}
