/* SPDX-License-Identifier: MIT */
/*
 * One group of statistics: its figures, its frames, its details and its text.
 * Everything is asked of the snapshot that the group's first traceback is of.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "groups.h"

/* ---- Figures ---- */

int alloctrace_statistics_is_diff(const alloctrace_statistics *statistics)
{
    return statistics->snapshots[1] != NULL;
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

/* ---- Frames ---- */

/* The snapshot that a group is of. */
static const alloctrace_snapshot *
group_snapshot(const alloctrace_statistics *statistics, size_t index)
{
    return statistics->snapshots[at_group_side(statistics, index)];
}

/* Frames that a group's traceback has as its key. */
static uint64_t group_kept(const alloctrace_statistics *statistics,
                           size_t index)
{
    const uint32_t side = at_group_side(statistics, index);
    const struct at_side of = {.snapshot = statistics->snapshots[side],
                               .limit = statistics->limits[side]};

    return at_side_kept(&of, statistics->groups[index].traceback);
}

/* The one frame that is the key of a group by file, line or function. */
static int key_frame(const alloctrace_statistics *statistics, size_t index,
                     alloctrace_traceback **made)
{
    const struct alloctrace_statistic *const group = &statistics->groups[index];
    const struct at_frame *const frame = at_group_frame(statistics, index);
    const alloctrace_snapshot *const of = at_frame_snapshot(statistics, index);
    const struct at_traceback *const path =
        &group_snapshot(statistics, index)->tracebacks[group->traceback];
    const bool is_by_line = statistics->group_by == ALLOCTRACE_BY_LINENO;
    const bool is_by_file = statistics->group_by == ALLOCTRACE_BY_FILENAME;
    alloctrace_traceback *const traceback = at_traceback_create(1);

    if (!traceback)
        return ALLOCTRACE_ENO_MEMORY;
    traceback->snapshot = at_snapshot_retain(of);
    traceback->total_nframe = path->depth + path->left_out;
    traceback->frames[0] = (struct alloctrace_frame){
        .file = at_text(of, is_by_line ? frame->file : frame->place),
        .function = at_text(of, is_by_file ? 0 : frame->function),
        .type = "",
        .target = "",
        .module = alloctrace_snapshot_module(of, frame->module),
        .address = is_by_line ? frame->address : 0,
        .line = is_by_line ? frame->line : 0,
        .kind = frame->kind,
    };
    *made = traceback;
    return 0;
}

int alloctrace_statistics_traceback(const alloctrace_statistics *statistics,
                                    size_t index,
                                    alloctrace_traceback **traceback)
{
    AT_UNTRACED;
    alloctrace_traceback *made;

    if (index >= statistics->count)
        return ALLOCTRACE_EBAD_ARGUMENT;
    switch (statistics->group_by) {
    case ALLOCTRACE_BY_TRACEBACK:
        return at_path_begin(group_snapshot(statistics, index),
                             statistics->groups[index].traceback,
                             group_kept(statistics, index), traceback);
    case ALLOCTRACE_BY_FILENAME:
    case ALLOCTRACE_BY_LINENO:
    case ALLOCTRACE_BY_FUNCTION:
        return key_frame(statistics, index, traceback);
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
    AT_UNTRACED;
    const alloctrace_snapshot *snapshot;
    uint32_t trace;

    if (index >= statistics->count)
        return ALLOCTRACE_EBAD_ARGUMENT;
    snapshot = group_snapshot(statistics, index);
    if (!statistics->largest)
        return at_path_begin(snapshot, 0, 0, traceback);
    trace = statistics->largest[index];
    return at_path_begin(snapshot->raw, snapshot->raw->traces[trace].traceback,
                         at_wrappers_count(snapshot, trace), traceback);
}

/* ---- Details ---- */

/* Of a cumulative group: one pass over the snapshot finds its traces. */
static int cumulative_detail(const alloctrace_statistics *statistics,
                             size_t index, struct alloctrace_detail **detail)
{
    const struct at_side side = {.snapshot = statistics->snapshots[0],
                                 .limit = statistics->limits[0]};
    const uint32_t n = side.snapshot->n_traces;
    bool *const has =
        at_tracebacks_with(&side, statistics->ranks,
                           statistics->ranks[statistics->keys[index]]);
    uint32_t *const members = malloc(((size_t)n + 1) * sizeof *members);
    int result = ALLOCTRACE_ENO_MEMORY;
    size_t count = 0;

    for (uint32_t i = 0; has && members && i < n; i++)
        if (has[side.snapshot->traces[i].traceback])
            members[count++] = i;
    if (has && members)
        result = at_detail_sum(side.snapshot, members, count, detail);
    free(has);
    free(members);
    return result;
}

int alloctrace_statistics_detail(const alloctrace_statistics *statistics,
                                 size_t index,
                                 struct alloctrace_detail **detail)
{
    AT_UNTRACED;
    const uint32_t *const first = statistics->first;

    if (index >= statistics->count || (!first && !statistics->ranks))
        return ALLOCTRACE_EBAD_ARGUMENT;
    if (!first)
        return cumulative_detail(statistics, index, detail);
    return at_detail_sum(statistics->snapshots[0],
                         statistics->members + first[index],
                         first[index + 1] - first[index], detail);
}

/* ---- Text ---- */

/* Where text goes, and how much of it there was. */
struct text {
    char *buffer;
    size_t size; /* of it, with the NUL */
    size_t used; /* characters that all of it takes */
};

static void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void text_add(struct text *text, const char *format, ...)
{
    const size_t at = text->used < text->size ? text->used : text->size;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(at < text->size ? text->buffer + at : NULL,
                       text->size - at, format, arguments);
    va_end(arguments);
    if (length > 0)
        text->used += (size_t)length;
}

/* The frame that stands for a path: the most recent one, or the oldest. */
static void text_add_path(struct text *text,
                          const alloctrace_statistics *statistics, size_t index,
                          unsigned flags)
{
    const alloctrace_snapshot *const of = group_snapshot(statistics, index);
    uint64_t left = group_kept(statistics, index);
    const struct at_frame *frame;
    struct at_walk walk;

    at_walk_begin(&walk, of, statistics->groups[index].traceback);
    while (flags & ALLOCTRACE_LIKE_CPYTHON && --left > 0)
        at_walk_next(&walk);
    frame = &of->frames[walk.frame];
    text_add(text, "%s:%" PRIu32, at_text(of, frame->file), frame->line);
}

static void text_add_key(struct text *text,
                         const alloctrace_statistics *statistics, size_t index,
                         unsigned flags)
{
    const struct alloctrace_statistic *const group = &statistics->groups[index];

    switch (statistics->group_by) {
    case ALLOCTRACE_BY_FILENAME:
    case ALLOCTRACE_BY_LINENO:
        text_add(text, "%s:%" PRIu32, group->key, group->line);
        break;
    case ALLOCTRACE_BY_FUNCTION:
        text_add(text, "%s (%s)", *group->key ? group->key : "<unknown>",
                 at_text(at_frame_snapshot(statistics, index),
                         at_group_frame(statistics, index)->place));
        break;
    case ALLOCTRACE_BY_TRACEBACK:
        text_add_path(text, statistics, index, flags);
        break;
    default:
        if (*group->key)
            text_add(text, "%s", group->key);
        else if (statistics->group_by == ALLOCTRACE_BY_DOMAIN ||
                 statistics->group_by == ALLOCTRACE_BY_THREAD)
            text_add(text, "%" PRIu32, group->number);
        else
            text_add(text, "<unknown>");
        break;
    }
}

size_t alloctrace_statistics_format(const alloctrace_statistics *statistics,
                                    size_t index, unsigned flags, char *buffer,
                                    size_t size)
{
    AT_UNTRACED;
    struct text text = {buffer, size, 0};
    const struct alloctrace_statistic *group;
    char number[ALLOCTRACE_SIZE_TEXT];
    const bool is_diff = statistics->snapshots[1] != NULL;

    if (size > 0)
        buffer[0] = '\0';
    if (index >= statistics->count)
        return 0;
    group = &statistics->groups[index];
    text_add_key(&text, statistics, index, flags);
    text_add(&text, ": size=%s",
             alloctrace_format_size((double)group->size, 0, number));
    if (is_diff)
        text_add(&text, " (%s)",
                 alloctrace_format_size((double)group->size_diff, 1, number));
    text_add(&text, ", count=%" PRId64, group->count);
    if (is_diff)
        text_add(&text, " (%+" PRId64 ")", group->count_diff);
    if (group->count)
        text_add(&text, ", average=%s",
                 alloctrace_format_size(
                     (double)group->size / (double)group->count, 0, number));
    return text.used;
}
