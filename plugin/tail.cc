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

/* Bytes that an argument of TYPE takes on the stack; 0 if it is in registers.
 * Moves CUM on. */
static HOST_WIDE_INT stack_bytes(CUMULATIVE_ARGS *cum, tree type)
{
    function_arg_info argument(type, true);
    HOST_WIDE_INT bytes = 0;

    if (targetm.calls.function_arg(pack_cumulative_args(cum), argument) ==
        NULL_RTX)
        bytes = ROUND_UP(int_size_in_bytes(type), UNITS_PER_WORD);
    targetm.calls.function_arg_advance(pack_cumulative_args(cum), argument);
    return bytes;
}

static HOST_WIDE_INT call_stack_bytes(const gcall *call)
{
    HOST_WIDE_INT bytes = 0;
    CUMULATIVE_ARGS cum;

    INIT_CUMULATIVE_ARGS(cum, gimple_call_fntype(call), NULL_RTX,
                         gimple_call_fndecl(call),
                         (int)gimple_call_num_args(call));
    for (unsigned i = 0; i < gimple_call_num_args(call); i++)
        bytes += stack_bytes(&cum, TREE_TYPE(gimple_call_arg(call, i)));
    return bytes;
}

static HOST_WIDE_INT function_stack_bytes(tree fn)
{
    HOST_WIDE_INT bytes = 0;
    CUMULATIVE_ARGS cum;

    INIT_CUMULATIVE_ARGS(cum, TREE_TYPE(fn), NULL_RTX, fn, -1);
    for (tree parm = DECL_ARGUMENTS(fn); parm; parm = DECL_CHAIN(parm))
        bytes += stack_bytes(&cum, DECL_ARG_TYPE(parm));
    return bytes;
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
           call_stack_bytes(call) <=
               function_stack_bytes(current_function_decl) &&
           target_allows(call);
}

bool at_tail_is_jump(gcall *call)
{
    if (!gimple_call_tail_p(call))
        return false;
    if (can_jump(call))
        return true;
    gimple_call_set_tail(call, false);
    return false;
}
