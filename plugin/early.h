/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions that run before thread-local variables are there. */
#ifndef ALLOCTRACE_PLUGIN_EARLY_H
#define ALLOCTRACE_PLUGIN_EARLY_H

/* Find those of the unit. To be called when the call graph is final. */
void at_early_compute(void);

/* Whether FN is one: it must not have a frame. */
bool at_early_is(tree fn);

#endif
