/* SPDX-License-Identifier: MIT */
/*
 * Allocators that call the family by its names: a calloc that calls malloc, a
 * realloc that calls malloc and free. Those calls come in at our hooks, as the
 * program's do, and the block would be counted twice. So a call of an allocator
 * that is not the C library's is made with the recursion guard held: what it
 * calls in turn is its own doing. (The C library calls itself by no name that
 * we have.)
 *
 * Cost: two additions to a thread-local word and a return for each call of
 * such an allocator.
 */
#include "runtime.h"

static struct real inner; /* the allocator's own functions */

/* A path that was met before needs no slow half, and so sees no guard. But
 * no path through an allocator is ever recorded, for the guard is held. */
static void begin(void)
{
    __alloctrace_thread.busy += BUSY_SILENT;
    __asm__ volatile("" : : : "memory"); /* a signal handler may look */
}

static void end(void)
{
    __asm__ volatile("" : : : "memory");
    __alloctrace_thread.busy -= BUSY_SILENT;
}

/* Passes what the expression gives. */
#define GUARDED(type, call)       \
    do {                          \
        type result;              \
                                  \
        begin();                  \
        result = inner.call;      \
        end();                    \
        return result;            \
    } while (0)

static void *guarded_malloc(size_t size)
{
    GUARDED(void *, malloc_fn(size));
}

static void *guarded_calloc(size_t n, size_t size)
{
    GUARDED(void *, calloc_fn(n, size));
}

static void *guarded_realloc(void *block, size_t size)
{
    GUARDED(void *, realloc_fn(block, size));
}

static void guarded_free(void *block)
{
    begin();
    inner.free_fn(block);
    end();
}

static void *guarded_aligned_alloc(size_t alignment, size_t size)
{
    GUARDED(void *, aligned_alloc_fn(alignment, size));
}

static void *guarded_memalign(size_t alignment, size_t size)
{
    GUARDED(void *, memalign_fn(alignment, size));
}

static int guarded_posix_memalign(void **block, size_t alignment, size_t size)
{
    GUARDED(int, posix_memalign_fn(block, alignment, size));
}

static void *guarded_valloc(size_t size)
{
    GUARDED(void *, valloc_fn(size));
}

static void *guarded_pvalloc(size_t size)
{
    GUARDED(void *, pvalloc_fn(size));
}

/* Early, as the guarded functions may be called by any thread as soon as they
 * are in their places. */
void nested_init(void)
{
    inner = at_real;
}

void nested_guard(void)
{
    if (real_is_glibc() || real_has_hidden_frees())
        return;
    at_real = (struct real){
        guarded_malloc,         guarded_calloc,        guarded_realloc,
        guarded_free,           guarded_aligned_alloc, guarded_memalign,
        guarded_posix_memalign, guarded_valloc,        guarded_pvalloc,
        inner.usable_size_fn,
    };
}

void *nested_malloc(void)
{
    return inner.malloc_fn ? (void *)inner.malloc_fn
                           : (void *)at_real.malloc_fn;
}
