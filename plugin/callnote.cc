/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Carries notes about calls from the early pass to the late one.
 *
 * A note is a string in an attribute of the call's function type, of which
 * the call gets a copy of its own. Types of calls are copied with the call by
 * whatever copies it, are streamed by LTO, and are compared by nothing that
 * makes code: the attribute is not registered, so that GCC takes types with
 * and without it for the same.
 *
 * Some calls lose their type: those that are inlined (the call is gone, its
 * place is kept in a block), those of a clone with other parameters, malloc
 * with memset, which becomes calloc, and realloc of NULL, which becomes
 * malloc. For them the notes stand once more in an attribute of the enclosing
 * function, by place and callee. Where several calls share a place and differ,
 * nothing is known.
 */
#include "gcc.h"

#include "allocfn.h"
#include "callnote.h"

#define CALL_ATTRIBUTE " alloctrace note"
#define PLACES_ATTRIBUTE " alloctrace notes"

static const struct call_note unknown_note = {false, 0, "", ""};

/* NOTE as a string: "R16\0type\0target\0"; 'R' only if it is returned. */
static tree note_encode(const struct call_note *note)
{
    const size_t n_type = strlen(note->type) + 1;
    const size_t n_target = strlen(note->target) + 1;
    char *text = XNEWVEC(char, 16 + n_type + n_target);
    size_t n =
        sprintf(text, "%s%u", note->is_returned ? "R" : "", note->type_size) +
        1;
    tree string;

    memcpy(text + n, note->type, n_type);
    n += n_type;
    memcpy(text + n, note->target, n_target);
    n += n_target;
    string = build_string(n, text);
    free(text);
    return string;
}

static void note_decode(tree string, struct call_note *note)
{
    const char *text = TREE_STRING_POINTER(string);

    note->is_returned = text[0] == 'R';
    note->type_size = strtoul(text + note->is_returned, NULL, 10);
    note->type = text + strlen(text) + 1;
    note->target = note->type + strlen(note->type) + 1;
}

/* Functions of which GCC makes one another: malloc, calloc and realloc. */
static bool callee_is_exchanged(tree callee)
{
    return fndecl_built_in_p(callee, BUILT_IN_MALLOC) ||
           fndecl_built_in_p(callee, BUILT_IN_CALLOC) ||
           fndecl_built_in_p(callee, BUILT_IN_REALLOC);
}

/* The name of CALLEE (NULL_TREE: an indirect call) in that of a place. */
static const char *callee_name(tree callee)
{
    if (callee == NULL_TREE)
        return "";
    if (callee_is_exchanged(callee))
        return "malloc";
    return at_assembler_name(DECL_ORIGIN(callee));
}

/*
 * A name for the call of CALLEE at LOCATION. Clones are named after their
 * origin; so are functions that LTO renamed.
 */
static tree place_name(tree callee, location_t location)
{
    const expanded_location place = expand_location(location);
    const char *name = callee_name(callee);
    const int n = name[0] == '.' ? 0 : strcspn(name, ".");
    char *text = xasprintf("%d:%d:%.*s", place.line, place.column, n, name);
    tree identifier = get_identifier(text);

    free(text);
    return identifier;
}

/* Whether a call of CALLEE may lose its type. */
static bool callee_loses_type(tree callee)
{
    struct cgraph_node *node;

    if (callee == NULL_TREE)
        return true;
    if (fndecl_built_in_p(callee))
        return callee_is_exchanged(callee);
    node = cgraph_node::get(callee);
    return flag_generate_lto || (node && node->definition) ||
           (node && node->alias);
}

static bool string_equal(tree a, tree b)
{
    return TREE_STRING_LENGTH(a) == TREE_STRING_LENGTH(b) &&
           memcmp(TREE_STRING_POINTER(a), TREE_STRING_POINTER(b),
                  TREE_STRING_LENGTH(a)) == 0;
}

/* Note STRING for PLACE in FN; an empty string where notes differ. */
static void place_add(tree fn, tree place, tree string)
{
    tree attribute = lookup_attribute(PLACES_ATTRIBUTE, DECL_ATTRIBUTES(fn));
    tree entry;

    if (attribute == NULL_TREE) {
        attribute = tree_cons(get_identifier(PLACES_ATTRIBUTE), NULL_TREE,
                              DECL_ATTRIBUTES(fn));
        DECL_ATTRIBUTES(fn) = attribute;
    }
    entry = purpose_member(place, TREE_VALUE(attribute));
    if (entry == NULL_TREE)
        TREE_VALUE(attribute) = tree_cons(place, string, TREE_VALUE(attribute));
    else if (!string_equal(TREE_VALUE(entry), string))
        TREE_VALUE(entry) = note_encode(&unknown_note);
}

/* A copy of TYPE that says STRING and is the same to GCC otherwise. */
static tree type_with_note(tree type, tree string)
{
    tree copy = build_distinct_type_copy(type);

    TYPE_CANONICAL(copy) = TYPE_CANONICAL(type);
    TYPE_ATTRIBUTES(copy) =
        tree_cons(get_identifier(CALL_ATTRIBUTE),
                  build_tree_list(NULL_TREE, string), TYPE_ATTRIBUTES(type));
    return copy;
}

void at_note_attach(tree fn, gcall *call, const struct call_note *note)
{
    tree callee = gimple_call_fndecl(call);
    tree string = note_encode(note);

    gimple_call_set_fntype(call,
                           type_with_note(gimple_call_fntype(call), string));
    if (callee_loses_type(callee))
        place_add(DECL_ORIGIN(fn), place_name(callee, gimple_location(call)),
                  string);
}

static bool place_find(tree fn, tree place, struct call_note *note)
{
    tree attribute = lookup_attribute(PLACES_ATTRIBUTE, DECL_ATTRIBUTES(fn));
    tree entry;

    if (attribute == NULL_TREE)
        return false;
    entry = purpose_member(place, TREE_VALUE(attribute));
    if (entry == NULL_TREE)
        return false;
    note_decode(TREE_VALUE(entry), note);
    return true;
}

bool at_note_of_place(tree fn, tree callee, location_t location,
                      struct call_note *note)
{
    *note = unknown_note;
    fn = DECL_ORIGIN(fn);
    if (LOCATION_LOCUS(location) <= BUILTINS_LOCATION ||
        (callee && !DECL_ASSEMBLER_NAME_SET_P(DECL_ORIGIN(callee))))
        return false;
    return place_find(fn, place_name(callee, location), note) ||
           place_find(fn, place_name(NULL_TREE, location), note);
}

bool at_note_of_call(tree fn, const gcall *call, struct call_note *note)
{
    tree type = gimple_call_fntype(call);
    tree attribute =
        type ? lookup_attribute(CALL_ATTRIBUTE, TYPE_ATTRIBUTES(type))
             : NULL_TREE;

    if (attribute == NULL_TREE)
        return at_note_of_place(fn, gimple_call_fndecl(call),
                                gimple_location(call), note);
    note_decode(TREE_VALUE(TREE_VALUE(attribute)), note);
    return true;
}
