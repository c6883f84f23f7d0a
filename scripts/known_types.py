# SPDX-License-Identifier: MIT
"""What the name of a type says of a block: which struct or number it holds
("typed"), only that it is bytes ("bytes"), or nothing ("unknown")."""

# How `alloctrace stats --group-by type` calls what has none.
UNKNOWN = "<unknown>"
BYTES = {"char", "unsigned char", "signed char", "uint8_t", "int8_t", "u8"}


def kind_of(name):
    if not name or name == UNKNOWN:
        return "unknown"
    return "bytes" if name in BYTES else "typed"


def count_kinds(pairs):
    """Of (name of a type, how many): how many there are of each kind."""
    counts = {"typed": 0, "bytes": 0, "unknown": 0}
    for name, count in pairs:
        counts[kind_of(name)] += count
    return counts
