/* SPDX-License-Identifier: MIT */
/*
 * The runtime's own memory: pages from the system, handed out in order and
 * never given back, so that pointers into it stay good for signal handlers
 * and for threads that read without a lock. The current region is under
 * at_lock; regions are listed so that overhead can be reported.
 */
#include <stdint.h>

#include "runtime.h"

#define REGION_SIZE ((size_t)256 * 1024)
#define MAX_REGIONS 16384

/* All regions, for arena_bytes. n grows with an atomic add; a place whose
 * pages are NULL is free, and belongs to whoever puts pages there. */
static struct region {
    void *pages;
    size_t size;
} regions[MAX_REGIONS];
static uint32_t n_regions;
static uint32_t n_unmapped; /* places that became free, and are taken first */

static char *region_at; /* free part of the current region; under at_lock */
static char *region_end;

static uint32_t count_regions(void)
{
    const uint32_t n = __atomic_load_n(&n_regions, __ATOMIC_ACQUIRE);

    return n < MAX_REGIONS ? n : MAX_REGIONS;
}

/* Who reads pages without their size takes them for empty, which is no harm. */
static bool put(struct region *region, void *pages, size_t size)
{
    void *there = NULL;

    if (!__atomic_compare_exchange_n(&region->pages, &there, pages, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return false;
    count_set(&region->size, size);
    return true;
}

static bool put_where_free(void *pages, size_t size)
{
    const uint32_t n = count_regions();

    for (uint32_t i = 0; i < n; i++)
        if (!count_get(&regions[i].pages) && put(&regions[i], pages, size)) {
            __atomic_fetch_sub(&n_unmapped, 1, __ATOMIC_RELAXED);
            return true;
        }
    return false;
}

static void remember(void *pages, size_t size)
{
    uint32_t i;

    if ((int32_t)count_get(&n_unmapped) > 0 && put_where_free(pages, size))
        return;
    do {
        i = __atomic_load_n(&n_regions, __ATOMIC_RELAXED);
        if (i >= MAX_REGIONS)
            return;
        i = __atomic_fetch_add(&n_regions, 1, __ATOMIC_RELAXED);
    } while (i < MAX_REGIONS && !put(&regions[i], pages, size));
}

/* Before the pages are another's. */
static void forget(const void *pages)
{
    const uint32_t n = count_regions();

    for (uint32_t i = 0; i < n; i++)
        if (count_get(&regions[i].pages) == pages) {
            count_set(&regions[i].size, 0);
            __atomic_store_n(&regions[i].pages, NULL, __ATOMIC_RELEASE);
            __atomic_fetch_add(&n_unmapped, 1, __ATOMIC_RELAXED);
            return;
        }
}

/*
 * An entry of the block map has room for 48 bits of an account's address. The
 * kernel gives out no more unless it is asked to (but riscv64 with five levels
 * of page tables before Linux 6.6 does).
 */
static void *checked(void *pages, size_t size)
{
    if (pages && ((uint64_t)(uintptr_t)pages + size) >> 48) {
        os_unmap(pages, size);
        return NULL;
    }
    return pages;
}

void *arena_map(size_t size)
{
    void *const pages = checked(os_map(size), size);

    if (pages)
        remember(pages, size);
    return pages;
}

void *arena_reserve(size_t size)
{
    return checked(os_reserve(size), size);
}

bool arena_use(void *pages, size_t size)
{
    if (!os_use(pages, size))
        return false;
    remember(pages, size);
    return true;
}

void arena_unmap(void *pages, size_t size)
{
    forget(pages);
    os_unmap(pages, size);
}

void arena_discard(void *pages, size_t size)
{
    os_discard(pages, size);
}

static bool next_region(size_t size)
{
    if (size < REGION_SIZE)
        size = REGION_SIZE;
    region_at = arena_map(size);
    region_end = region_at ? region_at + size : NULL;
    return region_at != NULL;
}

static void *take(size_t size, size_t alignment)
{
    const uintptr_t start =
        ((uintptr_t)region_at + alignment - 1) & ~(uintptr_t)(alignment - 1);

    if (!region_at || start + size > (uintptr_t)region_end)
        return NULL;
    region_at = (char *)start + size;
    budget_add((int64_t)size);
    return (void *)start;
}

void *arena_alloc(size_t size)
{
    void *memory = take(size, 16);

    if (!memory && next_region(size))
        memory = take(size, 16);
    return memory;
}

void *arena_alloc_aligned(size_t size)
{
    void *memory = take(size, size);

    if (!memory && next_region(2 * size))
        memory = take(size, size);
    return memory;
}

/*
 * The kernel is asked about SAMPLE bytes at a time, which takes it about a
 * microsecond a MiB. Of more than MAX_LOOKED_AT only every n-th sample is
 * looked at and stands for n: tables of gigabytes are looked at in a
 * millisecond or two, and what is said of them is an estimate.
 */
#define SAMPLE ((size_t)1 << 20)
#define MAX_LOOKED_AT ((uint64_t)1 << 30)

static uint64_t mapped_bytes(uint32_t n)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < n; i++)
        bytes += count_get(&regions[i].size);
    return bytes;
}

/* Resident bytes of what is looked at of a region; `skip` is how many samples
 * come before the next one, over all regions. */
static uint64_t resident_bytes(uint32_t i, uint64_t step, uint64_t *skip)
{
    const char *const pages =
        __atomic_load_n(&regions[i].pages, __ATOMIC_ACQUIRE);
    const size_t size = count_get(&regions[i].size);
    uint64_t bytes = 0;

    for (size_t at = 0; pages && at < size; at += SAMPLE) {
        const size_t left = size - at;

        if (*skip == 0)
            bytes += os_resident(pages + at, left < SAMPLE ? left : SAMPLE);
        *skip = *skip ? *skip - 1 : step - 1;
    }
    return bytes;
}

uint64_t arena_bytes(void)
{
    const uint32_t n_seen = __atomic_load_n(&n_regions, __ATOMIC_RELAXED);
    const uint32_t n = n_seen < MAX_REGIONS ? n_seen : MAX_REGIONS;
    const uint64_t step = mapped_bytes(n) / MAX_LOOKED_AT + 1;
    uint64_t bytes = 0;
    uint64_t skip = 0;

    for (uint32_t i = 0; i < n; i++)
        bytes += resident_bytes(i, step, &skip);
    return bytes * step;
}
