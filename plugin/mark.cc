/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Puts the calls of abi.h, "Allocators of the program's own", around those
 * that custom.cc recognises. Runs early, right after a function has been put
 * into SSA form: the allocator may be inlined afterwards, and its marks stay.
 * They have no record yet. The late pass makes it, from the place that the
 * mark shares with the call, when it is known what was inlined where.
 *
 *     token = __alloctrace_custom_take (old)
 *     p = pool_realloc (old, n)
 *     __alloctrace_custom_alloc (p, n, 0, "pool_realloc", token)
 *
 * What stands behind the call stands on its ordinary ways out only.
 *
 * An allocator needs no protection from being inlined, then. C++'s operators,
 * which the late pass recognises by their calls, do if the program defines
 * them.
 */
#include "gcc.h"

#include "allocfn.h"
#include "callnote.h"
#include "custom.h"
#include "mark.h"
#include "statement.h"

enum { MARK_ALLOC, MARK_TAKE, MARK_FREE, N_MARKS };

/* Arguments of MARK_ALLOC. */
enum { ARG_BLOCK, ARG_SIZE, ARG_SITE, ARG_NAME, ARG_TOKEN };

static GTY(()) tree mark_decls[N_MARKS];

static tree mark_declare(int mark)
{
    tree decl = NULL_TREE;

    switch (mark) {
    case MARK_ALLOC:
        decl = build_fn_decl(
            ALLOCTRACE_CUSTOM_ALLOC,
            build_function_type_list(void_type_node, ptr_type_node,
                                     size_type_node, uint64_type_node,
                                     const_ptr_type_node, ptr_type_node,
                                     NULL_TREE));
        break;
    case MARK_TAKE:
        decl = build_fn_decl(ALLOCTRACE_CUSTOM_TAKE,
                             build_function_type_list(
                                 ptr_type_node, ptr_type_node, NULL_TREE));
        break;
    default:
        decl = build_fn_decl(ALLOCTRACE_CUSTOM_FREE,
                             build_function_type_list(
                                 void_type_node, ptr_type_node,
                                 const_ptr_type_node, NULL_TREE));
    }
    TREE_NOTHROW(decl) = 1;
    return decl;
}

static tree mark_decl(int mark)
{
    if (mark_decls[mark] == NULL_TREE)
        mark_decls[mark] = mark_declare(mark);
    return mark_decls[mark];
}

static void append(gimple_seq *seq, gimple *stmt, const gcall *call)
{
    at_append(seq, stmt, gimple_location(call));
}

/* VALUE as a gimple value of TYPE. */
static tree append_convert(gimple_seq *seq, tree type, tree value,
                           const gcall *call)
{
    tree name;

    if (useless_type_conversion_p(type, TREE_TYPE(value)) &&
        is_gimple_val(value))
        return value;
    name = make_ssa_name(type);
    append(seq, gimple_build_assign(name, NOP_EXPR, value), call);
    return name;
}

static tree name_literal(const char *name)
{
    return build_string_literal(strlen(name) + 1, name);
}

/* Argument NUMBER of CALL, or NULL_TREE. */
static tree call_argument(const gcall *call, unsigned number)
{
    return number > 0 && number <= gimple_call_num_args(call)
               ? gimple_call_arg(call, number - 1)
               : NULL_TREE;
}

/* Argument NUMBER of CALL as size_t. */
static tree append_size(gimple_seq *seq, const gcall *call, unsigned number)
{
    tree argument = call_argument(call, number);

    if (argument == NULL_TREE || !INTEGRAL_TYPE_P(TREE_TYPE(argument)))
        return build_int_cst(size_type_node, -1);
    return append_convert(seq, size_type_node, argument, call);
}

/* Before the call: the size, which the call itself may change the source of,
 * and for a block that is resized the token. */
struct before {
    tree size;
    tree token;
};

static struct before before_build(gimple_seq *seq, const gcall *call,
                                  const struct custom_alloc *custom)
{
    tree old = call_argument(call, custom->old);
    struct before before;

    before.size = append_size(seq, call, custom->size);
    if (custom->size_factor > 0) {
        tree product = make_ssa_name(size_type_node);

        append(seq,
               gimple_build_assign(
                   product, MULT_EXPR, before.size,
                   append_size(seq, call, custom->size_factor)), call);
        before.size = product;
    }
    before.token = null_pointer_node;
    if (old != NULL_TREE && POINTER_TYPE_P(TREE_TYPE(old))) {
        gcall *take;

        old = append_convert(seq, ptr_type_node, old, call);
        take = gimple_build_call(mark_decl(MARK_TAKE), 1, old);
        before.token = make_ssa_name(ptr_type_node);
        gimple_call_set_lhs(take, before.token);
        append(seq, take, call);
    }
    return before;
}

/* What CALL returns, as an SSA name; SEQ stores it where it belongs. */
static tree call_result(gimple_seq *seq, gcall *call)
{
    tree place = gimple_call_lhs(call);
    tree name;

    if (place && TREE_CODE(place) == SSA_NAME)
        return place;
    name = make_ssa_name(TREE_TYPE(gimple_call_fntype(call)));
    gimple_call_set_lhs(call, name);
    update_stmt(call);
    if (place)
        append(seq, gimple_build_assign(place, name), call);
    return name;
}

static void alloc_mark(gcall *call, const struct custom_alloc *custom)
{
    gimple_stmt_iterator gsi = gsi_for_stmt(call);
    gimple_seq ahead = NULL;
    gimple_seq behind = NULL;
    const struct before before = before_build(&ahead, call, custom);
    tree block = call_result(&behind, call);
    struct call_note note;
    gcall *mark;

    if (ahead)
        gsi_insert_seq_before(&gsi, ahead, GSI_SAME_STMT);
    block = append_convert(&behind, ptr_type_node, block, call);
    mark = gimple_build_call(mark_decl(MARK_ALLOC), 5, block, before.size,
                             build_int_cst(uint64_type_node, 0),
                             name_literal(custom->name), before.token);
    append(&behind, mark, call);
    /* What the call's result is becomes the mark's. */
    if (at_note_of_call(current_function_decl, call, &note))
        at_note_attach(current_function_decl, mark, &note);
    gimple_call_set_tail(call, false);
    at_insert_behind(call, behind);
}

static void free_mark(gcall *call, unsigned argument, const char *allocator)
{
    gimple_stmt_iterator gsi = gsi_for_stmt(call);
    tree block = call_argument(call, argument);
    gimple_seq seq = NULL;
    gcall *mark;

    if (block == NULL_TREE || !POINTER_TYPE_P(TREE_TYPE(block)))
        return;
    block = append_convert(&seq, ptr_type_node, block, call);
    mark = gimple_build_call(mark_decl(MARK_FREE), 2, block,
                             allocator ? name_literal(allocator)
                                       : null_pointer_node);
    append(&seq, mark, call);
    gsi_insert_seq_before(&gsi, seq, GSI_SAME_STMT);
}

static bool call_mark(gcall *call)
{
    struct custom_alloc custom;
    const char *allocator;
    unsigned argument;

    if (at_custom_of_call(call, &custom)) {
        alloc_mark(call, &custom);
        free(custom.name);
        return true;
    }
    argument = at_custom_freed(call, &allocator);
    if (argument > 0)
        free_mark(call, argument, allocator);
    return argument > 0;
}

/*
 * An operator new or delete that the program defines: if only one of the two
 * were inlined into its callers, blocks would come and go by halves.
 */
static void operator_keep(tree decl)
{
    if (at_allocfn_operator(decl) == ALLOCFN_NONE ||
        lookup_attribute("always_inline", DECL_ATTRIBUTES(decl)))
        return;
    DECL_UNINLINABLE(decl) = 1;
    if (!lookup_attribute("noclone", DECL_ATTRIBUTES(decl)))
        DECL_ATTRIBUTES(decl) = tree_cons(get_identifier("noclone"), NULL_TREE,
                                          DECL_ATTRIBUTES(decl));
}

unsigned at_mark(function *fun)
{
    bool is_changed = false;
    auto_vec<gcall *> calls;
    basic_block bb;

    operator_keep(fun->decl);
    if (lookup_attribute("no_instrument_function",
                         DECL_ATTRIBUTES(fun->decl)) ||
        lookup_attribute("naked", DECL_ATTRIBUTES(fun->decl)))
        return 0;
    FOR_EACH_BB_FN(bb, fun)
        for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi);
             gsi_next(&gsi))
            if (gcall *call = dyn_cast<gcall *>(gsi_stmt(gsi)))
                calls.safe_push(call);
    for (unsigned i = 0; i < calls.length(); i++)
        is_changed |= call_mark(calls[i]);
    if (!is_changed)
        return 0;
    gsi_commit_edge_inserts();
    return TODO_update_ssa_only_virtuals;
}

bool at_mark_wants_site(const gcall *call)
{
    tree decl = gimple_call_fndecl(call);

    return decl && gimple_call_num_args(call) == ARG_TOKEN + 1 &&
           strcmp(at_assembler_name(decl), ALLOCTRACE_CUSTOM_ALLOC) == 0;
}

const char *at_mark_name(const gcall *call)
{
    tree address = gimple_call_arg(call, ARG_NAME);
    const char *name = c_getstr(address);

    return name ? name : "";
}

tree at_mark_block(const gcall *call)
{
    return gimple_call_arg(call, ARG_BLOCK);
}

void at_mark_set_site(gcall *call, tree key)
{
    gimple_call_set_arg(call, ARG_SITE, key);
    update_stmt(call);
}

void at_mark_register_roots(const char *plugin_name)
{
    static struct ggc_root_tab roots[] = {
        {mark_decls, N_MARKS, sizeof mark_decls[0], &gt_ggc_mx_tree_node,
         &gt_pch_nx_tree_node},
        LAST_GGC_ROOT_TAB};

    register_callback(plugin_name, PLUGIN_REGISTER_GGC_ROOTS, NULL,
                      roots);
}
