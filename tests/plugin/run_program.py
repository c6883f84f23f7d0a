#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build one program in many ways and compare its tracebacks.

run_program.py --plugin SO --probe LIB --work DIR PROGRAM.SUFFIX

The program's comments say what is to come:

    // expect: malloc inner@here < main@call      whole lines of output, in
    // expect: text the program prints            order; NAME@MARK stands for
    ... inner();  /* @call */                     the line with that mark
    // expect[-O0 -O1]: ...                       at these levels only
    // flags: -fexceptions                        added to all
    // variants: -O0|-O2                          instead of the usual ones
    // asm[-O2]: FUNCTION: jmp __alloctrace_malloc   regular expression, found
    // asm[-O2]: FUNCTION: !alloctrace_thread        (or not) in its assembly
    // also: FILE                         further source, with marks of its own
    // error: text                        what the compiler says in refusing it

In `expect`, NAME:* stands for any line. Comments are those of the language.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
VARIANTS = ['-O0', '-O1', '-O2', '-O3', '-Os', '-Og', '-O2 -g -fPIE -pie',
            '-O2 -fno-pie -no-pie', '-O2 -static', '-O2 -flto',
            '-O0 -flto', '-O2 -flto -ffat-lto-objects',
            '-O2 -fPIC -ffunction-sections -Wl,--gc-sections',
            '-O2 -fcf-protection -fstack-protector-strong',
            '-O2 -Wall -Wextra']
# How a program of each suffix is compiled and linked: what stands before the
# flags, and what at the end.
LANGUAGES = {
    '.c': (['gcc'], []),
    '.cc': (['g++'], []),
    '.f90': (['gfortran'], []),
    '.adb': (['gnatmake', '-q', '-f'], []),
    '.d': (['gdc'], []),
    '.go': (['gccgo'], []),
    '.m': (['gcc'], ['-lobjc']),
    '.mm': (['g++'], ['-lobjc']),
}
# What sanitizers would report, and programs do on purpose.
SANITIZERS = {'ASAN_OPTIONS': 'detect_leaks=0',
              'TSAN_OPTIONS': 'report_signal_unsafe=0'}
COMMENT = r'(?://|-- |!)'


def directives(lines, keyword):
    """(levels or None, text) of each '// keyword[levels]: text'."""
    for line in lines:
        found = re.match(COMMENT + r' %s(?:\[([^]]*)\])?: (.*)' % keyword,
                         line)
        if found:
            yield (found[1].split() if found[1] else None), found[2]


def read(path):
    with open(path) as source:
        return source.read().split('\n')


def marks_of(lines):
    return {mark: number for number, line in enumerate(lines, 1)
            for mark in re.findall(r'(?:/\*|--|!|//) @(\w+)\b', line)}


def expected(lines, level, folder):
    marks = marks_of(lines)
    for _, name in directives(lines, 'also'):
        marks.update(marks_of(read(os.path.join(folder, name))))
    for levels, text in directives(lines, 'expect'):
        if levels is None or level in levels:
            yield re.sub(r'@(\w+)', lambda m: f':{marks[m[1]]}', text)


def same_lines(found, wanted):
    """Whether FOUND is as WANTED, in which `:*` is any line's number."""
    return len(found) == len(wanted) and all(
        re.fullmatch(re.escape(want).replace(r':\*', r':\d+'), got)
        for got, want in zip(found, wanted))


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


def link_command(command, flags, path, probe, output):
    """The compiler's command, completed to make a program of it."""
    suffix = os.path.splitext(path)[1]
    if suffix == '.adb':
        # gnatmake has a part of its own for the linker's arguments.
        return [*command, path, '-o', output, '-largs', *flags, probe]
    return [*command, path, probe, *LANGUAGES[suffix][1], '-o', output]


def attempt(options, lines, flags):
    level = flags.split()[0]
    extra = ' '.join(text for _, text in directives(lines, 'flags')).split()
    folder, name = os.path.split(os.path.abspath(options.program))
    output = os.path.join(options.work, name + '.exe')
    arguments = [*flags.split(), *extra, f'-fplugin={options.plugin}']
    folders = {os.path.dirname(os.path.join(folder, also))
               for _, also in directives(lines, 'also')}
    command = [*LANGUAGES[os.path.splitext(name)[1]][0], *arguments,
               f'-I{HERE}', *(f'-I{path}' for path in sorted(folders))]
    # Some compilers leave files where they run.
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        built = subprocess.run(
            link_command(command, arguments, options.program, options.probe,
                         output),
            capture_output=True, text=True, cwd=work,
            env=dict(os.environ, LC_ALL='C'))
    refusals = [text for _, text in directives(lines, 'error')]
    if refusals:
        said = built.stderr.splitlines()
        return [] if built.returncode and said == refusals else [
            'expected', *refusals, 'found', *said]
    if built.returncode or built.stderr:
        return ['compiler: ' + built.stderr]
    run = subprocess.run([output], capture_output=True, text=True, timeout=60,
                         cwd=options.work,
                         env=dict(os.environ, **SANITIZERS))
    want = list(expected(lines, level, folder))
    got = run.stdout.splitlines()
    problems = check_assembly(command, lines, level, options.program)
    if not same_lines(got, want):
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
    options.program = os.path.abspath(options.program)
    options.work = os.path.abspath(options.work)
    lines = read(options.program)
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
