/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step 0: calls of the program's own allocators are marked, before inlining. */
#ifndef ALLOCTRACE_PLUGIN_MARK_H
#define ALLOCTRACE_PLUGIN_MARK_H

/* Put calls of the runtime around the calls of FUN that custom.h knows. */
unsigned at_mark(function *fun);

/* Whether CALL is a mark that wants a site record, which at_mark_set_site
 * gives it; then at_mark_name is its allocator's name (with '*' before it if
 * the call was indirect) and at_mark_block what was allocated. */
bool at_mark_wants_site(const gcall *call);
const char *at_mark_name(const gcall *call);
tree at_mark_block(const gcall *call);
void at_mark_set_site(gcall *call, tree address);

/* Tell GCC's collector which trees the file keeps. */
void at_mark_register_roots(const char *plugin_name);

#endif
