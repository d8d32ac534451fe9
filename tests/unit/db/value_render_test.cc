#include "db/value_render.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/number.h"
#include "db/database.h"
#include "db/value_render_writer.h"
#include "db_support.h"

namespace tb::db {
namespace {

using test::must;
using testing::ElementsAre;

class ValueRendering : public testing::Test {
  protected:
    ValueRendering()
        : database_(must(Database::open_in_memory())), connection_(must(database_.connect())) {}

    // The only cell of a query, as JSON and as plain text.
    std::pair<std::string, std::string> both(const std::string& sql) {
        Rows rows = must(connection_.query(sql));
        ValueRenderer values = must(ValueRenderer::create(rows));
        std::pair<std::string, std::string> result;
        if (must(rows.next_chunk())) {
            values.load_chunk(rows);
            values.append_json(result.first, 0, 0);
            values.append_text(result.second, 0, 0);
        }
        return result;
    }
    std::string json(const std::string& expression) { return both("SELECT " + expression).first; }
    std::string plain(const std::string& expression) { return both("SELECT " + expression).second; }

    std::string written(ResultFormat format, std::string_view sql, bool safe = false) {
        std::string text;
        const auto writer = make_result_writer(
            format,
            [&](std::string_view piece) {
                text += piece;
                return Result<void>{};
            },
            safe);
        static_cast<void>(must(run_query(connection_, sql, {}, *writer)));
        must(writer->finish());
        return text;
    }

    Database database_;
    Connection connection_;
};

TEST_F(ValueRendering, WritesNullBooleansAndSmallIntegers) {
    EXPECT_EQ(json("NULL"), "null");
    EXPECT_EQ(json("NULL::INTEGER"), "null");
    EXPECT_EQ(json("true"), "true");
    EXPECT_EQ(json("false"), "false");
    EXPECT_EQ(json("(-128)::TINYINT"), "-128");
    EXPECT_EQ(json("255::UTINYINT"), "255");
    EXPECT_EQ(json("(-32768)::SMALLINT"), "-32768");
    EXPECT_EQ(json("65535::USMALLINT"), "65535");
    EXPECT_EQ(json("(-2147483648)::INTEGER"), "-2147483648");
    EXPECT_EQ(json("4294967295::UINTEGER"), "4294967295");
}

TEST_F(ValueRendering, SafeCsvHoldsNoFormulas) {
    constexpr std::string_view kSql =
        "SELECT v AS \"=cmd()\", -1.5::DOUBLE AS n, DATE '2024-01-02' AS d FROM (VALUES "
        "('=1+1'), ('+cmd|x'), ('-2+3'), ('@SUM(A1)'), (chr(9) || '=1'), (chr(13) || 'x'), "
        "('  =1'), ('\uFF1D1'), ('-12.50'), ('+3'), ('-'), ('a=b'), ('')) t(v)";
    EXPECT_EQ(written(ResultFormat::kCsv, kSql, true),
              "'=cmd(),n,d\n"
              "'=1+1,-1.5,2024-01-02\n"
              "'+cmd|x,-1.5,2024-01-02\n"
              "'-2+3,-1.5,2024-01-02\n"
              "'@SUM(A1),-1.5,2024-01-02\n"
              "'\t=1,-1.5,2024-01-02\n"
              "\"'\rx\",-1.5,2024-01-02\n"
              "'  =1,-1.5,2024-01-02\n"
              "'\uFF1D1,-1.5,2024-01-02\n"
              "-12.50,-1.5,2024-01-02\n"
              "+3,-1.5,2024-01-02\n"
              "'-,-1.5,2024-01-02\n"
              "a=b,-1.5,2024-01-02\n"
              "\"\",-1.5,2024-01-02\n");
    // Without it, for programs, every value is as it is stored.
    EXPECT_EQ(written(ResultFormat::kCsv, "SELECT '=1+1' AS v"), "v\n=1+1\n");
    EXPECT_EQ(written(ResultFormat::kJson, "SELECT '=1+1' AS v", true), "[\n{\"v\":\"=1+1\"}\n]\n");
}

TEST_F(ValueRendering, WritesIntegersBeyond2To53AsText) {
    EXPECT_EQ(json("9007199254740992::BIGINT"), "9007199254740992");
    EXPECT_EQ(json("9007199254740993::BIGINT"), "\"9007199254740993\"");
    EXPECT_EQ(json("(-9007199254740992)::BIGINT"), "-9007199254740992");
    EXPECT_EQ(json("(-9223372036854775808)::BIGINT"), "\"-9223372036854775808\"");
    EXPECT_EQ(json("18446744073709551615::UBIGINT"), "\"18446744073709551615\"");
    EXPECT_EQ(json("42::HUGEINT"), "42");
    EXPECT_EQ(json("(-170141183460469231731687303715884105727)::HUGEINT"),
              "\"-170141183460469231731687303715884105727\"");
    EXPECT_EQ(json("340282366920938463463374607431768211455::UHUGEINT"),
              "\"340282366920938463463374607431768211455\"");
    EXPECT_EQ(json("sum(i) FROM range(4) r(i)"), "6");
    EXPECT_EQ(json("'123456789012345678901234567890123456789012345'::BIGNUM"),
              "\"123456789012345678901234567890123456789012345\"");
    EXPECT_EQ(json("'-1000000000000000000001'::BIGNUM"), "\"-1000000000000000000001\"");
    EXPECT_EQ(json("'-255'::BIGNUM"), "-255");
    EXPECT_EQ(json("'0'::BIGNUM"), "0");
    EXPECT_EQ(plain("9007199254740993::BIGINT"), "9007199254740993");
}

TEST_F(ValueRendering, WritesDoublesShortestAndNonFiniteOnesAsNull) {
    EXPECT_EQ(json("0.1::DOUBLE"), "0.1");
    EXPECT_EQ(json("100000::DOUBLE"), "100000");
    EXPECT_EQ(json("(-0.0)::DOUBLE"), "0");
    EXPECT_EQ(json("1e-7::DOUBLE"), "1e-7");
    EXPECT_EQ(json("0.000001::DOUBLE"), "0.000001");
    EXPECT_EQ(json("1e21::DOUBLE"), "1e+21");
    EXPECT_EQ(json("1e20::DOUBLE"), "100000000000000000000");
    EXPECT_EQ(json("408.0799999999846::DOUBLE"), "408.0799999999846");
    EXPECT_EQ(json("0.1::FLOAT"), "0.1");
    EXPECT_EQ(json("'NaN'::DOUBLE"), "null");
    EXPECT_EQ(json("'Infinity'::DOUBLE"), "null");
    EXPECT_EQ(json("'-Infinity'::FLOAT"), "null");
    EXPECT_EQ(plain("'NaN'::DOUBLE"), "");
}

TEST(JsNumber, ReadsBackAsTheSameDouble) {
    std::uint64_t bits = 88172645463325252ULL;
    for (int i = 0; i < 20'000; ++i) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double value = 0;
        static_assert(sizeof value == sizeof bits);
        std::memcpy(&value, &bits, sizeof value);
        if (!std::isfinite(value)) {
            continue;
        }
        std::string text;
        append_js_number(text, value);
        EXPECT_EQ(parse_double(text), value) << text;
        EXPECT_EQ(nlohmann::json::parse(text).get<double>(), value) << text;
    }
}

TEST_F(ValueRendering, WritesDecimalsAsNumbersOnlyWhereADoubleHoldsThem) {
    EXPECT_EQ(json("1.10::DECIMAL(4,2)"), "1.1");
    EXPECT_EQ(json("1.5"), "1.5");
    EXPECT_EQ(json("(-0.05)::DECIMAL(4,2)"), "-0.05");
    EXPECT_EQ(json("0::DECIMAL(9,3)"), "0");
    EXPECT_EQ(json("1200::DECIMAL(18,4)"), "1200");
    EXPECT_EQ(json("123456789012.34::DECIMAL(18,2)"), "123456789012.34");
    EXPECT_EQ(json("1234567890123456.78::DECIMAL(18,2)"), "\"1234567890123456.78\"");
    EXPECT_EQ(json("12345678901234567890123456789.012345678::DECIMAL(38,9)"),
              "\"12345678901234567890123456789.012345678\"");
    EXPECT_EQ(json("0.00000001::DECIMAL(18,8)"), "\"0.00000001\"")
        << "a double would be written 1e-8";
    EXPECT_EQ(plain("1.10::DECIMAL(4,2)"), "1.1");
}

TEST_F(ValueRendering, WritesDatesTimesAndInstants) {
    EXPECT_EQ(json("DATE '2024-02-29'"), "\"2024-02-29\"");
    EXPECT_EQ(json("DATE '0044-03-15 (BC)'"), "\"0044-03-15 (BC)\"");
    EXPECT_EQ(json("DATE '0001-01-01'"), "\"0001-01-01\"");
    EXPECT_EQ(json("'infinity'::DATE"), "\"infinity\"");
    EXPECT_EQ(json("'-infinity'::TIMESTAMP"), "\"-infinity\"");
    EXPECT_EQ(json("TIME '09:30:00'"), "\"09:30:00\"");
    EXPECT_EQ(json("TIME '09:30:00.125'"), "\"09:30:00.125\"");
    EXPECT_EQ(json("TIME '24:00:00'"), "\"24:00:00\"");
    EXPECT_EQ(json("'09:30:00-05:00'::TIMETZ"), "\"09:30:00-05:00\"");
    EXPECT_EQ(json("'23:59:59.5+05:30'::TIMETZ"), "\"23:59:59.5+05:30\"");
    EXPECT_EQ(json("TIMESTAMP '2024-01-02 09:30:00'"), "\"2024-01-02T09:30:00\"");
    EXPECT_EQ(json("TIMESTAMP '2024-01-02 09:30:00.000001'"), "\"2024-01-02T09:30:00.000001\"");
    EXPECT_EQ(json("TIMESTAMP '1969-12-31 23:59:59.5'"), "\"1969-12-31T23:59:59.5\"");
    EXPECT_EQ(json("'2024-01-02 09:30:00'::TIMESTAMP_S"), "\"2024-01-02T09:30:00\"");
    EXPECT_EQ(json("'2024-01-02 09:30:00.25'::TIMESTAMP_MS"), "\"2024-01-02T09:30:00.25\"");
    EXPECT_EQ(json("'2024-01-02 09:30:00.123456789'::TIMESTAMP_NS"),
              "\"2024-01-02T09:30:00.123456789\"");
    EXPECT_EQ(json("TIMESTAMPTZ '2024-01-02 09:30:00-05:00'"), "\"2024-01-02T14:30:00Z\"");
    EXPECT_EQ(plain("DATE '2024-02-29'"), "2024-02-29");
}

TEST_F(ValueRendering, WritesIntervalsAsDurations) {
    EXPECT_EQ(json("INTERVAL '1 year 2 months 3 days 4 hours 5 minutes 6.5 seconds'"),
              "\"P1Y2M3DT4H5M6.5S\"");
    EXPECT_EQ(json("INTERVAL 0 SECONDS"), "\"PT0S\"");
    EXPECT_EQ(json("INTERVAL (-90) MINUTE"), "\"PT-1H-30M\"");
    EXPECT_EQ(json("INTERVAL '-0.25 seconds'"), "\"PT-0.25S\"");
    EXPECT_EQ(json("INTERVAL (-14) MONTH"), "\"P-1Y-2M\"");
    EXPECT_EQ(json("INTERVAL 36 HOUR"), "\"PT36H\"");
}

TEST_F(ValueRendering, WritesTextUuidsEnumsBlobsAndBits) {
    EXPECT_EQ(json("'plain'"), "\"plain\"");
    EXPECT_EQ(json("''"), "\"\"");
    EXPECT_EQ(json("'a long text that is not kept inline by the engine'"),
              "\"a long text that is not kept inline by the engine\"");
    EXPECT_EQ(json("'00112233-4455-6677-8899-aabbccddeeff'::UUID"),
              "\"00112233-4455-6677-8899-aabbccddeeff\"");
    EXPECT_EQ(json("'ffffffff-0000-4000-8000-000000000001'::UUID"),
              "\"ffffffff-0000-4000-8000-000000000001\"");
    EXPECT_EQ(json("'call'::ENUM('put', 'call')"), "\"call\"");
    EXPECT_EQ(json("'\\xDE\\xAD\\x00'::BLOB"), "\"\\\\xdead00\"");
    EXPECT_EQ(json("'10110'::BIT"), "\"10110\"");
    EXPECT_EQ(json("'1011001110001111'::BIT"), "\"1011001110001111\"");
    EXPECT_EQ(json("'{\"a\": 1}'::JSON"), "\"{\\\"a\\\": 1}\"");
}

TEST_F(ValueRendering, EscapesWhatCouldHideInJsonText) {
    EXPECT_EQ(json("'a\"b\\c'"), R"("a\"b\\c")");
    EXPECT_EQ(json("chr(9) || chr(10) || chr(13) || chr(1) || chr(127)"),
              R"("\t\n\r\u0001\u007f")");
    EXPECT_EQ(json("'Grüße 🦆'"), "\"Grüße 🦆\"");
    EXPECT_EQ(json("'a' || chr(8238) || chr(8203) || chr(65279) || 'b'"),
              R"("a\u202e\u200b\ufeffb")");
    EXPECT_EQ(json("chr(917569)"), R"("\udb40\udc41")");
    EXPECT_EQ(json("chr(133)"), R"("\u0085")");
}

TEST_F(ValueRendering, WritesNestedValues) {
    EXPECT_EQ(json("[1, NULL, 3]"), "[1,null,3]");
    EXPECT_EQ(json("[]"), "[]");
    EXPECT_EQ(json("[['a'], [], NULL]"), R"([["a"],[],null])");
    EXPECT_EQ(json("[1.5, 2.25]::DOUBLE[2]"), "[1.5,2.25]");
    EXPECT_EQ(json("{'a': 1, 'b': DATE '2024-01-02', 'c': NULL}"),
              R"({"a":1,"b":"2024-01-02","c":null})");
    EXPECT_EQ(json("row(1, 'x')"), R"([1,"x"])");
    EXPECT_EQ(json("MAP {'k': 1, 'l': 2}"), R"({"k":1,"l":2})");
    EXPECT_EQ(json("MAP {DATE '2024-01-02': [1]}"), R"({"2024-01-02":[1]})");
    EXPECT_EQ(json("MAP {1: 'x'}"), R"({"1":"x"})");
    EXPECT_EQ(json("union_value(num := 2)"), "2");
    EXPECT_EQ(json("union_value(str := 'two')::UNION(num INTEGER, str VARCHAR)"), "\"two\"");
    EXPECT_EQ(json("[{'d': 1.10::DECIMAL(4,2), 'e': 'call'::ENUM('put', 'call')}]"),
              R"([{"d":1.1,"e":"call"}])");
    EXPECT_EQ(plain("[1, 2]"), "[1,2]");
    EXPECT_EQ(plain("{'a': 'x'}"), R"({"a":"x"})");
}

TEST_F(ValueRendering, FindsEveryRowOfNestedColumns) {
    Rows rows = must(connection_.query(
        "SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE range(i % 4) END AS l, {'i': i, 's': "
        "repeat('x', "
        "(i % 20)::INTEGER)} AS s, [i, -i]::BIGINT[2] AS a FROM range(5000) r(i)"));
    ValueRenderer values = must(ValueRenderer::create(rows));
    std::int64_t i = 0;
    while (must(rows.next_chunk())) {
        values.load_chunk(rows);
        for (std::size_t row = 0; row < rows.chunk().row_count(); ++row, ++i) {
            std::string list = "[";
            for (std::int64_t k = 0; k < i % 4; ++k) {
                list += (k == 0 ? "" : ",") + std::to_string(k);
            }
            list = i % 3 == 0 ? "null" : list + "]";
            std::string text;
            for (std::size_t column = 0; column < 3; ++column) {
                values.append_json(text, column, row);
            }
            ASSERT_EQ(text, list + "{\"i\":" + std::to_string(i) + ",\"s\":\"" +
                                std::string(static_cast<std::size_t>(i % 20), 'x') + "\"}[" +
                                std::to_string(i) + "," + std::to_string(-i) + "]");
        }
    }
    EXPECT_EQ(i, 5000);
}

TEST_F(ValueRendering, KnowsEveryTypeTheEngineHas) {
    Rows rows = must(connection_.query("SELECT * FROM test_all_types()"));
    ValueRenderer values = must(ValueRenderer::create(rows));
    std::size_t cells = 0;
    while (must(rows.next_chunk())) {
        values.load_chunk(rows);
        for (std::size_t row = 0; row < rows.chunk().row_count(); ++row) {
            for (std::size_t column = 0; column < values.column_count(); ++column, ++cells) {
                std::string text;
                values.append_json(text, column, row);
                EXPECT_TRUE(nlohmann::json::accept(text))
                    << rows.columns()[column].type_name << ": " << text;
                EXPECT_EQ(text == "null", values.is_null(column, row))
                    << rows.columns()[column].type_name << ": " << text;
            }
        }
    }
    EXPECT_GT(cells, 100U);
}

TEST_F(ValueRendering, AgreesWithTheEnginesOwnTextForScalars) {
    // Where our form is the engine's: an independent rendering of the extreme values.
    Rows rows = must(connection_.query(
        "SELECT date, date::VARCHAR, uuid, uuid::VARCHAR, hugeint, hugeint::VARCHAR, uhugeint, "
        "uhugeint::VARCHAR, bignum, bignum::VARCHAR, bit, bit::VARCHAR, small_enum, "
        "small_enum::VARCHAR, time, time::VARCHAR, bigint, bigint::VARCHAR, timestamp, "
        "regexp_replace(regexp_replace(timestamp::VARCHAR, '^(\\S+) \\(BC\\) (\\S+)$', "
        "'\\1 \\2 (BC)'), ' (\\d)', 'T\\1') FROM test_all_types()"));
    ValueRenderer values = must(ValueRenderer::create(rows));
    std::size_t compared = 0;
    while (must(rows.next_chunk())) {
        values.load_chunk(rows);
        for (std::size_t row = 0; row < rows.chunk().row_count(); ++row) {
            for (std::size_t column = 0; column < values.column_count(); column += 2, ++compared) {
                std::string ours;
                std::string theirs;
                values.append_text(ours, column, row);
                values.append_text(theirs, column + 1, row);
                EXPECT_EQ(ours, theirs) << rows.columns()[column].type_name;
            }
        }
    }
    EXPECT_EQ(compared, 30U);
}

TEST_F(ValueRendering, AsksForACastWhereTheEngineDoesNotNameTheType) {
    for (const std::string sql : {"SELECT 1 AS a, TIME_NS '09:30:00' AS t",
                                  "SELECT [1::VARIANT] AS t", "SELECT 1::VARIANT AS t"}) {
        const auto result = run_query_to_json(connection_, sql, {});
        ASSERT_FALSE(result.has_value()) << sql;
        EXPECT_THAT(result.error().to_string(), testing::HasSubstr("column \"t\""));
        EXPECT_THAT(result.error().to_string(), testing::HasSubstr("CAST"));
    }
}

constexpr std::string_view kSample =
    "SELECT * FROM (VALUES (1, 'a|b', 1.5), (NULL, 'say \"hi\", x', -20.25), (3, '', NULL), (4, "
    "NULL, "
    "0)) v(id, \"na,me\", pl)";

TEST_F(ValueRendering, WritesJson) {
    EXPECT_EQ(written(ResultFormat::kJson, kSample),
              "[\n"
              "{\"id\":1,\"na,me\":\"a|b\",\"pl\":1.5},\n"
              "{\"id\":null,\"na,me\":\"say \\\"hi\\\", x\",\"pl\":-20.25},\n"
              "{\"id\":3,\"na,me\":\"\",\"pl\":null},\n"
              "{\"id\":4,\"na,me\":null,\"pl\":0}\n"
              "]\n");
    EXPECT_EQ(written(ResultFormat::kJson, "SELECT 1 WHERE false"), "[]\n");
}

TEST_F(ValueRendering, WritesNdjson) {
    EXPECT_EQ(written(ResultFormat::kNdjson, "SELECT i FROM range(2) r(i)"),
              "{\"i\":0}\n{\"i\":1}\n");
    EXPECT_EQ(written(ResultFormat::kNdjson, "SELECT 1 WHERE false"), "");
}

TEST_F(ValueRendering, WritesCsv) {
    EXPECT_EQ(written(ResultFormat::kCsv, kSample),
              "id,\"na,me\",pl\n"
              "1,a|b,1.5\n"
              ",\"say \"\"hi\"\", x\",-20.25\n"
              "3,\"\",\n"
              "4,,0\n");
    EXPECT_EQ(written(ResultFormat::kCsv, "SELECT 'two' || chr(10) || 'lines' AS a"),
              "a\n\"two\nlines\"\n");
}

TEST_F(ValueRendering, WritesMarkdown) {
    EXPECT_EQ(written(ResultFormat::kMarkdown, kSample),
              "| id | na,me | pl |\n"
              "| ---: | --- | ---: |\n"
              "| 1 | a\\|b | 1.5 |\n"
              "|  | say \"hi\", x | -20.25 |\n"
              "| 3 |  |  |\n"
              "| 4 |  | 0 |\n");
    EXPECT_EQ(written(ResultFormat::kMarkdown, "SELECT 'x' || chr(10) || '| y' AS a"),
              "| a |\n| --- |\n| x\\n\\| y |\n");
}

TEST_F(ValueRendering, WritesAlignedTables) {
    EXPECT_EQ(written(ResultFormat::kTable,
                      "SELECT * FROM (VALUES (1, 'Grüße', 1.5), (NULL, 'x', "
                      "-20.25)) v(id, name, pl)"),
              "id  name       pl\n"
              "--  -----  ------\n"
              " 1  Grüße     1.5\n"
              " -  x      -20.25\n");
    EXPECT_EQ(written(ResultFormat::kTable, "SELECT 1 AS a WHERE false"), "a\n-\n");
    const std::string many = written(ResultFormat::kTable, "SELECT i FROM range(500) r(i)");
    EXPECT_EQ(std::count(many.begin(), many.end(), '\n'), 502);
}

TEST(ReadableCell, CutsLongTextAndShowsWhatIsHidden) {
    EXPECT_EQ(readable_cell("plain \"quoted\" \\ text"), "plain \"quoted\" \\ text");
    EXPECT_EQ(readable_cell("line\nbreak\x1B[31m"), "line\\nbreak\\u001b[31m");
    EXPECT_EQ(readable_cell("a\xE2\x80\xAE"
                            "b"),
              "a\\u202eb");
    EXPECT_EQ(readable_cell(std::string(200, 'x')), std::string(200, 'x'));
    EXPECT_EQ(readable_cell(std::string(201, 'x')), std::string(200, 'x') + "…");
    std::string wide;
    for (int i = 0; i < 300; ++i) {
        wide += "🦆";
    }
    EXPECT_EQ(readable_cell(wide), wide.substr(0, 800) + "…");
}

TEST(ResultFormats, AreFoundByName) {
    for (const std::string_view name : {"table", "csv", "json", "ndjson", "markdown"}) {
        EXPECT_TRUE(result_format(name).has_value()) << name;
    }
    EXPECT_FALSE(result_format("xml").has_value());
}

}  // namespace
}  // namespace tb::db
