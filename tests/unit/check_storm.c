/* SPDX-License-Identifier: MIT */
/*
 * Starts, stops and clears from three threads while four others allocate and
 * free one another's blocks, in the heap and in a domain: each is counted
 * wholly or not at all. For ThreadSanitizer, too; tests/e2e/storm.py does the
 * same to a whole program.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "check_alloctrace.h"
#include "event.h"
#include "paths.h"

#define ALLOCTRACE_API
#include "alloctrace.h"

#define N_WORKERS 4
#define N_DISTURBERS 3
#define N_BOXES 64
#define N_CHANGES 600
#define DOMAIN_USED 5

static _Atomic(void *) boxes[N_BOXES];
static _Atomic(uint32_t) tracked[N_BOXES]; /* is the box's own one? */
static atomic_bool is_calm;
static _Atomic(uint64_t) n_steps;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void *key_of(uint32_t box)
{
    return (void *)(uintptr_t)(0x1000 + 8 * box);
}

static void step(uint32_t *state)
{
    const uint32_t box = next_random(state) % N_BOXES;
    const unsigned where = next_random(state) % (N_SITES - 1);
    void *block = atomic_exchange(&boxes[box], NULL);

    if (next_random(state) % 3 == 0) {
        block = __alloctrace_realloc(block, 1 + next_random(state) % 500,
                                     site(where));
    } else {
        __alloctrace_free(block);
        block = __alloctrace_malloc(next_random(state) % 500, site(where));
    }
    __alloctrace_free(atomic_exchange(&boxes[box], block));
    if (atomic_exchange(&tracked[box], 1) == 0) {
        alloctrace_track(DOMAIN_USED, key_of(box), 10);
        if (next_random(state) % 2)
            alloctrace_untrack(DOMAIN_USED, key_of(box));
        atomic_store(&tracked[box], 0);
    }
    atomic_fetch_add(&n_steps, 1);
}

static void *work(void *number)
{
    uint32_t state = (uint32_t)(uintptr_t)number * 77 + 1;

    while (!atomic_load(&is_calm))
        step(&state);
    for (unsigned i = 0; i < 1000; i++)
        step(&state);
    return NULL;
}

static void *disturb(void *number)
{
    uint32_t state = (uint32_t)(uintptr_t)number * 991 + 5;

    /* On a busy machine the workers may not have begun by then. */
    for (unsigned i = 0; i < N_CHANGES || atomic_load(&n_steps) < N_CHANGES;
         i++)
        switch (next_random(&state) % 6) {
        case 0:
            alloctrace_stop();
            break;
        case 1:
            alloctrace_clear_traces();
            break;
        case 2:
            alloctrace_reset_peak();
            break;
        case 3:
            if (i % 32 == 0)
                alloctrace_dump("/dev/null");
            break;
        default:
            alloctrace_start(ALLOCTRACE_ALL_FRAMES);
            break;
        }
    return NULL;
}

static void run_storm(void)
{
    pthread_t workers[N_WORKERS];
    pthread_t disturbers[N_DISTURBERS];

    for (uintptr_t i = 0; i < N_WORKERS; i++)
        pthread_create(&workers[i], NULL, work, (void *)i);
    for (uintptr_t i = 0; i < N_DISTURBERS; i++)
        pthread_create(&disturbers[i], NULL, disturb, (void *)i);
    for (unsigned i = 0; i < N_DISTURBERS; i++)
        pthread_join(disturbers[i], NULL);
    alloctrace_start(ALLOCTRACE_ALL_FRAMES);
    atomic_store(&is_calm, true);
    for (unsigned i = 0; i < N_WORKERS; i++)
        pthread_join(workers[i], NULL);
}

START_TEST(each_block_is_counted_wholly_or_not_at_all)
{
    uint64_t current;
    uint64_t peak;

    sites_announce();
    run_storm();
    for (uint32_t i = 0; i < N_BOXES; i++) {
        __alloctrace_free(boxes[i]);
        alloctrace_untrack(DOMAIN_USED, key_of(i));
    }
    alloctrace_get_traced_memory(&current, &peak);
    ck_assert_int_eq(ledger_live_sum(), 0);
    ck_assert_uint_eq(current, 0);
    for (unsigned i = 0; i < N_SITES; i++)
        ck_assert_uint_eq(figures_at(i).live_blocks, 0);
    ck_assert_uint_gt(n_steps, 4 * 1000);
}
END_TEST

CHECK_MAIN("storm", each_block_is_counted_wholly_or_not_at_all)
