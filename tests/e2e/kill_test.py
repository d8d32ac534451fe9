"""Kills the program (SIGKILL) at random points of cold syncs and re-syncs and checks after each
kill what the design promises: per block, stored hash equal to the hash of some state of the file
<=> the rows stored are exactly the rows of that state; never a mixture; and the next sync repairs
the rest.

TB_KILLS sets the number of kills (default 40), TB_SEED the seed (printed; replays a failure). The
truth comes from Python's csv module and hashlib, not from the program.
"""

import csv
import hashlib
import os
import random
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from cli_support import PATIENCE, PROGRAM, run, run_json, trade, trade_log

KILLS = int(os.environ.get("TB_KILLS", "40"))
SEED = int(os.environ.get("TB_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
BLOCKS = 12
ROLES = {"tradelog.csv": "tradelog_hash", "dailylog.csv": "dailylog_hash"}


class State:
    """One content of a file: its hash and what its rows add up to."""

    def __init__(self, path):
        data = path.read_bytes()
        self.hash = hashlib.sha256(data).hexdigest()
        rows = list(csv.DictReader(data.decode().splitlines()))
        self.rows = len(rows)
        column = "P/L"
        self.cents = sum(round(float(row[column]) * 100) for row in rows)


class Kill(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        self.root = Path(tempfile.mkdtemp(prefix="tb_kill_"))
        self.data = self.root / "data"
        self.states = {}  # block -> file name -> hash -> State

    def tearDown(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def write_block(self, block, trades, first):
        folder = self.data / block
        folder.mkdir(parents=True, exist_ok=True)
        pls = [f"{self.random.randrange(-99999, 99999) / 100}" for _ in range(trades)]
        head = trade_log(0)
        rows = "".join(trade(first + i, pl=pl) + "\n" for i, pl in enumerate(pls))
        daily = "Date,Net Liquidity,P/L,Drawdown %\n" + "".join(
            f"2024-03-{1 + i % 28:02},{100000 + first + i},{i}.5,0\n"
            for i in range(self.random.randrange(1, 60)))
        for name, text in (("tradelog.csv", head + rows), ("dailylog.csv", daily)):
            aside = folder / f".{name}.new"
            aside.write_text(text)
            aside.rename(folder / name)
            state = State(folder / name)
            self.states.setdefault(block, {}).setdefault(name, {})[state.hash] = state

    def stored(self):
        """block -> what the database says, asked without syncing."""
        sql = ("SELECT m.block_id AS id, m.tradelog_hash, m.dailylog_hash, "
               "(SELECT count(*) FROM trades.trade_data t WHERE t.block_id = m.block_id) AS rows, "
               "(SELECT coalesce(sum(round(pl * 100)::BIGINT), 0)::BIGINT FROM trades.trade_data t "
               " WHERE t.block_id = m.block_id) AS cents, "
               "(SELECT count(*) FROM trades.daily_data d WHERE d.block_id = m.block_id) AS days, "
               "(SELECT coalesce(sum(round(pl * 100)::BIGINT), 0)::BIGINT FROM trades.daily_data d "
               " WHERE d.block_id = m.block_id) AS day_cents "
               "FROM trades._sync_metadata m")
        return {row["id"]: row
                for row in run_json("sql", self.data, "--no-sync", "--format", "json", sql)}

    def check_invariant(self, where):
        if not (self.data / "analytics.duckdb").exists():
            return
        stored = self.stored()
        for block, row in stored.items():
            trades = self.states[block]["tradelog.csv"].get(row["tradelog_hash"])
            self.assertIsNotNone(trades, f"{where}: {block}: hash of no file that ever was")
            self.assertEqual((row["rows"], row["cents"]), (trades.rows, trades.cents),
                             f"{where}: {block}: rows do not belong to the stored hash")
            if row["dailylog_hash"] is None:
                self.assertEqual(row["days"], 0, f"{where}: {block}")
            else:
                days = self.states[block]["dailylog.csv"][row["dailylog_hash"]]
                self.assertEqual((row["days"], row["day_cents"]), (days.rows, days.cents),
                                 f"{where}: {block}: daily rows do not belong to the stored hash")
        orphans = run_json("sql", self.data, "--no-sync", "--format", "json",
                           "SELECT DISTINCT block_id FROM (SELECT block_id FROM trades.trade_data "
                           "UNION ALL SELECT block_id FROM trades.daily_data) WHERE block_id NOT IN "
                           "(SELECT block_id FROM trades._sync_metadata)")
        self.assertEqual(orphans, [], f"{where}: rows without metadata")

    def check_complete(self, where):
        report = run_json("sync", self.data, "--json")
        self.assertEqual((report["blocksFailed"], report["blocksDeferred"]), (0, 0), where)
        stored = self.stored()
        self.assertEqual(set(stored), {path.name for path in self.data.iterdir()
                                       if path.is_dir() and not path.name.startswith(".")}, where)
        for block, row in stored.items():
            self.assertEqual(row["tradelog_hash"], State(self.data / block / "tradelog.csv").hash)
            self.assertEqual(row["dailylog_hash"], State(self.data / block / "dailylog.csv").hash)

    def change_something(self):
        names = sorted(path.name for path in self.data.iterdir() if path.name.startswith("block"))
        for block in self.random.sample(names, self.random.randrange(1, min(7, len(names)))):
            action = self.random.random()
            if action < 0.75 or len(names) < 6:
                self.write_block(block, self.random.randrange(1, 900), self.random.randrange(1000))
            else:
                shutil.rmtree(self.data / block)
        if self.random.random() < 0.5:
            self.write_block(f"block-{self.random.randrange(100, 200)}",
                             self.random.randrange(1, 2500), 7)

    def kill_one_sync(self, expected):
        """True if the process died by our hand."""
        process = subprocess.Popen([PROGRAM, "sync", str(self.data)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(self.random.random() * expected)
        process.kill()
        return process.wait(timeout=PATIENCE) < 0

    def test_no_kill_leaves_a_mixture(self):
        print(f"seed {SEED} (TB_SEED replays), {KILLS} kills", flush=True)
        for number in range(BLOCKS):
            self.write_block(f"block-{number:03}", self.random.randrange(200, 2500), number)
        start = time.monotonic()
        run("sync", self.data)
        expected = time.monotonic() - start
        done = 0
        attempts = 0
        while done < KILLS:
            attempts += 1
            self.assertLess(attempts, 20 * KILLS + 100, "the program ends before it can be killed")
            where = f"seed {SEED}, kill {done + 1}"
            if self.random.random() < 0.3:  # cold: everything anew
                for path in self.data.glob("analytics.duckdb*"):
                    path.unlink()
                shutil.rmtree(self.data / ".tradeblocks", ignore_errors=True)
                span = expected
            else:
                self.change_something()
                span = expected * 0.6
            if not self.kill_one_sync(span):
                continue
            done += 1
            self.check_invariant(where)
            if self.random.random() < 0.25:
                self.check_complete(where)
        self.check_complete(f"seed {SEED}, end")
        self.assertEqual(sorted(self.data.glob("*.corrupt-*")), [], "no kill damages the file")


if __name__ == "__main__":
    unittest.main()
