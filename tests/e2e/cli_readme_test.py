"""Every command of the README and of docs runs as it is written, on the sample data."""

import os
import re
import shlex
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from cli_support import PATIENCE, PROGRAM

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# Beginnings of commands that are not run here, and why.
NOT_RUN = {
    "git clone": "needs the network",
    "cd tradeblocks": "follows git clone",
    "./tb": "installs packages and builds; tests/e2e/package_test.py installs a build",
    "export PATH=": "changes the reader's shell; the next line is run with that PATH",
    "cmake": "builds",
    "ctest": "runs these tests",
    "npm ci": "needs the network",
}
# These run until they are stopped: Ctrl-C must end them well.
ENDLESS = ("--watch", "--http")
# doctor says what is wrong by its exit code, and the sample data hold files with faults.
MAY_FAIL = {"tradeblocks doctor ~/Trades": (0, 1)}


def split(text):
    """The commands of a shell block: lines are joined until quotes and backslashes are closed."""
    commands, begun = [], ""
    for line in text.splitlines():
        begun = f"{begun}\n{line}" if begun else line
        try:
            words = shlex.split(begun, comments=True)
        except ValueError:  # a quote is open
            continue
        if words and not begun.endswith("\\"):
            commands.append(begun)
        if not begun.endswith("\\"):
            begun = ""
    return commands


def commands_of(page):
    text = page.read_text()
    fence = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
    for language, block in fence.findall(text):
        if language in ("bash", "sh", "shell", "console"):
            yield from split(block)
    for span in re.findall(r"`([^`\n]+)`", fence.sub("", text)):
        # With a place in it a span is a command, without one the name of a command.
        if span.startswith("tradeblocks ") and "~/" in span and not re.search(
                r"\b(DIR|TOOL|COMMAND|FILE|BLOCK|URL)\b", span):
            yield span


def parts_of(command):
    """`a && b` is two commands; what is not run must be named by itself."""
    return [part.strip() for part in re.split(r"&&(?![^\"']*[\"'][^\"']*$)", command)]


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="tb_readme_")
        cls.home = Path(cls.temporary.name) / "home"
        bin_folder = cls.home / ".local" / "bin"
        bin_folder.mkdir(parents=True)
        (bin_folder / "tradeblocks").symlink_to(PROGRAM)
        cls.env = {key: value for key, value in os.environ.items()
                   if key not in ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR")}
        cls.env.update(HOME=str(cls.home), PATH=f"{bin_folder}:{os.environ['PATH']}")
        cls.run_shell("tradeblocks demo ~/Trades")
        (cls.home / "Downloads").mkdir()
        log = (cls.home / "Trades" / "MEIC" / "meic-tradelog.csv").read_bytes()
        (cls.home / "Downloads" / "backtest.csv").write_bytes(log)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def run_shell(cls, command, codes=(0,)):
        done = subprocess.run(["bash", "-c", command], cwd=cls.home, env=cls.env, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        assert done.returncode in codes, (
            f"{command}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def stop(self, command):
        process = subprocess.Popen(["bash", "-c", "exec " + command], cwd=self.home, env=self.env,
                                   text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
        if "in use" not in first:  # its port, by another program
            self.assertIn(process.returncode, (0, 130), f"{command}\n{first}{output}")

    def test_every_command_runs(self):
        seen, not_run = [], set()
        for page in PAGES:
            for command in commands_of(page):
                for part in parts_of(command):
                    reason = next((key for key in NOT_RUN if part.startswith(key)), None)
                    if reason is not None:
                        not_run.add(reason)
                    elif part not in seen:
                        seen.append(part)
        self.assertGreater(len(seen), 25, "the pages hold commands")
        for command in seen:
            with self.subTest(command=command):
                if any(word in command for word in ENDLESS):
                    self.stop(command)
                else:
                    self.run_shell(command, MAY_FAIL.get(command.split("  #")[0].strip(), (0,)))
        rotten = set(NOT_RUN) - not_run - {"npm ci", "ctest", "cd tradeblocks"}
        self.assertEqual(rotten, set(), "listed as not run, but nowhere on the pages")

    def test_the_first_commands_are_those_of_a_new_user(self):
        first = [part for command in commands_of(ROOT / "README.md") for part in parts_of(command)]
        kinds = ["git clone", "cd ", "./tb install", "export PATH=", "tradeblocks --version",
                 "tradeblocks demo ~/Trades", "tradeblocks sync ~/Trades"]
        for command, kind in zip(first, kinds):
            self.assertTrue(command.startswith(kind), f"{command} where {kind} is expected")


if __name__ == "__main__":
    unittest.main()
