/* SPDX-License-Identifier: MIT */
/* Details and the groups that they are summed up for, against brute force. */
#include <stdbool.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

#define N_PATHS 12
#define N_THREADS 4
#define N_DOMAINS 3
#define N_FIGURES 9
#define N_NAMES (N_PATHS * N_THREADS * N_DOMAINS)
#define N_CLASSES ALLOCTRACE_SIZE_CLASS_COUNT

/* Everything about one trace that the file may have. */
static struct {
    bool is_there;
    int64_t total_blocks, total_bytes;
    uint64_t figures[N_FIGURES];
    uint64_t blocks[N_CLASSES], bytes[N_CLASSES];
} all[N_PATHS][N_THREADS][N_DOMAINS];

static struct dumpfile dump;

static void make_trace(unsigned p, unsigned t, unsigned d)
{
    all[p][t][d].is_there = true;
    all[p][t][d].total_blocks = rand() % 3 ? rand() % 1000 : 0;
    all[p][t][d].total_bytes = all[p][t][d].total_blocks * (rand() % 50);
    dumpfile_trace_full(&dump, p + 1, t + 1, d,
                        (const int64_t[]){1, 1, all[p][t][d].total_blocks,
                                          all[p][t][d].total_bytes, 0, 0});
}

static void make_details(unsigned p, unsigned t, unsigned d)
{
    if (!all[p][t][d].is_there || rand() % 4 == 0)
        return;
    for (unsigned i = 0; i < N_FIGURES; i++)
        all[p][t][d].figures[i] = (uint64_t)rand() % 1000;
    dumpfile_detail(&dump, p + 1, t + 1, d, all[p][t][d].figures);
    for (unsigned i = 0; i < 4; i++) {
        const unsigned class = (unsigned)rand() % N_CLASSES;

        all[p][t][d].blocks[class] += i + 1;
        all[p][t][d].bytes[class] += 10 * i;
        dumpfile_size(&dump, p + 1, t + 1, d, class, i + 1, 10 * i);
    }
}

/* Calls `make` for all names in an order of its own. */
static void for_all(void make(unsigned, unsigned, unsigned))
{
    unsigned order[N_NAMES];

    for (unsigned i = 0; i < N_NAMES; i++) {
        const unsigned k = (unsigned)rand() % (i + 1);

        order[i] = order[k];
        order[k] = i;
    }
    for (unsigned i = 0; i < N_NAMES; i++)
        make(order[i] % N_PATHS, order[i] / N_PATHS % N_THREADS,
             order[i] / N_PATHS / N_THREADS);
}

/* The sum over what belongs to one group; UINT32_MAX: to any. */
struct sum {
    uint64_t total_blocks, total_bytes, figures[N_FIGURES];
    uint64_t blocks[N_CLASSES], bytes[N_CLASSES];
    bool has_blocks;
};

static void add(struct sum *sum, unsigned p, unsigned t, unsigned d)
{
    const uint64_t *const figures = all[p][t][d].figures;
    bool is_told = false;

    sum->total_blocks += (uint64_t)all[p][t][d].total_blocks;
    sum->total_bytes += (uint64_t)all[p][t][d].total_bytes;
    for (unsigned i = 0; i < 7; i++)
        sum->figures[i] += figures[i];
    for (unsigned i = 0; i < N_CLASSES; i++) {
        is_told = is_told || all[p][t][d].blocks[i];
        sum->blocks[i] += all[p][t][d].blocks[i];
        sum->bytes[i] += all[p][t][d].bytes[i];
    }
    if (!is_told || !all[p][t][d].total_blocks)
        return;
    if (!sum->has_blocks || figures[7] < sum->figures[7])
        sum->figures[7] = figures[7];
    if (!sum->has_blocks || figures[8] > sum->figures[8])
        sum->figures[8] = figures[8];
    sum->has_blocks = true;
}

static struct sum sum_of(uint32_t path, uint32_t thread, uint32_t domain)
{
    struct sum sum = {0};

    for (unsigned p = 0; p < N_PATHS; p++)
        for (unsigned t = 0; t < N_THREADS; t++)
            for (unsigned d = 0; d < N_DOMAINS; d++)
                if ((path == p || path == UINT32_MAX) &&
                    (thread == t || thread == UINT32_MAX) &&
                    (domain == d || domain == UINT32_MAX))
                    add(&sum, p, t, d);
    return sum;
}

static void check(const struct alloctrace_detail *detail, const struct sum *sum)
{
    const uint64_t figures[N_FIGURES] = {
        detail->temporary_blocks, detail->temporary_bytes,
        detail->resized_blocks,   detail->resized_in_place,
        detail->moved_bytes,      detail->grown_bytes,
        detail->shrunk_bytes,     detail->smallest,
        detail->largest};
    size_t n = 0;

    ck_assert_uint_eq(detail->total_blocks, sum->total_blocks);
    ck_assert_uint_eq(detail->total_bytes, sum->total_bytes);
    for (unsigned i = 0; i < N_FIGURES; i++)
        ck_assert_uint_eq(figures[i], sum->figures[i]);
    for (unsigned i = 0; i < N_CLASSES; i++) {
        if (!sum->blocks[i])
            continue;
        ck_assert_uint_lt(n, detail->n_sizes);
        ck_assert_uint_eq(detail->sizes[n].blocks, sum->blocks[i]);
        ck_assert_uint_eq(detail->sizes[n].bytes, sum->bytes[i]);
        ck_assert_uint_le(detail->sizes[n].from, detail->sizes[n].to);
        if (n > 0)
            ck_assert_uint_gt(detail->sizes[n].from, detail->sizes[n - 1].to);
        n++;
    }
    ck_assert_uint_eq(n, detail->n_sizes);
}

static void check_groups(const alloctrace_snapshot *snapshot, int group_by,
                         int metric)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = group_by, .metric = metric};
    struct alloctrace_detail *detail;
    alloctrace_statistics *statistics;

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(statistics, i);
        const struct sum sum =
            group_by == ALLOCTRACE_BY_LINENO
                ? sum_of(group->line - 1, UINT32_MAX, UINT32_MAX)
            : group_by == ALLOCTRACE_BY_THREAD
                ? sum_of(UINT32_MAX, group->number - 1, UINT32_MAX)
                : sum_of(UINT32_MAX, UINT32_MAX, group->number);

        if (metric == ALLOCTRACE_METRIC_TEMPORARY) {
            ck_assert_int_eq(group->count, (int64_t)sum.figures[0]);
            ck_assert_int_eq(group->size, (int64_t)sum.figures[1]);
        }
        ck_assert_int_eq(alloctrace_statistics_detail(statistics, i, &detail),
                         0);
        check(detail, &sum);
        alloctrace_detail_free(detail);
    }
    ck_assert_int_eq(alloctrace_statistics_detail(
                         statistics, alloctrace_statistics_count(statistics),
                         &detail),
                     ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace_statistics_free(statistics);
}

START_TEST(groups_equal_brute_force)
{
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *folded;
    struct alloctrace_detail *detail;
    struct sum sum;

    srand((unsigned)_i);
    dumpfile_init(&dump);
    for (uint32_t i = 0; i < N_PATHS; i++)
        dumpfile_traceback(
            &dump, 0,
            dumpfile_frame(&dump,
                           (struct dumpframe){.file = "a.c", .line = i + 1}));
    for (uint32_t i = 0; i < N_THREADS; i++)
        dumpfile_thread(&dump, i, "thread");
    for_all(make_trace);
    for_all(make_details);
    snapshot = dumpfile_load(&dump);
    for (int metric = ALLOCTRACE_METRIC_LIVE;
         metric <= ALLOCTRACE_METRIC_TEMPORARY; metric++) {
        check_groups(snapshot, ALLOCTRACE_BY_LINENO, metric);
        check_groups(snapshot, ALLOCTRACE_BY_THREAD, metric);
        check_groups(snapshot, ALLOCTRACE_BY_DOMAIN, metric);
    }
    sum = sum_of(UINT32_MAX, UINT32_MAX, UINT32_MAX);
    ck_assert_int_eq(alloctrace_snapshot_detail_sum(snapshot, &detail), 0);
    check(detail, &sum);
    alloctrace_detail_free(detail);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &folded), 0);
    check_groups(folded, ALLOCTRACE_BY_LINENO, ALLOCTRACE_METRIC_TEMPORARY);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(without_details_nothing_is_made_up)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .metric = ALLOCTRACE_METRIC_TEMPORARY};
    alloctrace_snapshot *snapshot;
    alloctrace_statistics *statistics = NULL;
    struct alloctrace_detail *detail;

    dumpfile_init(&dump);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, 0, 1, 1);
    snapshot = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_has_details(snapshot), 0);
    ck_assert_int_eq(alloctrace_snapshot_detail(snapshot, 0, &detail),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(alloctrace_snapshot_detail_sum(snapshot, &detail),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics),
        ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, NULL, &statistics), 0);
    ck_assert_int_eq(alloctrace_statistics_detail(statistics, 0, &detail),
                     ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* The mode was on, but nothing was allocated. */
START_TEST(an_empty_record_says_that_there_are_details)
{
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    dump.has_details = 1;
    snapshot = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_has_details(snapshot), 1);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("join");
    TCase *const tcase = tcase_create("join");
    SRunner *runner;
    int n_failed;

    tcase_set_timeout(tcase, 600); /* machines may be busy */
    tcase_add_loop_test(tcase, groups_equal_brute_force, 1, 21);
    tcase_add_test(tcase, without_details_nothing_is_made_up);
    tcase_add_test(tcase, an_empty_record_says_that_there_are_details);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
