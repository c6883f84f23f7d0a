/* SPDX-License-Identifier: MIT */
/*
 * The locks, and what has to wait for them.
 *
 * at_lock: held for microseconds, when something is seen for the first time.
 * A thread that holds it holds its recursion guard too, so that a signal
 * handler on top of it never waits for itself.
 *
 * The dump lock: held while a dump is written, which may take as long as the
 * disk likes; so nothing waits for it but another dump. It is the outermost:
 * who holds another does not wait for it, but in a signal handler. The
 * program's signal handlers are kept from interrupting its holder: one that
 * jumps out of itself would leave the lock taken for ever. Signals that end
 * or stop the program still do.
 *
 * A signal handler that wants a dump may have interrupted a thread without
 * which the dump cannot go on: it writes one, or it changes a table of
 * tracked.c's. Such a thread says so (lock_hold, before it takes the lock), and
 * what the handler wanted is done by the same thread when it holds none any
 * more. At_lock is not among them: a dump does without (dump.c).
 *
 * Who has the dump lock waits for no other. It may be a handler on top of the
 * allocator, whose locks fork waits for while it holds all of ours; or a
 * handler on top of at_lock's holder may wait for it.
 */
#include "runtime.h"

/* Alone in its line: what each event reads would move with it. */
static struct {
    uint32_t is_taken;
} at_cache_aligned at_lock;
static uint32_t dump_lock; /* id of the thread that holds it; 0 = none */

/* What is to be done when locks are free, for the process `deferred_in`: a
 * child must not do what its parent was asked for. */
static void (*deferred)(void);
static uint32_t deferred_in;

void lock_take(void)
{
    __alloctrace_thread.busy++;
    /* Acquire: pairs with the release in lock_release. */
    while (__atomic_exchange_n(&at_lock.is_taken, 1, __ATOMIC_ACQUIRE))
        os_yield();
}

bool lock_try(void)
{
    __alloctrace_thread.busy++;
    if (!__atomic_exchange_n(&at_lock.is_taken, 1, __ATOMIC_ACQUIRE))
        return true;
    __alloctrace_thread.busy--;
    return false;
}

bool lock_is_held(void)
{
    return count_get(&__alloctrace_thread.n_held) > 0;
}

void lock_hold(void)
{
    count_set(&__alloctrace_thread.n_held,
              count_get(&__alloctrace_thread.n_held) + 1);
    /* Before the lock is taken, for a handler of this thread. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* What was held is so no more. Leaves what was deferred for later. */
static void unhold(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    count_set(&__alloctrace_thread.n_held,
              count_get(&__alloctrace_thread.n_held) - 1);
    /* A handler from here on sees what is held. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

at_cold static void do_deferred(void)
{
    void (*const action)(void) =
        __atomic_exchange_n(&deferred, NULL, __ATOMIC_ACQUIRE);

    if (action && count_get(&deferred_in) == os_pid())
        action();
}

static void do_deferred_if_free(void)
{
    if (unlikely(__atomic_load_n(&deferred, __ATOMIC_RELAXED)) &&
        !lock_is_held())
        do_deferred();
}

void lock_release(void)
{
    __atomic_store_n(&at_lock.is_taken, 0, __ATOMIC_RELEASE);
    __alloctrace_thread.busy--;
    /* What lock_try_dump put off: not under at_lock, for a dump waits for the
     * dump lock and the dynamic linker's, whose holders may want at_lock. */
    do_deferred_if_free();
}

void lock_unhold(void)
{
    unhold();
    do_deferred_if_free();
}

bool lock_defer(void (*action)(void))
{
    if (!lock_is_held())
        return false;
    count_set(&deferred_in, os_pid());
    __atomic_store_n(&deferred, action, __ATOMIC_RELEASE);
    return true;
}

uint64_t lock_take_dump(void)
{
    const uint32_t self = os_tid();
    const uint64_t blocked = os_hold_handlers();
    uint32_t owner = 0;

    lock_hold();
    /* Acquire: pairs with the release in lock_release_dump. */
    while (!__atomic_compare_exchange_n(&dump_lock, &owner, self, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        os_wait(&dump_lock, owner);
        owner = 0;
    }
    return blocked;
}

static void free_dump_lock(void)
{
    __atomic_store_n(&dump_lock, 0, __ATOMIC_RELEASE);
    os_wake(&dump_lock);
}

void lock_release_dump(uint64_t blocked)
{
    free_dump_lock();
    lock_unhold();
    os_release_handlers(blocked);
}

bool lock_try_dump(void)
{
    uint32_t owner = 0;

    lock_hold();
    if (__atomic_compare_exchange_n(&dump_lock, &owner, os_tid(), false,
                                    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return true;
    unhold();
    return false;
}

/* Leaves to lock_release what was deferred. */
void lock_end_dump(void)
{
    free_dump_lock();
    unhold();
}

void lock_reset_dump(void)
{
    __atomic_store_n(&dump_lock, 0, __ATOMIC_RELEASE);
}
