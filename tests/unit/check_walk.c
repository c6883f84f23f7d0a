/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <string.h>

#include "block.h"
#include "check_alloctrace.h"
#include "paths.h"

int __alloctrace_track(unsigned, const void *, size_t, uintptr_t);

#define ALLOCTRACE_API
#include "alloctrace.h"

static struct block blocks[4096];

/* An account that no hot path uses. */
static struct account *some_account(unsigned i)
{
    return account_at(0) + 1 + i;
}

/* Walks over the map, n blocks at a time; gives how many there were. */
static size_t walk_map(size_t n)
{
    static struct block_walk walk;
    size_t n_blocks = 0;
    size_t n_more;

    block_walk_start(&walk);
    while ((n_more = block_walk_next(&walk, blocks + n_blocks, n)) > 0)
        n_blocks += n_more;
    block_walk_end(&walk);
    return n_blocks;
}

/* Neighbours 8 bytes apart, sizes up to the largest, and leaves far away. */
START_TEST(each_block_of_the_map_is_met_once)
{
    static const size_t sizes[] = {0, 1, 4194303, 1 << 30};
    char *const memory = arena_map(1 << 20);
    unsigned n = 0;

    ck_assert(account_init());
    ((struct account_chunk *)(void *)at_accounts)->generation =
        generation_number();
    at_is_narrow = false;
    at_odd_mask = BLOCK_ODD_OTHERS;
    for (size_t at = 0; at < 1 << 20; at += at < 800 ? 8 : 4096 * 9 + 8, n++)
        ck_assert(block_put(memory + at, some_account(n), sizes[n % 4]));
    for (size_t step = 1; step < 2000; step *= 7) {
        uintptr_t sum = 0;

        ck_assert_uint_eq(walk_map(step), n);
        for (unsigned i = 0; i < n; i++) {
            const unsigned number =
                (unsigned)(blocks[i].account - some_account(0));

            ck_assert_uint_eq(blocks[i].size, sizes[number % 4]);
            ck_assert(block_get((void *)blocks[i].address).account ==
                      blocks[i].account);
            sum += number;
        }
        ck_assert_uint_eq(sum, (uintptr_t)n * (n - 1) / 2);
    }
}
END_TEST

#define N_STAYING 2000

static const void *address_of(unsigned i)
{
    return (void *)(uintptr_t)(0x10000 + 8 * (uintptr_t)i);
}

/* Meets all tracked blocks, and calls `meanwhile` between any two steps. Each
 * of the first N_STAYING must be met once. */
static void check_tracked(void (*meanwhile)(void), size_t n_at_once)
{
    static unsigned n_met[N_STAYING];
    struct tracked_walk walk = {0};
    size_t n;

    memset(n_met, 0, sizeof n_met);
    while ((n = tracked_walk_next(&walk, blocks, n_at_once)) > 0) {
        for (size_t i = 0; i < n; i++) {
            const uintptr_t number = (blocks[i].address - 0x10000) / 8;

            if (blocks[i].size != number)
                ck_abort_msg("a block is torn");
            if (number < N_STAYING)
                n_met[number]++;
        }
        meanwhile();
    }
    for (unsigned i = 0; i < N_STAYING; i++)
        ck_assert_uint_eq(n_met[i], 1);
}

static void track_staying(void)
{
    for (unsigned i = 0; i < N_STAYING; i++)
        ck_assert_int_eq(__alloctrace_track(3, address_of(i), i, site(1)), 0);
}

static void track_more(void)
{
    static unsigned next = N_STAYING;

    for (unsigned i = 0; i < 500 && next < 100000; i++, next++) {
        __alloctrace_track(3, address_of(next), next, site(2));
        if (next % 3)
            alloctrace_untrack(3, address_of(next - next % 100));
    }
}

START_TEST(tables_that_grow_under_the_walk_lose_nothing)
{
    sites_announce();
    track_staying();
    check_tracked(track_more, 16);
}
END_TEST

static uint32_t is_over;

static void *churn(void *unused)
{
    for (unsigned i = N_STAYING; !count_get(&is_over); i++) {
        const unsigned number = N_STAYING + i % 50000;

        __alloctrace_track(3, address_of(number), number, site(3));
        alloctrace_untrack(3, address_of(N_STAYING + (i * 7) % 50000));
    }
    return unused;
}

static void do_nothing(void)
{
}

START_TEST(what_stays_is_met_while_another_thread_tracks)
{
    const uint64_t end = os_now_ns() + 500000000;
    pthread_t thread;

    sites_announce();
    /* First, so that those that stay give way to them, and move up later. */
    for (unsigned i = 0; i < 50000; i++)
        __alloctrace_track(3, address_of(N_STAYING + i), N_STAYING + i,
                           site(2));
    track_staying();
    ck_assert_int_eq(pthread_create(&thread, NULL, churn, NULL), 0);
    do
        check_tracked(do_nothing, 1024);
    while (os_now_ns() < end);
    count_set(&is_over, 1);
    pthread_join(thread, NULL);
}
END_TEST

CHECK_MAIN("walk", each_block_of_the_map_is_met_once,
           tables_that_grow_under_the_walk_lose_nothing,
           what_stays_is_met_while_another_thread_tracks)
