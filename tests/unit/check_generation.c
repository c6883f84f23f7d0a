/* SPDX-License-Identifier: MIT */
/* Starts, stops, clears: what is known before and after, in all domains, also
 * where other threads have not noticed yet. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "alloctrace/format.h"
#include "check_alloctrace.h"
#include "event.h"
#include "paths.h"

#define ALLOCTRACE_API
#include "alloctrace.h"

void __alloctrace_custom_alloc(void *, size_t, uint64_t, const char *, void *);
void *__alloctrace_custom_take(void *);
void __alloctrace_custom_free(void *, const char *);

static uint64_t unknown_frees(void)
{
    uint64_t sum = 0;

    for (uint32_t id = 1; id <= at_ledgers.n; id++)
        if (generation_has(ledger_at(id)))
            sum += ledger_at(id)->unknown_frees;
    return sum;
}

static void check_memory(uint64_t current, uint64_t peak)
{
    uint64_t is_current;
    uint64_t is_peak;

    ck_assert_int_eq(alloctrace_get_traced_memory(&is_current, &is_peak), 0);
    ck_assert_uint_eq(is_current, current);
    ck_assert_uint_eq(is_peak, peak);
}

static struct ledger *own_ledger(void)
{
    return __alloctrace_thread.ledger;
}

START_TEST(start_checks_the_number_and_says_that_it_traces_already)
{
    sites_announce();
    ck_assert_int_eq(alloctrace_start(-1), ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(alloctrace_start(65536), ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(alloctrace_stop(), 0);
    ck_assert(!alloctrace_is_tracing());
    ck_assert_int_eq(alloctrace_get_traceback_limit(), ALLOCTRACE_ENOT_TRACING);
    ck_assert_int_eq(alloctrace_start(3), 0);
    ck_assert_int_eq(alloctrace_start(9), ALLOCTRACE_ALREADY_TRACING);
    ck_assert_int_eq(alloctrace_start(3), 0);
    ck_assert_int_eq(alloctrace_get_traceback_limit(), 3);
    ck_assert_int_eq(alloctrace_start(-1), ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(alloctrace_stop(), 0);
    ck_assert_int_eq(alloctrace_start(65535), 0);
    ck_assert_int_eq(alloctrace_get_traceback_limit(), 65535);
    ck_assert_int_eq(alloctrace_stop(), 0);
    ck_assert_int_eq(alloctrace_start(ALLOCTRACE_ALL_FRAMES), 0);
    ck_assert_int_eq(alloctrace_get_traceback_limit(), 0);
}
END_TEST

START_TEST(a_clear_forgets_and_later_frees_count_nothing)
{
    void *block;
    void *huge;

    sites_announce();
    alloctrace_clear_traces();
    block = __alloctrace_malloc(100, site(0));
    huge = __alloctrace_malloc((size_t)1 << 23, site(1));
    __alloctrace_free(__alloctrace_malloc(5, site(0)));
    check_memory(100 + (1 << 23), 105 + (1 << 23));
    ck_assert_int_eq(alloctrace_clear_traces(), 0);
    check_memory(0, 0);
    ck_assert_uint_eq(figures_at(0).total_blocks, 0);
    __alloctrace_free(block); /* the thread has not noticed */
    block = __alloctrace_malloc(7, site(0));
    check_memory(7, 7);
    __alloctrace_free(huge); /* it has */
    check_memory(7, 7);
    ck_assert_uint_eq(figures_at(0).total_blocks, 1);
    ck_assert_uint_eq(figures_at(1).total_blocks, 0);
    ck_assert_uint_eq(unknown_frees(), 0);
    __alloctrace_free(block);
    check_memory(0, 7);
}
END_TEST

START_TEST(a_forgotten_block_is_known_again_when_it_is_resized)
{
    void *block;

    sites_announce();
    block = __alloctrace_malloc(100, site(0));
    alloctrace_clear_traces();
    block = __alloctrace_realloc(block, 50, site(1));
    check_memory(50, 50);
    ck_assert_uint_eq(figures_at(0).total_blocks, 0);
    ck_assert_uint_eq(figures_at(1).live_bytes, 50);
    /* What cannot be resized stays what it was: here, forgotten. */
    alloctrace_clear_traces();
    ck_assert_int_eq(alloctrace_dump_traceback(2, block),
                     ALLOCTRACE_EUNKNOWN_BLOCK);
    __alloctrace_free(__alloctrace_malloc(1, site(0))); /* notices */
    ck_assert_ptr_null(__alloctrace_realloc(block, SIZE_MAX / 2, site(1)));
    check_memory(0, 1);
    __alloctrace_free(block);
    check_memory(0, 1);
    ck_assert_uint_eq(unknown_frees(), 0);
}
END_TEST

START_TEST(a_clear_between_take_and_restore_forgets_the_block)
{
    struct taken taken;
    void *block;

    sites_announce();
    block = __alloctrace_malloc(100, site(0));
    taken = event_take(block);
    alloctrace_clear_traces();
    event_restore(block, taken);
    check_memory(0, 0);
    __alloctrace_free(__alloctrace_malloc(1, site(0))); /* notices */
    __alloctrace_free(block);
    check_memory(0, 1);
    ck_assert_uint_eq(unknown_frees(), 0);
}
END_TEST

START_TEST(a_clear_between_find_and_add_counts_the_block)
{
    struct account *account;
    void *block;

    sites_announce();
    account = event_find_site(site(3), 40);
    alloctrace_clear_traces();
    block = event_add(account, at_real.malloc_fn(40), 40);
    check_memory(40, 40);
    ck_assert_uint_eq(figures_at(3).total_blocks, 1);
    __alloctrace_free(block);
    check_memory(0, 40);
}
END_TEST

/* An allocator that allocates, or a signal handler, inside of an allocation. */
START_TEST(a_nested_allocation_may_notice_first)
{
    struct account *account;
    void *inner;
    void *outer;

    sites_announce();
    for (unsigned is_stopped = 0; is_stopped < 2; is_stopped++) {
        account = event_find_site(site(3), 40);
        if (is_stopped)
            alloctrace_stop();
        else
            alloctrace_clear_traces();
        inner = __alloctrace_malloc(1, site(4));
        outer = event_add(account, at_real.malloc_fn(40), 40);
        check_memory(is_stopped ? 0 : 41, is_stopped ? 0 : 41);
        __alloctrace_free(inner);
        __alloctrace_free(outer);
        check_memory(0, is_stopped ? 0 : 41);
    }
}
END_TEST

START_TEST(a_stopped_program_is_as_if_it_had_never_been_traced)
{
    void *before;
    void *between;

    sites_announce();
    before = __alloctrace_malloc(10, site(0));
    ck_assert_int_eq(alloctrace_stop(), 0);
    ck_assert_int_eq(alloctrace_stop(), 0);
    ck_assert_int_eq(alloctrace_clear_traces(), 0);
    ck_assert_int_eq(alloctrace_reset_peak(), 0);
    check_memory(0, 0);
    ck_assert_int_eq(alloctrace_track(1, NULL, 1), ALLOCTRACE_ENOT_TRACING);
    for (unsigned i = 0; i < 300; i++)
        __alloctrace_free(__alloctrace_malloc(10, site(0)));
    ck_assert_ptr_null(own_ledger());
    ck_assert(event_is_off());
    between = __alloctrace_malloc(10, site(0));
    ck_assert_int_eq(alloctrace_start(1), 0);
    check_memory(0, 0);
    __alloctrace_free(before);
    __alloctrace_free(between);
    check_memory(0, 0);
    __alloctrace_free(__alloctrace_malloc(10, site(0)));
    check_memory(0, 10);
    ck_assert_uint_eq(figures_at(0).total_blocks, 1);
}
END_TEST

START_TEST(a_new_ledger_gets_to_the_fast_half)
{
    sites_announce();
    at_is_narrow = real_is_glibc();
    alloctrace_clear_traces();
    for (unsigned i = 0; i < 300; i++)
        __alloctrace_free(__alloctrace_malloc(10, site(0)));
    ck_assert_uint_eq(own_ledger()->max_slack,
                      real_has_hidden_frees() ? 0 : NARROW_SLACK_MAX);
    ck_assert_uint_eq(figures_at(0).total_blocks, 300);
}
END_TEST

static void *clear(void *unused)
{
    (void)unused;
    ck_assert_int_eq(alloctrace_clear_traces(), 0);
    return NULL;
}

static void *free_it(void *block)
{
    __alloctrace_free(block);
    return NULL;
}

static void *allocate(void *size)
{
    return __alloctrace_malloc((size_t)size, site(2));
}

static void *in_thread(void *run(void *), void *argument)
{
    pthread_t thread;
    void *result;

    pthread_create(&thread, NULL, run, argument);
    pthread_join(thread, &result);
    return result;
}

START_TEST(another_thread_clears_and_frees)
{
    void *old;
    void *new;

    sites_announce();
    old = __alloctrace_malloc(100, site(0));
    in_thread(clear, NULL);
    new = in_thread(allocate, (void *)60);
    check_memory(60, 60);
    in_thread(free_it, old); /* an old block, in a new ledger */
    check_memory(60, 60);
    __alloctrace_free(new); /* a new block, in a retired ledger */
    check_memory(0, 60);
    ck_assert_uint_eq(figures_at(2).total_blocks, 1);
    ck_assert_uint_eq(figures_at(2).live_bytes, 0);
    ck_assert_uint_eq(unknown_frees(), 0);
}
END_TEST

/* As after its first blocks; the frees of this program may be hidden. */
static void *work_and_settle(void *unused)
{
    __alloctrace_free(__alloctrace_malloc(1, site(5)));
    own_ledger()->max_slack = NARROW_SLACK_MAX;
    own_ledger()->n_settling = 0;
    return unused;
}

/* The inner one takes over the ledger of a thread that has ended, whose blocks
 * are in the fast half already. */
START_TEST(a_nested_allocation_may_notice_first_and_take_over)
{
    struct account *account;
    void *inner;
    void *outer;

    sites_announce();
    at_is_narrow = real_is_glibc();
    account = event_find_site(site(3), 40);
    alloctrace_clear_traces();
    in_thread(work_and_settle, NULL);
    inner = __alloctrace_malloc(1, site(4));
    outer = event_add(account, at_real.malloc_fn(40), 40);
    ck_assert_uint_eq(at_generation->n_tenants, 1);
    ck_assert_uint_eq(figures_at(3).live_bytes, 40);
    ck_assert_int_eq(ledger_live_sum(), 41);
    __alloctrace_free(inner);
    __alloctrace_free(outer);
    ck_assert_uint_eq(figures_at(3).live_bytes, 0);
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

START_TEST(a_retired_thread_publishes_no_peak)
{
    struct ledger *mine;
    void *big;

    sites_announce();
    in_thread(free_it, in_thread(allocate, (void *)1)); /* shares the peak */
    mine = own_ledger();
    in_thread(clear, NULL);
    /* Into the retired ledger, as a thread does that found its way before. */
    mine->max_slack = NARROW_SLACK_MAX;
    mine->n_settling = 0;
    big = __alloctrace_malloc(10, site(0));
    peak_pass(mine, NULL);
    count_add(&mine->room, -1000000000);
    peak_pass(mine, NULL);
    in_thread(allocate, (void *)5000);
    ck_assert_uint_lt(peak_bytes(), 6000);
    __alloctrace_free(big);
}
END_TEST

START_TEST(the_peak_starts_from_what_is_live)
{
    void *first;
    void *second;

    sites_announce();
    alloctrace_clear_traces();
    first = __alloctrace_malloc(1000, site(0));
    second = __alloctrace_malloc(500, site(1));
    __alloctrace_free(second);
    check_memory(1000, 1500);
    ck_assert_uint_eq(figures_at(1).peak_bytes, 500);
    ck_assert_int_eq(alloctrace_reset_peak(), 0);
    check_memory(1000, 1000);
    __alloctrace_free(__alloctrace_malloc(7, site(1)));
    check_memory(1000, 1007);
    ck_assert_int_eq(alloctrace_reset_peak(), 0);
    ck_assert_uint_eq(figures_at(0).peak_bytes, 1000);
    ck_assert_uint_eq(figures_at(1).peak_bytes, 0);
    __alloctrace_free(first);
    check_memory(0, 1000);
    first = __alloctrace_malloc(999, site(2)); /* below the peak: none */
    check_memory(999, 1000);
    ck_assert_uint_eq(figures_at(2).peak_bytes, 0);
    __alloctrace_free(first);
}
END_TEST

static void *reset(void *unused)
{
    (void)unused;
    alloctrace_reset_peak();
    return NULL;
}

START_TEST(another_thread_resets_the_peak)
{
    void *block;

    sites_announce();
    alloctrace_clear_traces();
    block = __alloctrace_malloc(1000000, site(0));
    __alloctrace_free(__alloctrace_malloc(1000000, site(1)));
    in_thread(reset, NULL); /* a thread without a ledger: one counts */
    check_memory(1000000, 1000000);
    __alloctrace_free(__alloctrace_malloc(10, site(1)));
    check_memory(1000000, 1000010);
    in_thread(free_it, in_thread(allocate, (void *)2000000));
    ck_assert_uint_ge(peak_bytes() + peak_slack(), 3000000);
    in_thread(reset, NULL); /* now several do */
    check_memory(1000000, 1000000);
    ck_assert_uint_eq(figures_at(2).peak_bytes, 0);
    ck_assert_uint_eq(figures_at(0).peak_bytes, 1000000);
    __alloctrace_free(block);
}
END_TEST

START_TEST(tracked_blocks_are_forgotten)
{
    void *const key = (void *)0x1234560;
    void *token;

    sites_announce();
    ck_assert_int_eq(alloctrace_track(7, key, 100), 0);
    __alloctrace_custom_alloc(key, 30, site(5), "pool", NULL);
    alloctrace_clear_traces();
    check_memory(0, 0);
    ck_assert_ptr_null(tracked_find((uintptr_t)key).account);
    ck_assert_ptr_null(tracked_get(7, (uintptr_t)key));
    ck_assert_int_eq(alloctrace_untrack(7, key), 0);
    check_memory(0, 0);
    /* Of the same pool at the same place: not taken for the old one's. */
    __alloctrace_custom_alloc(key, 30, site(6), "other", NULL);
    check_memory(30, 30);
    /* A clear while a block is being resized, and the resizing fails. */
    token = __alloctrace_custom_take(key);
    ck_assert_ptr_nonnull(token);
    alloctrace_clear_traces();
    __alloctrace_custom_alloc(NULL, 60, site(6), "other", token);
    check_memory(0, 0);
    __alloctrace_custom_free(key, "other");
    check_memory(0, 0);
}
END_TEST

/* Nothing but this is called, so nothing else notices. */
START_TEST(a_thread_that_only_tracks_notices)
{
    sites_announce();
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(alloctrace_track(1, (void *)(uintptr_t)i, 5), 0);
        check_memory(5, 5);
        alloctrace_clear_traces();
    }
}
END_TEST

/* What a thread has read may be another's by the time that it looks. */
START_TEST(an_account_of_a_later_generation_is_another_one)
{
    const struct taken block = {.size = 100};
    struct account *account;
    void *pointer;

    sites_announce();
    alloctrace_clear_traces();
    pointer = in_thread(allocate, (void *)block.size);
    account = block_get(pointer).account;
    ck_assert_ptr_eq(event_subtract(account, 100, generation_number() - 1),
                     account_forgotten());
    check_memory(100, 100);
    ck_assert_ptr_ne(event_subtract(account, 100, generation_number()),
                     account_forgotten());
    check_memory(0, 100);
}
END_TEST

/* Paths whose accounts are more than a sweep is worth (sweep.c). */
static void *meet_many_paths(void *unused)
{
    enum { N_EACH = 24, N = 16 * ACCOUNTS_PER_CHUNK + 1 };
    struct alloctrace_shadow_frame frames[3];

    _Static_assert(N <= N_EACH * N_EACH * N_EACH, "each path is another");
    for (unsigned i = 0; i < N; i++) {
        push(&frames[0], i % N_EACH);
        push(&frames[1], i / N_EACH % N_EACH);
        push(&frames[2], i / N_EACH / N_EACH);
        __alloctrace_free(__alloctrace_malloc(1, site(6)));
        pop(&frames[2]);
        pop(&frames[1]);
        pop(&frames[0]);
    }
    return unused;
}

/* As in a realloc of another thread's block: the account is looked up, taking
 * the block out has the thread go on with another ledger, and then others
 * clear, so that the first one's memory is used again. */
static void check_found_account(bool is_used_by_others)
{
    struct account *account;
    struct taken taken;
    void *block;

    sites_announce();
    alloctrace_stop();
    alloctrace_start(10); /* a path of no hash is a bad frame */
    meet_many_paths(NULL);
    account = event_find_site(site(3), 40);
    in_thread(clear, NULL);
    block = in_thread(allocate, (void *)60);
    taken = event_take(block);
    ck_assert_uint_eq(taken.size, 60);
    in_thread(clear, NULL);
    in_thread(clear, NULL);
    if (is_used_by_others)
        in_thread(meet_many_paths, NULL);
    block = event_add(account, at_real.realloc_fn(block, 40), 40);
    ck_assert_uint_eq(at_bad_frames, 0);
    ck_assert_uint_eq(figures_at(3).total_blocks, 1);
    ck_assert_uint_eq(figures_at(3).live_bytes, 40);
    __alloctrace_free(block);
    ck_assert_uint_eq(figures_at(3).live_bytes, 0);
}

START_TEST(an_account_that_was_found_stays_what_it_is)
{
    check_found_account(false);
}
END_TEST

START_TEST(an_account_that_was_found_is_nobody_elses)
{
    check_found_account(true);
}
END_TEST

/* An account that is looked up; then two ledgers are left, and it is nobody's.
 * `inner` are two blocks that this takes. */
static struct account *find_and_leave(void *inner[])
{
    struct account *account;

    sites_announce();
    meet_many_paths(NULL);
    account = event_find_site(site(3), 40);
    for (unsigned i = 0; i < 2; i++) {
        in_thread(clear, NULL);
        inner[i] = __alloctrace_malloc(1, site(4));
    }
    in_thread(clear, NULL);
    ck_assert_uint_eq(account_chunk(account)->generation, 0);
    return account;
}

START_TEST(what_is_nested_too_deep_is_dropped)
{
    void *inner[2];
    struct account *const account = find_and_leave(inner);
    void *outer;

    outer = event_add(account, at_real.malloc_fn(40), 40);
    ck_assert_uint_eq(at_bad_frames, 0);
    ck_assert_uint_eq(at_dropped_blocks, 1);
    __alloctrace_free(outer);
    __alloctrace_free(inner[0]);
    __alloctrace_free(inner[1]);
    check_memory(0, 0);
}
END_TEST

START_TEST(a_tracked_block_that_is_nested_too_deep_is_dropped)
{
    void *inner[2];
    struct account *const account = find_and_leave(inner);

    ck_assert(!tracked_add(account, 0x1000, 40));
    ck_assert_uint_eq(at_dropped_blocks, 1);
    ck_assert_ptr_null(tracked_find_in(0, 0x1000).account);
    __alloctrace_free(inner[0]);
    __alloctrace_free(inner[1]);
    check_memory(0, 0);
}
END_TEST

#ifdef __SANITIZE_THREAD__
#define N_ROUNDS 48 /* a sweep takes it a second */
#else
#define N_ROUNDS 400
#endif

/* As many ledgers come and go as there are rounds, yet no memory is taken, and
 * blocks that are older than their accounts are still known to be forgotten. */
START_TEST(memory_is_used_again)
{
    enum { N = 3000, KEPT = 16 };
    static struct alloctrace_shadow_frame frames[N];
    void *kept[KEPT] = {NULL};
    uint64_t overhead = 0;
    uint32_t n_ledgers = 0;
    uint32_t n_chunks = 0;

    sites_announce();
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        void *const old = kept[round % KEPT];

        kept[round % KEPT] = __alloctrace_malloc(1000, site(1));
        alloctrace_track(3, (void *)(uintptr_t)round, 1);
        __alloctrace_free(old);
        alloctrace_untrack(3, (void *)(uintptr_t)(round - KEPT));
        for (unsigned i = 0; i < N; i++) {
            frames[i].parent = &at_sentinel;
            frames[i].hash = (uint64_t)i * 1000003 + 17;
            __alloctrace_thread.top = &frames[i];
            __alloctrace_free(__alloctrace_malloc(i, site(0)));
        }
        __alloctrace_thread.top = &at_sentinel;
        ck_assert_uint_eq(figures_at(0).total_blocks, N);
        ck_assert_uint_eq(figures_at(0).live_bytes, 0);
        check_memory(1001, 1001 + N - 1);
        if (round == N_ROUNDS / 2) {
            overhead = alloctrace_get_overhead_memory();
            n_ledgers = at_ledgers.n;
        }
        if (account_chunk_number(own_ledger()->chunks) > n_chunks)
            n_chunks = account_chunk_number(own_ledger()->chunks);
        alloctrace_clear_traces();
    }
    ck_assert_uint_eq(at_ledgers.n, n_ledgers);
    ck_assert_uint_le(alloctrace_get_overhead_memory(), overhead + 65536);
    ck_assert_uint_lt(n_chunks, 64);
    for (unsigned i = 0; i < KEPT; i++)
        __alloctrace_free(kept[i]);
    ck_assert_uint_eq(unknown_frees(), 0);
    check_memory(0, 0);
    ck_assert_uint_lt(at_ledgers.n, 32);
}
END_TEST

static void *work_once(void *size)
{
    __alloctrace_free(__alloctrace_malloc((size_t)size, site(5)));
    return NULL;
}

/* What ended threads counted lies in ledgers that no thread has. */
START_TEST(sums_of_threads_that_ended_are_forgotten)
{
    uint32_t n_ledgers = 0;

    sites_announce();
    for (size_t i = 0; i < 200; i++) {
        in_thread(work_once, (void *)i);
        in_thread(work_once, (void *)i);
        ck_assert_uint_eq(figures_at(5).total_blocks, 2);
        alloctrace_clear_traces();
        ck_assert_uint_eq(figures_at(5).total_blocks, 0);
        if (i == 100)
            n_ledgers = at_ledgers.n;
    }
    ck_assert_uint_eq(at_ledgers.n, n_ledgers);
}
END_TEST

static void *work_and_clear(void *unused)
{
    work_once((void *)1);
    clear(NULL);
    return work_once(unused);
}

/* The ledger that a thread has left stays for what it may have found there, but
 * not longer than the thread. */
START_TEST(a_thread_that_ends_leaves_all_its_ledgers)
{
    uint32_t n_ledgers = 0;

    sites_announce();
    for (unsigned i = 0; i < 100; i++) {
        in_thread(work_and_clear, NULL);
        if (i == 50)
            n_ledgers = at_ledgers.n;
    }
    ck_assert_uint_eq(at_ledgers.n, n_ledgers);
}
END_TEST

/* A sleeping thread's blocks are forgotten, and its accounts still there. */
static pthread_barrier_t barrier;

static void *sleep_over_it(void *unused)
{
    void *const block = __alloctrace_malloc(11, site(1));

    (void)unused;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    __alloctrace_free(block);
    __alloctrace_free(__alloctrace_malloc(22, site(1)));
    return NULL;
}

START_TEST(a_thread_may_sleep_through_many_clears)
{
    pthread_t thread;

    sites_announce();
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, sleep_over_it, NULL);
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < 200; i++) {
        alloctrace_clear_traces();
        __alloctrace_free(__alloctrace_malloc(1, site(0)));
    }
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(figures_at(1).total_blocks, 1);
    ck_assert_uint_eq(figures_at(1).total_bytes, 22);
    ck_assert_uint_eq(figures_at(0).total_blocks, 1);
    check_memory(0, peak_bytes());
    ck_assert_uint_eq(unknown_frees(), 0);
}
END_TEST

static int refused;

static void in_handler(int number)
{
    (void)number;
    refused = alloctrace_clear_traces();
}

START_TEST(a_call_on_top_of_the_runtime_is_refused)
{
    sites_announce();
    signal(SIGUSR1, in_handler);
    raise(SIGUSR1);
    ck_assert_int_eq(refused, 0);
    lock_take();
    raise(SIGUSR1);
    lock_release();
    ck_assert_int_eq(refused, ALLOCTRACE_EBUSY);
}
END_TEST

CHECK_MAIN("generation", start_checks_the_number_and_says_that_it_traces_already,
           a_clear_forgets_and_later_frees_count_nothing,
           a_forgotten_block_is_known_again_when_it_is_resized,
           a_clear_between_take_and_restore_forgets_the_block,
           a_clear_between_find_and_add_counts_the_block,
           a_nested_allocation_may_notice_first,
           a_nested_allocation_may_notice_first_and_take_over,
           a_stopped_program_is_as_if_it_had_never_been_traced,
           a_new_ledger_gets_to_the_fast_half, another_thread_clears_and_frees,
           a_retired_thread_publishes_no_peak,
           the_peak_starts_from_what_is_live, another_thread_resets_the_peak,
           tracked_blocks_are_forgotten, a_thread_that_only_tracks_notices,
           an_account_of_a_later_generation_is_another_one,
           an_account_that_was_found_stays_what_it_is,
           an_account_that_was_found_is_nobody_elses,
           what_is_nested_too_deep_is_dropped,
           a_tracked_block_that_is_nested_too_deep_is_dropped,
           memory_is_used_again, sums_of_threads_that_ended_are_forgotten,
           a_thread_that_ends_leaves_all_its_ledgers,
           a_thread_may_sleep_through_many_clears,
           a_call_on_top_of_the_runtime_is_refused)
