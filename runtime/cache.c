/* SPDX-License-Identifier: MIT */
/*
 * struct cache: path hash => account, for paths that have no account of their
 * own: with a limit of frames those that are longer; without, those whose
 * recursion was folded or that were cut. It forgets, so that its memory is bounded whatever the program does,
 * and what it forgot is found again by a walk (recover.c).
 *
 * Two tables. What is added goes into the young one; when that is half full it
 * becomes the old one, and what is then found there is added to the new young
 * one: so paths in use stay. Tables double up to LAST_LOG2; from then on the
 * two take turns.
 *
 * Its user holds the recursion guard: a signal handler cannot come between.
 */
#include "runtime.h"

#define FIRST_LOG2 9
#define LAST_LOG2 14 /* 8192 paths, 256 KiB; twice */

/* Where a key is looked for first. */
static uint64_t home(const struct cache_table *table, uint64_t key)
{
    return key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - table->log2);
}

static struct account *find(const struct cache_table *table, uint64_t key)
{
    const uint64_t mask = ((uint64_t)1 << table->log2) - 1;

    if (!table->slots)
        return NULL;
    for (uint64_t i = home(table, key); table->slots[i].key; i = (i + 1) & mask)
        if (table->slots[i].key == key)
            return table->slots[i].account;
    return NULL;
}

static void put(struct cache_table *table, uint64_t key,
                struct account *account)
{
    const uint64_t mask = ((uint64_t)1 << table->log2) - 1;
    uint64_t i = home(table, key);

    while (table->slots[i].key)
        i = (i + 1) & mask;
    table->slots[i].account = account;
    table->slots[i].key = key;
    table->n_used++;
}

static size_t bytes_of(unsigned log2)
{
    return sizeof(struct slot) << log2;
}

/* Memory for a table; the first one is had in any case. */
static struct slot *create(unsigned log2)
{
    struct slot *slots;

    if (log2 > FIRST_LOG2 && !budget_has(BUDGET_ACCOUNTS, bytes_of(log2)))
        return NULL;
    slots = arena_map(bytes_of(log2));
    if (slots)
        budget_add((int64_t)bytes_of(log2));
    return slots;
}

/* The size of the table after this one. */
static unsigned next_log2(const struct cache_table *table)
{
    if (!table->slots)
        return FIRST_LOG2;
    return table->log2 < LAST_LOG2 ? table->log2 + 1 : LAST_LOG2;
}

/* An empty table: a larger one, or else the old one again. */
static struct cache_table renew(const struct cache *cache)
{
    const struct cache_table old = cache->old;
    struct cache_table next = {.log2 = next_log2(&cache->young)};

    if (old.slots)
        arena_discard(old.slots, bytes_of(old.log2));
    if (old.slots && old.log2 >= next.log2)
        return (struct cache_table){old.slots, old.log2, 0};
    next.slots = create(next.log2);
    if (next.slots && old.slots)
        budget_add(-(int64_t)bytes_of(old.log2));
    if (!next.slots && old.slots)
        return (struct cache_table){old.slots, old.log2, 0};
    if (!next.slots) {
        next.log2 = FIRST_LOG2;
        next.slots = create(FIRST_LOG2);
    }
    return next;
}

/* Makes an empty table the young one. False: there is no memory. */
static bool turn(struct cache *cache)
{
    const struct cache_table next = renew(cache);

    if (!next.slots)
        return false;
    cache->old = cache->young;
    cache->young = next;
    return true;
}

static void clear(struct cache_table *table)
{
    if (table->slots && table->n_used > 0)
        arena_discard(table->slots, bytes_of(table->log2));
    table->n_used = 0;
}

void cache_clear(struct cache *cache)
{
    clear(&cache->young);
    clear(&cache->old);
}

void cache_add(struct cache *cache, uint64_t key, struct account *account)
{
    const struct cache_table *const young = &cache->young;

    if ((!young->slots || young->n_used >= (1u << young->log2) / 2) &&
        !turn(cache))
        return;
    put(&cache->young, key, account);
}

struct account *cache_find(struct cache *cache, uint64_t key)
{
    struct account *account = find(&cache->young, key);

    if (account)
        return account;
    account = find(&cache->old, key);
    if (account)
        cache_add(cache, key, account);
    return account;
}
