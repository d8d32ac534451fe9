#include "tools/portfolio/statistics_json.h"

#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/number.h"
#include "mcp/render.h"
#include "tools/json.h"

namespace tb::tools {

namespace {

using analytics::IdleDays;
using analytics::Methodology;
using analytics::PortfolioStatistics;
using analytics::ReturnSource;
using analytics::SourceBasis;
using mcp::Json;

std::string_view basis_name(SourceBasis basis) {
    switch (basis) {
        case SourceBasis::kNetIncludesFees:
            return "net_includes_fees";
        case SourceBasis::kGrossBeforeFees:
            return "gross_before_fees";
        case SourceBasis::kMixed:
            break;
    }
    return "mixed";
}

std::string_view fee_handling_name(SourceBasis basis) {
    switch (basis) {
        case SourceBasis::kNetIncludesFees:
            return "already_included";
        case SourceBasis::kGrossBeforeFees:
            return "deducted_once";
        case SourceBasis::kMixed:
            break;
    }
    return "mixed";
}

std::string_view idle_days_name(IdleDays days) {
    switch (days) {
        case IdleDays::kAsProvided:
            return "included_as_provided";
        case IdleDays::kBusinessDays:
            return "included_business_days";
        case IdleDays::kExchangeDays:
            return "included_exchange_days";
        case IdleDays::kCalendarDays:
            break;
    }
    return "included_calendar_days";
}

std::string_view capital_source_name(analytics::CapitalSource source) {
    switch (source) {
        case analytics::CapitalSource::kDailyLog:
            return "daily_log";
        case analytics::CapitalSource::kTrades:
            return "trades";
        case analytics::CapitalSource::kNone:
            break;
    }
    return "none";
}

// One line of the table of explanations: how a figure comes about under each rule book.
struct FigureRule {
    std::string_view figure;
    std::string_view formula;
    std::string_view reference;  // empty: the same
    // Which rows and inputs: trades, daily returns, the daily balance.
    enum class Input {
        kTrades,
        kWinsAndLosses,
        kReturns,
        kBalance,
        kDailyPl,
        kGrowth,
        kKelly
    } input;
};

using Input = FigureRule::Input;
constexpr std::array kRules = {
    FigureRule{"totalTrades", "rows of the trade log that pass the filters", "", Input::kTrades},
    FigureRule{"winningTrades", "trades with P > 0", "", Input::kTrades},
    FigureRule{"losingTrades", "trades with P < 0", "", Input::kTrades},
    FigureRule{"breakEvenTrades", "closed trades with P = 0", "trades with P = 0", Input::kTrades},
    FigureRule{"openTrades", "trades without a closing day and with P = 0", "", Input::kTrades},
    FigureRule{"winRate", "trades with P > 0 / all trades (fraction; P = P/L after fees)", "",
               Input::kTrades},
    FigureRule{"totalPl", "sum of the P/L column as written", "", Input::kTrades},
    FigureRule{"netPl", "sum of P; fees are deducted exactly once", "", Input::kTrades},
    FigureRule{"totalCommissions", "sum of opening and closing fees", "", Input::kTrades},
    FigureRule{"avgWin", "mean of P over trades with P > 0", "", Input::kWinsAndLosses},
    FigureRule{"avgLoss", "mean of P over trades with P < 0 (negative)", "", Input::kWinsAndLosses},
    FigureRule{"maxWin", "largest P > 0; 0 without one", "", Input::kTrades},
    FigureRule{"maxLoss", "smallest P < 0; 0 without one", "", Input::kTrades},
    FigureRule{
        "profitFactor",
        "sum of P > 0 / |sum of P < 0|; without a loss no value, 0 if nothing was won either", "",
        Input::kWinsAndLosses},
    FigureRule{"sharpeRatio",
               "mean(x)/sd(x)*sqrt(252), x = daily return - rate/100/252, sd with "
               "n-1",
               "", Input::kReturns},
    FigureRule{"sortinoRatio", "mean(x)/d*sqrt(252), d = sqrt(sum(min(x,0)^2)/n)", "",
               Input::kReturns},
    FigureRule{"calmarRatio", "cagr / maxDrawdown", "", Input::kGrowth},
    FigureRule{
        "maxDrawdown",
        "largest 100*(peak - balance)/peak of the end-of-day balance, money paid in or taken "
        "out left out; drawdowns.worst[0]",
        "largest |drawdown %| of the daily log, else of the funds column at the end of "
        "closing days",
        Input::kBalance},
    FigureRule{"timeInDrawdown", "100 * days below the running peak / days observed",
               "100 * log rows with drawdown < 0 / log rows, else of closed trades",
               Input::kBalance},
    FigureRule{"kellyPercentage",
               "100*(b*p - q)/(b*(p + q)), p, q = shares of wins and losses, b = avgWin/|avgLoss|",
               "100*(p*b - (1-p))/b, p = winRate, b = avgWin/|avgLoss|", Input::kKelly},
    FigureRule{"cagr",
               "100*((end/start)^(1/years) - 1), years to the last realized day from the first "
               "opening (daily log: from its first row to its last); none once the balance was 0",
               "100*((end/start)^(1/years) - 1), from the first opening to the close of the "
               "trade opened last, capital of the trades",
               Input::kGrowth},
    FigureRule{"initialCapital",
               "balance before the first day: of the daily log, else the balance from which the "
               "funds column chains; for a part what the account held before its first result",
               "daily log: netLiq - dailyPl of the first row, else F - P of the first trade closed",
               Input::kBalance},
    FigureRule{"avgDailyPl", "net P/L of the days / days observed",
               "mean P/L of the log rows, else net P/L per day with a trade", Input::kDailyPl},
    FigureRule{"monthlyWinRate",
               "100 * months with P/L > 0 / months with trades, by the day "
               "realized",
               "100 * months with P/L > 0 / months with trades, by the day opened", Input::kTrades},
    FigureRule{"weeklyWinRate",
               "100 * ISO weeks with P/L > 0 / weeks with trades, by the day "
               "realized",
               "the same by the day opened, weeks cut at New Year", Input::kTrades},
    FigureRule{"maxWinStreak",
               "most wins in a row as realized: by close, within a minute by the funds column; a "
               "zero ends a streak",
               "most wins in a row by opening time; a zero ends a streak", Input::kTrades},
    FigureRule{"maxLossStreak", "most losses in a row, as maxWinStreak",
               "most losses in a row by opening time; a zero ends a streak", Input::kTrades},
    FigureRule{"currentStreak", "wins (+) or losses (-) in a row at the end; a zero ends a streak",
               "", Input::kTrades},
};

Json inputs_of(Input input, const PortfolioStatistics& stats, const Methodology& method) {
    switch (input) {
        case Input::kTrades:
            return {{"trades", stats.total_trades}, {"plBasis", basis_name(method.source_basis)}};
        case Input::kWinsAndLosses:
            return {{"winningTrades", stats.winning_trades},
                    {"losingTrades", stats.losing_trades},
                    {"avgWin", number_json(stats.avg_win)},
                    {"avgLoss", number_json(stats.avg_loss)}};
        case Input::kReturns:
            return {{"observations", method.observations},
                    {"from", date_json(method.first_observation)},
                    {"to", date_json(method.last_observation)},
                    {"rate", method.rate_mode == analytics::RateMode::kFixed
                                 ? number_json(method.fixed_rate_pct)
                                 : Json(method.rate_series)}};
        case Input::kBalance:
            return {{"initialCapital", number_json(stats.initial_capital)},
                    {"capitalSource", capital_source_name(method.capital_source)},
                    {"balances", method.balances}};
        case Input::kDailyPl:
            return {{"pl", number_json(method.daily_pl_total)}, {"days", method.daily_pl_days}};
        case Input::kGrowth:
            return {{"start", number_json(method.growth_start)},
                    {"end", number_json(method.growth_end)},
                    {"years", number_json(method.growth_years)},
                    {"cagr", number_json(stats.cagr_pct)},
                    {"maxDrawdown", number_json(stats.max_drawdown_pct)}};
        case Input::kKelly:
            return {{"winRate", number_json(stats.win_rate)},
                    {"winningTrades", stats.winning_trades},
                    {"losingTrades", stats.losing_trades},
                    {"avgWin", number_json(stats.avg_win)},
                    {"avgLoss", number_json(stats.avg_loss)}};
    }
    return Json::object();
}

// How many rows a figure rests on, and whether they are the log's.
std::pair<std::int64_t, bool> rows_of(Input input, const PortfolioStatistics& stats,
                                      const Methodology& method) {
    const bool from_log = method.return_source == ReturnSource::kDailyLog;
    switch (input) {
        case Input::kReturns:
            return {method.observations, from_log};
        case Input::kBalance:
            return {method.balances, from_log};
        case Input::kDailyPl:
            return {method.daily_pl_days, from_log};
        case Input::kGrowth:
            return method.growth_source == ReturnSource::kDailyLog
                       ? std::pair{method.balances, true}
                       : std::pair{stats.total_trades, false};
        case Input::kTrades:
        case Input::kWinsAndLosses:
        case Input::kKelly:
            break;
    }
    return {stats.total_trades, false};
}

Json returns_json(const Methodology& method) {
    const bool from_log = method.return_source == ReturnSource::kDailyLog;
    return {{"source", from_log ? "daily_log" : "realized_trade_pl"},
            {"attribution", from_log ? "daily_log_date" : "date_closed_fallback_date_opened"},
            {"observations", method.observations},
            {"dateRange",
             {{"start", date_json(method.first_observation)},
              {"end", date_json(method.last_observation)}}},
            {"idleDays", idle_days_name(method.idle_days)}};
}

}  // namespace

Json statistics_json(const PortfolioStatistics& stats, Conventions conventions) {
    Json out = Json::object();
    const auto number = [&](const char* name, std::optional<double> value) {
        if (value.has_value() || conventions == Conventions::kCorrect) {
            out[name] = number_json(value);
        }
    };
    out["totalTrades"] = stats.total_trades;
    out["winningTrades"] = stats.winning_trades;
    out["losingTrades"] = stats.losing_trades;
    out["breakEvenTrades"] = stats.break_even_trades;
    if (conventions == Conventions::kCorrect) {
        out["openTrades"] = stats.open_trades;
    }
    number("winRate", stats.win_rate);
    number("totalPl", stats.total_pl);
    number("netPl", stats.net_pl);
    number("totalCommissions", stats.total_commissions);
    number("avgWin", stats.avg_win);
    number("avgLoss", stats.avg_loss);
    number("maxWin", stats.max_win);
    number("maxLoss", stats.max_loss);
    out["profitFactor"] = number_json(stats.profit_factor);
    number("sharpeRatio", stats.sharpe_ratio);
    number("sortinoRatio", stats.sortino_ratio);
    number("calmarRatio", stats.calmar_ratio);
    number("maxDrawdown", stats.max_drawdown_pct);
    number("timeInDrawdown", stats.time_in_drawdown_pct);
    number("kellyPercentage", stats.kelly_pct);
    number("cagr", stats.cagr_pct);
    number("initialCapital", stats.initial_capital);
    number("avgDailyPl", stats.avg_daily_pl);
    out["maxWinStreak"] = stats.max_win_streak;
    out["maxLossStreak"] = stats.max_loss_streak;
    out["currentStreak"] = stats.current_streak;
    number("monthlyWinRate", stats.monthly_win_rate_pct);
    number("weeklyWinRate", stats.weekly_win_rate_pct);
    return out;
}

Json methodology_json(const analytics::StatisticsResult& result,
                      const analytics::RiskFreeRates& rates) {
    const Methodology& method = result.methodology;
    Json json = {
        {"pnl",
         {{"netPlBasis", "net_after_fees"},
          {"sourceBasis", basis_name(method.source_basis)},
          {"feeHandling", fee_handling_name(method.source_basis)},
          {"basisCounts",
           {{"netIncludesFees", method.net_includes_fees},
            {"grossBeforeFees", method.gross_before_fees},
            {"undeclaredAssumedGross", 0}}}}},
        {"returns", returns_json(method)},
        {"sharpe",
         {{"annualizationFactor", analytics::kAnnualization},
          {"volatilityEstimator", "sample_standard_deviation_n_minus_1"},
          {"riskFreeRate", rate_source_json(rates, method.rate_resolution, method.conventions)}}},
        {"sortino",
         {{"annualizationFactor", analytics::kAnnualization},
          {"downsideTarget", "zero_excess_return"},
          {"observationSet", "all_return_observations_positive_values_contribute_zero"},
          {"denominator", "total_observations_n"},
          {"riskFreeRate", "same_daily_rate_as_sharpe"}}},
        {"capitalSource", capital_source_name(method.capital_source)},
        {"winRateAttribution",
         method.win_rate_attribution == analytics::WinRateAttribution::kDateOpened
             ? "date_opened"
             : "date_closed_fallback_date_opened"},
        {"growthYears", number_json(method.growth_years)},
        {"droppedTrades", result.dropped_trades},
        {"warnings", result.warnings}};
    if (method.conventions == Conventions::kCorrect) {
        json["balanceRanOutOn"] = date_json(method.ran_out_on);
    }
    return json;
}

namespace {

std::string_view drawdown_basis_name(analytics::DrawdownBasis basis) {
    switch (basis) {
        case analytics::DrawdownBasis::kDailyLog:
            return "daily_log";
        case analytics::DrawdownBasis::kTradesByDay:
            return "trades_by_day";
        case analytics::DrawdownBasis::kEachTrade:
            break;
    }
    return "each_trade";
}

Json drawdown_rows(const analytics::DrawdownTable& table) {
    Json rows = Json::array();
    for (const analytics::Drawdown& d : table.worst) {
        rows.push_back({{"percent", number_json(d.percent)},
                        {"dollars", number_json(d.dollars)},
                        {"peakDate", d.peak_day.to_iso()},
                        {"troughDate", d.trough_day.to_iso()},
                        {"recoveryDate", date_json(d.recovery_day)},
                        {"peakBalance", number_json(d.peak_balance)},
                        {"troughBalance", number_json(d.trough_balance)}});
    }
    return rows;
}

}  // namespace

Json drawdowns_json(const analytics::DrawdownTable& by_day,
                    const analytics::DrawdownTable& by_trade) {
    return {{"basis", drawdown_basis_name(by_day.basis)},
            {"worst", drawdown_rows(by_day)},
            {"afterEachTrade",
             {{"basis", drawdown_basis_name(by_trade.basis)}, {"worst", drawdown_rows(by_trade)}}}};
}

std::string_view drawdown_basis_text(analytics::DrawdownBasis basis) {
    switch (basis) {
        case analytics::DrawdownBasis::kDailyLog:
            return "daily log";
        case analytics::DrawdownBasis::kTradesByDay:
            return "trades by day";
        case analytics::DrawdownBasis::kEachTrade:
            break;
    }
    return "after each trade";
}

std::string drawdown_text(const analytics::DrawdownTable& table) {
    if (table.worst.empty()) {
        return "none";
    }
    const analytics::Drawdown& d = table.worst.front();
    return fmt::format(
        "{} ({}) from {} to {}, {}", share_text(d.percent), dollars_text(d.dollars),
        d.peak_day.to_iso(), d.trough_day.to_iso(),
        d.recovery_day ? "recovered " + d.recovery_day->to_iso() : std::string("not recovered"));
}

Json exposure_peak_json(const std::optional<analytics::ExposurePeak>& peak, Conventions conventions,
                        bool instant) {
    if (!peak) {
        return nullptr;
    }
    return {{"date", instant ? instant_json(peak->date, conventions) : Json(peak->date.to_iso())},
            {"exposure", number_json(peak->exposure)},
            {"exposurePercent", number_json(peak->exposure_percent)}};
}

std::vector<Explanation> explain_statistics(const analytics::StatisticsResult& result,
                                            std::string_view prefix) {
    const Methodology& method = result.methodology;
    std::vector<Explanation> out;
    for (const FigureRule& rule : kRules) {
        const bool reference =
            method.conventions == Conventions::kReference && !rule.reference.empty();
        const auto [rows, from_log] = rows_of(rule.input, result.stats, method);
        out.push_back({std::string(prefix) + std::string(rule.figure),
                       std::string(reference ? rule.reference : rule.formula),
                       inputs_of(rule.input, result.stats, method), rows,
                       from_log ? "daily log" : "trades"});
    }
    return out;
}

std::string figure_text(std::optional<double> value) {
    return value ? fixed_text(*value, 4) : "n/a";
}

std::string share_text(std::optional<double> percent) {
    return percent && std::isfinite(*percent) ? fixed_text(*percent, 2) + "%" : "n/a";
}

std::string dollars_text(std::optional<double> usd) {
    return usd ? mcp::money_text(*usd) : "n/a";
}

}  // namespace tb::tools
