# SPDX-License-Identifier: MIT
"""Runs inside gdb, by compare_gdb.py: stops at chosen allocations of a program
and prints, for each, the frames that gdb unwinds and those that alloctrace
recorded, as one line of JSON. The environment variable ALLOCTRACE_GDB holds
what to do, as JSON:

    calls      {"malloc": [3, 17], ...}: which calls of __alloctrace_malloc and
               so on to stop at, counted from 1
    arguments  of the program
    file       what the tracebacks are written to
"""
import itertools
import json
import os
import shlex

import gdb

TRACEBACK_FD = 3


def calls_itself(frame, name, sal):
    """Does the source line call the function `name` from within? A line that
    is not indented declares it; and that of a call that was inlined (which
    gdb gives as the inlined function's line) stands outside."""
    if frame.type() == gdb.INLINE_FRAME and \
            frame.function().line == sal.line % 65536:
        return False
    with open(sal.symtab.fullname(), encoding="utf-8",
              errors="replace") as file:
        line = next(itertools.islice(file, sal.line - 1, None), "")
    return name in line and line[0].isspace()


def called_symbol(frame):
    """The name of what the frame's call instruction calls, as the linker knows
    it; "" if the call is indirect (or the machine is no x86-64)."""
    pc = frame.pc()
    code = bytes(gdb.selected_inferior().read_memory(pc - 5, 5))
    if code[0] != 0xe8:
        return ""
    target = pc + int.from_bytes(code[1:], "little", signed=True)
    return gdb.execute(f"info symbol {target}", to_string=True).split()[0]


def calls_own_part(frame, name, sal, inner):
    """Does the frame call the outlined part of its own function?"""
    if inner.type() == gdb.INLINE_FRAME:
        return inner.name() == name and not calls_itself(frame, name, sal)
    return called_symbol(frame).startswith(name + ".part")


def kind_of(frame, name, sal, inner):
    """How the frame came to be."""
    if frame.type() == gdb.TAILCALL_FRAME:
        return "tail call"
    if inner and calls_own_part(frame, name, sal, inner):
        return "split"
    return "inline" if frame.type() == gdb.INLINE_FRAME else ""


def unwind():
    """gdb's frames from the caller of the entry up to main: the function, the
    line, the kind of frame, and whether the callee was inlined into it."""
    frames = []
    inner = None
    frame = gdb.newest_frame().older()
    while frame is not None:
        name = frame.name()
        sal = frame.find_sal()
        frames.append((name, sal.line, kind_of(frame, name, sal, inner),
                       inner is not None and
                       inner.type() == gdb.INLINE_FRAME))
        if name == "main":
            break
        inner = frame
        frame = frame.older()
    return frames


def recorded(path):
    """Lets the entry return, and the program print its block's traceback."""
    gdb.execute("finish", to_string=True)
    pointer = int(gdb.history(0)) % (1 << 64)
    before = os.path.getsize(path)
    gdb.parse_and_eval("((int (*)(int, void *))alloctrace_dump_traceback)"
                       f"({TRACEBACK_FD}, (void *){pointer})")
    with open(path, encoding="utf-8") as file:
        file.seek(before)
        return file.read()


class Entry:
    """An entry of the runtime, with the calls of it that are to be seen."""

    def __init__(self, name, calls):
        self.name = name
        self.calls = sorted(calls)
        # The first instruction: there the caller's frame is whole.
        self.breakpoint = gdb.Breakpoint(f"*__alloctrace_{name}")
        self.breakpoint.silent = True
        self.aim()

    def aim(self):
        if self.calls:
            self.breakpoint.ignore_count = \
                self.calls[0] - self.breakpoint.hit_count - 1
        else:
            self.breakpoint.enabled = False

    def is_hit(self):
        return self.calls and self.breakpoint.hit_count == self.calls[0]


def start(orders):
    for setting in ("pagination off", "confirm off", "debuginfod enabled off",
                    "disable-randomization on", "print thread-events off"):
        gdb.execute(f"set {setting}")
    # The symbols that the breakpoints need are there before the program runs.
    entries = [Entry(name, calls) for name, calls in orders["calls"].items()]
    gdb.execute(f"run {shlex.join(orders['arguments'])} >/dev/null "
                f"{TRACEBACK_FD}>>{shlex.quote(orders['file'])}",
                to_string=True)
    return entries


def main():
    orders = json.loads(os.environ["ALLOCTRACE_GDB"])
    entries = start(orders)
    while any(entry.calls for entry in entries):
        for entry in entries:
            if entry.is_hit():
                break
        else:
            print(json.dumps({"error": "the program ended before the calls "
                                       "were reached"}))
            return
        call = entry.calls.pop(0)
        frames = unwind()
        text = recorded(orders["file"])
        print(json.dumps({"entry": entry.name, "call": call, "gdb": frames,
                          "alloctrace": text}), flush=True)
        entry.aim()
        gdb.execute("continue", to_string=True)
    gdb.execute("kill")


main()
