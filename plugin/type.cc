/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Follows the result of a call through its function, and gathers what the
 * source says of the object: the types of the variables, members, parameters
 * and return values that its address is put into, and the types by which it
 * is accessed. One of them is chosen, by the order of enum rank, unless the
 * size that the call asks for clearly speaks for another. If two are equally
 * good nothing is known: a wrong type is worse than none.
 */
#include "gcc.h"

#include "allocfn.h"
#include "destination.h"
#include "extent.h"
#include "type.h"
#include "typetext.h"

/* Where a type was seen, the most telling place first. */
enum rank {
    RANK_CONSTRUCTOR, /* the object is constructed by its class */
    RANK_RESULT,      /* what is called returns more than it is assigned to */
    RANK_VARIABLE,    /* the variable that the call's result is assigned to */
    RANK_COPY,        /* a variable or temporary that it is copied to */
    RANK_STORE,       /* a place in memory that it is stored in */
    RANK_AGGREGATE,   /* a member is accessed, or the whole */
    RANK_ARGUMENT,    /* a parameter that it is passed for */
    RANK_RETURN,      /* the function's own return type */
    RANK_SCALAR,      /* accessed as a number or a pointer */
    RANK_MEMBER,      /* what the address of the first member is put into */
    RANK_OFFSET       /* the same, and accesses, somewhere behind the start */
};

struct evidence {
    tree type;
    enum rank rank;
    int fit; /* at_extent_fit */
};

/* Whither in the object an address points. */
enum part { PART_BEGIN, PART_MEMBER, PART_OFFSET };

/* An address to be followed. */
struct step {
    tree holder; /* an SSA name, or a local variable in memory */
    enum part part;
    unsigned level; /* how many copies away from the call */
};

enum { MAX_STEPS = 64 };

struct walk {
    function *fun;
    gcall *call;
    struct extent extent;
    vec<struct step> steps;
    vec<struct evidence> evidence;
    bitmap seen;             /* SSA names: 2 * version, + 1 for PART_OFFSET */
    bool is_new;             /* the call is part of a new expression */
    bool is_array;           /* of such a one for an array */
    bool has_cookie;         /* of an array, whose length stands before it */
    bool is_returned_inside; /* a pointer behind the start is returned */
    unsigned target_level;   /* of finding->destination */
    unsigned target_uid;
    struct finding *finding;
};

static bool type_is_bytes(tree type)
{
    return INTEGRAL_TYPE_P(type) && TYPE_PRECISION(type) <= BITS_PER_UNIT &&
           TREE_CODE(type) != BOOLEAN_TYPE;
}

/* TYPE was seen at RANK, for an address that points to PART. */
static void evidence_add(struct walk *walk, tree type, enum rank rank,
                         enum part part)
{
    struct evidence evidence;

    type = at_typetext_complete(type);
    if (part == PART_MEMBER && rank < RANK_MEMBER)
        rank = RANK_MEMBER;
    if (part == PART_OFFSET)
        rank = RANK_OFFSET;
    while (at_typetext_is_fortran() && TREE_CODE(type) == ARRAY_TYPE)
        type = TREE_TYPE(type);
    if (VOID_TYPE_P(type) || FUNC_OR_METHOD_TYPE_P(type))
        return;
    /* Anything may be read as bytes: only a destination says that it is. */
    if (type_is_bytes(type) && rank > RANK_STORE && rank != RANK_RETURN)
        return;
    evidence.type = type;
    evidence.rank = rank;
    evidence.fit = at_extent_fit(&walk->extent, type);
    /* An element of an array, if the size is a multiple; else only a part. */
    if (rank == RANK_OFFSET && !at_extent_is_array(&walk->extent, type))
        return;
    if (rank == RANK_SCALAR || rank == RANK_OFFSET)
        evidence.fit = 0;
    walk->evidence.safe_push(evidence);
}

static void evidence_add_pointee(struct walk *walk, tree pointer,
                                 enum rank rank, enum part part)
{
    if (POINTER_TYPE_P(pointer))
        evidence_add(walk, TREE_TYPE(pointer), rank, part);
}

/* The address is stored in PLACE by statement UID, LEVEL copies away. */
static void target_add(struct walk *walk, tree place, unsigned uid,
                       unsigned level)
{
    if (walk->finding->destination &&
        (level > walk->target_level ||
         (level == walk->target_level && uid >= walk->target_uid)))
        return;
    if (at_destination_text(place)[0] == '\0')
        return;
    walk->finding->destination = place;
    walk->target_level = level;
    walk->target_uid = uid;
}

/* Follow HOLDER, which statement UID puts the address into. */
static void step_add(struct walk *walk, tree holder, enum part part,
                     unsigned level, unsigned uid)
{
    const struct step step = {holder, part, level};

    if (walk->steps.length() >= MAX_STEPS)
        return;
    if (TREE_CODE(holder) == SSA_NAME) {
        if (!POINTER_TYPE_P(TREE_TYPE(holder)) ||
            !bitmap_set_bit(walk->seen, 2 * SSA_NAME_VERSION(holder) +
                                            (part == PART_OFFSET)))
            return;
        evidence_add_pointee(walk, TREE_TYPE(holder),
                             level == 0 ? RANK_VARIABLE : RANK_COPY, part);
        if (part == PART_BEGIN && SSA_NAME_VAR(holder) &&
            at_destination_is_named(SSA_NAME_VAR(holder)))
            target_add(walk, SSA_NAME_VAR(holder), uid, level);
    } else {
        for (unsigned i = 0; i < walk->steps.length(); i++)
            if (walk->steps[i].holder == holder)
                return;
    }
    walk->steps.safe_push(step);
}

static bool is_local_memory(tree place)
{
    return TREE_CODE(place) == VAR_DECL && auto_var_p(place);
}

/* Whether TYPE is `void **`. */
static bool is_out_type(tree type)
{
    return TREE_CODE(type) == POINTER_TYPE &&
           TREE_CODE(TREE_TYPE(type)) == POINTER_TYPE &&
           VOID_TYPE_P(TREE_TYPE(TREE_TYPE(type)));
}

/* Whether PLACE is `*parameter`, of a parameter that is a `void **`. */
static bool is_out_parameter(tree place)
{
    tree pointer =
        TREE_CODE(place) == MEM_REF ? TREE_OPERAND(place, 0) : NULL_TREE;

    return pointer && TREE_CODE(pointer) == SSA_NAME &&
           SSA_NAME_IS_DEFAULT_DEF(pointer) && SSA_NAME_VAR(pointer) &&
           TREE_CODE(SSA_NAME_VAR(pointer)) == PARM_DECL &&
           integer_zerop(TREE_OPERAND(place, 1)) &&
           is_out_type(TREE_TYPE(SSA_NAME_VAR(pointer)));
}

/* The function hands out the address that STEP is about. */
static void return_note(struct walk *walk, const struct step *step)
{
    walk->finding->is_returned = true;
    walk->is_returned_inside |= step->part == PART_OFFSET;
}

/* A statement stores the address in PLACE, which is no SSA name. */
static void store_follow(struct walk *walk, tree place, unsigned uid,
                         const struct step *step)
{
    const bool is_variable = DECL_P(place);
    tree element = NULL_TREE;

    if (TREE_CODE(place) == COMPONENT_REF)
        element = at_typetext_element(TREE_TYPE(TREE_OPERAND(place, 0)));
    if (element)
        evidence_add(walk, element, RANK_STORE, step->part);
    else
        evidence_add_pointee(walk, TREE_TYPE(place),
                             is_variable ? RANK_COPY : RANK_STORE, step->part);
    if (step->part == PART_BEGIN)
        target_add(walk, place, uid, step->level + 1);
    if (is_out_parameter(place))
        return_note(walk, step);
    if (is_local_memory(place))
        step_add(walk, place, step->part, step->level + 1, uid);
}

/* If OPERAND is within what NAME points to: the reference to the whole. */
static tree reference_through(tree operand, tree name)
{
    while (handled_component_p(operand))
        operand = TREE_OPERAND(operand, 0);
    return TREE_CODE(operand) == MEM_REF && TREE_OPERAND(operand, 0) == name
               ? operand
               : NULL_TREE;
}

/* The type of the reference is the source's, not of GCC's own making. */
static bool reference_is_sources(tree reference)
{
    tree alias = TREE_TYPE(TREE_OPERAND(reference, 1));

    return !TYPE_REF_CAN_ALIAS_ALL(alias) &&
           TYPE_MAIN_VARIANT(TREE_TYPE(alias)) ==
               TYPE_MAIN_VARIANT(TREE_TYPE(reference));
}

static void access_follow(struct walk *walk, tree operand,
                          const struct step *step)
{
    tree reference = reference_through(operand, step->holder);
    tree type;

    if (reference == NULL_TREE || !reference_is_sources(reference))
        return;
    type = TREE_TYPE(reference);
    if (!integer_zerop(TREE_OPERAND(reference, 1)))
        evidence_add(walk, type, RANK_OFFSET, PART_OFFSET);
    else if (AGGREGATE_TYPE_P(type))
        evidence_add(walk, type, RANK_AGGREGATE, step->part);
    else if (walk->is_new && step->part == PART_BEGIN && step->level == 0)
        walk->has_cookie = true;
    else
        evidence_add(walk, type, RANK_SCALAR, step->part);
}

/* RESULT = &holder->...: the address of a member. */
static void member_follow(struct walk *walk, tree result, tree member,
                          unsigned uid, const struct step *step)
{
    poly_int64 offset;
    tree base = get_addr_base_and_unit_offset(member, &offset);
    const bool is_begin = base && known_eq(offset, 0);

    access_follow(walk, member, step);
    if (TREE_CODE(member) == MEM_REF && is_begin)
        step_add(walk, result, step->part, step->level + 1, uid);
    else
        step_add(walk, result,
                 is_begin && step->part != PART_OFFSET ? PART_MEMBER
                                                       : PART_OFFSET,
                 step->level + 1, uid);
}

static void assignment_follow(struct walk *walk, gassign *stmt,
                              const struct step *step)
{
    tree lhs = gimple_assign_lhs(stmt);
    tree rhs = gimple_assign_rhs1(stmt);
    const unsigned uid = gimple_uid(stmt);

    access_follow(walk, lhs, step);
    if (rhs == step->holder &&
        gimple_assign_rhs_code(stmt) == POINTER_PLUS_EXPR)
        step_add(walk, lhs,
                 walk->has_cookie && step->level == 0 ? PART_BEGIN
                                                      : PART_OFFSET,
                 step->level + 1, uid);
    else if (rhs == step->holder && TREE_CODE(lhs) != SSA_NAME)
        store_follow(walk, lhs, uid, step);
    else if (rhs == step->holder &&
             (gimple_assign_cast_p(stmt) || gimple_assign_single_p(stmt)))
        step_add(walk, lhs, step->part, step->level + 1, uid);
    else if (TREE_CODE(rhs) == ADDR_EXPR && TREE_CODE(lhs) == SSA_NAME &&
             reference_through(TREE_OPERAND(rhs, 0), step->holder))
        member_follow(walk, lhs, TREE_OPERAND(rhs, 0), uid, step);
    else if (gimple_assign_single_p(stmt))
        access_follow(walk, rhs, step);
}

/* The variable that a constructor, called by CALL, makes; or NULL_TREE. */
static tree constructed_variable(const gcall *call)
{
    tree object = gimple_call_arg(call, 0);

    return TREE_CODE(object) == ADDR_EXPR && DECL_P(TREE_OPERAND(object, 0))
               ? TREE_OPERAND(object, 0)
               : NULL_TREE;
}

/* The address is argument INDEX of CALL, whose parameter is of TYPE. */
static void argument_follow(struct walk *walk, gcall *call, unsigned index,
                            tree type, const struct step *step)
{
    tree callee = gimple_call_fndecl(call);
    const bool is_constructor = callee && DECL_CXX_CONSTRUCTOR_P(callee);

    if (is_constructor && index == 0) {
        if (walk->is_new && type)
            evidence_add_pointee(walk, type, RANK_CONSTRUCTOR, step->part);
        return;
    }
    if (type)
        evidence_add_pointee(walk, type, RANK_ARGUMENT, step->part);
    if (is_constructor && index == 1 && step->part == PART_BEGIN &&
        constructed_variable(call))
        target_add(walk, constructed_variable(call), gimple_uid(call),
                   step->level + 1);
}

/* Whether FN, if its body has been seen, returns its parameter INDEX. */
static bool body_returns_parameter(tree fn, unsigned index)
{
    function *body = DECL_STRUCT_FUNCTION(fn);
    tree parameter = DECL_ARGUMENTS(fn);
    edge_iterator ei;
    edge e;

    if (!body || !body->cfg || !gimple_in_ssa_p(body) ||
        EDGE_COUNT(EXIT_BLOCK_PTR_FOR_FN(body)->preds) == 0)
        return false;
    while (parameter && index-- > 0)
        parameter = DECL_CHAIN(parameter);
    FOR_EACH_EDGE(e, ei, EXIT_BLOCK_PTR_FOR_FN(body)->preds)
    {
        gimple_stmt_iterator gsi = gsi_last_nondebug_bb(e->src);
        greturn *stmt =
            gsi_end_p(gsi) ? NULL : dyn_cast<greturn *>(gsi_stmt(gsi));
        tree value = stmt ? gimple_return_retval(stmt) : NULL_TREE;

        if (value == NULL_TREE || TREE_CODE(value) != SSA_NAME)
            return false;
        while (gassign *copy = dyn_cast<gassign *>(SSA_NAME_DEF_STMT(value)))
            if (gimple_assign_ssa_name_copy_p(copy))
                value = gimple_assign_rhs1(copy);
            else
                break;
        if (!SSA_NAME_IS_DEFAULT_DEF(value) || !parameter ||
            SSA_NAME_VAR(value) != parameter)
            return false;
    }
    return true;
}

/* Whether CALL's result is its argument INDEX: memset, strcpy and so on. */
static bool call_returns_argument(const gcall *call, unsigned index)
{
    const int flags = gimple_call_return_flags(call);
    tree callee = gimple_call_fndecl(call);
    tree result = gimple_call_lhs(call);

    if (result == NULL_TREE || TREE_CODE(result) != SSA_NAME ||
        !POINTER_TYPE_P(TREE_TYPE(result)))
        return false;
    if (flags & ERF_RETURNS_ARG)
        return (unsigned)(flags & ERF_RETURN_ARG_MASK) == index;
    return callee && body_returns_parameter(callee, index);
}

static void call_follow(struct walk *walk, gcall *call, const struct step *step)
{
    tree type = gimple_call_fntype(call);
    tree parameter = type ? TYPE_ARG_TYPES(type) : NULL_TREE;

    for (unsigned i = 0; i < gimple_call_num_args(call); i++) {
        tree argument = gimple_call_arg(call, i);

        if (argument == step->holder) {
            argument_follow(walk, call, i,
                            parameter ? TREE_VALUE(parameter) : NULL_TREE,
                            step);
            if (call_returns_argument(call, i))
                step_add(walk, gimple_call_lhs(call), step->part,
                         step->level + 1, gimple_uid(call));
        } else {
            access_follow(walk, argument, step);
        }
        parameter = parameter ? TREE_CHAIN(parameter) : NULL_TREE;
    }
    if (gimple_call_lhs(call))
        access_follow(walk, gimple_call_lhs(call), step);
}

static void use_follow(struct walk *walk, gimple *stmt, const struct step *step)
{
    switch (gimple_code(stmt)) {
    case GIMPLE_PHI:
        step_add(walk, gimple_phi_result(stmt), step->part, step->level + 1,
                 gimple_uid(stmt));
        break;
    case GIMPLE_ASSIGN:
        assignment_follow(walk, as_a<gassign *>(stmt), step);
        break;
    case GIMPLE_CALL:
        call_follow(walk, as_a<gcall *>(stmt), step);
        break;
    case GIMPLE_RETURN:
        return_note(walk, step);
        if (step->part == PART_BEGIN)
            evidence_add_pointee(walk, TREE_TYPE(TREE_TYPE(walk->fun->decl)),
                                 RANK_RETURN, step->part);
        break;
    default:
        break;
    }
}

/* Follow the loads of a local variable that lives in memory. */
static void memory_follow(struct walk *walk, const struct step *step)
{
    basic_block bb;

    FOR_EACH_BB_FN(bb, walk->fun)
    for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi);
         gsi_next(&gsi)) {
        gimple *stmt = gsi_stmt(gsi);

        if (gimple_assign_single_p(stmt) &&
            gimple_assign_rhs1(stmt) == step->holder &&
            TREE_CODE(gimple_assign_lhs(stmt)) == SSA_NAME)
            step_add(walk, gimple_assign_lhs(stmt), step->part, step->level + 1,
                     gimple_uid(stmt));
    }
}

static void steps_follow(struct walk *walk)
{
    for (unsigned i = 0; i < walk->steps.length(); i++) {
        const struct step step = walk->steps[i];
        imm_use_iterator iterator;
        use_operand_p use;

        if (TREE_CODE(step.holder) != SSA_NAME) {
            memory_follow(walk, &step);
            continue;
        }
        if (walk->is_new && i == 0) /* Find the cookie first. */
            FOR_EACH_IMM_USE_FAST(use, iterator, step.holder)
        if (gimple_assign_single_p(USE_STMT(use)))
            access_follow(walk, gimple_assign_lhs(USE_STMT(use)), &step);
        FOR_EACH_IMM_USE_FAST(use, iterator, step.holder)
        if (!is_gimple_debug(USE_STMT(use)))
            use_follow(walk, USE_STMT(use), &step);
    }
}

/* Whether A says more than B: 1; less: -1; as much: 0. */
static int evidence_compare(const struct evidence *a, const struct evidence *b)
{
    const bool a_is_made = a->rank == RANK_CONSTRUCTOR;
    const bool b_is_made = b->rank == RANK_CONSTRUCTOR;
    const bool a_fits = a->fit >= 2;
    const bool b_fits = b->fit >= 2;

    if (a_is_made != b_is_made)
        return a_is_made ? 1 : -1;
    if (a_fits != b_fits)
        return a_fits ? 1 : -1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? 1 : -1;
    return a_fits ? a->fit - b->fit : 0;
}

/*
 * `new` asks for exactly what its type needs: what does not fit is a base of
 * the object's class.
 */
static bool evidence_is_possible(const struct walk *walk,
                                 const struct evidence *evidence)
{
    tree size = TYPE_SIZE_UNIT(evidence->type);

    if (!walk->is_new || walk->has_cookie || walk->extent.n == 0 ||
        evidence->rank == RANK_CONSTRUCTOR ||
        !RECORD_OR_UNION_TYPE_P(evidence->type))
        return true;
    if (size != NULL_TREE && integer_onep(size))
        return true;
    return evidence->fit >= (walk->is_array ? 1 : 3);
}

static tree type_choose(const struct walk *walk)
{
    const struct evidence *best = NULL;
    bool is_open = false;

    for (unsigned i = 0; i < walk->evidence.length(); i++) {
        const struct evidence *evidence = &walk->evidence[i];
        const int order = best ? evidence_compare(evidence, best) : 1;

        if (!evidence_is_possible(walk, evidence))
            continue;
        if (order > 0) {
            best = evidence;
            is_open = false;
        } else if (order == 0 && TYPE_MAIN_VARIANT(evidence->type) !=
                                     TYPE_MAIN_VARIANT(best->type)) {
            is_open = true;
        }
    }
    if (best == NULL || is_open)
        return NULL_TREE;
    /* `*p = n; return p + 1`: the number is a header, no object. */
    if (walk->is_returned_inside && !AGGREGATE_TYPE_P(best->type))
        return NULL_TREE;
    return best->type;
}

/* The argument of CALL through which it hands out memory, or NULL_TREE. */
static tree out_argument(const gcall *call)
{
    static const char *const names[] = {"posix_memalign", "asprintf",
                                        "vasprintf", "getline", "getdelim"};
    tree callee = gimple_call_fndecl(call);
    tree type = gimple_call_fntype(call);

    if (gimple_call_num_args(call) == 0 || type == NULL_TREE)
        return NULL_TREE;
    if (callee && DECL_NAME(callee))
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
            if (strstr(IDENTIFIER_POINTER(DECL_NAME(callee)), names[i]))
                return gimple_call_arg(call, 0);
    tree parameter = TYPE_ARG_TYPES(type);

    for (unsigned i = 0; parameter && i < gimple_call_num_args(call); i++) {
        if (is_out_type(TREE_VALUE(parameter)))
            return gimple_call_arg(call, i);
        parameter = TREE_CHAIN(parameter);
    }
    return NULL_TREE;
}

/* Begin where CALL puts the address into what ARGUMENT points to. */
static void begin_at_argument(struct walk *walk, tree argument)
{
    const struct step step = {argument, PART_BEGIN, 0};
    gassign *stmt;

    if (TREE_CODE(argument) == SSA_NAME) {
        stmt = dyn_cast<gassign *>(SSA_NAME_DEF_STMT(argument));
        if (stmt && gimple_assign_rhs_code(stmt) == ADDR_EXPR)
            argument = gimple_assign_rhs1(stmt);
    }
    if (TREE_CODE(argument) == ADDR_EXPR)
        store_follow(walk, TREE_OPERAND(argument, 0), 0, &step);
    else if (TREE_CODE(argument) == SSA_NAME &&
             POINTER_TYPE_P(TREE_TYPE(argument)) &&
             POINTER_TYPE_P(TREE_TYPE(TREE_TYPE(argument))))
        store_follow(walk, build_simple_mem_ref(argument), 0, &step);
}

/*
 * The last of the copies that GCC makes of NAME before anything uses it, or
 * NAME: with -fnon-call-exceptions what a call returns is taken that way.
 */
static tree last_copy(tree name)
{
    use_operand_p use;
    gimple *stmt;

    while (single_imm_use(name, &use, &stmt) &&
           gimple_assign_ssa_name_copy_p(stmt) &&
           !at_destination_is_named(SSA_NAME_VAR(gimple_assign_lhs(stmt))))
        name = gimple_assign_lhs(stmt);
    return name;
}

static bool begin(struct walk *walk)
{
    tree result = gimple_call_lhs(walk->call);
    tree argument = out_argument(walk->call);
    const struct step step = {NULL_TREE, PART_BEGIN, 0};

    if (result && TREE_CODE(TREE_TYPE(result)) == POINTER_TYPE) {
        if (TREE_CODE(result) == SSA_NAME)
            step_add(walk, last_copy(result), PART_BEGIN, 0, 0);
        else
            store_follow(walk, result, 0, &step);
        return true;
    }
    if (argument)
        begin_at_argument(walk, argument);
    return argument != NULL_TREE;
}

static HOST_WIDE_INT pointee_size(tree pointer)
{
    tree type = at_typetext_complete(TREE_TYPE(pointer));
    tree size = TYPE_SIZE_UNIT(type);

    return size && tree_fits_shwi_p(size) ? tree_to_shwi(size) : 0;
}

/* A function that returns a derived class says more than a base's pointer. */
static void add_result(struct walk *walk)
{
    tree type = gimple_call_fntype(walk->call);
    tree result = gimple_call_lhs(walk->call);

    if (type && result && TREE_CODE(TREE_TYPE(type)) == POINTER_TYPE &&
        POINTER_TYPE_P(TREE_TYPE(result)) &&
        RECORD_OR_UNION_TYPE_P(TREE_TYPE(TREE_TYPE(type))) &&
        pointee_size(TREE_TYPE(type)) > pointee_size(TREE_TYPE(result)))
        evidence_add_pointee(walk, TREE_TYPE(type), RANK_RESULT, PART_BEGIN);
}

/* What realloc is given is of the type that it returns. */
static void add_reallocated(struct walk *walk)
{
    tree callee = gimple_call_fndecl(walk->call);
    const char *name = callee && DECL_NAME(callee)
                           ? IDENTIFIER_POINTER(DECL_NAME(callee))
                           : "";

    if ((strcmp(name, "realloc") == 0 || strcmp(name, "reallocarray") == 0) &&
        gimple_call_num_args(walk->call) > 0)
        evidence_add_pointee(walk, TREE_TYPE(gimple_call_arg(walk->call, 0)),
                             RANK_ARGUMENT, PART_BEGIN);
}

bool at_type_find(function *fun, gcall *call, struct finding *finding)
{
    struct walk walk;
    auto_bitmap seen;
    bool is_found;

    memset(&walk, 0, sizeof walk);
    memset(finding, 0, sizeof *finding);
    walk.fun = fun;
    walk.call = call;
    walk.seen = seen;
    walk.is_new = gimple_call_from_new_or_delete(call);
    walk.is_array =
        walk.is_new && gimple_call_fndecl(call) &&
        startswith(at_assembler_name(gimple_call_fndecl(call)), "_Zna");
    walk.finding = finding;
    at_extent_of_call(call, &walk.extent);
    is_found = begin(&walk);
    if (is_found) {
        steps_follow(&walk);
        add_result(&walk);
        add_reallocated(&walk);
        finding->type = type_choose(&walk);
    }
    walk.steps.release();
    walk.evidence.release();
    return is_found;
}
