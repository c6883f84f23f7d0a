/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Putting statements where they belong. */
#ifndef ALLOCTRACE_PLUGIN_STATEMENT_H
#define ALLOCTRACE_PLUGIN_STATEMENT_H

/* Add STMT, which stands for the source at LOCATION, to SEQ. */
void at_append(gimple_seq *seq, gimple *stmt, location_t location);

/*
 * Put SEQ behind CALL where it returns in the ordinary way. On an edge it is
 * queued: gsi_commit_edge_inserts puts it in place.
 */
void at_insert_behind(gimple *call, gimple_seq seq);

#endif
