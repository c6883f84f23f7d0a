/* SPDX-License-Identifier: MIT */
/*
 * Threads that use the whole malloc family with blocks of all sizes, most of
 * them as small as they can be, and free one another's. The program counts
 * what it does itself:
 *
 *     allocators DUMP-BEFORE DUMP-MIDDLE DUMP-AFTER
 *
 * Output, a line for the middle (thousands of blocks are live) and one for
 * the end (none is): the changes of live blocks, live bytes, total blocks and
 * total bytes since the first dump.
 */
#define _GNU_SOURCE
#include <alloctrace.h>

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_THREADS 4
#define N_BOXES 4096
#define N_STEPS 12000

/* A block holds nothing of ours: its size is kept beside it. */
struct box {
    atomic_flag is_taken;
    char *block;
    size_t size;
};

struct tally {
    int64_t live_blocks, live_bytes, total_blocks, total_bytes;
};

static struct box boxes[N_BOXES];
static struct tally tallies[N_THREADS];
static pthread_barrier_t barrier;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static size_t random_size(uint32_t *random)
{
    const uint32_t kind = next_random(random) % 1000;

    if (kind == 0)
        return 4200000 + next_random(random) % 10;
    if (kind < 10)
        return 100000 + next_random(random) % 100000;
    return kind < 700 ? 1 + next_random(random) % 24
                      : 1 + next_random(random) % 2000;
}

static void count(struct tally *tally, const struct box *box, int sign)
{
    tally->live_blocks += sign;
    tally->live_bytes += sign * (int64_t)box->size;
    if (sign > 0) {
        tally->total_blocks++;
        tally->total_bytes += (int64_t)box->size;
    }
}

static void fill(struct box *box, uint32_t *random)
{
    void *aligned = NULL;

    box->size = random_size(random);
    switch (next_random(random) % 8) {
    case 0:
        box->block = calloc(1, box->size);
        break;
    case 1:
        if (posix_memalign(&aligned, (size_t)8 << next_random(random) % 8,
                           box->size) != 0)
            abort();
        box->block = aligned;
        break;
    case 2:
        box->block = memalign(32, box->size);
        break;
    case 3:
        box->size = (box->size + 63) & ~(size_t)63;
        box->block = aligned_alloc(64, box->size);
        break;
    case 4:
        box->block = realloc(NULL, box->size);
        break;
    case 5:
        box->size = 2 * (box->size % 30);
        box->block = reallocarray(NULL, 2, box->size / 2);
        break;
    default:
        box->block = malloc(box->size);
    }
    if (!box->block)
        abort();
    memset(box->block, 'x', box->size);
}

static void resize(struct box *box, uint32_t *random)
{
    const size_t size = random_size(random);
    char *const block = realloc(box->block, size);

    if (!block || (box->size && size && block[0] != 'x'))
        abort();
    memset(block, 'x', size);
    box->block = block;
    box->size = size;
}

/* Something happens to a box, of which another thread filled most. */
static void step(struct tally *tally, uint32_t *random, int may_fill)
{
    struct box *const box = &boxes[next_random(random) % N_BOXES];

    while (atomic_flag_test_and_set(&box->is_taken))
        sched_yield(); /* to who has it, if there is one processor */
    if (!box->block) {
        free(box->block);
        if (may_fill) {
            fill(box, random);
            count(tally, box, 1);
        }
    } else if (may_fill && next_random(random) % 3 == 0) {
        count(tally, box, -1);
        resize(box, random);
        count(tally, box, 1);
    } else {
        count(tally, box, -1);
        free(box->block);
        box->block = NULL;
    }
    atomic_flag_clear(&box->is_taken);
}

static void *run(void *argument)
{
    const size_t index = (size_t)argument;
    uint32_t random = (uint32_t)index * 7919u + 1;
    void *volatile first = malloc(1);

    pthread_barrier_wait(&barrier); /* all are there */
    pthread_barrier_wait(&barrier); /* the first dump is written */
    for (int i = 0; i < N_STEPS; i++)
        step(&tallies[index], &random, 1);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier); /* the second one */
    for (int i = 0; i < 20 * N_BOXES; i++)
        step(&tallies[index], &random, 0);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier); /* the third one */
    free(first);
    return NULL;
}

static void dump(const char *path)
{
    pthread_barrier_wait(&barrier);
    if (alloctrace_dump(path) != 0)
        exit(3);
}

/* Into memory of our own: stdio allocates. */
static size_t print_sum(char *text, size_t size)
{
    struct tally sum = {0, 0, 0, 0};

    for (int i = 0; i < N_THREADS; i++) {
        sum.live_blocks += tallies[i].live_blocks;
        sum.live_bytes += tallies[i].live_bytes;
        sum.total_blocks += tallies[i].total_blocks;
        sum.total_bytes += tallies[i].total_bytes;
    }
    return (size_t)snprintf(text, size, "%lld %lld %lld %lld\n",
                            (long long)sum.live_blocks,
                            (long long)sum.live_bytes,
                            (long long)sum.total_blocks,
                            (long long)sum.total_bytes);
}

int main(int argc, char **argv)
{
    pthread_t threads[N_THREADS];
    char text[500];
    size_t used;

    if (argc != 4)
        return 2;
    pthread_barrier_init(&barrier, NULL, N_THREADS + 1);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, run, (void *)i);
    dump(argv[1]);
    pthread_barrier_wait(&barrier);
    dump(argv[2]);
    used = print_sum(text, sizeof text);
    pthread_barrier_wait(&barrier);
    dump(argv[3]);
    print_sum(text + used, sizeof text - used);
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    fputs(text, stdout);
    return 0;
}
