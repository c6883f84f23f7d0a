# SPDX-License-Identifier: MIT
"""Measuring: one run of a command, several in turn, and what is made of the
samples."""
from dataclasses import dataclass
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# Above it a program's plain runs are too far apart to be compared with.
SPREAD = 0.05


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def usage_program(tree):
    """Builds usage.c."""
    path = os.path.join(tree, "bench", "usage")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["gcc", "-O2", "-static", "-o", path,
                    os.path.join(HERE, "programs", "usage.c")], check=True)
    return path


@dataclass
class Usage:
    """Of a command and the children that it waited for."""
    wall: float  # seconds
    cpu: float  # seconds, user and system
    memory: int  # bytes, resident, at the peak, of the largest process


def measure_usage(usage, words, variables):
    """What a command used, on one processor; `usage` is usage_program's."""
    with tempfile.NamedTemporaryFile("r", prefix="alloctrace-bench.") as file:
        subprocess.run([usage, file.name, *words], env=variables,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       check=True)
        wall, cpu, kib, status = file.read().split()
    if status != "0":
        fail(f"{words[0]} failed with status {status}")
    return Usage(float(wall), float(cpu), int(kib) << 10)


def pin():
    """One processor for all of them: for preexec_fn."""
    os.sched_setaffinity(0, {os.cpu_count() - 1})


def in_turn(variants, runs, measure):
    """Runs the variants in turn (plain, stack, ..., plain, ...) after a warm-up
    that is not counted: variant => list of what `measure` gave."""
    samples = {variant: [] for variant in variants}
    for run in range(runs + 1):
        for variant in variants:
            sample = measure(variant)
            if run:
                samples[variant].append(sample)
    return samples


def spread(numbers):
    """Of the middle half, as a share of the median."""
    if len(numbers) < 2:
        return 0
    quarters = statistics.quantiles(numbers, n=4)
    return (quarters[2] - quarters[0]) / statistics.median(numbers)


def median_ratio(plain, other):
    return statistics.median(b / a for a, b in zip(plain, other))


def median_difference(plain, other):
    return statistics.median(b - a for a, b in zip(plain, other))
