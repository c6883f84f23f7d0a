/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Builds the statements that keep the shadow stack.
 *
 *     link     parent = top; frame.parent = parent;
 *              base = parent->hash * K; frame.hash = base + key;
 *              top = &frame;
 *     note     frame.hash = base + key;
 *     renote   frame.hash += key - held;
 *     unlink   top = frame.parent;
 *     assert   top = &frame;
 *
 * The stores into the frame while it is being linked and all accesses to top
 * are volatile: a signal handler may run between any two of them, and what it
 * finds from top downwards must be whole. (No instruction is needed for that:
 * it runs on the same thread.)
 */
#include "gcc.h"

#include "alloctrace/abi.h"
#include "options.h"
#include "outline.h"
#include "shadow.h"
#include "site.h"
#include "statement.h"

/*
 * The thread's word is declared twice, under two spellings of one symbol. If
 * link and unlink used the same, GCC would keep the word's address from one
 * to the other, across the calls between, in a register that the function
 * then has to save on its hot path as well. Loading it again is cheaper.
 */
enum {
    FRAME_TYPE,
    FRAME_PARENT,
    FRAME_HASH,
    TOP,
    TOP_TO_UNLINK,
    N_SHADOW_TREES
};

static GTY(()) tree shadow_trees[N_SHADOW_TREES];

static tree field_declare(const char *name, tree type)
{
    return build_decl(BUILTINS_LOCATION, FIELD_DECL, get_identifier(name),
                      type);
}

/* struct alloctrace_shadow_frame of abi.h. */
static void frame_type_declare(void)
{
    tree type = make_node(RECORD_TYPE);
    tree parent = field_declare("parent", build_pointer_type(type));
    tree hash = field_declare("hash", uint64_type_node);

    DECL_CHAIN(hash) = parent;
    finish_builtin_struct(type, "alloctrace_shadow_frame", hash, NULL_TREE);
    shadow_trees[FRAME_TYPE] = type;
    shadow_trees[FRAME_PARENT] = parent;
    shadow_trees[FRAME_HASH] = hash;
}

/*
 * The linker turns initial-exec into local-exec, but not for a symbol that
 * the executable exports, as it does for the sake of instrumented libraries.
 */
enum tls_model at_shadow_model(void)
{
    if (at_options.tls_model == TLS_AUTO)
        return flag_shlib ? TLS_MODEL_INITIAL_EXEC : TLS_MODEL_LOCAL_EXEC;
    return at_options.tls_model == TLS_LOCAL_EXEC ? TLS_MODEL_LOCAL_EXEC
                                                  : TLS_MODEL_INITIAL_EXEC;
}

static tree top_declare(const char *symbol)
{
    tree type = build_qualified_type(
        build_pointer_type(shadow_trees[FRAME_TYPE]), TYPE_QUAL_VOLATILE);
    tree decl = build_decl(UNKNOWN_LOCATION, VAR_DECL,
                           get_identifier(ALLOCTRACE_THREAD_SYMBOL), type);

    SET_DECL_ASSEMBLER_NAME(decl, get_identifier(symbol));
    TREE_PUBLIC(decl) = 1;
    DECL_EXTERNAL(decl) = 1;
    DECL_ARTIFICIAL(decl) = 1;
    DECL_IGNORED_P(decl) = 1;
    TREE_THIS_VOLATILE(decl) = 1;
    TREE_SIDE_EFFECTS(decl) = 1;
    set_decl_tls_model(decl, at_shadow_model());
    return decl;
}

static void shadow_declare(void)
{
    if (shadow_trees[TOP] == NULL_TREE) {
        frame_type_declare();
        shadow_trees[TOP] = top_declare(ALLOCTRACE_THREAD_SYMBOL);
        shadow_trees[TOP_TO_UNLINK] =
            top_declare("*" ALLOCTRACE_THREAD_SYMBOL);
    }
}

tree at_shadow_frame(void)
{
    tree frame;

    shadow_declare();
    frame = create_tmp_var_raw(shadow_trees[FRAME_TYPE], "alloctrace_shadow_frame");
    DECL_IGNORED_P(frame) = 1;
    /* Its address escapes: calls read it. */
    TREE_ADDRESSABLE(frame) = 1;
    gimple_add_tmp_var(frame);
    return frame;
}

/* A new value of TYPE, the result of CODE for A and B. */
static tree append_value(gimple_seq *seq, tree type, tree_code code, tree a,
                         tree b, location_t location)
{
    tree name = make_ssa_name(type);

    at_append(seq, gimple_build_assign(name, code, a, b), location);
    return name;
}

static tree append_load(gimple_seq *seq, tree type, tree from,
                        location_t location)
{
    tree name = make_ssa_name(type);

    at_append(seq, gimple_build_assign(name, from), location);
    return name;
}

/* FRAME's field; FRAME is the variable or what a pointer refers to. */
static tree frame_field(tree frame, int field, bool is_volatile)
{
    tree decl = shadow_trees[field];
    tree reference = build3(COMPONENT_REF, TREE_TYPE(decl), frame, decl,
                            NULL_TREE);

    TREE_THIS_VOLATILE(reference) = is_volatile;
    TREE_SIDE_EFFECTS(reference) = is_volatile;
    return reference;
}

static tree top_type(void)
{
    return TYPE_MAIN_VARIANT(TREE_TYPE(shadow_trees[TOP]));
}

/*
 * base = PARENT->hash * K
 *
 * The load is volatile so that it stays an instruction of its own. The caller
 * has just stored that word, and processors hand a store on to a plain load of
 * the same address at once, but not to a multiplication from memory (Zen 4):
 * then each frame of a path would wait for the one above it.
 */
static tree append_base(gimple_seq *seq, tree parent, location_t location)
{
    tree hash = append_load(
        seq, uint64_type_node,
        frame_field(build_simple_mem_ref(parent), FRAME_HASH, true), location);

    return append_value(seq, uint64_type_node, MULT_EXPR, hash,
                        build_int_cstu(uint64_type_node, ALLOCTRACE_HASH_K),
                        location);
}

/* frame.hash = BASE + SITE's key */
static void append_hash(gimple_seq *seq, tree frame, tree base, unsigned site,
                        bool is_volatile, location_t location)
{
    tree hash = append_value(seq, uint64_type_node, PLUS_EXPR, base,
                             at_site_key(seq, site, 0, location), location);

    at_append(seq,
           gimple_build_assign(frame_field(frame, FRAME_HASH, is_volatile),
                               hash), location);
}

tree at_shadow_link(gimple_seq *seq, tree frame, unsigned site,
                    bool is_outlined, location_t location)
{
    if (is_outlined)
        return at_outline_call(seq, frame, at_site_key_memory(site, 0),
                               location);

    tree parent = append_load(seq, top_type(), shadow_trees[TOP], location);
    tree base;

    at_append(seq,
           gimple_build_assign(frame_field(frame, FRAME_PARENT, true), parent),
           location);
    base = append_base(seq, parent, location);
    append_hash(seq, frame, base, site, true, location);
    at_shadow_assert(seq, frame, location);
    return base;
}

void at_shadow_note(gimple_seq *seq, tree frame, tree base, unsigned site,
                    location_t location)
{
    if (base == NULL_TREE)
        base = append_base(
            seq,
            append_load(seq, top_type(),
                        frame_field(frame, FRAME_PARENT, false), location),
            location);
    append_hash(seq, frame, base, site, false, location);
}

void at_shadow_renote(gimple_seq *seq, tree frame, unsigned held,
                      unsigned site, location_t location)
{
    const HOST_WIDE_INT distance =
        ((HOST_WIDE_INT)site - held) * ALLOCTRACE_KEY_STRIDE;
    tree hash = append_load(seq, uint64_type_node,
                            frame_field(frame, FRAME_HASH, false), location);

    hash = append_value(seq, uint64_type_node, PLUS_EXPR, hash,
                        build_int_cst(uint64_type_node, distance), location);
    at_append(seq, gimple_build_assign(frame_field(frame, FRAME_HASH, false),
                                    hash), location);
}

void at_shadow_unlink(gimple_seq *seq, tree frame, location_t location)
{
    tree parent =
        append_load(seq, top_type(), frame_field(frame, FRAME_PARENT, false),
                    location);

    at_append(seq, gimple_build_assign(shadow_trees[TOP_TO_UNLINK], parent),
           location);
}

void at_shadow_assert(gimple_seq *seq, tree frame, location_t location)
{
    at_append(seq,
           gimple_build_assign(shadow_trees[TOP], build_fold_addr_expr(frame)),
           location);
}

void at_shadow_register_roots(const char *plugin_name)
{
    static struct ggc_root_tab roots[] = {
        {shadow_trees, N_SHADOW_TREES, sizeof shadow_trees[0],
         &gt_ggc_mx_tree_node, &gt_pch_nx_tree_node},
        LAST_GGC_ROOT_TAB};

    register_callback(plugin_name, PLUGIN_REGISTER_GGC_ROOTS, NULL,
                      roots);
}
