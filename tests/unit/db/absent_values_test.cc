#include "db/absent_values.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/database.h"
#include "db_support.h"

namespace tb::db {
namespace {

using test::must;
using testing::ElementsAre;
using testing::IsEmpty;

class Absent : public testing::Test {
  protected:
    Absent() : database_(must(Database::open_in_memory())), connection_(must(database_.connect())) {
        for (const char* const sql :
             {"CREATE SCHEMA trades", "CREATE SCHEMA market",
              "CREATE TABLE trades.trade_data (block_id VARCHAR NOT NULL, pl DOUBLE, opening_vix "
              "DOUBLE, gap DOUBLE, date_closed DATE)",
              "CREATE TABLE market.spx_daily (date DATE NOT NULL, close DOUBLE, ema21 DOUBLE)",
              "INSERT INTO trades.trade_data VALUES ('A', 1, NULL, NULL, '2024-01-02'), "
              "('A', 2, NULL, NULL, NULL), ('B', 3, 21.5, NULL, '2024-01-02')",
              "INSERT INTO market.spx_daily VALUES ('2024-01-02', 4700, NULL)",
              "SET search_path = 'main,trades,market'"}) {
            must(connection_.run(sql));
        }
    }
    std::vector<std::string> notes(const std::string& sql) {
        std::vector<std::string> texts;
        for (const AbsentValues& values : must(absent_values(connection_, sql))) {
            texts.push_back(values.to_string());
        }
        return texts;
    }

    Database database_;
    Connection connection_;
};

TEST_F(Absent, AComparedColumnWithoutValuesIsSaid) {
    const std::string in_block =
        "opening_vix has a value in 0 of 2 rows of trades.trade_data where block_id = 'A'; no "
        "comparison with it is ever true";
    for (const char* const sql :
         {"SELECT avg(pl) FROM trades.trade_data WHERE block_id = 'A' AND opening_vix > 20",
          "SELECT * FROM trade_data t WHERE 20 < t.Opening_VIX AND 'A' = t.block_id",
          "WITH x AS (SELECT pl FROM trade_data WHERE block_id = 'A' AND opening_vix > 20) SELECT "
          "count(*) FROM x",
          "SELECT count(*) FILTER (WHERE opening_vix > 20) FROM trade_data WHERE block_id = 'A'",
          "SELECT CASE WHEN opening_vix > 20 THEN 'high' END FROM trade_data WHERE block_id = 'A'",
          "SELECT opening_vix FROM trade_data WHERE block_id = 'A'"}) {
        EXPECT_THAT(notes(sql), ElementsAre(in_block)) << sql;
    }
    EXPECT_THAT(notes("SELECT * FROM trade_data WHERE opening_vix > 20"),
                ElementsAre("opening_vix has a value in 1 of 3 rows of trades.trade_data; the "
                            "others match no comparison with it"));
    EXPECT_THAT(notes("FROM trade_data WHERE gap > 0 OR opening_vix > 20").size(), 2);
    EXPECT_THAT(notes("SELECT s.ema21 FROM trade_data t JOIN spx_daily s ON s.date = t.date_closed "
                      "WHERE t.block_id = 'B'"),
                ElementsAre("ema21 has a value in 0 of 1 rows of market.spx_daily; no comparison "
                            "with it is ever true"));
}

TEST_F(Absent, NothingIsSaidWhereNothingIsMissed) {
    for (const char* const sql :
         {"SELECT count(*) FROM trade_data", "SELECT * FROM trade_data WHERE pl > 100",
          "SELECT opening_vix FROM trade_data", "SELECT * FROM trade_data WHERE block_id = 'none'",
          "SELECT * FROM trade_data WHERE opening_vix IS NOT NULL AND opening_vix > 20",
          "SELECT * FROM trade_data WHERE coalesce(date_closed, '2024-01-01') > '2023-01-01'",
          "WITH trade_data AS (SELECT 1 AS gap) SELECT * FROM trade_data WHERE gap > 0", "SELECT 1",
          "SHOW TABLES", "DESCRIBE trade_data", "not SQL at all",
          "SELECT opening_vix FROM (VALUES (1)) t(opening_vix) WHERE opening_vix > 20"}) {
        EXPECT_THAT(notes(sql), IsEmpty()) << sql;
    }
}

}  // namespace
}  // namespace tb::db
