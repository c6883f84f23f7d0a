#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every program with every option of the compiler: whole tracebacks.

check_options.py --plugin SO --probe LIB --work DIR [--full | --every]
                 [--jobs N] [PROGRAM...]

Without --full, QUICK with all options and QUICK_CELLS, at -O2; with it, all
of both at -O2 and, by turns, at -O0 or -O3; with --every at all three. A line
a program is printed as it is done. What a program expects stands in its
comments, see run_program.py.
"""
import argparse
import concurrent.futures
import glob
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True
from run_program import (HERE, arguments_parser, attempt, is_meant,
                         own_variants, read, words)

LEVELS = ('-O0', '-O2', '-O3')
# The third: GCC 12 forgets with -fprofile-use that setjmp returns twice.
QUICK = ('calls.c', 'throw.cc', 'builtin_jumps.c')
# Options that change what exactly one program of the others is about: GCC then
# loads a pointer to a function by way of a copy; vfork is a fork.
QUICK_CELLS = {
    'pools.c': ['-fexceptions -fnon-call-exceptions'],
    'vfork.c': ['-fsanitize=thread -fno-builtin-free'],
}

# One or more a cell; `=>`: the first makes what the second one uses. Without
# -fno-builtin-free GCC 12 takes away a malloc whose block is only written to,
# with the plugin or without.
OPTIONS = '''
-Ofast
-Og
-flto=auto
-flto=2 -flto-partition=max -fno-builtin-free
-flto=2 -flto-partition=none
-flto=2 -flto-partition=one
-flto -ffat-lto-objects -fno-use-linker-plugin
-flto -fwhole-program
-flto -ffat-lto-objects -fno-lto
-fwhole-program
-fprofile-generate => -fprofile-use -Wmissing-profile
-fprofile-generate -flto => -fprofile-use -flto -Wmissing-profile
-fprofile-arcs -ftest-coverage
-pg
-finstrument-functions
-fsanitize=address
-fsanitize=undefined
-fsanitize=thread -fno-builtin-free
-fsanitize=address,undefined -flto
-fcf-protection=full
-fcf-protection=none
-fstack-protector-strong
-fstack-protector-all
-fstack-clash-protection
-D_FORTIFY_SOURCE=2
-fsplit-stack
-fPIC
-fPIE
-fpic -fno-semantic-interposition
-static
-static-pie -fPIE
-fno-plt
-mcmodel=medium -fno-pie -no-pie
-mcmodel=large -fno-pie -no-pie
-mcmodel=medium -fPIC
-mcmodel=large -fPIC
-mtls-dialect=gnu2
-g0
-g3
-gsplit-dwarf
-gdwarf-4
-gno-statement-frontiers -g
-ffunction-sections -fdata-sections -Wl,--gc-sections
-fno-toplevel-reorder
-pipe
-save-temps
-no-integrated-cpp
-fno-omit-frame-pointer
-fomit-frame-pointer
-mno-red-zone
-masm=intel
-mavx2
-march=native
-ftrapv
-fwrapv
-fexceptions
-fexceptions -fnon-call-exceptions
-fno-asynchronous-unwind-tables
-fno-dwarf2-cfi-asm
-fopenmp
-pthread
-ftree-parallelize-loops=2
-fno-inline
-fkeep-inline-functions
-fno-ipa-ra -fno-ipa-sra -fno-ipa-cp
-fipa-pta
-fzero-call-used-regs=all
-fpatchable-function-entry=8
-mindirect-branch=thunk -fcf-protection=none
-Wall -Wextra
'''

# What a program cannot do with or without this plugin: options by program.
NOT_FOR = {
    # GCC itself: labels whose addresses are taken are lost between parts.
    'gotos.c': ['-flto=2 -flto-partition=max -fno-builtin-free'],
}


def cells():
    for line in OPTIONS.strip().splitlines():
        yield [step.strip() for step in line.split('=>')]


def is_chosen(options, name, steps):
    """Whether the cell is one of those that PROGRAM is tried with."""
    if options.programs or options.full or options.every or name in QUICK:
        return True
    return steps[0] in QUICK_CELLS[name]


def cell_problems(options, lines, level, steps):
    # What another cell's program counted is not this one's.
    for left in glob.glob(os.path.join(options.work, '*.gcda')):
        os.unlink(left)
    for step in steps:
        problems = attempt(options, lines, f'{level} {step}')
        if problems:
            return [f'== {level} {step}', *problems]
    return []


def refused(lines, level, steps):
    """Whether the program names an option of the cell behind `// not: `."""
    named = words(lines, 'not')
    return any(word in named
               for step in steps for word in [level, *step.split()])


def levels_of(options, i_program, i_cell):
    """-O2 always; with --full one more level, and with --every all."""
    if list(cells())[i_cell][0] in ('-Ofast', '-Og'):
        return ('-O2',)  # its own level counts, and no -O0 before it
    if options.every:
        return LEVELS
    other = ('-O0', '-O3')[(i_program + i_cell) % 2]
    return ('-O2', other) if options.full else ('-O2',)


def program_problems(options, i_program, program):
    # What the assembly looks like is another test's part.
    lines = [line for line in read(program) if not line.startswith('// asm')]
    if not is_meant(options, lines):
        return
    name = os.path.basename(program)
    allowed = own_variants(lines)
    for i_cell, steps in enumerate(cells()):
        if not is_chosen(options, name, steps):
            continue
        if any(step in NOT_FOR.get(name, ()) for step in steps):
            continue
        for level in levels_of(options, i_program, i_cell):
            if (not allowed or level in allowed) and not refused(
                    lines, level, steps):
                yield from cell_problems(options, lines, level, steps)


def check_program(options, i_program, program):
    """Print what fails; whether anything does."""
    start = time.monotonic()
    options = argparse.Namespace(**vars(options))
    options.program = os.path.abspath(program)
    # The compiler's files beside the output are the program's own.
    options.work = os.path.join(options.work, str(i_program))
    os.makedirs(options.work)
    problems = list(program_problems(options, i_program, options.program))
    shutil.rmtree(options.work)
    print(f'{"BAD" if problems else "good"} {os.path.basename(program)} '
          f'{time.monotonic() - start:.0f} s', *problems, sep='\n',
          flush=True)
    return bool(problems)


def arguments():
    parser = arguments_parser()
    parser.add_argument('--full', action='store_true')
    parser.add_argument('--every', action='store_true')
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('programs', nargs='*')
    options = parser.parse_args()
    options.work = os.path.join(os.path.abspath(options.work),
                                f'options{os.getpid()}')
    return options


def main():
    options = arguments()
    folder = os.path.join(HERE, 'programs')
    programs = options.programs or sorted(
        glob.glob(folder + '/*.c') + glob.glob(folder + '/*.cc')
        if options.full or options.every
        else [os.path.join(folder, name) for name in (*QUICK, *QUICK_CELLS)])
    os.makedirs(options.work)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        are_bad = list(pool.map(
            lambda each: check_program(options, *each), enumerate(programs)))
    shutil.rmtree(options.work)
    sys.exit(any(are_bad))


if __name__ == '__main__':
    main()
