// The three things an ingest cannot do without, each alone and on the same data: hashing the bytes,
// parsing them into records, and appending ready-made chunks of exactly these rows (one
// transaction, then a checkpoint). bench/run.py puts `tradeblocks sync` in relation to their sum.
//
// TB_BENCH_DIR names a data directory that was synced before; without it nothing is measured.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "blocks/ingest.h"
#include "core/file_system.h"
#include "core/sha256.h"
#include "db/data_chunk.h"
#include "db/data_store.h"
#include "db/schema.h"
#include "db/transaction.h"

namespace tb {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBytes = 1U << 20U;

template <class T>
T must(Result<T> result) {
    if (!result.has_value()) {
        throw std::runtime_error(result.error().to_string());
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*result);
    }
}

fs::path data_dir() {
    const char* const text = std::getenv("TB_BENCH_DIR");
    return text == nullptr ? fs::path() : fs::path(text);
}

std::vector<fs::path> csv_files() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(data_dir())) {
        if (entry.path().extension() == ".csv") {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

class FileSource final : public blocks::ByteSource {
  public:
    explicit FileSource(const fs::path& path)
        : file_(must(real_file_system().open(path))), buffer_(kReadBytes) {}
    Result<std::span<const std::byte>> next() override {
        TB_TRY(const std::size_t got, file_->read(buffer_));
        return std::span<const std::byte>(buffer_.data(), got);
    }

  private:
    std::unique_ptr<File> file_;
    std::vector<std::byte> buffer_;
};

class Counter final : public blocks::RecordSink<blocks::TradeRecord> {
  public:
    Result<void> on_batch(blocks::RecordBatch<blocks::TradeRecord> batch) override {
        benchmark::DoNotOptimize(batch.records.data());
        return {};
    }
};

void hash_files(benchmark::State& state) {
    if (data_dir().empty()) {
        state.SkipWithError("TB_BENCH_DIR is not set");
        return;
    }
    const auto files = csv_files();
    for (auto step : state) {
        for (const fs::path& path : files) {
            FileSource source(path);
            Sha256 hasher;
            while (true) {
                const auto bytes = must(source.next());
                if (bytes.empty()) {
                    break;
                }
                hasher.update(bytes);
            }
            benchmark::DoNotOptimize(hasher.finish_hex());
        }
    }
}

void parse_files(benchmark::State& state) {
    if (data_dir().empty()) {
        state.SkipWithError("TB_BENCH_DIR is not set");
        return;
    }
    const auto files = csv_files();
    for (auto step : state) {
        for (const fs::path& path : files) {
            FileSource source(path);
            Counter counter;
            must(blocks::ingest_trade_log(source, {}, counter));
        }
    }
}

// All rows of trades.trade_data as chunks like those the sync fills.
std::vector<db::DataChunk> stored_chunks() {
    const auto types = db::table_spec("trades", "trade_data").column_types();
    const auto store = must(db::DataStore::for_directory(data_dir()));
    auto connection = must(store->reader());
    auto rows = must(connection.query("SELECT * FROM trades.trade_data"));
    std::vector<db::DataChunk> chunks;
    while (must(rows.next_chunk())) {
        const db::ChunkView& view = rows.chunk();
        db::DataChunk chunk = must(db::DataChunk::create(types));
        for (std::size_t c = 0; c < types.size(); ++c) {
            const db::ColumnView& column = view.column(c);
            for (std::size_t r = 0; r < view.row_count(); ++r) {
                if (column.is_null(r)) {
                    continue;
                }
                switch (types[c]) {
                    case db::TypeId::kDouble:
                        chunk.set_double(c, r, column.doubles()[r]);
                        break;
                    case db::TypeId::kInteger:
                        chunk.set_int32(c, r, column.int32s()[r]);
                        break;
                    case db::TypeId::kBigInt:
                        chunk.set_int64(c, r, column.int64s()[r]);
                        break;
                    case db::TypeId::kDate:
                        chunk.set_date(c, r, Date(column.date_days()[r]));
                        break;
                    default:
                        chunk.set_string(c, r, column.string(r));
                }
            }
        }
        chunk.set_row_count(view.row_count());
        chunks.push_back(std::move(chunk));
    }
    return chunks;
}

void append_chunks(benchmark::State& state) {
    if (data_dir().empty()) {
        state.SkipWithError("TB_BENCH_DIR is not set");
        return;
    }
    std::vector<db::DataChunk> chunks = stored_chunks();
    const fs::path target = data_dir() / ".append-bench";
    for (auto step : state) {
        state.PauseTiming();
        fs::remove_all(target);
        fs::create_directory(target);
        db::StoreOptions options;
        options.database = db::DatabaseOptions::for_loading();
        const auto store = must(db::DataStore::for_directory(target, options));
        must(store->open());
        state.ResumeTiming();
        {
            auto writer = must(store->writer());
            auto transaction = must(db::Transaction::begin(writer.connection()));
            auto appender = must(transaction.appender("trades", "trade_data"));
            for (db::DataChunk& chunk : chunks) {
                must(appender.append(chunk));
            }
            must(appender.close());
            must(transaction.commit());
            must(store->checkpoint(writer));
        }
        state.PauseTiming();
        must(store->close());
        state.ResumeTiming();
    }
    fs::remove_all(target);
}

BENCHMARK(hash_files)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK(parse_files)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK(append_chunks)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tb
