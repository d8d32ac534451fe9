// One CSV record to one row of a block, for each kind of file (01 §1.6, §1.7, §2 with 00 §2).
// Internal to this module; ingest.h is the way in.
//
// A converter fills a fresh record from the cells and returns; whether the row is to be stored
// stands in the RowCells afterwards.
//
// Thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "blocks/rows.h"

namespace tb::blocks {

inline constexpr std::string_view kDefaultTicker = "SPX";

// The underlying in upper case: first word, without leading `^` and `$`, only [A-Z0-9._-]; empty
// unless a letter is left (01 §1.6).
[[nodiscard]] std::string resolve_ticker(std::string_view text);

// Columns we do not know, as {"name":"text"} in file order without the empty ones.
class ExtraColumns {
  public:
    // `ticker_fields` are fields of which each row uses one; the others count as unknown there.
    ExtraColumns(const HeaderMap& header, std::vector<int> ticker_columns);

    // The text of the first ticker column with something in it, "" if there is none. Remembers
    // which, for write().
    [[nodiscard]] std::string_view ticker_text(const RowCells& row);
    [[nodiscard]] std::string_view write(const RowCells& row, TextArena& arena);

  private:
    void append(std::string_view quoted_key, std::string_view text);

    struct Column {
        std::size_t index = 0;
        std::string quoted_key;
    };
    std::vector<Column> columns_;
    std::vector<int> ticker_columns_;
    std::size_t header_columns_;
    int used_ticker_ = HeaderMap::kNone;
    std::string json_;
};

class TradeConverter {
  public:
    using Record = TradeRecord;
    TradeConverter(const HeaderMap& header, const IngestOptions& options);
    void convert(RowCells& row, TextArena& arena, TradeRecord& trade);
    [[nodiscard]] static Date day(const TradeRecord& trade) { return trade.date_opened; }
    [[nodiscard]] std::vector<std::string> file_notes() const;

  private:
    void convert_money(RowCells& row, TradeRecord& trade);
    void convert_pl(RowCells& row, TradeRecord& trade);
    void convert_text(RowCells& row, TextArena& arena, TradeRecord& trade);

    const HeaderMap& header_;
    PlBasis default_basis_;
    ExtraColumns extra_;
};

class DailyConverter {
  public:
    using Record = DailyRecord;
    DailyConverter(const HeaderMap& header, const IngestOptions& options);
    void convert(RowCells& row, TextArena& arena, DailyRecord& day_row);
    [[nodiscard]] static Date day(const DailyRecord& row) { return row.date; }
    [[nodiscard]] std::vector<std::string> file_notes() const { return {}; }

  private:
    ExtraColumns extra_;
};

class ReportingConverter {
  public:
    using Record = ReportingRecord;
    ReportingConverter(const HeaderMap& header, const IngestOptions& options);
    void convert(RowCells& row, TextArena& arena, ReportingRecord& fill);
    [[nodiscard]] static Date day(const ReportingRecord& fill) { return fill.date_opened; }
    [[nodiscard]] std::vector<std::string> file_notes() const;

  private:
    const HeaderMap& header_;
    ExtraColumns extra_;
};

class TatConverter {
  public:
    using Record = ReportingRecord;
    TatConverter(const HeaderMap& header, const IngestOptions& options);
    void convert(RowCells& row, TextArena& arena, ReportingRecord& fill);
    [[nodiscard]] static Date day(const ReportingRecord& fill) { return fill.date_opened; }
    [[nodiscard]] std::vector<std::string> file_notes() const;

  private:
    [[nodiscard]] static std::string legs(const RowCells& row);

    const HeaderMap& header_;
    ExtraColumns extra_;
};

}  // namespace tb::blocks
