#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is what documents say of costs what the recorded results say?

    check_performance.py rules      made-up results: each rule of
                                    bench/losses.py fires when it should, and
                                    not otherwise; what is refused is not
                                    printed, what is missing is said
    check_performance.py page       docs/performance.md and README.md's part
                                    are what bench/report writes
    check_performance.py pictures   docs/pictures likewise; and in pictures of
                                    made-up results no text is cut off or lies
                                    over another
    check_performance.py command    scripts/bench, with made-up benchmarks: one
                                    that fails does not stop the others

Pictures need python3-matplotlib, and for the comparison the version that drew
those that are checked in: skipped without.
"""
import os
import re
import shutil
import subprocess
import sys

import made_up
import pages
from pages import e2e

BENCH = os.path.join(pages.TOP, "bench")
sys.path.insert(0, BENCH)

import charts  # noqa: E402
import exponent  # noqa: E402
import figures  # noqa: E402
import losses  # noqa: E402
import page  # noqa: E402
import summary  # noqa: E402

SKIPPED = 77
DEBIANS = "/usr/bin/python3"


def made(change=None, **environment):
    """Made-up results, changed by a function that is given their rows."""
    rows = made_up.results()
    if change:
        change(rows)
    return figures.Results(made_up.recorded(rows, **environment))


def select(rows, **fields):
    """The rows that have these fields; at least one."""
    found = [row for row in rows
             if all(row.get(name) == value for name, value in fields.items())]
    e2e.check(found, f"no made-up row of {fields}")
    return found


def setting(benchmark, values, **fields):
    """A change of the rows that have these fields."""
    def change(rows):
        for row in select(rows[benchmark], **fields):
            row.update(values(row) if callable(values) else values)
    return change


def scaled_plain(name, factor):
    """A field as so many times the plain one."""
    return lambda row: {name: [value * factor
                               for value in row["plain_" + name]]}


# ---- Rules ----

LUA = {"program": "made-up lua"}
AIM_SOURCE = '(docs/design.md, "Aims")'
# (change, what losses() then says, to the letter)
CASES = [
    (setting("programs", scaled_plain("cpu", 1.08), tool="alloctrace"),
     {"Aims missed": [
         "CPU time with every allocation traced, mean of the programs: 1.08; "
         f"the aim is 1.06 of the plain one {AIM_SOURCE}"],
      "Peers ahead": [
         "CPU time, heaptrack, raw beside alloctrace: made-up zstd 1.03 "
         "against 1.08",
         "CPU time, LeakSanitizer beside alloctrace: made-up zstd 1.02 "
         "against 1.08"]}),
    (setting("programs", scaled_plain("cpu", 1.03), **LUA,
             tool="alloctrace, sampling"), {}),
    (setting("programs", scaled_plain("cpu", 1.017),
             tool="alloctrace, sampling"),
     {"Aims missed": [
         "CPU time sampled, mean of the programs: 1.02; the aim is 1.01 of "
         f"the plain one {AIM_SOURCE}"],
      "Peers ahead": [
         "CPU time, jemalloc, sampling beside alloctrace, sampling: made-up "
         "sqlite 1.01 against 1.02; made-up bodies 1.01 against 1.02"]}),
    (setting("pairs", {"ns": made_up.times(9.4 + 2.4)}, group="depth", x=20,
             variant="tracing"),
     {"Aims missed": [
         "a malloc and free pair traced, however deep: +2.4 ns; the aim is 2 "
         f"ns more {AIM_SOURCE}; that is 20 frames deep, the least +1.9 ns"]}),
    (setting("pairs", {"ns": made_up.times(9.4 + 2.04)}, group="depth", x=20,
             variant="tracing"), {}),
    (setting("builds", lambda row: {"seconds": [1.1 * one for one in
                                                row["seconds"]]},
             compiler="alloctrace"),
     {"Aims missed": [
         "time of compiling, mean of the programs: 1.14; the aim is 1.05 of "
         f"the plain one {AIM_SOURCE}"]}),
    (setting("programs", scaled_plain("wall", 1.02), **LUA, tool="heaptrack"),
     {"Peers ahead": ["wall time, heaptrack beside alloctrace: made-up lua "
                      "1.02 against 1.05"]}),
    (setting("programs", scaled_plain("wall", 1.049), **LUA,
             tool="heaptrack"), {}),
    (setting("programs", scaled_plain("memory", 1.1), **LUA, tool="massif"),
     {"Peers ahead": ["peak resident memory, massif beside alloctrace: "
                      "made-up lua 1.10 against 1.15 (small input)"]}),
    (setting("programs", {"file": [5000]}, **LUA, tool="heaptrack"),
     {"Peers ahead": ["size of files, heaptrack: made-up lua 4.88 KiB against "
                      "19.5 KiB"]}),
    (setting("programs", {"file": [5000]}, **LUA, tool="massif"), {}),
    (setting("programs", {"file": None}, **LUA, tool="heaptrack"), {}),
    (setting("programs", scaled_plain("memory", 1.01),
             program="made-up server", tool="heaptrack"),
     {"Peers ahead": ["made-up server, peak resident memory, heaptrack: 1.01 "
                      "against 1.10"]}),
    (setting("pairs", {"ns": made_up.times(9.0)}, group="live", x=100000,
             variant="LeakSanitizer"),
     {"Peers ahead": ["ns a pair, live 100,000, LeakSanitizer: 9.0 against "
                      "11"]}),
    (setting("analysis", {"seconds": made_up.times(0.004)}, operation="load",
             traces=100000, library="tracemalloc"),
     {"Peers ahead": ["load of 100,000 traces, seconds, tracemalloc: 4.00 ms "
                      "against 5.00 ms"]}),
    (setting("analysis", {"memory": [5000]}, operation="filter",
             traces=100000, library="tracemalloc"),
     {"Peers ahead": ["filter of 100,000 traces, memory, tracemalloc: 4.88 "
                      "KiB against 8.58 MiB"]}),
    (setting("growth", lambda row: {"own": [1e-4 * row["x"] ** 1.5]},
             group="contexts", variant="tracing", what="program"),
     {"Not linear": ["own memory by contexts: grows as x to the power of 1.50 "
                     "(more than 1.15)"]}),
    (setting("growth", lambda row: {"own": [400 * row["x"] ** 1.1]},
             group="contexts", variant="tracing", what="program"), {}),
    (setting("growth", lambda row: {"seconds": [1e-9 * row["x"] ** 2]},
             group="contexts", what="load"),
     {"Not linear": ["loading by contexts: grows as x to the power of 2.00 "
                     "(more than 1.15)"]}),
    (setting("growth", lambda row: {"seconds": made_up.times(
        0.01 + 1e-7 * row["x"] + 1e-12 * row["x"] ** 2)}, group="blocks",
             variant="tracing", kind="of one path", what="program"),
     {"Not linear": ["time by blocks: of one path: grows as x to the power of "
                     "2.00 (more than 1.15)"]}),
    (setting("snapshots", lambda row: {"seconds": made_up.times(
        1e-9 * row["x"] ** 2)}, group="blocks", what="dump"),
     {"Not linear": ["dump by blocks: grows as x to the power of 2.00 (more "
                     "than 1.15)"]}),
    (setting("analysis", {"seconds": made_up.times(0.01)}, operation="load",
             traces=100000, library="alloctrace"),
     {"Not linear": ["load by traces: grows as x to the power of 1.30 (more "
                     "than 1.15)"]}),
    (setting("growth", lambda row: {"seconds": [
        2e-4 * row["x"] + 0.02 + 1e-6 * row["x"] ** 2]},
             group="sites", variant="tracing", what="build"),
     {"Not linear": ["compiling by call sites: grows as x to the power of "
                     "2.00 (more than 1.15)"]}),
    (setting("growth", lambda row: {"file": [
        20000 + 100 * row["x"] + row["x"] ** 2]},
             group="sites", variant="tracing", what="build"),
     {"Not linear": ["binary by call sites: grows as x to the power of 2.00 "
                     "(more than 1.15)"]}),
    (setting("growth", lambda row: {"seconds": made_up.times(
        1e-3 + 1e-6 * row["x"] ** 1.5)}, group="sites", variant="tracing",
             what="start"),
     {"Not linear": ["start by call sites: grows as x to the power of 1.50 "
                     "(more than 1.15)"]}),
    # What a start takes more is less than what two plain ones differ by.
    (setting("growth", lambda row: {"seconds": made_up.times(
        1e-3 + 1e-15 * row["x"] ** 2)}, group="sites", variant="tracing",
             what="start"), {}),
    (setting("merge", lambda row: {"seconds": [1e-5 * row["files"] ** 1.5]},
             kind="shared"),
     {"Not linear": ["merging files, shared call paths: grows as x to the "
                     "power of 1.50 (more than 1.15)"]}),
    (setting("merge", lambda row: {"seconds": [1e-5 * row["files"] ** 1.1]},
             kind="distinct"), {}),
    (setting("scaling", {"wall": made_up.times(0.13)}, group="local", x=2,
             variant="tracing"),
     {"Threads slow one another": [
         "2 threads, blocks stay with their thread: 0.89 of the plain "
         "program's scaling (less than 0.9)"]}),
    (setting("scaling", {"wall": made_up.times(0.125)}, group="local", x=2,
             variant="tracing"), {}),
    (setting("scaling", {"wall": made_up.NOISE}, group="queue", x=1,
             variant="plain"),
     {"Refused: plain runs too far apart": [
         "scaling, queue: spread 50 %"]}),
    (setting("programs", {"why_not": "it crashes"}, **LUA,
             tool="alloctrace, off"),
     {"Not measured": ["made-up lua with alloctrace, off: it crashes"]}),
    (setting("programs", {"why_not": "it crashes"}, **LUA, tool="heaptrack"),
     {}),
    (setting("pairs", {"why_not": "it crashes"}, group="depth", x=5,
             variant="tracing"),
     {"Not measured": ["pairs: depth, 5, tracing: it crashes"]}),
    (setting("pairs", {"why_not": "not installed", "ns": []}, group="depth",
             variant="massif"), {}),
    (setting("programs", {"plain_cpu": made_up.NOISE}, **LUA,
             tool="heaptrack"),
     {"Refused: plain runs too far apart": [
         "made-up lua, CPU time, with heaptrack: spread 50 %"]}),
    (setting("programs", {"plain_wall": made_up.NOISE}, **LUA,
             input="small"),
     {"Refused: plain runs too far apart": [
         "made-up lua, wall time, with massif, DHAT, jemalloc, memcheck, "
         "gperftools: spread 50 % at most"]}),
    (setting("limit", {"ns": made_up.NOISE}, case="flat 5", variant="plain"),
     {"Refused: plain runs too far apart": [
         "limit, flat 5: spread 50 %"]}),
    (setting("builds", {"seconds": made_up.NOISE}, **LUA, compiler="plain"),
     {"Refused: plain runs too far apart": [
         "compiling made-up lua: spread 50 %"]}),
    (setting("pairs", {"ns": made_up.NOISE}, group="live", x=1000,
             variant="plain"),
     {"Refused: plain runs too far apart": [
         "pairs, live 1,000: spread 50 %"]}),
    (setting("growth", {"seconds": made_up.NOISE}, group="sites", x=100,
             variant="plain", what="program"),
     {"Refused: plain runs too far apart": [
         "growth, sites 100: spread 50 %"]}),
]


def check_cases():
    e2e.check_equal("nothing is wrong", losses.losses(made()), {})
    for number, (change, expected) in enumerate(CASES):
        e2e.check_equal(f"case {number}", losses.losses(made(change)),
                        expected)


# (points, the exponent): each is known without a fit.
TENS = [10 ** i for i in range(1, 7)]
POWERS = [
    ([(x, 3e-9 * x) for x in TENS], 1.0),
    ([(x, 0.5) for x in TENS], 0.0),
    ([(x, 2e-9 * x ** 2) for x in TENS], 2.0),
    # What is there in any case does not hide the square behind it, and does
    # not make a power of what is in proportion.
    ([(x, 1.0 + 2e-9 * x ** 2) for x in TENS], 2.0),
    ([(x, 1e-3 + 1e-6 * x) for x in TENS], 1.0),
    # Only the end counts: 1024 looks at most cost more with each, and then
    # the same.
    ([(x, x * min(x, 1024)) for x in TENS], 1.0),
    ([(x, x * max(x, 1024)) for x in TENS], 2.0),
    # A tenfold that takes 14 times as much once, as it leaves a cache.
    ([(x, x * (1.4 if x > 1e5 else 1)) for x in TENS], 1.07),
    ([(x, x * (2 if x > 1e5 else 1) * (2 if x > 1e4 else 1))
      for x in TENS], 1.3),
    # Of steps smaller than ten, all within a hundredfold; of greater, three.
    ([(2 ** i, 2.0 ** i * (9 if i == 6 else 1)) for i in range(7)], 1.34),
    ([(1e3, 1e-3), (1e5, 1e-1), (1e7, 1e3)], 1.5),
    ([(100, 5.0), (1000, 100.0)], 1.3),
    ([(100, 5.0), (100, 6.0)], None), ([(10, 1.0)], None), ([], None),
    ([(0, 1.0), (10, 0.0), (100, 1.0)], None),
]


def check_exponent():
    for points, expected in POWERS:
        for order in (points, points[::-1]):
            found = exponent.exponent(order)
            e2e.check(found == expected if None in (found, expected) else
                      abs(found - expected) < 0.01,
                      f"{points} grow as {found}, not {expected}")
    e2e.check(exponent.is_linear(None), "what cannot be said is not linear")
    e2e.check_equal("linear", [exponent.is_linear(one) for one in
                               (0.0, 1.0, 1.15, 1.16, 2.0)],
                    [True, True, True, False, False])


def check_conditions():
    title = "Under what it was measured"
    every = ", ".join(figures.BENCHMARKS)
    e2e.check_equal("quick", losses.losses(made(command=("x", "--quick"))), {
        title: [f"{name}: recorded with --quick, for orientation only"
                for name in figures.BENCHMARKS]})
    e2e.check_equal("dirty", losses.losses(made(alloctrace="00-dirty")), {
        title: [f"measured with changes that are in no commit: {every}"]})
    results = made()
    results.files["pairs"] = made_up.recorded(
        {"pairs": made_up.pair_rows()}, processors=64)["pairs"]
    rest = ", ".join(name for name in figures.BENCHMARKS if name != "pairs")
    e2e.check_equal("machines", losses.losses(results), {title: [
        "recorded on different machines or of different versions: "
        f"{rest}; pairs"]})


# ---- The page of made-up results ----

def page_of(results):
    return page.page(results, "performance", "pictures")


def block_of(results):
    return summary.block(results, "docs/pictures", "docs/performance.md")


def section(text, title):
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#)", text + "\n#",
                      re.M | re.S)
    e2e.check(found, f"no section {title}")
    return found.group(1)


def row_of(text, name):
    """The cells of a table's row behind its name."""
    line = re.search(rf"^\| (?:\*\*)?{re.escape(name)}(?:\*\*)? \| (.*) \|$",
                     text, re.M)
    e2e.check(line, f"no row {name}")
    return line.group(1).split(" | ")


def check_figures():
    """The page shows what made_up.py has put into the samples."""
    text = page_of(made())
    for tool, (times, memory) in made_up.TOOLS.items():
        for title, factors in (("CPU time", times), ("Wall time", times),
                               ("Peak resident memory", memory)):
            cells = row_of(section(text, f"{title}, times the plain program"),
                           tool)
            values = [None if cell == "–" else float(cell.split()[0])
                      for cell in cells]
            e2e.check_equal(f"{title}, {tool}", values, list(factors))
            e2e.check_equal(f"{tool}, small", {"small" in cell for cell in
                                               cells if cell != "–"},
                            {tool in made_up.SMALL})
    # gperftools has five of six programs: 1.04 is ours over those alone.
    e2e.check_equal("gperftools beside", row_of(
        section(text, "Whole programs"), "gperftools"),
        ["5", "7.32", "7.32", "2.06", "1.02", "1.02", "1.10"])
    e2e.check_equal("100 deep", row_of(section(
        text, "By the depth of the call path"), "100")[:4],
        ["9.40", "+0.1", "+1.9", "+1.5"])
    e2e.check_equal("a limit", row_of(section(text, "The limit"),
                                      "random"),
                    ["150", "+14", "+15", "+26", "+10", "1.06"])
    e2e.check_equal("load", row_of(section(
        text, "Looking into dumps, beside tracemalloc"), "load"),
        ["5.00 ms", "75.0 ms", "15.0", "8.58 MiB", "85.8 MiB"])
    e2e.check_equal("growth", row_of(section(text, "By call paths"),
                                     "1 million")[1:4],
                    ["100 ns", "95.7 MiB", "100 B"])
    e2e.check_equal("a kind", row_of(section(
        text, "By live blocks (of 1000 paths)"), "1 million"),
        ["100 ms", "100 ns", "95.7 MiB", "100 B", "10.1 ms", "10.0 ns",
         "38.2 MiB", "40 B", "40.1 ms", "40 ns"])
    e2e.check("With the default `ALLOCTRACE_MAX_MEMORY`, 10 million call paths "
              "take 40.0 MiB of its own memory and 1.00 s for the whole "
              "program; with all of memory 954 MiB of its own memory and 2.01 "
              "s for the whole program. 2 million blocks stand under a part "
              "of their path. Totals are exact.\n" in text, "no default limit")
    sites = section(text, "By call sites")
    e2e.check_equal("building sites", re.findall(
        r"^\| 100,000 \| (.*) \|$", sites, re.M)[-1].split(" | "),
        ["20.0 s", "40.0 s", "9.56 MiB", "19.1 MiB", "1.00 ms", "11.0 ms"])
    e2e.check_equal("power of sites", row_of(
        sites, "power of what is more"),
        ["", "1.00", "", "1.00", "", "1.00"])
    e2e.check_equal("threads", row_of(section(text, "Threads at once"),
                                      "freed by the next thread"),
                    ["2", "1.33", "1.31", "0.98", "1.10", "1.12"])
    e2e.check_equal("merging", re.findall(
        r"^\| distinct \| 400 \| (.*) \|$",
        section(text, "Merging dumps"), re.M)[0].split(" | "),
        ["1,000", "1.20 s", "3.01 ms", "15.3 MiB", "29.3 KiB", "0.98"])
    e2e.check_equal("filters", row_of(section(text, "Filters"),
                                      r"type \*"),
                    ["raw", "10.0 ms", "100 ms", "1.00 s", "1.00 µs"])
    e2e.check_equal("own memory", row_of(section(text, "Its own memory"),
                                         "made-up gawk"),
                    ["4.00 MiB", "524,288", "8 B"])
    e2e.check("made-up gawk: the made-up tool crashes" in text, "no reason")


def check_refusal():
    """A spread stands where the ratio stood, there and in no mean."""
    results = made(setting("programs", {"plain_cpu": made_up.NOISE}, **LUA))
    text = page_of(results)
    cells = row_of(section(text, "CPU time, times the plain program"),
                   "heaptrack")
    e2e.check_equal("refused", cells[:2], ["(spread 50 %)", "6.10"])
    rest = made(lambda rows: rows["programs"].__delitem__(slice(
        0, len(made_up.TOOLS))))
    e2e.check_equal("mean without", figures.programs(results).mean(
        "heaptrack", "cpu"), figures.programs(rest).mean("heaptrack", "cpu"))
    e2e.check(re.search(r"CPU time, with .*heaptrack.*: spread 50 %", text),
              "not listed")


def check_refused_groups():
    """One line for all of a group that was refused."""
    found = losses.losses(made(
        setting("pairs", {"ns": made_up.NOISE}, group="live",
                variant="plain")))
    e2e.check_equal("refused", found["Refused: plain runs too far apart"], [
        "pairs, live 1,000; 100,000; 10 million: spread 50 % at most"])


def check_sizes():
    """Of the program: the runtime, of which the smallest one tells, is not in
    them; it is if that one was not measured."""
    names = [*made_up.PROGRAMS, "mean"]
    table = section(page_of(made()), "Compiling")
    for name in names:
        e2e.check_equal(f"sizes of {name}", row_of(table, name)[2:],
                        ["1.22", "1.40", "1.30"])
    e2e.check("hello" not in table, "the smallest program is no program")
    e2e.check("146 KiB of code" in table, "the runtime's size")
    unknown = made(setting("builds", {"program": "hello again"},
                           program="hello", compiler="plain"))
    table = section(page_of(unknown), "Compiling")
    e2e.check_equal("with the runtime", row_of(table, "mean")[2:],
                    ["1.37", "2.15", "1.40"])  # 150,000 bytes more
    e2e.check("was not measured" in table, "does not say that")


def check_missing():
    """Each file may be missing; without any there is a page still."""
    sections = {"programs": "Whole programs", "builds": "Compiling",
                "pairs": "A malloc and free pair", "limit": "The limit",
                "snapshots": "Dumps", "growth": "Growth",
                "scaling": "Threads at once", "merge": "Merging dumps",
                "filters": "Filters",
                "analysis": "Looking into dumps, beside tracemalloc"}
    e2e.check_equal("benchmarks", set(sections), set(figures.BENCHMARKS))
    for name, title in sections.items():
        results = made()
        results.files[name] = None
        text = page_of(results)
        e2e.check("Not measured" in section(text, title),
                  f"{title} says nothing")
        e2e.check_equal(name, losses.losses(results), {"Not measured": [
            f"not measured: {name} (`{figures.BENCHMARKS[name]}`)"]})
        block = block_of(results)
        e2e.check_equal(f"README without {name}", block is None,
                        name == "programs")
    nothing = figures.Results({})
    e2e.check_equal("nothing", page_of(nothing).count("Not measured"),
                    len(sections) + 2)  # the servers, and the title


def check_pictures_named():
    """A page names the pictures that there are, and no other."""
    results = made()
    named = re.findall(r"\]\(pictures/(.*?)\.svg\)", page_of(results))
    e2e.check_equal("pictures", sorted(named), sorted(
        chart.name for chart in charts.charts(results)))
    e2e.check_equal("pictures of README", re.findall(
        r"\]\((.*?\.svg)\)", block_of(results)),
        ["docs/pictures/time-by-tool.svg", "docs/pictures/memory-by-tool.svg"])


LINES = """\
- A malloc and free pair, 5 to 100 frames deep, takes 9.40 ns in the plain \
program; compiled in but off +0.1, sampled +1.1 to +1.5, traced +1.9 ns
- What no tool that counts as much can do without, written by hand into the \
program, takes 1.08 times the plain time where alloctrace takes 1.23
- 10 million call paths take 954 MiB of its own memory, 100 B each
- 100 million live blocks take 9.31 GiB of its own memory, 100 B each
- A dump while the program runs, of 10 million call paths with 1 million live \
blocks, takes 100 ms and 191 MiB
- A dump while the program runs, of 1,000 call paths with 10 million live \
blocks, takes 100 ms and 191 MiB
- Loading a dump of 100,000 call paths takes 5.00 ms; CPython's tracemalloc \
takes 15.0 to 60.0 times as long to look into 100,000
- Compiling takes 1.04 times as long and gives 1.22 times the code and \
constants, to which come 146 KiB of the runtime
"""


def stack_alone(rows):
    """As if bench/pairs had been told to measure it."""
    rows["pairs"] += [{**row, "variant": "stack"} for row in select(
        rows["pairs"], group="depth", variant="off")]


def check_lines():
    """README's block says what each benchmark has found, and nothing of what
    is not there."""
    text = block_of(made())
    found = [line.replace(" (`bench/made-up`).", "")
             for line in text.splitlines() if line.startswith("- ")]
    e2e.check_equal("lines", found, LINES.splitlines())
    e2e.check("off +0.1, knowing the call path alone +0.1, " in block_of(
        made(stack_alone)), "no shadow stack")
    for name in ("pairs", "limit", "growth", "snapshots", "analysis",
                 "builds"):
        results = made()
        results.files[name] = None
        n_lines = len(LINES.splitlines()) - (
            2 if name in ("growth", "snapshots") else 1)
        e2e.check_equal(f"lines without {name}",
                        block_of(results).count("\n- "), n_lines)


def test_rules():
    check_lines()
    check_exponent()
    check_cases()
    check_conditions()
    check_figures()
    check_refusal()
    check_refused_groups()
    check_sizes()
    check_missing()
    check_pictures_named()


# ---- What is checked in ----

def copy_documents(folder):
    """README.md and docs, as far as bench/report has to do with them."""
    os.makedirs(os.path.join(folder, "docs"))
    shutil.copy(os.path.join(pages.TOP, "README.md"), folder)
    recorded = os.path.join(pages.TOP, "docs", "performance")
    if os.path.isdir(recorded):
        shutil.copytree(recorded, os.path.join(folder, "docs", "performance"))


def run_report(folder, *more, seed="0"):
    docs = os.path.join(folder, "docs")
    subprocess.run(
        [os.path.join(BENCH, "report"), "--results",
         os.path.join(docs, "performance"), "--output",
         os.path.join(docs, "performance.md"), "--pictures",
         os.path.join(docs, "pictures"), "--readme",
         os.path.join(folder, "README.md"), *more], check=True,
        env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def test_page():
    for seed in ("0", "1"):
        with e2e.scratch() as folder:
            copy_documents(folder)
            run_report(folder, "--no-pictures", seed=seed)
            for path in ("README.md", "docs/performance.md"):
                e2e.check(read(folder, path) == read(pages.TOP, path),
                          f"{path} is not what bench/report writes: run it")


# ---- Pictures ----

def need_matplotlib():
    """Goes on with the python3 that has it, or skips."""
    try:
        import matplotlib  # noqa: F401
        return
    except ModuleNotFoundError:
        pass
    if os.path.realpath(sys.executable) != os.path.realpath(DEBIANS) and \
            os.path.exists(DEBIANS):
        os.execv(DEBIANS, [DEBIANS, "-B", *sys.argv])
    print("skipped: python3-matplotlib is not installed")
    sys.exit(SKIPPED)


def invisible_ticks(figure):
    """Those beyond the limits of their axes are not drawn."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                if not low <= tick.get_loc() <= high:
                    yield from (tick.label1, tick.label2)


def texts_of(figure):
    """(text, its box) of all that is to be read in a picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    hidden = set(map(id, invisible_ticks(figure)))
    for one in figure.findobj(Text):
        if one.get_text().strip() and one.get_visible() and \
                id(one) not in hidden:
            # Of an annotation, without its arrow.
            yield one.get_text(), Text.get_window_extent(one, renderer)


def check_legible(name, figure):
    texts = list(texts_of(figure))
    for i, (text, box) in enumerate(texts):
        e2e.check(box.x0 >= 0 and box.y0 >= 0 and
                  box.x1 <= figure.bbox.width and
                  box.y1 <= figure.bbox.height,
                  f"{name}: '{text}' is cut off")
        for other, its in texts[:i]:
            e2e.check(not box.padded(-0.5).overlaps(its.padded(-0.5)),
                      f"{name}: '{text}' lies over '{other}'")


def check_drawn():
    """Of made-up results: all there are, the same bytes twice, legible."""
    import matplotlib
    import pictures
    results = made()
    with e2e.scratch() as folder:
        found = []
        for name in ("one", "other"):
            path = os.path.join(folder, name)
            pictures.draw_all(results, path)
            found.append({file: read(path, file)
                          for file in sorted(os.listdir(path))})
        e2e.check_equal("pictures", list(found[0]), sorted(
            chart.name + ".svg" for chart in charts.charts(results)))
        e2e.check(found[0] == found[1], "pictures differ from run to run")
        pictures.draw_all(figures.Results({}), path)
        e2e.check_equal("pictures of nothing", os.listdir(path), [])
    matplotlib.rcParams.update(pictures.STYLE)
    for chart in charts.charts(results):
        check_legible(chart.name, pictures.DRAWN[chart.kind](chart))


def test_pictures():
    need_matplotlib()
    import matplotlib
    check_drawn()
    there = os.path.join(pages.TOP, "docs", "pictures")
    names = sorted(os.listdir(there)) if os.path.isdir(there) else []
    version = f"Matplotlib v{matplotlib.__version__},"
    if names and version not in read(there, names[0]):
        print("skipped: docs/pictures was drawn by another matplotlib")
        sys.exit(SKIPPED)
    with e2e.scratch() as folder:
        copy_documents(folder)
        run_report(folder)
        drawn = os.path.join(folder, "docs", "pictures")
        e2e.check_equal("names", sorted(os.listdir(drawn)), names)
        for name in names:
            e2e.check(read(drawn, name) == read(there, name),
                      f"docs/pictures/{name} is not what bench/report draws")


# ---- scripts/bench ----

# A benchmark that records made-up results, and one that fails.
WORKS = """#!{python}
import sys
sys.path[:0] = [{tests!r}]
import made_up
print("bench/{name}", *sys.argv[1:])
rows = made_up.results()
made_up.write(sys.argv[sys.argv.index("--record") + 1], made_up.recorded(
    {{name: rows[name] for name in {results!r}}}))
"""
FAILS = """#!/bin/sh
echo "bench/{name} half way"
touch "$3/growth.json"
exit 3
"""
RECORDED = {"run": ("programs", "builds"), "pairs": ("pairs",),
            "limit": ("limit",), "snapshot": ("snapshots",),
            "analysis": ("analysis",), "growth": ("growth",),
            "scaling": ("scaling",), "merge": ("merge",),
            "filters": ("filters",)}


def write_program(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)


def make_tree(folder, failing):
    """A project whose benchmarks are made up and whose build does nothing."""
    shutil.copytree(os.path.join(pages.TOP, "scripts"),
                    os.path.join(folder, "scripts"))
    shutil.copytree(BENCH, os.path.join(folder, "bench"))
    for name, results in RECORDED.items():
        write_program(os.path.join(folder, "bench", name), (
            FAILS if name == failing else WORKS).format(
                name=name, python=sys.executable, results=results,
                tests=os.path.dirname(os.path.abspath(__file__))))
    write_program(os.path.join(folder, "bench", "packages"),
                  "#!/bin/sh\necho made-up-package\n")
    stubs = os.path.join(folder, "stubs")
    os.mkdir(stubs)
    for name, text in (("cmake", "exit 0"), ("apt-get", "exit 1"),
                       ("dpkg-query", "printf installed")):
        write_program(os.path.join(stubs, name), f"#!/bin/sh\n{text}\n")
    return {**os.environ, "PATH": stubs + os.pathsep + os.environ["PATH"]}


def run_bench(folder, variables, *words):
    result = subprocess.run([os.path.join(folder, "scripts", "bench"), *words],
                            env=variables, text=True, check=False,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)
    return result.returncode, result.stdout


def test_command():
    with e2e.scratch() as folder:
        variables = make_tree(folder, failing="growth")
        shutil.copy(os.path.join(pages.TOP, "README.md"), folder)
        status, output = run_bench(folder, variables, "--quick")
        results = os.path.join(folder, "build", "bench")
        e2e.check_equal("status", status, 1)
        e2e.check(re.search(r"^FAILED  bench/growth .*status 3", output, re.M),
                  f"no line on what failed: {output}")
        e2e.check("load average" in output, "nothing on the machine")
        for name, benchmarks in RECORDED.items():
            for one in benchmarks:
                e2e.check_equal(one, os.path.exists(os.path.join(
                    results, one + ".json")), name != "growth")
            if name != "growth":
                peers = "--peers " if name == "pairs" else ""
                e2e.check(f"bench/{name} {peers}" in output and re.search(
                    rf"^ok +bench/{name} ", output, re.M),
                    f"no bench/{name}: {output}")
        e2e.check("not measured: growth" in read(results, "performance.md"),
                  "the page does not say what is missing")
        e2e.check_equal("README.md", read(folder, "README.md"),
                        read(pages.TOP, "README.md"))
        check_recorded(folder, variables)


def check_recorded(folder, variables):
    """--record docs/performance of one alone: the page and README follow."""
    there = os.path.join(folder, "docs", "performance")
    status, output = run_bench(folder, variables, "--record", there, "run")
    pictures = os.path.exists(os.path.join(folder, "docs", "pictures",
                                           "time-by-tool.svg"))
    e2e.check_equal("status", status, 0 if pictures else 1)
    e2e.check_equal("results", sorted(os.listdir(there)),
                    ["builds.json", "programs.json"])
    e2e.check("made-up lua" in read(folder, "docs", "performance.md"), output)
    e2e.check("Made-up(R) Processor" in read(folder, "README.md"), output)
    e2e.check_equal("a wrong name", run_bench(folder, variables, "walk")[0], 2)


if __name__ == "__main__":
    e2e.main(globals()["test_" + sys.argv[1]])
