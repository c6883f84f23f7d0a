# SPDX-License-Identifier: MIT
"""The tools that programs are measured with: alloctrace in its variants, and
its peers, each used as its own documentation says.

A tool takes one of the executables that a program is built as (`BUILDS`), the
words that stand before the command, and variables.
"""
from dataclasses import dataclass, field
import glob
import os

# How a program's executables are built: name => (compilers' prefix of
# alloctrace or None, further flags).
BUILDS = {
    "plain": ("", []),
    "trace": ("alloctrace-", []),
}


@dataclass
class Tool:
    """{out} in words and variables is a path in an empty folder of each run's
    own: what the tool writes goes there and nowhere else."""
    name: str
    built: str = "plain"  # of BUILDS
    prefix: list = field(default_factory=list)  # words before the command
    variables: dict = field(default_factory=dict)
    packages: list = field(default_factory=list)  # Debian's, that it takes
    is_peer: bool = True  # False: of alloctrace's own
    needs_small: bool = False  # takes minutes, unless the input is small

    def words(self, command, out):
        return [word.replace("{out}", out) for word in self.prefix] + command

    def environment(self, out):
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith("ALLOCTRACE")}
        return {**clean, **{name: value.replace("{out}", out)
                            for name, value in self.variables.items()}}


def written_bytes(out):
    """What a run with that {out} wrote."""
    return sum(os.path.getsize(path) for path in
               glob.glob(os.path.join(os.path.dirname(out), "*")))


PLAIN = Tool("plain", is_peer=False)

TOOLS = [
    Tool("alloctrace", "trace", is_peer=False, variables={
        "ALLOCTRACE": "all", "ALLOCTRACE_DUMP": "{out}"}),
    Tool("alloctrace, sampling", "trace", is_peer=False, variables={
        "ALLOCTRACE": "all", "ALLOCTRACE_SAMPLE": "512KiB",
        "ALLOCTRACE_DUMP": "{out}"}),
    Tool("alloctrace, off", "trace", is_peer=False),
    Tool("heaptrack", prefix=["heaptrack", "-o", "{out}"],
         packages=["heaptrack"]),
]
