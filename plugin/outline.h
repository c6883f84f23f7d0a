/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linking a frame out of line: by a call of a few bytes. */
#ifndef ALLOCTRACE_PLUGIN_OUTLINE_H
#define ALLOCTRACE_PLUGIN_OUTLINE_H

/* Whether the target has it for the unit's code model. */
bool at_outline_is_possible(void);

/*
 * Add to SEQ the call that links FRAME with the record whose key is KEY, a
 * memory reference. Returns the base (shadow.h).
 */
tree at_outline_call(gimple_seq *seq, tree frame, tree key,
                     location_t location);

/* Write what is called, if it is, to the assembly file. */
void at_outline_write(FILE *out);

#endif
