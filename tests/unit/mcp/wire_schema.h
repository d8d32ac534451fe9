// The official message schemas, for tests: checks every message a server sends against the schema
// file of its revision. Thread-compatible.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "mcp/json_box.h"
#include "mcp/protocol.h"

namespace tb::mcp::test {

// Checks against the part of JSON Schema those files use; formats are not looked at.
class JsonSchemaChecker {
  public:
    explicit JsonSchemaChecker(Json schema) : root_(std::move(schema)) {}
    // Empty = `value` matches the named definition; else what is wrong, outermost first.
    [[nodiscard]] std::vector<std::string> check(std::string_view definition,
                                                 const Json& value) const;
    [[nodiscard]] bool has(std::string_view definition) const;

  private:
    [[nodiscard]] const Json* definition(std::string_view name) const;
    bool matches(const Json& schema, const Json& value, const std::string& path,
                 std::vector<std::string>* why) const;
    bool matches_object(const Json& schema, const Json& value, const std::string& path,
                        std::vector<std::string>* why) const;
    Json root_;
};

// The checker of one revision, from the shared folder; null where that folder is missing.
[[nodiscard]] const JsonSchemaChecker* wire_schema(Revision revision);

// Checks one message of the server. `methods` maps id text to the method it answers, so that the
// result can be checked as what it is.
[[nodiscard]] std::vector<std::string> check_wire(
    Revision revision, const Json& message, const std::map<std::string, std::string>& methods);

}  // namespace tb::mcp::test
