/* SPDX-License-Identifier: MIT */
/* Statistics: what alloctrace groups by, and options. Tracemalloc's vectors are
 * in check_statistics_vectors.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

static struct dumpfile dump;

/* Says what a group is: "lib.c:1 66/1"; a traceback's oldest frame first. */
static void describe(const alloctrace_statistics *statistics, size_t index,
                     int group_by, char *text, size_t size)
{
    const struct alloctrace_statistic *statistic =
        alloctrace_statistics_get(statistics, index);
    alloctrace_traceback *traceback;
    size_t used = 0;

    ck_assert_int_eq(
        alloctrace_statistics_traceback(statistics, index, &traceback), 0);
    for (size_t i = 0; i < alloctrace_traceback_count(traceback); i++) {
        const struct alloctrace_frame *frame =
            alloctrace_traceback_frame(traceback, (ptrdiff_t)i);

        used += (size_t)snprintf(text + used, size - used, "%s", frame->file);
        if (group_by != ALLOCTRACE_BY_FILENAME)
            used +=
                (size_t)snprintf(text + used, size - used, ":%u", frame->line);
        text[used++] = ' ';
    }
    if (alloctrace_traceback_count(traceback) == 0)
        used += (size_t)snprintf(text, size, "%s#%u ", statistic->key,
                                 statistic->number);
    snprintf(text + used, size - used, "%" PRId64 "/%" PRId64, statistic->size,
             statistic->count);
    alloctrace_traceback_free(traceback);
}

/* Checks all groups, in their order. `expected` ends with NULL. */
static void expect(const alloctrace_snapshot *snapshot, int group_by,
                   int metric, const char *const *expected)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = group_by, .metric = metric};
    alloctrace_statistics *statistics;
    char text[512];
    size_t i;

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    for (i = 0; i < alloctrace_statistics_count(statistics); i++) {
        describe(statistics, i, group_by, text, sizeof text);
        ck_assert_msg(expected[i] && strcmp(expected[i], text) == 0,
                      "group %zu is '%s' and not '%s'", i, text,
                      expected[i] ? expected[i] : "nothing");
    }
    ck_assert_msg(!expected[i], "'%s' is missing", expected[i]);
    alloctrace_statistics_free(statistics);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define EXPECT(snapshot, BY, ...)                                \
    expect(snapshot, ALLOCTRACE_BY_##BY, ALLOCTRACE_METRIC_LIVE, \
           LIST(__VA_ARGS__))

/* A = 3 x (0,10,[m7 l3],2), (1,2,[m9 l3],2), (2,66,[l1],1), (3,7,[U],1) */
static alloctrace_snapshot *snapshot_a(void)
{
    dumpfile_init(&dump);
    dumpfile_trace(&dump, dumpfile_path(&dump, "main.c:7 lib.c:3"), 0, 0, 1,
                   10);
    dumpfile_trace(&dump, dumpfile_path(&dump, "main.c:7 lib.c:3"), 0, 0, 2,
                   20);
    dumpfile_trace(&dump, dumpfile_path(&dump, "main.c:9 lib.c:3"), 0, 1, 1, 2);
    dumpfile_trace(&dump, dumpfile_path(&dump, "lib.c:1"), 0, 2, 1, 66);
    dumpfile_trace(&dump, 0, 0, 3, 1, 7);
    return dumpfile_load(&dump);
}

START_TEST(domains_are_told_apart_only_by_domain)
{
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, 0, 1, 8);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, 7, 1, 5);
    snapshot = dumpfile_load(&dump);
    EXPECT(snapshot, LINENO, "a.c:1 13/2");
    EXPECT(snapshot, TRACEBACK, "a.c:1 13/2");
    EXPECT(snapshot, DOMAIN, "malloc#0 8/1", "#7 5/1");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(unknown_options_are_errors)
{
    alloctrace_snapshot *snapshot = snapshot_a();
    alloctrace_statistics *statistics = NULL;
    struct alloctrace_statistics_options options = {.size = sizeof options};

    options.group_by = ALLOCTRACE_BY_MODULE + 1;
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics),
        ALLOCTRACE_EBAD_ARGUMENT);
    options.group_by = 0;
    options.metric = -1;
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics),
        ALLOCTRACE_EBAD_ARGUMENT);
    options.metric = 0;
    options.flags = ALLOCTRACE_WITH_FUNCTIONS;
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics),
        ALLOCTRACE_EBAD_ARGUMENT);
    options.flags = 0;
    options.cumulative = 1;
    for (int by = ALLOCTRACE_BY_TRACEBACK; by < ALLOCTRACE_BY_MODULE; by++) {
        options.group_by = by;
        ck_assert_int_eq(
            alloctrace_snapshot_statistics(snapshot, &options, &statistics),
            ALLOCTRACE_EBAD_ARGUMENT);
        ck_assert_int_eq(alloctrace_snapshot_compare_to(
                             snapshot, snapshot, &options, &statistics),
                         ALLOCTRACE_EBAD_ARGUMENT);
    }
    options.size = 0;
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics),
        ALLOCTRACE_EBAD_ARGUMENT);
    ck_assert_ptr_null(statistics);
    alloctrace_statistics_free(NULL);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(no_options_are_by_line_and_live)
{
    alloctrace_snapshot *snapshot = snapshot_a();
    alloctrace_statistics *statistics;
    const struct alloctrace_statistic *statistic;

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, NULL, &statistics), 0);
    statistic = alloctrace_statistics_get(statistics, 1);
    ck_assert_str_eq(statistic->key, "main.c");
    ck_assert_uint_eq(statistic->line, 7);
    ck_assert_int_eq(alloctrace_statistics_sum(statistics)->size, 105);
    ck_assert_int_eq(alloctrace_statistics_sum(statistics)->count, 6);
    ck_assert_ptr_null(alloctrace_statistics_get(statistics, 4));
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(each_metric_has_its_own_figures)
{
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    dumpfile_trace_full(&dump, dumpfile_path(&dump, "a.c:1"), 0, 0,
                        (const int64_t[]){1, 10, 5, 50, 2, 20});
    dumpfile_trace_full(&dump, dumpfile_path(&dump, "b.c:1"), 0, 0,
                        (const int64_t[]){0, 0, 9, 90, 0, 0});
    snapshot = dumpfile_load(&dump);
    expect(snapshot, ALLOCTRACE_BY_LINENO, ALLOCTRACE_METRIC_LIVE,
           LIST("a.c:1 10/1"));
    expect(snapshot, ALLOCTRACE_BY_LINENO, ALLOCTRACE_METRIC_TOTAL,
           LIST("b.c:1 90/9", "a.c:1 50/5"));
    expect(snapshot, ALLOCTRACE_BY_LINENO, ALLOCTRACE_METRIC_PEAK,
           LIST("a.c:1 20/2"));
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(blocks_of_no_bytes_count_and_no_blocks_do_not)
{
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    dumpfile_trace(&dump, dumpfile_path(&dump, "a.c:1"), 0, 0, 2, 0);
    dumpfile_trace(&dump, dumpfile_path(&dump, "b.c:1"), 0, 0, 0, 0);
    snapshot = dumpfile_load(&dump);
    EXPECT(snapshot, LINENO, "a.c:1 0/2");
    EXPECT(snapshot, TRACEBACK, "a.c:1 0/2");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(nothing_allocated_is_no_group)
{
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    snapshot = dumpfile_load(&dump);
    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++)
        expect(snapshot, by, ALLOCTRACE_METRIC_TOTAL,
               (const char *const[]){NULL});
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(threads_are_merged_except_by_thread)
{
    alloctrace_snapshot *snapshot;
    uint32_t path;

    dumpfile_init(&dump);
    dumpfile_thread(&dump, 10, "main");
    dumpfile_thread(&dump, 11, "worker");
    path = dumpfile_path(&dump, "a.c:1");
    dumpfile_trace(&dump, path, 1, 0, 5, 50);
    dumpfile_trace(&dump, path, 2, 0, -2, -20); /* freed blocks of the other */
    snapshot = dumpfile_load(&dump);
    EXPECT(snapshot, LINENO, "a.c:1 30/3");
    EXPECT(snapshot, THREAD, "main#1 50/5", "worker#2 -20/-2");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* Functions of one name in two files are two. */
START_TEST(functions_are_told_apart_by_file)
{
    static const char *const files[] = {"a.c", "b.c", "a.c"};
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    for (uint32_t i = 0; i < 3; i++)
        dumpfile_trace(
            &dump,
            dumpfile_traceback(
                &dump, 0,
                dumpfile_frame(&dump, (struct dumpframe){.file = files[i],
                                                         .function = "init",
                                                         .line = i + 1})),
            0, 0, 1, 8);
    snapshot = dumpfile_load(&dump);
    EXPECT(snapshot, FUNCTION, "a.c:0 16/2", "b.c:0 8/1");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* A wrapper hands its result on: its caller knows the type. */
START_TEST(types_are_found_through_wrappers)
{
    alloctrace_snapshot *snapshot;
    uint32_t maker;
    uint32_t wrapper;

    dumpfile_init(&dump);
    maker = dumpfile_traceback(
        &dump, 0,
        dumpfile_frame(&dump,
                       (struct dumpframe){.file = "a.c", .type = "Node"}));
    wrapper = dumpfile_traceback(
        &dump, maker,
        dumpfile_frame(&dump, (struct dumpframe){.file = "x.c", .flags = 2}));
    dumpfile_trace(&dump, wrapper, 0, 0, 1, 8);
    wrapper = dumpfile_traceback(
        &dump, maker, dumpfile_frame(&dump, (struct dumpframe){.line = 3}));
    dumpfile_trace(&dump, wrapper, 0, 0, 1, 4);
    dumpfile_trace(&dump, maker, 0, 0, 1, 2);
    snapshot = dumpfile_load(&dump);
    EXPECT(snapshot, TYPE, "Node#0 10/2", "#0 4/1");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(a_file_loaded_twice_is_one_module)
{
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    dumpfile_module(&dump, "/lib/a.so", NULL, 0x1000, 0x2000, 0x1000);
    dumpfile_module(&dump, "/lib/a.so", NULL, 0x5000, 0x6000, 0x5000);
    for (uint32_t i = 0; i < 3; i++)
        dumpfile_trace(
            &dump,
            dumpfile_traceback(
                &dump, 0,
                dumpfile_frame(
                    &dump, (struct dumpframe){.address = 0x1010 + 0x4000 * i,
                                              .module = i})),
            0, 0, 1, 8);
    snapshot = dumpfile_load(&dump);
    EXPECT(snapshot, MODULE, "/lib/a.so#0 16/2", "#0 8/1");
    EXPECT(snapshot, FILENAME, "[a.so] 16/2", "[unknown] 8/1");
    /* The same place in the file, wherever it was loaded. */
    EXPECT(snapshot, LINENO, "[a.so+0x4010]:0 16/2", "[0x1010]:0 8/1");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* Only a forged file has such sums. */
START_TEST(sums_wrap_around_quietly)
{
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    dumpfile_trace(&dump, 0, 0, 0, INT64_MAX, INT64_MAX);
    dumpfile_trace(&dump, 0, 0, 0, 1, 1);
    snapshot = dumpfile_load(&dump);
    EXPECT(snapshot, LINENO,
           "<unknown>:0 -9223372036854775808/-9223372036854775808");
    alloctrace_snapshot_free(snapshot);
}
END_TEST

CHECK_MAIN("stats", domains_are_told_apart_only_by_domain,
           unknown_options_are_errors,
           no_options_are_by_line_and_live, each_metric_has_its_own_figures,
           blocks_of_no_bytes_count_and_no_blocks_do_not,
           nothing_allocated_is_no_group, threads_are_merged_except_by_thread,
           functions_are_told_apart_by_file, types_are_found_through_wrappers,
           a_file_loaded_twice_is_one_module, sums_wrap_around_quietly)
