"""sync, status, history, issues, import and demo, as a user sees them."""

import os
import signal
import subprocess
import time
import unittest

from cli_support import HEADER, PATIENCE, PROGRAM, DataTest, run, run_json, trade, trade_log


class Sync(DataTest):
    def test_report_has_counts_and_blocks(self):
        self.write("A/tradelog.csv", trade_log(4))
        self.write("B/tradelog.csv", trade_log(3) + trade(7, pl="N/A") + "\n")
        report = run_json("sync", self.data, "--json")
        self.assertEqual({key: report[key] for key in (
            "blocksProcessed", "blocksSynced", "blocksUnchanged", "blocksDeleted", "blocksFailed",
            "blocksDeferred", "rowsInserted", "rowsSkipped")}, {
                "blocksProcessed": 2, "blocksSynced": 2, "blocksUnchanged": 0, "blocksDeleted": 0,
                "blocksFailed": 0, "blocksDeferred": 0, "rowsInserted": 7, "rowsSkipped": 1})
        block = report["blocks"][1]
        self.assertEqual((block["blockId"], block["status"], block["tradeCount"]),
                         ("B", "synced", 3))
        file = block["files"][0]
        self.assertEqual((file["role"], file["fileName"], file["dataRows"], file["rowsStored"],
                          file["rowsSkipped"]), ("tradelog", "tradelog.csv", 4, 3, 1))
        issue = file["firstIssues"][0]
        self.assertEqual((issue["line"], issue["column"], issue["value"], issue["action"]),
                         (5, "P/L", "N/A", "skipped"))
        self.assertEqual(report["errors"], [])

    def test_second_run_changes_nothing(self):
        self.write("A/tradelog.csv", trade_log(4))
        run("sync", self.data)
        for words in (["sync", self.data, "--json"], ["sync", self.data, "--json", "--verify"]):
            report = run_json(*words)
            self.assertEqual((report["blocksUnchanged"], report["rowsInserted"]), (1, 0))
        self.assertEqual(len(run_json("history", self.data, "--json")), 1)

    def test_only_one_block_on_request(self):
        self.write("A/tradelog.csv", trade_log(4))
        self.write("B/tradelog.csv", trade_log(3))
        report = run_json("sync", self.data, "--block", "B", "--json")
        self.assertEqual([block["blockId"] for block in report["blocks"]], ["B"])
        self.assertEqual(self.counts(), {"B": 3})
        self.assertIn("nothing", run("sync", self.data, "--block", "nothing", code=1).stderr)
        for evil in ("../data/A", "/etc", ".."):
            run("sync", self.data, "--block", evil, code=1)

    def test_changed_added_and_removed_blocks(self):
        self.write("A/tradelog.csv", trade_log(4))
        self.write("B/tradelog.csv", trade_log(3))
        run("sync", self.data)
        self.write("A/tradelog.csv", trade_log(6, first=2))  # two gone, four new
        (self.data / "B").rename(self.data / "C")
        report = run_json("sync", self.data, "--json")
        self.assertEqual((report["blocksSynced"], report["blocksDeleted"]), (2, 1))
        self.assertEqual(self.counts(), {"A": 6, "C": 3})
        log = [(row["blockId"], row["event"], row["rowsAdded"], row["rowsRemoved"], row["rowsKept"])
               for row in run_json("history", self.data, "--json")]
        self.assertIn(("A", "changed", 4, 2, 2), log)
        self.assertIn(("C", "added", 3, 0, 0), log)
        self.assertTrue(any(row[:2] == ("B", "removed") and row[3] == 3 for row in log), log)

    def test_a_half_written_file_keeps_the_old_rows(self):
        self.write("A/tradelog.csv", trade_log(4))
        run("sync", self.data)
        self.write("A/tradelog.csv", trade_log(9) + trade(10)[:40])
        report = run_json("sync", self.data, "--json", code=3)
        self.assertEqual((report["blocksDeferred"], report["blocks"][0]["status"]),
                         (1, "incomplete"))
        self.assertEqual(self.counts(), {"A": 4})
        self.write("A/tradelog.csv", trade_log(10))
        run("sync", self.data)
        self.assertEqual(self.counts(), {"A": 10})

    def test_interrupted_sync_is_130_and_leaves_a_consistent_database(self):
        data = self.root / "bulk"
        run("demo", data, "--blocks", 60, "--trades", 3000, "--no-sync")
        process = subprocess.Popen([PROGRAM, "sync", str(data)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not (data / "analytics.duckdb").exists():
            time.sleep(0.005)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        if process.returncode == 0:
            self.skipTest("the sync was faster than the signal")
        self.assertEqual(process.returncode, 130)
        self.assertIn("stopping", errors)
        rows = run_json("sql", data, "--no-sync", "--format", "json",
                        "SELECT count(*) AS n FROM trades.trade_data GROUP BY block_id")
        self.assertEqual({row["n"] for row in rows} - {3000}, set(), "only whole blocks")
        self.assertEqual(run_json("sync", data, "--json")["blocksProcessed"], 60)

    def test_second_interrupt_ends_at_once(self):
        self.write("A/tradelog.csv", trade_log(2))
        # A first signal that cannot be obeyed soon: the query loop is interrupted by the engine,
        # so take the one place that waits without end.
        process = subprocess.Popen([PROGRAM, "sync", str(self.data), "--watch"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn("1 block", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)


class StatusAndIssues(DataTest):
    def test_what_is_no_block_is_said_with_its_place(self):
        trades = trade_log(3)
        self.write("good/tradelog.csv", trades)
        self.write("june.csv", trades)
        self.write("half/dailylog.csv", "Date,Net Liquidity\n2024-01-02,100\n")
        self.write("other/list.csv", "a,b\n1,2\n")
        text = run("sync", self.data).stdout
        for said in ("'june.csv' lies beside the block folders and is not read",
                     "folder 'half' has a daily or reporting log but no trade log",
                     "folder 'other': 'list.csv' is not recognised"):
            self.assertIn(said, text)
            self.assertIn(said, run("status", self.data).stderr)
        self.assertNotIn("no block here", text)

    def test_nothing_in_the_folder_is_passed_over_without_a_word(self):
        self.write("good/tradelog.csv", trade_log(3))
        self.write("good/trades.xlsx", "x")
        self.write("2025/IC/t.csv", trade_log(3))
        self.write("_old/t.csv", trade_log(3))
        self.write("_marketdata/2026-01-06.csv.gz", "x")
        self.write("good/.DS_Store", "x")
        for number in range(30):
            self.write(f"many{number}/t.csv.part", "x")
        text = run("sync", self.data).stdout
        said = ("'2025/IC/t.csv' lies in a folder within a folder",
                "'_old/t.csv' lies in a folder that is set aside by its name",
                "'good/trades.xlsx' is a spreadsheet",
                "'2026-01-06.csv.gz' below _marketdata is packed",
                "more files that are not read")
        for line in said:
            self.assertIn(line, text)
            self.assertIn(line, run("status", self.data).stderr)
        self.assertNotIn("DS_Store", text)
        paths = [one["path"] for one in run_json("sync", self.data, "--json")["notRead"]]
        self.assertEqual(len(paths), 34)
        self.assertIn("many29/t.csv.part", paths)
        self.assertIn("many29/t.csv.part", run("doctor", self.data).stdout)

    def test_a_folder_without_blocks_says_what_to_do(self):
        self.assertIn("no block here", run("sync", self.data).stdout)
        self.assertTrue(run("status", self.data).stdout.startswith("no blocks: give each"))
        self.assertEqual(run("history", self.data).stdout, "no changes\n")

    def test_status_reads_and_changes_nothing(self):
        self.write("A/tradelog.csv", trade_log(4))
        (self.data / "not-a-block").mkdir()
        done = run("status", self.data)
        self.assertRegex(done.stdout, r"(?m)^A\s+new")
        self.assertNotIn("not-a-block", done.stdout)
        self.assertFalse((self.data / "analytics.duckdb").exists())
        run("sync", self.data)
        self.assertRegex(run("status", self.data).stdout, r"(?m)^A\s+up to date\s+4")
        self.write("A/tradelog.csv", trade_log(5))
        self.write("B/tradelog.csv", trade_log(2))
        states = {row["blockId"]: row["state"] for row in run_json("status", self.data, "--json")}
        self.assertEqual(states, {"A": "changed", "B": "new"})
        (self.data / "A").rename(self.root / "aside")
        states = {row["blockId"]: row["state"] for row in run_json("status", self.data, "--json")}
        self.assertEqual(states, {"A": "folder gone", "B": "new"})
        self.assertEqual(self.counts(), {"A": 4}, "status does not sync")

    def test_issues_name_file_line_column_value_and_reason(self):
        rows = [trade(1), trade(2, pl="(200.50)"), trade(3, pl="N/A"), "Total,,,,,,,,,,4711"]
        self.write("A/tradelog.csv", HEADER + "\n" + "\n".join(rows) + "\n")
        self.write("B/tradelog.csv", trade_log(2))
        run("sync", self.data)
        issues = run_json("issues", self.data, "--json")
        self.assertEqual({(row["blockId"], row["fileName"]) for row in issues},
                         {("A", "tradelog.csv")})
        skipped = {row["line"]: row for row in issues if row["action"] == "skipped"}
        self.assertEqual(set(skipped), {4, 5})
        self.assertEqual((skipped[4]["column"], skipped[4]["value"]), ("P/L", "N/A"))
        self.assertTrue(all(row["reason"] for row in issues))
        self.assertIn("2 rows skipped", run("issues", self.data).stdout)
        self.assertEqual(run_json("issues", self.data, "B", "--json"), [])
        self.assertIn("nope", run("issues", self.data, "nope", code=1).stderr)
        self.write("C/tradelog.csv", "alpha,beta\n1,2\n")
        run("sync", self.data, code=3)
        self.assertIn("C: tradelog.csv is not in the database: line 1 is no usable header",
                      run("issues", self.data, "C").stderr)
        self.assertEqual(run("issues", self.data, "B").stderr, "")

    def test_questions_are_answered_where_no_database_can_be_made(self):
        self.write("A/tradelog.csv", trade_log(2) + trade(2, pl="N/A") + "\n")
        stranger = {}
        if os.geteuid() == 0:  # whom no permission stops
            stranger = {"user": 65534, "group": 65534}
            self.root.chmod(0o755)
        try:
            run("--version", **stranger)
        except PermissionError:
            self.skipTest("the program is where only its owner gets")
        env = {"TRADEBLOCKS_RUNTIME_DIR": str(self.root / "run")}
        self.data.chmod(0o555)
        try:
            issues = run_json("issues", self.data, "--json", env=env, **stranger)
            rows = run_json("sql", self.data, "--format", "json",
                            "SELECT count(*) AS n FROM trades.trade_data", env=env, **stranger)
        finally:
            self.data.chmod(0o755)
        self.assertEqual([issue["value"] for issue in issues], ["N/A"])
        self.assertEqual(rows, [{"n": 2}])
        self.assertEqual([path.name for path in self.data.iterdir()], ["A"])

    def test_limits_are_said(self):
        bad = "\n".join(trade(number, pl="bad") for number in range(10))
        self.write("A/tradelog.csv", trade_log(20, first=50) + bad + "\n")
        run("sync", self.data)
        done = run("issues", self.data, "--limit", 3, "--json")
        self.assertEqual(done.stdout.count('"line"'), 3)
        self.assertIn("3 of 10 issues", done.stderr)


class Import(DataTest):
    def setUp(self):
        super().setUp()
        self.source = self.root / "My Export.csv"
        self.source.write_text(trade_log(4))

    def test_copies_the_bytes_and_syncs(self):
        done = run("import", self.data, self.source, "--name", "Iron Condor 2024")
        self.assertIn('block "iron-condor-2024"', done.stdout)
        self.assertEqual((self.data / "iron-condor-2024/tradelog.csv").read_bytes(),
                         self.source.read_bytes())
        self.assertEqual(self.counts(), {"iron-condor-2024": 4})

    def test_json_has_the_counts(self):
        report = run_json("import", self.data, self.source, "--json")
        self.assertEqual((report["blockId"], report["csvType"], report["recordCount"]),
                         ("my-export", "tradelog", 4))
        self.assertEqual(report["dateRange"], {"start": "2024-01-01", "end": "2024-01-04"})

    def test_never_overwrites_and_leaves_nothing_after_a_failure(self):
        run("import", self.data, self.source, "--name", "one")
        run("import", self.data, self.source, "--name", "one", code=1)
        bad = self.root / "bad.csv"
        bad.write_text("no,trade,log\n1,2,3\n")
        run("import", self.data, bad, "--name", "two", code=1)
        run("import", self.data, self.root / "missing.csv", "--name", "three", code=1)
        self.assertEqual(sorted(path.name for path in self.data.iterdir() if path.is_dir()
                                and not path.name.startswith(".")), ["one"])

    def test_gross_profit_is_remembered_for_every_later_sync(self):
        run("import", self.data, self.source, "--name", "gross", "--pl-basis", "gross")
        query = "SELECT DISTINCT pl_basis, pl, net_pl FROM trades.trade_data"
        wanted = [{"pl_basis": "gross_before_fees", "pl": 101.5, "net_pl": 97.75}]
        self.assertEqual(run_json("sql", self.data, query, "--format", "json"), wanted)
        os.remove(self.data / "analytics.duckdb")
        self.assertEqual(run_json("sql", self.data, query, "--format", "json"), wanted)


class Demo(DataTest):
    def test_demo_shows_result_and_first_query(self):
        target = self.root / "demo"
        done = run("demo", target)
        self.assertIn("A first query", done.stdout)
        self.assertIn("5 blocks: 5 synced", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^MEIC\s+788\s")
        again = run("demo", target)
        self.assertIn("5 unchanged", again.stdout)

    def test_messy_block_is_explained(self):
        target = self.root / "demo"
        run("demo", target)
        rows = run_json("sql", target, "--format", "json",
                        "SELECT sum(data_rows) AS total, sum(rows_stored) AS stored, "
                        "sum(rows_skipped) AS skipped FROM trades._sync_files "
                        "WHERE block_id = 'Messy Export'")
        self.assertEqual(rows[0]["total"], rows[0]["stored"] + rows[0]["skipped"])
        issues = run_json("issues", target, "Messy Export", "--json")
        values = {row["value"] for row in issues}
        for value in ("N/A", "2024-02-30", "1.234,56", "12abc", "noon", "--5", "1e309"):
            self.assertIn(value, values)
        for clean in ("$1,200.50", "(200.50)", "9:35 AM"):
            self.assertNotIn(clean, values)

    def test_demo_never_writes_over_somebody_elses_files(self):
        path = self.write("mine/tradelog.csv", "precious\n")
        self.assertIn("not empty", run("demo", self.data, code=1).stderr)
        self.assertEqual(path.read_text(), "precious\n")
        self.assertEqual(sorted(entry.name for entry in self.data.iterdir()), ["mine"])


class Concurrent(DataTest):
    def test_two_syncs_at_once_agree_in_the_end(self):
        data = self.root / "bulk"
        run("demo", data, "--blocks", 20, "--trades", 500, "--no-sync")
        processes = [subprocess.Popen([PROGRAM, "sync", str(data)], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL) for _ in range(4)]
        codes = {process.wait(timeout=PATIENCE) for process in processes}
        self.assertLessEqual(codes, {0, 4})
        self.assertIn(0, codes)
        self.assertEqual(run_json("sync", data, "--json", "--verify")["blocksUnchanged"], 20)


class Environment(DataTest):
    def test_bad_settings_are_named(self):
        self.write("A/tradelog.csv", trade_log(2))
        done = run("sync", self.data, code=None, env={"DUCKDB_THREADS": "many"})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("DUCKDB_THREADS", done.stderr)

    def test_time_zone_and_locale_change_nothing(self):
        self.write("A/tradelog.csv", trade_log(30))
        query = ["sql", self.data, "FROM trades.trade_data ORDER BY source_line", "--format", "csv"]
        answers = set()
        for zone in ("UTC", "America/New_York", "Asia/Tokyo"):
            for locale in ("C", "de_DE.UTF-8"):
                answers.add(run(*query, env={"TZ": zone, "LC_ALL": locale}).stdout)
                os.remove(self.data / "analytics.duckdb")
        self.assertEqual(len(answers), 1)


if __name__ == "__main__":
    unittest.main()
