/* SPDX-License-Identifier: MIT */
/*
 * Scopes: what one thread allocates between two moments (alloctrace.h).
 *
 * The hot path knows nothing of them. While a scope is open the ledger's
 * max_slack is 0, so that each block goes through event.c's slow half once it
 * is counted, which asks us (scope_count); so do tracked.c and mapping.c. Frees
 * stay as they are, for live bytes are the ledger's own. When the last scope
 * ends nothing is undone at once: the next block has the ledger settled
 * (ledger_settled), under at_lock, as max_slack is the word that other threads
 * write when they retire it. So a pair of begin and end is a few plain loads and
 * stores, and a loop of them never settles.
 *
 * The caller's struct holds what the counters were at the beginning, and is
 * looked at in scope_end alone. All else is the ledger's: the counters, which
 * only rise while scopes are open, and for each open scope the most live bytes
 * since it began or an inner one ended. So a scope that is left by longjmp is
 * found open when one around it ends, and its peak is added; and when there is
 * no room for another, what was begun at the same address is known to be gone.
 *
 * The ledger's generation and number, and a number of the scope, tell whether a
 * scope is still open: a clear retires the ledger, and with it its scopes.
 *
 * Written by the ledger's thread alone, and by its signal handlers, which end
 * what they begin: so a level is claimed before it is written, and given up
 * before its peak is handed on. Cost: 80 instructions each of begin and end
 * (4 ns), 130 more for a block while a scope is open; 24 bytes a level.
 */
#define ALLOCTRACE_API
#include "alloctrace.h"

#include <errno.h>
#include <string.h>

#include "runtime.h"

#define FIRST_LEVELS 64

/* The words of the caller's struct. */
enum {
    OWNER,  /* the ledger's generation and number; 0: it could not be begun */
    SERIAL, /* number of the scope in the ledger */
    LEVEL,  /* how many scopes are around it */
    LIVE,   /* the ledger's live bytes at the beginning */
    BLOCKS, /* its counters then */
    BYTES
};

static uint64_t owner_of(const struct ledger *ledger)
{
    return (uint64_t)ledger->generation->number << 32 | ledger->id;
}

/* The thread's ledger if it counts now. */
static struct ledger *current_ledger(void)
{
    struct ledger *const ledger = *thread_ledger(&__alloctrace_thread);

    return ledger && generation_has(ledger) ? ledger : NULL;
}

/* Live bytes of this thread's ledger. Again if a handler has moved the limit. */
static inline int64_t own_live(const struct ledger *ledger)
{
    int64_t limit;
    int64_t live;

    do {
        limit = count_get(&ledger->limit);
        live = limit - count_get(&ledger->room);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    } while (unlikely(count_get(&ledger->limit) != limit));
    return live;
}

static void raise_to(struct scope_level *level, int64_t live)
{
    if (live > count_get(&level->peak))
        count_set(&level->peak, live);
}

void scope_count(struct ledger *ledger, struct sample_share share)
{
    const uint32_t n = count_get(&ledger->n_scopes);

    if (n == 0)
        return;
    count_add(&ledger->scope_blocks, share.blocks);
    count_add(&ledger->scope_bytes, share.bytes);
    raise_to(&count_get(&ledger->scopes)[n - 1], own_live(ledger));
}

/* Ends those above the level, which nobody has ended. */
at_cold static void close_above(const struct ledger *ledger, uint32_t level)
{
    struct scope_level *const levels = ledger->scopes;

    for (uint32_t i = ledger->n_scopes - 1; i > level; i--)
        raise_to(&levels[level], levels[i].peak);
}

/* Ends the scope of a level and those above it. Gives its peak. */
static inline int64_t close_level(struct ledger *ledger, uint32_t level)
{
    struct scope_level *const levels = count_get(&ledger->scopes);
    int64_t peak;

    if (unlikely(count_get(&ledger->n_scopes) != level + 1))
        close_above(ledger, level);
    peak = count_get(&levels[level].peak);
    count_set(&ledger->n_scopes, level);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (level > 0) {
        raise_to(&levels[level - 1], peak);
        /* What a handler has allocated since it was read. */
        raise_to(&levels[level - 1], count_get(&levels[level].peak));
    } else if (ledger->n_settling == 0) {
        ledger->n_settling = 1;
    }
    return peak;
}

/* The scope at that address is gone if another one begins there, and so are
 * those that began in it. False: there is none. */
static bool close_same(struct ledger *ledger, uintptr_t address)
{
    for (uint32_t i = 0; i < ledger->n_scopes; i++)
        if (ledger->scopes[i].address == address) {
            close_level(ledger, i);
            return true;
        }
    return false;
}

/* Room for one level more. What was outgrown stays as it is, for code that a
 * signal handler interrupted may write to it. Locked. False: no memory. */
static bool make_room(struct ledger *ledger, uintptr_t address)
{
    const uint32_t n = ledger->max_scopes;
    const uint32_t n_new = n ? 2 * n : FIRST_LEVELS;
    struct scope_level *levels = NULL;

    if (ledger->n_scopes < n || close_same(ledger, address))
        return true;
    if (n_new > n && budget_has(BUDGET_ACCOUNTS, n_new * sizeof *levels))
        levels = arena_alloc(n_new * sizeof *levels);
    if (!levels)
        return false;
    if (n)
        memcpy(levels, ledger->scopes, n * sizeof *levels);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    count_set(&ledger->scopes, levels);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    count_set(&ledger->max_scopes, n_new);
    return true;
}

static inline int open_level(struct ledger *ledger, struct alloctrace_scope *scope)
{
    const uint32_t level = count_get(&ledger->n_scopes);
    const uint64_t serial = count_get(&ledger->scope_serial) + 1;
    struct scope_level *levels;
    int64_t live;

    count_set(&ledger->scope_serial, serial);
    count_set(&ledger->n_scopes, level + 1);
    do { /* again if a handler has made room */
        levels = count_get(&ledger->scopes);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        live = own_live(ledger);
        levels[level] = (struct scope_level){live, serial, (uintptr_t)scope};
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    } while (count_get(&ledger->scopes) != levels);
    /* Now that nobody settles the ledger. */
    count_set(&ledger->max_slack, 0);
    scope->opaque[OWNER] = owner_of(ledger);
    scope->opaque[SERIAL] = serial;
    scope->opaque[LEVEL] = level;
    scope->opaque[LIVE] = (uint64_t)live;
    scope->opaque[BLOCKS] = count_get(&ledger->scope_blocks);
    scope->opaque[BYTES] = count_get(&ledger->scope_bytes);
    return 0;
}

/* The thread has no ledger, or one without room for another level. */
at_cold static int begin_slow(struct alloctrace_scope *scope)
{
    struct thread *const thread = &__alloctrace_thread;
    const int saved = errno;
    struct ledger *ledger = NULL;
    int error = ALLOCTRACE_ENOT_TRACING;

    if (thread->busy)
        return ALLOCTRACE_EBUSY;
    thread->busy = 1;
    if (start_once()) {
        lock_take();
        ledger = tenant_renew(thread);
        if (ledger && make_room(ledger, (uintptr_t)scope))
            error = 0;
        else if (count_get(&at_tracing) == TRACING_ON)
            error = ALLOCTRACE_ENO_MEMORY;
        lock_release();
    }
    thread->busy = 0;
    errno = saved;
    return error ? error : open_level(ledger, scope);
}

int scope_begin(struct alloctrace_scope *scope)
{
    struct ledger *const ledger = current_ledger();

    scope->opaque[OWNER] = 0;
    if (count_get(&at_tracing) == TRACING_OFF)
        return ALLOCTRACE_ENOT_TRACING;
    if (unlikely(!ledger || count_get(&ledger->n_scopes) ==
                                count_get(&ledger->max_scopes)))
        return begin_slow(scope);
    return open_level(ledger, scope);
}

/* 0 if the scope is open in that ledger, NULL or the thread's; or an error. */
static inline int check(const struct ledger *ledger,
                 const struct alloctrace_scope *scope)
{
    const uint64_t owner = scope->opaque[OWNER];
    const uint64_t level = scope->opaque[LEVEL];

    if (count_get(&at_tracing) != TRACING_ON ||
        owner >> 32 != generation_number())
        return ALLOCTRACE_ENOT_TRACING;
    if (!ledger || owner != owner_of(ledger) ||
        level >= count_get(&ledger->n_scopes) ||
        count_get(&ledger->scopes)[level].serial != scope->opaque[SERIAL])
        return ALLOCTRACE_EBAD_ARGUMENT;
    return 0;
}

/* What the counters have become since the beginning. Word by word: a struct
 * that is copied whole waits for what was just stored. */
static inline void measure(const struct ledger *ledger,
                           const struct alloctrace_scope *scope, int64_t peak,
                           struct alloctrace_scope_result *result)
{
    const int64_t live = own_live(ledger);
    const int64_t before = (int64_t)scope->opaque[LIVE];

    result->allocations =
        count_get(&ledger->scope_blocks) - scope->opaque[BLOCKS];
    result->bytes = count_get(&ledger->scope_bytes) - scope->opaque[BYTES];
    result->peak = (uint64_t)((live > peak ? live : peak) - before);
    result->net = live - before;
    memset(result->reserved, 0, sizeof result->reserved);
}

int scope_end(const struct alloctrace_scope *scope,
              struct alloctrace_scope_result *result)
{
    struct ledger *const ledger = current_ledger();
    const int error = check(ledger, scope);
    int64_t peak;

    if (unlikely(error)) {
        if (result)
            *result = (struct alloctrace_scope_result){0};
        return error;
    }
    peak = close_level(ledger, (uint32_t)scope->opaque[LEVEL]);
    if (result)
        measure(ledger, scope, peak, result);
    return 0;
}
