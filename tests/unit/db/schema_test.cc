// The tables: the contract's columns to the letter, migrations, and the page made from them.
#include "db/schema.h"

#include <gtest/gtest.h>

#include "db/data_chunk.h"
#include "db/database.h"
#include "db_support.h"
#include "support/temp_dir.h"

namespace tb::db {
namespace {

using test::cell;
using test::must;
using test::texts;

constexpr Timestamp kNow{1'700'000'000'000'000};

class SchemaTest : public ::testing::Test {
  protected:
    SchemaChange ensure() { return must(ensure_schema(connection_, kNow)); }
    // "name TYPE" or "name TYPE NOT NULL", in table order, as the engine sees it.
    std::vector<std::string> columns(std::string_view table) {
        return texts(
            connection_,
            "SELECT column_name || ' ' || data_type || CASE WHEN is_nullable = 'NO' THEN "
            "' NOT NULL' ELSE '' END FROM information_schema.columns WHERE table_schema || "
            "'.' || table_name = '" +
                std::string(table) + "' ORDER BY ordinal_position");
    }
    std::vector<std::string> primary_key(std::string_view table) {
        return texts(connection_,
                     "SELECT unnest(constraint_column_names) FROM duckdb_constraints() WHERE "
                     "constraint_type = 'PRIMARY KEY' AND schema_name || '.' || table_name = '" +
                         std::string(table) + "'");
    }
    static std::vector<std::string> first(std::vector<std::string> all, std::size_t count) {
        all.resize(std::min(all.size(), count));
        return all;
    }
    static std::vector<std::string> named(std::string_view type,
                                          const std::vector<std::string>& names) {
        std::vector<std::string> result;
        for (const std::string& name : names) {
            result.push_back(name + " " + std::string(type));
        }
        return result;
    }

    Database database_ = must(Database::open_in_memory());
    Connection connection_ = must(database_.connect());
};

// The lists below are copied from the contract (01 §3.1 and the issue), not made from the schema.
TEST_F(SchemaTest, SyncMetadataTablesAreTheContracts) {
    ensure();
    EXPECT_EQ(
        columns("trades._sync_metadata"),
        (std::vector<std::string>{"block_id VARCHAR NOT NULL", "tradelog_hash VARCHAR NOT NULL",
                                  "dailylog_hash VARCHAR", "reportinglog_hash VARCHAR",
                                  "synced_at TIMESTAMP NOT NULL", "sync_version INTEGER"}));
    EXPECT_EQ(primary_key("trades._sync_metadata"), std::vector<std::string>{"block_id"});
    EXPECT_EQ(
        columns("market._sync_metadata"),
        (std::vector<std::string>{"file_name VARCHAR NOT NULL", "content_hash VARCHAR NOT NULL",
                                  "max_date VARCHAR", "synced_at TIMESTAMP NOT NULL"}));
    EXPECT_EQ(primary_key("market._sync_metadata"), std::vector<std::string>{"file_name"});
    must(
        connection_.run("INSERT INTO trades._sync_metadata (block_id, tradelog_hash, synced_at) "
                        "VALUES ('b', 'h', $1)",
                        kNow));
    EXPECT_EQ(cell<std::int32_t>(connection_, "SELECT sync_version FROM trades._sync_metadata"), 1);
}

TEST_F(SchemaTest, TradeDataStartsWithTheContractsColumnsAndHasNoKey) {
    ensure();
    EXPECT_EQ(columns("trades.trade_data"),
              (std::vector<std::string>{"block_id VARCHAR NOT NULL",
                                        "date_opened DATE NOT NULL",
                                        "time_opened VARCHAR",
                                        "strategy VARCHAR",
                                        "legs VARCHAR",
                                        "premium DOUBLE",
                                        "num_contracts INTEGER",
                                        "pl DOUBLE NOT NULL",
                                        "date_closed DATE",
                                        "time_closed VARCHAR",
                                        "reason_for_close VARCHAR",
                                        "margin_req DOUBLE",
                                        "opening_commissions DOUBLE",
                                        "closing_commissions DOUBLE",
                                        "opening_price DOUBLE",
                                        "closing_price DOUBLE",
                                        "avg_closing_cost DOUBLE",
                                        "funds_at_close DOUBLE",
                                        "opening_short_long_ratio DOUBLE",
                                        "closing_short_long_ratio DOUBLE",
                                        "opening_vix DOUBLE",
                                        "closing_vix DOUBLE",
                                        "gap DOUBLE",
                                        "movement DOUBLE",
                                        "max_profit DOUBLE",
                                        "max_loss DOUBLE",
                                        "pl_basis VARCHAR",
                                        "net_pl DOUBLE",
                                        "premium_unit VARCHAR",
                                        "ticker VARCHAR",
                                        "source_line BIGINT",
                                        "extra_json VARCHAR"}));
    EXPECT_TRUE(primary_key("trades.trade_data").empty());
}

TEST_F(SchemaTest, ReportingDataStartsWithTheReferencesColumns) {
    ensure();
    EXPECT_EQ(first(columns("trades.reporting_data"), 15),
              (std::vector<std::string>{
                  "block_id VARCHAR NOT NULL", "date_opened DATE NOT NULL", "time_opened VARCHAR",
                  "strategy VARCHAR", "legs VARCHAR", "initial_premium DOUBLE",
                  "num_contracts INTEGER", "pl DOUBLE NOT NULL", "date_closed DATE",
                  "time_closed VARCHAR", "closing_price DOUBLE", "avg_closing_cost DOUBLE",
                  "reason_for_close VARCHAR", "opening_price DOUBLE", "ticker VARCHAR"}));
}

TEST_F(SchemaTest, SpxDailyIsTheContracts) {
    ensure();
    std::vector<std::string> expected = {"date VARCHAR NOT NULL"};
    const std::vector<std::string> integers = {
        "Gap_Filled",  "Vol_Regime",       "Term_Structure_State",
        "Trend_Score", "Consecutive_Days", "Day_of_Week",
        "Month",       "Is_Opex"};
    for (const std::string name : {"Prior_Close",
                                   "Open",
                                   "High",
                                   "Low",
                                   "Close",
                                   "Gap_Pct",
                                   "Intraday_Range_Pct",
                                   "Intraday_Return_Pct",
                                   "Total_Return_Pct",
                                   "Close_Position_In_Range",
                                   "Gap_Filled",
                                   "VIX_Open",
                                   "VIX_Close",
                                   "VIX_Change_Pct",
                                   "VIX_Spike_Pct",
                                   "VIX_Percentile",
                                   "Vol_Regime",
                                   "VIX9D_Close",
                                   "VIX3M_Close",
                                   "VIX9D_VIX_Ratio",
                                   "VIX_VIX3M_Ratio",
                                   "Term_Structure_State",
                                   "ATR_Pct",
                                   "RSI_14",
                                   "Price_vs_EMA21_Pct",
                                   "Price_vs_SMA50_Pct",
                                   "Trend_Score",
                                   "BB_Position",
                                   "Return_5D",
                                   "Return_20D",
                                   "Consecutive_Days",
                                   "Day_of_Week",
                                   "Month",
                                   "Is_Opex",
                                   "Prev_Return_Pct"}) {
        const bool integer = std::find(integers.begin(), integers.end(), name) != integers.end();
        expected.push_back(name + (integer ? " INTEGER" : " DOUBLE"));
    }
    ASSERT_EQ(expected.size(), 36U);
    EXPECT_EQ(columns("market.spx_daily"), expected);
    EXPECT_EQ(primary_key("market.spx_daily"), std::vector<std::string>{"date"});
}

TEST_F(SchemaTest, SpxFifteenMinutesIsTheContracts) {
    ensure();
    std::vector<std::string> names = {"open", "high", "low", "close"};
    for (int minute = 9 * 60 + 30; minute <= 15 * 60 + 45; minute += 15) {
        const std::string digits = std::to_string(10000 + minute / 60 * 100 + minute % 60);
        names.push_back("P_" + digits.substr(1));
    }
    for (const char* const name :
         {"Pct_0930_to_1000", "Pct_0930_to_1200", "Pct_0930_to_1500", "Pct_0930_to_Close",
          "MOC_15min", "MOC_30min", "MOC_45min", "MOC_60min", "Afternoon_Move"}) {
        names.emplace_back(name);
    }
    std::vector<std::string> expected = named("DOUBLE", names);
    expected.insert(expected.begin(), "date VARCHAR NOT NULL");
    ASSERT_EQ(expected.size(), 40U);
    EXPECT_EQ(columns("market.spx_15min"), expected);
    EXPECT_EQ(primary_key("market.spx_15min"), std::vector<std::string>{"date"});
}

TEST_F(SchemaTest, SpxHighLowIsTheContracts) {
    ensure();
    EXPECT_EQ(columns("market.spx_highlow"),
              (std::vector<std::string>{
                  "date VARCHAR NOT NULL", "open DOUBLE", "high DOUBLE", "low DOUBLE",
                  "close DOUBLE", "High_Time DOUBLE", "Low_Time DOUBLE", "High_Before_Low INTEGER",
                  "High_In_First_Hour INTEGER", "Low_In_First_Hour INTEGER",
                  "High_In_Last_Hour INTEGER", "Low_In_Last_Hour INTEGER", "Reversal_Type INTEGER",
                  "High_Low_Spread DOUBLE", "Early_Extreme INTEGER", "Late_Extreme INTEGER",
                  "Intraday_High DOUBLE", "Intraday_Low DOUBLE"}));
    EXPECT_EQ(primary_key("market.spx_highlow"), std::vector<std::string>{"date"});
}

TEST_F(SchemaTest, VixIntradayIsTheContracts) {
    ensure();
    std::vector<std::string> names = {"open", "high", "low", "close"};
    for (int minute = 9 * 60 + 30; minute <= 15 * 60 + 30; minute += 30) {
        names.push_back("VIX_" + std::to_string(10000 + minute / 60 * 100 + minute % 60).substr(1));
    }
    for (const char* const name :
         {"VIX_1545", "VIX_Day_High", "VIX_Day_Low", "VIX_Morning_Move", "VIX_Afternoon_Move",
          "VIX_Power_Hour_Move", "VIX_Last_30min_Move", "VIX_Full_Day_Move", "VIX_First_Hour_Move",
          "VIX_Intraday_Range_Pct", "VIX_Spike_From_Open"}) {
        names.emplace_back(name);
    }
    std::vector<std::string> expected = named("DOUBLE", names);
    expected.insert(expected.begin(), "date VARCHAR NOT NULL");
    for (const char* const column : {"VIX_Spike_Flag INTEGER", "VIX_Crush_From_Open DOUBLE",
                                     "VIX_Crush_Flag INTEGER", "VIX_Close_In_Range DOUBLE"}) {
        expected.emplace_back(column);
    }
    ASSERT_EQ(expected.size(), 33U);
    EXPECT_EQ(columns("market.vix_intraday"), expected);
    EXPECT_EQ(primary_key("market.vix_intraday"), std::vector<std::string>{"date"});
}

TEST_F(SchemaTest, TreasuryRatesAreTheContracts) {
    ensure();
    EXPECT_EQ(columns("market.treasury_rates"),
              (std::vector<std::string>{"date VARCHAR NOT NULL", "rate_percent DOUBLE"}));
    EXPECT_EQ(primary_key("market.treasury_rates"), std::vector<std::string>{"date"});
}

TEST_F(SchemaTest, EveryTableExistsAsDeclaredAndCanBeAppendedTo) {
    ensure();
    for (const TableSpec& table : all_tables()) {
        std::vector<std::string> declared;
        for (const ColumnSpec& column : table.columns) {
            declared.push_back(std::string(column.name) + " " +
                               std::string(type_name(column.type)) +
                               (column.nullable ? "" : " NOT NULL"));
            EXPECT_EQ(table.columns[table.column_index(column.name)].name, column.name);
            EXPECT_FALSE(column.description.empty()) << column.name;
        }
        EXPECT_EQ(columns(table.qualified_name()), declared) << table.qualified_name();
        EXPECT_TRUE(DataChunk::create(table.column_types()).has_value()) << table.qualified_name();
        EXPECT_EQ(find_table(table.schema, table.name), &table);
    }
    EXPECT_EQ(find_table("trades", "nowhere"), nullptr);
}

TEST_F(SchemaTest, EnsuringTwiceChangesNothing) {
    const SchemaChange made = ensure();
    EXPECT_TRUE(made.created);
    EXPECT_EQ(made.version_before, 0);
    const SchemaChange again = ensure();
    EXPECT_FALSE(again.created);
    EXPECT_EQ(again.version_before, kSchemaVersion);
    EXPECT_TRUE(again.notes.empty());
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM trades._schema_info"), 1);
}

TEST_F(SchemaTest, AFileOfANewerProgramIsRefusedUntouched) {
    ensure();
    must(
        connection_.execute("INSERT INTO trades._schema_info VALUES (99, now()::TIMESTAMP, 'x'); "
                            "ALTER TABLE market.spx_daily ADD COLUMN brand_new DOUBLE"));
    const auto refused = ensure_schema(connection_, kNow);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kDatabase);
    EXPECT_TRUE(is_newer_schema(refused.error()));
    EXPECT_FALSE(is_damage(refused.error()));
    EXPECT_EQ(columns("market.spx_daily").size(), 37U);
}

// A file of the design this program follows: its trade table has the first 14 columns only.
TEST_F(SchemaTest, AFileOfTheOriginalDesignIsTakenOver) {
    must(connection_.execute(
        "CREATE SCHEMA trades; CREATE SCHEMA market;"
        "CREATE TABLE trades._sync_metadata (block_id VARCHAR PRIMARY KEY, tradelog_hash VARCHAR "
        "NOT NULL, dailylog_hash VARCHAR, reportinglog_hash VARCHAR, synced_at TIMESTAMP NOT NULL, "
        "sync_version INTEGER DEFAULT 1);"
        "CREATE TABLE trades.trade_data (block_id VARCHAR NOT NULL, date_opened DATE NOT NULL, "
        "time_opened VARCHAR, strategy VARCHAR, legs VARCHAR, premium DOUBLE, num_contracts "
        "INTEGER, pl DOUBLE NOT NULL, date_closed DATE, time_closed VARCHAR, reason_for_close "
        "VARCHAR, margin_req DOUBLE, opening_commissions DOUBLE, closing_commissions DOUBLE);"
        "CREATE TABLE market.treasury_rates (date VARCHAR PRIMARY KEY, rate_percent DOUBLE);"
        "INSERT INTO trades._sync_metadata VALUES ('b', 'h', NULL, NULL, now()::TIMESTAMP, 4);"
        "INSERT INTO trades.trade_data (block_id, date_opened, pl) VALUES ('b', '2024-01-02', 12);"
        "INSERT INTO market.treasury_rates VALUES ('2024-01-02', 5.25)"));
    const SchemaChange change = ensure();
    EXPECT_FALSE(change.created);
    EXPECT_TRUE(change.cache_emptied);
    EXPECT_FALSE(change.notes.empty());
    EXPECT_EQ(columns("trades.trade_data").size(), 32U);
    EXPECT_EQ(columns("trades.trade_data")[13], "closing_commissions DOUBLE");
    EXPECT_EQ(columns("trades.trade_data")[31], "extra_json VARCHAR");
    // Its rows lack our columns: they and the hashes that vouch for them are gone, history is not.
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM trades.trade_data"), 0);
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM trades._sync_metadata"), 0);
    EXPECT_EQ(cell<double>(connection_, "SELECT rate_percent FROM market.treasury_rates"), 5.25);
    EXPECT_TRUE(ensure().notes.empty());
}

TEST_F(SchemaTest, TablesWithForeignColumnsAreReplacedButHistoryIsKept) {
    must(connection_.execute(
        "CREATE SCHEMA trades; CREATE SCHEMA market;"
        "CREATE TABLE trades.trade_data (block_id VARCHAR NOT NULL, date_opened DATE NOT NULL, pl "
        "DOUBLE, reported_pl DOUBLE); INSERT INTO trades.trade_data VALUES ('b', '2024-01-02', 1, "
        "2);"
        "CREATE TABLE market.spx_daily (ticker VARCHAR, date VARCHAR, close DOUBLE, PRIMARY KEY "
        "(ticker, date)); INSERT INTO market.spx_daily VALUES ('SPX', '2024-01-02', 4742.83);"
        "CREATE TABLE market.spx_daily_old_1 (a INTEGER);"
        "CREATE TABLE market.treasury_rates (rate_percent DOUBLE, date VARCHAR, source VARCHAR); "
        "INSERT INTO market.treasury_rates VALUES (5.25, '2024-01-02', 'x'), (5.5, '2024-01-03', "
        "'y'), (9.75, '2024-01-03', 'z');"
        "CREATE TABLE market._sync_metadata(file_name VARCHAR PRIMARY KEY, content_hash VARCHAR "
        "NOT NULL, max_date VARCHAR, synced_at TIMESTAMP NOT NULL); INSERT INTO "
        "market._sync_metadata VALUES ('spx_daily.csv', 'h', NULL, now()::TIMESTAMP)"));
    const SchemaChange change = ensure();
    EXPECT_TRUE(change.cache_emptied);
    EXPECT_EQ(columns("trades.trade_data").size(), 32U);
    EXPECT_EQ(columns("market.spx_daily").size(), 36U);
    EXPECT_EQ(cell<double>(connection_, "SELECT close FROM market.spx_daily_old_2"), 4742.83);
    // Rows that fit are copied into the new table; the old one stays as it was.
    EXPECT_EQ(texts(connection_,
                    "SELECT date || ' ' || rate_percent FROM market.treasury_rates ORDER BY date"),
              (std::vector<std::string>{"2024-01-02 5.25", "2024-01-03 5.5"}));
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM market.treasury_rates_old_1"),
              3);
    // Nothing vouches for a market table that is empty now.
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM market._sync_metadata"), 0);
    EXPECT_TRUE(ensure().notes.empty());
}

// What an older version of this program would have left: a table and two columns short.
TEST_F(SchemaTest, AnOlderVersionIsBroughtUpToDate) {
    ensure();
    must(connection_.execute(
        "UPDATE trades._schema_info SET version = 0; ALTER TABLE trades.daily_data DROP COLUMN "
        "extra_json; ALTER TABLE trades.daily_data DROP COLUMN source_line; DROP TABLE "
        "market.treasury_rates; INSERT INTO trades.daily_data (block_id, date) VALUES ('b', "
        "'2024-01-02'); INSERT INTO trades._sync_log (id, changed_at, block_id, event) VALUES (1, "
        "now()::TIMESTAMP, 'b', 'added')"));
    const SchemaChange change = ensure();
    EXPECT_TRUE(change.cache_emptied);
    EXPECT_EQ(columns("trades.daily_data").back(), "extra_json VARCHAR");
    EXPECT_EQ(columns("market.treasury_rates").size(), 2U);
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM trades.daily_data"), 0);
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM trades._sync_log"), 1);
    EXPECT_EQ(cell<std::int32_t>(connection_, "SELECT max(version) FROM trades._schema_info"),
              kSchemaVersion);
}

TEST_F(SchemaTest, WhatAnotherToolChangedIsPutRight) {
    ensure();
    must(connection_.execute(
        "INSERT INTO trades._sync_metadata VALUES ('b', 'h', NULL, NULL, now()::TIMESTAMP, 1);"
        "INSERT INTO market._sync_metadata VALUES ('f', 'h', NULL, now()::TIMESTAMP);"
        "INSERT INTO trades._sync_files (block_id, role, file_name) VALUES ('_marketdata', "
        "'market', 'f'); DROP TABLE trades.trade_data"));
    SchemaChange change = ensure();
    EXPECT_EQ(change.version_before, kSchemaVersion);
    EXPECT_TRUE(change.cache_emptied);
    EXPECT_EQ(columns("trades.trade_data").size(), 32U);
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM trades._sync_metadata"), 0);
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM market._sync_metadata"), 1);

    must(
        connection_.execute("DROP TABLE market.vix_intraday; ALTER TABLE trades.trade_data ADD "
                            "COLUMN mine DOUBLE"));
    change = ensure();
    EXPECT_EQ(columns("market.vix_intraday").size(), 33U);
    EXPECT_EQ(columns("trades.trade_data").size(), 32U);
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM market._sync_metadata"), 0);
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM trades._schema_info"), 1);
    EXPECT_TRUE(ensure().notes.empty());
}

TEST_F(SchemaTest, SingleTablesCanBeEnsuredInADatabaseOfOnesOwn) {
    const TableSpec& table = table_spec("trades", "trade_data");
    must(ensure_table(connection_, table));
    must(ensure_table(connection_, table));
    EXPECT_EQ(columns("trades.trade_data").size(), 32U);
    EXPECT_EQ(cell<std::int64_t>(connection_, "SELECT count(*) FROM duckdb_tables()"), 1);
}

TEST(SchemaPage, IsTheOneInTheRepository) {
    const tb::test::TempDir dir;
    std::filesystem::copy_file(::tb::test::source_dir() / "docs" / "schema.md",
                               dir.path() / "schema.md");
    EXPECT_EQ(dir.read("schema.md"), render_schema_markdown())
        << "write render_schema_markdown() to docs/schema.md";
}

}  // namespace
}  // namespace tb::db
