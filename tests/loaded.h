/* SPDX-License-Identifier: MIT */
/*
 * The snapshot that a dump made by hand (dumpfile.h) describes. The test fails
 * with the reader's words if it cannot be loaded.
 */
#ifndef LOADED_H
#define LOADED_H

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

/* Puts the dump together, loads it and throws it away. */
static inline alloctrace_snapshot *dumpfile_load(struct dumpfile *dump)
{
    alloctrace_snapshot *snapshot = NULL;
    struct alloctrace_error error = {0};

    dumpfile_finish(dump);
    ck_assert_msg(!alloctrace_snapshot_load_bytes(dump->file.data,
                                                  dump->file.size, &snapshot,
                                                  &error),
                  "%s", error.message);
    dumpfile_fini(dump);
    return snapshot;
}

#endif
