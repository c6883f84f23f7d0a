/* SPDX-License-Identifier: MIT */
/*
 * What an ideal tool (ideal.h) does once: for a thread, for a context, for a
 * new peak, and at the end. At the end it writes a line for each context to
 * the file that IDEAL_COUNTERS names, if any: total blocks and bytes, live
 * blocks and bytes, and what of them was live at the peak (0 0 unless that
 * was kept). bench/limit compares them with alloctrace's.
 *
 * Compiled into the plain program it is empty.
 */
#include "ideal.h"

#ifdef IDEAL
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

#define MAX_THREADS 64
#define N_CONTEXTS (IDEAL_MASK + 1)

/* With several threads each publishes its live bytes when they have risen or
 * fallen by so many. */
#define GRAIN 32768

_Thread_local struct ideal_thread ideal_thread;
uint64_t ideal_epoch = 1;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under the lock. */
static uint64_t hashes[N_CONTEXTS]; /* by number; 0 = free */
static struct ideal_counters *threads[MAX_THREADS];
static unsigned n_threads;
static int64_t peak;      /* live bytes at it */
static int64_t published; /* live bytes of all threads */

static _Thread_local int64_t limit; /* live bytes of this thread and its room */
static _Thread_local int64_t own_published;

static void *map(uintptr_t address, size_t size)
{
    void *const pages =
        mmap((void *)address, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (pages == MAP_FAILED || (address && (uintptr_t)pages != address)) {
        fprintf(stderr, "ideal: no room for a table\n");
        exit(1);
    }
    return pages;
}

void ideal_begin(void)
{
    ideal_thread.counters = map(0, N_CONTEXTS * sizeof(struct ideal_counters));
    ideal_thread.range = INT64_MAX;
    pthread_mutex_lock(&lock);
#ifdef IDEAL_MAP
    if (n_threads == 0)
        map((uintptr_t)ideal_blocks,
            ((size_t)1 << IDEAL_ADDRESS_BITS) / IDEAL_GRANULE *
                sizeof(ideal_block));
#endif
    if (n_threads == MAX_THREADS)
        exit(1);
    threads[n_threads++] = ideal_thread.counters;
    pthread_mutex_unlock(&lock);
}

uint32_t ideal_meet(uint64_t hash)
{
    uint32_t number = (uint32_t)(hash + (hash >> 32)) & IDEAL_MASK;
    unsigned n_steps = 0;

    pthread_mutex_lock(&lock);
    while (number == 0 || (hashes[number] && hashes[number] != hash)) {
        number = (number + 1) & IDEAL_MASK;
        if (++n_steps == N_CONTEXTS)
            exit(1);
    }
    hashes[number] = hash;
    pthread_mutex_unlock(&lock);
    ideal_thread.counters[number].hash = hash;
    return number;
}

/* Lets the thread grow by `room` before it asks again. */
static void set_room(int64_t room, int64_t range)
{
    limit += room - ideal_thread.room;
    ideal_thread.room = room;
    ideal_thread.range = range;
}

/* Makes `live` the peak if it is higher. */
static void raise_peak(int64_t live)
{
    if (live <= peak)
        return;
    peak = live;
    __atomic_store_n(&ideal_epoch, ideal_epoch + 1, __ATOMIC_RELAXED);
}

/* With one thread the peak is exact. (None may hold blocks when a second
 * begins.) */
void ideal_pass(void)
{
    const int64_t live = limit - ideal_thread.room;

    pthread_mutex_lock(&lock);
    published += live - own_published;
    own_published = live;
    raise_peak(published);
    if (n_threads == 1)
        set_room(peak - live, INT64_MAX);
    else
        set_room(GRAIN, 2 * GRAIN);
    pthread_mutex_unlock(&lock);
}

/* A context's counters, in all threads. */
static struct ideal_counters sum(uint32_t number)
{
    struct ideal_counters sum = {0};

    for (unsigned i = 0; i < n_threads; i++) {
        struct ideal_counters *const counters = &threads[i][number];

        ideal_touch(counters);
        sum.total_blocks += counters->total_blocks;
        sum.total_bytes += counters->total_bytes;
        sum.freed_blocks += counters->freed_blocks;
        sum.freed_bytes += counters->freed_bytes;
        sum.peak_blocks += counters->peak_blocks;
        sum.peak_bytes += counters->peak_bytes;
    }
    return sum;
}

static void write_context(FILE *file, const struct ideal_counters *sum)
{
    fprintf(file,
            "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
            " %" PRIu64 "\n",
            sum->total_blocks, sum->total_bytes,
            sum->total_blocks - sum->freed_blocks,
            sum->total_bytes - sum->freed_bytes, sum->peak_blocks, sum->peak_bytes);
}

void ideal_end(void)
{
    const char *const name = getenv("IDEAL_COUNTERS");
    FILE *const file = name ? fopen(name, "w") : NULL;

    if (!file)
        return;
    for (uint32_t number = 0; number < N_CONTEXTS; number++)
        if (hashes[number]) {
            const struct ideal_counters counters = sum(number);

            write_context(file, &counters);
        }
    if (fclose(file))
        exit(1);
}
#endif
