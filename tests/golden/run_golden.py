#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what the tool says of old dumps with what it must say.

    run_golden.py TOOL FOLDER

NAME.txt is the whole output of `alloctrace dump`. NAME.json is what
`alloctrace stats --format json --metric total` has to say at least: newer
versions may say more.
"""
import glob
import json
import os
import subprocess
import sys


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          env={"LC_ALL": "C"}, timeout=120).stdout


def missing(expected, actual, where=""):
    """Yields the places where `actual` lacks what is expected."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if key not in actual:
                yield f"{where}.{key} is missing"
            else:
                yield from missing(value, actual[key], f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{where}: {len(actual)} and not {len(expected)}"
        for i, pair in enumerate(zip(expected, actual)):
            yield from missing(*pair, f"{where}[{i}]")
    elif expected != actual:
        yield f"{where} is {actual!r} and not {expected!r}"


def complaints(tool, base):
    with open(base + ".txt", encoding="utf-8") as file:
        if run(tool, "dump", base + ".dump") != file.read():
            yield "alloctrace dump prints something else"
    with open(base + ".json", encoding="utf-8") as file:
        yield from missing(json.load(file), json.loads(
            run(tool, "stats", "--format", "json", "--metric", "total",
                base + ".dump")))


def main():
    tool, folder = sys.argv[1:]
    n_bad = 0
    dumps = sorted(glob.glob(os.path.join(folder, "*.dump")))
    for path in dumps:
        for complaint in complaints(tool, path[:-len(".dump")]):
            print(f"{os.path.basename(path)}: {complaint}")
            n_bad += 1
    print(f"{len(dumps)} files, {n_bad} complaints")
    return 1 if n_bad or not dumps else 0


if __name__ == "__main__":
    sys.exit(main())
