# SPDX-License-Identifier: MIT
"""The text of docs/performance.md from results: sections, each a function that
yields lines. What is not there is a line that says so.
"""
from charts import (GROWTH, PAIRS, charts, limit_cases, machine_text,
                    variant_name)
from figures import (BENCHMARKS, METRICS, TRACING, by_variant, byte_text, count_text,
                     difference, exponent, extra, geometric_mean, groups,
                     input_mark, is_own, is_server, median, percent_text, programs,
                     quotient, ratio,
                     rival, second_text, three_digits, two_digits, unique)
from losses import AIMS, compile_ratios, losses
from measure import SPREAD

NOTHING = "–"


# ---- Parts of a page ----

def table(head, rows):
    """Nothing without rows."""
    rows = list(rows)
    if rows:
        yield "| " + " | ".join(head) + " |"
        yield "|---" * len(head) + "|"
        for row in rows:
            yield "| " + " | ".join(map(str, row)) + " |"
        yield ""


def repeat(results, name):
    yield f"Repeat with `{results.command(name)}`."
    yield ""


def pictures(results, folder, *names):
    """Those of the named pictures that there are."""
    for chart in charts(results):
        if chart.name in names:
            yield f"![{chart.alternative()}]({chart.path(folder)})"
            yield ""


def not_measured(results, name):
    """True, after a line, if a benchmark has no results."""
    if not results.all_rows(name):
        yield f"Not measured (`{BENCHMARKS[name]} --record " \
              "docs/performance`)."
        yield ""


def cell(figure, text=three_digits):
    if figure is None:
        return NOTHING
    if figure.is_refused():
        return f"(spread {percent_text(figure.spread)})"
    return f"{text(figure.value)} {figure.mark}".rstrip()


def size_or_nothing(row, name, text):
    value = median(row or {}, name)
    return NOTHING if value is None else text(value)


def reasons(rows):
    """Why rows were not measured, those of one tool together."""
    found = {}
    for row in rows:
        found.setdefault((row.get("tool", row.get("variant", "")),
                          row["why_not"]), []).append(
            str(row.get("program", row.get("x", ""))))
    for (who, why), where in found.items():
        yield f"- {who}: {', '.join(unique(where))}: {why}"
    if found:
        yield ""


# ---- Machine ----

FIELDS = {"processor": "processor", "processors": "processors",
          "memory": "memory", "system": "system", "kernel": "kernel",
          "libc": "C library", "compiler": "compiler",
          "alloctrace": "alloctrace"}


def machine(results):
    yield "## Machine and versions"
    yield ""
    known = [name for name in BENCHMARKS if results.files[name]]
    if not known:
        yield "Nothing was recorded."
        yield ""
        return
    yield from table(("", *(["all"] if is_same(results, known) else known)),
                     machine_rows(results, known))
    yield from table(("benchmark", "recorded", "command"), (
        (name, results.files[name]["date"][:10],
         f"`{results.command(name)}`") for name in known))


def is_same(results, known):
    return len({str(shown(results, name)) for name in known}) == 1


def shown(results, name):
    """A benchmark's environment as it is printed, but for packages."""
    machine_ = results.environment(name)
    return [byte_text(machine_[field]) if field == "memory" and
            machine_.get(field) else str(machine_.get(field) or NOTHING)
            for field in FIELDS]


def machine_rows(results, known):
    columns = known[:1] if is_same(results, known) else known
    for index, title in enumerate(FIELDS.values()):
        yield [title] + [shown(results, name)[index] for name in columns]
    packages = {}
    for name in known:
        packages.update(results.environment(name).get("packages") or {})
    for package, version in sorted(packages.items()):
        yield [package] + [version or "not installed"] * len(columns)


def measured_on(results):
    known = [name for name in BENCHMARKS if results.files[name]]
    for text in unique(machine_text(results, name) for name in known):
        yield f"Measured on {text}."
        yield ""


# ---- Where it loses ----

def behind(results):
    yield "## Where alloctrace is behind"
    yield ""
    yield "Found in the results by the rules of `bench/losses.py`, not by " \
          "hand. What it aims at:"
    yield ""
    for aim in AIMS:
        yield f"- {aim}"
    yield ""
    found = losses(results)
    if not found:
        yield "No rule has found anything."
        yield ""
    for title, texts in found.items():
        yield f"**{title}**"
        yield ""
        for text in texts:
            yield f"- {text}"
        yield ""


# ---- Whole programs ----

def definitions():
    yield "Runs with a tool and plain ones take turns on one processor, " \
          "after a warm-up that is not counted. A figure is the median of " \
          "the ratios of a run to the plain ones directly before and after " \
          "it; in its place stands the spread (of the middle half of these " \
          "plain runs, as a share of their median) if that is above " \
          f"{percent_text(SPREAD)}. CPU time is user and system, of all " \
          "processes of the run; memory is what is resident at the peak, of " \
          "the largest process. A profiler that is part of an allocator " \
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


def bold(tool):
    return f"**{tool}**" if is_own(tool) else tool


def text_of(value):
    return NOTHING if value is None else three_digits(value)


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
    rows = {(row["program"], row["compiler"]): row
            for row in results.rows("builds")}
    if not rows:
        return
    yield "Time of compiling the program and size of its binary, with " \
          "alloctrace beside plain -O2: medians of ratios."
    yield ""
    yield from repeat(results, "builds")
    yield from table(("program", "plain", "time", "code", "data", "file"),
                     compile_rows(results, rows))


def compile_rows(results, rows):
    times, columns = compile_ratios(results.rows("builds")), []
    for program in unique(name for name, _ in rows):
        plain = rows.get((program, "plain"))
        own = rows.get((program, "alloctrace"))
        if plain and own:
            sizes = [size_ratio(plain, own, name)
                     for name in ("text", "data", "file")]
            time = times.get(program)
            columns.append([None if not time or time.is_refused()
                            else time.value, *sizes])
            yield (program, size_or_nothing(plain, "seconds", second_text),
                   cell(time), *map(text_of, sizes))
    if columns:
        yield ("mean", "", *(text_of(geometric_mean(filter(None, column)))
                             for column in zip(*columns)))


def size_ratio(plain, own, name):
    first, second = median(plain, name), median(own, name)
    return second / first if first and second else None


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


# ---- Pairs ----

def pairs(results, folder):
    yield "## A malloc and free pair"
    yield ""
    yield from not_measured(results, "pairs")
    rows = results.rows("pairs")
    if not rows:
        return
    yield "Nanoseconds: the plain program's median, then what the others " \
          "take more (median of the differences to the plain run beside)."
    yield ""
    yield from repeat(results, "pairs")
    for group in groups(rows):
        title = PAIRS.get(group, (f"({group})", "x"))
        yield f"### {title[0][0].upper()}{title[0][1:]}"
        yield ""
        yield from pictures(results, folder, f"pairs-by-{group}")
        yield from pair_table(rows, group, title[1])
    yield from reasons(results.not_measured("pairs"))


def pair_table(rows, group, unit):
    variants = by_variant(rows, group)
    plain = variants.pop("plain", {})
    xs = sorted({x for points in [plain, *variants.values()] for x in points})
    yield from table((unit, "plain", *map(variant_name, variants)), (
        (count_text(x), size_or_nothing(plain.get(x), "ns", three_digits),
         *(pair_cell(plain.get(x, {}), points.get(x, {}))
           for points in variants.values())) for x in xs))


def pair_cell(plain, row):
    return cell(difference(plain, row, "ns"),
                lambda value: two_digits(value, "+"))


# ---- The limit ----

def limit(results, folder):
    yield "## The limit"
    yield ""
    yield from not_measured(results, "limit")
    cases = limit_cases(results)
    if not cases:
        return
    yield "An ideal tool, written by hand into the program, does what none " \
          "can do without, and counts the same (bench/README.md). The plain " \
          "program, what each variant takes more (medians of differences to " \
          "the plain run beside), and how far alloctrace is from the ideal."
    yield ""
    yield from repeat(results, "limit")
    yield from pictures(results, folder, "limit")
    for unit in LIMIT_UNITS:
        yield from limit_table(cases, unit)


LIMIT_UNITS = {"ns": ("ns a pair", three_digits, lambda value:
                      two_digits(value, "+")),
               "seconds": ("time", second_text, lambda value:
                           f"{value:+.3f} s"),
               "instructions": ("instructions a pair", three_digits,
                                lambda value: f"{value:+.0f}")}


def limit_table(cases, unit):
    variants = [name for name in unique(
        name for rows in cases.values() for name in rows) if name != "plain"]
    head, whole, more = LIMIT_UNITS[unit]
    rows = [(case, size_or_nothing(found["plain"], unit, whole),
             *(cell(difference(found["plain"], found.get(name, {}), unit),
                    more) for name in variants),
             cell(difference(found["ideal"], found["alloctrace"], unit), more),
             cell(quotient(found["ideal"], found["alloctrace"], unit)))
            for case, found in cases.items()
            if {"plain", "ideal", "alloctrace"} <= set(found)
            and median(found["plain"], unit) is not None]
    yield from table((head, "plain", *variants, "distance", "times ideal"),
                     rows)


# ---- Dumps, analysis ----

def snapshots(results, _):
    yield "## Dumps"
    yield ""
    yield from not_measured(results, "snapshots")
    rows = results.rows("snapshots")
    if not rows:
        return
    yield "Medians; a unit: by that many call paths or blocks."
    yield ""
    yield from repeat(results, "snapshots")
    yield from table(
        ("by", "number", "what", "time", "a unit", "file", "a unit"),
        (snapshot_cells(row) for row in rows))


def snapshot_cells(row):
    x, seconds, size = row["x"], median(row, "seconds"), median(row, "file")
    return (GROWTH.get(row["group"], row["group"]), count_text(x), row["what"],
            *quantity(seconds, x, second_text), *quantity(size, x, byte_text))


def quantity(value, x, text):
    """(value, value a unit)"""
    if value is None:
        return NOTHING, NOTHING
    return text(value), text(value / x) if x else NOTHING


def analysis(results, _):
    yield "## Looking into dumps, beside tracemalloc"
    yield ""
    yield from not_measured(results, "analysis")
    rows = {(row["traces"], row["operation"], row["library"]): row
            for row in results.rows("analysis")}
    if not rows:
        return
    yield "The same traces, in alloctrace's library and in CPython's " \
          "tracemalloc; medians of CPU time. Times: how much longer " \
          "tracemalloc takes."
    yield ""
    yield from repeat(results, "analysis")
    yield from table(
        ("traces", "operation", "alloctrace", "tracemalloc", "times",
         "memory", "tracemalloc's"),
        (analysis_cells(rows, *key) for key in unique(
            (traces, operation) for traces, operation, _ in rows)))


def analysis_cells(rows, traces, operation):
    ours, theirs = (rows.get((traces, operation, library), {})
                    for library in ("alloctrace", "tracemalloc"))
    own, other = median(ours, "seconds"), median(theirs, "seconds")
    return (count_text(traces), operation,
            size_or_nothing(ours, "seconds", second_text),
            size_or_nothing(theirs, "seconds", second_text),
            three_digits(other / own) if own and other else NOTHING,
            size_or_nothing(ours, "memory", byte_text),
            size_or_nothing(theirs, "memory", byte_text))


# ---- Growth ----

def growth(results, folder):
    yield "## Growth"
    yield ""
    yield from not_measured(results, "growth")
    rows = results.rows("growth")
    if not rows:
        return
    yield "What tracing takes more than the plain program beside, its own " \
          "memory, and the dump; a unit: that by x. Below: the power of x " \
          "that each grows with over the last tenfold; 1 is linear, less " \
          "is better."
    yield ""
    yield from repeat(results, "growth")
    for group in groups(rows):
        name = GROWTH.get(group, group)
        yield f"### By {name}"
        yield ""
        yield from pictures(results, folder, f"growth-by-{group}")
        yield from growth_table(rows, group, name)


GROWING = {"seconds": second_text, "own": byte_text, "file": byte_text}


def growth_table(rows, group, name):
    columns = {field: extra(rows, group, field) for field in GROWING}
    xs = sorted({x for column in columns.values() for x in column})
    lines = [[count_text(x), *(text for field, unit in GROWING.items()
                               for text in growth_cells(
                                   columns[field].get(x), x, unit))]
             for x in xs]
    if lines:
        lines.append(["power", *(text for column in columns.values()
                                 for text in (power(column), ""))])
    yield from table((name, "time", "a unit", "own memory", "a unit", "dump",
                      "a unit"), lines)


def growth_cells(figure, x, text):
    if figure is None or figure.is_refused():
        return cell(figure), NOTHING
    return quantity(figure.value, x, text)


def power(column):
    found = exponent((x, figure.value) for x, figure in column.items()
                     if not figure.is_refused())
    return NOTHING if found is None else three_digits(found)


# ---- The page ----

SECTIONS = (whole_programs, compiling, servers, pairs, limit, snapshots,
            analysis, growth)


def page(results, folder, pictures_folder):
    """docs/performance.md; the folders of results and of pictures are named as
    they are from there."""
    lines = ["# Performance", "",
             "<!-- Generated by bench/report: do not edit. -->", "",
             f"Generated by `bench/report` from the samples in [{folder}]"
             f"({folder}). `scripts/bench --record docs/performance` "
             "measures them anew.", "", *measured_on(results),
             *behind(results), *machine(results)]
    for section in SECTIONS:
        lines += section(results, pictures_folder)
    return "\n".join(lines).rstrip("\n") + "\n"
