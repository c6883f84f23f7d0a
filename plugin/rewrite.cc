/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Carries out a plan. First what stands inside of blocks, then what stands
 * on edges (queued, and put in place together at the end, for that changes
 * the graph), last the edges that rewritten calls no longer need.
 *
 *     p = malloc(n)      ->  p = __alloctrace_malloc(n, key)
 *     f(x)               ->  frame.hash = base + key; f(x)
 *     return f(x)  (jump) -> top = frame.parent; return f(x)
 *     return x           ->  top = frame.parent; return x
 *     edge into a region ->  link;    edge out of it -> unlink
 *     setjmp(b), landing pads, non-local labels -> top = &frame behind them
 */
#include "gcc.h"

#include "frames.h"
#include "mark.h"
#include "rewrite.h"
#include "shadow.h"
#include "site.h"
#include "statement.h"

/*
 * From so many calls on that need it, the base is kept from the push on: it
 * costs a register or a stack slot, but saves two loads and a multiplication.
 */
enum { MIN_BLIND = 2 };

/* The function being changed. */
struct rewrite {
    const struct plan *plan;
    function *fun;
    tree frame;           /* the variable; NULL_TREE if there are no regions */
    auto_vec<tree> bases; /* of each region: what link returned, or NULL */
};

static location_t function_location(const struct rewrite *rewrite)
{
    return rewrite->fun->function_start_locus;
}

/* The place of BB's first statement that has one. */
static location_t block_location(const struct rewrite *rewrite, basic_block bb)
{
    for (gimple_stmt_iterator gsi = gsi_start_nondebug_bb(bb); !gsi_end_p(gsi);
         gsi_next_nondebug(&gsi))
        if (gimple_has_location(gsi_stmt(gsi)))
            return gimple_location(gsi_stmt(gsi));
    return function_location(rewrite);
}

static void assert_after_call(const struct rewrite *rewrite, gimple *call)
{
    gimple_seq seq = NULL;

    at_shadow_assert(&seq, rewrite->frame, gimple_location(call));
    at_insert_behind(call, seq);
}

/*
 * Statements to link the frame at the root of region INDEX. If they are the
 * only copy, keep the base they compute for the region's other calls.
 */
static gimple_seq link_build(struct rewrite *rewrite, unsigned index,
                             bool is_only)
{
    const struct region *region = &rewrite->plan->regions[index];
    location_t location = region->is_whole
                              ? function_location(rewrite)
                              : block_location(rewrite, region->root);
    gimple_seq seq = NULL;
    tree base = at_shadow_link(&seq, rewrite->frame, region->site,
                               region->is_outlined, location);

    if (is_only && region->n_blind >= MIN_BLIND)
        rewrite->bases[index] = base;
    return seq;
}

/* Link the frame wherever control enters region INDEX. */
static void region_enter(struct rewrite *rewrite, unsigned index)
{
    const struct region *region = &rewrite->plan->regions[index];
    unsigned n_entries = 0;
    edge_iterator ei;
    edge e;

    if (!region->is_loop) {
        gimple_stmt_iterator gsi = gsi_after_labels(region->root);

        gsi_insert_seq_before(&gsi, link_build(rewrite, index, true),
                              GSI_SAME_STMT);
        return;
    }
    FOR_EACH_EDGE(e, ei, region->root->preds)
        n_entries += !dominated_by_p(CDI_DOMINATORS, e->src, region->root);
    FOR_EACH_EDGE(e, ei, region->root->preds)
        if (!dominated_by_p(CDI_DOMINATORS, e->src, region->root))
            gsi_insert_seq_on_edge(
                e, link_build(rewrite, index, n_entries == 1));
}

static void unlink_before_return(const struct rewrite *rewrite, basic_block bb)
{
    gimple_stmt_iterator gsi = gsi_last_nondebug_bb(bb);
    gimple_seq seq = NULL;

    gcc_assert(gimple_code(gsi_stmt(gsi)) == GIMPLE_RETURN);
    at_shadow_unlink(&seq, rewrite->frame,
                     gimple_has_location(gsi_stmt(gsi))
                         ? gimple_location(gsi_stmt(gsi))
                         : rewrite->fun->function_end_locus);
    gsi_insert_seq_before(&gsi, seq, GSI_SAME_STMT);
}

/* Unlink the frame wherever control leaves BB's region at BB's end. */
static void block_leave(const struct rewrite *rewrite, basic_block bb)
{
    const struct plan *plan = rewrite->plan;
    const struct region *region = at_plan_region(plan, bb);
    edge_iterator ei;
    edge e;

    if (region == NULL || plan->ends_popped[bb->index])
        return;
    FOR_EACH_EDGE(e, ei, bb->succs)
        if (e->dest == EXIT_BLOCK_PTR_FOR_FN(rewrite->fun))
            unlink_before_return(rewrite, bb);
        else if (at_plan_region(plan, e->dest) != region) {
            gimple_seq seq = NULL;

            gcc_assert(!(e->flags & (EDGE_EH | EDGE_ABNORMAL)));
            at_shadow_unlink(&seq, rewrite->frame,
                             block_location(rewrite, bb));
            gsi_insert_seq_on_edge(e, seq);
        }
}

/* GCC before 14 calls it last_stmt. NULL: there is none. */
static gimple *block_last(basic_block bb)
{
    return gsi_stmt(gsi_last_nondebug_bb(bb));
}

/* Whether control may arrive in BB from an unknown depth of the stack. */
static bool block_is_receiver(basic_block bb)
{
    edge_iterator ei;
    edge e;

    FOR_EACH_EDGE(e, ei, bb->preds) {
        if (e->flags & EDGE_EH)
            return true;
        if ((e->flags & EDGE_ABNORMAL) &&
            !(block_last(e->src) &&
              gimple_code(block_last(e->src)) == GIMPLE_GOTO))
            return true;
    }
    return false;
}

/*
 * Make the frame the innermost one again at the start of BB. Before setjmp
 * there is no need, for it is done behind it; where the receiver of
 * __builtin_setjmp stands, it has to come first, for it restores the frame
 * pointer.
 */
static void block_receive(const struct rewrite *rewrite, basic_block bb)
{
    gimple_stmt_iterator gsi;
    gimple_seq seq = NULL;
    gcall *first;

    if (at_plan_region(rewrite->plan, bb) == NULL || !block_is_receiver(bb))
        return;
    gsi = gsi_after_labels(bb);
    if (!gsi_end_p(gsi) && is_gimple_debug(gsi_stmt(gsi)))
        gsi_next_nondebug(&gsi);
    first = gsi_end_p(gsi) ? NULL : dyn_cast<gcall *>(gsi_stmt(gsi));
    if (first && (gimple_call_internal_p(first, IFN_ABNORMAL_DISPATCHER) ||
                  at_call_returns_again(first)))
        return;
    at_shadow_assert(&seq, rewrite->frame, block_location(rewrite, bb));
    if (first && gimple_call_builtin_p(first, BUILT_IN_SETJMP_RECEIVER))
        at_insert_behind(first, seq);
    else
        gsi_insert_seq_before(&gsi, seq, GSI_SAME_STMT);
}

/* Behind each call of BB that may return again, the frame is asserted. */
static void block_assert_again(const struct rewrite *rewrite, basic_block bb)
{
    for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi);
         gsi_next(&gsi)) {
        gcall *call = dyn_cast<gcall *>(gsi_stmt(gsi));

        if (call && at_call_returns_again(call) && !gimple_call_tail_p(call))
            assert_after_call(rewrite, call);
    }
}

/* call(args) -> entry(args[, key][, &call]) in place, with all it had. */
static void call_replace(const struct planned_call *planned, bool is_own_frame)
{
    gcall *old = planned->call;
    gimple_stmt_iterator gsi = gsi_for_stmt(old);
    auto_vec<tree> arguments;
    gimple_seq seq = NULL;
    gcall *call;

    for (unsigned i = 0; i < gimple_call_num_args(old); i++)
        arguments.safe_push(gimple_call_arg(old, i));
    if (at_allocfn_has_site(planned->allocfn))
        arguments.safe_push(at_site_key(
            &seq, planned->site, is_own_frame ? ALLOCTRACE_OWN_FRAME : 0,
            gimple_location(old)));
    if (at_allocfn_has_address(planned->allocfn))
        arguments.safe_push(build_fold_addr_expr(gimple_call_fndecl(old)));
    if (seq != NULL)
        gsi_insert_seq_before(&gsi, seq, GSI_SAME_STMT);
    call = gimple_build_call_vec(at_allocfn_entry(planned->allocfn),
                                 arguments);
    gimple_call_copy_flags(call, old);
    gimple_call_set_from_new_or_delete(call, false);
    gimple_call_set_lhs(call, gimple_call_lhs(old));
    gimple_set_location(call, gimple_location(old));
    gimple_move_vops(call, old);
    gsi_replace(&gsi, call, true);
}

/* Give the mark the key that it could not have before. */
static void mark_complete(const struct planned_call *planned,
                          bool is_own_frame)
{
    gimple_stmt_iterator gsi = gsi_for_stmt(planned->call);
    gimple_seq seq = NULL;
    tree key = at_site_key(&seq, planned->site,
                           is_own_frame ? ALLOCTRACE_OWN_FRAME : 0,
                           gimple_location(planned->call));

    gsi_insert_seq_before(&gsi, seq, GSI_SAME_STMT);
    at_mark_set_site(planned->call, key);
}

static void call_rewrite(const struct rewrite *rewrite,
                         const struct planned_call *planned)
{
    basic_block bb = gimple_bb(planned->call);
    const int region = rewrite->plan->region_of[bb->index];
    const location_t location = gimple_location(planned->call);
    gimple_stmt_iterator gsi = gsi_for_stmt(planned->call);
    gimple_seq seq = NULL;

    if (region >= 0 && planned->is_noted && planned->held < 0)
        at_shadow_note(&seq, rewrite->frame, rewrite->bases[region],
                       planned->site, location);
    else if (region >= 0 && planned->is_noted &&
             planned->held != (int)planned->site)
        at_shadow_renote(&seq, rewrite->frame, planned->held, planned->site,
                         location);
    if (region >= 0 && (planned->is_tail || planned->is_continuation))
        at_shadow_unlink(&seq, rewrite->frame, location);
    if (region >= 0 && planned->is_continuation)
        assert_after_call(rewrite, planned->call);
    if (seq != NULL)
        gsi_insert_seq_before(&gsi, seq, GSI_SAME_STMT);
    if (planned->allocfn != ALLOCFN_NONE)
        call_replace(planned, region >= 0 && !planned->is_tail);
    if (planned->is_mark)
        mark_complete(planned, region >= 0 && !planned->is_tail);
}

static void regions_rewrite(struct rewrite *rewrite)
{
    basic_block bb;

    rewrite->frame = at_shadow_frame();
    rewrite->bases.safe_grow_cleared(rewrite->plan->regions.length());
    FOR_EACH_BB_FN(bb, rewrite->fun) {
        block_receive(rewrite, bb);
        if (rewrite->plan->must_have_frame)
            block_assert_again(rewrite, bb);
        block_leave(rewrite, bb);
    }
    /* After block_leave: on an edge from region to region, unlink first. */
    for (unsigned i = 0; i < rewrite->plan->regions.length(); i++)
        region_enter(rewrite, i);
}

/* Most entries throw nothing; the calls they replaced may have seemed to. */
static bool exception_edges_purge(const struct plan *plan, function *fun)
{
    bool is_changed = false;
    basic_block bb;

    if (plan->calls.is_empty() || !fun->eh)
        return false;
    FOR_EACH_BB_FN(bb, fun)
        is_changed |= gimple_purge_dead_eh_edges(bb);
    return is_changed;
}

static void edge_rewrite(const struct rewrite *rewrite,
                         const struct planned_edge *planned)
{
    gimple_seq seq = NULL;

    const location_t location = block_location(rewrite, planned->e->dest);

    if (planned->held < 0)
        at_shadow_note(&seq, rewrite->frame, NULL_TREE, planned->site,
                       location);
    else
        at_shadow_renote(&seq, rewrite->frame, planned->held, planned->site,
                         location);
    gsi_insert_seq_on_edge(planned->e, seq);
}

unsigned at_rewrite(const struct plan *plan, function *fun)
{
    struct rewrite rewrite = {plan, fun, NULL_TREE, {}};

    if (plan->calls.is_empty() && plan->regions.is_empty())
        return 0;
    if (!plan->regions.is_empty())
        regions_rewrite(&rewrite);
    for (unsigned i = 0; i < plan->calls.length(); i++)
        call_rewrite(&rewrite, &plan->calls[i]);
    /* After the regions' code: on an edge into one, link first. */
    for (unsigned i = 0; i < plan->edges.length(); i++)
        edge_rewrite(&rewrite, &plan->edges[i]);
    gsi_commit_edge_inserts();
    return TODO_update_ssa_only_virtuals |
           (exception_edges_purge(plan, fun) ? TODO_cleanup_cfg : 0);
}
