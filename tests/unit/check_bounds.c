/* SPDX-License-Identifier: MIT */
/*
 * What is small in a file and stands for much is bounded: names that many
 * entries share, and inlined frames that many call paths share. What such
 * files would cost tests/fuzz/bombs.c measures.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

#define LONG 100000
#define MANY 2000

static struct alloctrace_error error;

/* Loads what was put together; NULL: it was refused. */
static alloctrace_snapshot *load(struct dumpfile *dump)
{
    alloctrace_snapshot *snapshot = NULL;
    int result;

    dumpfile_finish(dump);
    result = alloctrace_snapshot_load_bytes(dump->file.data, dump->file.size,
                                            &snapshot, &error);
    ck_assert(result == 0 || result == ALLOCTRACE_EBAD_FILE);
    ck_assert((result == 0) == (snapshot != NULL));
    dumpfile_fini(dump);
    return snapshot;
}

static char *text_of(size_t size)
{
    char *const text = malloc(size + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'n', size);
    text[size] = '\0';
    return text;
}

/* Adds threads that share one name. */
static void add_threads(struct dumpfile *dump, size_t size, uint32_t count)
{
    char *const name = text_of(size);
    const uint32_t id = dumpfile_string(dump, name);

    for (uint32_t i = 0; i < count; i++) {
        bytes_u32(&dump->threads.bytes, i + 1);
        bytes_u32(&dump->threads.bytes, id);
    }
    dump->threads.count += count;
    free(name);
}

START_TEST(a_long_name_is_not_repeated_without_end)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    add_threads(&dump, LONG, MANY);
    ck_assert_ptr_null(load(&dump));
    ck_assert_str_eq(error.message,
                     "damaged: a name is long and repeated too often");
}
END_TEST

START_TEST(a_short_name_may_be_that_of_all)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;

    dumpfile_init(&dump);
    add_threads(&dump, 15, 100 * MANY); /* as long as the system lets them be */
    snapshot = load(&dump);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_uint_eq(alloctrace_snapshot_thread_count(snapshot), 100 * MANY);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(texts_of_any_length_can_be_dumped_again_and_again)
{
    char path[] = "/tmp/check_bounds.XXXXXX";
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *loaded;
    char *const value = text_of(LONG / 10);
    char key[16];

    dumpfile_init(&dump);
    snapshot = load(&dump);
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "%d", i);
        ck_assert_int_eq(
            alloctrace_snapshot_set_attribute(snapshot, key, value), 0);
    }
    ck_assert_int_eq(alloctrace_snapshot_set_attribute(snapshot, "x", value),
                     0);
    ck_assert_int_eq(alloctrace_snapshot_set_attribute(snapshot, value, value),
                     0);
    ck_assert_int_ge(mkstemp(path), 0);
    ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, path, &error), 0);
    ck_assert_int_eq(alloctrace_snapshot_load(path, &loaded, &error), 0);
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(loaded), MANY + 2);
    ck_assert_str_eq(alloctrace_snapshot_get_attribute(loaded, "0"), value);
    ck_assert_str_eq(alloctrace_snapshot_get_attribute(loaded, value), value);
    unlink(path);
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(loaded);
    free(value);
}
END_TEST

/* Arguments are neighbours in a file, which may share what is equal. */
START_TEST(equal_arguments_can_be_dumped)
{
    char path[] = "/tmp/check_bounds.XXXXXX";
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *loaded;
    char *const text = text_of(LONG / 10);

    dumpfile_init(&dump);
    for (int i = 0; i < MANY; i++)
        dumpfile_argument(&dump, text);
    snapshot = load(&dump);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_int_ge(mkstemp(path), 0);
    ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, path, &error), 0);
    ck_assert_int_eq(alloctrace_snapshot_load(path, &loaded, &error), 0);
    ck_assert_uint_eq(alloctrace_snapshot_argument_count(loaded), MANY);
    unlink(path);
    alloctrace_snapshot_free(snapshot);
    alloctrace_snapshot_free(loaded);
    free(text);
}
END_TEST

/* Adds a site of so many frames that were inlined, and paths through it. */
static void add_paths(struct dumpfile *dump, uint32_t n_inlined, uint32_t count)
{
    uint32_t frame = 0;

    for (uint32_t i = 0; i < n_inlined; i++)
        frame = dumpfile_frame(
            dump,
            (struct dumpframe){.line = i + 1, .kind = 3, .caller = frame});
    for (uint32_t i = 0; i < count; i++)
        dumpfile_trace(dump, dumpfile_traceback(dump, 0, frame), 0, 0, 1, 8);
}

START_TEST(inlined_frames_are_not_in_paths_without_end)
{
    struct dumpfile dump;

    dumpfile_init(&dump);
    add_paths(&dump, 10000, MANY);
    ck_assert_ptr_null(load(&dump));
    ck_assert_str_eq(error.message, "damaged: too many call paths have inlined "
                                    "frames without end");
}
END_TEST

START_TEST(many_paths_may_have_many_inlined_frames)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;
    alloctrace_statistics *statistics;

    dumpfile_init(&dump);
    add_paths(&dump, 256, 10 * MANY);
    snapshot = load(&dump);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, NULL, &statistics), 0);
    ck_assert_uint_eq(alloctrace_statistics_sum(statistics)->count, 10 * MANY);
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

/* A label is made for each address: no longer than names of files are. */
START_TEST(labels_are_no_longer_than_names_of_files)
{
    struct dumpfile dump;
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;
    char *const path = text_of(300);
    char *const name = text_of(255);
    char expected[300];

    snprintf(expected, sizeof expected, "[%s+0x40]", name);
    path[10] = '/'; /* 289 characters follow it */
    dumpfile_init(&dump);
    dumpfile_module(&dump, path, NULL, 0, 0x100, 0);
    dumpfile_trace(
        &dump,
        dumpfile_traceback(
            &dump, 0,
            dumpfile_frame(&dump,
                           (struct dumpframe){.address = 0x40, .module = 1})),
        0, 0, 1, 8);
    snapshot = load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, 1, &traceback), 0);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, 0)->file, expected);
    ck_assert_str_eq(alloctrace_snapshot_module(snapshot, 1)->path, path);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
    free(path);
    free(name);
}
END_TEST

CHECK_MAIN("bounds", a_long_name_is_not_repeated_without_end,
           a_short_name_may_be_that_of_all,
           texts_of_any_length_can_be_dumped_again_and_again,
           equal_arguments_can_be_dumped,
           inlined_frames_are_not_in_paths_without_end,
           many_paths_may_have_many_inlined_frames,
           labels_are_no_longer_than_names_of_files)
