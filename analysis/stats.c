/* SPDX-License-Identifier: MIT */
/*
 * Statistics: traces summed up by a key and sorted. key.c says which traces
 * belong together and how keys compare; here the sums are made in one pass
 * over an array of ranks, and groups are sorted with the rank as last
 * criterion, so that the order is the same in every run.
 *
 * Sums wrap around modulo 2^64, as only a forged file can make them do.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* A group while it is summed up. */
struct group {
    uint64_t size;    /* bytes; two's complement */
    uint64_t count;   /* blocks */
    uint32_t rank;    /* of the key: the last criterion of the order */
    uint32_t trace;   /* first trace of the group; stands for its key */
    uint32_t largest; /* the trace with most bytes, the first of equals */
    int64_t most;     /* bytes of that one */
    bool has_types;   /* there are several types in the group */
    bool has_ways;    /* and several ways through wrappers */
};

/* What is needed to sum up. */
struct summing {
    const alloctrace_snapshot *snapshot;
    int metric;            /* enum alloctrace_metric */
    const uint32_t *types; /* of what traces allocated; not owned */
    const uint32_t *ranks; /* trace => group; not owned */
};

/* Wrappers that are compared to tell ways apart, which bounds the time. */
#define COMPARED_WRAPPERS 64

struct alloctrace_statistics {
    alloctrace_snapshot *snapshot; /* holds a reference */
    int group_by;                        /* enum alloctrace_grouping */
    size_t count;                        /* groups */
    struct alloctrace_statistic sum;     /* of all groups */
    uint32_t *largest; /* owned: by group, its trace with most bytes */
    /* Owned; NULL if the snapshot has no details. The traces of group i are
     * members[first[i]] to those of the next one. */
    uint32_t *members;
    uint32_t *first;
    struct alloctrace_statistic groups[]; /* sorted */
};

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
        options->metric > ALLOCTRACE_METRIC_TEMPORARY)
        return ALLOCTRACE_EBAD_ARGUMENT;
    return 0;
}

/* What the metric counts of a trace. */
struct amount {
    int64_t bytes;
    int64_t blocks;
};

static struct amount trace_amount(const struct summing *summing, uint32_t index)
{
    const struct alloctrace_trace *trace = &summing->snapshot->traces[index];
    struct at_temporary temporary;

    switch (summing->metric) {
    case ALLOCTRACE_METRIC_LIVE:
        return (struct amount){trace->live_bytes, trace->live_blocks};
    case ALLOCTRACE_METRIC_TOTAL:
        return (struct amount){trace->total_bytes, trace->total_blocks};
    case ALLOCTRACE_METRIC_PEAK:
        return (struct amount){trace->peak_bytes, trace->peak_blocks};
    default:
        temporary = at_trace_temporary(summing->snapshot, index);
        return (struct amount){(int64_t)temporary.bytes,
                               (int64_t)temporary.blocks};
    }
}

/* Wrappers between where a trace allocated and where its path begins now. */
static uint64_t wrappers_count(const alloctrace_snapshot *snapshot,
                               uint32_t trace)
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

    if (!raw || raw->traces[left].traceback == raw->traces[right].traceback)
        return true;
    n = wrappers_count(snapshot, left);
    if (n != wrappers_count(snapshot, right))
        return false;
    at_walk_begin(&a, raw, raw->traces[left].traceback);
    at_walk_begin(&b, raw, raw->traces[right].traceback);
    for (uint64_t i = 0; i < n && i < COMPARED_WRAPPERS; i++) {
        if (strcmp(at_text(raw, raw->frames[a.frame].function),
                   at_text(raw, raw->frames[b.frame].function)))
            return false;
        at_walk_next(&a);
        at_walk_next(&b);
    }
    return true;
}

static void group_add(const struct summing *summing, struct group *group,
                      uint32_t index)
{
    const alloctrace_snapshot *snapshot = summing->snapshot;
    const struct amount amount = trace_amount(summing, index);

    if (!amount.bytes && !amount.blocks)
        return;
    group->size += (uint64_t)amount.bytes;
    group->count += (uint64_t)amount.blocks;
    if (group->trace == UINT32_MAX) {
        group->trace = group->largest = index;
        group->most = amount.bytes;
        return;
    }
    if (!group->has_types)
        group->has_types =
            strcmp(at_text(snapshot, summing->types[group->trace]),
                   at_text(snapshot, summing->types[index])) != 0;
    if (!group->has_ways)
        group->has_ways = !is_same_way(snapshot, group->trace, index);
    if (amount.bytes > group->most) {
        group->largest = index;
        group->most = amount.bytes;
    }
}

/* Sums up by rank. `groups` are `n_ranks` zeros. */
static void groups_sum(const struct summing *summing, struct group *groups,
                       uint32_t n_ranks)
{
    for (uint32_t i = 0; i < n_ranks; i++)
        groups[i] = (struct group){.rank = i, .trace = UINT32_MAX};
    for (uint32_t i = 0; i < summing->snapshot->n_traces; i++)
        group_add(summing, &groups[summing->ranks[i]], i);
}

/* Moves the groups that hold anything to the front. Returns their number. */
static size_t groups_compact(struct group *groups, uint32_t n_ranks)
{
    size_t count = 0;

    for (uint32_t i = 0; i < n_ranks; i++)
        if (groups[i].size || groups[i].count)
            groups[count++] = groups[i];
    return count;
}

/* Descending by size, count and key: tracemalloc's order. */
static int compare_groups(const void *left, const void *right)
{
    const struct group *a = left;
    const struct group *b = right;

    if (a->size != b->size)
        return (int64_t)a->size < (int64_t)b->size ? 1 : -1;
    if (a->count != b->count)
        return (int64_t)a->count < (int64_t)b->count ? 1 : -1;
    return a->rank < b->rank ? 1 : -1;
}

/* Fills in the key of a group from its first trace. */
static void statistic_name(const alloctrace_snapshot *snapshot, int group_by,
                           const struct alloctrace_trace *trace,
                           struct alloctrace_statistic *statistic)
{
    const struct at_frame *frame =
        &snapshot->frames[snapshot->tracebacks[trace->traceback].frame];

    switch (group_by) {
    case ALLOCTRACE_BY_FILENAME:
        statistic->key = at_text(snapshot, frame->place);
        break;
    case ALLOCTRACE_BY_LINENO:
        statistic->key = at_text(snapshot, frame->file);
        statistic->line = frame->line;
        break;
    case ALLOCTRACE_BY_FUNCTION:
        statistic->key = at_text(snapshot, frame->function);
        break;
    case ALLOCTRACE_BY_TYPE:
        statistic->key = statistic->type;
        break;
    case ALLOCTRACE_BY_DOMAIN:
        statistic->key =
            alloctrace_snapshot_domain_name(snapshot, trace->domain);
        statistic->number = trace->domain;
        break;
    case ALLOCTRACE_BY_THREAD:
        statistic->key = snapshot->threads[trace->thread].name;
        statistic->number = trace->thread;
        break;
    case ALLOCTRACE_BY_MODULE:
        statistic->key = snapshot->modules[frame->module].path;
        break;
    default:
        break;
    }
}

static void statistic_set(const struct summing *summing, int group_by,
                          const struct group *group,
                          struct alloctrace_statistic *statistic)
{
    const alloctrace_snapshot *snapshot = summing->snapshot;
    const struct alloctrace_trace *trace = &snapshot->traces[group->trace];

    *statistic = (struct alloctrace_statistic){
        .size = (int64_t)group->size,
        .count = (int64_t)group->count,
        .key = "",
        .traceback = trace->traceback,
        .type = group->has_types
                    ? ""
                    : at_text(snapshot, summing->types[group->trace]),
        .has_several_types = group->has_types,
        .has_several_ways = group->has_ways,
    };
    statistic_name(snapshot, group_by, trace, statistic);
}

/* Where the traces of a rank go in a list of all groups' members. */
struct place {
    uint32_t count;
    uint32_t next;
    bool is_shown; /* the rank has a group */
};

static void members_fill(alloctrace_statistics *statistics,
                         const struct summing *summing,
                         const struct group *groups, struct place *places)
{
    const uint32_t n = summing->snapshot->n_traces;
    uint32_t at = 0;

    for (uint32_t i = 0; i < n; i++)
        places[summing->ranks[i]].count++;
    for (size_t i = 0; i < statistics->count; i++) {
        struct place *const place = &places[groups[i].rank];

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

/* Lists the traces of each group, for their details. */
static int members_list(alloctrace_statistics *statistics,
                        const struct summing *summing,
                        const struct group *groups, uint32_t n_ranks)
{
    const size_t n = (size_t)summing->snapshot->n_traces + 1;
    struct place *const places = calloc((size_t)n_ranks + 1, sizeof *places);

    statistics->members = calloc(n, sizeof *statistics->members);
    statistics->first =
        calloc(statistics->count + 1, sizeof *statistics->first);
    if (places && statistics->members && statistics->first)
        members_fill(statistics, summing, groups, places);
    free(places);
    return places && statistics->members && statistics->first
               ? 0
               : ALLOCTRACE_ENO_MEMORY;
}

/* Makes the result of sorted groups. NULL: no memory. */
static alloctrace_statistics *statistics_create(const struct summing *summing,
                                                int group_by,
                                                const struct group *groups,
                                                size_t count)
{
    alloctrace_statistics *statistics = NULL;
    uint32_t *largest = calloc(count + 1, sizeof *largest);
    uint64_t size_sum = 0;
    uint64_t count_sum = 0;

    if (largest &&
        count < (SIZE_MAX - sizeof *statistics) / sizeof *statistics->groups)
        statistics =
            malloc(sizeof *statistics + count * sizeof *statistics->groups);
    if (!statistics) {
        free(largest);
        return NULL;
    }
    statistics->snapshot = at_snapshot_retain(summing->snapshot);
    statistics->group_by = group_by;
    statistics->count = count;
    statistics->largest = largest;
    statistics->members = statistics->first = NULL;
    for (size_t i = 0; i < count; i++) {
        statistic_set(summing, group_by, &groups[i], &statistics->groups[i]);
        largest[i] = groups[i].largest;
        size_sum += groups[i].size;
        count_sum += groups[i].count;
    }
    statistics->sum = (struct alloctrace_statistic){.size = (int64_t)size_sum,
                                                    .count = (int64_t)count_sum,
                                                    .key = "",
                                                    .type = ""};
    return statistics;
}

int alloctrace_snapshot_statistics(
    const alloctrace_snapshot *snapshot,
    const struct alloctrace_statistics_options *options,
    alloctrace_statistics **statistics)
{
    struct alloctrace_statistics_options chosen;
    struct summing summing = {.snapshot = snapshot};
    uint32_t *types = NULL;
    uint32_t *ranks = NULL;
    struct group *groups = NULL;
    alloctrace_statistics *made = NULL;
    uint32_t n_ranks = 0;
    size_t count;

    if (options_read(options, &chosen) ||
        (chosen.metric == ALLOCTRACE_METRIC_TEMPORARY &&
         !snapshot->has_details))
        return ALLOCTRACE_EBAD_ARGUMENT;
    types = at_trace_types(snapshot);
    ranks = calloc((size_t)snapshot->n_traces + 1, sizeof *ranks);
    if (!types || !ranks ||
        at_rank_traces(snapshot, chosen.group_by, types, ranks, &n_ranks))
        goto out;
    groups = calloc((size_t)n_ranks + 1, sizeof *groups);
    if (!groups)
        goto out;
    summing.metric = chosen.metric;
    summing.types = types;
    summing.ranks = ranks;
    groups_sum(&summing, groups, n_ranks);
    count = groups_compact(groups, n_ranks);
    qsort(groups, count, sizeof *groups, compare_groups);
    made = statistics_create(&summing, chosen.group_by, groups, count);
    if (made && snapshot->has_details &&
        members_list(made, &summing, groups, n_ranks)) {
        alloctrace_statistics_free(made);
        made = NULL;
    }
out:
    free(types);
    free(ranks);
    free(groups);
    if (!made)
        return ALLOCTRACE_ENO_MEMORY;
    *statistics = made;
    return 0;
}

void alloctrace_statistics_free(alloctrace_statistics *statistics)
{
    if (!statistics)
        return;
    free(statistics->largest);
    free(statistics->members);
    free(statistics->first);
    alloctrace_snapshot_free(statistics->snapshot);
    free(statistics);
}

size_t alloctrace_statistics_count(const alloctrace_statistics *statistics)
{
    return statistics->count;
}

const struct alloctrace_statistic *
alloctrace_statistics_get(const alloctrace_statistics *statistics, size_t index)
{
    return index < statistics->count ? &statistics->groups[index] : NULL;
}

const struct alloctrace_statistic *
alloctrace_statistics_sum(const alloctrace_statistics *statistics)
{
    return &statistics->sum;
}

/* The one frame that is the key of a group by file, line or function. */
static alloctrace_traceback *key_frame(const alloctrace_snapshot *snapshot,
                                       int group_by, uint32_t traceback_id)
{
    const struct at_frame *frame =
        &snapshot->frames[snapshot->tracebacks[traceback_id].frame];
    bool is_by_line = group_by == ALLOCTRACE_BY_LINENO;
    bool is_by_file = group_by == ALLOCTRACE_BY_FILENAME;
    alloctrace_traceback *traceback = at_traceback_create(1);

    if (!traceback)
        return NULL;
    traceback->snapshot = at_snapshot_retain(snapshot);
    traceback->total_nframe = snapshot->tracebacks[traceback_id].depth +
                              snapshot->tracebacks[traceback_id].left_out;
    traceback->frames[0] = (struct alloctrace_frame){
        .file = at_text(snapshot, is_by_line ? frame->file : frame->place),
        .function = at_text(snapshot, is_by_file ? 0 : frame->function),
        .type = "",
        .target = "",
        .module = alloctrace_snapshot_module(snapshot, frame->module),
        .address = is_by_line ? frame->address : 0,
        .line = is_by_line ? frame->line : 0,
        .kind = frame->kind,
    };
    return traceback;
}

int alloctrace_statistics_traceback(const alloctrace_statistics *statistics,
                                    size_t index,
                                    alloctrace_traceback **traceback)
{
    alloctrace_traceback *made;
    uint32_t id;

    if (index >= statistics->count)
        return ALLOCTRACE_EBAD_ARGUMENT;
    id = statistics->groups[index].traceback;
    switch (statistics->group_by) {
    case ALLOCTRACE_BY_TRACEBACK:
        return alloctrace_snapshot_traceback(statistics->snapshot, id,
                                             traceback);
    case ALLOCTRACE_BY_FILENAME:
    case ALLOCTRACE_BY_LINENO:
    case ALLOCTRACE_BY_FUNCTION:
        made = key_frame(statistics->snapshot, statistics->group_by, id);
        break;
    default:
        made = at_traceback_create(0);
        break;
    }
    if (!made)
        return ALLOCTRACE_ENO_MEMORY;
    *traceback = made;
    return 0;
}

int alloctrace_statistics_wrappers(const alloctrace_statistics *statistics,
                                   size_t index,
                                   alloctrace_traceback **traceback)
{
    const alloctrace_snapshot *snapshot = statistics->snapshot;
    uint32_t trace;

    if (index >= statistics->count)
        return ALLOCTRACE_EBAD_ARGUMENT;
    trace = statistics->largest[index];
    if (!snapshot->raw)
        return at_path_begin(snapshot, 0, 0, traceback);
    return at_path_begin(snapshot->raw, snapshot->raw->traces[trace].traceback,
                         wrappers_count(snapshot, trace), traceback);
}

int alloctrace_statistics_detail(const alloctrace_statistics *statistics,
                                 size_t index,
                                 struct alloctrace_detail **detail)
{
    const uint32_t *const first = statistics->first;

    if (index >= statistics->count || !first)
        return ALLOCTRACE_EBAD_ARGUMENT;
    return at_detail_sum(statistics->snapshot,
                         statistics->members + first[index],
                         first[index + 1] - first[index], detail);
}
