"""A server and its database file: let go while nobody asks, stopped at work, damaged."""

import fcntl
import os
import signal
import struct
import subprocess
import time
import unittest

from cli_support import DataTest, PROGRAM, run, trade_log
from serve_test import ServeTest

COUNT = "SELECT count(*) AS n FROM trade_data"


def lock_holder(path):
    """Who holds the engine's lock; 0 = nobody."""
    with open(path, "rb") as file:
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack("hhqqi4x", fcntl.fcntl(file, fcntl.F_GETLK, asked))
    return 0 if kind == fcntl.F_UNLCK else pid


class IdleServer(ServeTest):
    def wait_until_free(self):
        deadline = time.monotonic() + 60
        while lock_holder(self.data / "analytics.duckdb") != 0:
            self.assertLess(time.monotonic(), deadline, "the server keeps the file")
            time.sleep(0.2)

    def test_the_file_is_free_while_nobody_asks_and_comes_back(self):
        client = self.client()
        self.assertEqual(len(client.call("list_blocks")["blocks"]), 2)
        self.assertEqual(lock_holder(self.data / "analytics.duckdb"), client.process.pid)
        self.wait_until_free()
        self.assertFalse((self.data / "analytics.duckdb.lock").exists())
        self.assertFalse((self.data / "analytics.duckdb.wal").exists())
        started = time.monotonic()
        self.assertEqual(client.call("get_block_info", blockId="Alpha")["tradeCount"], 40)
        self.assertLess(time.monotonic() - started, 5)
        # As a notebook has it.
        self.wait_until_free()
        with open(self.data / "analytics.duckdb", "r+b") as notebook:
            fcntl.lockf(notebook, fcntl.LOCK_EX | fcntl.LOCK_NB)
            result = client.result("tools/call", {"name": "list_blocks", "arguments": {}})
            self.assertFalse(result.get("isError"), result)
            text = result["content"][0]["text"]
            self.assertIn(f"process {os.getpid()}", text)
            self.assertNotIn("market history and the sync log", text)
            self.assertEqual(len(result["structuredContent"]["blocks"]), 2)
        time.sleep(5.5)  # how often a stand-in looks
        text = client.result("tools/call", {"name": "list_blocks", "arguments": {}})
        self.assertNotIn("stand-in", text["content"][0]["text"])


class OwnerStoppedAtWork(ServeTest):
    def test_the_caller_of_a_command_is_told_and_not_kept(self):
        owner = self.client()
        owner.call("list_blocks")
        environment = dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=str(self.runtime))
        command = subprocess.Popen(
            [PROGRAM, "sql", str(self.data),
             "SELECT count(*) AS n FROM range(5000) a, range(90000) b "
             "WHERE (a.range * b.range) % 7 = 3", "--format", "csv"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        time.sleep(0.7)
        owner.process.send_signal(signal.SIGSTOP)
        try:
            out, err = command.communicate(timeout=120)
        finally:
            owner.process.send_signal(signal.SIGCONT)
        # A query is not run again: it may be what the owner hangs over.
        self.assertEqual(out, "")
        self.assertIn(f"process {owner.process.pid}", err)
        self.assertIn("stopped or hangs", err)
        self.assertNotEqual(command.returncode, 0, err)

    def test_the_caller_of_a_tool_that_writes_is_told(self):
        owner, follower = self.client(), self.client()
        owner.call("list_blocks")
        follower.call("list_blocks")
        new = self.root / "new.csv"
        new.write_text(trade_log(3))
        owner.process.send_signal(signal.SIGSTOP)
        try:
            text = follower.failure("import_csv", csvPath=str(new), blockName="Gamma")
        finally:
            owner.process.send_signal(signal.SIGCONT)
        self.assertIn("stopped or hangs", text)
        self.assertIn("may or may not have been carried out", text)


class DamagedDatabase(DataTest):
    BLOCK = 256 * 1024

    def test_doctor_and_verify_see_every_block(self):
        for block in range(4):
            self.write(f"B{block}/tradelog.csv", trade_log(1500, first=block * 1500))
        run("sync", self.data)
        question = ("sql", self.data, "SELECT block_id, count(*) AS n, sum(pl) AS s FROM trade_data "
                    "GROUP BY ALL ORDER BY ALL", "--format", "csv")
        truth = run(*question).stdout
        path = self.data / "analytics.duckdb"
        good = path.read_bytes()
        seen = 0
        for at in range(3 * 4096 + 7000, len(good), self.BLOCK):
            damaged = bytearray(good)
            damaged[at] ^= 0x20
            before = path.stat()
            path.write_bytes(damaged)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            doctor = run("doctor", self.data, "--json", code=None).stdout
            noticed = "the database is damaged" in doctor
            seen += noticed
            verified = run("sync", self.data, "--verify", code=None)
            self.assertEqual("has been set aside" in verified.stderr + verified.stdout, noticed, at)
            self.assertEqual(run(*question).stdout, truth)
            for aside in self.data.glob("analytics.duckdb*"):
                aside.unlink()
            path.write_bytes(good)
        self.assertGreater(seen, 0)


if __name__ == "__main__":
    unittest.main()
