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
import statistics
import subprocess
import sys
import tempfile

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


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def stack_compiler(tree):
    """A compiler that links stack_only.c in place of the runtime."""
    folder = os.path.join(tree, "bench")
    library = os.path.join(folder, "stack_only.o")
    script = os.path.join(folder, "stack-gcc")
    flags = subprocess.run([os.path.join(tree, "bin/alloctrace"), "cflags"],
                           check=True, capture_output=True, text=True).stdout
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["gcc", "-O2", f"-I{TOP}/include", "-c", "-o", library,
                    os.path.join(HERE, "stack_only.c")], check=True)
    with open(script, "w", encoding="utf-8") as out:
        out.write(f'#!/bin/sh\nexec gcc {flags.strip()} "$@" -Wl,{library}\n')
    os.chmod(script, 0o755)
    return script


def compilers(tree):
    """Executable's name => its compiler."""
    return {"plain": "gcc", "stack": stack_compiler(tree),
            "trace": os.path.join(tree, "bin/alloctrace-gcc")}


def executable(program, tree, built):
    return os.path.join(tree, "e2e", program, "O2", built, program)


def build_here(program, tree):
    """Builds bench/bench_PROGRAM.c."""
    for built, compiler in compilers(tree).items():
        path = executable(program, tree, built)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        subprocess.run([compiler, "-O2", "-g", "-o", path, os.path.join(
            HERE, f"bench_{program}.c")], check=True)


def build_fetched(program, tree):
    """Builds one of Debian's, as the end-to-end tests do."""
    for built, compiler in compilers(tree).items():
        subprocess.run([os.path.join(TOP, "tests/e2e/build_program.sh"),
                        program, tree, built, compiler], check=True)


def usage_program(tree):
    """Builds usage.c."""
    path = os.path.join(tree, "bench", "usage")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["gcc", "-O2", "-static", "-o", path,
                    os.path.join(HERE, "usage.c")], check=True)
    return path


def measure_usage(usage, words, variables):
    """CPU seconds and peak resident KiB of a command."""
    with tempfile.NamedTemporaryFile("r", prefix="alloctrace-bench.") as file:
        subprocess.run([usage, file.name, *words], env=variables,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       check=True)
        seconds, kib, status = file.read().split()
    if status != "0":
        fail(f"{words[0]} failed with status {status}")
    return float(seconds), int(kib)


def command(program, arguments, tree, variant):
    return [executable(program, tree, VARIANTS[variant][0]), *arguments]


def environment(variant, dump):
    return {**os.environ, **VARIANTS[variant][1], "ALLOCTRACE_DUMP": dump}


def pin():
    """One processor for all of them: for preexec_fn."""
    os.sched_setaffinity(0, {os.cpu_count() - 1})


def in_turn(variants, runs, measure):
    """Runs the variants in turn (plain, stack, ..., plain, ...) after a warm-up
    that is not counted: variant => list of what `measure` gave."""
    samples = {variant: [] for variant in variants}
    for run in range(runs + 1):
        for variant in variants:
            sample = measure(variant)
            if run:
                samples[variant].append(sample)
    return samples


def spread(numbers):
    """Of the middle half, as a share of the median."""
    if len(numbers) < 2:
        return 0
    quarters = statistics.quantiles(numbers, n=4)
    return (quarters[2] - quarters[0]) / statistics.median(numbers)


def median_ratio(plain, other):
    return statistics.median(b / a for a, b in zip(plain, other))


def median_difference(plain, other):
    return statistics.median(b - a for a, b in zip(plain, other))
