#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What bench/compare.py makes of runs: their order, which of them belong
together, who is left out and why, and which ratios are refused. Programs and
samples are made up."""
import contextlib
import io
import os
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "bench"))
import compare  # noqa: E402
from loopback import last_lines  # noqa: E402
from measure import RunError, Usage  # noqa: E402
from tools import Tool  # noqa: E402

QUIET = [1.0, 1.01, 0.99, 1.0, 1.02]
LOUD = [1.0, 1.5, 0.7, 1.2, 1.9]


class Program:
    """Each run takes one second more than the one before it, or what `times`
    has for the runs of each tool ("plain", ...)."""
    name, language = "made up", "C"

    def __init__(self, failing=(), silent=(), unbuilt=(), times=None):
        self.failing, self.silent, self.unbuilt = failing, silent, unbuilt
        self.times = {tool: iter(some) for tool, some in (times or {}).items()}
        self.done = []

    def build(self, _tree, tool):
        if tool.built in self.unbuilt:
            raise RunError("does not build: no")

    def measure(self, _usage, _tree, tool, out, small):
        self.done.append(tool.name + (" small" if small else ""))
        if self.done.count(self.done[-1]) > 1 and tool.name in self.failing:
            raise RunError("ended by signal 11: oh")
        if tool.name not in self.silent:
            with open(out, "w", encoding="utf-8") as file:
                file.write("12345")
        seconds = next(self.times[tool.name]) if self.times else \
            len(self.done)
        return Usage(2 * seconds, seconds, int(seconds) << 20)


def run(program, tools, runs=2, is_quick=False, sets=1):
    """{tool: row}"""
    with tempfile.TemporaryDirectory() as scratch, \
            contextlib.redirect_stderr(io.StringIO()):
        bench = compare.Bench("usage", "tree", scratch, runs, is_quick,
                              sets)
        return {one.tool.name: compare.row_of(program, one, 7)
                for one in compare.compare(bench, program, tools)}


def made_up(**more):
    return {"tool": "t", "cpu": [2 * value for value in QUIET],
            "plain_cpu": QUIET, **more}


class Order(unittest.TestCase):
    def test_each_run_stands_between_plain_ones(self):
        program = Program()
        rows = run(program, [Tool("a"), Tool("b")])
        turn = ["plain", "a", "plain", "b", "plain"]
        self.assertEqual(program.done, ["plain", "a", "b"] + 2 * turn)
        self.assertEqual(rows["a"]["cpu"], [5, 10])
        self.assertEqual(rows["a"]["plain_cpu"], [5, 10])
        self.assertEqual(rows["b"]["plain_wall"], [14, 24])
        self.assertEqual(rows["b"]["memory"], [7 << 20, 12 << 20])
        self.assertEqual(rows["b"]["file"], [5, 5])
        self.assertEqual(rows["b"]["input"], "full")

    def test_slow_ones_have_small_runs_beside_and_fewer(self):
        program = Program()
        rows = run(program, [Tool("slow", needs_small=True), Tool("a")], 5)
        self.assertEqual(len(rows["a"]["cpu"]), 5)
        self.assertEqual(len(rows["slow"]["cpu"]), compare.SLOW_RUNS)
        self.assertEqual(program.done[:4], ["plain small", "plain small",
                                            "slow small", "plain small"])
        self.assertNotIn("slow", program.done)
        self.assertEqual(rows["slow"]["input"], "small")

    def test_an_allocators_profiler_runs_beside_that_allocator(self):
        program = Program()
        other = Tool("allocator", always_writes=False)
        rows = run(program, [Tool("a"), Tool("p", beside=other)], 1)
        self.assertEqual(program.done[5:], ["allocator", "p", "allocator", "p",
                                            "allocator"])
        self.assertEqual([rows["a"]["beside"], rows["p"]["beside"]],
                         ["plain", "allocator"])

    def test_quick_is_quick(self):
        program = Program()
        rows = run(program, [Tool("slow", needs_small=True)], 3, True)
        self.assertEqual(program.done, ["plain small", "plain small",
                                        "slow small", "plain small"])
        self.assertEqual(rows["slow"]["input"], "tiny")


class Anew(unittest.TestCase):
    def measure(self, *plain, sets=3):
        """Runs of two: warm-up, then plain, a, plain; again. What `a` takes
        tells which set it is of: 10 and 11, 20 and 21, ..."""
        program = Program(times={
            "plain": [one for first, second in plain
                      for one in (9, first, first, second, second)],
            "a": [9, 10, 11, 9, 20, 21, 9, 30, 31]})
        return run(program, [Tool("a")], sets=sets)["a"]

    def test_quiet_runs_are_enough(self):
        row = self.measure((1, 1.01))
        self.assertEqual(row["cpu"], [10, 11])
        self.assertNotIn("sets", row)

    def test_loud_ones_are_measured_anew(self):
        row = self.measure((1, 2), (1, 1.01))
        self.assertEqual([row["cpu"], row["sets"]], [[20, 21], 2])
        self.assertEqual(row["plain_cpu"], [1, 1.01])

    def test_the_quietest_set_is_kept(self):
        row = self.measure((1, 2), (1, 1.5), (1, 3))
        self.assertEqual([row["cpu"], row["sets"]], [[20, 21], 3])
        self.assertIsNone(compare.ratio(row, "cpu").median)

    def test_only_as_often_as_is_allowed(self):
        row = self.measure((1, 2), (1, 1.01), sets=1)
        self.assertEqual(row["cpu"], [10, 11])


class LeftOut(unittest.TestCase):
    def check(self, row, reason):
        self.assertIn(reason, row["why_not"])
        for name in compare.QUANTITIES:
            self.assertEqual([row[name], row[f"plain_{name}"]], [[], []])
            self.assertIsNone(compare.ratio(row, name))
        self.assertIsNone(row["file"])

    def test_crash(self):
        rows = run(Program(failing=["a"]), [Tool("a"), Tool("b")])
        self.check(rows["a"], "signal 11: oh")
        self.assertEqual(rows["b"]["cpu"], [7, 10])
        self.assertEqual(rows["b"]["plain_cpu"], [7, 10])
        self.assertNotIn("why_not", rows["b"])

    def test_nothing_written(self):
        program = Program(silent=["a", "b"])
        rows = run(program, [Tool("a"), Tool("b", always_writes=False)])
        self.check(rows["a"], "wrote nothing")
        self.assertEqual(len(rows["b"]["cpu"]), 2)

    def test_missing_package(self):
        program = Program()
        rows = run(program, [Tool("a", packages=["there-is-no-such-package"])])
        self.check(rows["a"], "not installed: there-is-no-such-package")
        self.assertEqual(program.done, [])

    def test_not_built(self):
        rows = run(Program(unbuilt=["lsan"]), [Tool("a", "lsan"), Tool("b")])
        self.check(rows["a"], "does not build: no")
        self.assertEqual(len(rows["b"]["cpu"]), 2)

    def test_plain_program_fails(self):
        rows = run(Program(failing=["plain"]), [Tool("a"), Tool("b")])
        self.check(rows["a"], "plain: ended by signal 11: oh")
        self.check(rows["b"], "plain: ended by signal 11: oh")


class Reasons(unittest.TestCase):
    def test_what_a_server_said_is_not_what_valgrind_says(self):
        self.assertEqual(last_lines("a\nb\nc\n==12== d /tmp/e\nf\n==12==\n"),
                         "b / c / f")


class Ratios(unittest.TestCase):
    def test_median_of_pairs(self):
        found = compare.ratio(made_up(cpu=[3, 2.02, 1.98, 2, 9]), "cpu")
        self.assertAlmostEqual(found.median, 2)
        self.assertEqual(found.plain, 1.0)

    def test_refused_if_the_machine_was_not_quiet(self):
        found = compare.ratio(made_up(plain_cpu=LOUD), "cpu")
        self.assertIsNone(found.median)
        self.assertGreater(found.spread, 0.05)

    def test_loud_runs_with_the_tool_are_judged(self):
        self.assertIsNotNone(compare.ratio(made_up(cpu=LOUD), "cpu").median)

    def test_refused_if_the_plain_program_takes_nothing(self):
        self.assertIsNone(compare.ratio(made_up(plain_cpu=[0] * 5),
                                        "cpu").median)

    def test_samples_belong_together(self):
        with self.assertRaises(ValueError):
            compare.ratio(made_up(plain_cpu=QUIET[1:]), "cpu")


if __name__ == "__main__":
    unittest.main()
