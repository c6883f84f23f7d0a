/* SPDX-License-Identifier: MIT */
/*
 * The peak of traced memory, and its composition without a log.
 *
 * Composition. The epoch is the number of the current peak. Before an account
 * changes for the first time in an epoch it saves its live figures (event.h);
 * so at any moment an account's figures at the peak are the saved ones if its
 * epoch is the current one, else its live ones.
 *
 * One thread: its ledger's live bytes are the program's, and event.h raises
 * the peak on each event that passes it. Exact.
 *
 * Several threads: each publishes its live bytes when they have risen or fallen
 * by more than GRAIN since it last did, and the peak is that of the published
 * sum. So at any moment that sum is at most GRAIN a thread away from what is
 * live, in both directions, and so is the peak (peak_slack); a block counts as
 * live until its free is about to be handed on. And an account of a busy thread
 * may have saved figures that are older or newer than the peak by as much.
 *
 * All this is of one generation (generation.c), whose sum and peak stand in its
 * struct: what a thread publishes of a ledger that is retired changes nothing
 * in the current one. Sums of ended threads publish nothing and have no slack.
 *
 * From one to several: the second thread's first event publishes for all
 * (peak_share), under at_lock. A first thread that raises the peak at that
 * moment must not miss it: it takes the lock too, unless glibc's
 * __libc_single_threaded, which the creating thread clears itself, says that
 * there is no other thread.
 */
#include "runtime.h"

#define GRAIN ((int64_t)32 * 1024)

/* Cleared by the thread that creates a second one. Absent before glibc 2.32:
 * then there may be others. */
extern char __libc_single_threaded __attribute__((weak));

struct peak at_peak = {.epoch = 1};

/* The peak of a generation that is over is nobody's: its threads must not end
 * the current one's epochs. */
static void next_epoch(const struct generation *generation)
{
    if (generation == count_get(&at_generation))
        __atomic_fetch_add(&at_peak.epoch, 1, __ATOMIC_RELAXED);
}

/* Raises the generation's peak to `live` if that is higher. */
static void raise_peak(struct generation *generation, int64_t live)
{
    uint64_t bytes = count_get(&generation->peak_bytes);

    while (live > 0 && (uint64_t)live > bytes)
        if (__atomic_compare_exchange_n(&generation->peak_bytes, &bytes,
                                        (uint64_t)live, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            next_epoch(generation);
            return;
        }
}

/*
 * Makes the program's live bytes include what the ledger's are now. May run
 * in the owner and in a thread that shares the peak at once: what each adds
 * is the difference to what was last published, so the sum stays right; the
 * room is the owner's, see set_room.
 */
static void publish(struct ledger *ledger)
{
    struct generation *const generation = ledger->generation;
    const int64_t live = peak_live(ledger);
    const int64_t before =
        __atomic_exchange_n(&ledger->published, live, __ATOMIC_RELAXED);

    raise_peak(generation, __atomic_add_fetch(&generation->live, live - before,
                                              __ATOMIC_RELAXED));
}

/*
 * Lets the ledger grow by `room` bytes before it asks again. By the owner. By
 * additions, as what a signal handler allocates in between must not be lost.
 */
static void set_room(struct ledger *ledger, int64_t room, uint64_t range)
{
    int64_t more = room - count_get(&ledger->room);

    __asm__("" : "+r"(more)); /* or GCC stores `room` and adds nothing */
    count_add(&ledger->room, more);
    count_add(&ledger->limit, more);
    count_set(&ledger->range, range);
}

/* The only ledger: if its live bytes pass the peak they are the peak. It asks
 * again as soon as they grow further, however far they fall before. */
static void raise_to(struct ledger *ledger)
{
    struct generation *const generation = ledger->generation;
    const int64_t live = peak_live(ledger);

    if (live > (int64_t)count_get(&generation->peak_bytes)) {
        count_set(&generation->peak_bytes, (uint64_t)live);
        if (generation == count_get(&at_generation))
            count_set(&at_peak.epoch, count_get(&at_peak.epoch) + 1);
    }
    set_room(ledger, (int64_t)count_get(&generation->peak_bytes) - live,
             INT64_MAX);
}

/* Other threads exist, but none has a ledger yet. */
static bool raise_locked(struct ledger *ledger)
{
    bool is_alone;

    lock_take();
    is_alone = !ledger->generation->is_shared;
    if (is_alone)
        raise_to(ledger);
    lock_release();
    return is_alone;
}

void *peak_pass(struct ledger *ledger, void *block)
{
    const bool is_shared = count_get(&ledger->generation->is_shared);

    if (!is_shared && &__libc_single_threaded && __libc_single_threaded) {
        raise_to(ledger);
    } else if (is_shared || !raise_locked(ledger)) {
        publish(ledger);
        set_room(ledger, GRAIN, 2 * GRAIN);
    }
    return block;
}

/* Not while there is one ledger: its range is without end but before its first
 * allocation, and before the next one after a reset of the peak. */
void peak_fall(struct ledger *ledger)
{
    if (!count_get(&ledger->generation->is_shared))
        return;
    publish(ledger);
    set_room(ledger, GRAIN, 2 * GRAIN);
}

/*
 * The ledgers' range becomes 0, so that each sets its room anew at its next
 * event (but for one that has no room left, which asks anyway when it
 * grows).
 */
static void publish_all(void)
{
    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        struct ledger *const ledger = ledger_at(id);

        if (!generation_has(ledger))
            continue;
        publish(ledger);
        count_set(&ledger->range, 0);
    }
}

void peak_share(void)
{
    count_set(&at_generation->is_shared, 1);
    publish_all();
}

/* With one ledger nothing is published: its owner asks at its next event. */
static int64_t live_now(struct ledger *mine)
{
    int64_t live = 0;

    if (at_generation->is_shared) {
        publish_all();
        return __atomic_load_n(&at_generation->live, __ATOMIC_RELAXED);
    }
    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        struct ledger *const ledger = ledger_at(id);

        if (!generation_has(ledger))
            continue;
        live += peak_live(ledger);
        if (ledger == mine)
            set_room(ledger, 0, INT64_MAX);
        else
            count_set(&ledger->range, 0);
    }
    return live;
}

void peak_reset(void)
{
    const int64_t live = live_now(__alloctrace_thread.ledger);

    /* What another thread adds before this is counted in `live`, or raises
     * the peak again when it next publishes. */
    __atomic_store_n(&at_generation->peak_bytes,
                     live > 0 ? (uint64_t)live : 0, __ATOMIC_RELAXED);
    next_epoch(at_generation);
}

uint64_t peak_bytes(void)
{
    return count_get(&__atomic_load_n(&at_generation, __ATOMIC_ACQUIRE)
                          ->peak_bytes);
}

void peak_leave(struct ledger *ledger)
{
    if (ledger->generation->is_shared)
        publish(ledger);
}

uint64_t peak_slack(void)
{
    const struct generation *const generation = count_get(&at_generation);

    return count_get(&generation->is_shared)
               ? count_get(&generation->n_tenants) * (uint64_t)GRAIN
               : 0;
}
