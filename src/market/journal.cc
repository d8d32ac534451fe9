#include "market/journal.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "core/check.h"
#include "core/number.h"
#include "core/sha256.h"
#include "core/unique_fd.h"

namespace tb::market {

namespace {

// A journal may hold this many lines more than twice its days before it is rewritten.
constexpr std::size_t kCompactionSlack = 1000;
constexpr std::string_view kFolder = ".tradeblocks/market-history";
constexpr std::string_view kCheckColumn = "line_check";

tl::unexpected<Error> io_error(int error, std::string_view what,
                               const std::filesystem::path& path) {
    return make_error(ErrorCode::kIo,
                      fmt::format("{}: {}", what, std::generic_category().message(error)),
                      path.string());
}

const db::TableSpec& spec_of(std::string_view table) {
    return db::table_spec("market", table);
}

std::string header_line(const db::TableSpec& table) {
    std::string line;
    for (const db::ColumnSpec& column : table.columns) {
        line += line.empty() ? "" : ",";
        line += column.name;
    }
    return line + "," + std::string(kCheckColumn) + "\n";
}

void append_number(std::string& out, double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    out.append(text.data(), end.ptr);
}

// First 32 bits of the SHA-256 of the day's numbers by name, in decimal: older programs take the
// column for one they do not know only if it is a number. Columns without a value do not count, so
// that those of a later version change nothing.
std::string check_of(const db::TableSpec& table, Date date, std::span<const std::size_t> columns,
                     std::span<const double> values) {
    std::string text = date.to_iso();
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const auto found = std::find(columns.begin(), columns.end(), i);
        if (found == columns.end()) {
            continue;
        }
        const double value = values[static_cast<std::size_t>(found - columns.begin())];
        if (!std::isnan(value)) {
            text += fmt::format(",{}=", table.columns[i].name);
            append_number(text, value);
        }
    }
    const std::string hex = sha256_hex(std::as_bytes(std::span(text)));
    std::uint32_t bits = 0;
    std::from_chars(hex.data(), hex.data() + 8, bits, 16);
    return std::to_string(bits);
}

void append_line(std::string& out, const db::TableSpec& table, Date date,
                 std::span<const std::size_t> columns, std::span<const double> values) {
    const std::size_t key = table.column_index("date");
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        out += i == 0 ? "" : ",";
        if (i == key) {
            out += date.to_iso();
            continue;
        }
        const auto found = std::find(columns.begin(), columns.end(), i);
        const double value = found == columns.end()
                                 ? std::numeric_limits<double>::quiet_NaN()
                                 : values[static_cast<std::size_t>(found - columns.begin())];
        if (!std::isnan(value)) {
            append_number(out, value);
        }
    }
    out += ',' + check_of(table, date, columns, values) + '\n';
}

// A cell that a spreadsheet has put in quotes.
std::string_view unquoted(std::string_view cell) {
    return cell.size() >= 2 && cell.starts_with('"') && cell.ends_with('"')
               ? cell.substr(1, cell.size() - 2)
               : cell;
}

std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> cells;
    while (true) {
        const std::size_t comma = line.find(',');
        cells.push_back(unquoted(line.substr(0, comma)));
        if (comma == std::string_view::npos) {
            return cells;
        }
        line.remove_prefix(comma + 1);
    }
}

// How many lines that could not be read are named.
constexpr std::int64_t kMostNamed = 5;

struct Journal {
    std::map<Date, std::vector<double>> days;  // one value per column of the table but the key
    std::vector<std::size_t> columns;
    std::size_t lines = 0;
    std::int64_t ignored = 0;
    std::string ignored_lines;  // for people, the first few
    bool current_header = false;
    bool ends_with_newline = true;

    void ignore(std::size_t line, std::string_view date, std::string_view why) {
        if (++ignored <= kMostNamed) {
            ignored_lines += fmt::format("{}line {}{}: {}", ignored_lines.empty() ? "" : "; ", line,
                                         date.empty() ? "" : fmt::format(" ({})", date), why);
        }
    }
};

// What the cells of a journal's lines are.
struct Cells {
    std::vector<std::optional<std::size_t>> places;  // of each cell among Journal::columns
    std::optional<std::size_t> key;
    std::optional<std::size_t> check;
};

Cells read_header(const db::TableSpec& table, const Journal& journal, std::string_view line) {
    Cells cells;
    for (const std::string_view name : split(line)) {
        if (name == "date") {
            cells.key = cells.places.size();
        } else if (name == kCheckColumn) {
            cells.check = cells.places.size();
        }
        const auto found =
            std::find_if(journal.columns.begin(), journal.columns.end(),
                         [&](std::size_t column) { return table.columns[column].name == name; });
        cells.places.push_back(
            found == journal.columns.end()
                ? std::nullopt
                : std::optional(static_cast<std::size_t>(found - journal.columns.begin())));
    }
    return cells;
}

struct Line {
    std::string_view date_text;
    std::optional<Date> date;
    std::vector<double> values;  // one per table column but the key
    std::string_view problem;    // empty: a line that is to be taken
};

Line parse_line(const db::TableSpec& table, std::string_view text, const Cells& cells,
                const std::vector<std::size_t>& columns) {
    Line line;
    const std::vector<std::string_view> parts = split(text);
    if (parts.size() != cells.places.size()) {
        line.problem = "not whole";
        return line;
    }
    line.date_text = parts[*cells.key].substr(0, 20);
    line.date = Date::from_iso(parts[*cells.key]);
    if (!line.date) {
        line.problem = "no date as it was written (YYYY-MM-DD)";
        return line;
    }
    line.values.assign(columns.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i == cells.key || i == cells.check || parts[i].empty()) {
            continue;
        }
        const auto value = parse_double(parts[i]);
        if (!value) {
            line.problem = "a cell that is no number";
            return line;
        }
        if (const auto place = cells.places[i]) {
            if (table.columns[columns[*place]].type == db::TypeId::kInteger &&
                (std::trunc(*value) != *value || std::fabs(*value) > 2147483647.0)) {
                line.problem = "a cell that is no whole number";
                return line;
            }
            line.values[*place] = *value;
        }
    }
    if (cells.check && !parts[*cells.check].empty() &&
        parts[*cells.check] != check_of(table, *line.date, columns, line.values)) {
        line.problem =
            "its values are not those it was written with (edited or damaged; with the last cell "
            "emptied they are taken as they are)";
    }
    return line;
}

Journal parse_journal(const db::TableSpec& table, std::string_view text) {
    Journal journal;
    const std::size_t key = table.column_index("date");
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (i != key) {
            journal.columns.push_back(i);
        }
    }
    journal.ends_with_newline = text.empty() || text.ends_with('\n');
    journal.current_header = text.starts_with(header_line(table));
    if (text.starts_with(kByteOrderMark)) {
        text.remove_prefix(kByteOrderMark.size());
    }
    std::optional<Cells> cells;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) {
            journal.ignore(number, {}, "not whole");  // torn: it was never flushed as a whole
            break;
        }
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (line.ends_with('\r')) {  // saved by an editor or a spreadsheet
            line.remove_suffix(1);
        }
        if (!cells) {
            cells = read_header(table, journal, line);
            if (!cells->key) {
                // Nothing behind it can be told apart.
                journal.ignore(number, {},
                               "no header of a journal (comma-separated, with a column date), so "
                               "that nothing of the file can be read");
                break;
            }
            continue;
        }
        ++journal.lines;
        Line row = parse_line(table, line, *cells, journal.columns);
        if (row.problem.empty()) {
            journal.days.insert_or_assign(*row.date, std::move(row.values));
        } else {
            journal.ignore(number, row.date_text, row.problem);
        }
    }
    return journal;
}

Result<Journal> read_journal(FileSystem& fs, const std::filesystem::path& data_dir,
                             const std::filesystem::path& path, const db::TableSpec& table) {
    const auto file = fs.open_inside(data_dir, path);
    if (!file) {
        if (file.error().code == ErrorCode::kNotFound) {
            return parse_journal(table, "");
        }
        return tl::unexpected<Error>(file.error());
    }
    TB_TRY(const std::string text, read_whole_file(**file, path, kMaxJournalBytes));
    return parse_journal(table, text);
}

MarketRows to_rows(const Journal& journal) {
    MarketRows rows;
    rows.columns = journal.columns;
    for (const auto& [date, values] : journal.days) {
        rows.dates.push_back(date);
        rows.values.insert(rows.values.end(), values.begin(), values.end());
    }
    return rows;
}

std::string render(const db::TableSpec& table, const MarketRows& rows) {
    std::string text;
    for (std::size_t i = 0; i < rows.dates.size(); ++i) {
        append_line(text, table, rows.dates[i], rows.columns, rows.row(i));
    }
    return text;
}

Result<void> append_to_file(const std::filesystem::path& path, std::string_view text) {
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    if (!fd.valid()) {
        return io_error(errno, "cannot open", path);
    }
    while (!text.empty()) {
        const ssize_t written = ::write(fd.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return io_error(errno, "cannot write", path);
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fsync(fd.get()) == 0 ? Result<void>{} : io_error(errno, "cannot flush", path);
}

Result<void> flush_folder(const std::filesystem::path& folder) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid() || ::fsync(fd.get()) != 0) {
        return io_error(errno, "cannot flush", folder);
    }
    return {};
}

// Lines that this program cannot read may say something to people.
Result<void> keep_unread(const std::filesystem::path& path) {
    for (int i = 1; i <= 1000; ++i) {
        std::filesystem::path kept = path;
        kept += fmt::format(".unread-{}", i);
        if (::link(path.c_str(), kept.c_str()) == 0) {
            return {};
        }
        if (errno == EEXIST) {
            continue;
        }
        std::error_code failed;  // a file system without links
        std::filesystem::copy_file(path, kept, failed);
        return failed ? io_error(failed.value(), "cannot keep a copy of", path) : Result<void>{};
    }
    return io_error(EEXIST, "cannot keep a copy of", path);
}

bool same_row(std::span<const double> a, std::span<const double> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
        return x == y || (std::isnan(x) && std::isnan(y));
    });
}

}  // namespace

MarketJournal::MarketJournal(const std::filesystem::path& data_dir, FileSystem& fs)
    : data_dir_(data_dir), folder_(data_dir / kFolder), fs_(fs) {}

bool MarketJournal::usable() const {
    const auto inside = check_inside(data_dir_, folder_);
    return inside.has_value() || inside.error().code != ErrorCode::kRefused;
}

std::filesystem::path MarketJournal::path(std::string_view table) const {
    return folder_ / fmt::format("{}.csv", table);
}

std::filesystem::path MarketJournal::mark_path(std::string_view table) const {
    return folder_ / fmt::format("{}.behind", table);
}

Result<void> MarketJournal::prepare_folder() const {
    return make_folders_inside(data_dir_, kFolder);
}

Result<void> MarketJournal::mark(std::string_view table) {
    static_cast<void>(spec_of(table));
    TB_RETURN_IF_ERROR(prepare_folder());
    const UniqueFd fd(::open(mark_path(table).c_str(),
                             O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
    if (!fd.valid() || ::fsync(fd.get()) != 0) {
        return io_error(errno, "cannot create", mark_path(table));
    }
    return flush_folder(folder_);
}

Result<void> MarketJournal::unmark(std::string_view table) const {
    if (::unlink(mark_path(table).c_str()) != 0 && errno != ENOENT) {
        return io_error(errno, "cannot remove", mark_path(table));
    }
    return {};
}

Result<bool> MarketJournal::write_rows(std::string_view table, const MarketRows& changed) const {
    const db::TableSpec& spec = spec_of(table);
    TB_TRY(Journal journal, read_journal(fs_, data_dir_, path(table), spec));
    const std::size_t lines = journal.lines + changed.dates.size();
    for (std::size_t i = 0; i < changed.dates.size(); ++i) {
        std::vector<double>& day = journal.days[changed.dates[i]];
        day.assign(journal.columns.size(), std::numeric_limits<double>::quiet_NaN());
        for (std::size_t k = 0; k < changed.columns.size(); ++k) {
            const auto place =
                std::find(journal.columns.begin(), journal.columns.end(), changed.columns[k]);
            TB_CHECK(place != journal.columns.end(), "a market row names a column the table lacks");
            day[static_cast<std::size_t>(place - journal.columns.begin())] = changed.row(i)[k];
        }
    }
    const bool too_long = lines > 2 * journal.days.size() + kCompactionSlack;
    if (journal.current_header && journal.ends_with_newline && !too_long) {
        TB_RETURN_IF_ERROR(append_to_file(path(table), render(spec, changed)));
        return true;
    }
    if (journal.ignored > 0) {
        TB_RETURN_IF_ERROR(keep_unread(path(table)));
    }
    TB_RETURN_IF_ERROR(
        write_file_atomically(path(table), header_line(spec) + render(spec, to_rows(journal))));
    return journal.ignored == 0;
}

Result<void> MarketJournal::append(std::string_view table, const MarketRows& changed) {
    if (!changed.dates.empty()) {
        TB_RETURN_IF_ERROR(prepare_folder());
        TB_TRY(const bool whole, write_rows(table, changed));
        if (!whole) {
            return mark(table);  // heal() writes again what the damaged lines held
        }
    }
    return unmark(table);
}

bool MarketJournal::behind() const {
    return std::any_of(market_files().begin(), market_files().end(), [&](const MarketFile& file) {
        return fs_.stat(mark_path(file.table)).has_value();
    });
}

bool MarketJournal::missing(std::string_view table) const {
    const auto stat = fs_.stat(path(table));
    return !stat.has_value() && stat.error().code == ErrorCode::kNotFound;
}

Result<std::int64_t> MarketJournal::heal(db::Connection& connection) {
    std::int64_t healed = 0;
    for (const MarketFile& file : market_files()) {
        if (!fs_.stat(mark_path(file.table)) && !missing(file.table)) {
            continue;
        }
        const db::TableSpec& table = market_table(file);
        TB_TRY(const MarketRows stored, read_market_table(connection, table));
        TB_TRY(const Journal journal, read_journal(fs_, data_dir_, path(file.table), table));
        MarketRows missing;
        missing.columns = stored.columns;
        for (std::size_t i = 0; i < stored.dates.size(); ++i) {
            const auto row = stored.row(i);
            const auto known = journal.days.find(stored.dates[i]);
            if (known == journal.days.end() || !same_row(known->second, row)) {
                missing.dates.push_back(stored.dates[i]);
                missing.values.insert(missing.values.end(), row.begin(), row.end());
            }
        }
        healed += static_cast<std::int64_t>(missing.dates.size());
        TB_RETURN_IF_ERROR(append(file.table, missing));
    }
    return healed;
}

Result<void> MarketJournal::remove(std::string_view table) {
    static_cast<void>(spec_of(table));
    if (::unlink(path(table).c_str()) != 0 && errno != ENOENT) {
        return io_error(errno, "cannot remove", path(table));
    }
    return unmark(table);
}

Result<MarketRows> MarketJournal::read(std::string_view table, JournalLoad* load) const {
    TB_TRY(const Journal journal, read_journal(fs_, data_dir_, path(table), spec_of(table)));
    if (load != nullptr) {
        load->lines_ignored = journal.ignored;
        load->ignored = journal.ignored_lines;
        if (journal.ignored > kMostNamed) {
            load->ignored += fmt::format("; and {} more", journal.ignored - kMostNamed);
        }
    }
    return to_rows(journal);
}

Result<std::vector<JournalLoad>> load_journals(db::Transaction& transaction,
                                               const MarketJournal& journal) {
    std::vector<JournalLoad> loads;
    for (const MarketFile& file : market_files()) {
        JournalLoad load;
        load.table = std::string(file.table);
        TB_TRY(const MarketRows rows, journal.read(file.table, &load));
        if (rows.dates.empty() && load.lines_ignored == 0) {
            continue;
        }
        const db::TableSpec& table = market_table(file);
        TB_TRY(const MarketRows stored, read_market_table(transaction.connection(), table));
        MarketRows fresh;
        fresh.columns = rows.columns;
        for (std::size_t i = 0; i < rows.dates.size(); ++i) {
            if (!std::binary_search(stored.dates.begin(), stored.dates.end(), rows.dates[i])) {
                fresh.dates.push_back(rows.dates[i]);
                fresh.values.insert(fresh.values.end(), rows.row(i).begin(), rows.row(i).end());
            }
        }
        load.rows_loaded = static_cast<std::int64_t>(fresh.dates.size());
        load.rows_present = static_cast<std::int64_t>(rows.dates.size()) - load.rows_loaded;
        TB_TRY(const MergeResult merged, merge_market_rows(transaction, table, fresh));
        if (merged.rows_inserted != load.rows_loaded) {
            return make_error(
                ErrorCode::kDatabase,
                fmt::format("{} of {} days of the journal could be put into {}",
                            merged.rows_inserted, load.rows_loaded, table.qualified_name()));
        }
        loads.push_back(std::move(load));
    }
    return loads;
}

}  // namespace tb::market
