/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns the unit's site records and their strings, each kept once.
 *
 * A record is made for a call while its function is compiled; emit.cc writes
 * them all at the end of the unit. Until then code refers to a record by its
 * place in an array that this file declares and emit.cc's text defines. What
 * was inlined around a call is a chain of further records, from GCC's tree of
 * blocks, which is complete without debug information as well.
 */
#include "gcc.h"

#include "alloctrace/abi.h"
#include "allocfn.h"
#include "callnote.h"
#include "emit.h"
#include "intern.h"
#include "reach.h"
#include "site.h"

/* Strings by number; number 0 is none. */
static char **strings;
static unsigned n_strings = 1;
static unsigned max_strings;
static struct intern string_table;

/* Records by number. */
static struct site *sites;
static unsigned n_sites;
static unsigned max_sites;
static struct intern site_table;

/* The array of records, as the code sees it. */
static GTY(()) tree sites_decl;

static bool string_equal(unsigned position, const void *key)
{
    return strcmp(strings[position], (const char *)key) == 0;
}

/* TEXT's number; TEXT is copied. */
static unsigned string_intern(const char *text)
{
    unsigned number;

    if (text == NULL || text[0] == '\0')
        return 0;
    number = at_intern(&string_table, htab_hash_string(text), string_equal,
                       text, n_strings);
    if (number == n_strings) {
        if (n_strings >= max_strings) {
            max_strings = max_strings ? 2 * max_strings : 256;
            strings = XRESIZEVEC(char *, strings, max_strings);
        }
        strings[n_strings++] = xstrdup(text);
    }
    return number;
}

static bool site_equal(unsigned position, const void *key)
{
    return memcmp(&sites[position], key, sizeof *sites) == 0;
}

/* SITE's number. SITE has no padding that matters: it starts as zeros. */
static unsigned site_intern(const struct site *site)
{
    const unsigned number =
        at_intern(&site_table, iterative_hash(site, sizeof *site, 0),
                  site_equal, site, n_sites);

    if (number == n_sites) {
        if (n_sites >= max_sites) {
            max_sites = max_sites ? 2 * max_sites : 256;
            sites = XRESIZEVEC(struct site, sites, max_sites);
        }
        sites[n_sites++] = *site;
    }
    return number;
}

/*
 * FN's name as the language writes it. Clones (.part, .constprop) are named
 * after their origin, C++ names are taken from the mangled one, which is what
 * is left of them under LTO.
 */
static unsigned function_name(tree fn)
{
    const char *name;
    char *stem;
    char *readable;
    unsigned number;

    fn = DECL_ORIGIN(fn);
    name = DECL_NAME(fn) ? IDENTIFIER_POINTER(DECL_NAME(fn)) : "";
    if (DECL_ASSEMBLER_NAME_SET_P(fn) &&
        startswith(at_assembler_name(fn), "_Z"))
        name = at_assembler_name(fn);
    else if (fndecl_built_in_p(fn) && startswith(name, "__builtin_"))
        name += strlen("__builtin_"); /* printf that GCC made puts of */
    stem = xstrdup(name);
    if (strchr(stem, '.') != NULL && stem[0] != '.')
        *strchr(stem, '.') = '\0';
    readable = startswith(stem, "_Z")
                   ? cplus_demangle_v3(stem, DMGL_PARAMS | DMGL_ANSI)
                   : NULL;
    number = string_intern(readable ? readable : stem);
    free(readable);
    free(stem);
    return number;
}

/* Fill in the place of SITE: LOCATION in the source of FN. */
static void site_set_place(struct site *site, tree fn, location_t location)
{
    expanded_location place;

    if (LOCATION_LOCUS(location) <= BUILTINS_LOCATION)
        location = DECL_SOURCE_LOCATION(fn);
    place = expand_location(location);
    site->function = function_name(fn);
    if (place.file != NULL)
        site->file = string_intern(remap_macro_filename(place.file));
    site->line = place.line;
    site->column = MIN(place.column, 65535);
}

/* Whether LOCATION cannot be that of a call of FN. */
static bool location_is_no_call(location_t location, tree fn)
{
    location = LOCATION_LOCUS(location);
    return location <= BUILTINS_LOCATION ||
           location == DECL_SOURCE_LOCATION(fn);
}

/*
 * The innermost inlined function that contains BLOCK, and the block *OUTER in
 * which it stands; without one, the function being compiled and NULL_TREE.
 *
 * A part that GCC split off a function and then inlined into the function
 * again is no level of its own: such calls have no place in the source.
 */
static tree inlined_function(tree block, tree *outer)
{
    for (; block && TREE_CODE(block) == BLOCK;
         block = BLOCK_SUPERCONTEXT(block)) {
        tree fn = inlined_function_outer_scope_p(block)
                      ? block_ultimate_origin(block)
                      : NULL_TREE;

        if (fn == NULL_TREE || TREE_CODE(fn) != FUNCTION_DECL)
            continue;
        *outer = block;
        if (location_is_no_call(BLOCK_SOURCE_LOCATION(block), fn)) {
            tree beyond;
            tree above = inlined_function(BLOCK_SUPERCONTEXT(block), &beyond);

            if (DECL_ORIGIN(above) == DECL_ORIGIN(fn))
                *outer = beyond;
        }
        return fn;
    }
    *outer = NULL_TREE;
    return current_function_decl;
}

/* Fill in what NOTE knows of the object. */
static void site_set_object(struct site *site, const struct call_note *note)
{
    site->type = string_intern(note->type);
    site->target = string_intern(note->target);
    site->type_size = note->type_size;
    site->flags &= ~ALLOCTRACE_SITE_RETURNED;
    if (note->is_returned)
        site->flags |= ALLOCTRACE_SITE_RETURNED;
}

/* The same for SITE, a call of CALLEE at LOCATION in BLOCK that is gone. */
static void site_set_lost_object(struct site *site, tree callee, tree block,
                                 location_t location)
{
    struct call_note note;
    tree outer;

    if (at_note_of_place(inlined_function(block, &outer), callee, location,
                         &note))
        site_set_object(site, &note);
}

/*
 * Fill in where SITE is, given its BLOCK and LOCATION, and make the records
 * of the calls that brought it there by inlining.
 */
static void site_set_chain(struct site *site, tree block, location_t location)
{
    tree outer;
    tree fn = inlined_function(block, &outer);
    struct site caller;

    site_set_place(site, fn, location);
    if (outer == NULL_TREE)
        return;
    memset(&caller, 0, sizeof caller);
    caller.kind = ALLOCTRACE_SITE_INLINED;
    caller.callee = site->function;
    site_set_chain(&caller, BLOCK_SUPERCONTEXT(outer),
                   BLOCK_SOURCE_LOCATION(outer));
    site_set_lost_object(&caller, fn, BLOCK_SUPERCONTEXT(outer),
                         BLOCK_SOURCE_LOCATION(outer));
    site->caller = site_intern(&caller) + 1;
}

/*
 * Whether CALL goes from the head of a function, which stands in *OUTER if it
 * was inlined, to a part that GCC split off the same function.
 */
static bool call_is_to_part(const gcall *call, tree *outer)
{
    tree callee = gimple_call_fndecl(call);
    tree fn = inlined_function(gimple_block(call), outer);
    struct cgraph_node *node = callee ? cgraph_node::get(callee) : NULL;

    return node && node->split_part && DECL_ORIGIN(callee) == DECL_ORIGIN(fn);
}

bool at_site_is_continuation(const gcall *call)
{
    tree outer;

    return call_is_to_part(call, &outer) && outer == NULL_TREE;
}

unsigned at_site_of_call(gcall *call, int kind, int flags)
{
    struct site site;
    struct call_note note;
    tree callee = gimple_call_fndecl(call);
    tree block = gimple_block(call);
    location_t location = gimple_location(call);
    tree outer;

    memset(&site, 0, sizeof site);
    site.kind = kind;
    site.flags = flags;
    if (call_is_to_part(call, &outer) && outer != NULL_TREE) {
        block = BLOCK_SUPERCONTEXT(outer);
        location = BLOCK_SOURCE_LOCATION(outer);
        site_set_lost_object(&site, callee, block, location);
    } else if (at_note_of_call(inlined_function(block, &outer), call,
                               &note)) {
        site_set_object(&site, &note);
    }
    site_set_chain(&site, block, location);
    if (callee != NULL_TREE) {
        site.callee = function_name(callee);
        if (at_reach_is_body_here(callee))
            site.flags |= ALLOCTRACE_SITE_CALLEE_HERE;
    }
    return site_intern(&site);
}

/*
 * External, so that GCC neither emits the array nor puts it into a block of
 * its own objects (section anchors); hidden, so that it is reached directly.
 */
static tree sites_declare(void)
{
    tree type = build_array_type(unsigned_char_type_node, NULL_TREE);
    tree decl = build_decl(UNKNOWN_LOCATION, VAR_DECL,
                           get_identifier("*" SITES_LABEL), type);

    SET_DECL_ASSEMBLER_NAME(decl, DECL_NAME(decl));
    TREE_PUBLIC(decl) = 1;
    DECL_EXTERNAL(decl) = 1;
    TREE_READONLY(decl) = 1;
    TREE_ADDRESSABLE(decl) = 1;
    DECL_ARTIFICIAL(decl) = 1;
    DECL_IGNORED_P(decl) = 1;
    DECL_VISIBILITY(decl) = VISIBILITY_HIDDEN;
    DECL_VISIBILITY_SPECIFIED(decl) = 1;
    return decl;
}

tree at_site_address(unsigned site, unsigned addend)
{
    tree offset = build_int_cst(sizetype, site * ALLOCTRACE_SITE_SIZE + addend);

    if (sites_decl == NULL_TREE)
        sites_decl = sites_declare();
    return build_fold_addr_expr(build4(ARRAY_REF, unsigned_char_type_node,
                                       sites_decl, offset, NULL_TREE,
                                       NULL_TREE));
}

const struct site *at_sites(unsigned *n)
{
    *n = n_sites;
    return sites;
}

const char *at_site_string(unsigned string, unsigned *n)
{
    if (n != NULL)
        *n = n_strings;
    return string > 0 ? strings[string] : "";
}

void at_site_register_roots(const char *plugin_name)
{
    static struct ggc_root_tab roots[] = {
        {&sites_decl, 1, sizeof sites_decl, &gt_ggc_mx_tree_node,
         &gt_pch_nx_tree_node},
        LAST_GGC_ROOT_TAB};

    register_callback(plugin_name, PLUGIN_REGISTER_GGC_ROOTS, NULL,
                      roots);
}
