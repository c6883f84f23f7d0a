#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ways of linking: programs and libraries, instrumented or not, linked or
loaded, with link-time optimisation, by hand and by build systems. Each time
the traceback of a block has to name what was instrumented.

    linking.py BUILD
"""
import os
import re
import shlex
import shutil
import subprocess

import e2e

SOURCES = os.path.join(e2e.HERE, "programs")
CALLER = os.path.join(SOURCES, "caller.c")
LIBRARY = os.path.join(SOURCES, "library.c")
BAD = """
#include <stdlib.h>
int main(void)
{
    char *volatile p = malloc(3);
    p[3] = 1;
    return 0;
}
"""
FORTRAN = """
module shapes
  real, allocatable :: x(:)
contains
  subroutine make(n)
    integer, intent(in) :: n
    allocate(x(n))
    x = 1.0
  end subroutine
end module
program user
  use shapes
  call make(5)
end program
"""
ADA_SPEC = """
with Ada.Finalization;
package Shapes is
   type Link is access Integer;
   type Text is access String;
   type Held is new Ada.Finalization.Controlled with record
      T : Text;
   end record;
   overriding procedure Initialize (H : in out Held);
   function Make (N : Integer) return Link;
end Shapes;
"""
ADA_BODY = """
package body Shapes is
   overriding procedure Initialize (H : in out Held) is
   begin
      H.T := new String (1 .. 10);
   end Initialize;
   function Make (N : Integer) return Link is
   begin
      return new Integer'(N);
   end Make;
end Shapes;
"""
ADA_MAIN = """
with Shapes; use Shapes;
procedure User is
   L : Link;
   H : Held;
begin
   L := Make (1);
end User;
"""
# Functions of the traceback, most recent first.
BOTH = ["library_allocate", "library_run", "main"]
LIBRARY_ALONE = BOTH[:2]

CMAKE_PROJECT = f"""
cmake_minimum_required(VERSION 3.25)
project(example C CXX)
add_library(library SHARED {LIBRARY})
add_executable(caller {CALLER})
target_link_libraries(caller library)
add_executable(mixed mixed.cc)
target_link_libraries(mixed library)
"""
MIXED = """
extern "C" int library_run(void);
int main() { return library_run() == 0 ? 5 : 6; }
"""


def execute(command, directory, **variables):
    result = e2e.run(command, e2e.environment(**variables), cwd=directory)
    output = (result.stdout + result.stderr).decode()
    e2e.check(result.status == 0 and "warning" not in output,
              f"{shlex.join(command)}: {result.status}: {output}")


def check_traceback(name, command, directory, functions, **variables):
    result = e2e.run(command, e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP=f"{directory}/a.alloctrace",
        **variables), cwd=directory)
    e2e.check_equal(f"{name}: exit status ({result})", result.status, 5)
    e2e.check_equal(f"{name}: messages", result.stderr, b"")
    found = [line.rsplit(", in ", 1)[1]
             for line in result.stdout.decode().splitlines()[1:]]
    e2e.check_equal(f"{name}: traceback", found, functions)
    e2e.read_summary(os.path.join(directory, "a.alloctrace"))
    print(f"{name}: {', '.join(found)}")


class Case:
    """Compiles and links in a directory of its own."""

    def __init__(self, build, outer, name):
        self.gcc = os.path.join(build, "bin", "alloctrace-gcc")
        self.build = build
        self.name = name
        self.directory = os.path.join(outer, name.replace(" ", "_"))
        os.mkdir(self.directory)

    def run(self, *command, **variables):
        execute(list(command), self.directory, **variables)

    def library(self, compiler):
        self.run(compiler, "-O1", "-shared", "-fPIC", LIBRARY, "-o",
                 "liblibrary.so")

    def check(self, functions, *arguments, **variables):
        check_traceback(self.name, ["./caller", *arguments], self.directory,
                        functions, **variables)


LINK = ["-L.", "-llibrary", "-Wl,-rpath,$ORIGIN"]
# Else the compiler merges the functions' frames, rightly.
PLAIN = ["-O0"]


def instrumented_both(case):
    case.library(case.gcc)
    case.run(case.gcc, *PLAIN, CALLER, "-o", "caller", *LINK)
    case.check(BOTH)


def plain_program(case):
    case.library(case.gcc)
    case.run("gcc", *PLAIN, CALLER, "-o", "caller", *LINK)
    case.check(LIBRARY_ALONE)


def loaded_library(case):
    case.library(case.gcc)
    case.run(case.gcc, *PLAIN, "-DLOADED", CALLER, "-o", "caller")
    case.check(BOTH, "./liblibrary.so")


def no_pie(case):
    case.run(case.gcc, *PLAIN, "-no-pie", "-fno-pie", CALLER, LIBRARY, "-o",
             "caller")
    case.check(BOTH)


def static(case):
    for kind in ("-static", "-static-pie"):
        case.run(case.gcc, *PLAIN, kind, CALLER, LIBRARY, "-o", "caller")
        case.check(BOTH)


def link_time_optimisation(case):
    for source in (CALLER, LIBRARY):
        case.run(case.gcc, "-O2", "-flto", "-c", source)
    case.run(case.gcc, "-O2", "-flto", "caller.o", "library.o", "-o", "caller")
    case.check(BOTH)


def sanitizers(case):
    """Their allocator serves the calls, and still finds what it looks for."""
    for kind in ("address", "thread", "undefined", "leak"):
        case.run(case.gcc, *PLAIN, f"-fsanitize={kind}", CALLER, LIBRARY, "-o",
                 "caller")
        case.check(BOTH, ASAN_OPTIONS="detect_leaks=0",
                   LSAN_OPTIONS="detect_leaks=0")
    with open(os.path.join(case.directory, "bad.c"), "w",
              encoding="utf-8") as file:
        file.write(BAD)
    case.run(case.gcc, *PLAIN, "-fsanitize=address", "bad.c", "-o", "bad")
    for tracing in ("0", "all"):
        result = e2e.run(["./bad"], e2e.environment(
            ALLOCTRACE=tracing, ALLOCTRACE_DUMP="bad.alloctrace"),
            cwd=case.directory)
        e2e.check(b"heap-buffer-overflow" in result.stderr,
                  f"AddressSanitizer, tracing {tracing}: {result}")


def traceback_through(case, function):
    """The places of the traceback that goes through FUNCTION, as functions."""
    tool = os.path.join(case.build, "bin", "alloctrace")
    result = e2e.run([tool, "stats", "a.alloctrace", "--group-by", "traceback",
                      "--metric", "total"], e2e.environment(),
                     cwd=case.directory)
    traces = re.split(r"^ +\d+  ", result.stdout.decode(), flags=re.M)
    return [re.findall(r"^ +#\d+ +\S+ +(\S+)", trace, flags=re.M)
            for trace in traces if f" {function}\n" in trace]


def write_and_run(case, files, *command):
    for name, text in files.items():
        with open(os.path.join(case.directory, name), "w",
                  encoding="utf-8") as file:
            file.write(text)
    case.run(*command)
    result = e2e.run(["./program"], e2e.environment(
        ALLOCTRACE="all", ALLOCTRACE_DUMP="a.alloctrace"), cwd=case.directory)
    e2e.check_equal(f"{case.name}: {result}", result.status, 0)


def fortran(case):
    write_and_run(case, {"a.f90": FORTRAN},
                  os.path.join(case.build, "bin", "alloctrace-gfortran"), "-O0",
                  "a.f90", "-o", "program")
    e2e.check_equal("ALLOCATE", traceback_through(case, "shapes::make"),
                    [["shapes::make", "user", "main"]])


def ada(case):
    """`new` is a call of Ada's library, whose malloc is interposed."""
    flags = subprocess.run(
        [os.path.join(case.build, "bin", "alloctrace"), "ldflags"], check=True,
        capture_output=True, text=True).stdout.split()
    write_and_run(case, {"shapes.ads": ADA_SPEC, "shapes.adb": ADA_BODY,
                         "user.adb": ADA_MAIN},
                  "gnatmake", "-q", "-O0", f"--GCC={case.gcc}", "user.adb",
                  "-o", "program", "-largs", *flags)
    e2e.check_equal("new", traceback_through(case, "Shapes.Make"),
                    [["__gnat_malloc", "Shapes.Make", "User"]])
    e2e.check_equal("new in Initialize",
                    traceback_through(case, "Shapes.Initialize"),
                    [["__gnat_malloc", "Shapes.Initialize", "User"]])


def response_file(case):
    with open(os.path.join(case.directory, "arguments"), "w",
              encoding="utf-8") as file:
        file.write(f"'{CALLER}' '{LIBRARY}'\n-o caller")
    case.run(case.gcc, "@arguments")
    case.check(BOTH)


def standard_input(case):
    with open(LIBRARY, encoding="utf-8") as file:
        subprocess.run([case.gcc, "-c", "-o", "library.o", "-xc", "-"],
                       stdin=file, cwd=case.directory, check=True)
    case.run(case.gcc, CALLER, "library.o", "-o", "caller")
    case.check(BOTH)


def by_hand(case):
    tool = os.path.join(case.build, "bin", "alloctrace")
    for source in (CALLER, LIBRARY):
        case.run("sh", "-c", f"gcc $({tool} cflags) -c {source}")
    case.run("sh", "-c",
             f"gcc caller.o library.o -o caller $({tool} ldflags)")
    case.check(BOTH)


def cmake(case):
    for name, text in (("CMakeLists.txt", CMAKE_PROJECT), ("mixed.cc", MIXED)):
        with open(os.path.join(case.directory, name), "w",
                  encoding="utf-8") as file:
            file.write(text)
    cxx = os.path.join(case.build, "bin", "alloctrace-g++")
    case.run("cmake", "-S", ".", "-B", ".", CC=case.gcc, CXX=cxx)
    case.run("make")
    case.check(BOTH)
    check_traceback(f"{case.name}, C++", ["./mixed"], case.directory, BOTH)


def libtool(case):
    if not shutil.which("libtool"):
        print("libtool: skipped, it is not installed")
        return
    tool = ["libtool", "--quiet", "--tag=CC"]
    case.run(*tool, "--mode=compile", case.gcc, "-c", LIBRARY)
    case.run(*tool, "--mode=link", case.gcc, "library.lo", "-o",
             "liblibrary.la", "-rpath", "/usr/lib", "-version-info", "1:2:0")
    case.run(case.gcc, "-c", CALLER)
    case.run(*tool, "--mode=link", case.gcc, "caller.o", "liblibrary.la", "-o",
             "caller")
    case.check(BOTH)


def test():
    arguments = e2e.parse_arguments()
    with e2e.scratch() as outer:
        for function in (instrumented_both, plain_program, loaded_library,
                         no_pie, static, link_time_optimisation, sanitizers, fortran, ada,
                         response_file, standard_input, by_hand, cmake, libtool):
            function(Case(arguments.build, outer,
                          function.__name__.replace("_", " ")))


e2e.main(test)
