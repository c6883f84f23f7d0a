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

void event_forget_drops(void)
{
    __atomic_store_n(&at_dropped_blocks, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&at_dropped_bytes, 0, __ATOMIC_RELAXED);
}

void (*at_on_refusal)(void);

/* No block of that size exists: that is no want of memory. Nor is what is
 * refused without tracing, or for another reason (a bad alignment). */
void *event_refuse_as(size_t size, int error)
{
    const int saved = errno;

    if (at_on_refusal && error == ENOMEM && size > 0 && size <= PTRDIFF_MAX)
        at_on_refusal();
    errno = saved;
    return NULL;
}

void *event_refuse(size_t size)
{
    return event_refuse_as(size, errno);
}

static struct ledger *own_ledger(void)
{
    return *thread_ledger(&__alloctrace_thread);
}

/* The ledger has no account for what another ledger's account stands for:
 * opens one. It takes no heed of the budget, lest blocks stay that others
 * have freed. Locked. */
static struct account *open_same(struct ledger *ledger, struct path path)
{
    struct account *account;

    budget_lift(true);
    account = ledger_add(ledger, (struct account_facts){
                                     path.key, path.traceback_id, path.domain});
    budget_lift(false);
    return account;
}

/* The ledger knows no account for the path: finds or opens one. Locked. */
static struct account *open_account(struct ledger *ledger, struct path path)
{
    struct spot spot;

    if (path.traceback_id)
        return open_same(ledger, path);
    spot = recover_path(path.hash, event_frame(path.how), path.leaf,
                        !(path.how & EVENT_RETURN_ADDRESS));
    return purse_account(ledger, spot, path.domain);
}

/* The same in the thread's own ledger, which is made to be one of the current
 * generation; NULL: no memory, or nothing is traced any more. */
static struct account *open_own(struct thread *thread, struct path path)
{
    struct ledger *ledger;
    struct account *account = NULL;

    lock_take();
    ledger = tenant_renew(thread);
    if (ledger)
        account = ledger_find(ledger, path.key);
    if (ledger && !account)
        account = open_account(ledger, path);
    lock_release();
    return account;
}

/* The account in which the thread's ledger counts the path; NULL: it is not
 * known yet. */
static struct account *find_known(struct ledger *ledger, struct path path)
{
    struct account *account = ledger_find(ledger, path.key);

    if (!account && !path.traceback_id)
        account = ledger_recall(ledger, path.key);
    return account;
}

/* The path's account in the thread's own ledger; NULL: no memory. */
static struct account *find_own(struct thread *thread, struct path path)
{
    struct ledger *const ledger = own_ledger();
    struct account *account =
        ledger && generation_has(ledger) ? find_known(ledger, path) : NULL;

    if (account)
        return account;
    account = open_own(thread, path);
    if (account && account->key != path.key)
        ledger_remember(*thread_ledger(thread), path.key, account);
    return account;
}

/* The verifying mode: does the hash stand for the frames that are there? */
static void verify(const struct account *account, uint64_t hash, uint64_t leaf,
                   unsigned how)
{
    const struct spot spot = {.id = account_traceback(account),
                              .is_cut = purse_is_cut(account)};

    lock_take();
    if (!recover_verify(spot, hash, event_frame(how), leaf))
        at_collisions++;
    lock_release();
}

/* Is there something to be recorded? If not the thread leaves its ledger. */
static bool is_open(struct thread *thread)
{
    if (start_once())
        return true;
    if (own_ledger() && own_ledger() != &at_stopped_ledger) {
        lock_take();
        tenant_renew(thread);
        lock_release();
    }
    return false;
}

struct account *event_find_slow(uint64_t key, uint64_t leaf, unsigned how,
                                size_t size)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;
    struct account *account = NULL;

    if (thread->busy || thread->n_paused) {
        /* A sample that falls into what is not recorded is none. */
        if (at_options.sample && !sample_choose(thread, size))
            return NULL;
        if (thread->busy < BUSY_SILENT && !thread->n_paused)
            event_drop(size);
        return NULL;
    }
    thread->busy = 1;
    if (is_open(thread) &&
        (!at_options.sample || sample_choose(thread, size))) {
        account = find_own(thread, (struct path){.key = key,
                                                 .hash = key,
                                                 .leaf = leaf,
                                                 .how = how});
        if (!account && count_get(&at_tracing) == TRACING_ON)
            event_drop(size);
        else if (account && at_options.verify)
            verify(account, key, leaf, how);
    }
    thread->busy = 0;
    errno = saved;
    return account;
}

/* Looks further than event_peek. NULL: the path is new, or asked about each
 * time (verifying). */
static struct account *find_further(const struct ledger *ledger, uint64_t key)
{
    const uint32_t mask = (uint32_t)ledger->mask;

    for (uint32_t i = slot_home(key, mask); ledger->slots[i];
         i = (i + 1) & mask) {
        struct account *const account = account_at(ledger->slots[i]);

        if (account->key == key)
            return account;
    }
    return NULL;
}

static struct account *meet(uint64_t leaf, unsigned how, size_t size)
{
    const struct ledger *const ledger = __alloctrace_thread.ledger;
    const uint64_t hash = event_frame(how)->hash;
    /* A ledger that is retired may have been of another limit. */
    const bool is_current = ledger && generation_has(ledger);
    const uint64_t key =
        hash * (is_current ? ledger->multiplier : ALLOCTRACE_HASH_K) + leaf;
    struct account *const account =
        is_current ? find_further(ledger, key) : NULL;

    return account ? account : event_find_slow(key, leaf, how, size);
}

/*
 * After a stop a thread keeps a ledger in which nothing is found for some
 * allocations: an allocator that allocates itself, or a signal handler, may
 * have met the stop while the thread was between event_peek_site and event_add,
 * and event_add must not find none. Nothing nests that deep.
 */
#define N_STOPPED 256

static bool rest(void)
{
    struct thread *const thread = &__alloctrace_thread;

    if (count_get(&at_tracing) != TRACING_OFF ||
        (thread->ledger && thread->ledger != &at_stopped_ledger))
        return false;
    if (thread->ledger && ++thread->n_stopped >= N_STOPPED)
        thread->ledger = NULL;
    return true;
}

struct account *event_meet_site(uint64_t site, size_t size)
{
    if ((event_has_no_ledger() && sample_passes(size)) || rest())
        return NULL;
    return meet(site & ~(uint64_t)EVENT_OWN_FRAME,
                (unsigned)site & EVENT_OWN_FRAME, size);
}

struct account *event_meet_address(const void *address, size_t size)
{
    if ((event_has_no_ledger() && sample_passes(size)) || rest())
        return NULL;
    return meet((uintptr_t)address, EVENT_RETURN_ADDRESS, size);
}

struct account *event_open(struct path path)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;
    struct account *account = NULL;

    if (thread->busy)
        return NULL;
    thread->busy = 1;
    if (is_open(thread))
        account = find_own(thread, path);
    thread->busy = 0;
    errno = saved;
    return account;
}

/* The account in this thread's ledger for those facts. */
static struct account *open_facts(struct account_facts facts)
{
    return event_open((struct path){.key = facts.key,
                                    .traceback_id = facts.traceback_id,
                                    .domain = facts.domain});
}

/*
 * What an account stands for; gives its generation. 0: its chunk is nobody's
 * or of a generation after `number`, so that it has been used again. The facts
 * are read between two looks at the chunk's generation, which is written
 * before they are.
 */
static uint32_t read_facts(const struct account *account, uint32_t number,
                           struct account_facts *facts)
{
    const struct account_chunk *const chunk = account_chunk(account);
    const uint32_t generation =
        __atomic_load_n(&chunk->generation, __ATOMIC_ACQUIRE);

    *facts = account_facts_get(account_facts(account));
    if (generation > number ||
        __atomic_load_n(&chunk->generation, __ATOMIC_RELAXED) != generation)
        return 0;
    return generation;
}

/*
 * The account in this thread's ledger for what a block is counted in; NULL:
 * the block was forgotten, or no memory. `number` is that of the generation
 * that was the current one before the block's entry was read: if the chunk is
 * of a later one it has been used again, and the entry meant what it was
 * before.
 */
static struct account *own_account(struct account *account, uint32_t number)
{
    const struct account_chunk *const chunk = account_chunk(account);
    const struct ledger *const ledger = own_ledger();
    struct account_facts facts;
    const uint32_t generation = read_facts(account, number, &facts);
    struct account *own;

    if (!generation)
        return NULL;
    if (ledger && chunk->ledger == ledger)
        return account; /* also of one that is retired: nobody reads it */
    if (generation != generation_number())
        return NULL;
    own = open_facts(facts);
    /* Another clear may have come in between. */
    return own && account_chunk(own)->generation == generation ? own : NULL;
}

/*
 * The account in this thread's ledger for one that was found in a ledger which
 * the thread has left since. That is still what it was if the thread has left
 * no other after it (tenant.c). If it has, for allocations are nested, its chunk
 * may have been used again: it is nobody's now, or of a later generation than
 * the ledger that the thread has. NULL: that, or no memory, or nothing is traced
 * any more.
 */
static struct account *open_found(const struct account *account)
{
    const struct ledger *const ledger = own_ledger();
    const uint32_t number = ledger && ledger->generation
                                ? ledger->generation->number
                                : generation_number();
    struct account_facts facts;

    return read_facts(account, number, &facts) ? open_facts(facts) : NULL;
}

/* The same for a block of that size, which is dropped if there is none. */
static struct account *open_or_drop(const struct account *found, size_t size)
{
    struct account *const account = open_found(found);

    if (!account && count_get(&at_tracing) == TRACING_ON)
        event_drop(size);
    return account;
}

/*
 * The account to count a new block in: not the one that was found for it if
 * that has been retired since. A ledger that is new looks at some blocks more
 * closely: what was found by the outer one of two nested allocations may be of
 * the ledger before. NULL: nothing is traced any more, or no memory.
 */
static struct account *settle(struct account *account, size_t size)
{
    struct ledger *const ledger = __alloctrace_thread.ledger;

    if (event_owner(account) == ledger && generation_has(ledger)) {
        /* Not a handler on top of who may have the lock. */
        if (ledger->n_settling && !__alloctrace_thread.busy &&
            --ledger->n_settling == 0)
            ledger_settled(ledger);
        return account;
    }
    return open_or_drop(account, size);
}

struct account *event_settle(struct account *account, size_t size)
{
    const struct ledger *const ledger = own_ledger();

    if (ledger && event_owner(account) == ledger)
        return account; /* also of one that is retired: nobody reads it */
    return open_or_drop(account, size);
}

/* A place for the block must be made, or what stands there looked at. */
at_cold static void *add_slow(struct account *account, void *block, size_t size)
{
    const int saved = errno;
    bool is_put;

    if (at_options.sample) /* a signal handler on top of the slow half */
        return block;
    account = settle(account, size);
    if (!account)
        return block;
    if (real_has_hidden_frees() && block_get(block).account)
        event_take(block); /* of one that was freed unseen */
    is_put = block_put(block, account, size);
    if (is_put && at_options.detail)
        detail_add(account, (uintptr_t)block, size);
    errno = saved;
    if (!is_put) {
        event_drop(size);
        return block;
    }
    event_count(event_owner(account), account, block, size);
    scope_count(event_owner(account), (struct sample_share){1, size});
    return block;
}

/* What is allocated in a pause is entered as what was forgotten is: whoever
 * frees it later, that is no free of a block that nobody knows. */
void *event_pass(void *block, size_t size)
{
    const int saved = errno;

    if (__alloctrace_thread.n_paused && !at_options.sample &&
        __atomic_load_n(&at_tracing, __ATOMIC_ACQUIRE) == TRACING_ON) {
        if (real_has_hidden_frees() && block_get(block).account)
            event_take(block); /* of one that was freed unseen */
        block_put(block, account_forgotten(), size);
    }
    errno = saved;
    return block;
}

void *event_add_other(struct account *account, void *block, size_t size)
{
    struct ledger *const ledger = __alloctrace_thread.ledger;
    const uintptr_t address = (uintptr_t)block;
    uint64_t *const slot = wide_slot(address);

    if (unlikely(!slot || !count_look(&ledger->max_slack) || !wide_holds(size) ||
                 (at_is_narrow && !narrow_leaf(address))))
        return add_slow(account, block, size);
    count_set(slot, wide_entry(account, size));
    return event_count(ledger, account, block, size);
}

/* The slow way, which tells the others when much was freed. */
static void uncount(struct ledger *ledger, struct account *account,
                    struct sample_share share)
{
    event_uncount_share(ledger, account, share);
    if (event_is_beyond(ledger))
        peak_fall(ledger);
}

bool event_remove_other(struct ledger *ledger, const void *block)
{
    uint64_t *const slot = wide_slot((uintptr_t)block);
    const uint64_t entry = slot ? count_get(slot) : 0;
    struct account *const account = wide_account(entry);

    if (!entry || event_owner(account) != ledger || at_options.detail)
        return false;
    count_set(slot, 0);
    uncount(ledger, account,
            (struct sample_share){1, (size_t)wide_size(entry)});
    return true;
}

struct account *event_subtract_share(struct account *account,
                                     struct sample_share share,
                                     uint32_t number)
{
    account = own_account(account, number);
    if (!account)
        return account_forgotten();
    uncount(event_owner(account), account, share);
    return account;
}

struct account *event_subtract(struct account *account, size_t size,
                               uint32_t number)
{
    return event_subtract_share(account, (struct sample_share){1, size},
                                number);
}

void event_shrink(struct account *account, size_t size, uint32_t number)
{
    account = own_account(account, number);
    if (!account)
        return;
    event_uncount(event_owner(account), account, size);
    count_add(&account->freed_blocks, (uint64_t)-1);
}

struct taken event_take(const void *block)
{
    const uint32_t number = generation_number();
    struct taken taken = block_remove(block);
    struct ledger *const ledger = __alloctrace_thread.ledger;

    if (taken.account && at_options.detail)
        detail_remove(taken.account, (uintptr_t)block, taken.size);
    taken.origin = taken.account;
    if (taken.account)
        taken.account = event_subtract(taken.account, taken.size, number);
    else if (ledger && ledger != &at_stopped_ledger &&
             __alloctrace_thread.busy < BUSY_SILENT &&
             !__alloctrace_thread.n_paused)
        count_add(&ledger->unknown_frees, 1);
    return taken;
}

bool event_unsubtract_share(struct account *account, struct sample_share share)
{
    struct ledger *const ledger = own_ledger();

    if (!ledger || event_owner(account) != ledger)
        return false;
    count_add(&account->freed_blocks, -share.blocks);
    count_add(&account->freed_bytes, -share.bytes);
    count_add(&ledger->room, -(int64_t)share.bytes);
    return true;
}

bool event_unsubtract(struct account *account, size_t size)
{
    return event_unsubtract_share(account, (struct sample_share){1, size});
}

/* The account of another thread's that the block was counted in, if that has
 * not been retired since; else this thread's. Locked, or it might be now. */
static struct account *choose_home(struct taken taken)
{
    const struct account_chunk *const own = account_chunk(taken.account);

    return taken.origin && generation_has(own->ledger) &&
                   account_chunk(taken.origin)->generation == own->generation
               ? taken.origin
               : taken.account;
}

void event_restore(const void *block, struct taken taken)
{
    struct thread *const thread = &__alloctrace_thread;
    const bool is_known =
        taken.account && event_unsubtract(taken.account, taken.size);
    const bool is_locked = is_known && !thread->busy;
    struct account *account = is_known ? taken.account : account_forgotten();

    if (!taken.account)
        return;
    if (is_locked) {
        lock_take();
        account = choose_home(taken);
    }
    block_put((void *)(uintptr_t)block, account, taken.size);
    if (is_locked)
        lock_release();
    if (at_options.detail)
        detail_put_back(account, (uintptr_t)block, taken.size);
}

void event_resized(const void *old, struct taken taken, const void *block,
                   size_t size)
{
    const int saved = errno;
    const struct ledger *const ledger = own_ledger();

    if (!block && size != 0) /* realloc(p, 0) may be a free */
        event_restore(old, taken);
    if (!block || !taken.account)
        return;
    if (ledger && event_owner(taken.account) == ledger)
        detail_resize(taken.account, taken.size, size, block != old);
    errno = saved;
}
