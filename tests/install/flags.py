#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alloctrace.pc says what the command says.

flags.py BUILD

Installs BUILD and compares the variables of alloctrace.pc with what `alloctrace
cflags` and `ldflags` print, word by word.
"""
import os
import shlex
import sys
import tempfile

sys.dont_write_bytecode = True
from projects import Installation, fail, run  # noqa: E402

VARIABLES = {
    "instrument_cflags": ["cflags"],
    "instrument_ldflags": ["ldflags", "--static"],
    "instrument_shared": ["ldflags", "--shared"],
}


def main():
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation.make(
            sys.argv[1], os.path.join(folder, "prefix"), False)

        def ask(*command):
            return shlex.split(run(command, env=installation.env))

        compile_words = ask(installation.command, "cflags")
        for variable, arguments in VARIABLES.items():
            said = ask(installation.command, *arguments)
            if arguments[0] == "ldflags": # has what compiles as well, for LTO
                said = [word for word in said if word not in compile_words]
            found = ask("pkg-config", "--variable=" + variable, "alloctrace")
            if not found or found != said:
                fail(f"{variable} is {found}, the command says {said}")
        libs = ask("pkg-config", "--libs", "--cflags", "alloctrace")
        if "-lalloctrace" not in libs:
            fail(f"pkg-config --libs says {libs}")


if __name__ == "__main__":
    main()
