/* SPDX-License-Identifier: MIT */
/*
 * Tracing starts, or does not: reads the environment once, on the first
 * allocation or before the first constructor, whichever comes first.
 */
#include "runtime.h"

uint64_t at_start_ns;
char at_dump_pattern[AT_PATTERN_SIZE];

static bool is_started; /* under at_lock; read without it first */
static bool is_barred; /* this copy never traces */
static bool has_dumps; /* constant once the environment was read */
static bool is_process_ready; /* the first constructor runs, or has run */

/* The program may change its directory before it exits: a relative name means
 * the one it was started in. */
static void fix_dump_pattern(void)
{
    static char directory[4096];
    struct text text;

    text_init(&text, at_dump_pattern, sizeof at_dump_pattern);
    if (at_options.dump[0] != '/') {
        os_directory(directory, sizeof directory);
        for (const char *c = directory; *c; c++)
            text_add(&text, *c == '%' ? "%%" : (const char[]){*c, '\0'});
        if (directory[0])
            text_add_char(&text, '/');
    }
    text_add(&text, at_options.dump);
}

/* Makes the tables that tracing needs, once. False: no memory. */
static bool prepare(void)
{
    static bool is_prepared;

    if (!is_prepared && block_init() && account_init()) {
        nested_guard();
        tenant_init();
        is_prepared = true;
    }
    return is_prepared;
}

bool start_tracing(int32_t frames)
{
    if (!prepare())
        return false;
    /* What could not be forgotten when it stopped, for want of memory. */
    if (at_generation->n_ledgers > 0 && !generation_begin())
        return false;
    if (at_options.frames != frames)
        recover_forget();
    count_set(&at_options.frames, frames);
    count_set(&at_start_ns, os_now_ns());
    /* Release: who sees it sees the tables. */
    __atomic_store_n(&at_tracing, TRACING_ON, __ATOMIC_RELEASE);
    return true;
}

/* A dump at exit was asked for by the environment if it asked for tracing, or
 * for a dump. The program may change both later. */
static void start(void)
{
    const char *dump;

    real_init();
    nested_init();
    env_read();
    count_set(&at_tracing, TRACING_OFF);
    dump = os_getenv("ALLOCTRACE_DUMP");
    has_dumps = at_options.frames >= 0 || (dump && *dump);
    if (has_dumps)
        fix_dump_pattern();
    if (at_options.frames >= 0 && !start_tracing(at_options.frames))
        message("no memory to trace with; the program runs untraced",
                (char *)NULL);
}

bool start_has_dumps(void)
{
    return has_dumps;
}

bool start_is_barred(void)
{
    return is_barred;
}

bool start_once(void)
{
    /* A sanitizer's own set-up allocates, when what it has put in the place
     * of the C library's functions does not work yet. */
    if (!is_process_ready && os_has_sanitizer())
        return false;
    if (!__atomic_load_n(&is_started, __ATOMIC_ACQUIRE)) {
        lock_take();
        if (!is_started) {
            start();
            __atomic_store_n(&is_started, true, __ATOMIC_RELEASE);
        }
        lock_release();
    }
    /* Acquire: pairs with the release in start_tracing. */
    return __atomic_load_n(&at_tracing, __ATOMIC_ACQUIRE) == TRACING_ON;
}

void start_never(void)
{
    lock_take();
    if (!is_started) {
        real_init();
        is_barred = true;
        count_set(&at_tracing, TRACING_OFF);
        __atomic_store_n(&is_started, true, __ATOMIC_RELEASE);
    }
    lock_release();
}

bool start_in_constructor(void)
{
    is_process_ready = true;
    return start_once();
}
