#include "demo/messy_rows.h"

#include <cstddef>
#include <string_view>

namespace tb::demo {

namespace {

struct Edit {
    std::size_t row;  // 1 = first data row
    std::size_t column;
    std::string_view text;
};

constexpr std::size_t kDateOpened = 0;
constexpr std::size_t kTimeOpened = 1;
constexpr std::size_t kPremium = 4;
constexpr std::size_t kDateClosed = 6;
constexpr std::size_t kTimeClosed = 7;
constexpr std::size_t kPl = 10;
constexpr std::size_t kContracts = 11;
constexpr std::size_t kMargin = 13;
constexpr std::size_t kStrategy = 14;
constexpr std::size_t kOpeningFees = 15;

constexpr Edit kEdits[] = {
    // Read without a word: only written differently.
    {2, kPl, "$1,200.50"},
    {3, kPl, "(200.50)"},
    {5, kTimeOpened, "9:35 AM"},
    {6, kMargin, "$ 12,345"},
    {7, kStrategy, "Lunch \"Special\", wide"},
    // Kept, with a note.
    {10, kContracts, "2.5"},
    {11, kContracts, ""},
    {12, kMargin, "12abc"},
    {13, kTimeOpened, "noon"},
    {14, kDateClosed, "2025-02-30"},
    {15, kPremium, "1.234,56"},
    {16, kOpeningFees, "N/A"},
    {17, kContracts, "0"},
    {18, kTimeClosed, "25:99:00"},
    {19, kDateClosed, "soon"},
    // Cannot be used: skipped, with a reason.
    {20, kPl, "N/A"},
    {21, kPl, ""},
    {22, kPl, "1e309"},
    {23, kDateOpened, "2024-02-30"},
    {24, kDateOpened, "45293"},
    {25, kPl, "--5"},
};

}  // namespace

bool make_messy(std::vector<Row>& rows) {
    if (rows.size() < 45 || rows.front().size() < 20) {
        return false;
    }
    for (const Edit& edit : kEdits) {
        rows[edit.row][edit.column] = edit.text;
    }
    // The same day, the American way: 2025-01-15 -> 1/15/2025.
    const YearMonthDay day = Date::from_iso(rows[4][kDateOpened]).value_or(Date()).ymd();
    rows[4][kDateOpened] = decimal_text(day.month, 0) + "/" + decimal_text(day.day, 0) + "/" +
                           decimal_text(day.year, 0);
    const std::size_t columns = rows.front().size();
    rows[26].resize(columns - 2);  // too few cells: the last two are missing
    rows.insert(rows.begin() + 30, rows.front());
    rows.insert(rows.begin() + 35, Row{""});  // blank line: silently passed over
    rows.push_back(Row{"Total", "", "", "", "", "", "", "", "", "", "4711"});
    return true;
}

}  // namespace tb::demo
