/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of the data flow: site records as assembly text. */
#ifndef ALLOCTRACE_PLUGIN_EMIT_H
#define ALLOCTRACE_PLUGIN_EMIT_H

/* The label of the unit's first record; known to no other unit. */
#define SITES_LABEL ".Lalloctrace_sites"

/* The label of the keys that code loads, 8 bytes each. */
#define KEYS_LABEL ".Lalloctrace_keys"

/*
 * Write the unit's records, their strings and keys, the unit's entry and the module's announcement to
 * the assembly file. Nothing if there are no records.
 */
void at_emit(FILE *out);

#endif
