#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is each name of python3's tracemalloc in the table of docs/library.md, with
the parameters that it takes, and is all that the table names for it declared?

    check_coverage.py
"""
import ctypes
import importlib.machinery
import importlib.util
import inspect
import os
import re
import tracemalloc

import pages
from pages import e2e

PAGE = os.path.join(pages.TOP, "docs", "library.md")
TITLE = "## Every name of tracemalloc\n"
# What every class of Python has, or what is no part of what it can do.
NO_FEATURES = {"__module__", "__doc__", "__slots__", "__dict__", "__weakref__",
               "__abstractmethods__", "__init__", "__new__", "__class__",
               "__delattr__", "__dir__", "__format__", "__getattribute__",
               "__init_subclass__", "__ne__", "__reduce__", "__reduce_ex__",
               "__setattr__", "__sizeof__", "__subclasshook__",
               "__class_getitem__", "__firstlineno__", "__getstate__",
               "__static_attributes__"}
C_FUNCTIONS = ("PyTraceMalloc_Track", "PyTraceMalloc_Untrack")


def parameters(thing):
    """Names of the parameters, but `self`; as a set."""
    return {name for name in inspect.signature(thing).parameters
            if name != "self"}


def is_own(cls, name):
    """Does a class define it, or inherit it from another one than object?"""
    return name not in NO_FEATURES and \
        not re.match(r"_(?!_)", name) and \
        getattr(cls, name) is not getattr(object, name, None)


def of_class(cls):
    """Yields (name, parameters) of a class and of all that it has."""
    yield cls.__name__, parameters(cls)
    for name in dir(cls):
        if is_own(cls, name):
            value = getattr(cls, name)
            takes = parameters(value) if inspect.isfunction(value) and \
                not name.startswith("__") else set()
            if name not in ("index", "count"):  # of a sequence
                yield f"{cls.__name__}.{name}", takes
            else:
                yield f"{cls.__name__}.{name}", set()
    # Attributes of an object that are no properties.
    source = inspect.getsource(cls)
    for name in set(re.findall(r"self\.([a-z]\w*) = ", source)):
        yield f"{cls.__name__}.{name}", set()


def names():
    """name => parameters, of everything that tracemalloc has."""
    result = {}
    for name in dir(tracemalloc):
        thing = getattr(tracemalloc, name)
        if name.startswith("_") or getattr(thing, "__module__", None) not in (
                "tracemalloc", "_tracemalloc"):
            continue
        found = of_class(thing) if inspect.isclass(thing) else \
            [(name, {one for one in parameters(thing)})]
        for one, takes in found:
            result.setdefault(one, set()).update(takes)
    for name in C_FUNCTIONS:
        if hasattr(ctypes.pythonapi, name):
            result[name] = set()
    return result


def rows(text):
    """name => (parameters, what stands for it) of the table."""
    result = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 3:
            continue
        for code in re.findall(r"`([^`]+)`", cells[0]):
            name, _, takes = code.partition("(")
            result[name] = (set(re.findall(r"\w+", takes)), cells[1])
    return result


def load_reference():
    path = os.path.join(pages.TOP, "scripts", "reference")
    loader = importlib.machinery.SourceFileLoader("reference", path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("reference", loader))
    loader.exec_module(module)
    return module


def declared():
    """name => its code, of all that the public headers declare."""
    return {one.name: one.code for header in load_reference().read_headers()
            for one in header.declarations()}


def check_is_declared(name, declarations):
    struct, _, member = name.partition(".")
    e2e.check(struct in declarations, f"{name} is declared nowhere")
    code = re.sub(r"/\*.*?\*/", "", declarations[struct], flags=re.S)
    e2e.check(not member or re.search(rf"\b{member};", code),
              f"{struct} has no {member}")


def test():
    with open(PAGE, encoding="utf-8") as file:
        table = rows(file.read().partition(TITLE)[2])
    found = names()
    e2e.check(len(found) > 50, f"only {len(found)} names found")
    missing = sorted(set(found) - set(table))
    e2e.check(not missing, f"no row for {', '.join(missing)}")
    for name, takes in found.items():
        absent = takes - table[name][0]
        e2e.check(not absent, f"{name}: its row lacks {', '.join(absent)}")
    declarations = declared()
    for name, (_, ours) in table.items():
        codes = re.findall(r"`([\w.=]+)`", ours)
        e2e.check(codes, f"{name}: nothing stands for it")
        for code in codes:
            if not code.startswith("ALLOCTRACE="):
                check_is_declared(code, declarations)
    print(f"{len(found)} names of tracemalloc, {len(table)} in the table")


if __name__ == "__main__":
    e2e.main(test)
