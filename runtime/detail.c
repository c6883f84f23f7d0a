/* SPDX-License-Identifier: MIT */
/*
 * What ALLOCTRACE_DETAIL=1 counts besides, for each account: temporary blocks,
 * requested sizes by powers of two, and what realloc did. The hot path knows
 * nothing of it: in this mode ledgers send each block through the slow halves
 * (event.c, tracked.c), which ask us.
 *
 * Temporary is a block that is freed by the thread that allocated it before
 * that thread allocates anything else. As in heaptrack a realloc is a free of
 * the old block and an allocation of a new one. For this the ledger keeps its
 * newest block, with its account because an address may be in several domains.
 *
 * Reallocs are counted in the path that the old block came from, by the thread
 * that resized it. realloc(NULL, n) and a realloc to nothing are none.
 *
 * Memory. The details of a chunk of accounts are mapped when the first of them
 * is needed, of which only touched pages cost anything: 80 bytes an account,
 * and 32 for each class of sizes that it has met.
 *
 * Threads. As for accounts: one writer, the ledger's thread, and readers that
 * may see an older value. A signal handler on top of the runtime may not open
 * a class of sizes, as that takes the lock: its block is in no class then,
 * which a reader of the dump sees because the classes do not add up to all
 * blocks.
 */
#include <errno.h>

#include "event.h"

#define DETAILS_SIZE (ACCOUNTS_PER_CHUNK * sizeof(struct detail))

static uint32_t index_in(const struct account_chunk *chunk,
                         const struct account *account)
{
    return (uint32_t)(account - chunk->accounts);
}

const struct detail *detail_of(const struct account *account)
{
    const struct account_chunk *const chunk = account_chunk(account);
    /* Acquire: pairs with the release in get. */
    const struct detail *const details =
        __atomic_load_n(&chunk->details, __ATOMIC_ACQUIRE);

    return details ? &details[index_in(chunk, account)] : NULL;
}

/* The account's, made if need be; NULL: no memory. */
static struct detail *get(const struct account *account)
{
    struct account_chunk *const chunk =
        (struct account_chunk *)(uintptr_t)account_chunk(account);
    struct detail *details = count_get(&chunk->details);
    struct detail *made;

    if (likely(details != NULL))
        return &details[index_in(chunk, account)];
    made = arena_map(DETAILS_SIZE);
    /* A signal handler may have been faster. */
    if (made && !__atomic_compare_exchange_n(&chunk->details, &details, made,
                                             false, __ATOMIC_RELEASE,
                                             __ATOMIC_ACQUIRE))
        arena_unmap(made, DETAILS_SIZE);
    else
        details = made;
    return details ? &details[index_in(chunk, account)] : NULL;
}

static struct size_class *find_class(const struct detail *detail,
                                     uint32_t number)
{
    struct size_class *class = count_get(&detail->classes);

    while (class && class->number != number)
        class = class->next;
    return class;
}

static struct size_class *free_classes; /* under at_lock */

static struct size_class *get_class(void)
{
    struct size_class *const class = free_classes;

    if (!class)
        return arena_alloc(sizeof *class);
    free_classes = class->next;
    *class = (struct size_class){0};
    return class;
}

void detail_forget(struct account_chunk *chunk)
{
    struct detail *const details = chunk->details;
    struct size_class *next;

    for (uint32_t i = 0; details && i < chunk->n_used; i++)
        for (struct size_class *class = details[i].classes; class;
             class = next) {
            next = class->next;
            class->next = free_classes;
            free_classes = class;
        }
    if (details)
        arena_unmap(details, DETAILS_SIZE);
}

/* Locked. NULL: no memory. */
static struct size_class *create_class(struct detail *detail, uint32_t number)
{
    struct size_class *const class = get_class();

    if (!class)
        return NULL;
    class->number = number;
    class->next = detail->classes;
    /* Release: pairs with the acquire of a dump. */
    __atomic_store_n(&detail->classes, class, __ATOMIC_RELEASE);
    return class;
}

/* NULL: no memory, or we are a signal handler on top of the runtime. */
at_cold static struct size_class *open_class(struct detail *detail,
                                             uint32_t number)
{
    struct size_class *class;

    if (__alloctrace_thread.busy)
        return NULL;
    lock_take();
    class = find_class(detail, number); /* a signal handler was faster */
    if (!class)
        class = create_class(detail, number);
    lock_release();
    return class;
}

static void add_size(struct detail *detail, size_t size)
{
    const uint32_t number = size_class_of(size);
    struct size_class *class = find_class(detail, number);

    if (size < detail->smallest - 1) /* 0 = none yet, and then it is so, too */
        count_set(&detail->smallest, (uint64_t)size + 1);
    if (size > detail->largest)
        count_set(&detail->largest, size);
    if (unlikely(!class))
        class = open_class(detail, number);
    if (!class)
        return;
    count_add(&class->blocks, 1);
    count_add(&class->bytes, size);
}

static void move_count(uint64_t *to, uint64_t *from)
{
    count_add(to, count_get(from));
    count_set(from, 0);
}

static void move_classes(struct detail *to, const struct detail *from)
{
    for (struct size_class *class = from->classes; class; class = class->next) {
        struct size_class *other = find_class(to, class->number);

        if (!other)
            other = create_class(to, class->number);
        if (!other)
            continue; /* no memory: it stays */
        move_count(&other->blocks, &class->blocks);
        move_count(&other->bytes, &class->bytes);
    }
}

void detail_move(const struct account *to_account,
                 const struct account *from_account)
{
    struct detail *const from = detail_of(from_account) ? get(from_account)
                                                        : NULL;
    struct detail *const to = from ? get(to_account) : NULL;

    if (!to)
        return;
    move_count(&to->temporary_blocks, &from->temporary_blocks);
    move_count(&to->temporary_bytes, &from->temporary_bytes);
    move_count(&to->resized_blocks, &from->resized_blocks);
    move_count(&to->resized_in_place, &from->resized_in_place);
    move_count(&to->moved_bytes, &from->moved_bytes);
    move_count(&to->grown_bytes, &from->grown_bytes);
    move_count(&to->shrunk_bytes, &from->shrunk_bytes);
    if (from->smallest && from->smallest - 1 < to->smallest - 1)
        count_set(&to->smallest, from->smallest);
    if (from->largest > to->largest)
        count_set(&to->largest, from->largest);
    count_set(&from->smallest, 0);
    count_set(&from->largest, 0);
    move_classes(to, from);
}

void detail_add(struct account *account, uintptr_t block, size_t size)
{
    struct ledger *const ledger = event_owner(account);
    const int saved = errno;
    struct detail *const detail = get(account);

    ledger->last_account = account;
    ledger->last_block = block;
    if (detail)
        add_size(detail, size);
    errno = saved;
}

/* Is it the newest block of this thread? */
static bool is_newest(const struct account *account, uintptr_t block)
{
    const struct ledger *const ledger = *thread_ledger(&__alloctrace_thread);

    return ledger && ledger->last_account == account &&
           ledger->last_block == block;
}

void detail_remove(struct account *account, uintptr_t block, size_t size)
{
    struct detail *const detail =
        is_newest(account, block) ? get(account) : NULL;

    if (!detail)
        return;
    count_add(&detail->temporary_blocks, 1);
    count_add(&detail->temporary_bytes, size);
}

void detail_put_back(struct account *account, uintptr_t block, size_t size)
{
    struct detail *const detail =
        is_newest(account, block) ? get(account) : NULL;

    if (!detail)
        return;
    count_add(&detail->temporary_blocks, (uint64_t)-1);
    count_add(&detail->temporary_bytes, -(uint64_t)size);
}

void detail_resize(struct account *account, size_t old_size, size_t size,
                   bool is_moved)
{
    struct detail *const detail = get(account);

    if (!detail)
        return;
    count_add(&detail->resized_blocks, 1);
    if (!is_moved)
        count_add(&detail->resized_in_place, 1);
    else
        count_add(&detail->moved_bytes, size < old_size ? size : old_size);
    if (size > old_size)
        count_add(&detail->grown_bytes, size - old_size);
    else
        count_add(&detail->shrunk_bytes, old_size - size);
}
