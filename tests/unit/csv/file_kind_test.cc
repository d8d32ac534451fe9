// What a file is by its first bytes.
#include "csv/file_kind.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tb::csv {
namespace {

using namespace std::string_view_literals;

FileKind kind_of(std::string_view bytes) {
    return recognise_file(std::as_bytes(std::span(bytes)));
}

TEST(FileKind, WhatPeopleHaveUnderTheNameOfACsvIsRecognised) {
    const std::string zip("PK\x03\x04\x14\0\x06\0\x08\0"sv);
    EXPECT_EQ(kind_of(zip + "[Content_Types].xml xl/workbook.xml"), FileKind::kExcel);
    EXPECT_EQ(kind_of("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 old"sv), FileKind::kExcel);
    EXPECT_EQ(kind_of(zip + "mimetypeapplication/vnd.oasis.opendocument.spreadsheet"),
              FileKind::kOpenDocument);
    EXPECT_EQ(kind_of(zip + "Index/Document.iwa"), FileKind::kNumbers);
    EXPECT_EQ(kind_of(zip + "tradelog.csv"), FileKind::kZip);
    EXPECT_EQ(kind_of("\x1F\x8B\x08\0"sv), FileKind::kGzip);
    EXPECT_EQ(kind_of("%PDF-1.7\n"), FileKind::kPdf);
    EXPECT_EQ(kind_of("\x89PNG\r\n\x1A\n\0\0"sv), FileKind::kPicture);
    EXPECT_EQ(kind_of("\xFF\xD8\xFF\xE0\0\x10JFIF"sv), FileKind::kPicture);
    EXPECT_EQ(kind_of("  \n<!DOCTYPE html><html>"), FileKind::kWebPage);
    EXPECT_EQ(kind_of("\xEF\xBB\xBF<html lang=\"en\">"), FileKind::kWebPage);
    EXPECT_EQ(kind_of("<?xml version=\"1.0\"?><html xmlns=\"x\">"), FileKind::kWebPage);
    EXPECT_EQ(kind_of("<?xml version=\"1.0\"?><Workbook/>"), FileKind::kXml);
    EXPECT_EQ(kind_of("{\"error\": \"limit\"}"), FileKind::kJson);
    EXPECT_EQ(kind_of("[ {\"a\": 1}]"), FileKind::kJson);
    EXPECT_EQ(kind_of("{\\rtf1\\ansi"), FileKind::kRichText);
    EXPECT_EQ(kind_of("PAR1\x15\x04"sv), FileKind::kParquet);
    EXPECT_EQ(kind_of("SQLite format 3\0"sv), FileKind::kDatabase);
    EXPECT_EQ(kind_of("\x01\x02\x03\x04\x05\x06\x07\x08"
                      "DUCK\x40\0"sv),
              FileKind::kDatabase);
    EXPECT_EQ(kind_of("bplist00\xD4"sv), FileKind::kPlaceholder);
    EXPECT_EQ(kind_of(std::string(5000, '\0')), FileKind::kNulBytes);
    EXPECT_EQ(kind_of("\x01\0\x02\0\0\x03\x04\0\x05\0\0\x06"sv), FileKind::kBinary);
}

TEST(FileKind, TablesOfTextAreText) {
    for (const auto text :
         {""sv, "Date Opened,P/L\n2024-01-02,1\n"sv, "\xEF\xBB\xBF\"Date\",\"P/L\"\n"sv,
          "sep=;\na;b\n"sv, "Table 1\na,b\n"sv, "PK,a\n"sv, "{note},P/L\n"sv, "[a],b\n"sv,
          "<5,>6\n"sv,
          "\xFF\xFE"
          "D\0a\0t\0e\0"sv,
          "D\0a\0t\0e\0,\0P\0/\0L\0"sv, "Caf\xE9,1\n"sv, "a,\0b\n1,2\n3,4\n"sv, "MZ,x\n"sv}) {
        EXPECT_EQ(kind_of(text), FileKind::kText) << text;
        EXPECT_EQ(not_a_csv(kind_of(text)), "");
    }
}

TEST(FileKind, TheSentenceSaysWhatItIsAndWhatToDo) {
    EXPECT_EQ(not_a_csv(FileKind::kExcel),
              "is an Excel workbook, not a CSV: open it and save or export its sheet as CSV "
              "(UTF-8)");
    EXPECT_NE(not_a_csv(FileKind::kWebPage).find("is a web page"), std::string::npos);
    EXPECT_NE(not_a_csv(FileKind::kGzip).find("unpack"), std::string::npos);
}

TEST(FileKind, PrintableTextIsNeverCalledBinary) {
    EXPECT_TRUE(rc::check([] {
        const auto text =
            "Date," + *rc::gen::container<std::string>(rc::gen::inRange<char>(32, 127));
        RC_ASSERT(kind_of(text) == FileKind::kText);
    }));
}

}  // namespace
}  // namespace tb::csv
