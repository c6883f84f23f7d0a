#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the text of call paths with tracemalloc.Traceback.format.

    tracebacks.py [--seed N] [--count N] BUILD

Random paths over files with odd contents, all limits from -5 to 5 and none,
both orders. The files lie in an empty folder; what is no file is not there for
either of us. Exit status: 0 = all agree.
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile
import tracemalloc

# Contents by name. Not here, as we differ on purpose: a byte 0, comments that
# name encodings.
FILES = {
    "plain.c": b"int main(void)\n{\n    return f();\n}\n",
    "blank.c": b"\n   \n\t\v\f \n\n\nx\n",
    "no_end.c": b"first\n  last",
    "dos.c": b"one\r\n  two \r\n\r\nfour",
    "mac.c": b"one\rtwo\r\rfour\r",
    "mixed.c": b"a\r\r\n\n\rb\n\r\n",
    "empty.c": b"",
    "end.c": b"\n",
    "return.c": b"\r",
    "mark.c": b"\xef\xbb\xbfint x;\n\xef\xbb\xbfint y;\n",
    "mark_only.c": b"\xef\xbb\xbf",
    "latin.c": b"int \xe9;\nint y;\n",
    "latin_late.c": b"int x;\nint y;\nint z;\nint u;\nint \xe9;\n",
    "utf8.c": "int é; /* ∀ 😀 */\n\u3000wide\u3000\n".encode(),
    "spaces.c": ("\x1cone\x1f\n\x85two\x85\n\xa0three\u2003\n"
                 "\u1680\u2028four\u2029\u202f\u205f\n\u200bfive\ufeff\n"
                 "\x1d\x1e\n").encode(),
    "surrogate.c": b"one\n\xed\xa0\x80\n",
    "overlong.c": b"one\n\xc0\xaf\n",
    "overlong3.c": b"one\n\xe0\x80\xaf\n",
    "beyond.c": b"one\n\xf4\x90\x80\x80\n",
    "highest.c": b"one\n\xf4\x8f\xbf\xbf\n",
    "cut.c": b"one\ntwo\xe2\x88",
    "control.c": b"\x01\x02 \x1b[31mred\x1b[0m\x7f \n\x08\n",
    "long.c": b"x" * 300000 + b"\n  " + b"y z" * 50000 + b" \n",
    "many.c": b"".join(b"line %d\n" % n for n in range(3000)),
    "binary.o": bytes(range(1, 256)) * 40,
    "name with spaces": b"  with spaces  \n",
    "quote\".c": b"\"\n",
    "new\nline.c": b"new\n",
    "-": b"dash\n",
    "<angle>": b"never read\n",
    "<angle": b"one bracket\n",
}
OTHERS = ["<unknown>", "<string>", "nowhere_at_all.c", "folder", "folder/",
          "folder/../plain.c", "/nowhere/at/all.c", "plain.c/x", "dangling",
          "link.c", "locked.c", "no\nsuch\x1b.c", "/proc/self/limits"]
LIMITS = [None] + list(range(-5, 6))


def make_files(folder):
    os.chdir(folder)
    sys.path[:] = []  # where linecache looks for relative names, too
    for name, content in FILES.items():
        with open(name, "wb") as file:
            file.write(content)
    os.mkdir("folder")
    os.symlink("nowhere", "dangling")
    os.symlink("plain.c", "link.c")
    with open("locked.c", "wb") as file:
        file.write(b"locked\n")
    os.chmod("locked.c", 0)


def random_path(source):
    """Frames, the most recent first: (file, line)."""
    names = list(FILES) * 3 + OTHERS
    lines = list(range(0, 8)) + [2999, 3000, 3001, 2 ** 32 - 1]
    return [(source.choice(names), source.choice(lines))
            for _ in range(source.randint(1, 6))]


def all_lines():
    for name in list(FILES) + OTHERS:
        for line in range(0, 9):
            yield [(name, line)]


def request(path, limit, is_recent_first):
    frames = " ".join(f"{name.encode().hex()}:{line}" for name, line in path)
    return (f"{'-' if limit is None else limit} {int(is_recent_first)} "
            f"{frames}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=311)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("build")
    arguments = parser.parse_args()
    driver = os.path.abspath(
        os.path.join(arguments.build, "bin", "traceback_driver"))
    source = random.Random(arguments.seed)
    paths = list(all_lines()) + [random_path(source)
                                 for _ in range(arguments.count)]
    cases = [(path, None, False) for path in all_lines()] + [
        (path, limit, is_recent_first) for path in paths[-arguments.count:]
        for limit in LIMITS for is_recent_first in (False, True)]
    with tempfile.TemporaryDirectory() as folder:
        make_files(folder)
        done = subprocess.run([driver], check=True, text=True, cwd=folder,
                              input="".join(request(*case) for case in cases),
                              stdout=subprocess.PIPE)
        texts = [bytes.fromhex(line) for line in done.stdout.splitlines()]
        if len(texts) != len(cases):
            sys.exit(f"{len(texts)} texts of {len(cases)}")
        for (path, limit, is_recent_first), text in zip(cases, texts):
            lines = tracemalloc.Traceback(path).format(limit, is_recent_first)
            expected = "".join(line + "\n" for line in lines).encode()
            if text != expected:
                sys.exit(f"{path}, limit {limit}, {is_recent_first}:\n"
                         f"{text[:2000]!r}\nin Python\n{expected[:2000]!r}")
        os.chdir("/")
    print(f"{len(cases)} texts agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
