/* SPDX-License-Identifier: MIT */
/*
 * A snapshot as CPython's tracemalloc.Snapshot.load reads it: the pickle of a
 * Snapshot, whose `traces` are a tuple for each block,
 *
 *     (domain, size, ((file, line), ...), total_nframe)
 *
 * with the most recent frame first. A trace of ours counts blocks and bytes:
 * sizes are exact only where the file lists just these blocks, else a path's
 * bytes are spread evenly over its blocks, so that all sums and counts are
 * exact.
 *
 * The pickle is a stream. What is written once and referred to afterwards:
 * texts, frames, tracebacks, and as many of the last tuples as a small table
 * holds; equal tuples in a row take a byte each.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "memo.h"
#include "pathsum.h"
#include "pickle.h"

/* What Python's list of blocks may hold: it needs 8 bytes for each, and a file
 * of a few bytes could ask for any number. */
#define MAX_BLOCKS INT64_C(1000000000)

/* Tracebacks and totals end here in CPython, and so does its limit. */
#define MAX_FRAMES 65535

/* Things that Python puts on its stack at once; as its own pickles. */
#define BATCH 1000

/* A power of two. */
#define TUPLE_CACHE 262144

/* A tuple without its total, which is that of the traceback. */
struct tuple {
    uint64_t size;
    uint32_t traceback;
    uint32_t domain;
};

struct cached_tuple {
    struct tuple tuple;
    uint32_t memo;
    bool is_used;
};

/* What is known of a traceback once it was written. */
struct written {
    uint32_t memo; /* its number in the pickle */
    uint16_t total;
    bool is_written;
};

struct writing {
    struct pickle pickle;
    const struct export_source *source;
    struct memo texts;           /* names of files: by content */
    struct memo frames;          /* by the addresses of these names */
    struct written *tracebacks;  /* owned: by number */
    size_t n_tracebacks;         /* with number 0 */
    struct cached_tuple *tuples; /* owned: by hash; a later one replaces */
    struct tuple last;           /* the topmost on Python's stack */
    uint32_t n_batch;            /* tuples on Python's stack */
};

/* ---- Frames ---- */

static int put_text(struct writing *writing, const char *text)
{
    uint32_t memo;

    if (memo_find(&writing->texts, text, 0, &memo)) {
        pickle_get(&writing->pickle, memo);
        return 0;
    }
    pickle_text(&writing->pickle, text);
    return memo_add(&writing->texts, text, 0, pickle_memoize(&writing->pickle));
}

static int put_frame(struct writing *writing,
                     const struct alloctrace_frame *frame)
{
    uint32_t memo;

    if (memo_find(&writing->frames, frame->file, frame->line, &memo)) {
        pickle_get(&writing->pickle, memo);
        return 0;
    }
    if (put_text(writing, frame->file))
        return ALLOCTRACE_ENO_MEMORY;
    pickle_number(&writing->pickle, frame->line);
    pickle_put(&writing->pickle, PICKLE_TUPLE2);
    return memo_add(&writing->frames, frame->file, frame->line,
                    pickle_memoize(&writing->pickle));
}

/* The frames of a traceback, the most recent first. */
static int put_frames(struct writing *writing,
                      const alloctrace_traceback *traceback)
{
    static const enum pickle_instruction ends[] = {
        PICKLE_TUPLE, PICKLE_TUPLE1, PICKLE_TUPLE2, PICKLE_TUPLE3};
    const size_t n = alloctrace_traceback_count(traceback);

    if (n > 3)
        pickle_put(&writing->pickle, PICKLE_MARK);
    for (size_t i = 0; i < n; i++)
        if (put_frame(writing,
                      alloctrace_traceback_frame(traceback, -1 - (ptrdiff_t)i)))
            return ALLOCTRACE_ENO_MEMORY;
    pickle_put(&writing->pickle, ends[n > 3 ? 0 : n]);
    return 0;
}

/* A traceback; `written` is its entry. */
static int put_traceback(struct writing *writing, uint32_t number,
                         struct written *written)
{
    alloctrace_traceback *traceback;
    uint64_t total;
    int error;

    if (written->is_written) {
        pickle_get(&writing->pickle, written->memo);
        return 0;
    }
    if (alloctrace_snapshot_traceback(writing->source->snapshot, number,
                                      &traceback))
        return ALLOCTRACE_ENO_MEMORY;
    total = alloctrace_traceback_total_nframe(traceback);
    error = put_frames(writing, traceback);
    alloctrace_traceback_free(traceback);
    written->memo = pickle_memoize(&writing->pickle);
    written->total = (uint16_t)(total < MAX_FRAMES ? total : MAX_FRAMES);
    written->is_written = true;
    return error;
}

/* ---- Blocks ---- */

static bool is_same(const struct tuple *a, const struct tuple *b)
{
    return a->size == b->size && a->traceback == b->traceback &&
           a->domain == b->domain;
}

static struct cached_tuple *cache_slot(const struct writing *writing,
                                       const struct tuple *tuple)
{
    uint64_t hash = tuple->size;

    hash = hash * UINT64_C(0x9e3779b97f4a7c15) + tuple->traceback;
    hash = hash * UINT64_C(0x9e3779b97f4a7c15) + tuple->domain;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return &writing->tuples[hash >> 32 & (TUPLE_CACHE - 1)];
}

static int put_new_tuple(struct writing *writing, const struct tuple *tuple)
{
    /* Numbers that do not exist are the unknown one. */
    const uint32_t number =
        tuple->traceback < writing->n_tracebacks ? tuple->traceback : 0;
    struct written *const written = &writing->tracebacks[number];

    pickle_put(&writing->pickle, PICKLE_MARK);
    pickle_number(&writing->pickle, tuple->domain);
    pickle_number(&writing->pickle, tuple->size);
    if (put_traceback(writing, number, written))
        return ALLOCTRACE_ENO_MEMORY;
    pickle_number(&writing->pickle, written->total);
    pickle_put(&writing->pickle, PICKLE_TUPLE);
    return 0;
}

static int put_tuple(struct writing *writing, const struct tuple *tuple)
{
    struct cached_tuple *const cached = cache_slot(writing, tuple);

    if (writing->n_batch > 1 && is_same(&writing->last, tuple)) {
        pickle_put(&writing->pickle, PICKLE_DUPLICATE);
        return 0;
    }
    if (cached->is_used && is_same(&cached->tuple, tuple)) {
        pickle_get(&writing->pickle, cached->memo);
    } else {
        if (put_new_tuple(writing, tuple))
            return ALLOCTRACE_ENO_MEMORY;
        *cached = (struct cached_tuple){*tuple,
                                        pickle_memoize(&writing->pickle), true};
    }
    writing->last = *tuple;
    return 0;
}

static void end_batch(struct writing *writing)
{
    if (writing->n_batch > 0)
        pickle_put(&writing->pickle, PICKLE_APPENDS);
    writing->n_batch = 0;
}

/* So many equal blocks. */
static int put_blocks(struct writing *writing, struct tuple tuple,
                      int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (writing->n_batch == BATCH)
            end_batch(writing);
        if (writing->n_batch++ == 0)
            pickle_put(&writing->pickle, PICKLE_MARK);
        if (put_tuple(writing, &tuple))
            return ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}

/* A path's blocks, of which nothing but the sum is known. */
static int put_spread(struct writing *writing, const struct pathsum *sum)
{
    struct tuple tuple = {.traceback = sum->traceback, .domain = sum->domain};
    int64_t larger; /* by a byte than the others */

    tuple.size = (uint64_t)(sum->bytes / sum->blocks);
    larger = sum->bytes % sum->blocks;
    if (put_blocks(writing, tuple, sum->blocks - larger))
        return ALLOCTRACE_ENO_MEMORY;
    tuple.size++;
    return put_blocks(writing, tuple, larger);
}

/* ---- Which blocks ---- */

/* Finds what a listed block belongs to. */
static struct pathsum *sum_of_block(const struct export_source *source,
                                    const struct pathsums *sums,
                                    const struct alloctrace_block *block)
{
    return pathsums_find(sums, export_traceback(source, block), block->domain);
}

/* Sums up the blocks that are listed. */
static void count_listed(const struct export_source *source,
                         const struct pathsums *sums)
{
    const uint64_t n = alloctrace_snapshot_block_count(source->snapshot);

    if (source->metric != ALLOCTRACE_METRIC_LIVE)
        return;
    for (uint64_t i = 0; i < n; i++) {
        const struct alloctrace_block *const block =
            alloctrace_snapshot_block(source->snapshot, i);
        struct pathsum *const sum = sum_of_block(source, sums, block);

        if (sum) {
            sum->listed_blocks++;
            sum->listed_bytes += block->size;
        }
    }
}

/* Are a path's blocks those that are listed? Not if they are samples, or were
 * mapped, or if some came or went while the dump was written, or if a filter
 * left only those of some threads. */
static bool is_listed(const struct pathsum *sum)
{
    return sum->listed_blocks > 0 &&
           sum->listed_blocks == (uint64_t)sum->blocks &&
           sum->listed_bytes == (uint64_t)sum->bytes;
}

/* Can a sum be written as blocks that are not listed? */
static bool is_spread(const struct pathsum *sum)
{
    return sum->blocks > 0 && sum->bytes >= 0 && !is_listed(sum);
}

static int put_listed(struct writing *writing, const struct pathsums *sums)
{
    const struct export_source *const source = writing->source;
    const uint64_t n = alloctrace_snapshot_block_count(source->snapshot);

    for (uint64_t i = 0; i < n; i++) {
        const struct alloctrace_block *const block =
            alloctrace_snapshot_block(source->snapshot, i);
        const struct pathsum *const sum = sum_of_block(source, sums, block);

        if (sum && is_listed(sum) &&
            put_blocks(writing,
                       (struct tuple){block->size, sum->traceback, sum->domain},
                       1))
            return ALLOCTRACE_ENO_MEMORY;
    }
    return 0;
}

/* Refuses what would be no use to anyone. */
static int check_size(const struct pathsums *sums,
                      struct alloctrace_error *error)
{
    int64_t n = 0;

    for (size_t i = 0; i < sums->count && n <= MAX_BLOCKS; i++)
        if (sums->items[i].blocks > 0)
            n = sums->items[i].blocks <= MAX_BLOCKS ? n + sums->items[i].blocks
                                                    : INT64_MAX;
    if (n <= MAX_BLOCKS)
        return 0;
    error->code = ALLOCTRACE_EBAD_ARGUMENT;
    error->offset = ALLOCTRACE_NO_OFFSET;
    snprintf(error->message, sizeof error->message,
             "more than %" PRId64 " blocks, which tracemalloc has no room for; "
             "another metric or filters may leave fewer",
             MAX_BLOCKS);
    return error->code;
}

/* ---- The snapshot ---- */

/* Can Python's programs name it, and would it hide nothing of a Snapshot? */
static bool is_attribute(const char *key)
{
    static const char *const own[] = {
        "compare_to", "dump",   "filter_traces",   "load",
        "statistics", "traces", "traceback_limit", "_filter_trace",
        "_group_by"};

    if (strncmp(key, "__", 2) == 0 || (*key >= '0' && *key <= '9'))
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(key, own[i]) == 0)
            return false;
    return key[strspn(key, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

/* An object of a class, whose attributes follow. */
static void put_object(struct writing *writing, const char *name)
{
    pickle_text(&writing->pickle, "tracemalloc");
    pickle_text(&writing->pickle, name);
    pickle_put(&writing->pickle, PICKLE_STACK_GLOBAL);
    pickle_put(&writing->pickle, PICKLE_EMPTY_TUPLE);
    pickle_put(&writing->pickle, PICKLE_NEWOBJ);
    pickle_put(&writing->pickle, PICKLE_EMPTY_DICT);
    pickle_put(&writing->pickle, PICKLE_MARK);
}

static void end_object(struct writing *writing)
{
    pickle_put(&writing->pickle, PICKLE_SETITEMS);
    pickle_put(&writing->pickle, PICKLE_BUILD);
}

/* Those that are listed, then the others in the order of the file. */
static int put_traces(struct writing *writing, struct pathsums *sums)
{
    int error;

    put_object(writing, "_Traces");
    pickle_text(&writing->pickle, "_traces");
    pickle_put(&writing->pickle, PICKLE_EMPTY_LIST);
    error = put_listed(writing, sums);
    pathsums_sort_by_trace(sums);
    for (size_t i = 0; i < sums->count && !error; i++)
        if (is_spread(&sums->items[i]))
            error = put_spread(writing, &sums->items[i]);
    end_batch(writing);
    end_object(writing);
    return error;
}

static void put_attributes(struct writing *writing)
{
    const alloctrace_snapshot *const snapshot = writing->source->snapshot;
    const uint32_t limit = alloctrace_snapshot_traceback_limit(snapshot);
    const size_t n = alloctrace_snapshot_attribute_count(snapshot);

    pickle_text(&writing->pickle, "traceback_limit");
    pickle_number(&writing->pickle,
                  limit > 0 && limit < MAX_FRAMES ? limit : MAX_FRAMES);
    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_attribute *const attribute =
            alloctrace_snapshot_attribute(snapshot, i);

        if (is_attribute(attribute->key)) {
            pickle_text(&writing->pickle, attribute->key);
            pickle_text(&writing->pickle, attribute->value);
        }
    }
}

static int put_snapshot(struct writing *writing, struct pathsums *sums)
{
    int error;

    put_object(writing, "Snapshot");
    pickle_text(&writing->pickle, "traces");
    error = put_traces(writing, sums);
    put_attributes(writing);
    end_object(writing);
    pickle_put(&writing->pickle, PICKLE_STOP);
    return error;
}

static int writing_init(struct writing *writing, FILE *file,
                        const struct export_source *source)
{
    *writing = (struct writing){.source = source, .frames.is_by_address = true};
    writing->n_tracebacks =
        alloctrace_snapshot_traceback_count(source->snapshot) + 1;
    writing->tracebacks =
        calloc(writing->n_tracebacks, sizeof *writing->tracebacks);
    writing->tuples = calloc(TUPLE_CACHE, sizeof *writing->tuples);
    if (!writing->tracebacks || !writing->tuples)
        return ALLOCTRACE_ENO_MEMORY;
    pickle_begin(&writing->pickle, file);
    return 0;
}

static void writing_fini(struct writing *writing)
{
    memo_fini(&writing->texts);
    memo_fini(&writing->frames);
    free(writing->tracebacks);
    free(writing->tuples);
}

int export_tracemalloc(FILE *file, const struct export_source *source,
                       struct alloctrace_error *error)
{
    struct writing writing;
    struct pathsums sums;
    int result = pathsums_init(&sums, source->snapshot, source->metric);

    if (!result)
        result = check_size(&sums, error);
    if (!result) {
        count_listed(source, &sums);
        result = writing_init(&writing, file, source);
        if (!result)
            result = put_snapshot(&writing, &sums);
        writing_fini(&writing);
    }
    pathsums_fini(&sums);
    return result;
}
