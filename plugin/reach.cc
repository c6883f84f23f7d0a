/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns the "cannot allocate" facts.
 *
 * Functions of the unit: an optimistic fixpoint over the call graph. All are
 * taken for harmless, then each that calls something which may allocate is
 * struck out, until nothing changes. Functions from elsewhere: GCC's const
 * and pure, builtins that are no calls at all, the runtime's own API, and
 * noalloc.def's names. The
 * attributes `leaf` and `nothrow` mean nothing here: glibc has them on strdup.
 *
 * The facts are kept by DECL_UID, for the late pass of the same process asks
 * for them when some bodies are gone.
 */
#include "gcc.h"

#include "allocfn.h"
#include "lto.h"
#include "reach.h"

/* Sorted, for bsearch. */
static const char *const noalloc_names[] = {
#define NOALLOC(name) name,
#include "noalloc.def"
#undef NOALLOC
};

/* DECL_UIDs of functions whose body was seen; of those, the harmless ones. */
static bitmap_obstack reach_obstack;
static bitmap_head seen_uids;
static bitmap_head harmless_uids;

static int name_compare(const void *key, const void *element)
{
    return strcmp((const char *)key, *(const char *const *)element);
}

static bool name_is_noalloc(const char *name)
{
    return bsearch(name, noalloc_names, ARRAY_SIZE(noalloc_names),
                   sizeof noalloc_names[0], name_compare) != NULL;
}

/*
 * Builtins that are expanded in place or are the compiler's own helpers.
 * Their names are not open to programs, so that prefixes are safe.
 */
static bool builtin_is_harmless(tree decl, const char *name)
{
    static const char *const prefixes[] = {
        "__builtin_",    "__sync_",  "__atomic_",
        "__asan_",       "__tsan_",  "__ubsan_",
        "__sanitizer_cov", "__hwasan_"};

    if (!fndecl_built_in_p(decl, BUILT_IN_NORMAL))
        return fndecl_built_in_p(decl, BUILT_IN_MD);
    if (mathfn_built_in_type(as_combined_fn(DECL_FUNCTION_CODE(decl))))
        return true;
    if (strcmp(name, "__builtin_apply") == 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (startswith(name, prefixes[i]))
            return true;
    return false;
}

/* What is known of a function whose body is elsewhere. */
static enum reach outside_reach(tree decl)
{
    const char *name;

    if (flags_from_decl_or_type(decl) & (ECF_CONST | ECF_PURE))
        return REACH_CONST;
    name = at_assembler_name(decl);
    /* Of our own only the mark of a pool's allocation is there so early. */
    if (startswith(name, ALLOCTRACE_ENTRY_PREFIX "custom_"))
        return strcmp(name, ALLOCTRACE_CUSTOM_ALLOC) == 0 ? REACH_MAY
                                                          : REACH_BUILTIN;
    if (strcmp(name, "alloctrace_track") == 0)
        return REACH_MAY;
    if (builtin_is_harmless(decl, name) || startswith(name, "alloctrace_"))
        return REACH_BUILTIN;
    /* A program's own `connect` is not the C library's. */
    if (!fndecl_built_in_p(decl) && !DECL_IN_SYSTEM_HEADER(decl))
        return REACH_MAY;
    return TREE_PUBLIC(decl) && DECL_EXTERNAL(decl) && name_is_noalloc(name)
               ? REACH_LIBRARY
               : REACH_MAY;
}

static bool decl_is_operator_new(tree decl)
{
    const enum allocfn fn = at_allocfn_operator(decl);

    return fn != ALLOCFN_NONE && at_allocfn_has_site(fn);
}

static enum reach node_reach(struct cgraph_node *node,
                             struct symtab_node *caller)
{
    enum availability availability;
    struct cgraph_node *target =
        node->ultimate_alias_target(&availability, caller);

    /* A pool behind operator new calls nothing, but its blocks are traced. */
    if (decl_is_operator_new(node->decl))
        return REACH_MAY;
    if (availability < AVAIL_AVAILABLE)
        return outside_reach(node->decl);
    if (bitmap_bit_p(&harmless_uids, DECL_UID(target->decl)) ||
        at_lto_is_harmless(target->decl))
        return REACH_PROGRAM;
    /* GCC's opinion that it is pure does not count its calls that never
     * return: an error that is thrown by longjmp may have been allocated. */
    if (bitmap_bit_p(&seen_uids, DECL_UID(target->decl)) ||
        at_lto_is_defined_here(target))
        return REACH_MAY;
    return outside_reach(node->decl);
}

/* NODE's own calls, and those of what is to be inlined into it. */
static bool body_may_allocate(struct cgraph_node *node)
{
    if (node->indirect_calls)
        return true;
    for (struct cgraph_edge *e = node->callees; e; e = e->next_callee)
        if (e->inline_failed ? node_reach(e->callee, node) == REACH_MAY
                             : body_may_allocate(e->callee))
            return true;
    return false;
}

static void assume_all_harmless(void)
{
    struct cgraph_node *node;

    bitmap_obstack_initialize(&reach_obstack);
    bitmap_initialize(&seen_uids, &reach_obstack);
    bitmap_initialize(&harmless_uids, &reach_obstack);
    FOR_EACH_FUNCTION_WITH_GIMPLE_BODY(node)
        if (!node->inlined_to) {
            bitmap_set_bit(&seen_uids, DECL_UID(node->decl));
            bitmap_set_bit(&harmless_uids, DECL_UID(node->decl));
        }
}

void at_reach_compute(void)
{
    struct cgraph_node **order =
        XNEWVEC(struct cgraph_node *, symtab->cgraph_count);
    const int n = ipa_reverse_postorder(order);
    bool is_changed = true;

    assume_all_harmless();
    while (is_changed) {
        is_changed = false;
        for (int i = n - 1; i >= 0; i--)
            if (!order[i]->inlined_to &&
                bitmap_bit_p(&harmless_uids, DECL_UID(order[i]->decl)) &&
                body_may_allocate(order[i])) {
                bitmap_clear_bit(&harmless_uids, DECL_UID(order[i]->decl));
                is_changed = true;
            }
    }
    free(order);
}

void at_reach_publish(void)
{
    struct cgraph_node *node;

    FOR_EACH_FUNCTION(node)
        if (bitmap_bit_p(&harmless_uids, DECL_UID(node->decl)))
            at_lto_note_harmless(node->decl);
}

enum reach at_reach_of_call(const gcall *call)
{
    tree decl = gimple_call_fndecl(call);
    struct cgraph_node *node;

    if (gimple_call_internal_p(call))
        return REACH_NO_CALL;
    if (decl == NULL_TREE)
        return gimple_call_flags(call) & (ECF_CONST | ECF_PURE) ? REACH_CONST
                                                                : REACH_MAY;
    node = cgraph_node::get(decl);
    return node ? node_reach(node, cgraph_node::get(current_function_decl))
                : outside_reach(decl);
}

bool at_reach_call_may_allocate(const gcall *call)
{
    return at_reach_of_call(call) == REACH_MAY;
}

bool at_reach_is_body_here(tree decl)
{
    struct cgraph_node *node = cgraph_node::get(decl);

    if (node == NULL)
        return false;
    node = node->ultimate_alias_target();
    return at_lto_is_defined_here(node);
}
