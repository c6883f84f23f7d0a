/* SPDX-License-Identifier: MIT */
/* ALLOCTRACE_DETAIL=1: temporary blocks, classes of sizes, reallocs; against
 * an oracle that keeps a list of all blocks. */
#include <pthread.h>
#include <string.h>

#include "check_alloctrace.h"
#include "event.h"
#include "paths.h"

#define ALLOCTRACE_API
#include "alloctrace.h"

int __alloctrace_track(unsigned, const void *, size_t, uint64_t);

#define HUGE (SIZE_MAX / 2 + 1)
#define N_THREADS 3
#define N_BLOCKS 60 /* alive at once; the upper third are tracked by hand */
#define N_USED 8    /* sites */
#define N_EVENTS 6000
#define DOMAIN 5

/* What one thread did with one path's blocks in one domain. */
struct expected {
    uint64_t temporary_blocks, temporary_bytes;
    uint64_t resized_blocks, resized_in_place;
    uint64_t moved_bytes, grown_bytes, shrunk_bytes;
    uint64_t smallest, largest, total_blocks;
    uint64_t blocks[SIZE_CLASSES], bytes[SIZE_CLASSES];
};

static struct {
    void *block;
    size_t size;
    unsigned site;
    uint64_t number; /* of the allocation, from 1 */
} live[N_BLOCKS];

static struct expected expected[N_THREADS][2][N_USED];
static uint64_t newest[N_THREADS]; /* number of the thread's last allocation */
static uint64_t n_allocations;
static struct ledger *ledgers[N_THREADS];

static unsigned class_of(size_t size)
{
    uint64_t top = 1;
    unsigned class = 1;

    if (size == 0)
        return 0;
    for (; size > top; top *= 2)
        class ++;
    return class;
}

static bool is_by_hand(unsigned i)
{
    return i >= N_BLOCKS * 2 / 3;
}

static void expect_block(unsigned t, unsigned i, void *block, size_t size,
                         unsigned where)
{
    struct expected *const e = &expected[t][is_by_hand(i)][where];

    if (!e->total_blocks++ || size < e->smallest)
        e->smallest = size;
    if (size > e->largest)
        e->largest = size;
    e->blocks[class_of(size)]++;
    e->bytes[class_of(size)] += size;
    live[i].block = block;
    live[i].size = size;
    live[i].site = where;
    live[i].number = newest[t] = ++n_allocations;
}

static void expect_end(unsigned t, unsigned i)
{
    struct expected *const e = &expected[t][is_by_hand(i)][live[i].site];

    if (live[i].number == newest[t]) {
        e->temporary_blocks++;
        e->temporary_bytes += live[i].size;
    }
    live[i].block = NULL;
}

static void expect_resize(unsigned t, unsigned i, bool is_moved, size_t size)
{
    struct expected *const e = &expected[t][0][live[i].site];

    e->resized_blocks++;
    e->resized_in_place += !is_moved;
    if (is_moved)
        e->moved_bytes += size < live[i].size ? size : live[i].size;
    e->grown_bytes += size > live[i].size ? size - live[i].size : 0;
    e->shrunk_bytes += size < live[i].size ? live[i].size - size : 0;
}

/* Sizes around the borders of classes, and others. */
static size_t random_size(void)
{
    const size_t power = (size_t)1 << rand() % 17;

    switch (rand() % 4) {
    case 0:
        return power - 1 + (size_t)rand() % 3;
    case 1:
        return 0;
    default:
        return (size_t)rand() % 300;
    }
}

static void resize(unsigned t, unsigned i, unsigned where)
{
    const size_t size = 1 + random_size();
    const uintptr_t old = (uintptr_t)live[i].block;
    void *const block = __alloctrace_realloc(live[i].block, size, site(where));

    expect_resize(t, i, (uintptr_t)block != old, size);
    expect_end(t, i);
    expect_block(t, i, block, size, where);
}

static void event_of_heap(unsigned t, unsigned i, unsigned where)
{
    const size_t size = random_size();

    if (!live[i].block) {
        expect_block(t, i, __alloctrace_malloc(size, site(where)), size, where);
    } else if (rand() % 3 == 0) {
        resize(t, i, where);
    } else if (rand() % 4 == 0) {
        ck_assert_ptr_null(
            __alloctrace_realloc(live[i].block, HUGE, site(where)));
    } else {
        __alloctrace_free(live[i].block);
        expect_end(t, i);
    }
}

/* The same addresses as blocks of the heap, in a domain of their own. */
static void event_by_hand(unsigned t, unsigned i, unsigned where)
{
    const size_t size = random_size();
    void *const block = (void *)(uintptr_t)(64 * (i + 1));

    if (!live[i].block) {
        ck_assert_int_eq(__alloctrace_track(DOMAIN, block, size, site(where)),
                         0);
        expect_block(t, i, block, size, where);
    } else {
        alloctrace_untrack(DOMAIN, block);
        expect_end(t, i);
    }
}

static void event(unsigned t)
{
    /* Often the block that was just made: it is to be temporary. */
    static unsigned last;
    const unsigned i = rand() % 2 ? last : (unsigned)rand() % N_BLOCKS;
    const unsigned where = (unsigned)rand() % N_USED;

    last = i;
    if (is_by_hand(i))
        event_by_hand(t, i, where);
    else
        event_of_heap(t, i, where);
}

/* Threads take turns, so that the oracle knows the order. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned turn;
static unsigned n_done;

static void *run(void *argument)
{
    const unsigned t = (unsigned)(uintptr_t)argument;

    pthread_mutex_lock(&mutex);
    while (n_done < N_EVENTS) {
        if (turn == t) {
            event(t);
            n_done++;
            if (rand() % 3 == 0)
                turn = (unsigned)rand() % N_THREADS;
            pthread_cond_broadcast(&changed);
        } else {
            pthread_cond_wait(&changed, &mutex);
        }
    }
    ledgers[t] = __alloctrace_thread.ledger;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void check_classes(const struct detail *detail, struct expected *e)
{
    const struct size_class *class = detail ? detail->classes : NULL;

    for (; class; class = class->next) {
        ck_assert_uint_lt(class->number, SIZE_CLASSES);
        ck_assert_uint_eq(class->blocks, e->blocks[class->number]);
        ck_assert_uint_eq(class->bytes, e->bytes[class->number]);
        e->blocks[class->number] = 0;
    }
    for (unsigned i = 0; i < SIZE_CLASSES; i++)
        ck_assert_uint_eq(e->blocks[i], 0);
}

static void check_account(const struct account *account, struct expected *e)
{
    static const struct detail none;
    const struct detail *const known = detail_of(account);
    const struct detail *const detail = known ? known : &none;

#define SAME(name) ck_assert_uint_eq(detail->name, e->name)
    SAME(temporary_blocks);
    SAME(temporary_bytes);
    SAME(resized_blocks);
    SAME(resized_in_place);
    SAME(moved_bytes);
    SAME(grown_bytes);
    SAME(shrunk_bytes);
    SAME(largest);
#undef SAME
    ck_assert_uint_eq(detail->smallest,
                      e->total_blocks ? e->smallest + 1 : 0);
    ck_assert_uint_eq(account->total_blocks, e->total_blocks);
    check_classes(known, e);
    memset(e, 0, sizeof *e); /* seen */
}

static void check_ledger(unsigned t)
{
    static const struct expected nothing;

    for (const struct account_chunk *chunk = ledgers[t]->chunks; chunk;
         chunk = chunk->next)
        for (uint32_t i = 0; i < chunk->n_used; i++) {
            const struct account *const account = &chunk->accounts[i];
            const unsigned where = line_of(account) - 1;

            if (where < N_USED)
                check_account(account,
                              &expected[t][account_domain(account) == DOMAIN][where]);
        }
    for (unsigned d = 0; d < 2; d++)
        for (unsigned i = 0; i < N_USED; i++)
            ck_assert_int_eq(memcmp(&expected[t][d][i], &nothing,
                                    sizeof nothing), 0);
}

START_TEST(random_events_of_threads_equal_brute_force)
{
    pthread_t threads[N_THREADS];

    srand((unsigned)_i);
    sites_announce();
    for (unsigned t = 0; t < N_THREADS; t++)
        pthread_create(&threads[t], NULL, run, (void *)(uintptr_t)t);
    for (unsigned t = 0; t < N_THREADS; t++)
        pthread_join(threads[t], NULL);
    for (unsigned t = 0; t < N_THREADS; t++)
        check_ledger(t);
}
END_TEST

START_TEST(borders_of_the_classes)
{
    static const struct {
        uint64_t size;
        uint32_t class;
    } borders[] = {{0, 0},  {1, 1},  {2, 2},   {3, 3},
                   {4, 3},  {5, 4},  {8, 4},   {9, 5},
                   {64, 7}, {65, 8}, {128, 8}, {UINT64_C(1) << 63, 64},
                   {(UINT64_C(1) << 63) + 1, 65}, {UINT64_MAX, 65}};

    for (unsigned i = 0; i < sizeof borders / sizeof *borders; i++)
        ck_assert_uint_eq(size_class_of(borders[i].size), borders[i].class);
}
END_TEST

static void *allocate(void *unused)
{
    (void)unused;
    return __alloctrace_malloc(100, site(1));
}

static void *release(void *block)
{
    lock_take();
    tenant_acquire(&__alloctrace_thread);
    lock_release();
    __alloctrace_free(block);
    return NULL;
}

/* The next thread gets the ledger of one that has ended, and may well be given
 * the same block to free. */
START_TEST(a_dead_threads_newest_block_is_not_the_next_ones)
{
    pthread_t thread;
    void *block;
    uint64_t temporary = 0;

    sites_announce();
    pthread_create(&thread, NULL, allocate, NULL);
    pthread_join(thread, &block);
    pthread_create(&thread, NULL, release, block);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(at_ledgers.n, 3);
    ck_assert_uint_eq(figures_at(1).live_blocks, 0);
    for (uint32_t i = 0; i < ledger_at(2)->chunks->n_used; i++)
        temporary += detail_of(&ledger_at(2)->chunks->accounts[i])
                         ->temporary_blocks;
    ck_assert_uint_eq(temporary, 0);
}
END_TEST

/* A handler that interrupts the runtime may not open a class of sizes. */
START_TEST(blocks_of_a_busy_thread_are_in_no_class)
{
    const struct account *account;

    sites_announce();
    __alloctrace_malloc(100, site(0));
    __alloctrace_thread.busy++;
    __alloctrace_malloc(100, site(0));
    __alloctrace_malloc(5000, site(0));
    __alloctrace_thread.busy--;
    account = __alloctrace_thread.ledger->last_account;
    ck_assert_uint_eq(account->total_blocks, 3);
    ck_assert_uint_eq(detail_of(account)->classes->blocks, 2);
    ck_assert_ptr_null(detail_of(account)->classes->next);
    ck_assert_uint_eq(detail_of(account)->largest, 5000);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("detail");
    TCase *const tcase = tcase_create("detail");
    SRunner *runner;
    int n_failed;

    tcase_set_timeout(tcase, 600); /* machines may be busy */
    tcase_add_loop_test(tcase, random_events_of_threads_equal_brute_force, 1,
                        16);
    tcase_add_test(tcase, borders_of_the_classes);
    tcase_add_test(tcase, a_dead_threads_newest_block_is_not_the_next_ones);
    tcase_add_test(tcase, blocks_of_a_busy_thread_are_in_no_class);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
