"""The commands that are tools in other clothes: tables for people, the tool's object with --json."""

import json
import unittest

from cli_support import DataTest, run, run_json, trade_log

HEADER = "Date Opened,Time Opened,Date Closed,Time Closed,P/L,Funds at Close,Strategy,Margin Req.\n"


def rows(amounts, strategy, start=100_000):
    """One trade per weekday of January and February 2024, with a running balance."""
    text = ""
    days = [f"2024-{month:02}-{day:02}" for month, last in ((1, 31), (2, 29))
            for day in range(1, last + 1)]
    funds = start
    for number, amount in enumerate(amounts):
        funds += amount
        text += (f"{days[number]},10:{number % 60:02}:00,{days[number]},15:{number % 60:02}:00,"
                 f"{amount},{funds},{strategy},{1000 + number}\n")
    return text


AMOUNTS = [(n * 37) % 101 - 45 for n in range(40)]


class ToolCommands(DataTest):
    def setUp(self):
        super().setUp()
        self.write("Flies/tradelog.csv", HEADER + rows(AMOUNTS, "fly"))
        self.write("Condors/tradelog.csv",
                   HEADER + rows(AMOUNTS[::-1], "ic") + rows(AMOUNTS, "fly", 50_000))

    def test_json_is_what_the_tool_gives(self):
        pairs = [
            (["stats", "Flies", "--from", "2024-01-08"], "get_statistics",
             {"blockId": "Flies", "startDate": "2024-01-08"}),
            (["returns", "Flies", "--period", "weekly", "--to", "2024-01-31", "--one-lot"],
             "get_period_returns",
             {"blockId": "Flies", "period": "weekly", "dateRange": {"to": "2024-01-31"},
              "normalizeTo1Lot": True}),
            (["compare", "Condors"], "get_strategy_comparison", {"blockId": "Condors"}),
            (["compare", "Condors", "Flies", "--metrics", "netPl,winRate"], "compare_blocks",
             {"blockIds": ["Condors", "Flies"], "metrics": ["netPl", "winRate"]}),
            (["compare", "Condors", "Flies", "--diff"], "block_diff",
             {"blockIdA": "Condors", "blockIdB": "Flies"}),
            (["montecarlo", "Flies", "--num-simulations", "200", "--random-seed", "7"],
             "run_monte_carlo", {"blockId": "Flies", "numSimulations": 200, "randomSeed": 7}),
            (["correlation", "Condors"], "get_correlation_matrix", {"blockId": "Condors"}),
            (["tailrisk", "Condors"], "get_tail_risk", {"blockId": "Condors"}),
            (["size", "Condors", "--capital", "50000"], "get_position_sizing",
             {"blockId": "Condors", "capitalBase": 50000}),
            (["walkforward", "Flies", "--in-sample-days", "14", "--out-of-sample-days", "7",
              "--min-in-sample-trades", "5"], "run_walk_forward",
             {"blockId": "Flies", "inSampleDays": 14, "outOfSampleDays": 7,
              "minInSampleTrades": 5}),
        ]
        for (command, *words), tool, arguments in pairs:
            run("sync", self.data)
            ours = run_json(command, self.data, *words, "--json")
            theirs = run_json("call", self.data, tool, json.dumps(arguments))
            for answer in (ours, theirs):  # the first to look may be the one that syncs
                answer.pop("syncInfo", None)
                answer.get("stats", {}).pop("durationMs", None)
            self.assertEqual(ours, theirs, command)

    def test_people_get_aligned_tables_and_no_markdown(self):
        for words in (["stats", "Flies"], ["returns", "Flies"], ["compare", "Condors"],
                      ["compare", "Condors", "Flies"], ["compare", "Condors", "Flies", "--diff"]):
            text = run(words[0], self.data, *words[1:]).stdout
            self.assertNotIn("|", text)
            self.assertIn("Conventions: correct", text)
        text = run("returns", self.data, "Flies").stdout
        self.assertRegex(text, r"(?m)^ *2024-01 +31 +-?\$[\d,.]+ ")
        self.assertIn(f"${sum(AMOUNTS[:31])}.00", text)

    def test_the_reference_is_named_when_it_is_asked_for(self):
        text = run("stats", self.data, "Flies", "--conventions", "reference").stdout
        self.assertIn("Conventions: reference", text)

    def test_mistakes_are_said_with_their_exit_code(self):
        self.assertIn("Flies", run("stats", self.data, "Flys", code=1).stderr)
        self.assertIn("YYYY-MM-DD", run("stats", self.data, "Flies", "--from", "soon",
                                        code=1).stderr)
        self.assertIn("BLOCK is missing", run("stats", self.data, code=2).stderr)
        self.assertIn("two blocks", run("compare", self.data, "Flies", "--diff", code=1).stderr)
        self.assertIn("--ticker", run("compare", self.data, "Flies", "Condors", "--ticker", "SPX",
                                      code=1).stderr)

    def test_errors_speak_of_flags_and_commands(self):
        # A value that the tool's schema refuses is a wrong command line.
        for words, said in ((["size", "Flies"], "--capital"),
                            (["size", "Flies", "--capital", "-5"], "--capital"),
                            (["stats", "Flies", "--rate", "abc"], "--rate"),
                            (["montecarlo", "Flies", "--ruin-threshold-pct", "20"],
                             "--ruin-threshold-pct")):
            done = run(words[0], self.data, *words[1:], code=2)
            self.assertIn(said, done.stderr)
            self.assertNotRegex(done.stderr, r"capitalBase|riskFree|ruinThreshold")
            self.assertEqual(done.stdout, "")
        for words, said in ((["stats", "Flies", "--from", "soon"], "--from"),
                            (["stats", "Nothing like it"], "tradeblocks status"),
                            (["stats", "Flies", "--strategy", "Nope"], "tradeblocks compare")):
            done = run(words[0], self.data, *words[1:], code=1)
            self.assertIn(said, done.stderr)
            self.assertNotRegex(done.stderr, r"startDate|list_blocks|get_block_info")

    def test_an_unknown_block_among_others_is_an_error(self):
        for words in ([], ["--json"]):
            done = run("compare", self.data, "Flies", "Flys", *words, code=1)
            self.assertIn("Flys", done.stderr)
            self.assertIn("Flies", done.stdout)
        self.assertIn("Flys", run("compare", self.data, "Flys", code=1).stderr)
        self.assertIn("Flys", run("compare", self.data, "Flies", "Flys", "--diff", code=1).stderr)

    def test_amounts_are_read_as_people_type_them(self):
        run("sync", self.data)
        wanted = run_json("size", self.data, "Condors", "--capital", "150000", "--json")
        for words in ("150k", "0.15m", "$150,000", "1.5e5"):
            self.assertEqual(run_json("size", self.data, "Condors", "--capital", words, "--json"),
                             wanted, words)
        call = run_json("call", self.data, "get_position_sizing", "--block-id", "Condors",
                        "--capital-base", "150k")
        self.assertEqual(call, wanted)
        done = run("size", self.data, "Condors", "--capital", "1,5", code=2)
        self.assertIn("--capital", done.stderr)

    def test_hostile_names_reach_the_terminal_harmless(self):
        self.write("Evil/tradelog.csv", HEADER + rows([5, -3], '"a|b\x1b[31m\\"'))
        text = run("compare", self.data, "Evil").stdout
        self.assertNotIn("\x1b", text)
        self.assertIn("a|b", text)

    def test_a_changed_file_changes_the_answer(self):
        before = run_json("stats", self.data, "Flies", "--json")
        self.write("Flies/tradelog.csv", trade_log(3))
        after = run_json("stats", self.data, "Flies", "--json")
        self.assertNotEqual(before["stats"]["totalTrades"], after["stats"]["totalTrades"])
        self.assertEqual(after["stats"]["totalTrades"], 3)


if __name__ == "__main__":
    unittest.main()
