/* SPDX-License-Identifier: MIT */
/* ALLOCTRACE_MMAP=1: what is left of each mapping, against a map of pages. */
#include <errno.h>
#include <pthread.h>

#include "alloctrace/format.h"
#include "check_alloctrace.h"
#include "event.h"
#include "mapping.h"
#include "paths.h"

#define N_PAGES 400
#define N_USED 8
#define N_EVENTS 4000
#define PAGE os_page_size()

static unsigned owner[N_PAGES]; /* number of the mapping; 0 = none */
static unsigned site_of[N_EVENTS + 1];
static uint64_t total_blocks[N_USED], total_bytes[N_USED];
static unsigned n_mappings;

static char name_of_mmap[] = "mmap";

/* All sites are calls of mmap. */
static void calls_announce(void)
{
    for (unsigned i = 0; i < N_USED; i++)
        sites[i].callee =
            (alloctrace_offset)(name_of_mmap - (char *)&sites[i].callee);
    sites_announce();
}

static const void *page_at(unsigned page)
{
    return (const void *)((uintptr_t)1 << 30 | page * PAGE);
}

static int begin(const char *callee)
{
    return __alloctrace_mapping_begin(page_at(0), callee);
}

/* Calls mmap from site `where`. */
static void map(unsigned where, unsigned page, unsigned n)
{
    struct alloctrace_shadow_frame frame;

    push(&frame, where);
    ck_assert_int_eq(begin("mmap"), 1);
    __alloctrace_mapping_end((struct mapping_change){
        .block = page_at(page), .size = n * PAGE - n % 7});
    pop(&frame);
}

static void unmap(unsigned page, unsigned n)
{
    ck_assert_int_eq(__alloctrace_mapping_begin(NULL, "munmap"), 1);
    __alloctrace_mapping_end((struct mapping_change){
        .old = page_at(page), .old_size = n * PAGE - n % 5});
}

static void expect(unsigned page, unsigned n, unsigned mapping)
{
    for (unsigned i = page; i < page + n; i++)
        owner[i] = mapping;
}

static void expect_map(unsigned where, unsigned page, unsigned n)
{
    expect(page, n, ++n_mappings);
    site_of[n_mappings] = where;
    total_blocks[where]++;
    total_bytes[where] += n * PAGE;
}

/* One random call, whatever lies there. */
static void event(void)
{
    const unsigned page = (unsigned)rand() % (N_PAGES - 40);
    const unsigned n = 1 + (unsigned)rand() % (rand() % 2 ? 6 : 40);
    const unsigned to = (unsigned)rand() % (N_PAGES - 40);
    const unsigned where = (unsigned)rand() % N_USED;
    struct alloctrace_shadow_frame frame;

    switch (rand() % 4) {
    case 0:
        unmap(page, n);
        expect(page, n, 0);
        break;
    case 1: /* mremap */
        push(&frame, where);
        ck_assert_int_eq(begin("mmap"), 1);
        __alloctrace_mapping_end((struct mapping_change){
            page_at(page), n * PAGE, page_at(to), (1 + n / 2) * PAGE});
        pop(&frame);
        expect(page, n, 0);
        expect_map(where, to, 1 + n / 2);
        break;
    default:
        map(where, page, n);
        expect_map(where, page, n);
        break;
    }
}

static void check_site(unsigned where)
{
    const struct figures figures = figures_at(where);
    uint64_t n_pages = 0;
    uint64_t n_live = 0;

    for (unsigned mapping = 1; mapping <= n_mappings; mapping++) {
        bool is_live = false;

        for (unsigned i = 0; i < N_PAGES; i++)
            if (owner[i] == mapping && site_of[mapping] == where) {
                n_pages++;
                is_live = true;
            }
        n_live += is_live;
    }
    ck_assert_uint_eq(figures.live_bytes, n_pages * PAGE);
    ck_assert_uint_eq(figures.live_blocks, n_live);
    ck_assert_uint_eq(figures.total_blocks, total_blocks[where]);
    ck_assert_uint_eq(figures.total_bytes, total_bytes[where]);
}

START_TEST(random_calls_equal_a_map_of_pages)
{
    srand((unsigned)_i);
    calls_announce();
    for (unsigned i = 0; i < N_EVENTS; i++) {
        event();
        if (i % 500 == 499)
            for (unsigned where = 0; where < N_USED; where++)
                check_site(where);
    }
    for (unsigned page = 0; page < N_PAGES; page += 40)
        unmap(page, 40);
    ck_assert_int_eq(ledger_live_sum(), 0);
    ck_assert_uint_eq(at_dropped_blocks, 0);
}
END_TEST

START_TEST(paths_begin_at_the_call_or_at_the_address)
{
    struct alloctrace_shadow_frame frame;
    const struct account *account;
    const struct traceback *traceback;
    const struct place *place;

    calls_announce();
    push(&frame, 3);
    __alloctrace_mapping_begin(page_at(5), "mremap"); /* the site says mmap */
    __alloctrace_mapping_end(
        (struct mapping_change){.block = page_at(1), .size = 1});
    pop(&frame);
    ck_assert_uint_eq(figures_at(3).total_blocks, 0);
    account = &ledger_at(1)->chunks->accounts[ledger_at(1)->chunks->n_used - 1];
    traceback = vector_at(&at_tracebacks, account_traceback(account));
    place = vector_at(&at_places, traceback->place);
    ck_assert_uint_eq(place->address, (uintptr_t)page_at(5));
    ck_assert_uint_gt(traceback->parent, 0);
    map(3, 2, 1);
    ck_assert_uint_eq(figures_at(3).total_blocks, 1);
}
END_TEST

START_TEST(a_call_that_fails_changes_nothing)
{
    calls_announce();
    map(0, 10, 4);
    errno = 4711;
    ck_assert_int_eq(begin("mmap"), 1);
    __alloctrace_mapping_end((struct mapping_change){.old = page_at(10)});
    ck_assert_int_eq(errno, 4711);
    ck_assert_uint_eq(figures_at(0).live_bytes, 4 * PAGE);
}
END_TEST

/* As when a signal handler maps while it interrupts mmap, or the runtime. */
START_TEST(what_interrupts_us_is_not_recorded)
{
    calls_announce();
    ck_assert_int_eq(begin("mmap"), 1);
    ck_assert_int_eq(begin("mmap"), 0);
    __alloctrace_mapping_end((struct mapping_change){0});
    __alloctrace_thread.busy++;
    map(0, 10, 4);
    __alloctrace_thread.busy--;
    ck_assert_uint_eq(at_dropped_blocks, 1);
    ck_assert_uint_eq(at_dropped_bytes, 4 * PAGE);
    ck_assert_uint_eq(figures_at(0).total_blocks, 0);
}
END_TEST

static void *call_begin(void *result)
{
    *(int *)result = begin("mmap");
    return NULL;
}

START_TEST(nobody_waits_for_a_fork)
{
    pthread_t thread;
    int result = -1;

    calls_announce();
    mapping_lock();
    mapping_lock(); /* a signal handler forks as well */
    mapping_unlock();
    pthread_create(&thread, NULL, call_begin, &result);
    pthread_join(thread, NULL);
    ck_assert_int_eq(result, 0);
    mapping_unlock();
    ck_assert_int_eq(begin("mmap"), 1);
}
END_TEST

static void *unmap_all(void *unused)
{
    unmap(0, 40);
    return unused;
}

START_TEST(another_thread_may_unmap)
{
    pthread_t thread;

    calls_announce();
    map(1, 10, 4);
    pthread_create(&thread, NULL, unmap_all, NULL);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(figures_at(1).live_blocks, 0);
    ck_assert_uint_eq(figures_at(1).live_bytes, 0);
    ck_assert_uint_eq(figures_at(1).total_bytes, 4 * PAGE);
}
END_TEST

#define N_RANGES 300000

static struct range *ranges[N_RANGES];

static unsigned depth_of(const struct range *node)
{
    const unsigned left = node ? depth_of(node->left) : 0;
    const unsigned right = node ? depth_of(node->right) : 0;

    return node ? 1 + (left > right ? left : right) : 0;
}

/* In order, as they come: they must not make a list. */
START_TEST(many_mappings_in_order)
{
    unsigned deepest = 0;

    for (uintptr_t i = 0; i < N_RANGES; i++)
        ranges[i] = range_add(3 * i + 1, 3 * i + 2);
    for (unsigned i = 0; i < N_RANGES; i += 97) {
        const unsigned depth = depth_of(ranges[i]);

        if (depth > deepest)
            deepest = depth;
    }
    ck_assert_uint_gt(deepest, 10);
    ck_assert_uint_lt(deepest, 100); /* a random tree has 50 or so */
    for (unsigned i = 1; i < N_RANGES; i += 2)
        range_remove(ranges[i]);
    for (uintptr_t i = 0; i < N_RANGES; i++)
        ck_assert_ptr_eq(range_before(3 * i + 2), ranges[i & ~(uintptr_t)1]);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("mapping");
    TCase *const tcase = tcase_create("mapping");
    SRunner *runner;
    int n_failed;

    tcase_set_timeout(tcase, 600); /* machines may be busy */
    tcase_add_loop_test(tcase, random_calls_equal_a_map_of_pages, 1, 9);
    tcase_add_test(tcase, paths_begin_at_the_call_or_at_the_address);
    tcase_add_test(tcase, a_call_that_fails_changes_nothing);
    tcase_add_test(tcase, what_interrupts_us_is_not_recorded);
    tcase_add_test(tcase, nobody_waits_for_a_fork);
    tcase_add_test(tcase, another_thread_may_unmap);
    tcase_add_test(tcase, many_mappings_in_order);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
