/* SPDX-License-Identifier: MIT */
/* Sums over threads, by traceback and domain. */
#include "pathsum.h"

#include <stdlib.h>

#include "check_alloctrace.h"
#include "dumpfile.h"

static struct pathsums sums;

/* Two paths, in two domains, by two threads, in no order. */
static void make(int metric)
{
    alloctrace_snapshot *snapshot;
    struct dumpfile dump;
    uint32_t a;
    uint32_t b;

    dumpfile_init(&dump);
    dumpfile_thread(&dump, 1, "main");
    dumpfile_thread(&dump, 2, "worker");
    a = dumpfile_path(&dump, "a.c:1");
    b = dumpfile_path(&dump, "b.c:2 a.c:1");
    dumpfile_trace_full(&dump, b, 1, 7, (int64_t[]){5, 50, 6, 60, 7, 70});
    dumpfile_trace_full(&dump, a, 1, 0, (int64_t[]){9, 90, 20, 200, 3, 30});
    dumpfile_trace_full(&dump, b, 1, 0, (int64_t[]){1, 10, 1, 10, 1, 10});
    dumpfile_trace_full(&dump, a, 2, 0, (int64_t[]){-4, -40, 0, 0, -2, -20});
    dumpfile_finish(&dump);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(
                         dump.file.data, dump.file.size, &snapshot, NULL),
                     0);
    ck_assert_int_eq(pathsums_init(&sums, snapshot, metric), 0);
    ck_assert_uint_eq(sums.count, 3);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}

static void ck_assert_sum(const struct pathsum *sum, size_t first,
                          int64_t blocks, int64_t bytes)
{
    ck_assert_ptr_nonnull(sum);
    ck_assert_uint_eq(sum->first, first);
    ck_assert_int_eq(sum->blocks, blocks);
    ck_assert_int_eq(sum->bytes, bytes);
}

START_TEST(threads_are_summed_up)
{
    make(ALLOCTRACE_METRIC_LIVE);
    ck_assert_sum(&sums.items[0], 1, 5, 50);
    ck_assert_sum(&sums.items[1], 2, 1, 10);
    ck_assert_sum(&sums.items[2], 0, 5, 50);
    pathsums_fini(&sums);
}
END_TEST

START_TEST(metrics_are_told_apart)
{
    make(ALLOCTRACE_METRIC_TOTAL);
    ck_assert_sum(&sums.items[0], 1, 20, 200);
    pathsums_fini(&sums);
    make(ALLOCTRACE_METRIC_PEAK);
    ck_assert_sum(&sums.items[0], 1, 1, 10);
    pathsums_fini(&sums);
}
END_TEST

START_TEST(sums_are_found_by_path_and_domain)
{
    make(ALLOCTRACE_METRIC_LIVE);
    for (size_t i = 0; i < sums.count; i++)
        ck_assert_ptr_eq(
            pathsums_find(&sums, sums.items[i].traceback, sums.items[i].domain),
            &sums.items[i]);
    ck_assert_ptr_null(pathsums_find(&sums, sums.items[0].traceback, 7));
    ck_assert_ptr_null(pathsums_find(&sums, sums.items[2].traceback, 8));
    ck_assert_ptr_null(pathsums_find(&sums, 0, 0));
    ck_assert_ptr_null(pathsums_find(&sums, UINT32_MAX, 0));
    pathsums_fini(&sums);
}
END_TEST

START_TEST(the_order_of_the_file_comes_back)
{
    make(ALLOCTRACE_METRIC_LIVE);
    pathsums_sort_by_trace(&sums);
    for (size_t i = 0; i < sums.count; i++)
        ck_assert_uint_eq(sums.items[i].first, i);
    pathsums_fini(&sums);
}
END_TEST

CHECK_MAIN("pathsum", threads_are_summed_up, metrics_are_told_apart,
           sums_are_found_by_path_and_domain, the_order_of_the_file_comes_back)
