/* SPDX-License-Identifier: MIT */
/* The slow half of block.h: making leaves. Needs no lock. */
#include "block.h"

uint64_t **at_roots[BLOCK_MAPS];
uintptr_t at_odd_mask = BLOCK_ODD_OTHERS;

/* Puts `made` where NULL was; if another thread was first, takes its. */
static void *publish(void **where, void *made, size_t size)
{
    void *there = NULL;

    /* Release: pairs with the acquire in block_slot. */
    if (__atomic_compare_exchange_n(where, &there, made, false,
                                    __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
        return made;
    if (made)
        arena_unmap(made, size);
    return there;
}

static void *get(void **where, size_t size)
{
    void *const there = __atomic_load_n(where, __ATOMIC_ACQUIRE);

    return there ? there : publish(where, arena_map(size), size);
}

uint64_t *block_slot_create(uintptr_t address)
{
    uint64_t **const root =
        get((void **)block_map(address), BLOCK_ROOT_SIZE * sizeof *root);
    uint64_t *leaf;

    if (!root)
        return NULL;
    leaf = get((void **)&root[block_leaf(address)],
               BLOCK_LEAF_SIZE * sizeof *leaf);
    return leaf ? &leaf[block_granule(address)] : NULL;
}

bool block_init(void)
{
    if (real_is_glibc())
        at_odd_mask = BLOCK_ODD_GLIBC;
    return get((void **)&at_roots[0], BLOCK_ROOT_SIZE * sizeof(uint64_t *)) !=
           NULL;
}
