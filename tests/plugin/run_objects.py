#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build one program in many ways and compare what is known of its objects.

run_objects.py --plugin SO --probe LIB --work DIR PROGRAM

Behind a call the program's comment says what its record is to carry:

    c->rbuf = malloc(n); /* = char (1), c->rbuf */
    return xmalloc(n);   /* = ?, ?, R */

the type with the size of one object, the destination, and R if the result is
returned; ? stands for unknown. And of calls that allocate somewhere below:

    v.push_back(1);      // ~ int (4)

the innermost type that is known. Several on one line are separated by |. Every
such line must show up in every variant, with exactly that.
"""
import argparse
import collections
import os
import re
import subprocess
import sys

COMPILERS = {'.c': 'gcc', '.cc': 'g++', '.f90': 'gfortran'}
VARIANTS = ['-O0', '-O1', '-O2', '-O3', '-Os', '-O2 -g', '-O0 -flto',
            '-O0 -fexceptions -fnon-call-exceptions',
            '-O2 -fexceptions -fnon-call-exceptions',
            '-O2 -flto', '-O2 -flto -ffat-lto-objects',
            '-O3 -flto=2 -flto-partition=max']


def expected(path):
    """Yields (line, '=' or '~', set of texts)."""
    with open(path) as source:
        for number, line in enumerate(source, 1):
            found = re.search(r'(?:/\*|//|!) ([=~]) (.*?)\s*(?:\*/)?$', line)
            if found:
                yield number, found[1], set(found[2].split(' | '))


def observed(output, name):
    """(line, '=' or '~') => set of texts."""
    objects = collections.defaultdict(set)
    for allocation in output.split('\n\n'):
        records = [re.match(r'(.*?):(\d+) (.*?)(, [^,]*(?:, R)?)$', line)
                   for line in allocation.splitlines()]
        records = [found for found in records if found]
        known = [found[3] for found in records if found[3] != '?']
        for found in records:
            if found[1] == name:
                objects[int(found[2]), '='].add(found[3] + found[4])
                objects[int(found[2]), '~'].add(known[0] if known else '?')
    return objects


def attempt(options, flags):
    path = options.program
    name = os.path.basename(path)
    program = os.path.join(options.work, name + '.objects.exe')
    command = [COMPILERS[os.path.splitext(name)[1]], *flags.split(),
               f'-fplugin={options.plugin}', path, options.probe,
               '-o', program, '-J', options.work]
    if not name.endswith('.f90'):
        command = command[:-2]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode or built.stderr:
        return ['compiler: ' + built.stderr]
    run = subprocess.run([program], capture_output=True, text=True,
                         timeout=120, env={**os.environ, 'PROBE_OBJECTS': '1'})
    found = observed(run.stdout, name)
    problems = [f'{name}:{line}: expected {" | ".join(sorted(want))}, found '
                f'{" | ".join(sorted(found[line, kind])) or "nothing"}'
                for line, kind, want in expected(path)
                if found[line, kind] != want]
    if run.returncode:
        problems.append(f'exit status {run.returncode}: {run.stderr}')
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--plugin', required=True)
    parser.add_argument('--probe', required=True)
    parser.add_argument('--work', default='.')
    parser.add_argument('program')
    options = parser.parse_args()
    if not list(expected(options.program)):
        sys.exit('the program expects nothing')
    n_bad = 0
    for flags in VARIANTS:
        problems = attempt(options, flags)
        if problems:
            n_bad += 1
            print(f'== {flags}', *problems, sep='\n')
    sys.exit(n_bad != 0)


if __name__ == '__main__':
    main()
