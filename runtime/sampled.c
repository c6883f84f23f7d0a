/* SPDX-License-Identifier: MIT */
/*
 * Blocks of the heap that are sampled: chosen by event.c, entered in
 * tracked.c's table (domain 0, or DOMAIN_DIRECT). The block map is empty while
 * sampling: few entries that lie far apart would take a page each.
 *
 * Called by any thread, which may be inside the runtime already when a signal
 * handler frees what it should not (free is not for signal handlers): then a
 * lock may be the interrupted code's own, and the block stays until another is
 * sampled at its address.
 */
#include <errno.h>

#include "event.h"

void *sampled_add(struct account *account, void *block, size_t size)
{
    const int saved = errno;

    if (block)
        tracked_add(account, (uintptr_t)block, size);
    errno = saved;
    return watch_note(block, size, 0);
}

bool sampled_skips(uint32_t domain, const void *block, size_t size)
{
    if (!at_options.sample || sample_choose(&__alloctrace_thread, size))
        return false;
    if (sample_may_be(block)) /* what lay there was freed unseen */
        tracked_remove(domain, (uintptr_t)block);
    return true;
}

struct taken sampled_take(const void *block)
{
    const uint32_t depth = __alloctrace_thread.busy % BUSY_SILENT;
    const int saved = errno;
    struct taken taken = {NULL, 0, NULL};

    if (!block || depth)
        return taken;
    taken = tracked_remove(0, (uintptr_t)block);
    if (!taken.account)
        taken = tracked_remove(DOMAIN_DIRECT, (uintptr_t)block);
    errno = saved;
    return taken;
}

void sampled_restore(const void *block, struct taken taken)
{
    const int saved = errno;

    if (taken.account)
        tracked_put_back(taken.account, (uintptr_t)block, taken.size);
    errno = saved;
}
