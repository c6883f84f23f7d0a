/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shadow stack as GCC sees it: the frame, the thread's innermost frame. */
#ifndef ALLOCTRACE_PLUGIN_SHADOW_H
#define ALLOCTRACE_PLUGIN_SHADOW_H

/* A new variable of the current function to hold its frame. */
tree at_shadow_frame(void);

/*
 * Append to SEQ, at LOCATION, the statements that
 *   link     save the innermost frame as FRAME's parent, compute and store
 *            the hash for record SITE, make FRAME the innermost. Returns the
 *            hash without the site, for at_shadow_note. IS_OUTLINED: by a
 *            call of a few bytes;
 *   note     store the hash for record SITE; BASE is what link returned, or
 *            NULL_TREE to compute it anew from the frame;
 *   renote   the same if the frame is known to hold the hash for HELD;
 *   unlink   make FRAME's parent the innermost frame;
 *   assert   make FRAME the innermost frame.
 */
tree at_shadow_link(gimple_seq *seq, tree frame, unsigned site,
                    bool is_outlined, location_t location);
void at_shadow_note(gimple_seq *seq, tree frame, tree base, unsigned site,
                    location_t location);
void at_shadow_renote(gimple_seq *seq, tree frame, unsigned held,
                      unsigned site, location_t location);
void at_shadow_unlink(gimple_seq *seq, tree frame, location_t location);
void at_shadow_assert(gimple_seq *seq, tree frame, location_t location);

/* How the unit's code finds the thread's innermost frame. */
enum tls_model at_shadow_model(void);

/* Tell GCC's collector which trees the file keeps. */
void at_shadow_register_roots(const char *plugin_name);

#endif
