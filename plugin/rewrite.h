/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step 4 of the data flow: change the function as planned. */
#ifndef ALLOCTRACE_PLUGIN_REWRITE_H
#define ALLOCTRACE_PLUGIN_REWRITE_H

struct plan;

/* Carry out PLAN on FUN. Returns the TODO_* flags that are then due. */
unsigned at_rewrite(const struct plan *plan, function *fun);

#endif
