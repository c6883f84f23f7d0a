/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <string.h>

#include "check_alloctrace.h"
#include "paths.h"

#define N_BLOCKS 200
#define N_EVENTS 3000
#define N_USED 40

/* Brute force: all figures after each event, kept when the sum peaks. */
struct oracle {
    struct {
        void *block;
        size_t size;
        unsigned site;
    } blocks[N_BLOCKS];
    uint64_t live[N_USED];
    uint64_t at_peak[N_USED];
    uint64_t sum;
    uint64_t peak;
};

static void note_peak(struct oracle *oracle)
{
    if (oracle->sum <= oracle->peak)
        return;
    oracle->peak = oracle->sum;
    memcpy(oracle->at_peak, oracle->live, sizeof oracle->live);
}

static void forget(struct oracle *oracle, unsigned i)
{
    oracle->live[oracle->blocks[i].site] -= oracle->blocks[i].size;
    oracle->sum -= oracle->blocks[i].size;
    oracle->blocks[i].block = NULL;
}

static void enter(struct oracle *oracle, unsigned i, void *block, size_t size,
                  unsigned where)
{
    oracle->blocks[i].block = block;
    oracle->blocks[i].size = size;
    oracle->blocks[i].site = where;
    oracle->live[where] += size;
    oracle->sum += size;
    note_peak(oracle);
}

/* One random allocation, resize or free. */
static void event(struct oracle *oracle)
{
    const unsigned i = (unsigned)rand() % N_BLOCKS;
    const unsigned where = (unsigned)rand() % N_USED;
    const size_t size = (size_t)rand() % 5000;
    void *const old = oracle->blocks[i].block;

    if (old && rand() % 3) {
        __alloctrace_free(old);
        forget(oracle, i);
    } else if (old) {
        void *const moved = __alloctrace_realloc(old, size + 1, site(where));

        forget(oracle, i);
        enter(oracle, i, moved, size + 1, where);
    } else {
        enter(oracle, i, __alloctrace_malloc(size, site(where)), size, where);
    }
}

START_TEST(the_peak_and_its_composition_equal_brute_force)
{
    static struct oracle oracle;

    srand((unsigned)_i);
    sites_announce();
    if (_i % 2) /* the slow half must count the same */
        ledger_at(1)->max_slack = 0;
    for (unsigned i = 0; i < N_EVENTS; i++)
        event(&oracle);
    ck_assert_uint_eq(peak_bytes(), oracle.peak);
    for (unsigned i = 0; i < N_USED; i++) {
        const struct figures figures = figures_at(i);

        ck_assert_uint_eq(figures.live_bytes, oracle.live[i]);
        ck_assert_uint_eq(figures.peak_bytes, oracle.at_peak[i]);
    }
}
END_TEST

static void *sixty_four_kibibytes(void *unused)
{
    (void)unused;
    return __alloctrace_malloc(65536, site(1));
}

START_TEST(a_second_thread_adds_to_what_the_first_one_holds)
{
    pthread_t thread;
    void *mine;
    void *theirs;

    sites_announce();
    mine = __alloctrace_malloc(1000000, site(0));
    pthread_create(&thread, NULL, sixty_four_kibibytes, NULL);
    pthread_join(thread, &theirs);
    ck_assert_uint_ge(peak_bytes() + peak_slack(), 1065536);
    ck_assert_uint_le(peak_bytes(), 1065536);
    ck_assert_uint_gt(peak_slack(), 0);
    __alloctrace_free(theirs);
    __alloctrace_free(mine);
    ck_assert_int_eq(ledger_live_sum(), 0);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("peak");
    TCase *const tcase = tcase_create("peak");
    SRunner *runner;
    int n_failed;

    tcase_set_timeout(tcase, 600); /* machines may be busy */
    tcase_add_loop_test(tcase, the_peak_and_its_composition_equal_brute_force,
                        1, 61);
    tcase_add_test(tcase, a_second_thread_adds_to_what_the_first_one_holds);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
