# SPDX-License-Identifier: MIT
"""What bench/run prints: rows of record.py as tables for readers."""
import math
import statistics

from compare import QUANTITIES, ratio
from measure import SPREAD
from tools import PLAIN, TRACING


def text_of(number, unit):
    """Bytes or numbers, for readers."""
    step, units = (1024, (" B", " KiB", " MiB", " GiB")) if unit == "B" else (
        1000, ("", " thousand", " million", " billion"))
    for name in units:
        if number < step or name == units[-1]:
            break
        number /= step
    return f"{number:.0f}{name}" if number >= 100 or name == units[0] \
        else f"{number:.1f}{name}"


def ratio_text(row, name):
    found = ratio(row, name)
    if found.median is None:
        return f"({found.spread:.0%})"
    return f"{found.median:.2f}"


def tool_line(row):
    if "why_not" in row:
        return f"  {row['tool']:22} {row['why_not']}"
    n_bytes = text_of(statistics.median(row["file"]), "B") \
        if row["file"] else "-"
    beside = "" if row["beside"] == PLAIN.name else f"  beside {row['beside']}"
    return (f"  {row['tool']:22} {len(row['cpu']):4}" + "".join(
        f" {ratio_text(row, name):>8}" for name in QUANTITIES) +
        f" {n_bytes:>9}  {row['input']}{beside}")


def plain_line(rows, size):
    """Of the rows with that input."""
    for row in rows:
        if row["input"] == size and row["cpu"] and row["beside"] == PLAIN.name:
            cpu, memory = ratio(row, "cpu"), ratio(row, "memory")
            rate = "" if row["allocations"] is None else (
                f"; {text_of(row['allocations'], '')} allocations, "
                f"{text_of(row['allocations'] / cpu.plain, '')} a second")
            spread = f" (spread {cpu.spread:.1%})" if row["cpu"][1:] else ""
            return [f"  plain, {size}: {cpu.plain:.3f} s of CPU{spread}; "
                    f"{text_of(memory.plain, 'B')}{rate}"]
    return []


def print_program(program, rows):
    print(f"\n{program.name} ({program.language})")
    for size in ("full", "small", "tiny"):
        for line in plain_line(rows, size):
            print(line)
    print(f"  {'':22} {'runs':>4}" + "".join(
        f" {name:>8}" for name in QUANTITIES) + f" {'file':>9}  input")
    for row in rows:
        print(tool_line(row))


def is_uncertain(row):
    found = [ratio(row, name) for name in QUANTITIES]
    return any(one and one.median is None for one in found)


def print_notes(rows):
    print("\nRatios to the plain program: CPU time (user and system), the "
          "clock, peak resident\nmemory of the largest process.")
    if any(row["input"] == "tiny" for row in rows):
        print("With tiny inputs tools do little but begin and end: these "
              "ratios tell nothing.")
    if any(is_uncertain(row) for row in rows):
        print(f"(N %): not judged, as the plain runs beside spread by that: "
              f"more than {SPREAD:.0%}.")


def print_means(rows):
    """Of each tool that was judged on more than one program."""
    if len({row["program"] for row in rows}) < 2:
        return
    print(f"\n{'geometric means':24} {'programs':>8} {'cpu':>8} {'memory':>8}")
    for name in dict.fromkeys(row["tool"] for row in rows):
        found = [(ratio(row, "cpu").median, ratio(row, "memory").median)
                 for row in rows if row["tool"] == name and row["cpu"]]
        judged = [pair for pair in found if None not in pair]
        if judged:
            print(f"{name:24} {len(judged):8}" + "".join(
                f" {geometric_mean(column):8.2f}" for column in zip(*judged)))


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def print_memory(rows, fixed):
    """alloctrace's own: of that beyond what the smallest program takes, bytes
    for each block that was live at the peak."""
    if not fixed:
        print("\nthe smallest program could not be measured")
        return
    more, smallest = fixed
    print(f"\n{'own memory':12} {'bytes':>9} {'live blocks':>12} "
          f"{'a block':>9}")
    for row in rows:
        if row["tool"] == TRACING.name and "own" in row:
            each = max(row["own"] - smallest, 0) / max(row["live"], 1)
            print(f"{row['program']:12} {text_of(row['own'], 'B'):>9} "
                  f"{row['live']:12} {each:7.1f} B")
    print(f"fixed cost: {text_of(more, 'B')} of resident memory in the "
          f"smallest program, of which {text_of(smallest, 'B')} are own tables")


def print_builds(rows):
    if not rows:
        return
    print(f"\n{'compiled':10} {'':10} {'s of CPU':>9} {'text':>9} {'data':>9} "
          f"{'file':>9}")
    for row in rows:
        print(f"{row['program']:10} {row['compiler']:10} " + (
            row["why_not"] if "why_not" in row else
            f"{statistics.median(row['seconds']):9.2f} " + " ".join(
                f"{text_of(row[name], 'B'):>9}"
                for name in ("text", "data", "file"))))
