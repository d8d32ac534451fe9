#!/usr/bin/env python3
"""The HTML report: what the command writes, and what a real browser makes of it."""

import html
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

from cli_support import HEADER, PATIENCE, DataTest, run, run_json, trade_log

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
               None)
ARTIFACTS = Path(os.environ.get("TB_ARTIFACTS", tempfile.gettempdir()))
EVIL = "</script><script>document.title='pwned'</script><img src=x onerror=\"document.title='p'\">"


def browser(*words):
    """Runs the browser once without a network; returns (standard output, what its pages logged)."""
    with tempfile.TemporaryDirectory(prefix="tb_browser_") as profile:
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
             "--virtual-time-budget=5000", f"--user-data-dir={profile}", *words],
            capture_output=True, text=True, errors="replace", timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def png_size(path):
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), path
    return struct.unpack(">II", data[16:24])


class ReportTest(DataTest):
    def setUp(self):
        super().setUp()
        self.page = self.root / "page.html"

    def demo(self, trades=400):
        run("demo", self.data, "--blocks", 1, "--trades", trades, "--no-sync")
        return next(path.name for path in sorted(self.data.iterdir())
                    if (path / "tradelog.csv").exists())

    def report(self, block, *words):
        run("report", self.data, block, "-o", self.page, *words)
        return self.page.read_text()


class CommandTest(ReportTest):
    def test_figures_are_those_of_the_tools(self):
        block = self.demo()
        page = self.report(block)
        stats = run_json("stats", self.data, block, "--json")["stats"]
        self.assertIn(f"{stats['totalTrades']:,}", page)
        self.assertIn(f"${abs(stats['netPl']):,.2f}", page)
        self.assertIn(f"{stats['sharpeRatio']:.2f}", page)
        paths = run_json("montecarlo", self.data, block, "--random-seed", 1,
                         "--num-simulations", 1000, "--json")
        self.assertIn(f"${paths['statistics']['medianFinalValue']:,.2f}", page)

    def test_same_data_makes_the_same_page_and_another_seed_another(self):
        block = self.demo()
        first = self.report(block)
        self.assertEqual(self.report(block), first)
        self.assertNotEqual(self.report(block, "--seed", 2), first)

    def test_filters_and_conventions_reach_the_tools(self):
        self.write("A/tradelog.csv", trade_log(40) + trade_log(40, first=40, strategy="Beta")
                   .split("\n", 1)[1])
        self.assertIn("strategy beta", self.report("A", "--strategy", "beta"))
        self.assertIn("the original program", self.report("A", "--conventions", "reference"))
        self.assertIn("2024-01-10 to", self.report("A", "--from", "2024-01-10"))

    def test_errors_write_nothing(self):
        self.write("A/tradelog.csv", trade_log(40))
        done = run("report", self.data, "B", "-o", self.page, code=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("'B'", done.stderr)
        self.assertIn("tradeblocks status", done.stderr)
        done = run("report", self.data, "A", "--from", "2025-13-01", code=1)
        self.assertIn("--from: '2025-13-01'", done.stderr)
        done = run("report", self.data, "A", "-o", self.root / "no" / "page.html", code=1)
        self.assertIn("no such folder", done.stderr)
        self.assertEqual([path.name for path in self.root.iterdir()], ["data"])
        self.assertFalse(self.page.exists())
        run("report", self.data, "A", "--simulations", 50, code=2)

    def test_a_trade_log_is_never_written_over(self):
        log = self.write("MEIC/tradelog.csv", trade_log(40))
        before = log.read_bytes()
        (self.root / "link.html").symlink_to(log)
        (self.root / "folder").symlink_to(self.data)
        for output in (log, self.data / "MEIC" / "report.html", self.data / "report.html",
                       self.data / ".." / "data" / "MEIC" / "tradelog.csv",
                       self.root / "link.html", self.root / "folder" / "new.html",
                       self.data / "analytics.duckdb"):
            for words in ([], ["--force"]):
                done = run("report", self.data, "MEIC", "-o", output, *words, code=1)
                self.assertIn("data directory", done.stderr)
                self.assertEqual(done.stdout, "")
        done = run("report", ".", "MEIC", code=1, cwd=self.data)  # report.html of the folder
        self.assertIn("data directory", done.stderr)
        self.assertEqual(log.read_bytes(), before)
        self.assertEqual([path.name for path in (self.data / "MEIC").iterdir()], ["tradelog.csv"])
        self.assertNotIn("deleted", run("sync", self.data).stdout)

    def test_only_an_earlier_report_is_replaced_without_force(self):
        self.write("A/tradelog.csv", trade_log(40))
        self.page.write_text("<!DOCTYPE html><title>my notes</title>")
        done = run("report", self.data, "A", "-o", self.page, code=1)
        self.assertIn("--force", done.stderr)
        self.assertIn("my notes", self.page.read_text())
        run("report", self.data, "A", "-o", self.page, "--force")
        first = self.page.read_text()
        run("report", self.data, "A", "-o", self.page)
        self.assertEqual(self.page.read_text(), first)
        self.assertEqual(sorted(path.name for path in self.root.iterdir()), ["data", "page.html"])

    def test_a_dash_is_standard_output(self):
        self.write("A/tradelog.csv", trade_log(40))
        run("report", self.data, "A", "-o", self.page)
        done = run("report", self.data, "A", "-o", "-")
        self.assertEqual(done.stdout, self.page.read_text())
        self.assertEqual(done.stderr, "")
        self.assertEqual(sorted(path.name for path in self.root.iterdir()), ["data", "page.html"])

    def test_only_files_are_replaced_and_links_stay(self):
        self.write("A/tradelog.csv", trade_log(40))
        pipe = self.root / "pipe"
        os.mkfifo(pipe)
        for output in (pipe, "/dev/null", "/dev/stdout", self.root, self.root / "no" / "x.html"):
            done = run("report", self.data, "A", "-o", output, "--force", code=1)
            self.assertRegex(done.stderr, "is not a file|is a folder|no such folder")
        self.assertTrue(pipe.is_fifo())
        real, link = self.root / "real.html", self.root / "link.html"
        run("report", self.data, "A", "-o", real)
        before = real.read_text()
        link.symlink_to(real)
        run("report", self.data, "A", "--seed", 2, "-o", link)
        self.assertTrue(link.is_symlink())
        self.assertNotEqual(real.read_text(), before)

    def test_default_file_is_in_the_users_folder(self):
        self.write("A/tradelog.csv", trade_log(40))
        run("report", self.data, "A", cwd=self.root)
        self.assertTrue((self.root / "report.html").exists())

    def test_few_trades_say_what_is_missing(self):
        self.write("A/tradelog.csv", trade_log(3))
        page = self.report("A")
        self.assertIn("at least 10 trades", page)
        self.assertIn("Rolling metrics need", page)


@unittest.skipIf(BROWSER is None, "no browser: install the Debian package chromium")
class BrowserTest(ReportTest):
    def dom(self):
        text, logged = browser("--dump-dom", self.page.as_uri())
        self.assertEqual(logged, [])
        return text

    def test_every_chart_is_drawn_without_a_network(self):
        self.report(self.demo())
        dom = self.dom()
        self.assertIn('data-charts="6"', dom)
        points = dict(re.findall(r'id="(chart-\w+)"[^>]*data-points="(\d+)"', dom))
        self.assertEqual(set(points), {"chart-equity", "chart-drawdown", "chart-distribution",
                                       "chart-winrate", "chart-average", "chart-fan"})
        self.assertEqual(points["chart-fan"], "101")
        self.assertGreater(int(points["chart-equity"]), 200)
        self.assertEqual(dom.count("<canvas"), 6)

    def test_text_from_files_is_only_text(self):
        row = trade_log(40).replace("Alpha", '"' + EVIL.replace('"', '""') + "\u2028" + '"')
        self.write("A/tradelog.csv", row)
        self.write("A & <b>/tradelog.csv", row)
        for block in ("A", "A & <b>"):
            page = self.report(block)
            self.assertNotIn("<img", page)
            dom = self.dom()
            self.assertIn(f"<title>{html.escape(block)}</title>", dom)
            self.assertNotIn("<img", dom)
            self.assertIn("document.title='pwned'", dom)  # shown as the strategy's name
            self.assertEqual(dom.count("<script"), 2)

    def test_pictures_of_both_themes_and_paper(self):
        self.report(self.demo(1500))
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        for theme, words in (("light", ()), ("dark", ("--force-dark-mode",
                                                      "--blink-settings=preferredColorScheme=0"))):
            picture = ARTIFACTS / f"report-{theme}.png"
            browser("--window-size=1180,2500", f"--screenshot={picture}", *words,
                    self.page.as_uri())
            self.assertEqual(png_size(picture), (1180, 2500))
            # A blank page of this size is a few kilobytes.
            self.assertGreater(picture.stat().st_size, 80_000)
        self.assertNotEqual((ARTIFACTS / "report-light.png").read_bytes(),
                            (ARTIFACTS / "report-dark.png").read_bytes())
        paper = ARTIFACTS / "report.pdf"
        browser(f"--print-to-pdf={paper}", "--no-pdf-header-footer", self.page.as_uri())
        self.assertTrue(paper.read_bytes().startswith(b"%PDF"))

    def test_few_trades_and_empty_months_draw_what_there_is(self):
        self.write("A/tradelog.csv", HEADER + "\n" + trade_log(12).split("\n", 1)[1])
        self.report("A")
        dom = self.dom()
        self.assertIn('data-charts="4"', dom)
        data = json.loads(html.unescape(re.search(r'id="chart-data">(.*?)</script>', dom)[1]))
        self.assertEqual(data["rolling"][0], [])


if __name__ == "__main__":
    unittest.main()
