/* SPDX-License-Identifier: MIT */
/*
 * HOT: the malloc family, once, for the two ways in: entries (alloc.c: called
 * by instrumented code, with a record) and hooks (interpose.c: called by all
 * other code, with a return address). `account` is what event_find_site or
 * event_find_address gave; each function is inlined into its two callers.
 */
#ifndef ALLOCTRACE_FAMILY_H
#define ALLOCTRACE_FAMILY_H

#include "event.h"

#define FAMILY static inline __attribute__((always_inline))

/* n * size, or 0 when that overflows (the real function will refuse it). */
FAMILY size_t family_product(size_t n, size_t size)
{
    size_t bytes;

    return unlikely(__builtin_mul_overflow(n, size, &bytes)) ? 0 : bytes;
}

FAMILY void *family_malloc(struct account *account, size_t size)
{
    return event_add_if(account, at_real.malloc_fn(size), size);
}

FAMILY void *family_calloc(struct account *account, size_t n, size_t size)
{
    return event_add_if(account, at_real.calloc_fn(n, size),
                     family_product(n, size));
}

/* The same as below for a thread that samples. */
at_cold static void *resize_sampled(struct account *account, void *old,
                                    size_t size)
{
    struct taken taken = {NULL, 0, NULL};
    void *block;

    if (sample_may_be(old))
        taken = sampled_take(old);
    block = at_real.realloc_fn(old, size);
    if (!block && size != 0)
        sampled_restore(old, taken);
    return event_add_if(account, block, size);
}

/*
 * The old block's trace goes first: as soon as the real realloc has moved the
 * block, another thread may be given its address; and the peak never counts
 * both. If the block could not be resized it is put back.
 */
__attribute__((noinline)) static void *resize(struct account *account,
                                              void *old, size_t size)
{
    struct ledger *const ledger = __alloctrace_thread.ledger;
    struct taken taken = {NULL, 0, NULL};
    void *block;

    if (event_is_off())
        return at_real.realloc_fn(old, size);
    if (likely(ledger))
        taken = event_remove(ledger, old);
    else if (at_options.sample)
        return resize_sampled(account, old, size);
    if (unlikely(!taken.account))
        taken = event_take(old);
    else if (unlikely(event_is_beyond(ledger)))
        peak_fall(ledger);
    block = at_real.realloc_fn(old, size);
    if (unlikely(!block || at_options.detail))
        event_resized(old, taken, block, size);
    return event_add_if(account, block, size);
}

/* Without an old block it is malloc, which is what it would call. */
FAMILY void *family_realloc(struct account *account, void *old, size_t size)
{
    if (old)
        return resize(account, old, size);
    return event_add_if(account, at_real.malloc_fn(size), size);
}

/* NULL, foreign, another thread's, not glibc's. */
__attribute__((noinline)) static void free_met(void *block)
{
    struct ledger *const ledger = __alloctrace_thread.ledger;

    if (at_options.sample)
        sampled_take(block);
    else if (block && !(ledger && event_remove_other(ledger, block)))
        event_take(block);
    at_real.free_fn(block);
}

/* Of a thread without a ledger. */
FAMILY void free_first(void *block)
{
    if (event_free_passes(block))
        at_real.free_fn(block);
    else
        free_met(block);
}

/* One that has been counted as freed, and with it so much that the others must
 * hear of it before its address may be theirs. */
__attribute__((noinline)) static void free_fallen(struct ledger *ledger,
                                                  void *block)
{
    peak_fall(ledger);
    at_real.free_fn(block);
}

FAMILY void family_free(void *block)
{
    struct ledger *const ledger = __alloctrace_thread.ledger;

    if (unlikely(!ledger))
        free_first(block);
    else if (unlikely(!event_remove(ledger, block).account))
        free_met(block);
    else if (unlikely(event_is_beyond(ledger)))
        free_fallen(ledger, block);
    else
        at_real.free_fn(block);
}

FAMILY void *family_aligned_alloc(struct account *account, size_t alignment,
                                  size_t size)
{
    return event_add_if(account, at_real.aligned_alloc_fn(alignment, size), size);
}

FAMILY void *family_memalign(struct account *account, size_t alignment,
                             size_t size)
{
    return event_add_if(account, at_real.memalign_fn(alignment, size), size);
}

FAMILY int family_posix_memalign(struct account *account, void **block,
                                 size_t alignment, size_t size)
{
    const int error = at_real.posix_memalign_fn(block, alignment, size);

    if (likely(!error))
        event_add_if(account, *block, size);
    else
        event_refuse_as(size, error);
    return error;
}

FAMILY void *family_valloc(struct account *account, size_t size)
{
    return event_add_if(account, at_real.valloc_fn(size), size);
}

FAMILY void *family_pvalloc(struct account *account, size_t size)
{
    return event_add_if(account, at_real.pvalloc_fn(size), size);
}

#endif
