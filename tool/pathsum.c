/* SPDX-License-Identifier: MIT */
/* See pathsum.h. */
#include "pathsum.h"

#include <stdlib.h>

static struct pathsum sum_of(const alloctrace_snapshot *snapshot, size_t index,
                             int metric)
{
    const struct alloctrace_trace *const trace =
        alloctrace_snapshot_trace(snapshot, index);
    struct pathsum sum = {.traceback = trace->traceback,
                          .domain = trace->domain,
                          .first = index,
                          .blocks = trace->live_blocks,
                          .bytes = trace->live_bytes};

    if (metric == ALLOCTRACE_METRIC_TOTAL) {
        sum.blocks = trace->total_blocks;
        sum.bytes = trace->total_bytes;
    } else if (metric == ALLOCTRACE_METRIC_PEAK) {
        sum.blocks = trace->peak_blocks;
        sum.bytes = trace->peak_bytes;
    }
    return sum;
}

static int compare_keys(const struct pathsum *a, const struct pathsum *b)
{
    if (a->traceback != b->traceback)
        return a->traceback < b->traceback ? -1 : 1;
    if (a->domain != b->domain)
        return a->domain < b->domain ? -1 : 1;
    return 0;
}

static int compare_first(const void *left, const void *right)
{
    const struct pathsum *const a = left;
    const struct pathsum *const b = right;

    return a->first < b->first ? -1 : a->first > b->first;
}

static int compare_both(const void *left, const void *right)
{
    const int order = compare_keys(left, right);

    return order ? order : compare_first(left, right);
}

/* Makes one of neighbours with one key. Returns how many are left. */
static size_t merge(struct pathsum *sums, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        struct pathsum *const last = n > 0 ? &sums[n - 1] : NULL;

        if (last && compare_keys(last, &sums[i]) == 0) {
            last->blocks =
                (int64_t)((uint64_t)last->blocks + (uint64_t)sums[i].blocks);
            last->bytes =
                (int64_t)((uint64_t)last->bytes + (uint64_t)sums[i].bytes);
        } else {
            sums[n++] = sums[i];
        }
    }
    return n;
}

int pathsums_make(const alloctrace_snapshot *snapshot, int metric,
                  struct pathsum **sums, size_t *count)
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);
    struct pathsum *const made = calloc(n + 1, sizeof *made);

    if (!made)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < n; i++)
        made[i] = sum_of(snapshot, i, metric);
    qsort(made, n, sizeof *made, compare_both);
    *count = merge(made, n);
    *sums = made;
    return 0;
}

const struct pathsum *pathsums_find(const struct pathsum *sums, size_t count,
                                    uint32_t traceback, uint32_t domain)
{
    const struct pathsum key = {.traceback = traceback, .domain = domain};
    size_t from = 0;

    while (count > 0) {
        const size_t half = count / 2;
        const int order = compare_keys(&sums[from + half], &key);

        if (order == 0)
            return &sums[from + half];
        if (order < 0) {
            from += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return NULL;
}

void pathsums_sort_by_trace(struct pathsum *sums, size_t count)
{
    qsort(sums, count, sizeof *sums, compare_first);
}
