/* SPDX-License-Identifier: MIT */
/*
 * What a malloc and free pair takes, in nanoseconds of processor time, with
 * blocks of 16 to 1024 bytes:
 *
 *     flat N     pairs in a loop that stands N frames deep
 *     fresh N    N new frames are entered before each pair, and left after it
 *     random     a million blocks are live; one that is chosen at random is
 *                freed and another allocated
 *
 *     pairs [--pairs NUMBER CASE]
 *
 * prints a line `case ns` for each: the least of several batches. With --pairs
 * it runs one case once with so many pairs and measures nothing: for counting
 * instructions.
 *
 * Depth is that of the traceback: main, measure, as many levels as are needed,
 * the case's function, and for `fresh` those that are entered anew, the last of
 * which calls malloc. bench/pairs checks it with a dump.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_SIZES 256
#define N_LIVE 1000000
#define FRESH_BASE 5

/* Keeps a function whole: not inlined, cloned or looked into. */
#define WHOLE __attribute__((noipa)) static

/* The compiler must take it that the block is read and written here; and a
 * call before this is no tail call. */
#define TOUCH(block) __asm__ volatile("" : : "r"(block) : "memory")

static size_t sizes[N_SIZES];
static void *blocks[N_LIVE];

/* What is to be done at a certain depth. */
struct job {
    const char *name;              /* of the case */
    void (*work)(struct job *job); /* has a frame, calls malloc or `pair` */
    unsigned depth;                /* frames of it, main's and its own too */
    unsigned long n_pairs;         /* pairs a batch */
    unsigned n_batches;            /* one of which is not counted */
    double least_ns;               /* of a batch; result */
};

static uint32_t random_next(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

/* Half of the blocks have up to 32 bytes, one in 64 up to 1024. */
static void sizes_init(void)
{
    for (unsigned i = 0; i < N_SIZES; i++) {
        const uint32_t number = random_next();
        unsigned class = 0;

        while (class < 6 && (number >> class & 1))
            class ++;
        sizes[i] = (16u << class) + (number >> 8) % ((16u << class) + 1);
    }
}

/* The block, which is there and in use. (malloc stands in the callers: what is
 * inlined would be a frame more.) */
static void *used(void *block)
{
    if (!block)
        exit(1);
    TOUCH(block);
    return block;
}

WHOLE void flat(struct job *job)
{
    for (unsigned long i = 0; i < job->n_pairs; i++)
        free(used(malloc(sizes[i % N_SIZES])));
}

WHOLE void pair(size_t size)
{
    free(used(malloc(size)));
}

#define FRESH(name, next)        \
    WHOLE void name(size_t size) \
    {                            \
        next(size);              \
        TOUCH(NULL);             \
    }
FRESH(fresh_1, pair)
FRESH(fresh_2, fresh_1)
FRESH(fresh_3, fresh_2)
FRESH(fresh_4, fresh_3)
FRESH(fresh_5, fresh_4)

WHOLE void fresh_two(struct job *job)
{
    for (unsigned long i = 0; i < job->n_pairs; i++)
        fresh_1(sizes[i % N_SIZES]);
}

WHOLE void fresh_six(struct job *job)
{
    for (unsigned long i = 0; i < job->n_pairs; i++)
        fresh_5(sizes[i % N_SIZES]);
}

WHOLE void random_order(struct job *job)
{
    for (unsigned long i = 0; i < job->n_pairs; i++) {
        const uint32_t number = random_next();
        void **const block =
            &blocks[(uint32_t)((uint64_t)number * N_LIVE >> 32)];

        free(*block);
        *block = used(malloc(sizes[number % N_SIZES]));
    }
}

/* The chain: level_1 .. level_99, each a function of its own. The one whose
 * turn it is calls what is to be done. */
#define LEVEL(n, next)                    \
    WHOLE void level_##n(struct job *job) \
    {                                     \
        if (job->depth > n + 3)           \
            next(job);                    \
        else                              \
            job->work(job);               \
        TOUCH(job);                       \
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

WHOLE void too_deep(struct job *job)
{
    fprintf(stderr, "pairs: %s: that deep it does not go\n", job->name);
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

WHOLE void measure(struct job *job)
{
    for (unsigned batch = 0; batch < job->n_batches; batch++) {
        const double begin = now_ns();
        double ns;

        level_1(job);
        ns = (now_ns() - begin) / (double)job->n_pairs;
        if (batch <= 1 || ns < job->least_ns)
            job->least_ns = ns;
    }
}

static struct job jobs[] = {
    {"flat 5", flat, 5, 200000, 12, 0},
    {"flat 20", flat, 20, 200000, 12, 0},
    {"flat 100", flat, 100, 200000, 12, 0},
    {"fresh 2", fresh_two, FRESH_BASE, 200000, 12, 0},
    {"fresh 6", fresh_six, FRESH_BASE, 200000, 12, 0},
    {"random", random_order, 5, N_LIVE, 4, 0},
};
#define N_JOBS (sizeof jobs / sizeof *jobs)

static void blocks_init(void)
{
    for (unsigned i = 0; i < N_LIVE; i++)
        blocks[i] = used(malloc(sizes[i % N_SIZES]));
}

static struct job *find(const char *name)
{
    for (unsigned i = 0; i < N_JOBS; i++)
        if (strcmp(jobs[i].name, name) == 0)
            return &jobs[i];
    fprintf(stderr, "pairs: no case '%s'\n", name);
    exit(1);
}

int main(int argc, char **argv)
{
    struct job *only = NULL;

    if (argc == 4 && strcmp(argv[1], "--pairs") == 0) {
        only = find(argv[3]);
        only->n_pairs = strtoul(argv[2], NULL, 10);
        only->n_batches = 1;
    }
    sizes_init();
    for (unsigned i = 0; i < N_JOBS; i++) {
        if (only && only != &jobs[i])
            continue;
        if (jobs[i].work == random_order)
            blocks_init();
        measure(&jobs[i]);
        if (!only)
            printf("%s %.3f\n", jobs[i].name, jobs[i].least_ns);
    }
    return 0;
}
