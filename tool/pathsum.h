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
    size_t first;           /* position of the first such trace */
    int64_t blocks;         /* as the metric counts */
    int64_t bytes;          /* likewise */
    uint64_t listed_blocks; /* the caller's: of those listed one by one */
    uint64_t listed_bytes;  /* likewise */
};

struct pathsums {
    struct pathsum *items; /* owned: sorted by traceback and domain */
    size_t count;          /* of them */
    uint32_t *begin;       /* owned: by number of a traceback, where its items
                              begin; one more, where they end */
    size_t n_tracebacks;   /* numbers, with 0 */
};

/*
 * Sums up all traces by `metric` (enum alloctrace_metric, but for temporary
 * blocks). Sums wrap around modulo 2^64, as only a forged file can make them
 * do. Call pathsums_fini afterwards, whatever is returned: 0 or
 * ALLOCTRACE_ENO_MEMORY.
 */
int pathsums_init(struct pathsums *sums, const alloctrace_snapshot *snapshot,
                  int metric);
void pathsums_fini(struct pathsums *sums);

/* Finds a sum. Returns NULL if there is none. */
struct pathsum *pathsums_find(const struct pathsums *sums, uint32_t traceback,
                              uint32_t domain);

/* Sorts the items by their first traces, the order of the file; then none is
 * found any more. */
void pathsums_sort_by_trace(struct pathsums *sums);

#endif
