/* SPDX-License-Identifier: MIT */
/*
 * Whose memory is this? A child of vfork and of posix_spawn runs in its
 * parent's memory, thread-local variables and all: what it ends is not the
 * program that is traced. A child of fork has a copy. A page that the kernel
 * empties in copies tells the two apart, also where neither the C library nor
 * anyone else announced them (a system call, _Fork), and where process ids
 * are those of another namespace.
 *
 * Cost: a system call when a dump is about to be written, nothing else.
 */
#include "runtime.h"

/* The owner's process id; reads as 0 in a copy. NULL: the kernel has no such
 * pages (before Linux 4.14), and unannounced copies count as borrowed. */
static uint32_t *mark;
static uint32_t owner; /* the same, in memory that is copied */

void process_adopt(void)
{
    if (!mark)
        mark = os_map_wiped(sizeof *mark);
    owner = os_pid();
    if (mark)
        count_set(mark, owner);
}

enum process_memory process_memory(void)
{
    if (mark && count_get(mark) == 0)
        return PROCESS_COPIED;
    return owner == os_pid() ? PROCESS_OWN : PROCESS_BORROWED;
}
