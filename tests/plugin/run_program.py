#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build one program in many ways and compare its tracebacks.

run_program.py --plugin SO --probe LIB --work DIR [--tool TOOL] PROGRAM.c
               [--compiler GCC] [--runner "qemu-aarch64 -L /usr/..."]
               [--variants "-O0|-O2"] [--also "-O2 -marm"]
               [--drop=-fcf-protection] [--machine aarch64] [--no-assembly]

With --tool the runtime is the real one, linked as `TOOL ldflags` says, and
the probe (watch.c) prints the tracebacks that it gives.

--compiler is the C compiler; the C++ compiler has the same name with g++ in
place of gcc. --also adds to the variants, --drop takes away those that have
the option: what only some targets know. --no-assembly leaves out the asm
checks, which are for x86-64.

The program's comments say what is to come:

    // expect: malloc inner@here < main@call      whole lines of output, in
    // expect: text the program prints            order; NAME@MARK stands for
    ... inner();  /* @call */                     the line with that mark
    // expect[-O0 -O1]: ...                       at these levels only
    // flags: -fexceptions                        added to all
    // plain: -O2                                 also compiled without the
                                                  plugin, with -DPLAIN
    // needs: runtime                             nothing without --tool
    // machine: x86_64                            nothing on others
    // variants: -O0|-O2                          instead of the usual ones
    // asm[-O2]: FUNCTION: jmp __alloctrace_malloc   regular expression, found
    // asm[-O2]: FUNCTION: !alloctrace_thread        (or not) in its assembly
"""
import argparse
import os
import platform
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(HERE, '..', '..', 'include')
ENTRIES = ('malloc calloc realloc reallocarray aligned_alloc memalign '
           'posix_memalign valloc pvalloc strdup strndup').split()
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


def check_assembly(options, command, lines, level, path):
    checks = [text for levels, text in directives(lines, 'asm')
              if levels is None or level in levels]
    if not checks or '-flto' in command or options.no_assembly:
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


def compiler(options, is_cxx):
    words = options.compiler.split()
    if is_cxx:
        folder, name = os.path.split(words[0])
        words[0] = os.path.join(folder, name.replace('gcc', 'g++'))
    return words


def words(lines, keyword):
    return ' '.join(text for _, text in directives(lines, keyword)).split()


def compile_plain(options, lines, command, flags):
    """The part that is not instrumented, if there is one: an object, or with
    position-independent code a shared library."""
    for _, text in directives(lines, 'plain'):
        base = os.path.join(options.work, os.path.basename(options.program))
        is_shared = any(flag.startswith('-fPI') for flag in flags)
        target = base + ('.plain.so' if is_shared else '.plain.o')
        subprocess.run([*command, *text.split(), f'-I{HERE}', '-DPLAIN',
                        *(['-shared', '-fPIC'] if is_shared else ['-c']),
                        options.program, '-o', target], check=True)
        return [target]
    return []


def runtime_flags(options):
    """What links the program with what gives tracebacks."""
    if not options.tool:
        return [options.probe]
    text = subprocess.run([options.tool, 'ldflags'], check=True,
                          capture_output=True, text=True).stdout
    return [*text.split(), options.probe,
            *(f'-Wl,--wrap=__alloctrace_{name}' for name in ENTRIES)]


def attempt(options, lines, flags):
    level = flags.split()[0]
    extra = words(lines, 'flags')
    path = options.program
    is_cxx = path.endswith('.cc')
    output = os.path.join(options.work, os.path.basename(path) + '.exe')
    command = [*compiler(options, is_cxx), *flags.split(), *extra,
               f'-fplugin={options.plugin}', f'-I{HERE}', f'-I{INCLUDE}']
    plain = compile_plain(options, lines, compiler(options, is_cxx),
                          [*extra, *flags.split()])
    built = subprocess.run(
        command + [path, *plain, *runtime_flags(options), '-o', output],
        capture_output=True, text=True)
    if built.returncode or built.stderr:
        return ['compiler: ' + built.stderr]
    run = subprocess.run([*options.runner.split(), output],
                         capture_output=True, text=True, timeout=60,
                         env={**os.environ, 'ALLOCTRACE': 'all',
                              'ALLOCTRACE_DUMP': '/dev/null'})
    want = list(expected(lines, level))
    got = run.stdout.splitlines()
    problems = check_assembly(options, command, lines, level, path)
    if got != want:
        problems += ['expected'] + want + ['found'] + got
    if run.returncode or run.stderr:
        problems.append(f'exit status {run.returncode}: {run.stderr}')
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--plugin', required=True)
    parser.add_argument('--probe', required=True)
    parser.add_argument('--work', default='.')
    parser.add_argument('--compiler', default='gcc')
    parser.add_argument('--runner', default='')
    parser.add_argument('--variants')
    parser.add_argument('--also')
    parser.add_argument('--drop')
    parser.add_argument('--machine', default=platform.machine())
    parser.add_argument('--no-assembly', action='store_true')
    parser.add_argument('--tool')
    parser.add_argument('program')
    options = parser.parse_args()
    with open(options.program) as source:
        lines = source.read().split('\n')
    if words(lines, 'needs') and not options.tool:
        return
    if words(lines, 'machine') not in ([], [options.machine]):
        return
    variants = [v for _, text in directives(lines, 'variants')
                for v in text.split('|')]
    if not variants or options.variants:
        variants = options.variants.split('|') if options.variants else VARIANTS
    variants = [v for v in variants if options.drop not in v.split()]
    if options.also:
        variants += options.also.split('|')
    n_bad = 0
    for flags in variants:
        # A static program keeps the C library's own ways out of functions.
        if words(lines, 'needs') and '-static' in flags:
            continue
        problems = attempt(options, lines, flags)
        if problems:
            n_bad += 1
            print(f'== {flags}', *problems, sep='\n')
    sys.exit(n_bad != 0)


if __name__ == '__main__':
    main()
