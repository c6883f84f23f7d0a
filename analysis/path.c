/* SPDX-License-Identifier: MIT */
/*
 * Call paths: walking outwards from a traceback's number, and tracebacks for
 * the caller to keep. A path may be millions of frames deep, so that nothing
 * here recurses and only a kept traceback takes memory by its depth.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

void at_snapshot_measure(alloctrace_snapshot *snapshot)
{
    const struct at_frame *frames = snapshot->frames;

    snapshot->max_depth = 1;
    for (uint32_t i = 1; i < snapshot->n_tracebacks; i++) {
        struct at_traceback *traceback = &snapshot->tracebacks[i];
        const struct at_traceback *parent =
            &snapshot->tracebacks[traceback->parent];

        traceback->depth = frames[traceback->frame].n_chain;
        if (traceback->parent)
            traceback->depth += parent->depth;
        if (traceback->parent && traceback->left_out < parent->left_out)
            traceback->left_out = parent->left_out;
        if (traceback->depth > snapshot->max_depth)
            snapshot->max_depth = traceback->depth;
    }
}

void at_walk_begin(struct at_walk *walk, const alloctrace_snapshot *snapshot,
                   uint32_t traceback_id)
{
    const struct at_traceback *traceback = &snapshot->tracebacks[traceback_id];

    *walk = (struct at_walk){
        .snapshot = snapshot,
        .traceback = traceback_id,
        .frame = traceback->frame,
        .left = traceback->depth,
    };
}

uint64_t at_kept_frames(const alloctrace_snapshot *snapshot,
                        uint32_t traceback_id)
{
    uint64_t depth = snapshot->tracebacks[traceback_id].depth;
    uint32_t limit = snapshot->process.traceback_limit;

    return limit && limit < depth ? limit : depth;
}

alloctrace_traceback *at_traceback_create(size_t count)
{
    alloctrace_traceback *traceback;

    if (count > (SIZE_MAX - sizeof *traceback) / sizeof *traceback->frames)
        return NULL;
    traceback =
        calloc(1, sizeof *traceback + count * sizeof *traceback->frames);
    if (traceback)
        traceback->count = count;
    return traceback;
}

static void frame_describe(const alloctrace_snapshot *snapshot,
                           const struct at_frame *frame,
                           struct alloctrace_frame *out)
{
    *out = (struct alloctrace_frame){
        .file = at_text(snapshot, frame->file),
        .function = at_text(snapshot, frame->function),
        .type = at_text(snapshot, frame->type),
        .target = at_text(snapshot, frame->target),
        .type_size = frame->type_size,
        .module = alloctrace_snapshot_module(snapshot, frame->module),
        .address = frame->address,
        .line = frame->line,
        .column = frame->column,
        .kind = frame->kind,
        .flags = frame->flags,
        .is_inlined = frame->caller != 0,
        .is_library = at_is_library(snapshot, frame),
    };
}

/* Says whom a call went to if that is not the next frame inwards, `inner`:
 * the function of the last frame of the next site, or NULL at the end. */
static void frame_set_via(const alloctrace_snapshot *snapshot,
                          const struct at_frame *frame, const char *inner,
                          struct alloctrace_frame *out)
{
    const char *callee = at_text(snapshot, frame->callee);

    if (frame->kind != ALLOCTRACE_FRAME_CALL || !*callee)
        return;
    if (inner && strncmp(callee, inner, AT_MAX_NAME) == 0)
        return;
    out->via = callee;
    out->is_via_tail = (frame->flags & ALLOCTRACE_FRAME_CALLEE_HERE) != 0;
}

int at_path_begin(const alloctrace_snapshot *snapshot, uint32_t traceback_id,
                  uint64_t count, alloctrace_traceback **traceback)
{
    alloctrace_traceback *kept;
    struct at_walk walk;
    const char *inner = NULL;
    /* Of a folded path it is not known here whom its first frame called. */
    bool is_site_begin = !at_is_folded(snapshot, traceback_id);

    kept = count < SIZE_MAX ? at_traceback_create((size_t)count) : NULL;
    if (!kept)
        return ALLOCTRACE_ENO_MEMORY;
    kept->snapshot = at_snapshot_retain(snapshot);
    kept->total_nframe = snapshot->tracebacks[traceback_id].depth +
                         snapshot->tracebacks[traceback_id].left_out;
    at_walk_begin(&walk, snapshot, traceback_id);
    for (size_t i = 0; i < count; i++, at_walk_next(&walk)) {
        const struct at_frame *frame = &snapshot->frames[walk.frame];

        frame_describe(snapshot, frame, &kept->frames[i]);
        if (is_site_begin)
            frame_set_via(snapshot, frame, inner, &kept->frames[i]);
        inner = kept->frames[i].function;
        is_site_begin = !frame->caller;
    }
    *traceback = kept;
    return 0;
}

int alloctrace_snapshot_traceback(const alloctrace_snapshot *snapshot,
                                  uint32_t traceback_id,
                                  alloctrace_traceback **traceback)
{
    AT_UNTRACED;
    const uint32_t id =
        traceback_id < snapshot->n_tracebacks ? traceback_id : 0;

    return at_path_begin(snapshot, id, at_kept_frames(snapshot, id), traceback);
}

void alloctrace_traceback_free(alloctrace_traceback *traceback)
{
    AT_UNTRACED;

    if (!traceback)
        return;
    alloctrace_snapshot_free(traceback->snapshot);
    free(traceback);
}

size_t alloctrace_traceback_count(const alloctrace_traceback *traceback)
{
    return traceback->count;
}

uint64_t
alloctrace_traceback_total_nframe(const alloctrace_traceback *traceback)
{
    return traceback->total_nframe;
}

const struct alloctrace_frame *
alloctrace_traceback_frame(const alloctrace_traceback *traceback,
                           ptrdiff_t index)
{
    /* Frames stand the most recent first: -1 is 0, 0 is count - 1. */
    size_t from_recent = index < 0 ? (size_t)(-(index + 1))
                                   : traceback->count - 1 - (size_t)index;

    return from_recent < traceback->count ? &traceback->frames[from_recent]
                                          : NULL;
}

/* ---- Walking without copying ---- */

void alloctrace_walk_begin(struct alloctrace_walk *walk,
                           const alloctrace_snapshot *snapshot,
                           uint32_t traceback_id)
{
    const uint32_t id =
        traceback_id < snapshot->n_tracebacks ? traceback_id : 0;

    *walk = (struct alloctrace_walk){
        .snapshot = snapshot,
        .left = at_kept_frames(snapshot, id),
        .traceback = id,
        .next = snapshot->tracebacks[id].frame,
    };
}

const struct alloctrace_frame *
alloctrace_walk_next(struct alloctrace_walk *walk)
{
    struct at_walk inner = {.snapshot = walk->snapshot,
                            .traceback = walk->traceback,
                            .frame = walk->next,
                            .left = walk->left};

    if (walk->left == 0)
        return NULL;
    frame_describe(walk->snapshot, &walk->snapshot->frames[walk->next],
                   &walk->frame);
    at_walk_next(&inner);
    walk->traceback = inner.traceback;
    walk->next = inner.frame;
    walk->left = inner.left;
    return &walk->frame;
}
