/* SPDX-License-Identifier: MIT */
/*
 * Cumulative sums: a trace counts for the keys of all frames of its path that
 * are kept, once for each key or, as in CPython, once for each frame.
 *
 * Without a limit no path is walked. The traces of each traceback are summed
 * up, and the sums carried from the innermost tracebacks outwards, so that each
 * has what was allocated in it and further in: its *branch*. By frame, a frame
 * gets the branches of all tracebacks that have it. By key, a branch counts for
 * a key only where the key is met first on the way inwards: the tracebacks are
 * visited in the order of a walk over their tree, with a counter for each key
 * of how often the path to where the walk stands has it. The order comes of the
 * sizes of branches, and the way back of the tracebacks' parents, so that
 * nothing recurses and no stack is kept. Linear in the frames of the tree.
 *
 * With a limit branches of a traceback do not all have its frames, and the kept
 * frames of each path are walked.
 */
#include <stdlib.h>

#include "groups.h"

/* What was allocated in a traceback and further in. */
struct branch {
    struct at_group sum;
    uint32_t count; /* tracebacks in it that have anything, itself included */
    uint32_t next;  /* where the next branch in it goes in the order */
};

/* What is asked of a frame, side by side. */
struct key {
    uint32_t rank;
    uint32_t caller; /* frame that it was inlined into; 0 = none */
};

/* One side while it is summed up. */
struct cumulation {
    struct at_summing *summing;
    const struct at_side *side;
    uint32_t s;              /* number of the side */
    const uint32_t *ranks;   /* the side's frame => rank; not owned */
    struct at_group *groups; /* by rank; not owned: the result */
    struct branch *branch;   /* owned: by traceback */
    struct at_group *frames; /* owned: by frame, as in CPython */
    struct key *keys;        /* owned: by frame, once for each key */
    uint32_t *on_path;       /* owned: by rank: times on the path, or the
                                number of the last path that has it */
    uint32_t *order;         /* owned: tracebacks as a walk meets them */
};

static void cumulation_fini(struct cumulation *cumulation)
{
    free(cumulation->branch);
    free(cumulation->frames);
    free(cumulation->keys);
    free(cumulation->on_path);
    free(cumulation->order);
}

/* ---- Branches ---- */

static struct branch *branches_create(size_t count)
{
    struct branch *const branches = calloc(count, sizeof *branches);

    for (size_t i = 0; branches && i < count; i++)
        branches[i].sum.trace = AT_NONE;
    return branches;
}

/* Sums up the traces of each traceback, and all of them. */
static void branches_fill(struct cumulation *cumulation)
{
    const alloctrace_snapshot *const of = cumulation->side->snapshot;
    struct at_group sum = {.trace = AT_NONE};

    for (uint32_t i = 0; i < of->n_traces; i++) {
        const struct at_group trace =
            at_trace_group(cumulation->summing, cumulation->s, i);

        at_group_add(&cumulation->branch[of->traces[i].traceback].sum, &trace);
        at_group_add(&sum, &trace);
    }
    cumulation->summing->sums[cumulation->s] = sum;
}

/* Carries sums outwards: parents have lower numbers. */
static void branches_carry(struct cumulation *cumulation)
{
    const alloctrace_snapshot *const of = cumulation->side->snapshot;
    struct branch *const branches = cumulation->branch;

    for (uint32_t i = of->n_tracebacks; i-- > 0;) {
        const uint32_t parent = of->tracebacks[i].parent;

        if (branches[i].sum.trace == AT_NONE)
            continue;
        branches[i].count++;
        if (!parent)
            continue;
        at_group_add(&branches[parent].sum, &branches[i].sum);
        branches[parent].count += branches[i].count;
    }
}

/* ---- Once for each frame ---- */

/* Carries what frames have to those that they were inlined into. Callers have
 * lower numbers, but those that resolving an address added, each of which is
 * the caller of one frame, have higher ones. */
static void frames_carry(struct cumulation *cumulation)
{
    const alloctrace_snapshot *const of = cumulation->side->snapshot;
    struct at_group *const frames = cumulation->frames;

    for (uint32_t i = of->n_frames; i-- > 1;)
        if (of->frames[i].caller && of->frames[i].caller < i)
            at_group_add(&frames[of->frames[i].caller], &frames[i]);
    for (uint32_t i = 1; i < of->n_frames; i++)
        if (of->frames[i].caller > i)
            at_group_add(&frames[of->frames[i].caller], &frames[i]);
}

static int add_by_frame(struct cumulation *cumulation)
{
    const alloctrace_snapshot *const of = cumulation->side->snapshot;

    cumulation->frames = at_groups_create(of->n_frames);
    if (!cumulation->frames)
        return ALLOCTRACE_ENO_MEMORY;
    for (uint32_t i = 0; i < of->n_tracebacks; i++)
        at_group_add(&cumulation->frames[of->tracebacks[i].frame],
                     &cumulation->branch[i].sum);
    frames_carry(cumulation);
    for (uint32_t i = 0; i < of->n_frames; i++)
        at_group_add(&cumulation->groups[cumulation->ranks[i]],
                     &cumulation->frames[i]);
    return 0;
}

/* ---- Once for each key ---- */

/* Branches that are fetched ahead of time. */
#define AHEAD 8

static struct key *keys_create(const struct cumulation *cumulation)
{
    const alloctrace_snapshot *const of = cumulation->side->snapshot;
    struct key *const keys = malloc(of->n_frames * sizeof *keys);

    for (uint32_t i = 0; keys && i < of->n_frames; i++)
        keys[i] = (struct key){cumulation->ranks[i], of->frames[i].caller};
    return keys;
}

/* Orders the tracebacks of branches that are not empty as a walk over their
 * tree meets them. Returns how many there are. */
static uint32_t order_find(struct cumulation *cumulation)
{
    const alloctrace_snapshot *const of = cumulation->side->snapshot;
    struct branch *const branches = cumulation->branch;
    uint32_t outermost = 0;

    for (uint32_t i = 0; i < of->n_tracebacks; i++) {
        const uint32_t parent = of->tracebacks[i].parent;
        uint32_t *const at = parent ? &branches[parent].next : &outermost;

        if (branches[i].sum.trace == AT_NONE)
            continue;
        cumulation->order[*at] = i;
        branches[i].next = *at + 1;
        *at += branches[i].count;
    }
    return outermost;
}

static void site_enter(struct cumulation *cumulation, uint32_t traceback)
{
    uint32_t frame =
        cumulation->side->snapshot->tracebacks[traceback].frame;

    do {
        const struct key key = cumulation->keys[frame];

        if (cumulation->on_path[key.rank]++ == 0)
            at_group_add(&cumulation->groups[key.rank],
                         &cumulation->branch[traceback].sum);
        frame = key.caller;
    } while (frame);
}

static void site_leave(struct cumulation *cumulation, uint32_t traceback)
{
    uint32_t frame =
        cumulation->side->snapshot->tracebacks[traceback].frame;

    do {
        cumulation->on_path[cumulation->keys[frame].rank]--;
        frame = cumulation->keys[frame].caller;
    } while (frame);
}

/* Visits all branches in their order. */
static void walk(struct cumulation *cumulation, uint32_t count)
{
    const struct at_traceback *const tracebacks =
        cumulation->side->snapshot->tracebacks;
    const uint32_t *const order = cumulation->order;
    uint32_t here = 0; /* where the walk stands; 0 = outside of all */

    for (uint32_t i = 0; i < count; i++) {
        if (count - i > AHEAD) {
            __builtin_prefetch(&cumulation->branch[order[i + AHEAD]]);
            __builtin_prefetch(&tracebacks[order[i + AHEAD]]);
        }
        for (; here != tracebacks[order[i]].parent;
             here = tracebacks[here].parent)
            site_leave(cumulation, here);
        site_enter(cumulation, order[i]);
        if (order[i] == 0)
            site_leave(cumulation, 0); /* nothing stands on it */
        here = order[i];
    }
}

static int add_by_key(struct cumulation *cumulation)
{
    const size_t n = cumulation->side->snapshot->n_tracebacks;

    cumulation->keys = keys_create(cumulation);
    cumulation->order = malloc(n * sizeof *cumulation->order);
    if (!cumulation->keys || !cumulation->order)
        return ALLOCTRACE_ENO_MEMORY;
    walk(cumulation, order_find(cumulation));
    return 0;
}

/* ---- Kept frames ---- */

/* Adds a path's own traces to the keys of its kept frames. */
static void path_add(struct cumulation *cumulation, uint32_t traceback,
                     bool is_once)
{
    uint64_t left = at_side_kept(cumulation->side, traceback);
    struct at_walk walk;

    at_walk_begin(&walk, cumulation->side->snapshot, traceback);
    for (; left > 0; left--, at_walk_next(&walk)) {
        const uint32_t rank = cumulation->ranks[walk.frame];

        if (is_once && cumulation->on_path[rank] == traceback + 1)
            continue;
        cumulation->on_path[rank] = traceback + 1;
        at_group_add(&cumulation->groups[rank],
                     &cumulation->branch[traceback].sum);
    }
}

static int side_add(struct cumulation *cumulation, bool is_once)
{
    const alloctrace_snapshot *const of = cumulation->side->snapshot;

    cumulation->branch = branches_create(of->n_tracebacks);
    cumulation->on_path =
        calloc(cumulation->summing->n_ranks, sizeof *cumulation->on_path);
    if (!cumulation->branch || !cumulation->on_path)
        return ALLOCTRACE_ENO_MEMORY;
    branches_fill(cumulation);
    if (at_side_is_limited(cumulation->side)) {
        for (uint32_t i = 0; i < of->n_tracebacks; i++)
            if (cumulation->branch[i].sum.trace != AT_NONE)
                path_add(cumulation, i, is_once);
        return 0;
    }
    branches_carry(cumulation);
    return is_once ? add_by_key(cumulation) : add_by_frame(cumulation);
}

int at_cumulate(struct at_summing *summing)
{
    const bool is_once = !(summing->options.flags & ALLOCTRACE_LIKE_CPYTHON);
    int result = 0;

    for (uint32_t s = 0; !result && s < summing->sides.count; s++) {
        struct cumulation cumulation = {
            .summing = summing,
            .side = &summing->sides.side[s],
            .s = s,
            .ranks = summing->ranks + summing->sides.side[s].first_frame,
        };

        cumulation.groups = summing->groups[s] =
            at_groups_create(summing->n_ranks);
        result = cumulation.groups ? side_add(&cumulation, is_once)
                                   : ALLOCTRACE_ENO_MEMORY;
        cumulation_fini(&cumulation);
    }
    return result;
}

/* ---- Who has a key ---- */

/* Without a limit: a path has what its parent's has. */
static void find_whole(const alloctrace_snapshot *of, const uint32_t *ranks,
                       uint32_t rank, bool *has)
{
    for (uint32_t i = 0; i < of->n_tracebacks; i++) {
        uint32_t frame = of->tracebacks[i].frame;

        has[i] = of->tracebacks[i].parent && has[of->tracebacks[i].parent];
        while (!has[i] && ranks[frame] != rank && of->frames[frame].caller)
            frame = of->frames[frame].caller;
        has[i] = has[i] || ranks[frame] == rank;
    }
}

static void find_limited(const struct at_side *side, const uint32_t *ranks,
                         uint32_t rank, bool *has)
{
    for (uint32_t i = 0; i < side->snapshot->n_tracebacks; i++) {
        uint64_t left = at_side_kept(side, i);
        struct at_walk walk;

        at_walk_begin(&walk, side->snapshot, i);
        for (; left > 0 && !has[i]; left--, at_walk_next(&walk))
            has[i] = ranks[walk.frame] == rank;
    }
}

bool *at_tracebacks_with(const struct at_side *side, const uint32_t *ranks,
                         uint32_t rank)
{
    bool *const has = calloc(side->snapshot->n_tracebacks, sizeof *has);

    if (has && at_side_is_limited(side))
        find_limited(side, ranks, rank, has);
    else if (has)
        find_whole(side->snapshot, ranks, rank, has);
    return has;
}
