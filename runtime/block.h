/* SPDX-License-Identifier: MIT */
/*
 * The block map: address of a live block => account it was counted in, size.
 *
 * Two levels: a root of pointers to leaves, one 8-byte entry a granule of
 * four words. Pages of a leaf cost nothing until a block lies there.
 *
 * Two live blocks never share an entry. glibc's lie at least four words apart,
 * in 64-bit programs at multiples of 16, so one map holds them all (an address
 * that is no such multiple is not glibc's: at_odd_mask = 8; with words of 32
 * bits it may be, 0). Other allocators place blocks as little as 8 bytes apart:
 * each place that a block can have in a granule then has a map of its own (24;
 * 8). A leaf is small where addresses are scarce.
 *
 * Entry: account / 64 in the upper 42 bits, size in the lower 22. A size that
 * does not fit stands in the entry of the next granule (such a block covers
 * many) and the lower bits are all ones. 0 = no block.
 *
 * An entry is written only by the thread that owns the block at that moment:
 * after the real allocator gave it out, before it is given back. So plain
 * (relaxed) accesses are enough, ordered by the allocator's own locks.
 */
#ifndef ALLOCTRACE_BLOCK_H
#define ALLOCTRACE_BLOCK_H

#include "runtime.h"

#if UINTPTR_MAX > UINT32_MAX
#define BLOCK_ADDRESS_BITS 48 /* tags in the bits above are ignored */
#define BLOCK_LEAF_BITS 26    /* a leaf covers 64 MiB of addresses */
#define BLOCK_GRANULE_BITS 5
#define BLOCK_ODD_GLIBC 8
#define BLOCK_ODD_OTHERS 24
#else
#define BLOCK_ADDRESS_BITS 32
#define BLOCK_LEAF_BITS 20 /* a leaf covers 1 MiB and takes half of that */
#define BLOCK_GRANULE_BITS 4
#define BLOCK_ODD_GLIBC 0
#define BLOCK_ODD_OTHERS 8
#endif
#define BLOCK_ROOT_SIZE ((size_t)1 << (BLOCK_ADDRESS_BITS - BLOCK_LEAF_BITS))
#define BLOCK_LEAF_SIZE ((size_t)1 << (BLOCK_LEAF_BITS - BLOCK_GRANULE_BITS))
#define BLOCK_SIZE_BITS 22
#define BLOCK_SIZE_MASK (((uint64_t)1 << BLOCK_SIZE_BITS) - 1)

/* Roots of the maps; [0] is there when tracing is on, the others on demand. */
#define BLOCK_MAPS 4
extern uint64_t **at_roots[BLOCK_MAPS];
extern uintptr_t at_odd_mask; /* address bits that choose the map; constant */

static inline uint64_t ***block_map(uintptr_t address)
{
    return &at_roots[(address & at_odd_mask) >> 3];
}

static inline size_t block_leaf(uintptr_t address)
{
    return (address >> BLOCK_LEAF_BITS) & (BLOCK_ROOT_SIZE - 1);
}

static inline size_t block_granule(uintptr_t address)
{
    return (address >> BLOCK_GRANULE_BITS) & (BLOCK_LEAF_SIZE - 1);
}

/* The block's entry, or NULL if there never was a block near. 3 loads. */
static inline uint64_t *block_slot(uintptr_t address)
{
    uint64_t **const root = *block_map(address);
    uint64_t *leaf;

    if (unlikely(!root))
        return NULL;
    leaf = __atomic_load_n(&root[block_leaf(address)], __ATOMIC_ACQUIRE);
    return likely(leaf != NULL) ? &leaf[block_granule(address)] : NULL;
}

/* `size` is less than the mask, or the mask for those that do not fit. */
static inline uint64_t block_entry(const struct account *account, uint64_t size)
{
    return (uint64_t)(uintptr_t)account << (BLOCK_SIZE_BITS - 6) | size;
}

static inline struct account *block_account(uint64_t entry)
{
    return (struct account *)(uintptr_t)(entry >> BLOCK_SIZE_BITS << 6);
}

#endif
