#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole programs with ALLOCTRACE_VERIFY=1: every path that a hash stood for
is compared with the frames; no two may share one, and none may be damaged.

    verify.py PROGRAM BUILD
"""
import os

import e2e


def test():
    arguments = e2e.parse_arguments("program")
    with e2e.scratch() as directory:
        for level in e2e.LEVELS:
            dump = os.path.join(directory, f"{level}.alloctrace")
            for limit in ("all", "1", "4"):
                result = e2e.run(
                    [e2e.program_path(arguments.build, arguments.program,
                                      level, "trace"),
                     *e2e.PROGRAMS[arguments.program]],
                    e2e.environment(ALLOCTRACE=limit, ALLOCTRACE_VERIFY="1",
                                    ALLOCTRACE_DUMP=dump))
                e2e.check_equal("exit status", result.status, 0)
                e2e.check_equal("standard error", result.stderr, b"")
                summary = e2e.read_summary(dump)
                print(f"{arguments.program} -{level}, {limit}: "
                      f"{summary['total_blocks']} allocations verified")
                e2e.check_equal("collisions", summary["collisions"], 0)
                e2e.check_equal("bad frames", summary["bad_frames"], 0)


e2e.main(test)
