/* SPDX-License-Identifier: MIT */
/* Bodies of alloctrace.h: check, call, map errors; no logic. */
#define ALLOCTRACE_API
#include "alloctrace.h"

#include <errno.h>

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

at_export int alloctrace_get_traceback_limit(void)
{
    return alloctrace_is_tracing() ? count_get(&at_options.frames)
                                   : ALLOCTRACE_ENOT_TRACING;
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

at_export void *alloctrace_switch_stack(void *next)
{
    return stack_switch(next);
}
