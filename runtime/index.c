/* SPDX-License-Identifier: MIT */
/*
 * struct index: hash => id of an element that its owner keeps. Under lock.
 *
 * A slot has 32 bits of the hash beside the id: what is not meant is told
 * apart, and a table that was outgrown copied, without a look at elements.
 * Those lie anywhere; of a million, each look waited for memory, and it was
 * they, not the table, that made a path dearer the more paths there were.
 * Half of a slot is for that, so tables are filled to three quarters.
 */
#include "runtime.h"

#define FIRST_SLOTS 64

static uint32_t mixed(uint64_t hash)
{
    return (uint32_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

uint32_t index_find(const struct index *index, uint64_t hash,
                    index_match *match, const void *key)
{
    const uint32_t wanted = mixed(hash);

    if (!index->slots)
        return 0;
    for (uint32_t i = wanted & index->mask; index->slots[i].id;
         i = (i + 1) & index->mask)
        if (index->slots[i].hash == wanted && match(index->slots[i].id, key))
            return index->slots[i].id;
    return 0;
}

static void put(struct index *index, struct index_slot slot)
{
    uint32_t i = slot.hash & index->mask;

    while (index->slots[i].id)
        i = (i + 1) & index->mask;
    index->slots[i] = slot;
}

static uint32_t next_size(const struct index *index)
{
    return index->slots ? 2 * (index->mask + 1) : FIRST_SLOTS;
}

static bool grow(struct index *index)
{
    const struct index old = *index;
    const uint32_t n = next_size(index);
    struct index_slot *const slots = arena_map(n * sizeof *slots);

    if (!slots)
        return false;
    budget_add((int64_t)(n * sizeof *slots));
    index->slots = slots;
    index->mask = n - 1;
    if (!old.slots)
        return true;
    for (size_t i = 0; i <= old.mask; i++)
        if (old.slots[i].id)
            put(index, old.slots[i]);
    arena_unmap(old.slots, ((size_t)old.mask + 1) * sizeof *old.slots);
    budget_add(-(int64_t)(((size_t)old.mask + 1) * sizeof *old.slots));
    return true;
}

static bool is_full(const struct index *index)
{
    return !index->slots || index->n > index->mask / 4 * 3;
}

size_t index_cost(const struct index *index)
{
    return is_full(index) ? next_size(index) * sizeof *index->slots : 0;
}

bool index_reserve(struct index *index)
{
    return !is_full(index) || grow(index);
}

bool index_add(struct index *index, uint64_t hash, uint32_t id)
{
    if (!index_reserve(index))
        return false;
    put(index, (struct index_slot){id, mixed(hash)});
    index->n++;
    return true;
}
