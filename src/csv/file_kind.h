// What a file really is, whatever its name says: by its first bytes, so that a message can say "an
// Excel workbook" instead of quoting bytes. Only kinds that people have under the name of a CSV.
//
// Thread-safe; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tb::csv {

enum class FileKind : std::uint8_t {
    kText,   // nothing speaks against a table of text; perhaps empty
    kExcel,  // .xlsx, .xlsm, .xlsb and the older .xls
    kOpenDocument,
    kNumbers,
    kZip,
    kGzip,
    kOtherArchive,  // bzip2, xz, zstd, 7z, rar, tar
    kPdf,
    kPicture,
    kWebPage,
    kXml,
    kJson,
    kRichText,
    kParquet,
    kDatabase,     // DuckDB, SQLite
    kPlaceholder,  // of a cloud store, property lists and LFS pointers: the content is elsewhere
    kNulBytes,     // nothing but zeros, as after a crash
    kBinary,       // any other file of bytes that are no text
};

// Bytes that recognise_file wants to see; fewer only if the file has no more.
inline constexpr std::size_t kKindBytes = 4096;

[[nodiscard]] FileKind recognise_file(std::span<const std::byte> first_bytes);

// "an Excel workbook", "a web page"; "a text file" for kText.
[[nodiscard]] std::string_view file_kind_name(FileKind kind);

// A sentence: what the file is instead of a CSV and what to do, without its name in front:
// "is an Excel workbook, not a CSV: open it and save it as CSV (UTF-8)". Empty for kText.
[[nodiscard]] std::string not_a_csv(FileKind kind);

}  // namespace tb::csv
