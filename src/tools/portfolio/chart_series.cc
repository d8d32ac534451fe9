#include "tools/portfolio/chart_series.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analytics/charts.h"
#include "mcp/render.h"
#include "tools/json.h"
#include "tools/portfolio/statistics_json.h"

namespace tb::tools {

namespace {

using mcp::Json;

// Series the reference cuts at maxDataPoints; it leaves the others whole.
enum class ReferenceCut { kNever, kAtLimit };

// What a point shows, the figure that draws the line first.
using Figures = std::array<std::optional<double>, 7>;

// Positions of the smallest and the largest value of every figure but the first.
std::vector<std::size_t> extremes_of_the_rest(const std::vector<Figures>& figures) {
    std::vector<std::size_t> extremes;
    for (std::size_t column = 1; column < Figures().size(); ++column) {
        std::optional<std::size_t> low;
        std::optional<std::size_t> high;
        for (std::size_t i = 0; i < figures.size(); ++i) {
            const std::optional<double>& value = figures[i][column];
            if (value && (!low || *value < *figures[*low][column])) {
                low = i;
            }
            if (value && (!high || *value > *figures[*high][column])) {
                high = i;
            }
        }
        if (low && high) {
            extremes.insert(extremes.end(), {*low, *high});
        }
    }
    return extremes;
}

// `points` as an array, thinned where they are too many: extremes of the first of `figures` stay
// stretch by stretch, those of the others over the whole series.
template <class Point, class FiguresOf, class ToJson>
Json series(Rendering& rendering, const std::string& key, const std::vector<Point>& points,
            ReferenceCut cut, FiguresOf figures_of, ToJson to_json) {
    Json rows = Json::array();
    const std::size_t total = points.size();
    if (rendering.reference) {
        const bool too_many = cut == ReferenceCut::kAtLimit && total > rendering.most;
        const std::size_t shown = too_many ? rendering.most : total;
        for (std::size_t i = 0; i < shown; ++i) {
            rows.push_back(to_json(points[i]));
        }
        if (!too_many) {
            return rows;
        }
        rendering.truncated = true;
        return {{"data", std::move(rows)}, {"truncated", true}, {"totalPoints", total}};
    }
    if (rendering.most == 0 || total <= rendering.most) {
        for (const Point& point : points) {
            rows.push_back(to_json(point));
        }
        return rows;
    }
    std::vector<Figures> figures(total);
    std::transform(points.begin(), points.end(), figures.begin(), figures_of);
    std::vector<double> values(total);
    std::transform(figures.begin(), figures.end(), values.begin(),
                   [](const Figures& row) { return row.front().value_or(0); });
    const std::vector<std::size_t> kept =
        thin_out(values, rendering.most, extremes_of_the_rest(figures));
    for (const std::size_t i : kept) {
        rows.push_back(to_json(points[i]));
    }
    rendering.truncated = true;
    if (rendering.thinned.is_null()) {
        rendering.thinned = Json::object();
    }
    (*rendering.thinned)[key] = {{"shown", kept.size()}, {"total", total}};
    return rows;
}

Json month_table_json(const analytics::MonthTable& table) {
    Json years = Json::object();
    for (const auto& [year, months] : table) {
        Json row = Json::object();
        for (std::size_t month = 0; month < months.size(); ++month) {
            row[std::to_string(month + 1)] = number_json(months[month]);
        }
        years[std::to_string(year)] = std::move(row);
    }
    return years;
}

Json lengths_json(const std::map<std::int64_t, std::int64_t>& lengths) {
    Json out = Json::object();
    for (const auto& [length, count] : lengths) {
        out[std::to_string(length)] = count;
    }
    return out;
}

Json streaks_json(const analytics::StreakChart& chart) {
    const auto& streaks = chart.distribution;
    Json test = nullptr;
    if (chart.runs_test) {
        const analytics::RunsTest& runs = *chart.runs_test;
        test = {{"numRuns", runs.runs},
                {"expectedRuns", number_json(runs.expected_runs)},
                {"zScore", number_json(runs.z_score)},
                {"pValue", number_json(runs.p_value)},
                {"isNonRandom", runs.is_non_random},
                {"patternType", analytics::runs_pattern_name(runs.pattern)}};
    }
    return {{"winDistribution", lengths_json(streaks.wins)},
            {"lossDistribution", lengths_json(streaks.losses)},
            {"statistics",
             {{"maxWinStreak", streaks.max_win},
              {"maxLossStreak", streaks.max_loss},
              {"avgWinStreak", number_json(streaks.avg_win)},
              {"avgLossStreak", number_json(streaks.avg_loss)}}},
            {"runsTest", std::move(test)}};
}

Json excursion_point_json(const analytics::ExcursionPoint& point, const std::string& strategy) {
    return {{"tradeNumber", point.trade_number},
            {"date", point.date.to_iso()},
            {"strategy", strategy},
            {"mfe", number_json(point.mfe)},
            {"mae", number_json(point.mae)},
            {"pl", number_json(point.pl)},
            {"mfePercent", number_json(point.mfe_percent)},
            {"maePercent", number_json(point.mae_percent)},
            {"profitCapturePercent", number_json(point.profit_capture_percent)},
            {"excursionRatio", number_json(point.excursion_ratio)},
            {"basis", analytics::excursion_basis_name(point.basis)},
            {"isWinner", point.is_winner}};
}

Json excursion_rest_json(const analytics::ExcursionChart& chart) {
    Json buckets = Json::array();
    for (const analytics::ExcursionBucket& bucket : chart.buckets) {
        buckets.push_back(
            {{"bucket", mcp::number_text(bucket.from) + "-" + mcp::number_text(bucket.to) + "%"},
             {"mfeCount", bucket.mfe_count},
             {"maeCount", bucket.mae_count},
             {"range", Json::array({bucket.from, bucket.to})}});
    }
    return {{"distribution", std::move(buckets)},
            {"statistics",
             {{"totalTrades", chart.total_trades},
              {"tradesWithMfe", chart.trades_with_mfe},
              {"tradesWithMae", chart.trades_with_mae},
              {"avgMfePercent", number_json(chart.avg_mfe_percent)},
              {"avgMaePercent", number_json(chart.avg_mae_percent)},
              {"avgProfitCapture", number_json(chart.avg_profit_capture)},
              {"avgExcursionRatio", number_json(chart.avg_excursion_ratio)}}}};
}

}  // namespace

const std::vector<std::string>& chart_names() {
    static const std::vector<std::string> kNames = {
        "equity_curve",          "drawdown",
        "monthly_returns",       "monthly_returns_percent",
        "return_distribution",   "day_of_week",
        "streak_data",           "trade_sequence",
        "rom_timeline",          "rolling_metrics",
        "exit_reason_breakdown", "holding_periods",
        "premium_efficiency",    "margin_utilization",
        "volatility_regimes",    "mfe_mae",
        "daily_exposure"};
    return kNames;
}

ChartSet::ChartSet(ChartInput input, const std::vector<std::string>& names)
    : input_(std::move(input)),
      curve_(analytics::equity_curve(input_.trades.trades, input_.conventions, input_.flows,
                                     input_.start_capital)) {
    for (const std::string& name : names) {
        add(name);
    }
}

void ChartSet::render(Json& answer, Rendering& rendering) const {
    for (const Render& render : renders_) {
        render(answer, rendering);
    }
}

void ChartSet::add_entry(std::string key, const std::string& name, std::string formula,
                         Render render) {
    entries_.push_back({std::move(key), name, std::move(formula)});
    renders_.push_back(std::move(render));
}

// A chart over a column that the export does not have is empty or nearly so, and nothing in it
// would say why.
void ChartSet::note_absent_values(const std::string& name) {
    struct Needed {
        std::string_view chart;
        std::string_view key;
        std::string_view what;
        bool (*has)(const analytics::Trade&);
    };
    static constexpr std::array kNeeded = {
        Needed{"volatility_regimes", "volatilityRegimes", "a VIX at opening",
               [](const analytics::Trade& trade) { return trade.opening_vix.has_value(); }},
        Needed{"mfe_mae", "mfeMae", "a largest gain or loss (Max Profit, Max Loss)",
               [](const analytics::Trade& trade) {
                   return trade.max_profit.has_value() || trade.max_loss.has_value();
               }},
        Needed{"exit_reason_breakdown", "exitReasonBreakdown", "a reason for their close",
               [](const analytics::Trade& trade) { return !trade.reason_for_close.empty(); }},
    };
    const auto needed = std::find_if(kNeeded.begin(), kNeeded.end(),
                                     [&](const Needed& one) { return one.chart == name; });
    if (needed == kNeeded.end() || input_.conventions == Conventions::kReference) {
        return;
    }
    const auto& trades = input_.trades.trades;
    const auto with =
        static_cast<std::size_t>(std::count_if(trades.begin(), trades.end(), needed->has));
    if (with < trades.size()) {
        warnings_.push_back(fmt::format("{}: {} of {} trades have {}", needed->key, with,
                                        trades.size(), needed->what));
    }
}

void ChartSet::add(const std::string& name) {
    note_absent_values(name);
    add_curve_chart(name);
    add_summary_chart(name);
    add_trade_chart(name);
    add_risk_chart(name);
}

void ChartSet::add_curve_chart(const std::string& name) {
    const auto& trades = input_.trades.trades;
    if (name == "equity_curve") {
        add_entry("equityCurve", name, "start capital + running P in order of realization",
                  [this](Json& answer, Rendering& rendering) {
                      answer["equityCurve"] = series(
                          rendering, "equityCurve", curve_.points, ReferenceCut::kNever,
                          [](const auto& point) { return Figures{point.equity}; },
                          [](const analytics::EquityPoint& point) -> Json {
                              return {{"date", point.date.to_iso()},
                                      {"equity", number_json(point.equity)},
                                      {"highWaterMark", number_json(point.high_water_mark)},
                                      {"tradeNumber", point.trade_number}};
                          });
                  });
    } else if (name == "drawdown") {
        if (input_.conventions == Conventions::kCorrect) {
            const analytics::DrawdownTable each = analytics::worst_drawdowns(curve_);
            add_entry("drawdowns", name,
                      "from a peak to the first day at that peak again, by the daily balance of "
                      "get_statistics and after each trade",
                      [rows = drawdowns_json(input_.drawdowns_by_day.value_or(each), each)](
                          Json& answer, Rendering& /*rendering*/) { answer["drawdowns"] = rows; });
        }
        add_entry(
            "drawdown", name,
            "100*(equity - peak)/peak after each trade, money taken out of the account left out",
            [points = analytics::drawdown_series(curve_)](Json& answer, Rendering& rendering) {
                answer["drawdown"] = series(
                    rendering, "drawdown", points, ReferenceCut::kNever,
                    [](const auto& point) { return Figures{point.drawdown_pct}; },
                    [](const analytics::DrawdownPoint& point) -> Json {
                        return {{"date", point.date.to_iso()},
                                {"drawdownPct", number_json(point.drawdown_pct)}};
                    });
            });
    } else if (name == "rolling_metrics") {
        auto points = analytics::rolling_metrics(trades, input_.rolling_window, input_.conventions);
        add_entry("rollingMetrics", name, "over the last trades: mean, population sd, mean/sd of P",
                  [points = std::move(points), window = input_.rolling_window](
                      Json& answer, Rendering& rendering) {
                      answer["rollingMetrics"] = series(
                          rendering, "rollingMetrics", points, ReferenceCut::kNever,
                          [](const auto& point) {
                              return Figures{point.avg_pl, point.win_rate_pct,
                                             point.signal_to_noise, point.profit_factor,
                                             point.volatility};
                          },
                          [](const analytics::RollingPoint& point) -> Json {
                              return {{"date", point.date.to_iso()},
                                      {"tradeNumber", point.trade_number},
                                      {"winRate", number_json(point.win_rate_pct)},
                                      {"sharpeRatio", number_json(point.signal_to_noise)},
                                      {"profitFactor", number_json(point.profit_factor)},
                                      {"volatility", number_json(point.volatility)},
                                      {"avgPl", number_json(point.avg_pl)}};
                          });
                      answer["rollingMetricsMethodology"] = {
                          {"sharpeRatio",
                           "mean P/L of a trade over its population standard deviation, not "
                           "annualized: not the Sharpe ratio of get_statistics"},
                          {"window", fmt::format("{} trades", window)}};
                  });
    }
}

void ChartSet::add_summary_chart(const std::string& name) {
    const auto& trades = input_.trades.trades;
    const auto fixed = [&](const char* key, std::string formula, Json value) {
        add_entry(key, name, std::move(formula),
                  [key, value = std::move(value)](Json& answer, Rendering& /*rendering*/) {
                      answer[key] = value;
                  });
    };
    if (name == "monthly_returns") {
        fixed("monthlyReturns", "sum of P by month of realization",
              month_table_json(analytics::monthly_returns(trades)));
    } else if (name == "monthly_returns_percent") {
        fixed("monthlyReturnsPercent", "100 * month's P / capital at its start",
              month_table_json(
                  analytics::monthly_returns_percent(trades, curve_.start, input_.conventions)));
    } else if (name == "return_distribution") {
        Json rows = Json::array();
        for (const auto& bucket :
             analytics::return_distribution(trades, input_.bucket_count, input_.conventions)) {
            rows.push_back({{"rangeStart", number_json(bucket.from)},
                            {"rangeEnd", number_json(bucket.to)},
                            {"count", bucket.count}});
        }
        fixed("returnDistribution", "trades per equal range of P", std::move(rows));
    } else if (name == "day_of_week") {
        Json rows = Json::array();
        for (const analytics::WeekdayRow& row : analytics::day_of_week(trades)) {
            rows.push_back({{"day", row.day},
                            {"count", row.count},
                            {"avgPl", number_json(row.avg_pl)},
                            {"totalPl", number_json(row.total_pl)},
                            {"avgPlPercent", number_json(row.avg_rom_percent)}});
        }
        fixed("dayOfWeek", "P by weekday of realization; percent of margin", std::move(rows));
    } else if (name == "streak_data") {
        fixed("streakData", "runs of P > 0 and others; Wald-Wolfowitz test",
              streaks_json(analytics::streak_chart(trades, input_.conventions)));
    } else if (name == "exit_reason_breakdown") {
        Json rows = Json::array();
        for (const analytics::ExitReasonRow& row : analytics::exit_reasons(trades)) {
            rows.push_back({{"reason", row.reason},
                            {"count", row.count},
                            {"totalPl", number_json(row.total_pl)},
                            {"avgPl", number_json(row.avg_pl)},
                            {"avgRom", number_json(row.avg_rom)}});
        }
        fixed("exitReasonBreakdown", "P by reason for close", std::move(rows));
    }
}

namespace {

// `ours`: with the premium of the whole position, which the reference does not have.
Json efficiency_json(const analytics::EfficiencyPoint& point, const std::string& strategy,
                     bool ours) {
    Json row = {{"tradeNumber", point.trade_number},
                {"date", point.date.to_iso()},
                {"pl", number_json(point.pl)},
                {"premium", number_json(point.premium)},
                {"efficiencyPct", number_json(point.efficiency_pct)},
                {"strategy", strategy}};
    if (ours) {
        row["premiumDollars"] = number_json(point.premium_dollars);
    }
    return row;
}

}  // namespace

void ChartSet::add_trade_chart(const std::string& name) {
    const auto& trades = input_.trades.trades;
    const auto add_series = [&](const char* key, const std::string& formula, auto points,
                                auto value, auto to_json) {
        add_entry(
            key, name, formula,
            [key, points = std::move(points), value, to_json](Json& answer, Rendering& rendering) {
                answer[key] =
                    series(rendering, key, points, ReferenceCut::kAtLimit, value, to_json);
            });
    };
    const auto strategy = [this](const auto& point) {
        return input_.trades.strategies[point.strategy];
    };
    if (name == "trade_sequence") {
        add_series(
            "tradeSequence", "P and 100*P/margin per trade",
            analytics::trade_sequence(trades, input_.conventions),
            [](const auto& point) {
                return Figures{point.pl, point.rom, point.margin_req};
            },
            [strategy](const analytics::SequencePoint& point) -> Json {
                return {{"tradeNumber", point.trade_number},
                        {"pl", number_json(point.pl)},
                        {"rom", number_json(point.rom)},
                        {"date", point.date.to_iso()},
                        {"marginReq", number_json(point.margin_req)},
                        {"strategy", strategy(point)}};
            });
    } else if (name == "rom_timeline") {
        add_series(
            "romTimeline", "100*P/margin", analytics::rom_timeline(trades, input_.conventions),
            [](const auto& point) { return Figures{point.rom}; },
            [](const analytics::RomPoint& point) -> Json {
                return {{"date", point.date.to_iso()},
                        {"rom", number_json(point.rom)},
                        {"tradeNumber", point.trade_number}};
            });
    } else if (name == "holding_periods") {
        auto periods = analytics::holding_periods(trades, input_.conventions);
        const auto reversed = std::count_if(periods.begin(), periods.end(), [](const auto& period) {
            return period.duration_hours < 0;
        });
        if (reversed > 0) {
            warnings_.push_back(fmt::format(
                "{} trades close before they open by their time stamps: negative holding time",
                reversed));
        }
        add_series(
            "holdingPeriods", "time from opening to close", std::move(periods),
            [](const auto& point) {
                return Figures{point.duration_hours, point.pl};
            },
            [strategy](const analytics::HoldingPoint& point) -> Json {
                return {{"tradeNumber", point.trade_number},
                        {"dateOpened", point.date_opened.to_iso()},
                        {"dateClosed", date_json(point.date_closed)},
                        {"durationHours", number_json(point.duration_hours)},
                        {"durationDays", number_json(point.duration_days)},
                        {"pl", number_json(point.pl)},
                        {"strategy", strategy(point)}};
            });
    } else if (name == "premium_efficiency") {
        const bool ours = input_.conventions == Conventions::kCorrect;
        add_series(
            "premiumEfficiency",
            ours ? "100*P / premium of the whole position in dollars"
                 : "100*P/|premium as written|",
            analytics::premium_efficiency_series(trades, input_.conventions),
            [](const auto& point) {
                return Figures{point.efficiency_pct, point.pl, point.premium,
                               point.premium_dollars};
            },
            [strategy, ours](const analytics::EfficiencyPoint& point) {
                return efficiency_json(point, strategy(point), ours);
            });
    } else if (name == "volatility_regimes") {
        add_series(
            "volatilityRegimes", "VIX at opening and close, P, 100*P/margin",
            analytics::volatility_regimes(trades),
            [](const auto& point) {
                return Figures{point.pl, point.rom, point.opening_vix, point.closing_vix};
            },
            [](const analytics::VolatilityPoint& point) -> Json {
                return {{"tradeNumber", point.trade_number},
                        {"date", point.date.to_iso()},
                        {"openingVix", number_json(point.opening_vix)},
                        {"closingVix", number_json(point.closing_vix)},
                        {"pl", number_json(point.pl)},
                        {"rom", number_json(point.rom)}};
            });
    }
}

void ChartSet::add_risk_chart(const std::string& name) {
    const auto& trades = input_.trades.trades;
    if (name == "margin_utilization") {
        add_entry("marginUtilization", name, "100*margin / equity after the trade",
                  [points = analytics::margin_utilization(trades, curve_, input_.conventions)](
                      Json& answer, Rendering& rendering) {
                      answer["marginUtilization"] = series(
                          rendering, "marginUtilization", points, ReferenceCut::kAtLimit,
                          [](const auto& point) {
                              return Figures{point.utilization_pct, point.margin_req,
                                             point.funds_at_close, point.pl};
                          },
                          [](const analytics::MarginPoint& point) -> Json {
                              return {{"tradeNumber", point.trade_number},
                                      {"date", point.date.to_iso()},
                                      {"marginReq", number_json(point.margin_req)},
                                      {"fundsAtClose", number_json(point.funds_at_close)},
                                      {"utilizationPct", number_json(point.utilization_pct)},
                                      {"numContracts", point.contracts},
                                      {"pl", number_json(point.pl)}};
                          });
                  });
    } else if (name == "mfe_mae") {
        const analytics::TradeSet& set =
            input_.all_trades == nullptr ? input_.trades : *input_.all_trades;
        add_entry("mfeMae", name,
                  "largest gain and loss while open, percent of premium (else margin)",
                  [chart = analytics::excursion_chart(set.trades, input_.excursion_bucket,
                                                      input_.conventions),
                   names = set.strategies](Json& answer, Rendering& rendering) {
                      Json points = series(
                          rendering, "mfeMae", chart.points, ReferenceCut::kAtLimit,
                          [](const auto& point) {
                              return Figures{point.pl,
                                             point.mfe,
                                             point.mae,
                                             point.mfe_percent,
                                             point.mae_percent,
                                             point.profit_capture_percent,
                                             point.excursion_ratio};
                          },
                          [&](const analytics::ExcursionPoint& point) {
                              return excursion_point_json(point, names[point.strategy]);
                          });
                      answer["mfeMae"] = {{"dataPoints", std::move(points)}};
                      answer["mfeMae"].update(excursion_rest_json(chart));
                  });
    } else if (name == "daily_exposure") {
        auto exposure = analytics::daily_exposure(
            trades, input_.account_by_day.value_or(analytics::equity_by_day(curve_)),
            input_.conventions);
        warnings_.insert(warnings_.end(), exposure.warnings.begin(), exposure.warnings.end());
        add_entry(
            "dailyExposure", name,
            input_.conventions == Conventions::kReference
                ? "largest running margin of the day; percent of the equity at its end"
                : "largest running margin of the day; percent of the equity at its start",
            [chart = std::move(exposure), filtered = input_.strategy_filter,
             conventions = input_.conventions](Json& answer, Rendering& rendering) {
                Json days = series(
                    rendering, "dailyExposure", chart.days, ReferenceCut::kNever,
                    [](const auto& day) {
                        return Figures{day.exposure, day.exposure_percent,
                                       static_cast<double>(day.open_positions)};
                    },
                    [](const analytics::ExposureDay& day) -> Json {
                        return {{"date", day.date.to_iso()},
                                {"exposure", number_json(day.exposure)},
                                {"exposurePercent", number_json(day.exposure_percent)},
                                {"openPositions", day.open_positions},
                                {"peakTime", day.peak_time()}};
                    });
                Json out = {
                    {"timeSeries", std::move(days)},
                    {"peakByDollars", exposure_peak_json(chart.by_dollars, conventions, false)},
                    {"peakByPercent", exposure_peak_json(chart.by_percent, conventions, false)},
                    {"statistics",
                     {{"totalDays", chart.days.size()},
                      {"avgExposure", number_json(chart.avg_exposure)},
                      {"avgExposurePercent", number_json(chart.avg_exposure_percent)},
                      {"avgOpenPositions", number_json(chart.avg_open_positions)}}}};
                if (filtered) {
                    out["warning"] =
                        "margin and P/L are those of this strategy alone, the start capital is "
                        "that of the whole account: read the percents with care";
                }
                answer["dailyExposure"] = std::move(out);
            });
    }
}

}  // namespace tb::tools
