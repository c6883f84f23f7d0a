#!/bin/sh
# SPDX-License-Identifier: MIT
# The compiler wrappers, run against a compiler that prints its arguments:
# which one is run, and what it is given. Usage: wrapper.sh BIN_DIR
set -eu

bin=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
machine=$(gcc -dumpmachine)

# check NAME ACTUAL EXPECTED: both may hold several lines.
check() {
    if [ "$2" = "$3" ]; then
        echo "ok: $1"
    else
        printf 'FAILED: %s\n  expected: %s\n  actual:   %s\n' "$1" "$3" "$2"
        failures=$((failures + 1))
    fi
}

# A prefix that holds what the wrapper looks for, with a space in its name.
make_prefix() {
    prefix="$dir/a prefix"
    mkdir -p "$prefix/lib/alloctrace/plugin/gcc-12" "$prefix/include"
    : >"$prefix/lib/liballoctrace.a"
    : >"$prefix/lib/liballoctrace.so"
    : >"$prefix/include/alloctrace.h"
    : >"$prefix/lib/alloctrace/plugin/gcc-12/alloctrace.so"
    export ALLOCTRACE_PREFIX="$prefix"
}

# fake_compiler PATH NAME VERSION [TARGET [KIND]]: prints NAME and its
# arguments in brackets; exits with 3, so that the wrapper's own status shows.
fake_compiler() {
    mkdir -p "$(dirname "$1")"
    cat >"$1" <<END
#!/bin/sh
for word; do last=\$word; done
if [ "\${last-}" = -v ]; then
    printf 'Target: %s\n%s version %s (a fake)\n' '${4-$machine}' \
        '${5-gcc}' '$3' >&2
    exit 0
fi
printf '%s' '$2'
for word; do printf ' [%s]' "\$word"; done
echo
exit 3
END
    chmod +x "$1"
}

# run NAME ARGS...: the wrapper NAME, with only fake compilers in reach.
run() {
    name=$1
    shift
    status=0
    output=$(PATH="$dir/path:/usr/bin:/bin" "$bin/$name" "$@" 2>&1) ||
        status=$?
    printf '%s status %s\n' "$output" "$status"
}

make_prefix
for name in gcc g++ gfortran; do
    fake_compiler "$dir/path/$name" "$name" 12
done
fake_compiler "$dir/other/my cc" other 12.2.0
fake_compiler "$dir/path/gcc-99" gcc-99 99
fake_compiler "$dir/path/clang" clang 14 x86_64-pc-linux-gnu clang
fake_compiler "$dir/path/cross-gcc" cross 12 riscv64-vendor-linux-gnu
fake_compiler "$dir/path/other-gcc" other 12 sparc64-linux-gnu
# If it were asked, it would not have a plugin.
fake_compiler "$dir/other/riscv64-linux-gnu-gcc-12" named 99
ln -s "$dir/other/riscv64-linux-gnu-gcc-12" "$dir/path/named-gcc"
for target in riscv64-linux-gnu i386-linux-gnu; do
    mkdir -p "$prefix/lib/alloctrace/target/$target"
    : >"$prefix/lib/alloctrace/target/$target/liballoctrace.a"
done
mkdir "$prefix/lib/alloctrace/plugin/gcc-12-riscv64-linux-gnu"
: >"$prefix/lib/alloctrace/plugin/gcc-12-riscv64-linux-gnu/alloctrace.so"

before="[-fplugin=$prefix/lib/alloctrace/plugin/gcc-12/alloctrace.so]"
before="$before [-idirafter$prefix/include]"
# Behind the runtime may stand what an older C library needs: cut it off.
program="[-Wl,--push-state,--whole-archive,$prefix/lib/liballoctrace.a,\
--pop-state] [-Wl,--export-dynamic-symbol=__alloctrace_*,\
--export-dynamic-symbol=alloctrace_*,--export-dynamic-symbol=_Unwind_SetIP] \
[-Wl,-L$prefix/lib/alloctrace/flow,-lalloctrace_flow]"
library="[-Wl,--push-state,--as-needed,$prefix/lib/liballoctrace.so,\
--pop-state,-rpath,$prefix/lib]"

check 'compiling adds the plugin' \
    "$(run alloctrace-gcc -O2 -c 'a b.c')" "gcc $before [-O2] [-c] [a b.c] status 3"
check 'linking adds the runtime' \
    "$(run alloctrace-g++ a.o)" "g++ $before [a.o] $program status 3"
check 'a library gets the shared runtime' \
    "$(run alloctrace-gfortran -shared a.o -o liba.so)" \
    "gfortran $before [-shared] [a.o] [-o] [liba.so] $library status 3"
check 'a relocatable object gets no runtime' \
    "$(run alloctrace-gcc -r a.o -o b.o)" \
    "gcc $before [-r] [a.o] [-o] [b.o] status 3"
archive="$prefix/lib/liballoctrace-analysis.a"
analysis="[-Wl,--push-state,--as-needed,$archive,-lm,--pop-state,\
--exclude-libs,liballoctrace-analysis.a]"
: >"$archive"
check 'a program finds the analysis' \
    "$(run alloctrace-gcc a.o)" "gcc $before [a.o] $analysis $program status 3"
check 'so does a library' \
    "$(run alloctrace-gcc -shared a.o)" \
    "gcc $before [-shared] [a.o] $analysis $library status 3"
rm "$archive"
for question in --version -dumpmachine -E -print-prog-name=ld '-E x.c'; do
    # shellcheck disable=SC2086 # several words are meant
    check "nothing is added to: $question" \
        "$(run alloctrace-gcc $question)" \
        "gcc $(printf '[%s] ' $question)status 3"
done
check 'ALLOCTRACE_CC may be a path with spaces' \
    "$(ALLOCTRACE_CC="$dir/other/my cc" run alloctrace-gcc -S a.c)" \
    "other $before [-S] [a.c] status 3"
check 'ALLOCTRACE_CC may hold several words' \
    "$(ALLOCTRACE_CC="gcc -m64" run alloctrace-gcc -c a.c)" \
    "gcc [-m64] $before [-c] [a.c] status 3"
check 'another variable does not matter' \
    "$(ALLOCTRACE_CXX=none run alloctrace-gcc -E a.c)" "gcc [-E] [a.c] status 3"
check 'a compiler without a plugin is refused in one line' \
    "$(ALLOCTRACE_CC=gcc-99 run alloctrace-gcc -c a.c)" \
    'alloctrace-gcc: no plugin for gcc 99; there is one for: 12, 12-riscv64-linux-gnu status 2'
check 'clang is refused in one line' \
    "$(ALLOCTRACE_CC=clang run alloctrace-gcc -c a.c | sed 's/: .*clang is/: clang is/')" \
    'alloctrace-gcc: clang is clang, which is not supported: alloctrace is a plugin of GCC status 2'
cross="[-fplugin=$prefix/lib/alloctrace/plugin/gcc-12-riscv64-linux-gnu/\
alloctrace.so] [-idirafter$prefix/include]"
check 'a cross compiler gets its plugin and its runtime' \
    "$(ALLOCTRACE_CC=cross-gcc run alloctrace-gcc a.c)" \
    "cross $cross [a.c] $(echo "$program" |
        sed 's,lib/,lib/alloctrace/target/riscv64-linux-gnu/,g') status 3"
check 'a file that is named after version and target is not asked' \
    "$(ALLOCTRACE_CC=named-gcc run alloctrace-gcc -c a.c)" \
    "named $cross [-c] [a.c] status 3"
check 'with further words it is' \
    "$(ALLOCTRACE_CC="named-gcc -pipe" run alloctrace-gcc -c a.c)" \
    'alloctrace-gcc: no plugin for gcc 99; there is one for: 12, 12-riscv64-linux-gnu status 2'
check 'a target without a plugin is named' \
    "$(ALLOCTRACE_CC=other-gcc run alloctrace-gcc -c a.c)" \
    'alloctrace-gcc: no plugin for gcc 12 for sparc64-linux-gnu; there is one for: 12, 12-riscv64-linux-gnu status 2'
if [ "$machine" = x86_64-linux-gnu ]; then
    check '-m32 gets the runtime for it' \
        "$(run alloctrace-gcc -m32 a.c)" "gcc $before [-m32] [a.c] $(
            echo "$program" |
            sed 's,lib/,lib/alloctrace/target/i386-linux-gnu/,g') status 3"
    check 'the last of -m32 and -m64 counts, the compiler'"'"'s own included' \
        "$(ALLOCTRACE_CC='gcc -m32' run alloctrace-gcc -m64 a.c)" \
        "gcc [-m32] $before [-m64] [a.c] $program status 3"
    check 'an ABI without a runtime is named' \
        "$(run alloctrace-gcc -mx32 a.c)" 'alloctrace-gcc: no runtime for x86_64-linux-gnux32; there is one for: x86_64-linux-gnu, i386-linux-gnu, riscv64-linux-gnu status 2'
fi
check 'a compiler that does not exist is named' \
    "$(ALLOCTRACE_CC=no-such-cc run alloctrace-gcc -c a.c)" \
    'alloctrace-gcc: no-such-cc: no such compiler status 2'
check 'a prefix that holds nothing is named' \
    "$(ALLOCTRACE_PREFIX=/proc run alloctrace-gcc -c a.c | sed 's/its .* s/s/')" \
    'alloctrace-gcc: /proc: no liballoctrace.a in status 2'

# Somebody put a link `gcc` to the wrapper first in PATH.
mkdir "$dir/masquerade"
ln -s "$bin/alloctrace-gcc" "$dir/masquerade/gcc"
check 'the wrapper passes over itself' \
    "$(PATH="$dir/masquerade:$dir/path:/usr/bin:/bin" gcc -E a.c || true)" \
    'gcc [-E] [a.c]'
check 'the wrapper does not run itself by name' \
    "$(ALLOCTRACE_CC="$bin/alloctrace-gcc" run alloctrace-gcc -c a.c)" \
    "alloctrace-gcc: $bin/alloctrace-gcc: no such compiler status 2"
check 'under a launcher the flags are added once' \
    "$(PATH="$dir/masquerade:$dir/path:/usr/bin:/bin" ALLOCTRACE_CC='env gcc' \
        "$bin/alloctrace-gcc" -c a.c || true)" \
    "gcc $before [-c] [a.c]"

[ "$failures" = 0 ] || { echo "$failures checks failed"; exit 1; }
