# SPDX-License-Identifier: MIT
"""Real programs of Debian, and how each is built, tested and run.

Shell commands, run in a copy of the unchanged source package with CC, CXX and
FC set to plain compilers or to the wrappers, JOBS to the number of processors,
TOP to this project's folder and PORT to one that is free. `run` is what is
measured: $TRACED stands before the program of interest, and only its own time
counts, not that of what drives it.
"""
from dataclasses import dataclass, field
import re


@dataclass
class Program:
    name: str
    package: str
    system: str
    build: str
    run: str
    test: str = ""
    # What the tests print of one that passed or failed; the group is its name.
    passed: str = ""
    failed: str = ""
    needs: list = field(default_factory=list)  # Debian's packages
    patched: bool = False  # with Debian's patches: it is not built without

    def find_passed(self, text):
        return find_names(self.passed, text)

    def find_failed(self, text):
        return find_names(self.failed, text)


def find_names(pattern, text):
    """What the group that matched holds; of no group, all that matched."""
    if not pattern:
        return []
    return [match.group(match.lastindex or 0).strip()
            for match in re.finditer(pattern, text, re.M)]


# Unpacking keeps no order of times: what is generated has to be as new as what
# it is generated from.
AUTOTOOLS = r"""
find . \( -name aclocal.m4 -o -name configure -o -name '*.in' \) \
    -exec touch {} +
"""

# Many small values of many sizes, from four connections to a server that is
# told to end by one of them.
MEMCACHED_RUN = r"""
$TRACED ./memcached -A -u "$(id -un)" -l 127.0.0.1 -p "$PORT" -t 4 &
python3 - "$PORT" <<'END'
import socket, sys, threading, time
def connect():
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        except ConnectionRefusedError:
            time.sleep(0.1)
def load(number):
    link = connect()
    answers = link.makefile("rb")
    for i in range(6000):
        value = b"x" * (i % 700)
        link.sendall(b"set k%d.%d 0 0 %d\r\n%s\r\n" % (number, i, len(value),
                                                   value))
        if answers.readline() != b"STORED\r\n":
            sys.exit("not stored")
threads = [threading.Thread(target=load, args=(i,)) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
connect().sendall(b"shutdown graceful\r\n")
END
wait
"""

REDIS_RUN = r"""
$TRACED src/redis-server --port "$PORT" --bind 127.0.0.1 --save '' >/dev/null &
until src/redis-cli -p "$PORT" ping >/dev/null 2>&1; do
    sleep 0.1
done
src/redis-benchmark -p "$PORT" -n 40000 -q -t set,get,lpush,hset,zadd >/dev/null
src/redis-cli -p "$PORT" shutdown nosave || true
wait
"""

# What Redis's runner prints is coloured, and says how long each test took.
REDIS_PASSED = r"^\[\S*ok\S*\]: (.*?)(?: \(\d+ m?s\))?$"
REDIS_FAILED = r"^\[\S*(?:err|exception)\S*\]: (.*)"

# Noise, encoded once; that it is decoded rightly is for another decoder to say.
DAV1D_INPUT = r"""
[ -f in.ivf ] || {
    head -c 5702400 /dev/urandom >raw.yuv
    aomenc --i420 -w 352 -h 288 --limit=30 --cpu-used=8 --rt --ivf -o new.ivf \
        raw.yuv >/dev/null 2>&1
    mv new.ivf in.ivf
}
"""

GTEST_PASSED = r"\[ +OK \] ([^\s,]+)"
GTEST_FAILED = r"\*\*\*(?:Failed|Exception|Timeout).*|\[  FAILED  \] (\S+) \("

# Tests of curl that need no server.
CURL_TESTS = ("1300 1301 1302 1303 1305 1307 1308 1309 1323 1394 1395 1396 "
              "1397 1398 1399 1600 1601 1602 1603 1604 1605 1606 1607 1608 "
              "1609 1610 1611 1612 1614 1620 1621 1650 1652 1653 1654 1655 "
              "1660 1661")

# Some of its many; delete.test fails for root, who may write what is read-only.
SQLITE_TESTS = ("select1 select2 insert update delete2 index join where func "
                "expr trans malloc alter fts3aa json101 window1 vacuum")

PROGRAMS = [
    Program(
        "lua", "lua5.4", "Make",
        build='make -C src -j "$JOBS" linux CC="$CC -std=gnu99"',
        run='$TRACED src/lua "$TOP/examples/workload.lua" 15 >/dev/null'),
    Program(
        "sqlite", "sqlite3", "Autotools", needs=["tcl8.6", "tcl8.6-dev"],
        build=AUTOTOOLS + "./configure --disable-readline "
              '--with-tcl=/usr/lib/tcl8.6 && '
              'make -j "$JOBS" sqlite3 speedtest1 testfixture',
        test=f"status=0; for name in {SQLITE_TESTS}; do "
             "./testfixture test/$name.test --verbose=1 || status=1; done; "
             "exit $status",
        passed=r"^(\S+)\.\.\. Ok$", failed=r"^! (\S+) expected:",
        run="$TRACED ./speedtest1 --size 60 >/dev/null"),
    Program(
        "redis, libc", "redis", "Make", needs=["tcl8.6"],
        build='make -j "$JOBS" MALLOC=libc',
        test="./runtest --single unit/type/list --single unit/type/hash "
             '--single unit/expire --clients 2 --baseport "$PORT"',
        passed=REDIS_PASSED, failed=REDIS_FAILED, run=REDIS_RUN),
    Program(
        "redis, jemalloc", "redis", "Make", needs=["tcl8.6"],
        build='make -j "$JOBS" MALLOC=jemalloc',
        test="./runtest --single unit/type/string --clients 2 "
             '--baseport "$PORT"',
        passed=REDIS_PASSED, failed=REDIS_FAILED, run=REDIS_RUN),
    Program(
        "curl", "curl", "Autotools, libtool", needs=["libtool-bin"],
        build=AUTOTOOLS + "./configure --without-ssl --enable-debug "
              "--disable-curldebug --without-libpsl --disable-ldap "
              "--without-zlib --without-brotli --without-zstd && "
              'make -j "$JOBS" && make -j "$JOBS" -C tests',
        test=f"cd tests && perl runtests.pl -a -n {CURL_TESTS}",
        passed=r"OK \((\d+) +out of", failed=r"^TESTFAIL: .*: (.*)",
        run="""
            [ -d many ] || { mkdir many; (cd many; seq 1 4000 | xargs touch); }
            $TRACED src/curl -s "file://$PWD/many/[1-4000]" """),
    # Debian left out the manual: only what it is not needed for is built.
    Program(
        "gawk", "gawk", "Autotools, libtool",
        build=AUTOTOOLS + "touch awkgram.c command.c; "
              "./configure --disable-nls --without-readline --without-mpfr && "
              'make -j "$JOBS" SUBDIRS="support ." && '
              'make -j "$JOBS" -C extension',
        test="make -C test check LC_ALL=C",
        passed=r"^([a-z][\w-]*)$", failed=r"^=+ _(\S+) =+$",
        run="""
            $TRACED ./gawk 'BEGIN { for (i = 0; i < 1000000; i++)
                count[i % 5000 "x"] = count[i % 5000 "x"] i % 7;
                print length(count) }' >/dev/null"""),
    Program(
        "zstd", "libzstd", "Make",
        build='make -C programs -j "$JOBS" zstd HAVE_ZLIB=0 HAVE_LZMA=0 '
              'HAVE_LZ4=0 CC="$CC" && '
              'make -C tests -j "$JOBS" fuzzer CC="$CC" CXX="$CXX"',
        test="tests/fuzzer -v -s1 -i50",
        passed=r"^test +(\d+ : [^:]*[^: ]) *:.*OK",
        run="$TRACED programs/zstd -b3e5i2 >/dev/null 2>&1"),
    Program(
        "xz", "xz-utils", "Autotools, libtool",
        build=AUTOTOOLS + './configure --disable-nls && make -j "$JOBS"',
        test="make check", passed=r"^PASS: (.*)", failed=r"^FAIL: (.*)",
        run="""
            [ -f words ] || seq 1 3000000 >words
            $TRACED src/xz/xz -T1 -3 -c words >/dev/null"""),
    # whitespace.t asks whether the sources are tidy; Debian leaves it out.
    Program(
        "memcached", "memcached", "Autotools, threads",
        needs=["libevent-dev", "perl"],
        build=AUTOTOOLS + './configure && make -j "$JOBS" memcached '
              "memcached-debug sizes testapp timedrun",
        test="./sizes; ./testapp; rm -f t/whitespace.t; prove -j 4 t",
        passed=r"^(ok \d+ - .*|t/\S+(?= \.+ ok$))",
        failed=r"^(not ok \d+ .*|t/\S+(?= \.+ (?:Failed|Dubious)))",
        run=MEMCACHED_RUN),
    Program(
        "fmtlib", "fmtlib", "CMake, C++", patched=True, needs=["googletest"],
        build="cmake -S . -B out -DCMAKE_BUILD_TYPE=Release -DFMT_DOC=OFF && "
              'cmake --build out -j "$JOBS" --target args-test core-test '
              "format-test printf-test ranges-test ostream-test",
        test="cd out && ctest -V -R '^(args|core|format|printf|ranges|ostream)"
             "-test$'",
        passed=GTEST_PASSED, failed=GTEST_FAILED,
        run="$TRACED out/bin/format-test --gtest_brief=1 --gtest_repeat=20 "
            ">/dev/null"),
    Program(
        "googletest", "googletest", "CMake, C++",
        build="cmake -S . -B out -DCMAKE_BUILD_TYPE=Release "
              "-Dgtest_build_tests=ON -Dgmock_build_tests=OFF && "
              'cmake --build out -j "$JOBS" --target gtest_unittest '
              "googletest-printers-test gtest-typed-test_test "
              "googletest-port-test googletest-param-test-test",
        test="cd out && ctest -V -R '^(gtest_unittest|gtest-typed-test_test|"
             "googletest-(printers-test|port-test|param-test-test))$'",
        passed=GTEST_PASSED, failed=GTEST_FAILED,
        run="$TRACED out/googletest/googletest-printers-test "
            "--gtest_brief=1 --gtest_repeat=2000 >/dev/null"),
    # Its own tests need files that the package has not.
    Program(
        "dav1d", "dav1d", "Meson", needs=["meson", "ninja-build", "aom-tools"],
        build="meson setup out -Denable_asm=false -Dbuildtype=release && "
              "ninja -C out",
        test=DAV1D_INPUT + """
            aomdec --rawvideo --md5 --i420 in.ivf | cut -c-32 >expected
            for threads in 1 2 4; do
                out/tools/dav1d -q --threads $threads -i in.ivf --muxer md5 \\
                    -o got.$threads
                cmp expected got.$threads && echo "equal: $threads threads"
            done""",
        passed=r"^equal: (.*)", failed=r"^(expected got\.\d.*)",
        run=DAV1D_INPUT + "$TRACED out/tools/dav1d -q -i in.ivf --muxer null"),
    # Double precision alone: a quarter of it.
    Program(
        "lapack", "lapack", "CMake, Fortran", needs=["gfortran"],
        build="cmake -S . -B out -DCMAKE_BUILD_TYPE=Release "
              "-DBUILD_TESTING=ON -DBUILD_SHARED_LIBS=OFF -DBUILD_SINGLE=OFF "
              "-DBUILD_COMPLEX=OFF -DBUILD_COMPLEX16=OFF && "
              'cmake --build out -j "$JOBS"',
        test='cd out && ctest -j "$JOBS" -E Summary',
        passed=r"Test +#\d+: (\S+) \.+ +Passed",
        failed=r"Test +#\d+: (\S+) \.+\*\*\*",
        run="$TRACED out/bin/xeigtstd <TESTING/sep.in >/dev/null"),
]
