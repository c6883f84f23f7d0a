/* SPDX-License-Identifier: MIT */
/*
 * Between mmap.c, which has the C library's names, and the rest of the
 * runtime, from which it is linked apart. Exported for that reason only.
 */
#ifndef ALLOCTRACE_MAPPING_H
#define ALLOCTRACE_MAPPING_H

#include <stddef.h>

/* What a call changed. Addresses are those of pages; sizes are rounded up. */
struct mapping_change {
    const void *old; /* what is no longer mapped there */
    size_t old_size; /* 0 = nothing */
    const void *block; /* what has been mapped */
    size_t size;       /* 0 = nothing */
};

/*
 * Before a system call. `address` is where the call of `callee` returns to,
 * or NULL if it maps nothing. 0: nothing is to be recorded; else a lock is
 * held and `end` must follow, from the same thread, before anything else.
 */
int __alloctrace_mapping_begin(const void *address, const char *callee);
/* After it, with zeros if it failed. */
void __alloctrace_mapping_end(struct mapping_change change);

#endif
