#include "sync_fixture.h"

#include <numeric>

#include <fmt/format.h>

namespace tb::sync::test {

namespace {

class FaultyFile final : public File {
  public:
    FaultyFile(std::unique_ptr<File> real, std::string name, FaultyFileSystem& fs)
        : real_(std::move(real)), name_(std::move(name)), fs_(fs) {}

    Result<std::size_t> read(std::span<std::byte> buffer) override {
        if (fs_.before_read) {
            fs_.before_read(name_, position_);
        }
        const auto fault = fs_.fail_read_at.find(name_);
        if (fault != fs_.fail_read_at.end() && position_ + buffer.size() > fault->second) {
            return make_error(ErrorCode::kIo, "cannot read: Input/output error", name_);
        }
        TB_TRY(const std::size_t got, real_->read(buffer));
        position_ += got;
        return got;
    }
    Result<FileStat> stat() override { return real_->stat(); }
    Result<void> rewind() override {
        position_ = 0;
        return real_->rewind();
    }

  private:
    std::unique_ptr<File> real_;
    std::string name_;
    FaultyFileSystem& fs_;
    std::uint64_t position_ = 0;
};

}  // namespace

Timestamp FakeClock::now() const {
    return {system_clock().now().micros + offset_micros_};
}

Result<std::unique_ptr<File>> FaultyFileSystem::open(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    if (const auto fault = fail_open.find(name); fault != fail_open.end()) {
        return make_error(ErrorCode::kIo, fault->second, name);
    }
    TB_TRY(std::unique_ptr<File> real, real_file_system().open(path));
    ++opens;
    return std::make_unique<FaultyFile>(std::move(real), name, *this);
}

Result<FileStat> FaultyFileSystem::stat(const std::filesystem::path& path) {
    return real_file_system().stat(path);
}

Result<std::vector<DirectoryEntry>> FaultyFileSystem::list(const std::filesystem::path& directory) {
    const std::string name = directory.filename().string();
    if (const auto fault = fail_list.find(name); fault != fail_list.end()) {
        return make_error(ErrorCode::kIo, fault->second, name);
    }
    return real_file_system().list(directory);
}

std::string SyncTest::trade_row(std::size_t index, double pl) {
    return fmt::format(
        "2024-{:02}-{:02},09:{:02}:00,{},leg {},{},{},2024-{:02}-{:02},15:{:02}:30,{},Stop "
        "{},{},{},"
        "{},{},Strategy {},{},{}\r\n",
        index % 12 + 1, index % 28 + 1, index % 60, 4000 + index, index, 100 + index, 5000 + index,
        index % 12 + 1, index % 28 + 1, index % 60, 0.5 + static_cast<double>(index), index % 3, pl,
        index % 5 + 1, 100000 + static_cast<double>(index), 2000 + index, index % 4,
        1.25 + static_cast<double>(index % 7), 0.75 + static_cast<double>(index % 11));
}

std::string SyncTest::trade_log(const std::vector<double>& pls) {
    std::string text =
        "Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,Time "
        "Closed,Avg. Closing Cost,Reason For Close,P/L,No. of Contracts,Funds at Close,Margin "
        "Req.,Strategy,Opening Commissions + Fees,Closing Commissions + Fees\r\n";
    for (std::size_t i = 0; i < pls.size(); ++i) {
        text += trade_row(i, pls[i]);
    }
    return text;
}

std::string SyncTest::daily_log(const std::vector<double>& pls) {
    std::string text =
        "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown %\n";
    double liquidity = 100'000;
    for (std::size_t i = 0; i < pls.size(); ++i) {
        liquidity += pls[i];
        text += fmt::format("2024-{:02}-{:02},{},{},0,{},{},0.{},-0.{}\n", i % 12 + 1, i % 28 + 1,
                            liquidity, liquidity + 1, liquidity + 2, pls[i], i % 10, i % 9);
    }
    return text;
}

std::string SyncTest::reporting_log(const std::vector<double>& pls) {
    std::string text =
        "Strategy,Date Opened,Opening Price,Legs,Initial Premium,No. of Contracts,P/L,Closing "
        "Price,Date Closed,Avg. Closing Cost,Reason For Close\n";
    for (std::size_t i = 0; i < pls.size(); ++i) {
        text += fmt::format(
            "Live {},2024-{:02}-{:02}T10:{:02}:59.10540,{},leg {},{}.5,{},{},{},2024-{:02}-{:02}"
            "T16:12:10.8,{},Expired\n",
            i % 2, i % 12 + 1, i % 28 + 1, i % 60, 6000 + i, i, i + 1, i % 3 + 1, pls[i], 6100 + i,
            i % 12 + 1, i % 28 + 1, i);
    }
    return text;
}

SyncOptions SyncTest::options() {
    SyncOptions options;
    options.file_system = &fs_;
    options.clock = &clock_;
    return options;
}

SyncResult SyncTest::sync_all(bool verify) {
    SyncOptions with = options();
    with.verify = verify;
    auto result = sync_all_blocks(dir_.path(), with);
    if (!result.has_value()) {
        ADD_FAILURE() << result.error().to_string();
        return {};
    }
    EXPECT_EQ(result->processed, result->synced + result->unchanged + result->deleted +
                                     result->failed + result->deferred);
    return std::move(*result);
}

BlockSyncResult SyncTest::sync_one(std::string_view id) {
    auto result = sync_block(id, dir_.path(), options());
    if (!result.has_value()) {
        ADD_FAILURE() << result.error().to_string();
        return {};
    }
    return std::move(*result);
}

BlockSyncResult SyncTest::sync_all_and_find(const std::string& id, bool verify) {
    for (BlockSyncResult& block : sync_all(verify).blocks) {
        if (block.block_id == id) {
            return std::move(block);
        }
    }
    ADD_FAILURE() << "no result for block " << id;
    return {};
}

db::Connection SyncTest::reader() {
    const auto store = db::DataStore::for_directory(dir_.path());
    auto connection = (*store)->reader();
    if (!connection.has_value()) {
        throw std::runtime_error(connection.error().to_string());
    }
    return std::move(*connection);
}

Sums SyncTest::trades(const std::string& block_id) {
    db::Connection connection = reader();
    auto rows = connection.query(
        "SELECT count(*), coalesce(sum(pl), 0) FROM trades.trade_data WHERE block_id = $1",
        block_id);
    EXPECT_TRUE(rows.has_value() && rows->next().value_or(false));
    return {rows->get<std::int64_t>(0), rows->get<double>(1)};
}

std::int64_t SyncTest::count(const std::string& sql) {
    db::Connection connection = reader();
    auto rows = connection.query(sql);
    if (!rows.has_value() || !rows->next().value_or(false)) {
        ADD_FAILURE() << sql << ": " << (rows.has_value() ? "no row" : rows.error().to_string());
        return -1;
    }
    return rows->get<std::int64_t>(0);
}

std::string SyncTest::text(const std::string& sql) {
    db::Connection connection = reader();
    auto rows = connection.query(sql);
    if (!rows.has_value() || !rows->next().value_or(false)) {
        ADD_FAILURE() << sql << ": " << (rows.has_value() ? "no row" : rows.error().to_string());
        return {};
    }
    return rows->get_optional<std::string>(0).value_or("NULL");
}

std::optional<BlockSyncMetadata> SyncTest::metadata(const std::string& block_id) {
    db::Connection connection = reader();
    auto metadata = get_sync_metadata(connection, block_id);
    EXPECT_TRUE(metadata.has_value());
    return metadata.value_or(std::nullopt);
}

void SyncTest::expect_stored(const std::string& block_id, const std::string& file,
                             const std::vector<double>& pls) {
    const Sums stored = trades(block_id);
    EXPECT_EQ(stored.rows, static_cast<std::int64_t>(pls.size())) << block_id;
    EXPECT_NEAR(stored.pl, std::accumulate(pls.begin(), pls.end(), 0.0), 1e-6) << block_id;
    const auto hash = hash_file_content(dir_.path() / block_id / file);
    const auto stored_metadata = metadata(block_id);
    ASSERT_TRUE(stored_metadata.has_value()) << block_id;
    EXPECT_EQ(stored_metadata->tradelog_hash, *hash) << block_id;
}

void SyncTest::expect_nothing_stored(const std::string& block_id) {
    EXPECT_EQ(trades(block_id).rows, 0) << block_id;
    EXPECT_FALSE(metadata(block_id).has_value()) << block_id;
}

}  // namespace tb::sync::test
