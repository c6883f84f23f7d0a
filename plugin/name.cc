/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What site records call functions. Clones (.part, .constprop) are named
 * after their origin. Where the names come from:
 *
 *   C, and the default   the declaration's name
 *   C++                  the mangled name, which is what LTO leaves of it; a
 *                        coroutine's parts have the coroutine's name
 *   D                    the same, in D's way
 *   Fortran              module::procedure::contained
 *   Ada, Objective-C     the front end says it
 *
 * In LTO's link step there is no front end. So each unit puts the names of the
 * last two groups into an attribute of its declarations (see lto.cc for why).
 */
#include "gcc.h"

#include "allocfn.h"
#include "name.h"

#define NAME_ATTRIBUTE "alloctrace name"

/* Whether this is the compiler of LANGUAGE; "GNU Ada", say. */
static bool language_is(const char *language)
{
    return startswith(lang_hooks.name, language);
}

/* A copy of TEXT up to the first '.', where the marks of clones begin. */
static char *stem_of(const char *text)
{
    const size_t n = text[0] == '.' ? strlen(text) : strcspn(text, ".");

    return xstrndup(text, n);
}

/*
 * The mangled name of the coroutine whose actor or destroyer MANGLED is, or
 * NULL. Their parameter is the coroutine's frame, a type whose name, with its
 * length before it, is that name and ".Frame":
 *
 *     _Z2coPZ2coiE12_Z2coi.Frame.actor
 */
static char *coroutine_of(const char *mangled)
{
    static const char suffix[] = ".Frame";
    const char *end = strstr(mangled, suffix);

    for (const char *p = mangled + 2; end && (p = strstr(p, "_Z")); p += 2) {
        const char *digits = p;

        while (ISDIGIT(digits[-1]))
            digits--;
        if (p < end && digits < p &&
            strtoul(digits, NULL, 10) == end - p + sizeof suffix - 1)
            return xstrndup(p, end - p);
    }
    return NULL;
}

static char *cxx_name(const char *mangled)
{
    char *stem = coroutine_of(mangled);
    char *readable;

    if (stem == NULL)
        stem = stem_of(mangled);
    readable = cplus_demangle_v3(stem, DMGL_PARAMS | DMGL_ANSI);
    if (readable == NULL)
        return stem;
    free(stem);
    return readable;
}

/* A name in all languages for which there is no rule below. */
static char *common_name(tree fn)
{
    const char *name = DECL_NAME(fn) ? IDENTIFIER_POINTER(DECL_NAME(fn)) : "";

    if (DECL_ASSEMBLER_NAME_SET_P(fn)) {
        const char *mangled = at_assembler_name(fn);
        char *readable;

        if (startswith(mangled, "_Z"))
            return cxx_name(mangled);
        readable =
            strcmp(mangled, name) != 0 ? dlang_demangle(mangled, 0) : NULL;
        if (readable != NULL)
            return readable;
    }
    if (fndecl_built_in_p(fn) && startswith(name, "__builtin_"))
        name += strlen("__builtin_"); /* printf that GCC made puts of */
    return stem_of(name);
}

/* The procedure in which FN is contained, or NULL_TREE. */
static tree host_of(tree fn)
{
    tree host = DECL_CONTEXT(fn);

    return host && TREE_CODE(host) == FUNCTION_DECL ? host : NULL_TREE;
}

/*
 * The assembler knows module procedures as __module_MOD_procedure, where what
 * the source wrote is in lower case. A program that is called `main` is
 * MAIN__, for main is gfortran's own.
 */
static char *fortran_name(tree fn)
{
    const char *mangled = NULL;
    const char *mark = NULL;
    char *name = common_name(fn);
    char *whole = name;

    if (DECL_ASSEMBLER_NAME_SET_P(fn)) {
        mangled = at_assembler_name(fn);
        mark = startswith(mangled, "__") ? strstr(mangled, "_MOD_") : NULL;
    }
    if (host_of(fn) != NULL_TREE) {
        char *host = fortran_name(host_of(fn));

        whole = concat(host, "::", name, NULL);
        free(host);
    } else if (mark != NULL) {
        char *module = xstrndup(mangled + 2, mark - mangled - 2);

        whole = concat(module, "::", mark + strlen("_MOD_"), NULL);
        free(module);
    } else if (strcmp(name, "MAIN__") == 0) {
        return free(name), xstrdup("main");
    }
    if (whole != name)
        free(name);
    return whole;
}

/* The front end's name of FN, or NULL if there is nothing to be added to the
 * common one. */
static const char *front_end_text(tree fn)
{
    const char *text = NULL;

    if (DECL_NAME(fn) == NULL_TREE || fndecl_built_in_p(fn))
        return NULL;
    /* Ada's own library has names that are not encoded. */
    if (language_is("GNU Ada") &&
        !startswith(IDENTIFIER_POINTER(DECL_NAME(fn)), "__"))
        text = lang_hooks.decl_printable_name(fn, 2);
    else if (objc_maybe_printable_name)
        text = objc_maybe_printable_name(fn, 2);
    /* What is no method has the name itself as its answer. */
    return text && strcmp(text, IDENTIFIER_POINTER(DECL_NAME(fn))) != 0 ? text
                                                                        : NULL;
}

/* A name that cannot be told later, without the front end; or NULL. */
static char *front_end_name(tree fn)
{
    const char *text;

    if (language_is("GNU Fortran"))
        return fortran_name(fn);
    text = front_end_text(fn);
    return text ? xstrdup(text) : NULL;
}

char *at_name_of_function(tree fn)
{
    tree kept;
    char *name;

    fn = DECL_ORIGIN(fn);
    kept = lookup_attribute(NAME_ATTRIBUTE, DECL_ATTRIBUTES(fn));
    if (kept != NULL_TREE)
        return xstrdup(TREE_STRING_POINTER(TREE_VALUE(kept)));
    name = front_end_name(fn);
    return name ? name : common_name(fn);
}

void at_names_keep(void)
{
    struct cgraph_node *node;

    FOR_EACH_FUNCTION(node)
    {
        char *name = front_end_name(DECL_ORIGIN(node->decl));

        if (name == NULL)
            continue;
        DECL_ATTRIBUTES(node->decl) = tree_cons(
            get_identifier(NAME_ATTRIBUTE),
            build_string(strlen(name) + 1, name), DECL_ATTRIBUTES(node->decl));
        free(name);
    }
}

const char *at_language_refusal(void)
{
    return language_is("GNU Go")
               ? "Go is not supported: goroutines change stacks and threads "
                 "below the functions that run in them"
               : NULL;
}
