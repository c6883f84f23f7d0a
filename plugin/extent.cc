/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads sizes: what is left of `sizeof (struct conn)`, `n * sizeof *p` and
 * `sizeof *p + n` once the front end has folded them are constants, alone, as
 * factors or as addends. They choose among the types that a result is used
 * as; they never speak against the only one.
 */
#include "gcc.h"

#include "extent.h"

enum { MAX_DEPTH = 6 };

/* Which arguments of well-known functions are sizes. */
struct size_arguments {
    const char *name;
    int first;  /* bytes, or the first factor */
    int second; /* the other factor, or -1 */
};

static const struct size_arguments size_arguments[] = {
    {"malloc", 0, -1},         {"calloc", 0, 1},         {"realloc", 1, -1},
    {"reallocarray", 1, 2},    {"aligned_alloc", 1, -1}, {"memalign", 1, -1},
    {"posix_memalign", 2, -1}, {"valloc", 0, -1},        {"pvalloc", 0, -1}};

static void term_add(struct extent *extent, HOST_WIDE_INT bytes, int kind,
                     bool is_certain)
{
    struct extent_term *term;

    if (extent->n == MAX_EXTENT_TERMS || bytes <= 0)
        return;
    term = &extent->terms[extent->n++];
    term->bytes = bytes;
    term->kind = (decltype(term->kind))kind;
    term->is_certain = is_certain;
}

static void read_size(struct extent *extent, tree size, int kind,
                      bool is_certain, int depth);

static void read_operation(struct extent *extent, const gassign *stmt, int kind,
                           bool is_certain, int depth)
{
    tree a = gimple_assign_rhs1(stmt);
    tree b = gimple_assign_rhs2(stmt);

    switch (gimple_assign_rhs_code(stmt)) {
    case MULT_EXPR:
        read_size(extent, a, extent_term::EXTENT_FACTOR, is_certain, depth);
        read_size(extent, b, extent_term::EXTENT_FACTOR, is_certain, depth);
        break;
    case LSHIFT_EXPR:
        if (tree_fits_shwi_p(b) && tree_to_shwi(b) < 32)
            term_add(extent, HOST_WIDE_INT_1 << tree_to_shwi(b),
                     extent_term::EXTENT_FACTOR, is_certain);
        break;
    case PLUS_EXPR:
        read_size(extent, a, extent_term::EXTENT_ADDEND, is_certain, depth);
        read_size(extent, b, extent_term::EXTENT_ADDEND, is_certain, depth);
        break;
    case MAX_EXPR: /* Fortran asks for at least one byte. */
        read_size(extent, a, kind, is_certain, depth);
        break;
    default:
        if (gimple_assign_cast_p(stmt) || gimple_assign_single_p(stmt))
            read_size(extent, a, kind, is_certain, depth);
    }
}

/* KIND is that of SIZE itself within what it is a part of. */
static void read_size(struct extent *extent, tree size, int kind,
                      bool is_certain, int depth)
{
    if (--depth < 0)
        return;
    if (TREE_CODE(size) == INTEGER_CST) {
        if (tree_fits_shwi_p(size))
            term_add(extent, tree_to_shwi(size), kind, is_certain);
    } else if (TREE_CODE(size) == SSA_NAME) {
        gassign *stmt = dyn_cast<gassign *>(SSA_NAME_DEF_STMT(size));

        if (stmt)
            read_operation(extent, stmt, kind, is_certain, depth);
    }
}

static const struct size_arguments *size_arguments_of(const gcall *call)
{
    static const struct size_arguments operator_new = {"", 0, -1};
    tree callee = gimple_call_fndecl(call);
    const char *name;

    if (callee == NULL_TREE || DECL_NAME(callee) == NULL_TREE)
        return NULL;
    if (DECL_IS_OPERATOR_NEW_P(callee))
        return &operator_new;
    name = IDENTIFIER_POINTER(DECL_NAME(callee));
    if (startswith(name, "__builtin_"))
        name += strlen("__builtin_");
    for (size_t i = 0; i < ARRAY_SIZE(size_arguments); i++)
        if (strcmp(size_arguments[i].name, name) == 0 &&
            (int)gimple_call_num_args(call) >
                MAX(size_arguments[i].first, size_arguments[i].second))
            return &size_arguments[i];
    return NULL;
}

/* FIRST * SECOND bytes. */
static void read_product(struct extent *extent, tree first, tree second)
{
    if (tree_fits_shwi_p(first) && tree_fits_shwi_p(second)) {
        term_add(extent, tree_to_shwi(first) * tree_to_shwi(second),
                 extent_term::EXTENT_ALONE, true);
    }
    read_size(extent, first, extent_term::EXTENT_FACTOR, true, MAX_DEPTH);
    read_size(extent, second, extent_term::EXTENT_FACTOR, true, MAX_DEPTH);
}

void at_extent_of_call(const gcall *call, struct extent *extent)
{
    const struct size_arguments *known = size_arguments_of(call);

    extent->n = 0;
    if (known && known->second >= 0) {
        read_product(extent, gimple_call_arg(call, known->first),
                     gimple_call_arg(call, known->second));
        return;
    }
    for (int i = 0; i < (int)gimple_call_num_args(call); i++) {
        tree argument = gimple_call_arg(call, i);

        if (INTEGRAL_TYPE_P(TREE_TYPE(argument)) &&
            (known == NULL || known->first == i))
            read_size(extent, argument, extent_term::EXTENT_ALONE,
                      known != NULL, MAX_DEPTH);
    }
}

static int term_fit(const struct extent_term *term, HOST_WIDE_INT size,
                    bool is_record)
{
    /* A small number among a wrapper's arguments may be anything. */
    if (!term->is_certain && !is_record)
        return 0;
    if (term->bytes == size)
        return term->kind == extent_term::EXTENT_ALONE ? 3 : 2;
    return size > 1 && term->bytes % size == 0 ? 1 : 0;
}

int at_extent_fit(const struct extent *extent, tree type)
{
    tree size = TYPE_SIZE_UNIT(type);
    int best = 0;

    if (size == NULL_TREE || !tree_fits_shwi_p(size) || tree_to_shwi(size) < 2)
        return 0;
    for (unsigned i = 0; i < extent->n; i++)
        best = MAX(best, term_fit(&extent->terms[i], tree_to_shwi(size),
                                  RECORD_OR_UNION_TYPE_P(type)));
    return best;
}

bool at_extent_is_array(const struct extent *extent, tree type)
{
    tree size = TYPE_SIZE_UNIT(type);

    for (unsigned i = 0; i < extent->n; i++)
        if (extent->terms[i].kind == extent_term::EXTENT_FACTOR && size &&
            tree_fits_shwi_p(size) &&
            tree_to_shwi(size) == extent->terms[i].bytes)
            return true;
    return false;
}
