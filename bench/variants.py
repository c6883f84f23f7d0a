# SPDX-License-Identifier: MIT
"""What the benchmarks share: a program's variants and how they are built and
run.

    plain     without alloctrace
    stack     with the shadow stack alone (stack_only.c in place of the runtime)
    off       instrumented, not tracing
    tracing   every allocation with its whole call path
    sampling  one block in 512 KiB
"""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
DEFAULT_BUILD = os.path.join(TOP, "build/release")

# name: (which executable, variables)
VARIANTS = {
    "plain": ("plain", {}),
    "stack": ("stack", {}),
    "off": ("trace", {}),
    "tracing": ("trace", {"ALLOCTRACE": "all"}),
    "sampling": ("trace", {"ALLOCTRACE": "all",
                           "ALLOCTRACE_SAMPLE": "512KiB"}),
}


def stack_compiler(tree):
    """A compiler that links stack_only.c in place of the runtime. Its files
    are put in place whole: another benchmark may be using them."""
    folder = os.path.join(tree, "bench")
    library = os.path.join(folder, "stack_only.o")
    script = os.path.join(folder, "stack-gcc")
    new = f".{os.getpid()}"
    flags = subprocess.run([os.path.join(tree, "bin/alloctrace"), "cflags"],
                           check=True, capture_output=True, text=True).stdout
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["gcc", "-O2", f"-I{TOP}/include", "-c", "-o", library + new,
                    os.path.join(HERE, "programs", "stack_only.c")], check=True)
    with open(script + new, "w", encoding="utf-8") as out:
        out.write(f'#!/bin/sh\nexec gcc {flags.strip()} "$@" -Wl,{library}\n')
    os.chmod(script + new, 0o755)
    os.replace(library + new, library)
    os.replace(script + new, script)
    return script


def compilers(tree):
    """Executable's name => its compiler."""
    return {"plain": "gcc", "stack": stack_compiler(tree),
            "trace": os.path.join(tree, "bin/alloctrace-gcc")}


def executable(program, tree, built):
    return os.path.join(tree, "e2e", program, "O2", built, program)


def build_here(program, tree):
    """Builds bench/programs/PROGRAM.c."""
    for built, compiler in compilers(tree).items():
        path = executable(program, tree, built)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        subprocess.run([compiler, "-O2", "-g", "-pthread",
                        "-I" + os.path.join(TOP, "include"), "-o", path,
                        os.path.join(HERE, "programs", f"{program}.c")],
                       check=True)


def build_fetched(program, tree):
    """Builds one of Debian's, as the end-to-end tests do."""
    for built, compiler in compilers(tree).items():
        subprocess.run([os.path.join(TOP, "tests/e2e/build_program.sh"),
                        program, tree, built, compiler], check=True)


def command(program, arguments, tree, variant):
    return [executable(program, tree, VARIANTS[variant][0]), *arguments]


def environment(variant, dump):
    return {**os.environ, **VARIANTS[variant][1], "ALLOCTRACE_DUMP": dump}
