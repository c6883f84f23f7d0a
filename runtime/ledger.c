/* SPDX-License-Identifier: MIT */
/*
 * Ledgers: each thread's accounts, found by path hash. Table slots and
 * accounts are written by the owning thread only. A thread that ends leaves
 * its ledger, with all it counted, to a thread that starts later: memory
 * grows with the threads alive at once, not with those ever started.
 *
 * Invariant: a table is at most half full; slots of a table that was
 * outgrown read as free from then on, so that a signal handler that
 * interrupted a look-up and made the table grow does no harm.
 */
#include <pthread.h>

#include "block.h"
#include "runtime.h"

#define FIRST_TABLE_LOG2 9

static pthread_key_t thread_end; /* its destructor releases the ledger */
static bool has_thread_end;

static void on_thread_end(void *ledger)
{
    (void)ledger;
    lock_take();
    ledger_release(&__alloctrace_thread);
    lock_release();
}

void ledger_init(void)
{
    has_thread_end = pthread_key_create(&thread_end, on_thread_end) == 0;
}

static void put(struct slot *table, uint32_t shift, uint32_t mask,
                struct slot slot)
{
    uint64_t i = slot_home(slot.key, shift);

    while (table[i].key)
        i = (i + 1) & mask;
    table[i].account = slot.account;
    table[i].key = slot.key;
}

static void use_table(struct ledger *ledger, struct slot *table, unsigned log2)
{
    ledger->table = table;
    ledger->table_shift = 64 - log2;
    ledger->table_mask = (1u << log2) - 1;
    if (at_options.verify)
        return; /* the hot path finds nothing and asks us */
    ledger->slots = table;
    ledger->shift = ledger->table_shift;
    ledger->mask = ledger->table_mask;
}

static bool grow_table(struct ledger *ledger)
{
    const size_t n = (size_t)ledger->table_mask + 1;
    struct slot *const old = ledger->table;
    const unsigned log2 =
        old == at_no_slots ? FIRST_TABLE_LOG2 : 65 - ledger->table_shift;
    struct slot *const table = arena_map(((size_t)1 << log2) * sizeof *table);

    if (!table)
        return false;
    for (size_t i = 0; i < n; i++)
        if (old[i].key)
            put(table, 64 - log2, (1u << log2) - 1, old[i]);
    use_table(ledger, table, log2);
    if (old != at_no_slots)
        arena_discard(old, n * sizeof *old);
    return true;
}

static struct ledger *create(void)
{
    struct ledger *const ledger = arena_alloc_aligned(256);

    _Static_assert(sizeof *ledger <= 256, "a ledger fits its alignment");
    if (!ledger)
        return NULL;
    *ledger = at_no_ledger;
    ledger->id = at_ledgers.n + 1;
    ledger->slow_size = real_has_hidden_frees() ? 0 : BLOCK_SIZE_MASK;
    ledger->tid = os_tid();
    if (!vector_add(&at_ledgers, &ledger))
        return NULL;
    if (ledger->id > 1)
        peak_share();
    return ledger;
}

static struct ledger *reuse(void)
{
    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        struct ledger *const ledger = ledger_at(id);

        if (ledger->is_free) {
            ledger->is_free = 0;
            ledger->tid = 0;
            return ledger;
        }
    }
    return NULL;
}

struct ledger *ledger_acquire(struct thread *thread)
{
    struct ledger *ledger = reuse();

    if (!ledger)
        ledger = create();
    if (!ledger)
        return NULL;
    thread->ledger = ledger;
    if (has_thread_end)
        pthread_setspecific(thread_end, ledger);
    return ledger;
}

void ledger_release(struct thread *thread)
{
    struct ledger *const ledger = thread->ledger;
    char name[32];

    if (ledger == &at_no_ledger)
        return;
    os_thread_name(os_tid(), name, sizeof name);
    ledger->name = string_intern(name);
    peak_leave(ledger);
    thread->ledger = &at_no_ledger;
    ledger->is_free = 1;
}

void ledger_orphan_others(const struct ledger *mine)
{
    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        struct ledger *const ledger = ledger_at(id);

        if (ledger != mine)
            ledger->is_free = 1;
    }
}

struct account *ledger_find(const struct ledger *ledger, uint64_t key)
{
    uint64_t i = slot_home(key, ledger->table_shift);

    while (ledger->table[i].key) {
        if (ledger->table[i].key == key)
            return ledger->table[i].account;
        i = (i + 1) & ledger->table_mask;
    }
    return NULL;
}

static struct account *next_account(struct ledger *ledger, uint64_t key)
{
    struct account_chunk *chunk = ledger->chunks;

    if (!chunk || chunk->n_used == ACCOUNTS_PER_CHUNK) {
        chunk = arena_alloc_aligned(ACCOUNT_CHUNK_SIZE);
        if (!chunk)
            return NULL;
        chunk->ledger = ledger;
        chunk->next = ledger->chunks;
        /* Release: a dump that finds the chunk sees whose it is. */
        __atomic_store_n(&ledger->chunks, chunk, __ATOMIC_RELEASE);
    }
    chunk->keys[chunk->n_used] = key;
    return &chunk->accounts[chunk->n_used];
}

struct account *ledger_add(struct ledger *ledger, uint64_t key,
                           uint32_t traceback_id)
{
    struct account *account;

    if ((ledger->table == at_no_slots ||
         ledger->table_used >= (ledger->table_mask + 1) / 2) &&
        !grow_table(ledger))
        return NULL;
    account = next_account(ledger, key);
    if (!account)
        return NULL;
    account->traceback_id = traceback_id;
    /* Release: a dump that counts the account sees what it is. */
    __atomic_store_n(&ledger->chunks->n_used, ledger->chunks->n_used + 1,
                     __ATOMIC_RELEASE);
    put(ledger->table, ledger->table_shift, ledger->table_mask,
        (struct slot){key, account});
    ledger->table_used++;
    return account;
}

uint64_t ledger_key(const struct account *account)
{
    const struct account_chunk *const chunk = account_chunk(account);

    return chunk->keys[account - chunk->accounts];
}

int64_t ledger_live_sum(void)
{
    const uint32_t n = __atomic_load_n(&at_ledgers.n, __ATOMIC_ACQUIRE);
    int64_t live = 0;

    for (uint32_t id = 1; id <= n; id++)
        live += peak_live(ledger_at(id));
    return live;
}
