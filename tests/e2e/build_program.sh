#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds a program under test, plain and instrumented, at each level of
# optimisation:
#
#     build_program.sh lua|sqlite|gawk|zstd BUILD_DIR [NAME COMPILER]
#
# makes BUILD_DIR/e2e/PROGRAM/{O0,O2,O3}/{plain,trace}/PROGRAM from Debian's
# sources, which are fetched once to build/sources. What was built is kept
# until the plugin, the runtime or the wrapper change. With NAME and COMPILER
# it makes BUILD_DIR/e2e/PROGRAM/O2/NAME/PROGRAM alone.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/scripts/lib.sh"

# What gdb needs to tell exactly where calls stand: see compare_gdb.py.
flags=${PROGRAM_FLAGS:--g -gno-statement-frontiers -fno-crossjumping}
program=$1
build=$(cd "$2" && pwd)
sources=$top/build/sources
out=$build/e2e/$program
jobs=$(nproc)

fetch() {
    "$top/scripts/fetch-source" "$@" "$sources"
}

prepare_lua() {
    fetch --unpatched lua5.4
}

# lua DIRECTORY COMPILER LEVEL: the release's own Makefile.
build_lua() {
    cp -R "$sources/lua5.4/src" "$1/src"
    make -C "$1/src" -j "$jobs" linux CC="$2 -std=gnu99" MYCFLAGS="$flags -$3"
    mv "$1/src/lua" "$1/lua"
}

# The amalgamation, as sqlite's own Makefile puts it together.
prepare_sqlite() {
    fetch sqlite3
    [ ! -f "$out/sqlite3.c" ] || return 0
    mkdir -p "$out/amalgamation"
    (cd "$out/amalgamation" &&
        "$sources/sqlite3/configure" --disable-tcl --disable-readline &&
        make sqlite3.c)
    cp "$out/amalgamation/sqlite3.h" "$out/amalgamation/sqlite3.c" "$out"
}

build_sqlite() {
    # shellcheck disable=SC2086 # several words are meant
    (cd "$1" && "$2" $flags "-$3" -w -I "$out" -o sqlite \
        "$sources/sqlite3/test/speedtest1.c" "$out/sqlite3.c" -lm)
}

# Configured once for each compiler; what configure found out with the
# instrumenting one must be what it found out with the plain one.
prepare_gawk() {
    fetch gawk
    for compiler in gcc alloctrace-gcc; do
        [ ! -f "$out/$compiler/Makefile" ] || continue
        rm -rf "${out:?}/$compiler"
        mkdir -p "$out"
        cp -R "$sources/gawk" "$out/$compiler"
        # Newer than what they are made from, so that nothing is remade.
        find "$out/$compiler" \( -name aclocal.m4 -o -name configure -o \
            -name '*.in' -o -name awkgram.c -o -name command.c \) -exec \
            touch {} +
        (cd "$out/$compiler" && ./configure CC="$compiler" --disable-nls \
            --disable-extensions --without-readline --without-mpfr)
    done
    diff "$out/gcc/config.h" "$out/alloctrace-gcc/config.h" ||
        die "configure answers differently with the wrapper"
}

build_gawk() {
    configured=$2
    [ -d "$out/$configured" ] || configured=gcc
    cp -Rp "$out/$configured" "$1/tree"
    make -C "$1/tree/support" -j "$jobs" CC="$2" CFLAGS="$flags -$3"
    make -C "$1/tree" -j "$jobs" gawk CC="$2" CFLAGS="$flags -$3"
    mv "$1/tree/gawk" "$1/gawk"
}

prepare_zstd() {
    fetch libzstd
}

build_zstd() {
    cp -R "$sources/libzstd" "$1/tree"
    make -C "$1/tree/programs" -j "$jobs" zstd CC="$2" CFLAGS="$flags -$3" \
        HAVE_ZLIB=0 HAVE_LZMA=0 HAVE_LZ4=0
    mv "$1/tree/programs/zstd" "$1/zstd"
}

# build_variant LEVEL NAME COMPILER STAMP
build_variant() {
    variant=$out/$1/$2
    [ "$(cat "$variant/stamp" 2>/dev/null)" != "$4" ] || return 0
    rm -rf "$variant"
    mkdir -p "$variant"
    "build_$program" "$variant" "$3" "$1"
    echo "$4" >"$variant/stamp"
}

# Both variants at once: compiling sqlite takes one processor minutes.
build_level() {
    build_variant "$1" plain gcc "$flags" &
    plain=$!
    build_variant "$1" trace alloctrace-gcc "$instrumenter"
    wait "$plain"
}

report() {
    status=$?
    [ "$status" != 0 ] || exit 0
    tail -25 "$out/build.log" >&3
    echo "building $program failed: see $out/build.log" >&3
    exit "$status"
}

PATH=$build/bin:$PATH
mkdir -p "$out"
exec 3>&1 >"$out/build.log" 2>&1
trap report EXIT
"prepare_$program"
instrumenter="$flags $(fingerprint "$build")"
if [ $# = 4 ]; then
    build_variant O2 "$3" "$4" "$instrumenter"
    exit
fi
for level in O0 O2 O3; do
    build_level "$level"
done
