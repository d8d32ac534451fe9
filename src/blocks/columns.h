// Which column of a file is which field: the one alias table for recognising files and for reading
// them. Names are compared without regard to case, blanks, underscores and
// byte-order marks.
//
// Thread-safe; the tables are constant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "blocks/records.h"

namespace tb::blocks {

// Index of each column in its table below.
enum class TradeField : std::uint8_t {
    kDateOpened,
    kTimeOpened,
    kOpeningPrice,
    kLegs,
    kPremium,
    kClosingPrice,
    kDateClosed,
    kTimeClosed,
    kAvgClosingCost,
    kReasonForClose,
    kPl,
    kContracts,
    kFundsAtClose,
    kMarginReq,
    kStrategy,
    kOpeningCommissions,
    kClosingCommissions,
    kOpeningRatio,
    kClosingRatio,
    kOpeningVix,
    kClosingVix,
    kGap,
    kMovement,
    kMaxProfit,
    kMaxLoss,
    kPlBasis,
    kPremiumUnit,  // this and the next four: our own SQL output of the table
    kNetPl,
    kBlockId,
    kSourceLine,
    kExtraJson,
    kTicker,
    kSymbol,
    kUnderlying,
    kUnderlyingSymbol,
    kCount
};

enum class DailyField : std::uint8_t {
    kDate,
    kNetLiquidity,
    kCurrentFunds,
    kWithdrawn,
    kTradingFunds,
    kPl,
    kPlPct,
    kDrawdownPct,
    kCount
};

enum class ReportingField : std::uint8_t {
    kStrategy,
    kDateOpened,
    kTimeOpened,
    kOpeningPrice,
    kLegs,
    kInitialPremium,
    kContracts,
    kPl,
    kClosingPrice,
    kDateClosed,
    kTimeClosed,
    kAvgClosingCost,
    kReasonForClose,
    kTicker,
    kSymbol,
    kUnderlying,
    kUnderlyingSymbol,
    kCount
};

// Trade Automation Toolbox exports (01 §1.7).
enum class TatField : std::uint8_t {
    kTradeId,
    kProfitLoss,
    kBuyingPower,
    kOpenDate,
    kDate,
    kCloseDate,
    kOpenTime,
    kTimeOpened,
    kCloseTime,
    kTimeClosed,
    kTemplate,
    kStrategy,
    kQty,
    kTotalPremium,
    kPriceOpen,
    kStatus,
    kTradeType,
    kShortPut,
    kShortCall,
    kLongPut,
    kLongCall,
    kTicker,
    kSymbol,
    kUnderlying,
    kUnderlyingSymbol,
    kCount
};

struct ColumnSpec {
    std::string_view name;                  // canonical spelling, as in 01 §1.6
    std::vector<std::string_view> aliases;  // further spellings, normalised
    bool is_number = false;
    bool is_required = false;  // the file cannot be read without it
    bool is_date = false;
    // A column of our own SQL output that no other file has: a field only where all such columns
    // are there, else a column we do not know.
    bool only_own = false;
};

[[nodiscard]] std::span<const ColumnSpec> trade_columns();
[[nodiscard]] std::span<const ColumnSpec> daily_columns();
[[nodiscard]] std::span<const ColumnSpec> reporting_columns();
[[nodiscard]] std::span<const ColumnSpec> tat_columns();

// Lower case, trimmed, without byte-order mark; runs of blanks and underscores are one blank.
[[nodiscard]] std::string normalise_header(std::string_view cell);

// A header cell that names the profit or loss of a row: p/l, p&l, profit/loss, pl.
[[nodiscard]] bool is_pl_name(std::string_view normalised);
// Has the columns by which Trade Automation Toolbox exports are known.
[[nodiscard]] bool is_tat_header(std::span<const std::string> header_cells);

// When two columns of a file mean one field.
enum class Preference : std::uint8_t {
    kCanonical,  // the canonical spelling, else the first
    kAlias,      // an alias replaces the canonical column (reporting logs)
};

struct HeaderMap {
    static constexpr int kNone = -1;

    std::span<const ColumnSpec> specs;
    std::vector<int> column_of;  // by field; kNone = the file has no such column
    // By column, trimmed; longer than 200 bytes: cut, with "…" and the number of the column.
    std::vector<std::string> names;
    std::vector<int> extra_columns;    // columns that are no field of ours, in file order
    std::vector<std::string> missing;  // required columns that are not there
    std::vector<std::string> notes;    // ignored duplicates
    // What `SELECT * FROM trades.trade_data` prints: its derived columns are not read, and its
    // extra_json is what the file it came from had beside the columns we know.
    bool is_own_output = false;
};

[[nodiscard]] HeaderMap map_header(std::span<const std::string> header_cells,
                                   std::span<const ColumnSpec> specs, Preference preference);

// The header could be the front part of a longer one: every name is known but the last, which may
// be empty or the beginning of a known one.
[[nodiscard]] bool looks_cut_off(std::span<const std::string> header_cells,
                                 std::span<const ColumnSpec> specs);

}  // namespace tb::blocks
