/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where in a function its frame is linked. */
#ifndef ALLOCTRACE_PLUGIN_REGION_H
#define ALLOCTRACE_PLUGIN_REGION_H

struct plan;

/* Choose the regions of PLAN: every noted call comes to lie in one. */
void at_regions_choose(struct plan *plan, function *fun);

#endif
