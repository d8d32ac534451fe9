#include "tools/block_data.h"

#include <algorithm>
#include <array>
#include <deque>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "analytics/realization.h"
#include "core/unicode.h"
#include "db/transaction.h"
#include "tools/names.h"

namespace tb::tools {

namespace {

// Texts of one block in a few large pieces; equal short texts (reasons, tickers) are kept once.
class TextPool {
  public:
    std::string_view add(std::string_view text) {
        if (text.empty()) {
            return {};
        }
        if (chunks_.empty() || chunks_.back().size() + text.size() > chunks_.back().capacity()) {
            chunks_.emplace_back();
            chunks_.back().reserve(std::max(kChunkBytes, text.size()));
        }
        std::string& chunk = chunks_.back();
        const std::size_t at = chunk.size();
        chunk.append(text);
        bytes_ += text.size();
        return {chunk.data() + at, text.size()};
    }
    std::string_view add_once(std::string_view text) {
        const auto found = known_.find(text);
        if (found != known_.end()) {
            return found->second;
        }
        const std::string_view stored = add(text);
        known_.emplace(stored, stored);
        return stored;
    }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

  private:
    static constexpr std::size_t kChunkBytes = 64 * 1024;
    std::deque<std::string> chunks_;
    std::unordered_map<std::string_view, std::string_view> known_;
    std::size_t bytes_ = 0;
};

// Numbers the strategies of a block in order of first appearance.
class StrategyNames {
  public:
    explicit StrategyNames(std::string_view block_id) : block_id_(block_id) {}
    std::uint32_t number(std::string_view written) {
        const auto [found, added] =
            numbers_.try_emplace(composed(written.empty() ? block_id_ : written),
                                 static_cast<std::uint32_t>(numbers_.size()));
        if (written.empty()) {
            unnamed_ = found->second;
        }
        return found->second;
    }

    // Names as they are shown, in order of first appearance in the trades, whose numbers are
    // changed accordingly.
    template <class Set>
    void put_in_order(Set& set) const {
        auto& trades = set.trades;
        constexpr auto kUnseen = ~std::uint32_t{0};
        std::vector<std::string> by_number(numbers_.size());
        for (const auto& [name, number] : numbers_) {
            by_number[number] = name;
        }
        std::vector<std::uint32_t> new_number(numbers_.size(), kUnseen);
        std::vector<std::string> names;
        ShownNames shown;
        for (auto& trade : trades) {
            std::uint32_t& number = new_number[trade.strategy];
            if (number == kUnseen) {
                number = static_cast<std::uint32_t>(names.size());
                names.push_back(shown.add(by_number[trade.strategy]));
            }
            trade.strategy = number;
        }
        set.strategies = std::move(names);
        if (unnamed_) {
            set.unnamed = new_number[*unnamed_];
        }
    }

  private:
    std::string_view block_id_;
    std::unordered_map<std::string, std::uint32_t> numbers_;
    std::optional<std::uint32_t> unnamed_;  // number of the name that blank ones got
};

constexpr Date kFirstDay(7'305);  // 1990-01-01
constexpr Date kLastDay(47'846);  // 2100-12-31

// Reads the cells of one chunk by column position.
class Cells {
  public:
    explicit Cells(const db::ChunkView& chunk) : chunk_(chunk) {}

    [[nodiscard]] std::optional<double> number(std::size_t column, std::size_t row) const {
        const auto& view = chunk_.column(column);
        return view.is_null(row) ? std::nullopt : std::optional(view.doubles()[row]);
    }
    // Null too where no file can have such a day (csv/cell.h): the figures walk from the first day
    // to the last, and a table that another program wrote must not decide how long that takes.
    [[nodiscard]] std::optional<Date> date(std::size_t column, std::size_t row) const {
        const auto& view = chunk_.column(column);
        if (view.is_null(row)) {
            return std::nullopt;
        }
        const Date day(view.date_days()[row]);
        return day < kFirstDay || day > kLastDay ? std::nullopt : std::optional(day);
    }
    [[nodiscard]] std::optional<TimeOfDay> time(std::size_t column, std::size_t row) const {
        return TimeOfDay::from_iso(chunk_.column(column).string(row));
    }
    [[nodiscard]] std::string_view text(std::size_t column, std::size_t row) const {
        return chunk_.column(column).string(row);
    }
    [[nodiscard]] std::optional<std::int32_t> integer(std::size_t column, std::size_t row) const {
        const auto& view = chunk_.column(column);
        return view.is_null(row) ? std::nullopt : std::optional(view.int32s()[row]);
    }
    [[nodiscard]] std::int64_t big_integer(std::size_t column, std::size_t row) const {
        const auto& view = chunk_.column(column);
        return view.is_null(row) ? 0 : view.int64s()[row];
    }

  private:
    const db::ChunkView& chunk_;
};

constexpr std::string_view kTradeQuery =
    "SELECT date_opened, time_opened, strategy, legs, premium, num_contracts, pl, date_closed, "
    "time_closed, reason_for_close, margin_req, opening_commissions, closing_commissions, "
    "opening_price, closing_price, avg_closing_cost, funds_at_close, opening_short_long_ratio, "
    "closing_short_long_ratio, opening_vix, closing_vix, gap, movement, max_profit, max_loss, "
    "pl_basis, premium_unit, ticker, source_line FROM trades.trade_data WHERE "
    "block_id = $1";

analytics::PremiumUnit premium_unit(std::string_view name) {
    return name == "cents"   ? analytics::PremiumUnit::kCents
           : name == "total" ? analytics::PremiumUnit::kTotal
                             : analytics::PremiumUnit::kDollars;
}

analytics::Trade read_trade(const Cells& cells, std::size_t row, StrategyNames& strategies,
                            TextPool& text) {
    analytics::Trade trade;
    trade.date_opened = cells.date(0, row).value_or(Date());
    trade.time_opened = cells.time(1, row);
    trade.strategy = strategies.number(cells.text(2, row));
    trade.legs = text.add(cells.text(3, row));
    trade.premium = cells.number(4, row).value_or(0);
    trade.contracts = cells.integer(5, row).value_or(1);
    trade.pl = cells.number(6, row).value_or(0);
    trade.date_closed = cells.date(7, row);
    trade.time_closed = cells.time(8, row);
    trade.reason_for_close = text.add_once(cells.text(9, row));
    trade.margin_req = cells.number(10, row).value_or(0);
    trade.opening_fees = cells.number(11, row).value_or(0);
    trade.closing_fees = cells.number(12, row).value_or(0);
    trade.opening_price = cells.number(13, row);
    trade.closing_price = cells.number(14, row);
    trade.avg_closing_cost = cells.number(15, row);
    trade.funds_at_close = cells.number(16, row);
    trade.opening_ratio = cells.number(17, row);
    trade.closing_ratio = cells.number(18, row);
    trade.opening_vix = cells.number(19, row);
    trade.closing_vix = cells.number(20, row);
    trade.gap = cells.number(21, row);
    trade.movement = cells.number(22, row);
    trade.max_profit = cells.number(23, row);
    trade.max_loss = cells.number(24, row);
    trade.basis = cells.text(25, row) == "gross_before_fees" ? analytics::PlBasis::kGrossBeforeFees
                                                             : analytics::PlBasis::kNetIncludesFees;
    trade.premium_unit = premium_unit(cells.text(26, row));
    trade.ticker = text.add_once(cells.text(27, row));
    trade.source_line = cells.big_integer(28, row);
    return trade;
}

tl::unexpected<Error> impossible_day(std::string_view table, std::string_view block_id) {
    return make_error(
        ErrorCode::kDatabase,
        fmt::format(
            "trades.{} holds a row of block '{}' without a day between 1990 and 2100, which "
            "no file gives: another program changed the database",
            table, block_id));
}

Result<void> load_trades(db::Connection& connection, BlockData& block) {
    auto text = std::make_shared<TextPool>();
    StrategyNames strategies(block.block_id);
    TB_TRY(db::Rows rows, connection.query(kTradeQuery, block.block_id));
    while (true) {
        TB_TRY(const bool more, rows.next_chunk());
        if (!more) {
            break;
        }
        const Cells cells(rows.chunk());
        for (std::size_t row = 0; row < rows.chunk().row_count(); ++row) {
            if (!cells.date(0, row)) {
                return impossible_day("trade_data", block.block_id);
            }
            block.trades.trades.push_back(read_trade(cells, row, strategies, *text));
        }
    }
    // LOAD order of 02 §1.3; a missing time counts as midnight.
    auto& trades = block.trades.trades;
    std::sort(trades.begin(), trades.end(), [](const auto& a, const auto& b) {
        return std::tuple(a.date_opened, a.time_opened.value_or(TimeOfDay()), a.source_line) <
               std::tuple(b.date_opened, b.time_opened.value_or(TimeOfDay()), b.source_line);
    });
    strategies.put_in_order(block.trades);
    analytics::rank_realizations(trades);
    block.memory_bytes += trades.capacity() * sizeof(analytics::Trade) + text->bytes();
    block.trades.text = std::move(text);
    return {};
}

Result<void> load_daily_log(db::Connection& connection, BlockData& block) {
    TB_TRY(db::Rows rows,
           connection.query("SELECT date, net_liquidity, pl, drawdown_pct, withdrawn, "
                            "current_funds FROM "
                            "trades.daily_data WHERE block_id = $1 ORDER BY date, source_line",
                            block.block_id));
    while (true) {
        TB_TRY(const bool more, rows.next_chunk());
        if (!more) {
            break;
        }
        const Cells cells(rows.chunk());
        for (std::size_t row = 0; row < rows.chunk().row_count(); ++row) {
            if (!cells.date(0, row)) {
                return impossible_day("daily_data", block.block_id);
            }
            block.daily_log.push_back(
                {cells.date(0, row).value_or(Date()), cells.number(1, row).value_or(0),
                 cells.number(2, row).value_or(0), cells.number(3, row).value_or(0),
                 cells.number(4, row), cells.number(5, row)});
        }
    }
    block.memory_bytes += block.daily_log.capacity() * sizeof(analytics::DailyLogEntry);
    return {};
}

Result<void> load_reporting_log(db::Connection& connection, BlockData& block) {
    auto text = std::make_shared<TextPool>();
    StrategyNames strategies(block.block_id);
    // Time stamps of one file have one form, so their text orders trades within a second.
    TB_TRY(db::Rows rows,
           connection.query(
               "SELECT date_opened, time_opened, strategy, legs, initial_premium, "
               "num_contracts_exact, pl, date_closed, time_closed, opening_price, closing_price, "
               "avg_closing_cost, reason_for_close FROM trades.reporting_data WHERE block_id = $1 "
               "ORDER BY date_opened, coalesce(time_opened, '00:00:00'), opened_at, source_line",
               block.block_id));
    auto& trades = block.reporting.trades;
    while (true) {
        TB_TRY(const bool more, rows.next_chunk());
        if (!more) {
            break;
        }
        const Cells cells(rows.chunk());
        for (std::size_t row = 0; row < rows.chunk().row_count(); ++row) {
            analytics::ReportingTrade trade;
            if (!cells.date(0, row)) {
                return impossible_day("reporting_data", block.block_id);
            }
            trade.date_opened = cells.date(0, row).value_or(Date());
            trade.time_opened = cells.time(1, row);
            trade.strategy = strategies.number(cells.text(2, row));
            trade.legs = text->add(cells.text(3, row));
            trade.initial_premium = cells.number(4, row);
            trade.contracts = cells.number(5, row).value_or(1);
            trade.pl = cells.number(6, row).value_or(0);
            trade.date_closed = cells.date(7, row);
            trade.time_closed = cells.time(8, row);
            trade.opening_price = cells.number(9, row);
            trade.closing_price = cells.number(10, row);
            trade.avg_closing_cost = cells.number(11, row);
            trade.reason_for_close = text->add_once(cells.text(12, row));
            trades.push_back(trade);
        }
    }
    strategies.put_in_order(block.reporting);
    block.memory_bytes += trades.capacity() * sizeof(analytics::ReportingTrade) + text->bytes();
    block.reporting.text = std::move(text);
    return {};
}

Result<sync::BlockSyncMetadata> metadata_of(db::Connection& connection, std::string_view block_id) {
    TB_TRY(auto metadata, sync::get_sync_metadata(connection, block_id));
    if (!metadata.has_value()) {
        return make_error(ErrorCode::kNotFound,
                          fmt::format("block '{}' is not in the database", block_id));
    }
    return std::move(*metadata);
}

}  // namespace

Result<std::shared_ptr<const BlockData>> load_block_data(db::Connection& connection,
                                                         std::string_view block_id) {
    TB_TRY(const db::Transaction snapshot,
           db::Transaction::begin(connection, db::Access::kReadOnly));
    auto block = std::make_shared<BlockData>();
    block->block_id = block_id;
    TB_TRY(block->metadata, metadata_of(connection, block_id));
    TB_RETURN_IF_ERROR(load_trades(connection, *block));
    TB_RETURN_IF_ERROR(load_daily_log(connection, *block));
    TB_RETURN_IF_ERROR(load_reporting_log(connection, *block));
    return std::shared_ptr<const BlockData>(std::move(block));
}

Result<std::shared_ptr<const BlockData>> BlockCache::get(db::Connection& connection,
                                                         std::string_view block_id) {
    TB_TRY(const sync::BlockSyncMetadata now, metadata_of(connection, block_id));
    {
        const std::lock_guard lock(mutex_);
        const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
            return entry->block_id == block_id;
        });
        if (found != entries_.end()) {
            if ((*found)->metadata == now) {
                entries_.splice(entries_.begin(), entries_, found);
                return entries_.front();
            }
            bytes_ -= (*found)->memory_bytes;
            entries_.erase(found);
        }
    }
    TB_TRY(auto block, load_block_data(connection, block_id));
    const std::lock_guard lock(mutex_);
    bytes_ += block->memory_bytes;
    entries_.push_front(block);
    while (bytes_ > max_bytes_ && entries_.size() > 1) {
        bytes_ -= entries_.back()->memory_bytes;
        entries_.pop_back();
    }
    return block;
}

void BlockCache::clear() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    bytes_ = 0;
}

}  // namespace tb::tools
