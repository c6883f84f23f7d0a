/* SPDX-License-Identifier: MIT */
/* Addresses: their labels, and what a resolver makes of them. */
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

/* A path main.c:1 -> an address in libc at 0x1f4 of its file. */
static alloctrace_snapshot *load(uint32_t *traceback_id, uint32_t limit)
{
    struct dumpfile dump;
    uint32_t frame;

    dumpfile_init(&dump);
    dump.traceback_limit = limit;
    dumpfile_module(&dump, "/usr/lib/libc.so.6", "ab", 0x7000, 0x9000, 0x7000);
    frame = dumpfile_frame(&dump,
                           (struct dumpframe){.address = 0x71f4, .module = 1});
    *traceback_id =
        dumpfile_traceback(&dump, dumpfile_path(&dump, "main.c:1"), frame);
    dumpfile_trace(&dump, *traceback_id, 0, 0, 1, 8);
    return dumpfile_load(&dump);
}

static size_t know_nothing(void *data, const struct alloctrace_module *module,
                           uint64_t address, struct alloctrace_symbol *symbols)
{
    (void)data;
    (void)module;
    (void)address;
    (void)symbols;
    return 0;
}

static size_t know_function(void *data, const struct alloctrace_module *module,
                            uint64_t address, struct alloctrace_symbol *symbols)
{
    *(uint64_t *)data = address;
    ck_assert_str_eq(module->path, "/usr/lib/libc.so.6");
    symbols[0].function = "qsort";
    return 1;
}

static size_t know_three_levels(void *data,
                                const struct alloctrace_module *module,
                                uint64_t address,
                                struct alloctrace_symbol *symbols)
{
    (void)data;
    (void)module;
    (void)address;
    symbols[0] = (struct alloctrace_symbol){"in.c", "in", 1};
    symbols[1] = (struct alloctrace_symbol){"mid.c", "mid", 2};
    symbols[2] = (struct alloctrace_symbol){"out.c", "out", 3};
    return 3;
}

static alloctrace_traceback *path(const alloctrace_snapshot *snapshot,
                                  uint32_t id)
{
    alloctrace_traceback *traceback;

    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, id, &traceback),
                     0);
    return traceback;
}

START_TEST(without_names_there_are_labels)
{
    uint32_t id;
    alloctrace_snapshot *snapshot = load(&id, 0);
    alloctrace_traceback *traceback;
    const struct alloctrace_frame *frame;

    ck_assert_int_eq(alloctrace_snapshot_resolve(snapshot, know_nothing, NULL),
                     0);
    traceback = path(snapshot, id);
    frame = alloctrace_traceback_frame(traceback, -1);
    ck_assert_str_eq(frame->file, "[libc.so.6+0x1f4]");
    ck_assert_str_eq(frame->function, "");
    ck_assert_uint_eq(frame->address, 0x71f4);
    ck_assert_str_eq(frame->module->path, "/usr/lib/libc.so.6");
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(an_empty_file_name_is_none)
{
    alloctrace_snapshot *snapshot = NULL;
    struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = ALLOCTRACE_BY_FILENAME};
    alloctrace_statistics *statistics;
    struct dumpfile dump;

    dumpfile_init(&dump);
    dumpfile_trace(
        &dump,
        dumpfile_traceback(&dump, 0,
                           dumpfile_frame(&dump, (struct dumpframe){
                                                     .file = "", .line = 1})),
        0, 0, 1, 8);
    dumpfile_finish(&dump);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(
                         dump.file.data, dump.file.size, &snapshot, NULL),
                     0);
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    ck_assert_str_eq(alloctrace_statistics_get(statistics, 0)->key,
                     "<unknown>");
    alloctrace_statistics_free(statistics);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(the_byte_before_a_return_address_is_asked_for)
{
    uint32_t id;
    alloctrace_snapshot *snapshot = load(&id, 0);
    alloctrace_traceback *traceback;
    uint64_t address = 0;

    ck_assert_int_eq(
        alloctrace_snapshot_resolve(snapshot, know_function, &address), 0);
    ck_assert_uint_eq(address, 0x1f3);
    traceback = path(snapshot, id);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, -1)->function,
                     "qsort");
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, -1)->file,
                     "[libc.so.6+0x1f4]");
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(inlined_levels_become_frames)
{
    uint32_t id;
    alloctrace_snapshot *snapshot = load(&id, 0);
    alloctrace_traceback *traceback;

    ck_assert_int_eq(
        alloctrace_snapshot_resolve(snapshot, know_three_levels, NULL), 0);
    traceback = path(snapshot, id);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 4);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, -1)->file, "in.c");
    ck_assert_int_eq(alloctrace_traceback_frame(traceback, -1)->is_inlined, 1);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, -2)->function,
                     "mid");
    ck_assert_uint_eq(alloctrace_traceback_frame(traceback, -3)->line, 3);
    ck_assert_int_eq(alloctrace_traceback_frame(traceback, -3)->is_inlined, 0);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, 0)->file, "main.c");
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(the_limit_counts_levels)
{
    uint32_t id;
    alloctrace_snapshot *snapshot = load(&id, 2);
    alloctrace_traceback *traceback;

    ck_assert_int_eq(
        alloctrace_snapshot_resolve(snapshot, know_three_levels, NULL), 0);
    traceback = path(snapshot, id);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 2);
    ck_assert_uint_eq(alloctrace_traceback_total_nframe(traceback), 4);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, 0)->file, "mid.c");
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

CHECK_MAIN("resolve", without_names_there_are_labels,
           an_empty_file_name_is_none,
           the_byte_before_a_return_address_is_asked_for,
           inlined_levels_become_frames, the_limit_counts_levels)
