# SPDX-License-Identifier: MIT
"""Comparing: a program's runs with each tool, each between two runs without
it, the rows that are made of them, and what may be said about them."""
from dataclasses import dataclass, field
import json
import os
import statistics
import subprocess
import sys
import tempfile

from measure import RunError, SETS, SPREAD, spread
from programs import FAILURES
from tools import TRACING, missing_packages, written_bytes

# Runs of tools that take minutes with any but a small input.
SLOW_RUNS = 3
QUANTITIES = ("cpu", "wall", "memory")


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


@dataclass
class Bench:
    """What all measuring takes."""
    usage: str  # usage_program's
    tree: str  # build directory
    scratch: str  # folder
    runs: int
    is_quick: bool
    sets: int = SETS  # of runs, at most, until one is quiet


@dataclass
class Samples:
    """Of a tool on a program: runs with it, and the means of the runs without
    it directly before and after."""
    tool: object
    input: str  # "full", "small", or "tiny"
    runs: list = field(default_factory=list)  # (Usage, bytes written)
    beside: list = field(default_factory=list)  # (Usage before, Usage after)
    why_not: str = None
    sets: int = 1  # of runs, of which these are the one

    def plain(self, name):
        """Of a quantity, without the tool: beside each run."""
        return [statistics.fmean((getattr(before, name),
                                  getattr(after, name)))
                for before, after in self.beside]

    def noise(self):
        """How far the runs without the tool are apart. (Of memory that is not
        the machine's doing: it is no reason to measure anew.)"""
        return max(spread(self.plain(name)) for name in ("cpu", "wall"))

    @property
    def is_small(self):
        return self.input != "full"

    def give_up(self, reason):
        self.why_not = str(reason)
        self.runs, self.beside = [], []


def run_once(bench, program, tool, small):
    """(Usage, bytes written)"""
    with tempfile.TemporaryDirectory(dir=bench.scratch) as folder:
        out = os.path.join(folder, "out")
        used = program.measure(bench.usage, bench.tree, tool, out, small)
        n_bytes = written_bytes(out)
    if tool.always_writes and not n_bytes:
        raise RunError("it ended well and wrote nothing")
    return used, n_bytes


def build(bench, program, samples):
    """Builds what the tools take; who cannot be used is told so."""
    results = {}  # name in tools.BUILDS: why it is not there, or None

    def why_not(tool):
        if tool.built not in results:
            say(f"{program.name}: building it ({tool.built})")
            try:
                results[tool.built] = program.build(bench.tree, tool)
            except FAILURES as error:
                results[tool.built] = str(error)
        return results[tool.built]
    for one in samples:
        missing = missing_packages(one.tool.packages)
        reason = f"not installed: {' '.join(missing)}" if missing else (
            why_not(one.tool.plain) or why_not(one.tool))
        if reason:
            one.give_up(reason)


def run_between(bench, program, samples, before):
    """One run with the tool; the run without it that followed."""
    one, run = samples, None
    try:
        run = run_once(bench, program, one.tool, one.is_small)
    except FAILURES as error:
        say(f"{program.name}: {one.tool.name}: {error}")
        one.give_up(error)
    after, _ = run_once(bench, program, one.tool.plain, one.is_small)
    if run:
        one.runs.append(run)
        one.beside.append((before, after))
    return after


def warm_up(bench, program, group):
    """Runs that are not counted; those that take minutes are left out."""
    tools = [group[0].tool.plain]
    if not bench.is_quick:
        tools += [one.tool for one in group if not one.tool.needs_small]
    for tool in tools:
        try:
            run_once(bench, program, tool, group[0].is_small)
        except FAILURES as error:
            for one in group:
                if tool in (one.tool, one.tool.plain):
                    one.give_up(error)


def is_due(bench, samples, number):
    """Is the tool still measured in that run?"""
    slow = 1 if bench.is_quick else SLOW_RUNS
    return not samples.why_not and not (samples.tool.needs_small and
                                        number >= slow)


def run_group(bench, program, group):
    """Tools that are compared with the same runs: plain, tool, plain, tool,
    ..., plain, and all of it again."""
    warm_up(bench, program, group)
    for number in range(bench.runs):
        turn = [one for one in group if is_due(bench, one, number)]
        if not turn:
            return
        say(f"{program.name}, run {number + 1} of {bench.runs}: " +
            "; ".join(one.tool.name for one in turn))
        last, _ = run_once(bench, program, turn[0].tool.plain,
                           turn[0].is_small)
        for one in turn:
            last = run_between(bench, program, one, last)


def run_anew(bench, program, group):
    """Another set of runs for those whose plain runs were too far apart. Kept
    is the set whose plain runs were closest: what a tool costs has no part in
    the choice."""
    loud = [one for one in group if one.beside and one.noise() > SPREAD]
    if not loud:
        return False
    new = [Samples(one.tool, one.input) for one in loud]
    say(f"{program.name}: the plain runs were too far apart: anew")
    run_group(bench, program, new)
    for one, other in zip(loud, new):
        one.sets += 1
        if other.beside and other.noise() < one.noise():
            one.runs, one.beside = other.runs, other.beside
    return True


def try_group(bench, program, group):
    """A failure of the plain program ends it; what was measured until then
    stays."""
    try:
        run_group(bench, program, group)
        for _ in range(bench.sets - 1):
            if not run_anew(bench, program, group):
                break
    except FAILURES as error:
        say(f"{program.name}: {group[0].tool.plain.name}: {error}")
        for one in group:
            if not one.runs and not one.why_not:
                one.give_up(f"{one.tool.plain.name}: {error}")


def compare(bench, program, tools):
    """Samples of each of the tools."""
    samples = [Samples(tool, "tiny" if bench.is_quick else "small"
                       if tool.needs_small else "full") for tool in tools]
    groups = {}
    build(bench, program, samples)
    for one in samples:
        if not one.why_not:
            beside = one.tool.plain.name
            groups.setdefault((beside, one.is_small), []).append(one)
    for group in groups.values():
        try_group(bench, program, group)
    return samples


def ask(bench, *words):
    """What the command says about a dump."""
    output = subprocess.run(
        [os.path.join(bench.tree, "bin", "alloctrace"), *words, "--format",
         "json"], check=True, capture_output=True, text=True).stdout
    return json.loads(output)


@dataclass
class Account:
    """What a dump of a run tells."""
    allocations: int
    own: int  # resident bytes of the tracer's own
    live: int  # blocks at the peak


def describe(bench, program, small):
    """None, and a word on it, if it cannot be told."""
    try:
        return account(bench, program, small)
    except (*FAILURES, subprocess.CalledProcessError) as error:
        say(f"{program.name}: its allocations are not known: {error}")
        return None


def account(bench, program, small):
    with tempfile.TemporaryDirectory(dir=bench.scratch) as folder:
        out = os.path.join(folder, "out")
        program.build(bench.tree, TRACING)
        program.measure(bench.usage, bench.tree, TRACING, out, small)

        def count(metric):
            return sum(group["count"] for group in ask(
                bench, "stats", "--group-by", "domain", "--metric", metric,
                out)["statistics"])
        return Account(count("total"), ask(bench, "info",
                                           out)["overhead_bytes"],
                       count("peak"))


def row_of(program, samples, allocations):
    """As record.py's docstring has it."""
    tool = samples.tool
    row = {"program": program.name, "language": program.language,
           "allocations": allocations, "tool": tool.name,
           "beside": tool.plain.name,
           "input": samples.input}
    if hasattr(program, "kind"):
        row["kind"] = program.kind
    for name in QUANTITIES:
        row[name] = [getattr(used, name) for used, _ in samples.runs]
        row[f"plain_{name}"] = samples.plain(name)
    row["file"] = [n_bytes for _, n_bytes in samples.runs] if (
        any(n_bytes for _, n_bytes in samples.runs)) else None
    if samples.sets > 1:
        row["sets"] = samples.sets
    if samples.why_not:
        row["why_not"] = samples.why_not
    return row


@dataclass
class Ratio:
    """Of a quantity with a tool to that without, in a row of record.py."""
    median: float  # None: not judged
    plain: float  # median without
    spread: float  # of what is without


def ratio(row, name):
    """None if the row has no samples. Not judged: the machine was not quiet."""
    plain = row[f"plain_{name}"]
    if not row[name]:
        return None
    if len(row[name]) != len(plain):
        raise ValueError(f"{row['tool']}: {name} has {len(row[name])} samples "
                         f"beside {len(plain)} of the plain program")
    if not all(plain):
        return Ratio(None, 0, 0)
    wide = spread(plain)
    return Ratio(None if wide > SPREAD else statistics.median(
        with_it / without for with_it, without in zip(row[name], plain)),
        statistics.median(plain), wide)
