/* SPDX-License-Identifier: MIT */
/*
 * Folded snapshots: a snapshot with paths that begin at the frames that answer
 * for them (fold.c), over the frames, strings and modules of another. What
 * reads snapshots reads them like any other.
 *
 * A folded path is the innermost frame that is left and the path of the
 * caller, hence an entry in the table of tracebacks like those of the file:
 *
 *     0 .. n - 1   the tracebacks of the file, under their numbers
 *     n ..         one for each of them that had to be folded
 *
 * so that the number says whether wrappers were left out (at_is_folded).
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* What came through the wrappers: bytes that they handed on. */
struct passage {
    uint64_t *tracebacks; /* through whole sites, by traceback */
    uint64_t *frames;     /* by frame; until all are summed up only what begins
                             there, less what ends there */
};

/* A function while wrappers are listed. */
struct wrapper {
    const char *function; /* not owned */
    uint64_t bytes;       /* that it handed on */
};

/* ---- Wrappers ---- */

/* Notes that `bytes` came from a traceback to its fold. */
static void passage_add(const alloctrace_snapshot *raw, struct passage *passage,
                        uint32_t traceback, const struct at_fold *fold,
                        uint64_t bytes)
{
    passage->tracebacks[traceback] += bytes;
    passage->tracebacks[fold->traceback] -= bytes;
    passage->frames[raw->tracebacks[fold->traceback].frame] += bytes;
    passage->frames[fold->frame] -= bytes;
}

/* Carries the bytes outwards: through whole sites, for parents have lower
 * numbers; then through frames, for callers have, but those that resolving an
 * address added. */
static void passage_sum(const alloctrace_snapshot *raw, struct passage *passage)
{
    for (uint32_t i = raw->n_tracebacks; i-- > 1;) {
        const struct at_traceback *traceback = &raw->tracebacks[i];

        passage->frames[traceback->frame] += passage->tracebacks[i];
        passage->tracebacks[traceback->parent] += passage->tracebacks[i];
    }
    for (uint32_t i = 1; i < raw->n_frames; i++)
        if (raw->frames[i].caller > i)
            passage->frames[raw->frames[i].caller] += passage->frames[i];
    for (uint32_t i = raw->n_frames; i-- > 1;)
        if (raw->frames[i].caller < i)
            passage->frames[raw->frames[i].caller] += passage->frames[i];
}

static int compare_names(const void *left, const void *right)
{
    const struct wrapper *a = left;
    const struct wrapper *b = right;

    return strcmp(a->function, b->function);
}

static int compare_bytes(const void *left, const void *right)
{
    const struct wrapper *a = left;
    const struct wrapper *b = right;

    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return compare_names(left, right);
}

/* Makes one of neighbours with one name. Returns how many are left. */
static size_t wrappers_merge(struct wrapper *wrappers, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (n > 0 && !compare_names(&wrappers[n - 1], &wrappers[i]))
            wrappers[n - 1].bytes += wrappers[i].bytes;
        else
            wrappers[n++] = wrappers[i];
    }
    return n;
}

/* Sums up what frames handed on by the string that names their function, but
 * not the library's. The caller frees the sums. NULL: no memory. */
static uint64_t *functions_sum(const alloctrace_snapshot *view,
                               const uint64_t *bytes)
{
    uint64_t *const sums = calloc(view->strings.count, sizeof *sums);

    for (uint32_t i = 1; sums && i < view->n_frames; i++) {
        const struct at_frame *frame = &view->frames[i];
        const char *const function = at_text(view, frame->function);

        if (bytes[i] && *function && !at_is_library(view, frame))
            sums[frame->function] += bytes[i];
    }
    return sums;
}

/* Lists the functions that something came through. Each string is compared with
 * others, not each frame: a long name may be that of many frames. */
static int wrappers_list(alloctrace_snapshot *view, const uint64_t *bytes)
{
    uint64_t *const sums = functions_sum(view, bytes);
    struct wrapper *wrappers = calloc(view->strings.count, sizeof *wrappers);
    size_t n = 0;

    for (uint32_t i = 1; sums && wrappers && i < view->strings.count; i++)
        if (sums[i])
            wrappers[n++] = (struct wrapper){at_text(view, i), sums[i]};
    view->wrappers = calloc(n + 1, sizeof *view->wrappers);
    if (sums && wrappers && view->wrappers) {
        qsort(wrappers, n, sizeof *wrappers, compare_names);
        n = wrappers_merge(wrappers, n);
        qsort(wrappers, n, sizeof *wrappers, compare_bytes);
        for (size_t i = 0; i < n; i++)
            view->wrappers[i] = wrappers[i].function;
        view->n_wrappers = n;
    }
    free(sums);
    free(wrappers);
    return sums && wrappers && view->wrappers ? 0 : ALLOCTRACE_ENO_MEMORY;
}

int at_wrappers_find(alloctrace_snapshot *view, const struct at_fold *folds)
{
    const alloctrace_snapshot *raw = view->raw;
    struct passage passage = {
        .tracebacks = calloc(raw->n_tracebacks, sizeof *passage.tracebacks),
        .frames = calloc(raw->n_frames, sizeof *passage.frames)};
    int result = ALLOCTRACE_ENO_MEMORY;

    if (passage.tracebacks && passage.frames) {
        for (uint32_t i = 0; i < raw->n_traces; i++) {
            const struct alloctrace_trace *trace = &raw->traces[i];

            passage_add(raw, &passage, trace->traceback,
                        &folds[trace->traceback], (uint64_t)trace->total_bytes);
        }
        passage_sum(raw, &passage);
        result = wrappers_list(view, passage.frames);
    }
    free(passage.tracebacks);
    free(passage.frames);
    return result;
}

/* ---- The view ---- */

/* Adds the folded path of a traceback. Returns its number, or that of the
 * traceback if there is nothing to leave out. */
static uint32_t path_add(alloctrace_snapshot *view, uint32_t traceback,
                         const struct at_fold *fold)
{
    const struct at_traceback *site = &view->tracebacks[fold->traceback];
    struct at_traceback path = {.parent = site->parent,
                                .frame = fold->frame,
                                .left_out = site->left_out};

    if (fold->traceback == traceback && fold->frame == site->frame)
        return traceback;
    path.depth = view->frames[fold->frame].n_chain;
    if (path.parent)
        path.depth += view->tracebacks[path.parent].depth;
    view->tracebacks[view->n_tracebacks] = path;
    return view->n_tracebacks++;
}

/* Gives the view tables of its own: tracebacks and traces. */
static int view_fill(alloctrace_snapshot *view, const struct at_fold *folds)
{
    const alloctrace_snapshot *raw = view->raw;
    const uint32_t n = raw->n_tracebacks;
    const uint64_t size = 2 * (uint64_t)n * sizeof *view->tracebacks;
    uint32_t *paths = calloc(n, sizeof *paths); /* 0 = not folded yet */

    if (n <= UINT32_MAX / 2 && size == (size_t)size)
        view->tracebacks = malloc((size_t)size);
    view->traces = calloc((size_t)raw->n_traces + 1, sizeof *view->traces);
    if (!paths || !view->tracebacks || !view->traces) {
        free(paths);
        return ALLOCTRACE_ENO_MEMORY;
    }
    memcpy(view->tracebacks, raw->tracebacks, n * sizeof *view->tracebacks);
    for (uint32_t i = 0; i < raw->n_traces; i++) {
        const uint32_t id = raw->traces[i].traceback;

        if (!paths[id])
            paths[id] = path_add(view, id, &folds[id]);
        view->traces[i] = raw->traces[i];
        view->traces[i].traceback = paths[id];
    }
    free(paths);
    return 0;
}

int alloctrace_snapshot_fold_wrappers(const alloctrace_snapshot *snapshot,
                                      alloctrace_snapshot **folded)
{
    AT_UNTRACED;
    alloctrace_snapshot *view;
    struct at_fold *folds;
    int result;

    if (snapshot->raw)
        return ALLOCTRACE_EBAD_ARGUMENT;
    view = at_snapshot_derive(snapshot);
    folds = at_fold_paths(snapshot);
    if (!view || !folds) {
        alloctrace_snapshot_free(view);
        free(folds);
        return ALLOCTRACE_ENO_MEMORY;
    }
    view->raw = at_snapshot_retain(snapshot);
    view->tracebacks = NULL;
    view->traces = NULL;
    result = view_fill(view, folds);
    if (!result)
        result = at_wrappers_find(view, folds);
    free(folds);
    if (result)
        alloctrace_snapshot_free(view);
    else
        *folded = view;
    return result;
}

size_t alloctrace_snapshot_wrapper_count(const alloctrace_snapshot *snapshot)
{
    return snapshot->n_wrappers;
}

const char *alloctrace_snapshot_wrapper(const alloctrace_snapshot *snapshot,
                                        size_t index)
{
    return index < snapshot->n_wrappers ? snapshot->wrappers[index] : NULL;
}
