#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "market/market_files.h"
#include "market/plausible.h"
#include "market/trading_calendar.h"

namespace tb::market {

namespace {

constexpr double kNull = std::numeric_limits<double>::quiet_NaN();

bool same(double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

// Position of the key and of every other column.
std::size_t key_of(const db::TableSpec& table) {
    return table.column_index("date");
}

std::vector<std::size_t> value_columns(const db::TableSpec& table) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (i != key_of(table)) {
            columns.push_back(i);
        }
    }
    return columns;
}

void write_cell(db::DataChunk& chunk, const db::TableSpec& table, std::size_t column,
                std::size_t row, double value) {
    if (std::isnan(value)) {
        chunk.set_null(column, row);
    } else if (table.columns[column].type == db::TypeId::kInteger) {
        chunk.set_int32(column, row, static_cast<std::int32_t>(value));
    } else {
        chunk.set_double(column, row, value);
    }
}

Result<void> append_rows(db::Transaction& transaction, const db::TableSpec& table,
                         const MarketRows& rows) {
    TB_TRY(db::Appender appender, transaction.appender(table.schema, table.name));
    std::size_t filled = 0;
    for (std::size_t i = 0; i < rows.dates.size(); ++i) {
        db::DataChunk& chunk = appender.chunk();
        chunk.set_string(key_of(table), filled, rows.dates[i].to_iso());
        const auto row = rows.row(i);
        for (std::size_t k = 0; k < rows.columns.size(); ++k) {
            write_cell(chunk, table, rows.columns[k], filled, row[k]);
        }
        if (++filled == db::DataChunk::capacity()) {
            TB_RETURN_IF_ERROR(appender.flush_chunk(filled));
            filled = 0;
        }
    }
    TB_RETURN_IF_ERROR(appender.flush_chunk(filled));
    return appender.close();
}

Result<void> delete_days(db::Transaction& transaction, const db::TableSpec& table,
                         const std::vector<Date>& dates) {
    TB_TRY(db::Statement statement,
           transaction.connection().prepare(
               fmt::format("DELETE FROM {} WHERE \"date\" = $1", table.qualified_name())));
    for (const Date date : dates) {
        TB_RETURN_IF_ERROR(statement.bind_all(date.to_iso()));
        TB_TRY(const std::int64_t count, statement.run());
        if (count != 1) {
            return make_error(ErrorCode::kDatabase,
                              fmt::format("{} holds {} rows for {}, one was read: another program "
                                          "has changed the table, or the file is damaged",
                                          table.qualified_name(), count, date.to_iso()));
        }
    }
    return {};
}

// Merges one incoming row into the stored one, in the order of the table's value columns.
class RowMerger {
  public:
    RowMerger(const db::TableSpec& table, const MarketRows& rows)
        : columns_(value_columns(table)), places_(rows.columns.size()) {
        for (std::size_t k = 0; k < rows.columns.size(); ++k) {
            const auto found = std::find(columns_.begin(), columns_.end(), rows.columns[k]);
            TB_CHECK(found != columns_.end(), "a market row names a column the table lacks");
            places_[k] = static_cast<std::size_t>(found - columns_.begin());
        }
    }

    [[nodiscard]] const std::vector<std::size_t>& columns() const { return columns_; }
    // Where the k-th incoming column stands among them.
    [[nodiscard]] std::size_t place(std::size_t k) const { return places_[k]; }

    struct Outcome {
        bool changed = false;
        bool overwritten = false;  // a stored number is now another one, or NULL
        // Position in the row of the first column where the file disagrees and was not followed.
        std::optional<std::size_t> differing;
    };
    Outcome merge(std::span<const double> incoming, bool file_wins,
                  std::vector<double>& into) const {
        Outcome outcome;
        for (std::size_t k = 0; k < incoming.size(); ++k) {
            double& stored = into[places_[k]];
            if (same(stored, incoming[k])) {
                continue;
            }
            if (file_wins || std::isnan(stored)) {
                outcome.overwritten = outcome.overwritten || !std::isnan(stored);
                outcome.changed = true;
                stored = incoming[k];
            } else {
                // NULL in the file for an old day is what a shorter look-back leaves: no quarrel.
                if (!std::isnan(incoming[k]) && !outcome.differing) {
                    outcome.differing = k;
                }
            }
        }
        return outcome;
    }

  private:
    std::vector<std::size_t> columns_;
    std::vector<std::size_t> places_;  // of the incoming columns among columns_
};

}  // namespace

Result<MarketRows> read_market_table(db::Connection& connection, const db::TableSpec& table) {
    MarketRows result;
    result.columns = value_columns(table);
    std::string list;
    for (const std::size_t column : result.columns) {
        list += fmt::format(", CAST(\"{}\" AS DOUBLE)", table.columns[column].name);
    }
    TB_TRY(db::Rows rows,
           connection.query(fmt::format("SELECT \"date\"{} FROM {} ORDER BY \"date\"", list,
                                        table.qualified_name())));
    while (true) {
        TB_TRY(const bool more, rows.next());
        if (!more) {
            return result;
        }
        const auto date = Date::from_iso(rows.get<std::string_view>(0));
        if (!date) {
            continue;  // not written by us, and no day a file could speak of
        }
        result.dates.push_back(*date);
        for (std::size_t i = 0; i < result.columns.size(); ++i) {
            result.values.push_back(rows.get_optional<double>(i + 1).value_or(kNull));
        }
    }
}

namespace {

// One merge of rows into a table: what becomes of each day, and what is said of it.
class Merging {
  public:
    Merging(const db::TableSpec& table, const MarketRows& stored, const MarketRows& rows,
            MergeRule rule)
        : rule_(rule),
          table_(table),
          stored_(stored),
          rows_(rows),
          merger_(table, rows),
          stored_candle_(CandlePlaces::among(table, merger_.columns())),
          file_candle_(CandlePlaces::among(table, rows.columns)),
          newest_(stored.dates.empty() ? std::nullopt : std::optional(stored.dates.back())) {
        for (std::size_t i = 0; i < merger_.columns().size(); ++i) {
            prices_.push_back(is_price_column(table.columns[merger_.columns()[i]].name));
        }
    }

    MergeResult run() {
        result_.changed.columns = merger_.columns();
        for (std::size_t i = 0; i < rows_.dates.size(); ++i) {
            merge_day(rows_.dates[i], rows_.row(i));
        }
        if (rule_ == MergeRule::kSameFileAnew) {
            remove_evenings();
        }
        clear_other_days();
        for (const auto& [date, values] : changed_) {
            result_.changed.dates.push_back(date);
            result_.changed.values.insert(result_.changed.values.end(), values.begin(),
                                          values.end());
        }
        result_.max_date = newest_;
        if (!rows_.dates.empty() && (!newest_ || *newest_ < rows_.dates.back())) {
            result_.max_date = rows_.dates.back();
        }
        write_notes();
        return std::move(result_);
    }
    // Stored days whose rows are replaced.
    [[nodiscard]] const std::vector<Date>& replaced() const { return replaced_; }

  private:
    [[nodiscard]] std::optional<std::size_t> stored_index(Date date) const {
        const auto found = std::lower_bound(stored_.dates.begin(), stored_.dates.end(), date);
        return found != stored_.dates.end() && *found == date
                   ? std::optional(static_cast<std::size_t>(found - stored_.dates.begin()))
                   : std::nullopt;
    }

    // Prices that are none, stored by an earlier version or another program.
    bool clear_prices(std::vector<double>& values) const {
        bool cleared = false;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (prices_[i] && values[i] <= 0) {
                values[i] = kNull;
                cleared = true;
            }
        }
        return cleared;
    }

    void merge_day(Date date, std::span<const double> incoming) {
        const auto index = stored_index(date);
        std::vector<double> values(merger_.columns().size(), kNull);
        if (!index) {
            static_cast<void>(merger_.merge(incoming, true, values));
            ++result_.rows_inserted;
            changed_.emplace(date, std::move(values));
            return;
        }
        const auto old = stored_.row(*index);
        values.assign(old.begin(), old.end());
        const bool broken = judge_candle(stored_candle_, old) != CandleFault::kNone &&
                            file_candle_.any() &&
                            judge_candle(file_candle_, incoming) == CandleFault::kNone;
        const bool cleared = clear_prices(values);
        const bool file_wins =
            broken || rule_ == MergeRule::kSameFileAnew || date >= newest_->plus_days(-1);
        const std::vector<double> before = values;
        const RowMerger::Outcome outcome = merger_.merge(incoming, file_wins, values);
        if (outcome.differing) {
            ++result_.rows_differing;
            name_difference(date, *outcome.differing, before, incoming);
        }
        if (!outcome.changed && !cleared) {
            ++result_.rows_kept;
            return;
        }
        ++result_.rows_updated;
        result_.rows_filled += outcome.overwritten || file_wins || cleared ? 0 : 1;
        if (broken) {
            ++result_.rows_corrected;
            corrected_.push_back(date);
        } else if (cleared) {
            cleared_.push_back(date);
        }
        replaced_.push_back(date);
        changed_.emplace(date, std::move(values));
    }

    void remove_evenings() {
        for (const Date date : stored_.dates) {
            const bool within = !rows_.dates.empty() && date <= rows_.dates.back() &&
                                date >= rows_.dates.front().plus_days(-kLongestClosing);
            if (within && !is_trading_day(date) &&
                !std::binary_search(rows_.dates.begin(), rows_.dates.end(), date)) {
                removed_.push_back(date);
            }
        }
        replaced_.insert(replaced_.end(), removed_.begin(), removed_.end());
        result_.rows_removed = static_cast<std::int64_t>(removed_.size());
    }

    void clear_other_days() {
        for (std::size_t i = 0; i < stored_.dates.size(); ++i) {
            std::vector<double> values(stored_.row(i).begin(), stored_.row(i).end());
            if (changed_.contains(stored_.dates[i]) ||
                std::binary_search(removed_.begin(), removed_.end(), stored_.dates[i]) ||
                !clear_prices(values)) {
                continue;
            }
            cleared_.push_back(stored_.dates[i]);
            replaced_.push_back(stored_.dates[i]);
            changed_.emplace(stored_.dates[i], std::move(values));
        }
    }

    void name_difference(Date date, std::size_t k, std::span<const double> before,
                         std::span<const double> incoming) {
        constexpr std::size_t kNamed = 5;
        if (static_cast<std::size_t>(result_.rows_differing) <= kNamed) {
            differences_ +=
                fmt::format("{}{} {}: {} stored, {} in the file", differences_.empty() ? "" : "; ",
                            date.to_iso(), table_.columns[rows_.columns[k]].name,
                            before[merger_.place(k)], incoming[k]);
        } else if (static_cast<std::size_t>(result_.rows_differing) == kNamed + 1) {
            differences_ += "; ...";
        }
    }

    void write_notes() {
        auto& notes = result_.notes;
        if (result_.rows_differing > 0) {
            notes.push_back(fmt::format(
                "{} older {} other numbers in the file than in the stored history ({}); history "
                "was kept",
                result_.rows_differing, result_.rows_differing == 1 ? "day has" : "days have",
                differences_));
        }
        if (!corrected_.empty()) {
            notes.push_back(
                fmt::format("{} stored {} impossible and {} now as in the file ({})",
                            corrected_.size(), corrected_.size() == 1 ? "day was" : "days were",
                            corrected_.size() == 1 ? "is" : "are", dates_text(corrected_)));
        }
        if (!removed_.empty()) {
            notes.push_back(
                fmt::format("{} stored {} no trading {} and held the evening of the next one, "
                            "where {} now ({})",
                            removed_.size(), removed_.size() == 1 ? "day was" : "days were",
                            removed_.size() == 1 ? "day" : "days",
                            removed_.size() == 1 ? "it is" : "they are", dates_text(removed_)));
        }
        if (!cleared_.empty()) {
            notes.push_back(fmt::format(
                "{} stored {} prices of 0 or below, which are NULL now ({})", cleared_.size(),
                cleared_.size() == 1 ? "day had" : "days had", dates_text(cleared_)));
        }
    }

    // Days between two trading days at most, so long may the first evening lie before its day.
    static constexpr std::int32_t kLongestClosing = 4;

    MergeRule rule_;
    const db::TableSpec& table_;
    const MarketRows& stored_;
    const MarketRows& rows_;
    RowMerger merger_;
    CandlePlaces stored_candle_;
    CandlePlaces file_candle_;
    std::optional<Date> newest_;
    std::vector<bool> prices_;  // which of the table's value columns
    MergeResult result_;
    std::map<Date, std::vector<double>> changed_;
    std::vector<Date> replaced_;
    std::vector<Date> corrected_;
    std::vector<Date> cleared_;
    std::vector<Date> removed_;
    std::string differences_;
};

}  // namespace

Result<MergeResult> merge_market_rows(db::Transaction& transaction, const db::TableSpec& table,
                                      const MarketRows& rows, MergeRule rule) {
    TB_TRY(const MarketRows stored, read_market_table(transaction.connection(), table));
    Merging merging(table, stored, rows, rule);
    MergeResult result = merging.run();
    if (!merging.replaced().empty()) {
        TB_RETURN_IF_ERROR(delete_days(transaction, table, merging.replaced()));
    }
    if (!result.changed.dates.empty()) {
        TB_RETURN_IF_ERROR(append_rows(transaction, table, result.changed));
    }
    return result;
}

}  // namespace tb::market
