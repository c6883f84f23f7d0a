/* SPDX-License-Identifier: MIT */
/*
 * INTERNAL to analysis/: where sorted items leave as records of a dump.
 */
#ifndef ALLOCTRACE_OUTFLOW_H
#define ALLOCTRACE_OUTFLOW_H

#include "record.h"
#include "run.h"

/* A record that is being collected. */
struct at_pending {
    uint8_t *bytes; /* owned: entries */
    uint32_t tag;
    uint32_t count; /* of entries */
    size_t entry_size;
};

/* Tracebacks, traces, details, sizes: in this order they are written. */
#define AT_OUTFLOW_PIECES 4

struct at_outflow {
    struct at_sink sink;
    struct writing *writing; /* not owned */
    struct at_pending pieces[AT_OUTFLOW_PIECES];
    uint32_t *path;        /* owned: depth => number of the path there */
    uint32_t n_max_path;   /* entries of it that there is room for */
    uint32_t n_tracebacks; /* written */
    uint32_t n_traces;
    bool has_details; /* of items are written */
};

int at_outflow_init(struct at_outflow *outflow, struct writing *writing,
                    bool has_details);
void at_outflow_finish(struct at_outflow *outflow);
void at_outflow_fini(struct at_outflow *outflow);

#endif
