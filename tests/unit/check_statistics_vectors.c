/* SPDX-License-Identifier: MIT */
/*
 * Tracemalloc's vectors for statistics and comparisons, T1 to T17, T31 and T32:
 * what CPython 3.9, 3.11 and 3.13 print for the same traces.
 *
 *     A = 3 x (0,10,[m7 l3],2), (1,2,[m9 l3],2), (2,66,[l1],1), (3,7,[U],1)
 *     B = 3 x (0,10,[m7 l3],2), (2,2,[m9 l3],2), (2,5000,[m9 l3],2),
 *         (4,400,[x.c:578],1)
 *
 * with m7 = main.c:7, l3 = lib.c:3 and so on, U = unknown; domain, size, frames
 * with the most recent first, and how many there were.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

/* One block; a path of NULL is unknown. */
struct vector {
    uint32_t domain;
    int64_t size;
    const char *path;
};

static const struct vector a[] = {
    {0, 10, "main.c:7 lib.c:3"}, {0, 10, "main.c:7 lib.c:3"},
    {0, 10, "main.c:7 lib.c:3"}, {1, 2, "main.c:9 lib.c:3"},
    {2, 66, "lib.c:1"},          {3, 7, NULL},
};
static const struct vector b[] = {
    {0, 10, "main.c:7 lib.c:3"}, {0, 10, "main.c:7 lib.c:3"},
    {0, 10, "main.c:7 lib.c:3"}, {2, 2, "main.c:9 lib.c:3"},
    {2, 5000, "main.c:9 lib.c:3"}, {4, 400, "x.c:578"},
};

#define SNAPSHOT(vectors, limit) \
    snapshot_make(vectors, sizeof(vectors) / sizeof *(vectors), limit)

static alloctrace_snapshot *snapshot_make(const struct vector *vectors,
                                          size_t count, uint32_t limit)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    dump.traceback_limit = limit;
    for (size_t i = 0; i < count; i++)
        dumpfile_trace(&dump,
                       vectors[i].path ? dumpfile_path(&dump, vectors[i].path)
                                       : 0,
                       0, vectors[i].domain, 1, vectors[i].size);
    return dumpfile_load(&dump);
}

/* Says what a group is: "lib.c:3 main.c:7 30/3", the oldest frame first; of a
 * comparison "x.c:578 400,+400,1,+1". */
static void describe(const alloctrace_statistics *statistics, size_t index,
                     char *text, size_t size)
{
    const struct alloctrace_statistic *group =
        alloctrace_statistics_get(statistics, index);
    alloctrace_traceback *traceback;
    size_t used = 0;

    ck_assert_int_eq(
        alloctrace_statistics_traceback(statistics, index, &traceback), 0);
    for (size_t i = 0; i < alloctrace_traceback_count(traceback); i++) {
        const struct alloctrace_frame *frame =
            alloctrace_traceback_frame(traceback, (ptrdiff_t)i);

        used += (size_t)snprintf(text + used, size - used, "%s:%u ",
                                 frame->file, frame->line);
    }
    alloctrace_traceback_free(traceback);
    if (alloctrace_statistics_is_diff(statistics))
        snprintf(text + used, size - used,
                 "%" PRId64 ",%+" PRId64 ",%" PRId64 ",%+" PRId64, group->size,
                 group->size_diff, group->count, group->count_diff);
    else
        snprintf(text + used, size - used, "%" PRId64 "/%" PRId64, group->size,
                 group->count);
}

/* Checks all groups, in their order, and frees everything. `expected` ends
 * with NULL. */
static void expect(alloctrace_snapshot *snapshot, alloctrace_snapshot *old,
                   struct alloctrace_statistics_options options,
                   const char *const *expected)
{
    alloctrace_statistics *statistics;
    char text[512];
    size_t i;

    options.size = sizeof options;
    ck_assert_int_eq(
        old ? alloctrace_snapshot_compare_to(snapshot, old, &options,
                                             &statistics)
            : alloctrace_snapshot_statistics(snapshot, &options, &statistics),
        0);
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(old);
    ck_assert_int_eq(alloctrace_statistics_is_diff(statistics), old != NULL);
    for (i = 0; i < alloctrace_statistics_count(statistics); i++) {
        describe(statistics, i, text, sizeof text);
        ck_assert_msg(expected[i] && strcmp(expected[i], text) == 0,
                      "group %zu is '%s' and not '%s'", i, text,
                      expected[i] ? expected[i] : "nothing");
    }
    ck_assert_msg(!expected[i], "'%s' is missing", expected[i]);
    alloctrace_statistics_free(statistics);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define OPTIONS(...) ((struct alloctrace_statistics_options){__VA_ARGS__})
#define BY(KEY) OPTIONS(.group_by = ALLOCTRACE_BY_##KEY)
#define CUMULATIVE(KEY) \
    OPTIONS(.group_by = ALLOCTRACE_BY_##KEY, .cumulative = 1)
#define LIKE_CPYTHON(KEY)                                    \
    OPTIONS(.group_by = ALLOCTRACE_BY_##KEY, .cumulative = 1, \
            .flags = ALLOCTRACE_LIKE_CPYTHON)

START_TEST(T1)
{
    expect(SNAPSHOT(a, 0), NULL, BY(FILENAME),
           LIST("lib.c:0 66/1", "main.c:0 32/4", "<unknown>:0 7/1"));
}
END_TEST

START_TEST(T2)
{
    expect(SNAPSHOT(a, 0), NULL, BY(LINENO),
           LIST("lib.c:1 66/1", "main.c:7 30/3", "<unknown>:0 7/1",
                "main.c:9 2/1"));
}
END_TEST

START_TEST(T3)
{
    expect(SNAPSHOT(a, 0), NULL, BY(TRACEBACK),
           LIST("lib.c:1 66/1", "lib.c:3 main.c:7 30/3", "<unknown>:0 7/1",
                "lib.c:3 main.c:9 2/1"));
}
END_TEST

START_TEST(T4)
{
    expect(SNAPSHOT(a, 0), NULL, CUMULATIVE(FILENAME),
           LIST("lib.c:0 98/5", "main.c:0 32/4", "<unknown>:0 7/1"));
    expect(SNAPSHOT(a, 0), NULL, LIKE_CPYTHON(FILENAME),
           LIST("lib.c:0 98/5", "main.c:0 32/4", "<unknown>:0 7/1"));
}
END_TEST

START_TEST(T5)
{
    expect(SNAPSHOT(a, 0), NULL, CUMULATIVE(LINENO),
           LIST("lib.c:1 66/1", "lib.c:3 32/4", "main.c:7 30/3",
                "<unknown>:0 7/1", "main.c:9 2/1"));
    expect(SNAPSHOT(a, 0), NULL, LIKE_CPYTHON(LINENO),
           LIST("lib.c:1 66/1", "lib.c:3 32/4", "main.c:7 30/3",
                "<unknown>:0 7/1", "main.c:9 2/1"));
}
END_TEST

START_TEST(T6)
{
    expect(SNAPSHOT(b, 0), SNAPSHOT(a, 0), BY(FILENAME),
           LIST("main.c:0 5032,+5000,5,+1", "x.c:0 400,+400,1,+1",
                "lib.c:0 0,-66,0,-1", "<unknown>:0 0,-7,0,-1"));
}
END_TEST

START_TEST(T7)
{
    expect(SNAPSHOT(b, 0), SNAPSHOT(a, 0), BY(LINENO),
           LIST("main.c:9 5002,+5000,2,+1", "x.c:578 400,+400,1,+1",
                "lib.c:1 0,-66,0,-1", "<unknown>:0 0,-7,0,-1",
                "main.c:7 30,+0,3,+0"));
}
END_TEST

START_TEST(T8)
{
    expect(SNAPSHOT(b, 0), SNAPSHOT(a, 0), BY(TRACEBACK),
           LIST("lib.c:3 main.c:9 5002,+5000,2,+1", "x.c:578 400,+400,1,+1",
                "lib.c:1 0,-66,0,-1", "<unknown>:0 0,-7,0,-1",
                "lib.c:3 main.c:7 30,+0,3,+0"));
}
END_TEST

START_TEST(T9)
{
    static const struct vector ties[] = {{0, 8, "b.c:1"},
                                         {0, 8, "a.c:9"},
                                         {0, 8, "a.c:10"},
                                         {0, 4, "z.c:1"},
                                         {0, 4, "z.c:1"}};

    expect(SNAPSHOT(ties, 0), NULL, BY(LINENO),
           LIST("z.c:1 8/2", "b.c:1 8/1", "a.c:10 8/1", "a.c:9 8/1"));
}
END_TEST

START_TEST(T10)
{
    static const struct vector ties[] = {
        {0, 8, "b.c:1 a.c:1"}, {0, 8, "z.c:1"}, {0, 8, "c.c:1 a.c:1"}};

    expect(SNAPSHOT(ties, 0), NULL, BY(TRACEBACK),
           LIST("z.c:1 8/1", "a.c:1 c.c:1 8/1", "a.c:1 b.c:1 8/1"));
}
END_TEST

START_TEST(T11)
{
    static const struct vector totals[] = {
        {0, 8, "a.c:1"},
        {0, 5, "a.c:1 b.c:2 b.c:3 b.c:4 b.c:5 b.c:6 b.c:7 b.c:8 b.c:9"}};

    expect(SNAPSHOT(totals, 1), NULL, BY(TRACEBACK), LIST("a.c:1 13/2"));
}
END_TEST

START_TEST(T12)
{
    static const struct vector domains[] = {{0, 8, "a.c:1"}, {7, 5, "a.c:1"}};

    expect(SNAPSHOT(domains, 0), NULL, BY(LINENO), LIST("a.c:1 13/2"));
    expect(SNAPSHOT(domains, 0), NULL, BY(TRACEBACK), LIST("a.c:1 13/2"));
}
END_TEST

START_TEST(T13)
{
    static const struct alloctrace_statistics_options bad[] = {
        {.group_by = ALLOCTRACE_BY_TRACEBACK, .cumulative = 1},
        {.group_by = ALLOCTRACE_BY_MODULE + 1},
        {.group_by = ALLOCTRACE_BY_MODULE + 1, .cumulative = 1},
    };
    alloctrace_snapshot *snapshot = SNAPSHOT(a, 0);
    alloctrace_statistics *statistics = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct alloctrace_statistics_options options = bad[i];

        options.size = sizeof options;
        ck_assert_int_eq(
            alloctrace_snapshot_statistics(snapshot, &options, &statistics),
            ALLOCTRACE_EBAD_ARGUMENT);
        ck_assert_int_eq(alloctrace_snapshot_compare_to(
                             snapshot, snapshot, &options, &statistics),
                         ALLOCTRACE_EBAD_ARGUMENT);
    }
    ck_assert_ptr_null(statistics);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* What a group of a comparison is as text; frees it all. */
static void expect_text(alloctrace_statistics *statistics, size_t index,
                        unsigned flags, const char *expected)
{
    char text[128];
    const size_t size = alloctrace_statistics_format(statistics, index, flags,
                                                     text, sizeof text);

    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(size, strlen(expected));
    alloctrace_statistics_free(statistics);
}

static alloctrace_statistics *
result(alloctrace_snapshot *snapshot, alloctrace_snapshot *old,
       struct alloctrace_statistics_options options)
{
    alloctrace_statistics *statistics;

    options.size = sizeof options;
    ck_assert_int_eq(
        old ? alloctrace_snapshot_compare_to(snapshot, old, &options,
                                             &statistics)
            : alloctrace_snapshot_statistics(snapshot, &options, &statistics),
        0);
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(old);
    return statistics;
}

START_TEST(T14)
{
    expect_text(result(SNAPSHOT(b, 0), SNAPSHOT(a, 0), BY(LINENO)), 2, 0,
                "lib.c:1: size=0 B (-66 B), count=0 (-1)");
}
END_TEST

static const struct vector recursion[] = {
    {0, 100, "r.c:5 r.c:5 r.c:5 main.c:2"}};

START_TEST(T15)
{
    expect(SNAPSHOT(recursion, 0), NULL, LIKE_CPYTHON(LINENO),
           LIST("r.c:5 300/3", "main.c:2 100/1"));
    expect(SNAPSHOT(recursion, 0), NULL, CUMULATIVE(LINENO),
           LIST("r.c:5 100/1", "main.c:2 100/1"));
}
END_TEST

START_TEST(T16)
{
    expect(SNAPSHOT(recursion, 0), NULL, LIKE_CPYTHON(FILENAME),
           LIST("r.c:0 300/3", "main.c:0 100/1"));
    expect(SNAPSHOT(recursion, 0), NULL, CUMULATIVE(FILENAME),
           LIST("r.c:0 100/1", "main.c:0 100/1"));
}
END_TEST

START_TEST(T17)
{
    static const struct vector lines[] = {{0, 100, "r.c:5 r.c:9 main.c:2"}};

    expect(SNAPSHOT(lines, 0), NULL, LIKE_CPYTHON(FILENAME),
           LIST("r.c:0 200/2", "main.c:0 100/1"));
    expect(SNAPSHOT(lines, 0), NULL, CUMULATIVE(FILENAME),
           LIST("r.c:0 100/1", "main.c:0 100/1"));
}
END_TEST

START_TEST(T31)
{
    expect_text(result(SNAPSHOT(a, 0), NULL, BY(LINENO)), 0, 0,
                "lib.c:1: size=66 B, count=1, average=66 B");
}
END_TEST

START_TEST(T32)
{
    expect_text(result(SNAPSHOT(b, 0), SNAPSHOT(a, 0), BY(LINENO)), 0, 0,
                "main.c:9: size=5002 B (+5000 B), count=2 (+1), "
                "average=2501 B");
}
END_TEST

/* str(statistic) of CPython shows where the path begins. */
START_TEST(a_traceback_is_its_most_recent_frame_or_its_oldest)
{
    expect_text(result(SNAPSHOT(a, 0), NULL, BY(TRACEBACK)), 1, 0,
                "main.c:7: size=30 B, count=3, average=10 B");
    expect_text(result(SNAPSHOT(a, 0), NULL, BY(TRACEBACK)), 1,
                ALLOCTRACE_LIKE_CPYTHON,
                "lib.c:3: size=30 B, count=3, average=10 B");
    expect_text(result(SNAPSHOT(recursion, 2), NULL, BY(TRACEBACK)), 0,
                ALLOCTRACE_LIKE_CPYTHON,
                "r.c:5: size=100 B, count=1, average=100 B");
}
END_TEST

START_TEST(text_is_cut_to_fit)
{
    static const char whole[] = "lib.c:1: size=66 B, count=1, average=66 B";
    alloctrace_statistics *statistics =
        result(SNAPSHOT(a, 0), NULL, BY(LINENO));
    char text[64];

    for (size_t size = 0; size <= sizeof whole; size++) {
        memset(text, '#', sizeof text);
        ck_assert_uint_eq(
            alloctrace_statistics_format(statistics, 0, 0, text, size),
            sizeof whole - 1);
        if (size > 0) {
            ck_assert_uint_eq(strlen(text), size - 1);
            ck_assert(strncmp(text, whole, size - 1) == 0);
        }
        ck_assert_int_eq(text[size], '#');
    }
    ck_assert_uint_eq(
        alloctrace_statistics_format(statistics, 4, 0, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    alloctrace_statistics_free(statistics);
}
END_TEST

CHECK_MAIN("statistics_vectors", T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11,
           T12, T13, T14, T15, T16, T17, T31, T32,
           a_traceback_is_its_most_recent_frame_or_its_oldest,
           text_is_cut_to_fit)
