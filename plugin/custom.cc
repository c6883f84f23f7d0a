/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Knows the program's own allocators:
 *
 *   attribute malloc (free, n)    allocates; `free` gives back, as its n-th
 *                                 argument
 *   attribute alloc_size (n[, m]) allocates that many bytes, also where the
 *                                 call is indirect
 *   the options                   the same for code that has no attributes
 *
 * An allocator that is given a block of the type it returns as its first
 * argument and has no plain `malloc` (which promises a new block), or that is
 * a deallocator itself, resizes the block. What stands in system headers and
 * what GCC or the runtime know themselves is none.
 *
 * Attributes say what the programmer thinks: fopen has malloc (fclose), some
 * functions have alloc_size and hand their argument through. Whether a block
 * really came from a pool is found out when the program runs.
 */
#include "gcc.h"

#include "allocfn.h"
#include "custom.h"
#include "customs.h"

static bool decl_is_own(tree decl)
{
    return !DECL_IN_SYSTEM_HEADER(decl) && !fndecl_built_in_p(decl) &&
           !DECL_IS_REPLACEABLE_OPERATOR(decl);
}

/* The N-th value of ATTRIBUTE, from 1, if it is a number; else 0. */
static unsigned attribute_number(tree attribute, unsigned n)
{
    tree value = TREE_VALUE(attribute);

    while (value && --n > 0)
        value = TREE_CHAIN(value);
    return value && TREE_VALUE(value) && tree_fits_uhwi_p(TREE_VALUE(value))
               ? (unsigned)tree_to_uhwi(TREE_VALUE(value))
               : 0;
}

/* DECL's attribute malloc, with a deallocator or without. */
static bool has_malloc(tree decl, bool with_deallocator)
{
    tree attribute = lookup_attribute("malloc", DECL_ATTRIBUTES(decl));

    while (attribute && (TREE_VALUE(attribute) != NULL_TREE) !=
                            with_deallocator)
        attribute = lookup_attribute("malloc", TREE_CHAIN(attribute));
    return attribute != NULL_TREE;
}

/* The argument that DECL's attributes say is given back, or 0. */
static unsigned attribute_freed(tree decl, const char **allocator)
{
    unsigned n_allocators = 0;
    unsigned argument = 0;

    for (tree attribute = lookup_attribute("*dealloc", DECL_ATTRIBUTES(decl));
         attribute;
         attribute = lookup_attribute("*dealloc", TREE_CHAIN(attribute))) {
        tree name = TREE_VALUE(TREE_VALUE(attribute));

        argument = attribute_number(attribute, 2);
        if (argument == 0)
            argument = 1; /* what malloc (free) without a number means */
        *allocator = ++n_allocators == 1 && TREE_CODE(name) == IDENTIFIER_NODE
                         ? IDENTIFIER_POINTER(name)
                         : NULL;
    }
    return argument;
}

/* The first parameter is a block to be resized, by its type. */
static bool type_resizes(tree type)
{
    tree first = TYPE_ARG_TYPES(type) ? TREE_VALUE(TYPE_ARG_TYPES(type))
                                      : NULL_TREE;

    return first && POINTER_TYPE_P(first) &&
           TYPE_MAIN_VARIANT(TREE_TYPE(first)) ==
               TYPE_MAIN_VARIANT(TREE_TYPE(TREE_TYPE(type)));
}

/*
 * What an indirect call goes through, as the source names it: "*field".
 * Loads that may trap (-fnon-call-exceptions) are copied before they are used,
 * pointers that the source keeps in a variable as well.
 */
static char *pointer_name(const gcall *call)
{
    tree fn = gimple_call_fn(call);
    const char *name = "pointer";

    while (fn && TREE_CODE(fn) == SSA_NAME &&
           gimple_assign_single_p(SSA_NAME_DEF_STMT(fn)))
        fn = gimple_assign_rhs1(SSA_NAME_DEF_STMT(fn));
    if (fn && TREE_CODE(fn) == SSA_NAME)
        fn = SSA_NAME_VAR(fn);
    if (fn && TREE_CODE(fn) == COMPONENT_REF)
        fn = TREE_OPERAND(fn, 1);
    if (fn && DECL_P(fn) && DECL_NAME(fn))
        name = IDENTIFIER_POINTER(DECL_NAME(fn));
    return concat("*", name, NULL);
}

/* Fill in CUSTOM by attributes of DECL (NULL_TREE: the call is indirect). */
static bool attributes_read(const gcall *call, tree decl,
                            struct custom_alloc *custom)
{
    tree type = gimple_call_fntype(call);
    tree size = lookup_attribute("alloc_size", TYPE_ATTRIBUTES(type));
    const char *allocator;

    if (size == NULL_TREE && (decl == NULL_TREE || !has_malloc(decl, true)))
        return false;
    if (size != NULL_TREE) {
        custom->size = attribute_number(size, 1);
        custom->size_factor = attribute_number(size, 2);
    }
    if (decl)
        custom->old = attribute_freed(decl, &allocator);
    if (custom->old == 0 && size && type_resizes(type) &&
        !(decl && has_malloc(decl, false)))
        custom->old = 1;
    return true;
}

bool at_custom_of_call(const gcall *call, struct custom_alloc *custom)
{
    tree decl = gimple_call_fndecl(call);
    tree type = gimple_call_fntype(call);
    const struct custom_line *line;

    memset(custom, 0, sizeof *custom);
    if (type == NULL_TREE || gimple_call_internal_p(call) ||
        !POINTER_TYPE_P(TREE_TYPE(type)) ||
        at_allocfn_of_call(call) != ALLOCFN_NONE)
        return false;
    line = decl ? at_customs_find(decl, false) : NULL;
    if (line != NULL) {
        custom->size = line->size;
        custom->size_factor = line->size_factor;
        custom->old = at_customs_find(decl, true)
                          ? at_customs_find(decl, true)->freed
                          : 0;
    } else if ((decl && !decl_is_own(decl)) ||
               !attributes_read(call, decl, custom)) {
        return false;
    }
    custom->name = decl ? at_customs_name(decl) : pointer_name(call);
    return true;
}

unsigned at_custom_freed(const gcall *call, const char **allocator)
{
    tree decl = gimple_call_fndecl(call);
    const struct custom_line *line;
    unsigned argument;

    *allocator = NULL;
    if (decl == NULL_TREE || at_allocfn_of_call(call) != ALLOCFN_NONE)
        return 0;
    line = at_customs_find(decl, true);
    if (line != NULL)
        argument = line->freed;
    else
        argument = decl_is_own(decl) ? attribute_freed(decl, allocator) : 0;
    return argument;
}
