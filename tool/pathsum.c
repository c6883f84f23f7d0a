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

/* Notes where the items of each traceback begin. */
static void index_items(struct pathsums *sums)
{
    size_t i = 0;

    for (size_t traceback = 0; traceback < sums->n_tracebacks; traceback++) {
        sums->begin[traceback] = (uint32_t)i;
        while (i < sums->count && sums->items[i].traceback == traceback)
            i++;
    }
    sums->begin[sums->n_tracebacks] = (uint32_t)i;
}

int pathsums_init(struct pathsums *sums, const alloctrace_snapshot *snapshot,
                  int metric)
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);

    *sums = (struct pathsums){
        .n_tracebacks = alloctrace_snapshot_traceback_count(snapshot) + 1};
    sums->items = calloc(n + 1, sizeof *sums->items);
    sums->begin = calloc(sums->n_tracebacks + 1, sizeof *sums->begin);
    if (!sums->items || !sums->begin)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < n; i++)
        sums->items[i] = sum_of(snapshot, i, metric);
    qsort(sums->items, n, sizeof *sums->items, compare_both);
    sums->count = merge(sums->items, n);
    index_items(sums);
    return 0;
}

void pathsums_fini(struct pathsums *sums)
{
    free(sums->items);
    free(sums->begin);
    *sums = (struct pathsums){0};
}

struct pathsum *pathsums_find(const struct pathsums *sums, uint32_t traceback,
                              uint32_t domain)
{
    size_t from;
    size_t end;

    if (traceback >= sums->n_tracebacks)
        return NULL;
    from = sums->begin[traceback];
    end = sums->begin[traceback + 1];
    while (from < end) {
        const size_t middle = from + (end - from) / 2;
        struct pathsum *const sum = &sums->items[middle];

        if (sum->domain == domain)
            return sum;
        if (sum->domain < domain)
            from = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

void pathsums_sort_by_trace(struct pathsums *sums)
{
    qsort(sums->items, sums->count, sizeof *sums->items, compare_first);
}
