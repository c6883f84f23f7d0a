/* SPDX-License-Identifier: MIT */
/*
 * INTERNAL to analysis/, for plan.c and write.c: what of a snapshot is written
 * to a file, and under which numbers.
 *
 * Left out are
 *
 *     strings  that no frame has: those of all else are held as texts and
 *              stand before them; and the labels that loading makes of
 *              addresses, which the reader makes again
 *     the rest of a snapshot that was made of another one: what none of its
 *              traces and blocks leads to
 *
 * A set of bits and a count for each 64 of them say which they are: the only
 * memory that depends on the snapshot, 1.5 bits an entry, unless it is folded.
 *
 * Frames that resolving added stand behind those that were inlined into them.
 * They lead only to one another, upwards, and come first in the file, from
 * above, so that a frame's caller stands before it as the format wants.
 *
 * A folded path begins in the middle of another one, and the file does not say
 * so. Its first frame is written anew (struct at_start) where it would say what
 * is true of the whole path only: what it calls, and where the reader would not
 * find the type that the path's traces are grouped under.
 */
#ifndef ALLOCTRACE_PLAN_H
#define ALLOCTRACE_PLAN_H

#include "model.h"

/* Which entries of a table are written. */
struct at_numbers {
    uint64_t *bits;   /* owned; by id: is it written? NULL = all are */
    uint32_t *before; /* owned; by word of bits: how many before that word */
    uint32_t n;       /* ids, with 0, which is not written */
    uint32_t count;   /* written */
};

/* A frame that folded paths begin with, and that is written for them. */
struct at_start {
    uint32_t frame; /* which it is made of */
    uint32_t type;  /* string: what their traces allocated */
    bool is_end;    /* the reader would find another type further outwards */
};

struct at_plan {
    const alloctrace_snapshot *snapshot;
    uint32_t first_added;     /* frames that resolving added: from here on */
    struct at_numbers frames; /* by position, see at_plan_frame_at */
    struct at_numbers tracebacks;
    struct at_numbers modules;
    struct at_numbers threads;
    struct at_numbers strings;
    struct at_start *starts; /* owned: behind the frames in the file */
    uint32_t *start_of;      /* owned: by folded path: the start's number, from
                                1; 0 = its frame does as it is */
    uint32_t n_starts;
    uint32_t n_texts;      /* before the strings of the table */
    uint64_t string_bytes; /* of all texts and strings, with their sizes */
    bool is_too_long;      /* one is longer than the format can say */
};

/* Returns 0 or ALLOCTRACE_ENO_MEMORY; it is to be ended in either case. */
int at_plan_init(struct at_plan *plan, const alloctrace_snapshot *snapshot);
void at_plan_fini(struct at_plan *plan);

static inline bool at_has_number(const struct at_numbers *numbers, uint32_t id)
{
    return !numbers->bits || (numbers->bits[id / 64] >> id % 64 & 1);
}

/* The number of an id that is written, or 0. */
static inline uint32_t at_number_of(const struct at_numbers *numbers,
                                    uint32_t id)
{
    const uint64_t below = (UINT64_C(2) << id % 64) - 1;

    if (!numbers->bits || !id)
        return id;
    return numbers->before[id / 64] +
           (uint32_t)__builtin_popcountll(numbers->bits[id / 64] & below);
}

/* The frame at a position, from 1 to n_frames - 1: callers come first. */
const struct at_frame *at_plan_frame_at(const struct at_plan *plan,
                                        uint32_t position);

/* The number of a frame that is written, or 0. */
uint32_t at_plan_frame(const struct at_plan *plan, uint32_t frame);

/* The number of the frame that a traceback begins with. */
uint32_t at_plan_first_frame(const struct at_plan *plan, uint32_t traceback);

/* A start as it is written. */
struct at_frame at_plan_start(const struct at_plan *plan, uint32_t index);

/* The number of a string of the table; an empty one is 0. */
uint32_t at_plan_string(const struct at_plan *plan, uint32_t id);

/* Texts that are no strings of the table get their numbers in the order in
 * which they are asked for: equal neighbours are one, empty ones 0. */
struct at_texts {
    const char *last; /* NULL = none yet */
    uint32_t count;   /* the number of the last one */
};

/* Returns whether the text has a number of its own: it is new. */
bool at_text_number(struct at_texts *texts, const char *text, uint32_t *number);

/* Visits those that have, in the order of their numbers, which is that of
 * entries: process, arguments, modules, threads, domains, attributes. */
void at_plan_texts(const struct at_plan *plan,
                   void (*visit)(void *data, const char *text), void *data);

#endif
