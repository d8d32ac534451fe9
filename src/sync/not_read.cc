#include "sync/not_read.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "blocks/discovery.h"
#include "core/text.h"
#include "market/market_files.h"

namespace tb::sync {

namespace {

constexpr std::size_t kNamedTogether = 3;
constexpr std::size_t kMostNameBytes = 200;

struct Kind {
    std::string_view ending;
    std::string_view says;
};

constexpr std::string_view kWorkbook = "is a spreadsheet and is not read: save the sheet as CSV";
constexpr std::string_view kPacked = "is packed and is not read: unpack it here";
constexpr std::string_view kUnfinished =
    "is an unfinished download and is not read: let it end, or download it again";
constexpr std::string_view kPerhapsCsv =
    "is not read: only names that end in .csv are; rename it if it is an export";
constexpr std::string_view kNoCsv = "is not read: only files whose names end in .csv are";

// By the end of the name, in lower case.
constexpr std::array<Kind, 31> kKinds{{
    {".xlsx", kWorkbook},
    {".xlsm", kWorkbook},
    {".xlsb", kWorkbook},
    {".xls", kWorkbook},
    {".ods", kWorkbook},
    {".numbers", kWorkbook},
    {".gz", kPacked},
    {".zip", kPacked},
    {".bz2", kPacked},
    {".xz", kPacked},
    {".zst", kPacked},
    {".7z", kPacked},
    {".rar", kPacked},
    {".tar", kPacked},
    {".tgz", kPacked},
    {".crdownload", kUnfinished},
    {".part", kUnfinished},
    {".partial", kUnfinished},
    {".download", kUnfinished},
    {".opdownload", kUnfinished},
    {".tmp", kUnfinished},
    {".icloud", "has not been downloaded from iCloud and is not read: download it first"},
    {".txt", kPerhapsCsv},
    {".tsv", kPerhapsCsv},
    {".tab", kPerhapsCsv},
    {".dat", kPerhapsCsv},
    {".csv~", kPerhapsCsv},
    {".bak", kPerhapsCsv},
    {".old", kPerhapsCsv},
    {".orig", kPerhapsCsv},
    {".csv_", kPerhapsCsv},
}};

bool is_csv(std::string_view lower) {
    return lower.size() > 4 && lower.ends_with(".csv");
}

std::string_view kind_of(std::string_view lower) {
    for (const Kind& kind : kKinds) {
        if (lower.size() > kind.ending.size() && lower.ends_with(kind.ending)) {
            return kind.says;
        }
    }
    return kNoCsv;
}

// Left behind by systems and programs, not put there by anybody.
bool is_nobodys(std::string_view name, std::string_view lower) {
    constexpr std::array<std::string_view, 9> kNames{
        "thumbs.db",  "desktop.ini",  "__macosx",
        "@eadir",     "$recycle.bin", "icon\r",
        "lost+found", "ehthumbs.db",  "system volume information"};
    return std::find(kNames.begin(), kNames.end(), lower) != kNames.end() ||
           name.starts_with("~$") || name.starts_with("._") || name.starts_with(".~lock.") ||
           name.find(".tmp~") != std::string_view::npos;
}

// The database, its log and spill folder, files set aside after damage, and what the original
// program keeps beside the exports.
bool is_ours(std::string_view lower) {
    return lower.starts_with("analytics.duckdb") || lower.ends_with(".duckdb") ||
           lower.ends_with(".duckdb.wal") || lower.ends_with(".duckdb.tmp") ||
           lower == "block.json";
}

enum class Place {
    kTop,          // the data directory itself
    kBlock,        // a folder that may be a block
    kDeeper,       // a folder within one
    kSetAside,     // a folder whose name keeps it from being a block, and all below
    kMarket,       // _marketdata
    kMarketDeeper  // a folder within it
};

std::string shortened(std::string_view name) {
    return name.size() <= kMostNameBytes ? std::string(name)
                                         : std::string(utf8_prefix(name, kMostNameBytes)) + "…";
}

std::string market_names() {
    std::string names;
    for (const market::MarketFile& file : market::market_files()) {
        names += fmt::format("{}{}", names.empty() ? "" : ", ", file.file_name);
    }
    return names;
}

class Finder {
  public:
    Finder(FileSystem& fs, const std::filesystem::path& data_dir) : fs_(fs), data_dir_(data_dir) {}

    std::vector<NotRead> below(const std::string& folder, Place place) {
        if (place == Place::kMarket && leads_out(folder)) {
            found_.push_back({folder, fmt::format("the link '{}'", folder),
                              "is ignored: it leads out of the data directory; move the folder "
                              "itself here"});
            return std::move(found_);
        }
        look_into(folder, place, 0);
        if (cut_) {
            add("", place,
                fmt::format("holds more than {} files or folders deeper than {}: not all of them "
                            "were looked at",
                            kMostEntries, kDeepestFolder));
        }
        return std::move(found_);
    }

  private:
    [[nodiscard]] bool leads_out(const std::string& path) const {
        const auto inside = check_inside(data_dir_, data_dir_ / path);
        return !inside.has_value() && inside.error().code == ErrorCode::kRefused;
    }

    // What the rule for blocks ignores (blocks::discover_files): links out, and the database.
    [[nodiscard]] bool is_ignored_market_file(const std::string& path,
                                              const DirectoryEntry& entry) {
        if (entry.is_symlink && leads_out(path)) {
            found_.push_back({path, fmt::format("the link '{}'", shortened(path)),
                              "is ignored: it leads out of the data directory"});
            return true;
        }
        const auto stat = fs_.stat(data_dir_ / path);
        if (stat.has_value() && is_database_file(*stat)) {
            found_.push_back({path, fmt::format("'{}'", shortened(path)),
                              "is ignored: it is the program's own database, not an export"});
            return true;
        }
        return false;
    }

    void look_into(const std::string& folder, Place place, std::size_t depth) {
        if (depth > kDeepestFolder || seen_ > kMostEntries) {
            cut_ = true;
            return;
        }
        const auto entries =
            folder.empty() ? fs_.list(data_dir_) : fs_.list_inside(data_dir_, data_dir_ / folder);
        if (!entries.has_value()) {
            // Who reads a block, or the directory itself, says what is wrong with it.
            if (place != Place::kTop && place != Place::kBlock &&
                entries.error().code == ErrorCode::kIo) {
                add(folder, place, "cannot be looked into: make the folder readable");
            }
            return;
        }
        for (const DirectoryEntry& entry : *entries) {
            if (++seen_ > kMostEntries) {
                cut_ = true;
                return;
            }
            const std::string lower = ascii_lower(entry.name);
            if (is_nobodys(entry.name, lower) || is_ours(lower)) {
                continue;
            }
            const std::string path = folder.empty() ? entry.name : folder + "/" + entry.name;
            if (entry.is_directory) {
                look_at_folder(path, entry, place, depth);
            } else {
                look_at_file(path, entry, lower, place, folder);
            }
        }
    }

    void look_at_folder(const std::string& path, const DirectoryEntry& entry, Place place,
                        std::size_t depth) {
        if (entry.name.front() == '.') {
            return;
        }
        if (place == Place::kTop) {
            if (entry.name == market::kMarketFolder) {
                return;
            }
            const bool block = blocks::is_eligible_folder_name(entry.name);
            // A link out of the directory is ignored as a whole, and the listing says so.
            if (!entry.is_symlink || check_inside(data_dir_, data_dir_ / path).has_value()) {
                look_into(path, block ? Place::kBlock : Place::kSetAside, depth + 1);
            }
            return;
        }
        // A folder `blocks` that holds blocks of its own has a warning of its own.
        if (place == Place::kBlock && path.starts_with("blocks/")) {
            return;
        }
        if (entry.is_symlink) {
            return add(path, place, "is a link to a folder within a folder and is not followed");
        }
        if (ascii_lower(entry.name).ends_with(".csv")) {
            add(path, place, "is a folder, not a file, and is not read");
        }
        look_into(path,
                  place == Place::kBlock    ? Place::kDeeper
                  : place == Place::kMarket ? Place::kMarketDeeper
                                            : place,
                  depth + 1);
    }

    void look_at_file(const std::string& path, const DirectoryEntry& entry,
                      const std::string& lower, Place place, const std::string& folder) {
        const bool csv = is_csv(lower);
        const bool hidden = entry.name.front() == '.';
        if (hidden && !lower.ends_with(".icloud") && !csv) {
            return;
        }
        if (!entry.is_regular) {
            return add(path, place,
                       entry.is_symlink
                           ? "is a link that leads nowhere: remove it or link it to the file anew"
                           : "is not a regular file and is not read");
        }
        if (hidden && csv) {
            return add(path, place, "is not read because its name begins with a point: rename it");
        }
        if (!csv) {
            return add(path, place, std::string(kind_of(lower)));
        }
        switch (place) {
            case Place::kTop:
                return add(path, place,
                           "lies beside the block folders and is not read: move it into a folder "
                           "of its own");
            case Place::kBlock:
                return;  // discovery says what became of it
            case Place::kDeeper:
                return add(path, place,
                           fmt::format("lies in a folder within a folder and is not read: move "
                                       "the folder '{}' into the data directory itself",
                                       shortened(folder)));
            case Place::kSetAside:
                return add(path, place,
                           fmt::format("lies in a folder that is set aside by its name and is not "
                                       "read: rename '{}' if it is to be a block",
                                       shortened(folder.substr(0, folder.find('/')))));
            case Place::kMarket:
                if (is_ignored_market_file(path, entry) ||
                    market::find_market_file(entry.name) != nullptr) {
                    return;
                }
                [[fallthrough]];
            case Place::kMarketDeeper:
                return add(path, place,
                           fmt::format("is not read: only files named {} are{}", market_names(),
                                       place == Place::kMarketDeeper
                                           ? ", and only there, not in a folder below"
                                           : ""));
        }
    }

    void add(const std::string& path, Place place, std::string says) {
        std::string subject = fmt::format("'{}'", shortened(path));
        const std::size_t folder = market::kMarketFolder.size() + 1;
        if ((place == Place::kMarket || place == Place::kMarketDeeper) && path.size() > folder) {
            subject =
                fmt::format("'{}' below {}", shortened(path.substr(folder)), market::kMarketFolder);
        }
        if (path.empty()) {
            subject = "the data directory";
        }
        found_.push_back({path, std::move(subject), std::move(says)});
    }

    FileSystem& fs_;
    const std::filesystem::path& data_dir_;
    std::vector<NotRead> found_;
    std::size_t seen_ = 0;
    bool cut_ = false;
};

std::string_view folder_of(const NotRead& file) {
    const std::size_t slash = file.path.rfind('/');
    return slash == std::string::npos ? std::string_view()
                                      : std::string_view(file.path).substr(0, slash);
}

}  // namespace

std::vector<NotRead> files_not_read(FileSystem& fs, const std::filesystem::path& data_dir) {
    return Finder(fs, data_dir).below("", Place::kTop);
}

std::vector<NotRead> market_files_not_read(FileSystem& fs, const std::filesystem::path& data_dir) {
    return Finder(fs, data_dir).below(std::string(market::kMarketFolder), Place::kMarket);
}

std::vector<std::string> not_read_lines(std::span<const NotRead> files, std::size_t most) {
    std::vector<std::string> lines;
    std::vector<bool> said(files.size(), false);
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (said[i]) {
            continue;
        }
        if (lines.size() + 1 == most && i + 1 < files.size()) {
            const auto left = std::count(said.begin(), said.end(), false);
            if (left > 1) {
                lines.push_back(fmt::format(
                    "and {} more files that are not read: tradeblocks doctor names all", left));
                return lines;
            }
        }
        std::vector<std::size_t> alike;
        for (std::size_t k = i + 1; k < files.size(); ++k) {
            if (!said[k] && files[k].says == files[i].says &&
                folder_of(files[k]) == folder_of(files[i])) {
                alike.push_back(k);
            }
        }
        std::string line = files[i].subject + " " + files[i].says;
        if (alike.size() >= kNamedTogether) {
            line +=
                fmt::format("; likewise {}, {}", files[alike[0]].subject, files[alike[1]].subject);
            if (alike.size() > 2) {
                line += fmt::format(" and {} more", alike.size() - 2);
            }
            for (const std::size_t k : alike) {
                said[k] = true;
            }
        }
        said[i] = true;
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace tb::sync
