#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""generate.py SEED: write a random C program that knows its call paths.

The program is a graph of functions with loops, switches, gotos, computed
gotos, cold paths, early returns, setjmp and calls through pointers; if wanted,
jumps into code that is not instrumented. Each function is given its path as a
number and hands an extended one to what it calls (path.h); before each
allocation it says where it is. So it knows what the traceback has to be,
without the shadow stack.
"""
import random
import sys

N_FUNCTIONS = 14


class Program:
    def __init__(self, seed, has_computed_gotos=True, has_leaves=False):
        self.has_leaves = has_leaves
        self.has_computed_gotos = has_computed_gotos
        self.random = random.Random(seed)
        self.lines = []
        self.label = 0
        self.size = 16

    def put(self, text):
        self.lines.append(text)

    def fresh(self):
        self.label += 1
        return self.label

    def allocate(self, pad, name):
        self.size += 1
        self.put(f'{pad}path_expect(up, "{name}", __LINE__ + 1);')
        how = self.random.choice(['malloc(%d + (n & 7))', 'calloc(1, %d)',
                                  'realloc(keep, %d + n %% 50)',
                                  'strndup("some text", %d)'])
        call = how % self.size
        if 'realloc' in call:
            self.put(f'{pad}keep = {call};')
        else:
            self.put(f'{pad}use({call});')

    def call(self, pad, name, index):
        r = self.random
        later = [i for i in range(N_FUNCTIONS) if i > index] or [index]
        target = (r.choice(later) if r.random() < .8
                  else r.randrange(N_FUNCTIONS))
        path = f'path_call(up, "{name}", __LINE__)'
        arg = r.choice(['n - 1', 'n / 2', 'n + s', 's & 15'])
        kind = r.random()
        if self.has_leaves and r.random() < .25:
            self.protect(pad, target, path, arg)
        elif kind < .75:
            self.put(f'{pad}s += f{target}({path}, {arg});')
        elif kind < .9:
            self.put(f'{pad}s += table[(unsigned)(n + {r.randrange(9)}) % '
                     f'{N_FUNCTIONS}]({path}, {arg});')
        else:
            self.put(f'{pad}s += harmless(n + {self.fresh()});')

    def protect(self, pad, target, path, arg):
        """A call through code that is not instrumented and catches."""
        outer = f'outer{self.fresh()}'
        self.put(f'{pad}jmp_buf *{self.volatile}{outer} = jump;')
        self.put(f'{pad}s += path_protect(f{target}, {path}, {arg});')
        self.put(f'{pad}jump = {outer};')

    def condition(self):
        r = self.random
        plain = r.choice(['n & 1', 'n % 3 == 1', 's > 5', 'n < 4',
                          '(n ^ s) & 2'])
        return r.choice([plain, plain, f'__builtin_expect({plain}, 0)',
                         f'__builtin_expect({plain}, 1)'])

    def statement(self, pad, name, index, depth):
        r = self.random
        kind = r.random()
        inner = pad + '    '
        if depth > 3 or kind < .25:
            self.call(pad, name, index)
        elif kind < .4:
            self.allocate(pad, name)
        elif kind < .6:
            self.put(f'{pad}if ({self.condition()}) {{')
            self.block(inner, name, index, depth + 1)
            if r.random() < .5:
                self.put(f'{pad}}} else {{')
                self.block(inner, name, index, depth + 1)
            self.put(f'{pad}}}')
        elif kind < .72:
            i = f'i{self.fresh()}'
            self.put(f'{pad}for ({self.volatile}int {i} = 0; {i} < (n & 3) && '
                     f'path_budget > 0; {i}++) {{')
            self.block(inner, name, index, depth + 1)
            if r.random() < .4:
                self.put(f'{inner}if ({self.condition()})')
                self.put(f'{inner}    {r.choice(["break", "continue"])};')
            self.put(f'{pad}}}')
        elif kind < .8:
            self.put(f'{pad}switch (n % 5) {{')
            for case in range(r.randrange(2, 5)):
                self.put(f'{pad}case {case}:')
                self.block(inner, name, index, depth + 1)
                if r.random() < .7:
                    self.put(f'{inner}break;')
            self.put(f'{pad}default:')
            self.put(f'{inner}s++;')
            self.put(f'{pad}}}')
        elif kind < .87:
            self.put(f'{pad}if ({self.condition()})')
            self.put(f'{inner}return s + {self.fresh()};')
        elif kind < .93:
            label = f'again{self.fresh()}'
            count = f'c{self.label}'
            self.put(f'{pad}{self.volatile}int {count} = 0;')
            self.put(f'{pad}{label}:')
            self.block(pad, name, index, depth + 1)
            self.put(f'{pad}if ({count}++ < (n & 1) && path_budget > 0)')
            self.put(f'{inner}goto {label};')
        elif kind < .93 + .02 * self.has_computed_gotos or not self.volatile:
            if not self.has_computed_gotos:
                return self.call(pad, name, index)
            self.computed_goto(pad, name, index, depth)
        else:
            self.setjmp(pad, name, index, depth)

    def computed_goto(self, pad, name, index, depth):
        a, b, end = (f'l{self.fresh()}' for _ in range(3))
        self.put(f'{pad}static void *const to{self.label}[] = '
                 f'{{&&{a}, &&{b}, &&{end}}};')
        self.put(f'{pad}{self.volatile}int v{self.label} = n & 1;')
        var = f'v{self.label}'
        jump = f'goto *to{self.label}[{var}];'
        self.put(f'{pad}{jump}')
        for label in (a, b):
            self.put(f'{pad}{label}:;')
            self.block(pad, name, index, depth + 1)
            self.put(f'{pad}{var} = {var} > 1 ? 2 : {var} + 1;')
            self.put(f'{pad}{jump}')
        self.put(f'{pad}{end}:;')

    def setjmp(self, pad, name, index, depth):
        self.put(f'{pad}{{')
        inner = pad + '    '
        self.put(f'{inner}jmp_buf *const outer = jump;')
        self.put(f'{inner}jmp_buf here;')
        self.put(f'{inner}void *const target = path_target;')
        self.put(f'{inner}jump = &here;')
        self.put(f'{inner}if (setjmp(here) == 0) {{')
        self.call(inner + '    ', name, index)
        self.put(f'{inner}}}')
        self.put(f'{inner}jump = outer;')
        self.put(f'{inner}path_target = target;')
        self.allocate(inner, name)
        self.put(f'{pad}}}')

    def block(self, pad, name, index, depth):
        for _ in range(self.random.randrange(1, 4 if depth < 2 else 3)):
            self.statement(pad, name, index, depth)

    def function(self, index):
        r = self.random
        name = f'f{index}'
        kind = r.choice(['static ', 'static inline ', '', '',
                         'static __attribute__((noinline)) ',
                         '__attribute__((noinline)) ',
                         '__attribute__((cold)) '])
        self.put(f'{kind}int {name}(int up, int n)')
        self.put('{')
        # With setjmp: then its variables must not be in registers.
        self.volatile = 'volatile ' if r.random() < .2 else ''
        self.put(f'    {self.volatile}int s = {index};')
        self.put('')
        self.put('    if (--path_budget <= 0)')
        self.put('        return s;')
        if r.random() < .2:
            self.put('    char buffer[(n & 31) + 1];')
            self.put('    touch(buffer);')
        if r.random() < .15:
            self.put('    if (jump && (path_budget & 7) == 1)')
            self.put('        longjmp(*jump, 1);')
        if self.has_leaves and r.random() < .3:
            self.put('    if ((path_budget & 7) == 2)')
            self.put('        path_leave();')
        self.block('    ', name, index, 0)
        if r.random() < .4 and index + 1 < N_FUNCTIONS:
            target = r.randrange(index + 1, N_FUNCTIONS)
            self.put(f'    return f{target}(path_call(up, "{name}", __LINE__), '
                     f'n + 1);')
        else:
            self.put('    return s;')
        self.put('}')
        self.put('')

    def write(self):
        self.put('#include <setjmp.h>')
        self.put('#include <stdlib.h>')
        self.put('#include <string.h>')
        self.put('#include "path.h"')
        self.put('')
        self.put('static void *volatile sink;')
        self.put('static void *keep;')
        self.put('static jmp_buf *jump;')
        self.put('')
        self.put('static void use(void *p) { sink = p; free(p); }')
        self.put('static void touch(char *p) { *(char *volatile *)&sink = p; }')
        self.put('static __attribute__((noinline)) int harmless(int n)')
        self.put('{ sink = NULL; return n % 3; }')
        self.put('')
        for i in range(N_FUNCTIONS):
            self.put(f'int f{i}(int up, int n);')
        self.put('')
        self.lines = [line for line in self.lines]
        start = len(self.lines)
        for i in range(N_FUNCTIONS):
            self.function(i)
        body = self.lines[start:]
        self.lines = self.lines[:start]
        # A prototype has the linkage of its definition.
        static = {line.split('(int up')[0].split()[-1]
                  for line in body if line.startswith('static')
                  and '(int up' in line}
        self.lines = [('static ' + line if line.startswith('int f')
                       and line.split('(')[0].split()[-1] in static else line)
                      for line in self.lines]
        self.put(f'static int (*const volatile table[{N_FUNCTIONS}])(int, int)'
                 ' = {')
        self.put('    ' + ', '.join(f'f{i}' for i in range(N_FUNCTIONS)) + '};')
        self.lines += body
        self.put('int main(int argc, char **argv)')
        self.put('{')
        self.put('    path_allows_gaps = argc > 1;')
        self.put('    (void)argv;')
        self.put('    for (int i = 0; i < 12; i++) {')
        self.put('        path_budget = 150;')
        self.put('        jump = NULL;')
        self.put('        path_target = NULL;')
        self.put('        f0(path_call(0, "main", __LINE__), i);')
        self.put('    }')
        self.put('    free(keep);')
        self.put('    return 0;')
        self.put('}')
        return '\n'.join(self.lines) + '\n'


if __name__ == '__main__':
    sys.stdout.write(Program(int(sys.argv[1])).write())
