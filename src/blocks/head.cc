#include "blocks/head.h"

#include <fmt/format.h>

#include "blocks/columns.h"
#include "blocks/discovery.h"
#include "core/text.h"
#include "csv/decoder.h"
#include "csv/encoding.h"
#include "csv/file_kind.h"
#include "csv/reader.h"

namespace tb::blocks {

namespace {

constexpr std::size_t kStatementBytes = 2048;

// Names of the columns without which a file of this role cannot be read, if any are missing.
std::string missing_columns(FileRole role, std::span<const std::string> header) {
    if (role == FileRole::kReportingLog && is_tat_header(header)) {
        return {};
    }
    const auto specs = role == FileRole::kTradeLog   ? trade_columns()
                       : role == FileRole::kDailyLog ? daily_columns()
                                                     : reporting_columns();
    return fmt::format("{}",
                       fmt::join(map_header(header, specs, Preference::kCanonical).missing, ", "));
}

// The cells of the first record with anything in it, and of the one behind it.
struct FirstRecords {
    csv::ReadStatus status = csv::ReadStatus::kEnd;
    bool terminated = false;
    std::vector<std::string> header;
    std::vector<std::string> row;
};

FirstRecords first_records(std::string_view text, bool complete,
                           const std::optional<csv::HeaderPlace>& place) {
    csv::RecordReader reader;
    reader.feed(text);
    if (complete) {
        reader.finish();
    }
    if (place) {
        reader.start_at(place->offset, place->lines, place->delimiter);
    }
    FirstRecords first;
    csv::Record record;
    first.status = reader.next(record);
    if (first.status != csv::ReadStatus::kRecord) {
        return first;
    }
    first.terminated = record.terminated;
    first.header.assign(record.cells.begin(), record.cells.end());
    if (reader.next(record) == csv::ReadStatus::kRecord) {
        first.row.assign(record.cells.begin(), record.cells.end());
    }
    return first;
}

Result<std::string> decode_head(std::span<const std::byte> bytes, bool whole) {
    csv::EncodingDetector detector;
    detector.update(bytes);
    csv::Encoding encoding = detector.finish();
    // The head may end inside a character without anything being wrong.
    if (encoding == csv::Encoding::kWindows1252 && detector.valid_utf8_so_far()) {
        encoding = csv::Encoding::kUtf8;
    }
    csv::Decoder decoder(encoding);
    TB_TRY(const std::string_view front, decoder.decode(bytes));
    std::string text(front);
    if (whole) {
        if (const auto rest = decoder.finish()) {
            text.append(*rest);
        }
    }
    return text;
}

}  // namespace

std::string statement_words(std::string_view text) {
    const std::string front = ascii_lower(utf8_prefix(text, kStatementBytes));
    const std::string_view first_line =
        std::string_view(front).substr(0, front.find_first_of("\r\n"));
    const auto says = [](std::string_view where, std::string_view what) {
        return where.find(what) != std::string_view::npos;
    };
    const bool statement = says(first_line, "statement") || says(first_line, "account") ||
                           says(first_line, "brokerage") || says(front, "account statement") ||
                           says(front, "cash balance") || says(front, "account trade history") ||
                           says(front, "transactions for account") ||
                           says(first_line, "clientaccountid");
    return statement ? "it looks like an account statement" : std::string();
}

std::string_view wanted_columns(FileRole role) {
    switch (role) {
        case FileRole::kTradeLog:
            return "Date Opened and P/L";
        case FileRole::kDailyLog:
            return "Date and Net Liquidity";
        case FileRole::kReportingLog:
            break;
    }
    return "Date Opened and P/L (or TradeID, ProfitLoss and BuyingPower)";
}

Result<FileHead> look_at_head(std::span<const std::byte> bytes, bool whole) {
    FileHead head;
    if (const std::string other = csv::not_a_csv(csv::recognise_file(bytes)); !other.empty()) {
        head.why = other;
        return head;
    }
    TB_TRY(const std::string text, decode_head(bytes, whole));
    const auto is_ours = [](std::span<const std::string> cells) {
        const auto role = classify_header(cells, {});
        return role.has_value() && missing_columns(*role, cells).empty();
    };
    const auto place = csv::find_header(text, whole, is_ours);
    const FirstRecords first = first_records(text, whole, place);
    if (first.status == csv::ReadStatus::kEnd) {
        head.kind = FileHead::Kind::kUndecided;
        return head;
    }
    if (first.status == csv::ReadStatus::kRecord) {
        if (const auto role = classify_header(first.header, first.row)) {
            return FileHead{FileHead::Kind::kRole, *role, missing_columns(*role, first.header), {}};
        }
        if (!first.terminated) {
            head.kind = FileHead::Kind::kUndecided;
            return head;
        }
    }
    const std::string statement = statement_words(text);
    head.why = fmt::format("is not recognised by its header and not used{}{}",
                           statement.empty() ? "" : ": ", statement);
    return head;
}

}  // namespace tb::blocks
