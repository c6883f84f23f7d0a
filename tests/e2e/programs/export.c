/* SPDX-License-Identifier: MIT */
/*
 * Blocks of known sizes from known lines, for tests of what is exported: some
 * of each path freed, also by another thread than the one that allocated;
 * mapped pages, a named allocator, recursion, sizes of 0 and large ones.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "alloctrace.h"

/* What is stored here is used, for all that the compiler knows. */
static void *volatile sink;

static void *handed[64];

static void *used(void *block)
{
    sink = block;
    return block;
}

static void sizes(void)
{
    for (size_t i = 0; i < 1000; i++) {
        void *block = used(malloc(i % 10 * 7)); /* @sizes */

        if (i % 3 == 0)
            free(block);
    }
    used(calloc(300, 1000)); /* @calloc */
    used(malloc(0)); /* @zero */
    used(malloc((size_t)3 << 20));
}

static void recurse(int depth)
{
    used(malloc((size_t)depth * 16)); /* @depth */
    if (depth > 0)
        recurse(depth - 1);
}

static void *other_thread(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "other");
    for (int i = 0; i < 40; i++)
        free(handed[i]);
    for (int i = 0; i < 5; i++)
        used(malloc(11)); /* @thread */
    return NULL;
}

static void hand(void)
{
    pthread_t thread;

    for (int i = 0; i < 64; i++)
        handed[i] = used(malloc((size_t)i)); /* @hand */
    pthread_create(&thread, NULL, other_thread, NULL);
    pthread_join(thread, NULL);
}

int main(void)
{
    static char pool[3];

    sizes();
    recurse(12);
    hand();
    sink = mmap(NULL, 12288, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, /* @map */
                0);
    alloctrace_track(7, &pool[0], 100); /* @track */
    alloctrace_track(7, &pool[1], 4096);
    alloctrace_track(0x7fffffff, &pool[2], 1);
    return 0;
}
