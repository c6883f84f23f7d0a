/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Foresees which calls that are marked as tail calls become jumps. GCC decides
 * when it expands them (expand_call in calls.cc), too late for us: before a
 * jump the frame has to be unlinked, before a call it must stay. The conditions
 * here are those of expand_call that can fail for a marked call: what is passed
 * or returned through memory, the room for arguments on the stack, and what
 * the target says.
 */
#include "gcc.h"

#include "tail.h"

/* How far arguments reach: the registers, and the bytes on the stack. */
struct layout {
    CUMULATIVE_ARGS cum;
    HOST_WIDE_INT stack_bytes;
};

/* Add an argument of TYPE. */
static void layout_add(struct layout *layout, tree type, bool is_named)
{
    const cumulative_args_t cum = pack_cumulative_args(&layout->cum);
    function_arg_info argument(type, is_named);
    HOST_WIDE_INT bytes;

    apply_pass_by_reference_rules(&layout->cum, argument);
    bytes = int_size_in_bytes(argument.type);
    if (targetm.calls.function_arg(cum, argument) == NULL_RTX)
        layout->stack_bytes =
            ROUND_UP(layout->stack_bytes,
                     (HOST_WIDE_INT)targetm.calls.function_arg_boundary(
                         argument.mode, argument.type) / BITS_PER_UNIT) +
            ROUND_UP(bytes, UNITS_PER_WORD);
    else if (const HOST_WIDE_INT in_registers =
                 targetm.calls.arg_partial_bytes(cum, argument))
        layout->stack_bytes += ROUND_UP(bytes - in_registers, UNITS_PER_WORD);
    targetm.calls.function_arg_advance(cum, argument);
}

static HOST_WIDE_INT call_stack_bytes(const gcall *call)
{
    const unsigned n = gimple_call_num_args(call);
    tree type = gimple_call_fntype(call);
    const unsigned n_named =
        stdarg_p(type) ? (unsigned)type_num_arguments(type) : n;
    struct layout layout;

    layout.stack_bytes = 0;
    INIT_CUMULATIVE_ARGS(layout.cum, type, NULL_RTX, gimple_call_fndecl(call),
                         (int)n_named);
    for (unsigned i = 0; i < n; i++)
        layout_add(&layout, TREE_TYPE(gimple_call_arg(call, i)), i < n_named);
    return layout.stack_bytes;
}

static HOST_WIDE_INT function_stack_bytes(tree fn)
{
    struct layout layout;

    layout.stack_bytes = 0;
    INIT_CUMULATIVE_ARGS(layout.cum, TREE_TYPE(fn), NULL_RTX, fn, -1);
    for (tree parm = DECL_ARGUMENTS(fn); parm; parm = DECL_CHAIN(parm))
        layout_add(&layout, DECL_ARG_TYPE(parm), true);
    return layout.stack_bytes;
}

/*
 * Whether the call's arguments, which are written where the function's own
 * lie, could be read from there as well.
 */
static bool may_overlap(const gcall *call)
{
    for (unsigned i = 0; i < gimple_call_num_args(call); i++)
        if (!is_gimple_val(gimple_call_arg(call, i)))
            return true;
    for (tree parm = DECL_ARGUMENTS(current_function_decl); parm;
         parm = DECL_CHAIN(parm))
        if (!is_gimple_reg(parm))
            return true;
    return false;
}

/* Callees that take their arguments off the stack: as many as we must? */
static bool pops_alike(const gcall *call, HOST_WIDE_INT bytes,
                       HOST_WIDE_INT own_bytes)
{
    tree fn = current_function_decl;

    return known_eq(targetm.calls.return_pops_args(gimple_call_fndecl(call),
                                                   gimple_call_fntype(call),
                                                   bytes),
                    targetm.calls.return_pops_args(fn, TREE_TYPE(fn),
                                                   own_bytes));
}

/* Whether the arguments fit where those of the function were passed. */
static bool arguments_fit(const gcall *call)
{
    const HOST_WIDE_INT bytes = call_stack_bytes(call);
    const HOST_WIDE_INT own_bytes = function_stack_bytes(current_function_decl);

    return bytes <= own_bytes && pops_alike(call, bytes, own_bytes) &&
           (bytes == 0 || !may_overlap(call));
}

static bool passes_by_reference(const gcall *call)
{
    for (unsigned i = 0; i < gimple_call_num_args(call); i++)
        if (pass_by_reference(
                NULL, function_arg_info(TREE_TYPE(gimple_call_arg(call, i)),
                                        true)))
            return true;
    return false;
}

/* What the target has against it; asks with the call as an expression. */
static bool target_allows(const gcall *call)
{
    tree fn = gimple_call_fn(call);
    auto_vec<tree> arguments;

    for (unsigned i = 0; i < gimple_call_num_args(call); i++)
        arguments.safe_push(gimple_call_arg(call, i));
    return targetm.function_ok_for_sibcall(
        gimple_call_fndecl(call),
        build_call_array_loc(gimple_location(call),
                             TREE_TYPE(gimple_call_fntype(call)), fn,
                             arguments.length(), arguments.address()));
}

static bool can_jump(const gcall *call)
{
    tree type = gimple_call_fntype(call);

    if (type == NULL_TREE || gimple_call_internal_p(call) ||
        (gimple_call_flags(call) & (ECF_RETURNS_TWICE | ECF_NORETURN)))
        return false;
    return !aggregate_value_p(TREE_TYPE(type), type) &&
           !passes_by_reference(call) &&
           arguments_fit(call) && target_allows(call);
}

bool at_tail_is_jump(gcall *call)
{
    if (!gimple_call_tail_p(call))
        return false;
    /* What must be a jump is one, or GCC reports an error. */
    if (gimple_call_must_tail_p(call) || can_jump(call))
        return true;
    gimple_call_set_tail(call, false);
    return false;
}
