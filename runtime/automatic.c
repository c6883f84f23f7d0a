/* SPDX-License-Identifier: MIT */
/*
 * Dumps that nobody asked for at that moment: each interval, when memory is
 * refused. They go beside the dump at exit, each to a file of its own:
 * at_dump_pattern with the number of the dump before its suffix, unless it
 * has %n anyway. A name that is no regular file (a pipe, /dev/null) gets all
 * dumps, one after the other.
 *
 * A child of fork takes its parent's pattern over and adds its process id
 * unless that is there: it never replaces its parent's dump.
 *
 * Both patterns change in the process's first constructor and in a child that
 * has one thread yet, and are constant otherwise.
 */
#include <string.h>

#include "runtime.h"

static char numbered[AT_PATTERN_SIZE];

static void number_pattern(void)
{
    memcpy(numbered, at_dump_pattern, strlen(at_dump_pattern) + 1);
    if (!pattern_has(numbered, 'n') && os_kind(at_dump_pattern) != 2)
        pattern_insert(numbered, sizeof numbered, ".%n");
}

void automatic_init(void)
{
    number_pattern();
}

void automatic_in_child(void)
{
    if (!pattern_has(at_dump_pattern, 'p') && os_kind(at_dump_pattern) != 2)
        pattern_insert(at_dump_pattern, AT_PATTERN_SIZE, ".%p");
    number_pattern();
}

int automatic_dump(const char *reason)
{
    return request_dump_unasked(numbered, reason);
}
