#include "mcp/http_auth.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace tb::mcp {
namespace {

using std::chrono::milliseconds;

const std::string kFirst = "0123456789abcdef0123456789abcdef";
const std::string kSecond = "Zm9vYmFyYmF6cXV4MTIzNDU2";

TEST(HttpTokens, X1_NameAPrincipalWithItsScopes) {
    const auto set = TokenSet::parse("# who   what\n\ndesk blocks:read " + kFirst + "\r\nadmin * " +
                                     kSecond + "  # the owner\n");
    ASSERT_TRUE(set.has_value()) << set.error().to_string();
    EXPECT_EQ(set->size(), 2U);
    const auto desk = set->find(kFirst);
    ASSERT_TRUE(desk.has_value());
    EXPECT_EQ(desk->name, "desk");
    EXPECT_FALSE(desk->unrestricted);
    EXPECT_TRUE(desk->allows("blocks:read"));
    EXPECT_FALSE(desk->allows("sql:read"));
    EXPECT_TRUE(set->find(kSecond)->unrestricted);
    EXPECT_FALSE(set->find(kFirst.substr(1)).has_value());
    EXPECT_FALSE(set->find(kFirst + "0").has_value());
    EXPECT_FALSE(set->find("").has_value());
}

TEST(HttpTokens, X1_ATokenAloneMayDoEverything) {
    const auto set = TokenSet::parse(kFirst);
    ASSERT_TRUE(set.has_value());
    EXPECT_TRUE(set->find(kFirst)->allows("data:write"));
}

TEST(HttpTokens, X1_WeakOrMalformedLinesAreRefusedWithoutEchoingTheToken) {
    for (const std::string& text :
         {std::string("secret"), kFirst.substr(1), std::string("aaaaaaaaaaaaaaaaaaaaa"),
          "desk " + kFirst, "desk blocks:write " + kFirst, "desk * " + kFirst + " more",
          kFirst + "\n" + kFirst, "a * " + kFirst + "\na * " + kSecond,
          "desk * " + kFirst + "\xC3\xBC", std::string("# nothing\n"), std::string()}) {
        const auto set = TokenSet::parse(text);
        ASSERT_FALSE(set.has_value()) << text;
        EXPECT_EQ(set.error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(set.error().to_string().find(kFirst), std::string::npos);
        EXPECT_EQ(set.error().to_string().find("secret"), std::string::npos);
    }
}

TEST(HttpTokens, X1_TheFileIsForItsOwnerAlone) {
    const test::TempDir dir;
    const auto file = dir.write("tokens", kFirst + "\n");
    ::chmod(file.c_str(), 0640);
    const auto shared = TokenSet::load(file);
    ASSERT_FALSE(shared.has_value());
    EXPECT_EQ(shared.error().code, ErrorCode::kRefused);
    ::chmod(file.c_str(), 0600);
    const auto own = TokenSet::load(file);
    ASSERT_TRUE(own.has_value()) << own.error().to_string();
    EXPECT_TRUE(own->find(kFirst).has_value());
    EXPECT_EQ(TokenSet::load(dir.path() / "none").error().code, ErrorCode::kIo);
    EXPECT_EQ(TokenSet::load(dir.path()).error().code, ErrorCode::kIo);
}

TEST(HttpTokens, X3_BroaderScopesImplyNarrowerOnes) {
    using Scopes = std::set<std::string>;
    EXPECT_EQ(with_implied_scopes({"sql:read"}), (Scopes{"blocks:read", "sql:read"}));
    EXPECT_EQ(with_implied_scopes({"data:write"}),
              (Scopes{"blocks:read", "data:write", "sql:read"}));
    EXPECT_EQ(with_implied_scopes({"market:fetch"}), (Scopes{"blocks:read", "market:fetch"}));
    EXPECT_EQ(with_implied_scopes({"blocks:read"}), (Scopes{"blocks:read"}));
}

TEST(HttpTokens, X1_ComeInAnAuthorizationHeader) {
    EXPECT_EQ(bearer_token("Bearer abc.DEF-1~+/="), "abc.DEF-1~+/=");
    EXPECT_EQ(bearer_token("bearer   abc"), "abc");
    for (const char* const bad : {"Basic abc", "Bearer", "Bearer ", "Bearer a b", "abc", ""}) {
        EXPECT_EQ(bearer_token(bad), std::nullopt) << bad;
    }
}

TEST(HttpRate, Q14_RefillsUpToItsBurst) {
    RateLimiter limiter(10, 3);
    const RateLimiter::Time start{};
    EXPECT_TRUE(limiter.take("a", start));
    EXPECT_TRUE(limiter.take("a", start));
    EXPECT_TRUE(limiter.take("a", start));
    EXPECT_FALSE(limiter.take("a", start));
    EXPECT_TRUE(limiter.take("b", start));  // each has its own
    EXPECT_FALSE(limiter.take("a", start + milliseconds(99)));
    EXPECT_TRUE(limiter.take("a", start + milliseconds(201)));
    // A long rest fills it, but not beyond the burst.
    const auto later = start + milliseconds(60'000);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(limiter.take("a", later));
    }
    EXPECT_FALSE(limiter.take("a", later));
}

TEST(HttpRate, Q14_ForgetsTheLeastUsedKeyFirst) {
    RateLimiter limiter(0, 2, 2);
    const RateLimiter::Time now{};
    EXPECT_TRUE(limiter.take("busy", now));
    EXPECT_TRUE(limiter.take("busy", now));
    EXPECT_TRUE(limiter.take("idle", now));
    EXPECT_TRUE(limiter.take("new", now));  // pushes out "idle", which has more left
    EXPECT_FALSE(limiter.take("busy", now));
}

}  // namespace
}  // namespace tb::mcp
