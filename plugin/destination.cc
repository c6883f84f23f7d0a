/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes places in memory as the source does. Early in the compilation they
 * still have their members and names; what GCC took apart into temporaries
 * (`_1 = v->items; _2 = i * 8; *(_1 + _2)`) is put together again. What does
 * not fit gives no text at all rather than a wrong one.
 */
#include "gcc.h"

#include "destination.h"
#include "typetext.h"

enum { MAX_TEXT = 160, MAX_DEPTH = 12 };

struct text {
    char data[MAX_TEXT];
    unsigned n;
    bool is_bad; /* some part cannot be written */
};

static void write_value(struct text *text, tree value, int depth);
static void write_place(struct text *text, tree place, int depth);

static void add(struct text *text, const char *string)
{
    const size_t n = strlen(string);

    if (text->n + n >= MAX_TEXT) {
        text->is_bad = true;
        return;
    }
    memcpy(text->data + text->n, string, n + 1);
    text->n += n;
}

static void add_number(struct text *text, HOST_WIDE_INT number)
{
    char digits[32];

    sprintf(digits, HOST_WIDE_INT_PRINT_DEC, number);
    add(text, digits);
}

bool at_destination_is_named(tree decl)
{
    const char *name;

    if (decl == NULL_TREE || !DECL_P(decl) || DECL_NAME(decl) == NULL_TREE)
        return false;
    name = IDENTIFIER_POINTER(DECL_NAME(decl));
    if (DECL_ARTIFICIAL(decl) && strcmp(name, "this") != 0 &&
        strcmp(name, "__closure") != 0)
        return false;
    return strchr(name, '.') == NULL && strchr(name, '$') == NULL &&
           !startswith(name, "__for_");
}

static void write_name(struct text *text, tree decl)
{
    if (at_destination_is_named(decl))
        add(text, IDENTIFIER_POINTER(DECL_NAME(decl)));
    else
        text->is_bad = true;
}

static gimple *definition(tree name)
{
    return TREE_CODE(name) == SSA_NAME ? SSA_NAME_DEF_STMT(name) : NULL;
}

/* Whether a pointer of this kind is written like the thing it points to. */
static bool is_written_without_star(tree pointer)
{
    return TREE_CODE(TREE_TYPE(pointer)) == REFERENCE_TYPE ||
           at_typetext_is_fortran();
}

/*
 * If BYTES is a constant, and a whole number of elements of SIZE bytes: that
 * number. Offsets have an unsigned type, whatever their sign.
 */
static bool is_whole_number(tree bytes, HOST_WIDE_INT size, HOST_WIDE_INT *n)
{
    if (size == 0 || TREE_CODE(bytes) != INTEGER_CST ||
        !cst_and_fits_in_hwi(bytes))
        return false;
    *n = int_cst_value(bytes) / size;
    return *n * size == int_cst_value(bytes);
}

/* STMT is `result = operand CODE n * size`, with a constant n. */
static bool is_multiple(const gimple *stmt, enum tree_code code,
                        HOST_WIDE_INT size, HOST_WIDE_INT *n)
{
    return stmt && is_gimple_assign(stmt) &&
           gimple_assign_rhs_code(stmt) == code &&
           is_whole_number(gimple_assign_rhs2(stmt), size, n);
}

/* OFFSET bytes as a number of elements of SIZE bytes. */
static void write_index(struct text *text, tree offset, HOST_WIDE_INT size,
                        int depth)
{
    gimple *stmt = definition(offset);
    HOST_WIDE_INT n;

    if (--depth < 0) {
        text->is_bad = true;
    } else if (is_whole_number(offset, size, &n)) {
        add_number(text, n);
    } else if (size == 1) {
        write_value(text, offset, depth);
    } else if (is_multiple(stmt, MULT_EXPR, size, &n) && n == 1) {
        write_value(text, gimple_assign_rhs1(stmt), depth);
    } else if (is_multiple(stmt, PLUS_EXPR, size, &n)) {
        write_index(text, gimple_assign_rhs1(stmt), size, depth);
        add(text, n < 0 ? " - " : " + ");
        add_number(text, n < 0 ? -n : n);
    } else {
        text->is_bad = true;
    }
}

/* Element [OFFSET bytes] of POINTER, whose elements have SIZE bytes. */
static void write_indexed(struct text *text, tree pointer, tree offset,
                          HOST_WIDE_INT size, int depth)
{
    write_value(text, pointer, depth);
    add(text, "[");
    write_index(text, offset, size, depth);
    add(text, "]");
}

static HOST_WIDE_INT type_bytes(tree type)
{
    tree size = TYPE_SIZE_UNIT(type);

    return size && tree_fits_shwi_p(size) ? tree_to_shwi(size) : 0;
}

/*
 * What pointer BASE plus OFFSET bytes points to. If it is plainly `*base`,
 * nothing is written but the pointer, and true is returned: the caller knows
 * whether that is `*base` or `base->`.
 */
static bool write_pointee(struct text *text, tree base, tree offset, int depth)
{
    gimple *stmt = definition(base);
    tree pointee = TREE_TYPE(TREE_TYPE(base));

    if (TREE_CODE(base) == ADDR_EXPR && integer_zerop(offset)) {
        write_place(text, TREE_OPERAND(base, 0), depth);
        return false;
    }
    if (!integer_zerop(offset)) {
        write_indexed(text, base, offset, type_bytes(pointee), depth);
        return false;
    }
    if (stmt && is_gimple_assign(stmt) &&
        gimple_assign_rhs_code(stmt) == POINTER_PLUS_EXPR &&
        !at_destination_is_named(SSA_NAME_VAR(base))) {
        write_indexed(text, gimple_assign_rhs1(stmt), gimple_assign_rhs2(stmt),
                      type_bytes(pointee), depth);
        return false;
    }
    write_value(text, base, depth);
    return !is_written_without_star(base);
}

/* The object of a member access, with the operator behind it. */
static void write_object(struct text *text, tree object, int depth)
{
    bool is_pointer = false;

    if (TREE_CODE(object) == COMPONENT_REF &&
        DECL_NAME(TREE_OPERAND(object, 1)) == NULL_TREE) {
        write_object(text, TREE_OPERAND(object, 0), depth);
        return;
    }
    if (TREE_CODE(object) == MEM_REF)
        is_pointer = write_pointee(text, TREE_OPERAND(object, 0),
                                   TREE_OPERAND(object, 1), depth);
    else
        write_place(text, object, depth);
    add(text, at_typetext_is_fortran() ? "%" : is_pointer ? "->" : ".");
}

/* Whether OBJECT is the environment of a lambda: its members are variables. */
static bool is_closure(tree object)
{
    tree base =
        TREE_CODE(object) == MEM_REF ? TREE_OPERAND(object, 0) : NULL_TREE;
    tree decl =
        base && TREE_CODE(base) == SSA_NAME ? SSA_NAME_VAR(base) : NULL_TREE;

    return decl && DECL_NAME(decl) &&
           strcmp(IDENTIFIER_POINTER(DECL_NAME(decl)), "__closure") == 0;
}

static void write_member(struct text *text, tree place, int depth)
{
    tree object = TREE_OPERAND(place, 0);
    tree field = TREE_OPERAND(place, 1);
    const char *name;

    if (DECL_NAME(field) == NULL_TREE) {
        text->is_bad = true;
        return;
    }
    name = IDENTIFIER_POINTER(DECL_NAME(field));
    if (at_typetext_is_descriptor(TREE_TYPE(object)) &&
        strcmp(name, "data") == 0) {
        if (TREE_CODE(object) == MEM_REF)
            write_pointee(text, TREE_OPERAND(object, 0),
                          TREE_OPERAND(object, 1), depth);
        else
            write_place(text, object, depth);
        return;
    }
    if (is_closure(object))
        name += startswith(name, "__") ? 2 : 0;
    else
        write_object(text, object, depth);
    add(text, name);
}

static void write_element(struct text *text, tree place, int depth)
{
    write_place(text, TREE_OPERAND(place, 0), depth);
    add(text, "[");
    write_value(text, TREE_OPERAND(place, 1), depth);
    add(text, "]");
}

static void write_memory(struct text *text, tree place, int depth)
{
    const unsigned begin = text->n;

    if (!write_pointee(text, TREE_OPERAND(place, 0), TREE_OPERAND(place, 1),
                       depth) ||
        text->is_bad)
        return;
    if (text->n + 1 >= MAX_TEXT) {
        text->is_bad = true;
        return;
    }
    memmove(text->data + begin + 1, text->data + begin, text->n - begin + 1);
    text->data[begin] = '*';
    text->n++;
}

static void write_place(struct text *text, tree place, int depth)
{
    if (--depth < 0 || text->is_bad) {
        text->is_bad = true;
        return;
    }
    switch (TREE_CODE(place)) {
    case VAR_DECL:
    case PARM_DECL:
    case RESULT_DECL:
        write_name(text, place);
        break;
    case COMPONENT_REF:
        write_member(text, place, depth);
        break;
    case ARRAY_REF:
        write_element(text, place, depth);
        break;
    case MEM_REF:
        write_memory(text, place, depth);
        break;
    default:
        text->is_bad = true;
    }
}

static void write_call(struct text *text, const gcall *call)
{
    tree callee = gimple_call_fndecl(call);

    if (callee == NULL_TREE || DECL_NAME(callee) == NULL_TREE ||
        startswith(IDENTIFIER_POINTER(DECL_NAME(callee)), "operator")) {
        text->is_bad = true;
        return;
    }
    add(text, IDENTIFIER_POINTER(DECL_NAME(callee)));
    add(text, gimple_call_num_args(call) > 0 ? "(...)" : "()");
}

static void write_sum(struct text *text, const gassign *stmt, const char *sign,
                      int depth)
{
    write_value(text, gimple_assign_rhs1(stmt), depth);
    add(text, sign);
    write_value(text, gimple_assign_rhs2(stmt), depth);
}

static void write_assigned(struct text *text, const gassign *stmt, int depth)
{
    tree operand = gimple_assign_rhs1(stmt);

    if (gimple_assign_rhs_code(stmt) == PLUS_EXPR)
        write_sum(text, stmt, " + ", depth);
    else if (gimple_assign_rhs_code(stmt) == MINUS_EXPR)
        write_sum(text, stmt, " - ", depth);
    else if (gimple_assign_cast_p(stmt) ||
             gimple_assign_ssa_name_copy_p(const_cast<gassign *>(stmt)))
        write_value(text, operand, depth);
    else if (gimple_assign_load_p(stmt))
        write_place(text, operand, depth);
    else if (gimple_assign_rhs_code(stmt) == ADDR_EXPR) {
        add(text, "&");
        write_place(text, TREE_OPERAND(operand, 0), depth);
    } else
        text->is_bad = true;
}

static void write_value(struct text *text, tree value, int depth)
{
    gimple *stmt;

    if (--depth < 0 || text->is_bad) {
        text->is_bad = true;
        return;
    }
    if (TREE_CODE(value) == INTEGER_CST && tree_fits_shwi_p(value)) {
        add_number(text, tree_to_shwi(value));
        return;
    }
    if (TREE_CODE(value) != SSA_NAME) {
        write_place(text, value, depth);
        return;
    }
    stmt = SSA_NAME_DEF_STMT(value);
    if (at_destination_is_named(SSA_NAME_VAR(value)))
        write_name(text, SSA_NAME_VAR(value));
    else if (const gassign *assign = dyn_cast<const gassign *>(stmt))
        write_assigned(text, assign, depth);
    else if (const gcall *call = dyn_cast<const gcall *>(stmt))
        write_call(text, call);
    else
        text->is_bad = true;
}

const char *at_destination_text(tree expression)
{
    static struct text text;

    text.n = 0;
    text.data[0] = '\0';
    text.is_bad = false;
    write_value(&text, expression, MAX_DEPTH);
    return text.is_bad ? "" : text.data;
}
