#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares our patterns with Python's own fnmatch.fnmatchcase, over bytes.

    patterns.py [--seed N] [--count N] BUILD

Random patterns over a small alphabet of what is special in patterns, and all
of the patterns and names below with one another; and, for file names, the rule
for ".pyc" of tracemalloc.Filter. Exit status: 0 = all agree.
"""
import argparse
import fnmatch
import os
import random
import subprocess
import sys
import tracemalloc
import warnings

# What CPython 3.11 does with these is what we do; later versions may differ.
PATTERNS = """
* ** *? ?* ?? a* *a *a* [ab] [!ab] []a] [!]a] [] [!] [!]] []] [a [!a a] [[] []
[]-a] [!]-a] [a-c] [!a-c] [c-a] [!c-a] [c-a!] [c-a!b] [c-a!-c] [c-a!-!]
[a-c-e] [a-] [-a] [--a] [--] [---] [!--] [!-a] [a--] [!a--] [!---] [+--]
[a-c^] [^a] [!^a] [^] [!^] [c-a^b] [\\] [\\a] [!\\] \\* \\a [\\-a] [Z-\\] [&&]
[a&&b] [~~] [||] [a~~b] [a||b] [&-~] [!&-~] [[:alpha:]] [[.a.]] {a,b} a|b (a)
$ ^ . + [.] [a-b-c-d] [a-cx-z] [z-xa-c] [b-a!-cd-f] [c-aa-c] [a-cc-a] [!!] [!!a]
[!!-a] [b-a[] [b-a]] [b-a-] [b-a--] [a-b-] [*] [?] [[-]] [[--] [!-] [-] [--0]
*[!-]* *a*b*a* a?b?a *[ab][!ab]* *.pyc *.py a.py[c] .pyc pyc *c \n [\n] *\n*
""".split(" ")
ALPHABET = b"ab*?[]!-^\\&"
NAMES = b"ab[]!-^\\&~*?"


def hexadecimal(texts):
    return "".join(text.hex() + "\n" for text in texts)


def ours(driver, kind, names, patterns):
    done = subprocess.run([driver, kind], check=True, text=True,
                          input=hexadecimal(names) + "--\n"
                          + hexadecimal(patterns), stdout=subprocess.PIPE)
    return [[digit == "1" for digit in line]
            for line in done.stdout.splitlines()]


def python_function(name, pattern):
    return fnmatch.fnmatchcase(name, pattern)


def python_file(name, pattern):
    """As tracemalloc.Filter does: over strings, a byte a character."""
    chosen = tracemalloc.Filter(True, pattern.decode("latin-1"))
    return chosen._match_frame(name.decode("latin-1"), 1)


def random_text(source, alphabet, longest, least=0):
    size = source.randint(least, longest)
    return bytes(source.choice(alphabet) for _ in range(size))


def random_pattern(source):
    """Much of what is in brackets, as that is where the quirks are."""
    if source.random() < 0.4:
        return random_text(source, ALPHABET, 8)
    inside = random_text(source, b"abc!-^]\\&", 7)
    return (random_text(source, b"a*?", 2) + b"[" + inside + b"]"
            + random_text(source, b"a*?", 2))


def compare(driver, kind, python, names, patterns):
    """Returns how many pairs were compared; ends at the first that differs."""
    rows = ours(driver, kind, names, patterns)
    if len(rows) != len(patterns):
        sys.exit(f"{len(rows)} rows of {len(patterns)}")
    for pattern, row in zip(patterns, rows):
        for name, found in zip(names, row):
            expected = python(name, pattern)
            if found != expected:
                sys.exit(f"{kind}: {pattern!r} and {name!r}: "
                         f"{found}, in Python {expected}")
    return len(names) * len(patterns)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=20110)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("build")
    arguments = parser.parse_args()
    driver = os.path.join(arguments.build, "bin", "pattern_driver")
    source = random.Random(arguments.seed)
    warnings.simplefilter("ignore")  # "possible nested set"
    every_byte = [bytes([byte]) for byte in range(1, 256)]
    listed = [text.encode() for text in PATTERNS] + [b""]
    names = [random_text(source, NAMES, 6) for _ in range(60)]
    # A file without a name is "<unknown>".
    files = [name for name in listed + names if name] + [
        b"a.py", b"a.pyc", b"a.pyo", b"b.pyc", b".pyc", b"pyc", b"a.py[c]"]
    count = compare(driver, "function", python_function,
                    every_byte + listed + names, listed)
    count += compare(driver, "file", python_file, files, listed + files)
    count += compare(driver, "function", python_function, every_byte[31:126]
                     + names, [random_pattern(source)
                               for _ in range(arguments.count)])
    print(f"{count} pairs agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
