/* SPDX-License-Identifier: MIT */
/*
 * Frames and tracebacks as values: order, hash, parts. As in tracemalloc a
 * frame is its file and line, and a traceback its frames, the oldest first.
 */
#include <string.h>

#include "model.h"

/* FNV-1a, of 64 bits. */
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

static uint64_t hash_add(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *const at = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * HASH_PRIME;
    return hash;
}

/* The NUL is hashed, too, and ends the name. */
static uint64_t frame_hash(uint64_t hash, const struct alloctrace_frame *frame)
{
    hash = hash_add(hash, frame->file, strlen(frame->file) + 1);
    for (int shift = 0; shift < 32; shift += 8) {
        const unsigned char byte = (unsigned char)(frame->line >> shift);

        hash = hash_add(hash, &byte, 1);
    }
    return hash;
}

int alloctrace_frame_compare(const struct alloctrace_frame *left,
                             const struct alloctrace_frame *right)
{
    const int order =
        left->file == right->file ? 0 : strcmp(left->file, right->file);

    return order ? order
                 : (left->line > right->line) - (left->line < right->line);
}

uint64_t alloctrace_frame_hash(const struct alloctrace_frame *frame)
{
    return frame_hash(HASH_BEGIN, frame);
}

int alloctrace_traceback_compare(const alloctrace_traceback *left,
                                 const alloctrace_traceback *right)
{
    size_t a = left->count;
    size_t b = right->count;

    while (a > 0 && b > 0) {
        const int order =
            alloctrace_frame_compare(&left->frames[--a], &right->frames[--b]);

        if (order)
            return order;
    }
    return (a > b) - (a < b);
}

uint64_t alloctrace_traceback_hash(const alloctrace_traceback *traceback)
{
    uint64_t hash = HASH_BEGIN;

    for (size_t i = traceback->count; i-- > 0;)
        hash = frame_hash(hash, &traceback->frames[i]);
    return hash;
}

int alloctrace_traceback_contains(const alloctrace_traceback *traceback,
                                  const struct alloctrace_frame *frame)
{
    for (size_t i = 0; i < traceback->count; i++)
        if (alloctrace_frame_compare(&traceback->frames[i], frame) == 0)
            return 1;
    return 0;
}

/* Where an index of a slice lies among `count` frames: 0 .. count. */
static size_t clamp(ptrdiff_t index, size_t count)
{
    if (index >= 0)
        return (size_t)index < count ? (size_t)index : count;
    /* -1 is the last one; the least index has no counterpart above 0. */
    return (size_t) - (index + 1) < count ? count - 1 - (size_t) - (index + 1)
                                          : 0;
}

int alloctrace_traceback_slice(const alloctrace_traceback *traceback,
                               ptrdiff_t start, ptrdiff_t stop,
                               alloctrace_traceback **slice)
{
    AT_UNTRACED;
    const size_t begin = clamp(start, traceback->count);
    const size_t end = clamp(stop, traceback->count);
    const size_t count = end > begin ? end - begin : 0;
    alloctrace_traceback *const made = at_traceback_create(count);

    if (!made)
        return ALLOCTRACE_ENO_MEMORY;
    if (traceback->snapshot)
        made->snapshot = at_snapshot_retain(traceback->snapshot);
    made->total_nframe = traceback->total_nframe;
    /* Frames stand the most recent first. */
    if (count > 0)
        memcpy(made->frames, traceback->frames + (traceback->count - end),
               count * sizeof *made->frames);
    *slice = made;
    return 0;
}
