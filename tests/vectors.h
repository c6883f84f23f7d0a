/* SPDX-License-Identifier: MIT */
/*
 * Traces by hand, as tracemalloc's tests have them: tuples of domain, size,
 * frames and how many frames there were. A path is written "main.c:7 lib.c:3",
 * the most recent frame first.
 *
 *     alloctrace_snapshot *a = vectors_snapshot(vectors_a);
 *
 * makes the raw traces A from which the vectors T1 to T32 go out, `vectors_b`
 * the traces B that they are compared with. A test that cannot get memory
 * aborts.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdlib.h>
#include <string.h>

#include "alloctrace/analysis.h"

/* One block, or several that are the same. */
struct vector {
    const char *path; /* "" = no frames; NULL ends a list */
    uint64_t size;    /* of each block */
    uint64_t total;   /* frames before the limit; 0 = as many as in `path` */
    uint32_t domain;
    uint32_t count; /* blocks; 0 = one */
};

static const struct vector vectors_a[] = {
    {"main.c:7 lib.c:3", 10, 2, 0, 3},
    {"main.c:9 lib.c:3", 2, 2, 1, 1},
    {"lib.c:1", 66, 1, 2, 1},
    {"<unknown>:0", 7, 1, 3, 1},
    {NULL, 0, 0, 0, 0},
};

static const struct vector vectors_b[] = {
    {"main.c:7 lib.c:3", 10, 2, 0, 3},
    {"main.c:9 lib.c:3", 2, 2, 2, 1},
    {"main.c:9 lib.c:3", 5000, 2, 2, 1},
    {"x.c:578", 400, 1, 4, 1},
    {NULL, 0, 0, 0, 0},
};

/* Most frames of a path that is written down. */
#define VECTOR_FRAMES 64

/* Reads a path. `text` is changed, and the frames point into it. */
static inline size_t vector_frames(char *text, struct alloctrace_frame *frames)
{
    size_t n = 0;

    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        char *colon = strrchr(word, ':');

        if (!colon || n == VECTOR_FRAMES)
            abort();
        *colon = '\0';
        frames[n++] = (struct alloctrace_frame){
            .file = word, .line = (uint32_t)strtoul(colon + 1, NULL, 10)};
    }
    return n;
}

/* Adds one block of a path that is written down. */
static inline void vector_add(alloctrace_builder *builder, uint32_t domain,
                              uint64_t size, const char *path, uint64_t total)
{
    struct alloctrace_frame frames[VECTOR_FRAMES];
    char *text = strdup(path);
    size_t n = text ? vector_frames(text, frames) : 0;

    if (!text ||
        alloctrace_builder_add(builder, domain, size, frames, n, total))
        abort();
    free(text);
}

static inline void vectors_add(alloctrace_builder *builder,
                               const struct vector *vectors)
{
    for (; vectors->path; vectors++)
        for (uint32_t i = 0; i < (vectors->count ? vectors->count : 1); i++)
            vector_add(builder, vectors->domain, vectors->size, vectors->path,
                       vectors->total);
}

/* Makes a snapshot of a list. The caller frees it. */
static inline alloctrace_snapshot *
vectors_snapshot(const struct vector *vectors)
{
    alloctrace_builder *builder;
    alloctrace_snapshot *snapshot;

    if (alloctrace_builder_create(&builder))
        abort();
    vectors_add(builder, vectors);
    if (alloctrace_builder_finish(builder, &snapshot))
        abort();
    return snapshot;
}

#endif
