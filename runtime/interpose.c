/* SPDX-License-Identifier: MIT */
/*
 * HOT: the hooks: the C library's names, for code that was not instrumented
 * and for calls through function pointers. The allocation is attributed to
 * the innermost instrumented frame and the address it returns to.
 *
 * The names are weak: a program that defines its own malloc keeps it, and
 * beside glibc's malloc in a static program ours gives way.
 */
#define _GNU_SOURCE
#define AT_NAMES_THE_ALLOCATOR
#include "hooks.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "family.h"

#define FIND(size) event_find_address(__builtin_return_address(0), size)

void *hook_malloc(size_t size)
{
    return family_malloc(FIND(size), size);
}

void *hook_calloc(size_t n, size_t size)
{
    return family_calloc(FIND(family_product(n, size)), n, size);
}

void *hook_realloc(void *block, size_t size)
{
    return family_realloc(FIND(size), block, size);
}

void *hook_reallocarray(void *block, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return family_realloc(FIND(bytes), block, bytes);
}

void hook_free(void *block)
{
    family_free(block);
}

void *hook_aligned_alloc(size_t alignment, size_t size)
{
    return family_aligned_alloc(FIND(size), alignment, size);
}

void *hook_memalign(size_t alignment, size_t size)
{
    return family_memalign(FIND(size), alignment, size);
}

int hook_posix_memalign(void **block, size_t alignment, size_t size)
{
    return family_posix_memalign(FIND(size), block, alignment, size);
}

void *hook_valloc(size_t size)
{
    return family_valloc(FIND(size), size);
}

void *hook_pvalloc(size_t size)
{
    return family_pvalloc(FIND(size), size);
}

#define ALIAS(name)                        \
    extern __typeof__(name) name at_export \
        __attribute__((weak, alias("hook_" #name)))

#pragma GCC diagnostic ignored "-Wmissing-attributes"
ALIAS(malloc);
ALIAS(calloc);
ALIAS(realloc);
ALIAS(reallocarray);
ALIAS(free);
ALIAS(aligned_alloc);
ALIAS(memalign);
ALIAS(posix_memalign);
ALIAS(valloc);
ALIAS(pvalloc);
