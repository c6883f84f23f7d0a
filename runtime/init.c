/* SPDX-License-Identifier: MIT */
/*
 * The life of the process: its first constructor, modules that come and go,
 * fork.
 *
 * A process may hold two copies of the runtime: one linked into the
 * executable and one that an instrumented shared library brought. The first
 * in the dynamic linker's order serves both; the other never starts.
 */
#include <errno.h>
#include <pthread.h>

#include "runtime.h"

/* Is the variable that all code of the process uses the one defined here? */
static bool is_active_copy(void)
{
    const struct thread *volatile own = &at_own_thread;

    return own == &__alloctrace_thread;
}

static void before_fork(void)
{
    mapping_lock();
    lock_take();
    tracked_lock_all();
}

/* Those of tracked.c last: what a signal wanted meanwhile is done then, and
 * may take its time. */
static void after_fork_in_parent(void)
{
    mapping_unlock();
    lock_release();
    tracked_unlock_all();
}

/* Only the forking thread goes on: the others' ledgers are free. */
static void after_fork_in_child(void)
{
    tenant_keep_only(__alloctrace_thread.ledger);
    sweep_after_fork();
    request_forked();
    mapping_unlock();
    lock_release();
    tracked_unlock_all();
}

/*
 * A library that the program unloads takes the runtime with it if nothing else
 * needs that; but threads end, and dumps are written, later. Where dlmopen has
 * loaded one apart this cannot be prevented, for namespaces are few and must be
 * given back: nothing is traced there.
 */
static void set_up(enum os_home home)
{
    if (home == OS_HOME_APART) {
        start_never();
        return;
    }
    if (home == OS_HOME_LIBRARY)
        os_stay_loaded();
    /* Also if tracing is off: the program may start it. */
    start_in_constructor();
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    if (start_has_dumps())
        request_catch();
}

__attribute__((constructor(101))) static void start(void)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;

    if (!is_active_copy())
        return;
    thread->busy += BUSY_SILENT;
    set_up(os_home());
    thread->busy -= BUSY_SILENT;
    errno = saved;
}

at_export void __alloctrace_module_add(const struct alloctrace_unit *begin,
                                       const struct alloctrace_unit *end,
                                       uint32_t abi_version);
at_export void __alloctrace_module_remove(const struct alloctrace_unit *begin);

void __alloctrace_module_add(const struct alloctrace_unit *begin,
                             const struct alloctrace_unit *end,
                             uint32_t abi_version)
{
    const int saved = errno;

    if (abi_version != ALLOCTRACE_ABI_VERSION) {
        message("a module was instrumented by another version of the plugin; "
                "its call paths are not known",
                (char *)NULL);
    } else {
        lock_take();
        site_add_module(begin, end);
        lock_release();
    }
    errno = saved;
}

void __alloctrace_module_remove(const struct alloctrace_unit *begin)
{
    uint64_t blocked;

    /* Not while a dump is written, whose list of files it would change. */
    if (count_get(&at_tracing) == TRACING_ON && lock_take_free_dump(&blocked)) {
        lock_take();
        gone_add(begin);
        lock_release();
        lock_release_dump(blocked);
    }
    lock_take();
    site_remove_module(begin);
    lock_release();
}
