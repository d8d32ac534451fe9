// What all analytics tools share: the same argument words, the same reading of them, the rates,
// the frame around every answer (conventions, notes, warnings, freshness, explanations) and how
// long lists are kept inside the budget of an answer.
//
// A tool reads its arguments, asks App::fresh_block for the rows, calls the pure library and builds
// its object; add_frame() then adds what every answer has. Under conventions "reference" answers
// are complete whatever the budget (00 §5).
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/filters.h"
#include "analytics/rates.h"
#include "analytics/returns.h"
#include "analytics/statistics_types.h"
#include "analytics/trade.h"
#include "core/date.h"
#include "mcp/content.h"
#include "mcp/context.h"
#include "mcp/schema.h"
#include "tools/app.h"

namespace tb::tools {

using analytics::Conventions;

// ---- arguments ----

[[nodiscard]] mcp::Field strategy_argument();  // strategy: one name
[[nodiscard]] mcp::Field ticker_argument();    // tickerFilter
// A day, as text: the reference ignores malformed ones, so the check is date_range_argument's.
[[nodiscard]] mcp::Field day_argument(std::string name, const std::string& description);
[[nodiscard]] mcp::Field date_range_object();     // dateRange: {from?, to?}
[[nodiscard]] mcp::Field one_lot_argument();      // normalizeTo1Lot
[[nodiscard]] mcp::Field risk_free_argument();    // riskFreeRateAnnualPct
[[nodiscard]] mcp::Field conventions_argument();  // conventions: correct (default) | reference
[[nodiscard]] mcp::Field explain_argument();      // explain
[[nodiscard]] std::vector<mcp::Field> page_arguments();  // offset, limit, maxChars

[[nodiscard]] Conventions conventions_of(const mcp::Json& arguments);
[[nodiscard]] bool is_reference(const mcp::Json& arguments);
[[nodiscard]] bool wants_explanation(const mcp::Json& arguments);

// Members `from` and `to` of `arguments` (any names). Under kCorrect an error names what is wrong:
// no day, or a range that ends before it begins.
[[nodiscard]] mcp::Outcome<analytics::DateRange> date_range_argument(const mcp::Json& arguments,
                                                                     std::string_view from,
                                                                     std::string_view to,
                                                                     Conventions conventions);
// The object of date_range_object(); empty when the caller left it out.
[[nodiscard]] mcp::Outcome<std::optional<analytics::DateRange>> date_range_object_argument(
    const mcp::Json& arguments, Conventions conventions);

// Echo of an argument: its value, or null when left out.
[[nodiscard]] mcp::Json echo(const mcp::Json& arguments, std::string_view name);

// ---- trades ----

// The error for a strategy the block does not have, with the nearest names; nothing when it has it
// (letter case ignored) or `strategy` is empty. `known`: TradeSet::strategies or a reporting log's.
[[nodiscard]] std::optional<mcp::ToolError> unknown_strategy(
    const std::optional<std::string>& strategy, std::span<const std::string> known,
    std::string_view block_id);

// The capital the trades of a filter start with, as get_statistics measures it (kCorrect): what the
// account held just before the first of them was realized (analytics/selection.h).
[[nodiscard]] analytics::Capital start_capital(const BlockData& block,
                                               const analytics::TradeFilter& filter);

// The error for filters that leave nothing: what was asked for and what the block has.
[[nodiscard]] mcp::ToolError no_trades(const BlockData& block,
                                       const analytics::TradeFilter& filter);

// ---- rates ----

// Where Sharpe and Sortino take the risk-free rate from: the fixed rate given, the daily table
// market.treasury_rates where it has rows, else the built-in monthly averages.
struct RateSource {
    std::shared_ptr<const analytics::RateSeries> series;  // keeps `rates` alive; null unless daily
    analytics::RiskFreeRates rates;
    std::vector<std::string> warnings;  // an unreadable rates file
};
// Brings the market files up to date first (nothing is read while they are unchanged).
[[nodiscard]] mcp::Outcome<RateSource> rate_source(App& app, mcp::ToolContext& context,
                                                   std::optional<double> fixed_pct);
// {mode: "fixed", annualRatePct} or {mode: "historical", series, dataThrough, resolutionCounts,
// rateIs}: as the reference's methodology has it.
[[nodiscard]] mcp::Json rate_source_json(const analytics::RiskFreeRates& rates,
                                         const analytics::ResolutionCounts& resolution,
                                         Conventions conventions);
// "fixed 4 %", "daily FRED_DTB3 through 2026-07-20", …
[[nodiscard]] std::string rate_source_text(const analytics::RiskFreeRates& rates);

// ---- the frame of an answer ----

// How one figure came about, for `explain: true`.
struct Explanation {
    std::string figure;   // path in the answer: "stats.sharpeRatio"
    std::string formula;  // in words and symbols
    mcp::JsonBox inputs;  // object: what went in
    std::int64_t rows = 0;
    std::string basis;  // where the rows come from: "daily log", "trades", …
};

// The day by which an answer files trades under days, weekdays, weeks, months or years. Results are
// filed by closing day wherever nothing else is asked for; live fills meet their backtest trades on
// the day both were opened.
enum class CountedBy { kNothing, kClosingDay, kOpeningDay };

struct AnswerFrame {
    Conventions conventions = Conventions::kCorrect;
    std::vector<const FreshBlock*> blocks = {};  // borrowed
    std::vector<analytics::Note> notes = {};
    std::vector<std::string> warnings = {};
    CountedBy counted_by = CountedBy::kNothing;  // kCorrect: said as `countedBy` and in the text
    bool explain = false;
    std::vector<Explanation> explanations = {};  // used when `explain`
};

// `fields` and the members every analytics tool has: conventions, notes, warnings, syncInfo (with
// several blocks keyed by block id), syncErrors; not published: explain, units (of every number in
// the answer, figure_units.h) and dataVersion.
[[nodiscard]] std::vector<mcp::Field> with_frame(std::vector<mcp::Field> fields);
void add_frame(mcp::Json& result, const AnswerFrame& frame);
// The same for the text: trouble with the sync, then warnings and notes, then the conventions.
[[nodiscard]] std::string frame_text(const AnswerFrame& frame);

// An object with members that are data or too many to publish (06 T3, T13: tools/list stays
// small).
[[nodiscard]] mcp::Field open_object(std::string name, std::string description);
[[nodiscard]] mcp::Field open_list(std::string name, std::string description);

// ---- budget ----

// Characters an answer may use for its object; 0 = complete (command line, reference mode). In
// reference mode this becomes the budget of the context too, so that nothing caps the object: ask
// the context before for the room of the text.
[[nodiscard]] std::size_t answer_budget(mcp::ToolContext& context, Conventions conventions);

// Leaves the rows of result[list] from argument `offset` on, at most `limit`, that keep the whole
// object within `budget`: so the frame must be in already. When rows are missing, result.page says
// {list, offset, shown, total, nextOffset?}.
void page_list(mcp::Json& result, const char* list, const mcp::Json& arguments, std::size_t budget);
[[nodiscard]] mcp::Field page_field();

// 06 T11: at most `most` positions of a series, ascending: the first, the last, those of `always`
// (as many as half the room holds) and, from equal stretches between, the smallest and the largest
// value. All of them when they fit; `most` >= 4.
[[nodiscard]] std::vector<std::size_t> thin_out(std::span<const double> values, std::size_t most,
                                                std::span<const std::size_t> always = {});
inline constexpr std::size_t kDefaultPoints = 200;

// "correct", "reference".
[[nodiscard]] std::string_view conventions_name(Conventions conventions);
// `YYYY-MM-DD`, or under kReference the reference's instant `YYYY-MM-DDT00:00:00.000Z`.
[[nodiscard]] mcp::Json instant_json(std::optional<Date> day, Conventions conventions);

}  // namespace tb::tools
