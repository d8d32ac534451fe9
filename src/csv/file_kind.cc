#include "csv/file_kind.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/text.h"

namespace tb::csv {

namespace {

using namespace std::string_view_literals;

struct Magic {
    std::string_view bytes;
    FileKind kind;
};

constexpr std::array<Magic, 27> kMagics = {{
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, FileKind::kExcel},  // compound file: .xls
    {"\x1F\x8B"sv, FileKind::kGzip},
    {"BZh"sv, FileKind::kOtherArchive},
    {"\xFD"
     "7zXZ\0"sv,
     FileKind::kOtherArchive},
    {"\x28\xB5\x2F\xFD"sv, FileKind::kOtherArchive},
    {"7z\xBC\xAF\x27\x1C"sv, FileKind::kOtherArchive},
    {"Rar!\x1A\x07"sv, FileKind::kOtherArchive},
    {"%PDF-"sv, FileKind::kPdf},
    {"\x89PNG\r\n\x1A\n"sv, FileKind::kPicture},
    {"\xFF\xD8\xFF"sv, FileKind::kPicture},
    {"GIF87a"sv, FileKind::kPicture},
    {"GIF89a"sv, FileKind::kPicture},
    {"II*\0"sv, FileKind::kPicture},
    {"MM\0*"sv, FileKind::kPicture},
    {"\0\0\0\x18"
     "ftyp"sv,
     FileKind::kPicture},
    {"\0\0\0\x1C"
     "ftyp"sv,
     FileKind::kPicture},
    {"\0\0\0\x20"
     "ftyp"sv,
     FileKind::kPicture},
    {"\0\0\0\x24"
     "ftyp"sv,
     FileKind::kPicture},
    {"{\\rtf"sv, FileKind::kRichText},
    {"PAR1"sv, FileKind::kParquet},
    {"SQLite format 3\0"sv, FileKind::kDatabase},
    {"bplist00"sv, FileKind::kPlaceholder},
    {"version https://git-lfs.github.com/spec/"sv, FileKind::kPlaceholder},
    {"/annex/objects/"sv, FileKind::kPlaceholder},
    {"\x7F"
     "ELF"sv,
     FileKind::kBinary},
    {"\xCA\xFE\xBA\xBE"sv, FileKind::kBinary},
    {"MZ\x90\0"sv, FileKind::kBinary},
}};

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

bool starts_with_word(std::string_view text, std::string_view word) {
    return text.size() >= word.size() && equals_ignoring_case(text.substr(0, word.size()), word);
}

FileKind kind_of_zip(std::string_view bytes) {
    const auto holds = [bytes](std::string_view name) {
        return bytes.find(name) != std::string_view::npos;
    };
    if (holds("application/vnd.oasis.opendocument")) {
        return FileKind::kOpenDocument;
    }
    if (holds("Index/Document.iwa") || holds("Index/Tables/") || holds(".iwa")) {
        return FileKind::kNumbers;
    }
    return holds("[Content_Types].xml") || holds("xl/") ? FileKind::kExcel : FileKind::kZip;
}

// Marked-up text and JSON: text, but no table of cells.
FileKind kind_of_markup(std::string_view text) {
    text = trim(text);
    if (text.starts_with('<')) {
        for (const std::string_view tag :
             {"<!doctype html"sv, "<html"sv, "<head"sv, "<body"sv, "<script"sv, "<table"sv,
              "<!--"sv, "<meta"sv, "<div"sv, "<title"sv}) {
            if (starts_with_word(text, tag)) {
                return FileKind::kWebPage;
            }
        }
        if (starts_with_word(text, "<?xml"sv)) {
            const bool page = ascii_lower(text).find("<html") != std::string::npos;
            return page ? FileKind::kWebPage : FileKind::kXml;
        }
        return FileKind::kText;
    }
    const auto next = [text](std::size_t from) {
        const std::size_t at = text.find_first_not_of(" \t\r\n", from);
        return at == std::string_view::npos ? '\0' : text[at];
    };
    if ((text.starts_with('{') && (next(1) == '"' || next(1) == '}')) ||
        (text.starts_with('[') && (next(1) == '{' || next(1) == '['))) {
        return FileKind::kJson;
    }
    return FileKind::kText;
}

// UTF-16 has zeros in its text: every other byte of most characters.
bool looks_like_utf16(std::string_view bytes) {
    if (bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv)) {
        return true;
    }
    std::array<std::size_t, 2> zeros = {0, 0};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        zeros[i % 2] += bytes[i] == '\0' ? 1 : 0;
    }
    return zeros[0] == 0 || zeros[1] == 0;
}

bool is_binary(std::string_view bytes) {
    const auto control = std::count_if(bytes.begin(), bytes.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 && !(byte >= '\t' && byte <= '\r') && byte != 0x1A;
    });
    return static_cast<std::size_t>(control) * 5 > bytes.size() && !looks_like_utf16(bytes);
}

}  // namespace

FileKind recognise_file(std::span<const std::byte> first_bytes) {
    const auto head = first_bytes.first(std::min(first_bytes.size(), kKindBytes));
    std::string_view bytes(reinterpret_cast<const char*>(head.data()), head.size());
    if (bytes.starts_with("PK\x03\x04"sv) || bytes.starts_with("PK\x05\x06"sv)) {
        return kind_of_zip(bytes);
    }
    for (const Magic& magic : kMagics) {
        if (bytes.starts_with(magic.bytes)) {
            return magic.kind;
        }
    }
    if (bytes.starts_with("RIFF"sv) && bytes.substr(0, 12).ends_with("WEBP"sv)) {
        return FileKind::kPicture;
    }
    if (bytes.size() >= 12 && bytes.substr(8, 4) == "DUCK"sv) {
        return FileKind::kDatabase;
    }
    if (bytes.size() >= 262 && bytes.substr(257, 5) == "ustar"sv) {
        return FileKind::kOtherArchive;
    }
    if (!bytes.empty() && bytes.find_first_not_of('\0') == std::string_view::npos) {
        return FileKind::kNulBytes;
    }
    if (is_binary(bytes)) {
        return FileKind::kBinary;
    }
    if (bytes.starts_with(kUtf8Mark)) {
        bytes.remove_prefix(kUtf8Mark.size());
    }
    return kind_of_markup(bytes);
}

std::string_view file_kind_name(FileKind kind) {
    switch (kind) {
        case FileKind::kText:
            return "a text file";
        case FileKind::kExcel:
            return "an Excel workbook";
        case FileKind::kOpenDocument:
            return "an OpenDocument spreadsheet";
        case FileKind::kNumbers:
            return "a Numbers document";
        case FileKind::kZip:
            return "a ZIP archive";
        case FileKind::kGzip:
            return "a gzip archive";
        case FileKind::kOtherArchive:
            return "a packed archive";
        case FileKind::kPdf:
            return "a PDF document";
        case FileKind::kPicture:
            return "a picture";
        case FileKind::kWebPage:
            return "a web page";
        case FileKind::kXml:
            return "an XML file";
        case FileKind::kJson:
            return "a JSON file";
        case FileKind::kRichText:
            return "a rich text document";
        case FileKind::kParquet:
            return "a Parquet file";
        case FileKind::kDatabase:
            return "a database file";
        case FileKind::kPlaceholder:
            return "a placeholder";
        case FileKind::kNulBytes:
            return "a file of zeros";
        case FileKind::kBinary:
            return "a binary file";
    }
    return "a text file";
}

std::string not_a_csv(FileKind kind) {
    std::string_view advice;
    switch (kind) {
        case FileKind::kText:
            return {};
        case FileKind::kExcel:
        case FileKind::kOpenDocument:
        case FileKind::kNumbers:
            advice = "open it and save or export its sheet as CSV (UTF-8)";
            break;
        case FileKind::kZip:
        case FileKind::kGzip:
        case FileKind::kOtherArchive:
            advice = "unpack it and keep the CSV inside";
            break;
        case FileKind::kWebPage:
            advice =
                "the download gave a page, perhaps of a login or an error, instead of the "
                "file; download it again";
            break;
        case FileKind::kPlaceholder:
            advice = "the content is kept elsewhere; let it be downloaded";
            break;
        case FileKind::kNulBytes:
            advice = "its content was lost, perhaps in a crash; export it again";
            break;
        case FileKind::kPdf:
        case FileKind::kPicture:
        case FileKind::kXml:
        case FileKind::kJson:
        case FileKind::kRichText:
        case FileKind::kParquet:
        case FileKind::kDatabase:
        case FileKind::kBinary:
            advice = "export the file again as CSV";
            break;
    }
    return fmt::format("is {}, not a CSV: {}", file_kind_name(kind), advice);
}

}  // namespace tb::csv
