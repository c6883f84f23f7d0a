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
 * Several threads: each publishes its live bytes when they have moved by more
 * than GRAIN since it last did, and the peak is that of the published sum. So
 * the true peak is at most GRAIN a thread away from the one reported
 * (peak_slack), and an account of a busy thread may have saved figures that
 * are older or newer than the peak by as much.
 *
 * From one to several: the second thread's first event publishes for all
 * (peak_share), under at_lock. A first thread that raises the peak at that
 * moment must not miss it: it takes the lock too, unless glibc's
 * __libc_single_threaded, which the creating thread clears itself, says that
 * there is no other thread.
 */
#include "runtime.h"

#define GRAIN ((int64_t)32 * 1024)

struct peak at_peak = {.epoch = 1};

/* Raises the peak to `live` if that is higher. */
static void raise_peak(int64_t live)
{
    uint64_t bytes = __atomic_load_n(&at_peak.bytes, __ATOMIC_RELAXED);

    while (live > 0 && (uint64_t)live > bytes)
        if (__atomic_compare_exchange_n(&at_peak.bytes, &bytes,
                                        (uint64_t)live, false,
                                        __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
            __atomic_fetch_add(&at_peak.epoch, 1, __ATOMIC_RELAXED);
            return;
        }
}

static void publish(struct ledger *ledger)
{
    const int64_t live = count_get(&ledger->live);
    const int64_t before =
        __atomic_exchange_n(&ledger->published, live, __ATOMIC_RELAXED);

    count_set(&ledger->low, live - GRAIN);
    count_set(&ledger->range, (uint64_t)(2 * GRAIN));
    raise_peak(__atomic_add_fetch(&at_peak.live, live - before,
                                  __ATOMIC_RELAXED));
}

/* Other threads exist, but none has a ledger yet: exact, if slower. */
static bool raise_alone(struct ledger *ledger)
{
    const uint64_t live = (uint64_t)count_get(&ledger->live);
    bool is_alone;

    __alloctrace_thread.busy++;
    lock_take();
    is_alone = !at_peak.is_shared;
    if (is_alone) {
        count_set(&at_peak.bytes, live);
        count_add(&at_peak.epoch, 1);
        count_set(&ledger->range, live - (uint64_t)ledger->low);
    }
    lock_release();
    __alloctrace_thread.busy--;
    return is_alone;
}

void peak_pass(struct ledger *ledger)
{
    if (count_get(&at_peak.is_shared) || !raise_alone(ledger))
        publish(ledger);
}

void peak_share(void)
{
    count_set(&at_peak.is_shared, 1);
    for (uint32_t id = 1; id <= at_ledgers.n; id++)
        publish(*(struct ledger **)vector_at(&at_ledgers, id));
}

void peak_leave(struct ledger *ledger)
{
    if (count_get(&at_peak.is_shared))
        publish(ledger);
}

uint64_t peak_slack(void)
{
    return count_get(&at_peak.is_shared) ? at_ledgers.n * (uint64_t)GRAIN : 0;
}
