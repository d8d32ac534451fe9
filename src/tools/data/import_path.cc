#include "tools/data/import_path.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace tb::tools {

namespace {

namespace fs = std::filesystem;

fs::path from_home(const std::string& text, const fs::path& home) {
    if (home.empty() || (text != "~" && !text.starts_with("~/"))) {
        return text;
    }
    return text.size() <= 2 ? home : home / text.substr(2);
}

bool is_below(const fs::path& file, const fs::path& folder) {
    std::error_code failed;
    const fs::path root = fs::weakly_canonical(folder, failed);
    if (failed) {
        return false;
    }
    const auto [end, ignored] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
    return end == root.end() || (std::next(end) == root.end() && end->empty());
}

bool is_allowed(const fs::path& file, const ImportPathRequest& request) {
    return request.roots.empty() || is_below(file, request.data_dir) ||
           std::any_of(request.roots.begin(), request.roots.end(),
                       [&](const fs::path& root) { return is_below(file, root); });
}

tl::unexpected<Error> not_found(const std::string& path, const std::string& where) {
    return make_error(ErrorCode::kNotFound, fmt::format("csvPath: no file '{}'{}", path, where));
}

// With all links resolved, so that what is judged is what is read.
Result<fs::path> checked(const fs::path& path, const ImportPathRequest& request) {
    std::error_code failed;
    const fs::path file = fs::canonical(path, failed);
    if (!is_allowed(failed ? fs::weakly_canonical(path, failed) : file, request)) {
        return make_error(ErrorCode::kRefused,
                          "csvPath: this server imports files only from its data directory");
    }
    const fs::file_status status = fs::status(file, failed);
    if (failed || !fs::exists(status)) {
        return not_found(request.path, "");
    }
    if (!fs::is_regular_file(status)) {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("csvPath: '{}' is not a file", request.path));
    }
    const std::uintmax_t size = fs::file_size(file, failed);
    if (failed || size > request.max_bytes) {
        return make_error(
            ErrorCode::kResourceExhausted,
            fmt::format("csvPath: '{}' is larger than {} bytes", request.path, request.max_bytes));
    }
    return file;
}

}  // namespace

Result<fs::path> resolve_import_path(const ImportPathRequest& request) {
    if (request.path.empty() || request.path.find('\0') != std::string::npos) {
        return make_error(ErrorCode::kInvalidArgument, "csvPath: a path is wanted");
    }
    const fs::path path = from_home(request.path, request.home);
    if (path.is_absolute()) {
        return checked(path, request);
    }
    if (path.has_parent_path() || path == "." || path == "..") {
        return make_error(ErrorCode::kInvalidArgument,
                          fmt::format("csvPath: '{}' is neither an absolute path, a path from ~, "
                                      "nor a bare file name",
                                      request.path));
    }
    std::vector<fs::path> folders;
    for (const std::string& folder : request.search_folders) {
        folders.push_back(from_home(folder, request.home));
    }
    if (folders.empty() && !request.home.empty()) {
        folders = {request.home / "Downloads", request.home / "Desktop",
                   request.home / "Documents"};
    }
    for (const fs::path& folder : folders) {
        std::error_code ignored;
        if (folder.is_absolute() && is_allowed(fs::weakly_canonical(folder, ignored), request) &&
            fs::exists(folder / path, ignored)) {
            return checked(folder / path, request);
        }
    }
    return not_found(request.path, request.search_folders.empty()
                                       ? " in Downloads, Desktop or Documents"
                                       : " in the folders of searchPaths");
}

}  // namespace tb::tools
