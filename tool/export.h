/* SPDX-License-Identifier: MIT */
/*
 * alloctrace export: snapshots in the formats of others, and whole ones for
 * programs. cmd_export.c has a table of the formats; export_NAME.c writes one.
 */
#ifndef ALLOCTRACE_EXPORT_H
#define ALLOCTRACE_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "alloctrace/analysis.h"

/* What is exported. */
struct export_source {
    alloctrace_snapshot *snapshot; /* owned: folded, filtered */
    /* Owned. Of a folded snapshot: by the number of a traceback that a single
     * block has, that of its folded one; NULL if nothing was folded. */
    uint32_t *folded;
    size_t n_folded;  /* elements of it */
    bool is_filtered; /* traces were left out */
    int metric;       /* enum alloctrace_metric: which blocks */
};

/* The traceback of a single block. */
static inline uint32_t export_traceback(const struct export_source *source,
                                        const struct alloctrace_block *block)
{
    return source->folded && block->traceback < source->n_folded
               ? source->folded[block->traceback]
               : block->traceback;
}

/*
 * A format's writer. Errors of the stream stay with the stream. Returns 0, or
 * ALLOCTRACE_ENO_MEMORY or another code with `error` filled in.
 */
typedef int export_writer(FILE *file, const struct export_source *source,
                          struct alloctrace_error *error);

export_writer export_tracemalloc;
export_writer export_json;
export_writer export_csv;

#endif
