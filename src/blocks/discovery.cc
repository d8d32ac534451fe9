#include "blocks/discovery.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "blocks/head.h"
#include "blocks/ingest.h"
#include "core/text.h"
#include "csv/encoding.h"

namespace tb::blocks {

namespace {

constexpr std::size_t kHeadBytes = 64 * 1024;
constexpr std::uint64_t kMaxMappingBytes = 4 * 1024 * 1024;
constexpr std::string_view kInnerBlocks = "blocks";
constexpr std::array<FileRole, 3> kRoles = {FileRole::kTradeLog, FileRole::kDailyLog,
                                            FileRole::kReportingLog};

bool is_utf8(std::string_view text) {
    csv::EncodingDetector detector;
    detector.update(std::as_bytes(std::span(text)));
    return detector.valid_utf8();
}

bool holds_csv(FileSystem& fs, const std::filesystem::path& folder) {
    const auto entries = fs.list(folder);
    return entries && std::any_of(entries->begin(), entries->end(), [](const auto& entry) {
               return entry.is_regular && is_csv_name(entry.name);
           });
}

// Item 28: a folder named `blocks` may itself be somebody's folder of blocks. It is never switched
// to; whoever meant it is told how to say so.
void warn_about_inner_blocks(FileSystem& fs, const std::filesystem::path& data_dir,
                             std::vector<std::string>& warnings) {
    const auto inner = data_dir / kInnerBlocks;
    const auto entries = fs.list(inner);
    if (!entries) {
        return;
    }
    const auto count = std::count_if(entries->begin(), entries->end(), [&](const auto& entry) {
        return entry.is_directory && is_eligible_folder_name(entry.name) &&
               holds_csv(fs, inner / entry.name);
    });
    if (count > 0) {
        warnings.push_back(
            fmt::format("the folder 'blocks' holds {} block folder(s) of its own, which are not "
                        "read from here; "
                        "to use them, give '{}' as the data directory",
                        count, inner.string()));
    }
}

// What an import remembered and the market history are kept in `.tradeblocks`.
void warn_about_own_folder(const std::filesystem::path& data_dir,
                           std::vector<std::string>& warnings) {
    for (const std::string_view name : {".tradeblocks", ".tradeblocks/pl-basis"}) {
        const auto inside = check_inside(data_dir, data_dir / name);
        if (!inside.has_value() && inside.error().code == ErrorCode::kRefused) {
            warnings.push_back(fmt::format(
                "the link '{}' is ignored: it leads out of the data directory; the P/L bases named "
                "at import in it do not count. Move the folder itself here",
                name));
            return;
        }
    }
}

enum class HeadKind { kRecognised, kUnrecognised, kUndecided, kGone };

struct Head {
    HeadKind kind = HeadKind::kUnrecognised;
    FileRole role = FileRole::kTradeLog;
    std::string lacks;   // required columns that a recognised file does not have
    std::string why;     // what an unrecognised file is
    bool fresh = false;  // changed so shortly ago that it may still be growing
};

// Of a file of the folder `path` is in; that folder's parent is the data directory.
Result<Head> classify_file(FileSystem& fs, const std::filesystem::path& path) {
    auto opened = fs.open_inside(path.parent_path().parent_path(), path);
    if (!opened) {
        if (opened.error().code == ErrorCode::kNotFound) {
            return Head{HeadKind::kGone, {}, {}, {}, false};
        }
        return tl::unexpected<Error>(opened.error());
    }
    std::vector<std::byte> bytes(kHeadBytes);
    TB_TRY(const std::size_t size, (*opened)->read(bytes));
    TB_TRY(FileHead head, look_at_head(std::span(bytes).first(size), size < kHeadBytes));
    switch (head.kind) {
        case FileHead::Kind::kRole:
            return Head{HeadKind::kRecognised, head.role, std::move(head.lacks), {}, false};
        case FileHead::Kind::kNotOurs:
            return Head{HeadKind::kUnrecognised, {}, {}, std::move(head.why), false};
        case FileHead::Kind::kUndecided:
            break;
    }
    Head undecided{HeadKind::kUndecided, {}, {}, {}, false};
    if (const auto stat = (*opened)->stat()) {
        const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
        undecided.fresh = now - stat->mtime_ns / 1'000'000'000 <= kStillSeconds;
    }
    return undecided;
}

bool is_plain_file_name(std::string_view name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

// csvMappings of a block.json left by the original program: role -> file name. Read, never written;
// anything unusable in it is as if it were not there. A failing system is another matter: without
// the names another file might become the trade log.
Result<std::map<FileRole, std::string>> read_mappings(FileSystem& fs,
                                                      const std::filesystem::path& folder,
                                                      std::vector<std::string>& warnings) {
    std::map<FileRole, std::string> mappings;
    const auto path = folder / "block.json";
    const auto file = fs.open_inside(folder.parent_path(), path);
    if (!file && file.error().code == ErrorCode::kIo) {
        return tl::unexpected<Error>(file.error());
    }
    if (!file) {
        if (file.error().code == ErrorCode::kRefused) {
            warnings.push_back("'block.json' is ignored: " + file.error().message);
        }
        return mappings;
    }
    const auto content = read_whole_file(**file, path, kMaxMappingBytes);
    if (!content && content.error().code == ErrorCode::kIo) {
        return tl::unexpected<Error>(content.error());
    }
    if (!content) {
        return mappings;
    }
    const auto json = nlohmann::json::parse(*content, nullptr, false);
    if (!json.is_object() || !json.contains("csvMappings") || !json["csvMappings"].is_object()) {
        return mappings;
    }
    for (const FileRole role : kRoles) {
        const auto found = json["csvMappings"].find(std::string(role_name(role)));
        if (found == json["csvMappings"].end() || !found->is_string()) {
            continue;
        }
        const auto name = found->get<std::string>();
        if (is_plain_file_name(name)) {
            mappings[role] = name;
        } else {
            warnings.push_back(fmt::format(
                "block.json maps the {} to '{}', which is not a plain file name: ignored",
                role_name(role), utf8_prefix(name, 200)));
        }
    }
    return mappings;
}

// The roles of one folder as they are claimed.
class Claims {
  public:
    explicit Claims(BlockFiles& files) : files_(files) {}

    [[nodiscard]] bool is_open(FileRole role) const { return !slot(role).has_value(); }
    [[nodiscard]] bool is_used(std::string_view name) const {
        return std::any_of(kRoles.begin(), kRoles.end(), [&](FileRole role) {
            return slot(role) && slot(role)->file_name == name;
        });
    }
    [[nodiscard]] const std::string& holder(FileRole role) const { return slot(role)->file_name; }
    void claim(FileRole role, std::string_view name, std::string_view by) {
        slot(role) = RoleFile{role, std::string(name), std::string(by)};
    }

  private:
    [[nodiscard]] std::optional<RoleFile>& slot(FileRole role) const {
        return role == FileRole::kTradeLog   ? files_.tradelog
               : role == FileRole::kDailyLog ? files_.dailylog
                                             : files_.reportinglog;
    }

    BlockFiles& files_;
};

void claim_by_name(Claims& claims, const BlockFiles& files,
                   const std::map<FileRole, std::string>& mappings) {
    const auto exists = [&files](std::string_view name) {
        return std::find(files.csv_names.begin(), files.csv_names.end(), name) !=
               files.csv_names.end();
    };
    for (const auto& [role, name] : mappings) {
        if (exists(name) && !claims.is_used(name)) {
            claims.claim(role, name, "block.json mapping");
        }
    }
    for (const FileRole role : kRoles) {
        const std::string_view name = standard_file_name(role);
        if (claims.is_open(role) && exists(name) && !claims.is_used(name)) {
            claims.claim(role, name, "name");
        }
    }
    for (const std::string& name : files.csv_names) {
        const std::string lower = ascii_lower(name);
        const bool says_so = lower.find("strategy-trade-log") != std::string::npos ||
                             lower.find("strategylog") != std::string::npos ||
                             lower.rfind("strategy-log", 0) == 0;
        if (says_so && claims.is_open(FileRole::kReportingLog) && !claims.is_used(name)) {
            claims.claim(FileRole::kReportingLog, name, "name");
        }
    }
}

// A file that its header calls a log but that lacks columns is used only as the trade log and only
// if there is no better one: the block then fails with the names of the missing columns. Any other
// such file is not ours and must not make a good block fail.
Result<void> claim_by_header(FileSystem& fs, const std::filesystem::path& folder, Claims& claims,
                             BlockFiles& files) {
    std::string lacking_trade_log;
    for (const std::string& name : files.csv_names) {
        if (claims.is_used(name)) {
            continue;
        }
        TB_TRY(const Head head, classify_file(fs, folder / name));
        if (head.kind == HeadKind::kGone) {
            continue;
        }
        if (head.kind == HeadKind::kUndecided) {
            files.undecided.push_back(name);
            files.warnings.push_back(
                fmt::format("'{}' is empty or ends within its first line: {}", name,
                            head.fresh ? "perhaps still being written" : "export it again"));
        } else if (head.kind == HeadKind::kUnrecognised) {
            files.warnings.push_back(fmt::format("'{}' {}", name, head.why));
        } else if (!head.lacks.empty()) {
            files.warnings.push_back(fmt::format("'{}' looks like a {} but lacks {}", name,
                                                 role_name(head.role), head.lacks));
            if (head.role == FileRole::kTradeLog && lacking_trade_log.empty()) {
                lacking_trade_log = name;
            }
        } else if (claims.is_open(head.role)) {
            claims.claim(head.role, name, "header");
        } else {
            files.warnings.push_back(fmt::format("'{}' is a {} too and not used: '{}' is", name,
                                                 role_name(head.role), claims.holder(head.role)));
        }
    }
    if (claims.is_open(FileRole::kTradeLog) && !lacking_trade_log.empty()) {
        claims.claim(FileRole::kTradeLog, lacking_trade_log, "header");
    }
    return {};
}

}  // namespace

bool is_csv_name(std::string_view name) {
    return name.size() > 4 && name.front() != '.' && !name.starts_with("~$") &&
           equals_ignoring_case(name.substr(name.size() - 4), ".csv");
}

bool is_eligible_folder_name(std::string_view name) {
    const auto ends_with = [name](std::string_view end) {
        return name.size() >= end.size() && name.substr(name.size() - end.size()) == end;
    };
    return is_plain_file_name(name) && name.front() != '.' && name.front() != '_' &&
           !ends_with(".tmp") && !ends_with(".duckdb");
}

Result<BlockListing> list_block_folders(FileSystem& fs, const std::filesystem::path& data_dir) {
    TB_TRY(const auto entries, fs.list(data_dir));
    BlockListing listing;
    warn_about_own_folder(data_dir, listing.warnings);
    for (const DirectoryEntry& entry : entries) {
        if (!is_eligible_folder_name(entry.name) || !entry.is_directory) {
            continue;
        }
        const auto path = data_dir / entry.name;
        if (!is_utf8(entry.name)) {
            listing.warnings.emplace_back(
                "a folder is ignored because its name is not valid UTF-8; rename it");
            continue;
        }
        if (entry.is_symlink && !check_inside(data_dir, path).has_value()) {
            listing.warnings.push_back(fmt::format(
                "the link '{}' is ignored: it does not lead to a folder inside the data "
                "directory",
                entry.name));
            continue;
        }
        if (entry.name == kInnerBlocks) {
            warn_about_inner_blocks(fs, data_dir, listing.warnings);
        }
        listing.folders.push_back({entry.name, path});
    }
    return listing;
}

Result<BlockFiles> discover_files(FileSystem& fs, const std::filesystem::path& folder) {
    // Not `folder / ".."`: the folder may be a link itself, and its target lie elsewhere.
    const auto data_dir = folder.parent_path();
    TB_TRY(const auto entries, fs.list_inside(data_dir, folder));
    BlockFiles files;
    bool has_mapping_file = false;
    for (const DirectoryEntry& entry : entries) {
        has_mapping_file = has_mapping_file || (entry.is_regular && entry.name == "block.json");
        if (!entry.is_regular || !is_csv_name(entry.name)) {
            continue;
        }
        if (entry.is_symlink && !check_inside(data_dir, folder / entry.name).has_value()) {
            files.warnings.push_back(fmt::format(
                "the link '{}' is ignored: it leads out of the data directory", entry.name));
            continue;
        }
        const auto stat = fs.stat(folder / entry.name);
        if (stat.has_value() && is_database_file(*stat)) {
            files.warnings.push_back(fmt::format(
                "'{}' is ignored: it is the program's own database, not an export", entry.name));
            continue;
        }
        files.csv_names.push_back(entry.name);
    }
    std::map<FileRole, std::string> mappings;
    if (has_mapping_file) {
        TB_TRY(mappings, read_mappings(fs, folder, files.warnings));
    }
    Claims claims(files);
    claim_by_name(claims, files, mappings);
    TB_RETURN_IF_ERROR(claim_by_header(fs, folder, claims, files));
    return files;
}

std::vector<std::string> reasons_for_no_block(std::string_view id, const BlockFiles& files) {
    std::vector<std::string> reasons;
    for (const std::string& warning : files.warnings) {
        reasons.push_back(fmt::format("folder '{}': {}", id, warning));
    }
    if (files.dailylog.has_value() || files.reportinglog.has_value()) {
        reasons.push_back(
            fmt::format("folder '{}' has a daily or reporting log but no trade log, so it is not a "
                        "block; add a tradelog.csv",
                        id));
    }
    return reasons;
}

}  // namespace tb::blocks
