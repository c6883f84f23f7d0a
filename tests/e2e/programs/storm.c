/* SPDX-License-Identifier: MIT */
/*
 * Eight threads allocate, resize and free their own blocks and one another's
 * while four others start, stop and clear tracing, reset the peak and write
 * dumps, without any order. Each block must be counted wholly or not at all:
 *
 *     storm DUMP-EMPTY DUMP-COUNTED
 *
 * When the four are done and all blocks are freed, nothing may be live
 * (DUMP-EMPTY). Then traces are cleared, the eight work once more and count
 * for themselves: that is what DUMP-COUNTED has to say, and what is printed:
 * live blocks, live bytes, total blocks, total bytes. Exit status 3: traced
 * memory was larger than all that the program can hold.
 */
#include <alloctrace.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N_WORKERS 8
#define N_DISTURBERS 4
#define N_BOXES 256
#define N_CHANGES 1500
#define N_STEPS 20000
#define SIZE_MAX_SMALL 2000
#define SIZE_HUGE ((size_t)5 << 20)

struct parcel {
    size_t size; /* as requested; at the start of its own block */
};

struct tally {
    int64_t live_blocks, live_bytes, total_blocks, total_bytes;
};

static _Atomic(struct parcel *) boxes[N_BOXES];
static struct tally tallies[N_WORKERS];
static pthread_barrier_t barrier;
static atomic_bool is_calm;
static atomic_uint n_begun; /* workers */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void count(struct tally *tally, int64_t blocks, size_t size)
{
    tally->live_blocks += blocks;
    tally->live_bytes += blocks * (int64_t)size;
    if (blocks > 0) {
        tally->total_blocks++;
        tally->total_bytes += (int64_t)size;
    }
}

static struct parcel *parcel_resize(struct tally *tally, struct parcel *parcel,
                                    size_t size)
{
    if (parcel)
        count(tally, -1, parcel->size);
    parcel = realloc(parcel, size);
    if (!parcel)
        abort();
    parcel->size = size;
    count(tally, 1, size);
    return parcel;
}

static void parcel_destroy(struct tally *tally, struct parcel *parcel)
{
    if (parcel)
        count(tally, -1, parcel->size);
    free(parcel);
}

/* Now and then so large that it is mapped. */
static size_t random_size(uint32_t *state)
{
    const uint32_t number = next_random(state);

    return number % 1000 == 0 ? SIZE_HUGE + number % 4096
                              : 8 + number % SIZE_MAX_SMALL;
}

/* Takes what is in a box, and leaves it there changed, or something else. */
static void step(struct tally *tally, uint32_t *state)
{
    const uint32_t box = next_random(state) % N_BOXES;
    struct parcel *parcel = atomic_exchange(&boxes[box], NULL);

    switch (next_random(state) % 4) {
    case 0:
        parcel_destroy(tally, parcel);
        return;
    case 1:
        parcel = parcel_resize(tally, parcel, random_size(state));
        break;
    default:
        parcel_destroy(tally, parcel);
        parcel = parcel_resize(tally, NULL, random_size(state));
        break;
    }
    parcel_destroy(tally, atomic_exchange(&boxes[box], parcel));
}

static void empty_boxes(struct tally *tally)
{
    for (unsigned i = 0; i < N_BOXES; i++)
        parcel_destroy(tally, atomic_exchange(&boxes[i], NULL));
}

static void *work(void *tally_pointer)
{
    struct tally *const tally = tally_pointer;
    uint32_t state = (uint32_t)(tally - tallies) * 77 + 1;

    step(tally, &state);
    atomic_fetch_add(&n_begun, 1);
    while (!atomic_load(&is_calm))
        step(tally, &state);
    pthread_barrier_wait(&barrier); /* traced from here on */
    for (unsigned i = 0; i < N_STEPS; i++)
        step(tally, &state);
    pthread_barrier_wait(&barrier);
    if (tally == tallies)
        empty_boxes(tally);
    pthread_barrier_wait(&barrier); /* the dump of nothing */
    pthread_barrier_wait(&barrier);
    *tally = (struct tally){0};
    for (unsigned i = 0; i < N_STEPS; i++)
        step(tally, &state);
    pthread_barrier_wait(&barrier); /* the dump of what was counted */
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void *disturb(void *number)
{
    uint32_t state = (uint32_t)(uintptr_t)number * 991 + 5;

    /* On a busy machine the workers may not have begun by then. */
    for (unsigned i = 0; i < N_CHANGES || atomic_load(&n_begun) < N_WORKERS;
         i++) {
        uint64_t current;
        uint64_t peak;

        switch (next_random(&state) % 8) {
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
            if (i % 16 == 0)
                alloctrace_dump("/dev/null");
            break;
        case 4:
            alloctrace_get_traced_memory(&current, &peak);
            if (current > (N_BOXES + N_WORKERS) * (SIZE_HUGE + 4096))
                _Exit(3);
            break;
        default:
            alloctrace_start(1 + (int)(next_random(&state) % 50));
            break;
        }
    }
    return NULL;
}

static void print_sum(void)
{
    struct tally sum = {0};

    for (unsigned i = 0; i < N_WORKERS; i++) {
        sum.live_blocks += tallies[i].live_blocks;
        sum.live_bytes += tallies[i].live_bytes;
        sum.total_blocks += tallies[i].total_blocks;
        sum.total_bytes += tallies[i].total_bytes;
    }
    printf("%lld %lld %lld %lld\n", (long long)sum.live_blocks,
           (long long)sum.live_bytes, (long long)sum.total_blocks,
           (long long)sum.total_bytes);
}

int main(int argc, char **argv)
{
    pthread_t workers[N_WORKERS];
    pthread_t disturbers[N_DISTURBERS];

    if (argc != 3)
        return 2;
    pthread_barrier_init(&barrier, NULL, N_WORKERS + 1);
    for (unsigned i = 0; i < N_WORKERS; i++)
        pthread_create(&workers[i], NULL, work, &tallies[i]);
    for (uintptr_t i = 0; i < N_DISTURBERS; i++)
        pthread_create(&disturbers[i], NULL, disturb, (void *)i);
    for (unsigned i = 0; i < N_DISTURBERS; i++)
        pthread_join(disturbers[i], NULL);
    if (alloctrace_start(ALLOCTRACE_ALL_FRAMES) < 0)
        return 2;
    atomic_store(&is_calm, true);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    if (alloctrace_dump(argv[1]) || alloctrace_clear_traces())
        return 2;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    if (alloctrace_dump(argv[2]))
        return 2;
    print_sum();
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < N_WORKERS; i++)
        pthread_join(workers[i], NULL);
    return 0;
}
