// The rows of a block as they come out of its CSV files and go into the database: the one record
// set from which tables, statistics and answers are made.
//
// Text members are views into the RecordBatch that holds the record; an empty view is SQL NULL.
// Numbers are as written in the file (dollars, percent points), cleaned by the cell table of
// 00 §2; an empty optional is SQL NULL. Dates are civil days, times of day exchange time.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/date.h"

namespace tb::blocks {

enum class FileRole { kTradeLog, kDailyLog, kReportingLog };

// "tradelog", "dailylog", "reportinglog".
[[nodiscard]] std::string_view role_name(FileRole role);
// "tradelog.csv" and so on: the names that claim a role without a look at the content.
[[nodiscard]] std::string_view standard_file_name(FileRole role);

enum class PlBasis { kNetIncludesFees, kGrossBeforeFees };
// What a premium of 420 says: cents of one share, that is dollars of one contract; dollars of one
// share; dollars of the whole position. Which one is decided for the whole file: reading.h.
enum class PremiumUnit { kCents, kDollars, kTotal };
// "cents", "dollars", "total", as stored.
[[nodiscard]] std::string_view premium_unit_name(PremiumUnit unit);
[[nodiscard]] std::optional<PremiumUnit> premium_unit_from_name(std::string_view name);

struct TradeRecord {
    std::int64_t source_line = 0;  // line of the file on which the record starts, header = 1
    Date date_opened;
    std::optional<TimeOfDay> time_opened;
    std::string_view strategy;
    std::string_view legs;
    std::optional<double> premium;
    std::optional<std::int32_t> num_contracts;
    double pl = 0;  // the number in the file
    std::optional<Date> date_closed;
    std::optional<TimeOfDay> time_closed;
    std::string_view reason_for_close;
    std::optional<double> margin_req;
    std::optional<double> opening_commissions;
    std::optional<double> closing_commissions;
    // Our own columns from here on.
    std::optional<double> opening_price;
    std::optional<double> closing_price;
    std::optional<double> avg_closing_cost;
    std::optional<double> funds_at_close;
    std::optional<double> opening_short_long_ratio;
    std::optional<double> closing_short_long_ratio;
    std::optional<double> opening_vix;
    std::optional<double> closing_vix;
    std::optional<double> gap;
    std::optional<double> movement;
    std::optional<double> max_profit;
    std::optional<double> max_loss;
    PlBasis pl_basis = PlBasis::kNetIncludesFees;
    double net_pl = 0;  // pl, less both commissions where the basis says gross
    PremiumUnit premium_unit = PremiumUnit::kDollars;
    std::string_view ticker;      // resolved, never empty
    std::string_view extra_json;  // columns we do not know, {"name":"text"}, in file order
};

struct DailyRecord {
    std::int64_t source_line = 0;
    Date date;
    std::optional<double> net_liquidity;
    std::optional<double> current_funds;
    std::optional<double> withdrawn;
    std::optional<double> trading_funds;
    std::optional<double> pl;
    std::optional<double> pl_pct;
    std::optional<double> drawdown_pct;
    std::string_view extra_json;
};

struct ReportingRecord {
    std::int64_t source_line = 0;
    Date date_opened;
    std::optional<TimeOfDay> time_opened;  // from its column, or from the timestamp (01 item 12)
    std::string_view opened_at;            // full wall-clock timestamp text when the file has one
    std::string_view strategy;
    std::string_view legs;
    std::optional<double> initial_premium;  // points: dollars of one share, > 0 = received
    std::optional<double> num_contracts;    // not rounded
    double pl = 0;
    std::optional<Date> date_closed;
    std::optional<TimeOfDay> time_closed;
    std::optional<double> opening_price;  // of the underlying
    std::optional<double> closing_price;
    std::optional<double> avg_closing_cost;
    std::string_view reason_for_close;
    std::string_view ticker;
    std::string_view extra_json;
};

enum class IssueAction { kSkipped, kRepaired };

// One skipped row or one repaired cell, explained.
struct RowIssue {
    std::int64_t line = 0;  // of the file, header = 1
    std::string column;     // canonical column name, or empty when it concerns the whole row
    std::string value;      // as written; what is longer than 200 bytes is cut, with "…"
    std::string reason;     // for people
    IssueAction action = IssueAction::kRepaired;
};

// Records with the text they refer to. Moving keeps the views valid; a copy would not, so there is
// none.
template <class Record>
struct RecordBatch {
    RecordBatch() = default;
    RecordBatch(RecordBatch&&) = default;
    RecordBatch& operator=(RecordBatch&&) = default;
    RecordBatch(const RecordBatch&) = delete;
    RecordBatch& operator=(const RecordBatch&) = delete;
    ~RecordBatch() = default;

    std::vector<Record> records;
    std::deque<std::string> text;  // stable storage behind the views (chunks, not one per cell)
};

}  // namespace tb::blocks
