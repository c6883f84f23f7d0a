/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A forward data-flow problem: which record is in the frame at each point.
 * Linking the frame leaves the region's first record in it, a noted call its
 * own. Where control may come from elsewhere (exception, longjmp) nothing is
 * known. A call whose record is there on all ways to it need not store it (a
 * region with one call stores at the push alone), and where another one is
 * there for certain, adding the distance between the two is enough:
 *
 *     hash + (site - held) = base + held + (site - held) = base + site
 *
 * which on x86-64 is one instruction without a register.
 *
 * Where ways meet that bring different records, and a noted call follows, the
 * block is settled on one record: the edges that bring another one get such
 * an addition of their own. If the call is in that very block, its record is
 * chosen, and it needs none.
 */
#include "gcc.h"

#include "frames.h"
#include "options.h"
#include "store.h"

/* What the frame holds: a record's number or one of these. */
enum { HELD_ANY = -1 /* not reached yet */, HELD_UNKNOWN = -2 };

/* More edges than this are not given code of their own: one is best for the
 * code's size, three for its speed. */
static int max_settled_edges(void)
{
    return at_options.compact || optimize_function_for_size_p(cfun) ? 1 : 3;
}

/* What is known of a block. */
struct held {
    int before;     /* what the frame holds at its start */
    int after;      /* and at its end */
    int settled;    /* the record it was settled on, or HELD_ANY */
    bool is_wanted; /* a noted call follows in the region */
    int first_call; /* position in plan->calls, -1 = none */
    int n_calls;
};

static int held_meet(int a, int b)
{
    if (a == HELD_ANY || a == b)
        return b;
    return b == HELD_ANY ? a : HELD_UNKNOWN;
}

/* What is held at the end of E, which leads to a block of REGION. */
static int held_on_edge(const struct plan *plan, const struct held *held,
                        const_edge e)
{
    const int region = plan->region_of[e->dest->index];

    if (e->flags & (EDGE_EH | EDGE_ABNORMAL))
        return HELD_UNKNOWN;
    if (e->src->index >= NUM_FIXED_BLOCKS &&
        plan->region_of[e->src->index] == region)
        return held[e->src->index].after;
    return plan->regions[region].site;
}

static void blocks_index_calls(const struct plan *plan, struct held *held,
                               int n_blocks)
{
    for (int i = 0; i < n_blocks; i++) {
        held[i].before = held[i].after = held[i].settled = HELD_ANY;
        held[i].first_call = -1;
    }
    for (unsigned i = 0; i < plan->calls.length(); i++) {
        struct held *block = &held[gimple_bb(plan->calls[i].call)->index];

        if (block->first_call < 0)
            block->first_call = i;
        block->n_calls++;
    }
}

/* The record held after BLOCK if BEFORE is held at its start. */
static int held_after(struct plan *plan, const struct held *block, int before)
{
    for (int i = 0; i < block->n_calls; i++) {
        struct planned_call *planned = &plan->calls[block->first_call + i];

        if (planned->is_noted) {
            planned->held = before;
            before = planned->site;
        }
        /* GCC need not have an edge for it: -fprofile-use loses it. */
        if (at_call_returns_again(planned->call))
            before = HELD_UNKNOWN;
    }
    return before;
}

/* Each region starts with the record of the first call on the way. */
static void regions_choose_site(struct plan *plan, const struct held *held,
                                const int *order, int n)
{
    auto_vec<bool> is_chosen;

    is_chosen.safe_grow_cleared(plan->regions.length());
    for (int i = 0; i < n; i++) {
        const int region = plan->region_of[order[i]];
        const struct held *block = &held[order[i]];

        for (int j = 0; region >= 0 && j < block->n_calls; j++) {
            const struct planned_call *planned =
                &plan->calls[block->first_call + j];

            if (planned->is_noted && !is_chosen[region]) {
                plan->regions[region].site = planned->site;
                is_chosen[region] = true;
            }
        }
    }
}

/* The record of the block's first noted call, or -1. */
static int block_first_site(const struct plan *plan, const struct held *block)
{
    for (int i = 0; i < block->n_calls; i++)
        if (plan->calls[block->first_call + i].is_noted)
            return plan->calls[block->first_call + i].site;
    return -1;
}

/*
 * Settle BB on a record, if each way to it brings a known one and few of them
 * would need an addition.
 */
static void block_settle(struct plan *plan, struct held *held, basic_block bb)
{
    struct region *region = &plan->regions[plan->region_of[bb->index]];
    int site = block_first_site(plan, &held[bb->index]);
    int n_additions = 0;
    edge best = NULL;
    edge_iterator ei;
    edge e;

    if (!held[bb->index].is_wanted)
        return;
    FOR_EACH_EDGE(e, ei, bb->preds) {
        if (held_on_edge(plan, held, e) < 0)
            return;
        if (best == NULL || best->count() < e->count())
            best = e;
    }
    if (site < 0)
        site = held_on_edge(plan, held, best);
    FOR_EACH_EDGE(e, ei, bb->preds)
        n_additions += held_on_edge(plan, held, e) != site;
    if (n_additions > max_settled_edges())
        return;
    held[bb->index].settled = site;
    /* The head of a loop: link the frame with it at once. */
    if (bb == region->root)
        region->site = site;
}

/* Find out which blocks have a noted call behind them in their region. */
static void blocks_want(const struct plan *plan, struct held *held,
                        const int *order, int n)
{
    bool is_changed = true;

    while (is_changed) {
        is_changed = false;
        for (int i = n - 1; i >= 0; i--) {
            struct held *block = &held[order[i]];
            bool is_wanted = block_first_site(plan, block) >= 0;
            edge_iterator ei;
            edge e;

            FOR_EACH_EDGE(e, ei, BASIC_BLOCK_FOR_FN(cfun, order[i])->succs)
                if (e->dest->index >= NUM_FIXED_BLOCKS &&
                    plan->region_of[e->dest->index] ==
                        plan->region_of[order[i]])
                    is_wanted |= held[e->dest->index].is_wanted;
            is_changed |= is_wanted != block->is_wanted;
            block->is_wanted = is_wanted;
        }
    }
}

/* The edges that bring another record than their block was settled on. */
static void edges_plan(struct plan *plan, const struct held *held,
                       const int *order, int n)
{
    for (int i = 0; i < n; i++) {
        const int settled = held[order[i]].settled;
        edge_iterator ei;
        edge e;

        if (settled < 0)
            continue;
        FOR_EACH_EDGE(e, ei, BASIC_BLOCK_FOR_FN(cfun, order[i])->preds) {
            struct planned_edge planned = {e, held_on_edge(plan, held, e),
                                           (unsigned)settled};

            if (planned.held != settled)
                plan->edges.safe_push(planned);
        }
    }
}

/* One sweep over the blocks; whether anything changed. */
static bool held_sweep(struct plan *plan, struct held *held, const int *order,
                       int n, bool may_settle)
{
    bool is_changed = false;

    for (int i = 0; i < n; i++) {
        basic_block bb = BASIC_BLOCK_FOR_FN(cfun, order[i]);
        struct held *block = &held[bb->index];
        int before = HELD_ANY;
        edge_iterator ei;
        edge e;

        if (plan->region_of[bb->index] < 0)
            continue;
        FOR_EACH_EDGE(e, ei, bb->preds)
            before = held_meet(before, held_on_edge(plan, held, e));
        if (may_settle && block->settled < 0 && before == HELD_UNKNOWN)
            block_settle(plan, held, bb);
        if (block->settled >= 0)
            before = block->settled;
        const int after = held_after(plan, block, before);
        is_changed |= before != block->before || after != block->after;
        block->before = before;
        block->after = after;
    }
    return is_changed;
}

/* HELD's two other values become "not known". */
static void blind_count(struct plan *plan)
{
    for (unsigned i = 0; i < plan->calls.length(); i++) {
        struct planned_call *planned = &plan->calls[i];
        const int region = plan->region_of[gimple_bb(planned->call)->index];

        if (!planned->is_noted || region < 0 || planned->held >= 0)
            continue;
        planned->held = -1;
        plan->regions[region].n_blind++;
    }
}

void at_stores_choose(struct plan *plan, function *fun)
{
    const int n_blocks = last_basic_block_for_fn(fun);
    struct held *held;
    const int *forward;
    int *order;
    int n;

    if (plan->regions.is_empty())
        return;
    held = XCNEWVEC(struct held, n_blocks);
    order = XNEWVEC(int, n_basic_blocks_for_fn(fun));
    n = pre_and_rev_post_order_compute_fn(fun, NULL, order, false);
    /* It fills the array from the end; unreachable blocks leave a gap. */
    forward = order + n_basic_blocks_for_fn(fun) - NUM_FIXED_BLOCKS - n;
    blocks_index_calls(plan, held, n_blocks);
    regions_choose_site(plan, held, forward, n);
    blocks_want(plan, held, forward, n);
    while (held_sweep(plan, held, forward, n, false))
        continue;
    if (optimize)
        while (held_sweep(plan, held, forward, n, true))
            continue;
    edges_plan(plan, held, forward, n);
    blind_count(plan);
    free(order);
    free(held);
}
