#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/database.h"
#include "market/journal.h"
#include "market/market_files.h"
#include "support/temp_dir.h"

namespace tb::market {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double kNull = std::numeric_limits<double>::quiet_NaN();

const db::TableSpec& daily() {
    return db::table_spec("market", "spx_daily");
}

struct Row {
    std::string date;
    std::vector<double> values;
};

MarketRows rows_of(const std::vector<std::string>& names, const std::vector<Row>& rows) {
    MarketRows result;
    for (const std::string& name : names) {
        result.columns.push_back(daily().column_index(name));
    }
    for (const Row& row : rows) {
        result.dates.push_back(*Date::from_iso(row.date));
        result.values.insert(result.values.end(), row.values.begin(), row.values.end());
    }
    return result;
}

std::string number(double value) {
    return std::isnan(value) ? "null" : fmt::format("{}", value);
}

class MarketDatabase : public testing::Test {
  protected:
    MarketDatabase() : connection_(open()) {}

    static db::Connection open() {
        auto database = db::Database::open_in_memory();
        EXPECT_TRUE(database.has_value()) << database.error().to_string();
        auto connection = database->connect();
        EXPECT_TRUE(connection.has_value());
        EXPECT_TRUE(connection->execute("CREATE SCHEMA market").has_value());
        for (const MarketFile& file : market_files()) {
            EXPECT_TRUE(db::ensure_table(*connection, market_table(file)).has_value());
        }
        return std::move(*connection);
    }

    MergeResult merge(const MarketRows& rows) {
        auto transaction = db::Transaction::begin(connection_);
        EXPECT_TRUE(transaction.has_value());
        auto result = merge_market_rows(*transaction, daily(), rows);
        EXPECT_TRUE(result.has_value()) << result.error().to_string();
        EXPECT_TRUE(transaction->commit().has_value());
        return std::move(*result);
    }

    // "2024-01-02 4742.83 3" of the named columns.
    std::vector<std::string> stored(const std::vector<std::string>& names) {
        auto rows = read_market_table(connection_, daily());
        EXPECT_TRUE(rows.has_value()) << rows.error().to_string();
        std::vector<std::string> result;
        for (std::size_t i = 0; i < rows->dates.size(); ++i) {
            std::string text = rows->dates[i].to_iso();
            for (const std::string& name : names) {
                text += " " + number(rows->row(i)[daily().column_index(name) - 1]);
            }
            result.push_back(text);
        }
        return result;
    }

    db::Connection connection_;
};

using MarketMerge = MarketDatabase;

TEST_F(MarketMerge, InsertsEverythingIntoAnEmptyTable) {
    const MergeResult result = merge(rows_of(
        {"Close", "Vol_Regime"}, {{"2024-01-02", {4742.83, 3}}, {"2024-01-03", {4704.81, kNull}}}));
    EXPECT_EQ(result.rows_inserted, 2);
    EXPECT_EQ(result.rows_updated + result.rows_kept, 0);
    EXPECT_EQ(result.max_date->to_iso(), "2024-01-03");
    EXPECT_EQ(result.changed.dates.size(), 2U);
    EXPECT_THAT(stored({"Close", "Vol_Regime", "Open"}),
                ElementsAre("2024-01-02 4742.83 3 null", "2024-01-03 4704.81 null null"));
}

TEST_F(MarketMerge, KeepsHistoryThatRollsOutOfTheWindow) {
    merge(rows_of({"Close"}, {{"2024-01-02", {1}}, {"2024-01-03", {2}}, {"2024-01-04", {3}}}));
    const MergeResult result =
        merge(rows_of({"Close"}, {{"2024-01-04", {3}}, {"2024-01-05", {4}}}));
    EXPECT_EQ(result.rows_inserted, 1);
    EXPECT_EQ(result.rows_kept, 1);
    EXPECT_THAT(stored({"Close"}),
                ElementsAre("2024-01-02 1", "2024-01-03 2", "2024-01-04 3", "2024-01-05 4"));
}

TEST_F(MarketMerge, FollowsTheFileFromTheDayBeforeTheNewestStoredDayOn) {
    merge(rows_of({"Close"}, {{"2024-01-02", {1}}, {"2024-01-03", {2}}, {"2024-01-04", {3}}}));
    const MergeResult result = merge(rows_of(
        {"Close"},
        {{"2024-01-02", {10}}, {"2024-01-03", {20}}, {"2024-01-04", {30}}, {"2024-01-05", {40}}}));
    EXPECT_EQ(result.rows_inserted, 1);
    EXPECT_EQ(result.rows_updated, 2);
    EXPECT_EQ(result.rows_filled, 0);
    EXPECT_EQ(result.rows_kept, 1);
    EXPECT_EQ(result.rows_differing, 1);
    EXPECT_THAT(result.notes, ElementsAre(HasSubstr("1 older day has other numbers")));
    EXPECT_THAT(stored({"Close"}),
                ElementsAre("2024-01-02 1", "2024-01-03 20", "2024-01-04 30", "2024-01-05 40"));
    EXPECT_EQ(result.changed.dates.front().to_iso(), "2024-01-03");
}

TEST_F(MarketMerge, NamesTheDaysOnWhichTheFileDisagrees) {
    merge(rows_of({"Open", "Close"}, {{"2024-01-02", {1, 5122}},
                                      {"2024-01-03", {2, 20}},
                                      {"2024-01-04", {3, 30}},
                                      {"2024-01-05", {4, 40}}}));
    const MergeResult result =
        merge(rows_of({"Close"}, {{"2024-01-02", {5125.5}}, {"2024-01-03", {21}}}));
    EXPECT_THAT(result.notes,
                ElementsAre("2 older days have other numbers in the file than in the stored "
                            "history (2024-01-02 Close: 5122 stored, 5125.5 in the file; "
                            "2024-01-03 Close: 20 stored, 21 in the file); history was kept"));
}

TEST_F(MarketMerge, ACorrectedExportReplacesDaysThatCannotHaveBeen) {
    merge(rows_of({"Open", "High", "Low", "Close", "RSI_14"},
                  {{"2024-01-02", {0, 0, 0, 0, 50}},
                   {"2024-01-03", {20, 19, 21, 20, 51}},
                   {"2024-01-04", {22, 21, 19, 20, 52}},
                   {"2024-01-05", {20, 21, 19, 20, 53}},
                   {"2024-01-08", {0, 0, 0, 0, 54}},
                   {"2024-01-09", {20, 21, 19, 20, 55}},
                   {"2024-01-10", {20, 21, 19, 20, 56}},
                   {"2024-01-11", {20, 21, 19, 20, 57}}}));
    const MergeResult result =
        merge(rows_of({"Open", "High", "Low", "Close"}, {{"2024-01-02", {20, 21, 19, 20.5}},
                                                         {"2024-01-03", {20, 22, 19, 20.5}},
                                                         {"2024-01-04", {20.5, 21, 19, 20}},
                                                         {"2024-01-05", {20, 21, 19, 20.75}}}));
    EXPECT_THAT(stored({"Open", "High", "Low", "Close", "RSI_14"}),
                ElementsAre("2024-01-02 20 21 19 20.5 50", "2024-01-03 20 22 19 20.5 51",
                            "2024-01-04 20.5 21 19 20 52", "2024-01-05 20 21 19 20 53",
                            "2024-01-08 null null null null 54", "2024-01-09 20 21 19 20 55",
                            "2024-01-10 20 21 19 20 56", "2024-01-11 20 21 19 20 57"));
    EXPECT_EQ(result.rows_corrected, 3);
    EXPECT_EQ(result.rows_updated, 3);
    EXPECT_EQ(result.rows_differing, 1);
    ASSERT_EQ(result.notes.size(), 3U);
    EXPECT_THAT(result.notes[1], HasSubstr("3 stored days were impossible and are now as in the "
                                           "file (2024-01-02, 2024-01-03, 2024-01-04)"));
    EXPECT_THAT(result.notes[2],
                HasSubstr("prices of 0 or below, which are NULL now (2024-01-08)"));
    EXPECT_EQ(result.changed.dates.size(), 4U) << "the journal gets the cleared day, too";
}

TEST_F(MarketMerge, InsertsOlderDaysThatWereMissing) {
    merge(rows_of({"Close"}, {{"2024-01-02", {1}}, {"2024-01-10", {9}}}));
    const MergeResult result =
        merge(rows_of({"Close"}, {{"2023-12-29", {0.5}}, {"2024-01-05", {4}}}));
    EXPECT_EQ(result.rows_inserted, 2);
    EXPECT_EQ(result.max_date->to_iso(), "2024-01-10");
    EXPECT_THAT(stored({"Close"}),
                ElementsAre("2023-12-29 0.5", "2024-01-02 1", "2024-01-05 4", "2024-01-10 9"));
}

TEST_F(MarketMerge, KeepsColumnsTheFileDoesNotHave) {
    merge(rows_of({"Close", "RSI_14"}, {{"2024-01-02", {1, 51}}, {"2024-01-03", {2, 52}}}));
    merge(rows_of({"Close"}, {{"2024-01-03", {2.5}}}));
    EXPECT_THAT(stored({"Close", "RSI_14"}), ElementsAre("2024-01-02 1 51", "2024-01-03 2.5 52"));
}

TEST_F(MarketMerge, LetsANullOfTheFileReplaceAValueOnlyWhereTheFileWins) {
    merge(rows_of({"Close", "RSI_14"},
                  {{"2024-01-02", {1, 51}}, {"2024-01-03", {2, 52}}, {"2024-01-04", {3, 53}}}));
    const MergeResult result = merge(
        rows_of({"Close", "RSI_14"}, {{"2024-01-02", {1, kNull}}, {"2024-01-04", {3, kNull}}}));
    EXPECT_EQ(result.rows_updated, 1);
    EXPECT_EQ(result.rows_kept, 1);
    EXPECT_EQ(result.rows_differing, 0);
    EXPECT_THAT(stored({"Close", "RSI_14"}),
                ElementsAre("2024-01-02 1 51", "2024-01-03 2 52", "2024-01-04 3 null"));
}

TEST_F(MarketMerge, FillsNullsOfHistoryWhenAColumnIsAddedToTheExport) {
    merge(rows_of({"Close"}, {{"2024-01-02", {1}}, {"2024-01-03", {2}}, {"2024-01-04", {3}}}));
    const MergeResult result =
        merge(rows_of({"Close", "Trend_Score"},
                      {{"2024-01-02", {99, 4}}, {"2024-01-03", {2, -5}}, {"2024-01-04", {3, 6}}}));
    EXPECT_EQ(result.rows_updated, 3);
    EXPECT_EQ(result.rows_filled, 1);
    EXPECT_EQ(result.rows_differing, 1);
    EXPECT_THAT(stored({"Close", "Trend_Score"}),
                ElementsAre("2024-01-02 1 4", "2024-01-03 2 -5", "2024-01-04 3 6"));
}

TEST_F(MarketMerge, DoesNothingTheSecondTime) {
    const MarketRows rows =
        rows_of({"Close", "Month"}, {{"2024-01-02", {0.1, 1}}, {"2024-01-03", {kNull, kNull}}});
    merge(rows);
    const MergeResult again = merge(rows);
    EXPECT_EQ(again.rows_kept, 2);
    EXPECT_EQ(again.rows_inserted + again.rows_updated, 0);
    EXPECT_THAT(again.changed.dates, IsEmpty());
}

TEST_F(MarketMerge, LeavesTheTableAloneWhenItsTransactionIsRolledBack) {
    merge(rows_of({"Close"}, {{"2024-01-02", {1}}}));
    {
        auto transaction = db::Transaction::begin(connection_);
        ASSERT_TRUE(transaction.has_value());
        const auto result = merge_market_rows(
            *transaction, daily(), rows_of({"Close"}, {{"2024-01-02", {2}}, {"2024-01-03", {3}}}));
        ASSERT_TRUE(result.has_value());
    }
    EXPECT_THAT(stored({"Close"}), ElementsAre("2024-01-02 1"));
}

TEST_F(MarketMerge, StoresMoreRowsThanOneChunkHolds) {
    MarketRows rows = rows_of({"Close"}, {});
    for (int i = 0; i < 5000; ++i) {
        rows.dates.push_back(Date(10'000 + i));
        rows.values.push_back(i + 0.25);
    }
    EXPECT_EQ(merge(rows).rows_inserted, 5000);
    const auto all = read_market_table(connection_, daily());
    ASSERT_TRUE(all.has_value());
    ASSERT_EQ(all->dates.size(), 5000U);
    EXPECT_EQ(all->row(4999)[daily().column_index("Close") - 1], 4999.25);
}

TEST_F(MarketMerge, AgreesWithTheRuleWrittenDownNaively) {
    for (unsigned seed = 1; seed <= 25; ++seed) {
        std::mt19937 random(seed);
        ASSERT_TRUE(connection_.execute("DELETE FROM market.spx_daily").has_value());
        std::map<Date, double> model;
        for (int step = 0; step < 4; ++step) {
            std::map<Date, double> window;
            for (unsigned i = random() % 8; i > 0; --i) {
                window[Date(19'000 + static_cast<int>(random() % 12))] =
                    static_cast<double>(1 + random() % 50);
            }
            MarketRows rows = rows_of({"Close"}, {});
            const std::optional<Date> newest =
                model.empty() ? std::nullopt : std::optional(model.rbegin()->first);
            for (const auto& [date, value] : window) {
                rows.dates.push_back(date);
                rows.values.push_back(value);
                if (!newest || model.count(date) == 0 || date.days() >= newest->days() - 1) {
                    model[date] = value;
                }
            }
            const MergeResult result = merge(rows);
            EXPECT_EQ(result.rows_inserted + result.rows_updated + result.rows_kept,
                      static_cast<std::int64_t>(window.size()));
        }
        std::vector<std::string> expected;
        for (const auto& [date, value] : model) {
            expected.push_back(date.to_iso() + " " + number(value));
        }
        EXPECT_EQ(stored({"Close"}), expected) << "seed " << seed;
    }
}

class MarketHistoryJournal : public MarketDatabase {
  protected:
    std::string text() const { return temp_.read(".tradeblocks/market-history/spx_daily.csv"); }

    // A merge as the sync engine does it.
    void sync(const MarketRows& rows) {
        auto transaction = db::Transaction::begin(connection_);
        ASSERT_TRUE(transaction.has_value());
        const auto merged = merge_market_rows(*transaction, daily(), rows);
        ASSERT_TRUE(merged.has_value());
        ASSERT_TRUE(journal_.mark("spx_daily").has_value());
        ASSERT_TRUE(transaction->commit().has_value());
        const auto appended = journal_.append("spx_daily", merged->changed);
        ASSERT_TRUE(appended.has_value()) << appended.error().to_string();
    }

    std::vector<JournalLoad> load_into_new_database() {
        connection_ = open();
        auto transaction = db::Transaction::begin(connection_);
        EXPECT_TRUE(transaction.has_value());
        auto loads = load_journals(*transaction, journal_);
        EXPECT_TRUE(loads.has_value()) << loads.error().to_string();
        EXPECT_TRUE(transaction->commit().has_value());
        return loads.has_value() ? *loads : std::vector<JournalLoad>();
    }

    std::vector<std::string> lines() const {
        std::vector<std::string> result;
        std::string all = text();
        for (std::size_t at = 0; at < all.size();) {
            const std::size_t end = all.find('\n', at);
            result.push_back(all.substr(at, end - at));
            at = end == std::string::npos ? all.size() : end + 1;
        }
        return result;
    }

    test::TempDir temp_;
    MarketJournal journal_{temp_.path()};
};

TEST_F(MarketHistoryJournal, IsAPlainCsvWithTheColumnsOfTheTable) {
    sync(rows_of({"Prior_Close", "Open", "Vol_Regime"},
                 {{"2024-01-02", {4769.83, 4745.2, 3}}, {"2024-01-03", {kNull, 0.1, kNull}}}));
    const auto written = lines();
    ASSERT_EQ(written.size(), 3U);
    std::string header;
    for (const db::ColumnSpec& column : daily().columns) {
        header += (header.empty() ? "" : ",") + std::string(column.name);
    }
    EXPECT_EQ(written[0], header + ",line_check");
    EXPECT_THAT(written[1], testing::StartsWith("2024-01-02,4769.83,4745.2,,,"));
    EXPECT_THAT(written[2], testing::StartsWith("2024-01-03,,0.1,,,"));
}

TEST_F(MarketHistoryJournal, RestoresANewDatabaseToTheLastRowOfEveryDay) {
    sync(rows_of({"Close", "Month"}, {{"2024-01-02", {1.5, 1}}, {"2024-01-03", {2.5, 1}}}));
    sync(rows_of({"Close"}, {{"2024-01-03", {2.75}}, {"2024-01-04", {1.0 / 3}}}));
    const auto before = stored({"Close", "Month"});
    const auto loads = load_into_new_database();
    ASSERT_EQ(loads.size(), 1U);
    EXPECT_EQ(loads[0].table, "spx_daily");
    EXPECT_EQ(loads[0].rows_loaded, 3);
    EXPECT_EQ(loads[0].lines_ignored, 0);
    EXPECT_EQ(stored({"Close", "Month"}), before);
}

TEST_F(MarketHistoryJournal, NeverReplacesRowsThatAreThere) {
    sync(rows_of({"Close"}, {{"2024-01-02", {1}}, {"2024-01-03", {2}}}));
    connection_ = open();
    merge(rows_of({"Close"}, {{"2024-01-03", {7}}}));
    auto transaction = db::Transaction::begin(connection_);
    const auto loads = load_journals(*transaction, journal_);
    ASSERT_TRUE(loads.has_value());
    ASSERT_TRUE(transaction->commit().has_value());
    EXPECT_EQ((*loads)[0].rows_loaded, 1);
    EXPECT_EQ((*loads)[0].rows_present, 1);
    EXPECT_THAT(stored({"Close"}), ElementsAre("2024-01-02 1", "2024-01-03 7"));
}

TEST_F(MarketHistoryJournal, IsSilentWhereThereIsNone) {
    EXPECT_THAT(load_into_new_database(), IsEmpty());
    EXPECT_FALSE(journal_.behind());
    const auto healed = journal_.heal(connection_);
    ASSERT_TRUE(healed.has_value());
    EXPECT_EQ(*healed, 0);
}

TEST_F(MarketHistoryJournal, CutAnywhereGivesBackEveryWholeLine) {
    sync(rows_of({"Close"}, {{"2024-01-02", {1.25}}, {"2024-01-03", {2.25}}}));
    const std::string whole = text();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        temp_.write(".tradeblocks/market-history/spx_daily.csv", whole.substr(0, size));
        const auto rows = journal_.read("spx_daily");
        ASSERT_TRUE(rows.has_value());
        const auto newlines =
            std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size), '\n');
        EXPECT_EQ(static_cast<std::ptrdiff_t>(rows->dates.size()),
                  std::max<std::ptrdiff_t>(newlines - 1, 0))
            << size;
    }
}

TEST_F(MarketHistoryJournal, GoesOnBehindATornLine) {
    sync(rows_of({"Close"}, {{"2024-01-02", {1}}, {"2024-01-03", {2}}}));
    const std::string whole = text();
    temp_.write(".tradeblocks/market-history/spx_daily.csv", whole.substr(0, whole.size() - 9));
    sync(rows_of({"Close"}, {{"2024-01-04", {3}}}));
    const auto loads = load_into_new_database();
    EXPECT_EQ(loads[0].lines_ignored, 0);
    EXPECT_THAT(stored({"Close"}), ElementsAre("2024-01-02 1", "2024-01-04 3"));
}

TEST_F(MarketHistoryJournal, IgnoresDamagedLines) {
    sync(rows_of({"Close", "Month"}, {{"2024-01-02", {1, 1}}, {"2024-01-03", {2, 1}}}));
    const auto written = lines();
    std::string damaged_number = written[1];
    damaged_number.replace(damaged_number.find(",1,"), 3, ",1x,");
    temp_.write(".tradeblocks/market-history/spx_daily.csv",
                written[0] + "\n" + damaged_number + "\n" + std::string(40, '\0') +
                    "\n2024-01-09,1\n" + written[2] + "\n" + "2024-02-30" + written[2].substr(10) +
                    "\n");
    const auto loads = load_into_new_database();
    EXPECT_EQ(loads[0].lines_ignored, 4);
    EXPECT_THAT(stored({"Close"}), ElementsAre("2024-01-03 2"));
}

TEST_F(MarketHistoryJournal, MayHaveBeenSavedByASpreadsheet) {
    sync(rows_of({"Close"}, {{"2024-01-02", {1}}, {"2024-01-03", {2}}}));
    std::string saved = "\xEF\xBB\xBF";
    for (const std::string& line : lines()) {
        saved += line + "\r\n";
    }
    temp_.write(".tradeblocks/market-history/spx_daily.csv", saved);
    sync(rows_of({"Close"}, {{"2024-01-04", {3}}}));
    const auto loads = load_into_new_database();
    EXPECT_EQ(loads[0].lines_ignored, 0);
    EXPECT_THAT(stored({"Close"}), ElementsAre("2024-01-02 1", "2024-01-03 2", "2024-01-04 3"));
}

TEST_F(MarketHistoryJournal, HealsAfterACrashBetweenCommitAndAppend) {
    sync(rows_of({"Close"}, {{"2024-01-02", {1}}}));
    ASSERT_TRUE(journal_.mark("spx_daily").has_value());
    merge(rows_of({"Close"}, {{"2024-01-02", {1.5}}, {"2024-01-03", {2}}}));
    EXPECT_TRUE(journal_.behind());
    const auto healed = journal_.heal(connection_);
    ASSERT_TRUE(healed.has_value()) << healed.error().to_string();
    EXPECT_EQ(*healed, 2);
    EXPECT_FALSE(journal_.behind());
    load_into_new_database();
    EXPECT_THAT(stored({"Close"}), ElementsAre("2024-01-02 1.5", "2024-01-03 2"));
}

TEST_F(MarketHistoryJournal, HealsAfterARollBackBehindTheMark) {
    sync(rows_of({"Close"}, {{"2024-01-02", {1}}}));
    const std::string before = text();
    ASSERT_TRUE(journal_.mark("spx_daily").has_value());
    const auto healed = journal_.heal(connection_);
    ASSERT_TRUE(healed.has_value());
    EXPECT_EQ(*healed, 0);
    EXPECT_FALSE(journal_.behind());
    EXPECT_EQ(text(), before);
}

TEST_F(MarketHistoryJournal, IsRewrittenWhenItIsMoreThanTwiceAsLongAsItsDays) {
    MarketRows many = rows_of({"Close"}, {});
    for (int i = 0; i < 400; ++i) {
        many.dates.push_back(Date(15'000 + i));
        many.values.push_back(i);
    }
    for (int round = 0; round < 4; ++round) {
        for (double& value : many.values) {
            value += 0.5;
        }
        ASSERT_TRUE(journal_.append("spx_daily", many).has_value());
    }
    EXPECT_EQ(lines().size(), 1601U);
    ASSERT_TRUE(journal_.append("spx_daily", many).has_value());
    EXPECT_EQ(lines().size(), 401U);
    const auto rows = journal_.read("spx_daily");
    ASSERT_TRUE(rows.has_value());
    EXPECT_EQ(rows->dates.size(), 400U);
    EXPECT_EQ(rows->row(399)[daily().column_index("Close") - 1], 401);
}

TEST_F(MarketHistoryJournal, TakesUpColumnsOfAnotherProgramVersion) {
    temp_.write(".tradeblocks/market-history/spx_daily.csv",
                "date,Close,Retired_Column\n2024-01-02,1.5,9\n");
    sync(rows_of({"Close"}, {{"2024-01-03", {2.5}}}));
    const auto written = lines();
    ASSERT_EQ(written.size(), 3U);
    EXPECT_THAT(written[0], testing::StartsWith("date,Prior_Close,Open,"));
    load_into_new_database();
    EXPECT_THAT(stored({"Close"}), ElementsAre("2024-01-02 1.5", "2024-01-03 2.5"));
}

TEST_F(MarketHistoryJournal, IsRemovedOnRequest) {
    sync(rows_of({"Close"}, {{"2024-01-02", {1}}}));
    ASSERT_TRUE(journal_.remove("spx_daily").has_value());
    ASSERT_TRUE(journal_.remove("spx_daily").has_value()) << "twice is fine";
    EXPECT_THAT(load_into_new_database(), IsEmpty());
}

TEST_F(MarketHistoryJournal, SaysWhyItCannotBeWritten) {
    temp_.write(".tradeblocks", "a file where the folder should be");
    const auto marked = journal_.mark("spx_daily");
    ASSERT_FALSE(marked.has_value());
    EXPECT_EQ(marked.error().code, ErrorCode::kIo);
    const auto appended = journal_.append("spx_daily", rows_of({"Close"}, {{"2024-01-02", {1}}}));
    ASSERT_FALSE(appended.has_value());
    EXPECT_EQ(appended.error().code, ErrorCode::kIo);
}

TEST_F(MarketHistoryJournal, GivesBackEveryBitOfArbitraryNumbers) {
    std::mt19937_64 random(7);
    MarketRows rows = rows_of({"Close"}, {});
    for (int i = 0; i < 5000; ++i) {
        const std::uint64_t bits = random();
        double value = 0;
        std::memcpy(&value, &bits, sizeof value);
        rows.dates.push_back(Date(7305 + i));
        rows.values.push_back(std::isfinite(value) ? value : kNull);
    }
    ASSERT_TRUE(journal_.append("spx_daily", rows).has_value());
    const auto back = journal_.read("spx_daily");
    ASSERT_TRUE(back.has_value());
    ASSERT_EQ(back->dates, rows.dates);
    for (std::size_t i = 0; i < rows.dates.size(); ++i) {
        const double close = back->row(i)[daily().column_index("Close") - 1];
        ASSERT_TRUE(close == rows.values[i] || (std::isnan(close) && std::isnan(rows.values[i])))
            << rows.values[i];
    }
}

}  // namespace
}  // namespace tb::market
