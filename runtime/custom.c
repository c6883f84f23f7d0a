/* SPDX-License-Identifier: MIT */
/*
 * The entries for the program's own allocators (abi.h), and alloctrace_track.
 *
 * What a function returns that was declared to be an allocator may have come
 * from malloc or from another such function: then it is a wrapper, the block
 * is counted already, and nothing is recorded here. That is decided by the
 * block: it begins where a live block does whose size is at most twice what
 * was asked for and WRAPPER_SLACK. (A pool's first block lies at the start of
 * a chunk of the heap, too, but chunks are larger.)
 */
#define ALLOCTRACE_API
#include "alloctrace.h"

#include "event.h"

#define WRAPPER_SLACK 64

/* A block that is being resized: removed, but it may have to come back. */
struct suspended {
    struct taken taken; /* the account is this thread's, or forgotten */
    uint32_t domain;
    uintptr_t address;
    struct suspended *next; /* on the list of those that are free */
};

static struct suspended *free_list; /* under at_lock */

/* Called by compiled code alone. */
at_export void __alloctrace_custom_alloc(void *block, size_t size,
                                         uint64_t site, const char *name,
                                         void *token);
at_export void *__alloctrace_custom_take(void *block);
at_export void __alloctrace_custom_free(void *block, const char *name);
at_export int __alloctrace_track(unsigned domain, const void *block,
                                 size_t size, uint64_t site);

static bool is_near(size_t actual, size_t asked)
{
    return asked > SIZE_MAX / 4 || actual <= 2 * asked + WRAPPER_SLACK;
}

/* Does a live block of the heap begin there, of about that size? */
static bool is_of_heap(const void *block, size_t size)
{
    const struct taken block_there = block_get(block);

    return block_there.account && is_near(block_there.size, size);
}

/*
 * Did another allocator of the program's hand it out already? In another
 * domain the size tells; in the same one (where a block is resized by getting
 * a new one) whether it was done inside this very call, whose path is what
 * the caller's own frame holds; or the size again where paths are not kept.
 */
static bool is_tracked(const void *block, size_t size, uint64_t site,
                       uint32_t domain)
{
    const struct taken other = tracked_find((uintptr_t)block);
    uint64_t hash;

    if (!other.account)
        return false;
    if (account_domain(other.account) != domain)
        return is_near(other.size, size);
    if (!(site & ALLOCTRACE_OWN_FRAME))
        return false;
    hash = __alloctrace_thread.top->hash;
    return domain_is_below(other.account, hash) ||
           (domain_is_vague(hash) && is_near(other.size, size));
}

/*
 * The same while sampling, when most blocks are not known but the thread's last
 * ones. In the same domain the inner call stood deeper on the stack.
 */
static bool is_handed_on(const void *block, size_t size, uint32_t domain)
{
    const bool was_watching = watch_begin();
    const struct watched *const seen = watch_find(block);
    bool is_inner;

    if (!was_watching)
        return true; /* who knows? */
    is_inner = seen && is_near(seen->size, size) &&
               (seen->domain != domain ||
                seen->frame < (uintptr_t)__alloctrace_thread.top);
    watch_note((void *)(uintptr_t)block, size, domain);
    return is_inner;
}

/* Not to be recorded: not tracing, or inside the runtime. */
static bool is_closed(void)
{
    return event_is_off() || __alloctrace_thread.busy;
}

static struct suspended *suspended_create(void)
{
    struct suspended *node;

    lock_take();
    node = free_list;
    if (node)
        free_list = node->next;
    else
        node = arena_alloc(sizeof *node);
    lock_release();
    return node;
}

static void suspended_destroy(struct suspended *node)
{
    lock_take();
    node->next = free_list;
    free_list = node;
    lock_release();
}

void *__alloctrace_custom_take(void *block)
{
    struct suspended *node;
    struct taken taken;
    uint32_t domain;

    if (is_closed() || !block)
        return NULL;
    if (at_options.sample) {
        watch_forget(block);
        if (!sample_may_be(block))
            return NULL;
    }
    taken = tracked_find((uintptr_t)block);
    if (!taken.account)
        return NULL;
    domain = account_domain(taken.account);
    taken = tracked_remove(domain, (uintptr_t)block);
    node = taken.account ? suspended_create() : NULL;
    if (node) {
        node->taken = taken;
        node->domain = domain;
        node->address = (uintptr_t)block;
    }
    return node;
}

/* The block could not be resized: it is what it was. */
static void restore(const struct suspended *node)
{
    tracked_put_back(node->taken.account, node->address, node->taken.size);
}

/* Ends a resizing; gives the domain of the block that was resized, or 0. */
static uint32_t resume(struct suspended *node, const void *block, size_t size)
{
    const bool has_failed = !block && size != 0;
    uint32_t domain;

    if (!node)
        return 0;
    if (has_failed)
        restore(node);
    else if (block && size != ALLOCTRACE_SIZE_UNKNOWN && at_options.detail)
        event_resized((const void *)node->address, node->taken, block, size);
    domain = node->domain;
    suspended_destroy(node);
    return domain;
}

static void record(const void *block, size_t size, uint64_t site,
                   uint32_t domain)
{
    struct account *account = NULL;

    if (size == ALLOCTRACE_SIZE_UNKNOWN)
        size = 0;
    if (sampled_skips(domain, block, size))
        return;
    if (domain)
        account = domain_account(domain_path(site, domain));
    if (account)
        tracked_add(account, (uintptr_t)block, size);
    else if (count_get(&at_tracing) == TRACING_ON)
        event_drop(size);
}

void __alloctrace_custom_alloc(void *block, size_t size, uint64_t site,
                               const char *name, void *token)
{
    uint32_t domain;
    bool is_known;

    if (is_closed())
        return;
    domain = resume(token, block, size);
    /* Without a record the plugin was absent when the program was linked. */
    if (!block || __alloctrace_thread.n_paused || !(site & ~(uint64_t)ALLOCTRACE_OWN_FRAME))
        return;
    if (!domain)
        domain = domain_intern(name);
    if (at_options.sample)
        is_known = is_handed_on(block, size, domain);
    else
        is_known = is_of_heap(block, size) ||
                   is_tracked(block, size, site, domain);
    if (!is_known)
        record(block, size, site, domain);
}

void __alloctrace_custom_free(void *block, const char *name)
{
    struct taken found;
    uint32_t domain;

    if (is_closed() || !block)
        return;
    if (at_options.sample) {
        watch_forget(block);
        if (!sample_may_be(block))
            return;
    }
    domain = name ? domain_find(name) : 0;
    if (domain && tracked_remove(domain, (uintptr_t)block).account)
        return;
    found = tracked_find((uintptr_t)block);
    if (found.account)
        tracked_remove(account_domain(found.account), (uintptr_t)block);
}

/* What both ways of alloctrace_track ask first. 0 or an error. */
static int check_track(unsigned domain)
{
    if (!alloctrace_is_tracing())
        return ALLOCTRACE_ENOT_TRACING;
    return domain >= NAMED_DOMAINS ? ALLOCTRACE_EBAD_ARGUMENT : 0;
}

/* Is it a block that the heap gave out, which has its trace in domain 0? The
 * map knows no better than by the four words that the address lies in. */
static bool is_heap_block(unsigned domain, const void *block)
{
    return domain == 0 && block && (uintptr_t)block % sizeof(void *) == 0 &&
           block_get(block).account;
}

static int track(struct path path, const void *block, size_t size)
{
    struct account *account;

    if (__alloctrace_thread.busy)
        return ALLOCTRACE_ENO_MEMORY;
    if (sampled_skips(path.domain, block, size))
        return 0;
    account = domain_account(path);
    if (account && is_heap_block(path.domain, block)) {
        event_take(block);
        event_add(account, (void *)(uintptr_t)block, size);
        return 0;
    }
    return account && tracked_add(account, (uintptr_t)block, size)
               ? 0
               : ALLOCTRACE_ENO_MEMORY;
}

int __alloctrace_track(unsigned domain, const void *block, size_t size,
                       uint64_t site)
{
    const int error = check_track(domain);

    return error ? error : track(domain_path(site, domain), block, size);
}

at_export int alloctrace_track(unsigned domain, const void *block, size_t size)
{
    const uintptr_t address = (uintptr_t)__builtin_return_address(0);
    const int error = check_track(domain);
    const struct path path = {
        .hash = __alloctrace_thread.top->hash * ALLOCTRACE_HASH_K + address,
        .leaf = address,
        .how = EVENT_RETURN_ADDRESS,
        .domain = domain,
    };

    return error ? error : track(path, block, size);
}

at_export int alloctrace_untrack(unsigned domain, const void *block)
{
    const int error = check_track(domain);

    if (error || __alloctrace_thread.busy)
        return error;
    if (!tracked_remove(domain, (uintptr_t)block).account &&
        is_heap_block(domain, block))
        event_take(block);
    return 0;
}
