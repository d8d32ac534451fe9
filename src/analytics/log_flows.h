// Money taken out of the account, as the daily log's column `Withdrawn` tells it.
//
// Exports state what has been withdrawn so far (0, 0, 3000, 3000, 5000: two withdrawals, 5,000 in
// all); a file may state the amounts of each day instead. The log's own balance decides: on a day
// of a withdrawal it moves by other than the day's P/L, by just that amount. Where the balance does
// not show withdrawals at all, a column that never falls is taken as what was withdrawn so far.
//
// Thread-safe: log_flows is pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analytics/trade.h"

namespace tb::analytics {

// Money that left the account before the results of that day; negative: paid back.
struct AccountFlow {
    Date date;
    double withdrawn = 0;  // dollars
};

struct LogFlows {
    enum class Column { kEmpty, kSoFar, kPerDay };
    Column column = Column::kEmpty;
    bool in_balance = false;        // net liquidity falls by what is withdrawn
    std::vector<double> withdrawn;  // per log entry: dollars taken out on that day
    std::int64_t withdrawals = 0;   // days with an amount above 0
    double total = 0;               // of them, dollars
    std::optional<Date> first;      // day of the first one
    // Those that the balance shows; empty where it does not.
    [[nodiscard]] std::vector<AccountFlow> flows(std::span<const DailyLogEntry> log) const;
};
[[nodiscard]] LogFlows log_flows(std::span<const DailyLogEntry> log);

// What the balance of entry `i` moved by beside its P/L: deposits above 0, withdrawals below; i >
// 0.
[[nodiscard]] double balance_flow(std::span<const DailyLogEntry> log, std::size_t i);

}  // namespace tb::analytics
