#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tests of one cell: a compiler and what it makes code for.

run_cell.py --compiler GCC --runner "qemu-arm -L DIR" --machine MACHINE
            --plugin SO --build BUILD --work DIR [--variants V|V] [--also V|V]
            [--no-cxx] [--quick] (tracebacks|random|traced|runtime)...
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PLUGIN_TESTS = os.path.join(TOP, 'tests', 'plugin')
UNIT_TESTS = os.path.join(TOP, 'tests', 'unit')
# As tests/unit/runtime.cmake; env and target are about files and strings.
UNITS = ('text env vector index string site place traceback peak ledger block '
         'alloc target writer stack verify').split()


# Blocks of churn.c, by their sizes: of the heap, a pool's, a tracked one.
TRACEBACKS = {
    7654321: ['main', 'first', 'second', 'third', 'keep'],
    4321: ['main', 'keep_pooled'],
    54321: ['main', 'keep_tracked'],
}


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True,
                          timeout=600, check=False, **options)


class Cell:
    def __init__(self, options):
        self.options = options
        self.compiler = options.compiler.split()
        self.runner = options.runner.split()
        self.n_bad = 0
        os.makedirs(options.work, exist_ok=True)

    def path(self, *names):
        return os.path.join(self.options.work, *names)

    def fail(self, what, text):
        self.n_bad += 1
        print(f'FAILED: {what}\n{text}', flush=True)

    def must(self, command, **options):
        """Runs what has to succeed without a word."""
        result = run(command, **options)
        if result.returncode or result.stderr:
            self.fail(' '.join(command), f'exit status {result.returncode}\n'
                      f'{result.stdout}{result.stderr}')
            return None
        return result.stdout

    def probe(self):
        """plugin/'s checking runtime for this cell."""
        archive = self.path('probe.a')
        objects = []
        for name in ('probe', 'path'):
            objects.append(self.path(name + '.o'))
            # Exceptions pass through it.
            self.must([*self.compiler, '-O2', '-fPIC', '-fexceptions',
                       f'-I{TOP}/include', '-c', '-o', objects[-1],
                       os.path.join(PLUGIN_TESTS, name + '.c')])
        if os.path.exists(archive):
            os.unlink(archive)
        self.must(['ar', 'rc', archive, *objects])
        return archive

    def has_branch_marks(self):
        return self.options.machine.startswith(('x86_64-', 'i386-'))


def tracebacks(cell):
    options = cell.options
    # qemu-user makes a fork of vfork.
    compiler = options.compiler + ' -DVFORK_IS_FORK' * bool(options.runner)
    command = [sys.executable, '-B', os.path.join(PLUGIN_TESTS,
                                                  'run_program.py'),
               '--plugin', options.plugin, '--probe', cell.probe(),
               '--work', options.work, '--compiler', compiler,
               f'--runner={options.runner}',
               '--machine', options.machine.split('-')[0]]
    if options.machine != 'x86_64-linux-gnu':
        command.append('--no-assembly')
    if options.variants:
        command.append(f'--variants={options.variants}')
    if options.also:
        command.append(f'--also={options.also}')
    if not cell.has_branch_marks():
        command.append('--drop=-fcf-protection')
    for program in sorted(glob.glob(PLUGIN_TESTS + '/programs/*.c*')):
        if options.no_cxx and program.endswith('.cc'):
            continue
        result = run([*command, program])
        if result.returncode:
            cell.fail(os.path.basename(program), result.stdout + result.stderr)


def random(cell):
    options = cell.options
    for extra in ([], ['--tail', '--first=100']):
        result = run([sys.executable, '-B',
                      os.path.join(PLUGIN_TESTS, 'random_programs.py'),
                      '--cc', options.compiler, '--plugin', options.plugin,
                      '--probe', cell.probe(), '--work', options.work,
                      f'--runner={options.runner}', '--seeds=4', *extra])
        if result.returncode:
            cell.fail('generated programs', result.stdout + result.stderr)


def wrapped(cell, *arguments):
    """The wrapper with the cell's compiler."""
    return cell.must(
        [os.path.join(cell.options.build, 'bin', 'alloctrace-gcc'),
         *arguments],
        env={**os.environ, 'ALLOCTRACE_CC': cell.options.compiler})


def check_dump(cell, dump, counted):
    """What the program counted itself is what this machine's tool reads."""
    tool = os.path.join(cell.options.build, 'bin', 'alloctrace')
    found = []
    for metric in ('total', 'live'):
        text = cell.must([tool, 'stats', '--group-by=filename',
                          f'--metric={metric}', '--format=json', dump])
        groups = json.loads(text)['statistics'] if text else []
        for group in groups:
            if group['traceback'][0]['file'].endswith('churn.c'):
                found += [group['count'], group['size']]
    if found != counted:
        cell.fail('counted by the program, found in the dump',
                  f'{counted} {found}')
    info = cell.must([tool, 'info', dump]) or ''
    bits = '32 bits' if cell.options.machine.startswith(('i386', 'arm-')) \
        else '64 bits'
    for words in (bits, 'dropped    0 B in 0 blocks', 'unreadable 0 frames',
                  'collisions 0 '):
        if words not in info:
            cell.fail(f'info without "{words}"', info)
    check_tracebacks(cell, cell.must(
        [tool, 'stats', '--group-by=traceback', '--format=json', dump]) or '')


def check_tracebacks(cell, text):
    """Blocks of sizes of their own, with their whole tracebacks."""
    found = {group['size']: [frame['function'] for frame in group['traceback']]
             for group in json.loads(text)['statistics']}
    for size, expected in TRACEBACKS.items():
        if found.get(size) != expected:
            cell.fail(f'traceback of the block of {size} bytes',
                      f'{expected}\n{found.get(size)}')


def traced(cell):
    for name, flags in (('dynamic', ['-O2']), ('plain', ['-O0', '-no-pie']),
                        ('lto', ['-O2', '-flto'])):
        if cell.options.quick and name != 'dynamic':
            continue
        program = cell.path('churn-' + name)
        dump = cell.path(name + '.dump')
        wrapped(cell, '-g', '-pthread', *flags, f'-I{TOP}/include', '-o',
                program, os.path.join(HERE, 'churn.c'))
        if os.path.exists(dump):
            os.unlink(dump)
        text = cell.must([*cell.runner, program],
                         env={**os.environ, 'ALLOCTRACE': 'all',
                              'ALLOCTRACE_VERIFY': '1',
                              'ALLOCTRACE_DUMP': dump})
        if text is not None:
            check_dump(cell, dump, [int(word) for word in text.split()])


def runtime(cell):
    """The runtime's unit tests, with a small Check of our own: the library is
    not there for other machines."""
    sources = sorted(glob.glob(os.path.join(TOP, 'runtime', '*.c')))
    sources = [path for path in sources
               if os.path.basename(path) not in
               ('interpose.c', 'flow.c', 'mmap.c')]
    archive = cell.path('runtime.a')
    objects = cell.path('objects')
    shutil.rmtree(objects, ignore_errors=True)
    os.makedirs(objects)
    flags = ['-std=gnu11', '-O1', '-g', '-DAT_NAMES_THE_ALLOCATOR',
             *(f'-I{TOP}/{folder}' for folder in
               ('include', 'runtime', 'tests', 'tests/targets'))]
    builtins = [f'-fno-builtin-{name}' for name in
                'malloc calloc realloc free strdup strndup'.split()]
    cell.must([*cell.compiler, *flags, *builtins, '-fvisibility=hidden',
               '-UAT_NAMES_THE_ALLOCATOR', '-c', *sources], cwd=objects)
    if os.path.exists(archive):
        os.unlink(archive)
    cell.must(['ar', 'rc', archive, *glob.glob(objects + '/*.o')])
    for unit in UNITS:
        program = cell.path('check_' + unit)
        cell.must([*cell.compiler, *flags, '-pthread', '-o', program,
                   os.path.join(UNIT_TESTS, f'check_{unit}.c'), archive])
        variables = {'ALLOCTRACE': 'all', 'ALLOCTRACE_DUMP': '/dev/null'}
        if unit == 'verify':
            variables['ALLOCTRACE_VERIFY'] = '1'
        result = run([*cell.runner, program],
                     env={**os.environ, **variables})
        print(result.stdout, end='')
        if result.returncode:
            cell.fail(unit, result.stdout + result.stderr)


def main():
    parser = argparse.ArgumentParser()
    for name in ('compiler', 'machine', 'plugin', 'build', 'work'):
        parser.add_argument('--' + name, required=True)
    parser.add_argument('--runner', default='')
    parser.add_argument('--variants')
    parser.add_argument('--also')
    parser.add_argument('--no-cxx', action='store_true')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('tests', nargs='+',
                        choices=('tracebacks', 'random', 'traced', 'runtime'))
    options = parser.parse_args()
    options.work = os.path.abspath(options.work)
    cell = Cell(options)
    for test in options.tests:
        globals()[test](cell)
    sys.exit(cell.n_bad != 0)


if __name__ == '__main__':
    main()
