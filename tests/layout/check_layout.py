#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the rules of the layout and says what is violated and where.

    check_layout.py ROOT                 the rules that sources show
    check_layout.py ROOT --shared FILE --archive FILE
                                         and those that libraries show

Each rule is one function that yields (file, line, message); RULES lists them
with the sentence that is printed. Exit status: 0 all hold, 1 violations.
"""
import argparse
import os
import re
import subprocess
import sys

SEAM_FOLDERS = ("plugin", "runtime", "analysis", "tool")
CODE = (".c", ".cc", ".h", ".hpp", ".def")
FUNCTION_CAP = 80
FILE_CAP = 800

# Who may include the shared seams. writer.c is the lower half of dump.c.
ABI_USERS = re.compile(r"(plugin|runtime)/|tests/(abi|unit|plugin|golden)/")
FORMAT_USERS = re.compile(
    r"runtime/(dump\.[ch]|writer\.c)$|tool/cmd_dump\.c$"
    r"|analysis/((load|entry|input|write|output)\.c|record\.h)$"
    r"|tests/(abi|unit|fuzz|golden)/")

# Functions that the runtime must not call, and where they may be named.
FORBIDDEN_CALLS = ("malloc calloc realloc free strdup strndup printf fprintf "
                   "snprintf vsnprintf sprintf fopen fdopen fwrite fputs puts "
                   "getenv qsort strerror perror asprintf getline").split()
MAY_NAME_THEM = ("os_linux.c", "real.c", "interpose.c", "hooks.h")
FORBIDDEN_SYMBOLS = re.compile(
    r"^(v?s?n?f?printf|__.*printf_chk|fopen|fdopen|fwrite|fputs|puts|getenv"
    r"|qsort|strdup|strndup|strerror|perror|v?asprintf|getline|stdout|stderr)$")

# Macros of the system and of the compiler's version.
SYSTEM_MACROS = re.compile(
    r"\b(__linux__|__gnu_linux__|__GLIBC__|__unix__|__APPLE__|__FreeBSD__"
    r"|_WIN32|__ANDROID__|__x86_64__|__aarch64__|__i386__)\b")
GCC_VERSION = re.compile(r"\b(GCC_VERSION|BUILDING_GCC_VERSION|__GNUC__)\b")

INTERNAL_HEADERS = re.compile(
    r"^(runtime|types|model|os|block|event|family|hooks|writer|arguments"
    r"|install|words)\.h$")


class Tree:
    """The project's files, read once."""

    def __init__(self, root):
        self.root = root
        self.text = {}
        for path in self._list():
            with open(os.path.join(root, path), encoding="utf-8",
                      errors="replace") as file:
                self.text[path] = file.read()

    def _list(self):
        skip = {".git", "build", "LICENSES", "corpus", "golden"}
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(f for f in folders
                                if f not in skip and not f.startswith("build"))
            for name in sorted(files):
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    yield os.path.relpath(path, self.root)

    def files(self, *folders, suffixes=CODE):
        for path, text in self.text.items():
            if path.endswith(suffixes) and (
                    not folders or path.startswith(tuple(
                        f + "/" for f in folders))):
                yield path, text

    def includes(self, *folders):
        """Yields (path, line, name as it stands in <> or quotes)."""
        pattern = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]',
                             re.M)
        for path, text in self.files(*folders):
            for match in pattern.finditer(text):
                yield path, line_of(text, match.start()), match.group(1)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code_only(text):
    """The text with comments and strings blanked, lines kept."""
    return re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
        blank, text, flags=re.S)


def is_seam(name):
    return name == "alloctrace.h" or name.startswith("alloctrace/")


# 1
def folders_meet_only_in_include(tree):
    for path, line, name in tree.includes(*SEAM_FOLDERS):
        own = os.path.dirname(path)
        if os.path.join(own, name) in tree.text:
            continue
        if ".." in name.split("/"):
            yield path, line, f'includes "{name}", which leaves its folder'
        for other in SEAM_FOLDERS:
            if os.path.join(other, name) in tree.text and not is_seam(name):
                yield path, line, f'includes {other}/{name}'
            elif name.startswith(other + "/"):
                yield path, line, f'includes {name}'


# 2
def abi_is_between_plugin_and_runtime(tree):
    for path, line, name in tree.includes():
        if name == "alloctrace/abi.h" and not ABI_USERS.match(path):
            yield path, line, "includes alloctrace/abi.h"
    for path, line, name in tree.includes("include"):
        if path.endswith("/abi.h") and name not in ("stddef.h", "stdint.h"):
            yield path, line, f"abi.h includes {name}"


# 3
def format_is_between_writer_and_reader(tree):
    for path, line, name in tree.includes():
        if name == "alloctrace/format.h" and not FORMAT_USERS.match(path):
            yield path, line, "includes alloctrace/format.h"
    numbers = {"ALLOCTRACE_ABI_VERSION": "abi.h",
               "ALLOCTRACE_FORMAT_VERSION": "format.h",
               "ALLOCTRACE_VERSION_MAJOR": "version.h"}
    for path, text in tree.files():
        for macro, home in numbers.items():
            match = re.search(rf"^#define {macro}\b", text, re.M)
            if match and not path.endswith("alloctrace/" + home):
                yield path, line_of(text, match.start()), f"defines {macro}"


# 4
def nothing_but_symbol_needs_libdwarf(tree):
    for path, line, name in tree.includes():
        if "dwarf" in name and path != "analysis/symbol.c":
            yield path, line, f"includes {name}"


# 5
def runtime_allocates_and_prints_nothing(tree):
    call = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(FORBIDDEN_CALLS))
    for path, text in tree.files("runtime", suffixes=(".c", ".h")):
        if os.path.basename(path) in MAY_NAME_THEM:
            continue
        for match in call.finditer(code_only(text)):
            yield (path, line_of(text, match.start()),
                   f"names {match.group(1)}()")
    for path, line, name in tree.includes("runtime"):
        if name == "stdio.h":
            yield path, line, "includes stdio.h"
    header = tree.text.get("runtime/runtime.h")
    if header is not None:
        poisoned = " ".join(re.findall(r"#pragma GCC poison(.*)", header))
        for name in "malloc printf fopen getenv strdup qsort".split():
            if name not in poisoned.split():
                yield "runtime/runtime.h", 1, f"does not poison {name}"


def runtime_map(header):
    """Reads runtime.h: name => number of the file that defines it."""
    order = []
    home = {}
    parts = re.split(r"^/\* (\w+\.c)\b", header, flags=re.M)
    for file, part in zip(parts[1::2], parts[2::2]):
        order.append(file)
        part = code_only("/*" + part)
        part = re.sub(r"\{[^{}]*\}", "", part)
        for name in re.findall(r"\b([a-z]\w*)\s*\((?!\*)", part):
            home.setdefault(name, file)
        for name in re.findall(r"\bextern [^;(]*?(\w+)(?:\[\w*\])?"
                               r"(?: at_(?:export|hidden|cold))?;", part):
            home.setdefault(name, file)
    home.pop("sentinel", None)
    return order, home


# 6
def runtime_files_call_only_upwards(tree):
    header = tree.text.get("runtime/runtime.h")
    if header is None:
        return
    order, home = runtime_map(header)
    for path, text in tree.files("runtime", suffixes=(".c",)):
        own = os.path.basename(path)
        if own not in order:
            continue
        code = code_only(text)
        for match in re.finditer(r"(?<![\w.>])([a-z]\w*)\b", code):
            file = home.get(match.group(1))
            if file and order.index(file) > order.index(own):
                yield (path, line_of(text, match.start()),
                       f"uses {match.group(1)} of {file}, which stands below")


# 7
def differences_have_one_place(tree):
    for path, text in tree.files(*SEAM_FOLDERS):
        for match in re.finditer(r"^[ \t]*#[ \t]*(?:el)?if.*(?:\\\n.*)*",
                                 code_only(text), re.M):
            line = line_of(text, match.start())
            if SYSTEM_MACROS.search(match.group()) and \
                    not path.startswith("runtime/os_linux"):
                yield path, line, "tests for the system"
            if GCC_VERSION.search(match.group()) and path != "plugin/gcc.h":
                yield path, line, "tests the compiler's version"
    for path, line, name in tree.includes("plugin"):
        if path != "plugin/gcc.h" and not is_seam(name) and \
                os.path.join("plugin", name) not in tree.text and \
                not re.match(r"(std\w+|string|limits|inttypes)\.h$", name):
            yield path, line, f"includes {name} of GCC"


# 8
def tool_uses_the_public_api(tree):
    allowed = {"alloctrace/analysis.h", "alloctrace/version.h"}
    for path, line, name in tree.includes("tool"):
        if is_seam(name) and name not in allowed and not (
                path == "tool/cmd_dump.c" and name == "alloctrace/format.h"):
            yield path, line, f"includes {name}"


# 9
def outer_tests_use_the_public_api(tree):
    for path, line, name in tree.includes("tests/e2e", "tests/install",
                                          "bench"):
        own = os.path.join(os.path.dirname(path), name)
        if own not in tree.text and INTERNAL_HEADERS.match(
                os.path.basename(name)):
            yield path, line, f"includes {name}"
        if name in ("alloctrace/abi.h", "alloctrace/format.h"):
            yield path, line, f"includes {name}"


def is_source(path, text):
    return (path.endswith(CODE + (".cmake", ".py", ".sh", ".awk", ".lua",
                                  ".f90", ".yml", ".yaml")) or
            os.path.basename(path) == "CMakeLists.txt" or
            text.startswith("#!"))


# 11
def sources_name_their_licence(tree):
    for path, text in tree.text.items():
        if not is_source(path, text):
            continue
        expected = "GPL-3.0-or-later" if (
            path.startswith("plugin/") and path.endswith(CODE)) else "MIT"
        match = re.search(r"SPDX-License-Identifier: ([\w.+-]+)",
                          "\n".join(text.split("\n", 5)[:5]))
        if not match:
            yield path, 1, "no SPDX line at its top"
        elif match.group(1) != expected and not (
                path.startswith("plugin/") and match.group(1) ==
                "GPL-3.0-or-later"):
            yield path, 1, f"is {match.group(1)} instead of {expected}"


def functions(text):
    """Yields (line, length, name): from a column-0 brace to the next."""
    lines = code_only(text).split("\n")
    begin = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            begin = number
        elif line.startswith("}") and begin:
            start = begin
            while start > 1 and lines[start - 2].strip() and \
                    not lines[start - 2].rstrip().endswith((";", "}")):
                start -= 1
            signature = " ".join(lines[start - 1:begin - 1])
            name = re.search(r"(\w+)\s*\(", signature)
            if not re.match(r"class \w+$", signature):
                yield start, number - start + 1, name.group(1) if name else "?"
            begin = None


# 12
def functions_and_files_are_short(tree):
    for path, text in tree.files():
        n_lines = text.count("\n")
        if n_lines > FILE_CAP:
            yield path, 1, f"{n_lines} lines (cap {FILE_CAP})"
        for line, length, name in functions(text):
            if length > FUNCTION_CAP:
                yield path, line, f"{name}: {length} lines " \
                                  f"(cap {FUNCTION_CAP})"


# What of the C library, of libelf and libdwarf may allocate or free.
MAY_ALLOCATE = re.compile(
    r"^(malloc|calloc|realloc|reallocarray|free|aligned_alloc|strn?dup"
    r"|v?asprintf|qsort(_r)?|bsearch_r|tsearch|h(create|search|destroy)(_r)?"
    r"|v?[fs]?n?printf|v?dprintf|put(s|c|char)|fput[sc]|putc|perror|strerror"
    r"|f(d|re|mem)?open|fclose|fread|fwrite|fflush|fgets|fgetc|getc|ungetc"
    r"|fscanf|fseeko?|setv?buf|tmpfile|getline|getdelim|open_memstream|popen"
    r"|pclose|opendir|fdopendir|readdir|closedir|scandir|glob|globfree|realpath"
    r"|getcwd|setlocale|localtime|gmtime|mktime|strftime|regcomp|regexec"
    r"|regfree|dlopen|dlsym|dlclose|dladdr|g?elf_\w+|dwarf_\w+)$")


def bodies(text):
    """Yields (line, signature, body) of each function; comments blanked."""
    lines = code_only(text).split("\n")
    for line, length, _ in functions(text):
        whole = lines[line - 1:line - 1 + length]
        brace = next(i for i, text in enumerate(whole) if text.startswith("{"))
        yield line, " ".join(whole[:brace]), "\n".join(whole[brace:])


class Calls:
    """Which functions of a folder name which, by (file, name); "" is the file
    of what is not static."""

    def __init__(self, tree, folder):
        self.body, self.line, self.path = {}, {}, {}
        for path, text in tree.files(folder):
            for line, signature, body in bodies(text):
                name = re.search(r"(\w+)\s*\(", signature)
                if not name:
                    continue
                is_own = re.match(r"\s*static\b", signature)
                key = path if is_own and path.endswith(".c") else "", \
                    name.group(1)
                self.body[key], self.line[key] = body, line
                self.path[key] = path

    def allocating(self):
        """The functions from which one can get to MAY_ALLOCATE."""
        names = {key: set(re.findall(r"[A-Za-z_]\w*", body))
                 for key, body in self.body.items()}
        found = {key for key, words in names.items()
                 if any(map(MAY_ALLOCATE.match, words))}
        while True:
            more = {key for key, words in names.items() if key not in found
                    and any((self.path[key], word) in found or
                            ("", word) in found for word in words)}
            if not more:
                return found
            found |= more


# 14
def analysis_allocates_untraced(tree):
    calls = Calls(tree, "analysis")
    for key in calls.allocating():
        if key[0] == "" and key[1].startswith("alloctrace_") and \
                not re.match(r"\{\s*AT_UNTRACED;", calls.body[key]):
            yield calls.path[key], calls.line[key], \
                f"{key[1]} may allocate, and does not begin with AT_UNTRACED"


# 13
def file_names_are_unique(tree):
    seen = {}
    for path, _ in tree.files("include", *SEAM_FOLDERS):
        name = os.path.basename(path)
        if name in seen:
            yield path, 1, f"has the name of {seen[name]}"
        seen.setdefault(name, path)


RULES = [
    ("folders meet only in include/", folders_meet_only_in_include),
    ("abi.h is between plugin and runtime",
     abi_is_between_plugin_and_runtime),
    ("format.h is between writer and reader; three version numbers",
     format_is_between_writer_and_reader),
    ("only analysis/symbol.c needs libdwarf",
     nothing_but_symbol_needs_libdwarf),
    ("the runtime allocates and prints nothing",
     runtime_allocates_and_prints_nothing),
    ("a file of the runtime calls only files above it in runtime.h",
     runtime_files_call_only_upwards),
    ("differences of systems and compilers have one place",
     differences_have_one_place),
    ("the tool uses the public headers", tool_uses_the_public_api),
    ("outer tests use the public headers", outer_tests_use_the_public_api),
    ("each source names its licence", sources_name_their_licence),
    (f"functions have at most {FUNCTION_CAP} lines, files {FILE_CAP}",
     functions_and_files_are_short),
    ("public functions of the analysis that may allocate do so untraced",
     analysis_allocates_untraced),
    ("file names are unique", file_names_are_unique),
]


def symbols(arguments):
    output = subprocess.run(["nm", *arguments], check=True, text=True,
                            capture_output=True).stdout
    return sorted({line.split()[-1].split("@")[0]
                   for line in output.splitlines()
                   if line.strip() and not line.endswith(":")})


def read_patterns(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split("#")[0].strip() for line in file]
    return re.compile("^(%s)$" % "|".join(line for line in lines if line))


# 10
def check_library(path, arguments, allowed):
    for name in symbols(["--defined-only", "--extern-only", *arguments, path]):
        if not allowed.match(name):
            yield path, 0, f"exports {name}"


# 5, as the linker sees it
def check_undefined(path, arguments):
    for name in symbols(["--undefined-only", *arguments, path]):
        if FORBIDDEN_SYMBOLS.match(name):
            yield path, 0, f"calls {name}"


# 4, as the linker sees it
def check_needed(path):
    output = subprocess.run(["readelf", "-d", path], check=True, text=True,
                            capture_output=True).stdout
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", output):
        if not re.match(r"(libc|libpthread|libdl|ld-.*)\.so", name):
            yield path, 0, f"needs {name}"


def library_rules(arguments):
    here = os.path.dirname(os.path.abspath(__file__))
    allowed = read_patterns(os.path.join(here, "exports.txt"))
    if arguments.shared:
        yield "the shared runtime exports what exports.txt lists", \
            check_library(arguments.shared, ["-D"], allowed)
        yield "the shared runtime allocates and prints nothing", \
            check_undefined(arguments.shared, ["-D"])
        yield "the shared runtime needs the C library alone", \
            check_needed(arguments.shared)
    if arguments.archive:
        yield "the static runtime exports what exports.txt lists", \
            check_library(arguments.archive, [], allowed)
        yield "the static runtime allocates and prints nothing", \
            check_undefined(arguments.archive, [])


def report(sentence, violations):
    violations = sorted(violations)
    print(f"{'FAILED' if violations else 'ok'}: {sentence}")
    for path, line, message in violations:
        print(f"  {path}:{line}: {message}" if line else f"  {path}: {message}")
    return len(violations)


def print_sizes(tree):
    lengths = sorted(length for path, text in tree.files(*SEAM_FOLDERS)
                     for _, length, _ in functions(text))
    if lengths:
        print(f"functions: {len(lengths)}, median "
              f"{lengths[len(lengths) // 2]}, 90th percentile "
              f"{lengths[len(lengths) * 9 // 10]}, longest {lengths[-1]} lines")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root")
    parser.add_argument("--shared", help="liballoctrace.so")
    parser.add_argument("--archive", help="liballoctrace.a")
    arguments = parser.parse_args()
    tree = Tree(arguments.root)
    count = sum(report(sentence, rule(tree)) for sentence, rule in RULES)
    count += sum(report(sentence, violations)
                 for sentence, violations in library_rules(arguments))
    print_sizes(tree)
    if count:
        print(f"{count} violations")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
