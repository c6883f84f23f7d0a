/* SPDX-License-Identifier: MIT */
/*
 * Allocates and frees in many ways, from several threads and depths, and
 * counts what it does by itself. Prints blocks and bytes allocated, blocks and
 * bytes that are left. A realloc is an allocation and a free. A pool's block and
 * one that is tracked by hand have domains of their own.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloctrace.h"

enum { N_THREADS = 4, N_SLOTS = 512, N_STEPS = 4000 };
enum { POOLED_SIZE = 4321, TRACKED_SIZE = 54321 };

struct block {
    char *bytes;
    size_t size;
};

struct state {
    uint32_t seed;
    struct block blocks[N_SLOTS];
    unsigned long long counts[4]; /* what main prints */
};

static struct state states[N_THREADS];

static uint32_t draw(struct state *state, uint32_t limit)
{
    state->seed = state->seed * 1664525u + 1013904223u;
    return (state->seed >> 8) % limit;
}

static void count(struct state *state, const struct block *block)
{
    if (!block->bytes)
        abort();
    state->counts[0]++;
    state->counts[1] += block->size;
    state->counts[2]++;
    state->counts[3] += block->size;
    memset(block->bytes, 1, block->size);
}

static void forget(struct state *state, const struct block *block)
{
    if (block->bytes) {
        state->counts[2]--;
        state->counts[3] -= block->size;
    }
}

static size_t size_of(struct state *state)
{
    return draw(state, 100) == 0 ? 5000000 + draw(state, 1000)
                                : 1 + draw(state, 1 << draw(state, 14));
}

__attribute__((noinline)) static void renew(struct state *state,
                                            struct block *block)
{
    void *aligned = NULL;
    char text[64] = "";

    forget(state, block);
    if (block->bytes && draw(state, 3) == 0) {
        block->size = size_of(state);
        block->bytes = realloc(block->bytes, block->size);
        count(state, block);
        return;
    }
    free(block->bytes);
    block->size = size_of(state);
    switch (draw(state, 6)) {
    case 0:
        block->bytes = calloc(block->size, 1);
        break;
    case 1:
        if (posix_memalign(&aligned, (size_t)8 << draw(state, 9), block->size))
            abort();
        block->bytes = aligned;
        break;
    case 2:
        block->size = 1 + draw(state, 63);
        memset(text, 'x', block->size - 1);
        block->bytes = strdup(text);
        break;
    case 3:
        block->bytes = memalign(64, block->size);
        break;
    case 4:
        block->bytes = NULL;
        return;
    default:
        block->bytes = malloc(block->size);
    }
    count(state, block);
}

/* The same at some depth, so that there are many paths. */
__attribute__((noinline)) static int descend(struct state *state, int depth)
{
    if (depth == 0) {
        renew(state, &state->blocks[draw(state, N_SLOTS)]);
        return 0;
    }
    return descend(state, depth - 1) + 1;
}

static void *work(void *argument)
{
    struct state *state = argument;
    int sum = 0;

    for (int i = 0; i < N_STEPS; i++)
        sum += descend(state, (int)draw(state, 12));
    return (void *)(intptr_t)sum;
}

/* What one thread left, another one frees. */
static void exchange(struct state *to, struct state *from)
{
    for (int i = 0; i < N_SLOTS; i += 2) {
        forget(to, &from->blocks[i]);
        free(from->blocks[i].bytes);
    }
}

__attribute__((noinline)) static void *keep(struct state *state, size_t size)
{
    struct block block = {malloc(size), size};

    count(state, &block);
    return block.bytes;
}

__attribute__((noinline)) static void *third(struct state *state, size_t size)
{
    void *block = keep(state, size - 1);

    ((char *)block)[0] = 3;
    return block;
}

__attribute__((noinline)) static void *second(struct state *state, size_t size)
{
    void *block = third(state, size - 1);

    ((char *)block)[1] = 2;
    return block;
}

__attribute__((noinline)) static void *first(struct state *state, size_t size)
{
    void *block = second(state, size - 1);

    ((char *)block)[2] = 1;
    return block;
}

void pool_free(void *block);
void *pool_alloc(size_t size) __attribute__((malloc(pool_free), alloc_size(1)));

static char pool[2 * POOLED_SIZE];

__attribute__((noipa)) void pool_free(void *block)
{
    memset(block, 0, 1);
}

__attribute__((noipa)) void *pool_alloc(size_t size)
{
    return pool + sizeof pool - size;
}

__attribute__((noinline)) static void keep_pooled(struct state *state)
{
    struct block block = {pool_alloc(POOLED_SIZE), POOLED_SIZE};

    count(state, &block);
}

__attribute__((noinline)) static void keep_tracked(struct state *state)
{
    static char bytes[TRACKED_SIZE];
    struct block block = {bytes, TRACKED_SIZE};

    if (alloctrace_track(1, bytes, TRACKED_SIZE) != 0)
        abort();
    count(state, &block);
}

int main(void)
{
    pthread_t threads[N_THREADS];
    unsigned long long sums[4] = {0};
    void *volatile kept;

    for (int i = 0; i < N_THREADS; i++) {
        states[i].seed = 12345u + (uint32_t)i;
        if (pthread_create(&threads[i], NULL, work, &states[i]) != 0)
            return 2;
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    exchange(&states[0], &states[1]);
    kept = first(&states[0], 7654324);
    keep_pooled(&states[0]);
    keep_tracked(&states[0]);
    for (int i = 0; i < N_THREADS; i++)
        for (int k = 0; k < 4; k++)
            sums[k] += states[i].counts[k];
    printf("%llu %llu %llu %llu\n", sums[0], sums[1], sums[2], sums[3]);
    (void)kept;
    return 0;
}
