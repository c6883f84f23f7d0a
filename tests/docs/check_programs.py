#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs the programs of examples/ by the commands that their head
comments give, and compares what they print with what the comments say, with
what examples/README.md shows, and with what CPython's tracemalloc says of the
blocks that the program's own lines name:

    /* before: 1 x 100 B, after: 2 x 100 B */
    p = malloc(100);

is, at the moments "before" and "after", one block and two blocks of 100 bytes
of the line below.

    check_programs.py [--update] BUILD

--update writes the comments anew; twice, if that moves the lines they tell of.
"""
import os
import re
import shutil
import sys
import tracemalloc

import pages
from pages import e2e

EXAMPLES = os.path.join(pages.TOP, "examples")
PROGRAMS = ("grow.c", "peak.c", "subsystem.c", "pool.c", "leak_test.c",
            "offline.c", "merge.c", "loop.c", "raii.cc")
STATUS = {"leak_test.c": 1}  # one of its units leaks
MARK = re.compile(r"^ */\* (\w+: \d+ x \d+ B(?:, \w+: \d+ x \d+ B)*) \*/$")
EXAMPLE_DUMPS = "./grow before.alloctrace after.alloctrace"


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


class Program:
    """An example: its text, its commands, what it says it prints."""

    def __init__(self, name):
        self.name = name
        self.text = read(EXAMPLES, name)
        comment = re.search(r"/\*\n(.*?)\n \*/", self.text, re.S).group(1)
        lines = [line[3:] for line in comment.split("\n")]
        blocks = re.findall(r"(?:^    .*\n)+", "\n".join(lines) + "\n", re.M)
        blocks = [re.sub(r"^    ", "", block, flags=re.M)
                  for block in blocks]
        self.commands = [block for block in blocks
                         if re.match(r"(alloctrace-)?g(cc|\+\+) ", block)]
        self.output = next((block for block in blocks
                            if block not in self.commands), "")

    def builds(self):
        """The command lines that build it."""
        return [re.sub(r"\n\./.*", "", command, flags=re.S)
                for command in self.commands]

    def snapshot(self, moment):
        """What the marks say of a moment, as a snapshot of tracemalloc."""
        raw = []
        lines = self.text.split("\n")
        for number, line in enumerate(lines):
            match = MARK.match(line)
            for name, count, size in re.findall(
                    r"(\w+): (\d+) x (\d+) B", match.group(1) if match
                    else ""):
                if name == moment:
                    frames = ((self.name, number + 2),)
                    raw += [(0, int(size), frames, 1)] * int(count)
        e2e.check(raw, f"{self.name}: no mark of the moment {moment}")
        return tracemalloc.Snapshot(raw, 1)


def texts(statistics, before=""):
    """str(statistic) of CPython, of each, as a line with `before` at first."""
    return "".join(f"{before}{statistic}\n" for statistic in statistics)


def expect_grow(program):
    return texts(program.snapshot("after").compare_to(
        program.snapshot("before"), "lineno")[:3])


def total(snapshot):
    return sum(trace.size for trace in snapshot.traces)


def expect_peak(program):
    live, peak = program.snapshot("live"), program.snapshot("peak")
    return (f"{total(live)} B now, {total(peak)} B at the peak\n"
            + "live:\n" + texts(live.statistics("lineno"), "  ")
            + "at the peak:\n" + texts(peak.statistics("lineno"), "  "))


def expect_subsystem(program):
    image, rest = program.snapshot("image"), program.snapshot("cache")
    direct = program.snapshot("direct")

    def line(title, *snapshots):
        return (f"{title:28} size={sum(map(total, snapshots))} B, "
                f"count={sum(len(one.traces) for one in snapshots)}\n")
    return (line("in this file", image, rest, direct)
            + line("allocated by image_*", direct)
            + line("by image_* and what it calls", image, direct)
            + line("by all others", rest))


def expect_pool(program):
    heap, pool = program.snapshot("heap"), program.snapshot("pool")
    frame = pool.traces[0].traceback[0]
    return (f"malloc: {text_of(heap)}\n7: {text_of(pool)}\n"
            f"{frame}: size={total(pool)} B, count={len(pool.traces)}\n")


def text_of(snapshot):
    """The figures of CPython's text for a snapshot as one group."""
    group = tracemalloc.Statistic(None, total(snapshot), len(snapshot.traces))
    figures = str(tracemalloc.Statistic(
        tracemalloc.Traceback((("", 0),)), group.size, group.count))
    return figures.partition(" ")[2]


def expect_leak_test(program):
    left = program.snapshot("after")
    return (f"joins_two_names: right\ncompares_copies: leaks\n"
            f"  left behind: size={total(left)} B, count={len(left.traces)}\n"
            "...\n"
            + "".join(f"{line}\n" for line in
                      left.traces[0].traceback.format()))


def expect_offline(_):
    grow = Program("grow.c")
    return texts(grow.snapshot("after").statistics("lineno")[:3])


def expect_merge(_):
    grow = Program("grow.c")
    size = total(grow.snapshot("before")) + total(grow.snapshot("after"))
    return f"2 processes, {size} B live\n"


def expect_loop(program):
    """By arithmetic: each word takes a byte more than it has."""
    words = re.findall(r'"(\w+)"', re.search(
        r"words\[\] = \{(.*?)\}", program.text, re.S).group(1))
    sizes = [sum(len(word) + 1 for word in words[:n + 1])
             for n in range(len(words))]

    def line(name, allocated):
        return (f"{name}: {len(allocated):.1f} blocks, "
                f"{sum(allocated):.1f} B an iteration; {sizes[-1]} B at once, "
                "0 B left\n")
    return line("growing", sizes) + line("measured", sizes[-1:])


def expect_raii(program):
    groups = program.snapshot("after").compare_to(
        tracemalloc.Snapshot([], 1), "lineno")
    return "".join(f"{group}\n...\n" for group in groups)


def check_program(build, directory, program):
    """Builds a program in each way that its comment gives, and runs it."""
    run = {"offline.c": "./offline after.alloctrace",
           "merge.c": "./merge sum.alloctrace before.alloctrace "
                      "after.alloctrace"}.get(
               program.name, "./" + program.name.partition(".")[0])
    expected = globals()["expect_" + program.name.partition(".")[0]](program)
    e2e.check(program.builds(), f"{program.name}: its comment has no command")
    for command in program.builds():
        pages.shell(build, directory, command.replace(
            " -o ", " -Wall -Wextra -Werror -o ", 1))
        output = pages.shell(build, directory, run,
                             STATUS.get(program.name, 0))
        pages.compare(f"{program.name} ({command})", output, expected)
        if "--update" not in sys.argv:
            pages.compare(f"{program.name} and its comment", output,
                          program.output)
    return output


def check_plain(build, directory, program):
    """Calls can stay in: without the plugin a program compiles without a
    warning, and its functions say that nothing is traced."""
    compiler = "g++ -std=c++14" if program.name.endswith("cc") else "gcc"
    pages.shell(build, directory,
                f"{compiler} -O2 -Wall -Wextra -Werror {program.name} "
                "-o plain -lalloctrace-analysis -lm")
    if program.name == "leak_test.c":
        pages.compare("leak_test.c without the plugin",
                      pages.shell(build, directory, "./plain"),
                      "joins_two_names: right\ncompares_copies: right\n")


def update_comment(program, output):
    text = program.text.replace(
        " *\n" + "".join(f" *     {line}\n"
                         for line in program.output.splitlines()),
        " *\n" + "".join(f" *     {line}\n"
                         for line in output.splitlines()), 1)
    with open(os.path.join(EXAMPLES, program.name), "w",
              encoding="utf-8") as file:
        file.write(text)


def check_makefile(build, directory):
    """examples/Makefile builds all of them with an installed alloctrace."""
    shutil.copy(os.path.join(EXAMPLES, "Makefile"), directory)
    pages.shell(build, directory, "make -s clean && make -s check")


def check_table(outputs):
    """examples/README.md shows each program, with what it prints."""
    page = read(EXAMPLES, "README.md")
    for name, output in outputs.items():
        e2e.check(f"]({name})" in page, f"README.md does not name {name}")
        first = output.splitlines()[0]
        e2e.check(first in page, f"README.md does not show what {name} "
                                 f"prints: {first}")


def test():
    sys.argv = [argument for argument in sys.argv if argument != "--update"] \
        + ["--update"] * ("--update" in sys.argv)
    build = os.path.abspath(sys.argv[1])
    os.chdir(EXAMPLES)  # where tracemalloc looks for lines of source
    outputs = {}
    with e2e.scratch() as directory:
        for name in PROGRAMS:
            shutil.copy(os.path.join(EXAMPLES, name), directory)
        for name in PROGRAMS:
            program = Program(name)
            outputs[name] = check_program(build, directory, program)
            check_plain(build, directory, program)
            if name == "grow.c":
                pages.shell(build, directory, EXAMPLE_DUMPS)
            if "--update" in sys.argv:
                update_comment(program, outputs[name])
            print(f"{name}: passed", flush=True)
        check_makefile(build, directory)
    check_table(outputs)


if __name__ == "__main__":
    e2e.main(test)
