"""Installs the build into a temporary prefix and builds another program against the package."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = os.environ["TB_BUILD_DIR"]
CMAKE = os.environ["TB_CMAKE"]


def run(*words, **options):
    done = subprocess.run(words, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="tb_package_")
        cls.root = Path(cls.temporary.name)
        cls.prefix = cls.root / "prefix"
        run(CMAKE, "--install", BUILD, "--prefix", str(cls.prefix))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_installed_program_runs_from_its_prefix(self):
        data = self.root / "data"
        text = run(str(self.prefix / "bin/tradeblocks"), "demo", str(data))
        self.assertIn("A first query", text)

    def test_program_names_no_folder_of_the_build(self):
        # So it is the same wherever it was built (06 Q16).
        program = (self.prefix / "bin/tradeblocks").read_bytes()
        for folder in (Path(BUILD).resolve(), HERE.parent.parent):
            self.assertNotIn(f"{folder}/".encode(), program)

    @unittest.skipIf(shutil.which("readelf") is None, "needs binutils")
    def test_program_is_hardened(self):
        program = str(self.prefix / "bin/tradeblocks")
        dynamic = run("readelf", "--wide", "--dynamic", program)
        for flag in (r"\bBIND_NOW\b", r"\bPIE\b", r"runpath: \[\$ORIGIN/\.\./lib[^:]*\]"):
            self.assertRegex(dynamic, flag)
        segments = run("readelf", "--wide", "--segments", program)
        self.assertIn("GNU_RELRO", segments)
        self.assertRegex(segments, r"GNU_STACK.* RW +0x")
        symbols = run("readelf", "--wide", "--dyn-syms", program)
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__\w+_chk@GLIBC")

    def test_documents_are_installed(self):
        share = self.prefix / "share"
        for name in ("man/man1/tradeblocks.1", "bash-completion/completions/tradeblocks",
                     "zsh/site-functions/_tradeblocks", "fish/vendor_completions.d/tradeblocks.fish",
                     "doc/tradeblocks/LICENSE", "doc/tradeblocks/third_party/duckdb.txt"):
            self.assertGreater((share / name).stat().st_size, 500, name)

    def install(self, prefix, **env):
        return subprocess.run([CMAKE, "--install", BUILD, "--prefix", str(prefix)],
                              capture_output=True, text=True, env=dict(os.environ, **env))

    def test_files_of_others_are_replaced_only_by_force(self):
        prefix = self.root / "other"
        names = ("bin/tradeblocks", "share/man/man1/tradeblocks.1",
                 "share/bash-completion/completions/tradeblocks")
        for name in names:
            file = prefix / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("mine")
            done = self.install(prefix)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(str(file), done.stderr)
            self.assertIn("--force", done.stderr)
            self.assertEqual(file.read_text(), "mine")
            file.unlink()
        self.assertFalse((prefix / "include").exists())
        (prefix / names[0]).write_text("mine")
        self.assertEqual(self.install(prefix, TB_INSTALL_FORCE="1").returncode, 0)
        self.assertEqual(self.install(prefix).returncode, 0, "its own files")
        run(str(prefix / names[0]), "--version")

    def test_nothing_is_installed_into_a_data_directory(self):
        data = self.root / "Trades"
        data.mkdir()
        (data / "analytics.duckdb").write_text("")
        (self.root / "link").symlink_to(data)
        for prefix in (data, data / "MEIC" / "new", self.root / "link" / "new"):
            done = self.install(prefix)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("data directory", done.stderr)
        self.assertEqual([path.name for path in data.iterdir()], ["analytics.duckdb"])

    def test_parts_are_listed_with_their_versions(self):
        text = (self.prefix / "share/doc/tradeblocks/sbom.spdx.json").read_text()
        parts = {part["name"]: part for part in json.loads(text)["packages"]}
        self.assertEqual(set(parts) - {"tradeblocks"},
                         {"DuckDB", "fmt", "OpenSSL", "date", "nlohmann-json", "CLI11",
                          "tl-expected", "Boost", "uPlot", "utf8proc"})
        self.assertRegex(parts["OpenSSL"]["versionInfo"], r"^3\.")
        self.assertRegex(parts["uPlot"]["versionInfo"], r"^\d+\.\d+\.\d+$")

    def test_bash_completion_offers_commands_and_options(self):
        script = self.prefix / "share/bash-completion/completions/tradeblocks"
        program = f"""source {script}
COMP_WORDS=(tradeblocks sy); COMP_CWORD=1; _tradeblocks; echo "${{COMPREPLY[@]}}"
COMP_WORDS=(tradeblocks sync --v); COMP_CWORD=2; _tradeblocks; echo "${{COMPREPLY[@]}}"
"""
        self.assertEqual(run("bash", "-c", program).split(), ["sync", "--verify"])

    def test_another_program_links_the_sync_module(self):
        source = HERE / "consumer"
        build = self.root / "consumer"
        run(CMAKE, "-S", str(source), "-B", str(build), "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run(CMAKE, "--build", str(build))
        data = self.root / "consumer-data"
        run(str(self.prefix / "bin/tradeblocks"), "demo", str(data), "--no-sync")
        self.assertRegex(run(str(build / "consumer"), str(data)), r"^5 blocks, \d{4} rows\n$")


if __name__ == "__main__":
    unittest.main()
