/* SPDX-License-Identifier: MIT */
/*
 * A pool of the program's own, in a domain of its own: what the pool gives out
 * is tracked beside the memory that it takes from malloc. Statistics by domain
 * and a filter tell the two apart.
 *
 *     alloctrace-gcc -g -O2 pool.c -o pool
 *     ./pool
 *
 * By hand: gcc -g -O2 $(alloctrace cflags) pool.c -o pool $(alloctrace ldflags)
 *
 * Prints:
 */
#include <alloctrace/analysis.h>

#include <stdio.h>
#include <stdlib.h>

/* The number of the pool's domain; any from 1 to 2147483647 will do. */
#define POOL_DOMAIN 7

/* Ends the program if the library could not do what was asked of it. */
static void check(int code)
{
    if (code) {
        fprintf(stderr, "pool: %s\n", alloctrace_strerror(code));
        exit(1);
    }
}

/* A pool that only grows; its blocks are freed in any order, but not reused. */
struct pool {
    char *memory;
    size_t used;
};

/* What the program calls has a call path; so does each call of the pool. The
 * result is ignored: a program that is not being traced runs on. */
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

static void print(const alloctrace_snapshot *snapshot, int group_by)
{
    struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = group_by};
    alloctrace_statistics *statistics;

    check(alloctrace_snapshot_statistics(snapshot, &options, &statistics));
    for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++) {
        char line[256];

        alloctrace_statistics_format(statistics, i, 0, line, sizeof line);
        puts(line);
    }
    alloctrace_statistics_free(statistics);
}

int main(void)
{
    struct alloctrace_filter only_pool =
        alloctrace_domain_filter_make(1, POOL_DOMAIN);
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *pool_blocks;
    struct pool pool = {NULL, 0};
    void *first;

    check(alloctrace_start(ALLOCTRACE_ALL_FRAMES));
    /* malloc: 1 x 65536 B */
    pool.memory = malloc(65536);
    if (!pool.memory)
        return 1;
    first = pool_take(&pool, 1000);
    for (int i = 0; i < 10; i++)
        pool_take(&pool, 40);
    pool_give(first);
    check(alloctrace_take_snapshot(&snapshot));

    puts("by domain:");
    print(snapshot, ALLOCTRACE_BY_DOMAIN);
    check(alloctrace_snapshot_filter_traces(snapshot, &only_pool, 1,
                                            &pool_blocks));
    puts("of the pool:");
    print(pool_blocks, ALLOCTRACE_BY_LINENO);

    alloctrace_snapshot_free(pool_blocks);
    alloctrace_snapshot_free(snapshot);
    free(pool.memory);
    return 0;
}
