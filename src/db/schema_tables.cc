// The tables as data. Required columns first, in the order of the project's contract (P42), then
// our own; appenders and outside readers rely on that order, so a new column goes to the end.
#include <algorithm>
#include <string>

#include "core/check.h"
#include "db/schema.h"

namespace tb::db {

namespace {

constexpr TypeId kText = TypeId::kVarchar;
constexpr TypeId kDouble = TypeId::kDouble;
constexpr TypeId kInt = TypeId::kInteger;
constexpr TypeId kLong = TypeId::kBigInt;
constexpr TypeId kDay = TypeId::kDate;
constexpr TypeId kInstant = TypeId::kTimestamp;

ColumnSpec required(std::string_view name, TypeId type, std::string_view description) {
    return {name, type, false, {}, description, 1};
}
ColumnSpec optional(std::string_view name, TypeId type, std::string_view description) {
    return {name, type, true, {}, description, 1};
}

TableSpec schema_info() {
    return {
        "trades",
        "_schema_info",
        TableKind::kHistory,
        "Versions of this schema the file has been through.",
        {required("version", kInt, "schema version"), required("applied_at", kInstant, "when, UTC"),
         optional("engine_version", kText, "version of the DuckDB library that applied it")},
        {"version"}};
}

TableSpec sync_metadata() {
    TableSpec table{
        "trades",
        "_sync_metadata",
        TableKind::kCache,
        "Which content of which files the stored rows of a block came from.",
        {required("block_id", kText, "name of the block's folder"),
         required("tradelog_hash", kText, "lower-case hex SHA-256 of the trade log's bytes"),
         optional("dailylog_hash", kText, "the same of the daily log; NULL = no daily log"),
         optional("reportinglog_hash", kText, "the same of the reporting log; NULL = none"),
         required("synced_at", kInstant, "when the rows were written, UTC"),
         optional("sync_version", kInt, "counts the block's syncs")},
        {"block_id"}};
    table.columns.back().default_sql = "1";
    return table;
}

TableSpec sync_files() {
    return {
        "trades",
        "_sync_files",
        TableKind::kCache,
        "Per file of a block: what it looked like when it was last read, and what came of it. "
        "data_rows = rows_stored + rows_skipped; of a rejected file every record read is skipped.",
        {required("block_id", kText, "name of the block's folder"),
         required("role", kText, "tradelog, dailylog, reportinglog or market"),
         required("file_name", kText, "name inside the folder"), optional("size", kLong, "bytes"),
         optional("mtime_ns", kLong, "time of last change of content, ns since 1970 UTC"),
         optional("ctime_ns", kLong, "time of last change of the inode, ns since 1970 UTC"),
         optional("inode", kLong, "inode number"), optional("device", kLong, "device number"),
         optional("content_hash", kText, "lower-case hex SHA-256 of the bytes read"),
         optional("data_rows", kLong, "records of the file below its header, blank lines aside"),
         optional("rows_stored", kLong, "rows in the table"),
         optional("rows_skipped", kLong, "records left out, each with a reason in _sync_issues"),
         optional("rows_repaired", kLong, "rows stored with a value changed or dropped"),
         optional("issues_total", kLong, "issues found; at most 1,000 of them are stored"),
         optional("recognised_by", kText, "why the file has this role"),
         optional("notes", kText, "remarks on the file as a whole, one a line"),
         optional("rejection", kText, "why the file as a whole is not stored; NULL = it is"),
         optional("settings", kText, "what besides the bytes decided the rows"),
         optional("stat_checked_at", kInstant, "when size and times were read, UTC")},
        {}};
}

TableSpec row_sums() {
    return {"trades",
            "_row_sums",
            TableKind::kCache,
            "What the rows of a block, or of a table of market history, add up to: compared when "
            "the file is checked.",
            {required("table_name", kText, "with its schema, trades.trade_data for instance"),
             required("block_id", kText, "name of the block's folder; empty for market history"),
             required("row_count", kLong, "rows"),
             required("content_sum", kText, "sum of the engine's hashes of all columns"),
             required("engine_version", kText, "version of the DuckDB library that hashed")},
            {},
            2};
}

TableSpec sync_log() {
    return {"trades",
            "_sync_log",
            TableKind::kHistory,
            "What changed when: one row per change of a file of a block. Never emptied.",
            {required("id", kLong, "running number, 1, 2, ..."),
             required("changed_at", kInstant, "when, UTC"),
             required("block_id", kText, "name of the block's folder"),
             required("event", kText, "added, changed, removed or rejected"),
             optional("role", kText, "tradelog, dailylog, reportinglog or market"),
             optional("file_name", kText, "name inside the folder"),
             optional("old_hash", kText, "content hash before; NULL = file was not there"),
             optional("new_hash", kText, "content hash after; NULL = file is gone"),
             optional("rows_added", kLong, "rows that were not there before"),
             optional("rows_removed", kLong, "rows that are no longer there"),
             optional("rows_kept", kLong, "rows that stayed as they were"),
             optional("rows_skipped", kLong, "records left out"),
             optional("rows_repaired", kLong, "rows stored with a value changed or dropped"),
             optional("duration_ms", kDouble, "time the change took"),
             optional("message", kText, "error or remark, for people")},
            {"id"}};
}

TableSpec sync_issues() {
    return {"trades",
            "_sync_issues",
            TableKind::kCache,
            "Every skipped record and every repaired cell of the files as they are stored now (at "
            "most 1,000 per file; _sync_files.issues_total has the true number).",
            {required("block_id", kText, "name of the block's folder, or _marketdata"),
             required("role", kText, "tradelog, dailylog, reportinglog or market"),
             required("file_name", kText, "name inside the folder"),
             optional("file_hash", kText, "content hash of the file that was read"),
             required("line", kLong, "line of the file, header = 1"),
             optional("column_name", kText, "column; NULL = the whole record"),
             optional("value", kText, "as written; cut after 200 bytes, with …"),
             required("reason", kText, "what is wrong with it"),
             required("action", kText, "skipped or repaired")},
            {}};
}

TableSpec trade_data() {
    return {
        "trades",
        "trade_data",
        TableKind::kCache,
        "One row per trade of a block's trade log. No key: equal trades are legal.",
        {required("block_id", kText, "name of the block's folder"),
         required("date_opened", kDay, "exchange day the trade was opened"),
         optional("time_opened", kText, "HH:MM:SS, exchange time"),
         optional("strategy", kText, "as written; NULL = blank"),
         optional("legs", kText, "as written; NULL = blank"),
         optional("premium", kDouble, "as written, > 0 = received; its unit is in premium_unit"),
         optional("num_contracts", kInt, "contracts; NULL = unusable in the file"),
         required("pl", kDouble, "profit or loss as in the file, dollars; see pl_basis, net_pl"),
         optional("date_closed", kDay, "exchange day; NULL = still open"),
         optional("time_closed", kText, "HH:MM:SS, exchange time"),
         optional("reason_for_close", kText, "as written"),
         optional("margin_req", kDouble, "margin requirement, dollars"),
         optional("opening_commissions", kDouble, "commissions and fees at open, dollars"),
         optional("closing_commissions", kDouble, "commissions and fees at close, dollars"),
         optional("opening_price", kDouble, "price of the underlying at open"),
         optional("closing_price", kDouble, "price of the underlying at close"),
         optional("avg_closing_cost", kDouble,
                  "average closing cost as written, > 0 = paid; in the unit of the premium"),
         optional("funds_at_close", kDouble, "account value after the trade, dollars"),
         optional("opening_short_long_ratio", kDouble, "short/long premium ratio at open"),
         optional("closing_short_long_ratio", kDouble, "short/long premium ratio at close"),
         optional("opening_vix", kDouble, "VIX at open"),
         optional("closing_vix", kDouble, "VIX at close"),
         optional("gap", kDouble, "overnight gap of the underlying, points"),
         optional("movement", kDouble, "movement of the underlying since the open, points"),
         optional("max_profit", kDouble,
                  "highest profit while open, as written (per cent of premium)"),
         optional("max_loss", kDouble, "highest loss while open, as written (per cent of premium)"),
         optional("pl_basis", kText, "net_includes_fees or gross_before_fees: what pl is"),
         optional("net_pl", kDouble, "pl after all fees, dollars: pl, or pl less both commissions"),
         optional("premium_unit", kText,
                  "of premium, one for the file: cents of one share (= dollars of one contract), "
                  "dollars (of one share) or total (dollars of the position)"),
         optional("ticker", kText, "underlying, upper case; SPX where the file names none"),
         optional("source_line", kLong, "line of the file the record starts on, header = 1"),
         optional("extra_json", kText, "columns we do not know, JSON object of texts")},
        {}};
}

TableSpec daily_data() {
    return {"trades",
            "daily_data",
            TableKind::kCache,
            "One row per line of a block's daily log.",
            {required("block_id", kText, "name of the block's folder"),
             required("date", kDay, "exchange day"),
             optional("net_liquidity", kDouble, "account value, dollars"),
             optional("current_funds", kDouble, "cash, dollars"),
             optional("withdrawn", kDouble, "withdrawn so far, dollars"),
             optional("trading_funds", kDouble, "funds used for trading, dollars"),
             optional("pl", kDouble, "profit or loss of the day, dollars"),
             optional("pl_pct", kDouble, "the same in per cent points"),
             optional("drawdown_pct", kDouble, "drawdown in per cent points, zero or negative"),
             optional("source_line", kLong, "line of the file the record starts on, header = 1"),
             optional("extra_json", kText, "columns we do not know, JSON object of texts")},
            {}};
}

TableSpec reporting_data() {
    return {"trades",
            "reporting_data",
            TableKind::kCache,
            "One row per actual fill of a block's reporting log.",
            {required("block_id", kText, "name of the block's folder"),
             required("date_opened", kDay, "exchange day the trade was opened"),
             optional("time_opened", kText, "HH:MM:SS, exchange time"),
             optional("strategy", kText, "as written; NULL = blank"),
             optional("legs", kText, "as written; NULL = blank"),
             optional("initial_premium", kDouble,
                      "premium in points, that is dollars of one share; > 0 = received"),
             optional("num_contracts", kInt, "contracts, rounded half up"),
             required("pl", kDouble, "profit or loss as in the file, dollars"),
             optional("date_closed", kDay, "exchange day; NULL = still open"),
             optional("time_closed", kText, "HH:MM:SS, exchange time"),
             optional("closing_price", kDouble,
                      "price of the underlying at close; NULL where the file has none"),
             optional("avg_closing_cost", kDouble,
                      "average closing cost in points as the premium, < 0 = paid; as written"),
             optional("reason_for_close", kText, "as written"),
             optional("opening_price", kDouble,
                      "price of the underlying at open; NULL where the file has none"),
             optional("ticker", kText, "underlying, upper case; SPX where the file names none"),
             optional("opened_at", kText, "full opening time stamp as written, if there is one"),
             optional("source_line", kLong, "line of the file the record starts on, header = 1"),
             optional("extra_json", kText, "columns we do not know, JSON object of texts"),
             optional("num_contracts_exact", kDouble, "contracts as written, not rounded")},
            {}};
}

TableSpec market_sync_metadata() {
    return {"market",
            "_sync_metadata",
            TableKind::kHistory,
            "Which content of which market file has been merged.",
            {required("file_name", kText, "name inside _marketdata"),
             required("content_hash", kText, "lower-case hex SHA-256 of the file's bytes"),
             optional("max_date", kText, "newest date in the table, YYYY-MM-DD"),
             required("synced_at", kInstant, "when it was merged, UTC")},
            {"file_name"}};
}

TableSpec spx_daily() {
    return {
        "market",
        "spx_daily",
        TableKind::kHistory,
        "SPX day by day with VIX and indicators, from _marketdata/spx_daily.csv.",
        {required("date", kText, "New York day, YYYY-MM-DD"),
         optional("Prior_Close", kDouble, "close of the previous day"),
         optional("Open", kDouble, "open"),
         optional("High", kDouble, "high"),
         optional("Low", kDouble, "low"),
         optional("Close", kDouble, "close"),
         optional("Gap_Pct", kDouble, "open against prior close, per cent"),
         optional("Intraday_Range_Pct", kDouble, "high less low against open, per cent"),
         optional("Intraday_Return_Pct", kDouble, "close against open, per cent"),
         optional("Total_Return_Pct", kDouble, "close against prior close, per cent"),
         optional("Close_Position_In_Range", kDouble, "0 = at the low, 1 = at the high"),
         optional("Gap_Filled", kInt, "1 = the day traded back through the prior close"),
         optional("VIX_Open", kDouble, "VIX open"),
         optional("VIX_Close", kDouble, "VIX close"),
         optional("VIX_Change_Pct", kDouble, "VIX close against its open, per cent"),
         optional("VIX_Spike_Pct", kDouble, "VIX high against its open, per cent"),
         optional("VIX_Percentile", kDouble, "percent rank of VIX over 252 days"),
         optional("Vol_Regime", kInt, "VIX band 1..6: <13, <16, <20, <25, <30, above"),
         optional("VIX9D_Close", kDouble, "VIX9D close"),
         optional("VIX3M_Close", kDouble, "VIX3M close"),
         optional("VIX9D_VIX_Ratio", kDouble, "VIX9D close / VIX close"),
         optional("VIX_VIX3M_Ratio", kDouble, "VIX close / VIX3M close"),
         optional("Term_Structure_State", kInt, "-1 backwardation, 0 flat, 1 contango"),
         optional("ATR_Pct", kDouble, "average true range (Wilder, 14) against close, per cent"),
         optional("RSI_14", kDouble, "relative strength index, 14 days"),
         optional("Price_vs_EMA21_Pct", kDouble, "distance from EMA21, per cent of close"),
         optional("Price_vs_SMA50_Pct", kDouble, "distance from SMA50, per cent of close"),
         optional("Trend_Score", kInt, "how many of EMA9, EMA21, SMA50, SMA200 lie below (0..4)"),
         optional("BB_Position", kDouble, "position in the Bollinger band, 0 = lower, 1 = upper"),
         optional("Return_5D", kDouble, "return over 5 days, per cent"),
         optional("Return_20D", kDouble, "return over 20 days, per cent"),
         optional("Consecutive_Days", kInt, "run of up (+) or down (-) closes"),
         optional("Day_of_Week", kInt, "2 = Monday .. 6 = Friday"),
         optional("Month", kInt, "1..12"),
         optional("Is_Opex", kInt, "1 = monthly option expiry"),
         optional("Prev_Return_Pct", kDouble, "previous day, open to close, per cent")},
        {"date"}};
}

TableSpec spx_15min() {
    TableSpec table{
        "market",
        "spx_15min",
        TableKind::kHistory,
        "SPX at every quarter of an hour, from _marketdata/spx_15min.csv.",
        {required("date", kText, "New York day, YYYY-MM-DD"),
         optional("open", kDouble, "open of the day"), optional("high", kDouble, "high of the day"),
         optional("low", kDouble, "low of the day"),
         optional("close", kDouble, "close of the day")},
        {"date"}};
    for (const std::string_view name :
         {"P_0930", "P_0945", "P_1000", "P_1015", "P_1030", "P_1045", "P_1100", "P_1115", "P_1130",
          "P_1145", "P_1200", "P_1215", "P_1230", "P_1245", "P_1300", "P_1315", "P_1330", "P_1345",
          "P_1400", "P_1415", "P_1430", "P_1445", "P_1500", "P_1515", "P_1530", "P_1545"}) {
        table.columns.push_back(optional(name, kDouble, "price: close of the bar starting then"));
    }
    for (const ColumnSpec& column :
         {optional("Pct_0930_to_1000", kDouble, "move from 09:30 to 10:00, per cent"),
          optional("Pct_0930_to_1200", kDouble, "move from 09:30 to 12:00, per cent"),
          optional("Pct_0930_to_1500", kDouble, "move from 09:30 to 15:00, per cent"),
          optional("Pct_0930_to_Close", kDouble, "move from 09:30 to the close, per cent"),
          optional("MOC_15min", kDouble, "move of the last 15 minutes, per cent"),
          optional("MOC_30min", kDouble, "move of the last 30 minutes, per cent"),
          optional("MOC_45min", kDouble, "move of the last 45 minutes, per cent"),
          optional("MOC_60min", kDouble, "move of the last 60 minutes, per cent"),
          optional("Afternoon_Move", kDouble, "move from 12:00 to the close, per cent")}) {
        table.columns.push_back(column);
    }
    return table;
}

TableSpec spx_highlow() {
    return {
        "market",
        "spx_highlow",
        TableKind::kHistory,
        "When SPX made its high and low of the day, from _marketdata/spx_highlow.csv.",
        {required("date", kText, "New York day, YYYY-MM-DD"),
         optional("open", kDouble, "open of the day"), optional("high", kDouble, "high of the day"),
         optional("low", kDouble, "low of the day"), optional("close", kDouble, "close of the day"),
         optional("High_Time", kDouble, "time of the high, hours (10.5 = 10:30)"),
         optional("Low_Time", kDouble, "time of the low, hours"),
         optional("High_Before_Low", kInt, "1 = the high came first"),
         optional("High_In_First_Hour", kInt, "1 = high by 10:30"),
         optional("Low_In_First_Hour", kInt, "1 = low by 10:30"),
         optional("High_In_Last_Hour", kInt, "1 = high from 15:00 on"),
         optional("Low_In_Last_Hour", kInt, "1 = low from 15:00 on"),
         optional("Reversal_Type", kInt, "1 = high before noon, low after; -1 = the reverse"),
         optional("High_Low_Spread", kDouble, "hours between high and low"),
         optional("Early_Extreme", kInt, "1 = an extreme before 10:00"),
         optional("Late_Extreme", kInt, "1 = an extreme from 15:30 on"),
         optional("Intraday_High", kDouble, "high of the bars seen"),
         optional("Intraday_Low", kDouble, "low of the bars seen")},
        {"date"}};
}

TableSpec vix_intraday() {
    TableSpec table{
        "market",
        "vix_intraday",
        TableKind::kHistory,
        "VIX at every half hour, from _marketdata/vix_intraday.csv.",
        {required("date", kText, "New York day, YYYY-MM-DD"),
         optional("open", kDouble, "open of the day"), optional("high", kDouble, "high of the day"),
         optional("low", kDouble, "low of the day"),
         optional("close", kDouble, "close of the day")},
        {"date"}};
    for (const std::string_view name :
         {"VIX_0930", "VIX_1000", "VIX_1030", "VIX_1100", "VIX_1130", "VIX_1200", "VIX_1230",
          "VIX_1300", "VIX_1330", "VIX_1400", "VIX_1430", "VIX_1500", "VIX_1530", "VIX_1545"}) {
        table.columns.push_back(optional(name, kDouble, "VIX: close of the bar starting then"));
    }
    for (const ColumnSpec& column :
         {optional("VIX_Day_High", kDouble, "high of the bars seen"),
          optional("VIX_Day_Low", kDouble, "low of the bars seen"),
          optional("VIX_Morning_Move", kDouble, "move of the morning, per cent"),
          optional("VIX_Afternoon_Move", kDouble, "move of the afternoon, per cent"),
          optional("VIX_Power_Hour_Move", kDouble, "move of the last hour, per cent"),
          optional("VIX_Last_30min_Move", kDouble, "move of the last half hour, per cent"),
          optional("VIX_Full_Day_Move", kDouble, "move of the whole day, per cent"),
          optional("VIX_First_Hour_Move", kDouble, "move of the first hour, per cent"),
          optional("VIX_Intraday_Range_Pct", kDouble, "high less low, per cent"),
          optional("VIX_Spike_From_Open", kDouble, "day high against VIX_0930, per cent"),
          optional("VIX_Spike_Flag", kInt, "1 = more than 10 per cent above VIX_0930"),
          optional("VIX_Crush_From_Open", kDouble, "day low against VIX_0930, per cent"),
          optional("VIX_Crush_Flag", kInt, "1 = more than 10 per cent below VIX_0930"),
          optional("VIX_Close_In_Range", kDouble, "close within the day's range")}) {
        table.columns.push_back(column);
    }
    return table;
}

TableSpec treasury_rates() {
    TableSpec table{"market",
                    "treasury_rates",
                    TableKind::kHistory,
                    "Risk-free rates day by day, from _marketdata/treasury_rates.csv.",
                    {required("date", kText, "day, YYYY-MM-DD"),
                     optional("rate_percent", kDouble, "annual rate, per cent points")},
                    {"date"}};
    return table;
}

}  // namespace

std::span<const TableSpec> all_tables() {
    static const std::vector<TableSpec> kTables = {
        schema_info(), sync_metadata(), sync_files(),   row_sums(),       sync_log(),
        sync_issues(), trade_data(),    daily_data(),   reporting_data(), spx_daily(),
        spx_15min(),   spx_highlow(),   vix_intraday(), treasury_rates(), market_sync_metadata(),
    };
    return kTables;
}

const TableSpec* find_table(std::string_view schema, std::string_view name) {
    const auto tables = all_tables();
    const auto found = std::find_if(tables.begin(), tables.end(), [&](const TableSpec& table) {
        return table.schema == schema && table.name == name;
    });
    return found == tables.end() ? nullptr : &*found;
}

const TableSpec& table_spec(std::string_view schema, std::string_view name) {
    const TableSpec* const table = find_table(schema, name);
    TB_CHECK(table != nullptr, "no such table");
    return *table;
}

std::size_t TableSpec::column_index(std::string_view column) const {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const ColumnSpec& spec) { return spec.name == column; });
    TB_CHECK(found != columns.end(), "no such column");
    return static_cast<std::size_t>(found - columns.begin());
}

std::vector<TypeId> TableSpec::column_types() const {
    std::vector<TypeId> types;
    types.reserve(columns.size());
    for (const ColumnSpec& column : columns) {
        types.push_back(column.type);
    }
    return types;
}

std::string TableSpec::qualified_name() const {
    return std::string(schema) + "." + std::string(name);
}

}  // namespace tb::db
