/* SPDX-License-Identifier: MIT */
/*
 * Threads that come and go: what each name counted, how much memory it takes
 * to know, and what is counted when a thread is as good as gone.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "paths.h"

#define ALLOCTRACE_API
#include "alloctrace.h"

/* Two tests are not for ThreadSanitizer, see below. */
#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic ignored "-Wunused-variable"
#endif

#define N_KEYS 40 /* more than fit a thread's own descriptor */

static void in_thread(void *run(void *), const char *argument)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, run,
                                    (void *)(uintptr_t)argument),
                     0);
    pthread_join(thread, NULL);
}

/* Allocates before it has its name, as most threads do. */
static void *work_as(void *name)
{
    void *const block = __alloctrace_malloc(10, site(0));

    pthread_setname_np(pthread_self(), name);
    __alloctrace_malloc(100, site(1)); /* is left */
    __alloctrace_free(block);
    return NULL;
}

/* What the ended threads of a name allocated since the last clear. */
static uint64_t blocks_of(const char *name)
{
    char other[THREAD_NAME_SIZE];
    uint64_t blocks = 0;

    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        tenant_name(ledger_at(id), other);
        if (generation_has(ledger_at(id)) && strcmp(other, name) == 0)
            for (const struct account_chunk *chunk = ledger_at(id)->chunks;
                 chunk; chunk = chunk->next)
                for (uint32_t i = 0; i < chunk->n_used; i++)
                    blocks += chunk->accounts[i].total_blocks;
    }
    return blocks;
}

START_TEST(what_threads_counted_stays_under_their_name)
{
    uint64_t bytes = 0;

    sites_announce();
    for (unsigned i = 0; i < 3000; i++) {
        in_thread(work_as, i % 3 ? "reader" : "writer");
        if (i == 1000)
            bytes = arena_bytes();
    }
    in_thread(work_as, "last"); /* takes over what the last writer left */
    ck_assert_uint_eq(blocks_of("reader"), 2 * 2000);
    ck_assert_uint_eq(blocks_of("writer"), 2 * 1000);
    ck_assert_uint_eq(blocks_of("last"), 2);
    ck_assert_uint_le(at_ledgers.n, 4); /* ours, theirs, two sums */
    ck_assert_uint_eq(figures_at(1).live_blocks, 3001);
    ck_assert_uint_eq(figures_at(1).live_bytes, 300100);
    ck_assert_uint_eq(figures_at(0).total_blocks, 3001);
    ck_assert_uint_eq(figures_at(0).live_bytes, 0);
    ck_assert_int_eq(ledger_live_sum(), 300100);
    ck_assert_uint_le(arena_bytes(), bytes + 256 * 1024);
}
END_TEST

START_TEST(a_thread_has_its_number_and_only_what_it_counted_itself)
{
    sites_announce();
    for (unsigned i = 0; i < 5; i++)
        in_thread(work_as, "worker");
    ck_assert_uint_eq(blocks_of("worker"), 10);
    for (uint32_t id = 1; id <= at_ledgers.n; id++) {
        const struct ledger *const ledger = ledger_at(id);

        ck_assert(ledger->is_sum == (ledger->tid == 0));
        if (ledger->is_free)
            ck_assert_uint_eq(ledger->chunks->accounts[0].total_blocks, 1);
    }
}
END_TEST

START_TEST(any_number_of_names_takes_so_much_memory)
{
    char name[16];
    uint64_t blocks = 0;

    sites_announce();
    for (unsigned i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "thread %u", i);
        in_thread(work_as, name);
    }
    ck_assert_uint_eq(blocks_of("thread 3"), 2);
    ck_assert_uint_eq(blocks_of("thread 500"), 0);
    ck_assert_uint_eq(blocks_of("thread 599"), 2);
    for (unsigned i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "thread %u", i);
        blocks += blocks_of(name);
    }
    ck_assert_uint_gt(blocks_of("threads of other names"), 0);
    ck_assert_uint_eq(blocks + blocks_of("threads of other names"), 1200);
    ck_assert_uint_le(at_ledgers.n, 2 + 256);
    ck_assert_uint_eq(figures_at(1).live_blocks, 600);
}
END_TEST

static pthread_key_t keys[N_KEYS];

/* In each round of destructors, so that some run after the runtime's. */
static void allocate_at_end(void *key)
{
    __alloctrace_free(__alloctrace_malloc(20, site(2)));
    __alloctrace_malloc(7, site(3));
    pthread_setspecific(*(pthread_key_t *)key, key);
}

static void *work_with_keys(void *unused)
{
    (void)unused;
    __alloctrace_free(__alloctrace_malloc(10, site(0)));
    for (unsigned i = 0; i < N_KEYS; i++)
        pthread_setspecific(keys[i], &keys[i]);
    return NULL;
}

START_TEST(destructors_that_run_last_are_counted_and_leave_no_ledger)
{
    sites_announce();
    for (unsigned i = 0; i < N_KEYS; i++)
        pthread_key_create(&keys[i], i % 20 ? NULL : allocate_at_end);
    for (unsigned i = 0; i < 1000; i++)
        in_thread(work_with_keys, NULL);
    /* 2 destructors, as many rounds as there may be. */
    ck_assert_uint_eq(figures_at(2).total_blocks,
                      1000 * 2 * PTHREAD_DESTRUCTOR_ITERATIONS);
    ck_assert_uint_eq(figures_at(2).live_blocks, 0);
    ck_assert_uint_eq(figures_at(3).live_blocks,
                      1000 * 2 * PTHREAD_DESTRUCTOR_ITERATIONS);
    /* The system may know a thread for a moment after it was joined. */
    ck_assert_uint_le(at_ledgers.n, 20);
    ck_assert_uint_eq(at_dropped_blocks, 0);
}
END_TEST

static pthread_barrier_t barrier;

static void *wait_and_free(void *block)
{
    __alloctrace_free(__alloctrace_malloc(1, site(4)));
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    __alloctrace_free(block);
    return NULL;
}

/* Its ledger is taken over while its blocks are freed by others. */
START_TEST(blocks_of_threads_that_have_ended_can_be_freed)
{
    enum { N = 16 };
    pthread_t threads[N];

    sites_announce();
    for (unsigned round = 0; round < 20; round++) {
        pthread_barrier_init(&barrier, NULL, N + 1);
        for (unsigned i = 0; i < N; i++)
            pthread_create(&threads[i], NULL, wait_and_free,
                           __alloctrace_malloc(1000, site(5)));
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        for (unsigned i = 0; i < N; i++)
            pthread_join(threads[i], NULL);
        ck_assert_uint_eq(figures_at(5).live_blocks, 0);
        ck_assert_uint_eq(figures_at(5).total_blocks, N * (round + 1));
    }
    ck_assert_uint_eq(figures_at(4).total_blocks, 20 * N);
    ck_assert_int_eq(ledger_live_sum(), 0);
    ck_assert_uint_le(at_ledgers.n, N + 2);
}
END_TEST

/* Each sum is of one generation, whose number of threads differs. */
START_TEST(after_a_clear_names_have_what_came_later)
{
    sites_announce();
    for (unsigned round = 0; round < 200; round++) {
        const unsigned n = 2 + round % 3;

        for (unsigned i = 0; i < n; i++) {
            in_thread(work_as, "reader");
            if (round % 2)
                in_thread(work_as, "writer");
        }
        ck_assert_uint_eq(blocks_of("reader"), 2 * n);
        ck_assert_uint_eq(blocks_of("writer"), round % 2 ? 2 * n : 0);
        ck_assert_uint_eq(figures_at(1).live_blocks, round % 2 ? 2 * n : n);
        ck_assert_int_eq(ledger_live_sum(), round % 2 ? 200 * n : 100 * n);
        ck_assert_int_eq(alloctrace_clear_traces(), 0);
        ck_assert_uint_eq(blocks_of("reader") + blocks_of("writer"), 0);
        ck_assert_int_eq(ledger_live_sum(), 0);
        ck_assert_uint_eq(peak_bytes(), 0);
    }
    /* Retired ones, also sums, are used again. */
    ck_assert_uint_le(at_ledgers.n, 32);
    ck_assert_uint_eq(at_dropped_blocks, 0);
}
END_TEST

static void *count_and_wait(void *name)
{
    work_as(name);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return work_as(name);
}

START_TEST(what_a_thread_left_at_a_clear_is_in_no_sum)
{
    static char name[] = "reader";
    pthread_t thread;

    sites_announce();
    in_thread(work_as, "reader");
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, count_and_wait, name);
    pthread_barrier_wait(&barrier);
    alloctrace_clear_traces();
    in_thread(work_as, "reader"); /* ended, current */
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL); /* has taken that over */
    in_thread(work_as, "writer"); /* and this one its */
    ck_assert_uint_eq(blocks_of("reader"), 4);
    ck_assert_uint_eq(blocks_of("writer"), 2);
    ck_assert_uint_eq(figures_at(1).live_blocks, 3);
    ck_assert_int_eq(ledger_live_sum(), 300);
}
END_TEST

START_TEST(ledgers_of_late_ends_are_used_again_after_clears)
{
    sites_announce();
    for (unsigned i = 0; i < N_KEYS; i++)
        pthread_key_create(&keys[i], i % 20 ? NULL : allocate_at_end);
    for (unsigned i = 0; i < 400; i++) {
        in_thread(work_with_keys, NULL);
        ck_assert_uint_eq(figures_at(2).total_blocks,
                          2 * PTHREAD_DESTRUCTOR_ITERATIONS);
        ck_assert_int_eq(alloctrace_clear_traces(), 0);
        ck_assert_uint_eq(figures_at(3).live_blocks, 0);
    }
    ck_assert_uint_le(at_ledgers.n, 64);
    ck_assert_uint_eq(at_dropped_blocks, 0);
}
END_TEST

static void *wait_twice(void *unused)
{
    (void)unused;
    __alloctrace_malloc(50, site(0));
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

START_TEST(a_child_keeps_the_counts_and_has_one_ledger_in_use)
{
    pthread_t threads[4];
    int status;
    pid_t child;

    sites_announce();
    pthread_barrier_init(&barrier, NULL, 5);
    for (unsigned i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, wait_twice, NULL);
    pthread_barrier_wait(&barrier);
    child = fork();
    if (child == 0) {
        const uint32_t n = at_ledgers.n;
        bool is_good = figures_at(0).live_bytes == 200 &&
                       ledger_at(1)->tid == os_tid();

        for (unsigned i = 0; i < 10; i++)
            in_thread(work_as, "child's");
        is_good &= at_ledgers.n <= n + 2;
        is_good &= figures_at(0).live_bytes == 200;
        is_good &= figures_at(1).live_blocks == 10;
        is_good &= blocks_of("child's") == 20;
        _exit(is_good ? 0 : 1);
    }
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

/* ThreadSanitizer's own part of a thread is gone before the last destructors,
 * and it supports no threads after a fork. */
#ifdef __SANITIZE_THREAD__
#define NOT_UNDER_ITS_EYES
#else
#define NOT_UNDER_ITS_EYES                                         \
    , destructors_that_run_last_are_counted_and_leave_no_ledger,   \
        ledgers_of_late_ends_are_used_again_after_clears,          \
        a_child_keeps_the_counts_and_has_one_ledger_in_use
#endif

/* A block of each of 64 * 64 * 64 paths comes and goes. */
static void *meet_many_paths(void *unused)
{
    struct alloctrace_shadow_frame outer;
    struct alloctrace_shadow_frame inner;

    for (unsigned i = 0; i < N_SITES * N_SITES; i++) {
        push(&outer, i / N_SITES);
        push(&inner, i % N_SITES);
        for (unsigned leaf = 0; leaf < N_SITES; leaf++)
            __alloctrace_free(__alloctrace_malloc(8, site(leaf)));
        pop(&inner);
        pop(&outer);
    }
    return unused;
}

/* Seconds of the processor that 3000 threads take. */
static double time_threads(void)
{
    const clock_t begin = clock();

    for (unsigned i = 0; i < 3000; i++)
        in_thread(work_as, "heir");
    return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

/* Who takes over the ledger of a thread that met many paths looks at those
 * that were used since, not at all: that was twenty times a thread's time. */
START_TEST(a_thread_does_not_pay_for_paths_of_earlier_ones)
{
    double before;

    sites_announce();
    before = time_threads();
    in_thread(meet_many_paths, NULL);
    ck_assert_double_lt(time_threads(), 4 * before + 0.1);
    in_thread(work_as, "last"); /* takes over what the last heir left */
    ck_assert_uint_eq(blocks_of("heir"), 2 * 6000);
    ck_assert_uint_eq(figures_at(1).live_blocks, 6001);
    ck_assert_uint_le(at_ledgers.n, 5);
}
END_TEST

CHECK_MAIN("tenant", a_thread_does_not_pay_for_paths_of_earlier_ones,
           what_threads_counted_stays_under_their_name,
           a_thread_has_its_number_and_only_what_it_counted_itself,
           any_number_of_names_takes_so_much_memory,
           after_a_clear_names_have_what_came_later,
           what_a_thread_left_at_a_clear_is_in_no_sum,
           blocks_of_threads_that_have_ended_can_be_freed NOT_UNDER_ITS_EYES)
