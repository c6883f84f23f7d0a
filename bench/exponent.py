# SPDX-License-Identifier: MIT
"""How a quantity grows: the power of what it grows with, and what is still
called linear. bench/growth, the page and its rules all take it from here.
"""
import math
import statistics

# A tenfold of x may take so many times more than in proportion: 10 ** 0.15 is
# 1.4. A table that leaves a cache of the processor takes as much, once for each
# of them, and no longer once it is in memory; the square would be 10 times.
MOST = 1.15
WINDOW = 100  # the last so many fold of x
FITTED = 3  # points, at least, if there are
# From so many times what the smallest case takes on, what comes on top of that
# stands out of the noise.
FIXED = 2


def last_of(points):
    """Those of the last hundredfold of x; three at least."""
    first = points[-1][0] / WINDOW
    return [point for index, point in enumerate(points)
            if point[0] >= first or index >= len(points) - FITTED]


def exponent(points):
    """The slope of the line through the logarithms of the last points: 1 is in
    proportion, 2 the square. What is there at the smallest x in any case would
    hide the growth: the first point is the origin of those that cost clearly
    more, unless it is one of the last itself. None if that cannot be said."""
    points = sorted((x, y) for x, y in points if x > 0 and y > 0)
    if len(points) < 2 or points[0][0] == points[-1][0]:
        return None
    x, fixed = points[0]
    last = last_of(points)
    more = [(one - x, y - fixed) for one, y in last if y >= FIXED * fixed]
    if last[0][0] > x and len(more) > 1:
        last = more
    return statistics.linear_regression(
        [math.log(x) for x, _ in last], [math.log(y) for _, y in last]).slope


def is_linear(power):
    """True as well of what cannot be said."""
    return power is None or power <= MOST
