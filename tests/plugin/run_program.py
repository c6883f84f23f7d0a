#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build one program in many ways and compare its tracebacks.

run_program.py --plugin SO --probe LIB --work DIR PROGRAM.c

The program's comments say what is to come:

    // expect: malloc inner@here < main@call      whole lines of output, in
    // expect: text the program prints            order; NAME@MARK stands for
    ... inner();  /* @call */                     the line with that mark
    // expect[-O0 -O1]: ...                       at these levels only
    // flags: -fexceptions                        added to all
    // variants: -O0|-O2                          instead of the usual ones
    // asm[-O2]: FUNCTION: jmp __alloctrace_malloc   regular expression, found
    // asm[-O2]: FUNCTION: !alloctrace_thread        (or not) in its assembly
"""
import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VARIANTS = ['-O0', '-O1', '-O2', '-O3', '-Os', '-Og', '-O2 -g -fPIE -pie',
            '-O2 -fno-pie -no-pie', '-O2 -static', '-O2 -flto',
            '-O0 -flto', '-O2 -flto -ffat-lto-objects',
            '-O2 -fPIC -ffunction-sections -Wl,--gc-sections',
            '-O2 -fcf-protection -fstack-protector-strong']


def directives(lines, keyword):
    """(levels or None, text) of each '// keyword[levels]: text'."""
    for line in lines:
        found = re.match(r'// %s(?:\[([^]]*)\])?: (.*)' % keyword, line)
        if found:
            yield (found[1].split() if found[1] else None), found[2]


def expected(lines, level):
    marks = {mark: number for number, line in enumerate(lines, 1)
             for mark in re.findall(r'/\* @(\w+) \*/', line)}
    for levels, text in directives(lines, 'expect'):
        if levels is None or level in levels:
            yield re.sub(r'@(\w+)', lambda m: f':{marks[m[1]]}', text)


def function_text(assembly, name):
    found = re.search(rf'^{name}:\n(.*?)^\t\.size\t{name},', assembly,
                      re.M | re.S)
    return found[1] if found else ''


def check_assembly(command, lines, level, path):
    checks = [text for levels, text in directives(lines, 'asm')
              if levels is None or level in levels]
    if not checks or '-flto' in command:
        return []
    assembly = subprocess.run(command + ['-S', path, '-o', '-'], check=True,
                              capture_output=True, text=True).stdout
    problems = []
    for check in checks:
        name, pattern = check.split(': ', 1)
        text = function_text(assembly, name)
        is_wanted = not pattern.startswith('!')
        if bool(re.search(pattern.lstrip('!'), text, re.S)) != is_wanted:
            problems.append(f'assembly of {name}: {pattern}\n{text}')
    return problems


def attempt(options, lines, flags):
    level = flags.split()[0]
    extra = ' '.join(text for _, text in directives(lines, 'flags')).split()
    path = options.program
    is_cxx = path.endswith('.cc')
    output = os.path.join(options.work, os.path.basename(path) + '.exe')
    command = ['g++' if is_cxx else 'gcc', *flags.split(),
               f'-fplugin={options.plugin}', f'-I{HERE}', *extra]
    built = subprocess.run(command + [path, options.probe, '-o', output],
                           capture_output=True, text=True)
    if built.returncode or built.stderr:
        return ['compiler: ' + built.stderr]
    run = subprocess.run([output], capture_output=True, text=True, timeout=60)
    want = list(expected(lines, level))
    got = run.stdout.splitlines()
    problems = check_assembly(command, lines, level, path)
    if got != want:
        problems += ['expected'] + want + ['found'] + got
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
    with open(options.program) as source:
        lines = source.read().split('\n')
    variants = [v for _, text in directives(lines, 'variants')
                for v in text.split('|')] or VARIANTS
    n_bad = 0
    for flags in variants:
        problems = attempt(options, lines, flags)
        if problems:
            n_bad += 1
            print(f'== {flags}', *problems, sep='\n')
    sys.exit(n_bad != 0)


if __name__ == '__main__':
    main()
