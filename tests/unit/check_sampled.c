/* SPDX-License-Identifier: MIT */
/*
 * Are the estimates right? A workload whose true figures and whose variances
 * are known from its definition is run with N_SEEDS seeds. Seeds are fixed, so
 * that the tests always give the same answer.
 *
 * For n blocks of size s that are each chosen with probability p:
 *     variance of the blocks' estimate = n ((1 - p) / p + p f (1 - f))
 *     variance of the bytes' estimate  = n (s^2 (1 - p) / p + p g (1 - g))
 * where f and g are the fractions of 1 / p and s / p, which are rounded.
 */
#include <math.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "paths.h"

#define N_SEEDS 300
#define PERIOD 16384

/* Blocks of one path: their size, how many are allocated, and how many of them
 * are freed before the end. */
static const struct part {
    size_t size;
    unsigned n_blocks;
    unsigned n_freed;
} parts[] = {
    {0, 3000, 1000},  {1, 20000, 20000}, {16, 8000, 5000}, {100, 2000, 500},
    {1000, 300, 100}, {10000, 60, 30},   {16000, 40, 10},  {50000, 20, 10},
    {100000, 6, 3},   {300000, 3, 1},
};
#define N_PARTS (sizeof parts / sizeof *parts)

enum {
    TOTAL_BLOCKS,
    TOTAL_BYTES,
    LIVE_BLOCKS,
    LIVE_BYTES,
    PEAK_BYTES,
    N_FIGURES
};
static const char *const names[] = {"total blocks", "total bytes",
                                    "live blocks", "live bytes", "peak bytes"};

/* What one run estimates: of each path, and of all. */
struct estimates {
    double of[N_PARTS + 1][N_FIGURES];
};

/* Mean and variance that a figure has by theory. */
struct expected {
    double mean;
    double variance;
};

static struct expected blocks_of(size_t size, unsigned n)
{
    const double p = -expm1(-((double)size + 1) / PERIOD);
    const double f = 1 / p - floor(1 / p);

    return (struct expected){n, n * ((1 - p) / p + p * f * (1 - f))};
}

static struct expected bytes_of(size_t size, unsigned n)
{
    const double p = -expm1(-((double)size + 1) / PERIOD);
    const double s = (double)size;
    const double g = s / p - floor(s / p);

    return (struct expected){n * s,
                             n * (s * s * (1 - p) / p + p * g * (1 - g))};
}

static struct expected of_part(unsigned i, unsigned figure)
{
    const struct part *const part = &parts[i];
    const unsigned n_live = part->n_blocks - part->n_freed;

    switch (figure) {
    case TOTAL_BLOCKS:
        return blocks_of(part->size, part->n_blocks);
    case TOTAL_BYTES:
    case PEAK_BYTES: /* all are live before the first is freed */
        return bytes_of(part->size, part->n_blocks);
    case LIVE_BLOCKS:
        return blocks_of(part->size, n_live);
    default:
        return bytes_of(part->size, n_live);
    }
}

static struct expected expect(unsigned i, unsigned figure)
{
    struct expected sum = {0, 0};

    if (i < N_PARTS)
        return of_part(i, figure);
    for (i = 0; i < N_PARTS; i++) {
        sum.mean += of_part(i, figure).mean;
        sum.variance += of_part(i, figure).variance;
    }
    return sum;
}

/* ---- One run ---- */

static void start(uint64_t seed)
{
    at_options.sample = PERIOD;
    at_options.sample_seed = seed;
    records_announce();
}

/* How the blocks of a path come about: by which function, in which order. */
static void *allocate(unsigned i, unsigned k)
{
    const size_t size = parts[i].size;
    void *block = NULL;

    switch (k % 4) {
    case 0:
        return __alloctrace_malloc(size, site(i));
    case 1:
        return __alloctrace_calloc(1, size, site(i));
    case 2:
        return __alloctrace_realloc(NULL, size, site(i));
    default:
        ck_assert_int_eq(__alloctrace_posix_memalign(&block, 64, size, site(i)),
                         0);
        return block;
    }
}

static void workload(void **blocks)
{
    void **next = blocks;

    for (unsigned i = 0; i < N_PARTS; i++)
        for (unsigned k = 0; k < parts[i].n_blocks; k++)
            *next++ = allocate(i, k);
    next = blocks;
    for (unsigned i = 0; i < N_PARTS; i++) {
        for (unsigned k = 0; k < parts[i].n_freed; k++)
            __alloctrace_free(next[k]);
        next += parts[i].n_blocks;
    }
}

static void add(struct estimates *estimates, unsigned i,
                const struct figures *figures)
{
    double *const of = estimates->of[i];

    of[TOTAL_BLOCKS] += (double)figures->total_blocks;
    of[TOTAL_BYTES] += (double)figures->total_bytes;
    of[LIVE_BLOCKS] += (double)figures->live_blocks;
    of[LIVE_BYTES] += (double)figures->live_bytes;
    of[PEAK_BYTES] += (double)figures->peak_bytes;
}

static void measure(uint64_t seed, struct estimates *estimates)
{
    static void *blocks[100000];

    memset(estimates, 0, sizeof *estimates);
    start(seed);
    workload(blocks);
    for (unsigned i = 0; i < N_PARTS; i++) {
        const struct figures figures = figures_at(i);

        add(estimates, i, &figures);
        add(estimates, N_PARTS, &figures);
    }
    if (estimates->of[N_PARTS][PEAK_BYTES] != (double)peak_bytes())
        _exit(1);
}

/* Each run needs a process of its own. */
static void run(uint64_t seed, struct estimates *estimates)
{
    int ends[2];
    int status;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        measure(seed, estimates);
        _exit(write(ends[1], estimates, sizeof *estimates) !=
              (ssize_t)sizeof *estimates);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], estimates, sizeof *estimates),
                     sizeof *estimates);
    close(ends[0]);
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
}

/* ---- Judgement ---- */

static struct estimates all[N_SEEDS];

/* The mean's distance from the truth, in standard errors by theory. */
static double bias(unsigned i, unsigned figure)
{
    const struct expected expected = expect(i, figure);
    double mean = 0;

    for (unsigned k = 0; k < N_SEEDS; k++)
        mean += all[k].of[i][figure] / N_SEEDS;
    if (fabs(mean - expected.mean) <= 1e-9 * expected.mean)
        return 0; /* there may be no variance */
    return (mean - expected.mean) / sqrt(expected.variance / N_SEEDS);
}

/* The variance found, as a multiple of theory's. */
static double dispersion(unsigned i, unsigned figure)
{
    const struct expected expected = expect(i, figure);
    double sum = 0;

    for (unsigned k = 0; k < N_SEEDS; k++)
        sum += pow(all[k].of[i][figure] - expected.mean, 2) / N_SEEDS;
    return sum / expected.variance;
}

static void check_bias(void)
{
    for (unsigned i = 0; i <= N_PARTS; i++)
        for (unsigned figure = 0; figure < N_FIGURES; figure++)
            ck_assert_msg(fabs(bias(i, figure)) < 4,
                          "part %u, %s: %.1f standard errors from the truth", i,
                          names[figure], bias(i, figure));
}

/* Large blocks are nearly all chosen: a miss is too rare for its variance to be
 * seen in so few runs. */
static void check_variance(void)
{
    for (unsigned i = 0; i <= N_PARTS; i++)
        for (unsigned figure = 0; figure < N_FIGURES; figure++)
            if ((i == N_PARTS || parts[i].size <= PERIOD) &&
                expect(i, figure).variance > 0)
                ck_assert_msg(fabs(dispersion(i, figure) - 1) < 0.45,
                              "part %u, %s: %.2f of the variance", i,
                              names[figure], dispersion(i, figure));
}

/* What samplers do that know no weights: a sample is a block, or stands for a
 * period's bytes. check_bias must be able to tell. */
static void check_power(void)
{
    for (unsigned k = 0; k < N_SEEDS; k++)
        for (unsigned i = 0; i < N_PARTS; i++) {
            const double p = -expm1(-((double)parts[i].size + 1) / PERIOD);

            all[k].of[i][TOTAL_BLOCKS] *= p;
            all[k].of[i][TOTAL_BYTES] *= p * PERIOD / (double)parts[i].size;
        }
    for (unsigned i = 1; i < N_PARTS; i++) {
        if (parts[i].size <= PERIOD)
            ck_assert_double_gt(fabs(bias(i, TOTAL_BLOCKS)), 4);
        if (parts[i].size >= 10000)
            ck_assert_double_gt(fabs(bias(i, TOTAL_BYTES)), 4);
    }
}

START_TEST(estimates_have_the_mean_and_variance_of_theory)
{
    for (unsigned seed = 0; seed < N_SEEDS; seed++)
        run(seed + 1, &all[seed]);
    check_bias();
    check_variance();
    check_power();
}
END_TEST

/* ---- Blocks come and go ---- */

START_TEST(what_was_sampled_is_freed_exactly)
{
    static void *blocks[20000];
    uint64_t n_sampled = 0;

    start(3);
    for (unsigned i = 0; i < 20000; i++)
        blocks[i] = __alloctrace_malloc(i % 300, site(i % 5));
    for (unsigned i = 0; i < 5; i++)
        n_sampled += figures_at(i).live_blocks;
    ck_assert_uint_gt(n_sampled, 1000);
    for (unsigned i = 0; i < 20000; i++)
        __alloctrace_free(blocks[i]);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_uint_eq(figures_at(i).live_blocks, 0);
        ck_assert_uint_eq(figures_at(i).live_bytes, 0);
    }
    ck_assert_int_eq(ledger_live_sum(), 0);
    ck_assert_uint_eq(at_dropped_blocks, 0);
}
END_TEST

START_TEST(resized_blocks_keep_nothing_of_what_they_were)
{
    void *blocks[100];

    start(4);
    for (unsigned i = 0; i < 100; i++)
        blocks[i] = __alloctrace_malloc(40 * PERIOD, site(0));
    ck_assert_uint_eq(figures_at(0).live_blocks, 100);
    for (unsigned i = 0; i < 100; i++) /* all are samples again */
        blocks[i] = __alloctrace_realloc(blocks[i], 50 * PERIOD, site(1));
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    ck_assert_uint_eq(figures_at(1).live_bytes, 100 * 50 * PERIOD);
    for (unsigned i = 0; i < 100; i++) /* and now hardly any */
        blocks[i] = __alloctrace_realloc(blocks[i], 1, site(2));
    ck_assert_uint_eq(figures_at(1).live_bytes, 0);
    for (unsigned i = 0; i < 100; i++)
        __alloctrace_free(blocks[i]);
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

START_TEST(a_failed_realloc_changes_nothing)
{
    void *block;

    start(5);
    block = __alloctrace_malloc(40 * PERIOD, site(0));
    ck_assert_uint_eq(figures_at(0).live_blocks, 1);
    ck_assert_ptr_null(__alloctrace_realloc(block, SIZE_MAX / 2, site(1)));
    ck_assert_uint_eq(figures_at(0).live_blocks, 1);
    ck_assert_uint_eq(figures_at(0).live_bytes, 40 * PERIOD);
    ck_assert_ptr_null(__alloctrace_realloc(block, 0, site(1)));
    ck_assert_int_eq(ledger_live_sum(), 0);
    ck_assert_uint_eq(figures_at(1).total_blocks, 0);
}
END_TEST

START_TEST(the_hot_path_and_the_map_are_not_used)
{
    void *block;

    start(6);
    block = __alloctrace_malloc(40 * PERIOD, site(0));
    ck_assert_ptr_null(__alloctrace_thread.ledger);
    ck_assert_ptr_nonnull(__alloctrace_thread.sampled);
    ck_assert_ptr_null(block_get(block).account);
    ck_assert_ptr_nonnull(tracked_get(0, (uintptr_t)block));
}
END_TEST

START_TEST(nothing_is_sampled_in_a_pause)
{
    void *traced;
    void *block;

    start(7);
    traced = __alloctrace_malloc(40 * PERIOD, site(0));
    pause_begin();
    for (unsigned i = 0; i < 1000; i++)
        __alloctrace_malloc(PERIOD, site(1));
    block = __alloctrace_realloc(NULL, 40 * PERIOD, site(1));
    ck_assert_uint_eq(figures_at(1).total_blocks, 0);
    ck_assert_uint_eq(at_dropped_blocks, 0);
    __alloctrace_free(traced);
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    pause_end();
    __alloctrace_free(__alloctrace_realloc(block, 80 * PERIOD, site(2)));
    ck_assert_uint_gt(figures_at(2).total_blocks, 0);
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

CHECK_MAIN("sampled", estimates_have_the_mean_and_variance_of_theory,
           what_was_sampled_is_freed_exactly,
           resized_blocks_keep_nothing_of_what_they_were,
           a_failed_realloc_changes_nothing,
           the_hot_path_and_the_map_are_not_used,
           nothing_is_sampled_in_a_pause)
