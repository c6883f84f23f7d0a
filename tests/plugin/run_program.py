#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build one program in many ways and compare its tracebacks.

run_program.py --plugin SO --probe LIB --work DIR [--tool TOOL] PROGRAM.SUFFIX
               [--compiler GCC] [--runner "qemu-aarch64 -L /usr/..."]
               [--variants "-O0|-O2"] [--also "-O2 -marm"]
               [--drop=-fcf-protection] [--machine aarch64] [--no-assembly]

With --tool the runtime is the real one, linked as `TOOL ldflags` says, and
the probe (watch.c) prints the tracebacks that it gives. --compiler is the C
compiler; the C++ compiler has the same name with g++ in place of gcc. --also
adds to the variants (to a program that has none of its own at that level as it
stands, its options are added to those it has), --drop takes away those that
have the option: what only some targets know. --no-assembly leaves out the asm
checks, which are for x86-64.

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
    // plain: -O2                         also compiled without the plugin,
                                          with -DPLAIN
    // needs: runtime                     nothing without --tool; `probe` is
                                          the opposite
    // machine: x86_64                    nothing on others
    // not: -flto -fPIC                   check_options.py leaves these out

In `expect`, NAME:* stands for any line, size_t for its type. Comments are
those of the language.
"""
import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(HERE, '..', '..', 'include')
ENTRIES = ('malloc calloc realloc reallocarray aligned_alloc memalign '
           'posix_memalign valloc pvalloc strdup strndup').split()
VARIANTS = ['-O0', '-O1', '-O2', '-O3', '-Os', '-Og', '-O2 -g -fPIE -pie',
            '-O2 -fno-pie -no-pie', '-O2 -static', '-O2 -flto',
            '-O0 -flto', '-O2 -flto -ffat-lto-objects',
            '-O2 -fPIC -ffunction-sections -Wl,--gc-sections',
            '-O2 -fpic -fno-semantic-interposition',
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
    """Whether FOUND is as WANTED, in which `:*` is any line's number and
    `size_t` whatever type that is."""
    return len(found) == len(wanted) and all(
        re.fullmatch(re.escape(want).replace(r':\*', r':\d+')
                     .replace('size_t', 'unsigned (?:int|long)'), got)
        for got, want in zip(found, wanted))


def function_text(assembly, name):
    found = re.search(rf'^{name}:\n(.*?)^\t\.size\t{name},', assembly,
                      re.M | re.S)
    return found[1] if found else ''


def check_assembly(options, command, lines, level):
    checks = [text for levels, text in directives(lines, 'asm')
              if levels is None or level in levels]
    if not checks or '-flto' in command or options.no_assembly:
        return []
    assembly = subprocess.run(command + ['-S', options.program, '-o', '-'],
                              check=True, capture_output=True,
                              text=True).stdout
    problems = []
    for check in checks:
        name, pattern = check.split(': ', 1)
        text = function_text(assembly, name)
        is_wanted = not pattern.startswith('!')
        if bool(re.search(pattern.lstrip('!'), text, re.S)) != is_wanted:
            problems.append(f'assembly of {name}: {pattern}\n{text}')
    return problems


def words(lines, keyword):
    return ' '.join(text for _, text in directives(lines, keyword)).split()


def compiler(options):
    """What compiles the program: of C and C++ the compiler that was given."""
    suffix = os.path.splitext(options.program)[1]
    usual = LANGUAGES[suffix][0]
    given = options.compiler.split()
    folder, name = os.path.split(given[0])
    if usual[0] not in ('gcc', 'g++'):
        return usual
    return [os.path.join(folder, name.replace('gcc', usual[0])), *given[1:]]


def compile_plain(options, lines, flags):
    """The part that is not instrumented, if there is one: an object, or with
    position-independent code a shared library."""
    for _, text in directives(lines, 'plain'):
        base = os.path.join(options.work, os.path.basename(options.program))
        is_shared = any(flag.startswith('-fPI') for flag in flags)
        target = base + ('.plain.so' if is_shared else '.plain.o')
        subprocess.run([*compiler(options), *text.split(), f'-I{HERE}',
                        '-DPLAIN',
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
    # D's compiler does not want to hear of C's headers.
    return [*(word for word in text.split()
              if not word.startswith('-idirafter')), options.probe,
            *(f'-Wl,--wrap=__alloctrace_{name}' for name in ENTRIES)]


def link_command(options, command, flags, objects, output):
    """The compiler's command, completed to make a program of it."""
    suffix = os.path.splitext(options.program)[1]
    libraries = [*objects, *runtime_flags(options), *LANGUAGES[suffix][1]]
    if suffix == '.adb':
        # gnatmake has a part of its own for the linker's arguments.
        return [*command, options.program, '-o', output, '-largs', *flags,
                *libraries]
    return [*command, options.program, *libraries, '-o', output]


def build(options, command, flags, objects, output):
    # Some compilers leave files where they run.
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        return subprocess.run(
            link_command(options, command, flags, objects, output),
            capture_output=True, text=True, cwd=work,
            env=dict(os.environ, LC_ALL='C'))


def run(options, output):
    return subprocess.run(
        [*options.runner.split(), output], capture_output=True, text=True,
        timeout=120, cwd=options.work,
        env=dict(os.environ, ALLOCTRACE='all', ALLOCTRACE_DUMP='/dev/null',
                 **SANITIZERS))


def attempt(options, lines, variant):
    level = variant.split()[0]
    folder, name = os.path.split(options.program)
    output = os.path.join(options.work, name + '.exe')
    extra = words(lines, 'flags')
    flags = [*variant.split(), f'-fplugin={options.plugin}', *extra]
    folders = {os.path.dirname(os.path.join(folder, also))
               for _, also in directives(lines, 'also')}
    command = [*compiler(options), *flags, f'-I{HERE}', f'-I{INCLUDE}',
               *(f'-I{path}' for path in sorted(folders))]
    objects = compile_plain(options, lines, [*extra, *variant.split()])
    built = build(options, command, flags, objects, output)
    refusals = [text for _, text in directives(lines, 'error')]
    if refusals:
        said = built.stderr.splitlines()
        return [] if built.returncode and said == refusals else [
            'expected', *refusals, 'found', *said]
    if built.returncode or built.stderr:
        return ['compiler: ' + built.stderr]
    ran = run(options, output)
    want = list(expected(lines, level, folder))
    got = ran.stdout.splitlines()
    problems = check_assembly(options, command, lines, level)
    if not same_lines(got, want):
        problems += ['expected'] + want + ['found'] + got
    if ran.returncode or ran.stderr:
        problems.append(f'exit status {ran.returncode}: {ran.stderr}')
    return problems


def is_meant(options, lines):
    """Whether the program says something about this runtime and machine."""
    other = 'probe' if options.tool else 'runtime'
    return (words(lines, 'needs') != [other]
            and words(lines, 'machine') in ([], [options.machine]))


def own_variants(lines):
    return [v for _, text in directives(lines, 'variants')
            for v in text.split('|')]


def also_of(options, lines):
    """The variants of --also, as far as they are the program's: one that is
    about -O2 -flto alone is tried with -O2 -flto -fno-plt, not -O2 -fno-plt."""
    own = own_variants(lines)
    for variant in options.also.split('|') if options.also else []:
        level, *more = variant.split()
        if not own or level in own:
            yield variant
        else:
            yield from (' '.join([v, *more]) for v in own
                        if v.split()[0] == level)


def variants_of(options, lines):
    variants = own_variants(lines)
    if options.variants:
        variants = [v for v in options.variants.split('|')
                    if not variants or v in variants]
    elif not variants:
        variants = VARIANTS
    variants = [v for v in variants if options.drop not in v.split()]
    if words(lines, 'needs') == ['runtime']:
        # A static program keeps the C library's own ways out of functions.
        variants = [v for v in variants if '-static' not in v.split()]
    return [*variants, *also_of(options, lines)]


def arguments_parser():
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
    return parser


def arguments():
    parser = arguments_parser()
    parser.add_argument('program')
    options = parser.parse_args()
    options.program = os.path.abspath(options.program)
    options.work = os.path.abspath(options.work)
    return options


def main():
    options = arguments()
    lines = read(options.program)
    if not is_meant(options, lines):
        return
    n_bad = 0
    for variant in variants_of(options, lines):
        problems = attempt(options, lines, variant)
        if problems:
            n_bad += 1
            print(f'== {variant}', *problems, sep='\n')
    sys.exit(n_bad != 0)


if __name__ == '__main__':
    main()
