/* SPDX-License-Identifier: MIT */
/*
 * The peak with several threads: the test decides which thread does what and
 * when, so it knows the true peak to the byte; what is reported has to lie
 * within the slack that is reported, in both directions.
 */
#include "check_alloctrace.h"
#include "paths.h"
#include "workers.h"

#define N_WORKERS 8
#define N_BLOCKS 400

static struct worker workers[N_WORKERS];

/* The test's own account of what is live. */
static struct {
    uint64_t live;
    uint64_t peak;
    uint64_t base; /* live when the test began */
} truth;

struct piece {
    void *address;
    size_t size;
};

static void *allocate(void *size)
{
    return __alloctrace_malloc((size_t)size, site(1));
}

static void *release(void *block)
{
    __alloctrace_free(block);
    return NULL;
}

static struct piece block_create(unsigned worker, size_t size)
{
    struct piece block = {worker_do(&workers[worker], allocate, (void *)size),
                          size};

    ck_assert_ptr_nonnull(block.address);
    truth.live += size;
    if (truth.live > truth.peak)
        truth.peak = truth.live;
    return block;
}

static void block_destroy(unsigned worker, struct piece *block)
{
    worker_do(&workers[worker], release, block->address);
    truth.live -= block->size;
    block->address = NULL;
}

static void start(void)
{
    sites_announce();
    for (unsigned i = 0; i < N_WORKERS; i++) {
        worker_start(&workers[i]);
        worker_do(&workers[i], release, /* each has a ledger */
                  worker_do(&workers[i], allocate, (void *)1));
    }
    truth.base = (uint64_t)ledger_live_sum();
    truth.live = truth.peak = truth.base;
}

/* What the paths held at the peak. */
static uint64_t composition(void)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < N_SITES; i++)
        bytes += figures_at(i).peak_bytes;
    return bytes;
}

static void check_peak(void)
{
    const uint64_t slack = peak_slack();

    ck_assert_uint_gt(slack, 0);
    ck_assert_uint_le(slack, (N_WORKERS + 1) * (uint64_t)65536);
    ck_assert_int_eq(ledger_live_sum(), (int64_t)truth.live);
    ck_assert_uint_ge(peak_bytes() + slack, truth.peak);
    ck_assert_uint_le(peak_bytes(), truth.peak + slack);
    ck_assert_uint_ge(composition() + slack, peak_bytes());
    ck_assert_uint_le(composition(), peak_bytes() + slack);
}

/* One thread allocates, another frees: the first only grows, the second only
 * falls, and neither is what is live. */
START_TEST(what_a_consumer_frees_is_not_counted_twice)
{
    const size_t size = (size_t)1 << _i;
    struct piece queue[10] = {{NULL, 0}};

    start();
    for (unsigned i = 0; i < 3000; i++) {
        struct piece *const block = &queue[i % 10];

        if (block->address)
            block_destroy(1, block);
        *block = block_create(0, size);
    }
    check_peak();
}
END_TEST

/* What one thread frees makes room for what another allocates. */
START_TEST(threads_that_rise_and_fall_in_turn_do_not_add_up)
{
    static struct piece blocks[N_BLOCKS];

    start();
    for (unsigned round = 0; round < 2 * N_WORKERS; round++) {
        for (unsigned i = 0; i < N_BLOCKS; i++)
            blocks[i] = block_create(round % N_WORKERS, 5000);
        for (unsigned i = 0; i < N_BLOCKS; i++)
            block_destroy(round % N_WORKERS, &blocks[i]);
    }
    ck_assert_uint_eq(truth.peak - truth.base, N_BLOCKS * 5000);
    check_peak();
}
END_TEST

/* Just below what makes a thread tell the others. */
START_TEST(threads_that_stay_below_their_grain_are_missed_by_no_more)
{
    struct piece blocks[N_WORKERS];

    start();
    for (unsigned step = 1; step < 32; step++) {
        for (unsigned i = 0; i < N_WORKERS; i++)
            blocks[i] = block_create(i, 1024 * step);
        for (unsigned i = 0; i < N_WORKERS; i++)
            block_destroy(i, &blocks[i]);
        check_peak();
    }
}
END_TEST

/* Falls that are too small to be told, again and again, by all threads. */
START_TEST(small_falls_do_not_add_up)
{
    struct piece kept[N_WORKERS];
    struct piece large;

    start();
    for (unsigned i = 0; i < N_WORKERS; i++)
        kept[i] = block_create(i, 1000000);
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < N_WORKERS; i++) {
            block_destroy((i + round) % N_WORKERS, &kept[i]);
            kept[i] = block_create(i, 1000000 - 20000 * (round + 1));
        }
        large = block_create(round % N_WORKERS, 20000 * N_WORKERS * round);
        block_destroy((round + 3) % N_WORKERS, &large);
        check_peak();
    }
}
END_TEST

START_TEST(a_thread_that_ends_leaves_what_it_holds)
{
    struct piece blocks[N_WORKERS];

    start();
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < N_WORKERS; i++)
            blocks[i] = block_create(i, 1000000 * (1 + (round + i) % 5));
        for (unsigned i = 1 - round % 2; i < N_WORKERS; i += 2) {
            worker_end(&workers[i]);
            worker_start(&workers[i]);
        }
        for (unsigned i = 0; i < N_WORKERS; i++)
            block_destroy((i + round) % N_WORKERS, &blocks[i]);
        check_peak();
    }
}
END_TEST

START_TEST(random_events_of_all_threads)
{
    static struct piece blocks[N_BLOCKS];

    srand((unsigned)_i);
    start();
    for (unsigned i = 0; i < 20000; i++) {
        struct piece *const block = &blocks[(unsigned)rand() % N_BLOCKS];
        const unsigned worker = (unsigned)rand() % N_WORKERS;

        if (block->address)
            block_destroy(worker, block);
        else /* in waves, in which few threads allocate and others free */
            *block = block_create((unsigned)rand() % (1 + i / 500 % N_WORKERS),
                                  (size_t)rand() % 40000);
    }
    check_peak();
}
END_TEST

/* Without an order: barriers alone make the peak known. */
static pthread_barrier_t barrier;

static void *rise_and_fall(void *argument)
{
    static struct piece blocks[N_WORKERS][N_BLOCKS];
    const unsigned me = (unsigned)(uintptr_t)argument;

    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < N_BLOCKS; i++)
            blocks[me][i].address = __alloctrace_malloc(
                round == 7 ? 3000 : 100 * (round % 5 + 1), site(2));
        pthread_barrier_wait(&barrier);
        for (unsigned i = 0; i < N_BLOCKS; i++)
            __alloctrace_free(blocks[(me + round) % N_WORKERS][i].address);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

START_TEST(the_peak_of_threads_that_run_at_once)
{
    pthread_t threads[N_WORKERS];

    start();
    pthread_barrier_init(&barrier, NULL, N_WORKERS);
    for (uintptr_t i = 0; i < N_WORKERS; i++)
        pthread_create(&threads[i], NULL, rise_and_fall, (void *)i);
    for (unsigned i = 0; i < N_WORKERS; i++)
        pthread_join(threads[i], NULL);
    truth.peak += (uint64_t)N_WORKERS * N_BLOCKS * 3000;
    ck_assert_uint_ge(peak_bytes() + peak_slack(), truth.peak);
    ck_assert_uint_le(peak_bytes(), truth.peak + peak_slack());
    ck_assert_int_eq(ledger_live_sum(), (int64_t)truth.live);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("peak_threads");
    TCase *const tcase = tcase_create("peak_threads");
    SRunner *runner;
    int n_failed;

    tcase_set_timeout(tcase, 600);
    tcase_add_loop_test(tcase, what_a_consumer_frees_is_not_counted_twice, 3,
                        24);
    tcase_add_test(tcase, threads_that_rise_and_fall_in_turn_do_not_add_up);
    tcase_add_test(tcase,
                   threads_that_stay_below_their_grain_are_missed_by_no_more);
    tcase_add_test(tcase, small_falls_do_not_add_up);
    tcase_add_test(tcase, a_thread_that_ends_leaves_what_it_holds);
    tcase_add_loop_test(tcase, random_events_of_all_threads, 1, 9);
    tcase_add_test(tcase, the_peak_of_threads_that_run_at_once);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
