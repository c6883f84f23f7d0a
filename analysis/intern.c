/* SPDX-License-Identifier: MIT */
/*
 * Interning: the tables of a snapshot that is being built, in which equal
 * strings, frames, call paths and traces stand once. What refers to another
 * entry is interned after it, so that numbers are in the order that model.h
 * asks for.
 *
 * A call path is a frame and the path of its caller. While it is built a
 * traceback's `depth` is not its depth but the part of its key that tells
 * paths of equal frames apart: how many frames a limit took from the path
 * that ends here (0 for one that goes on, and for merged ones).
 */
#include <stdlib.h>
#include <string.h>

#include "build.h"

int at_intern_init(struct at_intern *intern)
{
    *intern = (struct at_intern){
        .n_max_frames = 1, .n_max_tracebacks = 1, .n_max_traces = 1};
    at_seed_init(&intern->seed);
    intern->snapshot = at_snapshot_create(&(struct at_counts){0});
    return intern->snapshot ? 0 : ALLOCTRACE_ENO_MEMORY;
}

void at_intern_fini(struct at_intern *intern)
{
    at_index_fini(&intern->strings);
    at_index_fini(&intern->frames);
    at_index_fini(&intern->tracebacks);
    at_index_fini(&intern->traces);
    alloctrace_snapshot_free(intern->snapshot);
    intern->snapshot = NULL;
}

void at_intern_clear_paths(struct at_intern *intern)
{
    at_index_clear(&intern->tracebacks);
    at_index_clear(&intern->traces);
    intern->snapshot->tracebacks[0].depth = 1;
    intern->snapshot->n_tracebacks = 1;
    intern->snapshot->n_traces = 0;
}

/* ---- Strings ---- */

static bool is_same_string(const void *table, uint32_t number, const void *key)
{
    const struct at_strings *strings = table;

    return strcmp(strings->text[number], key) == 0;
}

int at_intern_string(struct at_intern *intern, const char *text,
                     uint32_t *string_id)
{
    struct at_strings *strings = &intern->snapshot->strings;
    size_t size;
    uint32_t hash;

    *string_id = 0;
    if (!text || !*text)
        return 0;
    size = strlen(text);
    hash = at_hash(&intern->seed, text, size);
    *string_id =
        at_index_find(&intern->strings, hash, is_same_string, strings, text);
    if (*string_id)
        return 0;
    if (at_index_reserve(&intern->strings) ||
        at_strings_add(strings, text, size, string_id))
        return ALLOCTRACE_ENO_MEMORY;
    at_index_put(&intern->strings, hash, *string_id);
    return 0;
}

/* ---- Frames ---- */

/* What makes a frame: no padding, so that its bytes can be compared. */
struct frame_key {
    uint64_t address;
    uint32_t module, file, function, line, column, caller, callee, type, target,
        type_size, ordinal;
    uint16_t kind, flags;
};
_Static_assert(sizeof(struct frame_key) == 8 + 11 * 4 + 2 * 2,
               "there is no padding");

static struct frame_key frame_key(const struct at_frame *frame)
{
    return (struct frame_key){
        .address = frame->address,
        .module = frame->module,
        .file = frame->file,
        .function = frame->function,
        .line = frame->line,
        .column = frame->column,
        .caller = frame->caller,
        .callee = frame->callee,
        .type = frame->type,
        .target = frame->target,
        .type_size = frame->type_size,
        .ordinal = frame->ordinal,
        .kind = frame->kind,
        .flags = frame->flags,
    };
}

static bool is_same_frame(const void *table, uint32_t number, const void *key)
{
    const alloctrace_snapshot *snapshot = table;
    const struct frame_key own = frame_key(&snapshot->frames[number]);

    return memcmp(&own, key, sizeof own) == 0;
}

/* Adds a frame that is not there yet. */
static int frame_add(struct at_intern *intern, const struct at_frame *frame,
                     uint32_t *frame_id)
{
    alloctrace_snapshot *snapshot = intern->snapshot;
    struct at_frame *added;

    if (snapshot->n_frames == intern->n_max_frames) {
        struct at_frame *frames =
            at_grown(snapshot->frames, &intern->n_max_frames, sizeof *frames);

        if (!frames)
            return ALLOCTRACE_ENO_MEMORY;
        snapshot->frames = frames;
    }
    *frame_id = snapshot->n_frames++;
    added = &snapshot->frames[*frame_id];
    *added = *frame;
    added->place = 0;
    added->n_chain =
        frame->caller ? snapshot->frames[frame->caller].n_chain + 1 : 1;
    return 0;
}

int at_intern_frame(struct at_intern *intern, const struct at_frame *frame,
                    uint32_t *frame_id)
{
    static const struct frame_key unknown;
    const struct frame_key key = frame_key(frame);
    const uint32_t hash = at_hash(&intern->seed, &key, sizeof key);

    *frame_id = at_index_find(&intern->frames, hash, is_same_frame,
                              intern->snapshot, &key);
    if (*frame_id)
        return 0;
    if (at_index_reserve(&intern->frames) || frame_add(intern, frame, frame_id))
        return ALLOCTRACE_ENO_MEMORY;
    at_index_put(&intern->frames, hash, *frame_id);
    if (memcmp(&key, &unknown, sizeof key) == 0)
        intern->unknown = *frame_id;
    return 0;
}

/* ---- Tracebacks ---- */

/* Likewise for a call path. */
struct path_key {
    uint32_t parent, frame;
    uint64_t cut; /* frames that a limit took, if the path ends here */
};

static bool is_same_path(const void *table, uint32_t number, const void *key)
{
    const alloctrace_snapshot *snapshot = table;
    const struct at_traceback *own = &snapshot->tracebacks[number];
    const struct path_key *path = key;

    return own->parent == path->parent && own->frame == path->frame &&
           own->depth == path->cut;
}

static int traceback_add(struct at_intern *intern, const struct path_key *key,
                         uint32_t *traceback_id)
{
    alloctrace_snapshot *snapshot = intern->snapshot;

    if (snapshot->n_tracebacks == intern->n_max_tracebacks) {
        struct at_traceback *tracebacks =
            at_grown(snapshot->tracebacks, &intern->n_max_tracebacks,
                     sizeof *tracebacks);

        if (!tracebacks)
            return ALLOCTRACE_ENO_MEMORY;
        snapshot->tracebacks = tracebacks;
    }
    *traceback_id = snapshot->n_tracebacks++;
    snapshot->tracebacks[*traceback_id] =
        (struct at_traceback){.parent = key->parent,
                              .frame = key->frame,
                              .depth = key->cut,
                              .left_out = key->cut};
    return 0;
}

int at_intern_traceback(struct at_intern *intern, uint32_t parent,
                        uint32_t frame, uint64_t cut, uint32_t *traceback_id)
{
    const struct path_key key = {parent, frame, cut};
    const uint32_t hash = at_hash(&intern->seed, &key, sizeof key);

    *traceback_id = at_index_find(&intern->tracebacks, hash, is_same_path,
                                  intern->snapshot, &key);
    if (*traceback_id)
        return 0;
    if (at_index_reserve(&intern->tracebacks) ||
        traceback_add(intern, &key, traceback_id))
        return ALLOCTRACE_ENO_MEMORY;
    at_index_put(&intern->tracebacks, hash, *traceback_id);
    return 0;
}

/* ---- Traces ---- */

/* The index has positions plus one, as 0 means none. */
static bool is_same_trace(const void *table, uint32_t number, const void *key)
{
    const alloctrace_snapshot *snapshot = table;
    const struct alloctrace_trace *own = &snapshot->traces[number - 1];
    const struct at_trace_name *name = key;

    return own->traceback == name->traceback && own->thread == name->thread &&
           own->domain == name->domain;
}

static int trace_add(struct at_intern *intern, const struct at_trace_name *name)
{
    alloctrace_snapshot *snapshot = intern->snapshot;

    if (snapshot->n_traces == intern->n_max_traces) {
        struct alloctrace_trace *traces =
            at_grown(snapshot->traces, &intern->n_max_traces, sizeof *traces);

        if (!traces)
            return ALLOCTRACE_ENO_MEMORY;
        snapshot->traces = traces;
    }
    snapshot->traces[snapshot->n_traces++] =
        (struct alloctrace_trace){.traceback = name->traceback,
                                  .thread = name->thread,
                                  .domain = name->domain};
    return 0;
}

int at_intern_trace(struct at_intern *intern, const struct at_trace_name *name,
                    uint32_t *position)
{
    const uint32_t hash = at_hash(&intern->seed, name, sizeof *name);
    const uint32_t number = at_index_find(&intern->traces, hash, is_same_trace,
                                          intern->snapshot, name);

    *position = number - 1;
    if (number)
        return 0;
    if (at_index_reserve(&intern->traces) || trace_add(intern, name))
        return ALLOCTRACE_ENO_MEMORY;
    *position = intern->snapshot->n_traces - 1;
    at_index_put(&intern->traces, hash, intern->snapshot->n_traces);
    return 0;
}

void at_trace_add(struct alloctrace_trace *sum,
                  const struct alloctrace_trace *trace)
{
#define ADD_FIGURE(name) \
    sum->name = (int64_t)((uint64_t)sum->name + (uint64_t)trace->name)
    ADD_FIGURE(live_blocks);
    ADD_FIGURE(live_bytes);
    ADD_FIGURE(total_blocks);
    ADD_FIGURE(total_bytes);
    ADD_FIGURE(peak_blocks);
    ADD_FIGURE(peak_bytes);
#undef ADD_FIGURE
}
