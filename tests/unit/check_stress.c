/* SPDX-License-Identifier: MIT */
/*
 * The entries under load from many threads at once, against counts that the
 * threads keep themselves: what the runtime holds when all is quiet is exact.
 * Run under ThreadSanitizer this is also what shows that it has no data race.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "event.h"
#include "paths.h"

#define N_THREADS 8
#define N_BOXES 256
#ifdef __SANITIZE_THREAD__ /* some fifty times slower */
#define N_STEPS 200
#else
#define N_STEPS 2000
#endif
#define RING 64

/* What is live and was ever allocated, by site; atomic, for all threads. */
static struct {
    _Atomic uint64_t total_blocks, total_bytes, live_blocks, live_bytes;
} truth[N_SITES];

/* At the start of each block; what the oracle needs to forget it. */
struct parcel {
    size_t size;
    unsigned site;
};

static void enter(struct parcel *parcel, size_t size, unsigned where)
{
    parcel->size = size;
    parcel->site = where;
    truth[where].total_blocks++;
    truth[where].total_bytes += size;
    truth[where].live_blocks++;
    truth[where].live_bytes += size;
}

static void forget(const struct parcel *parcel)
{
    truth[parcel->site].live_blocks--;
    truth[parcel->site].live_bytes -= parcel->size;
}

static struct parcel *parcel_create(size_t size, unsigned where)
{
    struct parcel *const parcel = __alloctrace_malloc(size, site(where));

    enter(parcel, size, where);
    return parcel;
}

static void parcel_destroy(struct parcel *parcel)
{
    if (!parcel)
        return;
    forget(parcel);
    __alloctrace_free(parcel);
}

static struct parcel *parcel_resize(struct parcel *parcel, size_t size,
                                    unsigned where)
{
    forget(parcel);
    parcel = __alloctrace_realloc(parcel, size, site(where));
    enter(parcel, size, where);
    return parcel;
}

static void check_all(void)
{
    uint64_t live = 0;

    for (unsigned i = 0; i < N_SITES - 1; i++) {
        const struct figures figures = figures_at(i);

        ck_assert_uint_eq(figures.total_blocks, truth[i].total_blocks);
        ck_assert_uint_eq(figures.total_bytes, truth[i].total_bytes);
        ck_assert_uint_eq(figures.live_blocks, truth[i].live_blocks);
        ck_assert_uint_eq(figures.live_bytes, truth[i].live_bytes);
        live += truth[i].live_bytes;
    }
    ck_assert_int_eq(ledger_live_sum(), (int64_t)live);
    ck_assert_uint_eq(at_dropped_blocks, 0);
    ck_assert_uint_eq(at_bad_frames, 0);
}

static _Atomic(struct parcel *) boxes[N_BOXES];

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* New paths all the time, so that tables and vectors grow under readers. */
static void step(uint32_t *random)
{
    const unsigned where = next_random(random) % (N_SITES - 1);
    const size_t size = 16 + next_random(random) % 3000;
    struct alloctrace_shadow_frame frame[2];
    struct parcel *parcel;

    push(&frame[0], next_random(random) % 6);
    push(&frame[1], next_random(random) % 6);
    parcel = parcel_create(size, where);
    parcel = atomic_exchange(&boxes[next_random(random) % N_BOXES], parcel);
    if (parcel && next_random(random) % 2)
        parcel = parcel_resize(parcel, size * 2, where);
    parcel = atomic_exchange(&boxes[next_random(random) % N_BOXES], parcel);
    parcel_destroy(parcel);
    pop(&frame[1]);
    pop(&frame[0]);
}

static void *exchange(void *seed)
{
    uint32_t random = (uint32_t)(uintptr_t)seed;

    for (unsigned i = 0; i < N_STEPS; i++)
        step(&random);
    return NULL;
}

static void run_all(void *run(void *), unsigned n, unsigned seed)
{
    pthread_t threads[64];

    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run,
                                        (void *)(uintptr_t)(seed + i)),
                         0);
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(threads_that_exchange_blocks)
{
    sites_announce();
    for (unsigned round = 0; round < 3; round++) {
        run_all(exchange, N_THREADS, 1 + 1000 * round);
        check_all();
    }
}
END_TEST

START_TEST(sixty_four_threads)
{
    sites_announce();
    run_all(exchange, 64, 5);
    check_all();
    ck_assert_uint_le(at_ledgers.n, 64 + 2);
}
END_TEST

/* Thread i frees what thread i - 1 allocated, and passes its own on. */
static struct {
    _Atomic(struct parcel *) boxes[RING];
} rings[N_THREADS];

static void *pass_on(void *index)
{
    const unsigned me = (unsigned)(uintptr_t)index;
    uint32_t random = me + 1;

    for (unsigned i = 0; i < N_STEPS; i++) {
        const unsigned k = next_random(&random) % RING;
        struct parcel *const mine =
            parcel_create(16 + next_random(&random) % 500, me);

        parcel_destroy(atomic_exchange(&rings[me].boxes[k], NULL));
        parcel_destroy(atomic_exchange(
            &rings[(me + 1) % N_THREADS].boxes[next_random(&random) % RING],
            mine));
    }
    return NULL;
}

START_TEST(a_ring_of_producers_and_consumers)
{
    sites_announce();
    run_all(pass_on, N_THREADS, 0);
    check_all();
}
END_TEST

static atomic_bool is_over;
static atomic_uint n_dumps;

/* Whatever may look at the tables while others change them. */
static void *read_on(void *unused)
{
    const int null = open("/dev/null", O_WRONLY);

    while (!is_over) {
        lock_take();
        n_dumps += dump_write(null, 1, "test") == 0;
        lock_release();
        ck_assert_int_ge(ledger_live_sum(), INT64_MIN);
        (void)peak_slack();
        usleep(20000); /* the lock is not fair: let the others have it */
    }
    close(null);
    return unused;
}

START_TEST(dumps_while_threads_work_and_end)
{
    pthread_t reader;

    sites_announce();
    pthread_create(&reader, NULL, read_on, NULL);
    /* On a busy machine the reader may not have had its turn by then. */
    for (unsigned round = 0; round < 10 || n_dumps == 0; round++)
        run_all(exchange, 4, 1 + 100 * round);
    is_over = true;
    pthread_join(reader, NULL);
    check_all();
}
END_TEST

static void *work_briefly(void *index)
{
    const unsigned i = (unsigned)(uintptr_t)index;
    struct parcel *const parcel = parcel_create(32 + i % 7, i % 50);

    parcel_destroy(atomic_exchange(&boxes[i % N_BOXES], parcel));
    return NULL;
}

START_TEST(short_threads)
{
    sites_announce();
    for (unsigned i = 0; i < N_STEPS; i += 20)
        run_all(work_briefly, 20, i);
    check_all();
    ck_assert_uint_le(at_ledgers.n, 20 + 2);
}
END_TEST

/* Both make the same leaf, and one of them loses. */
static pthread_barrier_t barrier;
static uint64_t *made[N_THREADS];
static const struct account *made_for;

static void *make_leaf(void *index)
{
    const unsigned me = (unsigned)(uintptr_t)index;

    for (uintptr_t i = 1; i <= 50; i++) {
        const uintptr_t address = i << BLOCK_LEAF_BITS | 64;

        pthread_barrier_wait(&barrier);
        ck_assert(block_put((void *)address, made_for, 1));
        made[me] = wide_slot(address);
        pthread_barrier_wait(&barrier);
        ck_assert_ptr_eq(made[me], made[0]);
    }
    return NULL;
}

START_TEST(threads_that_make_the_same_leaf_get_the_same)
{
    sites_announce();
    made_for = ledger_at(1)->chunks->accounts;
    at_is_narrow = false; /* there are no blocks at these addresses */
    pthread_barrier_init(&barrier, NULL, N_THREADS);
    run_all(make_leaf, N_THREADS, 0);
}
END_TEST

CHECK_MAIN("stress", threads_that_exchange_blocks, sixty_four_threads,
           a_ring_of_producers_and_consumers, dumps_while_threads_work_and_end,
           short_threads, threads_that_make_the_same_leaf_get_the_same)
