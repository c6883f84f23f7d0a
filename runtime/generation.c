/* SPDX-License-Identifier: MIT */
/*
 * Generations: what is counted between two clears, or a start and a stop.
 *
 * Threads write their ledgers without asking anybody, so another thread cannot
 * set them to 0. It makes them retired instead: a new generation becomes the
 * current one, and each ledger of the old one has max_slack 0 written into it,
 * the one word that others may write. Its thread takes event.h's slow half at
 * its next allocation, sees there that its ledger is not of the current
 * generation, and goes on with another one. What it writes into the old one
 * until then does not matter, for nobody reads it: dumps, sums and the peak
 * are those of the current generation's ledgers.
 *
 * Blocks of an old generation are still in the block map and in tracked.c,
 * counted in accounts that nobody reads. Their frees count nothing: an account
 * is of the generation that its chunk's head names.
 *
 * A generation's struct is used again when none of its ledgers is left; what
 * else is used again, and when, is sweep.c's. All under at_lock.
 */
#include "runtime.h"

static struct generation *free_list;

static struct generation *get(void)
{
    struct generation *const generation = free_list;

    if (!generation)
        return arena_alloc_aligned(sizeof *generation);
    free_list = generation->next;
    /* One by one: a thread may just be asking for the peak. */
    count_set(&generation->n_tenants, 0);
    count_set(&generation->is_shared, 0);
    count_set(&generation->peak_bytes, 0);
    count_set(&generation->live, 0);
    return generation;
}

static void retire(const struct generation *generation)
{
    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        struct ledger *const ledger = ledger_at(id);

        if (ledger->generation == generation)
            count_set(&ledger->max_slack, 0);
    }
}

void generation_drop(struct generation *generation)
{
    if (generation->n_ledgers > 0 || generation == at_generation)
        return;
    generation->next = free_list;
    free_list = generation;
}

bool generation_begin(void)
{
    struct generation *const old = at_generation;
    struct generation *const generation = get();

    if (!generation)
        return false;
    account_chunks_settle();
    generation->number = old->number + 1;
    __atomic_store_n(&at_generation_number, generation->number,
                     __ATOMIC_RELEASE);
    /* Release: who sees it sees it empty. */
    __atomic_store_n(&at_generation, generation, __ATOMIC_RELEASE);
    __atomic_fetch_add(&at_peak.epoch, 1, __ATOMIC_RELAXED);
    retire(old);
    tenant_forget_sums();
    generation_drop(old);
    return true;
}
