"""sql: formats, limits, refusals."""

import csv
import io
import json
import subprocess
import time
import unittest

from cli_support import PATIENCE, PROGRAM, DataTest, run, run_json, trade_log


class Sql(DataTest):
    def setUp(self):
        super().setUp()
        self.write("A/tradelog.csv", trade_log(7))

    def sql(self, query, *options, **settings):
        return run("sql", self.data, query, *options, **settings)

    def test_json_is_an_array_of_row_objects(self):
        rows = json.loads(self.sql(
            "SELECT block_id, date_opened, pl, legs, num_contracts, NULL AS nothing "
            "FROM trades.trade_data ORDER BY source_line LIMIT 2", "--format", "json").stdout)
        self.assertEqual(rows, [
            {"block_id": "A", "date_opened": "2024-01-01", "pl": 101.5,
             "legs": "1 Jan 1 4000 P STO 4.0", "num_contracts": 1, "nothing": None},
            {"block_id": "A", "date_opened": "2024-01-02", "pl": 101.5,
             "legs": "1 Jan 2 4001 P STO 4.1", "num_contracts": 2, "nothing": None}])
        self.assertEqual(json.loads(
            self.sql("SELECT 1 AS x WHERE false", "--format", "json").stdout), [])

    def test_safe_csv_holds_no_formulas_and_other_formats_refuse_the_word(self):
        query = "SELECT v AS x, -2.5 AS n FROM (VALUES ('=1+1'), ('-3'), ('@a')) t(v)"
        self.assertEqual(self.sql(query, "--format", "csv", "--safe").stdout,
                         "x,n\n'=1+1,-2.5\n-3,-2.5\n'@a,-2.5\n")
        self.assertEqual(self.sql(query, "--format", "csv").stdout,
                         "x,n\n=1+1,-2.5\n-3,-2.5\n@a,-2.5\n")
        self.assertIn("--format csv", self.sql(query, "--safe", code=2).stderr)

    def test_a_filtered_column_without_values_is_said(self):
        done = self.sql("SELECT count(*) AS n FROM trade_data WHERE opening_vix > 20",
                        "--format", "csv")
        self.assertEqual(done.stdout, "n\n0\n")
        self.assertIn("opening_vix has a value in 0 of 7 rows of trades.trade_data", done.stderr)
        self.assertEqual(self.sql("SELECT count(*) FROM trade_data WHERE pl > 20").stderr, "")

    def test_infinite_values_are_empty_and_said_to_be(self):
        done = self.sql("SELECT 1 / 0 AS x, 2.5 AS y", "--format", "csv")
        self.assertEqual(done.stdout, "x,y\n,2.5\n")
        self.assertIn("1 value is infinite or not a number", done.stderr)
        self.assertNotIn("infinite", self.sql("SELECT 1.5 AS x").stderr)

    def test_ndjson_is_one_object_a_line(self):
        text = self.sql("SELECT i, 'a\nb' AS t FROM range(3) r(i)", "--format", "ndjson").stdout
        self.assertEqual([json.loads(line) for line in text.splitlines()],
                         [{"i": number, "t": "a\nb"} for number in range(3)])

    def test_csv_survives_everything_csv_can_hold(self):
        text = self.sql("SELECT 'a,\"b\"\nc' AS t, 1.5 AS d, NULL AS n", "--format", "csv").stdout
        self.assertEqual(list(csv.reader(io.StringIO(text, newline=""))),
                         [["t", "d", "n"], ['a,"b"\nc', "1.5", ""]])

    def test_what_sql_prints_of_the_trades_can_be_imported_without_loss(self):
        self.write("A/tradelog.csv",
                   "Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,"
                   "Time Closed,Avg. Closing Cost,Reason For Close,P/L,No. of Contracts,Funds at "
                   "Close,Margin Req.,Strategy,Opening Commissions + Fees,Closing Commissions + "
                   "Fees,Opening Short/Long Ratio,Closing Short/Long Ratio,Opening VIX,Closing VIX,"
                   "Gap,Movement,Max Profit,Max Loss,P/L Basis,Symbol,Colour,\"Say \"\"it\"\"\"\n"
                   "2025-10-08,10:15:00,6740.79,3 Oct 8 6725 P STO 4.45 | 3 Oct 8 6575 P BTO 0.25,"
                   "420,6753.72,2025-10-08,16:00:00,0,Expired,1251,3,119735,43740,\"A, \"\"B\"\"\","
                   "9,0.1,17.8,1,15.25,14.5,9.28,16.92,100,-17.86,gross_before_fees,^ndx,blue,\"x\ny\"\n"
                   "2025-10-09,,,,,,,,,,,many,,,,,,,,,,,,,,,,,\n"
                   "2025-10-10,9:31 AM,1e-7,call,-15,,2025-10-11,,-0.5,,-0.30000000000000004,2,,,caf"
                   "\u00e9,,,,,,,,,,,net_includes_fees,,,\n")
        printed = self.sql("SELECT * FROM trades.trade_data WHERE block_id = 'A' ORDER BY "
                           "source_line", "--format", "csv").stdout
        self.assertEqual(len(list(csv.reader(io.StringIO(printed, newline="")))), 4)
        self.write("B/tradelog.csv", printed)
        same = "SELECT * EXCLUDE (block_id, source_line) FROM trades.trade_data " \
               "WHERE block_id = '{}' ORDER BY source_line"
        before, after = (json.loads(self.sql(same.format(block), "--format", "json").stdout)
                         for block in "AB")
        self.assertEqual(len(after), 3)
        for row, again in zip(before, after):
            self.assertEqual(row, again)

    def test_markdown_and_table_are_for_reading(self):
        text = self.sql("SELECT 1 AS a, 'x|y' AS b", "--format", "markdown").stdout
        self.assertEqual(len(text.splitlines()), 3)
        self.assertTrue(text.startswith("|"))
        text = self.sql("SELECT 12345 AS number, 'text' AS words").stdout
        self.assertIn("number", text)
        self.assertIn("text", text)

    def test_formats_for_programs_are_complete_and_tables_are_not(self):
        many = "SELECT i FROM range(2500) r(i)"
        self.assertEqual(len(json.loads(self.sql(many, "--format", "json").stdout)), 2500)
        done = self.sql(many)
        self.assertIn("first 1,000 rows", done.stderr)
        done = self.sql(many, "--format", "csv", "--limit", "10")
        self.assertEqual(len(done.stdout.splitlines()), 11)
        self.assertIn("first 10 rows", done.stderr)
        done = self.sql("SELECT 1 AS x", "--limit", "1", "--format", "csv")
        self.assertEqual(done.stderr, "")

    def test_syncs_first_unless_told_otherwise(self):
        count = "SELECT count(*) AS n FROM trades.trade_data"
        self.assertEqual(run_json("sql", self.data, count, "--format", "json"), [{"n": 7}])
        self.write("A/tradelog.csv", trade_log(9))
        self.assertEqual(run_json("sql", self.data, count, "--format", "json", "--no-sync"),
                         [{"n": 7}])
        self.assertEqual(run_json("sql", self.data, count, "--format", "json"), [{"n": 9}])

    def test_bad_blocks_are_said_and_the_rest_is_answered(self):
        self.write("B/tradelog.csv", "junk\n")
        done = self.sql("SELECT count(*) AS n FROM trades.trade_data", "--format", "csv", code=3)
        self.assertEqual(done.stdout, "n\n7\n")
        self.assertIn("B (error)", done.stderr)

    def test_writing_and_reaching_outside_is_refused(self):
        for query in ("DELETE FROM trades.trade_data", "SELECT 1; SELECT 2", "SET threads = 1",
                      "COPY trades.trade_data TO '/tmp/x.csv'", "ATTACH 'x.db'",
                      "SELECT * FROM '/etc/passwd'", "SELECT * FROM read_csv('/etc/passwd')",
                      "SELECT * FROM enable_logging()", "PRAGMA database_list", "CHECKPOINT"):
            done = self.sql(query, code=1)
            self.assertEqual(done.stdout, "", query)
            self.assertIn("error", done.stderr)
        self.assertEqual(self.counts(), {"A": 7})

    def test_mistakes_get_advice(self):
        self.assertIn("trade_data", self.sql("SELECT * FROM trades.trade_dat", code=1).stderr)
        self.assertIn("DESCRIBE", self.sql("SELECT profit FROM trades.trade_data", code=1).stderr)

    def test_timeout_ends_the_query(self):
        done = self.sql("SELECT count(*) FROM range(10000000000000) t(i)", "--timeout", "0.3",
                        code=1)
        self.assertEqual(done.stdout, "")
        self.assertIn("--timeout", done.stderr)

    def test_interrupt_ends_the_query(self):
        process = subprocess.Popen(
            [PROGRAM, "sql", str(self.data), "--timeout", "600",
             "SELECT count(*) FROM range(10000000000000) t(i)"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        process.terminate()
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (130, ""))

    def test_query_from_standard_input(self):
        done = run("sql", self.data, "-", "--format", "csv", input="SELECT 41 + 1 AS answer\n")
        self.assertEqual(done.stdout, "answer\n42\n")


if __name__ == "__main__":
    unittest.main()
