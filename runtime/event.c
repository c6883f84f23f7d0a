/* SPDX-License-Identifier: MIT */
/*
 * The slow halves of event.h: a path, a thread or a block is met for the
 * first time. Each holds the thread's recursion guard, so that what the
 * runtime itself causes (and a signal handler on top of it) is not recorded,
 * and leaves errno as it was.
 */
#include <errno.h>

#include "event.h"

uint64_t at_collisions;
uint64_t at_dropped_blocks;
uint64_t at_dropped_bytes;

void event_drop(size_t size)
{
    __atomic_fetch_add(&at_dropped_blocks, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&at_dropped_bytes, size, __ATOMIC_RELAXED);
}

void event_unknown_free(void)
{
    count_add(&__alloctrace_thread.ledger->unknown_frees, 1);
}

/* Interns the path and opens an account for it. Locked. */
static struct account *open_account(struct ledger *ledger, uint64_t key,
                                    uintptr_t address, unsigned how)
{
    const struct alloctrace_frame *top = __alloctrace_thread.top;
    uint32_t id;

    if (how & EVENT_OWN_FRAME)
        top = top->parent;
    id = traceback_intern(key, top, address, !(how & EVENT_RETURN_ADDRESS));
    return id ? ledger_add(ledger, key, id) : NULL;
}

static struct account *find_locked(struct thread *thread, uint64_t key,
                                   uintptr_t address, unsigned how)
{
    struct account *account = NULL;
    struct ledger *ledger = thread->ledger;

    lock_take();
    if (ledger == &at_no_ledger)
        ledger = ledger_acquire(thread);
    if (ledger)
        account = ledger_find(ledger, key);
    if (ledger && !account)
        account = open_account(ledger, key, address, how);
    lock_release();
    return account;
}

/* The verifying mode: does the hash stand for the frames that are there? */
static void verify(const struct account *account, uintptr_t address,
                   unsigned how)
{
    const struct alloctrace_frame *top = __alloctrace_thread.top;

    if (how & EVENT_OWN_FRAME)
        top = top->parent;
    if (!traceback_matches(account->traceback_id, top, address))
        __atomic_fetch_add(&at_collisions, 1, __ATOMIC_RELAXED);
}

struct account *event_find_slow(uint64_t key, uintptr_t address, unsigned how,
                                size_t size)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;
    struct account *account = NULL;

    if (thread->busy) {
        if (at_is_tracing)
            event_drop(size);
        return NULL;
    }
    thread->busy = 1;
    if (init_once(thread)) {
        account = ledger_find(thread->ledger, key);
        if (!account)
            account = find_locked(thread, key, address, how);
        if (!account)
            event_drop(size);
        else if (at_options.verify)
            verify(account, address, how);
    }
    thread->busy = 0;
    errno = saved;
    return account;
}

/* This thread's account for the traceback of another thread's account. */
static struct account *twin(struct thread *thread,
                            const struct account *account)
{
    const uint64_t key = ledger_key(account);
    struct ledger *ledger = thread->ledger;
    struct account *own = ledger_find(ledger, key);

    if (own)
        return own;
    lock_take();
    if (ledger == &at_no_ledger)
        ledger = ledger_acquire(thread);
    if (ledger)
        own = ledger_find(ledger, key);
    if (ledger && !own)
        own = ledger_add(ledger, key, account->traceback_id);
    lock_release();
    return own;
}

struct account *event_own_account(struct account *account)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;
    struct account *own;

    if (thread->busy)
        return NULL;
    thread->busy = 1;
    own = twin(thread, account);
    thread->busy = 0;
    errno = saved;
    return own;
}
