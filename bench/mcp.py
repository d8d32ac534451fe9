"""Measures the MCP server as a client sees it, over standard input and output.

Elapsed times are the best of several, because whatever else the machine does can only add. Used by
run.py (group `mcp`).
"""

import json
import os
import queue
import subprocess
import tempfile
import threading
import time


class Server:
    """One server process with a raw conversation: no client library in the figures."""

    def __init__(self, program, path, runtime):
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=runtime))
        self.next = 0
        self.send("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                 "clientInfo": {"name": "bench", "version": "1"}})
        self.receive()
        self.first_answer_ms = (time.perf_counter() - self.started) * 1000

    def send(self, method, params=None):
        self.next += 1
        message = {"jsonrpc": "2.0", "id": self.next, "method": method, "params": params or {}}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self):
        return self.process.stdout.readline()

    def timed(self, method, params=None):
        start = time.perf_counter()
        self.send(method, params)
        line = self.receive()
        assert b'"isError":true' not in line and b'"error":' not in line[:80], line[:400]
        return (time.perf_counter() - start) * 1000, line

    def best(self, runs, method, params=None):
        return min(self.timed(method, params)[0] for _ in range(runs))

    def call(self, tool, **arguments):
        return {"name": tool, "arguments": arguments}

    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")

    def calls_per_second(self, count, concurrency, call):
        """Keeps `concurrency` calls open until `count` are answered."""
        room = queue.Queue()
        for _ in range(concurrency):
            room.put(None)

        def read():
            for _ in range(count):
                assert b'"isError":true' not in self.receive()
                room.put(None)

        reader = threading.Thread(target=read)
        start = time.perf_counter()
        reader.start()
        for _ in range(count):
            room.get()
            self.send("tools/call", call)
        reader.join()
        return count / (time.perf_counter() - start)

    def close(self):
        start = time.perf_counter()
        self.process.stdin.close()
        code = self.process.wait(timeout=30)
        assert code == 0, code
        self.process.stdout.close()
        return (time.perf_counter() - start) * 1000


def measure(table, program, path, forget):
    """`path` holds 100 blocks; `forget` removes its database."""
    program, path = str(program), str(path)
    with tempfile.TemporaryDirectory(prefix="tb_bench_") as runtime:
        forget()
        first = []
        for _ in range(5):
            server = Server(program, path, runtime)
            first.append(server.first_answer_ms)
            server.close()
        table.add("MCP: first answer after exec, no database yet", f"{min(first):.0f} ms",
                  "≤ 100 ms", min(first) <= 100)

        server = Server(program, path, runtime)
        listed = server.best(30, "tools/list")
        size = len(json.dumps(json.loads(server.timed("tools/list")[1])["result"]["tools"],
                              separators=(",", ":"), ensure_ascii=False).encode())
        table.add("MCP: `tools/list`, all tools", f"{listed:.2f} ms, {size / 1000:.1f} kB",
                  "≤ 2 ms, ≤ 40 kB", listed <= 2 and size <= 40_000)
        before = server.rss_mb()
        table.add("MCP: memory before the database is opened", f"{before:.0f} MB", "≤ 40 MB",
                  before <= 40)
        server.timed("tools/call", server.call("list_blocks"))  # the first sync
        forget_nothing = server.close()
        server = Server(program, path, runtime)
        server.timed("tools/call", server.call("list_blocks"))
        opened = server.rss_mb()
        table.add("MCP: memory with the database open, 100 blocks listed", f"{opened:.0f} MB",
                  "≤ 120 MB", opened <= 120)
        warm = server.best(10, "tools/call", server.call("list_blocks"))
        table.add("MCP: `list_blocks`, 100 unchanged blocks", f"{warm:.1f} ms", "≤ 20 ms",
                  warm <= 20)

        one = server.call("get_block_info", blockId="block-0050")
        server.calls_per_second(200, 8, one)
        rate = max(server.calls_per_second(1_000, 8, one) for _ in range(2))
        table.add("MCP: `get_block_info` at concurrency 8", f"{rate:.0f} calls/s", "≥ 200",
                  rate >= 200)
        follower = Server(program, path, runtime)
        follower.calls_per_second(200, 8, one)
        rate = follower.calls_per_second(1_000, 8, one)
        table.add("MCP: the same through a second copy on the folder", f"{rate:.0f} calls/s",
                  "≥ 200", rate >= 200)
        follower.close()

        mixed = [server.call("list_blocks"), one, server.call("get_trades", blockId="block-0007"),
                 server.call("get_statistics", blockId="block-0011"),
                 server.call("run_sql", query="SELECT count(*) FROM trades.trade_data")]
        for call in mixed:
            server.calls_per_second(200, 8, call)
        start = server.rss_mb()
        for _ in range(4):
            for call in mixed:
                server.calls_per_second(500, 8, call)
        growth = server.rss_mb() / start - 1
        table.add("MCP: growth over 10,000 mixed calls", f"{growth * 100:+.1f} % of {start:.0f} MB",
                  "≤ 5 %", growth <= 0.05)
        ended = max(server.close(), forget_nothing)
        table.add("MCP: end after the client has closed", f"{ended:.0f} ms", "≤ 2000 ms",
                  ended <= 2000)
