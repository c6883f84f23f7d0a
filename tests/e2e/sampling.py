#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sampling, through a whole program and its dumps: the mean of the estimates
of many runs is the truth, which the program itself knows; readers are told
that they are estimates. Seeds are fixed: the result is always the same.

    sampling.py BUILD
"""
import os
import statistics

import e2e
import traces

N_RUNS = 40
PERIOD = 16384 # as the program says
FUNCTIONS = ("small", "mixed", "grown")
FIGURES = ("total_blocks", "total_bytes", "live_blocks", "live_bytes")
MAX_ERRORS = 4 # standard errors that a mean may be away


def run_program(program, dump, **variables):
    return e2e.run([program], e2e.environment(ALLOCTRACE_DUMP=dump,
                                              **variables))


def read_truth(result):
    """{function: (the figures, variance of its total bytes)}"""
    lines = [[int(word) for word in line.split()]
             for line in result.stdout.splitlines()]
    return {name: (dict(zip(FIGURES, line)), line[4])
            for name, line in zip(FUNCTIONS, lines)}


def read_estimates(dump):
    sums = {name: dict.fromkeys(FIGURES, 0) for name in FUNCTIONS}
    for (domain, path), figures in traces.read(dump).items():
        name = path.split(":")[0]
        if domain == "" and name in sums:
            for figure in FIGURES:
                sums[name][figure] += getattr(figures, figure)
    return sums


def check_figure(what, numbers, truth, variance):
    """The numbers of all runs; the variance by theory, or None."""
    mean = statistics.fmean(numbers)
    error = ((variance or statistics.pvariance(numbers)) / N_RUNS) ** 0.5
    print(f"{what}: {mean:.0f}, truth {truth}, standard error {error:.0f}")
    e2e.check(abs(mean - truth) <= MAX_ERRORS * error,
              f"{what}: the mean is {mean - truth:.0f} from the truth")


def check_variance(what, numbers, truth, variance):
    found = statistics.fmean((number - truth) ** 2 for number in numbers)
    e2e.check(0.4 < found / variance < 2,
              f"{what}: {found / variance:.2f} of the variance")


def check_estimates(program, dump, truth):
    runs = []
    for seed in range(1, N_RUNS + 1):
        run_program(program, dump, ALLOCTRACE="all",
                    ALLOCTRACE_SAMPLE=f"{PERIOD}B",
                    ALLOCTRACE_SAMPLE_SEED=str(seed))
        runs.append(read_estimates(dump))
        summary = e2e.read_summary(dump)
        e2e.check_equal("dropped, unknown frees", (
            summary["dropped_blocks"], summary["unknown_frees"]), (0, 0))
    for name, (figures, variance) in truth.items():
        for figure, true in figures.items():
            numbers = [run[name][figure] for run in runs]
            is_bytes = figure == "total_bytes"
            what = f"{name}, {figure}"
            check_figure(what, numbers, true, is_bytes and variance)
            if is_bytes:
                check_variance(what, numbers, true, variance)
    e2e.check(len({run["small"]["total_bytes"] for run in runs}) > N_RUNS / 2,
              "all seeds choose the same samples")


def check_readers(build, dump):
    tool = os.path.join(build, "bin", "alloctrace")
    for command in ("stats", "info"):
        text = e2e.run([tool, command, dump]).stdout.decode()
        e2e.check("estimates from sampling every 16.0 KiB" in text,
                  f"{command} does not say that figures are estimates: {text}")


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as directory:
        program = e2e.compile_program(arguments.build, directory, "sampled.c",
                                      "-O2", "-pthread",
                                      "-Wl,--no-as-needed", "-lm")
        dump = os.path.join(directory, "a.alloctrace")
        plain = run_program(program, dump, ALLOCTRACE="0",
                            ALLOCTRACE_SAMPLE="512KiB")
        e2e.check_equal("off: the dump", os.path.exists(dump), False)
        truth = read_truth(plain)
        # Without sampling the program's own figures are met exactly.
        run_program(program, dump, ALLOCTRACE="all")
        e2e.check_equal("traced", read_estimates(dump), {
            name: figures for name, (figures, _) in truth.items()})
        check_estimates(program, dump, truth)
        check_readers(arguments.build, dump)


e2e.main(test)
