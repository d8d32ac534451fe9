#include "core/legs.h"

#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tb {
namespace {

const Date kOpened = *Date::from_iso("2026-03-13");

std::vector<OptionLeg> legs_of(std::string_view text, Date opened = kOpened) {
    const auto legs = parse_legs(text, opened);
    EXPECT_TRUE(legs.has_value()) << text;
    return legs.value_or(std::vector<OptionLeg>());
}

TEST(Legs, PipeFormHasEverything) {
    const auto legs = legs_of("3 Mar 20 6710 P BTO 19.18 | 2 mar 13 6630.5 c sto 3.35");
    ASSERT_EQ(legs.size(), 2U);
    EXPECT_EQ(legs[0].contracts, 3);
    EXPECT_EQ(legs[0].expiry, Date::from_iso("2026-03-20"));
    EXPECT_EQ(legs[0].strike, 6710);
    EXPECT_EQ(legs[0].right, OptionRight::kPut);
    EXPECT_TRUE(legs[0].bought);
    EXPECT_EQ(legs[0].order, LegOrder::kBuyToOpen);
    EXPECT_EQ(legs[0].price, 19.18);
    EXPECT_FALSE(legs[0].side_assumed);
    EXPECT_EQ(legs[1].contracts, 2);
    EXPECT_EQ(legs[1].strike, 6630.5);
    EXPECT_EQ(legs[1].right, OptionRight::kCall);
    EXPECT_FALSE(legs[1].bought);
    EXPECT_EQ(legs[1].order, LegOrder::kSellToOpen);
}

TEST(Legs, ClosingOrdersAndOneLegAlone) {
    const auto legs = legs_of("1 Mar 13 6710 P STC 2 | 1 Mar 13 6700 P BTC 1");
    ASSERT_EQ(legs.size(), 2U);
    EXPECT_FALSE(legs[0].bought);
    EXPECT_EQ(legs[0].order, LegOrder::kSellToClose);
    EXPECT_TRUE(legs[1].bought);
    EXPECT_EQ(legs_of("1 September 15 6710 P STO 2")[0].expiry, Date::from_iso("2026-09-15"));
    EXPECT_EQ(legs_of("1 Sept 15 6710 P STO 2")[0].expiry, Date::from_iso("2026-09-15"));
}

TEST(Legs, YearIsThatOfTheFirstSuchDayFromTheOpening) {
    const auto expiry = [](std::string_view day, const char* opened) {
        return legs_of(fmt::format("1 {} 100 C BTO 1", day), *Date::from_iso(opened))[0].expiry;
    };
    EXPECT_EQ(expiry("Jan 6", "2024-12-30"), Date::from_iso("2025-01-06"));
    EXPECT_EQ(expiry("Dec 30", "2024-12-30"), Date::from_iso("2024-12-30"));
    EXPECT_EQ(expiry("Dec 29", "2024-12-30"), Date::from_iso("2025-12-29"));
    EXPECT_EQ(expiry("Feb 29", "2024-03-01"), Date::from_iso("2028-02-29"));
    EXPECT_EQ(expiry("Feb 29", "1896-03-01"), Date::from_iso("1904-02-29"));
    EXPECT_FALSE(parse_legs("1 Feb 30 100 C BTO 1", kOpened));
}

TEST(Legs, SlashFormAlternatesItsSides) {
    auto legs = legs_of("SPX 4500P/4450P");
    ASSERT_EQ(legs.size(), 2U);
    EXPECT_EQ(legs[0].root, "SPX");
    EXPECT_EQ(legs[1].root, "SPX");
    EXPECT_EQ(legs[1].strike, 4450);
    EXPECT_TRUE(legs[0].bought);
    EXPECT_FALSE(legs[1].bought);
    EXPECT_TRUE(legs[0].side_assumed);
    EXPECT_FALSE(legs[0].expiry);
    EXPECT_FALSE(legs[0].price);
    legs = legs_of("spy Jan25 470 Call");
    ASSERT_EQ(legs.size(), 1U);
    EXPECT_EQ(legs[0].root, "SPY");
    EXPECT_EQ(legs[0].strike, 470);
    EXPECT_EQ(legs[0].right, OptionRight::kCall);
    EXPECT_EQ(legs_of("SPX 4500 P / QQQ 400 C")[1].root, "QQQ");
    EXPECT_FALSE(parse_legs("4500P/4450P", kOpened));
}

TEST(Legs, ToolboxFormNamesWhatWasSoldFirst) {
    const auto legs = legs_of("SPX 5900P/6100C | 5850P/6150C IC");
    ASSERT_EQ(legs.size(), 4U);
    EXPECT_FALSE(legs[0].bought);
    EXPECT_FALSE(legs[1].bought);
    EXPECT_TRUE(legs[2].bought);
    EXPECT_TRUE(legs[3].bought);
    EXPECT_EQ(legs[1].strike, 6100);
    EXPECT_EQ(legs[1].right, OptionRight::kCall);
    EXPECT_EQ(legs[3].root, "SPX");
    EXPECT_FALSE(legs[0].side_assumed);
    EXPECT_EQ(legs_of("SPX 5100P | 5000P DC")[1].strike, 5000);
    EXPECT_EQ(legs_of("5100P | 5000P")[0].root, "");
}

TEST(Legs, WhatIsNoLegIsRefused) {
    for (const char* text : {"",
                             " ",
                             "|",
                             "Unknown",
                             "IC",
                             "1 Mar 13 6710 P BTO",
                             "0 Mar 13 6710 P BTO 1",
                             "1 Mar 13 6710 P BTO -1",
                             "1 Mar 13 6,710 P BTO 1",
                             "1 Foo 13 6710 P BTO 1",
                             "1 Mar 13 6710 P BTO 1 |",
                             "1 Mar 13 6710 X BTO 1",
                             "1 Mar 13 6710 P XYZ 1",
                             "1 Mar 13 0 P BTO 1",
                             "1 Mar 32 6710 P BTO 1",
                             "SPX 4500P//4450P",
                             "SPX 1e5P",
                             "1 Mar 13 6710 P BTO nan",
                             "99999999999999999999 Mar 13 6710 P BTO 1",
                             "1 Mar 13 6710 P BTO 1 | SPX 4500P"}) {
        const auto legs = parse_legs(text, kOpened);
        ASSERT_FALSE(legs.has_value()) << text;
        EXPECT_EQ(legs.error().code, ErrorCode::kParse) << text;
    }
}

TEST(Legs, HostileTextIsBounded) {
    std::string many;
    for (std::size_t i = 0; i <= kMaxLegs; ++i) {
        many += (i == 0 ? "" : "|") + std::string("1 Mar 13 6710 P BTO 1");
    }
    EXPECT_EQ(parse_legs(many, kOpened).error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(parse_legs(std::string(1'000'000, '1'), kOpened).error().code,
              ErrorCode::kResourceExhausted);
    // Quoted in part only, and not within a character.
    std::string wide;
    for (int i = 0; i < 1'000; ++i) {
        wide += "\u00e9";
    }
    const std::string message = parse_legs(wide, kOpened).error().message;
    EXPECT_LT(message.size(), 400U);
    EXPECT_NE(message.find("\u00e9…'"), std::string::npos);
}

TEST(Legs, NetPriceIsOfTheSmallestUnit) {
    EXPECT_NEAR(*net_price(legs_of("1 Mar 13 6710 P BTO 19.18 | 1 Mar 13 6630 P STO 3.35")), -15.83,
                1e-12);
    EXPECT_NEAR(*net_price(legs_of("5 Mar 13 6710 P STO 3 | 10 Mar 13 6630 P BTO 1")), 1, 1e-12);
    EXPECT_FALSE(net_price(legs_of("SPX 4500P/4450P")));
    EXPECT_FALSE(net_price({}));
}

TEST(Legs, WhatIsWrittenIsReadBack) {
    rc::check("pipe form", [] {
        const int count = *rc::gen::inRange(1, 9);
        std::string text;
        std::vector<OptionLeg> wanted;
        for (int i = 0; i < count; ++i) {
            const int month = *rc::gen::inRange(1, 13);
            const int day = *rc::gen::inRange(1, 29);
            OptionLeg leg;
            leg.contracts = *rc::gen::inRange(1, 1000);
            leg.strike = *rc::gen::inRange(1, 100'000) / 2.0;
            leg.right = *rc::gen::arbitrary<bool>() ? OptionRight::kPut : OptionRight::kCall;
            leg.price = *rc::gen::inRange(0, 100'000) / 100.0;
            leg.bought = *rc::gen::arbitrary<bool>();
            const bool opens = *rc::gen::arbitrary<bool>();
            leg.order = leg.bought ? (opens ? LegOrder::kBuyToOpen : LegOrder::kBuyToClose)
                                   : (opens ? LegOrder::kSellToOpen : LegOrder::kSellToClose);
            const int year = month > 3 || (month == 3 && day >= 13) ? 2026 : 2027;
            leg.expiry = Date::from_ymd(year, month, day);
            constexpr const char* kNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
            text += fmt::format("{}{} {} {} {} {} {}T{} {:.2f}", i == 0 ? "" : " | ",
                                *leg.contracts, kNames[month - 1], day, leg.strike,
                                leg.right == OptionRight::kPut ? "P" : "C", leg.bought ? "B" : "S",
                                opens ? "O" : "C", *leg.price);
            wanted.push_back(leg);
        }
        const auto legs = parse_legs(text, kOpened);
        RC_ASSERT(legs.has_value());
        RC_ASSERT(legs->size() == wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const OptionLeg& a = (*legs)[i];
            const OptionLeg& b = wanted[i];
            RC_ASSERT((a.contracts == b.contracts && a.expiry == b.expiry && a.strike == b.strike));
            RC_ASSERT((a.right == b.right && a.order == b.order && a.price == b.price));
            RC_ASSERT((a.bought == b.bought && !a.side_assumed));
        }
    });
}

TEST(Legs, AnyTextIsReadOrRefused) {
    rc::check("random pieces of the grammar", [] {
        const auto pieces = *rc::gen::container<std::vector<std::string>>(
            rc::gen::oneOf(rc::gen::element<std::string>("1", "Mar", "13", "6710", "P", "BTO", "|",
                                                         "/", " ", "SPX", "4500P", "Call", "\xC2",
                                                         "\xC2\xA0", "1.5", ".", "Feb 29"),
                           rc::gen::string<std::string>()));
        std::string text;
        for (const std::string& piece : pieces) {
            text += piece + (*rc::gen::arbitrary<bool>() ? " " : "");
        }
        const auto legs = parse_legs(text, kOpened);
        if (legs) {
            RC_ASSERT((!legs->empty() && legs->size() <= kMaxLegs));
            for (const OptionLeg& leg : *legs) {
                RC_ASSERT((leg.strike > 0 && leg.strike < std::numeric_limits<double>::max()));
                RC_ASSERT((!leg.price || *leg.price >= 0));
                RC_ASSERT((!leg.expiry || *leg.expiry >= kOpened));
                RC_ASSERT((!leg.contracts || *leg.contracts > 0));
            }
        } else {
            RC_ASSERT(!legs.error().message.empty());
        }
    });
}

}  // namespace
}  // namespace tb
