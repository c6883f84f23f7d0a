/* SPDX-License-Identifier: MIT */
/*
 * Operations whose instructions bench/instructions counts: operations
 *
 * Each is done a few times, the same again, and many times; each time prints
 * `how-often name`. What is counted lies between the calls of counted_begin and
 * counted_end: callgrind is told to look for these. What happens once is in the
 * first time, or in the second and third alike: their difference is left.
 *
 * Nothing here depends on the processor: blocks are so small that the C library
 * clears and copies them with plain instructions.
 */
#include "work.h"

#include <alloctrace.h>

#include <pthread.h>
#include <stdio.h>

enum { SMALL = 40, PATH_BITS = 12, PATHS = 1 << PATH_BITS, MAX_FOREIGN = 1500 };

/* The C library's own, which no tracer sees. */
void *__libc_malloc(size_t size);

WHOLE void counted_begin(void)
{
    TOUCH(NULL);
}

WHOLE void counted_end(void)
{
    TOUCH(NULL);
}

/* ---- Pairs ---- */

/* The levels, and main, count, this, a caller and the work around them. */
WHOLE void pairs(void (*work)(struct job *), unsigned depth, unsigned n)
{
    struct job job = {.work = work, .n_levels = depth - 5, .n_pairs = n};

    level_1(&job);
    TOUCH(&job);
}

WHOLE void pairs_10(unsigned n)
{
    pairs(flat, 10, n);
    TOUCH(NULL);
}

WHOLE void pairs_100(unsigned n)
{
    pairs(flat, 100, n);
    TOUCH(NULL);
}

WHOLE void pairs_fresh(unsigned n)
{
    pairs(fresh_6, 10, n);
    TOUCH(NULL);
}

/* ---- Other operations ---- */

WHOLE void callocs(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(used(calloc(1, SMALL)));
}

/* In place: a block of 24 bytes has room for 16, and the other way round. */
WHOLE void reallocs(unsigned n)
{
    void *block = used(malloc(24));

    for (unsigned i = 0; i < n; i++)
        block = used(realloc(block, i % 2 ? 24 : 16));
    free(block);
}

static void *foreign[MAX_FOREIGN];

static void foreign_init(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        foreign[i] = used(__libc_malloc(SMALL));
}

WHOLE void foreign_free(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(foreign[i]);
}

WHOLE void *thread_run(void *unused)
{
    pair(SMALL);
    return unused;
}

WHOLE void threads(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, thread_run, NULL))
            exit(1);
        pthread_join(thread, NULL);
    }
}

static volatile unsigned after_call;

/* Each bit of `path` is a turn, the highest first. */
WHOLE void go(unsigned path, unsigned n_bits)
{
    if (n_bits == 0)
        pair(SMALL), after_call = 0;
    else if (path >> (n_bits - 1) & 1)
        go(path, n_bits - 1), after_call = 1; /* two calls, not one */
    else
        go(path, n_bits - 1), after_call = 2;
}

/* So many that were never gone before: each has, in the mean, two frames that
 * none before it had. */
WHOLE void paths(unsigned n)
{
    static unsigned next;

    for (unsigned i = 0; i < n; i++)
        go(next++, PATH_BITS);
}

WHOLE void dump(unsigned n)
{
    (void)n; /* paths there are now */
    (void)alloctrace_dump("/dev/null");
}

/* ---- All of them ---- */

WHOLE void count(const char *name, void (*work)(unsigned n), unsigned n)
{
    if (work == foreign_free)
        foreign_init(n);
    counted_begin();
    work(n);
    counted_end();
    printf("%u %s\n", n, name);
}

static const struct operation {
    const char *name;
    void (*work)(unsigned n);
    unsigned few;
} operations[] = {
    {"pair, 10 deep", pairs_10, 4 * N_SIZES},
    {"pair, 100 deep", pairs_100, 4 * N_SIZES},
    {"pair, 6 fresh frames", pairs_fresh, 4 * N_SIZES},
    {"calloc and free", callocs, 1000},
    {"realloc in place", reallocs, 1000},
    {"free, unknown block", foreign_free, 500},
    {"thread with a pair", threads, 50},
};

int main(void)
{
    sizes_init();
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++)
        for (unsigned times = 0; times < 3; times++)
            count(operations[i].name, operations[i].work,
                  operations[i].few * (times == 2 ? 3 : 1));
    for (unsigned n = PATHS / 4; n <= PATHS; n *= 2) {
        count("pair, new path", paths, n == PATHS ? n / 2 : PATHS / 4);
        count("dump, a path", dump, n);
    }
    return 0;
}
