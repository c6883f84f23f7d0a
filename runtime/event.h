/* SPDX-License-Identifier: MIT */
/*
 * HOT: what happens when a block is allocated and freed, the one place that
 * ties the tables together. Included by alloc.c and interpose.c, which are
 * the same three steps around the real allocator:
 *
 *     account = event_find(path)      before: which account is this path's?
 *     block = real allocator
 *     event_add(account, block)       after: count it, enter it in the map
 *
 *     event_remove(block)             before: subtract it, clear its entry
 *     real free                       (afterwards the address is another's)
 *
 * Cost with one thread. Allocation: thread-local top and ledger, the frame's
 * hash, a table slot, the account, the ledger's live bytes, the peak's epoch,
 * root and leaf of the map; 2 multiplications, 5 predictable branches. Free:
 * map entry, chunk head, account, live bytes, epoch; 5 branches. No atomic
 * read-modify-write, no lock, and no line that another thread writes but the
 * peak's epoch, which changes when a published sum passes the peak.
 */
#ifndef ALLOCTRACE_EVENT_H
#define ALLOCTRACE_EVENT_H

#include "block.h"
#include "runtime.h"

/* How an allocation is named: the bits of event_find_slow's `how`. */
#define EVENT_OWN_FRAME ALLOCTRACE_OWN_FRAME /* top is the caller's own */
#define EVENT_RETURN_ADDRESS 2 /* by a return address, not by a record */

/* Cleared by the thread that creates a second one. Absent before glibc 2.32:
 * then there may be others. */
extern char __libc_single_threaded __attribute__((weak));

static inline bool event_is_single(void)
{
    return !count_get(&at_peak.is_shared) && &__libc_single_threaded &&
           __libc_single_threaded;
}

/* The account of a path in this thread's ledger; NULL: do not record. */
static inline struct account *event_find(uint64_t key, uintptr_t address,
                                         unsigned how, size_t size)
{
    const struct ledger *const ledger = __alloctrace_thread.ledger;
    const struct slot *const slots = ledger->slots;
    uint32_t i = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >>
                            ledger->shift) &
                 ledger->mask;

    for (;;) {
        const uint64_t found = slots[i].key;

        if (likely(found == key))
            return slots[i].account;
        if (unlikely(!found))
            return event_find_slow(key, address, how, size);
        i = (i + 1) & ledger->mask;
    }
}

/* For an entry: `site` is the record's address, tagged (abi.h). */
static inline struct account *event_find_site(uintptr_t site, size_t size)
{
    const struct alloctrace_frame *frame = __alloctrace_thread.top;
    const unsigned how = site & EVENT_OWN_FRAME;

    if (how)
        frame = frame->parent;
    site &= ~(uintptr_t)EVENT_OWN_FRAME;
    return event_find(frame->hash * ALLOCTRACE_HASH_K + site, site, how, size);
}

/* For a hook: code that was not instrumented, named by where it returns. */
static inline struct account *event_find_address(const void *address,
                                                 size_t size)
{
    const uint64_t hash = __alloctrace_thread.top->hash;

    return event_find(hash * ALLOCTRACE_HASH_K + (uintptr_t)address,
                      (uintptr_t)address, EVENT_RETURN_ADDRESS, size);
}

/* Keeps an account's figures at the peak before it changes. */
static inline void event_save(struct account *account, uint64_t epoch)
{
    count_set(&account->peak_blocks, count_get(&account->total_blocks) -
                                         count_get(&account->freed_blocks));
    count_set(&account->peak_bytes, count_get(&account->total_bytes) -
                                        count_get(&account->freed_bytes));
    count_set(&account->epoch, epoch);
}

static inline void event_touch(struct account *account)
{
    const uint64_t epoch = count_get(&at_peak.epoch);

    if (unlikely(count_get(&account->epoch) != epoch))
        event_save(account, epoch);
}

/* The ledger's live bytes have grown: is this a new peak? See peak.c. */
static inline void event_grow(struct ledger *ledger, int64_t live)
{
    const int64_t low = count_get(&ledger->low);

    if (likely((uint64_t)(live - low) <= count_get(&ledger->range)))
        return;
    if (likely(event_is_single())) {
        count_set(&at_peak.bytes, (uint64_t)live);
        count_add(&at_peak.epoch, 1);
        count_set(&ledger->range, (uint64_t)(live - low));
    } else {
        peak_pass(ledger);
    }
}

/* Subtracts what an entry of the map stands for. */
static inline void event_subtract(struct account *account, size_t size)
{
    const struct account_chunk *const chunk =
        (const struct account_chunk *)((uintptr_t)account &
                                       ~(uintptr_t)(ACCOUNT_CHUNK_SIZE - 1));
    struct ledger *const ledger = __alloctrace_thread.ledger;

    if (unlikely(chunk->ledger != ledger)) {
        account = event_own_account(account);
        if (!account)
            return;
    }
    event_touch(account);
    count_add(&account->freed_blocks, 1);
    count_add(&account->freed_bytes, size);
    count_add(&__alloctrace_thread.ledger->live, -(int64_t)size);
}

static inline size_t event_size(const uint64_t *slot, uint64_t entry)
{
    const size_t size = entry & BLOCK_SIZE_MASK;

    return likely(size != BLOCK_SIZE_MASK) ? size : slot[1];
}

/* A block is about to be freed. False: it is not known. */
static inline bool event_remove(const void *block)
{
    uint64_t *const slot = block_slot((uintptr_t)block);
    const uint64_t entry = slot ? count_get(slot) : 0;

    if (unlikely(!entry)) {
        if (__alloctrace_thread.ledger != &at_no_ledger)
            event_unknown_free();
        return false;
    }
    count_set(slot, 0);
    event_subtract(block_account(entry), event_size(slot, entry));
    return true;
}

/* A block has been allocated; either argument may be NULL. */
static inline void event_add(struct account *account, const void *block,
                             size_t size)
{
    struct ledger *const ledger = __alloctrace_thread.ledger;
    uint64_t *slot;
    int64_t live;

    if (unlikely(!account || !block))
        return;
    slot = block_slot((uintptr_t)block);
    if (unlikely(!slot)) {
        slot = block_slot_create((uintptr_t)block);
        if (!slot) {
            event_drop(size);
            return;
        }
    }
    /* Freed where we could not see it (inside the allocator itself). */
    if (unlikely(count_get(slot) != 0))
        event_remove(block);
    count_set(slot, block_entry(account, size));
    if (unlikely(size >= BLOCK_SIZE_MASK))
        count_set(slot + 1, size);
    event_touch(account);
    count_add(&account->total_blocks, 1);
    count_add(&account->total_bytes, size);
    live = count_get(&ledger->live) + (int64_t)size;
    count_set(&ledger->live, live);
    event_grow(ledger, live);
}

/* What event_take found, for event_restore. */
struct taken {
    struct account *account; /* NULL: the block was not known */
    size_t size;
};

/* As event_remove, for a block that may have to come back (realloc). */
static inline struct taken event_take(const void *block)
{
    const uint64_t *const slot = block_slot((uintptr_t)block);
    const uint64_t entry = slot ? count_get(slot) : 0;
    struct taken taken = {NULL, 0};

    if (likely(entry)) {
        taken.account = block_account(entry);
        taken.size = event_size(slot, entry);
    }
    event_remove(block);
    return taken;
}

/* The block is still there: as if event_take had not been. */
static inline void event_restore(const void *block, struct taken taken)
{
    struct account *account = taken.account;
    uint64_t *const slot = block_slot((uintptr_t)block);

    if (!account)
        return;
    count_set(slot, block_entry(account, taken.size));
    if (taken.size >= BLOCK_SIZE_MASK)
        count_set(slot + 1, taken.size);
    account = event_own_account(account);
    if (!account)
        return;
    count_add(&account->freed_blocks, (uint64_t)-1);
    count_add(&account->freed_bytes, -(uint64_t)taken.size);
    count_add(&__alloctrace_thread.ledger->live, (int64_t)taken.size);
}

#endif
