"""sync --watch: follows changes, coalesces bursts, waits for writers, leaves the database free."""

import json
import os
import queue
import signal
import subprocess
import threading
import time
import unittest

from cli_support import PATIENCE, PROGRAM, DataTest, trade, trade_log


class Watcher:
    """A running `sync --watch --json`; its reports come out of next()."""

    def __init__(self, data):
        self.process = subprocess.Popen([PROGRAM, "sync", str(data), "--watch", "--json"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.reports = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.reports.put(json.loads(line))

    def next(self, timeout=PATIENCE):
        return self.reports.get(timeout=timeout)

    def until(self, block, trades):
        """Reads reports until the block has so many trades; (all reports read)."""
        seen = []
        while True:
            seen.append(self.next())
            for item in seen[-1]["blocks"]:
                if item["blockId"] == block and item["tradeCount"] == trades and (
                        item["status"] in ("synced", "unchanged")):
                    return seen

    def quiet(self, seconds):
        try:
            return self.reports.get(timeout=seconds)
        except queue.Empty:
            return None

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=PATIENCE)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code


class Watch(DataTest):
    def setUp(self):
        super().setUp()
        self.write("A/tradelog.csv", trade_log(3))
        self.watcher = Watcher(self.data)
        self.assertEqual(self.watcher.next()["blocksSynced"], 1)

    def tearDown(self):
        if self.watcher.process.poll() is None:
            self.watcher.stop()
        super().tearDown()

    def test_follows_changes_new_folders_renames_and_removals(self):
        self.write("A/tradelog.csv", trade_log(5))
        self.watcher.until("A", 5)
        self.write("B/tradelog.csv", trade_log(2))
        self.watcher.until("B", 2)
        (self.data / "B").rename(self.data / "C")
        self.watcher.until("C", 2)
        self.write("C/tradelog.csv", trade_log(4))
        self.watcher.until("C", 4)
        (self.data / "C/tradelog.csv").unlink()
        report = self.watcher.next()
        self.assertEqual(report["blocksDeleted"], 1)
        self.assertEqual(self.counts(), {"A": 5})

    def test_a_burst_is_few_syncs(self):
        for count in range(4, 64):
            self.write("A/tradelog.csv", trade_log(count))
        self.assertLess(len(self.watcher.until("A", 63)), 20)
        self.assertIsNone(self.watcher.quiet(1))

    def test_a_file_being_written_is_waited_for(self):
        text = trade_log(40)
        with open(self.data / "A/tradelog.csv", "w", buffering=1) as file:
            for start in range(0, len(text), 400):
                file.write(text[start:start + 400])
                file.flush()
                time.sleep(0.02)
        reports = self.watcher.until("A", 40)
        for report in reports:
            for block in report["blocks"]:
                self.assertIn(block["tradeCount"], (3, 40), "never half of it")

    def test_a_half_record_is_deferred_until_it_is_whole(self):
        self.write("A/tradelog.csv", trade_log(6) + trade(7)[:50])
        self.assertEqual(self.watcher.next()["blocksDeferred"], 1)
        self.assertEqual(self.counts()["A"], 3)
        with open(self.data / "A/tradelog.csv", "a") as file:
            file.write(trade(7)[50:] + "\n")
        self.watcher.until("A", 7)

    def test_other_commands_get_at_the_database_meanwhile(self):
        for _ in range(3):
            self.assertEqual(self.counts(), {"A": 3})

    def test_interrupt_ends_it_with_130(self):
        self.assertEqual(self.watcher.stop(), 130)

    def test_a_reader_that_goes_away_ends_it(self):
        self.watcher.stop()
        reader, writer = os.pipe()
        process = subprocess.Popen([PROGRAM, "sync", str(self.data), "--watch", "--json"],
                                   stdout=writer, stderr=subprocess.DEVNULL)
        os.close(writer)
        os.close(reader)
        self.assertEqual(process.wait(timeout=PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
