/* SPDX-License-Identifier: MIT */
/*
 * What is summed up together: one snapshot, or two that are compared. Owns
 * nothing of them. Also finds names of domains, of which a forged file may
 * have as many as traces.
 */
#include <stdlib.h>

#include "groups.h"

/* The lower one of two limits, of which 0 is none. */
static uint32_t lower_limit(uint32_t a, uint32_t b)
{
    return a && (a < b || !b) ? a : b;
}

int at_sides_init(struct at_sides *sides, const alloctrace_snapshot *snapshot,
                  const alloctrace_snapshot *old, bool has_own_limits)
{
    const alloctrace_snapshot *const of[2] = {snapshot, old};
    uint64_t n_traces = 0;
    uint64_t n_frames = 0;
    uint64_t n_tracebacks = 0;
    uint64_t n_strings = 0;

    *sides = (struct at_sides){.count = old ? 2 : 1};
    for (uint32_t i = 0; i < sides->count; i++) {
        sides->side[i] = (struct at_side){
            .snapshot = of[i],
            .limit = of[i]->process.traceback_limit,
            .first_trace = (uint32_t)n_traces,
            .first_frame = (uint32_t)n_frames,
            .first_traceback = (uint32_t)n_tracebacks,
            .first_string = (uint32_t)n_strings,
        };
        n_traces += of[i]->n_traces;
        n_frames += of[i]->n_frames;
        n_tracebacks += of[i]->n_tracebacks;
        n_strings += of[i]->strings.count;
    }
    if (n_traces >= AT_NONE || n_frames >= AT_NONE || n_tracebacks >= AT_NONE ||
        n_strings >= AT_NONE)
        return ALLOCTRACE_ENO_MEMORY;
    if (old && !has_own_limits)
        sides->side[0].limit = sides->side[1].limit =
            lower_limit(sides->side[0].limit, sides->side[1].limit);
    sides->n_traces = (uint32_t)n_traces;
    sides->n_frames = (uint32_t)n_frames;
    sides->n_tracebacks = (uint32_t)n_tracebacks;
    sides->n_strings = (uint32_t)n_strings;
    return 0;
}

int at_domain_names_init(struct at_domain_names *names,
                         const alloctrace_snapshot *snapshot)
{
    const uint32_t n = snapshot->n_domains;
    struct at_keyed *const room = at_keyed_create(n);
    const struct at_keyed *sorted;

    *names = (struct at_domain_names){.snapshot = snapshot, .ids = room};
    if (!room)
        return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        room[i] = (struct at_keyed){snapshot->domains[i].id, i};
    sorted = at_sort(room, room + n, n);
    for (uint32_t i = 0; i < n; i++)
        room[i] = sorted[i];
    return 0;
}

void at_domain_names_fini(struct at_domain_names *names)
{
    free(names->ids);
}

uint32_t at_domain_find(const struct at_domain_names *names, uint32_t id)
{
    uint32_t low = 0;
    uint32_t high = names->snapshot->n_domains;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (names->ids[middle].key < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->snapshot->n_domains && names->ids[low].key == id
               ? names->ids[low].index
               : AT_NONE;
}
