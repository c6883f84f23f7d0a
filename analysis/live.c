/* SPDX-License-Identifier: MIT */
/*
 * The calling process, if it is being traced: its runtime writes a dump to
 * memory, and that is loaded as any other. So there is one description of a
 * snapshot (format.h) and one reader, and the program's threads wait for
 * neither.
 *
 * The references to the runtime are weak: a program without it links all the
 * same, and is told that nothing is traced.
 */
#define ALLOCTRACE_API /* the runtime's functions, not what stands in */
#include "alloctrace.h"

#include "model.h"

#pragma weak alloctrace_dump_memory
#pragma weak alloctrace_dump_memory_free
#pragma weak alloctrace_dump_block

int alloctrace_take_snapshot(alloctrace_snapshot **snapshot)
{
    AT_UNTRACED;
    void *bytes;
    size_t size;
    int result;

    if (!alloctrace_dump_memory || !alloctrace_dump_memory_free)
        return ALLOCTRACE_ENOT_TRACING;
    result = alloctrace_dump_memory(&bytes, &size);
    if (result)
        return result;
    result = alloctrace_snapshot_load_bytes(bytes, size, snapshot, NULL);
    alloctrace_dump_memory_free(bytes, size);
    return result;
}

/* Makes the traceback of the one trace in a dump. */
static int traceback_load(const void *bytes, size_t size,
                          alloctrace_traceback **traceback)
{
    alloctrace_snapshot *snapshot;
    int result = alloctrace_snapshot_load_bytes(bytes, size, &snapshot, NULL);

    if (result)
        return result;
    result = alloctrace_snapshot_traceback(
        snapshot, alloctrace_snapshot_trace(snapshot, 0)->traceback, traceback);
    /* The traceback holds the snapshot as long as it needs it. */
    alloctrace_snapshot_free(snapshot);
    return result;
}

int alloctrace_get_object_traceback(unsigned domain, const void *block,
                                    alloctrace_traceback **traceback)
{
    AT_UNTRACED;
    void *bytes;
    size_t size;
    int result;

    if (!alloctrace_dump_block || !alloctrace_dump_memory_free)
        return ALLOCTRACE_ENOT_TRACING;
    result = alloctrace_dump_block(domain, block, &bytes, &size);
    if (result)
        return result;
    result = traceback_load(bytes, size, traceback);
    alloctrace_dump_memory_free(bytes, size);
    return result;
}
