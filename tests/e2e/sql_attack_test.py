#!/usr/bin/env python3
"""Statements that end or stall an engine, against real servers: three copies on one folder survive
all of them, other tools go on answering, memory stays within what is promised.

The functions are those the engine itself lists, called with sizes and texts that hurt. A run takes
some of them (TB_STATEMENTS, default 40; TB_SEED, printed, replays the choice); with TB_NIGHTLY it
takes all, several times over.
"""

import json
import os
import random
import re
import subprocess
import threading
import time
import unittest

import cli_support
from cli_support import PATIENCE, PROGRAM, DataTest, trade_log
from serve_support import Client

NIGHTLY = bool(os.environ.get("TB_NIGHTLY"))
SEED = int(os.environ.get("TB_SEED", random.randrange(1 << 30)))
STATEMENTS = int(os.environ.get("TB_STATEMENTS", "100000" if NIGHTLY else "40"))
# What a statement may take beyond its limit before it counts as stuck: one second is promised, a
# machine that builds beside it gets more.
STUCK_SECONDS = 60
ENGINE_LIMIT_MB = 512
ALLOWED_MB = ENGINE_LIMIT_MB + 256

KNOWN = [
    "SELECT json_contains(repeat('[',40000)||repeat(']',40000),'1')",
    "SELECT json_structure((repeat('[',40000)||repeat(']',40000))::JSON)",
    "SELECT json_merge_patch(repeat('{\"a\":',9000)||'1'||repeat('}',9000), "
    "repeat('{\"a\":',9000)||'2'||repeat('}',9000))",
    "SELECT repeat('a',60) ILIKE '%a%a%a%a%a%a%a%a%a%a%a%b'",
    "SELECT repeat('a',60) LIKE '%a_a%a%a_%a%a%a%_a%a%a%a%b'",
    "SELECT repeat('a',60) GLOB '*a*a*a*a*a*a*a*a*a*a*a*b'",
    "SELECT damerau_levenshtein(repeat('ab', (reverse('0004')::INT)), "
    "repeat('ba', (reverse('0004')::INT)))",
    "SELECT levenshtein(repeat('ab', (reverse('0004')::INT)), repeat('b', (reverse('0004')::INT)))",
    "SELECT length(repeat('x', reverse('0000000002')::BIGINT))",
    "SELECT length(list_resize([1],(hash('x')>>34)::BIGINT,0))",
    "SELECT length(lpad('x', reverse('000000002')::INTEGER, 'y'))",
    "SELECT median(a.pl * b.pl * c.pl) FROM trade_data a, trade_data b, trade_data c, range(1000)",
    "SELECT length(list(a.range)) FROM range(1000000000) a",
    "SELECT a.pl * b.pl + c.pl, min(b.legs) FROM trade_data a, trade_data b, trade_data c "
    "GROUP BY 1, random()",
    "SELECT a.legs || b.legs, count(*) FROM trade_data a, trade_data b, range(1000) GROUP BY 1",
    "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range = b.range % 7",
    "SELECT a.range, b.range FROM range(100000) a, range(100000) b ORDER BY hash(a.range * "
    "b.range)",
    "SELECT sum(a.range) OVER (ORDER BY b.range ROWS 100000 PRECEDING) FROM range(100000) a, "
    "range(100000) b",
    "WITH RECURSIVE x(i, t) AS (SELECT 1, 'ab' UNION ALL SELECT i + 1, t || t FROM x) SELECT "
    "max(length(t)) FROM x",
    "SELECT legs || legs AS a, a || a AS b, b || b AS c, c || c AS d, d || d AS e, e || e AS f, "
    "f || f AS g, g || g AS h, h || h AS i, i || i AS j, j || j AS k, k || k AS l, l || l AS m "
    "FROM trade_data, range(100000)",
    "SELECT " + "abs(" * 200 + "1" + ")" * 200,
    "SELECT " + "1+" * 900 + "1",
    "SELECT " + "list_transform([1], lambda x: " * 40 + "x" + ")" * 40,
    "SELECT " + "EXISTS(SELECT " * 8 + "1" + ")" * 8,
    "SELECT " + "(" * 200 + "1" + ")" * 200,
    "SELECT '" + "[" * 400 + "]" * 400 + "'::JSON",
    "SELECT NULL::INT" + "[]" * 900,
    "SELECT 1" + " UNION SELECT 1" * 90,
]


def grown(digits, digit):
    """A number that no literal of the statement shows."""
    return f"reverse('{'0' * digits}{digit}')::BIGINT"


class Attacks:
    """Calls of the engine's functions, made from its own list of them."""

    def __init__(self, functions, chooser):
        self.functions = functions
        self.chooser = chooser

    def argument(self, kind):
        kind = (kind or "ANY").strip().upper()
        if kind.endswith("[]"):
            if kind[:-2] == "VARCHAR":
                return f"string_split(repeat('a,', {grown(5, 1)}), ',')"
            member = kind[:-2] if kind[:-2] in ("FLOAT", "DOUBLE") else "BIGINT"
            return f"range({grown(6, 1)})::{member}[]"
        if kind in ("BIGINT", "HUGEINT", "UBIGINT", "INTEGER", "UINTEGER"):
            return self.chooser.choice([grown(9, 2), f"(-{grown(9, 2)})", grown(7, 1), "0"])
        fixed = {"TINYINT": "100", "SMALLINT": "100", "DOUBLE": "1e300", "FLOAT": "1e30",
                 "BOOLEAN": "true", "DATE": "DATE '9999-12-31'", "TIME": "TIME '23:59:59'",
                 "TIMESTAMP": "TIMESTAMP '290000-12-31 00:00:00'",
                 "INTERVAL": f"to_days(({grown(8, 2)})::INTEGER)",
                 "BLOB": f"repeat('a', {grown(5, 5)})::BLOB",
                 "BIT": f"repeat('1', {grown(5, 5)})::BIT",
                 "LAMBDA": f"lambda x: repeat('a', {grown(5, 5)})"}
        if kind in fixed:
            return fixed[kind]
        return self.chooser.choice([
            f"repeat('a', {grown(5, 5)})",
            f"(repeat('[', {grown(4, 4)}) || repeat(']', {grown(4, 4)}))",
            f"repeat('%a', {grown(2, 1)})", f"repeat('{{\"a\":', {grown(4, 1)})",
            f"repeat('(a*)*', {grown(3, 1)})"])

    def statement(self):
        function = self.chooser.choice(self.functions)
        name, kind = function["name"], function["kind"]
        arguments = [self.argument(type_name) for type_name in function["types"]]
        if re.fullmatch("[A-Za-z_0-9]+", name):
            call = f"{name}({', '.join(arguments)})"
        elif len(arguments) == 2:
            call = f"({arguments[0]}) {name} ({arguments[1]})"
        else:
            call = f"{name} ({', '.join(arguments)})"
        if kind == "aggregate":
            return f"SELECT length(({call})::VARCHAR) FROM range({grown(9, 1)})"
        if kind in ("table", "table_macro"):
            return f"SELECT count(*) FROM {call}"
        return f"SELECT length(({call})::VARCHAR)"


class TreeMemory:
    """The most memory a process and its children have had together while this is watched, in MB."""

    def __init__(self, pid):
        self.pid = pid
        self.most = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    @staticmethod
    def _resident(pid):
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
                for line in lines:
                    if line.startswith("Pss:"):
                        return int(line.split()[1]) / 1024
        except OSError:
            pass
        return 0

    def _tree(self, pid):
        found = [pid]
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                    for child in children.read().split():
                        found += self._tree(int(child))
        except OSError:
            pass
        return found

    def _watch(self):
        while not self.stop.wait(0.05):
            self.most = max(self.most, sum(self._resident(pid) for pid in self._tree(self.pid)))


def is_sanitized():
    with open(PROGRAM, "rb") as program:
        content = program.read()
    return b"__asan_init" in content or b"__tsan_init" in content


class SqlAttack(DataTest):
    def setUp(self):
        super().setUp()
        self.runtime = self.root / "run"
        self.write("Alpha/tradelog.csv", trade_log(300))
        self.write("Beta/tradelog.csv", trade_log(25, first=400, strategy="Beta One"))
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            if client.process.poll() is None:
                client.process.kill()
            client.close()
        super().tearDown()

    def client(self, *words):
        client = Client(*(words or (self.data,)), runtime=self.runtime)
        self.clients.append(client)
        return client

    def attack(self, client, statement, seconds=1):
        """Its answer, which must come in time, whatever it is."""
        started = time.monotonic()
        _, box = client.start("tools/call", {"name": "run_sql", "arguments": {
            "query": statement, "timeoutSeconds": seconds}})
        answer = box.get(timeout=PATIENCE)
        self.assertIsNotNone(answer, f"the server ended: {statement}")
        self.assertLess(time.monotonic() - started, seconds + STUCK_SECONDS, statement)
        return answer

    def functions(self, client):
        rows = []
        while True:
            page = client.call("run_sql", query=(
                "SELECT function_name, function_type, parameter_types FROM duckdb_functions() "
                "WHERE function_type <> 'pragma' ORDER BY ALL"), limit=1000, offset=len(rows),
                maxChars=2000000)
            rows += page["rows"]
            if not page["truncated"]:
                break
        functions = {(row["function_name"], row["function_type"],
                      tuple(row["parameter_types"] or ())) for row in rows}
        self.assertGreater(len(functions), 1000)
        return [{"name": name, "kind": kind, "types": types}
                for name, kind, types in sorted(functions)]

    def test_three_copies_survive_every_statement(self):
        print(f"seed {SEED} (TB_SEED replays), {STATEMENTS} statements", flush=True)
        copies = [self.client() for _ in range(3)]
        for client in copies:
            self.assertEqual(client.call("list_blocks")["totalMatching"], 2)
        chooser = random.Random(SEED)
        functions = self.functions(copies[0])
        attacks = Attacks(functions, chooser)
        count = min(STATEMENTS, 3 * len(functions))
        statements = KNOWN + [attacks.statement() for _ in range(count)]
        memory = TreeMemory(copies[0].process.pid)
        with memory:
            for number, statement in enumerate(statements):
                client = copies[number % 3]
                self.attack(client, statement)
                for copy in copies:
                    self.assertIsNone(copy.process.poll(), statement)
                if number % 10 == 0:
                    self.assertEqual(client.call("get_block_info", blockId="Beta")["tradeCount"],
                                     25)
        if not is_sanitized():
            self.assertLess(memory.most, ALLOWED_MB)
        self.assertEqual(
            [client.call("run_sql", query="SELECT count(*) AS n FROM trade_data")["rows"]
             for client in copies], [[{"n": 325}]] * 3)

    def test_other_tools_answer_while_statements_are_slow(self):
        client = self.client()
        client.call("list_blocks")
        slow = KNOWN[3]
        boxes = [client.start("tools/call", {"name": "run_sql", "arguments": {
            "query": slow, "timeoutSeconds": 20}})[1] for _ in range(4)]
        boxes += [client.start("tools/call", {"name": "run_sql", "arguments": {
            "query": "SELECT count(*) FROM range(1000000000000) WHERE range % 3 = 1",
            "timeoutSeconds": 20}})[1] for _ in range(4)]
        for _ in range(3):
            self.assertEqual(client.call("list_blocks")["totalMatching"], 2)
            self.assertEqual(client.call("get_block_info", blockId="Beta")["tradeCount"], 25)
        self.assertTrue(all(box.empty() for box in boxes), "they were still running")
        for box in boxes:
            answer = box.get(timeout=PATIENCE)
            self.assertIn("stopped after 20 s", answer["result"]["content"][0]["text"])

    def test_statements_say_how_long_they_have_been_running(self):
        client = self.client()
        client.call("list_blocks")
        client.request("tools/call", {"name": "run_sql", "_meta": {"progressToken": "t"},
                                      "arguments": {"query": KNOWN[3], "timeoutSeconds": 4}})
        messages = []
        while not client.notifications.empty():
            message = client.notifications.get()
            if message["method"] == "notifications/progress":
                messages.append(message["params"].get("message", ""))
        self.assertTrue(any("running the query" in text for text in messages), messages)

    def test_the_command_survives_and_nothing_is_left(self):
        cli_support.run("sync", self.data)
        environment = {"TRADEBLOCKS_RUNTIME_DIR": str(self.runtime), "TMPDIR": str(self.root)}
        done = cli_support.run("sql", self.data, KNOWN[0], code=1, env=environment)
        self.assertIn("this query ended its worker process", done.stderr)
        done = cli_support.run("sql", self.data, KNOWN[3], "--timeout", "1", code=1,
                               env=environment)
        self.assertIn("stopped after 1", done.stderr)
        done = cli_support.run("sql", self.data, "--format", "json", env=environment,
                               *["SELECT list_sum(list(num_contracts)) AS s FROM trade_data"])
        self.assertEqual(len(json.loads(done.stdout)), 1)
        process = subprocess.Popen([PROGRAM, "sql", str(self.data), KNOWN[3], "--timeout", "100"],
                                   env=dict(os.environ, **environment),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        worker = self.wait_for_child(process.pid)
        process.kill()
        process.wait()
        self.wait_for_end(worker)
        left = [path.name for path in self.root.iterdir() if path.name not in ("data", "run")]
        self.assertEqual(left, [])

    def wait_for_child(self, pid):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                        for child in children.read().split():
                            with open(f"/proc/{child}/stat", encoding="ascii") as stat:
                                if int(stat.read().rsplit(")", 1)[1].split()[11]) > 30:
                                    return int(child)  # it has been at work
            except OSError:
                pass
            time.sleep(0.02)
        self.fail("no process for the query was seen")

    def wait_for_end(self, pid):
        until = time.monotonic() + PATIENCE
        while os.path.exists(f"/proc/{pid}"):
            self.assertLess(time.monotonic(), until, "the worker outlives its server")
            time.sleep(0.02)


if __name__ == "__main__":
    unittest.main()
