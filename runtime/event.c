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

/* The ledger has no account for the path: opens one. Locked. */
static struct account *open_account(struct ledger *ledger, struct path path)
{
    struct account *account;
    uint32_t id = path.traceback_id;

    if (!id)
        id = traceback_intern(path.hash, event_frame(path.how), path.leaf,
                              !(path.how & EVENT_RETURN_ADDRESS));
    account = id ? ledger_add(ledger, path.key, id) : NULL;
    if (account)
        account->domain = path.domain;
    return account;
}

/* The path's account in the thread's own ledger; NULL: no memory. */
static struct account *find_own(struct thread *thread, struct path path)
{
    struct account *account = ledger_find(thread->ledger, path.key);
    struct ledger *ledger = thread->ledger;

    if (account)
        return account;
    lock_take();
    if (ledger == &at_no_ledger)
        ledger = ledger_acquire(thread);
    if (ledger)
        account = ledger_find(ledger, path.key);
    if (ledger && !account)
        account = open_account(ledger, path);
    lock_release();
    return account;
}

/* The verifying mode: does the hash stand for the frames that are there? */
static void verify(const struct account *account, uint64_t leaf,
                   unsigned how)
{
    if (!traceback_matches(account->traceback_id, event_frame(how), leaf))
        __atomic_fetch_add(&at_collisions, 1, __ATOMIC_RELAXED);
}

struct account *event_find_slow(uint64_t key, uint64_t leaf, unsigned how,
                                size_t size)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;
    struct account *account = NULL;

    if (thread->busy) {
        if (thread->busy < BUSY_SILENT)
            event_drop(size);
        return NULL;
    }
    thread->busy = 1;
    if (start_once()) {
        account = find_own(thread, (struct path){.key = key,
                                                 .hash = key,
                                                 .leaf = leaf,
                                                 .how = how});
        if (!account)
            event_drop(size);
        else if (at_options.verify)
            verify(account, leaf, how);
    }
    thread->busy = 0;
    errno = saved;
    return account;
}

struct account *event_open(struct path path)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;
    struct account *account = NULL;

    if (thread->busy)
        return NULL;
    thread->busy = 1;
    if (start_once())
        account = find_own(thread, path);
    thread->busy = 0;
    errno = saved;
    return account;
}

/* The account in this thread's ledger for what `account` stands for. */
static struct account *own_account(struct account *account)
{
    if (event_owner(account) == __alloctrace_thread.ledger)
        return account;
    return event_open((struct path){.key = ledger_key(account),
                                    .traceback_id = account->traceback_id,
                                    .domain = account->domain});
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
        event_drop(size);
        return block;
    }
    if (count_get(slot) != 0) /* was freed where we could not see it */
        event_take(block);
    set_entry(slot, account, size);
    if (at_options.detail)
        detail_add(account, (uintptr_t)block, size);
    return event_count(ledger, account, block, size);
}

void event_subtract(struct account *account, size_t size)
{
    account = own_account(account);
    if (account)
        event_uncount(__alloctrace_thread.ledger, account, size);
}

void event_shrink(struct account *account, size_t size)
{
    account = own_account(account);
    if (!account)
        return;
    event_uncount(__alloctrace_thread.ledger, account, size);
    count_add(&account->freed_blocks, (uint64_t)-1);
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
    if (taken.size == BLOCK_SIZE_MASK) {
        taken.size = slot[1];
        count_set(slot + 1, 0); /* a block may lie there next */
    }
    count_set(slot, 0);
    if (at_options.detail)
        detail_remove(taken.account, (uintptr_t)block, taken.size);
    event_subtract(taken.account, taken.size);
    return taken;
}

void event_unsubtract(struct account *account, size_t size)
{
    account = own_account(account);
    if (!account)
        return;
    count_add(&account->freed_blocks, (uint64_t)-1);
    count_add(&account->freed_bytes, -(uint64_t)size);
    count_add(&__alloctrace_thread.ledger->room, -(int64_t)size);
}

void event_restore(const void *block, struct taken taken)
{
    if (!taken.account)
        return;
    set_entry(block_slot((uintptr_t)block), taken.account, taken.size);
    event_unsubtract(taken.account, taken.size);
    if (at_options.detail)
        detail_put_back(taken.account, (uintptr_t)block, taken.size);
}

void event_resized(const void *old, struct taken taken, const void *block,
                   size_t size)
{
    const int saved = errno;
    struct account *account;

    if (!block && size != 0) /* realloc(p, 0) may be a free */
        event_restore(old, taken);
    if (!block || !taken.account)
        return;
    account = own_account(taken.account);
    if (account)
        detail_resize(account, taken.size, size, block != old);
    errno = saved;
}
