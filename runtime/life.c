/* SPDX-License-Identifier: MIT */
/*
 * Starts, stops and clears, at any moment and from any thread: what happens
 * to the other threads' ledgers is told in generation.c. Each takes at_lock,
 * unless this thread has it: then the call came from a signal handler on top
 * of the runtime, and is refused. errno is left alone.
 */
#define ALLOCTRACE_API
#include "alloctrace.h"

#include <errno.h>

#include "runtime.h"

#define FRAMES_MAX 65535

static bool is_tracing(void)
{
    return count_get(&at_tracing) == TRACING_ON;
}

/* What is done under the lock; 0 or an error. */
typedef int action(int n_frames);

static int perform(action *act, int n_frames)
{
    const int saved = errno;
    int error;

    if (__alloctrace_thread.busy)
        return ALLOCTRACE_EBUSY;
    __alloctrace_thread.busy = 1;
    start_once(); /* the environment is read first, whoever asks */
    lock_take();
    error = act(n_frames);
    lock_release();
    if (is_tracing() && start_has_dumps())
        trigger_init();
    __alloctrace_thread.busy = 0;
    sweep_retired();
    errno = saved;
    return error;
}

static int start(int n_frames)
{
    if (is_tracing())
        return count_get(&at_options.frames) == n_frames
                   ? 0
                   : ALLOCTRACE_ALREADY_TRACING;
    if (start_is_barred())
        return ALLOCTRACE_ENOT_TRACING;
    if (count_get(&at_tracing) == TRACING_UNKNOWN) /* too early: start_once */
        return ALLOCTRACE_EBUSY;
    event_forget_drops();
    /* What this thread found last may be a path of another length. */
    tenant_renew(&__alloctrace_thread);
    return start_tracing(n_frames) ? 0 : ALLOCTRACE_ENO_MEMORY;
}

/* Without memory for a new generation the old one stays for start_tracing to
 * end; nobody sees it meanwhile. */
static int stop(int unused)
{
    (void)unused;
    if (is_tracing()) {
        count_set(&at_tracing, TRACING_OFF);
        generation_begin();
    }
    return 0;
}

static int clear(int unused)
{
    (void)unused;
    if (!is_tracing())
        return 0;
    if (!generation_begin())
        return ALLOCTRACE_ENO_MEMORY;
    event_forget_drops();
    return 0;
}

static int reset_peak(int unused)
{
    (void)unused;
    if (is_tracing())
        peak_reset();
    return 0;
}

int life_start(int n_frames)
{
    if (n_frames < 0 || n_frames > FRAMES_MAX)
        return ALLOCTRACE_EBAD_ARGUMENT;
    return perform(start, n_frames);
}

int life_stop(void)
{
    return perform(stop, 0);
}

int life_clear(void)
{
    return perform(clear, 0);
}

int life_reset_peak(void)
{
    return perform(reset_peak, 0);
}
