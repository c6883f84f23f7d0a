# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the scripts share: messages, packages, configuring and building.
# Sourced, not run; expects `set -eu` and the top of the tree in $top.
# shellcheck disable=SC2154 # $top

# What building takes, tests included. The plugin needs the headers of the very compiler that
# will load it; on Debian 12 the default compiler is GCC 12.
build_packages() {
    major=12
    if command -v gcc >/dev/null; then
        major=$(gcc -dumpversion | cut -d. -f1)
    fi
    echo "gcc g++ make cmake ninja-build pkg-config check python3" \
        "gcc-$major-plugin-dev libdwarf-dev libelf-dev zlib1g-dev"
}

say() {
    printf '==> %s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Prints those of the packages that are not installed.
missing_packages() {
    for package; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" \
            2>/dev/null) || state=none
        [ "$state" = installed ] || printf '%s ' "$package"
    done
}

# Runs apt-get install for the packages, as root or through sudo. Whoever else
# installs at the moment is waited for.
run_apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
        -o Dpkg::Use-Pty=0 -o Dpkg::Lock::Timeout=600 \
        -o Acquire::Retries=2 "$@" </dev/null
}

# Once more with new lists, and again when the mirror may be back.
install_packages() {
    run_apt -y install --no-install-recommends "$@" ||
        { run_apt update &&
            run_apt -y install --no-install-recommends "$@"; } ||
        { sleep 60 && run_apt update &&
            run_apt -y install --no-install-recommends "$@"; }
}

# Makes sure that the packages are installed; touches nothing if they are.
# The lists of packages are brought up to date only when the installation
# does not work with those that are there.
need_packages() {
    command -v apt-get >/dev/null ||
        die "this script installs what it needs with apt-get, which is not" \
            "here; what that is stands in scripts/lib.sh"
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "please install as root: apt-get install $missing"
        as_root=sudo
    fi
    say "installing with apt-get: $missing"
    # shellcheck disable=SC2086 # several words are meant
    if ! run_apt -qq -s install --no-install-recommends $missing \
        >/dev/null 2>&1; then
        run_apt update || true
    fi
    # shellcheck disable=SC2086
    install_packages $missing ||
        die "apt-get could not install: $missing(is the network there?)"
}

# Configures build/PRESET once and builds what changed.
build_preset() {
    if [ ! -f "$top/build/$1/build.ninja" ]; then
        say "configuring build/$1"
        (cd "$top" && cmake --preset "$1") ||
            die "configuring build/$1 failed (see above)"
    fi
    say "building build/$1"
    (cd "$top" && cmake --build --preset "$1") ||
        die "building build/$1 failed (see above)"
}

# Identifies the plugin, the runtime and the wrapper of a build directory:
# what they instrumented must be built anew when this changes.
fingerprint() {
    find -L "$1/lib/alloctrace/plugin" "$1/lib/liballoctrace.a" \
        "$1/bin/alloctrace-gcc" -type f -exec cksum {} +
}
