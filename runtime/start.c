/* SPDX-License-Identifier: MIT */
/*
 * Tracing starts, or does not: reads the environment once, on the first
 * allocation or before the first constructor, whichever comes first.
 */
#include "runtime.h"

uint64_t at_start_ns;
char at_dump_pattern[AT_PATTERN_SIZE];

static bool is_started; /* under at_lock; read without it first */
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

static void start(void)
{
    real_init();
    env_read();
    if (at_options.frames < 0) {
        count_set(&at_tracing, TRACING_OFF);
        return;
    }
    if (!block_init() || !account_init()) {
        message("no memory to trace with; the program runs untraced",
                (char *)NULL);
        count_set(&at_tracing, TRACING_OFF);
        return;
    }
    nested_guard();
    tenant_init();
    fix_dump_pattern();
    at_start_ns = os_now_ns();
    count_set(&at_tracing, TRACING_ON);
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
    return count_get(&at_tracing) == TRACING_ON;
}

bool start_in_constructor(void)
{
    is_process_ready = true;
    return start_once();
}
