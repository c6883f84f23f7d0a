#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The share of a program's allocation sites with a known type.

type_share.py [--sample N] [--seed SEED] PROGRAM...

Reads the records of instrumented programs (64-bit, little endian). An
allocation site is a direct call of the allocator, or a call of a wrapper: of
a function that returns what an allocation site without a known type gave it,
or what it got through a pointer to a function. A place counts once, however
often it was inlined. --sample prints N random sites with what is known.
"""
import argparse
import collections
import random
import struct
import sys

sys.dont_write_bytecode = True
from known_types import count_kinds  # noqa: E402

RECORD = struct.Struct('<6iIIHHBBH')
ALLOC, RETURNED = 2, 2

Site = collections.namedtuple(
    'Site', 'file line column function callee type target kind is_returned')


def sections(image):
    """Yields (name, address, offset, size) of each section."""
    table, = struct.unpack_from('<Q', image, 0x28)
    size, count, names = struct.unpack_from('<3H', image, 0x3a)
    headers = [struct.unpack_from('<2I4Q', image, table + i * size)
               for i in range(count)]
    for name, kind, _, address, offset, length in headers:
        begin = headers[names][4] + name
        text = image[begin:image.index(b'\0', begin)].decode()
        if kind != 8:
            yield text, address, offset, length


def read_sites(path):
    with open(path, 'rb') as file:
        image = file.read()
    parts = list(sections(image))

    def text(address, relative):
        if relative == 0:
            return ''
        address += relative
        for _, begin, offset, length in parts:
            if begin <= address < begin + length:
                start = offset + address - begin
                end = image.index(b'\0', start)
                return image[start:end].decode('utf-8', 'replace')
        return ''

    for name, begin, offset, length in parts:
        if name != 'alloctrace_sites':
            continue
        for at in range(0, length, RECORD.size):
            record = RECORD.unpack_from(image, offset + at)
            base = begin + at
            yield Site(file=text(base, record[0]), line=record[7],
                       column=record[8], function=text(base + 4, record[1]),
                       callee=text(base + 12, record[3]),
                       type=text(base + 16, record[4]),
                       target=text(base + 20, record[5]), kind=record[10],
                       is_returned=bool(record[11] & RETURNED))


def distinct(sites):
    places = {}
    for site in sites:
        key = (site.file, site.line, site.column, site.function, site.callee)
        if key not in places or (site.type and not places[key].type):
            places[key] = site
    return list(places.values())


def wrappers(sites):
    """Functions that only hand on an allocation."""
    found = set()
    while True:
        more = {site.function for site in sites
                if site.is_returned and not site.type and
                (site.kind == ALLOC or not site.callee or
                 site.callee in found)}
        if more <= found:
            return found
        found |= more


def allocation_sites(path):
    sites = distinct(read_sites(path))
    names = wrappers(sites)
    return [s for s in sites if s.kind == ALLOC or s.callee in names]


def report(path, options):
    sites = allocation_sites(path)
    n = len(sites) or 1
    kinds = count_kinds((s.type, 1) for s in sites)
    n_typed, n_bytes = kinds['typed'], kinds['bytes']
    n_wrapping = sum(not s.type and s.is_returned for s in sites)
    n_target = sum(bool(s.target) for s in sites)
    n_other = kinds['unknown'] - n_wrapping
    print(f'{path}: {len(sites)} allocation sites: '
          f'{n_typed / n:.1%} typed, {n_bytes / n:.1%} bytes, '
          f'{n_wrapping / n:.1%} in wrappers, {n_other / n:.1%} unknown; '
          f'{n_target / n:.1%} with a destination')
    chosen = random.Random(options.seed).sample(
        sites, min(options.sample, len(sites)))
    for s in sorted(chosen):
        print(f'  {s.file}:{s.line} {s.function}: {s.callee or "(pointer)"} '
              f'-> {s.type or "?"}, {s.target or "?"}'
              f'{", returned" if s.is_returned else ""}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--sample', type=int, default=0)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('program', nargs='+')
    options = parser.parse_args()
    for path in options.program:
        report(path, options)


if __name__ == '__main__':
    main()
