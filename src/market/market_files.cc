#include "market/market_files.h"

#include <array>

namespace tb::market {

namespace {

constexpr std::array<MarketFile, 5> kFiles{{
    {"spx_daily.csv", "spx_daily", "time"},
    {"spx_15min.csv", "spx_15min", "time"},
    {"spx_highlow.csv", "spx_highlow", "time"},
    {"vix_intraday.csv", "vix_intraday", "time"},
    {"treasury_rates.csv", "treasury_rates", "date"},
}};

}  // namespace

std::span<const MarketFile> market_files() {
    return kFiles;
}

const MarketFile* find_market_file(std::string_view file_name) {
    for (const MarketFile& file : kFiles) {
        if (file.file_name == file_name) {
            return &file;
        }
    }
    return nullptr;
}

const db::TableSpec& market_table(const MarketFile& file) {
    return db::table_spec("market", file.table);
}

}  // namespace tb::market
