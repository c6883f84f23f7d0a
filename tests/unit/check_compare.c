/* SPDX-License-Identifier: MIT */
/* Comparisons: what is beyond the vectors and random snapshots. Names that
 * stand for numbers, snapshots of different kinds, extremes, moved lines. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

static struct dumpfile dump;

/* A snapshot of one trace. */
static alloctrace_snapshot *one(const char *path, int64_t blocks, int64_t bytes)
{
    dumpfile_init(&dump);
    dumpfile_trace(&dump, dumpfile_path(&dump, path), 0, 0, blocks, bytes);
    return dumpfile_load(&dump);
}

/* Compares and frees both. */
static alloctrace_statistics *compare(alloctrace_snapshot *snapshot,
                                      alloctrace_snapshot *old, int group_by,
                                      unsigned flags)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = group_by, .flags = flags};
    alloctrace_statistics *statistics;

    ck_assert_int_eq(alloctrace_snapshot_compare_to(snapshot, old, &options,
                                                    &statistics),
                     0);
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(old);
    return statistics;
}

/* Checks the texts of all groups, and frees them. `expected` ends with NULL. */
static void expect(alloctrace_statistics *statistics,
                   const char *const *expected)
{
    const size_t n = alloctrace_statistics_count(statistics);
    char text[256];

    for (size_t i = 0; i < n; i++) {
        alloctrace_statistics_format(statistics, i, 0, text, sizeof text);
        ck_assert_msg(expected[i] && strcmp(expected[i], text) == 0,
                      "group %zu is '%s' and not '%s'", i, text,
                      expected[i] ? expected[i] : "nothing");
    }
    ck_assert_msg(!expected[n], "'%s' is missing", expected[n]);
    alloctrace_statistics_free(statistics);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- Numbers that differ from run to run ---- */

static alloctrace_snapshot *with_domains(uint32_t arena, uint32_t pool)
{
    dumpfile_init(&dump);
    dumpfile_domain(&dump, arena, "arena");
    dumpfile_domain(&dump, pool, "pool");
    dumpfile_domain(&dump, 5, "five");
    dumpfile_trace(&dump, 0, 0, arena, 1, 100);
    dumpfile_trace(&dump, 0, 0, pool, 2, 20);
    dumpfile_trace(&dump, 0, 0, 5, 1, 5);
    dumpfile_trace(&dump, 0, 0, 0, 1, 1);
    return dumpfile_load(&dump);
}

START_TEST(named_domains_are_compared_by_name)
{
    expect(compare(with_domains(0x80000001, 0x80000000),
                   with_domains(0x80000000, 0x80000007),
                   ALLOCTRACE_BY_DOMAIN, 0),
           LIST("arena: size=100 B (+0 B), count=1 (+0), average=100 B",
                "pool: size=20 B (+0 B), count=2 (+0), average=10 B",
                "five: size=5 B (+0 B), count=1 (+0), average=5 B",
                "malloc: size=1 B (+0 B), count=1 (+0), average=1 B"));
}
END_TEST

/* Numbers that a program chose are numbers, whatever they are called. */
START_TEST(chosen_domains_are_compared_by_number)
{
    alloctrace_snapshot *old;
    alloctrace_snapshot *new;

    dumpfile_init(&dump);
    dumpfile_domain(&dump, 5, "five");
    dumpfile_trace(&dump, 0, 0, 5, 1, 5);
    dumpfile_trace(&dump, 0, 0, 0x80000003, 1, 7);
    old = dumpfile_load(&dump);
    dumpfile_init(&dump);
    dumpfile_domain(&dump, 6, "five");
    dumpfile_trace(&dump, 0, 0, 6, 1, 5);
    dumpfile_trace(&dump, 0, 0, 0x80000003, 1, 8);
    new = dumpfile_load(&dump);
    expect(compare(new, old, ALLOCTRACE_BY_DOMAIN, 0),
           LIST("five: size=5 B (+5 B), count=1 (+1), average=5 B",
                "five: size=0 B (-5 B), count=0 (-1)",
                "2147483651: size=8 B (+1 B), count=1 (+0), average=8 B"));
}
END_TEST

START_TEST(threads_of_one_name_are_one_group)
{
    alloctrace_snapshot *old;
    alloctrace_snapshot *new;

    dumpfile_init(&dump);
    dumpfile_thread(&dump, 1, "main");
    dumpfile_thread(&dump, 2, "pool");
    dumpfile_thread(&dump, 3, "pool");
    for (uint32_t i = 0; i < 4; i++)
        dumpfile_trace(&dump, 0, i, 0, 1, 10);
    old = dumpfile_load(&dump);
    dumpfile_init(&dump);
    dumpfile_thread(&dump, 9, "pool");
    dumpfile_thread(&dump, 8, "main");
    for (uint32_t i = 0; i < 3; i++)
        dumpfile_trace(&dump, 0, i, 0, 1, 10);
    new = dumpfile_load(&dump);
    expect(compare(new, old, ALLOCTRACE_BY_THREAD, 0),
           LIST("pool: size=10 B (-10 B), count=1 (-1), average=10 B",
                "main: size=10 B (+0 B), count=1 (+0), average=10 B",
                "0: size=10 B (+0 B), count=1 (+0), average=10 B"));
}
END_TEST

/* ---- Groups of the older snapshot ---- */

START_TEST(a_group_that_is_no_more_has_its_old_path)
{
    alloctrace_statistics *statistics =
        compare(one("new.c:1", 1, 8), one("gone.c:7 main.c:2", 1, 9),
                ALLOCTRACE_BY_TRACEBACK, 0);
    alloctrace_traceback *traceback;

    ck_assert_int_eq(
        alloctrace_statistics_traceback(statistics, 0, &traceback), 0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 2);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, -1)->file, "gone.c");
    ck_assert_uint_eq(alloctrace_statistics_get(statistics, 0)->traceback, 2);
    alloctrace_traceback_free(traceback);
    ck_assert_int_eq(alloctrace_statistics_sum(statistics)->size_diff, -1);
    ck_assert_int_eq(alloctrace_statistics_sum(statistics)->count_diff, 0);
    alloctrace_statistics_free(statistics);
}
END_TEST

START_TEST(a_snapshot_does_not_differ_from_itself)
{
    alloctrace_snapshot *snapshot = one("a.c:1 b.c:2", 3, 30);

    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++) {
        const struct alloctrace_statistics_options options = {
            .size = sizeof options, .group_by = by};
        alloctrace_statistics *statistics;

        ck_assert_int_eq(alloctrace_snapshot_compare_to(
                             snapshot, snapshot, &options, &statistics),
                         0);
        ck_assert_int_eq(alloctrace_statistics_is_diff(statistics), 1);
        ck_assert_uint_eq(alloctrace_statistics_count(statistics), 1);
        ck_assert_int_eq(alloctrace_statistics_get(statistics, 0)->size, 30);
        ck_assert_int_eq(alloctrace_statistics_get(statistics, 0)->size_diff,
                         0);
        alloctrace_statistics_free(statistics);
    }
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* ---- Extremes ---- */

/* The order of differences of which two are as large as a number can be. */
START_TEST(the_largest_differences_come_first)
{
    static const int64_t old[] = {INT64_MIN, INT64_MAX, 0, 5, 0};
    static const int64_t new[] = {0, 0, INT64_MAX, 5, -1};
    static const char *const paths[] = {"a.c:1", "b.c:1", "c.c:1", "d.c:1",
                                        "e.c:1"};
    static const struct {
        const char *file;
        int64_t diff;
    } expected[] = {{"a.c", INT64_MIN},
                    {"c.c", INT64_MAX},
                    {"b.c", -INT64_MAX},
                    {"e.c", -1},
                    {"d.c", 0}};
    alloctrace_snapshot *snapshots[2];
    alloctrace_statistics *statistics;

    for (int s = 0; s < 2; s++) {
        dumpfile_init(&dump);
        for (size_t i = 0; i < 5; i++)
            dumpfile_trace(&dump, dumpfile_path(&dump, paths[i]), 0, 0, 1,
                           s ? new[i] : old[i]);
        snapshots[s] = dumpfile_load(&dump);
    }
    statistics =
        compare(snapshots[1], snapshots[0], ALLOCTRACE_BY_LINENO, 0);
    for (size_t i = 0; i < 5; i++) {
        const struct alloctrace_statistic *group =
            alloctrace_statistics_get(statistics, i);

        ck_assert_str_eq(group->key, expected[i].file);
        ck_assert_int_eq(group->size_diff, expected[i].diff);
    }
    alloctrace_statistics_free(statistics);
}
END_TEST

/* A frame of one line, a million deep: nothing recurses, nothing is squared. */
START_TEST(recursion_a_million_deep_counts_once_or_each_time)
{
    struct alloctrace_statistics_options options = {.size = sizeof options,
                                                    .cumulative = 1};
    alloctrace_snapshot *snapshot;
    alloctrace_statistics *statistics;
    uint32_t last = 0;
    uint32_t frame;

    dumpfile_init(&dump);
    frame = dumpfile_frame(&dump, (struct dumpframe){.file = "r.c", .line = 5});
    for (int i = 0; i < 1000000; i++) {
        last = dumpfile_traceback(&dump, last, frame);
        if (i % 10 == 9)
            dumpfile_trace(&dump, last, 0, 0, 1, 2);
    }
    snapshot = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_compare_to(snapshot, snapshot,
                                                    &options, &statistics),
                     0);
    ck_assert_int_eq(alloctrace_statistics_get(statistics, 0)->count, 100000);
    alloctrace_statistics_free(statistics);
    options.flags = ALLOCTRACE_LIKE_CPYTHON;
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    /* 10 + 20 + ... + 1000000 */
    ck_assert_int_eq(alloctrace_statistics_get(statistics, 0)->count,
                     INT64_C(50000500000));
    ck_assert_int_eq(alloctrace_statistics_sum(statistics)->count, 100000);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* ---- Snapshots of different kinds ---- */

/* xmalloc hands on what main.c asks for. */
static alloctrace_snapshot *with_wrapper(uint32_t line, int64_t bytes)
{
    uint32_t caller;

    dumpfile_init(&dump);
    caller = dumpfile_traceback(
        &dump, 0,
        dumpfile_frame(&dump,
                       (struct dumpframe){.file = "main.c", .line = line}));
    dumpfile_trace(
        &dump,
        dumpfile_traceback(
            &dump, caller,
            dumpfile_frame(&dump,
                           (struct dumpframe){.file = "x.c",
                                              .function = "xmalloc",
                                              .line = 3,
                                              .flags =
                                                  ALLOCTRACE_FRAME_RETURNED,
                                              .kind = ALLOCTRACE_FRAME_ALLOC})),
        0, 0, 1, bytes);
    return dumpfile_load(&dump);
}

static alloctrace_snapshot *fold(alloctrace_snapshot *snapshot)
{
    alloctrace_snapshot *folded;

    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &folded), 0);
    alloctrace_snapshot_free(snapshot);
    return folded;
}

START_TEST(what_is_folded_is_compared_with_what_is_folded)
{
    const char *const expected[] = {
        "main.c:7: size=8 B (+3 B), count=1 (+0), average=8 B", NULL};

    expect(compare(with_wrapper(7, 8), with_wrapper(7, 5),
                   ALLOCTRACE_BY_LINENO, 0),
           LIST("x.c:3: size=8 B (+3 B), count=1 (+0), average=8 B"));
    expect(compare(fold(with_wrapper(7, 8)), fold(with_wrapper(7, 5)),
                   ALLOCTRACE_BY_LINENO, 0),
           expected);
    expect(compare(fold(with_wrapper(7, 8)), with_wrapper(7, 5),
                   ALLOCTRACE_BY_LINENO, 0),
           expected);
    expect(compare(with_wrapper(7, 8), fold(with_wrapper(7, 5)),
                   ALLOCTRACE_BY_LINENO, 0),
           expected);
}
END_TEST

START_TEST(wrappers_are_those_of_the_side_that_has_the_group)
{
    alloctrace_statistics *statistics =
        compare(fold(with_wrapper(7, 8)), fold(with_wrapper(9, 5)),
                ALLOCTRACE_BY_LINENO, 0);

    for (size_t i = 0; i < 2; i++) {
        alloctrace_traceback *wrappers;

        ck_assert_int_eq(
            alloctrace_statistics_wrappers(statistics, i, &wrappers), 0);
        ck_assert_uint_eq(alloctrace_traceback_count(wrappers), 1);
        ck_assert_str_eq(alloctrace_traceback_frame(wrappers, 0)->function,
                         "xmalloc");
        alloctrace_traceback_free(wrappers);
    }
    alloctrace_statistics_free(statistics);
}
END_TEST

static alloctrace_snapshot *limited(uint32_t limit)
{
    dumpfile_init(&dump);
    dump.traceback_limit = limit;
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1 b.c:2 c.c:3"), 0, 0, 1,
                   8);
    return dumpfile_load(&dump);
}

/* Of frames that only one of them has nothing can be said. */
START_TEST(the_lower_limit_is_that_of_both)
{
    alloctrace_statistics *statistics =
        compare(limited(0), limited(2), ALLOCTRACE_BY_TRACEBACK, 0);
    alloctrace_traceback *traceback;

    ck_assert_uint_eq(alloctrace_statistics_count(statistics), 1);
    ck_assert_int_eq(
        alloctrace_statistics_traceback(statistics, 0, &traceback), 0);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 2);
    ck_assert_uint_eq(alloctrace_traceback_total_nframe(traceback), 3);
    alloctrace_traceback_free(traceback);
    alloctrace_statistics_free(statistics);
    statistics = compare(limited(1), limited(2), ALLOCTRACE_BY_TRACEBACK,
                         ALLOCTRACE_LIKE_CPYTHON);
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), 2);
    alloctrace_statistics_free(statistics);
}
END_TEST

START_TEST(temporary_blocks_need_details_in_both)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .metric = ALLOCTRACE_METRIC_TEMPORARY};
    static const uint64_t figures[9] = {3, 30};
    alloctrace_snapshot *with;
    alloctrace_snapshot *without = one("a.c:1", 5, 50);
    alloctrace_statistics *statistics = NULL;
    struct alloctrace_detail *detail;

    dumpfile_init(&dump);
    dump.has_details = 1;
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, 0, 5, 50);
    dumpfile_detail(&dump, 1, 0, 0, figures);
    with = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_compare_to(with, without, &options,
                                                    &statistics),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(alloctrace_snapshot_compare_to(without, with, &options,
                                                    &statistics),
                     ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_int_eq(
        alloctrace_snapshot_compare_to(with, with, &options, &statistics), 0);
    ck_assert_int_eq(alloctrace_statistics_get(statistics, 0)->size, 30);
    ck_assert_int_eq(alloctrace_statistics_get(statistics, 0)->size_diff, 0);
    alloctrace_statistics_free(statistics);
    /* Details are those of the newer one. */
    ck_assert_int_eq(
        alloctrace_snapshot_compare_to(with, without, NULL, &statistics), 0);
    ck_assert_int_eq(alloctrace_statistics_detail(statistics, 0, &detail), 0);
    ck_assert_uint_eq(detail->total_blocks, 5);
    alloctrace_detail_free(detail);
    alloctrace_statistics_free(statistics);
    ck_assert_int_eq(
        alloctrace_snapshot_compare_to(without, with, NULL, &statistics), 0);
    ck_assert_int_eq(alloctrace_statistics_detail(statistics, 0, &detail),
                     ALLOCTRACE_EBAD_ARGUMENT);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(with);
    alloctrace_snapshot_free(without);
}
END_TEST

/* ---- Lines that moved ---- */

/* Two calls of f and one of g; the lines are those of a version. */
static alloctrace_snapshot *version(uint32_t moved, bool has_more)
{
    dumpfile_init(&dump);
    for (uint32_t i = 0; i < (has_more ? 4u : 3u); i++)
        dumpfile_trace(
            &dump,
            dumpfile_traceback(
                &dump, 0,
                dumpfile_frame(&dump,
                               (struct dumpframe){.file = "a.c",
                                                  .function =
                                                      i == 2 ? "g" : "f",
                                                  .line = 10 + i + moved,
                                                  .ordinal =
                                                      i == 2   ? 1
                                                      : i == 3 ? 3
                                                               : 1 + i})),
            0, 0, 1, 8 << i);
    return dumpfile_load(&dump);
}

START_TEST(moved_lines_are_ignored)
{
    expect(compare(version(5, false), version(0, false), ALLOCTRACE_BY_LINENO,
                   ALLOCTRACE_IGNORE_LINES),
           LIST("a.c:17: size=32 B (+0 B), count=1 (+0), average=32 B",
                "a.c:16: size=16 B (+0 B), count=1 (+0), average=16 B",
                "a.c:15: size=8 B (+0 B), count=1 (+0), average=8 B"));
    expect(compare(version(5, true), version(0, false),
                   ALLOCTRACE_BY_TRACEBACK, ALLOCTRACE_IGNORE_LINES),
           LIST("a.c:18: size=64 B (+64 B), count=1 (+1), average=64 B",
                "a.c:17: size=32 B (+0 B), count=1 (+0), average=32 B",
                "a.c:16: size=16 B (+0 B), count=1 (+0), average=16 B",
                "a.c:15: size=8 B (+0 B), count=1 (+0), average=8 B"));
}
END_TEST

/* Many domains with names, each with a group: names are not looked for
 * one behind the other. */
START_TEST(many_named_domains_take_no_time)
{
    alloctrace_statistics *statistics;
    alloctrace_snapshot *snapshots[2];

    for (int s = 0; s < 2; s++) {
        dumpfile_init(&dump);
        for (uint32_t i = 0; i < 300000; i++) {
            char name[16];

            snprintf(name, sizeof name, "%u", i);
            dumpfile_domain(&dump, 0x80000000 + (i ^ (uint32_t)s), name);
            dumpfile_trace(&dump, 0, 0, 0x80000000 + i, 1, 8);
        }
        snapshots[s] = dumpfile_load(&dump);
    }
    statistics =
        compare(snapshots[0], snapshots[1], ALLOCTRACE_BY_DOMAIN, 0);
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), 300000);
    ck_assert_int_eq(alloctrace_statistics_get(statistics, 0)->size_diff, 0);
    alloctrace_statistics_free(statistics);
}
END_TEST

CHECK_MAIN("compare", named_domains_are_compared_by_name,
           chosen_domains_are_compared_by_number,
           threads_of_one_name_are_one_group,
           a_group_that_is_no_more_has_its_old_path,
           a_snapshot_does_not_differ_from_itself,
           the_largest_differences_come_first,
           recursion_a_million_deep_counts_once_or_each_time,
           what_is_folded_is_compared_with_what_is_folded,
           wrappers_are_those_of_the_side_that_has_the_group,
           the_lower_limit_is_that_of_both,
           temporary_blocks_need_details_in_both, moved_lines_are_ignored,
           many_named_domains_take_no_time)
