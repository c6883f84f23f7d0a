/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step 1 of the data flow: which calls are direct calls of the allocator. */
#ifndef ALLOCTRACE_PLUGIN_ALLOCFN_H
#define ALLOCTRACE_PLUGIN_ALLOCFN_H

#include "alloctrace/abi.h"

/* The allocation functions that have an entry in the runtime. */
enum allocfn {
    ALLOCFN_NONE = -1,
#define ALLOCFN_MEMBER(name, has_site) ALLOCFN_##name,
    ALLOCTRACE_ENTRIES(ALLOCFN_MEMBER)
#undef ALLOCFN_MEMBER
#define ALLOCFN_MEMBER(name, symbol, shape, next) ALLOCFN_operator_##name,
    ALLOCTRACE_OPERATORS(ALLOCFN_MEMBER)
#undef ALLOCFN_MEMBER
    ALLOCFN_track,
    N_ALLOCFNS
};

/*
 * Find out which of the family this unit defines itself: calls of those are
 * left alone, for they are calls of the program's own allocator. (C++'s
 * operators are not: their entries call whatever the call would have.) To be
 * called once, when the symbol table is final.
 */
void at_allocfn_begin_unit(void);

/* The allocation function that CALL calls, if it can go to the entry. */
enum allocfn at_allocfn_of_call(const gcall *call);

/* Whether the entry of FN takes a site record. */
bool at_allocfn_has_site(enum allocfn fn);

/* Whether the entry of FN takes the address of the function it stands for. */
bool at_allocfn_has_address(enum allocfn fn);

/* Which of C++'s replaceable operators DECL is, or ALLOCFN_NONE. */
enum allocfn at_allocfn_operator(tree decl);

/* The declaration of the runtime's entry for FN. */
tree at_allocfn_entry(enum allocfn fn);

/* Tell GCC's collector which trees the file keeps. */
void at_allocfn_register_roots(const char *plugin_name);

/* DECL's name in the assembly text, without the mark of a literal name. */
const char *at_assembler_name(tree decl);

/*
 * DECL as the source declares it: GCC calls a function that cannot be replaced
 * by an alias of its own making, NAME.localalias.
 */
tree at_decl_declared(tree decl);

#endif
