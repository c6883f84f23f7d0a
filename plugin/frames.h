/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Step 2 of the data flow: what is to be done to one function. Decided here,
 * carried out by rewrite.cc; nothing is changed in between.
 */
#ifndef ALLOCTRACE_PLUGIN_FRAMES_H
#define ALLOCTRACE_PLUGIN_FRAMES_H

#include "allocfn.h"
#include "reach.h"

/* A call that something is done to, or before. */
struct planned_call {
    gcall *call;
    enum allocfn allocfn; /* the entry it goes to, or ALLOCFN_NONE */
    bool may_allocate;    /* not only release */
    bool is_mark;         /* it is a mark (mark.h) that wants its record */
    bool is_noted;        /* its record is to be in the frame when it runs */
    bool is_tail;         /* the frame is unlinked before it */
    bool is_continuation; /* unlinked before it, linked again behind it */
    unsigned site;        /* its record's number, if it has one */
    int held;             /* noted: the record in the frame before, or -1 */
};

/*
 * A part of the function during which its frame is linked: the blocks that
 * `root` dominates. Regions are disjoint; control enters at `root` only, and
 * neither enters nor leaves by an edge that cannot be split.
 */
struct region {
    basic_block root;
    bool is_whole;  /* the whole function, by necessity or by choice */
    bool is_outlined; /* the frame is linked by a call: outline.h */
    bool is_loop;   /* some edge to `root` comes from inside the region */
    unsigned site;  /* the record in the frame as it is linked */
    unsigned n_blind; /* noted calls that do not know what the frame holds */
};

/* On this edge the frame is given another record, as a call would. */
struct planned_edge {
    edge e;
    int held;      /* the record in the frame before, or -1 = not known */
    unsigned site; /* the record afterwards */
};

struct plan {
    vec<struct planned_call> calls; /* in the order of the blocks */
    vec<struct region> regions;
    vec<struct planned_edge> edges;
    int *region_of;     /* block's index => region's position, or -1 */
    bool *ends_popped;  /* block's index => it ends in a tail call */
    bool must_have_frame; /* control may return into it by other ways */
    unsigned again_site;  /* then: the record of a call that returns again */
    bool is_left_alone;   /* the function is to stay as written */
    unsigned n_skipped[N_REACHES]; /* calls that cannot allocate, by reason */
};

/* Decide about FUN. Computes dominators, which the caller frees. */
void at_plan_init(struct plan *plan, function *fun);
void at_plan_fini(struct plan *plan);

/* The region of BB, or NULL. */
const struct region *at_plan_region(const struct plan *plan, basic_block bb);

/*
 * Whether CALL may return once more, when the innermost frame is another's:
 * setjmp and its like, and swapcontext.
 */
bool at_call_returns_again(const gcall *call);

#endif
