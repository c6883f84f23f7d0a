/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table behind site.cc's strings and records. Things are never removed.
 * Positions depend on the order of insertion only, so output is reproducible.
 */
#include "gcc.h"

#include "intern.h"

struct intern_slot {
    hashval_t hash;
    unsigned position; /* + 1; 0 = free */
};

/* The slot of HASH where EQUAL holds, or the free one where it belongs. */
static struct intern_slot *slot_find(const struct intern *table,
                                     hashval_t hash, intern_equal equal,
                                     const void *key)
{
    unsigned i = hash & (table->n_slots - 1);

    for (;; i = (i + 1) & (table->n_slots - 1)) {
        struct intern_slot *slot = &table->slots[i];

        if (slot->position == 0)
            return slot;
        if (slot->hash == hash && key && equal(slot->position - 1, key))
            return slot;
    }
}

/* Keep the table at most half full. */
static void table_grow(struct intern *table)
{
    const struct intern old = *table;

    if (2 * (old.n_used + 1) <= old.n_slots)
        return;
    table->n_slots = old.n_slots ? 2 * old.n_slots : 256;
    table->slots = XCNEWVEC(struct intern_slot, table->n_slots);
    for (unsigned i = 0; i < old.n_slots; i++)
        if (old.slots[i].position != 0)
            *slot_find(table, old.slots[i].hash, NULL, NULL) = old.slots[i];
    free(old.slots);
}

unsigned at_intern(struct intern *table, hashval_t hash, intern_equal equal,
                   const void *key, unsigned next)
{
    struct intern_slot *slot;

    table_grow(table);
    slot = slot_find(table, hash, equal, key);
    if (slot->position == 0) {
        slot->hash = hash;
        slot->position = next + 1;
        table->n_used++;
    }
    return slot->position - 1;
}
