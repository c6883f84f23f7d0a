/* SPDX-License-Identifier: MIT */
/*
 * Which thread has which ledger, and what becomes of what it counted.
 *
 * A thread is given a ledger at its first event. When it ends the ledger stays
 * as it is, with the thread's number and name, until a thread that starts later
 * takes it over. Only then do the figures of its accounts move to another
 * ledger, the sum of the ended threads of that name; the accounts stay, at 0,
 * for they are what the entries of live blocks lead to. So memory grows with
 * the threads alive at once and with the names (MAX_SUMS), not with the threads
 * ever started. Cost, for each thread that takes a ledger over: a look at the
 * accounts of those chunks in which something changed since the last time, and
 * at a byte for each chunk that there is. So threads do not pay for what an
 * earlier one met.
 *
 * The end of a thread is told by a destructor of thread-specific data. What
 * runs after it (other destructors; the C library itself, which frees then)
 * may have to be counted as well, on a ledger of whose end nobody will tell:
 * it is "late", and free as soon as the system knows its thread no more.
 *
 * A ledger's own live bytes (peak.c) are not per name and do not move: they
 * are handed on with the ledger, so that their sum is right at any moment.
 *
 * All this is within a generation (generation.c). What is retired is neither
 * handed on nor added to a sum; its thread leaves it when it next looks
 * (tenant_renew), and sweep.c makes it usable as an empty one once the thread
 * has left the next one, too. Sums are retired as all ledgers are, and the next
 * generation begins with none.
 */
#include <pthread.h>
#include <string.h>

#include "runtime.h"

/* Sums that there may be; each takes some 20 KiB. The last one is for all the
 * names that are met when there are that many (no thread can have its name). */
#define MAX_SUMS 256
#define OTHERS_NAME "threads of other names"

_Static_assert(sizeof OTHERS_NAME <= THREAD_NAME_SIZE, "the name fits");

static pthread_key_t thread_end; /* its destructor releases the ledger */
static bool has_thread_end;

static struct ledger *sums[MAX_SUMS]; /* under at_lock, as n_sums */
static uint32_t n_sums;

static void on_thread_end(void *ledger)
{
    (void)ledger;
    lock_take();
    tenant_release(&__alloctrace_thread);
    lock_release();
}

void tenant_init(void)
{
    has_thread_end = pthread_key_create(&thread_end, on_thread_end) == 0;
}

/* Word by word: dumps read it at any time. */
static void set_name(struct ledger *ledger, const char *name)
{
    uint64_t words[THREAD_NAME_SIZE / 8] = {0};

    memcpy(words, name, strnlen(name, sizeof words - 1));
    for (size_t i = 0; i < THREAD_NAME_SIZE / 8; i++)
        count_set(&ledger->name[i], words[i]);
}

void tenant_name(const struct ledger *ledger, char name[THREAD_NAME_SIZE])
{
    uint64_t words[THREAD_NAME_SIZE / 8];

    for (size_t i = 0; i < THREAD_NAME_SIZE / 8; i++)
        words[i] = count_get(&ledger->name[i]);
    memcpy(name, words, sizeof words);
    name[THREAD_NAME_SIZE - 1] = '\0';
}

/* The name of the calling thread. */
static void set_own_name(struct ledger *ledger)
{
    char name[THREAD_NAME_SIZE];

    os_thread_name(os_tid(), name, sizeof name);
    set_name(ledger, name);
}

static struct ledger *find_sum(const char *name)
{
    char other[THREAD_NAME_SIZE];

    for (uint32_t i = 0; i < n_sums; i++) {
        tenant_name(sums[i], other);
        if (strcmp(other, name) == 0)
            return sums[i];
    }
    return NULL;
}

/* NULL: no memory. */
static struct ledger *sum_of(const char *name)
{
    struct ledger *sum = find_sum(name);

    if (!sum && n_sums >= MAX_SUMS - 1) {
        name = OTHERS_NAME;
        sum = find_sum(name);
    }
    if (sum)
        return sum;
    sum = ledger_create(true);
    if (!sum)
        return NULL;
    set_name(sum, name);
    sums[n_sums++] = sum;
    return sum;
}

/* Also if what it counted was taken back: the epoch must be 0 in a chunk that
 * is not marked as touched, or its next change would not mark it. */
static bool is_used(const struct account *account)
{
    return count_get(&account->total_blocks) ||
           count_get(&account->freed_blocks) || count_get(&account->epoch);
}

/* What an account held at the peak `epoch` (see peak.c). */
static void read_peak(const struct account *account, uint64_t epoch,
                      uint64_t *blocks, uint64_t *bytes)
{
    if (count_get(&account->epoch) == epoch) {
        *blocks = count_get(&account->peak_blocks);
        *bytes = count_get(&account->peak_bytes);
    } else {
        *blocks = count_get(&account->total_blocks) -
                  count_get(&account->freed_blocks);
        *bytes = count_get(&account->total_bytes) -
                 count_get(&account->freed_bytes);
    }
}

/* Adds `from` to `to`, neither of which any thread changes. A peak that comes
 * meanwhile has another epoch, and then live figures count, which are right. */
static void add_account(struct account *to, const struct account *from)
{
    const uint64_t epoch = count_get(&at_peak.epoch);
    uint64_t blocks[2];
    uint64_t bytes[2];

    read_peak(to, epoch, &blocks[0], &bytes[0]);
    read_peak(from, epoch, &blocks[1], &bytes[1]);
    count_set(&to->peak_blocks, blocks[0] + blocks[1]);
    count_set(&to->peak_bytes, bytes[0] + bytes[1]);
    count_set(&to->epoch, epoch);
    count_add(&to->total_blocks, count_get(&from->total_blocks));
    count_add(&to->total_bytes, count_get(&from->total_bytes));
    count_add(&to->freed_blocks, count_get(&from->freed_blocks));
    count_add(&to->freed_bytes, count_get(&from->freed_bytes));
}

static void clear_account(struct account *account)
{
    count_set(&account->total_blocks, 0);
    count_set(&account->total_bytes, 0);
    count_set(&account->freed_blocks, 0);
    count_set(&account->freed_bytes, 0);
    count_set(&account->epoch, 0); /* live figures count: 0 */
}

/* False: no memory. Then it stays where it is. */
static bool move_account(struct account *account, struct ledger *sum)
{
    struct account *to = ledger_find(sum, account_key(account));

    if (!to)
        to = ledger_add(sum, *account_facts(account));
    if (!to)
        return false;
    add_account(to, account);
    detail_move(to, account);
    clear_account(account);
    return true;
}

/* Moves what a chunk's accounts hold. False: not all. */
static bool move_chunk(struct account_chunk *chunk, struct ledger *sum)
{
    bool is_empty = true;

    for (uint32_t i = 0; i < chunk->n_used; i++)
        if (is_used(&chunk->accounts[i]) &&
            (!sum || !move_account(&chunk->accounts[i], sum)))
            is_empty = false;
    return is_empty;
}

/* Empties a ledger that no thread has. False: not wholly. */
static bool settle(struct ledger *ledger)
{
    const uint32_t n = account_chunk_count();
    char name[THREAD_NAME_SIZE];
    struct ledger *sum;
    bool is_empty = true;

    tenant_name(ledger, name);
    sum = sum_of(name);
    for (uint32_t number = 0; number < n; number++) {
        if (!count_get(&at_touched[number]) ||
            account_chunk_at(number)->ledger != ledger)
            continue;
        if (move_chunk(account_chunk_at(number), sum))
            count_set(&at_touched[number], 0);
        else
            is_empty = false;
    }
    return is_empty;
}

/* What could not be moved, for want of memory or because a dump is reading it,
 * is that of several threads, and what comes is counted with it. */
static void hand_over(struct ledger *ledger)
{
    const bool is_still = lock_try_dump();
    const bool is_empty = is_still && settle(ledger);

    count_set(&ledger->tid, is_empty ? os_tid() : 0);
    set_name(ledger, is_empty ? "" : OTHERS_NAME);
    ledger->last_account = NULL;
    ledger_end_scopes(ledger);
    ledger->is_late = 0;
    count_set(&ledger->is_free, 0);
    if (is_still)
        lock_end_dump();
}

void tenant_forget_sums(void)
{
    for (uint32_t i = 0; i < n_sums; i++)
        count_set(&sums[i]->is_free, 1);
    n_sums = 0;
}

bool tenant_has_left(const struct ledger *ledger)
{
    return ledger->is_free ||
           (ledger->is_late && !os_has_thread(ledger->late_tid));
}

static bool is_vacant(const struct ledger *ledger)
{
    if (!generation_has(ledger))
        return false;
    if (ledger->is_late)
        return ledger->late_tid == os_tid() ||
               !os_has_thread(ledger->late_tid);
    return ledger->is_free;
}

/* A ledger whose thread has ended, emptied. NULL: there is none. */
static struct ledger *take_over(void)
{
    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        struct ledger *const ledger = ledger_at(id);

        if (ledger->is_sum || !is_vacant(ledger))
            continue;
        hand_over(ledger);
        return ledger;
    }
    return NULL;
}

/* Sees to it that the ledger is released. From the 33rd key on the C library
 * allocates here: that is our doing, not the program's. */
static bool announce_end(struct thread *thread)
{
    bool is_announced;

    thread->busy += BUSY_SILENT;
    is_announced = has_thread_end && !thread->has_ended &&
                   pthread_setspecific(thread_end, *thread_ledger(thread)) == 0;
    thread->busy -= BUSY_SILENT;
    return is_announced;
}

/*
 * Leaves the ledger that was left before to sweep.c, but not yet this one: the
 * thread may have found an account there whose block it has not counted yet.
 * A realloc that subtracts another thread's block goes on with another ledger
 * in between. One that is late stays so, and is free when its thread has ended.
 */
static void leave_behind(struct thread *thread, struct ledger *ledger)
{
    if (thread->behind)
        count_set(&thread->behind->is_free, 1);
    thread->behind = ledger;
}

struct ledger *tenant_acquire(struct thread *thread)
{
    struct ledger *ledger = take_over();

    if (!ledger) {
        ledger = ledger_create(false);
        if (!ledger)
            return NULL;
        count_set(&ledger->tid, os_tid());
    } else if (thread->ledger) {
        /* What it has found already may be of the ledger that it left. */
        ledger_unsettle(ledger);
    }
    *thread_ledger(thread) = ledger;
    if (!announce_end(thread)) {
        ledger->is_late = 1;
        ledger->late_tid = os_tid();
        if (ledger->tid)
            set_own_name(ledger);
    }
    return ledger;
}

void tenant_release(struct thread *thread)
{
    struct ledger *const ledger = *thread_ledger(thread);

    thread->has_ended = 1;
    *thread_ledger(thread) = NULL;
    leave_behind(thread, NULL);
    if (!ledger || ledger == &at_stopped_ledger)
        return;
    if (generation_has(ledger)) {
        if (ledger->tid)
            set_own_name(ledger);
        peak_leave(ledger);
    }
    count_set(&ledger->is_free, 1);
}

struct ledger *tenant_renew(struct thread *thread)
{
    struct ledger *const ledger = *thread_ledger(thread);

    if (ledger && ledger != &at_stopped_ledger) {
        if (generation_has(ledger))
            return ledger;
        leave_behind(thread, ledger);
        /* Not none: what this interrupted may be about to look at it. */
        *thread_ledger(thread) = &at_stopped_ledger;
        thread->n_stopped = 0;
    }
    if (count_get(&at_tracing) != TRACING_ON)
        return NULL;
    return tenant_acquire(thread);
}

void tenant_keep_only(struct ledger *mine)
{
    __alloctrace_thread.behind = NULL; /* fork is called in no allocation */
    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        struct ledger *const ledger = ledger_at(id);

        if (ledger == mine) {
            count_set(&ledger->tid, os_tid());
            ledger->late_tid = os_tid();
        } else {
            if (!ledger->is_sum)
                count_set(&ledger->is_free, 1);
            ledger->is_late = 0;
        }
    }
}
