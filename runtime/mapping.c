/* SPDX-License-Identifier: MIT */
/*
 * What the program maps itself, if ALLOCTRACE_MMAP=1: calls of mmap, munmap
 * and mremap (mmap.c has the names) in the domain "mmap". A block is what one
 * call mapped, in whole pages. It lasts until its last page is unmapped or
 * mapped over, whatever is cut out of it meanwhile; each cut frees its bytes.
 * mremap ends what it moves and is a new block of its own path, as realloc is.
 *
 * Locks. One lock is held around the system call as well, so that records and
 * pages change together: no other thread can map what is being unmapped. Lock
 * order: this one, then at_lock. It is taken once before and given back once
 * after, by the three functions of mmap.c. Other allocators than glibc's call
 * mmap under locks of their own, which they also take when the program forks:
 * so nobody waits for this lock while a fork holds it, and what is mapped
 * then is not recorded. Nor is what a signal handler maps that interrupts the
 * holder; for that reason the lock says who holds it.
 */
#include <errno.h>
#include <string.h>

#include "event.h"
#include "mapping.h"

#define DOMAIN_NAME "mmap"

/* One call's block. */
struct mapping {
    struct account *account; /* it is counted in */
    uint32_t generation;     /* the account's then: it may be another now */
    uint32_t n_ranges;       /* parts that are left of it */
    struct mapping *next;    /* on the list of those that are free */
};

/* Address of the holder's __alloctrace_thread; 0 = free. */
static uintptr_t holder;
static uint32_t is_forking; /* the holder does, or what it is interrupted by */
static struct mapping *free_list;
static struct account *pending; /* account of the call that is being made */

static bool take_lock(void)
{
    const uintptr_t self = (uintptr_t)&__alloctrace_thread;
    uintptr_t nobody = 0;

    if (count_get(&holder) == self)
        return false;
    /* Acquire: pairs with the release in release_lock. */
    while (!__atomic_compare_exchange_n(&holder, &nobody, self, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        if (count_get(&is_forking))
            return false;
        os_yield();
        nobody = 0;
    }
    return true;
}

static void release_lock(void)
{
    __atomic_store_n(&holder, 0, __ATOMIC_RELEASE);
}

/* ---- Paths ---- */

/*
 * Is the innermost frame about to make the call itself? Then its path is the
 * call's. Asks the frame's record for the function that is called.
 */
static bool is_called_by_top(uint64_t key, const char *callee)
{
    const struct alloctrace_site *site;
    const char *name;
    bool is_it;

    lock_take();
    site = site_find(key);
    name = site ? site_string(&site->callee) : NULL;
    is_it = name && strcmp(name, callee) == 0;
    lock_release();
    return is_it;
}

/* The path of a call that returns to an address. */
static struct path path_of(const void *address, const char *callee,
                           uint32_t domain)
{
    const struct alloctrace_shadow_frame *const top = __alloctrace_thread.top;
    const uint64_t key = top->hash - top->parent->hash * ALLOCTRACE_HASH_K;
    const uint64_t leaf = (uintptr_t)address;

    if (top != &at_sentinel && is_called_by_top(key, callee))
        return domain_path(key | EVENT_OWN_FRAME, domain);
    return (struct path){
        .hash = top->hash * ALLOCTRACE_HASH_K + leaf,
        .leaf = leaf,
        .how = EVENT_RETURN_ADDRESS,
        .domain = domain,
    };
}

/* ---- Records ---- */

static struct mapping *create(void)
{
    struct mapping *mapping = free_list;

    if (mapping) {
        free_list = mapping->next;
        return mapping;
    }
    lock_take();
    mapping = arena_alloc(sizeof *mapping);
    lock_release();
    return mapping;
}

static void destroy(struct mapping *mapping)
{
    mapping->next = free_list;
    free_list = mapping;
}

/* Takes [begin, end), which lies in the range, out of it. What is behind gets
 * a range of its own; without memory for that it goes as well. Gives the bytes
 * that went. */
static size_t cut(struct range *range, uintptr_t begin, uintptr_t end)
{
    struct mapping *const mapping = range->mapping;
    struct range *behind = NULL;

    if (begin > range->begin && end < range->end) {
        behind = range_add(end, range->end);
        if (behind) {
            behind->mapping = mapping;
            mapping->n_ranges++;
        } else {
            event_drop(range->end - end);
            end = range->end;
        }
        range->end = begin;
    } else if (begin > range->begin) {
        range->end = begin;
    } else if (end < range->end) {
        range->begin = end;
    } else {
        mapping->n_ranges--;
        range_remove(range);
    }
    return end - begin;
}

/* What the range has in common with [begin, end) is mapped no more. */
static void forget_part(struct range *range, uintptr_t begin, uintptr_t end)
{
    struct mapping *const mapping = range->mapping;
    const uintptr_t first = begin > range->begin ? begin : range->begin;
    const uintptr_t last = end < range->end ? end : range->end;
    const size_t size = cut(range, first, last);

    if (mapping->n_ranges > 0) {
        event_shrink(mapping->account, size, mapping->generation);
        return;
    }
    if (at_options.detail)
        detail_remove(mapping->account, first, size);
    event_subtract(mapping->account, size, mapping->generation);
    destroy(mapping);
}

static void forget(uintptr_t begin, uintptr_t end)
{
    struct range *range = range_before(end);

    while (range && range->end > begin) {
        forget_part(range, begin, end);
        range = range_before(end);
    }
}

/* Enters a block; what was there has been forgotten. False: no memory. */
static bool enter(uintptr_t begin, uintptr_t end)
{
    struct mapping *const mapping = create();
    struct range *const range = mapping ? range_add(begin, end) : NULL;

    if (mapping && !range)
        destroy(mapping);
    if (!range)
        return false;
    range->mapping = mapping;
    mapping->n_ranges = 1;
    mapping->account = pending;
    mapping->generation = account_chunk(pending)->generation;
    return true;
}

static void record(uintptr_t begin, uintptr_t end)
{
    const size_t size = end - begin;

    if (__alloctrace_thread.n_paused)
        return;
    if (!pending || !enter(begin, end)) {
        event_drop(size);
        return;
    }
    if (at_options.detail)
        detail_add(pending, begin, size);
    event_count(event_owner(pending), pending, NULL, size);
    scope_count(event_owner(pending), (struct sample_share){1, size});
}

/* ---- For mmap.c ---- */

static uintptr_t end_of(uintptr_t begin, size_t size)
{
    const uintptr_t mask = os_page_size() - 1;

    return (begin + size + mask) & ~mask;
}

at_export int __alloctrace_mapping_begin(const void *address,
                                         const char *callee)
{
    const int saved = errno;
    uint32_t domain;

    if (!at_options.mmap || event_is_off() || !take_lock())
        return 0;
    pending = NULL;
    if (address && !__alloctrace_thread.busy &&
        !__alloctrace_thread.n_paused) {
        domain = domain_intern(DOMAIN_NAME);
        if (domain)
            pending = domain_account(path_of(address, callee, domain));
    }
    errno = saved;
    return 1;
}

at_export void __alloctrace_mapping_end(struct mapping_change change)
{
    const int saved = errno;
    const uintptr_t old = (uintptr_t)change.old;
    const uintptr_t block = (uintptr_t)change.block;

    if (change.old_size)
        forget(old, end_of(old, change.old_size));
    if (change.size) {
        forget(block, end_of(block, change.size));
        record(block, end_of(block, change.size));
    }
    release_lock();
    errno = saved;
}

/* ---- Around fork ---- */

void mapping_lock(void)
{
    const uintptr_t self = (uintptr_t)&__alloctrace_thread;

    while (count_get(&holder) != self && !take_lock())
        os_yield(); /* another thread forks */
    is_forking++;
}

void mapping_unlock(void)
{
    if (--is_forking == 0)
        release_lock();
}
