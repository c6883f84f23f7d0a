# SPDX-License-Identifier: MIT
"""Real programs of Debian, and how each is built, tested and run.

Shell commands, run in a copy of the unchanged source package with CC, CXX and
FC set to plain compilers or to the wrappers, and JOBS. `run` is what is
measured: $TRACED stands before the program of interest. `passed` finds the
number of tests that passed in what `test` printed; a test that ends with a
status other than 0 failed, unless `counts_only` says that some fail plain, too.
"""
from dataclasses import dataclass, field


@dataclass
class Program:
    name: str
    package: str
    system: str
    build: str
    run: str
    test: str = ""
    passed: str = ""
    needs: list = field(default_factory=list)
    counts_only: bool = False


AUTOTOOLS = """
find . \\( -name aclocal.m4 -o -name configure -o -name '*.in' \\) -exec touch {} +
"""

# Many small values of many sizes over loopback, from four connections.
MEMCACHED_LOAD = """
import socket, sys, threading
def load(number):
    link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    answers = link.makefile("rb")
    for i in range(3000):
        value = b"x" * (i % 700)
        link.sendall(b"set k%d.%d 0 0 %d\\r\\n%s\\r\\n" % (number, i, len(value),
                                                       value))
        assert answers.readline() == b"STORED\\r\\n"
threads = [threading.Thread(target=load, args=(i,)) for i in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""

# A server, and a client of its own that is not traced.
REDIS_LOAD = """
$TRACED src/redis-server --port "$PORT" --save '' >/dev/null &
until src/redis-cli -p "$PORT" ping >/dev/null 2>&1; do
    sleep 0.1
done
src/redis-benchmark -p "$PORT" -n 40000 -q \
    -t set,get,lpush,hset,zadd >/dev/null
src/redis-cli -p "$PORT" shutdown nosave || true
wait
"""

PROGRAMS = [
    Program(
        "lua", "lua5.4", "Make",
        build='make -C src -j "$JOBS" linux CC="$CC -std=gnu99"',
        run='$TRACED src/lua "$TOP/examples/workload.lua" 15 >/dev/null'),
    Program(
        "sqlite", "sqlite3", "Autotools", needs=["tcl8.6"],
        build="./configure --disable-tcl --disable-readline && "
              'make -j "$JOBS" sqlite3 speedtest1',
        run="$TRACED ./speedtest1 --size 60 >/dev/null",
        test="printf 'create table t(a); insert into t values(6*7); "
             "select a from t;' | ./sqlite3 | grep -x 42"),
    Program(
        "redis, libc", "redis", "Make", needs=["tcl8.6"],
        build='make -j "$JOBS" MALLOC=libc',
        test="./runtest --single unit/type/list --single unit/type/hash "
             "--single unit/expire --clients 2",
        passed=r"^\[.*ok.*\]: ",
        run=REDIS_LOAD),
    Program(
        "redis, jemalloc", "redis", "Make", needs=["tcl8.6"],
        build='make -j "$JOBS" MALLOC=jemalloc',
        test="./runtest --single unit/type/string --clients 2",
        passed=r"^\[.*ok.*\]: ",
        run=REDIS_LOAD),
    Program(
        "curl", "curl", "Autotools, libtool", needs=["libtool-bin"],
        build=AUTOTOOLS + "./configure --without-ssl --enable-debug "
              "--disable-curldebug --without-libpsl --disable-ldap "
              "--without-zlib --without-brotli --without-zstd && "
              'make -j "$JOBS" && make -j "$JOBS" -C tests',
        test="cd tests && perl runtests.pl -a -n 1300 1301 1302 1303 1305 "
             "1307 1308 1309 1323 1394 1395 1396 1397 1398 1399 1600 1601 "
             "1602 1603 1604 1605 1606 1607 1608 1609 1610 1611 1612 1614 "
             "1620 1621 1650 1652 1653 1654 1655 1660 1661",
        passed=r"...OK \(",
        run="""
            [ -d many ] || { mkdir many; (cd many; seq 1 4000 | xargs touch); }
            $TRACED src/curl -s "file://$PWD/many/[1-4000]" """),
    Program(
        "gawk", "gawk", "Autotools",
        build=AUTOTOOLS + "find . -name awkgram.c -o -name command.c | "
              "xargs touch; ./configure --disable-nls --without-readline "
              '--without-mpfr && make -j "$JOBS"',
        test="make check LC_ALL=C", passed=r"", counts_only=True,
        run="""
            $TRACED ./gawk 'BEGIN { for (i = 0; i < 1000000; i++)
                count[i % 5000 "x"] = count[i % 5000 "x"] i % 7;
                print length(count) }' >/dev/null"""),
    Program(
        "zstd", "libzstd", "Make",
        build='make -C programs -j "$JOBS" zstd HAVE_ZLIB=0 HAVE_LZMA=0 '
              "HAVE_LZ4=0 CC=\"$CC\"",
        test="programs/zstd -b1e3i0 2>&1",
        run="$TRACED programs/zstd -b3e5i2 >/dev/null 2>&1"),
    Program(
        "xz", "xz-utils", "Autotools, libtool",
        build=AUTOTOOLS + './configure --disable-nls && make -j "$JOBS"',
        test="make check", passed=r"^PASS: ",
        run="""
            [ -f words ] || seq 1 3000000 >words
            $TRACED src/xz/xz -T1 -3 -c words >/dev/null"""),
    Program(
        "memcached", "memcached", "Autotools, threads",
        needs=["libevent-dev"],
        build=AUTOTOOLS + './configure && make -j "$JOBS" memcached '
              "memcached-debug sizes testapp timedrun",
        test="./sizes && ./testapp",
        passed=r"^ok ",
        run="""
            $TRACED ./memcached -u "$(id -un)" -l 127.0.0.1 -p "$PORT" -t 4 &
            server=$!
            sleep 0.5
            python3 "$LOAD" "$PORT"
            kill -TERM "$server"
            wait "$server" || true"""),
    Program(
        "googletest", "googletest", "CMake, C++",
        build="cmake -S . -B out -DCMAKE_BUILD_TYPE=Release "
              "-Dgtest_build_tests=ON -Dgmock_build_tests=OFF && "
              'cmake --build out -j "$JOBS" --target gtest_unittest '
              "googletest-printers-test gtest-typed-test_test "
              "googletest-port-test googletest-param-test-test",
        test="cd out && ctest -R '^(gtest_unittest|googletest-printers-test|"
             "gtest-typed-test_test|googletest-port-test|"
             "googletest-param-test-test)$'",
        passed=r"\.\.\. +Passed",
        run="$TRACED out/googletest/gtest_unittest --gtest_brief=1 "
            ">/dev/null"),
    Program(
        "dav1d", "dav1d", "Meson", needs=["meson", "ninja-build", "aom-tools"],
        build="meson setup out -Denable_asm=false -Dbuildtype=release && "
              "ninja -C out",
        test="meson test -C out", passed=r" OK +",
        run="""
            [ -f in.ivf ] || { head -c 12441600 /dev/urandom >raw.yuv
                aomenc --i420 -w 320 -h 240 --limit=10 --cpu-used=8 --ivf \
                    -o in.ivf raw.yuv >/dev/null 2>&1; }
            $TRACED out/tools/dav1d -q -i in.ivf -o out.yuv"""),
    Program(
        "lapack", "lapack", "CMake, Fortran",
        build="cmake -S . -B out -DCMAKE_BUILD_TYPE=Release "
              "-DBUILD_TESTING=ON -DBUILD_SHARED_LIBS=OFF && "
              'cmake --build out -j "$JOBS"',
        test="cd out && ctest -R BLAS-xblat1 -R LAPACK-xlintstd_dtest "
             "-R 'xblat|xlintst|xeigtst'",
        passed=r"\.\.\. +Passed", counts_only=True,
        run="$TRACED out/bin/xblat2d <BLAS/TESTING/dblat2.in >/dev/null"),
]
