#include "blocks/import_basis.h"

#include <system_error>

namespace tb::blocks {

namespace {

constexpr std::string_view kGross = "gross_before_fees";
constexpr std::string_view kNet = "net_includes_fees";
constexpr std::uint64_t kMaxBytes = 64;

std::filesystem::path side_file(const std::filesystem::path& data_dir, std::string_view block_id) {
    return data_dir / ".tradeblocks" / "pl-basis" / std::filesystem::path(block_id);
}

}  // namespace

Result<PlBasis> read_import_pl_basis(FileSystem& fs, const std::filesystem::path& data_dir,
                                     std::string_view block_id) {
    const auto text = read_whole_file(fs, side_file(data_dir, block_id), kMaxBytes);
    if (!text.has_value()) {
        if (text.error().code == ErrorCode::kNotFound) {
            return PlBasis::kNetIncludesFees;
        }
        return tl::unexpected<Error>(text.error());
    }
    return std::string_view(*text).starts_with(kGross) ? PlBasis::kGrossBeforeFees
                                                       : PlBasis::kNetIncludesFees;
}

Result<void> write_import_pl_basis(const std::filesystem::path& data_dir, std::string_view block_id,
                                   PlBasis basis) {
    const std::filesystem::path path = side_file(data_dir, block_id);
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) {
        return make_error(ErrorCode::kIo, "cannot create: " + error.message(),
                          path.parent_path().string());
    }
    const std::string_view text = basis == PlBasis::kGrossBeforeFees ? kGross : kNet;
    return write_file_atomically(path, std::string(text) + "\n");
}

}  // namespace tb::blocks
