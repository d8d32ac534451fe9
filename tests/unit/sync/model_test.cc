// A seeded random walk of edits against a naive model that knows only what the folders should mean.
// A failure prints the seed; TB_MODEL_SEED repeats it, TB_MODEL_STEPS lengthens the walk.
#include <cstdlib>
#include <random>
#include <string>

#include <fmt/format.h>

#include "sync_fixture.h"

namespace tb::sync::test {
namespace {

struct ModelBlock {
    bool folder = false;
    std::optional<std::vector<double>> file;  // whole and good, as it is on disk now
    enum class State { kGood, kHalf, kBroken, kMissing } state = State::kMissing;
    std::optional<std::vector<double>> stored;  // what the database must hold after a sync
    std::optional<std::vector<double>> daily;
    std::optional<std::vector<double>> stored_daily;
};

class RandomWalk : public SyncTest {
  protected:
    double number() {
        return static_cast<double>(std::uniform_int_distribution(-500, 900)(random_));
    }
    int pick(int count) { return std::uniform_int_distribution(0, count - 1)(random_); }
    std::vector<double> numbers() {
        std::vector<double> pls(static_cast<std::size_t>(pick(7)) + 1);
        for (double& pl : pls) {
            pl = number();
        }
        return pls;
    }

    void step() {
        const std::string id = fmt::format("block {}", pick(6));
        ModelBlock& block = model_[id];
        const std::filesystem::path log = std::filesystem::path(id) / "tradelog.csv";
        switch (pick(9)) {
            case 0:
            case 1:
            case 2:
                put(id, block, numbers());
                break;
            case 3:
                remove(id);
                block.folder = false;
                block.file.reset();
                block.daily.reset();
                block.state = ModelBlock::State::kMissing;
                break;
            case 4: {
                const std::string other = fmt::format("block {}", pick(6));
                if (block.folder && !model_[other].folder) {
                    std::filesystem::rename(dir_.path() / id, dir_.path() / other);
                    std::swap(model_[other].folder, block.folder);
                    std::swap(model_[other].file, block.file);
                    std::swap(model_[other].daily, block.daily);
                    std::swap(model_[other].state, block.state);
                }
                break;
            }
            case 5:
                if (block.folder) {
                    remove(log);
                    block.file.reset();
                    block.state = ModelBlock::State::kMissing;
                }
                break;
            case 6: {
                const std::string whole = trade_log(numbers());
                write(log, whole.substr(0, whole.size() - 25));
                block.folder = true;
                block.file.reset();
                block.state = ModelBlock::State::kHalf;
                break;
            }
            case 7:
                write(log, fmt::format("alpha,beta\n{},2\n", number()));
                block.folder = true;
                block.file.reset();
                block.state = ModelBlock::State::kBroken;
                break;
            default:
                if (block.folder) {
                    block.daily = numbers();
                    write(std::filesystem::path(id) / "dailylog.csv", daily_log(*block.daily));
                }
                break;
        }
    }

    void put(const std::string& id, ModelBlock& block, std::vector<double> pls) {
        write(std::filesystem::path(id) / "tradelog.csv", trade_log(pls));
        block.folder = true;
        block.file = std::move(pls);
        block.state = ModelBlock::State::kGood;
    }

    // What a sync must make of the folders.
    void settle() {
        for (auto& [id, block] : model_) {
            switch (block.state) {
                case ModelBlock::State::kGood:
                    block.stored = block.file;
                    block.stored_daily = block.daily;
                    break;
                case ModelBlock::State::kHalf:
                    break;  // what was stored stays
                case ModelBlock::State::kBroken:
                case ModelBlock::State::kMissing:
                    block.stored.reset();
                    block.stored_daily.reset();
                    break;
            }
        }
    }

    // block id -> (rows, sum of P/L) of a table.
    std::map<std::string, Sums> stored_sums(std::string_view table) {
        std::map<std::string, Sums> sums;
        db::Connection connection = reader();
        auto rows = connection.query(fmt::format(
            "SELECT block_id, count(*), sum(pl) FROM trades.{} GROUP BY block_id", table));
        while (rows.has_value() && rows->next().value_or(false)) {
            sums[rows->get<std::string>(0)] = {rows->get<std::int64_t>(1), rows->get<double>(2)};
        }
        return sums;
    }

    void compare() {
        std::map<std::string, Sums> trades;
        std::map<std::string, Sums> daily;
        std::vector<std::string> ids;
        std::int64_t rows = 0;
        const auto add = [](std::map<std::string, Sums>& sums, const std::string& id,
                            const std::optional<std::vector<double>>& pls) {
            for (const double pl : pls.value_or(std::vector<double>{})) {
                ++sums[id].rows;
                sums[id].pl += pl;
            }
        };
        for (const auto& [id, block] : model_) {
            add(trades, id, block.stored);
            add(daily, id, block.stored_daily);
            rows += trades.contains(id) ? trades[id].rows : 0;
            if (block.stored.has_value()) {
                ids.push_back(id);
            }
        }
        EXPECT_EQ(stored_sums("trade_data"), trades);
        EXPECT_EQ(stored_sums("daily_data"), daily);
        db::Connection connection = reader();
        EXPECT_EQ(get_all_synced_block_ids(connection).value_or(std::vector<std::string>{}), ids);
        // The log accounts for every row that is there.
        EXPECT_EQ(count("SELECT coalesce(sum(rows_added - rows_removed), 0)::BIGINT FROM "
                        "trades._sync_log WHERE role = 'tradelog'"),
                  rows);
    }

    std::mt19937 random_;
    std::map<std::string, ModelBlock> model_;
};

TEST_F(RandomWalk, DatabaseAlwaysSaysWhatTheFoldersSay) {
    const char* const given = std::getenv("TB_MODEL_SEED");
    const char* const length = std::getenv("TB_MODEL_STEPS");
    const auto seed = given != nullptr ? static_cast<std::uint32_t>(std::atoll(given))
                                       : static_cast<std::uint32_t>(std::random_device()());
    const int steps = length != nullptr ? std::atoi(length) : 60;
    SCOPED_TRACE(fmt::format("TB_MODEL_SEED={}", seed));
    random_.seed(seed);
    for (int i = 0; i < steps && !HasFailure(); ++i) {
        SCOPED_TRACE(fmt::format("step {}", i));
        step();
        if (pick(3) == 0) {
            continue;  // several edits between two syncs
        }
        if (pick(4) == 0) {
            // Blocks one by one give the same as all at once.
            for (const auto& [id, block] : model_) {
                [[maybe_unused]] const auto result = sync_block(id, dir_.path(), options());
            }
        } else {
            sync_all(pick(5) == 0);
        }
        settle();
        compare();
    }
}

}  // namespace
}  // namespace tb::sync::test
