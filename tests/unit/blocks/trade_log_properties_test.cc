// Properties of ingest that hold for any bytes: every row is accounted for, and how the file is cut
// into pieces never matters.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "../csv/naive_reader.h"
#include "collect.h"
#include "csv/decoder.h"

namespace tb::blocks {
namespace {

using Trades = test::Ingested<TradeRecord>;

// Rows that are sometimes good, sometimes not, and sometimes no rows at all.
rc::Gen<std::string> trade_text() {
    const auto line = rc::gen::oneOf(
        rc::gen::element<std::string>(
            "2024-01-02,5,2024-01-03,x", "2024-02-30,5,,", ",,,", "", "2024-01-04,abc,,",
            "2024-01-05,,,", "2024-01-06,1,2,3,4,5", "Date Opened,P/L,Date Closed,Strategy",
            "1/2/2024,\"1,234.5\"", "2024-01-07,\"7\"x,,", "2024-01-08,7,\"a\nb\",c", "Total,5"),
        rc::gen::container<std::string>(rc::gen::element<char>('2', '0', '-', ',', '"', ' ', '\r',
                                                               '\n', 'a', '\0', '\xE9', ';')));
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(line),
                        [](const std::vector<std::string>& lines) {
                            std::string text = "Date Opened,P/L,Date Closed,Strategy\n";
                            for (const auto& each : lines) {
                                text += each + "\n";
                            }
                            return text;
                        });
}

TEST(TradeLogProperty, EveryRowOfAnyFileIsStoredOrSkipped) {
    EXPECT_TRUE(rc::check([] {
        const std::string text = *trade_text();
        Trades got;
        test::ingest_into(got, text);
        const IngestReport& report = got.report;
        if (report.outcome == IngestOutcome::kComplete) {
            RC_ASSERT(static_cast<std::size_t>(report.rows_stored) == got.rows.size());
        }
        if (report.outcome != IngestOutcome::kIncomplete) {
            // Counted by the naive reader, on the decoded text.
            csv::Decoder decoder(test::detect(text));
            std::string decoded(decoder.decode(std::as_bytes(std::span(text))).value());
            const auto rows = csv::test::NaiveReader(decoded, {}).read_all().rows;
            RC_ASSERT(report.data_rows + 1 == static_cast<std::int64_t>(rows.size()));
            RC_ASSERT(report.data_rows == report.rows_stored + report.rows_skipped);
            RC_ASSERT(report.rows_repaired <= report.rows_stored);
        }
        std::int64_t skipped = 0;
        for (const RowIssue& issue : report.issues) {
            skipped += issue.action == IssueAction::kSkipped ? 1 : 0;
            RC_ASSERT(!issue.reason.empty());
        }
        if (report.outcome == IngestOutcome::kComplete) {
            RC_ASSERT(skipped == report.rows_skipped);
        } else {
            RC_ASSERT((report.rows_stored == 0 || report.outcome == IngestOutcome::kIncomplete));
        }
    }));
}

bool same(const TradeRecord& a, const TradeRecord& b) {
    return a.source_line == b.source_line && a.date_opened == b.date_opened && a.pl == b.pl &&
           a.date_closed == b.date_closed && a.strategy == b.strategy &&
           a.extra_json == b.extra_json;
}

TEST(TradeLogProperty, PiecesOfTheFileDoNotMatter) {
    EXPECT_TRUE(rc::check([] {
        std::string text = *trade_text();
        if (*rc::gen::arbitrary<bool>()) {
            std::replace(text.begin(), text.end(), ',', ';');
        }
        Trades whole;
        Trades pieces;
        test::ingest_into(whole, text);
        test::ingest_into(pieces, text, {}, *rc::gen::inRange<std::size_t>(1, 12));
        RC_ASSERT(whole.report.outcome == pieces.report.outcome);
        RC_ASSERT(whole.report.rejection == pieces.report.rejection);
        RC_ASSERT(whole.report.issues_total == pieces.report.issues_total);
        RC_ASSERT(whole.report.notes == pieces.report.notes);
        RC_ASSERT(std::equal(whole.rows.begin(), whole.rows.end(), pieces.rows.begin(),
                             pieces.rows.end(), same));
    }));
}

}  // namespace
}  // namespace tb::blocks
