#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles and runs every example of a page, and compares what it prints with
what the page says that it prints.

    check_pages.py [--update] BUILD PAGE...   --update: pages say what is printed

Blocks of a page, by the word behind their three backticks:

c, cpp   An example, built with alloctrace-gcc or alloctrace-g++ without a
         warning. One with a function main is a program. One with other
         definitions, or with includes, stands in front of all examples behind
         it on the page. All others of a section (from heading to heading) are
         one function main, in their order. A second word is the name of the
         file; else it is example.c, and lines count from the first line of the
         section's first statement.
text     What the last example before it prints. "..." stands for any lines.
         An example without it prints nothing.
console  Commands behind "$ ", and what they print; run in one directory, where
         the programs of the page stand under their names.

All else is left alone.
"""
import os
import re
import sys

import pages
from pages import e2e

FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
HEADERS = {
    "c": "#include <alloctrace/analysis.h>\n#include <inttypes.h>\n"
         "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
         "#include <unistd.h>\n",
    "cpp": "#include <alloctrace.hpp>\n#include <iostream>\n"
           "#include <string>\n#include <vector>\n",
}
SUFFIXES = {"c": "c", "cpp": "cc"}
COMPILERS = {"c": "alloctrace-gcc", "cpp": "alloctrace-g++ -std=c++17"}
FLAGS = "-g -O2 -Wall -Wextra -Werror -Wno-unused"
MARK = "@@@ next example"


class Example:
    """A block of code: where it stands, and the block that says what it
    prints, if there is one."""

    def __init__(self, match, section):
        self.language, self.file, self.code = match.groups()
        self.file = self.file or "example." + SUFFIXES[self.language]
        self.section = section
        self.output = None  # the match of its text block
        self.is_program = re.search(r"\bint main\(", self.code)
        self.is_definition = not self.is_program and re.search(
            r"^#include|^(static|struct|enum|typedef|void|int)\b[^;=]*\n?{$",
            self.code, re.M)
        self.is_run = True

    def expected(self):
        return self.output.group(3) if self.output else ""


class Page:
    """The examples and command lines of a page, in its order."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.path = path
        self.name = os.path.relpath(path, pages.TOP)
        self.examples = []
        self.consoles = []
        for match in FENCE.finditer(self.text):
            section = len(re.findall(r"^#+ ", self.text[:match.start()], re.M))
            if match.group(1) in COMPILERS:
                self.examples.append(Example(match, section))
            elif match.group(1) == "text" and self.examples and \
                    not self.examples[-1].output:
                self.examples[-1].output = match
            elif match.group(1) == "console":
                self.consoles.append(match)
                if self.examples and self.examples[-1].is_program:
                    self.examples[-1].is_run = False

    def heading(self, example):
        """The title of the section that an example stands in."""
        titles = re.findall(r"^#+ (.*)", self.text, re.M)
        return titles[example.section - 1]

    def programs(self):
        """Yields (examples, source) of everything that is built and run: one
        program, or the statements of one section."""
        before = {language: "" for language in HEADERS}
        sections = {}
        for one in self.examples:
            if one.is_definition:
                before[one.language] += f'#line 1 "{one.file}"\n{one.code}'
            elif one.is_program:
                if one.is_run:
                    yield [one], f'#line 1 "{one.file}"\n{one.code}'
            else:
                sections.setdefault((one.section, one.language), (
                    before[one.language], []))[1].append(one)
        for (_, language), (definitions, examples) in sections.items():
            yield examples, HEADERS[language] + definitions + \
                function(examples)


def function(examples):
    """Statements of a section as a function main."""
    body = "".join(f'#line {line} "{one.file}"\n{one.code}puts("{MARK}");\n'
                   for one, line in numbered(examples))
    # A buffer of stdio would be an allocation of the program's.
    return "int main(void)\n{\nsetvbuf(stdout, NULL, _IONBF, 0);\n" \
        f"{body}return 0;\n}}\n"


def numbered(examples):
    line = 1
    for one in examples:
        yield one, line
        line += one.code.count("\n")


def run_examples(build, directory, page, examples, source):
    """Builds and runs a program; returns what each example printed."""
    language = examples[0].language
    path = os.path.join(directory, "page." + language)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    print(f"{page.name}: {page.heading(examples[0])}", flush=True)
    write_sources(page, directory, examples)
    pages.shell(build, directory, f"{COMPILERS[language]} {FLAGS} "
                                  f"{os.path.basename(path)} -o page")
    output = pages.shell(build, directory, "./page")
    if examples[0].is_program:
        return [output]
    outputs = output.split(MARK + "\n")
    e2e.check(len(outputs) == len(examples) + 1,
              f"{page.name}: an example ends too early: {output}")
    return outputs[:-1]


def write_sources(page, directory, examples):
    """Writes what texts of tracebacks may show lines of."""
    codes = {}
    for one in page.examples:
        if one.is_definition or one in examples:
            codes[one.file] = codes.get(one.file, "") + one.code
    for name, code in codes.items():
        with open(os.path.join(directory, name), "w",
                  encoding="utf-8") as file:
            file.write(code)


def run_console(build, directory, match):
    """Runs the commands of a block; returns the block with what is printed."""
    result = ""
    for command in re.findall(r"^\$ ((?:.*\\\n)*.*)\n", match.group(3), re.M):
        result += f"$ {command}\n" + pages.shell(build, directory,
                                                 command + " 2>&1")
    return result


def write_programs(page, directory):
    for one in page.examples:
        if one.is_program:
            with open(os.path.join(directory, one.file), "w",
                      encoding="utf-8") as file:
                file.write(one.code)


def check_page(build, page, is_update):
    """Returns the page's text with what is printed, if that is asked for."""
    replaced = []
    with e2e.scratch() as directory:
        for examples, source in page.programs():
            outputs = run_examples(build, directory, page, examples, source)
            for one, output in zip(examples, outputs):
                if not is_update:
                    pages.compare(f"{page.name}:\n{one.code}", output,
                                  one.expected())
                elif one.output:
                    replaced.append((one.output, output))
        write_programs(page, directory)
        for match in page.consoles:
            output = run_console(build, directory, match)
            if is_update:
                replaced.append((match, output))
            else:
                pages.compare(page.name, output, match.group(3))
    text = page.text
    for match, output in sorted(replaced, key=lambda pair: -pair[0].start()):
        text = text[:match.start(3)] + output + text[match.end(3):]
    return text


def test():
    arguments = sys.argv[1:]
    is_update = "--update" in arguments
    build, *paths = (os.path.abspath(argument) for argument in arguments
                     if argument != "--update")
    for path in paths:
        page = Page(path)
        e2e.check(page.examples or page.consoles, f"{path}: no examples")
        text = check_page(build, page, is_update)
        if is_update:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        print(f"{page.name}: {len(page.examples)} examples, "
              f"{len(page.consoles)} command lines", flush=True)


if __name__ == "__main__":
    e2e.main(test)
