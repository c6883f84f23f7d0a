/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Facts about calls: which of them cannot lead to an allocation. */
#ifndef ALLOCTRACE_PLUGIN_REACH_H
#define ALLOCTRACE_PLUGIN_REACH_H

/*
 * Find the functions of this unit that cannot allocate, whatever they call.
 * To be called once, when the call graph is final; the facts last until the
 * compiler's process ends.
 */
void at_reach_compute(void);

/* Note the facts in the functions' declarations, for the parts under LTO. */
void at_reach_publish(void);

/* Whether a call may lead to an allocation, and if not, why. */
enum reach {
    REACH_MAY,     /* it may, or nothing is known */
    REACH_NO_CALL, /* GCC's internal functions */
    REACH_CONST,   /* the callee is const or pure */
    REACH_BUILTIN, /* expanded in place, or a helper of the compiler's */
    REACH_LIBRARY, /* in noalloc.def */
    REACH_PROGRAM, /* all that the callee calls cannot */
    N_REACHES
};

enum reach at_reach_of_call(const gcall *call);

/* Whether CALL may lead to an allocation. Unknown counts as "may". */
bool at_reach_call_may_allocate(const gcall *call);

/* Whether DECL has a body in this unit (under LTO, in any part of it). */
bool at_reach_is_body_here(tree decl);

#endif
