#include "sync/record_rows.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "core/check.h"

namespace tb::sync {

namespace {

// Writes cells of one row from left to right. Texts are referred to, not copied: the batch outlives
// the hand-over of the chunk.
class RowCursor {
  public:
    RowCursor(db::DataChunk& chunk, std::size_t row) : chunk_(chunk), row_(row) {}

    void text(std::string_view value) {
        if (value.empty()) {
            chunk_.set_null(column_++, row_);
        } else {
            chunk_.set_string_ref(column_++, row_, value);
        }
    }
    void number(const std::optional<double>& value) { chunk_.set_double(column_++, row_, value); }
    void number(double value) { chunk_.set_double(column_++, row_, value); }
    void integer(const std::optional<std::int32_t>& value) {
        if (value.has_value()) {
            chunk_.set_int32(column_++, row_, *value);
        } else {
            chunk_.set_null(column_++, row_);
        }
    }
    void big_integer(std::int64_t value) { chunk_.set_int64(column_++, row_, value); }
    void date(Date value) { chunk_.set_date(column_++, row_, value); }
    void date(const std::optional<Date>& value) {
        if (value.has_value()) {
            date(*value);
        } else {
            chunk_.set_null(column_++, row_);
        }
    }
    // `HH:MM:SS` is eight bytes, so it fits into the cell itself and needs no text elsewhere.
    void time(const std::optional<TimeOfDay>& value) {
        if (!value.has_value()) {
            chunk_.set_null(column_++, row_);
            return;
        }
        const std::int32_t s = value->seconds();
        std::array<char, 8> buffer{};
        put(buffer.data(), s / 3600);
        buffer[2] = ':';
        put(buffer.data() + 3, s / 60 % 60);
        buffer[5] = ':';
        put(buffer.data() + 6, s % 60);
        chunk_.set_string_ref(column_++, row_, std::string_view(buffer.data(), buffer.size()));
    }
    [[nodiscard]] std::size_t written() const { return column_; }

  private:
    static void put(char* target, std::int32_t two_digits) {
        target[0] = static_cast<char>('0' + two_digits / 10);
        target[1] = static_cast<char>('0' + two_digits % 10);
    }

    db::DataChunk& chunk_;
    std::size_t row_;
    std::size_t column_ = 0;
};

std::optional<std::int32_t> whole_contracts(const std::optional<double>& value) {
    if (!value.has_value()) {
        return std::nullopt;
    }
    const double rounded = std::floor(*value + 0.5);
    if (!(rounded >= 1) || rounded > std::numeric_limits<std::int32_t>::max()) {
        return std::nullopt;
    }
    return static_cast<std::int32_t>(rounded);
}

void write(RowCursor& row, std::string_view block_id, const blocks::TradeRecord& r) {
    row.text(block_id);
    row.date(r.date_opened);
    row.time(r.time_opened);
    row.text(r.strategy);
    row.text(r.legs);
    row.number(r.premium);
    row.integer(r.num_contracts);
    row.number(r.pl);
    row.date(r.date_closed);
    row.time(r.time_closed);
    row.text(r.reason_for_close);
    row.number(r.margin_req);
    row.number(r.opening_commissions);
    row.number(r.closing_commissions);
    row.number(r.opening_price);
    row.number(r.closing_price);
    row.number(r.avg_closing_cost);
    row.number(r.funds_at_close);
    row.number(r.opening_short_long_ratio);
    row.number(r.closing_short_long_ratio);
    row.number(r.opening_vix);
    row.number(r.closing_vix);
    row.number(r.gap);
    row.number(r.movement);
    row.number(r.max_profit);
    row.number(r.max_loss);
    row.text(r.pl_basis == blocks::PlBasis::kNetIncludesFees ? "net_includes_fees"
                                                             : "gross_before_fees");
    row.number(r.net_pl);
    row.text(blocks::premium_unit_name(r.premium_unit));
    row.text(r.ticker);
    row.big_integer(r.source_line);
    row.text(r.extra_json);
}

void write(RowCursor& row, std::string_view block_id, const blocks::DailyRecord& r) {
    row.text(block_id);
    row.date(r.date);
    row.number(r.net_liquidity);
    row.number(r.current_funds);
    row.number(r.withdrawn);
    row.number(r.trading_funds);
    row.number(r.pl);
    row.number(r.pl_pct);
    row.number(r.drawdown_pct);
    row.big_integer(r.source_line);
    row.text(r.extra_json);
}

void write(RowCursor& row, std::string_view block_id, const blocks::ReportingRecord& r) {
    row.text(block_id);
    row.date(r.date_opened);
    row.time(r.time_opened);
    row.text(r.strategy);
    row.text(r.legs);
    row.number(r.initial_premium);
    row.integer(whole_contracts(r.num_contracts));
    row.number(r.pl);
    row.date(r.date_closed);
    row.time(r.time_closed);
    row.number(r.closing_price);
    row.number(r.avg_closing_cost);
    row.text(r.reason_for_close);
    row.number(r.opening_price);
    row.text(r.ticker);
    row.text(r.opened_at);
    row.big_integer(r.source_line);
    row.text(r.extra_json);
    row.number(r.num_contracts);
}

template <class Record>
Result<void> append(db::Appender& appender, std::string_view block_id,
                    const blocks::RecordBatch<Record>& batch) {
    std::span<const Record> rest(batch.records);
    while (!rest.empty()) {
        const std::size_t count = std::min(rest.size(), db::DataChunk::kCapacity);
        db::DataChunk& chunk = appender.chunk();
        for (std::size_t i = 0; i < count; ++i) {
            RowCursor row(chunk, i);
            write(row, block_id, rest[i]);
            TB_CHECK(row.written() == chunk.column_count(), "records and table have equal columns");
        }
        TB_RETURN_IF_ERROR(appender.flush_chunk(count));
        rest = rest.subspan(count);
    }
    return {};
}

}  // namespace

Result<void> append_batch(db::Appender& appender, std::string_view block_id,
                          const blocks::RecordBatch<blocks::TradeRecord>& batch) {
    return append(appender, block_id, batch);
}

Result<void> append_batch(db::Appender& appender, std::string_view block_id,
                          const blocks::RecordBatch<blocks::DailyRecord>& batch) {
    return append(appender, block_id, batch);
}

Result<void> append_batch(db::Appender& appender, std::string_view block_id,
                          const blocks::RecordBatch<blocks::ReportingRecord>& batch) {
    return append(appender, block_id, batch);
}

}  // namespace tb::sync
