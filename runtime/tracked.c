/* SPDX-License-Identifier: MIT */
/*
 * The blocks of domains other than 0: (domain, address) => account, size.
 *
 * They come from allocators that place blocks as they like, so that the block
 * map (block.h), which relies on their distance, is not for them: this is a
 * hash table of addresses in shards, each with a lock of its own. One address
 * may be in several domains; its entries then lie in one probe sequence. Cost
 * of an operation: an uncontended exchange and about one cache miss.
 *
 * Locks. A shard's lock is the innermost: at_lock is never taken under it, and
 * its holder holds the recursion guard. So whoever enters here must not be
 * inside the runtime already, or a signal handler would wait for the thread it
 * interrupted; the entries see to that.
 */
#include "event.h"

#define N_SHARDS 64
#define FIRST_SIZE 256

struct entry {
    struct account *account; /* NULL = free; its domain is the entry's */
    uintptr_t address;
    uint64_t size;
};

/* Open addressing, at most half full, no tombstones. */
static struct shard {
    struct entry *entries; /* mask + 1 of them; NULL at first */
    size_t mask;
    size_t n; /* entries in use */
    uint32_t lock;
} at_cache_aligned shards[N_SHARDS];

static uint64_t hash_of(uintptr_t address)
{
    return (uint64_t)address * UINT64_C(0x9e3779b97f4a7c15);
}

static struct shard *shard_of(uintptr_t address)
{
    return &shards[hash_of(address) >> 58];
}

static size_t home(const struct shard *shard, uintptr_t address)
{
    return (size_t)(hash_of(address) >> 26) & shard->mask;
}

static void take_lock(struct shard *shard)
{
    __alloctrace_thread.busy++;
    /* Acquire: pairs with the release in release_lock. */
    while (__atomic_exchange_n(&shard->lock, 1, __ATOMIC_ACQUIRE))
        os_yield();
}

static void release_lock(struct shard *shard)
{
    __atomic_store_n(&shard->lock, 0, __ATOMIC_RELEASE);
    __alloctrace_thread.busy--;
}

static void put(struct shard *shard, struct entry entry)
{
    size_t i = home(shard, entry.address);

    while (shard->entries[i].account)
        i = (i + 1) & shard->mask;
    shard->entries[i] = entry;
}

static bool grow(struct shard *shard)
{
    const struct shard old = *shard;
    const size_t n_old = old.entries ? old.mask + 1 : 0;
    const size_t n = n_old ? 2 * n_old : FIRST_SIZE;
    struct entry *const entries = arena_map(n * sizeof *entries);

    if (!entries)
        return false;
    shard->entries = entries;
    shard->mask = n - 1;
    for (size_t i = 0; i < n_old; i++)
        if (old.entries[i].account)
            put(shard, old.entries[i]);
    if (n_old)
        arena_unmap(old.entries, n_old * sizeof *old.entries);
    return true;
}

/* The block's entry, or NULL. */
static struct entry *find(const struct shard *shard, uint32_t domain,
                          uintptr_t address)
{
    if (!shard->entries)
        return NULL;
    for (size_t i = home(shard, address); shard->entries[i].account;
         i = (i + 1) & shard->mask)
        if (shard->entries[i].address == address &&
            account_domain(shard->entries[i].account) == domain)
            return &shard->entries[i];
    return NULL;
}

/* Frees entry i, and moves later ones up that would not be found any more. */
static void erase(struct shard *shard, size_t i)
{
    size_t k = i;

    for (;;) {
        size_t distance;

        k = (k + 1) & shard->mask;
        if (!shard->entries[k].account)
            break;
        distance = (k - home(shard, shard->entries[k].address)) & shard->mask;
        if (distance >= ((k - i) & shard->mask)) {
            shard->entries[i] = shard->entries[k];
            i = k;
        }
    }
    shard->entries[i].account = NULL;
    shard->n--;
}

/* Enters the block; gives what it took the place of. False: no memory. */
static bool enter(struct shard *shard, struct entry entry, struct taken *before)
{
    struct entry *const old =
        find(shard, account_domain(entry.account), entry.address);

    if (old) {
        *before = (struct taken){old->account, old->size};
        *old = entry;
        return true;
    }
    if ((!shard->entries || shard->n > shard->mask / 2) && !grow(shard))
        return false;
    put(shard, entry);
    shard->n++;
    return true;
}

bool tracked_put_back(struct account *account, uintptr_t address, size_t size)
{
    const uint32_t number = generation_number();
    struct shard *const shard = shard_of(address);
    struct taken before = {NULL, 0};
    bool is_entered;

    take_lock(shard);
    is_entered = enter(shard, (struct entry){account, address, size}, &before);
    release_lock(shard);
    if (before.account)
        event_subtract(before.account, before.size, number);
    return is_entered;
}

bool tracked_add(struct account *account, uintptr_t address, size_t size)
{
    /* What was there is subtracted first: the peak never counts both. */
    if (!tracked_put_back(account, address, size)) {
        event_drop(size);
        return false;
    }
    event_count(event_owner(account), account, NULL, size);
    return true;
}

struct taken tracked_remove(uint32_t domain, uintptr_t address)
{
    const uint32_t number = generation_number();
    struct shard *const shard = shard_of(address);
    struct taken taken = {NULL, 0};
    struct entry *entry;

    take_lock(shard);
    entry = find(shard, domain, address);
    if (entry) {
        taken = (struct taken){entry->account, entry->size};
        erase(shard, (size_t)(entry - shard->entries));
    }
    release_lock(shard);
    if (taken.account)
        taken.account = event_subtract(taken.account, taken.size, number);
    return taken;
}

/* Of the current generation? Others are as if they were not there. */
static bool is_known(const struct entry *entry)
{
    return account_chunk(entry->account)->generation == generation_number();
}

const struct account *tracked_get(uint32_t domain, uintptr_t address)
{
    struct shard *const shard = shard_of(address);
    const struct account *account;
    const struct entry *entry;

    take_lock(shard);
    entry = find(shard, domain, address);
    account = entry && is_known(entry) ? entry->account : NULL;
    release_lock(shard);
    return account;
}

struct taken tracked_find(uintptr_t address)
{
    struct shard *const shard = shard_of(address);
    struct taken taken = {NULL, 0};

    take_lock(shard);
    for (size_t i = home(shard, address);
         shard->entries && shard->entries[i].account;
         i = (i + 1) & shard->mask) {
        const struct entry *const entry = &shard->entries[i];

        if (entry->address == address && is_known(entry) &&
            account_domain(entry->account) >= NAMED_DOMAINS &&
            (!taken.account || entry->size < taken.size))
            taken = (struct taken){entry->account, entry->size};
    }
    release_lock(shard);
    return taken;
}

/* Entries that move while one is erased move up, to where they are met next,
 * or over the end of the table, where they were met first. */
static void sweep(struct shard *shard, const uint64_t *gone)
{
    size_t i = 0;

    while (shard->entries && i <= shard->mask) {
        const struct account *const account = shard->entries[i].account;
        const uint32_t chunk =
            account ? account_chunk_number(account_chunk(account)) : 0;

        if (account && gone[chunk / 64] >> chunk % 64 & 1)
            erase(shard, i);
        else
            i++;
    }
}

void tracked_sweep(const uint64_t *gone)
{
    for (unsigned i = 0; i < N_SHARDS; i++) {
        take_lock(&shards[i]);
        sweep(&shards[i], gone);
        release_lock(&shards[i]);
    }
}

void tracked_lock_all(void)
{
    for (unsigned i = 0; i < N_SHARDS; i++)
        take_lock(&shards[i]);
}

void tracked_unlock_all(void)
{
    for (unsigned i = 0; i < N_SHARDS; i++)
        release_lock(&shards[i]);
}
