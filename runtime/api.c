/* SPDX-License-Identifier: MIT */
/* Bodies of alloctrace.h: check, call, map errors; no logic. */
#define ALLOCTRACE_API
#include "alloctrace.h"

#include <errno.h>

#include "writer.h"

#include "block.h"
#include "runtime.h"

at_export int alloctrace_is_tracing(void)
{
    return count_get(&at_tracing) == TRACING_ON;
}

at_export int alloctrace_start(int n_frames)
{
    return life_start(n_frames);
}

at_export int alloctrace_stop(void)
{
    return life_stop();
}

at_export int alloctrace_clear_traces(void)
{
    return life_clear();
}

at_export int alloctrace_reset_peak(void)
{
    return life_reset_peak();
}

at_export void alloctrace_pause(void)
{
    pause_begin();
}

at_export void alloctrace_resume(void)
{
    pause_end();
}

at_export int alloctrace_get_traceback_limit(void)
{
    return alloctrace_is_tracing() ? count_get(&at_options.frames)
                                   : ALLOCTRACE_ENOT_TRACING;
}

at_export int alloctrace_get_last_traceback_limit(void)
{
    const option_frames frames = count_get(&at_options.frames);

    return frames < 0 || count_get(&at_tracing) == TRACING_UNKNOWN ? 1 : frames;
}

at_export int alloctrace_get_traced_memory(uint64_t *current, uint64_t *peak)
{
    const bool is_tracing = alloctrace_is_tracing();
    const int64_t live = is_tracing ? ledger_live_sum() : 0;

    if (current)
        *current = live > 0 ? (uint64_t)live : 0;
    if (peak)
        *peak = is_tracing ? peak_bytes() : 0;
    return 0;
}

at_export uint64_t alloctrace_get_overhead_memory(void)
{
    const int saved = errno;
    const uint64_t bytes = arena_bytes();

    errno = saved;
    return bytes;
}

at_export int alloctrace_dump(const char *path)
{
    int error;

    if (!alloctrace_is_tracing())
        return ALLOCTRACE_ENOT_TRACING;
    if (!path || !*path)
        return ALLOCTRACE_EBAD_ARGUMENT;
    error = init_dump(path, "request");
    if (!error)
        return 0;
    errno = error;
    return ALLOCTRACE_EIO;
}

/* What alloctrace.h says of an errno that a dump failed with, if errno itself
 * is not to say more. */
static int error_of(int error)
{
    return error == EBUSY    ? ALLOCTRACE_EBUSY
           : error == ENOMEM ? ALLOCTRACE_ENO_MEMORY
                             : ALLOCTRACE_EIO;
}

at_export int alloctrace_dump_fd(int fd)
{
    const int saved = errno;
    int error;

    if (!alloctrace_is_tracing())
        return ALLOCTRACE_ENOT_TRACING;
    error = fd < 0 ? EBADF : request_dump_to(fd);
    errno = error ? error : saved;
    return error ? ALLOCTRACE_EIO : 0;
}

/* Hands over what was written. */
static int give(int error, struct dump_memory memory, void **bytes,
                size_t *size)
{
    if (error)
        return error_of(error);
    *bytes = memory.bytes;
    *size = memory.size;
    return 0;
}

at_export int alloctrace_dump_memory(void **bytes, size_t *size)
{
    const int saved = errno;
    struct dump_memory memory = {NULL, 0};
    int error;

    if (!alloctrace_is_tracing())
        return ALLOCTRACE_ENOT_TRACING;
    error = give(request_dump_to_memory(&memory), memory, bytes, size);
    errno = saved;
    return error;
}

at_export void alloctrace_dump_memory_free(void *bytes, size_t size)
{
    const int saved = errno;

    if (bytes)
        writer_release(bytes, size);
    errno = saved;
}

/* Fills in what is known of a block that was looked up when the generation was
 * `number`. False: nothing, or it has just been forgotten. */
static bool describe(struct taken taken, uint32_t number,
                     struct dump_block *found)
{
    struct account_facts facts;

    if (!taken.account)
        return false;
    facts = account_facts_get(account_facts(taken.account));
    /* After the facts: they are written after the chunk's generation. */
    if (__atomic_load_n(&account_chunk(taken.account)->generation,
                        __ATOMIC_RELAXED) != number)
        return false;
    found->traceback_id = facts.traceback_id;
    found->domain = facts.domain == DOMAIN_DIRECT ? 0 : facts.domain;
    found->size = taken.size;
    return true;
}

/* 0 or an error of alloctrace.h. */
static int find_block(unsigned domain, const void *block,
                      struct dump_block *found)
{
    const uintptr_t address = (uintptr_t)block;
    const uint32_t number = generation_number();

    /* The map takes what lies in a block's first words for the block. */
    if (domain == 0 && block && address % sizeof(void *) == 0 &&
        describe(block_get(block), number, found))
        return 0;
    if (__alloctrace_thread.busy)
        return ALLOCTRACE_EBUSY;
    if (describe(tracked_find_in(domain, address), number, found) ||
        (domain == 0 &&
         describe(tracked_find_in(DOMAIN_DIRECT, address), number, found)))
        return 0;
    return ALLOCTRACE_EUNKNOWN_BLOCK;
}

at_export int alloctrace_dump_block(unsigned domain, const void *block,
                                    void **bytes, size_t *size)
{
    const int saved = errno;
    struct dump_memory memory = {NULL, 0};
    struct dump_block found;
    int error;

    if (!alloctrace_is_tracing())
        return ALLOCTRACE_ENOT_TRACING;
    error = find_block(domain, block, &found);
    if (!error)
        error = give(request_dump_of(&found, &memory), memory, bytes, size);
    errno = saved;
    return error;
}

at_export int alloctrace_dump_traceback(int fd, const void *block)
{
    const int saved = errno;
    const struct account *account;

    if (!alloctrace_is_tracing())
        return ALLOCTRACE_ENOT_TRACING;
    account = block ? block_get(block).account : NULL;
    /* Not below a signal handler that interrupted the runtime: it may hold the
     * lock. */
    if (!account && !__alloctrace_thread.busy)
        account = tracked_find_any((uintptr_t)block).account;
    if (!account)
        return ALLOCTRACE_EUNKNOWN_BLOCK;
    traceback_write(account_traceback(account), fd);
    errno = saved;
    return 0;
}

at_export int alloctrace_scope_begin(struct alloctrace_scope *scope)
{
    return scope_begin(scope);
}

at_export int alloctrace_scope_end(struct alloctrace_scope *scope,
                                   struct alloctrace_scope_result *result)
{
    return scope_end(scope, result);
}

at_export void *alloctrace_switch_stack(void *next)
{
    return stack_switch(next);
}
