"""Help, exit codes, streams, colours, completion: what holds for every command."""

import fcntl
import functools
import os
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from cli_support import PATIENCE, PROGRAM, DataTest, run, run_json, trade_log

COMMANDS = ["sync", "status", "history", "issues", "sql", "import", "doctor", "setup",
            "demo", "completion"]


def in_terminal(*words, env=None, columns=100):
    """Runs the program on a terminal of its own; (exit code, everything it wrote)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(PROGRAM, [PROGRAM, *map(str, words)], dict(os.environ, **(env or {})))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    output = b""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([fd], [], [], 1)[0]:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            if not piece:
                break
            output += piece
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return os.waitstatus_to_exitcode(status), output.decode("utf-8", "replace")


class Help(unittest.TestCase):
    def test_every_command_explains_itself_on_standard_output(self):
        listing = run("--help").stdout
        for command in COMMANDS:
            self.assertRegex(listing, rf"(?m)^  {command}\s")
            done = run(command, "--help")
            self.assertIn("Examples:", done.stdout)
            self.assertIn(f"tradeblocks {command}", done.stdout)
            self.assertEqual(done.stderr, "")
            self.assertEqual(run("help", command).stdout, done.stdout)

    def test_version_names_program_and_engine(self):
        self.assertRegex(run("--version").stdout, r"^tradeblocks \d+\.\d+\.\d+ \(DuckDB v1\.[45]\.")

    def test_completion_scripts_are_valid_shell(self):
        script = run("completion", "bash").stdout
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        for shell in ("zsh", "fish"):
            self.assertIn("tradeblocks", run("completion", shell).stdout)
        run("completion", "tcsh", code=1)

    def complete(self, folder, *words):
        """What bash offers for the last of the words."""
        script = run("completion", "bash").stdout + """
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            compopt() { :; }
            _tradeblocks
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        done = subprocess.run(["bash", "-c", script, "bash", "tradeblocks", *words], cwd=folder,
                              text=True, capture_output=True, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split("\n")[:-1]

    def test_bash_offers_blocks_folders_and_words(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("D/Iron Condor", "D/Iron Fly", "D/MEIC", "D/_marketdata"):
                os.makedirs(os.path.join(folder, name))
            offered = functools.partial(self.complete, folder)
            self.assertEqual(offered("st"), ["status", "stats"])
            self.assertEqual(offered("stats", ""), ["D"])
            self.assertEqual(offered("stats", "D", "Iron\\ C"), ["Iron Condor"])
            self.assertEqual(sorted(offered("compare", "D", "MEIC", "I")),
                             ["Iron Condor", "Iron Fly"])
            self.assertEqual(offered("stats", "--conventions", "reference", "D", "M"), ["MEIC"])
            self.assertEqual(offered("sync", "D", "--block", "M"), ["MEIC"])
            self.assertEqual(offered("stats", "D", "MEIC", "--conv"), ["--conventions"])
            self.assertEqual(offered("sql", "D", "SELECT 1", "--format", "j"), ["json"])
            self.assertIn("claude-code", offered("setup", ""))
            self.assertEqual(offered("completion", "f"), ["fish"])

    def test_man_page_is_accepted_by_man(self):
        page = run("--man-page").stdout
        self.assertTrue(page.startswith(".TH TRADEBLOCKS 1"))
        try:
            checked = subprocess.run(["man", "--warnings", "-l", "-"], input=page, text=True,
                                     capture_output=True, env=dict(os.environ, MANPAGER="cat"))
        except FileNotFoundError:
            self.skipTest("no man")
        self.assertEqual(checked.stderr, "")


class ExitCodes(DataTest):
    def test_wrong_command_lines_are_2_with_advice_on_standard_error(self):
        for words in ([], ["snyc"], ["sync"], ["sync", self.data, "--verfy"],
                      ["sync", self.data, "extra"], ["sql", self.data],
                      ["sql", self.data, "SELECT 1", "--format", "xml"],
                      ["sql", self.data, "SELECT 1", "--limit", "-1"],
                      ["sql", self.data, "SELECT 1", "--timeout", "0"]):
            done = run(*words, code=2)
            self.assertEqual(done.stdout, "", words)
            self.assertIn("tradeblocks: error: ", done.stderr)
            self.assertIn("--help", done.stderr + run("--help").stdout)
        self.assertIn('Did you mean "sync"?', run("snyc", code=2).stderr)

    def test_failures_are_1_and_name_the_place(self):
        missing = self.root / "nowhere"
        for words in (["sync", missing], ["status", missing], ["sql", missing, "SELECT 1"],
                      ["history", self.data], ["issues", self.data],
                      ["sql", self.data, "SELECT 1", "--no-sync"]):
            done = run(*words, code=1)
            self.assertEqual(done.stdout, "")
            self.assertIn(str(words[1]), done.stderr)
        file = self.write("plain.csv", "x\n")
        self.assertIn("not a folder", run("sync", file, code=1).stderr)
        self.assertFalse(missing.exists(), "a mistyped name must not create a folder")

    def test_bad_blocks_are_3_and_the_others_are_synced(self):
        self.write("good/tradelog.csv", trade_log(3))
        self.write("bad/tradelog.csv", "this,is,no,trade,log\n1,2,3,4,5\n")
        done = run("sync", self.data, code=3)
        self.assertRegex(done.stdout, r"(?m)^bad\s+error")
        self.assertRegex(done.stdout, r"(?m)^good\s+synced\s+3")
        self.assertEqual(self.counts(), {"good": 3})

    def test_a_database_held_by_another_process_is_4(self):
        self.write("a/tradelog.csv", trade_log(3))
        run("sync", self.data)
        with Holder(self.data):
            done = run("sync", self.data, code=4)
            self.assertRegex(done.stderr, r"PID|process")
            self.assertEqual(done.stdout, "")
            run("history", self.data, code=4)
            # Reading works all the same, from the CSV files.
            answer = run("sql", self.data, "SELECT count(*) AS n FROM trades.trade_data",
                         "--format", "csv")
            self.assertEqual(answer.stdout, "n\n3\n")
            self.assertIn("not available", answer.stderr)
        run("sync", self.data)

    def test_an_answer_that_cannot_be_written_is_1(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("needs /dev/full")
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write the answer", done.stderr)

    def test_a_reader_that_has_seen_enough_is_no_error(self):
        self.write("a/tradelog.csv", trade_log(3))
        command = (f'"{PROGRAM}" sql "{self.data}" "SELECT i FROM range(3000000) t(i)" '
                   "--format csv | head -n 2; echo ${PIPESTATUS[0]}")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual(done.stdout, "i\n0\n0\n")
        self.assertEqual(done.stderr, "")


class Holder:
    """Another process of ours that keeps the database open: a query that never ends."""

    def __init__(self, data):
        self.words = [PROGRAM, "sql", str(data), "--no-sync", "--format", "csv", "--timeout", "600",
                      "SELECT i FROM range(1000000000000) t(i)"]

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"i\n"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.stdout.close()
        self.process.wait()


class Streams(DataTest):
    def setUp(self):
        super().setUp()
        self.write("block/tradelog.csv", trade_log(5))

    def test_a_pipe_gets_no_colour_no_progress_and_no_stray_line(self):
        done = run("sync", self.data)
        self.assertNotIn("\x1b", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_a_terminal_gets_colour_unless_no_color_is_set(self):
        code, text = in_terminal("sync", self.data)
        self.assertEqual(code, 0)
        self.assertIn("\x1b[1m", text)
        code, text = in_terminal("sync", self.data, env={"NO_COLOR": "1"})
        self.assertEqual(code, 0)
        self.assertNotRegex(text, r"\x1b\[\d*m")
        code, text = in_terminal("sync", self.data, env={"TERM": "dumb"})
        self.assertNotIn("\x1b", text)

    def test_a_terminal_shows_progress_and_removes_it(self):
        run("demo", self.root / "bulk", "--blocks", 40, "--trades", 200, "--no-sync")
        code, text = in_terminal("sync", self.root / "bulk", env={"NO_COLOR": "1"})
        self.assertEqual(code, 0)
        self.assertRegex(text, r"\r\[[#.]{24}\] ")
        self.assertIn("\r\x1b[K", text)

    def test_tables_fit_a_narrow_terminal(self):
        self.write("a block with a rather long name that does not fit/tradelog.csv", trade_log(5))
        _, text = in_terminal("sync", self.data, env={"NO_COLOR": "1"}, columns=70)
        visible = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|[^\n]*\r(?!\n)", "", text)
        for line in visible.splitlines():
            self.assertLessEqual(len(line), 70, line)
        self.assertIn("…", visible)

    def test_names_from_files_cannot_control_the_terminal(self):
        self.write("evil\x1b[2Jname/tradelog.csv", trade_log(2))
        for words in (["sync", self.data], ["status", self.data], ["history", self.data]):
            done = run(*words)
            self.assertNotIn("\x1b", done.stdout)
            self.assertIn("evil", done.stdout)

    def test_cells_cannot_control_the_terminal_and_a_pipe_gets_every_byte(self):
        evil = "a\x1b[2Jb\x1b]0;t\x07\x08\u009b31mc\x7f"
        self.write("block/tradelog.csv", trade_log(2, strategy=evil))
        query = "SELECT strategy FROM trades.trade_data LIMIT 1"
        for form in ("csv", "json", "ndjson", "table", "markdown"):
            words = ["sql", self.data, query, "--format", form]
            code, text = in_terminal(*words, env={"NO_COLOR": "1"})
            self.assertEqual(code, 0)
            text = re.sub(r"\r\x1b\[K|[^\n]*\x1b\[K", "", text)  # our own progress line
            self.assertNotRegex(text, r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0080-\u009f]", form)
        for words in (["call", self.data, "get_trades", "--block-id", "block"],
                      ["call", self.data, "run_sql", "--query", query],
                      ["compare", self.data, "block"], ["compare", self.data, "block", "--json"]):
            _, text = in_terminal(*words, env={"NO_COLOR": "1"})
            text = re.sub(r"\r\x1b\[K|[^\n]*\x1b\[K", "", text)
            self.assertIn("b", text)
            self.assertNotRegex(text, r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0080-\u009f]", words)
        done = run("sql", self.data, query, "--format", "csv")
        self.assertEqual(done.stdout, f"strategy\n{evil}\n")

    def test_log_lines_stay_on_standard_error(self):
        done = run("sync", self.data, "--json", env={"TRADEBLOCKS_LOG": "debug"})
        self.assertTrue(done.stdout.startswith("{"))

    def test_folder_names_of_any_bytes_give_valid_json(self):
        name = b"odd-\xff\xfe"
        path = os.path.join(os.fsencode(self.data), name)
        os.mkdir(path)
        with open(os.path.join(path, b"tradelog.csv"), "w") as file:
            file.write(trade_log(2))
        for words in (["sync", self.data, "--json"], ["status", self.data, "--json"]):
            run_json(*words, code=None)


if __name__ == "__main__":
    unittest.main()
