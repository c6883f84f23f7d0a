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
    uint64_t size;  /* bytes; two's complement */
    uint64_t count; /* blocks */
    uint32_t rank;  /* of the key: the last criterion of the order */
    uint32_t trace; /* first trace of the group; stands for its key */
};

struct alloctrace_statistics {
    const alloctrace_snapshot *snapshot;  /* not owned; outlives this */
    int group_by;                         /* enum alloctrace_grouping */
    size_t count;                         /* groups */
    struct alloctrace_statistic sum;      /* of all groups */
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
        options->metric > ALLOCTRACE_METRIC_PEAK)
        return ALLOCTRACE_EBAD_ARGUMENT;
    return 0;
}

static void group_add(struct group *group, const struct alloctrace_trace *trace,
                      int metric)
{
    switch (metric) {
    case ALLOCTRACE_METRIC_LIVE:
        group->size += (uint64_t)trace->live_bytes;
        group->count += (uint64_t)trace->live_blocks;
        break;
    case ALLOCTRACE_METRIC_TOTAL:
        group->size += (uint64_t)trace->total_bytes;
        group->count += (uint64_t)trace->total_blocks;
        break;
    default:
        group->size += (uint64_t)trace->peak_bytes;
        group->count += (uint64_t)trace->peak_blocks;
        break;
    }
}

/* Sums up by rank. `groups` are `n_ranks` zeros. */
static void groups_sum(const alloctrace_snapshot *snapshot, int metric,
                       const uint32_t *ranks, struct group *groups,
                       uint32_t n_ranks)
{
    for (uint32_t i = 0; i < n_ranks; i++)
        groups[i] = (struct group){.rank = i, .trace = UINT32_MAX};
    for (uint32_t i = 0; i < snapshot->n_traces; i++) {
        struct group *group = &groups[ranks[i]];

        if (group->trace == UINT32_MAX)
            group->trace = i;
        group_add(group, &snapshot->traces[i], metric);
    }
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

/* Fills in the key of a group from its first trace; types come later. */
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

static void statistic_set(const alloctrace_snapshot *snapshot, int group_by,
                          const struct group *group,
                          struct alloctrace_statistic *statistic)
{
    const struct alloctrace_trace *trace = &snapshot->traces[group->trace];

    *statistic = (struct alloctrace_statistic){
        .size = (int64_t)group->size,
        .count = (int64_t)group->count,
        .key = "",
        .traceback = trace->traceback,
    };
    statistic_name(snapshot, group_by, trace, statistic);
}

/* Fills in the types that are the keys of groups. */
static int name_types(alloctrace_statistics *statistics)
{
    const alloctrace_snapshot *snapshot = statistics->snapshot;
    uint32_t *types = at_traceback_types(snapshot);

    if (!types)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < statistics->count; i++) {
        struct alloctrace_statistic *statistic = &statistics->groups[i];

        statistic->key = at_text(snapshot, types[statistic->traceback]);
    }
    free(types);
    return 0;
}

/* Makes the result of sorted groups. NULL: no memory. */
static alloctrace_statistics *
statistics_create(const alloctrace_snapshot *snapshot, int group_by,
                  const struct group *groups, size_t count)
{
    alloctrace_statistics *statistics = NULL;
    uint64_t size_sum = 0;
    uint64_t count_sum = 0;

    if (count < (SIZE_MAX - sizeof *statistics) / sizeof *statistics->groups)
        statistics =
            malloc(sizeof *statistics + count * sizeof *statistics->groups);
    if (!statistics)
        return NULL;
    statistics->snapshot = snapshot;
    statistics->group_by = group_by;
    statistics->count = count;
    for (size_t i = 0; i < count; i++) {
        statistic_set(snapshot, group_by, &groups[i], &statistics->groups[i]);
        size_sum += groups[i].size;
        count_sum += groups[i].count;
    }
    statistics->sum = (struct alloctrace_statistic){
        .size = (int64_t)size_sum, .count = (int64_t)count_sum, .key = ""};
    if (group_by == ALLOCTRACE_BY_TYPE && name_types(statistics)) {
        free(statistics);
        return NULL;
    }
    return statistics;
}

int alloctrace_snapshot_statistics(
    const alloctrace_snapshot *snapshot,
    const struct alloctrace_statistics_options *options,
    alloctrace_statistics **statistics)
{
    struct alloctrace_statistics_options chosen;
    uint32_t *ranks = NULL;
    struct group *groups = NULL;
    alloctrace_statistics *made = NULL;
    uint32_t n_ranks = 0;
    size_t count;

    if (options_read(options, &chosen))
        return ALLOCTRACE_EBAD_ARGUMENT;
    ranks = calloc((size_t)snapshot->n_traces + 1, sizeof *ranks);
    if (!ranks || at_rank_traces(snapshot, chosen.group_by, ranks, &n_ranks))
        goto out;
    groups = calloc((size_t)n_ranks + 1, sizeof *groups);
    if (!groups)
        goto out;
    groups_sum(snapshot, chosen.metric, ranks, groups, n_ranks);
    count = groups_compact(groups, n_ranks);
    qsort(groups, count, sizeof *groups, compare_groups);
    made = statistics_create(snapshot, chosen.group_by, groups, count);
out:
    free(ranks);
    free(groups);
    if (!made)
        return ALLOCTRACE_ENO_MEMORY;
    *statistics = made;
    return 0;
}

void alloctrace_statistics_free(alloctrace_statistics *statistics)
{
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
    traceback->total_nframe = snapshot->tracebacks[traceback_id].depth;
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
