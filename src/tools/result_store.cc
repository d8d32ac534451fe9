#include "tools/result_store.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "mcp/json_text.h"
#include "mcp/render.h"
#include "tools/data/csv_text.h"

namespace tb::tools {

using mcp::Json;

namespace {

constexpr std::size_t kIdBytes = 16;

std::optional<std::string> random_id() {
    std::array<std::uint8_t, kIdBytes> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        return std::nullopt;
    }
    std::string id;
    for (const std::uint8_t byte : bytes) {
        id += fmt::format("{:02x}", byte);
    }
    return id;
}

// Names of principals are unique among the clients of one App; copies of the program that work
// through this one have an App of their own here.
std::string owner_of(const App& app, const mcp::ToolContext& context) {
    return fmt::format("{} {}", static_cast<const void*>(&app), context.principal().name);
}

mcp::ResourceContents contents_of(const StoredResult& result, const std::string& uri,
                                  bool as_json) {
    if (!as_json) {
        return {{uri, "text/csv", csv_text(result.columns, Json::parse(result.rows)), ""}};
    }
    return {{uri, "application/json",
             fmt::format(R"({{"columns":{},"rows":{}}})", mcp::to_json_text(Json(result.columns)),
                         result.rows),
             ""}};
}

}  // namespace

std::size_t StoredResult::bytes() const {
    std::size_t sum = rows.size() + scope.size();
    for (const std::string& column : columns) {
        sum += column.size();
    }
    return sum;
}

ResultStore::ResultStore(ResultLimits limits, Now now) : limits_(limits), now_(std::move(now)) {}

ResultStore& ResultStore::of_process() {
    static ResultStore store;
    return store;
}

void ResultStore::forget_oldest() {
    bytes_ -= entries_.front().result->bytes();
    entries_.pop_front();
}

void ResultStore::forget_expired() {
    const auto now = now_();
    while (!entries_.empty() && entries_.front().until <= now) {
        forget_oldest();
    }
}

std::optional<std::string> ResultStore::keep(std::string owner, StoredResult result) {
    const std::size_t bytes = result.bytes();
    auto id = random_id();
    if (!id || bytes > limits_.bytes_each || bytes > limits_.bytes) {
        return std::nullopt;
    }
    const std::lock_guard lock(mutex_);
    forget_expired();
    while (!entries_.empty() &&
           (entries_.size() >= limits_.results || bytes_ + bytes > limits_.bytes)) {
        forget_oldest();
    }
    entries_.push_back({*id, std::move(owner), now_() + limits_.life,
                        std::make_shared<const StoredResult>(std::move(result))});
    bytes_ += bytes;
    return id;
}

std::shared_ptr<const StoredResult> ResultStore::find(std::string_view id, std::string_view owner) {
    const std::lock_guard lock(mutex_);
    forget_expired();
    for (const Entry& entry : entries_) {
        if (entry.id == id && entry.owner == owner) {
            return entry.result;
        }
    }
    return nullptr;
}

std::optional<mcp::ContentItem> link_to_rows(App& app, const mcp::ToolContext& context,
                                             const RowsToLink& rows) {
    const auto id = ResultStore::of_process().keep(
        owner_of(app, context), {rows.columns, mcp::to_json_text(rows.rows), rows.scope});
    if (!id) {
        return std::nullopt;
    }
    return mcp::ContentItem::resource_link(
        std::string(kResultUri) + *id, "rows-" + id->substr(0, 8) + ".csv",
        rows.what + " as CSV (with ?format=json: JSON), for 30 minutes", "text/csv");
}

mcp::ToolError result_gone(std::string uri) {
    uri = mcp::first_chars(uri, mcp::kMaxCellChars);  // as somebody wrote it
    return mcp::ToolError::protocol(
        mcp::code::kInvalidParams,
        "This result is gone: results are kept for 30 minutes, for who asked for them, while the "
        "process that made them lives. Run the query again",
        Json{{"uri", std::move(uri)}});
}

mcp::ResourceTemplateSpec result_template(App& app) {
    mcp::ResourceTemplateSpec spec;
    spec.uri_template = std::string(kResultUri) + "{id}{?format}";
    spec.name = "result";
    spec.title = "Rows of a result";
    spec.description =
        "All rows of a result that was cut, which links to here; format csv (default) or json";
    spec.mime_type = "text/csv";
    spec.audience = {"user", "assistant"};
    spec.completers["format"] = [](mcp::ToolContext&, std::string_view, const mcp::UriVariables&) {
        return std::vector<std::string>{"csv", "json"};
    };
    spec.read = [&app](mcp::ToolContext& context, const std::string& uri,
                       const mcp::UriVariables& variables) -> mcp::Outcome<mcp::ResourceContents> {
        const auto result =
            ResultStore::of_process().find(variables.at("id"), owner_of(app, context));
        if (result == nullptr || !context.principal().allows(result->scope)) {
            return tl::unexpected<mcp::ToolError>(result_gone(uri));
        }
        const auto format = variables.find("format");
        if (format != variables.end() && format->second != "csv" && format->second != "json") {
            return tl::unexpected<mcp::ToolError>(mcp::resource_not_found(uri));
        }
        return contents_of(*result, uri, format != variables.end() && format->second == "json");
    };
    return spec;
}

}  // namespace tb::tools
