// Database files that were damaged while they were closed or in use, and programs that write into
// them: what is answered afterwards is right, or says that it is not.
#include <sys/stat.h>

#include <cstdlib>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>

#include "db/file_check.h"
#include "db/row_sums.h"
#include "sync_fixture.h"

namespace tb::sync {
namespace {

namespace fs = std::filesystem;

class DamageTest : public test::SyncTest {
  protected:
    static constexpr std::size_t kHeaders = 3 * 4096;
    static constexpr std::size_t kBlock = 256 * 1024;

    void make_data() {
        std::vector<double> pls;
        for (int i = 0; i < 4000; ++i) {
            pls.push_back(i * 1.25 - 700);
        }
        write("A/tradelog.csv", trade_log(pls));
        write("A/dailylog.csv", daily_log(std::vector<double>(pls.begin(), pls.begin() + 900)));
        write("B/tradelog.csv", trade_log({1, 2, 3.5}));
        write("B/strategylog.csv", reporting_log({7, 8}));
        std::string spx = "time,open,high,low,close\n";
        std::string rates = "date,rate_percent\n";
        for (int i = 0; i < 1500; ++i) {
            const std::string day = Date(15'000 + i).to_iso();
            spx += fmt::format("{},{},{},{},{}\n", day, 1000 + i, 1010 + i, 990 + i, 1005 + i);
            rates += fmt::format("{},{}\n", day, i * 0.001);
        }
        write("_marketdata/spx_daily.csv", spx);
        write("_marketdata/treasury_rates.csv", rates);
    }
    // Everything a question may be about, as one text.
    std::string all_rows() {
        std::string all;
        for (const db::TableSpec& table : db::all_tables()) {
            if (db::sums_per(table) != db::SumsPer::kNothing) {
                all += text(fmt::format("SELECT string_agg(s::VARCHAR, ' ' ORDER BY s::VARCHAR) "
                                        "FROM ({}) s",
                                        db::row_sums_sql(table))) +
                       "\n";
            }
        }
        return all;
    }
    void sync_everything() {
        const auto blocks = sync_all_blocks(dir_.path(), options());
        ASSERT_TRUE(blocks.has_value()) << blocks.error().to_string();
        const auto market = sync_market_data(dir_.path(), options());
        ASSERT_TRUE(market.has_value()) << market.error().to_string();
    }
    std::string bytes() { return dir_.read("analytics.duckdb"); }
    void put(const std::string& content) { dir_.write("analytics.duckdb", content); }
    // As bits rot: nobody has written into the file.
    void put_unnoticed(const std::string& content) {
        const fs::path file = dir_.path() / "analytics.duckdb";
        struct stat before {};
        ASSERT_EQ(::stat(file.c_str(), &before), 0);
        put(content);
        const timespec times[2] = {before.st_atim, before.st_mtim};
        ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
    }
    void remove_set_aside() {
        for (const auto& entry : fs::directory_iterator(dir_.path())) {
            if (entry.path().filename().string().starts_with("analytics.duckdb.")) {
                fs::remove_all(entry.path());
            }
        }
    }
    std::vector<std::string> notes_of_next_sync() {
        const auto result = sync_all_blocks(dir_.path(), options());
        EXPECT_TRUE(result.has_value()) << result.error().to_string();
        return result.has_value() ? result->warnings : std::vector<std::string>();
    }
};

TEST_F(DamageTest, FlippedBytesAndSwappedBlocksAreHealed) {
    make_data();
    sync_everything();
    const std::string truth = all_rows();
    const std::string good = bytes();
    const std::size_t blocks = (good.size() - kHeaders) / kBlock;
    ASSERT_GE(blocks, 6U);
    const int trials = std::getenv("TB_NIGHTLY") != nullptr ? 2000 : 40;
    std::mt19937_64 random(20261201);
    int healed = 0;
    for (int trial = 0; trial < trials; ++trial) {
        std::string damaged = good;
        std::string what;
        if (trial % 4 == 0) {
            const std::size_t a = random() % blocks;
            const std::size_t b = random() % blocks;
            for (std::size_t i = 0; i < kBlock; ++i) {
                std::swap(damaged[kHeaders + a * kBlock + i], damaged[kHeaders + b * kBlock + i]);
            }
            what = fmt::format("trial {}: blocks {} and {} swapped", trial, a, b);
        } else {
            const std::size_t at = random() % damaged.size();
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
            what = fmt::format("trial {}: byte {} flipped", trial, at);
        }
        SCOPED_TRACE(what);
        remove_set_aside();
        trial % 2 == 0 ? put(damaged) : put_unnoticed(damaged);
        sync_everything();
        if (HasFatalFailure()) {
            return;
        }
        // A read may be the first to meet what is rotten; the next one finds it healed.
        const auto store = *db::DataStore::for_directory(dir_.path());
        auto probe = *store->reader();
        for (const db::TableSpec& table : db::all_tables()) {
            if (db::sums_per(table) != db::SumsPer::kNothing &&
                !probe.execute(db::row_sums_sql(table)).has_value()) {
                break;
            }
        }
        probe = *store->reader();
        if (store->suspected()) {
            { const auto gone = std::move(probe); }
            ASSERT_TRUE(store->look_again().has_value());
        }
        sync_everything();
        ASSERT_EQ(all_rows(), truth);
        healed += store->recovery().has_value() || !store->schema_change().notes.empty() ? 1 : 0;
    }
    EXPECT_GT(healed, 0);
}

TEST_F(DamageTest, VerifyReadsEveryBlockOfTheDatabase) {
    make_data();
    sync_everything();
    const std::string truth = all_rows();
    const std::string good = bytes();
    const std::size_t blocks = (good.size() - kHeaders) / kBlock;
    int healed = 0;
    for (std::size_t block = 0; block < blocks; ++block) {
        SCOPED_TRACE(block);
        remove_set_aside();
        std::string damaged = good;
        char& byte = damaged[kHeaders + block * kBlock + 5000];
        byte = static_cast<char>(byte ^ 0x10);
        put_unnoticed(damaged);
        const SyncResult result = sync_all(true);
        healed += !result.warnings.empty() &&
                          result.warnings.front().find("set aside") != std::string::npos
                      ? 1
                      : 0;
        sync_everything();
        ASSERT_EQ(all_rows(), truth);
    }
    EXPECT_GE(healed, 3);  // the others hold nothing any more, or indexes
}

TEST_F(DamageTest, RowsThatAnotherProgramChangedAreReadAgainAndNamed) {
    make_data();
    sync_everything();
    const std::string truth = all_rows();
    {
        const auto other = db::Database::open(dir_.path() / "analytics.duckdb");
        ASSERT_TRUE(other.has_value());
        auto connection = other->connect();
        ASSERT_TRUE(connection->execute(
            "UPDATE trades.trade_data SET pl = pl + 1 WHERE block_id = 'B'; DELETE FROM "
            "trades.daily_data WHERE block_id = 'A' AND source_line = 5; UPDATE market.spx_daily "
            "SET Close = 1 WHERE date = '2012-01-03'"));
    }
    put(bytes());  // written by somebody else
    const std::vector<std::string> notes = notes_of_next_sync();
    ASSERT_EQ(notes.size(), 3U);
    EXPECT_NE(notes[1].find("block 'A': trades.daily_data is not what was stored (900 rows were "
                            "stored, 899 are there)"),
              std::string::npos)
        << notes[1];
    EXPECT_NE(notes[0].find("block 'B': trades.trade_data is not what was stored (its 3 rows have "
                            "other contents)"),
              std::string::npos)
        << notes[1];
    EXPECT_NE(notes[2].find("market.spx_daily_differs_1"), std::string::npos) << notes[2];
    sync_everything();
    EXPECT_EQ(all_rows(), truth);
    EXPECT_EQ(count("SELECT count(*) FROM market.spx_daily_differs_1 WHERE Close = 1"), 1);
}

// Whatever another program puts into the columns of our bookkeeping, nothing ends the process.
TEST_F(DamageTest, NullsInTheBookkeepingCostAnotherReadingAtMost) {
    make_data();
    sync_everything();
    const std::string truth = all_rows();
    for (const std::string column : {"sync_version", "dailylog_hash", "reportinglog_hash"}) {
        db::DataStore::Writer writer = *(*db::DataStore::for_directory(dir_.path()))->writer();
        ASSERT_TRUE(writer.connection().execute(
            fmt::format("UPDATE trades._sync_metadata SET {} = NULL", column)));
    }
    sync_everything();
    EXPECT_EQ(metadata("A")->sync_version, 2);
    EXPECT_EQ(all_rows(), truth);
    {
        db::DataStore::Writer writer = *(*db::DataStore::for_directory(dir_.path()))->writer();
        for (const std::string table :
             {"trades._sync_metadata", "trades._sync_files", "market._sync_metadata"}) {
            const db::TableSpec& spec = db::table_spec(table.substr(0, 6), table.substr(7));
            std::string columns;
            for (const db::ColumnSpec& column : spec.columns) {
                columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", column.name,
                                       db::type_name(column.type));
            }
            // Without keys and constraints, and a row of nothing but NULL.
            ASSERT_TRUE(writer.connection().execute(
                fmt::format("CREATE TABLE other AS FROM {0}; DROP TABLE {0}; CREATE TABLE {0} "
                            "({1}); INSERT INTO {0} FROM other; DROP TABLE other; INSERT INTO {0} "
                            "DEFAULT VALUES",
                            table, columns)));
            for (const db::ColumnSpec& column : spec.columns) {
                if (column.name != "block_id" && column.name != "role") {
                    ASSERT_TRUE(writer.connection().execute(
                        fmt::format("UPDATE {} SET {} = NULL", table, column.name)));
                }
            }
        }
    }
    sync_everything();
    EXPECT_EQ(all_rows(), truth);
    EXPECT_TRUE(metadata("A").has_value());
}

TEST_F(DamageTest, AMarketTableWithADayTwiceIsAnErrorOfThatFile) {
    make_data();
    sync_everything();
    {
        db::DataStore::Writer writer = *(*db::DataStore::for_directory(dir_.path()))->writer();
        ASSERT_TRUE(writer.connection().execute(
            "CREATE TABLE other AS FROM market.treasury_rates; DROP TABLE market.treasury_rates; "
            "CREATE TABLE market.treasury_rates (date VARCHAR, rate DOUBLE); INSERT INTO "
            "market.treasury_rates FROM other; INSERT INTO market.treasury_rates FROM other; "
            "DROP TABLE other"));
    }
    write("_marketdata/treasury_rates.csv",
          dir_.read("_marketdata/treasury_rates.csv") + Date(16'499).to_iso() + ",5\n");
    const auto market = sync_market_data(dir_.path(), options());
    ASSERT_TRUE(market.has_value());
}

}  // namespace
}  // namespace tb::sync
