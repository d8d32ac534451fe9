// Appending a million ready-made trades to trades.trade_data, one transaction and a checkpoint: the
// part of an ingest that is the engine's own work, and the base of its ratio (docs/performance.md).
#include <array>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include "db/data_chunk.h"
#include "db/data_store.h"
#include "db/schema.h"
#include "db/transaction.h"

namespace tb::db {
namespace {

constexpr std::int64_t kRows = 1'000'000;
// More rows than one row group of the engine (122,880), so that compression sees no repetition.
constexpr std::size_t kDistinctChunks = 64;

template <class T>
T must(Result<T> result) {
    if (!result.has_value()) {
        throw std::runtime_error(result.error().to_string());
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*result);
    }
}

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "tb_bench_XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("cannot make a temporary folder");
        }
        path_ = pattern;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder(TemporaryFolder&&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

// splitmix64: the same rows in every run.
class Random {
  public:
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }
    std::int32_t below(std::int32_t n) {
        return static_cast<std::int32_t>(next() % static_cast<std::uint64_t>(n));
    }
    double cents(std::int32_t low, std::int32_t high) {
        return static_cast<double>(low * 100 + below((high - low) * 100)) / 100.0;
    }

  private:
    std::uint64_t state_ = 20240102;
};

void fill_text(DataChunk& chunk, std::size_t column, std::size_t row, std::string_view name,
               Random& random, Date day) {
    static constexpr std::array<std::string_view, 6> kStrategies = {
        "0DTE Iron Condor",   "Put Credit Spread 45 DTE",
        "Call Credit Spread", "Butterfly",
        "Calendar 7/14",      "Short Strangle"};
    if (name == "block_id") {
        chunk.set_string(column, row, "bench block");
    } else if (name.starts_with("time_")) {
        const std::int32_t minute = 570 + random.below(390);
        chunk.set_string(column, row, TimeOfDay(minute * 60).to_iso());
    } else if (name == "strategy") {
        chunk.set_string(column, row, kStrategies[random.next() % kStrategies.size()]);
    } else if (name == "legs") {
        const std::int32_t strike = 4000 + 5 * random.below(400);
        const std::string legs = std::to_string(1 + random.below(9)) + " " + day.to_iso() + " " +
                                 std::to_string(strike) + " P STO " +
                                 std::to_string(random.below(900)) + " | " + day.to_iso() + " " +
                                 std::to_string(strike - 50) + " P BTO";
        chunk.set_string(column, row, legs);
    } else if (name == "reason_for_close") {
        chunk.set_string(column, row, random.below(3) == 0 ? "Expired" : "Profit Target");
    } else if (name == "pl_basis") {
        chunk.set_string(column, row, "net_includes_fees");
    } else if (name == "premium_unit") {
        chunk.set_string(column, row, "cents");
    } else if (name == "ticker") {
        chunk.set_string(column, row, "SPX");
    }
}

std::vector<DataChunk> ready_chunks() {
    const TableSpec& table = table_spec("trades", "trade_data");
    Random random;
    std::vector<DataChunk> chunks;
    std::int64_t line = 2;
    for (std::size_t n = 0; n < kDistinctChunks; ++n) {
        DataChunk chunk = must(DataChunk::create(table.column_types()));
        for (std::size_t row = 0; row < DataChunk::kCapacity; ++row, ++line) {
            const Date day(19000 + static_cast<std::int32_t>(line / 60));
            for (std::size_t column = 0; column < table.columns.size(); ++column) {
                const ColumnSpec& spec = table.columns[column];
                switch (spec.type) {
                    case TypeId::kDouble:
                        chunk.set_double(column, row, random.cents(-900, 9000));
                        break;
                    case TypeId::kInteger:
                        chunk.set_int32(column, row, 1 + random.below(20));
                        break;
                    case TypeId::kBigInt:
                        chunk.set_int64(column, row, line);
                        break;
                    case TypeId::kDate:
                        chunk.set_date(column, row, day);
                        break;
                    default:
                        fill_text(chunk, column, row, spec.name, random, day);
                }
            }
        }
        chunk.set_row_count(DataChunk::kCapacity);
        chunks.push_back(std::move(chunk));
    }
    return chunks;
}

void append_ready_chunks(benchmark::State& state) {
    std::vector<DataChunk> chunks = ready_chunks();
    for (auto _ : state) {
        state.PauseTiming();
        const TemporaryFolder folder;
        const auto store = must(DataStore::for_directory(folder.path()));
        must(store->open());
        state.ResumeTiming();
        {
            DataStore::Writer writer = must(store->writer());
            Transaction transaction = must(Transaction::begin(writer.connection()));
            Appender appender = must(transaction.appender("trades", "trade_data"));
            for (std::size_t n = 0; appender.rows_appended() < kRows; ++n) {
                must(appender.append(chunks[n % chunks.size()]));
            }
            must(appender.close());
            must(transaction.commit());
            must(store->checkpoint(writer));
        }
        state.PauseTiming();
        must(store->close());
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(append_ready_chunks)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tb::db
