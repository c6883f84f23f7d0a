/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recognises direct calls of the C library's allocation functions and of C++'s
 * operators new and delete, by name, and declares the runtime's entries that
 * replace them. The lists of names are abi.h's; what is added here is the
 * shape of each prototype, so that a function of the same name with other
 * arguments is left alone.
 */
#include "gcc.h"

#include "allocfn.h"
#include "lto.h"

/*
 * Result and parameters: p pointer, s size_t, i int, v void. After ':' what
 * may be said of the call: m its result is new memory that nothing else points
 * to; t it may throw.
 */
#define SHAPE_malloc "ps:m"
#define SHAPE_calloc "pss:m"
#define SHAPE_realloc "pps:"
#define SHAPE_reallocarray "ppss:"
#define SHAPE_aligned_alloc "pss:m"
#define SHAPE_memalign "pss:m"
#define SHAPE_posix_memalign "ipss:"
#define SHAPE_valloc "ps:m"
#define SHAPE_pvalloc "ps:m"
#define SHAPE_strdup "pp:m"
#define SHAPE_strndup "pps:m"
#define SHAPE_free "vp:"

#define SHAPE_track "iips:"

struct allocfn_info {
    const char *name;  /* the library's; '#' stands for size_t's letter */
    const char *entry; /* the runtime's */
    const char *shape; /* see above */
    bool has_site;     /* the entry takes a site record behind the arguments */
    bool has_address;  /* and then the address of the function itself */
};

static const struct allocfn_info allocfns[] = {
#define ALLOCFN_ROW(name, has_site)                                           \
    {#name, ALLOCTRACE_ENTRY_PREFIX #name, SHAPE_##name, has_site, false},
    ALLOCTRACE_ENTRIES(ALLOCFN_ROW)
#undef ALLOCFN_ROW
#define ALLOCFN_ROW(name, symbol, shape, next)                                \
    {symbol, ALLOCTRACE_OPERATOR_PREFIX #name, shape, shape[0] == 'p', true},
    ALLOCTRACE_OPERATORS(ALLOCFN_ROW)
#undef ALLOCFN_ROW
    {"alloctrace_track", ALLOCTRACE_TRACK, SHAPE_track, true, false},
};

/* Declarations of the entries, made at first use. */
static GTY(()) tree entry_decls[N_ALLOCFNS];

/* The unit defines the function itself. */
static bool is_defined_here[N_ALLOCFNS];

const char *at_assembler_name(tree decl)
{
    const char *name = IDENTIFIER_POINTER(DECL_ASSEMBLER_NAME(decl));

    return name[0] == '*' ? name + 1 : name;
}

tree at_decl_declared(tree decl)
{
    cgraph_node *node = cgraph_node::get(decl);

    if (node != NULL && node->alias && node->analyzed &&
        strstr(at_assembler_name(decl), ".localalias") != NULL)
        return node->get_alias_target()->decl;
    return decl;
}

static bool name_matches(const char *pattern, const char *name)
{
    while (*pattern != '\0' &&
           (*pattern == *name ||
            (*pattern == '#' && (*name == 'm' || *name == 'j')))) {
        pattern++;
        name++;
    }
    return *pattern == '\0' && *name == '\0';
}

static enum allocfn allocfn_by_name(const char *name)
{
    for (int i = 0; i < N_ALLOCFNS; i++)
        if (name_matches(allocfns[i].name, name))
            return (enum allocfn)i;
    return ALLOCFN_NONE;
}

void at_allocfn_begin_unit(void)
{
    struct cgraph_node *node;

    FOR_EACH_FUNCTION(node) {
        enum allocfn fn;

        if (!TREE_PUBLIC(node->decl) || !at_lto_is_defined_here(node))
            continue;
        fn = allocfn_by_name(at_assembler_name(node->decl));
        if (fn != ALLOCFN_NONE)
            is_defined_here[fn] = true;
    }
}

static tree type_of_letter(char letter)
{
    switch (letter) {
    case 'p':
        return ptr_type_node;
    case 's':
        return size_type_node;
    case 'i':
        return integer_type_node;
    default:
        return void_type_node;
    }
}

/* A value of type TYPE can be handed over as SHAPE's LETTER. */
static bool type_has_shape(tree type, char letter)
{
    switch (letter) {
    case 'p':
        return POINTER_TYPE_P(type);
    case 's':
    case 'i':
        return INTEGRAL_TYPE_P(type) &&
               TYPE_PRECISION(type) == TYPE_PRECISION(type_of_letter(letter));
    default:
        return VOID_TYPE_P(type);
    }
}

static bool call_has_shape(const gcall *call, const char *shape)
{
    const unsigned n = strcspn(shape, ":") - 1;
    tree result = gimple_call_lhs(call);

    if (gimple_call_num_args(call) != n)
        return false;
    if (result != NULL_TREE && !type_has_shape(TREE_TYPE(result), shape[0]))
        return false;
    for (unsigned i = 0; i < n; i++)
        if (!type_has_shape(TREE_TYPE(gimple_call_arg(call, i)), shape[i + 1]))
            return false;
    return true;
}

/* Whether calls of DECL, which is FN, may go to the entry. */
static bool is_open(tree decl, enum allocfn fn)
{
    /* The address of what is defined here is known. */
    if (allocfns[fn].has_address)
        return true;
    return !is_defined_here[fn] &&
           (DECL_EXTERNAL(decl) || fndecl_built_in_p(decl));
}

enum allocfn at_allocfn_of_call(const gcall *call)
{
    tree decl = gimple_call_fndecl(call);
    enum allocfn fn;

    if (decl == NULL_TREE)
        return ALLOCFN_NONE;
    decl = at_decl_declared(decl);
    if (!TREE_PUBLIC(decl))
        return ALLOCFN_NONE;
    fn = allocfn_by_name(at_assembler_name(decl));
    if (fn == ALLOCFN_NONE || !is_open(decl, fn) ||
        !call_has_shape(call, allocfns[fn].shape))
        return ALLOCFN_NONE;
    return fn;
}

enum allocfn at_allocfn_operator(tree decl)
{
    enum allocfn fn;

    if (!TREE_PUBLIC(decl) || (!startswith(at_assembler_name(decl), "_Zn") &&
                               !startswith(at_assembler_name(decl), "_Zd")))
        return ALLOCFN_NONE;
    fn = allocfn_by_name(at_assembler_name(decl));
    return fn != ALLOCFN_NONE && allocfns[fn].has_address ? fn : ALLOCFN_NONE;
}

bool at_allocfn_has_site(enum allocfn fn)
{
    return allocfns[fn].has_site;
}

bool at_allocfn_has_address(enum allocfn fn)
{
    return allocfns[fn].has_address;
}

static tree entry_declare(const struct allocfn_info *info)
{
    const char *letter = info->shape;
    tree result = type_of_letter(*letter++);
    tree arguments = void_list_node;
    tree *tail = &arguments;
    tree decl;

    for (; *letter != ':'; letter++) {
        *tail = tree_cons(NULL_TREE, type_of_letter(*letter), void_list_node);
        tail = &TREE_CHAIN(*tail);
    }
    if (info->has_site) {
        *tail = tree_cons(NULL_TREE, uint64_type_node, void_list_node);
        tail = &TREE_CHAIN(*tail);
    }
    if (info->has_address)
        *tail = tree_cons(NULL_TREE, const_ptr_type_node, void_list_node);
    decl = build_fn_decl(info->entry, build_function_type(result, arguments));
    TREE_NOTHROW(decl) = strchr(letter, 't') == NULL;
    DECL_IS_MALLOC(decl) = strchr(letter, 'm') != NULL;
    return decl;
}

tree at_allocfn_entry(enum allocfn fn)
{
    if (entry_decls[fn] == NULL_TREE)
        entry_decls[fn] = entry_declare(&allocfns[fn]);
    return entry_decls[fn];
}

void at_allocfn_register_roots(const char *plugin_name)
{
    static struct ggc_root_tab roots[] = {
        {entry_decls, N_ALLOCFNS, sizeof entry_decls[0], &gt_ggc_mx_tree_node,
         &gt_pch_nx_tree_node},
        LAST_GGC_ROOT_TAB};

    register_callback(plugin_name, PLUGIN_REGISTER_GGC_ROOTS, NULL,
                      roots);
}
