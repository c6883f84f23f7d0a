#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every program with every option of the compiler: whole tracebacks.

check_options.py --plugin SO --probe LIB --work DIR [--full] [PROGRAM...]

Without --full, one program of C and one of C++ at -O2; with it, all of both
at each of LEVELS. What a program expects stands in its comments, see
run_program.py.
"""
import glob
import os
import shutil
import sys

sys.dont_write_bytecode = True
from run_program import HERE, arguments_parser, attempt, directives, read

LEVELS = ('-O0', '-O2', '-O3')
QUICK = ('calls.c', 'throw.cc')

# One or more a cell; `=>`: the first makes what the second one uses.
OPTIONS = '''
-Ofast
-Og
-flto=auto
-flto=2 -flto-partition=max
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
-fsanitize=thread
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
    'gotos.c': ['-flto=2 -flto-partition=max'],
}


def cells():
    for line in OPTIONS.strip().splitlines():
        yield [step.strip() for step in line.split('=>')]


def cell_problems(options, lines, level, steps):
    # What another cell's program counted is not this one's.
    for left in glob.glob(os.path.join(options.work, '*.gcda')):
        os.unlink(left)
    for step in steps:
        problems = attempt(options, lines, f'{level} {step}')
        if problems:
            return [f'== {level} {step}', *problems]
    return []


def program_problems(options, program, levels):
    options.program = program
    # What the assembly looks like is another test's part.
    lines = [line for line in read(program) if not line.startswith('// asm')]
    name = os.path.basename(program)
    allowed = [v for _, text in directives(lines, 'variants')
               for v in text.split('|')]
    for level in levels:
        if allowed and level not in allowed:
            continue
        for steps in cells():
            if not any(step in NOT_FOR.get(name, ()) for step in steps):
                yield from cell_problems(options, lines, level, steps)
    for left in glob.glob(os.path.join(options.work, name + '.exe*')):
        os.unlink(left)


def main():
    parser = arguments_parser()
    parser.add_argument('--full', action='store_true')
    parser.add_argument('programs', nargs='*')
    options = parser.parse_args()
    options.work = os.path.join(os.path.abspath(options.work),
                                f'options{os.getpid()}')
    os.makedirs(options.work)
    folder = os.path.join(HERE, 'programs')
    programs = options.programs or sorted(
        [os.path.join(folder, name) for name in QUICK] if not options.full
        else glob.glob(folder + '/*.c') + glob.glob(folder + '/*.cc'))
    is_bad = False
    for program in programs:
        problems = list(program_problems(
            options, os.path.abspath(program),
            LEVELS if options.full else ('-O2',)))
        if problems:
            print(program, *problems, sep='\n')
            is_bad = True
    shutil.rmtree(options.work)
    sys.exit(is_bad)


if __name__ == '__main__':
    main()
