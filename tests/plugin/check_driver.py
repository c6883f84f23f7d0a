#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What programs alone cannot show: the compiler's side of the plugin.

check_driver.py --plugin SO --probe LIB --work DIR
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

LIBRARY = '''
#include <stdlib.h>
__attribute__((noinline)) void *lib_inner(int n) { return malloc(n); }
void *lib(int n) { char *p = lib_inner(n); p[0] = 1; return p; }
'''
MAIN = '''
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    void *so = dlopen(argv[1], RTLD_NOW);
    if (!so) { puts(dlerror()); return 1; }
    void *(*lib)(int) = (void *(*)(int))dlsym(so, "lib");
    free(lib(argc));
    dlclose(so);
    char *volatile p = malloc(argc + 3);
    p[0] = argc;
    printf("%d\\n", p[0]);
    return 0;
}
'''
LTO_A = '''
#include <stdlib.h>
void *b(int n);
int main(void) { char *p = b(3); p[0] = 0; int r = p[0]; free(p); return r; }
'''
LTO_B = '''
#include <stdlib.h>
void *c(int n);
__attribute__((noinline)) void *b(int n) { char *p = c(n); p[1] = 1; return p; }
'''
LTO_C = '''
#include <stdlib.h>
__attribute__((noinline)) void *c(int n) { return malloc(n); }
'''


OBJECTS_A = '''
#include <stdlib.h>
void *give(size_t n);
struct conn { struct conn *next; int fd; };
typedef struct { long a, b, c; } triple;
struct conn *volatile conn;
int main(void)
{
    conn = give(sizeof *conn);
    triple *t = give(sizeof *t); conn->next = (struct conn *)t;
    return 0;
}
'''
OBJECTS_B = '''
#include <stdlib.h>
void *give(size_t n) { void *p = malloc(n); if (!p) abort(); return p; }
'''


class Driver:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.n_bad = 0

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, 'w') as out:
                out.write(text)
        return path

    def run(self, *command):
        return subprocess.run(command, capture_output=True, text=True,
                              cwd=self.folder, timeout=60)

    def gcc(self, *arguments, program='gcc'):
        return self.run(program, f'-fplugin={self.options.plugin}', *arguments)

    def check(self, what, is_good, detail=''):
        if not is_good:
            self.n_bad += 1
            print(f'FAIL {what}\n{detail}')

    def same(self, what, found, expected):
        self.check(what, found == expected,
                   f'expected\n{expected}\nfound\n{found}')


def shared_library(driver):
    driver.path('lib.c', LIBRARY)
    driver.path('main.c', MAIN)
    driver.gcc('-O2', '-fPIC', '-shared', 'lib.c', '-o', 'lib.so')
    built = driver.gcc('-O2', '-rdynamic', 'main.c', driver.options.probe,
                       '-o', 'main')
    ran = driver.run('./main', './lib.so')
    driver.same('shared library', built.stderr + ran.stdout + ran.stderr,
                'malloc lib_inner:3 < lib:4 < main:10\nmalloc main:12\n2\n')


def no_dynamic_relocation(driver):
    driver.path('lib.c', LIBRARY)
    driver.gcc('-O2', '-fPIC', '-shared', 'lib.c', '-o', 'lib.so')
    sections = driver.run('readelf', '-SW', 'lib.so').stdout
    found = re.search(r'alloctrace_sites\s+PROGBITS\s+(\w+) \w+ (\w+)',
                      sections)
    begin, size = (int(text, 16) for text in found.groups())
    relocations = driver.run('readelf', '-rW', 'lib.so').stdout
    inside = [line for line in relocations.splitlines()
              if re.match(r'[0-9a-f]{12,16} ', line)
              and begin <= int(line.split()[0], 16) < begin + size]
    driver.same('no dynamic relocation in records', inside, [])


def lto_units(driver):
    for name, text in (('a', LTO_A), ('b', LTO_B), ('c', LTO_C)):
        driver.path(name + '.c', text)
    for flags in (['-flto'], ['-flto', '-ffat-lto-objects'],
                  ['-flto=2', '-flto-partition=max'],
                  ['-flto', '-flto-partition=none']):
        for name in 'abc':
            driver.gcc('-O2', *flags, '-c', name + '.c', '-o', name + '.o')
        built = driver.gcc('-O2', *flags, 'a.o', 'b.o', 'c.o',
                           driver.options.probe, '-o', 'lto')
        ran = driver.run('./lto')
        driver.same(f'several units with {flags}',
                    built.stderr + ran.stdout + ran.stderr,
                    'malloc c:3 < b:4 < main:4\n')


def objects_across_units(driver):
    """A wrapper that LTO inlines into another unit; both units' notes last."""
    driver.path('a.c', OBJECTS_A)
    driver.path('b.c', OBJECTS_B)
    for flags in ([], ['-flto'], ['-flto=2', '-flto-partition=max'],
                  ['-flto', '-flto-partition=none']):
        for name in 'ab':
            driver.gcc('-O2', *flags, '-c', name + '.c', '-o', name + '.o')
        built = driver.gcc('-O2', *flags, 'a.o', 'b.o', driver.options.probe,
                           '-o', 'objects')
        ran = driver.run('env', 'PROBE_OBJECTS=1', './objects')
        driver.same(f'objects of several units with {flags}',
                    built.stderr + ran.stdout + ran.stderr,
                    'b.c:3 ?, p, R\na.c:9 struct conn (16), conn\n\n'
                    'b.c:3 ?, p, R\na.c:10 triple (24), t\n\n')


def reproducible(driver):
    driver.path('lib.c', LIBRARY)
    texts = []
    for name in ('one.s', 'two.s'):
        driver.gcc('-O2', '-S', 'lib.c', '-o', name)
        with open(driver.path(name)) as text:
            texts.append(text.read())
    driver.same('two compilations', texts[0], texts[1])


def prefix_map(driver):
    source = driver.path('lib.c', LIBRARY)
    for flags in ([], ['-flto', '-ffat-lto-objects']):
        text = driver.gcc('-O2', *flags,
                          f'-ffile-prefix-map={driver.folder}=/mapped',
                          '-S', source, '-o', '-').stdout
        driver.check('file after -ffile-prefix-map',
                     '.string\t"/mapped/lib.c"' in text, text[-2000:])


def debug_information_changes_no_code(driver):
    driver.path('lib.c', LIBRARY)
    code = []
    for flag in ('-g0', '-g'):
        driver.gcc('-O2', flag, '-c', 'lib.c', '-o', 'lib.o')
        driver.run('objcopy', '-O', 'binary', '-j', '.text', 'lib.o', 'text')
        with open(driver.path('text'), 'rb') as text:
            code.append(text.read())
    driver.same('-g and -g0', code[0], code[1])


def objects_change_no_code(driver):
    """What is known of objects is in the records alone."""
    programs = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                            'objects')
    for name, program in (('c.c', 'gcc'), ('cxx.cc', 'g++')):
        for level in ('-O0', '-O2', '-O3', '-Os'):
            code = []
            for flags in ([], ['-fplugin-arg-alloctrace-objects=no']):
                text = driver.gcc(level, *flags, '-S', '-o', '-',
                                  os.path.join(programs, name),
                                  program=program).stdout
                # Records and their numbers aside: without objects, several
                # may be one.
                text = re.sub(r'\.pushsection\talloctrace.*?\.popsection|'
                              r'\.pushsection\t\.rodata.*?\.popsection', '',
                              text, flags=re.S)
                code.append(re.sub(r'\$-?\d+|alloctrace_sites\+\d+', 'N',
                                   text))
            driver.check(f'{name} has code', 'malloc' in code[0], code[0])
            driver.same(f'code of {name} at {level} with objects and without',
                        code[0], code[1])


def nothing_to_say(driver):
    driver.path('empty.c', 'int f(int n) { return n + 1; }\n')
    text = driver.gcc('-O2', '-S', 'empty.c', '-o', '-').stdout
    driver.check('a unit without sites', 'alloctrace' not in text, text)


def predefined_macro(driver):
    driver.path('macro.c', '#ifndef __ALLOCTRACE__\n#error\n#endif\n')
    for arguments in (['-fsyntax-only'], ['-E']):
        ran = driver.gcc(*arguments, 'macro.c')
        driver.same(f'__ALLOCTRACE__ with {arguments}', ran.returncode, 0)
    ran = driver.gcc('-x', 'c++', '-fsyntax-only', 'macro.c', program='g++')
    driver.same('__ALLOCTRACE__ in C++', ran.returncode, 0)


def builtins_have_their_names(driver):
    driver.path('puts.c', '#include <stdio.h>\n'
                'int main(void) { printf("x\\n"); printf("y\\n"); }\n')
    text = driver.gcc('-O2', '-S', 'puts.c', '-o', '-').stdout
    driver.check('a call that GCC made is named as the source would',
                 '"puts"' in text and '__builtin_puts' not in text, text)


def tls_model(driver):
    driver.path('lib.c', LIBRARY)
    for flags, expected in ((['-fPIE'], '@tpoff'), (['-fno-pie'], '@tpoff'),
                            (['-fPIC'], '@gottpoff')):
        text = driver.gcc('-O2', *flags, '-S', 'lib.c', '-o', '-').stdout
        driver.check(f'tls-model with {flags}',
                     '__alloctrace_thread' + expected in text, text)


def options(driver):
    driver.path('lib.c', LIBRARY)
    ran = driver.gcc('-fplugin-arg-alloctrace-verbos', '-c', 'lib.c')
    driver.check('unknown option', ran.returncode != 0 and
                 "'verbose'" in ran.stderr and "'tls-model'" in ran.stderr,
                 ran.stderr)
    ran = driver.gcc('-fplugin-arg-alloctrace-tls-model=none', '-c', 'lib.c')
    driver.check('unknown value', ran.returncode != 0 and
                 'initial-exec|local-exec' in ran.stderr, ran.stderr)
    ran = driver.gcc('-fplugin-arg-alloctrace-verbose', '-c', 'lib.c')
    driver.check('verbose', ran.returncode == 0 and
                 '2 functions' in ran.stderr, ran.stderr)
    for flag, is_known in (('objects', True), ('objects=no', False)):
        text = driver.gcc('-O2', '-fplugin-arg-alloctrace-' + flag,
                          '-S', 'lib.c', '-o', '-').stdout
        driver.same(flag, '.string\t"char"' in text, is_known)
    ran = driver.gcc('-O2', '-fplugin-arg-alloctrace-tls-model=local-exec',
                     '-S', 'lib.c', '-o', '-')
    driver.check('tls-model', '__alloctrace_thread@tpoff' in ran.stdout,
                 ran.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--plugin', required=True)
    parser.add_argument('--probe', required=True)
    parser.add_argument('--work', default='.')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        driver = Driver(arguments, folder)
        for test in (shared_library, no_dynamic_relocation, lto_units,
                     objects_across_units, reproducible, prefix_map,
                     debug_information_changes_no_code,
                     objects_change_no_code, nothing_to_say,
                     predefined_macro, builtins_have_their_names, tls_model,
                     options):
            test(driver)
        sys.exit(driver.n_bad != 0)


if __name__ == '__main__':
    main()
