/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which calls become jumps. */
#ifndef ALLOCTRACE_PLUGIN_TAIL_H
#define ALLOCTRACE_PLUGIN_TAIL_H

/*
 * Whether CALL, of the current function, will leave it by a jump. If it only
 * is marked as a tail call but cannot be one, the mark is taken away, so that
 * GCC does not decide otherwise later on.
 */
bool at_tail_is_jump(gcall *call);

#endif
