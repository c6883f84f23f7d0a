/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the calls of a function that matter and sorts them:
 *
 *   direct call of the allocator     rewritten; carries its own record. If
 *                                    it may throw to here, noted as well
 *   mark of a pool's allocation      likewise
 *   other call that may allocate     noted in the frame before it runs
 *   tail call, of whatever           the frame is unlinked before it
 *   call of a part that GCC split    unlinked before, linked again behind it,
 *   off this very function           for the source knows one function
 *
 * A function that switches stacks (alloctrace_switch_stack) has no frame: it
 * would be linked on one stack and unlinked on the other, or between the two.
 *
 * A function needs a frame for the second sort only. Where the frame is
 * linked is region.cc's part, which stores are needed is store.cc's.
 */
#include "gcc.h"

#include "early.h"
#include "frames.h"
#include "mark.h"
#include "reach.h"
#include "region.h"
#include "site.h"
#include "store.h"
#include "tail.h"

/* What CALL's result, followed through copies, may end up in: a return? */
static bool name_is_returned(tree name, bitmap seen)
{
    imm_use_iterator iterator;
    use_operand_p use;

    if (!bitmap_set_bit(seen, SSA_NAME_VERSION(name)))
        return false;
    FOR_EACH_IMM_USE_FAST(use, iterator, name) {
        gimple *stmt = USE_STMT(use);
        tree copy = NULL_TREE;

        if (gimple_code(stmt) == GIMPLE_RETURN)
            return true;
        if (gimple_code(stmt) == GIMPLE_PHI)
            copy = gimple_phi_result(stmt);
        else if (gimple_assign_copy_p(stmt) || gimple_assign_cast_p(stmt))
            copy = gimple_assign_lhs(stmt);
        if (copy && TREE_CODE(copy) == SSA_NAME &&
            POINTER_TYPE_P(TREE_TYPE(copy)) && name_is_returned(copy, seen))
            return true;
    }
    return false;
}

static bool result_is_returned(const gcall *call)
{
    tree result = at_mark_wants_site(call) ? at_mark_block(call)
                                           : gimple_call_lhs(call);

    if (result == NULL_TREE || TREE_CODE(result) != SSA_NAME ||
        !POINTER_TYPE_P(TREE_TYPE(result)))
        return false;
    auto_bitmap seen;
    return name_is_returned(result, seen);
}

bool at_call_returns_again(const gcall *call)
{
    tree decl = gimple_call_fndecl(call);

    if (gimple_call_flags(call) & ECF_RETURNS_TWICE)
        return true;
    return decl != NULL_TREE && TREE_PUBLIC(decl) &&
           strcmp(at_assembler_name(decl), "swapcontext") == 0;
}

static bool call_switches_stack(const gcall *call)
{
    tree decl = gimple_call_fndecl(call);

    return decl != NULL_TREE &&
           strcmp(at_assembler_name(decl), "alloctrace_switch_stack") == 0;
}

static unsigned call_site(const struct planned_call *planned)
{
    int kind = planned->is_mark || planned->allocfn != ALLOCFN_NONE
                   ? ALLOCTRACE_SITE_ALLOC
                   : ALLOCTRACE_SITE_CALL;
    int flags = (planned->is_tail ? ALLOCTRACE_SITE_TAIL : 0) |
                (result_is_returned(planned->call) ? ALLOCTRACE_SITE_RETURNED
                                                   : 0);

    return at_site_of_call(planned->call, kind, flags);
}

/*
 * Whether an exception from the entry that CALL goes to may be caught in this
 * very function. A replaced operator new may have been called below a frame
 * of the entry's own, which is then still linked: the handler has to have a
 * frame to put in its place.
 */
static bool entry_throws_to_here(const struct planned_call *planned)
{
    return planned->allocfn != ALLOCFN_NONE && !planned->is_tail &&
           !TREE_NOTHROW(at_allocfn_entry(planned->allocfn)) &&
           stmt_can_throw_internal(cfun, planned->call);
}

static void call_plan(struct plan *plan, gcall *call)
{
    struct planned_call planned;
    const enum reach reach = at_reach_of_call(call);
    const bool may_allocate = reach == REACH_MAY;

    memset(&planned, 0, sizeof planned);
    planned.call = call;
    planned.may_allocate = may_allocate;
    planned.allocfn = at_allocfn_of_call(call);
    planned.is_tail = at_tail_is_jump(call);
    planned.is_continuation = may_allocate && !planned.is_tail &&
                              at_site_is_continuation(call);
    planned.is_mark = at_mark_wants_site(call);
    planned.is_noted = may_allocate && planned.allocfn == ALLOCFN_NONE &&
                       !planned.is_mark && !planned.is_tail &&
                       !planned.is_continuation;
    planned.is_noted |= entry_throws_to_here(&planned);
    if (planned.is_tail)
        plan->ends_popped[gimple_bb(call)->index] = true;
    if (at_call_returns_again(call)) {
        plan->must_have_frame = true;
        plan->again_site = call_site(&planned);
    }
    if (!may_allocate && planned.allocfn == ALLOCFN_NONE)
        plan->n_skipped[reach]++;
    if (planned.is_noted || planned.is_mark ||
        (planned.allocfn != ALLOCFN_NONE &&
         at_allocfn_has_site(planned.allocfn)))
        planned.site = call_site(&planned);
    if (planned.is_noted || planned.is_mark || planned.is_tail ||
        planned.is_continuation || planned.allocfn != ALLOCFN_NONE ||
        at_call_returns_again(call))
        plan->calls.safe_push(planned);
}

/* The calls are left with nothing to note and no frame to unlink. */
static void calls_drop(struct plan *plan)
{
    for (unsigned i = 0; i < plan->calls.length(); i++)
        plan->calls[i].is_noted = false;
    plan->must_have_frame = false;
}

static void calls_plan(struct plan *plan, function *fun)
{
    bool is_switch = false;
    basic_block bb;

    FOR_EACH_BB_FN(bb, fun)
        for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi);
             gsi_next(&gsi)) {
            if (gcall *call = dyn_cast<gcall *>(gsi_stmt(gsi))) {
                call_plan(plan, call);
                is_switch |= call_switches_stack(call);
            }
        }
    if (is_switch)
        calls_drop(plan);
}

/* Whether FUN is what the programmer wrote, and not to be kept as written. */
static bool function_is_ours(function *fun)
{
    tree attributes = DECL_ATTRIBUTES(fun->decl);

    return !lookup_attribute("no_instrument_function", attributes) &&
           !lookup_attribute("naked", attributes) &&
           !at_early_is(fun->decl);
}

void at_plan_init(struct plan *plan, function *fun)
{
    const int n_blocks = last_basic_block_for_fn(fun);

    memset(plan, 0, sizeof *plan);
    plan->region_of = XNEWVEC(int, n_blocks);
    plan->ends_popped = XCNEWVEC(bool, n_blocks);
    for (int i = 0; i < n_blocks; i++)
        plan->region_of[i] = -1;
    plan->is_left_alone = !function_is_ours(fun);
    if (plan->is_left_alone)
        return;
    calls_plan(plan, fun);
    at_regions_choose(plan, fun);
    at_stores_choose(plan, fun);
}

void at_plan_fini(struct plan *plan)
{
    free(plan->region_of);
    free(plan->ends_popped);
    plan->calls.release();
    plan->regions.release();
    plan->edges.release();
}

const struct region *at_plan_region(const struct plan *plan, basic_block bb)
{
    const int region = plan->region_of[bb->index];

    return region < 0 ? NULL : &plan->regions[region];
}
