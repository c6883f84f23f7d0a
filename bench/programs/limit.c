/* SPDX-License-Identifier: MIT */
/*
 * What a malloc and free pair takes, in nanoseconds of processor time, with
 * blocks of 16 to 1024 bytes, as in pairs.c; here also with the work of an
 * ideal tool (ideal.h) in the program:
 *
 *     flat N     pairs in a loop that stands N frames deep
 *     fresh N    N new frames are entered before each pair, and left after it
 *     random     a million blocks are live; one that is chosen at random is
 *                freed and another allocated
 *     trees      binary trees of 2047 nodes are built and cut down again: a
 *                frame a node, 11 call paths
 *     threads    `flat 5` in each of two threads
 *
 *     limit CASE PAIRS BATCHES
 *
 * prints the least time of a pair of several batches of PAIRS pairs each; of
 * trees a pair is a node, and with threads PAIRS are each one's.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ideal.h"
#include "sizes.h"

#define N_LIVE 1000000
#define N_THREADS 2
#define FRESH_BASE 5
#define TREE_DEPTH 10
#define TREE_NODES ((2u << TREE_DEPTH) - 1)

static void *blocks[N_LIVE];

/* What is to be done at a certain depth. */
struct job {
    const char *name;                   /* of the case */
    void (*work)(struct job *job PATH); /* has a frame, calls MALLOC or on */
    unsigned depth;        /* frames of it, main's and its own too */
    unsigned long n_pairs; /* a batch */
    unsigned n_batches;
    double least_ns; /* of a batch; result */
};

struct node {
    struct node *children[2];
};

WHOLE void flat(struct job *job PATH)
{
    for (unsigned long i = 0; i < job->n_pairs; i++)
        FREE(used(MALLOC(sizes[i % N_SIZES])));
}

WHOLE void pair(size_t size PATH)
{
    FREE(used(MALLOC(size)));
}

#define FRESH(name, next)             \
    WHOLE void name(size_t size PATH) \
    {                                 \
        next(size VIA);               \
        TOUCH(NULL);                  \
    }
FRESH(fresh_1, pair)
FRESH(fresh_2, fresh_1)
FRESH(fresh_3, fresh_2)
FRESH(fresh_4, fresh_3)
FRESH(fresh_5, fresh_4)

WHOLE void fresh_two(struct job *job PATH)
{
    for (unsigned long i = 0; i < job->n_pairs; i++)
        fresh_1(sizes[i % N_SIZES] VIA);
}

WHOLE void fresh_six(struct job *job PATH)
{
    for (unsigned long i = 0; i < job->n_pairs; i++)
        fresh_5(sizes[i % N_SIZES] VIA);
}

WHOLE void random_order(struct job *job PATH)
{
    for (unsigned long i = 0; i < job->n_pairs; i++) {
        const uint32_t number = random_next();
        void **const block =
            &blocks[(uint32_t)((uint64_t)number * N_LIVE >> 32)];

        FREE(*block);
        *block = used(MALLOC(sizes[number % N_SIZES]));
    }
}

WHOLE struct node *grow(unsigned depth PATH)
{
    struct node *const node = used(MALLOC(sizeof *node));

    for (unsigned i = 0; i < 2; i++)
        node->children[i] = depth > 0 ? grow(depth - 1 VIA) : NULL;
    return node;
}

WHOLE void cut(struct node *node)
{
    for (unsigned i = 0; i < 2; i++)
        if (node->children[i])
            cut(node->children[i]);
    FREE(node);
}

WHOLE void trees(struct job *job PATH)
{
    for (unsigned long i = 0; i < job->n_pairs; i += TREE_NODES)
        cut(grow(TREE_DEPTH VIA));
}

/* The chain: level_1 .. level_99, each a function of its own. The one whose
 * turn it is calls what is to be done. */
#define LEVEL(n, next)                         \
    WHOLE void level_##n(struct job *job PATH) \
    {                                          \
        if (job->depth > n + 3)                \
            next(job VIA);                     \
        else                                   \
            job->work(job VIA);                \
        TOUCH(job);                            \
    }
#define TEN(t, next)          \
    LEVEL(t##9, next)         \
    LEVEL(t##8, level_##t##9) \
    LEVEL(t##7, level_##t##8) \
    LEVEL(t##6, level_##t##7) \
    LEVEL(t##5, level_##t##6) \
    LEVEL(t##4, level_##t##5) \
    LEVEL(t##3, level_##t##4) \
    LEVEL(t##2, level_##t##3) \
    LEVEL(t##1, level_##t##2) \
    LEVEL(t##0, level_##t##1)

WHOLE void too_deep(struct job *job PATH)
{
    fprintf(stderr, "limit: %s: that deep it does not go\n", job->name);
    exit(1);
}

TEN(9, too_deep)
TEN(8, level_90)
TEN(7, level_80)
TEN(6, level_70)
TEN(5, level_60)
TEN(4, level_50)
TEN(3, level_40)
TEN(2, level_30)
TEN(1, level_20)
LEVEL(9, level_10)
LEVEL(8, level_9)
LEVEL(7, level_8)
LEVEL(6, level_7)
LEVEL(5, level_6)
LEVEL(4, level_5)
LEVEL(3, level_4)
LEVEL(2, level_3)
LEVEL(1, level_2)

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

WHOLE void measure(struct job *job PATH)
{
    for (unsigned batch = 0; batch < job->n_batches; batch++) {
        const double begin = now_ns();
        double ns;

        level_1(job VIA);
        ns = (now_ns() - begin) / (double)job->n_pairs;
        if (batch <= 1 || ns < job->least_ns) /* the first one warms up */
            job->least_ns = ns;
    }
}

static struct job jobs[] = {
    {"flat 5", flat, 5, 0, 0, 0},
    {"flat 20", flat, 20, 0, 0, 0},
    {"flat 100", flat, 100, 0, 0, 0},
    {"fresh 2", fresh_two, FRESH_BASE, 0, 0, 0},
    {"fresh 6", fresh_six, FRESH_BASE, 0, 0, 0},
    {"random", random_order, 5, 0, 0, 0},
    {"trees", trees, 5, 0, 0, 0},
    {"threads", flat, 5, 0, 0, 0},
};
#define N_JOBS (sizeof jobs / sizeof *jobs)

WHOLE void blocks_init(unsigned n PATH)
{
    for (unsigned i = 0; i < n; i++)
        blocks[i] = used(MALLOC(sizes[i % N_SIZES]));
}

WHOLE void *thread(void *job)
{
    ROOT

    IDEAL_BEGIN();
    measure(job VIA);
    return NULL;
}

/* The case in several threads at once; the result is their mean. */
static void measure_threads(struct job *job)
{
    pthread_t threads[N_THREADS];
    struct job parts[N_THREADS];

    for (unsigned i = 0; i < N_THREADS; i++) {
        parts[i] = *job;
        if (pthread_create(&threads[i], NULL, thread, &parts[i]))
            exit(1);
    }
    for (unsigned i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        job->least_ns += parts[i].least_ns / N_THREADS;
    }
}

static struct job *find(const char *name)
{
    for (unsigned i = 0; i < N_JOBS; i++)
        if (strcmp(jobs[i].name, name) == 0)
            return &jobs[i];
    fprintf(stderr, "limit: no case '%s'\n", name);
    exit(1);
}

int main(int argc, char **argv)
{
    ROOT
    static char buffer[BUFSIZ]; /* the C library's own would be at the peak */
    struct job *const job = find(argc == 4 ? argv[1] : "");

    job->n_pairs = strtoul(argv[2], NULL, 10);
    job->n_batches = (unsigned)strtoul(argv[3], NULL, 10);
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    IDEAL_BEGIN();
    sizes_init();
    if (job->work == random_order)
        blocks_init(N_LIVE VIA);
    if (strcmp(job->name, "threads") == 0)
        measure_threads(job);
    else
        measure(job VIA);
    printf("%.3f\n", job->least_ns);
    IDEAL_END();
    return 0;
}
