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

/* Whether CALL may lead to an allocation. Unknown counts as "may". */
bool at_reach_call_may_allocate(const gcall *call);

/* Whether DECL has a body in this unit (under LTO, in any part of it). */
bool at_reach_is_body_here(tree decl);

#endif
