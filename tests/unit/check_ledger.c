/* SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "check_alloctrace.h"
#include "paths.h"

START_TEST(thousands_of_paths_keep_their_own_counts)
{
    enum { N = 20000 };
    static struct alloctrace_shadow_frame frames[N];
    struct ledger *ledger;
    uint32_t n_before;

    sites_announce();
    ledger = ledger_at(1);
    n_before = ledger->table_used;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < N; i++) {
            frames[i].parent = &at_sentinel;
            frames[i].hash = (uint64_t)i * 1000003 + 17;
            __alloctrace_thread.top = &frames[i];
            __alloctrace_free(__alloctrace_malloc(i, site(0)));
        }
    __alloctrace_thread.top = &at_sentinel;
    ck_assert_uint_eq(ledger->table_used, n_before + N);
    for (unsigned i = 0; i < N; i++) {
        const struct account *const account =
            ledger_find(ledger, frames[i].hash * ALLOCTRACE_HASH_K + site(0));

        ck_assert_uint_eq(account->total_blocks, 2);
        ck_assert_uint_eq(account->total_bytes, 2 * i);
        ck_assert_uint_eq(account->freed_bytes, 2 * i);
    }
}
END_TEST

static void *allocate(void *unused)
{
    (void)unused;
    return __alloctrace_malloc(100, site(0));
}

static void *in_thread(void *run(void *), void *argument)
{
    pthread_t thread;
    void *result;

    pthread_create(&thread, NULL, run, argument);
    pthread_join(thread, &result);
    return result;
}

START_TEST(a_block_freed_by_another_thread_is_subtracted)
{
    struct figures figures;
    void *block;

    sites_announce();
    __alloctrace_free(__alloctrace_malloc(1, site(1))); /* our own ledger */
    block = in_thread(allocate, NULL);
    ck_assert_uint_eq(figures_at(0).live_bytes, 100);
    __alloctrace_free(block);
    figures = figures_at(0);
    ck_assert_uint_eq(figures.total_blocks, 1);
    ck_assert_uint_eq(figures.live_blocks, 0);
    ck_assert_uint_eq(figures.live_bytes, 0);
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

START_TEST(a_thread_that_ends_leaves_its_ledger_to_the_next)
{
    sites_announce();
    for (unsigned i = 0; i < 100; i++)
        in_thread(allocate, NULL);
    ck_assert_uint_le(at_ledgers.n, 3); /* ours, theirs, their sum */
    ck_assert_uint_eq(figures_at(0).total_blocks, 100);
    ck_assert_uint_eq(figures_at(0).live_bytes, 10000);
}
END_TEST

CHECK_MAIN("ledger", thousands_of_paths_keep_their_own_counts,
           a_block_freed_by_another_thread_is_subtracted,
           a_thread_that_ends_leaves_its_ledger_to_the_next)
