# SPDX-License-Identifier: MIT
"""Measuring: one run of a command, several in turn, and what is made of the
samples."""
from dataclasses import dataclass
import os
import signal
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# Above it a program's plain runs are too far apart to be compared with.
SPREAD = 0.05

# Sets of runs that are measured until one is quieter than that.
SETS = 3

# Seconds that one run may take at most.
LIMIT = 600


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


class RunError(Exception):
    """A command that did not end well: what it says is one line."""


def usage_program(tree):
    """Builds usage.c. Two commands may do so at the same time."""
    path = os.path.join(tree, "bench", "usage")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = f"{path}.{os.getpid()}"
    subprocess.run(["gcc", "-O2", "-static", "-o", new,
                    os.path.join(HERE, "programs", "usage.c")], check=True)
    os.replace(new, path)
    return path


@dataclass
class Usage:
    """Of a command and the children that it waited for."""
    wall: float  # seconds
    cpu: float  # seconds, user and system
    memory: int  # bytes, resident, at the peak, of the largest process


def last_line(file):
    """What a command said last on standard error; it may not be text."""
    file.seek(0)
    lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def run_limited(words, variables, folder, errors):
    """Runs it in a group of its own, which is ended as a whole when it takes
    too long: does its status say that all went well?"""
    with subprocess.Popen(words, env=variables, cwd=folder, stderr=errors,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          start_new_session=True) as process:
        try:
            return process.wait(LIMIT) == 0
        except BaseException as reason:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(reason, subprocess.TimeoutExpired):
                raise RunError(f"took longer than {LIMIT} s") from None
            raise


def run_usage(usage, words, variables, folder=None):
    """What a command used, on one processor; `usage` is usage_program's.
    RunError if its status is not 0."""
    with tempfile.NamedTemporaryFile("r", prefix="alloctrace-bench.") as file, \
            tempfile.TemporaryFile() as errors:
        if not run_limited([usage, file.name, *words], variables, folder,
                           errors):
            raise RunError(f"{words[0]} cannot be run")
        wall, cpu, kib, status = file.read().split()
        if status != "0":
            code = os.waitstatus_to_exitcode(int(status))
            raise RunError((f"status {code}" if code >= 0 else
                            f"ended by signal {-code}") + ": " +
                           last_line(errors))
    return Usage(float(wall), float(cpu), int(kib) << 10)


def measure_usage(usage, words, variables):
    """The same for commands that have to work."""
    try:
        return run_usage(usage, words, variables)
    except RunError as error:
        fail(f"{words[0]}: {error}")


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


def quietest(measure, plain_of, sets=SETS):
    """Measures a set of runs, and again while its plain runs are too far
    apart, `sets` times at most. Gives the set whose plain runs were closest:
    what a tool costs has no part in the choice."""
    best, least = None, None
    for _ in range(sets):
        samples = measure()
        wide = spread(plain_of(samples))
        if best is None or wide < least:
            best, least = samples, wide
        if least <= SPREAD:
            break
    return best


@dataclass
class Effort:
    """How much is measured of a case."""
    runs: int
    sets: int = SETS


def in_turn_quietly(variants, effort, measure):
    """in_turn, with `plain` among the variants."""
    return quietest(lambda: in_turn(variants, effort.runs, measure),
                    lambda samples: samples["plain"], effort.sets)


def median_ratio(plain, other):
    return statistics.median(b / a for a, b in zip(plain, other))


def median_difference(plain, other):
    return statistics.median(b - a for a, b in zip(plain, other))
