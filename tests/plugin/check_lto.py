#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""-flto: what holds for the whole program has to hold in each of its parts.

check_lto.py --plugin SO --probe LIB --work DIR
"""
import argparse
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
from check_driver import Driver

HERE = os.path.dirname(os.path.abspath(__file__))
PARTITIONS = ('none', 'one', 'balanced', 'max')

# Units of one program. even and odd call each other, each from its own unit,
# and change memory, so that GCC itself does not find out that they are pure.
UNITS = {
    'main': '''
#include <stdio.h>
#include <stdlib.h>
int harmless(int n);
void *b(int n);
int main(int argc, char **argv)
{
    int s = harmless(argc);
    char *p = b(s);
    p[0] = argv == 0;
    printf("%d\\n", p[0] + s);
    free(p);
    return 0;
}
''',
    'allocates': '''
#include <stdlib.h>
int even(int n);
__attribute__((noinline, noclone)) void *b(int n)
{
    even(n);
    return malloc(n);
}
''',
    'even': '''
volatile int k;
int odd(int n);
__attribute__((noinline, noclone)) int even(int n)
{
    k = n;
    return n > 0 ? odd(n - 1) : 1;
}
__attribute__((noinline, noclone)) int harmless(int n)
{
    k++;
    return n + even(k);
}
''',
    'odd': '''
extern volatile int k;
int even(int n);
__attribute__((noinline, noclone)) int odd(int n)
{
    k = n;
    return n > 0 ? even(n - 1) : 0;
}
''',
}
TRACEBACK = 'malloc b:7 < main:9\n1\n'

# The program's own allocator, in one more unit.
OWN = '''
#include <stddef.h>
static char memory[1000];
static size_t used;
__attribute__((noinline, noclone)) void *malloc(size_t n)
{
    used += n;
    return memory + used - n;
}
__attribute__((noinline, noclone)) void free(void *p)
{
    used += p == NULL;
}
'''
# GCC says that `checked` is pure, for `fail` does not return.
PURE = {
    'call': '''
#include <stdio.h>
int checked(const int *p);
int main(int argc, char **argv)
{
    int n = argc - 1;
    printf("%d\\n", checked(&argc) + (argv == 0));
    return checked(&n);
}
''',
    'checked': '''
_Noreturn void fail(void);
__attribute__((noinline, noclone)) int checked(const int *p)
{
    if (*p == 0)
        fail();
    return *p * 2;
}
''',
    'fail': '''
#include <stdlib.h>
#include "probe.h"
_Noreturn void fail(void);
__attribute__((noinline, noclone)) void fail(void)
{
    char *volatile p = malloc(9);
    p[0] = 0;
    probe_may_end_deep = 1;
    exit(p[0]);
}
''',
}
PURE_TRACEBACK = 'malloc fail:7 < checked:6 < main:8\n2\n'
WARNING = 'warning: alloctrace: this was compiled with -flto and alloctrace'


def sources(driver):
    names = []
    for name, text in UNITS.items():
        driver.path(name + '.c', text)
        names.append(name + '.c')
    return names


def skipped(text):
    """Calls of the program's own that cannot allocate, over all its parts."""
    return sum(int(n) for n in re.findall(r'this program +(\d+)', text))


def facts_hold_across_parts(driver):
    names = sources(driver)
    verbose = ['-O2', '-fplugin-arg-alloctrace-verbose']
    driver.path('unity.c', ''.join(f'#include "{name}"\n' for name in names))
    built = driver.gcc(*verbose, 'unity.c', driver.options.probe, '-o', 'one')
    # harmless, even (three times) and odd.
    expected = skipped(built.stderr)
    driver.same('calls of one unit that cannot allocate', expected, 5)
    for partition in PARTITIONS:
        built = driver.gcc(*verbose, '-flto=2',
                           f'-flto-partition={partition}', *names,
                           driver.options.probe, '-o', 'parts')
        ran = driver.run('./parts')
        driver.same(f'calls that cannot allocate, partition {partition}',
                    skipped(built.stderr), expected)
        driver.same(f'traceback, partition {partition}', ran.stdout, TRACEBACK)


def own_allocator_in_another_part(driver):
    names = sources(driver)
    driver.path('own.c', OWN)
    for partition in PARTITIONS:
        driver.gcc('-O2', '-flto=2', f'-flto-partition={partition}', *names,
                   'own.c', driver.options.probe, '-o', 'own')
        ran = driver.run('./own')
        driver.same(f'own malloc, partition {partition}',
                    ran.stdout + ran.stderr, '1\n')


def pure_functions_may_fail(driver):
    names = [os.path.basename(driver.path(name + '.c', text))
             for name, text in PURE.items()]
    for flags in ([], *(['-flto=2', f'-flto-partition={partition}']
                        for partition in PARTITIONS)):
        built = driver.gcc('-O2', *flags, f'-I{HERE}', *names,
                           driver.options.probe, '-o', 'pure')
        ran = driver.run('./pure')
        driver.same(f'a pure function that fails, {flags}',
                    built.stderr + ran.stdout + ran.stderr, PURE_TRACEBACK)


def objects(driver, *flags):
    names = sources(driver)
    driver.gcc('-O2', *flags, '-c', *names)
    return [name.replace('.c', '.o') for name in names]


def link_without_plugin_warns(driver):
    for flags, link in ((['-flto'], ['-flto']),
                        (['-flto', '-fno-fat-lto-objects'], []),
                        (['-flto', '-ffat-lto-objects'], ['-flto']),
                        (['-flto'], ['-flto', '-shared', '-fPIC']),
                        (['-flto'], ['-flto', '-static']),
                        (['-flto'], ['-flto', '-flto-partition=max'])):
        parts = objects(driver, '-fPIC', *flags)
        built = driver.run('gcc', *link, *parts, '-o', 'silent')
        driver.same(f'{flags} linked with {link} alone: warnings',
                    built.stderr.count(WARNING), 1)
        driver.same('and the program', built.returncode, 0)


def link_with_plugin_is_silent(driver):
    for flags, link in ((['-flto'], ['-flto']), (['-flto=auto'], ['-flto=auto']),
                        (['-flto', '-fno-fat-lto-objects'], []),
                        (['-flto', '-ffat-lto-objects'], ['-flto']),
                        (['-flto', '-ffat-lto-objects'], ['-fno-lto']),
                        (['-flto', '-O0'], ['-flto', '-O0']),
                        (['-flto'], ['-flto', '-O2', '-static'])):
        parts = objects(driver, *flags)
        built = driver.gcc(*link, *parts, driver.options.probe, '-o', 'spoken')
        ran = driver.run('./spoken')
        driver.same(f'{flags} linked with {link}', built.stderr + ran.stdout,
                    TRACEBACK)
        symbols = driver.run('nm', 'spoken').stdout
        driver.check('the mark is gone', 'alloctrace_lto' not in symbols,
                     symbols)


def fat_objects_without_lto_need_no_plugin(driver):
    parts = objects(driver, '-flto', '-ffat-lto-objects')
    built = driver.run('gcc', '-fno-lto', *parts, driver.options.probe, '-o',
                       'fat')
    ran = driver.run('./fat')
    driver.same('fat objects, linked as objects', built.stderr + ran.stdout,
                TRACEBACK)


def archives(driver):
    main, *parts = objects(driver, '-flto')
    driver.run('gcc-ar', 'rcs', 'libparts.a', *parts)
    built = driver.gcc('-O2', '-flto', main, 'libparts.a',
                       driver.options.probe, '-o', 'archive')
    ran = driver.run('./archive')
    driver.same('archive of LTO objects', built.stderr + ran.stdout, TRACEBACK)
    built = driver.run('gcc', '-flto', main, 'libparts.a', '-o', 'silent')
    driver.same('archive of LTO objects, no plugin',
                built.stderr.count(WARNING), 1)


def relocatable(driver):
    parts = objects(driver, '-flto')
    for output in ('rel', 'nolto-rel'):
        driver.gcc('-O2', '-flto', '-r', f'-flinker-output={output}', *parts,
                   '-o', 'all.o')
        built = driver.gcc('-O2', '-flto', 'all.o', driver.options.probe,
                           '-o', 'rel')
        ran = driver.run('./rel')
        driver.same(f'linked in two steps, {output}',
                    built.stderr + ran.stdout, TRACEBACK)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--plugin', required=True)
    parser.add_argument('--probe', required=True)
    parser.add_argument('--work', default='.')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        driver = Driver(arguments, folder)
        for test in (facts_hold_across_parts, own_allocator_in_another_part,
                     pure_functions_may_fail,
                     link_without_plugin_warns, link_with_plugin_is_silent,
                     fat_objects_without_lto_need_no_plugin, archives,
                     relocatable):
            test(driver)
        sys.exit(driver.n_bad != 0)


if __name__ == '__main__':
    main()
