/* SPDX-License-Identifier: MIT */
/*
 * Domains: kinds of memory that are counted apart. 0 is the C library's heap,
 * numbers below NAMED_DOMAINS are the program's own choice (alloctrace_track),
 * those above have names: of the program's allocators and "operator new".
 *
 * A path has an account in each domain it allocates in. In domain 0 its key
 * is the path's hash; in others the domain is mixed in, and the account is
 * found in the ledger's table without the hot path's short cut: these
 * allocations cost a few nanoseconds more.
 *
 * A name's id is remembered by the address of the constant that the compiler
 * passed; since another library may lie there after dlclose, the name itself
 * is compared each time. Ids are never taken back.
 */
#include <string.h>

#include "event.h"

/* Slots of the cache of names; collisions only cost time. */
#define CACHE_SIZE 256
#define FIRST_NAMES 64

struct vector at_domains = {.element_size = sizeof(struct domain)};

static uint32_t cache[CACHE_SIZE]; /* number of a domain; 0 = free */

/*
 * Name => number of its domain, at most half full. Read without a lock, so
 * that a table that was outgrown stays as it is, for those who still read it:
 * all of them together are no larger than the last one.
 */
static struct names {
    uint32_t mask; /* slots - 1 */
    uint32_t numbers[]; /* 0 = free (release) */
} *names; /* (release) */

static uint32_t *cache_slot(const char *name)
{
    return &cache[slot_home((uintptr_t)name * UINT64_C(0x9e3779b97f4a7c15),
                            CACHE_SIZE - 1)];
}

static bool is_named(uint32_t number, const char *name)
{
    const struct domain *const domain = vector_at(&at_domains, number);

    return strcmp(domain->name, name) == 0;
}

static uint32_t hash_of(const char *name)
{
    return string_hash(name, strlen(name)) * 0x9e3779b1u >> 8;
}

/* The number of the domain, 0: it is new. */
static uint32_t find(const char *name)
{
    /* Acquire: pairs with the releases below. */
    const struct names *const table =
        __atomic_load_n(&names, __ATOMIC_ACQUIRE);
    uint32_t number;

    if (!table)
        return 0;
    for (uint32_t i = hash_of(name);; i++) {
        number = __atomic_load_n(&table->numbers[i & table->mask],
                                 __ATOMIC_ACQUIRE);
        if (!number || is_named(number, name))
            return number;
    }
}

static void put(struct names *table, uint32_t number)
{
    const struct domain *const domain = vector_at(&at_domains, number);
    uint32_t i = hash_of(domain->name);

    while (table->numbers[i & table->mask])
        i++;
    __atomic_store_n(&table->numbers[i & table->mask], number,
                     __ATOMIC_RELEASE);
}

/* Makes room for one name more. Locked. False: no memory. */
static bool reserve(void)
{
    const uint32_t n = vector_count(&at_domains);
    const uint32_t size = names ? names->mask + 1 : 0;
    const uint32_t wanted = size ? 2 * size : FIRST_NAMES;
    struct names *table;

    if (n < size / 2)
        return true;
    table = arena_alloc(sizeof *table + wanted * sizeof *table->numbers);
    if (!table)
        return false;
    table->mask = wanted - 1;
    for (uint32_t number = 1; number <= n; number++)
        put(table, number);
    __atomic_store_n(&names, table, __ATOMIC_RELEASE);
    return true;
}

/* Makes it. Locked. 0: no memory. */
static uint32_t add(const char *name)
{
    const uint32_t string = string_intern(name);
    const struct string *const copy =
        string ? vector_at(&at_strings, string) : NULL;
    const uint32_t number =
        copy && reserve() ? vector_add(&at_domains,
                                       &(struct domain){copy->bytes, string})
                          : 0;

    if (number)
        put(names, number);
    return number;
}

uint32_t domain_find(const char *name)
{
    uint32_t *const slot = cache_slot(name);
    uint32_t number = count_get(slot);

    if (number && is_named(number, name))
        return NAMED_DOMAINS + number;
    number = find(name);
    if (!number)
        return 0;
    count_set(slot, number);
    return NAMED_DOMAINS + number;
}

uint32_t domain_intern(const char *name)
{
    const uint32_t id = domain_find(name);
    uint32_t number;

    if (id)
        return id;
    lock_take();
    number = find(name);
    if (!number)
        number = add(name);
    lock_release();
    return number ? NAMED_DOMAINS + number : 0;
}

struct account *domain_account(struct path path)
{
    const struct ledger *const ledger = *thread_ledger(&__alloctrace_thread);
    struct account *account;

    path.key = purse_key(path.hash, path.domain);
    account = ledger && generation_has(ledger)
                  ? ledger_find(ledger, path.key)
                  : NULL;
    return account ? account : event_open(path);
}

struct path domain_path(uint64_t site, uint32_t domain)
{
    const unsigned how = site & EVENT_OWN_FRAME;

    site &= ~(uint64_t)EVENT_OWN_FRAME;
    return (struct path){
        .hash = event_frame(how)->hash * ALLOCTRACE_HASH_K + site,
        .leaf = site,
        .how = how,
        .domain = domain,
    };
}

bool domain_is_below(const struct account *account, uint64_t hash)
{
    uint32_t id = account_traceback(account);

    while (id) {
        const struct traceback *const traceback = vector_at(&at_tracebacks, id);

        if (traceback->key == hash)
            return true;
        id = traceback->parent;
    }
    return false;
}

bool domain_is_vague(uint64_t hash)
{
    bool is_vague = path_limit() != 0;

    if (!is_vague) {
        lock_take();
        is_vague = !traceback_find(hash) && recover_is_elsewhere(hash);
        lock_release();
    }
    return is_vague;
}
