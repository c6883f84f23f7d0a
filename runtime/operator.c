/* SPDX-License-Identifier: MIT */
/*
 * HOT: the entries for C++'s operators new and delete. Each is given `real`,
 * the operator that the call would have reached without us, and that one's
 * allocator serves the call:
 *
 *   the standard library's own   is malloc with a loop around it: malloc is
 *                                called here, with the call's own site, as
 *                                fast as from C. Where it fails `real` is
 *                                called, so that new_handler and bad_alloc
 *                                are exactly what they were.
 *   another one                  is called, with the site linked as a frame.
 *                                If it allocates with malloc, that was counted
 *                                there, on a path through the site. If not,
 *                                the block is recorded here: in domain 0 if
 *                                the operator belongs to the allocator that
 *                                serves malloc (jemalloc), else in the domain
 *                                "operator new".
 *
 * Which it is, is decided once for each operator, by the file it lies in.
 *
 * Exceptions pass through: the frame that is linked here is then unlinked by
 * nobody. But what catches them or cleans up has a frame of its own if it is
 * instrumented (the plugin sees to that), and makes it the innermost again
 * before it does anything else.
 */
#define _GNU_SOURCE
#define AT_NAMES_THE_ALLOCATOR
#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "family.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define DOMAIN_NAME "operator new"
#define LIBRARY_NAME "libstdc++.so"

extern int dladdr1_weak(const void *, Dl_info *, void **, int) __asm__("dladdr1")
    __attribute__((weak));
extern void *dlsym_weak(void *, const char *) __asm__("dlsym")
    __attribute__((weak));
extern char *dlerror_weak(void) __asm__("dlerror") __attribute__((weak));

enum {
#define NUMBER(name, symbol, shape, next) OPERATOR_##name,
    ALLOCTRACE_OPERATORS(NUMBER)
#undef NUMBER
    N_OPERATORS
};

static const struct {
    char symbol[48]; /* '#' stands for size_t */
    unsigned next;   /* the operator that the library's own one calls */
} operators[N_OPERATORS] = {
#define ROW(name, symbol, shape, next) {symbol, OPERATOR_##next},
    ALLOCTRACE_OPERATORS(ROW)
#undef ROW
};

/* How an operator came to be called, for the slow halves. */
struct call {
    unsigned number; /* OPERATOR_* */
    void *real;
    size_t size;
    size_t alignment; /* 0 = none */
    const void *nothrow; /* NULL = may throw */
    uint64_t site;      /* tagged */
};

/* The standard library's own; NULL: not met yet. Any thread, relaxed. */
static void *own_operators[N_OPERATORS];
/* Another one that was met, and what serves it. Likewise. */
static struct {
    void *real;
    uint32_t is_direct; /* it belongs to the allocator that serves malloc */
} others[N_OPERATORS];

/* The symbol as the target mangles it. */
static const char *symbol_of(unsigned number, char name[48])
{
    memcpy(name, operators[number].symbol, 48);
    for (char *c = name; *c; c++)
        if (*c == '#')
            *c = sizeof(size_t) == sizeof(unsigned) ? 'j' : 'm';
    return name;
}

/* The file a function lies in, NULL if unknown. If `address` only is where
 * the executable jumps to it from, looks behind. */
static const char *file_of(void *address, const char *symbol, const void **base)
{
    ElfW(Sym) *entry = NULL;
    Dl_info info;

    if (!address || !dladdr1_weak ||
        !dladdr1_weak(address, &info, (void **)&entry, RTLD_DL_SYMENT))
        return NULL;
    if (symbol && dlsym_weak && entry && entry->st_shndx == SHN_UNDEF)
        return file_of(dlsym_weak(RTLD_NEXT, symbol), NULL, base);
    *base = info.dli_fbase;
    return info.dli_fname;
}

static bool is_library_file(const char *path)
{
    const char *const slash = path ? strrchr(path, '/') : NULL;

    return path && strncmp(slash ? slash + 1 : path, LIBRARY_NAME,
                           sizeof LIBRARY_NAME - 1) == 0;
}

/* Is the operator in force the one of the file at `base`? */
static bool is_in_force(unsigned number, const void *base)
{
    const void *other = NULL;
    char name[48];
    void *const address =
        dlsym_weak ? dlsym_weak(RTLD_DEFAULT, symbol_of(number, name)) : NULL;

    /* Not found: the library was loaded for a plugin alone. The error is
     * fetched, and its message freed by asking again: it is not the program's. */
    if (!address && dlerror_weak && dlerror_weak())
        dlerror_weak();
    return !address || (file_of(address, name, &other) && other == base);
}

/* Is it the standard library's own, and those that it calls as well? */
static bool is_own(unsigned number, void *real)
{
    const void *base = NULL;
    char name[48];

    if (!is_library_file(file_of(real, symbol_of(number, name), &base)))
        return false;
    while (operators[number].next != number) {
        number = operators[number].next;
        if (!is_in_force(number, base))
            return false;
    }
    return true;
}

/* In a static program all is in one file. */
static bool is_direct(unsigned number, void *real)
{
    const void *heap = NULL;
    const void *base = NULL;
    char name[48];

    file_of(nested_malloc(), "malloc", &heap);
    file_of(real, symbol_of(number, name), &base);
    return heap == base;
}

/* Decides what the operator is. What dlsym allocates and frees is not the
 * program's. */
at_cold static bool learn(unsigned number, void *real)
{
    struct thread *const thread = &__alloctrace_thread;
    struct ledger *const ledger = *thread_ledger(thread);
    const uint64_t unknown_frees = ledger ? ledger->unknown_frees : 0;
    bool is_ours;

    real_init();
    thread->busy += BUSY_SILENT;
    is_ours = is_own(number, real);
    if (is_ours) {
        count_set(&own_operators[number], real);
    } else {
        count_set(&others[number].is_direct, is_direct(number, real));
        __atomic_store_n(&others[number].real, real, __ATOMIC_RELEASE);
    }
    if (ledger)
        count_set(&ledger->unknown_frees, unknown_frees);
    thread->busy -= BUSY_SILENT;
    return is_ours;
}

/* Is the operator the standard library's own? */
FAMILY bool is_library_own(unsigned number, void *real)
{
    if (likely(count_get(&own_operators[number]) == real))
        return true;
    if (__atomic_load_n(&others[number].real, __ATOMIC_ACQUIRE) == real)
        return false;
    return learn(number, real);
}

static void *call_real(const struct call *call)
{
    typedef void *plain(size_t);
    typedef void *nothrow(size_t, const void *);
    typedef void *aligned(size_t, size_t);
    typedef void *aligned_nothrow(size_t, size_t, const void *);

    if (call->alignment && call->nothrow)
        return ((aligned_nothrow *)call->real)(call->size, call->alignment,
                                               call->nothrow);
    if (call->alignment)
        return ((aligned *)call->real)(call->size, call->alignment);
    if (call->nothrow)
        return ((nothrow *)call->real)(call->size, call->nothrow);
    return ((plain *)call->real)(call->size);
}

/* The real operator, below a frame that stands for the call of it. */
static void *call_below(const struct call *call, struct path path)
{
    struct thread *const thread = &__alloctrace_thread;
    struct alloctrace_shadow_frame *const top = thread->top;
    struct alloctrace_shadow_frame frame = {
        path.how & EVENT_OWN_FRAME ? top->parent : top, path.hash};
    void *block;

    /* The frame must be whole before it is seen (by a signal handler). */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread->top = &frame;
    block = call_real(call);
    thread->top = top;
    return block;
}

/* What is known of a block that the real operator gave out. */
enum known {
    KNOWN_NOT,
    KNOWN_COUNTED, /* the operator called malloc, or another operator, for it */
    KNOWN_STALE,   /* as one that was freed where we could not see it */
    KNOWN_CHUNK    /* the operator's pool begins there */
};

/* `has_counted`: something was counted while the operator was called. */
static enum known look_up(const void *block, uint64_t hash, size_t size,
                          bool has_counted)
{
    const struct watched *const seen = watch_find(block);
    const struct account *const heap = block_get(block).account;
    const uint32_t domain = heap ? 0 : domain_find(DOMAIN_NAME);
    const struct account *account = heap;

    if (at_options.sample)
        return !seen                ? KNOWN_NOT
               : seen->size >= size && seen->size <= 2 * size + 64
                   ? KNOWN_COUNTED
                   : KNOWN_CHUNK;
    if (domain)
        account = tracked_get(domain, (uintptr_t)block);
    if (account && (domain_is_below(account, hash) ||
                    (has_counted && domain_is_vague(hash))))
        return KNOWN_COUNTED;
    if (!heap)
        return KNOWN_NOT;
    return account_domain(heap) == DOMAIN_DIRECT || real_has_hidden_frees()
               ? KNOWN_STALE
               : KNOWN_CHUNK;
}

/* Records a block unless it is counted already. */
static void record(const struct call *call, struct path path, void *block,
                   bool has_counted)
{
    const enum known known =
        look_up(block, path.hash, call->size, has_counted);
    struct account *account;

    if (known == KNOWN_COUNTED)
        return;
    if (known == KNOWN_STALE)
        event_take(block);
    path.domain = count_get(&others[call->number].is_direct) &&
                          known != KNOWN_CHUNK
                      ? DOMAIN_DIRECT
                      : domain_intern(DOMAIN_NAME);
    watch_note(block, call->size, path.domain);
    if (sampled_skips(path.domain, block, call->size))
        return;
    account = path.domain ? domain_account(path) : NULL;
    if (!account)
        event_drop(call->size);
    else if (path.domain == DOMAIN_DIRECT && !at_options.sample)
        event_add(account, block, call->size);
    else
        tracked_add(account, (uintptr_t)block, call->size);
}

/* What the thread has counted, to see whether it changes. */
static int64_t counted(void)
{
    const struct ledger *const ledger = __alloctrace_thread.ledger;

    return ledger ? peak_live(ledger) : 0;
}

/* The real operator serves the call: it is not the library's own, or malloc
 * failed. */
at_cold static void *new_slow(struct call call)
{
    const struct path path = domain_path(call.site, 0);
    const int64_t before = counted();
    void *block;

    if (event_is_off() || __alloctrace_thread.busy ||
        __alloctrace_thread.n_paused)
        return call_real(&call);
    if (at_options.sample)
        watch_clear();
    block = call_below(&call, path);
    if (block)
        record(&call, path, block, counted() != before);
    return block;
}

FAMILY void *new_entry(struct call call)
{
    void *block;

    if (unlikely(!is_library_own(call.number, call.real)))
        return new_slow(call);
    block = family_malloc(event_find_site(call.site, call.size), call.size);
    return likely(block) ? block : new_slow(call);
}

/* As the standard library does it: aligned_alloc wants a multiple. */
FAMILY void *new_aligned_entry(struct call call)
{
    const size_t mask = call.alignment - 1;
    struct account *account;
    void *block;

    if (unlikely((call.alignment & mask) || call.size > SIZE_MAX - mask ||
                 !is_library_own(call.number, call.real)))
        return new_slow(call);
    account = event_find_site(call.site, call.size);
    block = at_real.aligned_alloc_fn(
        call.alignment, ((call.size ? call.size : 1) + mask) & ~mask);
    return likely(block) ? event_add_if(account, block, call.size)
                         : new_slow(call);
}

#define NEW(name)                                                          \
    at_export void *__alloctrace_operator_##name(size_t size,              \
                                                 uint64_t site,           \
                                                 void *real)               \
    {                                                                      \
        return new_entry(                                                  \
            (struct call){OPERATOR_##name, real, size, 0, NULL, site});    \
    }
#define NEW_NOTHROW(name)                                                  \
    at_export void *__alloctrace_operator_##name(                          \
        size_t size, const void *nothrow, uint64_t site, void *real)      \
    {                                                                      \
        return new_entry(                                                  \
            (struct call){OPERATOR_##name, real, size, 0, nothrow, site}); \
    }
#define NEW_ALIGNED(name)                                                  \
    at_export void *__alloctrace_operator_##name(                          \
        size_t size, size_t alignment, uint64_t site, void *real)         \
    {                                                                      \
        return new_aligned_entry((struct call){OPERATOR_##name, real,      \
                                               size, alignment, NULL,      \
                                               site});                     \
    }
#define NEW_ALIGNED_NOTHROW(name)                                          \
    at_export void *__alloctrace_operator_##name(                          \
        size_t size, size_t alignment, const void *nothrow,                \
        uint64_t site, void *real)                                        \
    {                                                                      \
        return new_aligned_entry((struct call){OPERATOR_##name, real,      \
                                               size, alignment, nothrow,   \
                                               site});                     \
    }

NEW(new)
NEW(new_array)
NEW_NOTHROW(new_nothrow)
NEW_NOTHROW(new_array_nothrow)
NEW_ALIGNED(new_aligned)
NEW_ALIGNED(new_array_aligned)
NEW_ALIGNED_NOTHROW(new_aligned_nothrow)
NEW_ALIGNED_NOTHROW(new_array_aligned_nothrow)

/*
 * Before an operator delete that is not the library's own: forgets a block
 * that its operator new was recorded with. All others are forgotten when
 * free is called. False: there was none.
 */
static bool forget(void *block)
{
    const struct account *const heap = block_get(block).account;
    uint32_t domain;

    if (at_options.sample) {
        watch_forget(block);
        if (!sample_may_be(block))
            return false;
        if (tracked_remove(DOMAIN_DIRECT, (uintptr_t)block).account)
            return true;
    }
    if (heap && (account_domain(heap) == DOMAIN_DIRECT ||
                 real_has_hidden_frees()))
        return event_take(block).account != NULL;
    domain = domain_find(DOMAIN_NAME);
    return domain && tracked_remove(domain, (uintptr_t)block).account;
}

static void call_real_delete(void *block, uintptr_t a, uintptr_t b, void *real,
                             unsigned n_arguments)
{
    typedef void one(void *);
    typedef void two(void *, uintptr_t);
    typedef void three(void *, uintptr_t, uintptr_t);

    if (n_arguments == 1)
        ((one *)real)(block);
    else if (n_arguments == 2)
        ((two *)real)(block, a);
    else
        ((three *)real)(block, a, b);
}

/* jemalloc's operator new does not call malloc, but its delete calls free:
 * that must not be counted as the free of a block that nobody knows. */
at_cold static void delete_slow(void *block, uintptr_t a, uintptr_t b,
                                void *real, unsigned n_arguments)
{
    const bool is_closed =
        !block || event_is_off() || __alloctrace_thread.busy;
    struct ledger *const ledger = __alloctrace_thread.ledger;
    const bool is_known = !is_closed && forget(block);
    const uint64_t before = ledger ? ledger->unknown_frees : 0;

    call_real_delete(block, a, b, real, n_arguments);
    if (is_known && ledger && ledger->unknown_frees == before + 1)
        count_set(&ledger->unknown_frees, before);
}

#define DELETE(name, parameters, a, b, n_arguments)           \
    at_export void __alloctrace_operator_##name parameters    \
    {                                                         \
        if (likely(is_library_own(OPERATOR_##name, real)))    \
            family_free(block);                               \
        else                                                  \
            delete_slow(block, a, b, real, n_arguments);      \
    }

/* The second argument: the size, or std::nothrow. */
#define DELETE_1(name) DELETE(name, (void *block, void *real), 0, 0, 1)
#define DELETE_2(name) \
    DELETE(name, (void *block, uintptr_t a, void *real), a, 0, 2)
#define DELETE_3(name)                                                \
    DELETE(name, (void *block, uintptr_t a, uintptr_t b, void *real), \
           a, b, 3)

DELETE_1(delete)
DELETE_1(delete_array)
DELETE_2(delete_sized)
DELETE_2(delete_array_sized)
DELETE_2(delete_nothrow)
DELETE_2(delete_array_nothrow)
DELETE_2(delete_aligned)
DELETE_2(delete_array_aligned)
DELETE_3(delete_sized_aligned)
DELETE_3(delete_array_sized_aligned)
DELETE_3(delete_aligned_nothrow)
DELETE_3(delete_array_aligned_nothrow)
