# SPDX-License-Identifier: MIT
"""A dump's traces with whole tracebacks, read anew from format.h: for tests
of figures by path and domain."""
import collections
import struct

import e2e

TAG_STRINGS, TAG_FRAMES, TAG_TRACEBACKS, TAG_TRACES = 2, 4, 5, 7
TAG_DOMAINS, TAG_DETAILS = 10, 12
DETAILS = ("temporary_blocks temporary_bytes resized_blocks resized_in_place "
           "moved_bytes grown_bytes shrunk_bytes smallest largest").split()

# Figures of one path in one domain, summed over threads.
Figures = collections.namedtuple("Figures", e2e.TRACE)


def _entries(count, payload, layout):
    size = len(payload) // count if count else 0
    for i in range(count):
        yield struct.unpack_from("<" + layout, payload, i * size)


def _strings(count, payload):
    offset = 0
    for _ in range(count):
        size, = struct.unpack_from("<I", payload, offset)
        yield payload[offset + 4:offset + 4 + size].decode()
        offset += 4 + size


class _Reader:
    def __init__(self):
        self.strings, self.frames = [""], [None]
        self.paths, self.domains = [()], {0: ""}
        self.traces = {}

    def frame(self, address, _module, _file, function, line, _column,
              _ordinal, caller):
        """A frame and those it was inlined into, as 'function:line'."""
        if address:
            return ("?",)
        name = self.strings[function] or "<unknown>"
        rest = self.frames[caller] if caller else ()
        return (f"{name}:{line}", *rest)

    def take(self, tag, count, payload):
        if tag == TAG_STRINGS:
            self.strings += _strings(count, payload)
        elif tag == TAG_FRAMES:
            for entry in _entries(count, payload, "Q7I"):
                self.frames.append(self.frame(*entry))
        elif tag == TAG_TRACEBACKS:
            for parent, frame in _entries(count, payload, "2I"):
                self.paths.append(self.frames[frame] + self.paths[parent])
        elif tag == TAG_DOMAINS:
            for number, name in _entries(count, payload, "2I"):
                self.domains[number] = self.strings[name]
        elif tag == TAG_TRACES:
            for path, _, number, _, *figures in _entries(count, payload,
                                                         "4I6q"):
                name = self.domains.get(number, str(number))
                key = name, " < ".join(self.paths[path])
                before = self.traces.get(key, [0] * len(figures))
                self.traces[key] = [a + b for a, b in zip(before, figures)]


def read(path):
    """{(domain, traceback): Figures} of a dump. The domain is its name, or
    its number where the program chose it; "" is the C library's heap. The
    traceback is "f:12 < main:30", "?" standing for code that was not
    instrumented. Paths without allocations are left out."""
    reader = _Reader()
    e2e.read_summary(path)
    for record in e2e.read_records(path):
        reader.take(*record)
    return {key: Figures(*value) for key, value in reader.traces.items()
            if any(value)}


def read_details(path):
    """{(traceback, thread, domain): {field: figure}} of a dump, by number."""
    details = {}
    for tag, count, payload in e2e.read_records(path):
        if tag == TAG_DETAILS:
            for entry in _entries(count, payload, "4I9q"):
                e2e.check(entry[:3] not in details, f"{entry} comes twice")
                details[entry[:3]] = dict(zip(DETAILS, entry[4:]))
    return details


def marks(source):
    """{"NAME": line} of the marks /* @NAME */ in a source file."""
    found = {}
    with open(source, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            for part in line.split("/* @")[1:]:
                found[part.split(" ")[0]] = number
    return found
