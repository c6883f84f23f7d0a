/* SPDX-License-Identifier: MIT */
/*
 * The blocks of domains other than 0: (domain, address) => account, size.
 *
 * They come from allocators that place blocks as they like, so that the block
 * map (block.h), which relies on their distance, is not for them: this is a
 * hash table of addresses in shards, each with a lock of its own. One address
 * may be in several domains; its entries then lie in one probe sequence, so
 * that an address in n domains costs n steps. Cost of an operation: an
 * uncontended exchange and about one cache miss; of a block: 24 bytes at a load
 * of a quarter to a half, hence 48 to 96.
 *
 * Locks. A shard's lock is the innermost: at_lock is never taken under it, and
 * its holder holds the recursion guard. So whoever enters here must not be
 * inside the runtime already, or a signal handler would wait for the thread it
 * interrupted; the entries see to that.
 *
 * Dumps that list the blocks take no shard's lock: fork holds them all while
 * it waits for the allocator's locks, which the thread may hold on top of which
 * a signal handler writes a dump. They read a stretch and throw away what they
 * read if the shard changed meanwhile (version). Tables that were outgrown stay
 * mapped, empty, for who still reads them.
 */
#include "event.h"

#define SHARD_BITS 6
#define N_SHARDS (1 << SHARD_BITS)
#define FIRST_SIZE 256

struct entry {
    struct account *account; /* NULL = free; its domain is the entry's */
    uintptr_t address;
    uint64_t size; /* while sampling with the marks of sample.c */
};

/* Open addressing, at most half full, no tombstones. */
static struct shard {
    struct entry *entries; /* mask + 1 of them; NULL at first */
    size_t mask;
    size_t n; /* entries in use */
    uint32_t lock;
    uint32_t version; /* odd: it is being changed */
} at_cache_aligned shards[N_SHARDS];

static uint64_t hash_of(uintptr_t address)
{
    return (uint64_t)address * UINT64_C(0x9e3779b97f4a7c15);
}

static struct shard *shard_of(uintptr_t address)
{
    return &shards[hash_of(address) >> (64 - SHARD_BITS)];
}

/* The upper bits of what is left of the hash: as the table grows, entries stay
 * in the order of their hashes (but for those that had to give way), which is
 * how tracked_walk finds each once. */
static size_t home(size_t mask, uintptr_t address)
{
    return (size_t)((hash_of(address) << SHARD_BITS) >> __builtin_clzll(mask));
}

static void take_lock(struct shard *shard)
{
    __alloctrace_thread.busy++;
    lock_hold();
    /* Acquire: pairs with the release in release_lock. */
    while (__atomic_exchange_n(&shard->lock, 1, __ATOMIC_ACQUIRE))
        os_yield();
}

static void release_lock(struct shard *shard)
{
    __atomic_store_n(&shard->lock, 0, __ATOMIC_RELEASE);
    __alloctrace_thread.busy--;
    lock_unhold();
}

/* Around what changes entries, the table or its size. Acquire: none of it is
 * seen before the odd version. */
static void begin_change(struct shard *shard)
{
    __atomic_exchange_n(&shard->version, count_get(&shard->version) + 1,
                        __ATOMIC_ACQUIRE);
}

static void end_change(struct shard *shard)
{
    __atomic_store_n(&shard->version, count_get(&shard->version) + 1,
                     __ATOMIC_RELEASE);
}

static void set(struct entry *at, struct entry entry)
{
    count_set(&at->account, entry.account);
    count_set(&at->address, entry.address);
    count_set(&at->size, entry.size);
}

static void put(struct shard *shard, struct entry entry)
{
    size_t i = home(shard->mask, entry.address);

    while (shard->entries[i].account)
        i = (i + 1) & shard->mask;
    set(&shard->entries[i], entry);
}

static bool grow(struct shard *shard)
{
    struct entry *const old = shard->entries;
    const size_t n_old = old ? shard->mask + 1 : 0;
    const size_t n = n_old ? 2 * n_old : FIRST_SIZE;
    struct entry *const entries = arena_map(n * sizeof *entries);

    if (!entries)
        return false;
    count_set(&shard->entries, entries);
    count_set(&shard->mask, n - 1);
    for (size_t i = 0; i < n_old; i++)
        if (old[i].account)
            put(shard, old[i]);
    if (n_old)
        arena_discard(old, n_old * sizeof *old);
    return true;
}

/* The block's entry, or NULL. */
static struct entry *find(const struct shard *shard, uint32_t domain,
                          uintptr_t address)
{
    if (!shard->entries)
        return NULL;
    for (size_t i = home(shard->mask, address); shard->entries[i].account;
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

    if (at_options.sample)
        sample_forget(shard->entries[i].address);
    for (;;) {
        size_t distance;

        k = (k + 1) & shard->mask;
        if (!shard->entries[k].account)
            break;
        distance = (k - home(shard->mask, shard->entries[k].address)) &
                   shard->mask;
        if (distance >= ((k - i) & shard->mask)) {
            set(&shard->entries[i], shard->entries[k]);
            i = k;
        }
    }
    count_set(&shard->entries[i].account, NULL);
    shard->n--;
}

/* Enters the block; gives what it took the place of. False: no memory. */
static bool enter(struct shard *shard, struct entry entry, struct entry *before)
{
    struct entry *const old =
        find(shard, account_domain(entry.account), entry.address);

    if (old) {
        *before = *old;
        set(old, entry);
        return true;
    }
    if ((!shard->entries || shard->n > shard->mask / 2) && !grow(shard))
        return false;
    put(shard, entry);
    shard->n++;
    if (at_options.sample)
        sample_note(entry.address);
    return true;
}

/* What an entry's block is counted as: itself, or what the sample stands for.
 */
static struct sample_share share_of(uint64_t size)
{
    return at_options.sample ? sample_share(size, at_options.sample)
                             : (struct sample_share){1, size};
}

static struct taken taken_of(struct entry entry)
{
    return (struct taken){entry.account, (size_t)sample_size(entry.size),
                          NULL};
}

/* Enters a block; gives what it is to be counted as. What was there is
 * subtracted first: the peak never counts both. */
static bool replace(struct account *account, uintptr_t address, size_t size,
                    struct sample_share *share)
{
    struct shard *const shard = shard_of(address);
    struct entry entry = {account, address, size};
    struct entry before = {0};
    const uint32_t number = generation_number();
    bool is_entered;

    if (at_options.sample)
        entry.size = sample_mark(size, at_options.sample,
                                 sample_draw(&__alloctrace_thread));
    take_lock(shard);
    begin_change(shard);
    is_entered = enter(shard, entry, &before);
    end_change(shard);
    release_lock(shard);
    if (before.account)
        event_subtract_share(before.account, share_of(before.size), number);
    *share = share_of(entry.size);
    return is_entered;
}

bool tracked_put_back(struct account *account, uintptr_t address, size_t size)
{
    struct sample_share share = {0, 0};

    if (!event_unsubtract_share(account, share)) /* it was forgotten */
        return true;
    if (!replace(account, address, size, &share))
        return false;
    event_unsubtract_share(account, share);
    return true;
}

bool tracked_add(struct account *account, uintptr_t address, size_t size)
{
    struct sample_share share;

    /* replace may leave one ledger more. */
    account = event_settle(account, size);
    if (!account)
        return false;
    if (!replace(account, address, size, &share)) {
        event_drop(size);
        return false;
    }
    if (at_options.detail)
        detail_add(account, address, size);
    event_count_share(event_owner(account), account, NULL, share);
    scope_count(event_owner(account), share);
    return true;
}

struct taken tracked_remove(uint32_t domain, uintptr_t address)
{
    const uint32_t number = generation_number();
    struct shard *const shard = shard_of(address);
    struct entry gone = {0};
    struct entry *entry;

    take_lock(shard);
    entry = find(shard, domain, address);
    if (entry) {
        gone = *entry;
        begin_change(shard);
        erase(shard, (size_t)(entry - shard->entries));
        end_change(shard);
    }
    release_lock(shard);
    if (gone.account && at_options.detail)
        detail_remove(gone.account, address, (size_t)gone.size);
    if (gone.account)
        gone.account = event_subtract_share(gone.account, share_of(gone.size),
                                            number);
    return taken_of(gone);
}

/* Of the current generation? Others are as if they were not there. */
static bool is_known(const struct entry *entry)
{
    return account_chunk(entry->account)->generation == generation_number();
}

struct taken tracked_find_in(uint32_t domain, uintptr_t address)
{
    struct shard *const shard = shard_of(address);
    struct taken taken = {NULL, 0, NULL};
    const struct entry *entry;

    take_lock(shard);
    entry = find(shard, domain, address);
    if (entry && is_known(entry))
        taken = taken_of(*entry);
    release_lock(shard);
    return taken;
}

const struct account *tracked_get(uint32_t domain, uintptr_t address)
{
    return tracked_find_in(domain, address).account;
}

/* The smallest block at the address, in a domain from `first` on. */
static struct taken find_smallest(uintptr_t address, uint32_t first)
{
    struct shard *const shard = shard_of(address);
    struct taken taken = {NULL, 0, NULL};

    take_lock(shard);
    for (size_t i = shard->entries ? home(shard->mask, address) : 0;
         shard->entries && shard->entries[i].account;
         i = (i + 1) & shard->mask) {
        const struct entry *const entry = &shard->entries[i];

        if (entry->address == address && is_known(entry) &&
            account_domain(entry->account) >= first &&
            (!taken.account || sample_size(entry->size) < taken.size))
            taken = taken_of(*entry);
    }
    release_lock(shard);
    return taken;
}

struct taken tracked_find(uintptr_t address)
{
    return find_smallest(address, NAMED_DOMAINS);
}

struct taken tracked_find_any(uintptr_t address)
{
    return find_smallest(address, 0);
}

/* A table as a walk sees it. */
struct view {
    const struct entry *entries;
    size_t mask;
    uint32_t version;
};

static bool is_unchanged(struct shard *shard, uint32_t version)
{
    /* Release: after all that was read before; so it is an exchange. */
    return __atomic_fetch_add(&shard->version, 0, __ATOMIC_ACQ_REL) == version;
}

/* Waits until nobody changes the shard, which takes microseconds. */
static struct view look(struct shard *shard)
{
    struct view view;

    for (;; os_yield()) {
        view.version = __atomic_load_n(&shard->version, __ATOMIC_ACQUIRE);
        if (view.version % 2)
            continue;
        view.entries = count_get(&shard->entries);
        view.mask = count_get(&shard->mask);
        if (is_unchanged(shard, view.version))
            return view;
    }
}

/* Lists the entries that are at home in slot `home_slot`. A full list ends the
 * slot early: more blocks at addresses of one hash than fit are not told. */
static size_t list_slot(const struct view *view, size_t home_slot,
                        struct block *blocks, size_t n)
{
    size_t i = 0;

    for (size_t k = 0; i < n && k <= view->mask; k++) {
        const struct entry *const entry =
            &view->entries[(home_slot + k) & view->mask];

        blocks[i].account = count_get(&entry->account);
        if (!blocks[i].account)
            break;
        blocks[i].address = count_get(&entry->address);
        blocks[i].size = (size_t)sample_size(count_get(&entry->size));
        i += home(view->mask, blocks[i].address) == home_slot;
    }
    return i;
}

#define SLOTS_AT_ONCE 128 /* less than a microsecond */

/* Lists a stretch of slots from that of `hash` on; moves it on, to 0 at the
 * end of the shard. */
static size_t list_some(const struct view *view, uint64_t *hash,
                        struct block *blocks, size_t n)
{
    const unsigned shift = (unsigned)__builtin_clzll(view->mask);
    size_t slot = (size_t)(*hash >> shift);
    size_t i = 0;

    for (unsigned k = 0; k < SLOTS_AT_ONCE && i < n / 2; k++) {
        i += list_slot(view, slot, blocks + i, n - i);
        if (++slot > view->mask) {
            *hash = 0;
            return i;
        }
    }
    *hash = (uint64_t)slot << shift;
    return i;
}

size_t tracked_walk_next(struct tracked_walk *walk, struct block *blocks,
                         size_t n)
{
    size_t i = 0;

    while (i < n / 2 && walk->shard < N_SHARDS) {
        struct shard *const shard = &shards[walk->shard];
        const struct view view = look(shard);
        uint64_t hash = walk->hash;
        size_t n_listed = 0;

        if (view.entries)
            n_listed = list_some(&view, &hash, blocks + i, n - i);
        if (!is_unchanged(shard, view.version))
            continue;
        i += n_listed;
        walk->hash = view.entries ? hash : 0;
        walk->shard += walk->hash == 0;
    }
    return i;
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
        begin_change(&shards[i]);
        sweep(&shards[i], gone);
        end_change(&shards[i]);
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
