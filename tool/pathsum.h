/* SPDX-License-Identifier: MIT */
/*
 * What call paths allocated, summed over threads. A trace alone says little of
 * what is live: blocks that one thread allocated and another one freed are
 * subtracted in the second's, whose figures may thus be below 0.
 */
#ifndef ALLOCTRACE_PATHSUM_H
#define ALLOCTRACE_PATHSUM_H

#include "alloctrace/analysis.h"

/* What was allocated from one traceback in one domain. */
struct pathsum {
    uint32_t traceback;
    uint32_t domain;
    size_t first;   /* position of the first such trace */
    int64_t blocks; /* as the metric counts */
    int64_t bytes;
};

/*
 * Sums up all traces by `metric` (enum alloctrace_metric, but for temporary
 * blocks), sorted by traceback and domain. Sums wrap around modulo 2^64, as
 * only a forged file can make them do. The caller frees `sums`. Returns 0 or
 * ALLOCTRACE_ENO_MEMORY.
 */
int pathsums_make(const alloctrace_snapshot *snapshot, int metric,
                  struct pathsum **sums, size_t *count);

/* Finds a sum. Returns NULL if there is none. */
const struct pathsum *pathsums_find(const struct pathsum *sums, size_t count,
                                    uint32_t traceback, uint32_t domain);

/* Sorts sums by their first traces, the order of the file. */
void pathsums_sort_by_trace(struct pathsum *sums, size_t count);

#endif
