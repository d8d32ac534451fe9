// Ingests text held in memory and keeps everything that comes out. For tests only.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "blocks/ingest.h"

namespace tb::blocks::test {

template <class Record>
class Collector final : public RecordSink<Record> {
  public:
    Result<void> on_batch(RecordBatch<Record> batch) override {
        batches_.push_back(std::move(batch));
        return {};
    }
    // Copies of the records; their views stay valid as long as the collector.
    [[nodiscard]] std::vector<Record> records() const {
        std::vector<Record> all;
        for (const auto& batch : batches_) {
            all.insert(all.end(), batch.records.begin(), batch.records.end());
        }
        return all;
    }
    [[nodiscard]] const std::vector<RecordBatch<Record>>& batches() const { return batches_; }

  private:
    std::vector<RecordBatch<Record>> batches_;
};

// The bytes in pieces of a fixed size.
class PieceSource final : public ByteSource {
  public:
    PieceSource(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
    Result<std::span<const std::byte>> next() override {
        const std::string_view part = bytes_.substr(0, piece_);
        bytes_.remove_prefix(part.size());
        return std::as_bytes(std::span(part));
    }

  private:
    std::string_view bytes_;
    std::size_t piece_;
};

template <class Record>
struct Ingested {
    IngestReport report;
    Collector<Record> sink;
    std::vector<Record> rows;
};

inline csv::Encoding detect(std::string_view bytes) {
    csv::EncodingDetector detector;
    detector.update(std::as_bytes(std::span(bytes)));
    return detector.finish();
}

inline Result<IngestReport> call(ByteSource& source, const IngestOptions& options,
                                 RecordSink<TradeRecord>& sink) {
    return ingest_trade_log(source, options, sink);
}
inline Result<IngestReport> call(ByteSource& source, const IngestOptions& options,
                                 RecordSink<DailyRecord>& sink) {
    return ingest_daily_log(source, options, sink);
}
inline Result<IngestReport> call(ByteSource& source, const IngestOptions& options,
                                 RecordSink<ReportingRecord>& sink) {
    return ingest_reporting_log(source, options, sink);
}

template <class Record>
void ingest_into(Ingested<Record>& result, std::string_view bytes, IngestOptions options = {},
                 std::size_t piece = 1 << 30) {
    options.encoding = detect(bytes);
    PieceSource source(bytes, piece);
    auto report = call(source, options, result.sink);
    ASSERT_TRUE(report.has_value()) << report.error().to_string();
    result.report = std::move(*report);
    result.rows = result.sink.records();
}

}  // namespace tb::blocks::test
