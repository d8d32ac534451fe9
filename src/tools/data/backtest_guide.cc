#include "tools/data/backtest_guide.h"

#include <array>

#include "core/text.h"

namespace tb::tools {

namespace {

constexpr std::array kTopics{
    GuideTopic{"overview", "Overview",
               R"(## Underlyings and data
SPY, SPX (PM-settled contracts only), QQQ, IWM, AAPL and TSLA, from 2013-01-01 to the previous
trading day. New days arrive between 3 and 5 am Eastern.

## Prices
Mid prices of the consolidated options feed (OPRA), minute by minute. Signals are judged at the
open of each minute between 09:30 and 16:00 Eastern. Fills at mid are optimistic: give slippage
a value.

## Days to expiration
Counted in calendar days: a Friday entry for Monday is 3 DTE.

## What to distrust
March 2020 and spring 2025 were unusually volatile. Look at results with and without them, and
do not tune to them.
)"},
    GuideTopic{"strategies", "Strategies",
               R"(## Ready-made structures
Single legs, vertical spreads, iron condor and iron fly, straddle and strangle, calendar and
double calendar, butterfly, ratio spread, jade lizard.

## Custom structures
Up to eight legs, each with its own side, quantity, expiration and way of choosing the strike.

## Child legs
A leg can follow another one: by an offset in points, by an exact offset (locked: no trade if
that strike is missing), or by its own delta or premium with a greatest width.
)"},
    GuideTopic{"strike_selection", "Strike Selection",
               R"(## By delta
The strike whose delta is nearest to the target at entry.

## By distance
A percentage out of the money, or an offset in points from a parent leg.

## By premium
The strike whose price is nearest to a fixed premium.

## Rounding and expiration
Strikes can be rounded to multiples (5, 10, 25). The expiration nearest to the target DTE is
taken; where the target does not exist, check what was really traded in the legs of the log.
)"},
    GuideTopic{"entry_conditions", "Entry Conditions",
               R"(## Time
Between 9:32 and 15:59 Eastern, at a fixed or floating time, several times a day if wanted.

## Days
Daily, weekly, monthly, or on listed dates.

## Volatility
VIX level, its overnight or intraday move, VIX9D/VIX ratio.

## Indicators
RSI, SMA (over days), EMA (over minutes), with the underlying above or below.

## Price action
Opening-range breakout, overnight gap in percent, intraday move in percent.

## Premium
Short/long ratio of the structure at entry.
)"},
    GuideTopic{"exit_conditions", "Exit Conditions",
               R"(## Profit target and stop
In percent of premium, in dollars, or as the price of the closing order.

## Trailing stop
Fixed or recalculated, from the start or after a first profit.

## Per-leg stop
Each short leg can have its own; 0-DTE stops on SPX and SPY can be judged within the minute.

## Staged actions
Profit and time rules in steps: at a DTE, after days or minutes, close part or adjust.

## Market exits
Indicator, move of the underlying, short strike tested, delta, VIX, short/long ratio.

## Re-entry
After an exit, with delay, time window and a cap per day. Re-entries are trades of their own in
the log.
)"},
    GuideTopic{"risk_controls", "Risk Controls",
               R"(## Costs
Commissions per contract, and slippage separately for entry, exit and stop. P/L in the exported
log is after fees.

## Quotes
Greatest bid-ask spread (10,000 basis points by default); optionally two hits in a row before a
stop counts.

## Premium limits
Least and greatest premium; profits and losses of single trades can be capped.

## Blackout days
FOMC, monthly expirations, holidays, earnings, or own dates.
)"},
    GuideTopic{"capital_allocation", "Capital Allocation",
               R"(## Size of a trade
Starting funds, percent of margin per trade, greatest number of contracts.

## Limits on the whole
Greatest share of the account in use, greatest number of open trades; optionally the oldest
trade makes room.

## Ignoring margin
Trades are taken whatever the account holds. Percent figures then say little: look at dollars
per contract.
)"},
    GuideTopic{"leg_groups", "Leg Groups",
               R"(## What they are
One entry whose legs are closed in several independent groups, such as the two sides of an iron
condor with their own stops.

## In the log
Each group may appear as a row of its own with the same opening time. Rows are never merged
here: counts are rows, not entries.
)"},
    GuideTopic{"exporting", "Exporting",
               R"(## Trade log
Export the trade log of the backtest as CSV into a new folder of the data directory, named
tradelog.csv. The folder's name is the block.

## Daily log and live fills
The daily log goes beside it as dailylog.csv, an export of live trades as reportinglog.csv.
Exports with other names are recognised by their header.

## Then
Call list_blocks: new and changed files are read by themselves. import_csv copies a file from
elsewhere.
)"},
};

}  // namespace

std::span<const GuideTopic> guide_topics() {
    return kTopics;
}

std::string sections_about(std::string_view content, std::string_view words) {
    const std::string wanted = ascii_lower(trim(words));
    std::string found;
    std::size_t begin = 0;
    while (begin < content.size()) {
        std::size_t end = content.find("\n## ", begin);
        end = end == std::string_view::npos ? content.size() : end + 1;
        const std::string_view section = content.substr(begin, end - begin);
        if (ascii_lower(section).find(wanted) != std::string::npos) {
            found += section;
        }
        begin = end;
    }
    return found.empty() ? std::string(content) : found;
}

std::string guide_document() {
    std::string text = "# From backtest to block\n";
    for (const GuideTopic& topic : kTopics) {
        text.append("\n# ").append(topic.title).append("\n\n").append(topic.content);
    }
    return text;
}

}  // namespace tb::tools
