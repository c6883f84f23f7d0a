/* SPDX-License-Identifier: MIT */
/*
 * What new threads are to run, on its way from the thread that makes one to
 * the new one. Kept in the arena and used again: as many as threads that were
 * about to begin at once.
 */
#include <errno.h>

#include "flow.h"
#include "runtime.h"

static struct routine *free_routines; /* under at_lock */

at_export struct routine *__alloctrace_flow_put(void *(*function)(void *),
                                                void *argument)
{
    const int saved = errno;
    struct routine *kept = NULL;

    if (count_get(&at_tracing) != TRACING_ON)
        return NULL;
    lock_take();
    kept = free_routines;
    if (kept)
        free_routines = kept->next;
    else
        kept = arena_alloc(sizeof *kept);
    lock_release();
    if (kept)
        *kept = (struct routine){function, argument, NULL};
    errno = saved;
    return kept;
}

at_export struct routine __alloctrace_flow_take(struct routine *kept)
{
    const struct routine routine = *kept;

    lock_take();
    kept->next = free_routines;
    free_routines = kept;
    lock_release();
    return routine;
}
