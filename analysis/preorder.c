/* SPDX-License-Identifier: MIT */
/*
 * The call paths and traces that a builder has so far, in the order of a run
 * (run.h). Everything is sorted by counting, as numbers are dense: time is
 * linear but for traces of one path, and for sizes.
 */
#include <stdlib.h>

#include "run.h"

/* ---- Paths ---- */

/* What it takes to put paths in order; all by traceback but `by_frame`. */
struct ordering {
    uint32_t *by_frame;  /* owned: tracebacks, sorted by their frames */
    uint32_t *n_frames;  /* owned: by frame, where its tracebacks begin */
    uint32_t *n_inside;  /* owned: tracebacks that go on from it, with itself */
    uint32_t *n_placed;  /* owned: of these, how many have their place */
    uint32_t *positions; /* owned: relative to the parent, then absolute */
};

static int ordering_init(struct ordering *ordering,
                         const alloctrace_snapshot *snapshot)
{
    const size_t n = snapshot->n_tracebacks;

    ordering->by_frame = calloc(n, sizeof(uint32_t));
    ordering->n_frames =
        calloc((size_t)snapshot->n_frames + 1, sizeof(uint32_t));
    ordering->n_inside = calloc(n, sizeof(uint32_t));
    ordering->n_placed = calloc(n, sizeof(uint32_t));
    ordering->positions = calloc(n, sizeof(uint32_t));
    return ordering->by_frame && ordering->n_frames && ordering->n_inside &&
                   ordering->n_placed && ordering->positions
               ? 0
               : ALLOCTRACE_ENO_MEMORY;
}

static void ordering_fini(struct ordering *ordering)
{
    free(ordering->by_frame);
    free(ordering->n_frames);
    free(ordering->n_inside);
    free(ordering->n_placed);
    free(ordering->positions);
}

/* Sorts all tracebacks but 0 by their frames. */
static void sort_by_frame(struct ordering *ordering,
                          const alloctrace_snapshot *snapshot)
{
    uint32_t n_before = 0;

    for (uint32_t i = 1; i < snapshot->n_tracebacks; i++)
        ordering->n_frames[snapshot->tracebacks[i].frame]++;
    for (uint32_t i = 0; i < snapshot->n_frames; i++) {
        const uint32_t n = ordering->n_frames[i];

        ordering->n_frames[i] = n_before;
        n_before += n;
    }
    for (uint32_t i = 1; i < snapshot->n_tracebacks; i++)
        ordering
            ->by_frame[ordering->n_frames[snapshot->tracebacks[i].frame]++] = i;
}

/* Parents have lower numbers. */
static void positions_find(struct ordering *ordering,
                           alloctrace_snapshot *snapshot)
{
    struct at_traceback *paths = snapshot->tracebacks;
    const uint32_t n = snapshot->n_tracebacks;

    for (uint32_t i = n; i-- > 1;) {
        ordering->n_inside[i]++;
        ordering->n_inside[paths[i].parent] += ordering->n_inside[i];
    }
    for (uint32_t i = 0; i < n - 1; i++) {
        const uint32_t path = ordering->by_frame[i];
        const uint32_t parent = paths[path].parent;

        ordering->positions[path] = ordering->n_placed[parent] + 1;
        ordering->n_placed[parent] += ordering->n_inside[path];
    }
    paths[0].depth = 0;
    for (uint32_t i = 1; i < n; i++) {
        ordering->positions[i] += ordering->positions[paths[i].parent];
        paths[i].depth = paths[paths[i].parent].depth + 1;
    }
}

/* ---- Traces ---- */

/* A trace of a path while these are sorted. */
struct keyed {
    uint64_t key; /* thread, domain */
    uint32_t trace;
};

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed *a = left;
    const struct keyed *b = right;

    return (a->key > b->key) - (a->key < b->key);
}

/* Sorts the traces of one path. `room` has place for as many. */
static void group_sort(const alloctrace_snapshot *snapshot, uint32_t *traces,
                       uint32_t n, struct keyed *room)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct alloctrace_trace *trace = &snapshot->traces[traces[i]];

        room[i] = (struct keyed){(uint64_t)trace->thread << 32 | trace->domain,
                                 traces[i]};
    }
    qsort(room, n, sizeof *room, compare_keyed);
    for (uint32_t i = 0; i < n; i++)
        traces[i] = room[i].trace;
}

static int groups_sort(struct at_preorder *preorder)
{
    const alloctrace_snapshot *snapshot = preorder->builder->intern.snapshot;
    const uint32_t n = snapshot->n_tracebacks;
    struct keyed *room;
    uint32_t largest = 0;

    for (uint32_t i = 0; i < n; i++)
        if (preorder->first[i + 1] - preorder->first[i] > largest)
            largest = preorder->first[i + 1] - preorder->first[i];
    room = calloc((size_t)largest + 1, sizeof *room);
    if (!room)
        return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t i = 0; i < n; i++)
        if (preorder->first[i + 1] - preorder->first[i] > 1)
            group_sort(snapshot, preorder->traces + preorder->first[i],
                       preorder->first[i + 1] - preorder->first[i], room);
    free(room);
    return 0;
}

/* Sorts traces by the positions of their paths. `first` counts one position
 * ahead, so that filling in leaves it right. */
static void traces_place(struct at_preorder *preorder,
                         const uint32_t *positions)
{
    const alloctrace_snapshot *snapshot = preorder->builder->intern.snapshot;
    uint32_t *const first = preorder->first;
    uint32_t *const next = first + 1;
    uint32_t n_before = 0;

    for (uint32_t i = 0; i < snapshot->n_traces; i++)
        next[positions[snapshot->traces[i].traceback]]++;
    for (uint32_t i = 0; i < snapshot->n_tracebacks; i++) {
        const uint32_t n = next[i];

        next[i] = n_before;
        n_before += n;
    }
    for (uint32_t i = 0; i < snapshot->n_traces; i++)
        preorder->traces[next[positions[snapshot->traces[i].traceback]]++] = i;
}

static int compare_sizes(const void *left, const void *right)
{
    const struct at_size *a = left;
    const struct at_size *b = right;

    if (a->trace != b->trace)
        return a->trace < b->trace ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* ---- Items ---- */

static uint32_t first_size(const alloctrace_builder *builder, uint32_t trace)
{
    uint32_t low = 0;
    uint32_t high = builder->n_sizes;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (builder->sizes[middle].trace < trace)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void item_add_details(struct at_item *item,
                             const alloctrace_builder *builder, uint32_t trace)
{
    item->tally = builder->tallies[trace];
    for (uint32_t i = first_size(builder, trace);
         i < builder->n_sizes && builder->sizes[i].trace == trace; i++)
        item->sizes[item->n_sizes++] =
            (struct at_item_size){.blocks = builder->sizes[i].blocks,
                                  .bytes = builder->sizes[i].bytes,
                                  .number = builder->sizes[i].number};
}

static uint32_t path_depth(const struct at_preorder *preorder)
{
    const alloctrace_snapshot *snapshot = preorder->builder->intern.snapshot;

    return (uint32_t)snapshot->tracebacks[preorder->paths[preorder->position]]
        .depth;
}

static void item_be_trace(struct at_preorder *preorder, uint32_t trace)
{
    const alloctrace_builder *builder = preorder->builder;
    struct at_item *item = &preorder->source.item;

    item->kind = AT_ITEM_TRACE;
    item->depth = path_depth(preorder) + 1;
    item->trace = builder->intern.snapshot->traces[trace];
    item->tally.is_there = false;
    item->n_sizes = 0;
    if (builder->has_details)
        item_add_details(item, builder, trace);
}

static int preorder_next(struct at_source *source)
{
    struct at_preorder *preorder = (struct at_preorder *)source;
    const alloctrace_snapshot *snapshot = preorder->builder->intern.snapshot;
    const struct at_traceback *path;

    if (preorder->next_trace < preorder->first[preorder->position + 1]) {
        item_be_trace(preorder, preorder->traces[preorder->next_trace++]);
        return 0;
    }
    if (++preorder->position == snapshot->n_tracebacks) {
        source->is_end = true;
        return 0;
    }
    path = &snapshot->tracebacks[preorder->paths[preorder->position]];
    source->item.kind = AT_ITEM_PATH;
    source->item.depth = (uint32_t)path->depth;
    source->item.frame = path->frame;
    source->item.left_out = path->left_out;
    return 0;
}

/* ---- All of it ---- */

static int preorder_sort(struct at_preorder *preorder,
                         alloctrace_builder *builder)
{
    alloctrace_snapshot *snapshot = builder->intern.snapshot;
    struct ordering ordering;
    int result = ordering_init(&ordering, snapshot);

    if (!result) {
        sort_by_frame(&ordering, snapshot);
        positions_find(&ordering, snapshot);
        for (uint32_t i = 0; i < snapshot->n_tracebacks; i++)
            preorder->paths[ordering.positions[i]] = i;
        traces_place(preorder, ordering.positions);
    }
    ordering_fini(&ordering);
    if (result)
        return result;
    if (builder->n_sizes)
        qsort(builder->sizes, builder->n_sizes, sizeof *builder->sizes,
              compare_sizes);
    return groups_sort(preorder);
}

int at_preorder_init(struct at_preorder *preorder, alloctrace_builder *builder)
{
    const alloctrace_snapshot *snapshot = builder->intern.snapshot;
    const size_t n = snapshot->n_tracebacks;
    int result = ALLOCTRACE_ENO_MEMORY;

    preorder->builder = builder;
    preorder->position = 0;
    preorder->next_trace = 0;
    preorder->paths = calloc(n, sizeof(uint32_t));
    preorder->first = calloc(n + 1, sizeof(uint32_t));
    preorder->traces = calloc((size_t)snapshot->n_traces + 1, sizeof(uint32_t));
    if (preorder->paths && preorder->first && preorder->traces)
        result = preorder_sort(preorder, builder);
    if (result) {
        at_preorder_fini(preorder);
        return result;
    }
    preorder->source.next = preorder_next;
    preorder->source.is_end = false;
    return preorder_next(&preorder->source);
}

void at_preorder_fini(struct at_preorder *preorder)
{
    free(preorder->paths);
    free(preorder->first);
    free(preorder->traces);
    preorder->paths = preorder->first = preorder->traces = NULL;
}
