/* SPDX-License-Identifier: MIT */
/*
 * Patterns of file names: what is added to the one that the user gave, so
 * that one process's dumps, and those of its children, do not replace one
 * another.
 */
#include <string.h>

#include "runtime.h"

bool pattern_has(const char *pattern, char letter)
{
    for (; *pattern; pattern++) {
        if (pattern[0] != '%' || !pattern[1])
            continue;
        if (pattern[1] == letter)
            return true;
        pattern++;
    }
    return false;
}

/* Where the suffix of the last component starts, or the end if it has none.
 * A component that starts with its only dot is a hidden file without one. */
static char *find_suffix(char *pattern)
{
    char *const slash = strrchr(pattern, '/');
    char *const base = slash ? slash + 1 : pattern;
    char *const dot = strrchr(base, '.');

    return dot && dot > base ? dot : pattern + strlen(pattern);
}

bool pattern_insert(char *pattern, size_t size, const char *part)
{
    char *const at = find_suffix(pattern);
    const size_t n = strlen(part);

    if (strlen(pattern) + n >= size)
        return false;
    memmove(at + n, at, strlen(at) + 1);
    memcpy(at, part, n);
    return true;
}
