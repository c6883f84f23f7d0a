#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each plugin in each compiler: in its own it works without a word, in all
others one line says which compiler it was built for and what to do. clang,
if it is there, does not load a plugin in silence.

wrong_compiler.py (COMPILER PLUGIN)...
"""
import re
import shutil
import subprocess
import sys


def compile_with(compiler, plugin):
    return subprocess.run(
        [compiler, f'-fplugin={plugin}', '-x', 'c', '-', '-S', '-o', '-'],
        input='int f(void) { return 0; }\n', capture_output=True, text=True,
        check=False)


def described(compiler):
    """(version, target) as the compiler tells them."""
    return tuple(subprocess.run([compiler, option], check=True, text=True,
                                capture_output=True).stdout.strip()
                 for option in ('-dumpfullversion', '-dumpmachine'))


def is_right_refusal(result, plugin_of, compiler):
    """Our line, and then GCC's own that the plugin could not be used."""
    lines = result.stderr.splitlines()
    mine = 'GCC {} .* for {}'.format(*map(re.escape, described(plugin_of)))
    other = 'GCC {} .* for {}'.format(*map(re.escape, described(compiler)))
    return (result.returncode != 0 and len(lines) == 2 and
            re.match(f'alloctrace: this plugin was built for {mine}, but was '
                     f'loaded into {other}: compile with alloctrace-gcc.*'
                     'ALLOCTRACE_PLUGIN_COMPILERS', lines[0]))


def main():
    pairs = list(zip(sys.argv[1::2], sys.argv[2::2]))
    n_bad = 0
    for plugin_of, plugin in pairs:
        for compiler, own in pairs:
            result = compile_with(compiler, plugin)
            if own == plugin:
                good = result.returncode == 0 and not result.stderr
            else:
                good = is_right_refusal(result, plugin_of, compiler)
            if not good:
                n_bad += 1
                print(f'FAILED: the plugin for {plugin_of} in {compiler}:\n'
                      f'{result.stderr}')
    if shutil.which('clang'):
        result = compile_with('clang', pairs[0][1])
        if result.returncode == 0 or 'unable to load plugin' not in \
                result.stderr:
            n_bad += 1
            print(f'FAILED: clang loads the plugin:\n{result.stderr}')
    sys.exit(n_bad != 0)


if __name__ == '__main__':
    main()
