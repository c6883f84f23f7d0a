/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Statements that the passes insert: what is common to all of them. */
#include "gcc.h"

#include "statement.h"

void at_append(gimple_seq *seq, gimple *stmt, location_t location)
{
    gimple_set_location(stmt, location);
    gimple_seq_add_stmt(seq, stmt);
}

/* A call that ends its block has one ordinary way on, beside exceptions and
 * abnormal returns. */
void at_insert_behind(gimple *call, gimple_seq seq)
{
    gimple_stmt_iterator gsi = gsi_for_stmt(call);
    edge_iterator ei;
    edge e;

    if (!stmt_ends_bb_p(call)) {
        gsi_insert_seq_after(&gsi, seq, GSI_SAME_STMT);
        return;
    }
    FOR_EACH_EDGE(e, ei, gimple_bb(call)->succs)
        if (!(e->flags & (EDGE_EH | EDGE_ABNORMAL))) {
            gsi_insert_seq_on_edge(e, seq);
            return;
        }
}
