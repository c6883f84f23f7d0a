/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes types. C++ has a printer in its front end, which the plugin finds if
 * that is the compiler it was loaded into; C and Fortran are written here, as
 * is everything else, the C way.
 *
 * Each type is written once. For LTO, GCC takes away what only the front end
 * understands before the early pass runs; so the types are written before.
 */
#include "gcc.h"

#include "typetext.h"

enum { MAX_DEPTH = 16 };

/* Stands for a name that is missing: such a type has no text. */
#define NO_NAME "?"

typedef hash_map<int_hash<unsigned, 0, UINT_MAX>, char *> text_map;

/* Texts by TYPE_UID of what type_plain makes of the type. */
static text_map *texts;

/* Fortran: a list from descriptors to the type of their elements. */
static GTY(()) tree elements;

/* The front end's knowledge is gone. */
static bool is_unit_stripped;

static char *buffer;
static size_t n_buffer;
static size_t max_buffer;

static void write_type(tree type, int depth);
static const char *text_known(tree type);
static bool is_cxx(void);

static void add(const char *string)
{
    const size_t n = strlen(string);

    if (n_buffer + n + 1 > max_buffer) {
        max_buffer = 2 * (n_buffer + n + 1);
        buffer = XRESIZEVEC(char, buffer, max_buffer);
    }
    memcpy(buffer + n_buffer, string, n + 1);
    n_buffer += n;
}

bool at_typetext_is_fortran(void)
{
    return startswith(lang_hooks.name, "GNU Fortran");
}

/* The name in TYPE's own declaration, or NULL. */
static const char *own_name(tree type)
{
    tree name = TYPE_NAME(type);

    if (name && TREE_CODE(name) == TYPE_DECL)
        name = DECL_NAME(name);
    return name && !TYPE_NAMELESS(type) ? IDENTIFIER_POINTER(name) : NULL;
}

/* The name of a typedef for TYPE, which has no name itself, or NULL. */
static const char *typedef_name(tree type)
{
    for (tree t = TYPE_MAIN_VARIANT(type); t; t = TYPE_NEXT_VARIANT(t))
        if (TYPE_NAME(t) && TREE_CODE(TYPE_NAME(t)) == TYPE_DECL && own_name(t))
            return own_name(t);
    return NULL;
}

static void write_tagged(tree type, const char *keyword)
{
    tree main = TYPE_MAIN_VARIANT(type);

    if (TYPE_NAME(main) && TREE_CODE(TYPE_NAME(main)) == IDENTIFIER_NODE &&
        own_name(main)) {
        if (!is_cxx())
            add(keyword);
        add(own_name(main));
    } else if (typedef_name(type)) {
        add(typedef_name(type));
    } else {
        add(keyword);
        add("{...}");
    }
}

static void write_parameters(tree function, int depth)
{
    const char *separator = "(";

    if (!prototype_p(function)) {
        add("()");
        return;
    }
    for (tree t = TYPE_ARG_TYPES(function); t; t = TREE_CHAIN(t)) {
        if (t == void_list_node && separator[0] == ',')
            break;
        add(separator);
        write_type(TREE_VALUE(t), depth);
        separator = ", ";
    }
    add(stdarg_p(function) ? ", ...)" : ")");
}

static void write_pointer(tree type, int depth)
{
    tree pointee = TREE_TYPE(type);

    if (TREE_CODE(pointee) == FUNCTION_TYPE) {
        write_type(TREE_TYPE(pointee), depth);
        add(" (*)");
        write_parameters(pointee, depth);
        return;
    }
    if (!POINTER_TYPE_P(pointee) && TYPE_READONLY(pointee))
        add("const ");
    write_type(pointee, depth);
    add(buffer[n_buffer - 1] == '*' ? "*" : " *");
    if (TYPE_READONLY(type))
        add(" const");
}

static void write_array(tree type, int depth)
{
    char bound[40];
    tree domain = TYPE_DOMAIN(type);
    tree max = domain ? TYPE_MAX_VALUE(domain) : NULL_TREE;

    write_type(TREE_TYPE(type), depth);
    if (max && tree_fits_shwi_p(max))
        sprintf(bound, " [" HOST_WIDE_INT_PRINT_DEC "]", tree_to_shwi(max) + 1);
    else
        strcpy(bound, " []");
    add(bound);
}

static void write_scalar(tree type)
{
    const char *name = own_name(type);

    if (name == NULL)
        name = own_name(TYPE_MAIN_VARIANT(type));
    add(name ? name : NO_NAME);
}

static void write_type(tree type, int depth)
{
    const char *known = text_known(type);

    if (known || --depth < 0) {
        add(known ? known : "...");
        return;
    }
    switch (TREE_CODE(type)) {
    case RECORD_TYPE:
        write_tagged(type, "struct ");
        break;
    case UNION_TYPE:
    case QUAL_UNION_TYPE:
        write_tagged(type, "union ");
        break;
    case ENUMERAL_TYPE:
        write_tagged(type, "enum ");
        break;
    case POINTER_TYPE:
    case REFERENCE_TYPE:
        if (own_name(type))
            add(own_name(type));
        else
            write_pointer(type, depth);
        break;
    case ARRAY_TYPE:
        if (own_name(type))
            add(own_name(type));
        else
            write_array(type, depth);
        break;
    default:
        write_scalar(type);
    }
}

static void write_fortran(tree type)
{
    while (POINTER_TYPE_P(type) || TREE_CODE(type) == ARRAY_TYPE)
        type = TREE_TYPE(type);
    if (RECORD_OR_UNION_TYPE_P(type)) {
        add("type(");
        add(own_name(type) ? own_name(type) : NO_NAME);
        add(")");
    } else {
        write_scalar(type);
    }
}

tree at_typetext_complete(tree type)
{
    if (RECORD_OR_UNION_TYPE_P(type) && !COMPLETE_TYPE_P(type) &&
        TYPE_CANONICAL(type) && COMPLETE_TYPE_P(TYPE_CANONICAL(type)))
        return TYPE_CANONICAL(type);
    return type;
}

/* TYPE as it is written: classes have one name, numbers may have several. */
static tree type_plain(tree type)
{
    type = at_typetext_complete(type);
    if (RECORD_OR_UNION_TYPE_P(type))
        return TYPE_MAIN_VARIANT(type);
    if (TYPE_QUALS(type) != TYPE_UNQUALIFIED)
        return build_qualified_type(type, TYPE_UNQUALIFIED);
    return type;
}

static bool is_cxx(void)
{
    return &type_as_string && type_as_string;
}

/* Write NEW for each OLD in the buffer; it is not longer. */
static void replace(const char *old_text, const char *new_text)
{
    const size_t n_old = strlen(old_text);
    const size_t n_new = strlen(new_text);

    for (char *at = buffer; (at = strstr(at, old_text)) != NULL; at += n_new) {
        memcpy(at, new_text, n_new);
        memmove(at + n_new, at + n_old, strlen(at + n_old) + 1);
    }
}

/* C++'s own printer, and names that users of its library know. */
static void write_cxx(tree type)
{
    add(type_as_string(type, 0));
    replace("std::__cxx11::", "std::");
    replace("std::basic_string<char>", "std::string");
}

/* Write plain TYPE into the buffer. */
static void write_whole(tree type)
{
    n_buffer = 0;
    add("");
    if (is_cxx() && !is_unit_stripped)
        write_cxx(type);
    else if (at_typetext_is_fortran())
        write_fortran(type);
    else
        write_type(type, MAX_DEPTH);
    if (!is_cxx() && strchr(buffer, NO_NAME[0]))
        buffer[0] = '\0';
}

/* The text of TYPE if it is known. */
static const char *text_known(tree type)
{
    char **text = texts ? texts->get(TYPE_UID(type_plain(type))) : NULL;

    return text ? *text : NULL;
}

const char *at_typetext(tree type)
{
    bool is_known;

    type = type_plain(type);
    if (texts == NULL)
        texts = new text_map;
    char **text = &texts->get_or_insert(TYPE_UID(type), &is_known);
    if (!is_known) {
        *text = NULL;
        write_whole(type);
        *texts->get(TYPE_UID(type)) = xstrdup(buffer);
    }
    return *texts->get(TYPE_UID(type));
}

static tree field_find(tree type, const char *name)
{
    for (tree f = TYPE_FIELDS(type); f; f = DECL_CHAIN(f))
        if (TREE_CODE(f) == FIELD_DECL && DECL_NAME(f) &&
            strcmp(IDENTIFIER_POINTER(DECL_NAME(f)), name) == 0)
            return f;
    return NULL_TREE;
}

bool at_typetext_is_descriptor(tree type)
{
    return at_typetext_is_fortran() && TREE_CODE(type) == RECORD_TYPE &&
           field_find(type, "dtype") && field_find(type, "data");
}

/* What GCC says of the elements, while it knows. */
static tree element_ask(tree type)
{
    struct array_descr_info info;

    /* Scalars have a descriptor as well; GCC cannot say anything of it. */
    if (!field_find(type, "dim"))
        return NULL_TREE;
    memset(&info, 0, sizeof info);
    if (!lang_hooks.types.get_array_descr_info ||
        !lang_hooks.types.get_array_descr_info(type, &info))
        return NULL_TREE;
    return info.element_type;
}

tree at_typetext_element(tree type)
{
    tree known;

    if (!at_typetext_is_descriptor(type))
        return NULL_TREE;
    type = TYPE_MAIN_VARIANT(type);
    known = purpose_member(type, elements);
    if (known == NULL_TREE && !is_unit_stripped) {
        elements = tree_cons(type, element_ask(type), elements);
        known = elements;
    }
    return known ? TREE_VALUE(known) : NULL_TREE;
}

/* Remember what TYPE points to, or its elements. */
static void type_remember(tree type)
{
    if (POINTER_TYPE_P(type) && !VOID_TYPE_P(TREE_TYPE(type)) &&
        !FUNC_OR_METHOD_TYPE_P(TREE_TYPE(type)))
        at_typetext(TREE_TYPE(type));
    else if (at_typetext_is_descriptor(type) && at_typetext_element(type))
        at_typetext(at_typetext_element(type));
}

static void operand_remember(tree operand)
{
    type_remember(TREE_TYPE(operand));
    for (; handled_component_p(operand); operand = TREE_OPERAND(operand, 0))
        type_remember(TREE_TYPE(TREE_OPERAND(operand, 0)));
    if (TREE_CODE(operand) == MEM_REF) {
        at_typetext(TREE_TYPE(operand));
        type_remember(TREE_TYPE(TREE_OPERAND(operand, 0)));
    }
}

static void statement_remember(gimple *stmt)
{
    tree type = is_gimple_call(stmt) ? gimple_call_fntype(stmt) : NULL_TREE;

    if (!is_gimple_assign(stmt) && !is_gimple_call(stmt))
        return;
    for (unsigned i = 0; i < gimple_num_ops(stmt); i++)
        if (gimple_op(stmt, i) && TREE_TYPE(gimple_op(stmt, i)))
            operand_remember(gimple_op(stmt, i));
    if (type == NULL_TREE)
        return;
    for (tree t = TYPE_ARG_TYPES(type); t; t = TREE_CHAIN(t))
        type_remember(TREE_VALUE(t));
}

void at_typetext_begin_unit(void)
{
    struct cgraph_node *node;
    basic_block bb;

    if (!flag_generate_lto && !flag_generate_offload)
        return;
    FOR_EACH_FUNCTION_WITH_GIMPLE_BODY(node)
    {
        function *fun = DECL_STRUCT_FUNCTION(node->decl);

        if (fun == NULL || fun->cfg == NULL)
            continue;
        type_remember(TREE_TYPE(TREE_TYPE(node->decl)));
        FOR_EACH_BB_FN(bb, fun)
        for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi);
             gsi_next(&gsi))
            statement_remember(gsi_stmt(gsi));
    }
    is_unit_stripped = true;
}

void at_typetext_register_roots(const char *plugin_name)
{
    static struct ggc_root_tab roots[] = {{&elements, 1, sizeof elements,
                                           &gt_ggc_mx_tree_node,
                                           &gt_pch_nx_tree_node},
                                          LAST_GGC_ROOT_TAB};

    register_callback(plugin_name, PLUGIN_REGISTER_GGC_ROOTS, NULL, roots);
}
