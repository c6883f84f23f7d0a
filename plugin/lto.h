/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the plugin knows of a whole program under -flto, and its mark. */
#ifndef ALLOCTRACE_PLUGIN_LTO_H
#define ALLOCTRACE_PLUGIN_LTO_H

/*
 * Note in DECL that it cannot allocate, for the processes that will compile
 * the parts of the program.
 */
void at_lto_note_harmless(tree decl);

/* Whether that was noted. */
bool at_lto_is_harmless(tree decl);

/*
 * Before the unit is written for the link step: add the mark by which a link
 * without the plugin shows. In the link step: remove it again.
 */
void at_lto_mark_add(void);
void at_lto_mark_remove(void);

/* Whether NODE's definition is part of what is being compiled or linked. */
bool at_lto_is_defined_here(const struct symtab_node *node);

#endif
