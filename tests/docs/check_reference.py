#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the public headers and their texts keep what CONTRIBUTING.md asks for?

    check_reference.py page       docs/reference.md is what scripts/reference
                                  writes
    check_reference.py texts      every declaration is documented, with the
                                  parts that it needs, and so is every field
    check_reference.py libraries BUILD
                                  every function that is declared is defined,
                                  and every one that is exported is declared
    check_reference.py use        every function is called by a test or an
                                  example
"""
import os
import re
import subprocess
import sys

import check_coverage
import pages
from pages import e2e

REFERENCE = check_coverage.load_reference()
# The runtime's own; what else it exports is in tests/layout/exports.txt.
RUNTIME = "alloctrace.h"
CODE = (".c", ".cc", ".h", ".py", ".md", ".txt")


def functions():
    """Yields (header, declaration) of every function."""
    for header in REFERENCE.read_headers():
        for one in header.declarations():
            if one.kind == "function":
                yield header, one


def place(header, one):
    return f"include/{header.name}:{one.line}: {one.name}"


# ---- Texts ----

def returns_nothing(one):
    return re.match(r"(static inline )?void\s+\w", one.code)


def gives_a_handle(one):
    return re.search(r"\b(alloctrace_\w+|struct \w+|char|void) \*\*\w+",
                     one.code)


def counts_bytes(one):
    return re.search(r"_memory\(|_size\(|\bsize\b(?!_t)", one.code)


def lacking(header, one):
    """Yields what the text of a function lacks."""
    text = one.text or ""
    if not text:
        yield "a text"
        return
    if not returns_nothing(one) and not re.search(
            r"[Rr]eturns:|^How many|^Makes a filter", text):
        yield "what it returns (Returns:)"
    if gives_a_handle(one) and not re.search(r"Owner[:,]|Returns: as|is freed",
                                             text):
        yield "who frees what it gives (Owner:)"
    if header.name == RUNTIME and "Context:" not in text:
        yield "where it may be called (Context:)"
    if counts_bytes(one) and not re.search(r"byte|Units:|characters|size",
                                           text):
        yield "the unit (Units:)"


def bare_fields(code):
    """Yields the fields of a struct or enum without a comment."""
    is_above = False
    is_open = False
    for line in code.split("\n")[1:-1]:
        if is_open:
            is_open = "*/" not in line
            continue
        is_open = "/*" in line and "*/" not in line
        if re.match(r" *(/\*|\*)", line):
            is_above = True
            continue
        if "/*" not in line and not is_above and re.search(r"[;,]$", line):
            yield line.strip()
        is_above = is_above and not line.endswith(";")


def check_texts():
    wrong = [f"{place(header, one)} lacks {what}"
             for header, one in functions() for what in lacking(header, one)]
    for header in REFERENCE.read_headers():
        for one in header.declarations():
            if one.kind == "struct":
                wrong += [f"{place(header, one)}: no comment at {field}"
                          for field in bare_fields(one.code)]
            if not one.text and "/*" not in one.code:
                wrong.append(f"{place(header, one)} has no text")
    e2e.check(not wrong, "\n".join(wrong))


# ---- Libraries ----

def exported(path):
    """Names of the functions that a library offers to others."""
    output = subprocess.run(["readelf", "-W", "--syms", path], check=True,
                            text=True, capture_output=True).stdout
    return set(re.findall(r" FUNC +(?:GLOBAL|WEAK) +DEFAULT +\d+ (\w+)",
                          output))


def check_libraries(build):
    libraries = {name: exported(os.path.join(build, "lib", name)) for name in
                 ("liballoctrace.a", "liballoctrace.so",
                  "liballoctrace-analysis.a", "liballoctrace-symbol.a")}
    runtime = libraries["liballoctrace.a"] & libraries["liballoctrace.so"]
    analysis = libraries["liballoctrace-analysis.a"] | \
        libraries["liballoctrace-symbol.a"]
    names = {one.name: (header, one) for header, one in functions()}
    wrong = []
    for name, (header, one) in names.items():
        home = runtime if header.name == RUNTIME else analysis
        if name not in home and not one.code.startswith("static inline"):
            wrong.append(f"{place(header, one)} is defined in no library")
    wrong += [f"{name} is exported, but declared in no public header"
              for name in sorted(analysis - set(names))
              if name.startswith("alloctrace_")]
    e2e.check(not wrong, "\n".join(wrong))


# ---- Use ----

def used_text():
    """Everything that is run by tests."""
    texts = []
    for folder in ("tests", "examples", "docs"):
        for path, _, files in os.walk(os.path.join(pages.TOP, folder)):
            for name in files:
                if name.endswith(CODE) and name != "reference.md":
                    with open(os.path.join(path, name), encoding="utf-8",
                              errors="replace") as file:
                        text = file.read()
                    if name.endswith(".md"):
                        text = "".join(re.findall(r"^```c\b.*?^```", text,
                                                  re.M | re.S))
                    texts.append(text)
    return "\n".join(texts)


def check_use():
    called = set(re.findall(r"\b(alloctrace_\w+)\s*\(", used_text()))
    wrong = [f"{place(header, one)} is called by no test and no example"
             for header, one in functions() if one.name not in called]
    e2e.check(not wrong, "\n".join(wrong))


def check_page():
    with open(REFERENCE.PAGE, encoding="utf-8") as file:
        e2e.check(file.read() == REFERENCE.reference(),
                  "docs/reference.md: run scripts/reference")


def test():
    what, *build = sys.argv[1:]
    e2e.check(len(list(functions())) > 80, "the headers were not read")
    {"page": check_page, "texts": check_texts, "use": check_use,
     "libraries": check_libraries}[what](*build)


if __name__ == "__main__":
    e2e.main(test)
