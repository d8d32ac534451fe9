"""What the end-to-end tests of the command line share."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.environ["TRADEBLOCKS_BIN"]
# Generous, because sanitizer builds on a busy machine are slow; nothing waits for it otherwise.
PATIENCE = 120

HEADER = ("Date Opened,Time Opened,Opening Price,Legs,Premium,Closing Price,Date Closed,"
          "Time Closed,Avg. Closing Cost,Reason For Close,P/L,No. of Contracts,Funds at Close,"
          "Margin Req.,Strategy,Opening Commissions + Fees,Closing Commissions + Fees,"
          "Opening Short/Long Ratio,Closing Short/Long Ratio,Gap,Movement,Max Profit,Max Loss")


def trade(number, pl="101.5", strategy="Alpha"):
    """One data row; every column and every row different."""
    day = 1 + number % 28
    month = 1 + number // 28 % 12
    return (f"2024-{month:02}-{day:02},10:{number % 60:02}:00,{4000 + number}.25,"
            f"1 Jan {day} {4000 + number} P STO 4.{number % 10},{300 + number},{4001 + number}.5,"
            f"2024-{month:02}-{day:02},15:{number % 60:02}:30,{number},Expired,{pl},"
            f"{1 + number % 7},{100000 + number},{5000 + number},{strategy},1.25,2.5,"
            f"1.{number % 9},0.{number % 8},3.{number % 7},-4.{number % 6},90,-50")


def trade_log(count, first=0, **options):
    rows = [HEADER] + [trade(number, **options) for number in range(first, first + count)]
    return "\n".join(rows) + "\n"


def run(*words, code=0, env=None, text=True, **options):
    """Runs the program; checks its exit code and that nothing crashed."""
    environment = dict(os.environ, **(env or {}))
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=text,
                          env=environment, timeout=PATIENCE, **options)
    assert code is None or done.returncode == code, (
        f"{words}: exit {done.returncode}, wanted {code}\n"
        f"stdout: {done.stdout}\nstderr: {done.stderr}")
    return done


def run_json(*words, **options):
    return json.loads(run(*words, **options).stdout)


class DataTest(unittest.TestCase):
    """A data directory of its own for each test."""

    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="tb_e2e_"))
        self.data = self.root / "data"
        self.data.mkdir()

    def tearDown(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def write(self, name, content, replace=True):
        """Writes a file as a careful program does: complete under its name at once."""
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not replace:
            path.write_text(content)
            return path
        aside = path.with_name(path.name + ".new~")
        if isinstance(content, bytes):
            aside.write_bytes(content)
        else:
            aside.write_text(content)
        aside.rename(path)
        return path

    def counts(self):
        """Rows of every block in the database."""
        rows = run_json("sql", self.data, "--no-sync", "--format", "json",
                        "SELECT block_id, count(*) AS n FROM trades.trade_data GROUP BY ALL")
        return {row["block_id"]: row["n"] for row in rows}
