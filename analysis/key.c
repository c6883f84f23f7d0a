/* SPDX-License-Identifier: MIT */
/*
 * What traces are grouped by. Each grouping ranks every trace by its key:
 * equal keys get equal ranks, and ranks compare as the keys do in tracemalloc
 * (names as strings of bytes, lines and numbers as numbers).
 */
#include <stdlib.h>

#include "model.h"

/* Ranks of all strings, by id. NULL: no memory. */
static uint32_t *string_ranks(const alloctrace_snapshot *snapshot)
{
    uint32_t *ranks = calloc(snapshot->strings.count, sizeof *ranks);

    if (ranks &&
        at_rank_texts(snapshot->strings.text, snapshot->strings.count, ranks)) {
        free(ranks);
        return NULL;
    }
    return ranks;
}

static uint32_t trace_frame(const alloctrace_snapshot *snapshot, size_t trace)
{
    return snapshot->tracebacks[snapshot->traces[trace].traceback].frame;
}

/* The key of one trace as a number; strings through their ranks. */
static uint64_t trace_key(const alloctrace_snapshot *snapshot, int group_by,
                          const uint32_t *types, const uint32_t *strings,
                          size_t index)
{
    const struct alloctrace_trace *trace = &snapshot->traces[index];
    const struct at_frame *frame =
        &snapshot->frames[trace_frame(snapshot, index)];

    switch (group_by) {
    case ALLOCTRACE_BY_FILENAME:
        return strings[frame->place];
    case ALLOCTRACE_BY_LINENO:
        return (uint64_t)strings[frame->file] << 32 | frame->line;
    case ALLOCTRACE_BY_FUNCTION:
        return (uint64_t)strings[frame->function] << 32 | strings[frame->place];
    case ALLOCTRACE_BY_TYPE:
        return strings[types[index]];
    case ALLOCTRACE_BY_DOMAIN:
        return trace->domain;
    case ALLOCTRACE_BY_THREAD:
        return trace->thread;
    default:
        return frame->module;
    }
}

/* Ranks of modules by path, so that a file loaded twice is one. */
static int rank_module_keys(const alloctrace_snapshot *snapshot, uint64_t *keys)
{
    uint32_t n = snapshot->n_modules;
    const char **paths = calloc(n, sizeof *paths);
    uint32_t *ranks = calloc(n, sizeof *ranks);
    int result = ALLOCTRACE_ENO_MEMORY;

    if (paths && ranks) {
        for (uint32_t i = 0; i < n; i++)
            paths[i] = snapshot->modules[i].path;
        result = at_rank_texts(paths, n, ranks);
    }
    for (size_t i = 0; !result && i < snapshot->n_traces; i++)
        keys[i] = ranks[keys[i]];
    free(paths);
    free(ranks);
    return result;
}

static int rank_by_key(const alloctrace_snapshot *snapshot, int group_by,
                       const uint32_t *types, uint32_t *ranks,
                       uint32_t *n_ranks)
{
    uint64_t *keys = calloc((size_t)snapshot->n_traces + 1, sizeof *keys);
    uint32_t *strings = string_ranks(snapshot);
    int result = ALLOCTRACE_ENO_MEMORY;

    if (!keys || !strings)
        goto out;
    for (size_t i = 0; i < snapshot->n_traces; i++)
        keys[i] = trace_key(snapshot, group_by, types, strings, i);
    if (group_by == ALLOCTRACE_BY_MODULE && rank_module_keys(snapshot, keys))
        goto out;
    result = at_rank_numbers(keys, snapshot->n_traces, ranks, n_ranks);
out:
    free(keys);
    free(strings);
    return result;
}

/* Ranks all frames by file and line: frame => rank. NULL: no memory. */
static uint32_t *rank_places(const alloctrace_snapshot *snapshot)
{
    uint32_t n = snapshot->n_frames;
    uint64_t *keys = calloc(n, sizeof *keys);
    uint32_t *places = calloc(n, sizeof *places);
    uint32_t *strings = string_ranks(snapshot);
    bool is_ranked = false;

    if (keys && places && strings) {
        for (uint32_t i = 0; i < n; i++)
            keys[i] = (uint64_t)strings[snapshot->frames[i].file] << 32 |
                      snapshot->frames[i].line;
        is_ranked = at_rank_numbers(keys, n, places, NULL) == 0;
    }
    free(keys);
    free(strings);
    if (is_ranked)
        return places;
    free(places);
    return NULL;
}

static int rank_by_traceback(const alloctrace_snapshot *snapshot,
                             uint32_t *ranks, uint32_t *n_ranks)
{
    uint32_t n = snapshot->n_tracebacks;
    uint32_t *places = rank_places(snapshot);
    bool *is_used = calloc(n, sizeof *is_used);
    uint32_t *paths = calloc(n, sizeof *paths);
    int result = ALLOCTRACE_ENO_MEMORY;

    if (!places || !is_used || !paths)
        goto out;
    for (size_t i = 0; i < snapshot->n_traces; i++)
        is_used[snapshot->traces[i].traceback] = true;
    result = at_rank_paths(snapshot, places, is_used, paths, n_ranks);
    for (size_t i = 0; !result && i < snapshot->n_traces; i++)
        ranks[i] = paths[snapshot->traces[i].traceback];
out:
    free(places);
    free(is_used);
    free(paths);
    return result;
}

int at_rank_traces(const alloctrace_snapshot *snapshot, int group_by,
                   const uint32_t *types, uint32_t *ranks, uint32_t *n_ranks)
{
    if (group_by == ALLOCTRACE_BY_TRACEBACK)
        return rank_by_traceback(snapshot, ranks, n_ranks);
    return rank_by_key(snapshot, group_by, types, ranks, n_ranks);
}
