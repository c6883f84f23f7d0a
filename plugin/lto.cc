/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * -flto compiles in three steps, each in processes of its own: units to
 * bytecode, the whole program's call graph without bodies (WPA), then parts
 * of the program to code. GCC has no section that a plugin could write, so
 * that what one step knows travels in what GCC writes anyway:
 *
 * "Cannot allocate" holds in the second step for the whole program. It goes
 * to the third as an attribute of the function's declaration. Its name has a
 * space in it: no source can write it.
 *
 * All of this plugin's work on code is done in the last step. A link without
 * -fplugin would give a program that traces nothing and says nothing. So each
 * unit's bytecode has a constant in a section named .gnu.warning, whose text
 * GNU linkers print as a warning. The link step's plugin takes it out.
 */
#include "gcc.h"

#include "lto.h"

#define HARMLESS_ATTRIBUTE "alloctrace harmless"

/* One a program: units have it in common. */
#define MARK_NAME "__alloctrace_lto_mark"
#define MARK_SECTION ".gnu.warning"
#define MARK_TEXT                                                          \
    "alloctrace: this was compiled with -flto and alloctrace, but linked " \
    "without: nothing in it is traced (link with alloctrace-gcc, or with " \
    "the compiler's -fplugin option)"

void at_lto_note_harmless(tree decl)
{
    if (!at_lto_is_harmless(decl))
        DECL_ATTRIBUTES(decl) = tree_cons(get_identifier(HARMLESS_ATTRIBUTE),
                                          NULL_TREE, DECL_ATTRIBUTES(decl));
}

bool at_lto_is_harmless(tree decl)
{
    return lookup_attribute(HARMLESS_ATTRIBUTE, DECL_ATTRIBUTES(decl)) != NULL;
}

static tree mark_build(void)
{
    const unsigned size = sizeof MARK_TEXT;
    tree type = build_array_type_nelts(char_type_node, size);
    tree decl =
        build_decl(UNKNOWN_LOCATION, VAR_DECL, get_identifier(MARK_NAME), type);

    SET_DECL_ASSEMBLER_NAME(decl, DECL_NAME(decl));
    DECL_INITIAL(decl) = build_string(size, MARK_TEXT);
    TREE_TYPE(DECL_INITIAL(decl)) = type;
    TREE_PUBLIC(decl) = 1;
    TREE_STATIC(decl) = 1;
    TREE_READONLY(decl) = 1;
    TREE_USED(decl) = 1;
    DECL_ARTIFICIAL(decl) = 1;
    DECL_IGNORED_P(decl) = 1;
    DECL_PRESERVE_P(decl) = 1;
    DECL_VISIBILITY(decl) = VISIBILITY_HIDDEN;
    DECL_VISIBILITY_SPECIFIED(decl) = 1;
    make_decl_one_only(decl, DECL_ASSEMBLER_NAME(decl));
    set_decl_section_name(decl, MARK_SECTION);
    return decl;
}

void at_lto_mark_add(void)
{
    varpool_node *node;
    cgraph_node *function = symtab->first_function_with_gimple_body();

    if (function == NULL)
        return;
    node = varpool_node::get_create(mark_build());
    node->definition = true;
    node->analyzed = true;
    node->force_output = true;
}

void at_lto_mark_remove(void)
{
    varpool_node *node;
    varpool_node *next;

    for (node = symtab->first_variable(); node != NULL; node = next) {
        next = symtab->next_variable(node);
        if (strcmp(node->asm_name(), MARK_NAME) == 0)
            node->remove();
    }
}

bool at_lto_is_defined_here(const struct symtab_node *node)
{
    /* GCC marks what another part of the program defines as external. */
    return node->in_other_partition ||
           (node->definition && !DECL_EXTERNAL(node->decl));
}
