/* SPDX-License-Identifier: MIT */
/*
 * Sets up what dumps are written for without being asked, in the process that
 * is traced and in each child of fork.
 */
#include <errno.h>
#include <pthread.h>

#include "runtime.h"

/* After init.c's handler, which has released the locks. */
static void after_fork_in_child(void)
{
    const int saved = errno;

    __alloctrace_thread.busy++;
    process_adopt();
    automatic_in_child();
    ending_in_child();
    shortage_in_child();
    interval_init();
    request_in_child();
    __alloctrace_thread.busy--;
    errno = saved;
}

void trigger_init(void)
{
    static bool is_done;

    if (is_done)
        return;
    is_done = true;
    process_adopt();
    automatic_init();
    ending_init();
    shortage_init();
    interval_init();
    pthread_atfork(NULL, NULL, after_fork_in_child);
}

/* Behind init.c's constructor, which starts tracing. */
__attribute__((constructor(102))) static void start(void)
{
    const int saved = errno;

    if (count_get(&at_tracing) != TRACING_ON)
        return;
    __alloctrace_thread.busy++;
    trigger_init();
    __alloctrace_thread.busy--;
    errno = saved;
}
