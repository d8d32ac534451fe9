"""Three copies serve one folder; one of them is killed (SIGKILL) every second (on a machine so busy
that nothing is answered within a second: after the next answer) while three clients call tools and
the files change. Every client gets every answer, as real clients do it: a client whose own server
was killed starts it anew and asks again. Afterwards the database is compared with the files (see
kill_test.py).

TB_CALLS sets the calls per client (default 200), TB_KILLS the most kills (default 60), TB_SEED the
seed (printed; replays a failure as far as timing allows).
"""

import os
import random
import threading
import time
import unittest

import kill_test
from cli_support import PATIENCE, run, run_json
from serve_support import Client

CALLS = int(os.environ.get("TB_CALLS", "200"))
# A machine that is busy with other things needs minutes for the calls; this many kills will do.
MAX_KILLS = int(os.environ.get("TB_KILLS", "60"))
COPIES = 3
BLOCKS = 6


class Caller:
    """A client that never gives up on its server."""

    def __init__(self, test, number):
        self.test = test
        self.era = "legacy" if number % 2 == 0 else "modern"
        self.lock = threading.Lock()
        self.restarts = 0
        self.client = None
        self.start()

    def start(self):
        while True:
            try:
                client = Client(self.test.data, runtime=self.test.runtime, era=self.era)
            except (AssertionError, OSError):
                continue  # killed during the handshake
            break
        with self.lock:
            self.client = client

    def kill(self):
        with self.lock:
            self.client.process.kill()

    def stop(self):
        self.kill()
        self.client.close()

    def call(self, tool, arguments):
        while True:
            try:
                answer = self.client.request("tools/call", {"name": tool, "arguments": arguments})
            except OSError:
                answer = None  # its input is closed
            if answer is not None:
                return answer
            self.client.close()
            self.restarts += 1
            self.start()


class ServeKill(kill_test.Kill):
    test_no_kill_leaves_a_mixture = None  # that is another program's

    def setUp(self):
        super().setUp()
        self.runtime = self.root / "run"

    def mixed_calls(self, seed):
        chooser = random.Random(seed)
        blocks = [f"block-{number:03}" for number in range(BLOCKS)]
        for _ in range(CALLS):
            block = chooser.choice(blocks)
            yield chooser.choice([
                ("get_block_info", {"blockId": block}),
                ("get_block_info", {"blockId": block}),
                ("list_blocks", {}),
                ("get_trades", {"blockId": block, "pageSize": 5}),
                ("get_statistics", {"blockId": block}),
                ("get_sync_history", {"limit": 3}),
                ("get_data_issues", {"limit": 3}),
                ("run_sql", {"query": "SELECT block_id, count(*) AS n FROM trades.trade_data "
                                      "GROUP BY ALL ORDER BY ALL"}),
            ])

    def run_caller(self, caller, seed, problems, done):
        try:
            for tool, arguments in self.mixed_calls(seed):
                answer = caller.call(tool, arguments)
                result = answer.get("result")
                if result is not None and result.get("isError") and tool == "run_sql" and (
                        "not tried again" in result["content"][0]["text"]):
                    done.append("run_sql lost")  # SQL is not repeated when its owner dies
                    continue
                if result is None or result.get("isError"):
                    problems.append((tool, arguments, answer))
                done.append(tool)
        except Exception as problem:  # pylint: disable=broad-except
            problems.append(repr(problem))

    def test_every_client_gets_every_answer(self):
        print(f"seed {kill_test.SEED} (TB_SEED replays), {COPIES} x {CALLS} calls", flush=True)
        for number in range(BLOCKS):
            self.write_block(f"block-{number:03}", self.random.randrange(200, 900), number)
        callers = [Caller(self, number) for number in range(COPIES)]
        problems = []
        done = [[] for _ in callers]
        threads = [threading.Thread(target=self.run_caller, daemon=True,
                                    args=(caller, kill_test.SEED + number, problems, done[number]))
                   for number, caller in enumerate(callers)]
        for thread in threads:
            thread.start()
        kills = 0
        while any(thread.is_alive() for thread in threads):
            answered = sum(len(calls) for calls in done)
            start = time.monotonic()
            while (any(thread.is_alive() for thread in threads) and
                   (time.monotonic() - start < 1 or
                    sum(len(calls) for calls in done) == answered)):
                time.sleep(0.02)
                self.assertLess(time.monotonic() - start, PATIENCE, "no more answers")
            if kills == MAX_KILLS:
                for thread in threads:
                    thread.join()
                break
            callers[kills % COPIES].kill()
            kills += 1
            # The files go on changing, as do those of people who export all day.
            block = self.random.randrange(BLOCKS)
            self.write_block(f"block-{block:03}", self.random.randrange(200, 900), kills)
        print(f"{kills} kills, {sum(caller.restarts for caller in callers)} restarts", flush=True)
        self.assertEqual([str(problem)[:600] for problem in problems], [])
        self.assertEqual([len(calls) for calls in done], [CALLS] * COPIES)
        for caller in callers:
            caller.stop()
        os.environ["TRADEBLOCKS_RUNTIME_DIR"] = str(self.runtime)
        self.addCleanup(os.environ.pop, "TRADEBLOCKS_RUNTIME_DIR")
        where = f"seed {kill_test.SEED}, end"
        self.check_invariant(where)
        self.check_complete(where)
        run("sync", self.data, "--verify")
        for row in run_json("status", self.data, "--json"):
            self.assertEqual(row["state"], "up to date")
        self.assertEqual(sorted(self.data.glob("*.corrupt-*")), [], "no kill damages the file")


if __name__ == "__main__":
    unittest.main()
