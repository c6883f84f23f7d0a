#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that check_layout.py can fail: one small tree a rule, each with one
violation that has to be named, and one tree in which every rule holds."""
import os
import subprocess
import sys
import tempfile

CHECKER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "check_layout.py")
MIT = "/* SPDX-License-Identifier: MIT */\n"
GPL = "/* SPDX-License-Identifier: GPL-3.0-or-later */\n"
POISON = "#pragma GCC poison malloc printf fopen getenv strdup qsort\n"
MAP = (MIT + "/* text.c: first. */\nvoid text_add(int a);\n"
       "/* env.c */\nextern int at_options;\nvoid env_read(void);\n" + POISON)

GOOD = {
    "include/alloctrace/abi.h": MIT + "#include <stddef.h>\n",
    "include/alloctrace/format.h": MIT,
    "include/alloctrace/analysis.h": MIT,
    "runtime/runtime.h": MAP,
    "runtime/text.c": MIT + '#include "runtime.h"\n/* malloc() */\n',
    "runtime/env.c": MIT + '#include "runtime.h"\n'
                           "void env_read(void)\n{\n    text_add(1);\n}\n",
    "runtime/dump.c": MIT + '#include "alloctrace/format.h"\n',
    "plugin/gcc.h": GPL + '#include "gcc-plugin.h"\n#if GCC_VERSION > 1\n'
                          "#endif\n",
    "plugin/pass.cc": GPL + '#include "gcc.h"\n',
    "analysis/load.c": MIT + '#include "alloctrace/format.h"\n',
    "tool/main.c": MIT + "#include <alloctrace/analysis.h>\n",
}

# (what is put into the tree, what the checker has to print)
BAD = [
    ({"tool/cmd.c": MIT + '#include "runtime.h"\n'},
     "tool/cmd.c:2: includes runtime/runtime.h"),
    ({"analysis/x.c": MIT + '#include "../tool/args.h"\n'},
     "analysis/x.c:2: includes \"../tool/args.h\""),
    ({"analysis/x.c": MIT + '#include "alloctrace/abi.h"\n'},
     "analysis/x.c:2: includes alloctrace/abi.h"),
    ({"include/alloctrace/abi.h": MIT + "#include <stdio.h>\n"},
     "include/alloctrace/abi.h:2: abi.h includes stdio.h"),
    ({"runtime/text.c": MIT + '#include "alloctrace/format.h"\n'},
     "runtime/text.c:2: includes alloctrace/format.h"),
    ({"runtime/text.c": MIT + "#define ALLOCTRACE_ABI_VERSION 2\n"},
     "runtime/text.c:2: defines ALLOCTRACE_ABI_VERSION"),
    ({"tool/cmd.c": MIT + "#include <libdwarf.h>\n"},
     "tool/cmd.c:2: includes libdwarf.h"),
    ({"runtime/text.c": MIT + "void f(void)\n{\n    malloc(1);\n}\n"},
     "runtime/text.c:4: names malloc()"),
    ({"runtime/text.c": MIT + "#include <stdio.h>\n"},
     "runtime/text.c:2: includes stdio.h"),
    ({"runtime/runtime.h": MIT}, "runtime/runtime.h:1: does not poison malloc"),
    ({"runtime/text.c": MIT + "void f(void)\n{\n    env_read();\n}\n"},
     "runtime/text.c:4: uses env_read of env.c, which stands below"),
    ({"runtime/text.c": MIT + "int x = at_options;\n"},
     "runtime/text.c:2: uses at_options of env.c"),
    ({"runtime/env.c": MIT + "#ifdef A\n#elif defined(__linux__)\n#endif\n"},
     "runtime/env.c:3: tests for the system"),
    ({"plugin/pass.cc": GPL + "#if GCC_VERSION > 2\n#endif\n"},
     "plugin/pass.cc:2: tests the compiler's version"),
    ({"plugin/pass.cc": GPL + '#include "tree.h"\n'},
     "plugin/pass.cc:2: includes tree.h of GCC"),
    ({"tool/cmd.c": MIT + "#include <alloctrace.h>\n"},
     "tool/cmd.c:2: includes alloctrace.h"),
    ({"tests/e2e/a.c": MIT + '#include "runtime.h"\n'},
     "tests/e2e/a.c:2: includes runtime.h"),
    ({"tool/cmd.c": "int x;\n"}, "tool/cmd.c:1: no SPDX line"),
    ({"plugin/pass.cc": MIT}, "plugin/pass.cc:1: is MIT instead of GPL"),
    ({"tool/cmd.c": GPL}, "tool/cmd.c:1: is GPL-3.0-or-later instead of MIT"),
    ({"scripts/x": "#!/bin/sh\necho\n"}, "scripts/x:1: no SPDX line"),
    ({"tool/cmd.c": MIT + "void f(void)\n{\n" + "    g();\n" * 78 + "}\n"},
     "tool/cmd.c:2: f: 81 lines"),
    ({"tool/cmd.c": MIT + "\n" * 800}, "tool/cmd.c:1: 801 lines"),
    ({"tool/dump.c": MIT}, "tool/dump.c:1: has the name of runtime/dump.c"),
]


def run(files, *arguments):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            path = os.path.join(root, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run([sys.executable, CHECKER, root, *arguments],
                              text=True, capture_output=True, check=False)


def compile_library(directory, source):
    library = os.path.join(directory, "lib.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-xc", "-", "-o", library],
                   input=source, text=True, check=True)
    return library


def expect(name, result, status, text):
    ok = result.returncode == status and text in result.stdout
    print(f"{'ok' if ok else 'FAILED'}: {name}")
    if not ok:
        print(f"  expected: {status}, {text}\n  actual: {result.returncode},\n"
              f"{result.stdout}{result.stderr}")
    return ok


def check_libraries():
    with tempfile.TemporaryDirectory() as directory:
        library = compile_library(
            directory, "#include <stdio.h>\nint leaked(void)\n"
                       "{ return printf(\"%d\", 1); }\n")
        result = run(GOOD, "--shared", library)
    return [expect("an exported name", result, 1, "exports leaked"),
            expect("a call of the C library", result, 1, "calls printf")]


def main():
    results = [expect("a tree in which every rule holds", run(GOOD), 0, "ok")]
    for files, text in BAD:
        results.append(expect(text, run({**GOOD, **files}), 1, text))
    results += check_libraries()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
