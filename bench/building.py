# SPDX-License-Identifier: MIT
"""What building with alloctrace takes, from recorded samples: the time of
compiling and the sizes of executables. The runtime that is linked into each of
them is the same whatever the program: what the smallest one has more.
"""
from figures import geometric_mean, median, quotient, unique

SMALLEST = "hello"
SECTIONS = ("text", "data", "file")


class Builds:
    def __init__(self, rows):
        by_both = {(row["program"], row["compiler"]): row for row in rows}
        self.pairs = {}  # program => (plain row, own row)
        for name in unique(row["program"] for row in rows):
            both = [by_both.get((name, compiler))
                    for compiler in ("plain", "alloctrace")]
            if all(both):
                self.pairs[name] = both

    def names(self):
        """Of real programs."""
        return [name for name in self.pairs if name != SMALLEST]

    def time(self, name):
        """Figure: times the plain compiler's; None if not measured."""
        return quotient(*self.pairs[name], "seconds")

    def times(self):
        """{program: Figure}"""
        found = {name: self.time(name) for name in self.names()}
        return {name: figure for name, figure in found.items() if figure}

    def mean_time(self):
        return geometric_mean(figure.value for figure in self.times().values()
                              if not figure.is_refused())

    def runtime(self, section):
        """Bytes of the runtime; None if the smallest program was not
        measured."""
        if SMALLEST not in self.pairs:
            return None
        plain, own = self.pairs[SMALLEST]
        return median(own, section) - median(plain, section)

    def size(self, name, section):
        """Of the program without the runtime, times the plain one's."""
        plain, own = (median(row, section) for row in self.pairs[name])
        if not plain or not own:
            return None
        return (own - (self.runtime(section) or 0)) / plain

    def mean_size(self, section):
        return geometric_mean(filter(None, (self.size(name, section)
                                            for name in self.names())))
