/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How noted calls store their hash, if they have to. */
#ifndef ALLOCTRACE_PLUGIN_STORE_H
#define ALLOCTRACE_PLUGIN_STORE_H

struct plan;

/*
 * Choose the record that each region's frame is linked with, and find out
 * what it holds (`held`) before each noted call.
 */
void at_stores_choose(struct plan *plan, function *fun);

#endif
