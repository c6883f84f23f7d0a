/* SPDX-License-Identifier: MIT */
/*
 * One live block -> a dump of its trace alone: what dump.c writes of the whole
 * program, but with the frames of one path, numbered anew, and its strings as
 * the dump's own. Under the dump lock, as dump.c, and as safe; takes pages of
 * the system's for a list of the path's frames. Cost: the frames of the path,
 * and a look at the loaded files.
 */
#include "dump.h"

#include <errno.h>
#include <string.h>

/* Its path, the most recent first; see list_path. */
struct listed {
    uint32_t *ids; /* of the tracebacks, then of all their places */
    uint32_t n_tracebacks;
    uint32_t n_places;
};

static size_t listed_size(const struct listed *path)
{
    return ((size_t)path->n_tracebacks + path->n_places) * sizeof *path->ids;
}

/* Each traceback's place is followed by those it was inlined into. False: no
 * memory. */
static bool list_path(struct listed *path, uint32_t traceback_id)
{
    uint32_t *tracebacks;
    uint32_t *places;

    *path = (struct listed){NULL, 0, 0};
    for (uint32_t id = traceback_id; id; id = traceback_at(id)->parent) {
        path->n_tracebacks++;
        for (uint32_t at = traceback_at(id)->place; at;
             at = place_at(at)->caller)
            path->n_places++;
    }
    tracebacks = path->ids = os_map(listed_size(path));
    if (!path->ids)
        return false;
    places = path->ids + path->n_tracebacks;
    for (uint32_t id = traceback_id; id; id = traceback_at(id)->parent) {
        *tracebacks++ = id;
        for (uint32_t at = traceback_at(id)->place; at;
             at = place_at(at)->caller)
            *places++ = at;
    }
    return true;
}

/* The tables' strings that were written last: most of a path's are few. */
#define REMEMBERED 256
static struct {
    uint32_t id;
    uint32_t number;
} remembered[REMEMBERED];

static uint32_t put_table_string(uint32_t id)
{
    const struct string *const string = id ? vector_at(&at_strings, id) : NULL;

    if (!id)
        return 0;
    if (remembered[id % REMEMBERED].id != id) {
        remembered[id % REMEMBERED].id = id;
        remembered[id % REMEMBERED].number = dump_put_string(string->bytes);
    }
    return remembered[id % REMEMBERED].number;
}

/* Frames are numbered from the outermost one on, so that callers come first. */
static void put_listed_frames(const struct listed *path)
{
    const uint32_t *const places = path->ids + path->n_tracebacks;

    for (uint32_t i = path->n_places; i > 0; i--) {
        const struct place *const place = place_at(places[i - 1]);
        struct alloctrace_frame_entry entry =
            dump_read_place(place, put_table_string);

        entry.caller = place->caller ? path->n_places - i : 0;
        dump_begin(ALLOCTRACE_TAG_FRAMES, 1, ALLOCTRACE_FRAME_SIZE);
        put_frame(&entry);
        writer_pad(&at_dump.writer);
    }
}

static void put_listed_tracebacks(const struct listed *path)
{
    uint32_t frame = 0; /* number of the traceback's own: its last one */

    dump_begin(ALLOCTRACE_TAG_TRACEBACKS, path->n_tracebacks,
               ALLOCTRACE_TRACEBACK_SIZE);
    for (uint32_t i = path->n_tracebacks; i > 0; i--) {
        const struct traceback *const traceback =
            traceback_at(path->ids[i - 1]);

        frame += place_at(traceback->place)->n_frames;
        put_traceback(&(struct alloctrace_traceback_entry){
            path->n_tracebacks - i, frame, count_get(&traceback->left_out)});
    }
    writer_pad(&at_dump.writer);
}

static void put_domain_of(const struct dump_block *block)
{
    const struct domain *domain;
    uint32_t name;

    if (block->domain < NAMED_DOMAINS)
        return;
    domain = vector_at(&at_domains, block->domain - NAMED_DOMAINS);
    name = dump_put_string(domain->name);
    dump_begin(ALLOCTRACE_TAG_DOMAINS, 1, ALLOCTRACE_DOMAIN_SIZE);
    put_domain(&(struct alloctrace_domain_entry){block->domain, name});
    writer_pad(&at_dump.writer);
}

static void put_one_trace(const struct dump_block *block, uint32_t traceback)
{
    dump_begin(ALLOCTRACE_TAG_TRACES, 1, ALLOCTRACE_TRACE_SIZE);
    put_trace(&(struct alloctrace_trace_entry){
        .traceback = traceback,
        .domain = block->domain,
        .live_blocks = 1,
        .live_bytes = block->size,
        .total_blocks = 1,
        .total_bytes = block->size,
        .peak_blocks = 1,
        .peak_bytes = block->size,
    });
    writer_pad(&at_dump.writer);
    dump_put_summary(&(struct alloctrace_summary_entry){
        .live_blocks = 1,
        .live_bytes = block->size,
        .total_blocks = 1,
        .total_bytes = block->size,
        .peak_bytes = block->size,
    });
}

int extract_block(struct dump_memory *memory, const struct dump_block *block)
{
    struct listed path;

    if (!list_path(&path, block->traceback_id))
        return ENOMEM;
    dump_start(-1, 0, "block");
    memset(remembered, 0, sizeof remembered);
    dump_put_modules();
    put_domain_of(block);
    put_listed_frames(&path);
    put_listed_tracebacks(&path);
    put_one_trace(block, path.n_tracebacks);
    dump_put_trailer();
    os_unmap(path.ids, listed_size(&path));
    return dump_hand_over(memory);
}
