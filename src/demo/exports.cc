#include "demo/exports.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include <fmt/format.h>

#include "demo/random.h"

namespace tb::demo {

namespace {

std::string text_of(std::int64_t value) {
    return decimal_text(value, 0);
}
std::string time_text(std::int32_t seconds) {
    return TimeOfDay(seconds).to_iso();
}

// Rounds half away from zero; `decimals` of them fewer than in `value`.
std::int64_t divide_rounded(std::int64_t value, std::int64_t by) {
    return value >= 0 ? (value + by / 2) / by : -((-value + by / 2) / by);
}

// A fill `seconds` later than planned, with the fraction digits live logs have (5 to 7).
std::string timestamp_text(Date date, std::int32_t seconds, Random& random) {
    const std::int64_t fraction = random.between(0, 9'999'999);
    std::string digits = fmt::format("{:07}", fraction);
    digits.resize(static_cast<std::size_t>(random.between(5, 7)));
    return fmt::format("{}T{}.{}", date.to_iso(), time_text(seconds), digits);
}

}  // namespace

std::string decimal_text(std::int64_t value, int decimals) {
    std::array<char, 24> buffer{};
    const bool negative = value < 0;
    auto* const end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), negative ? -value : value).ptr;
    std::string digits(buffer.data(), end);
    if (decimals > 0) {
        const auto places = static_cast<std::size_t>(decimals);
        if (digits.size() <= places) {
            digits.insert(0, places + 1 - digits.size(), '0');
        }
        digits.insert(digits.size() - places, 1, '.');
        digits.erase(digits.find_last_not_of('0') + 1);
        if (digits.back() == '.') {
            digits.pop_back();
        }
    }
    return negative && value != 0 ? "-" + digits : digits;
}

void append_csv_row(std::string& out, std::span<const std::string> cells, std::string_view eol) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) {
            out += ',';
        }
        const std::string& cell = cells[i];
        if (cell.find_first_of(",\"\r\n") == std::string::npos) {
            out += cell;
            continue;
        }
        out += '"';
        for (const char c : cell) {
            if (c == '"') {
                out += '"';
            }
            out += c;
        }
        out += '"';
    }
    out += eol;
}

Row trade_log_header(bool with_vix) {
    Row header{"Date Opened",
               "Time Opened",
               "Opening Price",
               "Legs",
               "Premium",
               "Closing Price",
               "Date Closed",
               "Time Closed",
               "Avg. Closing Cost",
               "Reason For Close",
               "P/L",
               "No. of Contracts",
               "Funds at Close",
               "Margin Req.",
               "Strategy",
               "Opening Commissions + Fees",
               "Closing Commissions + Fees",
               "Opening Short/Long Ratio",
               "Closing Short/Long Ratio"};
    if (with_vix) {
        header.insert(header.end(), {"Opening VIX", "Closing VIX"});
    }
    header.insert(header.end(), {"Gap", "Movement", "Max Profit", "Max Loss"});
    return header;
}

Row trade_log_row(const SampleTrade& trade, std::int64_t funds_cents, bool with_vix) {
    Row row{trade.date_opened.to_iso(),
            time_text(trade.time_opened),
            decimal_text(trade.opening_price, 2),
            trade.legs,
            text_of(trade.premium),
            decimal_text(trade.closing_price, 2),
            trade.date_closed.to_iso(),
            time_text(trade.time_closed),
            text_of(trade.closing_cost),
            std::string(trade.reason),
            decimal_text(trade.pl, 2),
            text_of(trade.contracts),
            decimal_text(funds_cents, 2),
            decimal_text(trade.margin, 2),
            std::string(trade.strategy),
            decimal_text(trade.opening_fees, 2),
            decimal_text(trade.closing_fees, 2),
            decimal_text(trade.ratio_open_milli, 3),
            decimal_text(trade.ratio_close_milli, 3)};
    if (with_vix) {
        row.push_back(decimal_text(trade.opening_vix, 2));
        row.push_back(decimal_text(trade.closing_vix, 2));
    }
    row.push_back(decimal_text(trade.gap, 2));
    row.push_back(decimal_text(trade.movement, 2));
    row.push_back(decimal_text(trade.max_profit_bp, 2));
    row.push_back(decimal_text(trade.max_loss_bp, 2));
    return row;
}

std::vector<std::int64_t> funds_after(std::span<const SampleTrade> trades,
                                      std::int64_t start_cents) {
    std::vector<std::size_t> order(trades.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(trades[a].date_closed, trades[a].time_closed) <
               std::pair(trades[b].date_closed, trades[b].time_closed);
    });
    std::vector<std::int64_t> funds(trades.size());
    std::int64_t account = start_cents;
    for (const std::size_t index : order) {
        account += trades[index].pl;
        funds[index] = account;
    }
    return funds;
}

std::vector<Row> trade_log(std::span<const SampleTrade> trades, std::int64_t start_cents,
                           bool with_vix) {
    const std::vector<std::int64_t> funds = funds_after(trades, start_cents);
    std::vector<Row> rows{trade_log_header(with_vix)};
    for (std::size_t i = trades.size(); i-- > 0;) {
        rows.push_back(trade_log_row(trades[i], funds[i], with_vix));
    }
    return rows;
}

std::vector<Row> daily_log(std::span<const SampleTrade> trades, const MarketPath& path,
                           std::int64_t start_cents) {
    std::vector<Row> rows{{"Date", "Net Liquidity", "Current Funds", "Withdrawn", "Trading Funds",
                           "P/L", "P/L %", "Drawdown %"}};
    if (trades.empty()) {
        return rows;
    }
    Date last = trades.front().date_closed;
    for (const SampleTrade& trade : trades) {
        last = std::max(last, trade.date_closed);
    }
    std::int64_t account = start_cents;
    std::int64_t peak = start_cents;
    for (const TradingDay& day : path.days()) {
        if (day.date < trades.front().date_opened || day.date > last) {
            continue;
        }
        std::int64_t pl = 0;
        for (const SampleTrade& trade : trades) {
            pl += trade.date_closed == day.date ? trade.pl : 0;
        }
        const std::int64_t before = account;
        account += pl;
        peak = std::max(peak, account);
        const std::string funds = decimal_text(account, 2);
        rows.push_back({day.date.to_iso(), funds, funds, "0", funds, decimal_text(pl, 2),
                        decimal_text(divide_rounded(pl * 10'000, before), 2),
                        decimal_text(divide_rounded((account - peak) * 10'000, peak), 2)});
    }
    return rows;
}

std::vector<Row> reporting_log(std::span<const SampleTrade> trades, std::uint64_t seed) {
    std::vector<Row> rows{{"Strategy", "Date Opened", "Opening Price", "Legs", "Initial Premium",
                           "No. of Contracts", "P/L", "Closing Price", "Date Closed",
                           "Avg. Closing Cost", "Reason For Close"}};
    for (std::size_t i = trades.size(); i-- > 0;) {
        const SampleTrade& trade = trades[i];
        Random random({seed, i, 11});
        const std::int64_t premium = trade.premium - 5 * random.between(0, 2);
        const std::int64_t cost =
            trade.closing_cost == 0 ? 0 : trade.closing_cost + 5 * random.between(0, 3);
        const std::int64_t pl =
            trade.contracts * (premium - cost) * 100 - trade.opening_fees - trade.closing_fees;
        const auto delay = static_cast<std::int32_t>(random.between(2, 55));
        rows.push_back({std::string(trade.strategy),
                        timestamp_text(trade.date_opened, trade.time_opened + delay, random),
                        decimal_text(trade.opening_price + random.between(-60, 60), 2), trade.legs,
                        decimal_text(premium, 2), text_of(trade.contracts), decimal_text(pl, 2),
                        decimal_text(trade.closing_price + random.between(-60, 60), 2),
                        timestamp_text(trade.date_closed, trade.time_closed + delay, random),
                        decimal_text(-cost, 2), std::string(trade.reason)});
    }
    return rows;
}

std::vector<Row> tat_log(std::span<const SampleTrade> trades, std::uint64_t seed) {
    std::vector<Row> rows{{"TradeID",    "Account",    "OpenDate",   "OpenTime",     "CloseDate",
                           "CloseTime",  "TradeType",  "Symbol",     "ShortPut",     "LongPut",
                           "ShortCall",  "LongCall",   "Qty",        "TotalPremium", "PriceOpen",
                           "PriceClose", "ProfitLoss", "Commission", "BuyingPower",  "Status",
                           "Template",   "Strategy"}};
    for (std::size_t i = trades.size(); i-- > 0;) {
        const SampleTrade& trade = trades[i];
        Random random({seed, i, 13});
        // "3 Oct 8 6725 P STO 4.45 | ...": the strike is the fourth word, the type the fifth.
        std::array<std::string, 4> strikes;  // short put, long put, short call, long call
        for (std::string_view rest = trade.legs; !rest.empty();) {
            const std::size_t bar = rest.find(" | ");
            const std::string_view leg = rest.substr(0, bar);
            rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 3);
            std::size_t at = 0;
            for (int word = 0; word < 3; ++word) {
                at = leg.find(' ', at) + 1;
            }
            const std::size_t end = leg.find(' ', at);
            const bool is_call = leg[end + 1] == 'C';
            const bool is_short = leg.substr(end + 3, 3) == "STO";
            strikes[(is_call ? 2U : 0U) + (is_short ? 0U : 1U)] = leg.substr(at, end - at);
        }
        const std::int64_t premium = trade.premium - 5 * random.between(0, 1);
        const std::int64_t pl = trade.contracts * (premium - trade.closing_cost) * 100 -
                                trade.opening_fees - trade.closing_fees;
        const auto us_date = [](Date date) {
            const auto [year, month, day] = date.ymd();
            return fmt::format("{}/{}/{}", month, day, year);
        };
        rows.push_back({text_of(48'210 + static_cast<std::int64_t>(i)),
                        "IB:U0000001",
                        us_date(trade.date_opened),
                        time_text(trade.time_opened),
                        us_date(trade.date_closed),
                        time_text(trade.time_closed),
                        strikes[2].empty() ? "PutSpread" : "IronCondor",
                        "SPX",
                        strikes[0],
                        strikes[1],
                        strikes[2],
                        strikes[3],
                        text_of(trade.contracts),
                        decimal_text(premium * trade.contracts, 2),
                        decimal_text(premium, 2),
                        decimal_text(trade.closing_cost, 2),
                        decimal_text(pl, 2),
                        decimal_text(trade.opening_fees + trade.closing_fees, 2),
                        decimal_text(trade.margin, 2),
                        trade.reason == "Stop Loss" ? "Stopped" : std::string(trade.reason),
                        std::string(trade.strategy),
                        "SPX 0DTE"});
    }
    return rows;
}

std::string to_csv(std::span<const Row> rows, std::string_view eol) {
    std::string text;
    for (const Row& row : rows) {
        append_csv_row(text, row, eol);
    }
    return text;
}

}  // namespace tb::demo
