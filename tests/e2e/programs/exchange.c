/* SPDX-License-Identifier: MIT */
/*
 * Threads that allocate, resize and free their own blocks and one another's,
 * through a table of mailboxes; some threads end and others take their place.
 * The program counts what it does itself. While all threads wait it has a
 * dump written, does a round of work, has a second dump written and prints
 * what changed in between: the difference of the dumps has to be the same.
 *
 *     exchange DUMP-BEFORE DUMP-AFTER
 *
 * Output: the changes of live blocks, live bytes, total blocks, total bytes.
 */
#include <alloctrace.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N_THREADS 8
#define N_BOXES 512
#define N_STEPS 40000

struct parcel {
    size_t size; /* as requested; at the start of its own block */
};

/* What one thread did; added up when it is done. */
struct tally {
    int64_t live_blocks;
    int64_t live_bytes;
    int64_t total_blocks;
    int64_t total_bytes;
};

static _Atomic(struct parcel *) boxes[N_BOXES];
static struct tally tallies[N_THREADS];
static pthread_barrier_t barrier;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void count(struct tally *tally, int64_t blocks, int64_t bytes)
{
    tally->live_blocks += blocks;
    tally->live_bytes += bytes;
    if (blocks > 0) {
        tally->total_blocks += blocks;
        tally->total_bytes += bytes;
    }
}

static struct parcel *parcel_create(struct tally *tally, size_t size)
{
    struct parcel *parcel = malloc(size);

    if (!parcel)
        abort();
    parcel->size = size;
    count(tally, 1, (int64_t)size);
    return parcel;
}

static struct parcel *parcel_resize(struct tally *tally, struct parcel *parcel,
                                    size_t size)
{
    count(tally, -1, -(int64_t)parcel->size);
    parcel = realloc(parcel, size);
    if (!parcel)
        abort();
    parcel->size = size;
    count(tally, 1, (int64_t)size);
    return parcel;
}

static void parcel_destroy(struct tally *tally, struct parcel *parcel)
{
    if (!parcel)
        return;
    count(tally, -1, -(int64_t)parcel->size);
    free(parcel);
}

/* Sends a parcel; what lay in the box was very likely another thread's. */
static void step(struct tally *tally, uint32_t *random)
{
    const size_t size = sizeof(struct parcel) + next_random(random) % 300;
    struct parcel *parcel = parcel_create(tally, size);
    const uint32_t choice = next_random(random) % 4;

    parcel = atomic_exchange(&boxes[next_random(random) % N_BOXES], parcel);
    if (!parcel || choice == 0) {
        parcel_destroy(tally, parcel);
        return;
    }
    if (choice == 1)
        parcel = parcel_resize(tally, parcel, size * 2);
    parcel = atomic_exchange(&boxes[next_random(random) % N_BOXES], parcel);
    parcel_destroy(tally, parcel);
}

static void *run_round(void *argument)
{
    const size_t index = (size_t)argument;
    uint32_t random = (uint32_t)index * 7919u + 1;

    for (int i = 0; i < N_STEPS; i++)
        step(&tallies[index], &random);
    return NULL;
}

/* A thread of the measured round: exists before and after it. */
static void *run_measured(void *argument)
{
    pthread_barrier_wait(&barrier); /* all are there */
    pthread_barrier_wait(&barrier); /* the first dump is written */
    run_round(argument);
    pthread_barrier_wait(&barrier); /* the work is done */
    pthread_barrier_wait(&barrier); /* the second dump is written */
    return NULL;
}

/* Rounds of threads that come and go, so that their successors take over. */
static void warm_up(void)
{
    pthread_t threads[N_THREADS];

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < N_THREADS; i++)
            pthread_create(&threads[i], NULL, run_round, (void *)i);
        for (size_t i = 0; i < N_THREADS; i++)
            pthread_join(threads[i], NULL);
    }
}

static struct tally sum_of_tallies(void)
{
    struct tally sum = {0};

    for (int i = 0; i < N_THREADS; i++) {
        sum.live_blocks += tallies[i].live_blocks;
        sum.live_bytes += tallies[i].live_bytes;
        sum.total_blocks += tallies[i].total_blocks;
        sum.total_bytes += tallies[i].total_bytes;
    }
    return sum;
}

int main(int argc, char **argv)
{
    pthread_t threads[N_THREADS];
    struct tally before;
    struct tally after;

    if (argc != 3)
        return 2;
    warm_up();
    before = sum_of_tallies();
    pthread_barrier_init(&barrier, NULL, N_THREADS + 1);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, run_measured, (void *)i);
    pthread_barrier_wait(&barrier);
    if (alloctrace_dump(argv[1]) != 0)
        return 3;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    if (alloctrace_dump(argv[2]) != 0)
        return 3;
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    after = sum_of_tallies();
    printf("%lld %lld %lld %lld\n",
           (long long)(after.live_blocks - before.live_blocks),
           (long long)(after.live_bytes - before.live_bytes),
           (long long)(after.total_blocks - before.total_blocks),
           (long long)(after.total_bytes - before.total_bytes));
    return 0;
}
