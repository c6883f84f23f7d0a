#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the compiler can be given to read, and that it writes the same twice.

check_inputs.py --plugin SO --probe LIB --work DIR
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from check_driver import Driver

MAIN = '''#include <stdlib.h>
void *volatile p;
int main(void)
{
    p = malloc(3);
    free(p);
    return 0;
}
'''
SAYS = 'malloc main:5\n'
HEADER = '''#include <stdlib.h>
#include <string.h>
void *volatile p;
static __attribute__((noinline, unused)) void *allocate(int n)
{
    p = malloc(n);
    return p;
}
#ifdef __ALLOCTRACE__
static inline int is_traced(void) { return 1; }
#else
static inline int is_traced(void) { return 0; }
#endif
'''
NAMES = ('\u00fc\u4e2d \u00f1.c', 'q"uote.c', 'back\\slash.c', "sing'le.c",
         'dollar$HOME.c', 'per%d%s.c', 'tab\there.c', 'x' * 200 + '.c')


def strings_of(driver, path):
    """The strings of the object's records."""
    return driver.run('strings', '-n1', '-es', '-a', path).stdout.splitlines()


def precompiled_headers(driver):
    driver.path('all.h', HEADER)
    probe = driver.options.probe
    for compiler, language, end in (('gcc', 'c', 'c'), ('g++', 'c++', 'cc')):
        name = 'allocate' if end == 'c' else 'allocate(int)'
        driver.path('use.' + end, '#include "all.h"\n'
                    'int main(void) { free(allocate(4)); return '
                    'is_traced() - 1; }\n')
        for flags in (['-O0'], ['-O2', '-g'], ['-O2', '-g3', '-flto']):
            for plugin in ([], [f'-fplugin={driver.options.plugin}']):
                driver.run(compiler, *flags, *plugin, '-x',
                           language + '-header', 'all.h', '-o', 'all.h.gch')
                built = driver.gcc(*flags, 'use.' + end, probe, '-o', 'use',
                                   program=compiler)
                ran = driver.run('./use')
                what = f'{compiler} {flags}, header made with {plugin}'
                driver.same(what, built.stderr + ran.stdout,
                            f'malloc {name}:6 < main:2\n')
                driver.same(what, ran.returncode, 0)
        os.unlink(driver.path('all.h.gch'))


def standard_input(driver):
    built = subprocess.run(
        ['gcc', f'-fplugin={driver.options.plugin}', '-O2', '-x', 'c', '-',
         '-x', 'none', driver.options.probe, '-o', 'stdin'], input=MAIN,
        capture_output=True, text=True, cwd=driver.folder)
    ran = driver.run('./stdin')
    driver.same('source from standard input', built.stderr + ran.stdout, SAYS)


def unity(driver):
    os.makedirs(driver.path('sub'), exist_ok=True)
    driver.path('sub/one.c', 'static void *one(int n)\n{\n'
                '    return malloc(n);\n}\n')
    driver.path('unity.c', '#include <stdlib.h>\n#include "sub/one.c"\n'
                'void *volatile p;\n'
                'int main(void) { p = one(3); return 0; }\n')
    for level in ('-O0', '-O2'):
        built = driver.gcc(level, 'unity.c', driver.options.probe, '-o', 'u')
        ran = driver.run('./u')
        driver.same('a file that includes files', built.stderr + ran.stdout,
                    'malloc one:3 < main:4\n')
        found = strings_of(driver, 'u')
        driver.check('each place has its file', 'unity.c' in found and
                     'sub/one.c' in found, found)


def file_names(driver):
    for folder in ('.', 'a "dir" \\ with'):
        os.makedirs(driver.path(folder), exist_ok=True)
        for name in NAMES:
            path = os.path.join(folder, name)
            driver.path(path, MAIN)
            built = driver.gcc('-O2', path, driver.options.probe, '-o', 'name')
            ran = driver.run('./name')
            driver.same(f'compiled {path}', built.stderr + ran.stdout, SAYS)
            with open(driver.path('name'), 'rb') as program:
                driver.check(f'the record says {path}',
                             b'\0' + path.encode() + b'\0' in program.read())


def line_directives(driver):
    driver.path('lines.c', MAIN.replace(
        '    p =', '#line 70000 "gen \\"q\\" \\\\x.y"\n    p =').replace(
            '    free', '#line 2147483647\n    p = realloc(p, 4);\n    free'))
    built = driver.gcc('-O2', 'lines.c', driver.options.probe, '-o', 'lines')
    ran = driver.run('./lines')
    driver.same('#line', built.stderr + ran.stdout,
                'malloc main:70000\nrealloc main:2147483647\n')
    with open(driver.path('lines'), 'rb') as program:
        driver.check('the record says what #line says',
                     b'\0gen "q" \\x.y\0' in program.read())


def long_lines(driver):
    driver.path('long.c', MAIN.replace('    p =', ' ' * 100000 + 'p ='))
    built = driver.gcc('-O2', 'long.c', driver.options.probe, '-o', 'long')
    ran = driver.run('./long')
    driver.same('a long line', built.stderr + ran.stdout, SAYS)
    # More columns than a record has room for.
    text = driver.gcc('-O2', '-S', 'long.c', '-o', '-').stdout
    columns = [int(n) for n in re.findall(r'\t\.short\t(\d+)', text)]
    driver.check('columns end at 65535 or are not known',
                 columns and max(columns) <= 65535, columns)


def built_bytes(driver, folder, flags):
    """The object of the same source, compiled in FOLDER under its path."""
    os.makedirs(driver.path(folder), exist_ok=True)
    source = driver.path(os.path.join(folder, 'main.c'), MAIN)
    top = os.path.dirname(source)
    built = driver.gcc('-O2', *(f.format(top=top) for f in flags), '-c',
                       source, '-o', source + '.o')
    driver.same('and no word', built.stderr, '')
    with open(source + '.o', 'rb') as made:
        return made.read()


def reproducible(driver):
    for flags in ([], ['-g'], ['-O0'], ['-ffunction-sections'],
                  ['-flto', '-frandom-seed=1'],
                  ['-flto', '-ffat-lto-objects', '-frandom-seed=1']):
        one, two = (built_bytes(driver, 'first', flags) for _ in range(2))
        driver.check(f'{flags}: the same twice', one == two)


def mapped_folders(driver):
    """Two folders, one object: nothing of the path is left."""
    for option in ('-ffile-prefix-map', '-fmacro-prefix-map'):
        flags = [option + '={top}=/mapped', '-g0']
        one, two = (built_bytes(driver, folder, flags)
                    for folder in ('first', 'second folder'))
        driver.check(f'{option}: the record has the mapped name',
                     b'\0/mapped/main.c\0' in one)
        if option == '-ffile-prefix-map':
            driver.check('the same from two folders', one == two)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--plugin', required=True)
    parser.add_argument('--probe', required=True)
    parser.add_argument('--work', default='.')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        driver = Driver(arguments, folder)
        for test in (precompiled_headers, standard_input, unity, file_names,
                     line_directives, long_lines, reproducible,
                     mapped_folders):
            test(driver)
        sys.exit(driver.n_bad != 0)


if __name__ == '__main__':
    main()
