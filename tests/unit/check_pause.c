/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
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
int __alloctrace_track(unsigned, const void *, size_t, uint64_t);

static uint64_t current(void)
{
    uint64_t bytes;

    alloctrace_get_traced_memory(&bytes, NULL);
    return bytes;
}

static uint64_t n_unknown_frees(void)
{
    uint64_t sum = 0;

    for (uint32_t id = 1; id <= at_ledgers.n; id++)
        sum += ledger_at(id)->unknown_frees;
    return sum;
}

START_TEST(nothing_that_is_allocated_in_a_pause_is_counted)
{
    void *aligned;

    sites_announce();
    for (unsigned i = 0; i < 4; i++) /* some paths are known already */
        __alloctrace_free(__alloctrace_malloc(100, site(i)));
    errno = 4711;
    alloctrace_pause();
    for (unsigned i = 0; i < 8; i++) {
        __alloctrace_malloc(100, site(i));
        __alloctrace_calloc(2, 50, site(i));
        __alloctrace_realloc(NULL, 100, site(i));
        __alloctrace_memalign(64, 100, site(i));
        __alloctrace_posix_memalign(&aligned, 64, 100, site(i));
        __alloctrace_strdup("text", site(i));
        __alloctrace_malloc(1 << 20, site(i)); /* mapped */
    }
    alloctrace_resume();
    ck_assert_int_eq(errno, 4711);
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_uint_eq(figures_at(i).total_blocks, i < 4);
        ck_assert_uint_eq(figures_at(i).live_blocks, 0);
    }
    ck_assert_uint_eq(current(), 0);
    ck_assert_uint_eq(at_dropped_blocks, 0);
    __alloctrace_malloc(100, site(5));
    ck_assert_uint_eq(figures_at(5).live_blocks, 1);
}
END_TEST

#define N_BLOCKS 400
#define N_SITES_USED 6

/* Brute force: where each block was allocated, -1 if it is not traced. */
static struct {
    void *block;
    size_t size;
    int site;
} oracle[N_BLOCKS];

static void check_oracle(void)
{
    for (int where = 0; where < N_SITES_USED; where++) {
        uint64_t blocks = 0;
        uint64_t bytes = 0;

        for (unsigned i = 0; i < N_BLOCKS; i++)
            if (oracle[i].block && oracle[i].site == where) {
                blocks++;
                bytes += oracle[i].size;
            }
        ck_assert_uint_eq(figures_at((unsigned)where).live_blocks, blocks);
        ck_assert_uint_eq(figures_at((unsigned)where).live_bytes, bytes);
    }
    ck_assert_uint_eq(n_unknown_frees(), 0);
}

static void change(unsigned i, bool is_paused)
{
    const int where = rand() % N_SITES_USED;
    const size_t size = (size_t)(rand() % 8 ? rand() % 1000 : rand() % 400000);

    if (oracle[i].block && rand() % 2) {
        __alloctrace_free(oracle[i].block);
        oracle[i].block = NULL;
        return;
    }
    if (oracle[i].block && rand() % 8 == 0) { /* it cannot be resized */
        ck_assert_ptr_null(__alloctrace_realloc(
            oracle[i].block, SIZE_MAX / 4, site((unsigned)where)));
        return;
    }
    oracle[i].block = __alloctrace_realloc(oracle[i].block, size + 1,
                                           site((unsigned)where));
    oracle[i].size = size + 1;
    oracle[i].site = is_paused ? -1 : where;
}

START_TEST(random_pauses_equal_brute_force)
{
    unsigned depth = 0;

    sites_announce();
    srand(4711);
    for (unsigned n = 0; n < 60000; n++) {
        if (rand() % 16 == 0 && depth < 4) {
            alloctrace_pause();
            depth++;
        } else if (rand() % 12 == 0) {
            alloctrace_resume(); /* one too many, sometimes */
            depth -= depth > 0;
        }
        change((unsigned)rand() % N_BLOCKS, depth > 0);
        if (n % 1000 == 0)
            check_oracle();
    }
    check_oracle();
    ck_assert_int_eq((int64_t)current(), ledger_live_sum());
}
END_TEST

static void *allocate_and_free(void *given)
{
    __alloctrace_free(given);
    ck_assert_uint_eq(__alloctrace_thread.n_paused, 0);
    return __alloctrace_malloc(70, site(1));
}

START_TEST(other_threads_are_not_paused)
{
    pthread_t thread;
    void *mine;
    void *theirs;

    sites_announce();
    mine = __alloctrace_malloc(50, site(0));
    alloctrace_pause();
    pthread_create(&thread, NULL, allocate_and_free, mine);
    pthread_join(thread, &theirs);
    ck_assert_uint_eq(figures_at(0).live_blocks, 0);
    ck_assert_uint_eq(figures_at(1).live_bytes, 70);
    __alloctrace_free(theirs); /* of another thread's account */
    ck_assert_uint_eq(figures_at(1).live_bytes, 0);
    alloctrace_resume();
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

static void *end_in_a_pause(void *unused)
{
    __alloctrace_malloc(50, site(0));
    alloctrace_pause();
    __alloctrace_malloc(60, site(1));
    return unused;
}

START_TEST(a_thread_may_end_in_a_pause)
{
    sites_announce();
    for (unsigned i = 0; i < 5; i++) {
        pthread_t thread;
        void *theirs;

        pthread_create(&thread, NULL, end_in_a_pause, NULL);
        pthread_join(thread, NULL);
        pthread_create(&thread, NULL, allocate_and_free, NULL);
        pthread_join(thread, &theirs);
    }
    ck_assert_uint_eq(figures_at(0).live_blocks, 5);
    ck_assert_uint_eq(figures_at(1).live_blocks, 5);
    ck_assert_uint_le(at_ledgers.n, 3); /* mine, theirs, and their sum */
}
END_TEST

START_TEST(a_child_of_fork_is_in_the_same_pauses)
{
    int status;
    pid_t child;

    sites_announce();
    __alloctrace_malloc(50, site(0));
    alloctrace_pause();
    child = fork();
    if (child == 0) {
        __alloctrace_malloc(60, site(1));
        if (current() != 50)
            _exit(1);
        alloctrace_resume();
        __alloctrace_malloc(70, site(1));
        _exit(current() == 120 ? 0 : 2);
    }
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    alloctrace_resume();
    ck_assert_uint_eq(current(), 50);
}
END_TEST

static void *do_clear(void *unused)
{
    alloctrace_clear_traces();
    return unused;
}

static void *do_restart(void *unused)
{
    alloctrace_stop();
    alloctrace_start(ALLOCTRACE_ALL_FRAMES);
    return unused;
}

START_TEST(what_others_clear_and_start_does_not_end_a_pause)
{
    void *(*const actions[])(void *) = {do_clear, do_restart};

    sites_announce();
    for (unsigned i = 0; i < 2; i++) {
        pthread_t thread;
        void *before;
        void *traced;

        before = __alloctrace_malloc(50, site(0));
        alloctrace_pause();
        pthread_create(&thread, NULL, actions[i], NULL);
        pthread_join(thread, NULL);
        __alloctrace_free(before);
        __alloctrace_free(__alloctrace_malloc(50, site(0)));
        __alloctrace_malloc(60, site(0));
        ck_assert_uint_eq(current(), 0);
        alloctrace_resume();
        traced = __alloctrace_malloc(70, site(0));
        ck_assert_uint_eq(current(), 70);
        alloctrace_pause();
        __alloctrace_free(traced);
        alloctrace_resume();
        ck_assert_uint_eq(current(), 0);
        ck_assert_uint_eq(n_unknown_frees(), 0);
    }
}
END_TEST

START_TEST(a_pause_without_tracing_lasts)
{
    void *early;

    sites_announce();
    alloctrace_stop();
    early = __alloctrace_malloc(50, site(0));
    alloctrace_pause();
    __alloctrace_free(__alloctrace_malloc(50, site(0)));
    ck_assert_int_eq(alloctrace_start(3), 0);
    __alloctrace_malloc(50, site(0));
    __alloctrace_free(early);
    ck_assert_uint_eq(current(), 0);
    ck_assert_uint_eq(n_unknown_frees(), 0);
    /* Nobody writes what all threads share. */
    ck_assert_uint_eq(at_paused_ledger.unknown_frees, 0);
    alloctrace_stop();
    alloctrace_resume();
    ck_assert_int_eq(alloctrace_start(3), 0);
    __alloctrace_malloc(60, site(0));
    ck_assert_uint_eq(current(), 60);
}
END_TEST

START_TEST(pools_are_paused_and_what_is_tracked_is_not)
{
    char pool[256];
    void *token;

    sites_announce();
    __alloctrace_custom_alloc(pool, 10, site(0), "pool", NULL);
    __alloctrace_custom_alloc(pool + 64, 20, site(0), "pool", NULL);
    __alloctrace_custom_alloc(pool + 128, 30, site(0), "pool", NULL);
    alloctrace_pause();
    __alloctrace_custom_alloc(pool + 32, 40, site(1), "pool", NULL);
    __alloctrace_custom_free(pool, "pool");
    token = __alloctrace_custom_take(pool + 64);
    __alloctrace_custom_alloc(pool + 160, 50, site(1), "pool", token);
    token = __alloctrace_custom_take(pool + 128);
    __alloctrace_custom_alloc(NULL, 60, site(1), "pool", token); /* failed */
    ck_assert_int_eq(__alloctrace_track(3, pool, 7, site(2)), 0);
    alloctrace_resume();
    ck_assert_uint_eq(figures_at(0).live_blocks, 1);
    ck_assert_uint_eq(figures_at(0).live_bytes, 30);
    ck_assert_uint_eq(figures_at(1).total_blocks, 0);
    ck_assert_uint_eq(figures_at(2).live_bytes, 7);
}
END_TEST

START_TEST(a_block_of_the_heap_may_be_tracked_in_a_pause)
{
    void *block;

    sites_announce();
    block = __alloctrace_malloc(10, site(0));
    alloctrace_pause();
    ck_assert_int_eq(__alloctrace_track(0, block, 5000, site(1)), 0);
    ck_assert_uint_eq(current(), 5000);
    ck_assert_int_eq(alloctrace_untrack(0, block), 0);
    alloctrace_resume();
    ck_assert_uint_eq(current(), 0);
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

static volatile sig_atomic_t n_signals;

/* A handler that allocates: the C library's malloc is not for that, so from
 * blocks of its own, as an allocator that can be interrupted would. */
static void on_signal(int number)
{
    static char room[64];

    (void)number;
    alloctrace_pause();
    __alloctrace_custom_alloc(room, 10, site(9), "pool", NULL);
    alloctrace_resume();
    n_signals = n_signals + 1;
}

START_TEST(a_handler_may_pause_at_any_moment)
{
    const struct itimerval often = {{0, 50}, {0, 50}};
    const struct itimerval never = {{0, 0}, {0, 0}};
    uint64_t n = 0;

    sites_announce();
    signal(SIGALRM, on_signal);
    setitimer(ITIMER_REAL, &often, NULL);
    while (n_signals < 2000) {
        void *const traced = __alloctrace_malloc(10, site(0));

        alloctrace_pause();
        __alloctrace_free(__alloctrace_malloc(20, site(n % 8)));
        alloctrace_pause();
        __alloctrace_free(traced);
        alloctrace_resume();
        alloctrace_resume();
        if (++n % 64 == 0)
            alloctrace_clear_traces();
    }
    setitimer(ITIMER_REAL, &never, NULL);
    ck_assert_uint_eq(__alloctrace_thread.n_paused, 0);
    ck_assert_ptr_ne(__alloctrace_thread.ledger, &at_paused_ledger);
    ck_assert_uint_eq(figures_at(9).total_blocks, 0);
    ck_assert_uint_eq(current(), 0);
    ck_assert_uint_eq(n_unknown_frees(), 0);
    __alloctrace_malloc(10, site(0));
    ck_assert_uint_eq(current(), 10);
}
END_TEST

CHECK_MAIN("pause", nothing_that_is_allocated_in_a_pause_is_counted,
           random_pauses_equal_brute_force, other_threads_are_not_paused,
           a_thread_may_end_in_a_pause, a_child_of_fork_is_in_the_same_pauses,
           what_others_clear_and_start_does_not_end_a_pause,
           a_pause_without_tracing_lasts,
           pools_are_paused_and_what_is_tracked_is_not,
           a_block_of_the_heap_may_be_tracked_in_a_pause,
           a_handler_may_pause_at_any_moment)
