#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "market/market_files.h"

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
        TB_CHECK(count == 1, "a day that was read is gone within its transaction");
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

    struct Outcome {
        bool changed = false;
        bool overwritten = false;  // a stored number is now another one, or NULL
        bool differing = false;    // the file disagrees and was not followed
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
                outcome.differing = outcome.differing || !std::isnan(incoming[k]);
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

Result<MergeResult> merge_market_rows(db::Transaction& transaction, const db::TableSpec& table,
                                      const MarketRows& rows) {
    TB_TRY(const MarketRows stored, read_market_table(transaction.connection(), table));
    const RowMerger merger(table, rows);
    MergeResult result;
    result.changed.columns = merger.columns();
    const std::optional<Date> newest =
        stored.dates.empty() ? std::nullopt : std::optional(stored.dates.back());
    std::vector<Date> replaced;
    for (std::size_t i = 0; i < rows.dates.size(); ++i) {
        const Date date = rows.dates[i];
        const auto found = std::lower_bound(stored.dates.begin(), stored.dates.end(), date);
        const bool present = found != stored.dates.end() && *found == date;
        std::vector<double> values(merger.columns().size(), kNull);
        if (present) {
            const auto old = stored.row(static_cast<std::size_t>(found - stored.dates.begin()));
            values.assign(old.begin(), old.end());
        }
        const bool file_wins = !present || date >= newest->plus_days(-1);
        const RowMerger::Outcome outcome = merger.merge(rows.row(i), file_wins, values);
        result.rows_differing += outcome.differing ? 1 : 0;
        if (present && !outcome.changed) {
            ++result.rows_kept;
            continue;
        }
        if (present) {
            ++result.rows_updated;
            result.rows_filled += outcome.overwritten || file_wins ? 0 : 1;
            replaced.push_back(date);
        } else {
            ++result.rows_inserted;
        }
        result.changed.dates.push_back(date);
        result.changed.values.insert(result.changed.values.end(), values.begin(), values.end());
    }
    if (!replaced.empty()) {
        TB_RETURN_IF_ERROR(delete_days(transaction, table, replaced));
    }
    if (!result.changed.dates.empty()) {
        TB_RETURN_IF_ERROR(append_rows(transaction, table, result.changed));
    }
    result.max_date = newest;
    if (!rows.dates.empty() && (!newest || *newest < rows.dates.back())) {
        result.max_date = rows.dates.back();
    }
    if (result.rows_differing > 0) {
        result.notes.push_back(fmt::format(
            "{} older {} other numbers in the file than in the stored history; history was kept",
            result.rows_differing, result.rows_differing == 1 ? "day has" : "days have"));
    }
    return result;
}

}  // namespace tb::market
