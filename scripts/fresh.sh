# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# A Debian 12 that holds nothing but git, in a folder that is removed at the
# end. Sourced behind lib.sh; fresh_debian makes it in $tree, in_tree runs
# commands in it. Needs root.

# The machine's first mirror of the release itself, from either format.
mirror_of_machine() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
        /etc/apt/sources.list.d/*.sources 2>/dev/null |
        awk '/^deb[ \t]/ { for (i = 2; i <= NF; i++)
                               if ($i ~ /:\/\//) { print $i; exit } }
             /^URIs:/ { print $2; exit }'
}

make_tree() {
    say "making a fresh Debian 12 in $tree"
    debootstrap --variant=minbase --include=git,ca-certificates \
        bookworm "$tree" "$mirror" >"$tree.log" 2>&1 ||
        die "debootstrap failed: $(tail -1 "$tree.log") (see $tree.log)"
    rm "$tree.log"
}

# What reaching the mirror takes: name servers, sources, proxies, keys.
copy_network() {
    cp /etc/resolv.conf "$tree/etc/resolv.conf"
    rm -f "$tree/etc/apt/sources.list"
    for part in sources.list sources.list.d apt.conf.d trusted.gpg.d keyrings; do
        [ ! -e "/etc/apt/$part" ] || cp -r "/etc/apt/$part" "$tree/etc/apt/"
    done
    mount -t proc proc "$tree/proc"
    mount --rbind /dev "$tree/dev"
    mount --make-rslave "$tree/dev"
}

remove_tree() {
    umount -l "$tree/dev" "$tree/proc" 2>/dev/null || true
    # Whatever could not be unmounted is not ours to remove.
    rm -rf --one-file-system "$tree"
}

in_tree() {
    chroot "$tree" /usr/bin/env -i HOME=/root TERM="${TERM:-dumb}" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" "$@"
}

fresh_debian() {
    [ "$(id -u)" = 0 ] || die "debootstrap and chroot need root"
    need_packages debootstrap git
    mirror=$(mirror_of_machine)
    [ -n "$mirror" ] || die "this machine's apt names no mirror"
    tree=$(mktemp -d "${TMPDIR:-/tmp}/alloctrace-debian.XXXXXX")
    chmod 755 "$tree"
    trap remove_tree EXIT
    trap 'exit 130' INT TERM
    make_tree
    copy_network
}
