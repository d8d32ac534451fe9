#include "hostile_directory.h"

#include <fmt/format.h>

#include "core/date.h"

namespace tb::tools {

namespace {

constexpr std::string_view kHeader =
    "Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,Time Closed,"
    "Avg. Closing Cost,Reason For Close,P/L,No. of Contracts,Funds at Close,Margin Req.,Strategy,"
    "Opening Commissions + Fees,Closing Commissions + Fees,Opening Short/Long Ratio,"
    "Closing Short/Long Ratio,Opening VIX,Closing VIX,Gap,Movement,Max Profit,Max Loss\n";
constexpr std::string_view kDailyHeader =
    "Date,Net Liquidity,Current Funds,Withdrawn,Trading Funds,P/L,P/L %,Drawdown %\n";
constexpr std::string_view kReportingHeader =
    "Strategy,Date Opened,Opening Price,Legs,Initial Premium,No. of Contracts,P/L,Date Closed,"
    "Time Opened\n";

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        out += c == '"' ? "\"\"" : std::string(1, c);
    }
    return out + "\"";
}

}  // namespace

std::size_t HostileDirectory::below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
}

std::string HostileDirectory::amount() {
    static const std::vector<std::string> kOdd = {
        "1e308", "-1e308", "1e-308",  "-1e-308", "1.7976931348623157e308",
        "1e75",  "-1e76",  "1e16",    "0",       "-0",
        "",      "NaN",    "nan",     "inf",     "-Infinity",
        "1e999", "--5",    "$(1e12)", "5e-324",  "0.001",
    };
    return below(3) == 0 ? one_of(kOdd) : fmt::format("{}", static_cast<int>(below(4000)) - 2000);
}

std::string HostileDirectory::day() {
    static const std::vector<std::string> kOdd = {"1990-01-02", "2100-12-31", "1900-01-01",
                                                  "2024-02-29", "2023-02-29", "9999-12-31"};
    return below(4) == 0 ? one_of(kOdd)
                         : Date(19'000 + static_cast<std::int32_t>(below(900))).to_iso();
}

std::string HostileDirectory::odd_text(std::size_t length) {
    static const std::vector<std::string> kPieces = {
        "\x1b]0;title\x07",
        "\xC2\x9B"
        "31m",
        "\xE2\x80\xAE"
        "rtl",
        "\xF3\xA0\x81\x81",
        "\xF0\x9F\x98\x80",
        "\xE2\x80\x8D",
        "|",
        "\\",
        "<script>",
        "Ignore all rules",
        "\xD8\xA7\xD9\x84",
        "\x01",
        "x",
        "\xEF\xBB\xBF",
        "'; DROP TABLE x; --",
        "\n",
        "\r\n",
        "\t",
        "\"",
        "{}",
    };
    std::string text;
    while (text.size() < length) {
        text += one_of(kPieces);
    }
    return text;
}

std::string HostileDirectory::block_name() {
    const int number = ++blocks_;
    switch (below(6)) {
        case 0:
            return fmt::format("b{} \xE2\x80\xAE\xF0\x9F\x98\x80 \x1b[31m", number);
        case 1:
            return fmt::format("b{}", number) + std::string(240, 'n');
        case 2:
            return fmt::format("b{} 'quoted\" | \\ name\n{{}}", number);
        default:
            return fmt::format("b{}", number);
    }
}

std::string HostileDirectory::trade_row(const std::string& strategy, const std::string& ticker) {
    const std::string opened = day();
    return fmt::format(
        "{},09:{:02}:00,{},1 Mar 13 {} P STO 3.35,{},{},{},15:4{}:00,{},Expired,{},{},{},{},{},{},"
        "{},{},{},{},{},{},{},{},{}\n",
        opened, below(60), amount(), 4000 + below(1000), amount(), amount(),
        below(3) == 0 ? day() : opened, below(10), amount(), amount(), 1 + below(9), amount(),
        amount(), quoted(strategy + ticker), amount(), amount(), amount(), amount(), amount(),
        amount(), amount(), amount(), amount(), amount(), amount());
}

void HostileDirectory::add_good_block() {
    std::string trades(kHeader);
    std::string daily(kDailyHeader);
    std::string fills(kReportingHeader);
    double funds = 100'000;
    for (int i = 0; i < 80; ++i) {
        const std::string date = Date(19'723 + i).to_iso();
        const int pl = (i * 7919) % 401 - 180;
        const char* const name = i % 2 == 0 ? "Condor" : "Spread";
        funds += pl;
        trades += fmt::format(
            "{0},09:35:00,4700,1 Mar 13 4650 P STO 3.35 | 1 Mar 13 4600 P BTO 1.10,225,4710,{0},"
            "15:45:00,0,Expired,{1},1,{2},5000,{3},1.5,1.5,1,1,14,15,0.1,0.2,50,-20\n",
            date, pl, funds, name);
        daily += fmt::format("{0},{1},{1},0,{1},{2},0.1,-0.1\n", date, funds, pl);
        fills += fmt::format(
            "{1},{0},4700,1 Mar 13 4650 P STO 3.30 | 1 Mar 13 4600 P BTO 1.15,-215,1,{2},{0},"
            "09:35:20\n",
            date, name, pl - 3);
    }
    const std::string id(kGood);
    dir_.write(id + "/tradelog.csv", trades);
    dir_.write(id + "/dailylog.csv", daily);
    dir_.write(id + "/reportinglog.csv", fills);
}

std::string HostileDirectory::add_extreme_amounts() {
    const std::string id = block_name();
    std::string rows(kHeader);
    for (std::size_t i = 1 + below(60); i > 0; --i) {
        rows += trade_row(one_of<std::string>({"A", "B", "C", ""}), "");
    }
    // The smallest such file there is.
    for (const char* const pl : {"1e308", "1e308"}) {
        rows += fmt::format("2024-01-0{},,,x,,,2024-01-03,,,,{},1,1e308,1e308,A,,,,,,,,,,\n",
                            1 + below(3), pl);
    }
    dir_.write(id + "/tradelog.csv", rows);
    return id;
}

std::string HostileDirectory::add_huge_cells() {
    const std::string id = block_name();
    std::string rows(kHeader);
    for (int i = 0; i < 8; ++i) {
        const std::string name = odd_text(300 + below(3000));
        rows += fmt::format("2024-01-0{},,,{},{},,2024-01-09,,,{},{},1,1000,100,{},,,,,,,,,,\n",
                            1 + i, quoted(std::string(1 + below(20'000), 'L')),
                            std::string(1 + below(400), '9'), quoted(odd_text(2000)), i * 10 - 20,
                            quoted(below(2) == 0 ? std::string(5000, 's') + name : name));
    }
    dir_.write(id + "/tradelog.csv", rows);
    return id;
}

std::string HostileDirectory::add_many_strategies(std::size_t count) {
    const std::string id = block_name();
    std::string rows(kHeader);
    std::string fills(kReportingHeader);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string date = Date(19'000 + static_cast<std::int32_t>(i % 500)).to_iso();
        const std::string name = fmt::format("Strategy {} of {} with a name of some length {}", i,
                                             count, std::string(i % 60, 'z'));
        rows += fmt::format(
            "{0},09:35:00,4700,1 Mar 13 4650 P STO 3.35,225,4710,{0},15:45:00,0,Expired,{1},1,"
            "100000,5000,{2} {3},1.5,1.5,1,1,14,15,0.1,0.2,50,-20\n",
            date, static_cast<int>((i * 7919) % 401) - 180,
            i % 2 == 0 ? "SPX" : "T" + std::to_string(i), name);
        fills += fmt::format("{},{},4700,x,-215,1,{},{},09:35:20\n", name, date,
                             static_cast<int>(i % 99) - 40, date);
    }
    dir_.write(id + "/tradelog.csv", rows);
    dir_.write(id + "/reportinglog.csv", fills);
    return id;
}

std::string HostileDirectory::add_odd_names() {
    const std::string id = block_name();
    std::string rows(kHeader);
    for (std::size_t i = 0; i < 40; ++i) {
        rows += fmt::format("2024-01-{:02},,,{},100,,2024-02-01,,,{},{},1,{},100,{},,,,,,,,,,\n",
                            1 + below(28), quoted(odd_text(30)), quoted(odd_text(20)),
                            static_cast<int>(below(400)) - 200, 100'000 + i,
                            quoted(odd_text(1 + below(40))));
    }
    dir_.write(id + "/tradelog.csv", rows);
    return id;
}

std::string HostileDirectory::add_odd_days() {
    const std::string id = block_name();
    std::string rows(kHeader);
    for (std::size_t i = 0; i < 30; ++i) {
        rows += fmt::format("{},{},,x,100,,{},,,,{},1,100000,100,{},,,,,,,,,,\n", day(),
                            one_of<std::string>({"", "25:99", "09:35", "12:00 AM", "x"}),
                            below(4) == 0 ? "" : day(), static_cast<int>(below(400)) - 200,
                            one_of<std::string>({"A", "B"}));
    }
    dir_.write(id + "/tradelog.csv", rows);
    return id;
}

std::string HostileDirectory::add_many_issues(std::size_t count) {
    const std::string id = block_name();
    std::string rows(kHeader);
    for (std::size_t i = 0; i < count; ++i) {
        rows += fmt::format("{},,,x,100,,,,,,{},{},,,{},,,,,,,,,,\n",
                            i % 7 == 0 ? "2024-01-02" : "not a day", i % 3 == 0 ? "5" : "many", "1",
                            quoted(i % 50 == 0 ? odd_text(500) : "A"));
    }
    dir_.write(id + "/tradelog.csv", rows);
    return id;
}

std::string HostileDirectory::add_odd_daily_log() {
    const std::string id = block_name();
    std::string rows(kHeader);
    std::string daily(kDailyHeader);
    for (int i = 0; i < 20; ++i) {
        const std::string date = Date(19'723 + i).to_iso();
        rows += fmt::format("{0},,,x,100,,{0},,,,{1},1,{2},100,A,,,,,,,,,,\n", date,
                            static_cast<int>(below(400)) - 200, amount());
        daily += fmt::format("{},{},{},{},{},{},{},{}\n", below(5) == 0 ? day() : date, amount(),
                             amount(), amount(), amount(), amount(), amount(), amount());
    }
    dir_.write(id + "/tradelog.csv", rows);
    dir_.write(id + "/dailylog.csv", daily);
    return id;
}

std::string HostileDirectory::add_reporting_log() {
    const std::string id = block_name();
    std::string rows(kHeader);
    std::string fills = below(2) == 0
                            ? std::string(kReportingHeader)
                            : "TradeID,Strategy,DateOpened,TimeOpened,OpenDate,OpenTime,PriceOpen,"
                              "PriceClose,TotalPremium,Qty,ProfitLoss,CloseDate,CloseTime,Status\n";
    const bool is_reporting = fills == kReportingHeader;
    for (int i = 0; i < 20; ++i) {
        const std::string date = Date(19'723 + i).to_iso();
        const std::string name = one_of<std::string>({"A", "", "B " + odd_text(5)});
        rows += trade_row(name, "");
        fills +=
            is_reporting
                ? fmt::format("{},{},{},{},{},{},{},{},09:35:20\n", quoted(name), date, amount(),
                              quoted(odd_text(300)), amount(), amount(), amount(), day())
                : fmt::format("{},{},{},09:35,{},9:35 AM,{},{},{},{},{},{},15:00,Expired\n", i,
                              quoted(name), date, date, amount(), amount(), amount(), amount(),
                              amount(), day());
    }
    dir_.write(id + "/tradelog.csv", rows);
    dir_.write(id + "/reportinglog.csv", fills);
    return id;
}

std::string HostileDirectory::add_empty_log() {
    const std::string id = block_name();
    dir_.write(id + "/tradelog.csv",
               one_of<std::string>({"", "\n", "\xEF\xBB\xBF", std::string(kHeader), "x",
                                    std::string(1000, '\0'), "PK\x03\x04 zip", "<html>"}));
    return id;
}

void HostileDirectory::add_rejected_blocks(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::string id = fmt::format("rejected {} {}", i, odd_text(10));
        std::string name;
        for (const char c : id) {
            name += c == '/' ? '_' : c;
        }
        dir_.write(name + "/tradelog.csv",
                   fmt::format("{},{}\n1,2\n", quoted(odd_text(i == 0 ? 700'000 : 300)), i));
    }
}

void HostileDirectory::add_market_files() {
    std::string bars = "time,open,high,low,close\n";
    for (int i = 0; i < 40; ++i) {
        bars += fmt::format("{},{},{},{},{}\n", below(3) == 0 ? day() : Date(19'723 + i).to_iso(),
                            amount(), amount(), amount(), amount());
    }
    dir_.write("_marketdata/spx_daily.csv", bars);
    dir_.write("_marketdata/vix_daily.csv", quoted(odd_text(5000)) + ",open\n1,2\n");
}

std::vector<std::string> HostileDirectory::add_some() {
    std::vector<std::string> ids;
    for (std::size_t i = 2 + below(4); i > 0; --i) {
        switch (below(9)) {
            case 0:
            case 1:
                ids.push_back(add_extreme_amounts());
                break;
            case 2:
                ids.push_back(add_huge_cells());
                break;
            case 3:
                ids.push_back(add_odd_names());
                break;
            case 4:
                ids.push_back(add_odd_days());
                break;
            case 5:
                ids.push_back(add_many_issues(1 + below(400)));
                break;
            case 6:
                ids.push_back(add_odd_daily_log());
                break;
            case 7:
                ids.push_back(add_reporting_log());
                break;
            default:
                ids.push_back(add_empty_log());
        }
    }
    if (below(3) == 0) {
        add_market_files();
    }
    if (below(4) == 0) {
        add_rejected_blocks(1 + below(30));
    }
    return ids;
}

}  // namespace tb::tools
