/* SPDX-License-Identifier: MIT */
/*
 * Threads that allocate and free:
 *
 *     scaling local THREADS EVENTS    each its own blocks
 *     scaling queue THREADS EVENTS    each frees what its neighbour made
 *
 * Prints the nanoseconds from the moment at which all are ready until the last
 * one is done, and those of processor time a thread. Each thread makes EVENTS blocks of 16 to 271 bytes, at the ends
 * of call paths five deep, and keeps 256 of them. With one thread, "queue" is
 * a queue to itself.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_THREADS 64
#define N_KEPT 256
#define QUEUE_SIZE 1024 /* a power of two */
#define DEEPER __attribute__((noinline, noclone))

/* One producer, one consumer; each has lines of its own. */
struct queue {
    _Alignas(128) atomic_uint n_put;
    _Alignas(128) atomic_uint n_taken;
    _Alignas(128) void *blocks[QUEUE_SIZE];
};

static struct queue queues[MAX_THREADS];
static pthread_barrier_t barrier;
static unsigned n_threads;
static unsigned n_events;
static int is_local;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

DEEPER static void *make(uint32_t random)
{
    void *const block = malloc(16 + random % 256);

    if (!block)
        abort();
    return memset(block, 1, 16);
}

#define LEVEL(name, next)                        \
    DEEPER static void *name(uint32_t random)    \
    {                                            \
        void *const block =                      \
            random & 1 ? next(random >> 1) : next(random >> 2); \
                                                 \
        ((char *)block)[1] = 2;                  \
        return block;                            \
    }
LEVEL(level_4, make)
LEVEL(level_3, level_4)
LEVEL(level_2, level_3)
LEVEL(level_1, level_2)

static void run_local(uint32_t random)
{
    void *kept[N_KEPT] = {NULL};

    for (unsigned i = 0; i < n_events; i++) {
        void **const place = &kept[next_random(&random) % N_KEPT];

        free(*place);
        *place = level_1(random);
    }
    for (unsigned i = 0; i < N_KEPT; i++)
        free(kept[i]);
}

static unsigned take_all(struct queue *queue)
{
    const unsigned end =
        atomic_load_explicit(&queue->n_put, memory_order_acquire);
    unsigned at = atomic_load_explicit(&queue->n_taken, memory_order_relaxed);
    const unsigned n = end - at;

    for (; at != end; at++)
        free(queue->blocks[at % QUEUE_SIZE]);
    atomic_store_explicit(&queue->n_taken, end, memory_order_release);
    return n;
}

static int has_room(struct queue *queue)
{
    return atomic_load_explicit(&queue->n_put, memory_order_relaxed) -
               atomic_load_explicit(&queue->n_taken, memory_order_acquire) <
           QUEUE_SIZE;
}

static void put(struct queue *queue, void *block)
{
    const unsigned at =
        atomic_load_explicit(&queue->n_put, memory_order_relaxed);

    queue->blocks[at % QUEUE_SIZE] = block;
    atomic_store_explicit(&queue->n_put, at + 1, memory_order_release);
}

static void run_queue(unsigned me, uint32_t random)
{
    struct queue *const out = &queues[(me + 1) % n_threads];
    unsigned n_made = 0;
    unsigned n_freed = 0;
    unsigned n_taken;

    while (n_made < n_events || n_freed < n_events) {
        for (int i = 0; i < 256 && n_made < n_events && has_room(out); i++) {
            next_random(&random);
            put(out, level_1(random));
            n_made++;
        }
        n_taken = take_all(&queues[me]);
        n_freed += n_taken;
        if (!n_taken) /* the neighbour may be waiting for the processor */
            sched_yield();
    }
}

static void *run(void *argument)
{
    const unsigned me = (unsigned)(uintptr_t)argument;

    pthread_barrier_wait(&barrier);
    if (is_local)
        run_local(me + 1);
    else
        run_queue(me, me + 1);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static long long now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(int argc, char **argv)
{
    pthread_t threads[MAX_THREADS];
    long long start;
    long long used;

    if (argc != 4)
        return 2;
    is_local = strcmp(argv[1], "local") == 0;
    n_threads = (unsigned)atoi(argv[2]);
    n_events = (unsigned)atoi(argv[3]);
    if (n_threads < 1 || n_threads > MAX_THREADS)
        return 2;
    pthread_barrier_init(&barrier, NULL, n_threads + 1);
    for (unsigned i = 0; i < n_threads; i++)
        if (pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i) != 0)
            return 3;
    pthread_barrier_wait(&barrier);
    start = now(CLOCK_MONOTONIC);
    used = now(CLOCK_PROCESS_CPUTIME_ID);
    pthread_barrier_wait(&barrier);
    printf("%lld %lld\n", now(CLOCK_MONOTONIC) - start,
           (now(CLOCK_PROCESS_CPUTIME_ID) - used) / n_threads);
    for (unsigned i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
