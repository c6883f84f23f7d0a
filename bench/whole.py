# SPDX-License-Identifier: MIT
"""Sections of docs/performance.md: whole programs, compiling, servers.
"""
from building import SECTIONS, Builds
from figures import (METRICS, TRACING, byte_text, count_text,
                     input_mark, is_own, is_server, median, percent_text,
                     programs, ratio, rival, second_text)
from measure import SPREAD
from parts import (NOTHING, bold, cell, not_measured, pictures, reasons,
                   repeat, size_or_nothing, table, text_of)

# ---- Whole programs ----

def definitions():
    yield "Runs with a tool and plain ones take turns on one processor, " \
          "after a warm-up that is not counted. A figure is the median of " \
          "the ratios of a run to the plain ones directly before and after " \
          "it; in its place stands the spread (of the middle half of these " \
          "plain runs, as a share of their median) if that is above " \
          f"{percent_text(SPREAD)}. CPU time is user and system, of all " \
          "processes of the run; memory is what is resident at the peak, of " \
          "the largest process. Where the plain runs were further apart " \
          "than that, all were made anew, twice at most; kept is the set " \
          "whose plain runs were closest, whatever the tool took. A " \
          "profiler that is part of an allocator " \
          "stands beside the plain program with that allocator " \
          "(`bench/tools.py` says how each tool is used). \"small\": of a " \
          "small input, for the tool takes minutes otherwise. Means are " \
          "geometric."
    yield ""


def whole_programs(results, folder):
    yield "## Whole programs"
    yield ""
    yield from not_measured(results, "programs")
    tools = programs(results)
    if not tools.rows:
        return
    yield from definitions()
    yield from repeat(results, "programs")
    yield from pictures(results, folder, "time-by-tool", "memory-by-tool")
    yield from program_table(tools)
    yield from mean_table(tools)
    for metric, title in METRICS.items():
        yield f"### {title[0].upper()}{title[1:]}, times the plain program"
        yield ""
        yield from metric_table(tools, metric)
    yield "### Files written"
    yield ""
    yield "Bytes that a run writes (median); small inputs write less."
    yield ""
    yield from file_table(tools)
    yield from own_table(tools)
    yield from reasons(row for row in results.not_measured("programs")
                       if not is_server(row))


def own_table(tools):
    """What of the memory is the tracer's own, and what it is for."""
    rows = [(name, tools.rows[name, TRACING]) for name in tools.names
            if median(tools.rows.get((name, TRACING), {}), "own")]
    if not rows:
        return
    yield "### Its own memory"
    yield ""
    yield "Tracing: what of the memory is the tracer's own, as its dump " \
          "says, and how many blocks were live at the peak."
    yield ""
    yield from table(("program", "own memory", "live blocks", "a block"), (
        (name, byte_text(median(row, "own")),
         *(own_cells(median(row, "own"), median(row, "live"))))
        for name, row in rows))


def own_cells(own, live):
    if live is None:
        return NOTHING, NOTHING
    return count_text(live), byte_text(own / live) if live else NOTHING


def program_table(tools):
    """The programs themselves, of the plain runs beside our own."""
    yield from table(
        ("program", "language", "allocations", "wall", "CPU", "memory",
         "spread of CPU"),
        (program_cells(name, row) for name, row in plain_rows(tools)))


def plain_rows(tools):
    for name in tools.names:
        rows = [tools.rows[name, tool] for tool in tools.tools
                if (name, tool) in tools.rows]
        full = [row for row in rows if not input_mark(row) and
                row.get("beside", "plain") == "plain"]
        yield name, (full or rows)[0]


def program_cells(name, row):
    count = row.get("allocations")
    figure = ratio({**row, "cpu": row["plain_cpu"]}, "cpu")
    return (name, row.get("language", NOTHING),
            NOTHING if count is None else count_text(count),
            size_or_nothing(row, "plain_wall", second_text),
            size_or_nothing(row, "plain_cpu", second_text),
            size_or_nothing(row, "plain_memory", byte_text),
            percent_text(figure.spread) if figure else NOTHING)


def mean_table(tools):
    """Of each tool over its programs, and of ours over the same."""
    yield "Means over the programs that both have:"
    yield ""
    yield from table(
        ("tool", "programs", "wall", "CPU", "memory",
         "ours beside: wall", "CPU", "memory"),
        (mean_cells(tools, tool) for tool in tools.tools))


def mean_cells(tools, tool):
    own = tool if is_own(tool) else rival(tool)
    both = [tools.beside(tool, own, metric) for metric in METRICS]
    most = max(both, key=lambda one: len(one[2]))
    return (bold(tool), len(most[2]),
            *(text_of(its) for its, _, _ in both),
            *((text_of(ours) for _, ours, _ in both) if not is_own(tool)
              else ("", "", "")))


def metric_table(tools, metric):
    yield from table(("tool", *tools.names), (
        (bold(tool), *(cell(tools.cell(name, tool, metric))
                       for name in tools.names)) for tool in tools.tools))


def file_table(tools):
    yield from table(("tool", *tools.names), (
        (bold(tool), *(size_or_nothing(tools.rows.get((name, tool)), "file",
                                       byte_text) for name in tools.names))
        for tool in tools.tools
        if any(median(tools.rows.get((name, tool), {}), "file")
               for name in tools.names)))


# ---- Compiling ----

def compiling(results, _):
    yield "## Compiling"
    yield ""
    yield from not_measured(results, "builds")
    builds = Builds(results.rows("builds"))
    if not builds.pairs:
        return
    yield "Time of compiling the program and size of its binary, with " \
          "alloctrace beside plain -O2: medians of ratios. Sizes are " \
          f"without the runtime, {runtime_text(builds)}. Code is with " \
          "constants, as `size` has it: the records of call sites, with " \
          "their names, are among them."
    yield ""
    yield from repeat(results, "builds")
    yield from table(("program", "plain", "time", "code", "data", "file"),
                     compile_rows(builds))


def runtime_text(builds):
    sizes = [builds.runtime(section) for section in SECTIONS]
    if None in sizes:
        return "where that is known: the smallest program was not measured"
    text, data, file = map(byte_text, sizes)
    return f"which is the same in each: {text} of code, {data} of data, " \
        f"{file} of the file with its debug information"


def compile_rows(builds):
    times = builds.times()
    for name in builds.names():
        yield (name, size_or_nothing(builds.pairs[name][0], "seconds",
                                     second_text),
               cell(times.get(name)),
               *(text_of(builds.size(name, section)) for section in SECTIONS))
    if builds.names():
        yield ("mean", "", text_of(builds.mean_time()),
               *(text_of(builds.mean_size(section)) for section in SECTIONS))


# ---- Servers ----

def servers(results, _):
    yield "## Servers"
    yield ""
    rows = [row for row in results.rows("programs") if is_server(row)]
    if not rows:
        yield "Not measured (`bench/run`)."
        yield ""
        return
    yield "Under a load over the loopback interface; wall time is that of " \
          "the load, CPU time and memory are the server's: times the plain " \
          "server's, as above."
    yield ""
    yield from table(("server", "tool", "wall", "CPU", "memory"), (
        (row["program"], bold(row["tool"]),
         *(cell(ratio(row, metric)) for metric in METRICS)) for row in rows))
    yield from reasons(row for row in results.not_measured("programs")
                       if is_server(row))
