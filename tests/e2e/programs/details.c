/* SPDX-License-Identifier: MIT */
/*
 * Temporary blocks, sizes and reallocs that are evident from the source. It
 * prints what only the C library decides: how many of the reallocs of `grow`
 * left the block where it was, and the bytes that the others moved.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloctrace.h"

/* What is stored here is used, for all that the compiler knows. */
static void *volatile sink;
static volatile size_t huge = SIZE_MAX / 2 + 1;

static void *used(void *block)
{
    sink = block;
    return block;
}

static void temporary(void)
{
    for (int i = 0; i < 100; i++)
        free(used(malloc(24))); /* @temporary */
}

/* The first of two has not been the thread's newest block for a while. */
static void pair(void)
{
    for (int i = 0; i < 10; i++) {
        void *first = used(malloc(40)); /* @first */
        void *second = used(malloc(50)); /* @second */

        free(first);
        free(second);
    }
}

static void sizes(void)
{
    static const size_t all[] = {0, 0, 1, 2, 3, 4, 5, 8, 9, 4096, 4097};
    void *blocks[11];

    for (int i = 0; i < 11; i++)
        blocks[i] = used(malloc(all[i])); /* @sizes */
    for (int i = 0; i < 11; i++)
        free(blocks[i]);
}

static void grow(void)
{
    size_t moved = 0;
    unsigned in_place = 0;
    char *block = used(malloc(1000)); /* @begin */
    void *behind = used(malloc(1000)); /* @behind */

    for (size_t size = 600; size < 60000; size = size == 600 ? 1200 : 2 * size) {
        const uintptr_t before = (uintptr_t)block;
        const size_t had = size == 600 ? 1000 : size == 1200 ? 600 : size / 2;

        block = used(realloc(block, size)); /* @grow */
        if ((uintptr_t)block == before)
            in_place++;
        else
            moved += had < size ? had : size;
    }
    free(behind);
    free(block);
    printf("%u %zu\n", in_place, moved);
}

/* It is still there, and then no longer the newest. */
static void fail(void)
{
    void *block = used(malloc(70)); /* @fail */
    void *other;

    if (realloc(block, huge))
        abort();
    other = used(malloc(1)); /* @other */
    free(block);
    free(other);
}

static void *thread(void *unused)
{
    (void)unused;
    for (int i = 0; i < 7; i++)
        free(used(malloc(16))); /* @thread */
    return used(malloc(80)); /* @foreign */
}

int main(void)
{
    pthread_t id;
    void *result;

    temporary();
    pair();
    sizes();
    grow();
    fail();
    pthread_create(&id, NULL, thread, NULL);
    pthread_join(id, &result);
    free(result); /* by another thread than its own */
    alloctrace_track(9, &id, 128); /* @track */
    alloctrace_untrack(9, &id);
    return 0;
}
