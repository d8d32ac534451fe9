#!/usr/bin/env python3
"""The MCP server from outside: stored results, the audit log, choice of toolsets, a stopped owner,
news of a command."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import unittest

from cli_support import PATIENCE, trade_log
from serve_test import ServeTest

CUT = {"query": "SELECT range AS n, repeat('x', 90) AS filler FROM range(700) ORDER BY n",
       "limit": 1000}


class Results(ServeTest):
    def cut(self, client):
        result = client.result("tools/call", {"name": "run_sql", "arguments": CUT})
        self.assertTrue(result["structuredContent"]["truncated"])
        self.assertEqual([item["type"] for item in result["content"]], ["text", "resource_link"])
        return result["content"][1]["uri"]

    def rows(self, client, uri):
        content = client.result("resources/read", {"uri": uri})["contents"][0]
        self.assertEqual(content["mimeType"], "text/csv")
        return content["text"].splitlines()

    def refused(self, client, uri):
        error = client.request("resources/read", {"uri": uri})["error"]
        self.assertEqual(error["code"], -32602 if client.era == "modern" else -32002)
        self.assertEqual(error["data"]["uri"], uri)
        self.assertIn("Run the query again", error["message"])

    def test_a_cut_result_can_be_read_whole_by_who_asked_for_it(self):
        first = self.client()
        first.call("list_blocks")
        follower = self.client()
        modern = self.client(era="modern")
        clients = [first, follower, modern]
        uris = [self.cut(client) for client in clients]
        self.assertEqual(len(set(uris)), 3)
        for client in clients:
            for uri, owner in zip(uris, clients):
                if client is owner:
                    lines = self.rows(client, uri)
                    self.assertEqual(len(lines), 701)
                    self.assertEqual(lines[700], "699," + "x" * 90)
                else:
                    self.refused(client, uri)
        self.refused(first, "tradeblocks://result/" + "0" * 32)
        first.kill()
        for client, uri in ((follower, uris[1]), (modern, uris[2])):
            self.refused(client, uri)
            self.assertEqual(len(self.rows(client, self.cut(client))), 701)


class AuditLog(ServeTest):
    def test_every_call_is_a_line_without_data(self):
        file = self.root / "audit.jsonl"
        client = self.client("serve", self.data, "--audit-log", file)
        client.call("list_blocks")
        client.call("get_trades", blockId="Alpha", pageSize=7)
        client.call("get_trades", pageSize=7, blockId="Alpha")
        client.failure("get_block_info", blockId="Secret Name")
        self.assertIn("error", client.request("tools/call", {"name": "no_such_tool"}))
        client.failure("get_trades", blockId=["Secret"], pageSize="many")
        text = file.read_text()
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        lines = [json.loads(line) for line in text.splitlines()]
        # What no tool has seen is in it, too, with the reason.
        refused, lines = lines[4:], lines[:4]
        self.assertEqual([(line["tool"], line["outcome"], line["why"]) for line in refused],
                         [("no_such_tool", "refused", "tool"),
                          ("get_trades", "refused", "arguments")])
        self.assertEqual([(line["tool"], line["outcome"]) for line in lines],
                         [("list_blocks", "ok"), ("get_trades", "ok"), ("get_trades", "ok"),
                          ("get_block_info", "error")])
        for line in lines:
            self.assertEqual(list(line), ["time", "principal", "tool", "arguments", "rows",
                                          "bytes", "ms", "outcome"])
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertEqual(line["principal"], "local")
            self.assertGreater(line["bytes"], 0)
        self.assertEqual([line["rows"] for line in lines], [2, 7, 7, None])
        # Equal calls have equal digests, however their members were ordered.
        self.assertEqual(lines[1]["arguments"], lines[2]["arguments"])
        self.assertEqual(lines[3]["arguments"],
                         hashlib.sha256(b'{"blockId":"Secret Name"}').hexdigest())
        self.assertNotIn("Alpha", text)
        self.assertNotIn("Secret", text)
        # A follower writes its own lines, behind those that are there.
        other = self.client("serve", self.data, "--audit-log", file)
        other.call("list_blocks")
        self.assertEqual(len(file.read_text().splitlines()), 7)

    def test_nothing_else_is_appended_to(self):
        log = self.data / "Alpha" / "tradelog.csv"
        before = log.read_bytes()
        notes = self.root / "notes.txt"
        notes.write_text("mine")
        for file in (log, self.data / "new.jsonl", notes):
            done = self.run_program("serve", self.data, "--audit-log", file, code=1,
                                    stdin=subprocess.DEVNULL)
            self.assertIn("audit log", done.stderr)
        self.assertEqual(log.read_bytes(), before)
        self.assertEqual(notes.read_text(), "mine")
        self.assertFalse((self.data / "new.jsonl").exists())

    def test_what_cannot_be_written_is_said_once_and_breaks_nothing(self):
        errors = open(self.root / "errors", "w+", encoding="utf-8")
        self.addCleanup(errors.close)
        client = self.client("serve", self.data, "--audit-log", "/dev/full", stderr=errors)
        for _ in range(3):
            self.assertEqual(client.call("get_block_info", blockId="Alpha")["tradeCount"], 40)
        client.close()
        errors.seek(0)
        self.assertEqual(errors.read().count("audit log"), 1)
        done = self.run_program("serve", self.data, "--audit-log", self.root / "no" / "file",
                                code=1, stdin=subprocess.DEVNULL)
        self.assertIn("audit log", done.stderr)


class CommandLine(ServeTest):
    def test_wrong_options_are_errors_of_the_command_line(self):
        for words in (["--bogus"], ["--toolsets", "nosuch"], ["--tools", "list_block"],
                      ["--token-file", "x"], ["--http=x:y:z"], ["--audit-log="]):
            self.run_program("serve", self.data, *words, code=2, stdin=subprocess.DEVNULL)

    def test_a_toolset_without_tools_is_said_and_left_out(self):
        errors = open(self.root / "errors", "w+", encoding="utf-8")
        self.addCleanup(errors.close)
        client = self.client("serve", self.data, "--toolsets", "market,sql", stderr=errors)
        names = [tool["name"] for tool in client.result("tools/list")["tools"]]
        self.assertEqual(sorted(names), ["describe_database", "run_sql"])
        errors.seek(0)
        self.assertIn("market", errors.read())
        client = self.client("serve", self.data, "--toolsets", "market", stderr=errors)
        self.assertNotIn("tools", client.info["capabilities"])

    def test_a_command_in_the_owner_is_news_to_its_clients(self):
        client = self.client()
        client.call("list_blocks")
        client.result("resources/subscribe", {"uri": "tradeblocks://blocks/Alpha"})
        self.write("Alpha/tradelog.csv", trade_log(41))
        self.run_program("sync", self.data, "--block", "Alpha")
        while True:
            news = client.notifications.get(timeout=PATIENCE)
            if news["method"] == "notifications/resources/updated":
                self.assertEqual(news["params"]["uri"], "tradeblocks://blocks/Alpha")
                break
        self.assertIn("Alpha", self.run_program("sync", self.data, "--block", "Alpah",
                                                code=None).stderr)


class MovedFolder(ServeTest):
    COUNT = "SELECT count(*) AS n FROM trades.trade_data"

    def rows(self, client):
        return client.call("run_sql", query=self.COUNT)["rows"][0]["n"]

    def test_a_folder_that_was_moved_is_not_answered_from_the_one_with_its_name(self):
        owner, follower = self.client(), self.client()
        self.assertEqual([self.rows(owner), self.rows(follower)], [65, 65])
        moved = self.data.with_name("moved")
        self.data.rename(moved)
        self.write("Gamma/tradelog.csv", trade_log(7))
        self.assertEqual([self.rows(owner), self.rows(follower)], [7, 7])
        refused = self.run_program("sql", moved, self.COUNT, "--format", "csv", code=4)
        self.assertIn(f"process {owner.process.pid} serves this folder under the name",
                      refused.stderr)
        self.assertTrue((self.data / "analytics.duckdb").exists(), "a database of its own")
        owner.close()
        follower.close()
        for directory, count in ((moved, 65), (self.data, 7)):
            told = self.run_program("sql", directory, self.COUNT, "--format", "csv", "--no-sync")
            self.assertEqual(told.stdout, f"n\n{count}\n")

    def test_a_removed_database_is_made_anew(self):
        owner = self.client()
        self.assertEqual(self.rows(owner), 65)
        (self.data / "analytics.duckdb").unlink()
        self.assertEqual(self.rows(owner), 65)
        self.assertTrue((self.data / "analytics.duckdb").exists())


class StoppedOwner(ServeTest):
    def test_a_stopped_owner_is_named_and_may_go_on(self):
        owner, follower = self.client(), self.client()
        owner.call("list_blocks")
        follower.call("list_blocks")
        owner.process.send_signal(signal.SIGSTOP)
        try:
            text = follower.failure("get_block_info", blockId="Alpha")
        finally:
            owner.process.send_signal(signal.SIGCONT)
        self.assertIn(f"process {owner.process.pid}", text)
        self.assertIn(f"kill -CONT {owner.process.pid}", text)
        self.assertEqual(follower.call("get_block_info", blockId="Alpha")["tradeCount"], 40)

    def test_commands_beside_a_stopped_owner_go_on_without_it(self):
        owner = self.client()
        owner.call("list_blocks")
        owner.process.send_signal(signal.SIGSTOP)
        try:
            asked = self.run_program("sql", self.data, "SELECT count(*) AS n FROM trade_data",
                                     "--format", "csv")
            written = self.run_program("sync", self.data, code=4)
        finally:
            owner.process.send_signal(signal.SIGCONT)
        self.assertEqual(asked.stdout, "n\n65\n")
        self.assertIn("stopped or hangs", asked.stderr)
        self.assertIn(f"process {owner.process.pid}", asked.stderr)
        self.assertIn(f"process {owner.process.pid}", written.stderr)
        self.assertEqual(owner.call("get_block_info", blockId="Alpha")["tradeCount"], 40)

    def test_an_owner_at_work_is_waited_for(self):
        owner, follower = self.client(), self.client()
        owner.call("list_blocks")
        # Much longer than the silence that makes an owner suspect.
        answer = follower.call("run_sql", query=(
            "SELECT count(*) AS n FROM range(16000) a, range(90000) b "
            "WHERE (a.range * b.range) % 7 = 3"), timeoutSeconds=300)
        self.assertEqual(len(answer["rows"]), 1)


if __name__ == "__main__":
    unittest.main()
