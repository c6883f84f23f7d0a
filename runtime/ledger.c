/* SPDX-License-Identifier: MIT */
/*
 * Ledgers: each thread's accounts, found by path hash. Table slots and
 * accounts are written by the owning thread only; which that is says tenant.c.
 *
 * Invariant: a table always has free slots; slots of a table that was
 * outgrown read as free from then on, so that a signal handler that
 * interrupted a look-up and made the table grow does no harm.
 */
#include <string.h>

#include "block.h"
#include "runtime.h"

/*
 * A path that is not where it is looked for first costs as much as the rest
 * of the event, so small tables are kept nearly empty. In large ones memory
 * counts more: at a quarter full they have 16 bytes for an account of 80.
 */
#define FIRST_TABLE_SIZE 4096
#define LARGE_TABLE_SIZE 32768

uint32_t at_no_slots[1];

const struct ledger at_new_ledger = {
    .slots = at_no_slots,
    .table = at_no_slots,
    .multiplier = ALLOCTRACE_HASH_K,
};

struct ledger at_stopped_ledger = {
    .slots = at_no_slots,
    .table = at_no_slots,
    .multiplier = ALLOCTRACE_HASH_K,
    .range = UINT64_MAX, /* it is of no generation, and has no peak */
};

struct ledger at_paused_ledger = {
    .slots = at_no_slots,
    .table = at_no_slots,
    .multiplier = ALLOCTRACE_HASH_K,
    .range = UINT64_MAX,
};

/* Blocks that a new ledger has looked at by event.c's slow half. */
#define N_SETTLING 256

static void put(uint32_t *table, uint32_t mask, uint32_t offset)
{
    uint32_t i = slot_home(account_at(offset)->key, mask);

    while (table[i])
        i = (i + 1) & mask;
    table[i] = offset;
}

static void use_table(struct ledger *ledger, uint32_t *table, uint32_t mask)
{
    ledger->table = table;
    ledger->table_mask = mask;
    if (at_options.verify)
        return; /* the hot path finds nothing and asks us */
    ledger->slots = table;
    ledger->mask = mask;
}

static bool has_room(const struct ledger *ledger)
{
    const uint32_t size = ledger->table_mask + 1;

    return ledger->table != at_no_slots &&
           ledger->table_used < size / (size < LARGE_TABLE_SIZE ? 16 : 4);
}

/* The ledger's table of that size, empty. NULL: no memory. Each size is mapped
 * once and kept, whatever becomes of the ledger. */
static uint32_t *get_table(struct ledger *ledger, size_t n)
{
    const int number = __builtin_ctzl(n / FIRST_TABLE_SIZE);

    if (number >= LEDGER_TABLES ||
        !budget_has(BUDGET_ACCOUNTS, n * sizeof(uint32_t)))
        return NULL;
    if (!ledger->tables[number])
        ledger->tables[number] = arena_map(n * sizeof(uint32_t));
    return ledger->tables[number];
}

static bool grow_table(struct ledger *ledger)
{
    uint32_t *const old = ledger->table;
    const size_t n = (size_t)ledger->table_mask + 1;
    const size_t n_new = old == at_no_slots ? FIRST_TABLE_SIZE : 2 * n;
    uint32_t *const table = get_table(ledger, n_new);

    if (!table)
        return false;
    budget_add((int64_t)(n_new * sizeof *table));
    for (size_t i = 0; i < n; i++)
        if (old[i])
            put(table, (uint32_t)n_new - 1, old[i]);
    use_table(ledger, table, (uint32_t)n_new - 1);
    if (old != at_no_slots) {
        arena_discard(old, n * sizeof *old);
        budget_add(-(int64_t)(n * sizeof *old));
    }
    return true;
}

static struct ledger *create(bool is_sum)
{
    struct ledger *const ledger = arena_alloc_aligned(512);

    _Static_assert(sizeof *ledger <= 512, "a ledger fits its alignment");
    if (!ledger)
        return NULL;
    *ledger = at_new_ledger;
    ledger->id = at_ledgers.n + 1;
    ledger->is_sum = is_sum;
    return vector_add(&at_ledgers, &ledger) ? ledger : NULL;
}

/* One that has not begun. NULL: no memory. */
static struct ledger *get_empty(bool is_sum)
{
    for (uint32_t id = 1; id <= at_ledgers.n; id++)
        if (!ledger_at(id)->generation) {
            ledger_at(id)->is_sum = is_sum;
            return ledger_at(id);
        }
    return create(is_sum);
}

struct ledger *ledger_create(bool is_sum)
{
    struct generation *const generation = at_generation;
    struct ledger *const ledger = get_empty(is_sum);

    if (!ledger)
        return NULL;
    count_set(&ledger->is_free, 0);
    ledger->n_settling = N_SETTLING;
    if (at_options.frames == 1)
        ledger->multiplier = 0; /* the site alone is the key */
    /* Release: who sees that it counts sees it empty. */
    __atomic_store_n(&ledger->generation, generation, __ATOMIC_RELEASE);
    generation->n_ledgers++;
    if (is_sum)
        return ledger;
    count_set(&generation->n_tenants, generation->n_tenants + 1);
    if (generation->n_tenants > 1)
        peak_share();
    return ledger;
}

void ledger_unsettle(struct ledger *ledger)
{
    ledger->n_settling = N_SETTLING;
    count_set(&ledger->max_slack, 0);
}

void ledger_settled(struct ledger *ledger)
{
    if (real_has_hidden_frees() || at_options.detail ||
        count_get(&ledger->n_scopes)) /* each block counts for a scope */
        return;
    lock_take();
    if (generation_has(ledger)) /* or it was retired just now */
        count_set(&ledger->max_slack, NARROW_SLACK_MAX);
    lock_release();
}

void ledger_end_scopes(struct ledger *ledger)
{
    if (!ledger->n_scopes)
        return;
    ledger->n_scopes = 0;
    ledger_unsettle(ledger);
}

void ledger_recycle(struct ledger *ledger)
{
    const struct ledger old = *ledger;
    struct account_chunk *next;

    for (struct account_chunk *chunk = old.chunks; chunk; chunk = next) {
        next = chunk->next;
        account_chunk_release(chunk);
        budget_add(-ACCOUNT_CHUNK_SIZE);
    }
    if (old.table != at_no_slots) {
        const size_t size = ((size_t)old.table_mask + 1) * sizeof *old.table;

        arena_discard(old.table, size);
        budget_add(-(int64_t)size);
    }
    *ledger = at_new_ledger;
    ledger->cache = old.cache;
    cache_clear(&ledger->cache);
    ledger->id = old.id;
    memcpy(ledger->tables, old.tables, sizeof old.tables);
    ledger->scopes = old.scopes;
    ledger->max_scopes = old.max_scopes;
    count_set(&ledger->is_free, 1);
}

struct account *ledger_find(const struct ledger *ledger, uint64_t key)
{
    uint32_t i = slot_home(key, ledger->table_mask);

    while (ledger->table[i]) {
        struct account *const account = account_at(ledger->table[i]);

        if (account->key == key)
            return account;
        i = (i + 1) & ledger->table_mask;
    }
    return NULL;
}

/* The chunk that has room for one more account. */
static struct account_chunk *get_chunk(struct ledger *ledger)
{
    struct account_chunk *chunk = ledger->chunks;

    if (chunk && chunk->n_used < ACCOUNTS_PER_CHUNK)
        return chunk;
    chunk = budget_has(BUDGET_ACCOUNTS, ACCOUNT_CHUNK_SIZE)
                ? account_chunk_add()
                : NULL;
    if (!chunk)
        return NULL;
    /* Before anything else: who holds an account of its last use must see
     * that it is another now. */
    __atomic_store_n(&chunk->generation, ledger->generation->number,
                     __ATOMIC_RELEASE);
    budget_add(ACCOUNT_CHUNK_SIZE);
    chunk->ledger = ledger;
    chunk->next = ledger->chunks;
    /* Release: a dump that finds the chunk sees whose it is. */
    __atomic_store_n(&ledger->chunks, chunk, __ATOMIC_RELEASE);
    return chunk;
}

struct account *ledger_add(struct ledger *ledger, struct account_facts facts)
{
    struct account_chunk *chunk;
    struct account *account;

    if (!has_room(ledger) && !grow_table(ledger))
        return NULL;
    chunk = get_chunk(ledger);
    if (!chunk)
        return NULL;
    account = &chunk->accounts[chunk->n_used];
    account->key = facts.key;
    account_facts_set(&chunk->facts[chunk->n_used], facts);
    /* Release: a dump that counts the account sees what it is. */
    __atomic_store_n(&chunk->n_used, chunk->n_used + 1, __ATOMIC_RELEASE);
    put(ledger->table, ledger->table_mask, account_offset(account));
    ledger->table_used++;
    return account;
}

void ledger_remember(struct ledger *ledger, uint64_t key,
                     struct account *account)
{
    cache_add(&ledger->cache, key, account);
}

struct account *ledger_recall(struct ledger *ledger, uint64_t key)
{
    return cache_find(&ledger->cache, key);
}

int64_t ledger_live_sum(void)
{
    const uint32_t n = __atomic_load_n(&at_ledgers.n, __ATOMIC_ACQUIRE);
    int64_t live = 0;

    for (uint32_t id = 1; id <= n; id++)
        if (generation_has(ledger_at(id)))
            live += peak_live(ledger_at(id));
    return live;
}

uint64_t ledger_total_sum(void)
{
    const uint32_t n = __atomic_load_n(&at_ledgers.n, __ATOMIC_ACQUIRE);
    uint64_t total = 0;

    for (uint32_t id = 1; id <= n; id++) {
        const struct account_chunk *chunk =
            __atomic_load_n(&ledger_at(id)->chunks, __ATOMIC_ACQUIRE);

        if (!generation_has(ledger_at(id)))
            continue;
        for (; chunk; chunk = chunk->next)
            for (uint32_t i = 0; i < count_get(&chunk->n_used); i++)
                total += count_get(&chunk->accounts[i].total_bytes);
    }
    return total;
}
