/* SPDX-License-Identifier: MIT */
/*
 * What pairs.c and operations.c have in common: a chain of calls that is as
 * deep as is asked for, and what is done at its end.
 *
 * Depth is that of the traceback: two functions of the program, as many levels
 * as are needed, the job's work, and what it enters itself.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include "sizes.h"

#define BASE_DEPTH 5 /* where a job stands unless depth is what is measured */

/* What is to be done at a certain depth, by one thread. */
struct job {
    void (*work)(struct job *job); /* has a frame, calls malloc or `pair` */
    unsigned n_levels;             /* that are still to be entered; > 0 */
    unsigned long n_pairs;         /* to be done */
    void **blocks;                 /* that are live meanwhile, */
    unsigned long n_live;          /* so many; none unless the job says so */
    unsigned long oldest;          /* which of them is */
};

WHOLE void flat(struct job *job)
{
    for (unsigned long i = 0; i < job->n_pairs; i++)
        free(used(malloc(sizes[i % N_SIZES])));
}

WHOLE void pair(size_t size)
{
    free(used(malloc(size)));
}

/* entered_N: N frames, of which the last one is pair's. */
#define ENTERED(n, next)                \
    WHOLE void entered_##n(size_t size) \
    {                                   \
        next(size);                     \
        TOUCH(NULL);                    \
    }
ENTERED(2, pair)
ENTERED(3, entered_2)
ENTERED(4, entered_3)
ENTERED(5, entered_4)
ENTERED(6, entered_5)
ENTERED(7, entered_6)
ENTERED(8, entered_7)
ENTERED(9, entered_8)
ENTERED(10, entered_9)

/* fresh_N: N frames are entered before each pair, and left after it. */
#define FRESH(n, enter)                                  \
    WHOLE void fresh_##n(struct job *job)                \
    {                                                    \
        for (unsigned long i = 0; i < job->n_pairs; i++) \
            enter(sizes[i % N_SIZES]);                   \
    }
FRESH(1, pair)
FRESH(2, entered_2)
FRESH(4, entered_4)
FRESH(6, entered_6)
FRESH(10, entered_10)

/* The chain: level_1 .. level_99, each a function of its own, after which it
 * begins anew. (No function stands on it so often that it is recursion.) */
#define LEVEL(n, next)                    \
    WHOLE void level_##n(struct job *job) \
    {                                     \
        if (--job->n_levels)              \
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

WHOLE void level_1(struct job *job);
TEN(9, level_1)
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

/* Of the levels for a traceback of so many frames, with two functions of the
 * program around them and the work itself. */
static inline unsigned levels_of(unsigned depth)
{
    return depth - 3;
}

#endif
