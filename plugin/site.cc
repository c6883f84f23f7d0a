/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns the unit's site records and their strings, each kept once.
 *
 * A record is made for a call while its function is compiled; emit.cc writes
 * them all at the end of the unit. Code names a record by its key (abi.h),
 * which nobody knows before all records are made: it loads it from an array
 * that this file declares and emit.cc's text defines. What was inlined around
 * a call is a chain of further records, from GCC's tree of blocks, which is
 * complete without debug information as well.
 */
#include "gcc.h"

#include "alloctrace/abi.h"
#include "allocfn.h"
#include "callnote.h"
#include "emit.h"
#include "intern.h"
#include "mark.h"
#include "name.h"
#include "reach.h"
#include "site.h"
#include "statement.h"

/* Strings by number; number 0 is none. */
static char **strings;
static unsigned n_strings = 1;
static unsigned max_strings;
static struct intern string_table;

/*
 * Records by number. Those of calls have numbers of their own, so that a
 * function's calls are neighbours: distances of their keys then fit a byte.
 */
struct site_list {
    struct site *sites;
    unsigned n;
    unsigned max;
    struct intern table; /* a record => its number */
};

static struct site_list calls;
static struct site_list inlined;

/* Keys that code loads, by their place in the array KEYS_LABEL. */
static struct site_key *keys;
static unsigned n_keys;
static unsigned max_keys;
static struct intern key_table;

/* That array, as the code sees it. */
static GTY(()) tree keys_decl;

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

static bool call_equal(unsigned position, const void *key)
{
    return memcmp(&calls.sites[position], key, sizeof(struct site)) == 0;
}

static bool inlined_equal(unsigned position, const void *key)
{
    return memcmp(&inlined.sites[position], key, sizeof(struct site)) == 0;
}

/* Room for at least N elements of SIZE bytes, doubled as it runs out. */
static void *list_room(void *list, unsigned n, unsigned *max, size_t size)
{
    if (n < *max)
        return list;
    *max = *max ? 2 * *max : 256;
    return xrealloc(list, *max * size);
}

/* SITE's number. SITE has no padding that matters: it starts as zeros. */
static unsigned site_intern(struct site_list *list, intern_equal equal,
                            const struct site *site)
{
    const unsigned number =
        at_intern(&list->table, iterative_hash(site, sizeof *site, 0), equal,
                  site, list->n);

    if (number == list->n) {
        list->sites = (struct site *)list_room(list->sites, list->n,
                                               &list->max, sizeof *site);
        list->sites[list->n++] = *site;
    }
    return number;
}

static bool key_equal(unsigned position, const void *key)
{
    return memcmp(&keys[position], key, sizeof *keys) == 0;
}

/* The place of SITE's key plus ADDEND in the array of keys. */
static unsigned key_intern(unsigned site, unsigned addend)
{
    const struct site_key key = {site, addend};
    const unsigned number =
        at_intern(&key_table, iterative_hash(&key, sizeof key, 0), key_equal,
                  &key, n_keys);

    if (number == n_keys) {
        keys = (struct site_key *)list_room(keys, n_keys, &max_keys,
                                            sizeof key);
        keys[n_keys++] = key;
    }
    return number;
}

/* The number of FN's name. */
static unsigned function_name(tree fn)
{
    char *name = at_name_of_function(fn);
    const unsigned number = string_intern(name);

    free(name);
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
    /* At its link step GCC makes functions that stand nowhere. */
    site->file = string_intern(place.file != NULL
                                   ? remap_macro_filename(place.file)
                                   : "<artificial>");
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
    site->caller = site_intern(&inlined, inlined_equal, &caller) + 1;
}

/*
 * Whether CALLEE is what C++'s variants of a constructor or destructor, of
 * which FN is one, have in common: _ZN1SC1Ev and _ZN1SC2Ev call _ZN1SC4Ev.
 */
static bool is_common_variant(tree callee, tree fn)
{
    const char *x = at_assembler_name(callee);
    const char *y = at_assembler_name(fn);
    size_t n = 0;

    while (x[n] != '\0' && x[n] == y[n])
        n++;
    return startswith(x, "_Z") && x[n] == '4' &&
           (x[n - 1] == 'C' || x[n - 1] == 'D') && ISDIGIT(y[n]) &&
           strcmp(x + n + 1, y + n + 1) == 0;
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

    return node &&
           ((node->split_part && DECL_ORIGIN(callee) == DECL_ORIGIN(fn)) ||
            is_common_variant(callee, fn));
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
    if (at_mark_wants_site(call)) {
        if (at_mark_name(call)[0] != '*')
            site.callee = string_intern(at_mark_name(call));
    } else if (callee != NULL_TREE) {
        site.callee = function_name(callee);
        if (at_reach_is_body_here(callee))
            site.flags |= ALLOCTRACE_SITE_CALLEE_HERE;
    }
    return site_intern(&calls, call_equal, &site);
}

/*
 * External, so that GCC neither emits the array nor puts it into a block of
 * its own objects (section anchors); hidden, so that it is reached directly.
 * Its size is not known yet. Some targets load an address that may lie outside
 * of its object from memory (aarch64 beyond 1 MiB), which costs a dynamic
 * relocation: there it is said to be large.
 */
static tree keys_declare(void)
{
    tree key = build_qualified_type(uint64_type_node, TYPE_QUAL_CONST);
    tree type = ALLOCTRACE_TARGET_WANTS_SIZES
                    ? build_array_type_nelts(key, 1u << 27)
                    : build_array_type(key, NULL_TREE);
    tree decl = build_decl(UNKNOWN_LOCATION, VAR_DECL,
                           get_identifier("*" KEYS_LABEL), type);

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

tree at_site_key_memory(unsigned site, unsigned addend)
{
    tree place = build_int_cst(sizetype, key_intern(site, addend));

    if (keys_decl == NULL_TREE)
        keys_decl = keys_declare();
    return build4(ARRAY_REF, TREE_TYPE(TREE_TYPE(keys_decl)), keys_decl, place,
                  NULL_TREE, NULL_TREE);
}

tree at_site_key(gimple_seq *seq, unsigned site, unsigned addend,
                 location_t location)
{
    tree name = make_ssa_name(uint64_type_node);

    at_append(seq, gimple_build_assign(name, at_site_key_memory(site, addend)),
              location);
    return name;
}

void at_sites_close(void)
{
    const unsigned n_calls = calls.n;

    for (unsigned i = 0; i < inlined.n; i++) {
        calls.sites = (struct site *)list_room(calls.sites, calls.n,
                                               &calls.max, sizeof *calls.sites);
        calls.sites[calls.n++] = inlined.sites[i];
    }
    for (unsigned i = 0; i < calls.n; i++)
        if (calls.sites[i].caller != 0)
            calls.sites[i].caller += n_calls;
    inlined.n = 0;
}

const struct site *at_sites(unsigned *n)
{
    *n = calls.n;
    return calls.sites;
}

const struct site_key *at_site_keys(unsigned *n)
{
    *n = n_keys;
    return keys;
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
        {&keys_decl, 1, sizeof keys_decl, &gt_ggc_mx_tree_node,
         &gt_pch_nx_tree_node},
        LAST_GGC_ROOT_TAB};

    register_callback(plugin_name, PLUGIN_REGISTER_GGC_ROOTS, NULL,
                      roots);
}
