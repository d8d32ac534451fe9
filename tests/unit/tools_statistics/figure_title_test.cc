#include "tools/portfolio/figure_title.h"

#include <limits>

#include <gtest/gtest.h>

#include "tools/portfolio/statistics_json.h"

namespace tb::tools {
namespace {

TEST(FigureTitle, IsInWords) {
    EXPECT_EQ(figure_title("meanFinalValue"), "Mean final value");
    EXPECT_EQ(figure_title("netPl"), "Net P/L");
    EXPECT_EQ(figure_title("avgDailyPl"), "Avg daily P/L");
    EXPECT_EQ(figure_title("winRate"), "Win rate");
    EXPECT_EQ(figure_title("meanSharpeRatio"), "Mean Sharpe ratio");
    EXPECT_EQ(figure_title("cagr"), "CAGR");
    EXPECT_EQ(figure_title(""), "");
}

TEST(FigureText, WhatIsNoNumberIsNotAvailable) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    for (const double value : {kNan, -kNan, std::numeric_limits<double>::infinity()}) {
        EXPECT_EQ(share_text(value), "n/a");
        EXPECT_EQ(figure_text(value), "n/a");
    }
    EXPECT_EQ(share_text(12.345), "12.35%");
}

}  // namespace
}  // namespace tb::tools
