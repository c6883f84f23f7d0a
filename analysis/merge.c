/* SPDX-License-Identifier: MIT */
/*
 * Merging: adds a whole snapshot to one that is being built. Each number of
 * the snapshot is mapped to the one that its entry has there, lazily: only
 * what a trace refers to is interned. Time and memory are linear in the
 * snapshot, what stays is what was new in it.
 *
 * A call path is one traceback, whatever was left out of it (a limit, rounds
 * of recursion): that differs from run to run. The result says how much was
 * left out of the longest one.
 */
#include <stdlib.h>
#include <string.h>

#include "build.h"

/* In a map: the entry is needed, but has no number yet. */
#define NEEDED UINT32_MAX

/* A snapshot that is being added. Maps go from its numbers to those of the
 * builder; 0 = not yet, or none. All are owned. */
struct merging {
    alloctrace_builder *builder;
    const alloctrace_snapshot *from;
    uint32_t *strings;
    uint32_t *modules;
    uint32_t *threads;
    uint32_t *frames;
    uint32_t *tracebacks;
    uint32_t *positions;   /* of traces */
    struct at_map domains; /* those that were met */
};

/* ---- Maps ---- */

static int merging_init(struct merging *merging, alloctrace_builder *builder,
                        const alloctrace_snapshot *from)
{
    *merging = (struct merging){.builder = builder, .from = from};
    merging->strings = calloc(from->strings.count, sizeof(uint32_t));
    merging->modules = calloc(from->n_modules, sizeof(uint32_t));
    merging->threads = calloc(from->n_threads, sizeof(uint32_t));
    merging->frames = calloc(from->n_frames, sizeof(uint32_t));
    merging->tracebacks = calloc(from->n_tracebacks, sizeof(uint32_t));
    merging->positions = calloc((size_t)from->n_traces + 1, sizeof(uint32_t));
    return merging->strings && merging->modules && merging->threads &&
                   merging->frames && merging->tracebacks && merging->positions
               ? 0
               : ALLOCTRACE_ENO_MEMORY;
}

static void merging_fini(struct merging *merging)
{
    free(merging->strings);
    free(merging->modules);
    free(merging->threads);
    free(merging->frames);
    free(merging->tracebacks);
    free(merging->positions);
    at_map_fini(&merging->domains);
}

static int string_map(struct merging *merging, uint32_t string_id,
                      uint32_t *mapped)
{
    uint32_t *known = &merging->strings[string_id];

    if (!*known && at_intern_string(&merging->builder->intern,
                                    at_text(merging->from, string_id), known))
        return ALLOCTRACE_ENO_MEMORY;
    *mapped = *known;
    return 0;
}

static int modules_map(struct merging *merging)
{
    for (uint32_t i = 1; i < merging->from->n_modules; i++)
        if (alloctrace_builder_add_module(merging->builder,
                                          &merging->from->modules[i],
                                          &merging->modules[i]))
            return ALLOCTRACE_ENO_MEMORY;
    return 0;
}

/* ---- Threads ---- */

/* Of one name there is one; what several of them do not share is unknown. */
static int thread_map(struct merging *merging, uint32_t thread_id)
{
    alloctrace_builder *builder = merging->builder;
    const struct alloctrace_thread *thread = &merging->from->threads[thread_id];
    struct alloctrace_thread *own;
    const uint32_t *found;
    struct at_words key;
    uint32_t name;

    if (at_intern_string(&builder->intern, thread->name, &name))
        return ALLOCTRACE_ENO_MEMORY;
    key = (struct at_words){{name}};
    found = at_map_find(&builder->thread_names, &builder->intern.seed, &key);
    if (!found)
        return alloctrace_builder_add_thread(builder, thread,
                                             &merging->threads[thread_id]);
    merging->threads[thread_id] = *found;
    own = &builder->intern.snapshot->threads[*found];
    if (own->tid != thread->tid)
        own->tid = 0;
    return 0;
}

static int threads_map(struct merging *merging)
{
    for (uint32_t i = 1; i < merging->from->n_threads; i++)
        if (thread_map(merging, i))
            return ALLOCTRACE_ENO_MEMORY;
    return 0;
}

/* ---- Domains ---- */

/* The first name of a number counts, as for who looks it up. */
static int domain_map(struct merging *merging, uint32_t domain,
                      const char *name, uint32_t *mapped)
{
    const struct at_seed *seed = &merging->builder->intern.seed;
    const struct at_words key = {{domain}};
    const uint32_t *found = at_map_find(&merging->domains, seed, &key);

    if (found) {
        *mapped = *found;
        return 0;
    }
    if (at_domain_merge(merging->builder, domain, name, mapped))
        return ALLOCTRACE_ENO_MEMORY;
    return at_map_add(&merging->domains, seed, &key, *mapped);
}

static int domains_map(struct merging *merging)
{
    const alloctrace_snapshot *from = merging->from;
    uint32_t mapped;

    for (uint32_t i = 0; i < from->n_domains; i++)
        if (domain_map(merging, from->domains[i].id, from->domains[i].name,
                       &mapped))
            return ALLOCTRACE_ENO_MEMORY;
    return 0;
}

/* ---- Frames ---- */

/* Does a frame's file say no more than what finishing makes of it anew? */
static bool is_label(const alloctrace_snapshot *snapshot,
                     const struct at_frame *frame)
{
    return frame->address
               ? frame->place != frame->file
               : strcmp(at_text(snapshot, frame->file), "<unknown>") == 0;
}

static uint64_t address_map(const struct merging *merging,
                            const struct at_frame *frame)
{
    const alloctrace_snapshot *built = merging->builder->intern.snapshot;

    if (!frame->address || !frame->module)
        return frame->address;
    return frame->address - merging->from->modules[frame->module].bias +
           built->modules[merging->modules[frame->module]].bias;
}

/* Its caller was mapped before. */
static int frame_map(struct merging *merging, uint32_t frame_id)
{
    const struct at_frame *from = &merging->from->frames[frame_id];
    struct at_frame frame = *from;

    frame.address = address_map(merging, from);
    frame.module = merging->modules[from->module];
    frame.caller = from->caller ? merging->frames[from->caller] : 0;
    if (string_map(merging, is_label(merging->from, from) ? 0 : from->file,
                   &frame.file) ||
        string_map(merging, from->function, &frame.function) ||
        string_map(merging, from->callee, &frame.callee) ||
        string_map(merging, from->type, &frame.type) ||
        string_map(merging, from->target, &frame.target))
        return ALLOCTRACE_ENO_MEMORY;
    return at_intern_frame(&merging->builder->intern, &frame,
                           &merging->frames[frame_id]);
}

/* Callers have lower numbers than what was inlined into them, but those that
 * resolving an address added have higher ones: these first, from above. */
static int frames_map(struct merging *merging)
{
    const struct at_frame *frames = merging->from->frames;

    for (uint32_t i = merging->from->n_frames; i-- > 0;)
        if (merging->frames[i] == NEEDED &&
            (frames[i].caller == 0 || frames[i].caller > i) &&
            frame_map(merging, i))
            return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t i = 1; i < merging->from->n_frames; i++)
        if (merging->frames[i] == NEEDED && frame_map(merging, i))
            return ALLOCTRACE_ENO_MEMORY;
    return 0;
}

/* Marks a frame and those that it was inlined into. */
static void frame_need(struct merging *merging, uint32_t frame_id)
{
    do {
        merging->frames[frame_id] = NEEDED;
        frame_id = merging->from->frames[frame_id].caller;
    } while (frame_id && merging->frames[frame_id] != NEEDED);
}

/* ---- Tracebacks ---- */

/* Marks what traces and blocks refer to. Parents have lower numbers. */
static void paths_need(struct merging *merging)
{
    const alloctrace_snapshot *from = merging->from;

    for (uint32_t i = 0; i < from->n_traces; i++)
        merging->tracebacks[from->traces[i].traceback] = NEEDED;
    for (uint64_t i = 0; i < from->n_blocks; i++)
        merging->tracebacks[from->blocks[i].traceback] = NEEDED;
    merging->tracebacks[0] = 0;
    for (uint32_t i = from->n_tracebacks; i-- > 1;)
        if (merging->tracebacks[i]) {
            frame_need(merging, from->tracebacks[i].frame);
            if (from->tracebacks[i].parent)
                merging->tracebacks[from->tracebacks[i].parent] = NEEDED;
        }
}

static int tracebacks_map(struct merging *merging)
{
    const alloctrace_snapshot *from = merging->from;
    struct at_intern *intern = &merging->builder->intern;

    for (uint32_t i = 1; i < from->n_tracebacks; i++) {
        const struct at_traceback *path = &from->tracebacks[i];
        uint32_t *mapped = &merging->tracebacks[i];
        uint64_t *left_out;

        if (*mapped != NEEDED)
            continue;
        if (at_intern_traceback(intern, merging->tracebacks[path->parent],
                                merging->frames[path->frame], 0, mapped))
            return ALLOCTRACE_ENO_MEMORY;
        left_out = &intern->snapshot->tracebacks[*mapped].left_out;
        if (*left_out < path->left_out)
            *left_out = path->left_out;
    }
    return 0;
}

/* A path of the unknown frame alone is none, as in alloctrace_builder_add. */
static uint32_t path_of(const struct merging *merging, uint32_t traceback_id)
{
    const struct at_traceback *path = &merging->from->tracebacks[traceback_id];

    if (traceback_id && !path->parent && !path->left_out &&
        merging->frames[path->frame] == merging->builder->intern.unknown)
        return 0;
    return merging->tracebacks[traceback_id];
}

/* ---- Traces and blocks ---- */

static int traces_merge(struct merging *merging)
{
    const alloctrace_snapshot *from = merging->from;
    struct at_intern *intern = &merging->builder->intern;

    for (uint32_t i = 0; i < from->n_traces; i++) {
        const struct alloctrace_trace *trace = &from->traces[i];
        uint32_t *position = &merging->positions[i];
        struct at_trace_name name = {.traceback =
                                         path_of(merging, trace->traceback),
                                     .thread = merging->threads[trace->thread]};

        if (domain_map(merging, trace->domain, NULL, &name.domain) ||
            at_intern_trace(intern, &name, position))
            return ALLOCTRACE_ENO_MEMORY;
        at_trace_add(&intern->snapshot->traces[*position], trace);
    }
    return 0;
}

/* Addresses of several processes mean nothing together. */
static int blocks_merge(struct merging *merging)
{
    alloctrace_snapshot *built = merging->builder->intern.snapshot;
    const alloctrace_snapshot *from = merging->from;
    struct alloctrace_block *blocks;

    built->n_blocks = 0;
    if (merging->builder->n_processes != 1 || !from->n_blocks)
        return 0;
    if (from->n_blocks > SIZE_MAX / sizeof *blocks)
        return ALLOCTRACE_ENO_MEMORY;
    blocks = calloc((size_t)from->n_blocks, sizeof *blocks);
    if (!blocks)
        return ALLOCTRACE_ENO_MEMORY;
    free(built->blocks);
    built->blocks = blocks;
    for (uint64_t i = 0; i < from->n_blocks; i++) {
        blocks[i] = from->blocks[i];
        blocks[i].traceback = path_of(merging, from->blocks[i].traceback);
        if (domain_map(merging, blocks[i].domain, NULL, &blocks[i].domain))
            return ALLOCTRACE_ENO_MEMORY;
    }
    built->n_blocks = from->n_blocks;
    return 0;
}

/* ---- All of it ---- */

static int details_merge(struct merging *merging)
{
    alloctrace_builder *builder = merging->builder;

    if (!builder->has_snapshots)
        builder->has_details = true;
    if (!merging->from->has_details)
        at_tally_drop(builder);
    return builder->has_details
               ? at_tally_merge(builder, merging->from, merging->positions)
               : 0;
}

static int snapshot_merge(struct merging *merging)
{
    if (modules_map(merging) || threads_map(merging) || domains_map(merging))
        return ALLOCTRACE_ENO_MEMORY;
    paths_need(merging);
    if (frames_map(merging) || tracebacks_map(merging) ||
        traces_merge(merging) || blocks_merge(merging))
        return ALLOCTRACE_ENO_MEMORY;
    return details_merge(merging);
}

int alloctrace_builder_add_snapshot(alloctrace_builder *builder,
                                    const alloctrace_snapshot *snapshot)
{
    AT_UNTRACED;
    const alloctrace_snapshot *from = snapshot->raw ? snapshot->raw : snapshot;
    struct merging merging;
    int result;

    if (at_common_merge(builder, snapshot))
        return ALLOCTRACE_ENO_MEMORY;
    result = merging_init(&merging, builder, from);
    if (!result)
        result = snapshot_merge(&merging);
    merging_fini(&merging);
    builder->has_snapshots = true;
    return result;
}
