/* SPDX-License-Identifier: MIT */
/*
 * Starts and stops tracing again and again, and does the same each time:
 *
 *     restarts DUMP...
 *
 * writes a dump before each stop. What it does between a stop and a start, and
 * what becomes of blocks and mappings of an earlier time, is nobody's. It ends
 * with 0 if nothing is traced when tracing has been stopped or just begun.
 */
#define _GNU_SOURCE
#include <alloctrace.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define N_TEMPORARY 10

/* What the last time has left. */
static void *kept, *resized, *mapping;

static void check(int is_good)
{
    if (!is_good)
        _exit(1);
}

static void *used(void *block)
{
    void *volatile same = block;

    check(same != NULL && same != MAP_FAILED);
    return same;
}

static void check_nothing_is_traced(int is_tracing)
{
    uint64_t current;
    uint64_t peak;

    check(alloctrace_is_tracing() == is_tracing);
    check(alloctrace_get_traced_memory(&current, &peak) == 0);
    check(current == 0 && peak == 0);
}

static void work(void)
{
    void *const old = kept;
    void *block;

    kept = used(malloc(1000)); /* @kept */
    free(old);
    for (int i = 0; i < N_TEMPORARY; i++)
        free(used(malloc(24))); /* @temporary */
    block = used(malloc(100)); /* @begun */
    free(resized);
    resized = used(realloc(block, 3000)); /* @grown */
}

/* What is not known is made known when it is resized. */
static void resize_old(void)
{
    if (resized)
        resized = used(realloc(resized, 5000)); /* @again */
}

static void map(void)
{
    if (mapping)
        check(munmap(mapping, 3 * PAGE) == 0);
    mapping = used(mmap(NULL, 4 * PAGE, PROT_NONE, /* @mapped */
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    check(munmap((char *)mapping + 3 * PAGE, PAGE) == 0);
}

static void *in_thread(void *unused)
{
    free(used(malloc(50))); /* @thread */
    return unused;
}

static void run_thread(void)
{
    pthread_t thread;

    check(pthread_create(&thread, NULL, in_thread, NULL) == 0);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    check(alloctrace_stop() == 0);
    for (int i = 1; i < argc; i++) {
        check_nothing_is_traced(0);
        check(alloctrace_start(ALLOCTRACE_ALL_FRAMES) == 0);
        check_nothing_is_traced(1);
        resize_old();
        work();
        map();
        run_thread();
        check(alloctrace_dump(argv[i]) == 0);
        check(alloctrace_stop() == 0);
        free(used(malloc(77))); /* @untraced */
    }
    check_nothing_is_traced(0);
    return 0;
}
