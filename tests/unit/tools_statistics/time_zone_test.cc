// The machine's time zone is nobody's business: figures are of New York civil days and hours (02
// I-1). In the reference a zone east of UTC moves trades to the day before.
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

#include "tool_fixture.h"

namespace tb::tools {
namespace {

// The zone of this process while it lives; tests of one program run one after the other.
class Zone {
  public:
    explicit Zone(const char* name) {
        if (const char* const before = std::getenv("TZ")) {
            before_ = before;
        }
        set(name);
    }
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;
    Zone(Zone&&) = delete;
    Zone& operator=(Zone&&) = delete;
    ~Zone() { set(before_ ? before_->c_str() : nullptr); }

  private:
    static void set(const char* name) {
        if (name != nullptr) {
            ::setenv("TZ", name, 1);
        } else {
            ::unsetenv("TZ");
        }
        ::tzset();
    }
    std::optional<std::string> before_;
};

class TimeZones : public ToolTest {
  protected:
    // The same question in each zone; the first answer, after checking that the others equal it.
    Json everywhere(const std::string& name, const Json& arguments) {
        std::optional<Json> first;
        for (const char* const zone : {"UTC", "Pacific/Auckland", "America/Los_Angeles"}) {
            const Zone scope(zone);
            Json answer = call(name, arguments);
            answer.erase("syncInfo");  // "synced" once, then "unchanged"
            if (!first) {
                first = answer;
            }
            EXPECT_EQ(answer, *first) << name << " in " << zone;
        }
        return *first;
    }
};

TEST_F(TimeZones, StatisticsAreTheSameEverywhere) {
    TB_REQUIRE_SHARED();
    copy_shared_block("EMA NoLog");
    const Json ours = everywhere("get_statistics", {{"blockId", "EMA NoLog"}});
    EXPECT_EQ(ours["calculationMethodology"]["returns"]["observations"], 192);
    EXPECT_NEAR(ours["stats"]["sharpeRatio"].get<double>(), 1.0410, 5e-5);
    // The reference in UTC; east of it, it finds 236 observations and a ratio of 0.9016.
    const Json theirs =
        everywhere("get_statistics", {{"blockId", "EMA NoLog"}, {"conventions", "reference"}});
    EXPECT_EQ(theirs["calculationMethodology"]["returns"]["observations"], 200);
    EXPECT_NEAR(theirs["stats"]["sharpeRatio"].get<double>(), 1.01650975816, 1e-9);
}

TEST_F(TimeZones, WindowsExposureAndPeriodsAreTheSameEverywhere) {
    TB_REQUIRE_SHARED();
    copy_shared_block("EMA Test Data");
    const Json block = {{"blockId", "EMA Test Data"}};
    const Json windows = everywhere("run_walk_forward", block);
    EXPECT_EQ(windows["periods"][0]["inSampleStart"], "2025-01-02");
    const Json reference = everywhere("run_walk_forward",
                                      {{"blockId", "EMA Test Data"}, {"conventions", "reference"}});
    EXPECT_EQ(reference["periods"][0]["inSampleStart"], "2025-01-02T00:00:00.000Z");
    everywhere("get_period_returns", block);
    everywhere("get_performance_charts", block);
}

// Clocks went forward on 2024-03-10: from 10:00 on the 8th to 15:00 on the 11th are 77 hours by
// the clock on the wall; the reference counts days and loses one hour of them where clocks change.
TEST_F(TimeZones, HoldingHoursAreThoseOfTheWallClock) {
    write_block("A", {{.opened = "2024-03-08", .closed = "2024-03-11", .pl = "1"}});
    const Json arguments = {{"blockId", "A"}, {"charts", {"holding_periods"}}};
    for (const char* const zone : {"America/New_York", "UTC"}) {
        const Zone scope(zone);
        EXPECT_EQ(call("get_performance_charts", arguments)["holdingPeriods"][0]["durationHours"],
                  77);
        EXPECT_EQ(
            reference("get_performance_charts", arguments)["holdingPeriods"][0]["durationHours"],
            72);
    }
}

}  // namespace
}  // namespace tb::tools
