#include "tools/data/schema_guide.h"

#include <algorithm>
#include <array>

namespace tb::tools {

namespace {

constexpr std::array kBasic{
    ExampleQuery{"Trades and profit by strategy",
                 "SELECT block_id, coalesce(strategy, block_id) AS strategy, count(*) AS trades, "
                 "sum(net_pl) AS net_pl FROM trades.trade_data GROUP BY ALL ORDER BY net_pl DESC"},
    ExampleQuery{
        "Profit per day of one block",
        "SELECT date_opened, sum(net_pl) AS net_pl FROM trades.trade_data WHERE block_id = "
        "'my-block' GROUP BY date_opened ORDER BY date_opened"},
    ExampleQuery{
        "Winners and losers by block",
        "SELECT block_id, count(*) FILTER (net_pl > 0) AS winners, count(*) FILTER (net_pl "
        "< 0) AS losers FROM trades.trade_data GROUP BY block_id ORDER BY block_id"},
    ExampleQuery{"Latest market days",
                 "SELECT date, Close, VIX_Close, Vol_Regime FROM market.spx_daily ORDER BY date "
                 "DESC LIMIT 10"},
    ExampleQuery{"Months of one block",
                 "SELECT date_trunc('month', date_closed) AS month, sum(net_pl) AS net_pl FROM "
                 "trades.trade_data WHERE block_id = 'my-block' GROUP BY month ORDER BY month"},
    ExampleQuery{
        "Deepest drawdowns in the daily log",
        "SELECT block_id, date, drawdown_pct FROM trades.daily_data ORDER BY drawdown_pct, "
        "block_id, date LIMIT 10"},
};

constexpr std::array kJoins{
    ExampleQuery{"Trades with the market of their day (market dates are text)",
                 "SELECT t.date_opened, t.net_pl, m.VIX_Open, m.Gap_Pct FROM trades.trade_data t "
                 "LEFT JOIN market.spx_daily m ON m.date = t.date_opened::VARCHAR WHERE t.block_id "
                 "= 'my-block' ORDER BY t.date_opened"},
    ExampleQuery{"The day before, so that nothing of the future is used",
                 "WITH lagged AS (SELECT date, lag(VIX_Close) OVER (ORDER BY date) AS "
                 "vix_yesterday FROM market.spx_daily) SELECT t.date_opened, t.net_pl, "
                 "l.vix_yesterday FROM trades.trade_data t JOIN lagged l ON l.date = "
                 "t.date_opened::VARCHAR ORDER BY t.date_opened"},
    ExampleQuery{
        "Backtest against live fills by day",
        "WITH b AS (SELECT date_opened, sum(net_pl) AS pl FROM trades.trade_data WHERE "
        "block_id = 'my-block' GROUP BY 1), a AS (SELECT date_opened, sum(pl) AS pl FROM "
        "trades.reporting_data WHERE block_id = 'my-block' GROUP BY 1) SELECT date_opened, "
        "b.pl AS backtest, a.pl AS actual FROM b JOIN a USING (date_opened) ORDER BY 1"},
    ExampleQuery{
        "Two blocks on the same days",
        "WITH d AS (SELECT block_id, date_opened, sum(net_pl) AS pl FROM trades.trade_data "
        "GROUP BY ALL) SELECT date_opened, a.pl AS a, b.pl AS b FROM d a JOIN d b USING "
        "(date_opened) WHERE a.block_id = 'block-a' AND b.block_id = 'block-b' ORDER BY "
        "date_opened"},
    ExampleQuery{
        "Afternoon moves on losing days",
        "SELECT t.date_opened, t.net_pl, i.Afternoon_Move FROM trades.trade_data t JOIN "
        "market.spx_15min i ON i.date = t.date_opened::VARCHAR WHERE t.net_pl < 0 ORDER BY "
        "t.net_pl"},
};

constexpr std::array kHypothesis{
    ExampleQuery{"Win rate by volatility regime",
                 "SELECT m.Vol_Regime, count(*) AS trades, avg((t.net_pl > 0)::INT) AS win_rate "
                 "FROM trades.trade_data t JOIN market.spx_daily m ON m.date = "
                 "t.date_opened::VARCHAR GROUP BY 1 ORDER BY 1"},
    ExampleQuery{
        "Win rate by weekday",
        "SELECT isodow(date_opened) AS weekday, count(*) AS trades, avg((net_pl > 0)::INT) "
        "AS win_rate, sum(net_pl) AS net_pl FROM trades.trade_data GROUP BY 1 ORDER BY 1"},
    ExampleQuery{"Term structure",
                 "SELECT m.Term_Structure_State, count(*) AS trades, avg(t.net_pl) AS avg_pl FROM "
                 "trades.trade_data t JOIN market.spx_daily m ON m.date = t.date_opened::VARCHAR "
                 "GROUP BY 1 ORDER BY 1"},
    ExampleQuery{
        "Profit by VIX at the open",
        "SELECT floor(opening_vix / 5) * 5 AS vix_from, count(*) AS trades, avg(net_pl) AS "
        "avg_pl FROM trades.trade_data WHERE opening_vix IS NOT NULL GROUP BY 1 ORDER BY "
        "1"},
    ExampleQuery{"Reasons for closing",
                 "SELECT reason_for_close, count(*) AS trades, sum(net_pl) AS net_pl FROM "
                 "trades.trade_data GROUP BY 1 ORDER BY net_pl"},
};

constexpr std::array kGroups{ExampleGroup{"basic", kBasic}, ExampleGroup{"joins", kJoins},
                             ExampleGroup{"hypothesis", kHypothesis}};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::span<const ExampleGroup> example_groups() {
    return kGroups;
}

std::vector<std::string_view> key_columns(const db::TableSpec& table) {
    if (table.name == "trade_data") {
        return {"block_id", "date_opened", "strategy", "net_pl", "pl"};
    }
    if (table.name == "reporting_data") {
        return {"block_id", "date_opened", "strategy", "legs", "pl"};
    }
    if (table.name == "daily_data") {
        return {"block_id", "date", "net_liquidity"};
    }
    if (table.name == "spx_daily") {
        return {"date", "Vol_Regime", "VIX_Close", "Total_Return_Pct", "Trend_Score"};
    }
    if (table.name == "spx_15min") {
        return {"date", "MOC_30min", "Afternoon_Move"};
    }
    if (table.name == "spx_highlow") {
        return {"date", "High_Time", "Low_Time", "Reversal_Type"};
    }
    if (table.name == "vix_intraday") {
        return {"date", "VIX_Spike_Flag", "VIX_Crush_Flag", "VIX_Full_Day_Move"};
    }
    return table.key;
}

bool is_hypothesis_column(const db::TableSpec& table, std::string_view column) {
    static constexpr std::array<std::string_view, 6> kTrade{
        "block_id", "date_opened", "strategy", "pl", "net_pl", "reason_for_close"};
    static constexpr std::array<std::string_view, 9> kPlainDaily{
        "Prior_Close", "Open",        "High",        "Low",      "Close",
        "VIX_Open",    "VIX9D_Close", "VIX3M_Close", "VIX_Close"};
    static constexpr std::array<std::string_view, 6> kPlainHighLow{
        "open", "high", "low", "close", "Intraday_High", "Intraday_Low"};
    if (table.name == "trade_data") {
        return contains(kTrade, column);
    }
    if (table.name == "spx_daily") {
        return column == "VIX_Close" || !contains(kPlainDaily, column);
    }
    if (table.name == "spx_highlow") {
        return !contains(kPlainHighLow, column);
    }
    if (table.name == "spx_15min") {
        return column == "date" ||
               table.column_index(column) >= table.column_index("Pct_0930_to_1000");
    }
    if (table.name == "vix_intraday") {
        return column == "date" || table.column_index(column) >= table.column_index("VIX_Day_High");
    }
    return false;
}

std::string_view schema_description(std::string_view schema) {
    return schema == "trades" ? "What the CSV files of the blocks say; rebuilt from them"
                              : "Market history from _marketdata; grows with every file";
}

}  // namespace tb::tools
