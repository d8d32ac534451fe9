#include "market/market_files.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/text.h"

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

std::string unread_csvs_warning(FileSystem& fs, const std::filesystem::path& data_dir) {
    constexpr std::size_t kNamed = 3;
    const auto entries = fs.list(data_dir / kMarketFolder);
    std::vector<std::string> names;
    for (const DirectoryEntry& entry : entries.value_or(std::vector<DirectoryEntry>())) {
        const bool csv =
            entry.name.size() > 4 && ascii_lower(entry.name).ends_with(".csv") && entry.is_regular;
        if (csv && entry.name.front() != '.' && find_market_file(entry.name) == nullptr) {
            names.push_back(entry.name);
        }
    }
    if (names.empty()) {
        return {};
    }
    std::string read;
    for (const MarketFile& file : kFiles) {
        read += fmt::format("{}{}", read.empty() ? "" : ", ", file.file_name);
    }
    const std::size_t more = names.size() - std::min(names.size(), kNamed);
    names.resize(names.size() - more);
    return fmt::format("'{}'{} below {} {} not read: only files named {} are",
                       fmt::join(names, "', '"), more > 0 ? fmt::format(" and {} more", more) : "",
                       kMarketFolder, names.size() + more == 1 ? "is" : "are", read);
}

const db::TableSpec& market_table(const MarketFile& file) {
    return db::table_spec("market", file.table);
}

}  // namespace tb::market
