// A whole file of any bytes as each kind of log: rows are accounted for, text is valid UTF-8, and
// the pieces in which the bytes arrive change nothing. The first byte chooses the pieces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/ingest.h"

namespace {

using namespace tb::blocks;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

bool is_utf8(std::string_view text) {
    tb::csv::EncodingDetector detector;
    detector.update(std::as_bytes(std::span(text)));
    return detector.valid_utf8();
}

class PieceSource final : public ByteSource {
  public:
    PieceSource(std::span<const std::byte> bytes, std::size_t piece)
        : bytes_(bytes), piece_(piece) {}
    tb::Result<std::span<const std::byte>> next() override {
        const auto part = bytes_.first(std::min(piece_, bytes_.size()));
        bytes_ = bytes_.subspan(part.size());
        return part;
    }

  private:
    std::span<const std::byte> bytes_;
    std::size_t piece_;
};

template <class Record>
class CheckingSink final : public RecordSink<Record> {
  public:
    tb::Result<void> on_batch(RecordBatch<Record> batch) override {
        for (const Record& record : batch.records) {
            require(is_utf8(record.extra_json));
            if constexpr (!std::is_same_v<Record, DailyRecord>) {
                require(is_utf8(record.strategy) && is_utf8(record.legs));
                require(!record.ticker.empty());
            }
            lines.push_back(record.source_line);
        }
        return {};
    }
    std::vector<std::int64_t> lines;
};

template <class Record, class Ingest>
void check(std::span<const std::byte> bytes, std::size_t piece, Ingest ingest) {
    tb::csv::EncodingDetector detector;
    detector.update(bytes);
    IngestOptions options;
    options.encoding = detector.finish();
    PieceSource whole_source(bytes, bytes.size());
    PieceSource piece_source(bytes, piece);
    CheckingSink<Record> whole_sink;
    CheckingSink<Record> piece_sink;
    const auto whole = ingest(whole_source, options, whole_sink);
    const auto pieces = ingest(piece_source, options, piece_sink);
    require(whole.has_value() && pieces.has_value());
    require(whole->outcome == pieces->outcome && whole->rejection == pieces->rejection);
    require(whole->issues_total == pieces->issues_total);
    require(whole_sink.lines == piece_sink.lines);
    if (whole->outcome == IngestOutcome::kComplete) {
        require(whole->data_rows == whole->rows_stored + whole->rows_skipped);
        require(static_cast<std::size_t>(whole->rows_stored) == whole_sink.lines.size());
    } else {
        require(whole->outcome == IngestOutcome::kReadAgain || !whole->rejection.empty());
    }
    for (const RowIssue& issue : whole->issues) {
        require(is_utf8(issue.value) && !issue.reason.empty());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
    const std::size_t piece = 1 + data[0] % 64U;
    check<TradeRecord>(bytes, piece, ingest_trade_log);
    check<DailyRecord>(bytes, piece, ingest_daily_log);
    check<ReportingRecord>(bytes, piece, ingest_reporting_log);
    return 0;
}
