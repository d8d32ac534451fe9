// Bytes a second from Option-Omega-like text in memory to records: all 23 columns converted, no
// database. Report with the SHA-256 figure of the same machine (08 §3).
#include <cstdint>
#include <random>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "blocks/ingest.h"
#include "core/date.h"

namespace tb::blocks {
namespace {

std::string generate(std::int64_t rows) {
    std::mt19937_64 random(20240102);
    const auto pick = [&random](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    std::string text =
        "\xEF\xBB\xBF\"Date Opened\",\"Time Opened\",\"Opening Price\",\"Legs\",\"Premium\","
        "\"Closing Price\",\"Date Closed\",\"Time Closed\",\"Avg. Closing Cost\",\"Reason For "
        "Close\",\"P/L\",\"No. of Contracts\",\"Funds at Close\",\"Margin Req.\",\"Strategy\","
        "\"Opening Commissions + Fees\",\"Closing Commissions + Fees\",\"Opening Short/Long "
        "Ratio\",\"Closing Short/Long Ratio\",\"Gap\",\"Movement\",\"Max Profit\",\"Max Loss\"\r\n";
    const Date first = *Date::from_ymd(2015, 1, 2);
    for (std::int64_t i = 0; i < rows; ++i) {
        const std::string day = first.plus_days(static_cast<std::int32_t>(i % 3650)).to_iso();
        const int strike = pick(300, 1400) * 5;
        text += fmt::format(
            "\"{}\",\"{:02}:{:02}:00\",{}.{:02},\"{} Oct 8 {} P STO {}.{:02} | {} Oct 8 {} P BTO "
            "0.{:02}\",{},{}.{:02},\"{}\",\"16:00:00\",{},\"{}\",{}.{:02},{},{},{},\"0DTE {} - EMA "
            "Entry\",{},{},{}.{:02},1,{}.{:02},{}.{:02},100,-{}.{:02}\r\n",
            day, pick(9, 15), pick(10, 59), pick(2000, 6999), pick(0, 99), pick(1, 9), strike,
            pick(0, 9), pick(0, 99), pick(1, 9), strike - 150, pick(0, 99), pick(50, 900),
            pick(2000, 6999), pick(0, 99), day, pick(0, 700), i % 3 == 0 ? "Stop Loss" : "Expired",
            pick(-2000, 2000), pick(0, 99), pick(1, 9), pick(90000, 200000), pick(5000, 60000),
            i % 2 == 0 ? "PCS" : "CCS", pick(1, 30), pick(0, 20), pick(1, 80), pick(0, 99),
            pick(-40, 40), pick(0, 99), pick(-60, 60), pick(0, 99), pick(1, 400), pick(0, 99));
    }
    return text;
}

class Counter final : public RecordSink<TradeRecord> {
  public:
    Result<void> on_batch(RecordBatch<TradeRecord> batch) override {
        benchmark::DoNotOptimize(batch.records.data());
        rows += static_cast<std::int64_t>(batch.records.size());
        return {};
    }
    std::int64_t rows = 0;
};

void BM_IngestTradeLog(benchmark::State& state) {
    const std::string text = generate(state.range(0));
    for (auto step : state) {
        MemorySource source(std::as_bytes(std::span(text)));
        Counter counter;
        const auto report = ingest_trade_log(source, {}, counter);
        if (!report || counter.rows != state.range(0)) {
            state.SkipWithError("rows were lost");
        }
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) *
                            static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_IngestTradeLog)->Arg(2000)->Arg(200000)->Unit(benchmark::kMillisecond);

void BM_DetectEncoding(benchmark::State& state) {
    const std::string text = generate(20000);
    for (auto step : state) {
        csv::EncodingDetector detector;
        detector.update(std::as_bytes(std::span(text)));
        benchmark::DoNotOptimize(detector.finish());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) *
                            static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_DetectEncoding);

}  // namespace
}  // namespace tb::blocks
