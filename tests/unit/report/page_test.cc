// The report's page from tool answers made up here: what is shown, what is escaped, what is
// missing.
#include "report/page.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/assets.h"
#include "report/html.h"

namespace tb::report {
namespace {

using mcp::Json;

Json statistics() {
    return {
        {"stats",
         {{"totalTrades", 1234},
          {"winningTrades", 700},
          {"losingTrades", 530},
          {"winRate", 0.567},
          {"netPl", -4321.5},
          {"totalCommissions", 88.25},
          {"avgWin", 51},
          {"avgLoss", -73},
          {"maxWin", 900},
          {"maxLoss", -1200},
          {"profitFactor", 0.91},
          {"sharpeRatio", nullptr},
          {"sortinoRatio", 0.37},
          {"calmarRatio", 0.12},
          {"maxDrawdown", 23.4},
          {"timeInDrawdown", 91.5},
          {"kellyPercentage", -6.5},
          {"cagr", -3.25},
          {"initialCapital", 50'000},
          {"maxWinStreak", 9},
          {"maxLossStreak", 11},
          {"currentStreak", -2},
          {"monthlyWinRate", 41.7}}},
        {"peakExposure",
         {{"byDollars", {{"date", "2024-05-06"}, {"exposure", 7700}, {"exposurePercent", 15.5}}}}},
        {"calculationMethodology",
         {{"returns",
           {{"source", "realized_trade_pl"},
            {"observations", 250},
            {"dateRange", {{"start", "2024-01-02"}, {"end", "2024-12-30"}}}}},
          {"sharpe", {{"riskFreeRate", {{"mode", "historical"}, {"series", "FRED_DTB3"}}}}}}},
        {"notes", {{{"figure", "sharpeRatio"}, {"reason", "the daily returns do not vary"}}}},
        {"warnings", {"one warning"}},
        {"dataVersion", {{"A", "abc123"}}}};
}

Json charts() {
    return {{"rollingWindowSize", 30},
            {"equityCurve",
             {{{"date", "2024-01-02"}, {"equity", 50'000}, {"highWaterMark", 50'000}},
              {{"date", "2024-01-03"}, {"equity", 49'000}, {"highWaterMark", 50'000}}}},
            {"drawdown",
             {{{"date", "2024-01-02"}, {"drawdownPct", 0}},
              {{"date", "2024-01-03"}, {"drawdownPct", -2}}}},
            {"monthlyReturns", {{"2024", {{"1", -1000}, {"2", 250}, {"3", 0}}}}},
            {"monthlyReturnsPercent", {{"2024", {{"1", -2}, {"2", 0.51}, {"3", 0}}}}},
            {"returnDistribution",
             {{{"rangeStart", -100}, {"rangeEnd", 0}, {"count", 3}},
              {{"rangeStart", 0}, {"rangeEnd", 100}, {"count", 5}}}},
            {"rollingMetrics", Json::array()},
            {"warnings", {"one warning", "another"}}};
}

ReportData whole_data() {
    ReportData data;
    data.statistics = statistics();
    data.charts = charts();
    data.strategies = Json{{"strategies",
                            {{{"name", "alpha"},
                              {"trades", 1234},
                              {"winRate", 0.567},
                              {"avgWin", 51},
                              {"avgLoss", -73},
                              {"profitFactor", nullptr},
                              {"netPl", -4321.5}}}}};
    data.monte_carlo_error = "a simulation needs at least 10 trades";
    return data;
}

ReportRequest request() {
    ReportRequest made;
    made.block_id = "A";
    return made;
}

std::size_t occurrences(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

// The page without the script, whose own text is not what a test looks for.
std::string visible_part(const std::string& page) {
    return page.substr(0, page.find("<script>"));
}

TEST(ReportPage, ShowsFiguresAndSaysWhatIsMissing) {
    const std::string page = visible_part(render_page(request(), whole_data()));
    for (const char* const text :
         {"-$4,321.50", "1,234", "56.70%", "0.91", "23.40%", "-3.25%", "$7,700.00",
          "2024-01-02 to 2024-12-30", "FRED_DTB3", "abc123", "250 observations"}) {
        EXPECT_NE(page.find(text), std::string::npos) << text;
    }
    EXPECT_NE(page.find("<dt>Sharpe ratio</dt><dd class=\"\"><span class=\"na\">n/a"),
              std::string::npos);
    EXPECT_NE(page.find("Sharpe ratio: the daily returns do not vary"), std::string::npos);
    EXPECT_NE(page.find("now 2 lost"), std::string::npos);
    EXPECT_NE(page.find("a simulation needs at least 10 trades"), std::string::npos);
    EXPECT_NE(page.find("Rolling metrics need at least 30 trades"), std::string::npos);
    EXPECT_EQ(occurrences(page, "one warning"), 1U);  // said by two tools
    EXPECT_EQ(page.find("chart-fan"), std::string::npos);
}

// As `stats` says it: nothing lost is not the same as nothing known.
TEST(ReportPage, ProfitFactorWithoutALossIsInfinite) {
    ReportData data = whole_data();
    for (Json* const figures :
         {&(*data.statistics)["stats"], &(*data.strategies)["strategies"][0]}) {
        (*figures)["profitFactor"] = nullptr;
        (*figures)["avgLoss"] = 0;
    }
    EXPECT_EQ(occurrences(visible_part(render_page(request(), data)), "infinite"), 2U);
}

TEST(ReportPage, NotesNameFiguresAsThePageDoes) {
    ReportData data = whole_data();
    (*data.statistics)["notes"] = {
        {{"figure", "sharpeRatio, sortinoRatio, cagr"}, {"reason", "few days"}},
        {{"figure", "a: profitFactor, x: profitFactor"}, {"reason", "no loss"}},
        {{"figure", "somethingElse"}, {"reason", "why"}}};
    const std::string page = visible_part(render_page(request(), data));
    EXPECT_NE(page.find("Sharpe ratio, Sortino ratio, CAGR: few days"), std::string::npos);
    EXPECT_NE(page.find("a: profit factor, x: profit factor: no loss"), std::string::npos);
    EXPECT_NE(page.find("somethingElse: why"), std::string::npos);
}

TEST(ReportPage, SimulatedLossHasAStandardErrorLikeTheOthers) {
    ReportData data = whole_data();
    data.monte_carlo =
        Json{{"lossAtRisk", {{"var95", 0.0268}}}, {"standardErrors", {{"var95", 0.0024}}}};
    const std::string page = visible_part(render_page(request(), data));
    EXPECT_NE(page.find("Loss not exceeded with 95 %</th><td>2.68%</td><td>± 0.24%</td>"),
              std::string::npos);
}

// The reference sums up strategies, and resamples, the P/L as written.
TEST(ReportPage, SaysWhereThePlIsNotNet) {
    ReportRequest made = request();
    const std::string as_written = "of strategies and in the simulation as written";
    EXPECT_EQ(render_page(made, whole_data()).find(as_written), std::string::npos);
    made.reference = true;
    EXPECT_NE(render_page(made, whole_data()).find(as_written), std::string::npos);
}

TEST(ReportPage, MonthsAreShadedBySizeAndEmptyOnesAreBlank) {
    const std::string page = visible_part(render_page(request(), whole_data()));
    EXPECT_NE(page.find("<td class=\"down\" style=\"--a:0.80\" title=\"-$1,000.00\">"
                        "<b>-2.0%</b><br>-$1,000</td>"),
              std::string::npos);
    EXPECT_NE(page.find("<td class=\"up\" style=\"--a:0.29\" title=\"$250.00\">"
                        "<b>0.5%</b><br>$250</td>"),
              std::string::npos);
    EXPECT_EQ(occurrences(page, "<td class=\"none\">"), 10U);
    // 0.98 * 1.0051 - 1 over -1000 + 250.
    EXPECT_NE(page.find("<td class=\"sum loss\" title=\"-$750.00\"><b>-1.50%</b><br>-$750</td>"),
              std::string::npos);
}

// What is missing from the figures comes before them.
TEST(ReportPage, SkippedRowsAndWarningsStandAboveTheFigures) {
    ReportData data = whole_data();
    Json issues = Json::array();
    for (int line = 2; line < 12; ++line) {
        issues.push_back({{"fileName", "t.csv"},
                          {"line", line},
                          {"column", "P/L"},
                          {"value", "12abc"},
                          {"reason", "not a number"},
                          {"action", line == 11 ? "skipped" : "repaired"}});
    }
    data.issues = Json{{"rowsSkipped", 1}, {"rowsRepaired", 9}, {"issues", issues}};
    (*data.statistics)["syncErrors"] = {{{"blockId", "A"}, {"error", "file is locked"}}};
    const std::string page = visible_part(render_page(request(), data));
    const std::size_t figures = page.find("Key figures");
    for (const char* const text :
         {"1 row skipped and 9 rows repaired", "t.csv line 11, P/L &#39;12abc&#39;: not a number",
          "Not up to date: file is locked", "one warning", "t.csv line 2,"}) {
        EXPECT_LT(page.find(text), figures) << text;
    }
    EXPECT_EQ(page.find("t.csv line 6,"), std::string::npos);  // the list is of the first five
    EXPECT_EQ(occurrences(page, "Before you read on"), 1U);

    data.issues = Json{{"rowsSkipped", 0}, {"rowsRepaired", 0}, {"issues", Json::array()}};
    (*data.statistics)["syncErrors"] = Json::array();
    (*data.statistics)["warnings"] = Json::array();
    (*data.charts)["warnings"] = Json::array();
    EXPECT_EQ(render_page(request(), data).find("Before you read on"), std::string::npos);
}

TEST(ReportPage, WeekdaysExitReasonsAndLiveFillsAreTables) {
    ReportData data = whole_data();
    (*data.charts)["dayOfWeek"] = {
        {{"day", "Monday"}, {"count", 3}, {"totalPl", -30}, {"avgPl", -10}, {"avgPlPercent", -1.5}},
        {{"day", "Sunday"}, {"count", 0}, {"totalPl", 0}, {"avgPl", 0}, {"avgPlPercent", 0}}};
    (*data.charts)["exitReasonBreakdown"] = {{{"reason", "Stop <Loss>"},
                                              {"count", 2},
                                              {"totalPl", -80},
                                              {"avgPl", -40},
                                              {"avgRom", -4}}};
    data.live_fills = Json{{"backtestTradeCount", 4},
                           {"actualTradeCount", 3},
                           {"summary",
                            {{"matchedComparisons", 2},
                             {"totalBacktestPl", 100},
                             {"totalActualPl", 90},
                             {"totalSlippage", -10},
                             {"avgSlippage", -5}}},
                           {"coverage", {{"matchedBacktestPercent", 50}}}};
    const std::string page = visible_part(render_page(request(), data));
    EXPECT_NE(page.find("<th scope=\"row\">Monday</th><td>3</td><td class=\"loss\">-$30.00</td>"
                        "<td>-$10.00</td><td>-1.50%</td>"),
              std::string::npos);
    EXPECT_EQ(page.find("Sunday"), std::string::npos);
    EXPECT_NE(page.find("Stop &lt;Loss&gt;"), std::string::npos);
    EXPECT_NE(page.find("50.00% of 4"), std::string::npos);
    EXPECT_NE(page.find("<td class=\"loss\">-$10.00</td>"), std::string::npos);
    // A block without a live log has no such section; one whose comparison failed says why.
    data.live_fills = Json();
    EXPECT_EQ(render_page(request(), data).find("Live fills"), std::string::npos);
    data.live_fills_error = "the live log is odd";
    EXPECT_NE(render_page(request(), data).find("the live log is odd"), std::string::npos);
}

TEST(ReportPage, WorstDrawdownsHaveTheirDaysAndTheirBasis) {
    ReportData data = whole_data();
    (*data.statistics)["drawdowns"] = {{"basis", "daily_log"},
                                       {"worst",
                                        {{{"percent", 12.5},
                                          {"dollars", 1250},
                                          {"peakDate", "2024-01-02"},
                                          {"troughDate", "2024-02-03"},
                                          {"recoveryDate", nullptr}}}},
                                       {"afterEachTrade",
                                        {{"basis", "each_trade"},
                                         {"worst",
                                          {{{"percent", 13.25},
                                            {"dollars", 1325},
                                            {"peakDate", "2024-01-03"},
                                            {"troughDate", "2024-02-04"},
                                            {"recoveryDate", "2024-03-05"}}}}}}};
    const std::string page = visible_part(render_page(request(), data));
    for (const char* const text :
         {"$1,250.00, 2024-01-02 to 2024-02-03; daily log", "Worst drawdowns, daily log",
          "<th scope=\"row\">2024-01-02</th><td>2024-02-03</td><td>not yet</td><td>12.50%</td>",
          "Worst drawdowns, after each trade",
          "<td>2024-02-04</td><td>2024-03-05</td><td>13.25%</td><td>$1,325.00</td>"}) {
        EXPECT_NE(page.find(text), std::string::npos) << text;
    }
}

TEST(ReportPage, AmountsFitTheirPlaceFromCentsToBillions) {
    for (const auto& [dollars, text] :
         std::vector<std::pair<double, std::string>>{{0, "$0"},
                                                     {-0.2, "$0"},
                                                     {0.5, "$1"},
                                                     {-9'999.4, "-$9,999"},
                                                     {9'999.6, "$10.0k"},
                                                     {12'345, "$12.3k"},
                                                     {99'960, "$100k"},
                                                     {999'960, "$1.00M"},
                                                     {-13'590'000, "-$13.59M"},
                                                     {123'456'789, "$123.5M"},
                                                     {999'960'000, "$1.00B"},
                                                     {1e15, "$1.00e+15"}}) {
        EXPECT_EQ(short_money(dollars), text) << dollars;
    }
    EXPECT_EQ(card_money(Json(99'999.99)), "$99,999.99");
    EXPECT_EQ(card_money(Json(-123'456'789.6)),
              "<span title=\"-$123,456,789.60\">-$123,456,790</span>");
    EXPECT_EQ(card_money(Json()), missing());
}

TEST(ReportPage, NothingFromAFileIsMarkup) {
    const std::string evil = "</script><img src=x onerror=\"alert('1')\">&\xE2\x80\xA8\x1B[0m";
    ReportData data = whole_data();
    (*data.strategies)["strategies"][0]["name"] = evil;
    (*data.statistics)["warnings"] = {evil};
    (*data.statistics)["notes"] = {{{"figure", evil}, {"reason", evil}}};
    (*data.statistics)["dataVersion"] = {{evil, evil}};
    (*data.statistics)["peakExposure"]["byDollars"]["date"] = evil;
    data.charts_error = evil;
    data.charts = Json();
    ReportRequest made = request();
    made.block_id = evil;
    made.strategy = evil;
    const std::string page = render_page(made, data);
    EXPECT_EQ(page.find("<img"), std::string::npos);
    EXPECT_EQ(occurrences(page, "</script>"), 2U);  // the data and the script end once each
    EXPECT_EQ(page.find("onerror=\""), std::string::npos);
    EXPECT_EQ(page.find('\x1B'), std::string::npos);
    EXPECT_EQ(page.find("\xE2\x80\xA8"), std::string::npos);
    EXPECT_NE(page.find("&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;"),
              std::string::npos);
}

TEST(ReportPage, JsonInAScriptCannotEndIt) {
    EXPECT_EQ(script_json("</script>&\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xA6"),
              "\"\\u003c/script\\u003e\\u0026\\u2028\\u2029\xE2\x80\xA6\"");
    EXPECT_EQ(Json::parse(script_json("<!--\xE2\x80\xA8")), "<!--\xE2\x80\xA8");
}

TEST(ReportPage, ChartDataIsThatOfTheTools) {
    const std::string page = render_page(request(), whole_data());
    const std::string begin = "id=\"chart-data\">";
    const std::size_t at = page.find(begin) + begin.size();
    const Json data = Json::parse(page.substr(at, page.find("</script>", at) - at));
    EXPECT_EQ(data["equity"], Json({{1704153600, 1704240000}, {50'000, 49'000}, {50'000, 50'000}}));
    EXPECT_EQ(data["drawdown"][1], Json({0, -2}));
    EXPECT_EQ(data["distribution"], Json({{-100, 0}, {0, 100}, {3, 5}}));
    EXPECT_FALSE(data.contains("fan"));
}

TEST(ReportPage, LoadsNothingAndAllowsOneScript) {
    const std::string page = render_page(request(), whole_data());
    EXPECT_NE(page.find("default-src 'none'; script-src 'sha256-"), std::string::npos);
    for (const char* const load : {" src=\"", " href=\"", "@import", "url(", "<link", "<iframe"}) {
        EXPECT_EQ(page.find(load), std::string::npos) << load;
    }
    EXPECT_LE(chart_library_script().size() + page_script().size(), 150'000U);
    EXPECT_EQ(chart_library_script().find("</script"), std::string_view::npos);
    EXPECT_NE(chart_library_licence().find("Leon Sorokin"), std::string_view::npos);
    EXPECT_EQ(page, render_page(request(), whole_data()));
}

}  // namespace
}  // namespace tb::report
