#include "tools/portfolio/figure_title.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tb::tools
