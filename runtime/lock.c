/* SPDX-License-Identifier: MIT */
/*
 * at_lock: held for microseconds, when something is seen for the first time
 * and while a dump is written. A thread that holds it holds its recursion
 * guard too, so that a signal handler on top of it never waits for itself.
 */
#include "runtime.h"

static uint32_t at_lock;

void lock_take(void)
{
    __alloctrace_thread.busy++;
    /* Acquire: pairs with the release in lock_release. */
    while (__atomic_exchange_n(&at_lock, 1, __ATOMIC_ACQUIRE))
        os_yield();
}

bool lock_try(void)
{
    __alloctrace_thread.busy++;
    if (!__atomic_exchange_n(&at_lock, 1, __ATOMIC_ACQUIRE))
        return true;
    __alloctrace_thread.busy--;
    return false;
}

void lock_release(void)
{
    __atomic_store_n(&at_lock, 0, __ATOMIC_RELEASE);
    __alloctrace_thread.busy--;
}
