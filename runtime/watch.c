/* SPDX-License-Identifier: MIT */
/*
 * While sampling nothing is known of most blocks; but allocators of the
 * program's own (custom.c) and operators new (operator.c) have to know whether
 * what they are about to record came from malloc, or from another such
 * allocator, which was asked about it already. So a thread that calls them
 * remembers the last blocks that it was given. That costs a few nanoseconds a
 * block: sample_left is 0 then, and each allocation goes through the slow half.
 *
 * Only its thread uses a watch, and only the last WATCHED_BLOCKS blocks are
 * known: a wrapper that gives out one that it has kept is taken for a pool.
 */
#include "event.h"

bool watch_begin(void)
{
    struct thread *const thread = &__alloctrace_thread;

    if (thread->watch.is_on)
        return true;
    thread->watch.is_on = 1;
    thread->watch.left = thread->sample_left;
    thread->sample_left = 0;
    return false;
}

void watch_clear(void)
{
    struct watch *const watch = &__alloctrace_thread.watch;

    watch_begin();
    for (unsigned i = 0; i < WATCHED_BLOCKS; i++)
        watch->blocks[i].address = 0;
}

void *watch_note(void *block, size_t size, uint32_t domain)
{
    struct watch *const watch = &__alloctrace_thread.watch;

    if (!watch->is_on || !block)
        return block;
    watch_forget(block);
    watch->blocks[watch->next++ % WATCHED_BLOCKS] = (struct watched){
        .address = (uintptr_t)block,
        .frame = (uintptr_t)__alloctrace_thread.top,
        .size = size,
        .domain = domain,
    };
    return block;
}

const struct watched *watch_find(const void *block)
{
    const struct watch *const watch = &__alloctrace_thread.watch;

    for (unsigned i = 0; i < WATCHED_BLOCKS; i++)
        if (watch->blocks[i].address == (uintptr_t)block)
            return &watch->blocks[i];
    return NULL;
}

void watch_forget(const void *block)
{
    struct watch *const watch = &__alloctrace_thread.watch;

    for (unsigned i = 0; i < WATCHED_BLOCKS; i++)
        if (watch->blocks[i].address == (uintptr_t)block)
            watch->blocks[i].address = 0;
}
