// Opening: one instance per file, locks between processes, options, and what a database refuses.
#include "db/database.h"

#include <filesystem>
#include <map>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "db/connection.h"
#include "db_support.h"
#include "support/temp_dir.h"

namespace tb::db {
namespace {

namespace fs = std::filesystem;
using test::cell;
using test::HoldingProcess;
using test::must;
using test::texts;

class DatabaseFileTest : public ::testing::Test {
  protected:
    bool another_process_can_open() {
        try {
            const HoldingProcess other(file_, "SELECT 1");
            return true;
        } catch (const std::runtime_error&) {
            return false;
        }
    }
    tb::test::TempDir dir_;
    fs::path file_ = dir_.path() / "a.duckdb";
};

TEST_F(DatabaseFileTest, EverySpellingOfAPathIsTheSameInstance) {
    const Database first = must(Database::open(file_));
    Connection writer = must(first.connect());
    must(writer.execute("CREATE TABLE t AS SELECT 7 AS a"));
    fs::create_directory(dir_.path() / "sub");
    fs::create_symlink(file_, dir_.path() / "link.duckdb");
    fs::create_hard_link(file_, dir_.path() / "hard.duckdb");
    for (const fs::path& spelling :
         {dir_.path() / "sub" / ".." / "a.duckdb", dir_.path() / "link.duckdb",
          dir_.path() / "hard.duckdb", fs::relative(file_)}) {
        const Database again = must(Database::open(spelling));
        Connection connection = must(again.connect());
        EXPECT_EQ(cell<std::int32_t>(connection, "SELECT a FROM t"), 7) << spelling;
        EXPECT_EQ(again.path(), file_);
    }
    EXPECT_EQ(first.connection_count(), 1);
}

TEST_F(DatabaseFileTest, NewFilesHaveTheFormOfEngineOneFour) {
    const Database database = must(Database::open(file_));
    Connection connection = must(database.connect());
    const auto version = cell<std::string>(connection,
                                           "SELECT tags['storage_version'] FROM duckdb_databases() "
                                           "WHERE database_name = current_database()");
    EXPECT_TRUE(version.starts_with("v1.4")) << version;
}

TEST_F(DatabaseFileTest, TheLockHoldsUntilTheLastUserIsGone) {
    auto first = std::make_unique<Database>(must(Database::open(file_)));
    { const Database second = must(Database::open(file_)); }
    EXPECT_FALSE(another_process_can_open());
    auto connection = std::make_unique<Connection>(must(first->connect()));
    first.reset();
    EXPECT_FALSE(another_process_can_open());
    EXPECT_EQ(cell<std::int32_t>(*connection, "SELECT 1"), 1);
    connection.reset();
    EXPECT_TRUE(another_process_can_open());
}

TEST_F(DatabaseFileTest, OtherOptionsForAnOpenFileAreRefused) {
    const Database first = must(Database::open(file_));
    DatabaseOptions other;
    other.threads = 1;
    EXPECT_EQ(Database::open(file_, other).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(DatabaseFileTest, ThreadsThatOpenAndCloseAtOnceMeetOneInstance) {
    std::vector<std::thread> threads;
    std::atomic<int> failures{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 10; ++i) {
                const auto database = Database::open(file_);
                auto connection = database.has_value()
                                      ? database->connect()
                                      : Result<Connection>(tl::unexpected(database.error()));
                if (!connection.has_value() ||
                    !connection->execute("CREATE TABLE IF NOT EXISTS t" + std::to_string(t) +
                                         "(a INTEGER)")) {
                    ++failures;
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(failures, 0);
    const Database database = must(Database::open(file_));
    Connection connection = must(database.connect());
    EXPECT_EQ(cell<std::int64_t>(connection, "SELECT count(*) FROM duckdb_tables()"), 4);
}

TEST_F(DatabaseFileTest, AFileHeldByAnotherProcessNamesTheHolder) {
    HoldingProcess holder(file_, "CREATE TABLE t AS SELECT 1 AS a");
    for (const bool read_only : {false, true}) {
        DatabaseOptions options;
        options.read_only = read_only;
        const auto opened = Database::open(file_, options);
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, ErrorCode::kLocked);
        EXPECT_EQ(lock_holder(opened.error()), holder.pid());
        EXPECT_FALSE(is_damage(opened.error()));
    }
    holder.end(HoldingProcess::Ending::kClosesFile);
    const Database database = must(Database::open(file_));
    Connection connection = must(database.connect());
    EXPECT_EQ(cell<std::int32_t>(connection, "SELECT a FROM t"), 1);
}

TEST_F(DatabaseFileTest, WhatAKilledProcessCommittedIsThere) {
    HoldingProcess holder(file_,
                          "CREATE TABLE t AS SELECT 5 AS a; BEGIN; INSERT INTO t VALUES (6)");
    holder.end(HoldingProcess::Ending::kDies);
    const Database database = must(Database::open(file_));
    Connection connection = must(database.connect());
    EXPECT_EQ(texts(connection, "SELECT a::VARCHAR FROM t"), std::vector<std::string>{"5"});
}

TEST_F(DatabaseFileTest, ReadOnlyNeedsAFileAndRefusesWrites) {
    DatabaseOptions options;
    options.read_only = true;
    EXPECT_FALSE(Database::open(file_, options).has_value());
    {
        const Database made = must(Database::open(file_));
        Connection connection = must(made.connect());
        must(connection.execute("CREATE TABLE t(a INTEGER)"));
    }
    const Database database = must(Database::open(file_, options));
    Connection connection = must(database.connect());
    EXPECT_EQ(connection.execute("INSERT INTO t VALUES (1)").error().code, ErrorCode::kDatabase);
}

TEST_F(DatabaseFileTest, AMissingFolderIsAnErrorOfTheSystem) {
    EXPECT_EQ(Database::open(dir_.path() / "none" / "a.duckdb").error().code, ErrorCode::kIo);
    EXPECT_TRUE(Database::open(file_).has_value());  // the failure left no reservation behind
    EXPECT_EQ(Database::open(dir_.path() / "none" / "a.duckdb").error().code, ErrorCode::kIo);
}

class DatabaseSettingsTest : public DatabaseFileTest, public ::testing::WithParamInterface<bool> {
  protected:
    Result<Database> open(const DatabaseOptions& options) {
        return GetParam() ? Database::open_in_memory(options) : Database::open(file_, options);
    }
};

TEST_P(DatabaseSettingsTest, OptionsAreHonoured) {
    DatabaseOptions options;
    options.threads = 3;
    options.memory_limit = "200MiB";
    const Database database = must(open(options));
    Connection connection = must(database.connect());
    EXPECT_EQ(cell<std::int64_t>(connection, "SELECT current_setting('threads')::BIGINT"), 3);
    EXPECT_EQ(cell<std::string>(connection, "SELECT current_setting('memory_limit')"), "200.0 MiB");
    EXPECT_EQ(cell<std::string>(connection, "SELECT current_setting('checkpoint_threshold')"),
              "61.0 MiB");  // 64MB
    // The engine draws its progress bar on stdout, which belongs to the protocol.
    EXPECT_FALSE(
        cell<bool>(connection, "SELECT coalesce(current_setting('enable_progress_bar'), false)"));
}

TEST_P(DatabaseSettingsTest, NothingOutsideCanBeReachedAndNoSettingChanged) {
    const Database database = must(open({}));
    Connection connection = must(database.connect());
    for (const std::string sql :
         {"SET threads = 8", "SET GLOBAL memory_limit = '10GB'", "SET TimeZone = 'UTC'",
          "RESET lock_configuration", "SET enable_external_access = true",
          "SET enable_progress_bar = true", "SELECT * FROM read_csv('/etc/passwd')",
          "SELECT * FROM read_text('/etc/hostname')", "SELECT * FROM '/etc/passwd.csv'",
          "SELECT * FROM glob('/etc/*')", "COPY (SELECT 1) TO '/tmp/tb_out.csv'",
          "ATTACH '/tmp/tb_other.duckdb'", "INSTALL httpfs", "LOAD httpfs",
          "CREATE PERSISTENT SECRET s (TYPE http)"}) {
        EXPECT_FALSE(connection.execute(sql).has_value()) << sql;
    }
    EXPECT_FALSE(fs::exists("/tmp/tb_out.csv"));
    EXPECT_FALSE(fs::exists("/tmp/tb_other.duckdb"));
}

TEST_P(DatabaseSettingsTest, TheMemoryLimitIsEnforcedAndTheConnectionLivesOn) {
    DatabaseOptions options;
    options.memory_limit = "50MB";
    options.temp_directory_limit = "1MB";
    const Database database = must(open(options));
    Connection connection = must(database.connect());
    const auto result = connection.collect("SELECT list(range) FROM range(30000000)");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(cell<std::int32_t>(connection, "SELECT 3"), 3);
}

INSTANTIATE_TEST_SUITE_P(FileAndMemory, DatabaseSettingsTest, ::testing::Bool());

TEST(DatabaseInMemory, LeavesNothingBehind) {
    fs::path spill;
    {
        const Database database = must(Database::open_in_memory());
        Connection connection = must(database.connect());
        spill = cell<std::string>(connection, "SELECT current_setting('temp_directory')");
        EXPECT_TRUE(fs::is_directory(spill));
        EXPECT_TRUE(database.path().empty());
    }
    EXPECT_FALSE(fs::exists(spill));
}

TEST(DatabaseOptionsTest, ComeFromTheEnvironment) {
    std::map<std::string, std::string, std::less<>> variables;
    const Environment environment = [&](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    EXPECT_EQ(must(DatabaseOptions::from_environment(environment)), DatabaseOptions());
    EXPECT_EQ(DatabaseOptions().memory_limit, "512MB");
    EXPECT_EQ(DatabaseOptions().threads, 2);
    variables = {{"DUCKDB_MEMORY_LIMIT", "2GB"}, {"DUCKDB_THREADS", "5"}};
    const DatabaseOptions read = must(DatabaseOptions::from_environment(environment));
    EXPECT_EQ(read.memory_limit, "2GB");
    EXPECT_EQ(read.threads, 5);
    // What the environment says wins over what a load would choose.
    const DatabaseOptions loading = DatabaseOptions::for_loading();
    EXPECT_EQ(must(DatabaseOptions::from_environment(environment, loading)), read);
    variables = {{"DUCKDB_THREADS", "5"}};
    EXPECT_EQ(must(DatabaseOptions::from_environment(environment, loading)).memory_limit,
              loading.memory_limit);
    variables = {{"DUCKDB_MEMORY_LIMIT", ""}, {"DUCKDB_THREADS", ""}};
    EXPECT_EQ(must(DatabaseOptions::from_environment(environment)), DatabaseOptions());
    for (const char* const bad : {"512", "MB", "-1GB", "0MB", "1.5GB", "80%", "512mb", "9 GB"}) {
        variables = {{"DUCKDB_MEMORY_LIMIT", bad}};
        const auto refused = DatabaseOptions::from_environment(environment);
        ASSERT_FALSE(refused.has_value()) << bad;
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
        EXPECT_NE(refused.error().message.find("DUCKDB_MEMORY_LIMIT"), std::string::npos);
    }
    for (const char* const bad : {"0", "257", "-2", "2x", "two", "99999999999999999999"}) {
        variables = {{"DUCKDB_THREADS", bad}};
        EXPECT_EQ(DatabaseOptions::from_environment(environment).error().code,
                  ErrorCode::kInvalidArgument)
            << bad;
    }
}

TEST(DatabaseOptionsTest, BadOptionsAreRefusedBeforeAnythingIsOpened) {
    DatabaseOptions options;
    options.threads = 0;
    EXPECT_EQ(Database::open_in_memory(options).error().code, ErrorCode::kInvalidArgument);
    options = {};
    options.wal_limit = "much";
    EXPECT_EQ(Database::open_in_memory(options).error().code, ErrorCode::kInvalidArgument);
}

TEST(EngineVersion, OnlyTestedVersionsAreAccepted) {
    EXPECT_TRUE(check_engine_version(engine_version()).has_value());
    EXPECT_TRUE(check_engine_version("v1.4.4").has_value());
    EXPECT_TRUE(check_engine_version("v1.5.0").has_value());
    for (const char* const version : {"v1.3.2", "v1.6.0", "v2.0.0", "v1.40.0", "", "1.4.5"}) {
        EXPECT_EQ(check_engine_version(version).error().code, ErrorCode::kDatabase) << version;
    }
}

}  // namespace
}  // namespace tb::db
