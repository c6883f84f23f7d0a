/* SPDX-License-Identifier: MIT */
/*
 * Some of a snapshot's traces, over the tables of that snapshot: filter.c says
 * which ones. What hangs on traces goes with them: details and sizes, which
 * name their trace by its position, and blocks, which are kept if a kept trace
 * has their traceback and domain. Of a folded snapshot the one that was folded
 * is cut down alike, so that both stay parallel.
 *
 * Time: linear in the traces, and n log n in the blocks, if there are any.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* What is kept. */
struct selection {
    const bool *traces; /* by position; not owned */
    uint32_t n_traces;  /* kept */
    bool *blocks;       /* owned: by position; NULL = there are none */
    uint64_t n_blocks;  /* kept */
};

/* ---- Blocks ---- */

static uint64_t place_of(uint32_t traceback, uint32_t domain)
{
    return (uint64_t)traceback << 32 | domain;
}

static int compare_places(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* The places of kept traces, ascending. NULL: no memory. */
static uint64_t *places_list(const alloctrace_snapshot *snapshot,
                             const struct selection *selection)
{
    uint64_t *const places =
        calloc((size_t)selection->n_traces + 1, sizeof *places);
    size_t n = 0;

    for (uint32_t i = 0; places && i < snapshot->n_traces; i++)
        if (selection->traces[i])
            places[n++] = place_of(snapshot->traces[i].traceback,
                                   snapshot->traces[i].domain);
    if (places)
        qsort(places, n, sizeof *places, compare_places);
    return places;
}

/* Says which blocks are kept. `raw` is the snapshot itself, or what was folded:
 * blocks have the tracebacks of the file. */
static int blocks_find(const alloctrace_snapshot *raw,
                       struct selection *selection)
{
    uint64_t *places;

    if (raw->n_blocks == 0)
        return 0;
    places = places_list(raw, selection);
    selection->blocks = calloc((size_t)raw->n_blocks, sizeof(bool));
    for (uint64_t i = 0; places && selection->blocks && i < raw->n_blocks;
         i++) {
        const uint64_t place =
            place_of(raw->blocks[i].traceback, raw->blocks[i].domain);

        selection->blocks[i] = bsearch(&place, places, selection->n_traces,
                                       sizeof place, compare_places) != NULL;
        selection->n_blocks += selection->blocks[i];
    }
    free(places);
    return places && selection->blocks ? 0 : ALLOCTRACE_ENO_MEMORY;
}

/* ---- Tables ---- */

/* Each gives a snapshot a table of its own, with what is kept of its base's. */
static int traces_select(alloctrace_snapshot *made,
                         const struct selection *selection)
{
    const alloctrace_snapshot *const base = made->base;
    uint32_t n = 0;

    made->traces =
        calloc((size_t)selection->n_traces + 1, sizeof *made->traces);
    made->n_traces = 0;
    if (!made->traces)
        return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t i = 0; i < base->n_traces; i++)
        if (selection->traces[i])
            made->traces[n++] = base->traces[i];
    made->n_traces = n;
    return 0;
}

/* Details stand in the order of traces, and several may be of one. */
static int details_select(alloctrace_snapshot *made,
                          const struct selection *selection)
{
    const alloctrace_snapshot *const base = made->base;
    uint32_t trace = 0;    /* of the base */
    uint32_t position = 0; /* of that trace, if it is kept */

    if (base->n_details == 0)
        return 0;
    made->details = calloc((size_t)base->n_details + 1, sizeof *made->details);
    made->n_details = 0;
    if (!made->details)
        return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t i = 0; i < base->n_details; i++) {
        while (trace < base->details[i].trace)
            position += selection->traces[trace++];
        if (!selection->traces[trace])
            continue;
        made->details[made->n_details] = base->details[i];
        made->details[made->n_details++].trace = position;
    }
    return 0;
}

static int sizes_select(alloctrace_snapshot *made,
                        const struct selection *selection)
{
    const alloctrace_snapshot *const base = made->base;
    uint32_t trace = 0;
    uint32_t position = 0;

    if (base->n_sizes == 0)
        return 0;
    made->sizes = calloc((size_t)base->n_sizes + 1, sizeof *made->sizes);
    made->n_sizes = 0;
    if (!made->sizes)
        return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t i = 0; i < base->n_sizes; i++) {
        while (trace < base->sizes[i].trace)
            position += selection->traces[trace++];
        if (!selection->traces[trace])
            continue;
        made->sizes[made->n_sizes] = base->sizes[i];
        made->sizes[made->n_sizes++].trace = position;
    }
    return 0;
}

static int blocks_select(alloctrace_snapshot *made,
                         const struct selection *selection)
{
    const alloctrace_snapshot *const base = made->base;
    uint64_t n = 0;

    if (!selection->blocks)
        return 0;
    made->blocks =
        calloc((size_t)selection->n_blocks + 1, sizeof *made->blocks);
    made->n_blocks = 0;
    if (!made->blocks)
        return ALLOCTRACE_ENO_MEMORY;
    for (uint64_t i = 0; i < base->n_blocks; i++)
        if (selection->blocks[i])
            made->blocks[n++] = base->blocks[i];
    made->n_blocks = n;
    return 0;
}

/* ---- Snapshots ---- */

/* Makes a snapshot of what is kept of one; it still has what that one was
 * folded from. NULL: no memory. */
static alloctrace_snapshot *snapshot_cut(const alloctrace_snapshot *snapshot,
                                         const struct selection *selection)
{
    alloctrace_snapshot *const made = at_snapshot_derive(snapshot);

    if (!made)
        return NULL;
    if (traces_select(made, selection) || details_select(made, selection) ||
        sizes_select(made, selection) || blocks_select(made, selection)) {
        alloctrace_snapshot_free(made);
        return NULL;
    }
    return made;
}

/* Lists the wrappers that the traces of a folded snapshot came through. */
static int wrappers_select(alloctrace_snapshot *made)
{
    struct at_fold *const folds = at_fold_paths(made->raw);
    int result = ALLOCTRACE_ENO_MEMORY;

    made->wrappers = NULL;
    made->n_wrappers = 0;
    if (folds)
        result = at_wrappers_find(made, folds);
    free(folds);
    return result;
}

/* Likewise, of a folded one: with what is kept of what was folded. */
static alloctrace_snapshot *folded_cut(const alloctrace_snapshot *snapshot,
                                       const struct selection *selection)
{
    alloctrace_snapshot *const made = snapshot_cut(snapshot, selection);
    alloctrace_snapshot *const raw =
        made ? snapshot_cut(snapshot->raw, selection) : NULL;

    if (!raw) {
        alloctrace_snapshot_free(made);
        return NULL;
    }
    alloctrace_snapshot_free(made->raw);
    made->raw = raw;
    if (wrappers_select(made)) {
        alloctrace_snapshot_free(made);
        return NULL;
    }
    return made;
}

int at_snapshot_select(const alloctrace_snapshot *snapshot, const bool *is_kept,
                       alloctrace_snapshot **selected)
{
    const alloctrace_snapshot *const raw =
        snapshot->raw ? snapshot->raw : snapshot;
    struct selection selection = {.traces = is_kept};
    alloctrace_snapshot *made = NULL;

    for (uint32_t i = 0; i < snapshot->n_traces; i++)
        selection.n_traces += is_kept[i];
    if (selection.n_traces == snapshot->n_traces && raw->n_blocks == 0)
        made = at_snapshot_derive(snapshot);
    else if (!blocks_find(raw, &selection))
        made = snapshot->raw ? folded_cut(snapshot, &selection)
                             : snapshot_cut(snapshot, &selection);
    free(selection.blocks);
    if (!made)
        return ALLOCTRACE_ENO_MEMORY;
    *selected = made;
    return 0;
}
