/* SPDX-License-Identifier: MIT */
/* struct index: hash => id of an element that its owner keeps. Under lock. */
#include "runtime.h"

#define FIRST_SLOTS 64

static uint32_t home(uint64_t hash, uint32_t mask)
{
    return (uint32_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;
}

uint32_t index_find(const struct index *index, uint64_t hash,
                    index_match *match, const void *key)
{
    if (!index->ids)
        return 0;
    for (uint32_t i = home(hash, index->mask); index->ids[i];
         i = (i + 1) & index->mask)
        if (match(index->ids[i], key))
            return index->ids[i];
    return 0;
}

static void put(struct index *index, uint64_t hash, uint32_t id)
{
    uint32_t i = home(hash, index->mask);

    while (index->ids[i])
        i = (i + 1) & index->mask;
    index->ids[i] = id;
}

static uint32_t next_size(const struct index *index)
{
    return index->ids ? 2 * (index->mask + 1) : FIRST_SLOTS;
}

static bool grow(struct index *index, index_hash *rehash)
{
    const struct index old = *index;
    const uint32_t n = next_size(index);
    uint32_t *const ids = arena_map(n * sizeof *ids);

    if (!ids)
        return false;
    budget_add((int64_t)(n * sizeof *ids));
    index->ids = ids;
    index->mask = n - 1;
    if (!old.ids)
        return true;
    for (uint32_t i = 0; i <= old.mask; i++)
        if (old.ids[i])
            put(index, rehash(old.ids[i]), old.ids[i]);
    arena_unmap(old.ids, (old.mask + 1) * sizeof *old.ids);
    budget_add(-(int64_t)((old.mask + 1) * sizeof *old.ids));
    return true;
}

static bool is_full(const struct index *index)
{
    return !index->ids || index->n > index->mask / 2;
}

size_t index_cost(const struct index *index)
{
    return is_full(index) ? next_size(index) * sizeof *index->ids : 0;
}

bool index_reserve(struct index *index, index_hash *rehash)
{
    return !is_full(index) || grow(index, rehash);
}

bool index_add(struct index *index, uint64_t hash, uint32_t id,
               index_hash *rehash)
{
    if (!index_reserve(index, rehash))
        return false;
    put(index, hash, id);
    index->n++;
    return true;
}
