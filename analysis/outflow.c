/* SPDX-License-Identifier: MIT */
/*
 * Sorted items => the records of a dump. Call paths get numbers as they come,
 * so that all that has to be known of what was written are the numbers along
 * the path that came last. Entries are collected in pieces of a few thousand;
 * of each tag there are as many records as it takes.
 */
#include <stdlib.h>

#include "outflow.h"

/* Entries of a record. */
#define PIECE 2048

/* A record that is being collected. */
static void piece_flush(struct at_outflow *outflow, struct at_pending *piece)
{
    if (piece->count)
        at_record_put(outflow->writing, piece->tag, piece->count, piece->bytes,
                      (size_t)piece->count * piece->entry_size);
    piece->count = 0;
}

/* What a record refers to stands before it. */
static void pieces_flush(struct at_outflow *outflow)
{
    for (size_t i = 0; i < AT_OUTFLOW_PIECES; i++)
        piece_flush(outflow, &outflow->pieces[i]);
}

/* Room for one more entry. */
static uint8_t *entry_take(struct at_outflow *outflow, size_t which)
{
    struct at_pending *piece = &outflow->pieces[which];

    if (piece->count == PIECE)
        pieces_flush(outflow);
    return piece->bytes + (size_t)piece->count++ * piece->entry_size;
}

enum { TRACEBACKS, TRACES, DETAILS, SIZES };

/* ---- Items ---- */

static int put_path(struct at_outflow *outflow, const struct at_item *item)
{
    while (item->depth >= outflow->n_max_path) {
        uint32_t *path =
            at_grown(outflow->path, &outflow->n_max_path, sizeof *path);

        if (!path)
            return ALLOCTRACE_ENO_MEMORY;
        outflow->path = path;
    }
    if (outflow->n_tracebacks == UINT32_MAX - 1)
        return ALLOCTRACE_ENO_MEMORY;
    outflow->path[0] = 0;
    outflow->path[item->depth] = ++outflow->n_tracebacks;
    write_traceback(entry_take(outflow, TRACEBACKS),
                    &(struct alloctrace_traceback_entry){
                        .parent = outflow->path[item->depth - 1],
                        .frame = item->frame,
                        .left_out = item->left_out < UINT32_MAX
                                        ? (uint32_t)item->left_out
                                        : UINT32_MAX});
    return 0;
}

static void put_detail(struct at_outflow *outflow,
                       const struct at_trace_name *name,
                       const struct at_detail *detail)
{
    const struct alloctrace_detail_entry entry = detail_entry(name, detail);

    write_detail(entry_take(outflow, DETAILS), &entry);
}

static void put_size(struct at_outflow *outflow,
                     const struct at_trace_name *name,
                     const struct at_item_size *size)
{
    write_size_class(
        entry_take(outflow, SIZES),
        &(struct alloctrace_size_class_entry){.traceback = name->traceback,
                                              .thread = name->thread,
                                              .domain = name->domain,
                                              .size_class = size->number,
                                              .blocks = size->blocks,
                                              .bytes = size->bytes});
}

static int put_trace(struct at_outflow *outflow, const struct at_item *item)
{
    const struct alloctrace_trace *trace = &item->trace;
    const struct at_trace_name name = {
        .traceback = item->depth > 1 ? outflow->path[item->depth - 1] : 0,
        .thread = trace->thread,
        .domain = trace->domain};

    if (outflow->n_traces++ == UINT32_MAX - 1)
        return ALLOCTRACE_ENO_MEMORY;
    write_trace(entry_take(outflow, TRACES),
                &(struct alloctrace_trace_entry){
                    .traceback = name.traceback,
                    .thread = name.thread,
                    .domain = name.domain,
                    .live_blocks = (uint64_t)trace->live_blocks,
                    .live_bytes = (uint64_t)trace->live_bytes,
                    .total_blocks = (uint64_t)trace->total_blocks,
                    .total_bytes = (uint64_t)trace->total_bytes,
                    .peak_blocks = (uint64_t)trace->peak_blocks,
                    .peak_bytes = (uint64_t)trace->peak_bytes});
    if (!outflow->has_details)
        return 0;
    if (item->tally.is_there)
        put_detail(outflow, &name, &item->tally.detail);
    for (uint32_t i = 0; i < item->n_sizes; i++)
        put_size(outflow, &name, &item->sizes[i]);
    return 0;
}

static int outflow_put(struct at_sink *sink, const struct at_item *item)
{
    struct at_outflow *outflow = (struct at_outflow *)sink;

    return item->kind == AT_ITEM_PATH ? put_path(outflow, item)
                                      : put_trace(outflow, item);
}

/* ---- Beginning and ending ---- */

int at_outflow_init(struct at_outflow *outflow, struct writing *writing,
                    bool has_details)
{
    static const struct at_pending kinds[AT_OUTFLOW_PIECES] = {
        [TRACEBACKS] = {.tag = ALLOCTRACE_TAG_TRACEBACKS,
                        .entry_size = ALLOCTRACE_TRACEBACK_SIZE},
        [TRACES] = {.tag = ALLOCTRACE_TAG_TRACES,
                    .entry_size = ALLOCTRACE_TRACE_SIZE},
        [DETAILS] = {.tag = ALLOCTRACE_TAG_DETAILS,
                     .entry_size = ALLOCTRACE_DETAIL_SIZE},
        [SIZES] = {.tag = ALLOCTRACE_TAG_SIZES,
                   .entry_size = ALLOCTRACE_SIZE_CLASS_SIZE},
    };
    bool is_complete = true;

    *outflow = (struct at_outflow){
        .sink = {outflow_put}, .writing = writing, .has_details = has_details};
    for (size_t i = 0; i < AT_OUTFLOW_PIECES; i++) {
        outflow->pieces[i] = kinds[i];
        outflow->pieces[i].bytes = malloc(PIECE * kinds[i].entry_size);
        is_complete = is_complete && outflow->pieces[i].bytes;
    }
    return is_complete ? 0 : ALLOCTRACE_ENO_MEMORY;
}

void at_outflow_finish(struct at_outflow *outflow)
{
    pieces_flush(outflow);
    if (outflow->has_details) /* a record says so, if only an empty one */
        at_record_put(outflow->writing, ALLOCTRACE_TAG_DETAILS, 0, NULL, 0);
}

void at_outflow_fini(struct at_outflow *outflow)
{
    for (size_t i = 0; i < AT_OUTFLOW_PIECES; i++)
        free(outflow->pieces[i].bytes);
    free(outflow->path);
}
