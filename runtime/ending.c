/* SPDX-License-Identifier: MIT */
/*
 * The process ends: exactly one dump of it, whichever way it goes and however
 * many threads and handlers go at once. The ways in are the destructor (exit,
 * the return from main, the last thread's pthread_exit), at_quick_exit, flow.c
 * (_exit and _Exit) and os.h's fatal signals.
 *
 * The first one in writes; another thread waits until the dump is whole, and
 * ends the process then. A signal handler on top of the writer that ends the
 * process would cut the dump short: handlers are held off meanwhile. Fatal
 * signals of default action are not, so a dump to a pipe that nobody reads
 * can be interrupted.
 *
 * No dump is written by who borrows the memory (process.c), nor on top of one
 * that holds a lock which dumps need (lock.c).
 */
#include <stdlib.h>

#include "flow.h"
#include "runtime.h"

enum { RUNNING, WRITING, WRITTEN };

static uint32_t state;    /* of the above */
static uint32_t writer;   /* thread that left RUNNING */
static uint32_t is_fatal; /* and a signal makes it end the process */

void ending_in_child(void)
{
    count_set(&state, RUNNING);
    is_fatal = 0;
}

/*
 * A copy that was made behind the C library's back. If the lock was held when
 * it was made, who held it is not here to finish. Otherwise all is whole, and
 * the copy goes on as a child of fork.
 */
static bool adopt_copy(void)
{
    if (!lock_try())
        return false;
    request_forked();
    lock_release();
    request_forked();
    process_adopt();
    automatic_in_child();
    ending_in_child();
    return true;
}

/* May this thread hold the lock that it would wait for? */
static bool is_in_the_way(void)
{
    return lock_is_held();
}

static bool is_ours_to_end(void)
{
    if (count_get(&at_tracing) != TRACING_ON || is_in_the_way())
        return false;
    switch (process_memory()) {
    case PROCESS_OWN:
        return true;
    case PROCESS_COPIED:
        return adopt_copy();
    default:
        return false;
    }
}

/* Is this the one that writes the dump? */
static bool enter(void)
{
    uint32_t expected = RUNNING;

    if (!__atomic_compare_exchange_n(&state, &expected, WRITING, false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
        return false;
    count_set(&writer, os_tid());
    return true;
}

/* Another thread writes it. Not if that is this one, which has faulted. */
static void wait_for_writer(void)
{
    while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == WRITING &&
           count_get(&writer) != os_tid())
        os_yield();
}

void ending_dump(const char *reason)
{
    uint64_t held;

    if (!is_ours_to_end())
        return;
    held = os_hold_handlers();
    if (enter()) {
        request_finish(reason);
        __atomic_store_n(&state, WRITTEN, __ATOMIC_RELEASE);
    } else {
        wait_for_writer();
    }
    os_release_handlers(held);
}

/* The signal's name is the dump's reason. If two threads are hit, the first
 * one's signal is what the process dies of, as it would untraced. */
static void on_fatal_signal(const char *name)
{
    if (!is_ours_to_end())
        return;
    ending_dump(name);
    if (__atomic_exchange_n(&is_fatal, 1, __ATOMIC_ACQ_REL) &&
        count_get(&writer) != os_tid())
        os_sleep(UINT64_C(1000000000));
}

static void on_quick_exit(void)
{
    ending_dump("exit");
}

at_export void __alloctrace_flow_end(void)
{
    ending_dump("exit");
}

void ending_init(void)
{
    /* Registered first, so it is the last to be called. */
    at_quick_exit(on_quick_exit);
    if (at_options.at_crash)
        os_catch_fatal(on_fatal_signal);
}

/* After the program's own destructors, before the C library's. */
__attribute__((destructor(101))) static void finish(void)
{
    ending_dump("exit");
}
