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

static void drop(size_t size)
{
    __atomic_fetch_add(&at_dropped_blocks, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&at_dropped_bytes, size, __ATOMIC_RELAXED);
}

/* Interns the path and opens an account for it. Locked. */
static struct account *open_account(struct ledger *ledger, uint64_t key,
                                    uintptr_t address, unsigned how)
{
    const struct alloctrace_shadow_frame *top = __alloctrace_thread.top;
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
    const struct alloctrace_shadow_frame *top = __alloctrace_thread.top;

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
        drop(size);
        return NULL;
    }
    thread->busy = 1;
    if (start_once()) {
        account = ledger_find(thread->ledger, key);
        if (!account)
            account = find_locked(thread, key, address, how);
        if (!account)
            drop(size);
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

/* The account in this thread's ledger for what `account` stands for. */
static struct account *own_account(struct account *account)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;
    struct account *own;

    if (event_owner(account) == thread->ledger)
        return account;
    if (thread->busy)
        return NULL;
    thread->busy = 1;
    own = twin(thread, account);
    thread->busy = 0;
    errno = saved;
    return own;
}

static void set_entry(uint64_t *slot, const struct account *account,
                      size_t size)
{
    if (size < BLOCK_SIZE_MASK) {
        count_set(slot, block_entry(account, size));
    } else {
        count_set(slot + 1, size);
        count_set(slot, block_entry(account, BLOCK_SIZE_MASK));
    }
}

void *event_add_slow(struct account *account, void *block, size_t size)
{
    struct ledger *const ledger = __alloctrace_thread.ledger;
    const int saved = errno;
    uint64_t *const slot = block_slot_create((uintptr_t)block);

    errno = saved;
    if (!slot) {
        drop(size);
        return block;
    }
    if (count_get(slot) != 0) /* was freed where we could not see it */
        event_take(block);
    set_entry(slot, account, size);
    event_touch(account);
    count_add(&account->total_blocks, 1);
    count_add(&account->total_bytes, size);
    count_add(&ledger->room, -(int64_t)size);
    if ((uint64_t)ledger->room > ledger->range)
        return peak_pass(ledger, block);
    return block;
}

static void subtract(struct account *account, size_t size)
{
    account = own_account(account);
    if (!account)
        return;
    event_touch(account);
    count_add(&account->freed_blocks, 1);
    count_add(&account->freed_bytes, size);
    count_add(&__alloctrace_thread.ledger->room, (int64_t)size);
}

struct taken event_take(const void *block)
{
    uint64_t *const slot = block_slot((uintptr_t)block);
    const uint64_t entry = slot ? count_get(slot) : 0;
    struct taken taken = {NULL, 0};

    if (!entry) {
        if (__alloctrace_thread.ledger != &at_no_ledger)
            count_add(&__alloctrace_thread.ledger->unknown_frees, 1);
        return taken;
    }
    taken.account = block_account(entry);
    taken.size = entry & BLOCK_SIZE_MASK;
    if (taken.size == BLOCK_SIZE_MASK)
        taken.size = slot[1];
    count_set(slot, 0);
    subtract(taken.account, taken.size);
    return taken;
}

void event_remove_slow(const void *block)
{
    event_take(block);
}

void event_restore(const void *block, struct taken taken)
{
    struct account *account = taken.account;

    if (!account)
        return;
    set_entry(block_slot((uintptr_t)block), account, taken.size);
    account = own_account(account);
    if (!account)
        return;
    count_add(&account->freed_blocks, (uint64_t)-1);
    count_add(&account->freed_bytes, -(uint64_t)taken.size);
    count_add(&__alloctrace_thread.ledger->room, -(int64_t)taken.size);
}
