/* SPDX-License-Identifier: MIT */
/*
 * What a malloc and free pair takes, in nanoseconds of processor time, with
 * blocks of 16 to 1024 bytes:
 *
 *     pairs GROUP X [PAIRS BATCHES]
 *
 *     depth X      pairs in a loop that stands X frames deep
 *     fresh X      X new frames are entered before each pair, and left after it
 *     live X       X blocks are live; the oldest is freed and another allocated
 *     random X     X blocks are live; one that is chosen at random is freed and
 *                  another allocated
 *     threads X    X threads do pairs in a loop of their own, all at once
 *
 * prints the least of the batches but the first; of several threads the mean.
 * PAIRS are those of one thread in one batch. With BATCHES 1 that is all that
 * is done. bench/pairs checks with a dump that the traceback is as deep as it
 * should be (work.h).
 */
#include "work.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 64, MAX_BATCHES = 64, N_BATCHES = 12 };

/* One thread of the program. */
struct worker {
    struct job job;
    unsigned depth;
    unsigned n_batches;
    double ns[MAX_BATCHES]; /* of a pair; result */
    pthread_t thread;
};

static struct worker workers[MAX_THREADS];
static unsigned n_workers = 1;
static pthread_barrier_t barrier; /* before each batch of several threads */

WHOLE void in_order(struct job *job)
{
    for (unsigned long i = 0; i < job->n_pairs; i++) {
        void **const block = &job->blocks[job->oldest];

        free(*block);
        *block = used(malloc(sizes[i % N_SIZES]));
        if (++job->oldest == job->n_live)
            job->oldest = 0;
    }
}

WHOLE void random_order(struct job *job)
{
    for (unsigned long i = 0; i < job->n_pairs; i++) {
        const uint32_t number = random_next();
        void **const block =
            &job->blocks[(uint32_t)((uint64_t)number * job->n_live >> 32)];

        free(*block);
        *block = used(malloc(sizes[number % N_SIZES]));
    }
}

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

WHOLE void measure(struct worker *worker)
{
    struct job *const job = &worker->job;

    for (unsigned batch = 0; batch < worker->n_batches; batch++) {
        double begin;

        if (n_workers > 1)
            pthread_barrier_wait(&barrier);
        job->n_levels = levels_of(worker->depth);
        begin = now_ns();
        level_1(job);
        worker->ns[batch] = (now_ns() - begin) / (double)job->n_pairs;
    }
}

WHOLE void *thread_run(void *worker)
{
    measure(worker);
    TOUCH(worker);
    return NULL;
}

static void threads_run(void)
{
    pthread_barrier_init(&barrier, NULL, n_workers);
    for (unsigned i = 0; i < n_workers; i++) {
        workers[i] = workers[0];
        if (pthread_create(&workers[i].thread, NULL, thread_run, &workers[i]))
            exit(1);
    }
    for (unsigned i = 0; i < n_workers; i++)
        pthread_join(workers[i].thread, NULL);
}

/* Of the batches but the first, unless it is the only one. */
static double least(void)
{
    double least_ns = 0;

    for (unsigned batch = 0; batch < workers->n_batches; batch++) {
        double sum = 0;

        for (unsigned i = 0; i < n_workers; i++)
            sum += workers[i].ns[batch];
        if (batch <= 1 || sum < least_ns)
            least_ns = sum;
    }
    return least_ns / n_workers;
}

static void blocks_init(struct job *job)
{
    job->blocks = used(calloc(job->n_live, sizeof *job->blocks));
    for (unsigned long i = 0; i < job->n_live; i++)
        job->blocks[i] = used(malloc(sizes[i % N_SIZES]));
}

/* ---- Groups ---- */

static void depth_init(struct worker *worker, unsigned long x)
{
    worker->depth = (unsigned)x;
}

static void fresh_init(struct worker *worker, unsigned long x)
{
    static void (*const work[])(struct job *) = {
        [0] = flat,    [1] = fresh_1, [2] = fresh_2,
        [4] = fresh_4, [6] = fresh_6, [10] = fresh_10};

    worker->job.work = x < sizeof work / sizeof *work ? work[x] : NULL;
}

static void live_init(struct worker *worker, unsigned long x)
{
    worker->job.work = in_order;
    worker->job.n_live = x;
    /* All of them are replaced in a batch. */
    if (x > worker->job.n_pairs)
        worker->job.n_pairs = x;
}

static void random_init(struct worker *worker, unsigned long x)
{
    live_init(worker, x);
    worker->job.work = random_order;
}

static void threads_init(struct worker *worker, unsigned long x)
{
    n_workers = (unsigned)x;
    if (x > MAX_THREADS)
        worker->job.work = NULL;
}

static const struct group {
    const char *name;
    void (*init)(struct worker *worker, unsigned long x);
    unsigned n_batches;
    unsigned long least_x;
} groups[] = {
    {"depth", depth_init, N_BATCHES, 4},
    {"fresh", fresh_init, N_BATCHES, 0},
    {"live", live_init, 4, 1},
    {"random", random_init, 4, 1},
    {"threads", threads_init, N_BATCHES, 1},
};

static const struct group *find(const char *name)
{
    for (unsigned i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(groups[i].name, name) == 0)
            return &groups[i];
    return NULL;
}

/* Whether the arguments make sense. */
static int workers_init(int argc, char **argv)
{
    const struct group *const group =
        argc == 3 || argc == 5 ? find(argv[1]) : NULL;
    const unsigned long x = group ? strtoul(argv[2], NULL, 10) : 0;

    if (!group || x < group->least_x)
        return 0;
    workers->job.work = flat;
    workers->depth = BASE_DEPTH;
    workers->job.n_pairs = 200000;
    workers->n_batches = group->n_batches;
    group->init(workers, x);
    if (argc == 5) {
        workers->job.n_pairs = strtoul(argv[3], NULL, 10);
        workers->n_batches = (unsigned)atoi(argv[4]);
    }
    return workers->job.work && workers->job.n_pairs &&
           workers->n_batches - 1 < MAX_BATCHES;
}

int main(int argc, char **argv)
{
    if (!workers_init(argc, argv)) {
        fputs("usage: pairs GROUP X [PAIRS BATCHES]\n", stderr);
        return 2;
    }
    sizes_init();
    if (workers->job.n_live)
        blocks_init(&workers->job);
    if (workers->job.work == flat && strcmp(argv[1], "threads") == 0)
        threads_run();
    else
        measure(workers);
    printf("%.3f\n", least());
    return 0;
}
