/* SPDX-License-Identifier: MIT */
/*
 * The interposed functions under names of our own (the C library's names are
 * weak aliases of them, see interpose.c), so that real.c can tell whether a
 * name still leads to us.
 */
#ifndef ALLOCTRACE_HOOKS_H
#define ALLOCTRACE_HOOKS_H

#include <stddef.h>

void *hook_malloc(size_t size);
void *hook_calloc(size_t n, size_t size);
void *hook_realloc(void *block, size_t size);
void *hook_reallocarray(void *block, size_t n, size_t size);
void hook_free(void *block);
void *hook_aligned_alloc(size_t alignment, size_t size);
void *hook_memalign(size_t alignment, size_t size);
int hook_posix_memalign(void **block, size_t alignment, size_t size);
void *hook_valloc(size_t size);
void *hook_pvalloc(size_t size);

#endif
