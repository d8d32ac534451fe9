#include "support/temp_dir.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace tb::test {

TempDir::TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tb_test_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("cannot make a temporary folder");
    }
    path_ = std::filesystem::canonical(pattern);
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TempDir::write(const std::filesystem::path& relative,
                                     std::string_view content) const {
    const auto full = path_ / relative;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream out(full, std::ios::binary | std::ios::trunc);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) {
        throw std::runtime_error("cannot write " + full.string());
    }
    return full;
}

std::string TempDir::read(const std::filesystem::path& relative) const {
    std::ifstream in(path_ / relative, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::filesystem::path source_dir() {
    return TB_SOURCE_DIR;
}

std::filesystem::path shared_dir() {
    std::filesystem::path candidate = source_dir().parent_path() / "shared";
    if (const char* const override_dir = std::getenv("TB_SHARED")) {
        candidate = override_dir;
    }
    return std::filesystem::is_directory(candidate / "data") ? candidate : std::filesystem::path();
}

}  // namespace tb::test
