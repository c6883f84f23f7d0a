#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs the worked projects from an installed copy.

projects.py BUILD SOURCE [--prefix NAME] [--destdir] [SECTION...]

Installs BUILD into a fresh prefix, copies examples/projects, runs each block of
its README in the folder that the heading names, and looks into the dumps: the
lines that allocate stand in the sources, and are found there by their text.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

WORDS = "one two two three".split()


def fail(text):
    sys.exit("projects: " + text)


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        fail(f"{command}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


class Installation:
    """A prefix, and the environment of somebody who uses it."""

    def __init__(self):
        self.command = "alloctrace"
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith("ALLOCTRACE")}
        # meson takes a cache that it finds, which wants a home to write to.
        self.env["CCACHE_DISABLE"] = "1"

    @classmethod
    def make(cls, build, prefix, through_destdir):
        """Installs into a prefix that nobody searches by himself."""
        made = cls()
        made.prefix = prefix
        if through_destdir:
            stage = prefix + ".stage"
            run(["cmake", "--install", build, "--prefix", prefix],
                env=dict(os.environ, DESTDIR=stage))
            shutil.move(stage + prefix, prefix)
        else:
            run(["cmake", "--install", build, "--prefix", prefix])
        made.search()
        return made

    def search(self):
        self.command = os.path.join(self.prefix, "bin", "alloctrace")
        libdir = os.path.dirname(self.find("liballoctrace.a"))
        self.env.update(
            PATH=os.path.join(self.prefix, "bin") + ":" + self.env["PATH"],
            CMAKE_PREFIX_PATH=self.prefix,
            PKG_CONFIG_PATH=os.path.join(libdir, "pkgconfig"))

    def find(self, name):
        for folder, _, files in os.walk(self.prefix):
            if name in files:
                return os.path.join(folder, name)
        return fail(f"{name} was not installed")

    def live(self, dump):
        """{(file, line): (blocks, bytes)} of what is live in a dump."""
        text = run([self.command, "stats", dump, "--format", "json",
                    "--no-fold-wrappers"], env=self.env)
        return {(os.path.basename(group["traceback"][0]["file"]),
                 group["traceback"][0]["line"]):
                (group["count"], group["size"])
                for group in json.loads(text)["statistics"]}


def sections(readme):
    """[(title, folder, shell commands)] of the README."""
    pattern = r"^## ([^\n]*): `(\w+)/`\n(.*?)^```sh\n(.*?)^```"
    return [(title, folder, block) for title, folder, _, block in
            re.findall(pattern, readme, re.M | re.S)]


def line_of(source, name, text):
    with open(os.path.join(source, name)) as file:
        for number, line in enumerate(file, 1):
            if text in line:
                return name, number
    return fail(f"{name} has no line with {text!r}")


def expected(source, title):
    """{dump: {(file, line): (blocks, bytes)}}; a dump of None must not be."""
    distinct = sorted(set(WORDS))
    words = {
        line_of(source, "table.c", "calloc(1,"): (1, 16),
        line_of(source, "table.c", "malloc(sizeof"):
            (len(distinct), 16 * len(distinct)),
        line_of(source, "table.c", "strdup("):
            (len(distinct), sum(len(word) + 1 for word in distinct)),
    }
    if title == "Fortran":
        return {"words": {line_of(source, "grid.f90", "allocate (field"):
                          (1, 100 * 200 * 8)}}
    if title.startswith("With the calls left in"):
        return {"words": None}
    if title == "CMake":
        return {"words": words, "lines": words, "plain": {}}
    return {"words": words}


def check(installation, folder, source, title):
    for name, groups in expected(source, title).items():
        dump = os.path.join(folder, name + ".alloctrace")
        if groups is None:
            if os.path.exists(dump):
                fail(f"{title}: {name} was traced")
            continue
        if not os.path.exists(dump):
            if groups:
                fail(f"{title}: {name} wrote no dump")
            continue
        live = installation.live(dump)
        for place, figures in groups.items():
            if live.get(place) != figures:
                fail(f"{title}: {name}: {place} has {live.get(place)}, not "
                     f"{figures}, in {live}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("source")
    parser.add_argument("sections", nargs="*")
    parser.add_argument("--prefix", default="prefix")
    parser.add_argument("--destdir", action="store_true")
    parser.add_argument("--installed", action="store_true",
                        help="BUILD is ignored: it is installed in /usr")
    options = parser.parse_intermixed_args()
    projects = os.path.join(options.source, "examples", "projects")
    with open(os.path.join(projects, "README.md")) as file:
        found = sections(file.read())
    wanted = [section for section in found
              if not options.sections or section[0] in options.sections]
    if len(wanted) < max(1, len(options.sections)):
        fail(f"the README has no such section: {options.sections}")
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation() if options.installed else \
            Installation.make(options.build,
                              os.path.join(folder, options.prefix),
                              options.destdir)
        for number, (title, place, block) in enumerate(wanted):
            copy = os.path.join(folder, f"project {number}")
            shutil.copytree(projects, copy)
            run(["sh", "-e", "-c", block], cwd=os.path.join(copy, place),
                env=installation.env)
            check(installation, os.path.join(copy, place),
                  os.path.join(projects, "source"), title)
            print(f"{title}: as the README says")


if __name__ == "__main__":
    main()
