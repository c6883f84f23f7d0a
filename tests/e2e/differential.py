#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The library against CPython's tracemalloc: both are given the same random
snapshots and asked the same questions, and their answers are compared as whole
texts.

    differential.py [--cases N] [--full] [--seed N] [--only CASE] BUILD

What is asked is in QUESTIONS; what is drawn, in class Source. A part of the
snapshots goes through a file in between, and another through `alloctrace
export` and back by tracemalloc.Snapshot.load. At the end tracemalloc is broken
in one way after another (MUTATIONS), to show that each would have been seen.

A case that differs is cut down to the smallest that still does and printed.
"""
import argparse
import collections
import os
import random
import subprocess
import sys
import tracemalloc
import unittest.mock
import warnings

import e2e


def encoded(text):
    """As os.fsencode, whatever the locale."""
    return text.encode("utf-8", "surrogateescape")


def decoded(text):
    return text.decode("utf-8", "surrogateescape")


KEYS = ("filename", "lineno", "traceback")
CHUNK = 1000
UNKNOWN = ("<unknown>", 0)

# Kinds of names. The library orders names, and matches them with patterns, byte
# by byte. In UTF-8 bytes have the order of code points, but ? and [] match
# parts of letters; names that are no UTF-8 Python orders as surrogates. For both
# tracemalloc is given names in which each byte is a letter.
PLAIN, UNICODE, NO_UTF8 = range(3)

NAMES = {
    PLAIN: """
        a b aa ab aab abb a.c a.cc a.h b.c lib.c lib/a.c lib/b.c /usr/lib/a.c
        x.py x.pyc x.pyo .pyc X.PYC A.C a[b].c a[ab a]b a!b a-b a^b a*b a?b a\\b
        a b.c a,b a:1 a:1:2 {a,b} .. /""".split() + ["a b.c", "a\tb", "|", "%s"],
    UNICODE: """
        a b ab é éa e\u0301 ß ä.c ä.cc äb.c 日本.c 日.c 日 \u07ff \u0800 \ud7ff
        \ue000 \ufffd \uffff \U00010000 😀.c 😀 \U0010ffff a\u0080 a\u00ff
        z""".split() + ["\x7f", "a\u00a0b"],
    NO_UTF8: [decoded(name) for name in (
        b"a", b"a\xff", b"a\x80", b"\xc3", b"\xc3\xa9", b"\xe9.c", b"\xed\xb3\xbf",
        b"\xf0\x9f\x98\x80", b"\xf0\x9f", b"z\xfe", b"\xee\x80\x80")],
}

# Source files; what stands around a line goes away.
SOURCES = {
    "plain.c": b"int main(void)\n{\n    return 0;\n}\n",
    "blanks.c": b"\n   \n\t\n  code  \n\tcode\t\n \x0c \n\x0b code \x0c\n",
    "dos.c": b"one\r\n  two  \r\n\r\nfour\r\n",
    "end.c": b"first\nlast without an end",
    "mac.c": b"one\rtwo\r\rfour\n",
    "utf8.c": "/* é 日本 😀 */\n  ß  \n".encode(),
    "mark.c": b"\xef\xbb\xbffirst\nsecond\n",
    "long.c": b"x" * 3000 + b"\nshort\n",
    "empty.c": b"",
}

Question = collections.namedtuple("Question", "kind arguments filters")
Snapshot = collections.namedtuple("Snapshot", "limit is_stored blocks")
Case = collections.namedtuple("Case", "number is_bytes snapshots questions")


# ---- What is drawn ----

class Source:
    """Everything random of one case, from its number."""

    def __init__(self, seed, number, sources):
        self.random = random.Random(f"{seed}/{number}")
        self.number = number
        self.kind = self.random.choices((PLAIN, UNICODE, NO_UTF8),
                                        (6, 3, 1))[0]
        self.is_bytes = (self.kind == NO_UTF8 or self.kind == UNICODE and
                         self.random.random() < 0.4)
        pool = NAMES[self.kind]
        self.names = self.random.sample(
            pool, min(len(pool), self.random.choice((1, 2, 3, 5, 30))))
        if self.kind == PLAIN and self.random.random() < 0.1:
            self.names = ["x.py", "x.pyc"]
        self.sources = self.random.random() < 0.15 and not self.is_bytes
        if self.sources:
            self.names = self.names[:2] + sources
        self.lines = self.random.choice(
            ([1], [0, 1, 2], list(range(12)), [1, 9, 10, 100, 2**32 - 1]))
        # Few frames and tracebacks, so that they come again.
        self.frames = [self.frame() for _ in
                       range(self.random.choice((1, 3, 8, 30)))]
        self.paths = [self.path() for _ in
                      range(self.random.choice((1, 4, 12, 40)))]
        self.domains = self.random.choice(
            ([0], [0, 0, 1], [0, 1, 2, 7], [0, 2**31, 2**32 - 1]))
        self.most = self.random.choice((2, 3, 20, 2**20, 2**50))

    def frame(self):
        if self.random.random() < 0.1:
            return UNKNOWN
        return (self.random.choice(self.names), self.random.choice(self.lines))

    def path(self):
        """The most recent frame first; recursion is likely."""
        size = self.random.choice((1, 1, 2, 2, 3, 4, 6))
        path = [self.random.choice(self.frames) for _ in range(size)]
        if self.random.random() < 0.2:
            path = [path[0]] * size
        return tuple(path)

    def size(self):
        if self.random.random() < 0.3:
            return self.random.choice((0, 0, 1, 8, 16))
        return self.random.randrange(self.most)

    def total(self, path):
        more = self.random.choice((0, 0, 0, 1, 5, 65535, 100000))
        return len(path) + more

    def snapshot(self):
        count = self.random.choice((0, 1, 2, 5, 12, 30))
        blocks = []
        for _ in range(count):
            path = self.random.choice(self.paths)
            blocks.append((self.random.choice(self.domains), self.size(), path,
                           self.total(path)))
        if blocks and self.random.random() < 0.02:
            blocks = [(0, 2**62 + self.random.randrange(2**61),
                       blocks[0][2][:1], 1)]
        return Snapshot(self.random.choice((0, 0, 6, 65535)),
                        self.random.random() < 0.1, blocks)

    def pattern(self):
        """Of a name, so that it has a chance to match."""
        special = "*?[" if self.kind == PLAIN or self.is_bytes else "*"
        text = self.random.choice(self.names + ["<unknown>"])
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            at = self.random.randint(0, len(text))
            what = self.random.choice(special)
            if what == "[":
                inside = "".join(self.random.choices(
                    "ab.c!-^][\\" + "é" * self.is_bytes, k=self.random.randint(1, 4)))
                what = f"[{inside}]"
            text = (text[:at] + what +
                    text[at + self.random.choice((0, 1, 1, 3)):])
        if self.random.random() < 0.05:
            text = self.random.choice(("", "*", "**", "*.pyc", "*.py"))
        if text.endswith((".py", ".pyc")) and self.random.random() < 0.5:
            text = text[:-1] if text[-1] == "c" else text + "c"
        return text

    def filter(self):
        inclusive = self.random.random() < 0.5
        domain = self.random.choice(self.domains + [3])
        if self.random.random() < 0.15:
            return ("d", inclusive, domain)
        return ("f", inclusive, self.pattern(),
                self.random.choice((None, None, *self.lines, 3)),
                self.random.random() < 0.4,
                domain if self.random.random() < 0.25 else None)

    def filters(self):
        if self.random.random() < 0.4:
            return None
        return [self.filter() for _ in
                range(self.random.choice((0, 1, 1, 2, 3, 5)))]

    def question(self, kind, snapshot):
        count = len(snapshot.blocks)
        if kind in ("statistics", "compare"):
            key = self.random.choices(KEYS + ("bogus",), (4, 4, 4, 1))[0]
            return Question(kind, (key, self.random.random() < 0.4),
                            self.filters())
        if kind == "traces":
            return Question(kind, (), self.filters())
        if kind == "order":
            return Question(kind, (), None)
        first, second = self.random.choices(range(-8, 9), k=2)
        maybe = self.random.choice((None, second))
        if kind == "slice":
            return Question(kind, (self.random.randrange(count), first, maybe),
                            None)
        return Question(kind, (self.random.randrange(count), maybe,
                               self.random.random() < 0.5), None)

    def case(self):
        snapshots = [self.snapshot(), self.snapshot()]
        if self.random.random() < 0.1:
            snapshots[1] = snapshots[0]
        kinds = ["statistics", "statistics", "compare", "compare", "traces"]
        if snapshots[0].blocks:
            kinds += ["order", "slice", "format"]
            kinds += ["format"] * 8 if self.sources else []
        questions = [self.question(kind, snapshots[0]) for kind in
                     self.random.choices(kinds, k=self.random.randint(1, 4))]
        return Case(self.number, self.is_bytes, snapshots, questions)


# ---- What the library is asked ----

def hexadecimal(text):
    return encoded(text).hex() or "-"


def number_or(value, none):
    return none if value is None else int(value)


class Encoder:
    """Cases as the driver reads them."""

    def __init__(self, directory):
        self.directory = directory
        self.numbers = {}  # of names
        self.lines = []

    def put(self, *words):
        self.lines.append(" ".join(map(str, words)))

    def name(self, text):
        if text not in self.numbers:
            self.numbers[text] = len(self.numbers)
            self.put("name", hexadecimal(text))
        return self.numbers[text]

    def snapshot(self, slot, snapshot):
        names = {name: self.name(name) for _, _, path, _ in snapshot.blocks
                 for name, _ in path}
        self.put("begin", snapshot.limit)
        for domain, size, path, total in snapshot.blocks:
            self.put("t", domain, size, total,
                     *(f"{names[name]}:{line}" for name, line in path))
        self.put("finish", slot)
        if snapshot.is_stored:
            path = hexadecimal(os.path.join(self.directory, "stored"))
            self.put("dump", slot, path)
            self.put("load", slot, path)

    def filters(self, slot, into, filters):
        for chosen in filters:
            if chosen[0] == "d":
                self.put("d", int(chosen[1]), chosen[2])
            else:
                _, inclusive, pattern, line, all_frames, domain = chosen
                self.put("f", int(inclusive), hexadecimal(pattern),
                         number_or(line, -1), int(all_frames),
                         number_or(domain, -1))
        self.put("filter", slot, into)

    def question(self, question):
        slots = [0, 1]
        if question.filters is not None:
            slots = [2, 3]
            self.filters(0, 2, question.filters)
            if question.kind == "compare":
                self.filters(1, 3, question.filters)
        if question.kind == "compare":
            key, cumulative = question.arguments
            self.put("compare", *slots, key, int(cumulative))
        else:
            self.put(question.kind, slots[0], *(
                argument if isinstance(argument, str) else
                number_or(argument, "-") for argument in question.arguments))

    def case(self, case):
        self.put("case", case.number)
        for slot, snapshot in enumerate(case.snapshots):
            self.snapshot(slot, snapshot)
        for question in case.questions:
            self.question(question)


# ---- What tracemalloc answers ----

def frames_text(traceback):
    """As print_frames of the driver."""
    return "".join(f"|{frame}" for frame in traceback) + "\n"


def sums_of(blocks):
    """Blocks as the library keeps them: (domain, path, total) => [count,
    size], in the order in which they were met."""
    sums = {}
    for domain, size, path, total in blocks:
        entry = sums.setdefault((domain, path, total), [0, 0])
        entry[0] += 1
        entry[1] += size
    return sums


def python_filter(chosen):
    if chosen[0] == "d":
        return tracemalloc.DomainFilter(*chosen[1:])
    _, inclusive, pattern, line, all_frames, domain = chosen
    return tracemalloc.Filter(inclusive, pattern, line, all_frames, domain)


class Reference:
    """tracemalloc's side of a case."""

    def __init__(self, case):
        self.snapshots = [tracemalloc.Snapshot(list(snapshot.blocks),
                                               snapshot.limit or 1)
                          for snapshot in case.snapshots]

    def path(self, index):
        _, path, total = list(sums_of(
            self.snapshots[0].traces._traces))[index]
        return tracemalloc.Traceback(path, total)

    def traces(self, snapshot, _old):
        for (domain, path, total), (count, size) in sums_of(
                snapshot.traces._traces).items():
            trace = tracemalloc.Trace((domain, size, path, total))
            yield (f"{domain} {count} {size} {total} "
                   f"{frames_text(trace.traceback)}{trace}\n")

    def statistics(self, snapshot, _old, key, cumulative):
        for group in snapshot.statistics(key, cumulative):
            yield (f"{group.size} {group.count} {frames_text(group.traceback)}"
                   f"{group}\n")

    def compare(self, snapshot, old, key, cumulative):
        for group in snapshot.compare_to(old, key, cumulative):
            yield (f"{group.size} {group.count} {group.size_diff} "
                   f"{group.count_diff} {frames_text(group.traceback)}{group}\n")

    def order(self, snapshot, _old):
        paths = [tracemalloc.Traceback(path, total)
                 for _, path, total in sums_of(snapshot.traces._traces)]
        for left in paths:
            for right in paths:
                yield "=" if left == right else "<" if left < right else ">"
                yield "+" if right[0] in left else "-"
            yield "\n"

    def slice(self, _snapshot, _old, index, start, stop):
        yield frames_text(self.path(index)[start:stop])

    def format(self, _snapshot, _old, index, limit, most_recent_first):
        for line in self.path(index).format(limit, most_recent_first):
            yield line + "\n"

    def answer(self, question):
        snapshot, old = self.snapshots
        if question.filters is not None:
            filters = [python_filter(chosen) for chosen in question.filters]
            snapshot, old = (snapshot.filter_traces(filters),
                             old.filter_traces(filters))
        try:
            return "".join(getattr(self, question.kind)(
                snapshot, old, *question.arguments))
        except ValueError:
            return "refused\n"


def existing(case):
    """The case with indexes of traces that exist: there are fewer of ours."""
    count = len(sums_of(case.snapshots[0].blocks))
    questions = [
        question._replace(arguments=(question.arguments[0] % count,
                                     *question.arguments[1:]))
        if question.kind in ("slice", "format") else question
        for question in case.questions
        if count or question.kind not in ("slice", "format", "order")]
    return case._replace(questions=questions)


def letters(text):
    """A text in which each byte is a letter."""
    return encoded(text).decode("latin-1")


def in_letters(case):
    """The case with such names and patterns."""
    snapshots = [snapshot._replace(blocks=[
        (domain, size, tuple((letters(name), line) for name, line in path),
         total) for domain, size, path, total in snapshot.blocks])
        for snapshot in case.snapshots]
    questions = [question._replace(filters=question.filters and [
        chosen if chosen[0] == "d" else
        (*chosen[:2], letters(chosen[2]), *chosen[3:])
        for chosen in question.filters]) for question in case.questions]
    return case._replace(snapshots=snapshots, questions=questions)


def expected_answer(case):
    asked = in_letters(case) if case.is_bytes else case
    answer = "".join(map(Reference(asked).answer, asked.questions))
    return decoded(answer.encode("latin-1")) if case.is_bytes else answer


# ---- Comparing ----

class Driver:
    def __init__(self, build, directory):
        self.program = os.path.join(build, "bin", "differential_driver")
        self.directory = directory

    def ask(self, cases):
        """The library's answers, in the order of the cases."""
        encoder = Encoder(self.directory)
        for case in cases:
            encoder.case(case)
        done = subprocess.run(
            [self.program], cwd=self.directory, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, check=False,
            input=encoded("\n".join(encoder.lines) + "\n"))
        e2e.check(done.returncode == 0,
                  f"the driver: {done.returncode}, {decoded(done.stderr)}")
        parts = decoded(done.stdout).split("\x1ecase ")[1:]
        e2e.check_equal("answers", len(parts), len(cases))
        return [part.split("\n", 1)[1] for part in parts]

    def differs(self, case):
        case = existing(case)
        answer, = self.ask([case])
        return answer != expected_answer(case)


def smaller(case):
    """Yields cases that are a bit smaller."""
    if len(case.questions) > 1:
        for question in case.questions:
            yield case._replace(questions=[question])
    for number, snapshot in enumerate(case.snapshots):
        others = list(case.snapshots)
        for at in range(len(snapshot.blocks)):
            blocks = snapshot.blocks[:at] + snapshot.blocks[at + 1:]
            others[number] = snapshot._replace(blocks=blocks)
            yield case._replace(snapshots=others)
        for at, (domain, size, path, _) in enumerate(snapshot.blocks):
            for cut in range(len(path) if len(path) > 1 else 0):
                blocks = list(snapshot.blocks)
                blocks[at] = (domain, size, path[:cut] + path[cut + 1:],
                              len(path) - 1)
                others[number] = snapshot._replace(blocks=blocks)
                yield case._replace(snapshots=others)
    for question in case.questions:
        for at in range(len(question.filters or ())):
            filters = question.filters[:at] + question.filters[at + 1:]
            yield case._replace(questions=[
                question._replace(filters=filters)])


def cut_down(driver, case):
    found = True
    while found:
        found = False
        for candidate in smaller(case):
            if driver.differs(candidate):
                case, found = candidate, True
                break
    return existing(case)


def describe(driver, case):
    case = cut_down(driver, case)
    answer, = driver.ask([case])
    snapshots = "\n  ".join(map(ascii, case.snapshots))
    questions = "\n  ".join(map(ascii, case.questions))
    return (f"case {case.number} differs (--only {case.number}); cut down:\n"
            f"  {snapshots}\n  {questions}\n"
            f"{'each byte a letter' * case.is_bytes}\n"
            f"tracemalloc:\n{ascii(expected_answer(case))}\n"
            f"alloctrace:\n{ascii(answer)}")


# ---- Through a file ----

def spread(snapshot):
    """The tuples that `export` makes of sums: bytes spread evenly."""
    for (domain, path, total), (count, size) in sums_of(
            snapshot.blocks).items():
        total = min(total, 65535)
        less, larger = divmod(size, count)
        yield from [(domain, less, path, total)] * (count - larger)
        yield from [(domain, less + 1, path, total)] * larger


def check_export(build, driver, case):
    """Blocks that are exported are those that were put in."""
    snapshot = case.snapshots[0]
    path = os.path.join(driver.directory, "exported")
    encoder = Encoder(driver.directory)
    encoder.snapshot(0, snapshot)
    encoder.put("attribute", 0, hexadecimal("note"), hexadecimal("ä\n\udcff"))
    encoder.put("attribute", 0, hexadecimal("traces"), hexadecimal("lost"))
    encoder.put("attribute", 0, hexadecimal("no name"), hexadecimal("lost"))
    encoder.put("dump", 0, hexadecimal(path))
    subprocess.run([driver.program], check=True, cwd=driver.directory,
                   input=encoded("\n".join(encoder.lines) + "\n"))
    result = e2e.run([os.path.join(build, "bin", "alloctrace"), "export", path,
                      "--format", "tracemalloc", "-o", path + ".pickle"])
    e2e.check_equal("export", (result.status, result.stderr), (0, b""))
    loaded = tracemalloc.Snapshot.load(path + ".pickle")
    e2e.check_equal(f"case {case.number}, exported", list(loaded.traces._traces),
                    list(spread(snapshot)))
    e2e.check_equal("attributes", {
        name: value for name, value in vars(loaded).items()
        if name != "traces"},
        {"note": "ä\n\udcff", "traceback_limit": snapshot.limit or 65535})


# ---- Would it be seen? ----

def without_count(self):
    return (self.size, self.traceback)


def without_traceback(self):
    return (self.size, self.count)


def signed_size(self):
    return (self.size_diff, self.size, abs(self.count_diff), self.count,
            self.traceback)


def signed_count(self):
    return (abs(self.size_diff), self.size, self.count_diff, self.count,
            self.traceback)


def diff_without(position):
    original = tracemalloc.StatisticDiff._sort_key

    def sort_key(self):
        key = original(self)
        return key[:position] + key[position + 1:]
    return sort_key


def once_per_trace(self, key_type, cumulative):
    """Cumulative as the library does it by default."""
    if not cumulative:
        return group_by(self, key_type, cumulative)
    blocks = []
    for domain, size, path, total in self.traces._traces:
        keys = [name if key_type == "filename" else (name, line)
                for name, line in path]
        blocks.append((domain, size, tuple(
            frame for i, frame in enumerate(path) if keys[i] not in keys[:i]),
            total))
    return group_by(tracemalloc.Snapshot(blocks, 1), key_type, cumulative)


group_by = tracemalloc.Snapshot._group_by


def filter_mutation(change):
    """A Filter that is made with other arguments."""
    original = tracemalloc.Filter.__init__

    def init(self, *arguments):
        original(self, *change(*arguments))
    return init


def any_of_exclusive(self, include, exclude, trace):
    return ((not include or any(f._match(trace) for f in include)) and
            (not exclude or any(f._match(trace) for f in exclude)))


def all_of_inclusive(self, include, exclude, trace):
    return all(f._match(trace) for f in include + exclude)


def oldest(self, limit=None, most_recent_first=False):
    """Limits below 0 as CPython documents them."""
    if limit is not None and limit < 0:
        self = tracemalloc.Traceback(tuple(
            frame._frame for frame in reversed(self[:-limit])))
        limit = None
    return format_traceback(self, limit, most_recent_first)


format_traceback = tracemalloc.Traceback.format

T = tracemalloc
MUTATIONS = {
    "statistics: no count": (T.Statistic, "_sort_key", without_count),
    "statistics: no traceback": (T.Statistic, "_sort_key", without_traceback),
    "compare: signed size": (T.StatisticDiff, "_sort_key", signed_size),
    "compare: signed count": (T.StatisticDiff, "_sort_key", signed_count),
    **{f"compare: no criterion {i}": (T.StatisticDiff, "_sort_key",
                                      diff_without(i)) for i in range(5)},
    "cumulative: once per trace": (T.Snapshot, "_group_by", once_per_trace),
    "filter: any exclusive one": (T.Snapshot, "_filter_trace",
                                  any_of_exclusive),
    "filter: every inclusive one": (T.Snapshot, "_filter_trace",
                                    all_of_inclusive),
    "filter: line 0 is any": (T.Filter, "__init__", filter_mutation(
        lambda i, p, l, a, d: (i, p, l or None, a, d))),
    "filter: all frames": (T.Filter, "__init__", filter_mutation(
        lambda i, p, l, a, d: (i, p, l, True, d))),
    "filter: the most recent frame": (T.Filter, "__init__", filter_mutation(
        lambda i, p, l, a, d: (i, p, l, False, d))),
    "filter: no domain": (T.Filter, "__init__", filter_mutation(
        lambda i, p, l, a, d: (i, p, l, a, None))),
    "filter: domain 0 is any": (T.Filter, "__init__", filter_mutation(
        lambda i, p, l, a, d: (i, p, l, a, d or None))),
    "filter: .pyc is .pyc": (T, "_normalize_filename", lambda name: name),
    "text: the most recent frame": (T.Traceback, "__str__",
                                    lambda self: str(self[-1])),
    "format: limits as documented": (T.Traceback, "format", oldest),
    "size: rounded down": (T, "_format_size", lambda size, sign:
                           f"{int(size)} B"),
}


def check_mutations(cases, answers):
    for name, (owner, attribute, changed) in MUTATIONS.items():
        with unittest.mock.patch.object(owner, attribute, changed):
            e2e.check(any(answer != expected_answer(case)
                          for case, answer in zip(cases, answers)),
                      f"nothing would have shown this: {name}")
    print(f"{len(MUTATIONS)} mutations of tracemalloc were seen")


# ---- The test ----

def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--full", action="store_true", help="100,000 cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this case alone")
    parser.add_argument("build", type=os.path.abspath)
    arguments = parser.parse_args()
    if arguments.full:
        arguments.cases = 100000
    return arguments


def make_sources(directory):
    """Files to read lines of; one does not exist, one is a directory. Their
    names are relative, so that cases are the same in every run."""
    for name, content in SOURCES.items():
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content)
    os.mkdir(os.path.join(directory, "folder"))
    os.chdir(directory)
    return [*SOURCES, "none.c", "folder"]


def test():
    arguments = parse_arguments()
    warnings.simplefilter("ignore")  # "possible nested set" of patterns
    asked = collections.Counter()
    with e2e.scratch() as directory:
        driver = Driver(arguments.build, directory)
        sources = make_sources(directory)
        numbers = ([arguments.only] if arguments.only is not None
                   else range(arguments.cases))
        kept = [], []  # cases and answers
        for start in range(0, len(numbers), CHUNK):
            cases = [existing(Source(arguments.seed, number, sources).case())
                     for number in numbers[start:start + CHUNK]]
            answers = driver.ask(cases)
            for case, answer in zip(cases, answers):
                if answer != expected_answer(case):
                    raise e2e.Failure(describe(driver, case))
                asked.update(question.kind for question in case.questions)
            for case in cases[::50]:
                check_export(arguments.build, driver, case)
                asked["export"] += 1
            if len(kept[0]) < 3 * CHUNK:
                kept[0].extend(cases)
                kept[1].extend(answers)
        print(f"{len(numbers)} cases agree:", dict(asked))
        if arguments.only is None:
            check_mutations(*kept)


e2e.main(test)
