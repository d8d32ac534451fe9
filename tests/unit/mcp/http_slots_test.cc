// Places for connections: who makes room for whom.
#include "mcp/http_slots.h"

#include <vector>

#include <gtest/gtest.h>

namespace tb::mcp {
namespace {

using Time = HttpSlots::Time;

class HttpSlotsTest : public ::testing::Test {
  protected:
    HttpSlots::Id id(int number) { return &ids_.at(static_cast<std::size_t>(number)); }
    Time at(int second) const { return Time(std::chrono::seconds(second)); }
    std::vector<char> ids_ = std::vector<char>(200);
    HttpSlots slots_{{.proven = 2, .unproven = 4, .unproven_per_address = 3}};
};

TEST_F(HttpSlotsTest, TheOldestIdleOfTheBusiestAddressGoes) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(slots_.arrive(id(i), "a", at(i)), std::nullopt);
    }
    slots_.set_busy(id(0));
    EXPECT_EQ(slots_.arrive(id(3), "a", at(3)), id(1)) << "an address has its share";
    EXPECT_EQ(slots_.arrive(id(4), "b", at(4)), std::nullopt);
    EXPECT_EQ(slots_.arrive(id(5), "c", at(5)), id(2)) << "of the address with the most";
    EXPECT_EQ(slots_.unproven(), 4U);
    slots_.leave(id(1));
    slots_.leave(id(2));
    EXPECT_EQ(slots_.unproven(), 4U) << "those that were told to go counted no more";
    slots_.set_busy(id(3));
    EXPECT_EQ(slots_.arrive(id(6), "c", at(6)), id(0)) << "all busy: the oldest";
}

TEST_F(HttpSlotsTest, ProvenOnesAreCountedApart) {
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(slots_.arrive(id(i), "a", at(i)), std::nullopt);
        slots_.set_busy(id(i));
        EXPECT_TRUE(slots_.prove(id(i)).is_let_in);
    }
    EXPECT_EQ(slots_.unproven(), 0U);
    slots_.arrive(id(2), "a", at(2));
    slots_.set_busy(id(2));
    EXPECT_FALSE(slots_.prove(id(2)).is_let_in) << "both work";
    slots_.set_idle(id(1), at(3));
    const auto admission = slots_.prove(id(2));
    EXPECT_TRUE(admission.is_let_in);
    EXPECT_EQ(admission.to_close, id(1));
    EXPECT_TRUE(slots_.prove(id(2)).is_let_in) << "again, the next request";
    // Streams have places of their own.
    slots_.set_streaming(id(0), true);
    slots_.arrive(id(3), "a", at(4));
    EXPECT_TRUE(slots_.prove(id(3)).is_let_in);
    EXPECT_EQ(slots_.proven(), 2U);
}

}  // namespace
}  // namespace tb::mcp
