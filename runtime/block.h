/* SPDX-License-Identifier: MIT */
/*
 * HOT: the block map: address of a live block => account it was counted in,
 * size. Out of band, so that overflows do not reach it, it knows which frees
 * are not ours, and can be enumerated. Two maps, both of two levels: a
 * root of pointers to leaves, whose pages cost nothing until a block lies
 * there; one entry a granule of four words.
 *
 * The narrow map is for blocks of glibc, which lie at least four words apart,
 * so that no two share a granule. Its entries have 4 bytes: the account, and
 * the slack, which is what the word in front of the block (glibc's size of the
 * chunk, in multiples of 8) is larger than what was asked for. The word does
 * not change while a block lives, and is in the cache when free looks at it.
 * 7 bits are enough but for blocks that are mapped or oddly aligned. Its
 * addresses have no tags.
 *
 * The wide map takes those, and the blocks of all other allocators. Entries
 * have 8 bytes: the account and the size. Blocks may lie as little as 8 bytes
 * apart: each of the places that a block can have in a granule then has a map
 * of its own (at_odd_mask = 24; with words of 32 bits 8; glibc's 8 and 0).
 *
 * A block is in one of the maps at most. An entry is written only by the
 * thread that owns the block at that moment: after the real allocator gave it
 * out, before it is given back. So plain (relaxed) accesses are enough,
 * ordered by the allocator's own locks.
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
#define BLOCK_LEAF_BITS 20
#define BLOCK_GRANULE_BITS 4
#define BLOCK_ODD_GLIBC 0
#define BLOCK_ODD_OTHERS 8
#endif
#define BLOCK_ADDRESS_MASK \
    (((uint64_t)1 << BLOCK_ADDRESS_BITS) - 1) /* without tags */
#define BLOCK_ROOT_SIZE ((size_t)1 << (BLOCK_ADDRESS_BITS - BLOCK_LEAF_BITS))
#define BLOCK_LEAF_SIZE ((size_t)1 << (BLOCK_LEAF_BITS - BLOCK_GRANULE_BITS))

/*
 * Roots, as addresses: of arrays that hold for each leaf the address that the
 * entry of address 0 would have if the leaf went that far down, so that no
 * mask is needed to find an entry. 0 = there is none.
 */
extern uintptr_t at_narrow;
#define NARROW_SLACK_BITS 7
#define NARROW_SLACK_MAX ((1u << NARROW_SLACK_BITS) - 1)

#define BLOCK_MAPS 4
extern uintptr_t at_wide[BLOCK_MAPS]; /* made when they are needed */
extern uintptr_t at_odd_mask; /* address bits that choose the map; constant */
#define WIDE_SIZE_BITS 39
#define WIDE_SIZE_MAX (((uint64_t)1 << WIDE_SIZE_BITS) - 1)

/* Where the root says which leaf covers the address. */
static inline uintptr_t *block_leaf(uintptr_t root, uintptr_t address)
{
    return (uintptr_t *)root +
           ((address & (uintptr_t)BLOCK_ADDRESS_MASK) >> BLOCK_LEAF_BITS);
}

/* The leaf for the address; 0: there is none. */
static inline uintptr_t narrow_leaf(uintptr_t address)
{
    return __atomic_load_n(block_leaf(at_narrow, address), __ATOMIC_ACQUIRE);
}

static inline uint32_t *narrow_slot(uintptr_t leaf, uintptr_t address)
{
    return (uint32_t *)leaf + (address >> BLOCK_GRANULE_BITS);
}

/* Size of a block plus its slack, as glibc noted it. Two words at most may
 * be read as one: the lower bits are flags. */
static inline size_t block_extent(const void *block)
{
    typedef size_t __attribute__((may_alias)) word;

    return ((const word *)block)[-1] & ~(size_t)7;
}

static inline uint32_t narrow_entry(const struct account *account,
                                    size_t slack)
{
    return account_offset(account) * 2 + (uint32_t)slack;
}

static inline size_t narrow_slack(uint32_t entry)
{
    return entry & NARROW_SLACK_MAX;
}

static inline struct account *narrow_account(uint32_t entry)
{
    return account_at((entry & ~NARROW_SLACK_MAX) / 2);
}

/* The block's entry, or NULL if there never was a block near. */
static inline uint64_t *wide_slot(uintptr_t address)
{
    const uintptr_t root =
        __atomic_load_n(&at_wide[(address & at_odd_mask) >> 3], __ATOMIC_ACQUIRE);
    uintptr_t leaf;

    if (unlikely(!root))
        return NULL;
    leaf = __atomic_load_n(block_leaf(root, address), __ATOMIC_ACQUIRE);
    if (unlikely(!leaf))
        return NULL;
    address &= (uintptr_t)BLOCK_ADDRESS_MASK;
    return (uint64_t *)leaf + (address >> BLOCK_GRANULE_BITS);
}

static inline uint64_t wide_entry(const struct account *account, uint64_t size)
{
    return (uint64_t)(account_offset(account) / sizeof *account)
               << WIDE_SIZE_BITS | size;
}

static inline struct account *wide_account(uint64_t entry)
{
    return account_at((uint32_t)(entry >> WIDE_SIZE_BITS) *
                      (uint32_t)sizeof(struct account));
}

/* Does the size fit an entry? */
static inline bool wide_holds(uint64_t size)
{
    return size <= WIDE_SIZE_MAX;
}

static inline uint64_t wide_size(uint64_t entry)
{
    return entry & WIDE_SIZE_MAX;
}

#endif
