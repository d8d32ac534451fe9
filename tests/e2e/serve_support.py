"""A client of the MCP server for tests: requests in, answers by id, from any thread."""

import itertools
import json
import os
import queue
import signal
import subprocess
import threading
import time

from cli_support import PATIENCE, PROGRAM

MODERN = "2026-07-28"
LEGACY = "2025-11-25"


class Client:
    """One `tradeblocks serve` process and the conversation with it."""

    def __init__(self, *words, runtime, era="legacy", env=None, stderr=subprocess.DEVNULL):
        self.era = era
        self.ids = itertools.count(1)
        self.lock = threading.Lock()
        self.waiting = {}
        self.notifications = queue.Queue()
        self.process = subprocess.Popen(
            [PROGRAM, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=stderr,
            env=dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=str(runtime), **(env or {})))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if era == "legacy":
            self.info = self.result("initialize", {
                "protocolVersion": LEGACY, "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"}})
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if "id" in message and "method" not in message:
                with self.lock:
                    box = self.waiting.pop(message["id"])
                box.put(message)
            else:
                self.notifications.put(message)
        with self.lock:
            boxes, self.waiting = list(self.waiting.values()), {}
        for box in boxes:
            box.put(None)

    def send(self, message):
        data = (json.dumps(message) + "\n").encode()
        with self.lock:
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def start(self, method, params=None):
        """Sends a request; returns its id and the box its answer will be in."""
        params = dict(params or {})
        if self.era == "modern":
            params["_meta"] = {"io.modelcontextprotocol/protocolVersion": MODERN,
                               "io.modelcontextprotocol/clientCapabilities": {}}
        box = queue.Queue()
        with self.lock:
            number = next(self.ids)
            self.waiting[number] = box
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number, box

    def request(self, method, params=None):
        """The whole answer; None when the process ended without one."""
        return self.start(method, params)[1].get(timeout=PATIENCE)

    def result(self, method, params=None):
        answer = self.request(method, params)
        assert answer is not None and "result" in answer, answer
        return answer["result"]

    def call(self, tool, **arguments):
        """The structured content of a tool that must succeed."""
        result = self.result("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), result
        return result["structuredContent"]

    def failure(self, tool, **arguments):
        result = self.result("tools/call", {"name": tool, "arguments": arguments})
        assert result.get("isError"), result
        return result["content"][0]["text"]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=PATIENCE)

    def close(self):
        """Ends as clients do: closes the server's input. Returns (exit code, seconds)."""
        started = time.monotonic()
        try:
            self.process.stdin.close()
        except OSError:
            pass  # what was still to be written has no reader any more
        code = self.process.wait(timeout=PATIENCE)
        self.reader.join(timeout=PATIENCE)
        self.process.stdout.close()
        return code, time.monotonic() - started
