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
 * Cost. Allocation: loads of the thread's top and ledger, the frame's hash, a
 * table slot, root and leaf of the map, the peak's epoch; one store; additions
 * to two counters and the ledger's room; 2 multiplications; 9 branches, all
 * predictable. Free: root, leaf, entry, chunk head, epoch; one store; three
 * additions; 6 branches. No atomic read-modify-write, no lock, and no line that
 * another thread writes but the peak's epoch, which changes when a published
 * sum passes the peak. While memory grows to new peaks each allocation also
 * saves its account and raises the peak.
 */
#ifndef ALLOCTRACE_EVENT_H
#define ALLOCTRACE_EVENT_H

#include "block.h"
#include "runtime.h"

#define EVENT static inline __attribute__((always_inline))

/* How an allocation is named: the bits of event_find_slow's `how`. */
#define EVENT_OWN_FRAME ALLOCTRACE_OWN_FRAME /* top is the caller's own */
#define EVENT_RETURN_ADDRESS 2 /* by a return address, not by a record */

/* Is nothing traced? Asked first, so that a program that is not traced pays
 * for little more than this: one load, one comparison. */
EVENT bool event_is_off(void)
{
    return unlikely(__alloctrace_thread.ledger == &at_no_ledger) &&
           count_get(&at_tracing) == TRACING_OFF;
}

/* The account of a path in this thread's ledger; NULL: do not record. */
EVENT struct account *event_find(uint64_t key, uint64_t leaf, unsigned how,
                                 size_t size)
{
    const struct ledger *const ledger = __alloctrace_thread.ledger;
    const struct slot *const slots = ledger->slots;
    uint64_t i = slot_home(key, ledger->shift);

    while (unlikely(slots[i].key != key)) {
        if (unlikely(!slots[i].key))
            return event_find_slow(key, leaf, how, size);
        i = (i + 1) & ledger->mask;
    }
    if (!slots[i].account)
        __builtin_unreachable(); /* saves the callers a test */
    return slots[i].account;
}

/* The frame that the path above an allocation ends in. */
EVENT const struct alloctrace_shadow_frame *event_frame(unsigned how)
{
    const struct alloctrace_shadow_frame *const top = __alloctrace_thread.top;

    return how & EVENT_OWN_FRAME ? top->parent : top;
}

/* For an entry: `site` is the site's key, tagged (abi.h). */
EVENT struct account *event_find_site(uint64_t site, size_t size)
{
    const unsigned how = (unsigned)site & EVENT_OWN_FRAME;

    if (event_is_off())
        return NULL;
    site &= ~(uint64_t)EVENT_OWN_FRAME;
    return event_find(event_frame(how)->hash * ALLOCTRACE_HASH_K + site, site,
                      how, size);
}

/* For a hook: code that was not instrumented, named by where it returns. */
EVENT struct account *event_find_address(const void *address, size_t size)
{
    const uint64_t hash = __alloctrace_thread.top->hash;

    if (event_is_off())
        return NULL;
    return event_find(hash * ALLOCTRACE_HASH_K + (uintptr_t)address,
                      (uintptr_t)address, EVENT_RETURN_ADDRESS, size);
}

/* Keeps an account's figures at the peak before it changes. */
EVENT void event_save(struct account *account, uint64_t epoch)
{
    count_set(&account->peak_blocks, count_get(&account->total_blocks) -
                                         count_get(&account->freed_blocks));
    count_set(&account->peak_bytes, count_get(&account->total_bytes) -
                                        count_get(&account->freed_bytes));
    count_set(&account->epoch, epoch);
}

EVENT void event_touch(struct account *account)
{
    const uint64_t epoch = count_get(&at_peak.epoch);

    if (unlikely(count_get(&account->epoch) != epoch))
        event_save(account, epoch);
}

EVENT struct ledger *event_owner(const struct account *account)
{
    return account_chunk(account)->ledger;
}

/* Counts a block that is in the map. Returns it, to be a tail call. */
EVENT void *event_count(struct ledger *ledger, struct account *account,
                        void *block, size_t size)
{
    event_touch(account);
    count_add(&account->total_blocks, 1);
    count_add(&account->total_bytes, size);
    count_add(&ledger->room, -(int64_t)size);
    if (unlikely((uint64_t)count_get(&ledger->room) >
                 count_get(&ledger->range)))
        return peak_pass(ledger, block);
    return block;
}

/* Counts a block that is in the map no more. */
EVENT void event_uncount(struct ledger *ledger, struct account *account,
                         size_t size)
{
    event_touch(account);
    count_add(&account->freed_blocks, 1);
    count_add(&account->freed_bytes, size);
    count_add(&ledger->room, (int64_t)size);
}

/*
 * A block has been allocated for `account`; NULL for either is nothing.
 * Returns the block, so that what is unusual can be a tail call.
 */
EVENT void *event_add(struct account *account, void *block, size_t size)
{
    const uintptr_t address = (uintptr_t)block;
    struct ledger *const ledger = __alloctrace_thread.ledger;
    uint64_t *leaf;
    uint64_t *slot;

    if (unlikely(!account || !block))
        return block;
    if (unlikely((address & at_odd_mask) || size >= ledger->slow_size))
        return event_add_slow(account, block, size);
    leaf = __atomic_load_n(&at_roots[0][block_leaf(address)], __ATOMIC_ACQUIRE);
    if (unlikely(!leaf))
        return event_add_slow(account, block, size);
    /* Not looked at before: the line is rarely in the cache, and a store
     * need not wait for it as a load would. */
    slot = &leaf[block_granule(address)];
    count_set(slot, block_entry(account, size));
    return event_count(ledger, account, block, size);
}

/*
 * A block is about to be freed. False: this is not the usual case and nothing
 * was done; event_take does it.
 */
EVENT bool event_remove(const void *block)
{
    struct ledger *const ledger = __alloctrace_thread.ledger;
    uint64_t *const slot = block_slot((uintptr_t)block);
    struct account *account;
    uint64_t entry;
    uint64_t size;

    if (unlikely(!slot || !ledger->slow_size))
        return false;
    entry = count_get(slot);
    size = entry & BLOCK_SIZE_MASK;
    account = block_account(entry);
    if (unlikely(!entry || size == BLOCK_SIZE_MASK ||
                 event_owner(account) != ledger))
        return false;
    count_set(slot, 0);
    event_uncount(ledger, account, size);
    return true;
}

#endif
