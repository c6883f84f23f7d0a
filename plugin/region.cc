/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shrink-wrapping of the frame, over the tree of dominators.
 *
 * A region is what a block, its root, dominates; the frame is linked on the
 * edges that enter the root from outside. For every block
 *
 *     best(b) = min(cost(b), sum of best(children of b))
 *     best(b) = cost(b)               if b itself has a noted call
 *     best(b) = 0                     if nothing that b dominates has one
 *
 * where cost(b) is how often those edges are taken in a run of the function,
 * plus a little for each copy of the code. On a tie the higher block wins.
 * A block is no root where an exception edge or an abnormal edge (computed
 * goto, non-local goto, setjmp) would enter or leave its region, for on such
 * an edge no code can stand. The function's first block always is one.
 */
#include "gcc.h"

#include "frames.h"
#include "options.h"
#include "outline.h"
#include "region.h"

/* Taken away from being chosen; still finite, so that sums stay ordered. */
#define COST_FORBIDDEN 1e12

/* What one copy of the code to link or unlink costs, in runs of it. */
#define COST_COPY_FAST 0.02
#define COST_COPY_SMALL 2.0

/* What is known of a block; the counts become its whole subtree's. */
struct block_facts {
    bool has_note;      /* has a noted call */
    bool is_needed;     /* something in the subtree has a noted call */
    bool is_entered_oddly; /* from outside by an edge that cannot be split */
    bool is_loop;       /* some edge comes from inside the subtree */
    bool is_root;       /* cost(b) is the better choice */
    int n_out;          /* edges that leave a block of the subtree ... */
    int n_inside;       /* ... and those of them that stay in the subtree */
    int n_odd_out;      /* the same for edges that cannot be split */
    int n_odd_inside;
    double below;       /* sum of best(children) */
};

static bool edge_is_odd(const_edge e)
{
    return (e->flags & (EDGE_EH | EDGE_ABNORMAL)) != 0;
}

/* Count E at the blocks where it starts and where its ends come together. */
static void edge_count(struct block_facts *facts, edge e)
{
    const bool is_odd = edge_is_odd(e);
    basic_block common;

    facts[e->src->index].n_out++;
    facts[e->src->index].n_odd_out += is_odd;
    if (e->dest == EXIT_BLOCK_PTR_FOR_FN(cfun))
        return;
    common = nearest_common_dominator(CDI_DOMINATORS, e->src, e->dest);
    facts[common->index].n_inside++;
    facts[common->index].n_odd_inside += is_odd;
    if (common == e->dest)
        facts[e->dest->index].is_loop = true;
    else if (is_odd)
        facts[e->dest->index].is_entered_oddly = true;
}

static void blocks_count(struct block_facts *facts, const struct plan *plan,
                         const vec<basic_block> &blocks)
{
    for (unsigned i = 0; i < plan->calls.length(); i++)
        if (plan->calls[i].is_noted) {
            const int index = gimple_bb(plan->calls[i].call)->index;

            facts[index].has_note = facts[index].is_needed = true;
        }
    for (unsigned i = 0; i < blocks.length(); i++) {
        edge_iterator ei;
        edge e;

        FOR_EACH_EDGE(e, ei, blocks[i]->succs)
            edge_count(facts, e);
    }
}

/* How often E is taken in a run of the function. */
static double edge_frequency(edge e)
{
    return e->count()
        .to_sreal_scale(ENTRY_BLOCK_PTR_FOR_FN(cfun)->count)
        .to_double();
}

static double root_cost(const struct block_facts *fact, basic_block bb)
{
    const double copy = optimize_function_for_size_p(cfun) ? COST_COPY_SMALL
                                                           : COST_COPY_FAST;
    int n_copies = fact->n_out - fact->n_inside;
    double frequency = 0;
    edge_iterator ei;
    edge e;

    if (fact->is_entered_oddly || fact->n_odd_out != fact->n_odd_inside)
        return COST_FORBIDDEN;
    FOR_EACH_EDGE(e, ei, bb->preds)
        if (!dominated_by_p(CDI_DOMINATORS, e->src, bb)) {
            frequency += edge_frequency(e);
            n_copies += fact->is_loop;
        }
    return frequency + copy * (n_copies + !fact->is_loop);
}

/* best(BB); adds BB's subtree to its parent's. */
static void block_weigh(struct block_facts *facts, basic_block bb,
                        basic_block parent)
{
    struct block_facts *fact = &facts[bb->index];
    struct block_facts *above = &facts[parent->index];
    double best = fact->below;

    if (fact->is_needed) {
        const double cost = root_cost(fact, bb);

        fact->is_root = fact->has_note || cost <= fact->below;
        best = fact->is_root ? cost : fact->below;
    }
    above->is_needed |= fact->is_needed;
    above->below += best;
    above->n_out += fact->n_out;
    above->n_inside += fact->n_inside;
    above->n_odd_out += fact->n_odd_out;
    above->n_odd_inside += fact->n_odd_inside;
}

/*
 * Whether a frame linked at ROOT is linked out of line: where code is to be
 * small. Not elsewhere, however large the function: three registers that are
 * lost cost more than the call.
 */
static bool root_is_outlined(basic_block root)
{
    return optimize && at_outline_is_possible() &&
           (at_options.compact || optimize_bb_for_size_p(root));
}

static int region_add(struct plan *plan, basic_block root, bool is_loop)
{
    struct region region;

    memset(&region, 0, sizeof region);
    region.root = root;
    region.is_loop = is_loop;
    region.site = plan->again_site;
    region.is_outlined = root_is_outlined(root);
    region.is_whole =
        root == single_succ(ENTRY_BLOCK_PTR_FOR_FN(cfun));
    plan->regions.safe_push(region);
    return plan->regions.length() - 1;
}

/* Give the blocks their regions, parents first. */
static void regions_spread(struct plan *plan, const struct block_facts *facts,
                           const vec<basic_block> &blocks)
{
    for (unsigned i = 0; i < blocks.length(); i++) {
        basic_block bb = blocks[i];
        const struct block_facts *fact = &facts[bb->index];
        int region = -1;

        if (i > 0)
            region = plan->region_of[get_immediate_dominator(CDI_DOMINATORS,
                                                             bb)->index];
        if (region < 0 && fact->is_root)
            region = region_add(plan, bb, fact->is_loop);
        plan->region_of[bb->index] = region;
    }
}

static bool plan_needs_frame(const struct plan *plan)
{
    if (plan->must_have_frame)
        return true;
    for (unsigned i = 0; i < plan->calls.length(); i++)
        if (plan->calls[i].is_noted)
            return true;
    return false;
}

void at_regions_choose(struct plan *plan, function *fun)
{
    basic_block first = single_succ(ENTRY_BLOCK_PTR_FOR_FN(fun));
    struct block_facts *facts;

    if (!plan_needs_frame(plan))
        return;
    calculate_dominance_info(CDI_DOMINATORS);
    auto_vec<basic_block> blocks =
        get_all_dominated_blocks(CDI_DOMINATORS, first);
    facts = XCNEWVEC(struct block_facts, last_basic_block_for_fn(fun));
    blocks_count(facts, plan, blocks);
    if (optimize && !plan->must_have_frame)
        for (unsigned i = blocks.length() - 1; i > 0; i--)
            block_weigh(facts, blocks[i],
                        get_immediate_dominator(CDI_DOMINATORS, blocks[i]));
    struct block_facts *top = &facts[first->index];
    top->is_root = plan->must_have_frame || !optimize || top->has_note ||
                   root_cost(top, first) <= top->below ||
                   top->below >= COST_FORBIDDEN;
    regions_spread(plan, facts, blocks);
    free(facts);
}
