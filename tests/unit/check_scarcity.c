/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out: every allocation of the library fails once, and each
 * time the call says so, leaves its results alone and leaks nothing (which
 * the address sanitizer sees). Linked with --wrap for the allocator's names.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

/* Allocations that still succeed; below 0 all do. */
static long left = -1;

static int is_refused(void)
{
    return left >= 0 && left-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return is_refused() ? NULL : __real_realloc(block, size);
}

/* Files need not reach the disk. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}

static size_t three_levels(void *data, const struct alloctrace_module *module,
                           uint64_t address, struct alloctrace_symbol *symbols)
{
    (void)data;
    (void)module;
    (void)address;
    for (int i = 0; i < 3; i++)
        symbols[i] = (struct alloctrace_symbol){"file.c", "function", 1, 0};
    return 3;
}

static struct dumpfile dump;

static void make_dump(void)
{
    dumpfile_init(&dump);
    dumpfile_module(&dump, "/lib/a.so", NULL, 0, 9, 0);
    for (uint32_t i = 0; i < 40; i++)
        dumpfile_trace(
            &dump,
            dumpfile_traceback(
                &dump, dumpfile_path(&dump, "c.c:3 b.c:2 a.c:1"),
                dumpfile_frame(
                    &dump, (struct dumpframe){.address = i + 1,
                                              .module = 1,
                                              .type = i == 3 ? "T" : NULL})),
            0, 0, 1, 8);
    dumpfile_size(&dump, 4, 0, 0, 4, 1, 8); /* the first trace */
    dumpfile_attribute(&dump, "key", "value");
    dump.has_details = 1;
    dumpfile_block(&dump, 16, 8, 4, 0);
    dumpfile_finish(&dump);
}

static alloctrace_snapshot *load(void)
{
    alloctrace_snapshot *snapshot = NULL;

    ck_assert_int_eq(alloctrace_snapshot_load_bytes(
                         dump.file.data, dump.file.size, &snapshot, NULL),
                     0);
    return snapshot;
}

START_TEST(loading_without_memory)
{
    alloctrace_snapshot *snapshot = NULL;
    struct alloctrace_error error;
    long n = 0;

    make_dump();
    for (; !snapshot; n++) {
        int result;

        left = n;
        result = alloctrace_snapshot_load_bytes(dump.file.data, dump.file.size,
                                                &snapshot, &error);
        left = -1;
        if (snapshot)
            break;
        ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
        ck_assert_str_eq(error.message, "out of memory");
    }
    ck_assert_int_gt(n, 10);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

/* A whole file under the name, or none and nothing beside it. */
START_TEST(dumping_without_memory)
{
    char folder[] = "/tmp/check_scarcity.XXXXXX";
    char path[64];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.dump", folder);
    make_dump();
    for (int is_folded = 0; is_folded < 2; is_folded++) {
        alloctrace_snapshot *snapshot = load();
        alloctrace_snapshot *loaded = NULL;
        struct alloctrace_error error;
        int result = ALLOCTRACE_ENO_MEMORY;
        long n = 0;

        if (is_folded) {
            alloctrace_snapshot *const whole = snapshot;

            ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(whole,
                                                               &snapshot),
                             0);
            alloctrace_snapshot_free(whole);
        }
        for (; result; n++) {
            ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
            ck_assert_int_eq(access(path, F_OK), -1);
            left = n;
            result = alloctrace_snapshot_dump(snapshot, path, &error);
            left = -1;
            if (result)
                ck_assert_str_eq(error.message, "out of memory");
        }
        ck_assert_int_gt(n, 5);
        ck_assert_int_eq(alloctrace_snapshot_load(path, &loaded, &error), 0);
        alloctrace_snapshot_free(loaded);
        alloctrace_snapshot_free(snapshot);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
    dumpfile_fini(&dump);
}
END_TEST

/* From a file, and from a pipe, which takes memory of its own. */
START_TEST(loading_files_without_memory)
{
    char path[] = "/tmp/check_scarcity.XXXXXX";
    const int file = mkstemp(path);

    make_dump();
    ck_assert_int_eq(write(file, dump.file.data, dump.file.size),
                     (ssize_t)dump.file.size);
    for (int is_pipe = 0; is_pipe < 2; is_pipe++) {
        struct alloctrace_error error;
        bool is_done = false;
        long n = 0;

        for (; !is_done; n++) {
            alloctrace_snapshot *snapshot = NULL;
            int ends[2];
            int result;

            if (is_pipe) {
                ck_assert_int_eq(pipe(ends), 0);
                ck_assert_int_eq(write(ends[1], dump.file.data,
                                       dump.file.size),
                                 (ssize_t)dump.file.size);
                close(ends[1]);
                dup2(ends[0], STDIN_FILENO);
                close(ends[0]);
            }
            left = n;
            result = alloctrace_snapshot_load(is_pipe ? "-" : path, &snapshot,
                                              &error);
            is_done = left >= 0; /* there are not so many */
            left = -1;
            /* That what was put aside is not made smaller is no error. */
            ck_assert_int_eq(result, snapshot ? 0 : ALLOCTRACE_ENO_MEMORY);
            if (!snapshot)
                ck_assert_str_eq(error.message, "out of memory");
            alloctrace_snapshot_free(snapshot);
        }
        ck_assert_int_gt(n, 10);
    }
    close(file);
    unlink(path);
    dumpfile_fini(&dump);
}
END_TEST

/* An attribute is set or it is what it was. */
START_TEST(attributes_without_memory)
{
    static const char *const values[] = {"first", "second"};
    alloctrace_snapshot *snapshot;

    make_dump();
    snapshot = load();
    for (char key[] = "a"; *key < 'k'; ++*key)
        for (int i = 0; i < 2; i++) {
            int result = ALLOCTRACE_ENO_MEMORY;

            for (long n = 0; result; n++) {
                const char *value =
                    alloctrace_snapshot_get_attribute(snapshot, key);

                if (i == 0)
                    ck_assert_ptr_null(value);
                else
                    ck_assert_str_eq(value, values[0]);
                left = n;
                result = alloctrace_snapshot_set_attribute(snapshot, key,
                                                           values[i]);
                left = -1;
            }
            ck_assert_str_eq(alloctrace_snapshot_get_attribute(snapshot, key),
                             values[i]);
        }
    ck_assert_uint_eq(alloctrace_snapshot_attribute_count(snapshot), 11);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(statistics_without_memory)
{
    alloctrace_snapshot *snapshot;
    struct alloctrace_statistics_options options = {.size = sizeof options};

    make_dump();
    snapshot = load();
    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++) {
        alloctrace_statistics *statistics = NULL;

        options.group_by = by;
        for (long n = 0; !statistics; n++) {
            int result;

            left = n;
            result =
                alloctrace_snapshot_statistics(snapshot, &options, &statistics);
            left = -1;
            if (!statistics)
                ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
        }
        ck_assert_int_eq(alloctrace_statistics_sum(statistics)->count, 40);
        alloctrace_statistics_free(statistics);
    }
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

/* Asks for one kind of result until memory is enough. */
static void sum_until_enough(const alloctrace_snapshot *snapshot,
                             const alloctrace_snapshot *old,
                             const struct alloctrace_statistics_options *options)
{
    alloctrace_statistics *statistics = NULL;
    struct alloctrace_detail *detail = NULL;
    long n = 0;

    for (; !statistics; n++) {
        int result;

        left = n;
        result = old ? alloctrace_snapshot_compare_to(snapshot, old, options,
                                                      &statistics)
                     : alloctrace_snapshot_statistics(snapshot, options,
                                                      &statistics);
        left = -1;
        if (!statistics)
            ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
    }
    ck_assert_int_gt(n, 5);
    ck_assert_int_eq(alloctrace_statistics_sum(statistics)->count, 40);
    for (n = 0; !detail; n++) {
        int result;

        left = n;
        result = alloctrace_statistics_detail(statistics, 0, &detail);
        left = -1;
        if (!detail)
            ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
    }
    alloctrace_detail_free(detail);
    alloctrace_statistics_free(statistics);
}

START_TEST(comparing_without_memory)
{
    struct alloctrace_statistics_options options = {.size = sizeof options};
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *folded;

    make_dump();
    snapshot = load();
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &folded), 0);
    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++) {
        options.group_by = by;
        options.flags = by % 2 ? (unsigned)ALLOCTRACE_IGNORE_LINES : 0;
        options.cumulative = 0;
        sum_until_enough(snapshot, snapshot, &options);
        sum_until_enough(folded, snapshot, &options);
        if (by >= ALLOCTRACE_BY_TRACEBACK && by != ALLOCTRACE_BY_MODULE)
            continue;
        options.cumulative = 1;
        sum_until_enough(snapshot, NULL, &options);
        sum_until_enough(snapshot, folded, &options);
        options.flags = ALLOCTRACE_LIKE_CPYTHON;
        sum_until_enough(snapshot, snapshot, &options);
    }
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(folding_without_memory)
{
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *folded = NULL;
    long n = 0;

    make_dump();
    snapshot = load();
    for (; !folded; n++) {
        int result;

        left = n;
        result = alloctrace_snapshot_fold_wrappers(snapshot, &folded);
        left = -1;
        if (!folded)
            ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
    }
    ck_assert_int_gt(n, 10);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(types_without_memory)
{
    alloctrace_snapshot *snapshot;
    const char **types = NULL;
    long n = 0;

    make_dump();
    snapshot = load();
    for (; !types; n++) {
        int result;

        left = n;
        result = alloctrace_snapshot_trace_types(snapshot, &types);
        left = -1;
        if (!types)
            ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
    }
    ck_assert_int_gt(n, 3);
    ck_assert_str_eq(types[39], "");
    free(types);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

/* Whatever the filter: of a folded snapshot, where most is to be made. */
START_TEST(filtering_without_memory)
{
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *folded;
    alloctrace_snapshot *filtered = NULL;
    struct alloctrace_filter filters[2] = {alloctrace_filter_make(1, "[a-c].c"),
                                           alloctrace_filter_make(0, NULL)};
    long n = 0;

    make_dump();
    snapshot = load();
    filters[0].all_frames = 1;
    filters[0].function_pattern = filters[0].module_pattern = "*";
    filters[0].type_pattern = filters[0].thread_pattern = "*";
    filters[1].filename_pattern = "[[]a.so+0x1]"; /* one of the 40 */
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(snapshot, &folded), 0);
    for (; !filtered; n++) {
        int result;

        left = n;
        result =
            alloctrace_snapshot_filter_traces(folded, filters, 2, &filtered);
        left = -1;
        if (!filtered)
            ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
    }
    ck_assert_int_gt(n, 30);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(filtered), 39);
    alloctrace_snapshot_free(filtered);
    for (n = 0, filtered = NULL; !filtered; n++) {
        left = n;
        (void)!alloctrace_snapshot_filter_traces(snapshot, NULL, 0, &filtered);
        left = -1;
    }
    alloctrace_snapshot_free(filtered);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(text_without_memory)
{
    alloctrace_snapshot *snapshot;
    alloctrace_traceback *traceback;
    alloctrace_traceback *slice = NULL;
    char *text = NULL;
    long n = 0;

    dumpfile_init(&dump);
    /* A file that there is, with text in its line. */
    dumpfile_path(&dump, "/proc/self/status:1 a.c:2 b.c:3");
    dumpfile_finish(&dump);
    snapshot = load();
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, 3, &traceback), 0);
    for (; !text; n++) {
        int result;

        left = n;
        result = alloctrace_traceback_format(traceback, ALLOCTRACE_NO_LIMIT, 0,
                                             0, &text);
        left = -1;
        if (!text)
            ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
    }
    ck_assert_int_gt(n, 3);
    ck_assert_ptr_nonnull(strstr(text, "\n    Name:"));
    left = 0;
    ck_assert_int_eq(alloctrace_traceback_slice(traceback, 0, 2, &slice),
                     ALLOCTRACE_ENO_MEMORY);
    left = -1;
    ck_assert_ptr_null(slice);
    alloctrace_text_free(text);
    alloctrace_traceback_free(traceback);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

/* A snapshot stays whole when its names do not fit. */
START_TEST(resolving_without_memory)
{
    int result = ALLOCTRACE_ENO_MEMORY;

    make_dump();
    for (long n = 0; result; n++) {
        alloctrace_snapshot *snapshot = load();

        left = n;
        result = alloctrace_snapshot_resolve(snapshot, three_levels, NULL);
        left = -1;
        for (uint32_t id = 1; id <= 160; id++) {
            alloctrace_traceback *traceback;

            ck_assert_int_eq(
                alloctrace_snapshot_traceback(snapshot, id, &traceback), 0);
            for (size_t i = 0; i < alloctrace_traceback_count(traceback); i++)
                ck_assert_str_ne(
                    alloctrace_traceback_frame(traceback, (ptrdiff_t)i)->file,
                    "<unknown>");
            alloctrace_traceback_free(traceback);
        }
        alloctrace_snapshot_free(snapshot);
    }
    dumpfile_fini(&dump);
}
END_TEST

START_TEST(a_file_without_memory)
{
    struct alloctrace_error error;
    void *bytes = NULL;
    size_t size = 0;

    left = 0;
    ck_assert_int_eq(
        alloctrace_read_file("/proc/self/exe", &bytes, &size, &error),
        ALLOCTRACE_ENO_MEMORY);
    left = -1;
    ck_assert_ptr_null(bytes);
}
END_TEST

/* Says all that a builder can be told. Returns 0 or an error. */
static int build(alloctrace_builder *builder)
{
    const struct alloctrace_process process = {.program = "kv", .host = "h"};
    const struct alloctrace_module module = {.path = "/lib/a.so"};
    const struct alloctrace_thread thread = {.name = "io", .tid = 7};
    const struct alloctrace_trace trace = {.thread = 1, .domain = 9};
    const struct alloctrace_frame frames[] = {
        {.file = "a.c", .function = "a", .line = 1, .module = &module},
        {.file = "b.c", .function = "b", .type = "c", .target = "d"}};
    uint32_t id;

    if (alloctrace_builder_set_process(builder, &process) ||
        alloctrace_builder_add_thread(builder, &thread, &id) ||
        alloctrace_builder_name_domain(builder, 0x80000000, "pool") ||
        alloctrace_builder_add(builder, 0, 8, frames, 2, 0) ||
        alloctrace_builder_add_trace(builder, &trace, frames, 2, 9))
        return ALLOCTRACE_ENO_MEMORY;
    return 0;
}

START_TEST(building_without_memory)
{
    alloctrace_snapshot *snapshot = NULL;
    long n = 0;

    for (; !snapshot; n++) {
        alloctrace_builder *builder = NULL;
        int result;

        left = n;
        result = alloctrace_builder_create(&builder);
        if (!result)
            result = build(builder);
        if (!result)
            result = alloctrace_builder_finish(builder, &snapshot);
        else
            alloctrace_builder_free(builder);
        left = -1;
        ck_assert_int_eq(result, snapshot ? 0 : ALLOCTRACE_ENO_MEMORY);
    }
    ck_assert_int_gt(n, 20);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(snapshot), 2);
    alloctrace_snapshot_free(snapshot);
}
END_TEST

START_TEST(merging_without_memory)
{
    alloctrace_snapshot *snapshot;
    alloctrace_snapshot *merged = NULL;
    long n = 0;

    make_dump();
    snapshot = load();
    ck_assert_int_eq(alloctrace_snapshot_set_attribute(snapshot, "k", "v"), 0);
    for (; !merged; n++) {
        alloctrace_builder *builder = NULL;
        int result;

        left = n;
        result = alloctrace_builder_create(&builder);
        for (int i = 0; i < 2 && !result; i++)
            result = alloctrace_builder_add_snapshot(builder, snapshot);
        if (!result)
            result = alloctrace_builder_finish(builder, &merged);
        else
            alloctrace_builder_free(builder);
        left = -1;
        ck_assert_int_eq(result, merged ? 0 : ALLOCTRACE_ENO_MEMORY);
    }
    ck_assert_int_gt(n, 40);
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(merged), 40);
    ck_assert_int_eq(alloctrace_snapshot_trace(merged, 39)->live_blocks, 2);
    alloctrace_snapshot_free(merged);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
}
END_TEST

/* With runs on the disk: so many that they are merged, too. */
START_TEST(merging_files_without_memory)
{
    enum { N = 17 };
    const struct alloctrace_merge_options options = {.size = sizeof options,
                                                     .max_memory = 1};
    char folder[] = "/tmp/check_scarcity.XXXXXX";
    char input[64];
    char output[64];
    const char *paths[N];
    alloctrace_snapshot *snapshot;
    int result = ALLOCTRACE_ENO_MEMORY;
    long n = 0;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(input, sizeof input, "%s/in", folder);
    snprintf(output, sizeof output, "%s/out", folder);
    make_dump();
    snapshot = load();
    ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, input, NULL), 0);
    alloctrace_snapshot_free(snapshot);
    dumpfile_fini(&dump);
    for (int i = 0; i < N; i++)
        paths[i] = input;
    for (; result; n++) {
        struct alloctrace_error error = {0};
        const char *path;

        left = n;
        result =
            alloctrace_merge(paths, N, output, &options, &path, &error);
        left = -1;
        if (!result)
            break;
        ck_assert_int_eq(result, ALLOCTRACE_ENO_MEMORY);
        ck_assert_str_eq(error.message, "out of memory");
        ck_assert_int_ne(access(output, F_OK), 0);
    }
    ck_assert_int_gt(n, 400);
    ck_assert_int_eq(
        alloctrace_snapshot_load(output, &snapshot, NULL), 0);
    ck_assert_int_eq(alloctrace_snapshot_trace(snapshot, 0)->live_blocks, N);
    alloctrace_snapshot_free(snapshot);
    unlink(output);
    unlink(input);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

CHECK_MAIN("scarcity", loading_without_memory, loading_files_without_memory,
           dumping_without_memory, attributes_without_memory,
           statistics_without_memory, comparing_without_memory,
           folding_without_memory, types_without_memory,
           filtering_without_memory, text_without_memory,
           resolving_without_memory, a_file_without_memory,
           building_without_memory, merging_without_memory,
           merging_files_without_memory)
