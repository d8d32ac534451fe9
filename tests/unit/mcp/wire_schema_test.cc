// The checker that every other test of this folder relies on must itself find faults.
#include "wire_schema.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace tb::mcp::test {
namespace {

TEST(WireSchema, RefusesMessagesThatAreNotOfTheirRevision) {
    TB_REQUIRE_SHARED();
    const std::map<std::string, std::string> methods = {{"1", "tools/call"}, {"2", "tools/list"}};
    const auto faults = [&](Revision revision, const char* text) {
        return check_wire(revision, Json::parse(text), methods).size();
    };
    const char* legacy = R"({"jsonrpc":"2.0","id":1,"result":{"content":[]}})";
    EXPECT_EQ(faults(Revision::k2025_11_25, legacy), 0U);
    EXPECT_GT(faults(kModern, legacy), 0U) << "resultType is missing";
    EXPECT_GT(faults(kModern, R"({"jsonrpc":"2.0","id":2,"result":{"resultType":"complete",)"
                              R"("tools":[{"name":"a"}],"ttlMs":1,"cacheScope":"public"}})"),
              0U)
        << "a tool without inputSchema";
    EXPECT_GT(faults(kModern, R"({"jsonrpc":"2.0","method":"notifications/made_up","params":{}})"),
              0U);
    EXPECT_GT(faults(kModern, R"({"jsonrpc":"2.0","id":3,"method":"elicitation/create",)"
                              R"("params":{"message":"m","requestedSchema":{}}})"),
              0U)
        << "modern servers send no requests";
    EXPECT_GT(faults(Revision::k2024_11_05,
                     R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"audio",)"
                     R"("data":"x","mimeType":"audio/wav"}]}})"),
              0U)
        << "2024-11-05 knows no audio";
    EXPECT_GT(faults(kModern, R"({"jsonrpc":"2.0","id":1,"error":{"code":-32022,)"
                              R"("message":"m","data":{"supported":["x"]}}})"),
              0U)
        << "data.requested is missing";
}

}  // namespace
}  // namespace tb::mcp::test
