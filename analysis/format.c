/* SPDX-License-Identifier: MIT */
/*
 * The text of frames, traces and tracebacks, as tracemalloc writes them. Names
 * are handed on as the file has them: who prints them must see to it that they
 * do no harm.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* ---- Texts that must fit ---- */

/* Like snprintf: what does not fit is counted all the same. */
struct fitting {
    char *buffer;
    size_t size; /* of `buffer` */
    size_t used; /* what all would take, without the NUL */
};

static void fitting_add(struct fitting *fitting, const char *text)
{
    const size_t size = strlen(text);

    if (fitting->used < fitting->size) {
        const size_t room = fitting->size - fitting->used;

        memcpy(fitting->buffer + fitting->used, text,
               size < room ? size : room);
    }
    fitting->used += size;
}

/* Adds "file:line". */
static void fitting_add_frame(struct fitting *fitting, const char *file,
                              uint32_t line)
{
    char number[16];

    snprintf(number, sizeof number, ":%" PRIu32, line);
    fitting_add(fitting, file);
    fitting_add(fitting, number);
}

static size_t fitting_end(struct fitting *fitting)
{
    if (fitting->size > 0)
        fitting->buffer[fitting->used < fitting->size ? fitting->used
                                                      : fitting->size - 1] =
            '\0';
    return fitting->used;
}

size_t alloctrace_frame_format(const struct alloctrace_frame *frame,
                               char *buffer, size_t size)
{
    AT_UNTRACED;
    struct fitting fitting = {.buffer = buffer, .size = size};

    fitting_add_frame(&fitting, frame->file, frame->line);
    return fitting_end(&fitting);
}

/* The frame that stands for a path. */
static const struct at_frame *path_frame(const alloctrace_snapshot *snapshot,
                                         uint32_t traceback_id, bool is_oldest)
{
    uint64_t n = is_oldest ? at_kept_frames(snapshot, traceback_id) : 1;
    struct at_walk walk;

    for (at_walk_begin(&walk, snapshot, traceback_id); n > 1; n--)
        at_walk_next(&walk);
    return &snapshot->frames[walk.frame];
}

size_t alloctrace_trace_format(const alloctrace_snapshot *snapshot,
                               size_t index, unsigned flags, char *buffer,
                               size_t size)
{
    AT_UNTRACED;
    const struct alloctrace_trace *const trace =
        alloctrace_snapshot_trace(snapshot, index);
    struct fitting fitting = {.buffer = buffer, .size = size};
    const struct at_frame *frame;
    char text[ALLOCTRACE_SIZE_TEXT];

    if (!trace)
        return fitting_end(&fitting);
    frame =
        path_frame(snapshot, trace->traceback, flags & ALLOCTRACE_LIKE_CPYTHON);
    fitting_add_frame(&fitting, at_text(snapshot, frame->file), frame->line);
    fitting_add(&fitting, ": ");
    fitting_add(&fitting,
                alloctrace_format_size((double)trace->live_bytes, 0, text));
    return fitting_end(&fitting);
}

/* ---- Texts that grow ---- */

struct writing {
    char *text;      /* owned: `size` bytes and a NUL */
    size_t size;     /* without the NUL */
    size_t capacity; /* of `text` */
    bool is_failed;  /* there was no memory: nothing more is written */
};

static void writing_grow(struct writing *writing, size_t size)
{
    const size_t capacity = 2 * writing->capacity + size + 256;
    char *const text = size < SIZE_MAX / 4 && writing->capacity < SIZE_MAX / 4
                           ? realloc(writing->text, capacity)
                           : NULL;

    writing->is_failed = !text;
    if (!text)
        return;
    writing->text = text;
    writing->capacity = capacity;
}

static void write_text(struct writing *writing, const char *text)
{
    const size_t size = strlen(text);

    if (!writing->is_failed && writing->capacity - writing->size <= size)
        writing_grow(writing, size);
    if (writing->is_failed)
        return;
    memcpy(writing->text + writing->size, text, size + 1);
    writing->size += size;
}

/* ---- Tracebacks ---- */

/* Frames of a traceback that are written, as they are kept: the most recent
 * one is 0. */
struct part {
    size_t begin;
    size_t end;
};

static struct part part_of(size_t count, int limit, bool is_like_cpython)
{
    const size_t n = limit < 0 ? (size_t) - (int64_t)limit : (size_t)limit;
    const size_t kept = n < count ? n : count;

    if (limit == ALLOCTRACE_NO_LIMIT)
        return (struct part){0, count};
    if (limit >= 0)
        return (struct part){0, kept};
    /* CPython's self[:limit] is without the most recent ones. */
    return (struct part){is_like_cpython ? kept : count - kept, count};
}

static void write_frame(struct writing *writing,
                        const struct alloctrace_frame *frame, unsigned flags,
                        const char *source)
{
    char line[32];

    write_text(writing, "  File \"");
    write_text(writing, frame->file);
    snprintf(line, sizeof line, "\", line %" PRIu32, frame->line);
    write_text(writing, line);
    if (flags & ALLOCTRACE_WITH_FUNCTIONS && *frame->function) {
        write_text(writing, ", in ");
        write_text(writing, frame->function);
    }
    write_text(writing, "\n");
    if (!source)
        return;
    write_text(writing, "    ");
    write_text(writing, source);
    write_text(writing, "\n");
}

static int compare_indices(const void *left, const void *right)
{
    const struct at_source_line *const a = left;
    const struct at_source_line *const b = right;

    return (a->index > b->index) - (a->index < b->index);
}

/* The source lines of frames, in their order. The caller frees them. */
static int sources_find(const struct alloctrace_frame *frames, size_t count,
                        struct at_source_line **sources)
{
    struct at_source_line *const lines = calloc(count + 1, sizeof *lines);
    int result;

    if (!lines)
        return ALLOCTRACE_ENO_MEMORY;
    for (size_t i = 0; i < count; i++)
        lines[i] = (struct at_source_line){
            .file = frames[i].file, .line = frames[i].line, .index = i};
    result = at_source_find(lines, count);
    qsort(lines, count, sizeof *lines, compare_indices);
    *sources = lines;
    return result;
}

static void sources_free(struct at_source_line *sources, size_t count)
{
    for (size_t i = 0; sources && i < count; i++)
        free(sources[i].text);
    free(sources);
}

int alloctrace_traceback_format(const alloctrace_traceback *traceback,
                                int limit, int most_recent_first,
                                unsigned flags, char **text)
{
    AT_UNTRACED;
    const struct part part =
        part_of(traceback->count, limit, flags & ALLOCTRACE_LIKE_CPYTHON);
    const struct alloctrace_frame *const frames =
        traceback->frames + part.begin;
    const size_t count = part.end - part.begin;
    struct at_source_line *sources = NULL;
    struct writing writing = {0};

    if (flags &
        ~(unsigned)(ALLOCTRACE_LIKE_CPYTHON | ALLOCTRACE_WITH_FUNCTIONS))
        return ALLOCTRACE_EBAD_ARGUMENT;
    writing.is_failed = sources_find(frames, count, &sources) != 0;
    write_text(&writing, "");
    for (size_t i = 0; i < count; i++) {
        const size_t at = most_recent_first ? i : count - 1 - i;

        if (!writing.is_failed)
            write_frame(&writing, &frames[at], flags, sources[at].text);
    }
    sources_free(sources, count);
    if (writing.is_failed) {
        free(writing.text);
        return ALLOCTRACE_ENO_MEMORY;
    }
    *text = writing.text;
    return 0;
}

void alloctrace_text_free(char *text)
{
    AT_UNTRACED;

    free(text);
}
