#include "blocks/import_basis.h"

namespace tb::blocks {

namespace {

constexpr std::string_view kGross = "gross_before_fees";
constexpr std::string_view kNet = "net_includes_fees";
constexpr std::uint64_t kMaxBytes = 64;

constexpr std::string_view kFolder = ".tradeblocks/pl-basis";

std::filesystem::path side_file(const std::filesystem::path& data_dir, std::string_view block_id) {
    return data_dir / kFolder / std::filesystem::path(block_id);
}

}  // namespace

Result<PlBasis> read_import_pl_basis(FileSystem& fs, const std::filesystem::path& data_dir,
                                     std::string_view block_id) {
    const std::filesystem::path path = side_file(data_dir, block_id);
    const auto file = fs.open_inside(data_dir, path);
    if (!file.has_value()) {
        // kRefused: `.tradeblocks` is a link out of the data directory, which is as if it were not
        // there; whoever lists the directory says so.
        if (file.error().code == ErrorCode::kNotFound || file.error().code == ErrorCode::kRefused) {
            return PlBasis::kNetIncludesFees;
        }
        return tl::unexpected<Error>(file.error());
    }
    TB_TRY(const std::string text, read_whole_file(**file, path, kMaxBytes));
    return std::string_view(text).starts_with(kGross) ? PlBasis::kGrossBeforeFees
                                                      : PlBasis::kNetIncludesFees;
}

Result<void> write_import_pl_basis(const std::filesystem::path& data_dir, std::string_view block_id,
                                   PlBasis basis) {
    const std::filesystem::path path = side_file(data_dir, block_id);
    TB_RETURN_IF_ERROR(make_folders_inside(data_dir, kFolder));
    const std::string_view text = basis == PlBasis::kGrossBeforeFees ? kGross : kNet;
    return write_file_atomically(path, std::string(text) + "\n");
}

}  // namespace tb::blocks
