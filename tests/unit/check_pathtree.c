/* SPDX-License-Identifier: MIT */
/* Equal call paths and their order, against comparing them frame by frame. */
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

static struct dumpfile dump;

static alloctrace_statistics *by_traceback(const alloctrace_snapshot *snapshot)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = ALLOCTRACE_BY_TRACEBACK};
    alloctrace_statistics *statistics;

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    return statistics;
}

/* tracemalloc's rule, by the letter: tuples of (file, line), oldest first. */
static int compare(const alloctrace_traceback *a, const alloctrace_traceback *b)
{
    size_t n_a = alloctrace_traceback_count(a);
    size_t n_b = alloctrace_traceback_count(b);

    for (size_t i = 0; i < n_a && i < n_b; i++) {
        const struct alloctrace_frame *x =
            alloctrace_traceback_frame(a, (ptrdiff_t)i);
        const struct alloctrace_frame *y =
            alloctrace_traceback_frame(b, (ptrdiff_t)i);
        int order = strcmp(x->file, y->file);

        if (order)
            return order;
        if (x->line != y->line)
            return x->line < y->line ? -1 : 1;
    }
    return (n_a > n_b) - (n_a < n_b);
}

/* The groups are all different and in descending order. All traces have the
 * same size, so that groups of equal counts are ordered by path alone. */
static void expect_order(const alloctrace_statistics *statistics)
{
    for (size_t i = 1; i < alloctrace_statistics_count(statistics); i++) {
        alloctrace_traceback *before;
        alloctrace_traceback *after;

        ck_assert_int_eq(
            alloctrace_statistics_traceback(statistics, i - 1, &before), 0);
        ck_assert_int_eq(alloctrace_statistics_traceback(statistics, i, &after),
                         0);
        if (alloctrace_statistics_get(statistics, i - 1)->count ==
            alloctrace_statistics_get(statistics, i)->count)
            ck_assert_int_gt(compare(before, after), 0);
        else
            ck_assert_int_ne(compare(before, after), 0);
        alloctrace_traceback_free(before);
        alloctrace_traceback_free(after);
    }
}

/* Random paths over few places, some frames inlined, everything repeated. */
static alloctrace_snapshot *random_snapshot(unsigned seed, uint32_t limit)
{
    static const char *const files[] = {"a.c", "b.c", "aa.c"};
    uint32_t last[200] = {0};

    srand(seed);
    dumpfile_init(&dump);
    dump.traceback_limit = limit;
    for (int i = 0; i < 200; i++) {
        uint32_t caller = 0;
        uint32_t frame = 0;
        int n_chain = 1 + rand() % 3;

        for (int k = 0; k < n_chain; k++) {
            frame = dumpfile_frame(
                &dump,
                (struct dumpframe){.file = files[rand() % 3],
                                   .line = (uint32_t)(rand() % 2 ? 2 : 10),
                                   .caller = caller});
            caller = frame;
        }
        last[i] = dumpfile_traceback(
            &dump, i ? last[rand() % i] * (uint32_t)(rand() % 4 != 0) : 0,
            frame);
        if (rand() % 2)
            dumpfile_trace(&dump, last[i], 0, 0, 1, 16);
    }
    return dumpfile_load(&dump);
}

START_TEST(the_order_is_that_of_the_rule)
{
    for (unsigned seed = 0; seed < 30; seed++) {
        for (uint32_t limit = 0; limit < 6; limit++) {
            alloctrace_snapshot *snapshot = random_snapshot(seed, limit);
            alloctrace_statistics *statistics = by_traceback(snapshot);

            expect_order(statistics);
            alloctrace_statistics_free(statistics);
            alloctrace_snapshot_free(snapshot);
        }
    }
}
END_TEST

START_TEST(inlined_and_called_are_the_same_path)
{
    alloctrace_snapshot *snapshot;
    alloctrace_statistics *statistics;
    uint32_t outer;
    uint32_t inner;

    dumpfile_init(&dump);
    dumpfile_trace(&dump, dumpfile_path(&dump, "in.c:1 out.c:2"), 0, 0, 1, 8);
    outer =
        dumpfile_frame(&dump, (struct dumpframe){.file = "out.c", .line = 2});
    inner = dumpfile_frame(
        &dump, (struct dumpframe){.file = "in.c", .line = 1, .caller = outer});
    dumpfile_trace(&dump, dumpfile_traceback(&dump, 0, inner), 0, 0, 1, 8);
    snapshot = dumpfile_load(&dump);
    statistics = by_traceback(snapshot);
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), 1);
    ck_assert_int_eq(alloctrace_statistics_get(statistics, 0)->count, 2);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* As many children of one node as are sorted in each way; each is there twice,
 * under callers of which there are two that are equal. */
START_TEST(many_callees_are_in_order)
{
    static const uint32_t counts[] = {10, 100, 5000};

    for (size_t i = 0; i < 3; i++) {
        alloctrace_snapshot *snapshot;
        alloctrace_statistics *statistics;
        uint32_t callers[2];

        dumpfile_init(&dump);
        for (int k = 0; k < 2; k++)
            callers[k] = dumpfile_path(&dump, "a.c:1");
        for (uint32_t k = 0; k < 2 * counts[i]; k++)
            dumpfile_trace(
                &dump,
                dumpfile_traceback(
                    &dump, callers[k % 2],
                    dumpfile_frame(
                        &dump,
                        (struct dumpframe){.file = "b.c",
                                           .line = 1 + k / 2 * 7919 % 10007})),
                0, 0, 1, 16);
        snapshot = dumpfile_load(&dump);
        statistics = by_traceback(snapshot);
        ck_assert_uint_eq(alloctrace_statistics_count(statistics), counts[i]);
        expect_order(statistics);
        alloctrace_statistics_free(statistics);
        alloctrace_snapshot_free(snapshot);
    }
}
END_TEST

/* Recursion a million deep, an allocation on every level: all of one size, so
 * that the order is by path alone. */
static void recurse(uint32_t limit, size_t n_groups)
{
    alloctrace_snapshot *snapshot;
    alloctrace_statistics *statistics;
    uint32_t last = 0;
    uint32_t frame;

    dumpfile_init(&dump);
    dump.traceback_limit = limit;
    frame = dumpfile_frame(&dump, (struct dumpframe){.file = "r.c", .line = 5});
    for (int i = 0; i < 1000000; i++) {
        last = dumpfile_traceback(&dump, last, frame);
        dumpfile_trace(&dump, last, 0, 0, 1, 32);
    }
    snapshot = dumpfile_load(&dump);
    statistics = by_traceback(snapshot);
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), n_groups);
    if (!limit) /* the longest path is the greatest */
        ck_assert_uint_eq(alloctrace_statistics_get(statistics, 0)->traceback,
                          1000000);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(snapshot);
}

START_TEST(a_million_nested_paths_are_told_apart)
{
    recurse(0, 1000000);
}
END_TEST

START_TEST(a_limit_makes_nested_paths_equal)
{
    recurse(3, 3);
}
END_TEST

START_TEST(a_limit_above_every_depth_cuts_nothing)
{
    recurse(2000000, 1000000);
}
END_TEST

CHECK_MAIN("pathtree", the_order_is_that_of_the_rule,
           many_callees_are_in_order, inlined_and_called_are_the_same_path,
           a_million_nested_paths_are_told_apart,
           a_limit_makes_nested_paths_equal,
           a_limit_above_every_depth_cuts_nothing)
