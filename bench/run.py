#!/usr/bin/env python3
"""Measures what the project promises and rewrites the table of docs/performance.md.

    ./tb bench                 everything (ten minutes; 4 GB of disk in build/bench-data)
    ./tb bench small           only what runs in a minute
    ./tb bench ingest blocks   by group: ingest, scale, blocks, many, sql, analytics, mcp
    ./tb bench --keep          leave docs/performance.md alone

Figures are CPU milliseconds (user + system of the whole process, by wait4) and peak resident
memory. Each is the best of several runs, because whatever else the machine does can only add. Goals
that are ratios are compared within this run, so they hold on any machine.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import mcp

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
PROGRAM = BUILD / "tradeblocks"
PARTS = BUILD / "bench" / "sync_parts_bench"
DATA = ROOT / "build" / "bench-data"
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


class Usage:
    """What one process used."""

    def __init__(self, cpu_ms, wall_ms, rss_mb):
        self.cpu_ms = cpu_ms
        self.wall_ms = wall_ms
        self.rss_mb = rss_mb


def once(*words):
    start = time.monotonic()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: exit {process.returncode}")
    return Usage((usage.ru_utime + usage.ru_stime) * 1000, (time.monotonic() - start) * 1000,
                 usage.ru_maxrss / 1024)


def best(runs, action):
    results = [action() for _ in range(runs)]
    result = min(results, key=lambda usage: usage.cpu_ms)
    result.rss_mb = max(usage.rss_mb for usage in results)  # a promise about the peak is about all
    return result


def directory(blocks, trades):
    path = DATA / f"{blocks}x{trades}"
    if not (path / ".complete").exists():
        shutil.rmtree(path, ignore_errors=True)
        print(f"  writing {blocks} blocks of {trades} trades", file=sys.stderr)
        once(PROGRAM, "demo", path, "--blocks", blocks, "--trades", trades, "--no-sync")
        (path / ".complete").touch()
        # Files younger than the clock's grain would be hashed again by every sync.
        time.sleep(2.5)
    return path


def forget(path):
    for file in path.glob("analytics.duckdb*"):
        file.unlink()
    shutil.rmtree(path / ".tradeblocks", ignore_errors=True)


def cold(path):
    forget(path)
    return once(PROGRAM, "sync", path)


def parts(path, name):
    """CPU milliseconds of one indispensable part on this directory's data, in a process of its own:
    a sync starts with cold memory too."""
    done = subprocess.run([PARTS, f"--benchmark_filter={name}", "--benchmark_format=json",
                           "--benchmark_min_time=0"], capture_output=True, text=True, check=True,
                          env=dict(os.environ, TB_BENCH_DIR=str(path)))
    runs = [item for item in json.loads(done.stdout)["benchmarks"]
            if item.get("run_type") == "iteration"]
    return min(item["cpu_time"] for item in runs)


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, value, goal, met):
        mark = "yes" if met else "**no**"
        self.rows.append(f"| {what} | {value} | {goal} | {mark} |")
        print(f"{'ok ' if met else 'NOT'} {what}: {value} (goal {goal})", flush=True)

    def text(self):
        machine = platform.processor() or platform.machine()
        head = (f"Measured {time.strftime('%Y-%m-%d')} on {os.cpu_count()} processors "
                f"({machine}), {platform.system()}, release build.\n\n"
                "| What | Measured | Goal | Met |\n|---|---|---|---|\n")
        return head + "\n".join(self.rows) + "\n"


def measure_ingest(table):
    path = directory(1, 1_000_000)
    names = ("hash_files", "parse_files", "append_chunks")
    runs = []
    floor = dict.fromkeys(names, float("inf"))
    for _ in range(5):  # in turns, because the machine's speed drifts
        runs.append(cold(path))
        floor = {name: min(floor[name], parts(path, name)) for name in names}
    run = best(len(runs), iter(runs).__next__)
    total = sum(floor.values())
    table.add("Ingest of 1,000,000 trades (225 MB): CPU against hash + parse + append of the same "
              "rows", f"{run.cpu_ms / total:.2f} × ({run.cpu_ms:.0f} ms against "
              f"{floor['hash_files']:.0f} + {floor['parse_files']:.0f} + "
              f"{floor['append_chunks']:.0f} ms)", "≤ 1.25 ×", run.cpu_ms <= 1.25 * total)
    table.add("Peak memory, 1,000,000 trades", f"{run.rss_mb:.0f} MB", "≤ 250 MB",
              run.rss_mb <= 250)


def measure_scale(table):
    runs = {1: [], 200_000: [], 1_000_000: [], 5_000_000: []}
    for _ in range(4):  # in turns, because the machine's speed drifts
        for trades, found in runs.items():
            found.append(cold(directory(1, trades)))
    state = {trades: best(len(found), iter(found).__next__) for trades, found in runs.items()}
    table.add("Peak memory, 5,000,000 trades", f"{state[5_000_000].rss_mb:.0f} MB", "≤ 350 MB",
              state[5_000_000].rss_mb <= 350)
    start = state[1].cpu_ms  # one trade: start, and an empty database
    per_row = {trades: (state[trades].cpu_ms - start) * 1000 / trades
               for trades in (200_000, 1_000_000, 5_000_000)}
    spread = max(per_row.values()) / min(per_row.values())
    table.add("Cost per row from 200 thousand to 5 million, checkpoint included",
              ", ".join(f"{value:.2f}" for value in per_row.values()) +
              f" µs; largest/smallest {spread:.2f}", "≤ 1.15", spread <= 1.15)


def touch_one(path):
    """Another content for one block: the two newest trades change places."""
    file = path / "block-0050" / "tradelog.csv"
    lines = file.read_text().splitlines(keepends=True)
    lines[1], lines[2] = lines[2], lines[1]
    file.write_text("".join(lines))


def measure_blocks(table):
    path = directory(100, 2000)
    run = best(3, lambda: cold(path))
    table.add("100 blocks × 2,000 trades, cold", f"{run.cpu_ms:.0f} ms CPU, {run.rss_mb:.0f} MB",
              "< 2,000 ms", run.cpu_ms < 2000)
    time.sleep(2.5)
    once(PROGRAM, "sync", path)  # stamps of files that were young in the first run
    opened = best(9, lambda: once(PROGRAM, "sql", path, "SELECT 1", "--no-sync")).cpu_ms
    hashing = parts(path, "hash_files")
    verify = best(7, lambda: once(PROGRAM, "sync", path, "--verify")).cpu_ms - opened
    table.add("Nothing changed, --verify, on top of start and open, against hashing all files",
              f"{verify / hashing:.2f} × ({verify:.0f} ms against {hashing:.0f} ms)", "≤ 1.5 ×",
              verify <= 1.5 * hashing)
    unchanged = best(9, lambda: once(PROGRAM, "sync", path)).cpu_ms
    table.add("Nothing changed, stat check, on top of start and open",
              f"{unchanged - opened:.1f} ms", "≤ 20 ms", unchanged - opened <= 20)

    def one_changed():
        touch_one(path)
        return once(PROGRAM, "sync", path)
    changed = best(7, one_changed).cpu_ms
    table.add("One of the 100 changed, on top of nothing changed", f"{changed - unchanged:.1f} ms",
              "≤ 25 ms", changed - unchanged <= 25)
    return path


def measure_many(table):
    base = directory(100, 2000)
    reference = best(3, lambda: cold(base)).cpu_ms / 200_000 * 1000
    for blocks, trades in ((2000, 100), (20, 100_000)):
        path = directory(blocks, trades)
        run = best(2, lambda path=path: cold(path))
        per_row = run.cpu_ms * 1000 / (blocks * trades)
        per_block = run.cpu_ms / blocks
        table.add(f"{blocks:,} blocks × {trades:,} trades, cold",
                  f"{run.cpu_ms:.0f} ms CPU, {run.rss_mb:.0f} MB ({per_row:.2f} µs a row; 100 × "
                  f"2,000: {reference:.2f})",
                  "no cost above linear", per_row <= 1.5 * reference or per_block <= 2)
    # Twice the blocks must not cost more than twice as much.
    half = best(2, lambda: cold(directory(1000, 100))).cpu_ms
    whole = best(2, lambda: cold(directory(2000, 100))).cpu_ms
    table.add("2,000 against 1,000 blocks of 100 trades", f"{whole / half:.2f} ×", "≤ 2.3 ×",
              whole <= 2.3 * half)


def measure_sql(table):
    path = directory(100, 2000)
    once(PROGRAM, "sync", path)
    time.sleep(2.5)
    once(PROGRAM, "sync", path)
    query = "SELECT block_id, sum(net_pl) FROM trades.trade_data GROUP BY 1 ORDER BY 2 DESC LIMIT 5"
    run = best(9, lambda: once(PROGRAM, "sql", path, query))
    table.add("`sql` start to end on 100 unchanged blocks, sync included",
              f"{run.cpu_ms:.0f} ms CPU, {run.rss_mb:.0f} MB", "≤ 80 ms", run.cpu_ms <= 80)


def benchmarks(program, pattern, **environment):
    """CPU and wall milliseconds by name, the best of three repetitions each."""
    done = subprocess.run([BUILD / "bench" / program, f"--benchmark_filter={pattern}",
                           "--benchmark_format=json", "--benchmark_repetitions=3"],
                          capture_output=True, text=True, check=True,
                          env=dict(os.environ, **environment))
    found = {}
    for item in json.loads(done.stdout)["benchmarks"]:
        if item.get("run_type") != "iteration":
            continue
        if item.get("error_occurred"):
            sys.exit(f"{item['name']}: {item['error_message']}")
        name = item["name"].split("/process_time")[0]
        cpu, wall = found.get(name, (float("inf"), float("inf")))
        found[name] = (min(cpu, item["cpu_time"]), min(wall, item["real_time"]))
    return found


def measure_analytics(table):
    """Promises of the portfolio analytics: the library on rows in memory, then whole tools."""
    rows = benchmarks("analytics_statistics_bench",
                      "BM_StatisticsReport/1000*/0|BM_RollingMetrics/100$|BM_DailyExposure")
    for trades, goal in ((100_000, 15), (1_000_000, 200)):
        cpu = rows[f"BM_StatisticsReport/{trades}/0"][0]
        table.add(f"Statistics of {trades:,} cached trades", f"{cpu:.1f} ms", f"≤ {goal} ms",
                  cpu <= goal)
    sweeps = {"rolling metrics": rows["BM_RollingMetrics/100"][0],
              "daily exposure": rows["BM_DailyExposure"][0]}
    rows = benchmarks("analytics_simulation_bench",
                      "monte_carlo/block:1/percentage:0/bands:200/threads:2|kendall|margin|"
                      "walk_forward/combinations:1/")
    sweeps["margin timeline"] = rows["margin"][0]
    for what, cpu in sweeps.items():
        table.add(f"20,000 trades: {what}", f"{cpu:.1f} ms", "≤ 20 ms", cpu <= 20)
    cpu, wall = rows["monte_carlo/block:1/percentage:0/bands:200/threads:2"]
    table.add("Monte Carlo, 10,000 paths × 1,000 steps with 200 band points, two threads",
              f"{cpu / 2:.0f} ms CPU on each core ({wall:.0f} ms elapsed)", "≤ 150 ms",
              cpu / 2 <= 150)
    cpu = max(rows["kendall/zero_pad:0"][0], rows["kendall/zero_pad:1"][0])
    table.add("Kendall, 20 strategies × 2,500 days", f"{cpu:.0f} ms", "≤ 100 ms", cpu <= 100)
    cpu = rows["walk_forward/combinations:1"][0]
    table.add("Walk-forward with defaults, 3,000 trades", f"{cpu:.1f} ms", "≤ 200 ms", cpu <= 200)
    path = directory(1, 2000)
    rows = benchmarks("tools_latency_bench",
                      "tool/get_(statistics|period_returns|strategy_comparison)",
                      TB_BENCH_DIR=str(path))
    for tool in ("get_statistics", "get_period_returns", "get_strategy_comparison"):
        cpu, wall = rows[f"tool/{tool}"]
        table.add(f"`{tool}` on 2,000 trades, fresh check included",
                  f"{cpu:.1f} ms CPU ({wall:.1f} ms elapsed)", "≤ 10 ms", cpu <= 10)


def measure_mcp(table):
    path = directory(100, 2000)
    mcp.measure(table, PROGRAM, path, lambda: forget(path))


GROUPS = {"ingest": measure_ingest, "scale": measure_scale, "blocks": measure_blocks,
          "many": measure_many, "sql": measure_sql, "analytics": measure_analytics,
          "mcp": measure_mcp}
SMALL = ["blocks", "sql"]


def write_page(table):
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table.text()}{END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", help=f"{', '.join(GROUPS)} or small")
    parser.add_argument("--keep", action="store_true", help="do not rewrite docs/performance.md")
    arguments = parser.parse_args()
    names = [name for group in arguments.groups or GROUPS
             for name in (SMALL if group == "small" else [group])]
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        parser.error(f"unknown group: {', '.join(unknown)}")
    DATA.mkdir(parents=True, exist_ok=True)
    table = Table()
    for name in names:
        print(f"== {name}", flush=True)
        GROUPS[name](table)
    if set(names) == set(GROUPS) and not arguments.keep:
        write_page(table)
        print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
