/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a value is stored in, as the source writes it. */
#ifndef ALLOCTRACE_PLUGIN_DESTINATION_H
#define ALLOCTRACE_PLUGIN_DESTINATION_H

/*
 * EXPRESSION (a variable, a place in memory) as the source writes it:
 * `conn->rbuf`, `v[i].name`; "" where it cannot be told. Valid until the next
 * call.
 */
const char *at_destination_text(tree expression);

/* Whether DECL has a name that the programmer gave it. */
bool at_destination_is_named(tree decl);

#endif
