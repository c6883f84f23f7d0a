#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compile and run generated programs that check their own tracebacks.

random_programs.py --cc CC --plugin SO --probe LIB --work DIR [--first N]
                   [--seeds N] [--flags "-O2 -flto"]... [--tail]
                   [--no-computed-goto] [--tool TOOL]
                   [--runner "qemu-arm -L /usr/..."]

--tool: with the real runtime, as for run_program.py, and with jumps out of
instrumented functions into code that is not.
"""
import argparse
import os
import subprocess
import sys

sys.dont_write_bytecode = True
from generate import Program
from run_program import runtime_flags

HERE = os.path.dirname(os.path.abspath(__file__))
LEVELS = ['-O0', '-O1', '-O2', '-O3', '-Os']


def attempt(options, seed, flags):
    base = os.path.join(options.work, f'random{os.getpid()}')
    with open(base + '.c', 'w') as out:
        out.write(Program(seed, options.gotos, bool(options.tool)).write())
    # Folding of equal functions gives calls to another function's copy.
    tail = [] if options.tail else ['-fno-optimize-sibling-calls']
    command = [*options.cc.split(), *flags.split(), '-w', '-fno-ipa-icf', *tail,
               f'-fplugin={options.plugin}', f'-I{HERE}', base + '.c',
               *runtime_flags(options), '-o', base]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode:
        return 'does not compile:\n' + built.stderr
    run = subprocess.run([*options.runner.split(), base] + (['gaps'] if options.tail else []),
                         capture_output=True, text=True, timeout=120,
                         env={**os.environ, 'ALLOCTRACE': 'all',
                              'ALLOCTRACE_DUMP': '/dev/null'})
    if run.returncode:
        return f'exit status {run.returncode}\n{run.stdout}{run.stderr}'
    for suffix in ('.c', ''):
        os.unlink(base + suffix)
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cc', default='gcc')
    parser.add_argument('--plugin', required=True)
    parser.add_argument('--probe', required=True)
    parser.add_argument('--work', default='.')
    parser.add_argument('--first', type=int, default=1)
    parser.add_argument('--seeds', type=int, default=5)
    parser.add_argument('--flags', action='append')
    parser.add_argument('--tail', action='store_true')
    parser.add_argument('--runner', default='')
    parser.add_argument('--tool')
    # Some ways to partition under LTO break the labels' addresses.
    parser.add_argument('--no-computed-goto', dest='gotos',
                        action='store_false')
    options = parser.parse_args()
    n_bad = 0
    for seed in range(options.first, options.first + options.seeds):
        for flags in options.flags or LEVELS:
            message = attempt(options, seed, flags)
            if message:
                n_bad += 1
                print(f'seed {seed}, {flags}: {message}')
    sys.exit(n_bad != 0)


if __name__ == '__main__':
    main()
