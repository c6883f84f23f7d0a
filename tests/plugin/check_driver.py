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
                              cwd=self.folder, timeout=120,
                              env=dict(os.environ, LC_ALL='C'))

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
    relocations = driver.run('readelf', '-rW', 'lib.so').stdout
    for name in ('alloctrace_sites', 'alloctrace_units', r'\.rodata'):
        found = re.search(name + r'\s+PROGBITS\s+(\w+) \w+ (\w+)', sections)
        begin, size = (int(text, 16) for text in found.groups())
        inside = [line for line in relocations.splitlines()
                  if re.match(r'[0-9a-f]{12,16} ', line)
                  and begin <= int(line.split()[0], 16) < begin + size]
        driver.same(f'no dynamic relocation in {name}', inside, [])


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


def preprocessed_text(driver):
    driver.path('main.c', '#include <stdlib.h>\n'
                'void *p;\n'
                'int main(void)\n'
                '{\n'
                '    p = malloc(1);\n'
                '    return p == 0;\n'
                '}\n')
    say = 'malloc main:5\n'
    probe = driver.options.probe
    for flags in (['-save-temps'], ['-save-temps', '-flto'], ['-pipe'],
                  ['-no-integrated-cpp'], ['-save-temps=obj', '-g3']):
        built = driver.gcc('-O2', *flags, 'main.c', probe, '-o', 'main')
        ran = driver.run('./main')
        driver.same(f'with {flags}', built.stderr + ran.stdout, say)
    # As compiler caches do it: -E here, the rest there.
    for flags in ([], ['-fdirectives-only'], ['-g3']):
        text = driver.gcc('-O2', '-E', *flags, 'main.c', '-o', 'text.i')
        built = driver.gcc('-O2', '-fpreprocessed', *flags, 'text.i', probe,
                           '-o', 'main')
        ran = driver.run('./main')
        driver.same(f'preprocessed before with {flags}',
                    text.stderr + built.stderr + ran.stdout, say)


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
    for flag, is_known in (('objects', True), ('objects=no', False)):
        text = driver.gcc('-O2', '-fplugin-arg-alloctrace-' + flag,
                          '-S', 'lib.c', '-o', '-').stdout
        driver.same(flag, '.string\t"char"' in text, is_known)
    for flags, is_called in (((), False), (('-Os',), True),
                             (('-fplugin-arg-alloctrace-compact',), True)):
        text = driver.gcc('-O2', *flags, '-S', 'lib.c', '-o', '-').stdout
        driver.same(f'linked by a call with {flags}',
                    'call\t__alloctrace_link_' in text, is_called)
    ran = driver.gcc('-O2', '-fplugin-arg-alloctrace-tls-model=local-exec',
                     '-S', 'lib.c', '-o', '-')
    driver.check('tls-model', '__alloctrace_thread@tpoff' in ran.stdout,
                 ran.stdout)


COUNTED = '''
#include <stdlib.h>
#include <string.h>
void *hook(size_t n);
int square(int n) __attribute__((const));
static int k;
__attribute__((noinline)) static void count(void) { k++; }
void *wrapper(size_t n)
{
    char *p = hook(n);
    p[0] = 1;
    return p;
}
__attribute__((no_instrument_function)) int plain(int n) { return n + k; }
void *last(size_t n) { return hook(n + 1); }
int work(const char *s, size_t n)
{
    char *p = malloc(n);
    memcpy(p, s, n);
    __builtin_prefetch(p);
    n = square(n) + atoi(p);
    count();
    free(p);
    free(wrapper(n));
    free(last(n));
    return (int)n;
}
'''
# What is counted in COUNTED, at -O1, where no call is inlined or jumps.
COUNTS = '''alloctrace: counted.c
    functions                      5
      with a frame                 3
      frameless                    0
      left alone                   1
    regions                        3
    sites                          5
      wrappers                     2
      types known                  2
    calls of the allocator         4
    calls noted                    4
      hash anew                    0
    calls by jump                  0
    calls skipped                  5
      const or pure                2
      builtin                      1
      C library                    1
      this program                 1
'''


def verbose_counts(driver):
    driver.path('counted.c', COUNTED)
    ran = driver.gcc('-O1', '-fno-inline',
                     '-fplugin-arg-alloctrace-verbose', '-c', 'counted.c')
    driver.same('verbose', ran.stderr, COUNTS)
    driver.path('empty.c', 'int nothing;\n')
    ran = driver.gcc('-fplugin-arg-alloctrace-verbose', '-c', 'empty.c')
    driver.same('verbose without functions', ran.stderr, '')


def warnings(driver):
    driver.path('alone.c', '''
#include <stdlib.h>
__attribute__((no_instrument_function)) void *alone(size_t n)
{
    abs((int)n);
    return malloc(n);
}
__attribute__((no_instrument_function)) int quiet(int n) { return abs(n); }
''')
    ran = driver.gcc('-O2', '-c', 'alone.c', '-fno-diagnostics-show-caret')
    driver.same('a function that is left alone', ran.stderr,
                "alone.c: In function 'alone':\n"
                "alone.c:6:12: warning: alloctrace: 'alone' has the attribute "
                "'no_instrument_function', so what is allocated here counts "
                "as its caller's\n")
    ran = driver.gcc('-O2', '-Werror', '-fplugin-arg-alloctrace-no-warn', '-c',
                     'alone.c')
    driver.same('no-warn', ran.stderr, '')


BAD_LINES = (
    ('grab', "no ':' and size argument"),
    ('grab:x', "the size is neither an argument's number nor A*B"),
    ('grab:1*', "the size is neither an argument's number nor A*B"),
    ('grab:1*0', "the size is neither an argument's number nor A*B"),
    ('grab:-1', "the size is neither an argument's number nor A*B"),
    ('grab:256', "the size is neither an argument's number nor A*B"),
    (':1', 'a function without a name'),
    ('grab:1::drop', "the size is neither an argument's number nor A*B"),
    ('grab:1:drop:0', "the freed block is no argument's number"),
    ('grab:1:drop:two', "the freed block is no argument's number"),
    ('grab:1:drop:1:2', 'more than four fields'))


def bad_allocators(driver):
    """One clear line for each bad value, and no object file."""
    driver.path('lib.c', LIBRARY)
    option = '-fplugin-arg-alloctrace-allocator'
    cases = [([f'{option}={line}'], f"{option}: '{line}': {wrong}; wanted is "
              'NAME:SIZE[:FREE[:ARGUMENT]]') for line, wrong in BAD_LINES]
    cases += [([option], f'{option}: the value is missing'),
              ([f'{option}s=/nonexistent'],
               f'{option}s: /nonexistent: No such file or directory'),
              ([f'{option}s={driver.folder}'],
               f'{option}s: {driver.folder}: Is a directory')]
    path = driver.path('bad.txt', '# good\n\ngood:1 # too\n  bad:x  \n')
    cases.append(([f'{option}s={path}'],
                  f"{path}:4: 'bad:x': the size is neither an argument's "
                  'number nor A*B; wanted is NAME:SIZE[:FREE[:ARGUMENT]]'))
    for arguments, message in cases:
        ran = driver.gcc(*arguments, '-c', 'lib.c', '-o', 'bad.o')
        errors = [line.split('error: ', 1)[-1].replace('\u2018', "'")
                  .replace('\u2019', "'")
                  for line in ran.stderr.splitlines() if 'error:' in line]
        driver.same(f'{arguments}: message', errors[:1], [message])
        driver.same(f'{arguments}: no output',
                    os.path.exists(driver.path('bad.o')), False)


def allocators_file(driver):
    driver.path('grab.c', 'void *grab(unsigned n);\n'
                'void *f(void) { return grab(3); }\n')
    path = driver.path('good.txt', '\n# a comment\n\tgrab : 1\n')
    ran = driver.gcc(f'-fplugin-arg-alloctrace-allocators={path}', '-O2', '-S',
                     'grab.c', '-o', '-')
    driver.check('spaces inside a line', ran.returncode != 0, ran.stderr)
    path = driver.path('good.txt', '\n# a comment\n\tgrab:1  # and more\n')
    ran = driver.gcc(f'-fplugin-arg-alloctrace-allocators={path}', '-O2', '-S',
                     'grab.c', '-o', '-')
    driver.check('a file of allocators', ran.returncode == 0 and
                 '__alloctrace_custom_alloc' in ran.stdout,
                 ran.stdout + ran.stderr)


def system_headers_declare_no_pools(driver):
    driver.path('stdio.c', '#include <stdio.h>\n#include <stdlib.h>\n'
                'FILE *f(void) { return fopen("x", "r"); }\n'
                'void g(FILE *x) { fclose(x); }\n'
                'void *h(void) { return malloc(3); }\n')
    text = driver.gcc('-O2', '-S', 'stdio.c', '-o', '-').stdout
    driver.check('the C library has no pools', '_custom_' not in text, text)


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
                     predefined_macro, preprocessed_text,
                     builtins_have_their_names, tls_model,
                     options, verbose_counts, warnings, bad_allocators,
                     allocators_file, system_headers_declare_no_pools):
            test(driver)
        sys.exit(driver.n_bad != 0)


if __name__ == '__main__':
    main()
