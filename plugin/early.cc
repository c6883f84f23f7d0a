/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Resolvers of indirect functions run while the program is being relocated,
 * when its thread-local variables have not been set up: linking a frame would
 * read a null pointer. So they, and what they call in the same unit, stay as
 * they are. What they call elsewhere is out of reach; such calls are no safer
 * without this plugin, for nothing they refer to need be relocated yet.
 *
 * The fact is kept as an attribute of declarations (see lto.cc for why).
 */
#include "gcc.h"

#include "early.h"

#define EARLY_ATTRIBUTE "alloctrace early"

bool at_early_is(tree fn)
{
    return lookup_attribute(EARLY_ATTRIBUTE, DECL_ATTRIBUTES(fn)) != NULL;
}

/* NODE runs early, and so does what it calls. */
static void node_mark(struct cgraph_node *node)
{
    if (node->alias)
        node = node->ultimate_alias_target();
    if (!node->definition || at_early_is(node->decl))
        return;
    DECL_ATTRIBUTES(node->decl) =
        tree_cons(get_identifier(EARLY_ATTRIBUTE), NULL_TREE,
                  DECL_ATTRIBUTES(node->decl));
    for (struct cgraph_edge *e = node->callees; e; e = e->next_callee)
        node_mark(e->callee);
}

void at_early_compute(void)
{
    struct cgraph_node *node;

    FOR_EACH_FUNCTION(node)
    if (node->alias && lookup_attribute("ifunc", DECL_ATTRIBUTES(node->decl)))
        node_mark(node);
}
