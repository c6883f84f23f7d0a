/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the compiler's user is told: counts on request, and warnings. */
#ifndef ALLOCTRACE_PLUGIN_NOTICE_H
#define ALLOCTRACE_PLUGIN_NOTICE_H

struct plan;

/*
 * Count what PLAN does to FUN, and warn where it cannot do what a user may
 * expect.
 */
void at_notice_function(const struct plan *plan, function *fun);

/* Print the unit's counts on OUT, if there was a function in it. */
void at_notice_unit(FILE *out);

#endif
