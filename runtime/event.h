/* SPDX-License-Identifier: MIT */
/*
 * HOT: what happens when a block is allocated and freed, the one place that
 * ties the tables together. Included by alloc.c and interpose.c, which are
 * the same three steps around the real allocator:
 *
 *     account = event_peek_site(...)  before: which account is this path's?
 *     block = real allocator
 *     event_add(account, block)       after: count it, enter it in the map
 *
 *     event_remove(block)             before: subtract it, clear its entry
 *     real free                       (afterwards the address is another's)
 *
 * No atomic read-modify-write, no lock, and no line that another thread writes
 * but the peak's epoch, which changes when a published sum passes the peak.
 * docs/design.md counts the loads, stores and branches.
 */
#ifndef ALLOCTRACE_EVENT_H
#define ALLOCTRACE_EVENT_H

#include "block.h"
#include "sample.h"

#define EVENT static inline __attribute__((always_inline))

/* How an allocation is named: the bits of event_find_slow's `how`. */
#define EVENT_OWN_FRAME ALLOCTRACE_OWN_FRAME /* top is the caller's own */
#define EVENT_RETURN_ADDRESS 2 /* by a return address, not by a record */

/* The thread has no ledger: is nothing traced? If so, a program pays for
 * little more than this: one load, two comparisons. (For a while after a stop
 * it has a ledger: event.c.) */
EVENT bool event_is_off(void)
{
    return likely(!__alloctrace_thread.ledger) &&
           likely(count_get(&at_tracing) == TRACING_OFF);
}

EVENT bool event_has_no_ledger(void)
{
    return unlikely(!__alloctrace_thread.ledger);
}

/* Of a thread without a ledger: nothing is traced? Programs that sample ask as
 * often and have more to do, so that theirs is the way straight on. */
EVENT bool event_is_resting(void)
{
    return unlikely(count_get(&at_tracing) == TRACING_OFF);
}

/* Of a thread without a ledger: is a block that is being allocated not to be
 * recorded? If not it is for event_meet_site or event_meet_address. */
EVENT bool event_passes(size_t size)
{
    return event_is_resting() || likely(sample_passes(size));
}

/* The same while something is traced: is a block that is freed none that was
 * recorded, as far as can be told at once? Otherwise it is for event_take, or
 * sampled_take. */
EVENT bool event_is_unsampled(const void *block)
{
    return likely(at_options.sample != 0) && likely(!sample_may_be(block));
}

EVENT bool event_free_passes(const void *block)
{
    return event_is_resting() || event_is_unsampled(block);
}

/* The path's account if it is where it is looked for first; else NULL. */
EVENT struct account *event_peek(const struct ledger *ledger, uint64_t key)
{
    const uint32_t mask = (uint32_t)count_get(&ledger->mask);
    struct account *account;

    /* The mask first: a signal handler may make the table larger here. */
    __atomic_signal_fence(__ATOMIC_ACQUIRE);
    account = account_at(ledger->slots[slot_home(key, mask)]);
    return likely(account->key == key) ? account : NULL;
}

/* The frame that the path above an allocation ends in. */
EVENT const struct alloctrace_shadow_frame *event_frame(unsigned how)
{
    const struct alloctrace_shadow_frame *const top = __alloctrace_thread.top;

    return how & EVENT_OWN_FRAME ? top->parent : top;
}

/*
 * For an entry of a thread that has a ledger: the account of the path in it,
 * NULL unless that is found at once. `site` is the site's key, tagged (abi.h).
 */
EVENT struct account *event_peek_site(uint64_t site)
{
    const struct ledger *const ledger = __alloctrace_thread.ledger;
    const struct alloctrace_shadow_frame *top = __alloctrace_thread.top;

    if (site & EVENT_OWN_FRAME) {
        top = top->parent;
        site -= EVENT_OWN_FRAME;
    }
    return event_peek(ledger, top->hash * ledger->multiplier + site);
}

/* For a hook: code that was not instrumented, named by where it returns. */
EVENT struct account *event_peek_address(const void *address)
{
    const struct ledger *const ledger = __alloctrace_thread.ledger;

    if (unlikely(!ledger))
        return NULL;
    return event_peek(ledger, __alloctrace_thread.top->hash *
                                      ledger->multiplier +
                                  (uintptr_t)address);
}

/* The same, wherever the account is; it is opened if there is none. NULL: do
 * not record. */
EVENT struct account *event_find_site(uint64_t site, size_t size)
{
    struct account *const account =
        event_has_no_ledger() ? NULL : event_peek_site(site);

    return likely(account) ? account : event_meet_site(site, size);
}

EVENT struct account *event_find_address(const void *address, size_t size)
{
    struct account *const account = event_peek_address(address);

    return likely(account) ? account : event_meet_address(address, size);
}

/* Keeps an account's figures at the peak before it changes. */
EVENT void event_save(struct account *account, uint64_t epoch)
{
    count_set(&account->peak_blocks, count_get(&account->total_blocks) -
                                         count_get(&account->freed_blocks));
    count_set(&account->peak_bytes, count_get(&account->total_bytes) -
                                        count_get(&account->freed_bytes));
    count_set(&account->epoch, epoch);
    account_touched(account);
}

EVENT void event_touch(struct account *account)
{
    const uint64_t epoch = count_get(&at_peak.epoch);

    if (unlikely(count_look(&account->epoch) != epoch))
        event_save(account, epoch);
}

EVENT struct ledger *event_owner(const struct account *account)
{
    return account_chunk(account)->ledger;
}

/* Has the ledger no room left, or so much that the others must hear of it? */
EVENT bool event_is_beyond(const struct ledger *ledger)
{
    return (uint64_t)count_get(&ledger->room) > count_look(&ledger->range);
}

/* Counts a block with what it stands for. Returns it, to be a tail call. */
EVENT void *event_count_share(struct ledger *ledger, struct account *account,
                              void *block, struct sample_share share)
{
    event_touch(account);
    count_add(&account->total_blocks, share.blocks);
    count_add(&account->total_bytes, share.bytes);
    count_add(&ledger->room, -(int64_t)share.bytes);
    if (unlikely(event_is_beyond(ledger)))
        return peak_pass(ledger, block);
    return block;
}

/* Counts a block that is in the map. */
EVENT void *event_count(struct ledger *ledger, struct account *account,
                        void *block, size_t size)
{
    return event_count_share(ledger, account, block,
                             (struct sample_share){1, size});
}

EVENT void event_uncount_share(struct ledger *ledger, struct account *account,
                               struct sample_share share)
{
    event_touch(account);
    count_add(&account->freed_blocks, share.blocks);
    count_add(&account->freed_bytes, share.bytes);
    count_add(&ledger->room, (int64_t)share.bytes);
}

/* Counts a block that is in the map no more. */
EVENT void event_uncount(struct ledger *ledger, struct account *account,
                         size_t size)
{
    event_uncount_share(ledger, account, (struct sample_share){1, size});
}

/* A block has been allocated for `account`; NULL is no block. Returns it, so
 * that what is unusual can be a tail call. */
EVENT void *event_add(struct account *account, void *block, size_t size)
{
    const uintptr_t address = (uintptr_t)block;
    struct ledger *const ledger = __alloctrace_thread.ledger;
    uintptr_t leaf;
    size_t slack;

    if (unlikely(!block))
        return event_refuse(size);
    leaf = narrow_leaf(address);
    if (unlikely(!leaf))
        return event_add_other(account, block, size);
    slack = block_extent(block) - size;
    if (unlikely(slack > count_look(&ledger->max_slack)))
        return event_add_other(account, block, size);
    /* Not looked at before: the line is rarely in the cache, and a store
     * need not wait for it as a load would. */
    count_set(narrow_slot(leaf, address), narrow_entry(account, slack));
    return event_count(ledger, account, block, size);
}

/* The same if it is to be recorded: account NULL is nothing. Of a thread that
 * has a ledger or has none: then the block was chosen as a sample. */
EVENT void *event_add_if(struct account *account, void *block, size_t size)
{
    if (unlikely(!block))
        return event_refuse(size);
    if (unlikely(!account))
        return unlikely(__alloctrace_thread.watch.is_on |
                        __alloctrace_thread.n_paused)
                   ? watch_note(event_pass(block, size), size, 0)
                   : block;
    if (unlikely(!__alloctrace_thread.ledger))
        return sampled_add(account, block, size);
    return event_add(account, block, size);
}

/*
 * A block is about to be freed: what it was counted as. Account NULL: this is
 * not the usual case and nothing was done; event_remove_other or event_take
 * does it. Otherwise the caller asks event_is_beyond, for peak_fall: a thread
 * that falls has to tell the others, too, or the peak would count what it freed
 * beside what they allocate.
 */
EVENT struct taken event_remove(struct ledger *ledger, const void *block)
{
    const struct taken nothing = {NULL, 0, NULL};
    const uintptr_t address = (uintptr_t)block;
    const uintptr_t leaf = narrow_leaf(address);
    struct taken taken;
    uint32_t *slot;
    uint32_t entry;

    if (unlikely(!leaf))
        return nothing;
    slot = narrow_slot(leaf, address);
    entry = count_get(slot);
    taken.account = narrow_account(entry);
    /* Nor is there an entry if it is 0: the first chunk has no owner. */
    if (unlikely(event_owner(taken.account) != ledger))
        return nothing;
    taken.size = block_extent(block) - narrow_slack(entry);
    count_set(slot, 0);
    event_uncount(ledger, taken.account, taken.size);
    return taken;
}

#endif
