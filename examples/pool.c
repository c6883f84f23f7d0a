/* SPDX-License-Identifier: MIT */
/*
 * A pool of the program's own, in a domain of its own: what the pool gives out
 * is tracked beside the memory that it took from malloc. Statistics by domain
 * and a filter tell the two apart.
 *
 *     alloctrace-gcc -g -O2 pool.c -o pool
 *     ./pool
 *
 * Or, without the wrapper:
 *
 *     gcc -g -O2 $(alloctrace cflags) pool.c -o pool $(alloctrace ldflags)
 *
 * It prints:
 *
 *     malloc: size=64.0 KiB, count=1, average=64.0 KiB
 *     7: size=400 B, count=10, average=40 B
 *     pool.c:118: size=400 B, count=10
 */
#include <alloctrace/analysis.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The number of the pool's domain; any from 1 to 2147483647 will do. */
#define POOL_DOMAIN 7

/* Ends the program if the library could not do what was asked of it. */
static void check(int code)
{
    if (code < 0) {
        fprintf(stderr, "pool: %s\n", alloctrace_strerror(code));
        exit(1);
    }
}

/* A pool that only grows; its blocks are freed in any order, but not reused. */
struct pool {
    char *memory;
    size_t used;
};

/* What alloctrace_track returns is ignored: a program that is not being traced
 * runs on. */
static void *pool_take(struct pool *pool, size_t size)
{
    void *block = pool->memory + pool->used;

    pool->used += (size + 15) / 16 * 16;
    alloctrace_track(POOL_DOMAIN, block, size);
    return block;
}

static void pool_give(void *block)
{
    alloctrace_untrack(POOL_DOMAIN, block);
}

/* Prints how much each domain holds. */
static void print_domains(const alloctrace_snapshot *snapshot)
{
    struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = ALLOCTRACE_BY_DOMAIN};
    alloctrace_statistics *statistics;

    check(alloctrace_snapshot_statistics(snapshot, &options, &statistics));
    for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++) {
        char line[256];

        alloctrace_statistics_format(statistics, i, 0, line, sizeof line);
        puts(line);
    }
    alloctrace_statistics_free(statistics);
}

/* Prints who took what is live of the pool: the callers of pool_take. */
static void print_takers(const alloctrace_snapshot *snapshot)
{
    struct alloctrace_filter filter =
        alloctrace_domain_filter_make(1, POOL_DOMAIN);
    alloctrace_snapshot *blocks;

    check(alloctrace_snapshot_filter_traces(snapshot, &filter, 1, &blocks));
    for (size_t i = 0; i < alloctrace_snapshot_trace_count(blocks); i++) {
        const struct alloctrace_trace *trace =
            alloctrace_snapshot_trace(blocks, i);
        const struct alloctrace_frame *caller;
        alloctrace_traceback *traceback;

        if (trace->live_blocks == 0)
            continue;
        check(alloctrace_snapshot_traceback(blocks, trace->traceback,
                                            &traceback));
        caller = alloctrace_traceback_frame(traceback, -2);
        printf("%s:%" PRIu32 ": size=%" PRId64 " B, count=%" PRId64 "\n",
               caller->file, caller->line, trace->live_bytes,
               trace->live_blocks);
        alloctrace_traceback_free(traceback);
    }
    alloctrace_snapshot_free(blocks);
}

int main(void)
{
    alloctrace_snapshot *snapshot;
    struct pool pool = {NULL, 0};
    void *first;

    check(alloctrace_start(ALLOCTRACE_ALL_FRAMES));
    /* heap: 1 x 65536 B */
    pool.memory = malloc(65536);
    if (!pool.memory)
        return 1;
    first = pool_take(&pool, 1000);
    for (int i = 0; i < 10; i++)
        /* pool: 10 x 40 B */
        pool_take(&pool, 40);
    pool_give(first);
    check(alloctrace_take_snapshot(&snapshot));

    print_domains(snapshot);
    print_takers(snapshot);
    alloctrace_snapshot_free(snapshot);
    free(pool.memory);
    return 0;
}
