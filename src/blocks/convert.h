// One CSV record to one row of a block, for each kind of file. Internal to this module; ingest.h is
// the way in.
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

#include "blocks/reading.h"
#include "blocks/rows.h"

namespace tb::blocks {

inline constexpr std::string_view kDefaultTicker = "SPX";

// What the converters look for in rows to decide how their file is to be read.
struct ReadingSurvey {
    PremiumSurvey premium;
    BasisSurvey basis;
    DrawdownSurvey drawdown;

    void decide(FileReading& reading) const {
        premium.decide(reading);
        basis.decide(reading);
        drawdown.decide(reading);
    }
};

// The underlying in upper case: first word, without leading `^` and `$`, only [A-Z0-9._-]; empty
// unless a letter is left.
[[nodiscard]] std::string resolve_ticker(std::string_view text);

// Columns we do not know, as {"name":"text"} in file order without the empty ones.
class ExtraColumns {
  public:
    // `ticker_columns`: each row uses one; the others count as unknown there. `kept_column`: a
    // column we know, kept as written nevertheless.
    ExtraColumns(const HeaderMap& header, std::vector<int> ticker_columns,
                 int kept_column = HeaderMap::kNone);

    // The text of the first ticker column with something in it, "" if there is none. Remembers
    // which, for write().
    [[nodiscard]] std::string_view ticker_text(const RowCells& row);
    [[nodiscard]] std::string_view write(const RowCells& row, TextArena& arena);
    // As write(), with what an `extra_json` cell holds in front.
    [[nodiscard]] std::string_view write(const RowCells& row, std::string_view before,
                                         TextArena& arena);

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
    TradeConverter(const HeaderMap& header, const IngestOptions& options,
                   const FileReading& reading);
    static void survey(const RowCells& row, ReadingSurvey& survey);
    void convert(RowCells& row, TextArena& arena, TradeRecord& trade);
    [[nodiscard]] static Date day(const TradeRecord& trade) { return trade.date_opened; }
    [[nodiscard]] std::vector<std::string> file_notes() const;

  private:
    void convert_money(RowCells& row, TradeRecord& trade);
    void convert_pl(RowCells& row, TradeRecord& trade);
    void convert_text(RowCells& row, TextArena& arena, TradeRecord& trade);

    const HeaderMap& header_;
    PlBasis default_basis_;
    PremiumUnit premium_unit_;
    ExtraColumns extra_;
};

class DailyConverter {
  public:
    using Record = DailyRecord;
    DailyConverter(const HeaderMap& header, const IngestOptions& options,
                   const FileReading& reading);
    static void survey(const RowCells& row, ReadingSurvey& survey);
    void convert(RowCells& row, TextArena& arena, DailyRecord& day_row);
    [[nodiscard]] static Date day(const DailyRecord& row) { return row.date; }
    [[nodiscard]] std::vector<std::string> file_notes() const { return {}; }

  private:
    bool drawdown_is_positive_;
    ExtraColumns extra_;
};

class ReportingConverter {
  public:
    using Record = ReportingRecord;
    ReportingConverter(const HeaderMap& header, const IngestOptions& options,
                       const FileReading& reading);
    static void survey(const RowCells& row, ReadingSurvey& survey);
    void convert(RowCells& row, TextArena& arena, ReportingRecord& fill);
    [[nodiscard]] static Date day(const ReportingRecord& fill) { return fill.date_opened; }
    [[nodiscard]] std::vector<std::string> file_notes() const;

  private:
    const HeaderMap& header_;
    PremiumUnit premium_unit_;  // of the file; stored is dollars of one share
    ExtraColumns extra_;
};

class TatConverter {
  public:
    using Record = ReportingRecord;
    TatConverter(const HeaderMap& header, const IngestOptions& options, const FileReading& reading);
    static void survey(const RowCells& /*row*/, ReadingSurvey& /*survey*/) {}
    void convert(RowCells& row, TextArena& arena, ReportingRecord& fill);
    [[nodiscard]] static Date day(const ReportingRecord& fill) { return fill.date_opened; }
    [[nodiscard]] std::vector<std::string> file_notes() const;

  private:
    [[nodiscard]] static std::string legs(const RowCells& row);

    const HeaderMap& header_;
    ExtraColumns extra_;
};

}  // namespace tb::blocks
