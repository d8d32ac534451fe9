// Damaged database files: set aside, replaced, history saved, losses said.
#include "db/recovery.h"

#include <sys/file.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/unique_fd.h"
#include "db/data_store.h"
#include "db/transaction.h"
#include "db_support.h"
#include "support/temp_dir.h"

namespace tb::db {
namespace {

namespace fs = std::filesystem;
using test::cell;
using test::HoldingProcess;
using test::must;
using test::texts;

constexpr std::string_view kHistory =
    "INSERT INTO market.spx_daily (date, Open, Close, Vol_Regime) SELECT strftime(DATE "
    "'2010-01-01' "
    "+ range::INTEGER, '%Y-%m-%d'), 1000 + range * 0.25, 1000 + range * 0.5, range % 6 + 1 FROM "
    "range(3000);"
    "INSERT INTO market.treasury_rates SELECT strftime(DATE '2015-01-01' + range::INTEGER, "
    "'%Y-%m-%d'), range * 0.001 FROM range(500);"
    "INSERT INTO market._sync_metadata VALUES ('spx_daily.csv', 'h1', '2018-03-19', TIMESTAMP "
    "'2024-01-02 03:04:05.678');"
    "INSERT INTO trades._sync_log (id, changed_at, block_id, event, rows_added) SELECT range + 1, "
    "TIMESTAMP '2024-01-01 00:00:00' + to_seconds(range), 'block ' || range, 'added', range * 10 "
    "FROM range(40);"
    "INSERT INTO trades.trade_data (block_id, date_opened, pl, legs) SELECT 'b', DATE "
    "'2024-01-02', "
    "range, sha256(range::VARCHAR) FROM range(200);"
    "INSERT INTO trades._sync_metadata (block_id, tradelog_hash, synced_at) VALUES ('b', 'h', "
    "TIMESTAMP '2024-01-02 00:00:00');";

class RecoveryTest : public ::testing::Test {
  protected:
    // A closed database with history and a cache.
    void make_database() {
        const auto s = store();
        DataStore::Writer writer = must(s->writer());
        must(writer.connection().execute(kHistory));
    }
    std::shared_ptr<DataStore> store() { return must(DataStore::for_directory(dir_.path())); }
    std::string bytes() { return dir_.read("analytics.duckdb"); }
    void put(const std::string& content) { dir_.write("analytics.duckdb", content); }
    // As bits rot: nobody has written into the file, so that it is believed until it is read.
    void put_unnoticed(const std::string& content) {
        const auto before = fs::last_write_time(file_);
        put(content);
        fs::last_write_time(file_, before);
    }
    // Leaves a log behind with `sql` in it, as a killed process does.
    void die_after(std::string_view sql) {
        HoldingProcess victim(file_, sql);
        victim.end(HoldingProcess::Ending::kDies);
        ASSERT_TRUE(fs::exists(wal_));
    }
    static std::string all_history(Connection& connection) {
        return must(read_history(connection));
    }
    static Result<std::string> read_history(Connection& connection) {
        std::string all;
        for (const std::string table : {"market.spx_daily", "market.treasury_rates",
                                        "market._sync_metadata", "trades._sync_log"}) {
            TB_TRY(Rows rows,
                   connection.collect("SELECT coalesce(string_agg(t::VARCHAR, '|' ORDER BY "
                                      "t::VARCHAR), '') FROM " +
                                      table + " t"));
            TB_TRY([[maybe_unused]] const bool more, rows.next());
            all += rows.get<std::string>(0) + "\n";
        }
        return all;
    }
    std::string history_of_a_good_database() {
        const auto s = store();
        Connection reader = must(s->reader());
        return all_history(reader);
    }
    std::vector<std::string> files() {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(dir_.path())) {
            if (entry.path().extension() != ".lock") {  // of the store that is open
                names.push_back(entry.path().filename().string());
            }
        }
        std::sort(names.begin(), names.end());
        return names;
    }
    // Destroys a block of the file that holds nothing but values of this column.
    void destroy_block_of(const std::string& table, const std::string& column) {
        std::int64_t block = -1;
        {
            const auto s = store();
            Connection reader = must(s->reader());
            std::string others;
            for (const TableSpec& spec : all_tables()) {
                others += std::string(others.empty() ? "" : " UNION ALL ") + "SELECT '" +
                          spec.qualified_name() +
                          "' AS t, column_name AS c, block_id, additional_block_ids FROM "
                          "pragma_storage_info('" +
                          spec.qualified_name() + "') WHERE persistent";
            }
            Rows rows = must(reader.collect(
                "WITH used AS (" + others +
                    ") SELECT block_id FROM used GROUP BY block_id HAVING bool_and(t = $1 AND c = "
                    "$2) ORDER BY block_id",
                table, column));
            ASSERT_TRUE(must(rows.next())) << "no block of its own: " << table << "." << column;
            block = rows.get<std::int64_t>(0);
        }
        constexpr std::int64_t kHeaders = 3 * 4096;
        constexpr std::int64_t kBlock = 256 * 1024;
        std::string content = bytes();
        const auto at = static_cast<std::size_t>(kHeaders + block * kBlock + 1000);
        ASSERT_LT(at, content.size());
        content[at] = static_cast<char>(~content[at]);
        put_unnoticed(content);
    }
    static std::map<std::string, SalvagedTable> by_table(const RecoveryReport& report) {
        std::map<std::string, SalvagedTable> tables;
        for (const SalvagedTable& table : report.tables) {
            tables[table.table] = table;
        }
        return tables;
    }

    tb::test::TempDir dir_;
    fs::path file_ = dir_.path() / "analytics.duckdb";
    fs::path wal_ = dir_.path() / "analytics.duckdb.wal";
};

struct Unreadable {
    std::string name;
    std::string (*damage)(std::string good);
};

class UnreadableFileTest : public RecoveryTest, public ::testing::WithParamInterface<Unreadable> {};

TEST_P(UnreadableFileTest, IsSetAsideWholeAndReplaced) {
    make_database();
    const std::string damaged = GetParam().damage(bytes());
    put(damaged);
    {
        const auto s = store();
        must(s->open());
        EXPECT_EQ(s->mode(), StoreMode::kFile);
        const auto report = s->recovery();
        ASSERT_TRUE(report.has_value());
        EXPECT_FALSE(report->readable);
        EXPECT_FALSE(report->complete());
        EXPECT_NE(report->to_string().find("Nothing could be read"), std::string::npos);
        EXPECT_NE(report->to_string().find(report->set_aside.filename().string()),
                  std::string::npos);
        EXPECT_TRUE(report->set_aside_wal.empty());
        // Not a byte of the damaged file is lost.
        EXPECT_EQ(dir_.read(report->set_aside.filename()), damaged);
        EXPECT_TRUE(report->set_aside.filename().string().starts_with("analytics.duckdb.corrupt-"));
        Connection reader = must(s->reader());
        EXPECT_EQ(cell<std::int64_t>(reader, "SELECT count(*) FROM trades.trade_data"), 0);
        EXPECT_EQ(cell<std::int64_t>(reader, "SELECT count(*) FROM trades._sync_metadata"), 0);
    }
    EXPECT_EQ(files().size(), 2U);  // nothing but the two databases
    const auto again = store();
    must(again->open());
    EXPECT_FALSE(again->recovery().has_value());  // reported once
}

INSTANTIATE_TEST_SUITE_P(
    Damages, UnreadableFileTest,
    ::testing::Values(
        Unreadable{"Empty", [](std::string) { return std::string(); }},
        Unreadable{
            "Garbage",
            [](std::string good) { return std::string(good.size(), 'x') + "not a database"; }},
        Unreadable{"CutInTheHeader", [](std::string good) { return good.substr(0, 5000); }},
        Unreadable{
            "HeaderOverwritten",
            [](std::string good) { return std::string(12288, '\xa5') + good.substr(12288); }},
        Unreadable{"BothDatabaseHeadersOverwritten",
                   [](std::string good) {
                       return good.substr(0, 4096) + std::string(8192, '\0') + good.substr(12288);
                   }}),
    [](const auto& param_info) { return param_info.param.name; });

TEST_F(RecoveryTest, ADamagedLogCostsOnlyTheLatestChanges) {
    make_database();
    const std::string before = history_of_a_good_database();
    die_after(
        "INSERT INTO market.treasury_rates VALUES ('2030-01-02', 1.5); INSERT INTO "
        "market.treasury_rates SELECT 'x' || range, range FROM range(2000)");
    std::string log = dir_.read("analytics.duckdb.wal");
    log[log.size() / 2] = static_cast<char>(~log[log.size() / 2]);
    dir_.write("analytics.duckdb.wal", log);
    const std::string damaged = bytes();

    const auto s = store();
    must(s->open());
    const auto report = s->recovery();
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(report->readable);
    EXPECT_TRUE(report->without_wal);
    EXPECT_FALSE(report->complete());
    EXPECT_NE(report->to_string().find("write-ahead log"), std::string::npos);
    // File and log were set aside together.
    EXPECT_EQ(dir_.read(report->set_aside.filename()), damaged);
    EXPECT_EQ(report->set_aside_wal, report->set_aside.string() + ".wal");
    EXPECT_EQ(dir_.read(report->set_aside_wal.filename()), log);
    Connection reader = must(s->reader());
    EXPECT_EQ(all_history(reader), before);
    EXPECT_EQ(cell<std::int64_t>(reader, "SELECT count(*) FROM trades.trade_data"), 0);
}

TEST_F(RecoveryTest, ALogInOrderIsReplayedAndNothingIsReplaced) {
    make_database();
    die_after("INSERT INTO market.treasury_rates VALUES ('2030-01-02', 1.5)");
    const auto s = store();
    must(s->open());
    EXPECT_FALSE(s->recovery().has_value());
    Connection reader = must(s->reader());
    EXPECT_EQ(cell<double>(reader,
                           "SELECT rate_percent FROM market.treasury_rates WHERE date = "
                           "'2030-01-02'"),
              1.5);
}

TEST_F(RecoveryTest, DamageFoundWhileReadingIsReplacedOnRequest) {
    make_database();
    {
        const auto s = store();
        DataStore::Writer writer = must(s->writer());
        must(writer.connection().execute(
            "INSERT INTO trades.trade_data (block_id, date_opened, pl, legs) SELECT 'b', DATE "
            "'2024-01-03', 1, sha256(range::VARCHAR) FROM range(20000)"));
    }
    const std::string before = history_of_a_good_database();
    destroy_block_of("trades.trade_data", "legs");

    const auto s = store();
    must(s->open());
    std::optional<Connection> reader(must(s->reader()));
    const auto read = reader->collect("SELECT max(legs) FROM trades.trade_data");
    ASSERT_FALSE(read.has_value());
    ASSERT_TRUE(is_damage(read.error())) << read.error().to_string();
    EXPECT_EQ(s->recover(read.error()).error().code, ErrorCode::kBusy);  // the reader is out
    reader.reset();

    const RecoveryReport report = must(s->recover(read.error()));
    EXPECT_TRUE(report.readable);
    EXPECT_EQ(s->mode(), StoreMode::kFile);
    Connection after = must(s->reader());
    EXPECT_TRUE(report.complete()) << report.to_string();
    EXPECT_EQ(all_history(after), before);
    EXPECT_NE(report.to_string().find("3541 rows of history were copied"), std::string::npos)
        << report.to_string();
    EXPECT_EQ(cell<std::int64_t>(after, "SELECT count(*) FROM trades._sync_metadata"), 0);
}

TEST_F(RecoveryTest, WhereOneColumnIsLostTheOthersAreKept) {
    {
        const auto s = store();
        DataStore::Writer writer = must(s->writer());
        // A column of long random texts gets blocks of its own.
        must(writer.connection().execute(
            "INSERT INTO trades._sync_log (id, changed_at, block_id, event, message) SELECT range, "
            "TIMESTAMP '2024-01-01 00:00:00', 'b', 'added', 'message ' || sha256(range::VARCHAR) "
            "|| "
            "sha256((range + 7)::VARCHAR) || sha256((range + 9)::VARCHAR) FROM range(20000);"
            "INSERT INTO market._sync_metadata VALUES ('spx_daily.csv', 'h1', NULL, TIMESTAMP "
            "'2024-01-02 00:00:00')"));
    }
    destroy_block_of("trades._sync_log", "message");
    const auto s = store();
    must(s->open());
    const RecoveryReport report =
        must(s->recover(Error{ErrorCode::kDatabase, "IO Error: Corrupt database file", {}}));
    const SalvagedTable log = by_table(report).at("trades._sync_log");
    EXPECT_FALSE(log.complete);
    EXPECT_NE(log.problem.find("message"), std::string::npos) << log.problem;
    EXPECT_EQ(log.rows_copied, 20000) << log.problem;
    Connection reader = must(s->reader());
    EXPECT_EQ(cell<std::int64_t>(reader,
                                 "SELECT count(*) FROM trades._sync_log WHERE message IS NULL AND "
                                 "event = 'added'"),
              20000);
    EXPECT_EQ(cell<std::int64_t>(reader, "SELECT count(*) FROM market._sync_metadata"), 1);
    EXPECT_NE(report.to_string().find("trades._sync_log"), std::string::npos);
}

// Whatever byte is destroyed, the store opens, and history is there or its loss is reported.
TEST_F(RecoveryTest, RandomDamageNeverLosesHistorySilently) {
    make_database();
    const std::string before = history_of_a_good_database();
    const std::string good = bytes();
    for (unsigned seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937 random(seed);
        std::string damaged = good;
        const std::size_t at = random() % damaged.size();
        const std::size_t length = seed % 3 == 0 ? damaged.size() - at : 1 + random() % 5000;
        if (seed % 3 == 0) {
            damaged.resize(at);  // cut off
        } else {
            for (std::size_t i = at; i < std::min(at + length, damaged.size()); ++i) {
                damaged[i] = static_cast<char>(~static_cast<unsigned char>(damaged[i]));
            }
        }
        put(damaged);
        {
            const auto s = store();
            must(s->open());
            std::optional<Connection> reader(must(s->reader()));
            if (auto read = read_history(*reader); !read.has_value()) {
                ASSERT_TRUE(is_damage(read.error())) << read.error().to_string();
                reader.reset();
                must(s->recover(read.error()));
                reader.emplace(must(s->reader()));
            }
            const auto report = s->recovery();
            if (!report.has_value() || report->complete()) {
                EXPECT_EQ(all_history(*reader), before);
            } else {
                EXPECT_EQ(dir_.read(report->set_aside.filename()), damaged);
            }
        }
        for (const std::string& name : files()) {
            fs::remove(dir_.path() / name);
        }
    }
}

// A file whose market history is damaged forgets which market files were merged.
TEST_F(RecoveryTest, LostMarketHistoryIsMergedAgain) {
    {
        const auto s = store();
        DataStore::Writer writer = must(s->writer());
        must(writer.connection().execute(
            "INSERT INTO market.spx_daily (date, Open, High) SELECT strftime(DATE '2010-01-01' + "
            "range::INTEGER, '%Y-%m-%d'), hash(range) / 1e15, hash(range + 1) / 1e15 FROM "
            "range(60000);"
            "INSERT INTO market._sync_metadata VALUES ('spx_daily.csv', 'h1', NULL, TIMESTAMP "
            "'2024-01-02 00:00:00')"));
    }
    destroy_block_of("market.spx_daily", "Open");
    const auto s = store();
    must(s->open());
    const RecoveryReport report =
        must(s->recover(Error{ErrorCode::kDatabase, "IO Error: Corrupt database file", {}}));
    const auto tables = by_table(report);
    ASSERT_FALSE(tables.at("market.spx_daily").complete);
    EXPECT_FALSE(tables.at("market._sync_metadata").complete);
    Connection reader = must(s->reader());
    EXPECT_EQ(cell<std::int64_t>(reader, "SELECT count(*) FROM market._sync_metadata"), 0);
}

class InterruptedReplacementTest : public RecoveryTest {
  protected:
    void make_rebuild() {
        const Database fresh = must(Database::open(dir_.path() / "analytics.duckdb.rebuild"));
        Connection connection = must(fresh.connect());
        must(ensure_schema(connection, Timestamp{1}));
        // What a crash in the middle of the copying leaves.
        must(connection.execute("INSERT INTO market.treasury_rates VALUES ('half', 1)"));
    }
};

TEST_F(InterruptedReplacementTest, IsFinishedByTheNextOpening) {
    make_database();
    const std::string before = history_of_a_good_database();
    die_after("INSERT INTO market.treasury_rates VALUES ('2030-01-02', 1.5)");
    make_rebuild();
    // Killed between the renaming of the file and that of its log.
    fs::rename(file_, dir_.path() / "analytics.duckdb.corrupt-20240102T030405678Z");
    {
        const auto s = store();
        must(s->open());
        const auto report = s->recovery();
        ASSERT_TRUE(report.has_value());
        EXPECT_TRUE(report->complete()) << report->to_string();
        Connection reader = must(s->reader());
        EXPECT_EQ(cell<std::int64_t>(reader, "SELECT count(*) FROM market.treasury_rates"), 501);
        EXPECT_EQ(cell<std::int64_t>(reader,
                                     "SELECT count(*) FROM market.treasury_rates WHERE date = "
                                     "'half'"),
                  0);
    }
    EXPECT_EQ(files(), (std::vector<std::string>{
                           "analytics.duckdb", "analytics.duckdb.corrupt-20240102T030405678Z",
                           "analytics.duckdb.corrupt-20240102T030405678Z.wal"}));
}

TEST_F(InterruptedReplacementTest, IsForgottenWhereTheFileWasNotYetSetAside) {
    make_database();
    make_rebuild();
    const auto s = store();
    must(s->open());
    EXPECT_FALSE(s->recovery().has_value());
    EXPECT_EQ(files().size(), 1U);
    Connection reader = must(s->reader());
    EXPECT_EQ(cell<std::int64_t>(reader, "SELECT count(*) FROM trades.trade_data"), 200);
}

TEST_F(RecoveryTest, OnlyOneProcessReplaces) {
    put("garbage");
    const UniqueFd other(::open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::flock(other.get(), LOCK_EX | LOCK_NB), 0);
    const auto s = store();
    EXPECT_EQ(s->open().error().code, ErrorCode::kLocked);
    EXPECT_EQ(bytes(), "garbage");
    ASSERT_EQ(::flock(other.get(), LOCK_UN), 0);
    must(s->open());
}

TEST_F(RecoveryTest, DamageInAnUnwritableFolderIsLeftAndAStandInServes) {
    put("garbage");
    {
        const test::UnwritableFolder unwritable(dir_.path());
        fs::path unused;
        const auto s = store();
        const auto opened = s->open();
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, ErrorCode::kIo) << opened.error().to_string();
        must(s->open_or_stand_in());
        EXPECT_EQ(s->mode(), StoreMode::kMemory);
    }
    EXPECT_EQ(bytes(), "garbage");
    EXPECT_EQ(files().size(), 1U);
}

TEST_F(RecoveryTest, TwoDamagesKeepTwoFiles) {
    put("first");
    must(store()->open());
    put("second");
    must(store()->open());
    EXPECT_EQ(files().size(), 3U);
}

}  // namespace
}  // namespace tb::db
