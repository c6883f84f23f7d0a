# SPDX-License-Identifier: MIT
"""How a traced program's threads scale, beside the plain one's: what
bench/scaling records, for it, the page and its rules.
"""
from dataclasses import dataclass
import statistics

from measure import SPREAD, spread


@dataclass(frozen=True)
class Scales:
    """Of one kind of blocks; lists have a figure a run."""
    threads: int  # of the many
    ratios: list  # the traced program's scaling by that of the plain one
    plain: float  # times what one thread does, that all do
    traced: float
    one: float  # times the plain program's time, with one thread
    all: float  # and with all
    spread: float  # of the plain runs with one or all, the greater

    @property
    def relative(self):
        """1: tracing takes nothing of what threads gain."""
        return statistics.median(self.ratios)

    def is_refused(self):
        return self.spread > SPREAD

    def quarters(self):
        """Of the ratios, times the threads: where the middle half lies."""
        if len(self.ratios) < 2:
            return self.threads * self.relative, self.threads * self.relative
        low, _, high = statistics.quantiles(self.ratios, n=4)
        return self.threads * low, self.threads * high


def median_of(first, second, factor=1):
    """Of the first's samples by those of the second, run by run."""
    return statistics.median(factor * one / other
                             for one, other in zip(first, second))


def scales(rows, group, clock="wall"):
    """Of the rows of a group; None if some are missing."""
    times = {(row["variant"], row["x"]): row[clock] for row in rows
             if row["group"] == group}
    n = max((x for _, x in times), default=0)
    keys = [(variant, x) for variant in ("plain", "tracing") for x in (1, n)]
    if n < 2 or not all(times.get(key) for key in keys):
        return None
    plain_one, plain_all, one, all_ = (times[key] for key in keys)
    ratios = [(time / together) / (its / its_together)
              for time, together, its, its_together in zip(
                  one, all_, plain_one, plain_all, strict=True)]
    return Scales(n, ratios, median_of(plain_one, plain_all, n),
                  median_of(one, all_, n), median_of(one, plain_one),
                  median_of(all_, plain_all),
                  max(spread(plain_one), spread(plain_all)))
