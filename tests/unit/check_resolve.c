/* SPDX-License-Identifier: MIT */
/* Addresses: their labels, and what a resolver makes of them. */
#include <stdlib.h>
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
    symbols[0] = (struct alloctrace_symbol){"in.c", "in", 1, 0};
    symbols[1] = (struct alloctrace_symbol){"mid.c", "mid", 2, 0};
    symbols[2] = (struct alloctrace_symbol){"out.c", "out", 3, 0};
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

/* ---- Calls that stand in a path twice ---- */

/* The site that calls through a pointer, in a function of a.c. */
#define SITE(FUNCTION, LINE)                                   \
    (struct dumpframe)                                         \
    {                                                          \
        .file = "src/a.c", .function = FUNCTION, .line = LINE, \
        .type = "struct node", .type_size = 48, .module = 1,   \
        .kind = ALLOCTRACE_FRAME_CALL                          \
    }

static size_t know_symbol(void *data, const struct alloctrace_module *module,
                          uint64_t address, struct alloctrace_symbol *symbols)
{
    (void)module;
    (void)address;
    symbols[0] = *(const struct alloctrace_symbol *)data;
    return 1;
}

/* main -> the site -> an address, of which the test's symbol is known. */
static alloctrace_snapshot *load_call(struct dumpframe site, uint32_t module,
                                      const struct alloctrace_symbol *symbol,
                                      uint32_t *id)
{
    struct alloctrace_symbol copy = *symbol;
    alloctrace_snapshot *snapshot;
    struct dumpfile dump;

    dumpfile_init(&dump);
    dumpfile_module(&dump, "/bin/a", "ab", 0x7000, 0x9000, 0x7000);
    dumpfile_module(&dump, "/lib/b.so", "cd", 0xa000, 0xb000, 0xa000);
    *id = dumpfile_path(&dump, "main.c:1");
    *id = dumpfile_traceback(&dump, *id, dumpfile_frame(&dump, site));
    *id = dumpfile_traceback(
        &dump, *id,
        dumpfile_frame(&dump, (struct dumpframe){
                                  .address = module == 1 ? 0x71f4 : 0xa1f4,
                                  .module = module}));
    dumpfile_trace(&dump, *id, 0, 0, 1, 48);
    snapshot = dumpfile_load(&dump);
    ck_assert_int_eq(alloctrace_snapshot_resolve(snapshot, know_symbol, &copy),
                     0);
    return snapshot;
}

/* Is the address left out, and has the block the call's type then? */
static bool is_dropped(struct dumpframe site, uint32_t module,
                       struct alloctrace_symbol symbol)
{
    uint32_t id;
    alloctrace_snapshot *snapshot = load_call(site, module, &symbol, &id);
    alloctrace_traceback *traceback = path(snapshot, id);
    const size_t count = alloctrace_traceback_count(traceback);
    const char **types;

    ck_assert_uint_ge(count, 2);
    ck_assert_uint_le(count, 3);
    ck_assert_uint_eq(alloctrace_traceback_total_nframe(traceback), count);
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, 0)->file, "main.c");
    ck_assert_str_eq(alloctrace_traceback_frame(traceback, 1)->file, "src/a.c");
    ck_assert_int_eq(alloctrace_snapshot_trace_types(snapshot, &types), 0);
    ck_assert_str_eq(types[0], count == 2 ? "struct node" : "");
    free(types);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
    return count == 2;
}

START_TEST(an_address_at_the_sites_place_is_its_call)
{
    ck_assert(is_dropped(SITE("f", 7), 1,
                         (struct alloctrace_symbol){"/tmp/src/a.c", "f", 7, 0}));
    ck_assert(is_dropped(
        SITE("space::t<int>::f(char)", 7), 1,
        (struct alloctrace_symbol){"./a.c", "f", 7, 0}));
}
END_TEST

START_TEST(an_address_elsewhere_is_a_call_of_its_own)
{
    static const struct alloctrace_symbol others[] = {
        {"src/a.c", "g", 7, 1},  {"src/a.c", "f", 8, 1},
        {"src/b.c", "f", 7, 1},  {"src/a.c", "ff", 7, 1},
        {"src/a.c", NULL, 7, 1}, {NULL, NULL, 0, 1},
        {"src/a.c", "", 7, 1},
    };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert(!is_dropped(SITE("f", 7), 1, others[i]));
    ck_assert(!is_dropped(
        SITE("space::ff(f_type)", 7), 1,
        (struct alloctrace_symbol){"src/a.c", "f", 7, 1}));
    ck_assert(!is_dropped(SITE("f", 7), 2,
                          (struct alloctrace_symbol){"src/a.c", "f", 7, 1}));
}
END_TEST

START_TEST(without_lines_the_function_has_to_be_the_only_one)
{
    ck_assert(is_dropped(SITE("f", 7), 1,
                         (struct alloctrace_symbol){NULL, "f", 0, 1}));
    ck_assert(
        is_dropped(SITE("f", 7), 1,
                   (struct alloctrace_symbol){NULL, "f.constprop.0", 0, 1}));
    ck_assert(!is_dropped(SITE("f", 7), 1,
                          (struct alloctrace_symbol){NULL, "f", 0, 0}));
    ck_assert(!is_dropped(SITE("f", 7), 2,
                          (struct alloctrace_symbol){NULL, "f", 0, 1}));
    ck_assert(!is_dropped(SITE("space::f(int)", 7), 1,
                          (struct alloctrace_symbol){NULL, "f", 0, 1}));
    ck_assert(!is_dropped(SITE("f", 7), 1,
                          (struct alloctrace_symbol){NULL, "ff", 0, 1}));
    ck_assert(!is_dropped(SITE("ff", 7), 1,
                          (struct alloctrace_symbol){NULL, "f", 0, 1}));
}
END_TEST

/* f -> f -> an address in f: the call of the second one. */
START_TEST(recursion_stays)
{
    struct alloctrace_symbol symbol = {"a.c", "f", 7, 0};
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;
    struct dumpfile dump;
    uint32_t id;
    uint32_t frame;

    dumpfile_init(&dump);
    dumpfile_module(&dump, "/bin/a", "ab", 0x7000, 0x9000, 0x7000);
    frame = dumpfile_frame(&dump, SITE("f", 7));
    id = dumpfile_traceback(&dump, dumpfile_traceback(&dump, 0, frame), frame);
    frame = dumpfile_frame(
        &dump, (struct dumpframe){.address = 0x71f4, .module = 1});
    id = dumpfile_traceback(&dump, id, frame);
    dumpfile_trace(&dump, id, 0, 0, 1, 48);
    snapshot = dumpfile_load(&dump);
    for (int i = 0; i < 2; i++) /* and a second time changes nothing */
        ck_assert_int_eq(
            alloctrace_snapshot_resolve(snapshot, know_symbol, &symbol), 0);
    traceback = path(snapshot, id);
    ck_assert_uint_eq(alloctrace_traceback_count(traceback), 2);
    ck_assert_int_eq(alloctrace_traceback_frame(traceback, -1)->kind,
                     ALLOCTRACE_FRAME_CALL);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

CHECK_MAIN("resolve", without_names_there_are_labels,
           an_empty_file_name_is_none,
           the_byte_before_a_return_address_is_asked_for,
           inlined_levels_become_frames, the_limit_counts_levels,
           an_address_at_the_sites_place_is_its_call,
           an_address_elsewhere_is_a_call_of_its_own,
           without_lines_the_function_has_to_be_the_only_one, recursion_stays)
