/* SPDX-License-Identifier: MIT */
/*
 * HOT: the entries: what instrumented code calls in place of the C library's
 * functions, with the record of the call's place behind the arguments
 * (abi.h). Declared by the plugin only, hence no header.
 */
#define AT_NAMES_THE_ALLOCATOR
#include <errno.h>
#include <string.h>

#include "family.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

/*
 * Each of the usual functions is in parts, so that none saves registers for
 * another: the entry, which asks whether the thread has a ledger; what to do
 * with one; without (*_first: it is its first event, or little is recorded or
 * nothing, which costs two or a few comparisons more than the real function;
 * it needs no registers and is a part of the entry); and all else (*_met).
 */
#define APART __attribute__((noinline)) static

APART void *malloc_met(size_t size, uint64_t site)
{
    return family_malloc(event_meet_site(site, size), size);
}

FAMILY void *malloc_first(size_t size, uint64_t site)
{
    if (event_passes(size))
        return at_real.malloc_fn(size);
    return malloc_met(size, site);
}

APART void *malloc_traced(size_t size, uint64_t site)
{
    struct account *const account = event_peek_site(site);

    if (unlikely(!account))
        return malloc_met(size, site);
    return event_add(account, at_real.malloc_fn(size), size);
}

at_export void *__alloctrace_malloc(size_t size, uint64_t site)
{
    if (event_has_no_ledger())
        return malloc_first(size, site);
    return malloc_traced(size, site);
}

APART void *calloc_met(size_t n, size_t size, uint64_t site)
{
    return family_calloc(event_meet_site(site, family_product(n, size)), n,
                         size);
}

APART void *calloc_first(size_t n, size_t size, uint64_t site)
{
    if (event_passes(family_product(n, size)))
        return at_real.calloc_fn(n, size);
    return calloc_met(n, size, site);
}

APART void *calloc_traced(size_t n, size_t size, uint64_t site)
{
    struct account *const account = event_peek_site(site);

    if (unlikely(!account))
        return calloc_met(n, size, site);
    return event_add(account, at_real.calloc_fn(n, size), n * size);
}

at_export void *__alloctrace_calloc(size_t n, size_t size, uint64_t site)
{
    if (event_has_no_ledger())
        return calloc_first(n, size, site);
    return calloc_traced(n, size, site);
}

APART void *realloc_met(void *block, size_t size, uint64_t site)
{
    return family_realloc(event_meet_site(site, size), block, size);
}

/* What is not to be recorded, but the block that it was may have been. */
APART void *realloc_passed(void *block, size_t size)
{
    return family_realloc(NULL, block, size);
}

FAMILY void *realloc_first(void *block, size_t size, uint64_t site)
{
    if (!event_is_resting()) {
        if (unlikely(!sample_passes(size)))
            return realloc_met(block, size, site);
        if (block && unlikely(!event_is_unsampled(block)))
            return realloc_passed(block, size);
    }
    return at_real.realloc_fn(block, size);
}

APART void *realloc_traced(void *block, size_t size, uint64_t site)
{
    struct account *const account = event_peek_site(site);

    if (unlikely(!account))
        return realloc_met(block, size, site);
    return family_realloc(account, block, size);
}

at_export void *__alloctrace_realloc(void *block, size_t size, uint64_t site)
{
    if (event_has_no_ledger())
        return realloc_first(block, size, site);
    return realloc_traced(block, size, site);
}

at_export void *__alloctrace_reallocarray(void *block, size_t n, size_t size,
                                          uint64_t site)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return family_realloc(event_find_site(site, bytes), block, bytes);
}

at_export void __alloctrace_free(void *block)
{
    family_free(block);
}

at_export void *__alloctrace_aligned_alloc(size_t alignment, size_t size,
                                           uint64_t site)
{
    return family_aligned_alloc(event_find_site(site, size), alignment, size);
}

at_export void *__alloctrace_memalign(size_t alignment, size_t size,
                                      uint64_t site)
{
    return family_memalign(event_find_site(site, size), alignment, size);
}

at_export int __alloctrace_posix_memalign(void **block, size_t alignment,
                                          size_t size, uint64_t site)
{
    return family_posix_memalign(event_find_site(site, size), block, alignment,
                                 size);
}

at_export void *__alloctrace_valloc(size_t size, uint64_t site)
{
    return family_valloc(event_find_site(site, size), size);
}

at_export void *__alloctrace_pvalloc(size_t size, uint64_t site)
{
    return family_pvalloc(event_find_site(site, size), size);
}

/* A copy of the first `size` bytes and a NUL. */
static char *duplicate(const char *string, size_t size, uint64_t site)
{
    char *const copy = family_malloc(event_find_site(site, size + 1), size + 1);

    if (copy) {
        memcpy(copy, string, size);
        copy[size] = '\0';
    }
    return copy;
}

at_export char *__alloctrace_strdup(const char *string, uint64_t site)
{
    return duplicate(string, strlen(string), site);
}

at_export char *__alloctrace_strndup(const char *string, size_t limit,
                                     uint64_t site)
{
    return duplicate(string, strnlen(string, limit), site);
}
