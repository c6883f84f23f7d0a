/* SPDX-License-Identifier: MIT */
/*
 * Statistics and comparisons: what key.c, sum.c and cumulate.c found is sorted
 * here and made a result. Groups are sorted by one criterion after the other,
 * the last one first, and begin in the order of their keys, so that the order
 * is the same in every run.
 */
#include <stdlib.h>
#include <string.h>

#include "groups.h"

#define KNOWN_FLAGS (ALLOCTRACE_LIKE_CPYTHON | ALLOCTRACE_IGNORE_LINES)

/* ---- Options ---- */

/* Copies as many options as the caller knows; the others are 0. */
static int options_read(const struct alloctrace_statistics_options *given,
                        struct alloctrace_statistics_options *options)
{
    *options = (struct alloctrace_statistics_options){.size = sizeof *options};
    if (given) {
        if (given->size < sizeof given->size)
            return ALLOCTRACE_EBAD_ARGUMENT;
        memcpy(options, given,
               given->size < sizeof *options ? given->size : sizeof *options);
    }
    if (!options->group_by)
        options->group_by = ALLOCTRACE_BY_LINENO;
    if (!options->metric)
        options->metric = ALLOCTRACE_METRIC_LIVE;
    if (options->group_by < ALLOCTRACE_BY_FILENAME ||
        options->group_by > ALLOCTRACE_BY_MODULE ||
        options->metric < ALLOCTRACE_METRIC_LIVE ||
        options->metric > ALLOCTRACE_METRIC_TEMPORARY ||
        options->flags & ~(unsigned)KNOWN_FLAGS ||
        (options->cumulative && !at_is_by_frame(options->group_by)))
        return ALLOCTRACE_EBAD_ARGUMENT;
    return 0;
}

/* ---- Summing up ---- */

static void summing_fini(struct at_summing *summing)
{
    at_types_fini(&summing->types);
    free(summing->ranks);
    for (uint32_t s = 0; s < 2; s++) {
        free(summing->groups[s]);
        free(summing->ways[s]);
    }
}

static int sum_traces(struct at_summing *summing)
{
    const struct at_sides *const sides = &summing->sides;

    summing->ranks =
        calloc((size_t)sides->n_traces + 1, sizeof *summing->ranks);
    if (!summing->ranks ||
        at_rank_traces(sides, summing->options.group_by, summing->options.flags,
                       &summing->types, summing->ranks, &summing->n_ranks))
        return ALLOCTRACE_ENO_MEMORY;
    return at_sum(summing);
}

static int sum_frames(struct at_summing *summing)
{
    const struct at_sides *const sides = &summing->sides;

    summing->ranks = calloc(sides->n_frames, sizeof *summing->ranks);
    if (!summing->ranks ||
        at_rank_frames(sides, summing->options.group_by, summing->options.flags,
                       summing->ranks, &summing->n_ranks))
        return ALLOCTRACE_ENO_MEMORY;
    return at_cumulate(summing);
}

/* ---- Order ---- */

/* A group's figures in both snapshots; differences wrap around as sums do. */
static int64_t group_size(const struct at_summing *summing, uint32_t rank)
{
    return (int64_t)summing->groups[0][rank].size;
}

static int64_t group_count(const struct at_summing *summing, uint32_t rank)
{
    return (int64_t)summing->groups[0][rank].count;
}

static int64_t group_size_diff(const struct at_summing *summing, uint32_t rank)
{
    return summing->groups[1] ? (int64_t)(summing->groups[0][rank].size -
                                          summing->groups[1][rank].size)
                              : 0;
}

static int64_t group_count_diff(const struct at_summing *summing, uint32_t rank)
{
    return summing->groups[1] ? (int64_t)(summing->groups[0][rank].count -
                                          summing->groups[1][rank].count)
                              : 0;
}

/* Does the side have anything of a key? */
static bool has_group(const struct at_summing *summing, uint32_t side,
                      uint32_t rank)
{
    return summing->groups[side] && (summing->groups[side][rank].size ||
                                     summing->groups[side][rank].count);
}

/* What is sorted by, the most important last: tracemalloc's order. All are
 * descending, those of a difference without its sign. */
enum criterion { BY_COUNT, BY_COUNT_DIFF, BY_SIZE, BY_SIZE_DIFF };

static uint64_t descending(int64_t number)
{
    return ~((uint64_t)number ^ UINT64_C(1) << 63);
}

static uint64_t descending_magnitude(int64_t number)
{
    return ~(number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

static uint64_t sort_key(const struct at_summing *summing,
                         enum criterion criterion, uint32_t rank)
{
    switch (criterion) {
    case BY_COUNT:
        return descending(group_count(summing, rank));
    case BY_COUNT_DIFF:
        return descending_magnitude(group_count_diff(summing, rank));
    case BY_SIZE:
        return descending(group_size(summing, rank));
    default:
        return descending_magnitude(group_size_diff(summing, rank));
    }
}

/* Sorts items, of which `index` is the rank, into the order of the result, in
 * the room for twice as many. Returns where they are then. */
static const struct at_keyed *items_sort(const struct at_summing *summing,
                                         struct at_keyed *items, size_t count)
{
    struct at_keyed *scratch = items + count;

    for (int by = BY_COUNT; by <= BY_SIZE_DIFF; by++) {
        struct at_keyed *sorted;

        if (!summing->groups[1] && (by == BY_COUNT_DIFF || by == BY_SIZE_DIFF))
            continue;
        for (size_t i = 0; i < count; i++)
            items[i].key =
                sort_key(summing, (enum criterion)by, items[i].index);
        sorted = at_sort(items, scratch, count);
        if (sorted != items)
            scratch = items;
        items = sorted;
    }
    return items;
}

static bool has_any(const struct at_summing *summing, uint32_t rank)
{
    return has_group(summing, 0, rank) || has_group(summing, 1, rank);
}

/* Lists the ranks that have anything, in the order of the result. The caller
 * frees the list. NULL: no memory. */
static uint32_t *groups_sort(const struct at_summing *summing, size_t *count)
{
    const struct at_keyed *sorted;
    struct at_keyed *items;
    uint32_t *order;
    size_t n = 0;

    for (uint32_t i = 0; i < summing->n_ranks; i++)
        n += has_any(summing, i);
    items = at_keyed_create(n);
    order = malloc((n + 1) * sizeof *order);
    *count = n;
    n = 0;
    for (uint32_t i = summing->n_ranks; items && i-- > 0;)
        if (has_any(summing, i))
            items[n++].index = i;
    if (items && order) {
        sorted = items_sort(summing, items, n);
        for (size_t i = 0; i < n; i++)
            order[i] = sorted[i].index;
        free(items);
        return order;
    }
    free(items);
    free(order);
    return NULL;
}

/* ---- Keys ---- */

const struct at_frame *at_group_frame(const alloctrace_statistics *statistics,
                                      size_t index)
{
    const alloctrace_snapshot *of = statistics->snapshots[0];
    uint32_t frame;

    if (statistics->keys) {
        frame = statistics->keys[index];
        if (frame < of->n_frames)
            return &of->frames[frame];
        return &statistics->snapshots[1]->frames[frame - of->n_frames];
    }
    of = statistics->snapshots[at_group_side(statistics, index)];
    frame = of->tracebacks[statistics->groups[index].traceback].frame;
    return &of->frames[frame];
}

const alloctrace_snapshot *
at_frame_snapshot(const alloctrace_statistics *statistics, size_t index)
{
    const bool is_old =
        statistics->keys
            ? statistics->keys[index] >= statistics->snapshots[0]->n_frames
            : at_group_side(statistics, index);

    return statistics->snapshots[is_old];
}

static void name_frame(const alloctrace_statistics *statistics, size_t index,
                       struct alloctrace_statistic *statistic)
{
    const alloctrace_snapshot *const of = at_frame_snapshot(statistics, index);
    const struct at_frame *const frame = at_group_frame(statistics, index);

    switch (statistics->group_by) {
    case ALLOCTRACE_BY_FILENAME:
        statistic->key = at_text(of, frame->place);
        break;
    case ALLOCTRACE_BY_LINENO:
        statistic->key = at_text(of, frame->file);
        statistic->line = frame->line;
        break;
    case ALLOCTRACE_BY_FUNCTION:
        statistic->key = at_text(of, frame->function);
        break;
    default:
        statistic->key = of->modules[frame->module].path;
        break;
    }
}

/* Fills in the key of a group whose other fields are set already. */
static void statistic_name(const alloctrace_statistics *statistics,
                           size_t index, const struct alloctrace_trace *trace,
                           const struct at_domain_names *domains,
                           struct alloctrace_statistic *statistic)
{
    const alloctrace_snapshot *const of =
        statistics->snapshots[at_group_side(statistics, index)];
    uint32_t at;

    switch (statistics->group_by) {
    case ALLOCTRACE_BY_TRACEBACK:
        break;
    case ALLOCTRACE_BY_TYPE:
        statistic->key = statistic->type;
        break;
    case ALLOCTRACE_BY_DOMAIN:
        statistic->number = trace->domain;
        at = at_domain_find(domains, trace->domain);
        statistic->key = at != AT_NONE      ? of->domains[at].name
                         : trace->domain == 0 ? "malloc"
                                              : "";
        break;
    case ALLOCTRACE_BY_THREAD:
        statistic->key = of->threads[trace->thread].name;
        statistic->number = trace->thread;
        break;
    default:
        name_frame(statistics, index, statistic);
        break;
    }
}

/* ---- Results ---- */

static uint32_t type_together(const struct at_group *a,
                              const struct at_group *b)
{
    if (!b || b->trace == AT_NONE)
        return a->type;
    if (a->trace == AT_NONE)
        return b->type;
    return a->type == b->type ? a->type : AT_SEVERAL_TYPES;
}

static void statistic_set(const struct at_summing *summing,
                          alloctrace_statistics *statistics,
                          const struct at_domain_names *domains, size_t index,
                          uint32_t rank)
{
    struct alloctrace_statistic *const statistic = &statistics->groups[index];
    const struct at_group *const old =
        summing->groups[1] ? &summing->groups[1][rank] : NULL;
    const uint32_t type = type_together(&summing->groups[0][rank], old);
    const struct alloctrace_trace *trace;
    uint32_t side;

    *statistic = (struct alloctrace_statistic){
        .size = group_size(summing, rank),
        .count = group_count(summing, rank),
        .size_diff = group_size_diff(summing, rank),
        .count_diff = group_count_diff(summing, rank),
        .key = "",
        .type = type == AT_SEVERAL_TYPES ? "" : summing->types.text[type],
        .has_several_types = type == AT_SEVERAL_TYPES,
    };
    side = at_group_side(statistics, index);
    trace = &statistics->snapshots[side]
                 ->traces[summing->groups[side][rank].trace];
    statistic->traceback = trace->traceback;
    if (summing->ways[side]) {
        statistic->has_several_ways = summing->ways[side][rank].has_several;
        statistics->largest[index] = summing->ways[side][rank].largest;
    }
    statistic_name(statistics, index, trace, &domains[side], statistic);
}

/* A cumulative group's key is one of many frames: for each rank the first. */
static int keys_list(const struct at_summing *summing,
                     const uint32_t *order,
                     alloctrace_statistics *statistics)
{
    uint32_t *const first = malloc((summing->n_ranks + 1) * sizeof *first);

    statistics->keys =
        malloc((statistics->count + 1) * sizeof *statistics->keys);
    if (first && statistics->keys) {
        for (uint32_t i = summing->sides.n_frames; i-- > 0;)
            first[summing->ranks[i]] = i;
        for (size_t i = 0; i < statistics->count; i++)
            statistics->keys[i] = first[order[i]];
    }
    free(first);
    return first && statistics->keys ? 0 : ALLOCTRACE_ENO_MEMORY;
}

/* Tables besides the groups, as far as they are wanted. */
static int tables_create(const struct at_summing *summing,
                         const uint32_t *order,
                         alloctrace_statistics *statistics)
{
    if (summing->options.cumulative)
        return keys_list(summing, order, statistics);
    if (summing->ways[0] || summing->ways[1]) {
        statistics->largest =
            calloc(statistics->count + 1, sizeof *statistics->largest);
        return statistics->largest ? 0 : ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}

/* An empty result of `count` groups. NULL: no memory. */
static alloctrace_statistics *statistics_create(const struct at_summing *summing,
                                                size_t count)
{
    alloctrace_statistics *statistics = NULL;

    if (count < (SIZE_MAX - sizeof *statistics) / sizeof *statistics->groups)
        statistics =
            malloc(sizeof *statistics + count * sizeof *statistics->groups);
    if (!statistics)
        return NULL;
    *statistics = (alloctrace_statistics){
        .group_by = summing->options.group_by,
        .count = count,
        .sum = {.key = "", .type = ""},
    };
    for (uint32_t s = 0; s < summing->sides.count; s++) {
        const struct at_side *const side = &summing->sides.side[s];

        statistics->snapshots[s] = at_snapshot_retain(side->snapshot);
        statistics->limits[s] = side->limit;
    }
    return statistics;
}

/* Has groups and traces fetched that are wanted soon: of many groups most are
 * not in the cache. */
static void groups_prefetch(const struct at_summing *summing,
                            const uint32_t *order, size_t count,
                            size_t index)
{
    enum { AHEAD = 8 };

    for (uint32_t s = 0; s < summing->sides.count; s++) {
        const struct at_group *group;

        if (count - index > 2 * AHEAD)
            __builtin_prefetch(
                &summing->groups[s][order[index + 2 * AHEAD]]);
        if (count - index <= AHEAD)
            continue;
        group = &summing->groups[s][order[index + AHEAD]];
        if (group->trace != AT_NONE)
            __builtin_prefetch(
                &summing->sides.side[s].snapshot->traces[group->trace]);
    }
}

static int groups_set(const struct at_summing *summing,
                      const uint32_t *order,
                      alloctrace_statistics *statistics)
{
    struct at_domain_names domains[2] = {0};
    int result = 0;

    for (uint32_t s = 0; !result && s < summing->sides.count &&
                         summing->options.group_by == ALLOCTRACE_BY_DOMAIN;
         s++)
        result =
            at_domain_names_init(&domains[s], summing->sides.side[s].snapshot);
    for (size_t i = 0; !result && i < statistics->count; i++) {
        groups_prefetch(summing, order, statistics->count, i);
        statistic_set(summing, statistics, domains, i, order[i]);
    }
    at_domain_names_fini(&domains[0]);
    at_domain_names_fini(&domains[1]);
    return result;
}

/* All traces of both sides, each once. */
static void sum_set(const struct at_summing *summing,
                    struct alloctrace_statistic *sum)
{
    const struct at_group *const sums = summing->sums;

    sum->size = (int64_t)sums[0].size;
    sum->count = (int64_t)sums[0].count;
    if (summing->sides.count > 1) {
        sum->size_diff = (int64_t)(sums[0].size - sums[1].size);
        sum->count_diff = (int64_t)(sums[0].count - sums[1].count);
    }
}

/* ---- Members ---- */

/* Where the traces of a rank go in a list of all groups' members. */
struct place {
    uint32_t count;
    uint32_t next;
    bool is_shown; /* the rank has a group */
};

static void members_fill(alloctrace_statistics *statistics,
                         const struct at_summing *summing,
                         const uint32_t *order, struct place *places)
{
    const uint32_t n = summing->sides.side[0].snapshot->n_traces;
    uint32_t at = 0;

    for (uint32_t i = 0; i < n; i++)
        places[summing->ranks[i]].count++;
    for (size_t i = 0; i < statistics->count; i++) {
        struct place *const place = &places[order[i]];

        *place = (struct place){place->count, at, true};
        statistics->first[i] = at;
        at += place->count;
    }
    statistics->first[statistics->count] = at;
    for (uint32_t i = 0; i < n; i++) {
        struct place *const place = &places[summing->ranks[i]];

        if (place->is_shown)
            statistics->members[place->next++] = i;
    }
}

/* Lists the traces of each group, for their details: those of the snapshot
 * that is looked at. Of cumulative groups a trace may be in many; they are
 * found when they are asked for. */
static int members_list(alloctrace_statistics *statistics,
                        struct at_summing *summing,
                        const uint32_t *order)
{
    const size_t n = (size_t)summing->sides.side[0].snapshot->n_traces + 1;
    struct place *places;

    if (summing->options.cumulative) {
        statistics->ranks = summing->ranks;
        summing->ranks = NULL;
        return 0;
    }
    places = calloc((size_t)summing->n_ranks + 1, sizeof *places);
    statistics->members = calloc(n, sizeof *statistics->members);
    statistics->first =
        calloc(statistics->count + 1, sizeof *statistics->first);
    if (places && statistics->members && statistics->first)
        members_fill(statistics, summing, order, places);
    free(places);
    return places && statistics->members && statistics->first
               ? 0
               : ALLOCTRACE_ENO_MEMORY;
}

/* ---- All of it ---- */

/* Frees what the groups know already, and the result needs no more. */
static void types_free(struct at_types *types)
{
    free(types->of[0]);
    free(types->of[1]);
    types->of[0] = types->of[1] = NULL;
}

/* Makes the result of sums. 0 or ALLOCTRACE_ENO_MEMORY. */
static int summing_finish(struct at_summing *summing,
                          alloctrace_statistics **statistics)
{
    alloctrace_statistics *made = NULL;
    size_t count = 0;
    uint32_t *const order = groups_sort(summing, &count);
    int result = ALLOCTRACE_ENO_MEMORY;

    types_free(&summing->types);
    if (order)
        made = statistics_create(summing, count);
    if (made)
        result = tables_create(summing, order, made);
    if (!result)
        result = groups_set(summing, order, made);
    if (!result)
        sum_set(summing, &made->sum);
    if (!result && summing->sides.side[0].snapshot->has_details)
        result = members_list(made, summing, order);
    free(order);
    if (result)
        alloctrace_statistics_free(made);
    else
        *statistics = made;
    return result;
}

/* Sums up one snapshot, or two that are both folded or both not. */
static int sides_sum(const alloctrace_snapshot *snapshot,
                     const alloctrace_snapshot *old,
                     const struct alloctrace_statistics_options *options,
                     alloctrace_statistics **statistics)
{
    struct at_summing summing = {.options = *options};
    int result = at_sides_init(&summing.sides, snapshot, old,
                               options->flags & ALLOCTRACE_LIKE_CPYTHON);

    if (!result)
        result = at_types_init(&summing.types, &summing.sides);
    if (!result)
        result = options->cumulative ? sum_frames(&summing)
                                     : sum_traces(&summing);
    if (!result)
        result = summing_finish(&summing, statistics);
    summing_fini(&summing);
    return result;
}

/* Are there the blocks that are to be counted? */
static bool has_metric(const alloctrace_snapshot *snapshot, int metric)
{
    return metric != ALLOCTRACE_METRIC_TEMPORARY || snapshot->has_details;
}

int alloctrace_snapshot_statistics(
    const alloctrace_snapshot *snapshot,
    const struct alloctrace_statistics_options *options,
    alloctrace_statistics **statistics)
{
    AT_UNTRACED;
    struct alloctrace_statistics_options chosen;

    if (options_read(options, &chosen) ||
        !has_metric(snapshot, chosen.metric))
        return ALLOCTRACE_EBAD_ARGUMENT;
    return sides_sum(snapshot, NULL, &chosen, statistics);
}

int alloctrace_snapshot_compare_to(
    const alloctrace_snapshot *snapshot, const alloctrace_snapshot *old,
    const struct alloctrace_statistics_options *options,
    alloctrace_statistics **statistics)
{
    AT_UNTRACED;
    struct alloctrace_statistics_options chosen;
    alloctrace_snapshot *folded = NULL;
    int result = 0;

    if (options_read(options, &chosen) ||
        !has_metric(snapshot, chosen.metric) || !has_metric(old, chosen.metric))
        return ALLOCTRACE_EBAD_ARGUMENT;
    if (snapshot->raw && !old->raw)
        result = alloctrace_snapshot_fold_wrappers(old, &folded);
    else if (old->raw && !snapshot->raw)
        result = alloctrace_snapshot_fold_wrappers(snapshot, &folded);
    if (!result)
        result = sides_sum(folded && old->raw ? folded : snapshot,
                           folded && !old->raw ? folded : old, &chosen,
                           statistics);
    alloctrace_snapshot_free(folded);
    return result;
}

void alloctrace_statistics_free(alloctrace_statistics *statistics)
{
    AT_UNTRACED;

    if (!statistics)
        return;
    free(statistics->largest);
    free(statistics->keys);
    free(statistics->ranks);
    free(statistics->members);
    free(statistics->first);
    alloctrace_snapshot_free(statistics->snapshots[0]);
    alloctrace_snapshot_free(statistics->snapshots[1]);
    free(statistics);
}
