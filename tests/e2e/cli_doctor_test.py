"""doctor and setup from outside: what they see, say and leave alone."""

import json
import os
import subprocess
import unittest
from pathlib import Path

from cli_support import PATIENCE, PROGRAM, DataTest, run, trade_log


class Assistants(DataTest):
    def setUp(self):
        super().setUp()
        self.home = self.root / "home"
        self.home.mkdir()
        self.env = {"HOME": str(self.home), "XDG_CONFIG_HOME": "", "CODEX_HOME": "",
                    "CLAUDE_CONFIG_DIR": "",
                    "TRADEBLOCKS_RUNTIME_DIR": str(self.root / "run")}

    def doctor(self, *words, code=0):
        return json.loads(run("doctor", *words, "--json", code=code, env=self.env).stdout)

    def client(self, report, name):
        return next(one for one in report["clients"] if one["client"] == name)

    def problems(self, report):
        return "\n".join(one["problem"] for one in report["problems"])

    def everything(self):
        """Every file below the data directory with its time and size."""
        return sorted((str(path), path.stat().st_mtime_ns, path.stat().st_size)
                      for path in self.data.rglob("*"))


class Doctor(Assistants):
    def test_a_healthy_folder_has_no_problems_and_is_not_touched(self):
        self.write("MEIC/any name.csv", trade_log(4))
        self.write("MEIC/notes.csv", "a,b\n1,2\n")
        self.write("_marketdata/vix_intraday.csv", "time,open\n")
        before = self.everything()
        report = self.doctor(self.data)
        self.assertEqual(report["problems"], [])
        self.assertEqual(report["database"]["state"], "absent")
        folders = {one["name"]: one["files"] for one in report["dataDirectory"]["folders"]}
        roles = {one["name"]: (one["role"], one["recognisedBy"]) for one in folders["MEIC"]}
        self.assertEqual(roles, {"any name.csv": ("tradelog", "header"),
                                 "notes.csv": (None, None)})
        self.assertIn("not recognised", folders["MEIC"][1]["note"])
        self.assertEqual(len(folders["_marketdata"]), 1)
        self.assertEqual(self.everything(), before)

        run("sync", self.data, env=self.env)
        before = self.everything()
        report = self.doctor(self.data)
        self.assertEqual((report["database"]["state"], report["database"]["schemaVersion"]),
                         ("fine", report["program"]["schemaVersion"]))
        self.assertEqual(self.everything(), before)
        self.assertIn("No problems", run("doctor", self.data, env=self.env).stdout)

    def test_what_is_wrong_is_listed_with_advice(self):
        self.write("NoTrades/stuff.csv", "x,y\n1,2\n")
        self.write("stray.csv", trade_log(2))
        report = self.doctor(self.data, code=1)
        self.assertFalse(report["ok"])
        self.assertIn("NoTrades has no trade log", self.problems(report))
        self.assertIn("stray.csv lies beside", self.problems(report))
        self.assertTrue(all(one["advice"] for one in report["problems"]))
        text = run("doctor", self.data, code=1, env=self.env).stdout
        self.assertIn("Problems", text)
        missing = self.doctor(self.root / "nowhere", code=1)
        self.assertIn("not there", self.problems(missing))
        self.assertFalse((self.root / "nowhere").exists())

    def test_a_damaged_database_is_a_problem(self):
        self.write("A/tradelog.csv", trade_log(2))
        self.write("analytics.duckdb", b"this is no database" * 400)
        report = self.doctor(self.data, code=1)
        self.assertEqual(report["database"]["state"], "damaged")
        self.assertTrue((self.data / "analytics.duckdb").read_bytes().startswith(b"this is no"))

    def test_a_rejected_file_of_the_last_sync_is_a_problem(self):
        self.write("Bad/tradelog.csv", "this,is,no,trade,log\n1,2,3,4,5\n")
        run("sync", self.data, code=3, env=self.env)
        self.assertIn("Bad/tradelog.csv was rejected", self.problems(self.doctor(self.data, code=1)))

    def test_the_server_that_owns_the_folder_is_named(self):
        self.write("A/tradelog.csv", trade_log(2))
        self.write("Bad/tradelog.csv", "this,is,no,trade,log\n1,2,3,4,5\n")
        server = subprocess.Popen([PROGRAM, "serve", str(self.data)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, env=dict(os.environ, **self.env))
        try:
            for message in (
                    {"jsonrpc": "2.0", "id": 1, "method": "initialize",
                     "params": {"protocolVersion": "2025-06-18", "capabilities": {},
                                "clientInfo": {"name": "t", "version": "1"}}},
                    {"jsonrpc": "2.0", "method": "notifications/initialized"},
                    {"jsonrpc": "2.0", "id": 2, "method": "tools/call",
                     "params": {"name": "list_blocks", "arguments": {}}}):
                server.stdin.write((json.dumps(message) + "\n").encode())
                server.stdin.flush()
            answer = {}
            while answer.get("id") != 2:
                answer = json.loads(server.stdout.readline())
            report = self.doctor(self.data, code=1)
            self.assertEqual(report["owner"]["pid"], server.pid)
            self.assertEqual(report["database"]["state"], "served")
            self.assertEqual(len(report["problems"]), 1)
            self.assertIn("Bad/tradelog.csv was rejected", self.problems(report))
        finally:
            server.stdin.close()
            server.wait(PATIENCE)
            server.stdout.close()
        self.assertIsNone(self.doctor(self.data, code=1)["owner"])

    def test_another_program_on_the_database_is_named(self):
        self.write("A/tradelog.csv", trade_log(2))
        run("sync", self.data, env=self.env)
        holder = subprocess.Popen(
            [PROGRAM, "sql", str(self.data), "--no-sync", "--format", "csv", "--timeout", "600",
             "SELECT i FROM range(1000000000000) t(i)"],
            stdout=subprocess.PIPE, env=dict(os.environ, **self.env))
        try:
            holder.stdout.readline()
            report = self.doctor(self.data, code=1)
            self.assertEqual(report["database"]["state"], "locked")
            self.assertEqual(report["database"]["lockedByPid"], holder.pid)
        finally:
            holder.kill()
            holder.stdout.close()
            holder.wait()

    def test_clients_are_found_with_what_they_start(self):
        report = self.doctor(self.data)
        self.assertEqual({one["installed"] for one in report["clients"]}, {False})
        run("setup", "claude-code", self.data, env=self.env)
        (self.home / ".cursor").mkdir()
        (self.home / ".gemini").mkdir()
        (self.home / ".gemini/settings.json").write_text("{ nonsense")
        report = self.doctor(self.data, code=1)
        self.assertEqual(self.client(report, "claude-code")["state"], "configured")
        self.assertEqual(self.client(report, "cursor")["state"], "not configured")
        self.assertEqual(json.loads(self.client(report, "cursor")["snippet"])["mcpServers"]
                         ["tradeblocks"]["args"], ["serve", str(self.data.resolve())])
        self.assertEqual(self.client(report, "gemini")["state"], "unreadable")
        self.assertIn("settings.json", self.problems(report))
        other = self.root / "other"
        other.mkdir()
        (self.home / ".gemini/settings.json").unlink()
        self.assertEqual(self.client(self.doctor(other), "claude-code")["state"], "other folder")
        self.data.rename(self.root / "moved")
        self.assertEqual(self.client(self.doctor(code=1), "claude-code")["state"], "broken")


class Setup(Assistants):
    FILES = {"claude-desktop": ".config/Claude/claude_desktop_config.json",
             "claude-code": ".claude.json", "codex": ".codex/config.toml",
             "gemini": ".gemini/settings.json", "vscode": ".config/Code/User/mcp.json",
             "cursor": ".cursor/mcp.json"}

    def files(self):
        return sorted(str(path.relative_to(self.home)) for path in self.home.rglob("*")
                      if path.is_file())

    def test_print_changes_nothing_and_is_what_setup_writes(self):
        for client, name in self.FILES.items():
            printed = run("setup", client, self.data, "--print", "--read-only", env=self.env)
            self.assertIn(str(self.home / name), printed.stderr)
            self.assertFalse((self.home / name).exists())
            run("setup", client, self.data, "--read-only", env=self.env)
            self.assertEqual((self.home / name).read_text(), printed.stdout)
        self.assertEqual(self.files(), sorted(self.FILES.values()))

    def test_the_entry_starts_a_server_that_answers(self):
        run("setup", "cursor", self.data, env=self.env)
        entry = json.loads((self.home / ".cursor/mcp.json").read_text())["mcpServers"]["tradeblocks"]
        done = subprocess.run([entry["command"], *entry["args"]], text=True, capture_output=True,
                              input='{"jsonrpc":"2.0","id":1,"method":"ping"}\n', timeout=PATIENCE,
                              env=dict(os.environ, **self.env))
        self.assertEqual(json.loads(done.stdout.splitlines()[0])["id"], 1)

    def test_a_second_run_changes_nothing_and_another_folder_leaves_a_backup(self):
        run("setup", "codex", self.data, env=self.env)
        first = (self.home / ".codex/config.toml").read_text()
        self.assertIn("already", run("setup", "codex", self.data, env=self.env).stdout)
        self.assertEqual(self.files(), [".codex/config.toml"])
        other = self.root / "other"
        other.mkdir()
        said = run("setup", "codex", other, env=self.env).stdout
        self.assertIn(f"instead of: {Path(PROGRAM).resolve()} serve", said)
        backup = next(name for name in self.files() if "backup" in name)
        self.assertEqual((self.home / backup).read_text(), first)

    def test_a_file_it_cannot_read_stays_and_the_entry_is_printed(self):
        file = self.home / ".cursor/mcp.json"
        file.parent.mkdir()
        file.write_text('{ "mcpServers": {}, // mine\n}')
        done = run("setup", "cursor", self.data, code=1, env=self.env)
        self.assertIn("tradeblocks", json.loads(done.stdout)["mcpServers"])
        self.assertEqual(file.read_text(), '{ "mcpServers": {}, // mine\n}')
        self.assertEqual(self.files(), [".cursor/mcp.json"])

    def test_a_clients_file_inside_a_data_directory_is_refused(self):
        log = self.write("A/tradelog.csv", trade_log(2))
        before = log.read_bytes()
        moved = dict(self.env, CODEX_HOME=str(self.data / "A"))
        done = run("setup", "codex", self.data, code=1, env=moved)
        self.assertIn("data directory", done.stderr)
        (self.home / ".cursor").mkdir()
        (self.home / ".cursor/mcp.json").symlink_to(log)
        self.assertIn("data directory", run("setup", "cursor", self.data, code=1,
                                            env=self.env).stderr)
        self.assertEqual(log.read_bytes(), before)
        self.assertEqual([path.name for path in (self.data / "A").iterdir()], ["tradelog.csv"])

    def test_wrong_words_are_2_and_a_missing_folder_1(self):
        self.assertIn("cursor", run("setup", "emacs", self.data, code=2, env=self.env).stderr)
        run("setup", "cursor", self.root / "nowhere", code=1, env=self.env)
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    unittest.main()
