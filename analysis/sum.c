/* SPDX-License-Identifier: MIT */
/*
 * Sums by rank: one pass over the traces of each side and their ranks (key.c).
 * Where wrappers were folded it is noted which trace of a group has most bytes
 * and whether all came the same way.
 */
#include <stdlib.h>
#include <string.h>

#include "groups.h"

/* Wrappers that are compared to tell ways apart, which bounds the time. */
#define COMPARED_WRAPPERS 64

struct at_group *at_groups_create(size_t count)
{
    struct at_group *groups = NULL;

    if (count < SIZE_MAX / sizeof *groups - 1)
        groups = malloc((count + 1) * sizeof *groups);
    for (size_t i = 0; groups && i < count; i++)
        groups[i] = (struct at_group){.trace = AT_NONE};
    return groups;
}

/* ---- Ways ---- */

uint64_t at_wrappers_count(const alloctrace_snapshot *snapshot, uint32_t trace)
{
    const alloctrace_snapshot *raw = snapshot->raw ? snapshot->raw : snapshot;

    return raw->tracebacks[raw->traces[trace].traceback].depth -
           snapshot->tracebacks[snapshot->traces[trace].traceback].depth;
}

/* Did two traces come through functions of the same names? */
static bool is_same_way(const alloctrace_snapshot *snapshot, uint32_t left,
                        uint32_t right)
{
    const alloctrace_snapshot *raw = snapshot->raw;
    struct at_walk a;
    struct at_walk b;
    uint64_t n;

    if (raw->traces[left].traceback == raw->traces[right].traceback)
        return true;
    n = at_wrappers_count(snapshot, left);
    if (n != at_wrappers_count(snapshot, right))
        return false;
    at_walk_begin(&a, raw, raw->traces[left].traceback);
    at_walk_begin(&b, raw, raw->traces[right].traceback);
    for (uint64_t i = 0; i < n && i < COMPARED_WRAPPERS; i++) {
        if (strncmp(at_text(raw, raw->frames[a.frame].function),
                    at_text(raw, raw->frames[b.frame].function), AT_MAX_NAME))
            return false;
        at_walk_next(&a);
        at_walk_next(&b);
    }
    return true;
}

static void way_add(const alloctrace_snapshot *snapshot, struct at_way *way,
                    const struct at_group *trace)
{
    const int64_t bytes = (int64_t)trace->size;

    if (trace->trace == AT_NONE)
        return;
    if (way->largest == AT_NONE)
        way->first = trace->trace;
    else if (!way->has_several)
        way->has_several = !is_same_way(snapshot, way->first, trace->trace);
    if (way->largest == AT_NONE || bytes > way->most) {
        way->largest = trace->trace;
        way->most = bytes;
    }
}

static struct at_way *ways_create(size_t count)
{
    struct at_way *const ways = calloc(count + 1, sizeof *ways);

    for (size_t i = 0; ways && i < count; i++)
        ways[i].largest = AT_NONE;
    return ways;
}

/* ---- Sums ---- */

static void side_sum(struct at_summing *summing, uint32_t s)
{
    const struct at_side *const side = &summing->sides.side[s];
    const uint32_t *const ranks = summing->ranks + side->first_trace;
    struct at_group *const groups = summing->groups[s];
    struct at_way *const ways = summing->ways[s];
    struct at_group sum = {.trace = AT_NONE};

    for (uint32_t i = 0; i < side->snapshot->n_traces; i++) {
        const struct at_group trace = at_trace_group(summing, s, i);

        at_group_add(&groups[ranks[i]], &trace);
        at_group_add(&sum, &trace);
        if (ways)
            way_add(side->snapshot, &ways[ranks[i]], &trace);
    }
    summing->sums[s] = sum;
}

int at_sum(struct at_summing *summing)
{
    for (uint32_t s = 0; s < summing->sides.count; s++) {
        const alloctrace_snapshot *const of = summing->sides.side[s].snapshot;

        summing->groups[s] = at_groups_create(summing->n_ranks);
        if (!summing->groups[s])
            return ALLOCTRACE_ENO_MEMORY;
        if (of->raw) {
            summing->ways[s] = ways_create(summing->n_ranks);
            if (!summing->ways[s])
                return ALLOCTRACE_ENO_MEMORY;
        }
        side_sum(summing, s);
    }
    return 0;
}
