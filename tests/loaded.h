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

/* The frames that a traceback had before a limit. */
static inline uint64_t total_nframe(const alloctrace_snapshot *snapshot, uint32_t id)
{
    alloctrace_traceback *traceback;
    uint64_t total;

    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, id, &traceback),
                     0);
    total = alloctrace_traceback_total_nframe(traceback);
    alloctrace_traceback_free(traceback);
    return total;
}

#endif
