#!/usr/bin/env python3
"""The MCP server from outside: handshakes, copies on one folder, commands beside it, its end."""

import json
import os
import signal
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import cli_support
from cli_support import PATIENCE, PROGRAM, DataTest, trade_log
from serve_support import LEGACY, MODERN, Client


# Two seconds are promised; a machine that does other things is given more.
END_SECONDS = 8
# Seconds of work, far below the time limit of a query.
SLOW = ("SELECT count(*) AS n FROM range(5000) a, range(20000) b "
        "WHERE (a.range * b.range) % 7 = 3")


class ServeTest(DataTest):
    def setUp(self):
        super().setUp()
        self.runtime = self.root / "run"
        self.clients = []
        self.write("Alpha/tradelog.csv", trade_log(40))
        self.write("Beta/tradelog.csv", trade_log(25, first=100, strategy="Beta One"))

    def tearDown(self):
        for client in self.clients:
            if client.process.poll() is None:
                client.process.kill()
            client.close()
        super().tearDown()

    def client(self, *words, **options):
        client = Client(*(words or (self.data,)), runtime=self.runtime, **options)
        self.clients.append(client)
        return client

    def run_program(self, *words, **options):
        environment = {"TRADEBLOCKS_RUNTIME_DIR": str(self.runtime)}
        return cli_support.run(*words, env=environment, **options)


class Handshake(ServeTest):
    def test_a_folder_alone_is_served(self):
        client = self.client(self.data)
        self.assertEqual(client.info["protocolVersion"], LEGACY)
        self.assertEqual(client.info["serverInfo"]["name"], "tradeblocks")
        version = self.run_program("--version").stdout.split()[1]
        self.assertEqual(client.info["serverInfo"]["version"], version)
        icons = client.info["serverInfo"]["icons"]
        self.assertEqual([icon["mimeType"] for icon in icons], ["image/svg+xml", "image/png"])
        for icon in icons:
            self.assertLess(len(icon["src"]), 2_000)
        self.assertLessEqual(len(client.info["instructions"].encode()), 2_000)
        self.assertFalse((self.data / "analytics.duckdb").exists(),
                         "the database is opened by the first call, not by the handshake")
        names = [block["id"] for block in client.call("list_blocks")["blocks"]]
        self.assertEqual(names, ["Alpha", "Beta"])
        self.assertTrue((self.data / "analytics.duckdb").exists())

    def test_the_modern_era_needs_no_handshake(self):
        client = self.client("serve", self.data, era="modern")
        found = client.result("server/discover")
        self.assertEqual(found["supportedVersions"][0], MODERN)
        self.assertEqual(client.call("get_block_info", blockId="Alpha")["tradeCount"], 40)

    def test_a_missing_folder_is_an_answer_not_an_end(self):
        client = self.client(self.data / "none")
        self.assertIn("none", client.failure("list_blocks"))
        (self.data / "none").mkdir()
        self.assertEqual(client.call("list_blocks")["totalMatching"], 0)

    def test_tools_can_be_chosen(self):
        client = self.client("serve", self.data, "--toolsets", "core", "--tools", "run_sql",
                             "--exclude-tools", "get_trades")
        names = {tool["name"] for tool in client.result("tools/list")["tools"]}
        self.assertIn("run_sql", names)
        self.assertIn("list_blocks", names)
        self.assertNotIn("get_trades", names)
        self.assertNotIn("import_csv", names)
        client = self.client("serve", self.data, "--read-only")
        for tool in client.result("tools/list")["tools"]:
            self.assertTrue(tool["annotations"]["readOnlyHint"], tool["name"])
        self.assertEqual(client.request("tools/call", {"name": "import_csv"})["error"]["code"],
                         -32602)
        done = self.run_program("serve", self.data, "--tools", "list_block", code=2)
        self.assertIn("list_blocks", done.stderr)

    def test_no_more_tools_are_offered_than_clients_take(self):
        self.assertLessEqual(len(self.client().result("tools/list")["tools"]), 30)


class Copies(ServeTest):
    def test_a_second_copy_cannot_be_told_from_the_first(self):
        first = self.client()
        expected = first.call("list_blocks")
        second = self.client()
        third = self.client(era="modern")
        for other in (second, third):
            self.assertEqual(other.call("list_blocks")["blocks"], expected["blocks"])
        self.assertEqual(second.result("tools/list"), first.result("tools/list"))
        self.assertEqual(second.failure("get_block_info", blockId="Alfa"),
                         first.failure("get_block_info", blockId="Alfa"))
        # Only the owner has the file open.
        name = str(self.data / "analytics.duckdb")
        for client, opens in ((first, True), (second, False), (third, False)):
            files = [os.readlink(link.path)
                     for link in os.scandir(f"/proc/{client.process.pid}/fd")]
            self.assertEqual(name in files, opens)

    def test_every_copy_sees_every_change_at_once(self):
        first, second = self.client(), self.client()
        self.assertEqual(first.call("get_block_info", blockId="Alpha")["tradeCount"], 40)
        self.write("Alpha/tradelog.csv", trade_log(41))
        self.assertEqual(second.call("get_block_info", blockId="Alpha")["tradeCount"], 41)
        self.write("Alpha/tradelog.csv", trade_log(43))
        self.assertEqual(first.call("get_block_info", blockId="Alpha")["tradeCount"], 43)

    def test_news_of_a_change_reach_subscribers_of_other_copies(self):
        first, second = self.client(), self.client()
        first.call("list_blocks")
        second.call("list_blocks")
        second.result("resources/subscribe", {"uri": "tradeblocks://blocks/Alpha"})
        self.write("Alpha/tradelog.csv", trade_log(44))
        first.call("get_block_info", blockId="Alpha")
        while True:
            news = second.notifications.get(timeout=PATIENCE)
            if news["method"] == "notifications/resources/updated":
                self.assertEqual(news["params"]["uri"], "tradeblocks://blocks/Alpha")
                break

    def test_a_killed_owner_is_replaced(self):
        owner, follower, other = self.client(), self.client(), self.client()
        owner.call("list_blocks")
        follower.call("list_blocks")
        other.call("list_blocks")
        owner.kill()
        self.assertEqual(follower.call("get_block_info", blockId="Beta")["tradeCount"], 25)
        self.assertEqual(other.call("get_block_info", blockId="Alpha")["tradeCount"], 40)
        self.assertEqual(follower.call("get_sync_history")["total"], 2)

    def test_a_query_whose_owner_died_is_not_run_again(self):
        # It may be the query that ended the owner: repeated, it would end one copy after the other.
        owner, follower, other = self.client(), self.client(), self.client()
        owner.call("list_blocks")
        follower.call("list_blocks")
        other.call("list_blocks")
        _, box = follower.start("tools/call", {"name": "run_sql", "arguments": {"query": SLOW}})
        time.sleep(0.3)
        owner.kill()
        answer = box.get(timeout=PATIENCE)
        self.assertIsNotNone(answer)
        self.assertTrue(answer["result"].get("isError"), answer)
        self.assertIn("not tried again", answer["result"]["content"][0]["text"])
        for client in (follower, other):
            self.assertEqual(client.call("list_blocks")["totalMatching"], 2)
            self.assertEqual(client.call("run_sql", query="SELECT 1 AS one")["rows"], [{"one": 1}])

    def test_a_closed_owner_hands_over(self):
        owner, follower = self.client(), self.client(era="modern")
        owner.call("list_blocks")
        self.assertEqual(owner.close()[0], 0)
        self.assertEqual(follower.call("list_blocks")["totalMatching"], 2)

    def test_rubbish_in_the_runtime_folder_is_in_nobodys_way(self):
        first = self.client()
        first.call("list_blocks")
        first.kill()
        place = next(self.runtime.iterdir())
        self.assertTrue((place / "socket").exists())
        (place / "socket").unlink()
        (place / "socket").write_text("not a socket")
        (place / "socket.new").write_text("left over")
        self.assertEqual(self.client().call("list_blocks")["totalMatching"], 2)

    def test_where_sockets_are_impossible_copies_still_answer(self):
        self.runtime.write_text("a file, not a folder")
        first = self.client()
        expected = first.call("list_blocks")["blocks"]
        second = self.client()
        self.assertEqual(second.call("list_blocks")["blocks"], expected)

    def test_parallel_calls_equal_the_same_calls_one_by_one(self):
        owner, follower = self.client(), self.client(era="modern")
        calls = [("get_block_info", {"blockId": "Alpha"}), ("get_block_info", {"blockId": "Beta"}),
                 ("list_blocks", {}), ("get_trades", {"blockId": "Alpha"}),
                 ("run_sql", {"query": "SELECT block_id, count(*) AS n, sum(pl) AS pl FROM "
                                       "trades.trade_data GROUP BY ALL ORDER BY ALL"}),
                 ("get_statistics", {"blockId": "Beta"}), ("describe_database", {}),
                 ("get_block_info", {"blockId": "nothing"})]

        def essence(answer):
            result = answer["result"]
            content = result.get("structuredContent") or {}
            return (result.get("isError"),
                    {key: value for key, value in content.items()
                     if key not in ("syncInfo", "durationMs", "elapsedMs")})

        wanted = [essence(owner.request("tools/call", {"name": name, "arguments": arguments}))
                  for name, arguments in calls]
        for client in (owner, follower):
            boxes = [client.start("tools/call", {"name": name, "arguments": arguments})[1]
                     for _ in range(8) for name, arguments in calls]
            got = [essence(box.get(timeout=PATIENCE)) for box in boxes]
            self.assertEqual(len(got), 64)
            self.assertEqual(got, wanted * 8)


class Commands(ServeTest):
    def test_commands_work_beside_a_server(self):
        server = self.client()
        server.call("list_blocks")
        status = json.loads(self.run_program("status", self.data, "--json").stdout)
        self.assertEqual({row["blockId"]: row["tradeCount"] for row in status},
                         {"Alpha": 40, "Beta": 25})
        self.write("Alpha/tradelog.csv", trade_log(42))
        report = json.loads(self.run_program("sync", self.data, "--json").stdout)
        self.assertEqual(report["blocksSynced"], 1)
        self.assertEqual(server.call("get_block_info", blockId="Alpha")["tradeCount"], 42)
        self.assertIn("Alpha", self.run_program("history", self.data).stdout)
        self.run_program("issues", self.data)
        rows = json.loads(self.run_program("sql", self.data, "-", "--format", "json",
                                           input="SELECT count(*) AS n FROM trades.trade_data")
                          .stdout)
        self.assertEqual(rows, [{"n": 67}])
        info = json.loads(self.run_program("call", self.data, "get_block_info", "--block-id",
                                           "Beta").stdout)
        self.assertEqual(info["tradeCount"], 25)
        self.assertEqual(server.call("list_blocks")["totalMatching"], 2)

    def test_paths_are_those_of_the_caller(self):
        server = self.client()
        server.call("list_blocks")
        elsewhere = self.root / "downloads"
        elsewhere.mkdir()
        (elsewhere / "new.csv").write_text(trade_log(11, first=300))
        self.run_program("import", os.path.relpath(self.data, elsewhere), "new.csv", "--name",
                         "Gamma", cwd=elsewhere)
        self.assertEqual(server.call("list_blocks")["totalMatching"], 3)

    def test_exit_codes_and_messages_come_through(self):
        server = self.client()
        server.call("list_blocks")
        done = self.run_program("sql", self.data, "SELECT nonsense", code=1)
        self.assertIn("nonsense", done.stderr)
        self.assertEqual(done.stdout, "")
        self.run_program("history", self.data, "Nobody", code=1)
        self.assertIn("list_blocks",
                      self.run_program("call", self.data, "list_block", code=2).stderr)

    def test_ctrl_c_stops_a_command_in_the_server(self):
        server = self.client()
        server.call("list_blocks")
        process = subprocess.Popen(
            [PROGRAM, "sql", str(self.data), "--timeout", "300",
             "SELECT count(*) FROM range(1000000000000) WHERE range % 3 = 1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=str(self.runtime)))
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(server.call("get_block_info", blockId="Beta")["tradeCount"], 25)

    def test_a_caller_that_goes_away_leaves_nothing_behind(self):
        server = self.client()
        server.call("list_blocks")
        process = subprocess.Popen(
            [PROGRAM, "sync", str(self.data), "--watch"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=str(self.runtime)))
        self.assertTrue(process.stdout.readline())
        process.kill()
        process.communicate()
        self.assertEqual(server.call("list_blocks")["totalMatching"], 2)
        self.assertEqual(server.close()[0], 0)

    def test_watching_goes_on_with_and_without_a_server(self):
        process = subprocess.Popen(
            [PROGRAM, "sync", str(self.data), "--watch", "--json"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=str(self.runtime)))

        def wait_for_sync(trades):
            self.write("Alpha/tradelog.csv", trade_log(trades))
            while True:
                report = json.loads(process.stdout.readline())
                counts = {block["blockId"]: block["tradeCount"] for block in report["blocks"]}
                if counts.get("Alpha", trades) == trades:
                    return

        try:
            self.assertTrue(process.stdout.readline())
            wait_for_sync(51)
            server = self.client()
            self.assertEqual(server.call("get_block_info", blockId="Alpha")["tradeCount"], 51)
            wait_for_sync(52)
            server.kill()
            wait_for_sync(53)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=PATIENCE)
            process.stdout.close()
        self.assertEqual(process.returncode, 130)

    def test_a_query_that_lost_its_server_is_not_run_again(self):
        server = self.client()
        server.call("list_blocks")
        process = subprocess.Popen(
            [PROGRAM, "sql", str(self.data), "--format", "json",
             SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=str(self.runtime)))
        time.sleep(0.5)
        server.kill()
        out, err = process.communicate(timeout=PATIENCE)
        self.assertNotEqual(process.returncode, 0, out)
        self.assertIn(b"not tried again", err)
        self.assertEqual(json.loads(self.run_program(
            "sql", self.data, "SELECT 1 AS one", "--format", "json").stdout), [{"one": 1}])


class End(ServeTest):
    def test_end_of_input_and_signals_end_it_in_time(self):
        for how in ("input", signal.SIGTERM, signal.SIGINT):
            client = self.client()
            client.call("list_blocks")
            started = time.monotonic()
            if how == "input":
                client.process.stdin.close()
            else:
                client.process.send_signal(how)
            self.assertEqual(client.process.wait(timeout=PATIENCE), 0)
            self.assertLess(time.monotonic() - started, END_SECONDS, how)

    def test_a_running_query_does_not_hold_it(self):
        client = self.client()
        client.call("list_blocks")
        client.start("tools/call", {"name": "run_sql", "arguments": {
            "query": "SELECT count(*) FROM range(1000000000000) WHERE range % 3 = 1"}})
        time.sleep(0.5)
        started = time.monotonic()
        client.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.process.wait(timeout=PATIENCE), 0)
        self.assertLess(time.monotonic() - started, END_SECONDS)
        self.assertEqual(self.client().call("list_blocks")["totalMatching"], 2)

    def test_a_cancelled_query_stops_at_once(self):
        owner, follower = self.client(), self.client()
        owner.call("list_blocks")
        follower.call("list_blocks")
        for client in (owner, follower):
            for _ in range(8):  # twice the workers: any that went on would block the call below
                number, _ = client.start("tools/call", {"name": "run_sql", "arguments": {
                    "query": "SELECT count(*) FROM range(1000000000000) WHERE range % 3 = 1"}})
                time.sleep(0.1)
                client.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                             "params": {"requestId": number}})
            self.assertEqual(client.call("get_block_info", blockId="Beta")["tradeCount"], 25)


class Http(ServeTest):
    def start(self, *words, **options):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [PROGRAM, "serve", "--http", f"127.0.0.1:{port}", str(self.data), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=dict(os.environ, TRADEBLOCKS_RUNTIME_DIR=str(self.runtime),
                     **options.get("env", {})))
        self.addCleanup(lambda: (process.kill(), process.wait()))
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                    break
            except OSError:
                time.sleep(0.05)
        return process, f"http://127.0.0.1:{port}/mcp"

    @staticmethod
    def post(url, method, params, token=None):
        params = {**params, "_meta": {"io.modelcontextprotocol/protocolVersion": MODERN,
                                      "io.modelcontextprotocol/clientCapabilities": {}}}
        headers = {"Content-Type": "application/json", "Accept": "application/json",
                   "MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        request = urllib.request.Request(url, body.encode(), headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return json.loads(reply.read())["result"]

    def test_http_and_stdio_share_one_folder_either_way_round(self):
        server, url = self.start()
        call = {"name": "get_block_info", "arguments": {"blockId": "Alpha"}}
        of_http = self.post(url, "tools/call", call)["structuredContent"]
        self.assertEqual(of_http["tradeCount"], 40)
        client = self.client()
        self.assertEqual(client.call("get_block_info", blockId="Alpha")["tradeCount"], 40)
        second, second_url = self.start()
        self.assertEqual(self.post(second_url, "tools/call", call)["structuredContent"]
                         ["tradeCount"], 40)
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=PATIENCE), 0)
        self.assertEqual(self.post(second_url, "tools/call", call)["structuredContent"]
                         ["tradeCount"], 40)

    def test_tokens_come_from_the_environment(self):
        token = "0123456789abcdef0123456789abcdef"
        _, url = self.start(env={"TRADEBLOCKS_TOKEN": token})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.post(url, "tools/list", {})
        self.assertEqual(refused.exception.code, 401)
        refused.exception.close()
        self.assertTrue(self.post(url, "tools/list", {}, token)["tools"])

    def test_the_network_is_not_served_without_tokens(self):
        done = self.run_program("serve", "--http", "0.0.0.0:0", self.data, code=1)
        self.assertIn("token", done.stderr.lower())

    def test_a_follower_over_http_imports_from_nowhere_else(self):
        owner = self.client()  # may import from anywhere
        owner.call("list_blocks")
        outside = self.root / "outside.csv"
        outside.write_text(trade_log(9, first=500))
        _, url = self.start()
        result = self.post(url, "tools/call", {"name": "import_csv", "arguments": {
            "csvPath": str(outside), "blockName": "Stolen"}})
        self.assertTrue(result.get("isError"), result)
        self.assertEqual(owner.call("list_blocks")["totalMatching"], 2)


class Tools(ServeTest):
    def test_every_tool_is_a_command(self):
        listed = self.run_program("tools").stdout
        described = json.loads(self.run_program("tools", "--json").stdout)
        self.assertGreater(len(described), 20)
        for tool in described:
            self.assertIn(tool["name"], listed)
            self.assertIn("outputSchema", tool)
        self.assertIn("--block-id", self.run_program("tools", "get_block_info").stdout)
        self.assertIn("get_trades", self.run_program("tools", "get_trade", code=1).stderr)

    def test_call_prints_the_structured_content(self):
        done = self.run_program("call", self.data, "get_block_info", '{"blockId": "Alpha"}')
        self.assertEqual(json.loads(done.stdout)["tradeCount"], 40)
        self.assertEqual(done.stderr, "")
        same = [
            self.run_program("call", self.data, "get_block_info", "--block-id=Alpha"),
            self.run_program("call", self.data, "get_block_info", "-",
                             input='{"blockId": "Alpha"}'),
        ]
        arguments = self.root / "arguments.json"
        arguments.write_text('{"blockId": "Beta"}')
        same.append(self.run_program("call", self.data, "get_block_info", f"@{arguments}",
                                     "--block-id", "Alpha"))
        for other in same:
            self.assertEqual(json.loads(other.stdout)["blockId"], "Alpha")

    def test_call_is_complete(self):
        self.write("Large/tradelog.csv", trade_log(2_000))
        info = json.loads(self.run_program("call", self.data, "run_sql", json.dumps(
            {"query": "SELECT * FROM trades.trade_data WHERE block_id = 'Large'",
             "limit": 1_000})).stdout)
        self.assertEqual(len(info["rows"]), 1_000)

    def test_errors_of_tools_go_to_standard_error(self):
        done = self.run_program("call", self.data, "get_block_info", "--block-id", "Alpa", code=1)
        self.assertEqual(done.stdout, "")
        self.assertIn("Alpha", done.stderr)
        self.run_program("call", self.data, "get_block_info", code=1)
        self.run_program("call", self.data, "get_block_info", "[1]", code=2)
        self.run_program("call", self.data, "get_block_info", "--blok", "x", code=2)
        self.run_program("call", self.data, "no_such_tool", code=2)
        self.run_program("call", self.data, code=2)


if __name__ == "__main__":
    unittest.main()
