/* SPDX-License-Identifier: MIT */
/* Scopes of one thread: their figures against brute force, and what becomes of
 * those that are not ended as they should be. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_alloctrace.h"
#include "event.h"
#include "paths.h"

#define ALLOCTRACE_API
#include "alloctrace.h"

void __alloctrace_custom_alloc(void *, size_t, uint64_t, const char *, void *);
void *__alloctrace_custom_take(void *);
void __alloctrace_custom_free(void *, const char *);

static struct alloctrace_scope_result end(struct alloctrace_scope *scope)
{
    struct alloctrace_scope_result result;

    ck_assert_int_eq(alloctrace_scope_end(scope, &result), 0);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(result.reserved[i], 0);
    return result;
}

static void begin(struct alloctrace_scope *scope)
{
    ck_assert_int_eq(alloctrace_scope_begin(scope), 0);
}

static void check(struct alloctrace_scope_result result, uint64_t allocations,
                  uint64_t bytes, uint64_t peak, int64_t net)
{
    ck_assert_uint_eq(result.allocations, allocations);
    ck_assert_uint_eq(result.bytes, bytes);
    ck_assert_uint_eq(result.peak, peak);
    ck_assert_int_eq(result.net, net);
}

static void check_is_refused(struct alloctrace_scope *scope, int error)
{
    struct alloctrace_scope_result result;

    memset(&result, 0xff, sizeof result);
    ck_assert_int_eq(alloctrace_scope_end(scope, &result), error);
    check(result, 0, 0, 0, 0);
    ck_assert_int_eq(alloctrace_scope_end(scope, NULL), error);
}

START_TEST(a_scope_counts_blocks_bytes_the_most_at_once_and_what_is_left)
{
    struct alloctrace_scope scope;
    void *before;
    void *kept;

    sites_announce();
    before = __alloctrace_malloc(1000, site(0));
    errno = 4711;
    begin(&scope);
    __alloctrace_free(__alloctrace_malloc(300, site(0)));
    kept = __alloctrace_calloc(5, 20, site(1));
    kept = __alloctrace_realloc(kept, 40, site(2));
    check(end(&scope), 3, 440, 300, 40);
    ck_assert_int_eq(errno, 4711);
    begin(&scope);
    check(end(&scope), 0, 0, 0, 0);
    begin(&scope);
    __alloctrace_free(before);
    __alloctrace_free(kept);
    check(end(&scope), 0, 0, 0, -1040);
    begin(&scope);
    ck_assert_int_eq(alloctrace_scope_end(&scope, NULL), 0);
}
END_TEST

START_TEST(a_resizing_counts_as_a_free_and_an_allocation)
{
    struct alloctrace_scope scope;
    char *block;

    sites_announce();
    block = __alloctrace_malloc(1000, site(0));
    begin(&scope);
    block = __alloctrace_realloc(block, 1500, site(1));
    ck_assert_ptr_null(__alloctrace_realloc(block, SIZE_MAX / 4, site(1)));
    ck_assert_ptr_null(__alloctrace_malloc(SIZE_MAX / 4, site(1)));
    block = __alloctrace_realloc(block, 10, site(1));
    check(end(&scope), 2, 1510, 500, -990);
    __alloctrace_free(block);
}
END_TEST

START_TEST(all_ways_to_allocate_are_counted)
{
    struct alloctrace_scope scope;
    void *aligned;

    sites_announce();
    begin(&scope);
    __alloctrace_malloc(0, site(0));
    __alloctrace_malloc(1 << 20, site(0)); /* mapped */
    __alloctrace_memalign(64, 100, site(1));
    ck_assert_int_eq(__alloctrace_posix_memalign(&aligned, 64, 10, site(1)),
                     0);
    __alloctrace_strdup("text", site(2));
    __alloctrace_reallocarray(NULL, 3, 7, site(2));
    __alloctrace_custom_alloc((void *)0x1230, 50, site(3), "pool", NULL);
    ck_assert_int_eq(alloctrace_track(7, (void *)0x1230, 1), 0);
    check(end(&scope), 8, (1 << 20) + 187, (1 << 20) + 187, (1 << 20) + 187);
    begin(&scope);
    __alloctrace_custom_alloc((void *)0x1300, 30, site(3), "pool",
                              __alloctrace_custom_take((void *)0x1230));
    __alloctrace_custom_free((void *)0x1300, "pool");
    alloctrace_untrack(7, (void *)0x1230);
    check(end(&scope), 1, 30, 0, -51);
}
END_TEST

/* Brute force: each scope looks at each change. */
#define N_BLOCKS 300
#define MAX_DEPTH 200
static struct {
    void *block;
    int64_t size;
} blocks[N_BLOCKS];
static struct {
    struct alloctrace_scope scope;
    uint64_t allocations;
    uint64_t bytes;
    int64_t peak;
    int64_t net;
} open_scopes[MAX_DEPTH];
static unsigned depth;

static void note(int64_t change, bool is_allocation)
{
    for (unsigned i = 0; i < depth; i++) {
        open_scopes[i].net += change;
        if (open_scopes[i].net > open_scopes[i].peak)
            open_scopes[i].peak = open_scopes[i].net;
        if (is_allocation) {
            open_scopes[i].allocations++;
            open_scopes[i].bytes += (uint64_t)change;
        }
    }
}

static void change(unsigned i)
{
    const int64_t size = rand() % 16 ? rand() % 1000 : rand() % 400000;
    const uint64_t where = site((unsigned)rand() % 20);

    if (blocks[i].block)
        note(-blocks[i].size, false);
    if (blocks[i].block && rand() % 2) {
        __alloctrace_free(blocks[i].block);
        blocks[i].block = NULL;
        return;
    }
    blocks[i].block =
        __alloctrace_realloc(blocks[i].block, (size_t)size + 1, where);
    blocks[i].size = size + 1;
    note(size + 1, true);
}

static void begin_one(void)
{
    if (depth == MAX_DEPTH)
        return;
    memset(&open_scopes[depth], 0, sizeof open_scopes[depth]);
    begin(&open_scopes[depth].scope);
    depth++;
}

/* Now and then some are forgotten. */
static void end_some(void)
{
    const unsigned at = rand() % 8 ? depth - 1 : (unsigned)rand() % depth;

    check(end(&open_scopes[at].scope), open_scopes[at].allocations,
          open_scopes[at].bytes, (uint64_t)open_scopes[at].peak,
          open_scopes[at].net);
    for (unsigned i = at; i < depth; i++)
        check_is_refused(&open_scopes[i].scope, ALLOCTRACE_EBAD_ARGUMENT);
    depth = at;
}

static void nest_at_random(unsigned n_steps)
{
    for (unsigned n = 0; n < n_steps; n++) {
        if (rand() % 5 == 0)
            begin_one();
        else if (rand() % 9 == 0 && depth > 0)
            end_some();
        change((unsigned)rand() % N_BLOCKS);
        if (rand() % 500 == 0)
            alloctrace_reset_peak();
    }
}

START_TEST(random_nested_scopes_equal_brute_force)
{
    sites_announce();
    srand(4711);
    nest_at_random(60000);
}
END_TEST

static void *nest(void *unused)
{
    for (unsigned i = 0; i < 10000; i++) {
        struct alloctrace_scope scope;
        void *block;

        begin(&scope);
        block = __alloctrace_malloc(100 + i % 50, site(3));
        check(end(&scope), 1, 100 + i % 50, 100 + i % 50, 100 + i % 50);
        begin(&scope);
        __alloctrace_free(block);
        check(end(&scope), 0, 0, 0, -(int64_t)(100 + i % 50));
    }
    return unused;
}

START_TEST(threads_have_scopes_of_their_own)
{
    pthread_t threads[4];

    sites_announce();
    srand(4712);
    for (unsigned i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, nest, NULL);
    nest_at_random(20000);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

static void *free_it(void *block)
{
    struct alloctrace_scope scope;

    begin(&scope);
    __alloctrace_free(block);
    check(end(&scope), 0, 0, 0, -70);
    return NULL;
}

START_TEST(who_frees_a_block_has_it_in_its_scope)
{
    struct alloctrace_scope scope;
    pthread_t thread;

    sites_announce();
    begin(&scope);
    pthread_create(&thread, NULL, free_it, __alloctrace_malloc(70, site(0)));
    pthread_join(thread, NULL);
    check(end(&scope), 1, 70, 70, 70);
}
END_TEST

/* The last time in a scope of the same depth and number. */
static void *end_it(void *scope)
{
    struct alloctrace_scope own;

    check_is_refused(scope, ALLOCTRACE_EBAD_ARGUMENT);
    __alloctrace_malloc(1, site(0));
    check_is_refused(scope, ALLOCTRACE_EBAD_ARGUMENT);
    begin(&own);
    check_is_refused(scope, ALLOCTRACE_EBAD_ARGUMENT);
    __alloctrace_malloc(2, site(0));
    check(end(&own), 1, 2, 2, 2);
    return NULL;
}

START_TEST(another_thread_cannot_end_a_scope)
{
    struct alloctrace_scope scope;
    pthread_t thread;

    sites_announce();
    begin(&scope);
    __alloctrace_malloc(70, site(0));
    pthread_create(&thread, NULL, end_it, &scope);
    pthread_join(thread, NULL);
    check(end(&scope), 1, 70, 70, 70);
}
END_TEST

static void *do_clear(void *unused)
{
    ck_assert_int_eq(alloctrace_clear_traces(), 0);
    return unused;
}

static void *do_stop(void *unused)
{
    ck_assert_int_eq(alloctrace_stop(), 0);
    return unused;
}

static void *do_restart(void *unused)
{
    ck_assert_int_eq(alloctrace_stop(), 0);
    ck_assert_int_eq(alloctrace_start(3), 0);
    return unused;
}

static void perform(void *(*action)(void *), bool is_in_thread)
{
    pthread_t thread;

    if (!is_in_thread) {
        action(NULL);
        return;
    }
    pthread_create(&thread, NULL, action, NULL);
    pthread_join(thread, NULL);
}

START_TEST(clears_and_stops_end_all_scopes)
{
    void *(*const actions[])(void *) = {do_clear, do_restart, do_stop};
    struct alloctrace_scope outer;
    struct alloctrace_scope inner;

    sites_announce();
    for (unsigned i = 0; i < 12; i++) {
        ck_assert_int_ge(alloctrace_start(3), 0);
        begin(&outer);
        __alloctrace_malloc(10, site(0));
        begin(&inner);
        __alloctrace_malloc(20, site(0));
        perform(actions[i % 3], i & 1);
        if (i >= 6)
            __alloctrace_malloc(30, site(0));
        check_is_refused(&inner, ALLOCTRACE_ENOT_TRACING);
        if (i % 3 != 2) {
            begin(&inner);
            __alloctrace_malloc(40, site(0));
            check(end(&inner), 1, 40, 40, 40);
        }
        check_is_refused(&outer, ALLOCTRACE_ENOT_TRACING);
    }
}
END_TEST

START_TEST(without_tracing_there_is_no_scope)
{
    struct alloctrace_scope scope;

    sites_announce();
    ck_assert_int_eq(alloctrace_stop(), 0);
    memset(&scope, 0xff, sizeof scope);
    ck_assert_int_eq(alloctrace_scope_begin(&scope), ALLOCTRACE_ENOT_TRACING);
    check_is_refused(&scope, ALLOCTRACE_ENOT_TRACING);
    ck_assert_int_eq(alloctrace_scope_begin(&scope), ALLOCTRACE_ENOT_TRACING);
    ck_assert_int_eq(alloctrace_start(1), 0);
    check_is_refused(&scope, ALLOCTRACE_ENOT_TRACING);
}
END_TEST

static jmp_buf away;

static void __attribute__((noipa)) jump(void)
{
    longjmp(away, 1);
}

static void leave(unsigned n)
{
    struct alloctrace_scope scope;

    begin(&scope);
    __alloctrace_free(__alloctrace_malloc(100 * n, site(0)));
    if (n == 5)
        jump();
    else
        leave(n + 1);
}

START_TEST(scopes_that_are_left_by_longjmp_end_with_the_one_around_them)
{
    struct alloctrace_scope scope;

    sites_announce();
    begin(&scope);
    if (setjmp(away) == 0)
        leave(1);
    ck_assert_uint_eq(__alloctrace_thread.ledger->n_scopes, 6);
    __alloctrace_free(__alloctrace_malloc(10, site(0)));
    check(end(&scope), 6, 1510, 500, 0);
    ck_assert_uint_eq(__alloctrace_thread.ledger->n_scopes, 0);
}
END_TEST

START_TEST(scopes_that_are_left_for_ever_take_no_memory)
{
    struct alloctrace_scope around;

    sites_announce();
    for (unsigned i = 0; i < 100000; i++)
        if (setjmp(away) == 0)
            leave(1);
    ck_assert_uint_eq(__alloctrace_thread.ledger->max_scopes, 64);
    begin(&around);
    __alloctrace_malloc(10, site(0));
    check(end(&around), 1, 10, 10, 10);
}
END_TEST

#define DEEP 100000

START_TEST(scopes_nest_to_any_depth)
{
    static struct alloctrace_scope deep[DEEP];

    sites_announce();
    for (uint64_t i = 0; i < DEEP; i++) {
        begin(&deep[i]);
        __alloctrace_free(__alloctrace_malloc(i, site(0)));
    }
    for (uint64_t i = DEEP; i-- > DEEP / 2;)
        check(end(&deep[i]), DEEP - i,
              DEEP * (DEEP - UINT64_C(1)) / 2 - i * (i - 1) / 2, DEEP - 1, 0);
    check(end(&deep[1]), DEEP - 1, DEEP * (DEEP - UINT64_C(1)) / 2, DEEP - 1,
          0);
    check(end(&deep[0]), DEEP, DEEP * (DEEP - UINT64_C(1)) / 2, DEEP - 1, 0);
}
END_TEST

START_TEST(a_scope_that_begins_again_takes_its_own_place)
{
    struct alloctrace_scope scope;
    struct alloctrace_scope old;

    sites_announce();
    begin(&scope);
    __alloctrace_malloc(10, site(0));
    old = scope;
    ck_assert_int_eq(alloctrace_scope_end(&scope, NULL), 0);
    begin(&scope);
    __alloctrace_malloc(20, site(0));
    check_is_refused(&old, ALLOCTRACE_EBAD_ARGUMENT);
    check(end(&scope), 1, 20, 20, 20);
}
END_TEST

static void *end_in_a_scope(void *unused)
{
    struct alloctrace_scope scope;

    begin(&scope);
    ck_assert_uint_eq(__alloctrace_thread.ledger->n_scopes, 1);
    __alloctrace_malloc(50, site(0));
    return unused;
}

START_TEST(a_thread_may_end_in_a_scope)
{
    sites_announce();
    for (unsigned i = 0; i < 5; i++) {
        pthread_t thread;

        pthread_create(&thread, NULL, end_in_a_scope, NULL);
        pthread_join(thread, NULL);
    }
    ck_assert_uint_eq(figures_at(0).live_blocks, 5);
    ck_assert_uint_le(at_ledgers.n, 3); /* mine, theirs, and their sum */
}
END_TEST

START_TEST(a_child_of_fork_is_in_the_same_scopes)
{
    struct alloctrace_scope outer;
    struct alloctrace_scope inner;
    int status;
    pid_t child;

    sites_announce();
    begin(&outer);
    __alloctrace_malloc(10, site(0));
    begin(&inner);
    __alloctrace_malloc(20, site(0));
    child = fork();
    __alloctrace_malloc(child ? 30 : 40, site(0));
    check(end(&inner), 2, child ? 50 : 60, child ? 50 : 60, child ? 50 : 60);
    check(end(&outer), 3, child ? 60 : 70, child ? 60 : 70, child ? 60 : 70);
    if (child == 0)
        _exit(0);
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(what_is_allocated_in_a_pause_is_in_no_scope)
{
    struct alloctrace_scope outer;
    struct alloctrace_scope inner;
    void *block;

    sites_announce();
    alloctrace_pause();
    begin(&outer); /* the thread may have no ledger yet */
    __alloctrace_malloc(10, site(0));
    alloctrace_resume();
    block = __alloctrace_malloc(20, site(0));
    alloctrace_pause();
    begin(&inner);
    __alloctrace_malloc(30, site(0));
    __alloctrace_free(block);
    check(end(&inner), 0, 0, 0, -20);
    alloctrace_resume();
    check(end(&outer), 1, 20, 20, 0);
}
END_TEST

START_TEST(while_a_scope_is_open_each_block_takes_the_slow_half)
{
    struct alloctrace_scope scope;
    struct ledger *ledger;

    sites_announce();
    ledger = __alloctrace_thread.ledger;
    ck_assert_uint_eq(ledger->max_slack, NARROW_SLACK_MAX);
    ledger->n_settling = 0; /* as of one that has been settled */
    begin(&scope);
    ck_assert_uint_eq(ledger->max_slack, 0);
    end(&scope);
    ck_assert_uint_eq(ledger->n_settling, 1); /* the next block settles it */
}
END_TEST

START_TEST(what_interrupts_the_runtime_settles_nothing)
{
    struct alloctrace_scope scope;
    struct ledger *ledger;

    sites_announce();
    __alloctrace_malloc(10, site(0));
    ledger = __alloctrace_thread.ledger;
    ledger->n_settling = 0;
    begin(&scope);
    end(&scope);
    __alloctrace_thread.busy = 1; /* as a handler finds it */
    __alloctrace_malloc(10, site(0));
    __alloctrace_thread.busy = 0;
    ck_assert_uint_eq(figures_at(0).live_blocks, 2);
    ck_assert_uint_eq(ledger->n_settling, 1);
    __alloctrace_malloc(10, site(0));
    ck_assert_uint_eq(ledger->n_settling, 0);
}
END_TEST

static volatile sig_atomic_t n_signals;

/* ThreadSanitizer's additions are a load and a store, between which a handler's
 * are lost (count_add). */
static bool is_exact(void)
{
#ifdef __SANITIZE_THREAD__
    return false;
#else
    return true;
#endif
}

/* As an allocator's that can be interrupted. */
static void on_signal(int number)
{
    static char room[64];
    struct alloctrace_scope scope;
    struct alloctrace_scope_result result;
    const int error = alloctrace_scope_begin(&scope);
    int error_of_end;

    (void)number;
    __alloctrace_custom_alloc(room, 10, site(9), "pool", NULL);
    __alloctrace_custom_free(room, "pool");
    error_of_end = alloctrace_scope_end(&scope, &result);
    /* Not tracing: in the middle of a clear. */
    if ((error && !error_of_end) ||
        (error_of_end && error_of_end != ALLOCTRACE_ENOT_TRACING) ||
        (is_exact() && (result.net != 0 || result.allocations > 1 ||
                        result.bytes != result.allocations * 10 ||
                        result.peak != result.bytes)))
        _exit(3);
    n_signals = n_signals + 1;
}

/* Blocks of 20 and 100 bytes, and of handlers. */
static void check_with_handlers(struct alloctrace_scope_result inner,
                                struct alloctrace_scope_result outer)
{
    if (!is_exact())
        return;
    ck_assert_int_eq(inner.net, 0);
    ck_assert(inner.peak == 20 || inner.peak == 30);
    ck_assert_int_eq(outer.net, 0);
    ck_assert(outer.peak >= 120 && outer.peak <= 130);
    ck_assert_uint_ge(outer.allocations, 2);
    ck_assert_uint_ge(outer.bytes, 120);
    ck_assert_uint_eq(outer.bytes % 10, 0);
}

START_TEST(a_handler_may_begin_and_end_scopes_at_any_moment)
{
    const struct itimerval often = {{0, 50}, {0, 50}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    uint64_t n = 0;

    sites_announce();
    signal(SIGALRM, on_signal);
    setitimer(ITIMER_REAL, &often, NULL);
    while (n_signals < 2000) {
        struct alloctrace_scope outer;
        struct alloctrace_scope inner;
        struct alloctrace_scope_result inner_result;
        void *block;

        begin(&outer);
        block = __alloctrace_malloc(100, site(n % 8));
        begin(&inner);
        __alloctrace_free(__alloctrace_malloc(20, site(1)));
        inner_result = end(&inner);
        __alloctrace_free(block);
        check_with_handlers(inner_result, end(&outer));
        if (++n % 64 == 0)
            alloctrace_clear_traces();
    }
    setitimer(ITIMER_REAL, &never, NULL);
    ck_assert_uint_eq(__alloctrace_thread.ledger->n_scopes, 0);
}
END_TEST

CHECK_MAIN("scope",
           a_scope_counts_blocks_bytes_the_most_at_once_and_what_is_left,
           a_resizing_counts_as_a_free_and_an_allocation,
           all_ways_to_allocate_are_counted,
           random_nested_scopes_equal_brute_force,
           threads_have_scopes_of_their_own,
           who_frees_a_block_has_it_in_its_scope,
           another_thread_cannot_end_a_scope, clears_and_stops_end_all_scopes,
           without_tracing_there_is_no_scope,
           scopes_that_are_left_by_longjmp_end_with_the_one_around_them,
           scopes_that_are_left_for_ever_take_no_memory,
           scopes_nest_to_any_depth,
           a_scope_that_begins_again_takes_its_own_place,
           a_thread_may_end_in_a_scope, a_child_of_fork_is_in_the_same_scopes,
           what_is_allocated_in_a_pause_is_in_no_scope,
           while_a_scope_is_open_each_block_takes_the_slow_half,
           what_interrupts_the_runtime_settles_nothing,
           a_handler_may_begin_and_end_scopes_at_any_moment)
