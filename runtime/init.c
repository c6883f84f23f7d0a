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
    tenant_keep_only(*thread_ledger(&__alloctrace_thread));
    request_forked();
    mapping_unlock();
    lock_release();
    tracked_unlock_all();
}

__attribute__((constructor(101))) static void start(void)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;

    if (!is_active_copy())
        return;
    thread->busy++;
    if (start_in_constructor()) {
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
        request_catch();
    }
    thread->busy--;
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
    lock_take();
    site_remove_module(begin);
    lock_release();
}
