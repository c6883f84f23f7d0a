/* SPDX-License-Identifier: MIT */
/*
 * Filters on random snapshots, folded ones and such with a limit too, against a
 * second implementation: filters.h as it reads, trace by trace over the frames
 * of its traceback, with the patterns of the C library (which agree with
 * Python's but for odd brackets).
 *
 * Trace i has 2^i live bytes, so that each sum says which traces are in it.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

enum {
    N_SNAPSHOTS = 60,
    N_LISTS = 8, /* of filters, for each snapshot */
    N_SITES = 14,
    N_PATHS = 40,
    N_TRACES = 44,
    N_BLOCKS = 60,
    MAX_FILTERS = 4
};

/* What a snapshot is made of; "" is unknown. */
static const char *const files[] = {"a.c",  "b.c",   "ab.c",
                                    "a.py", "a.pyc", "/usr/include/c++/12/map"};
static const char *const functions[] = {"f", "g", "fg", "ff", ""};
static const char *const modules[] = {"/lib/a.so", "/bin/b", "/lib/a.so.1"};
static const char *const threads[] = {"main", "w1", "w2"};
static const char *const types[] = {"T", "U", "struct T", ""};
static const char *const patterns[] = {
    "*",   "a*",    "*.c",  "?.c",   "[ab].c", "[!a].c", "f",   "?",
    "*f*", "[f-g]", "",     "*so",   "/*",     "main",   "w?",  "[!m]*",
    "*T",  "U",     "a.py", "?.pyc", "*map",   "[[]a*",  "?*?", "*a*.*"};

#define ANY_OF(list) ((list)[(size_t)rand() % (sizeof(list) / sizeof *(list))])

static struct dumpfile dump;

/* ---- Random snapshots ---- */

/* One to three frames, inlined into each other. Returns the innermost. */
static uint32_t make_site(void)
{
    const int n = 1 + rand() % 3;
    uint32_t frame = 0;

    if (rand() % 6 == 0)
        return dumpfile_frame(
            &dump, (struct dumpframe){.address = 16 + (uint64_t)rand() % 32,
                                      .module = (uint32_t)rand() % 4});
    for (int i = 0; i < n; i++)
        frame = dumpfile_frame(
            &dump, (struct dumpframe){.file = ANY_OF(files),
                                      .function = ANY_OF(functions),
                                      .type = ANY_OF(types),
                                      .type_size = 8 * (uint32_t)(rand() % 5),
                                      .module = (uint32_t)rand() % 4,
                                      .line = (uint32_t)rand() % 3,
                                      .flags = rand() % 2 ? 2 : 0,
                                      .caller = frame,
                                      .kind = i == n - 1 ? 1 + rand() % 2 : 3});
    return frame;
}

/* A trace, with details and blocks if they are wanted. */
static void make_trace(int index, uint32_t path, bool has_details)
{
    const uint32_t thread = (uint32_t)rand() % 4;
    const uint32_t domain = (uint32_t)rand() % 3;
    const int64_t blocks = 1 + rand() % 3;
    const int64_t bytes = blocks * (rand() % 40);

    dumpfile_trace_full(&dump, path, thread, domain,
                        (const int64_t[]){1, INT64_C(1) << index, blocks, bytes,
                                          1, rand() % 100});
    if (!has_details || rand() % 3 == 0)
        return;
    dumpfile_detail(&dump, path, thread, domain,
                    (const uint64_t[]){1, (uint64_t)index, 3, 4, 5, 6, 7, 8,
                                       9 + (uint64_t)index});
    for (uint32_t class = (uint32_t)rand() % 4; class < 6; class += 2)
        dumpfile_size(&dump, path, thread, domain, class, 1, 1 + class);
}

/* One to three functions, inlined into each other, for some addresses. */
static size_t resolve(void *data, const struct alloctrace_module *module,
                      uint64_t address, struct alloctrace_symbol *symbols)
{
    const size_t n = address % 4;

    (void)data;
    (void)module;
    for (size_t i = 0; i < n; i++)
        symbols[i] = (struct alloctrace_symbol){
            files[(address + i) % 6], functions[(address / 2 + i) % 4],
            (uint32_t)(address + i) % 3, 0};
    return n;
}

static alloctrace_snapshot *make_snapshot(uint32_t limit)
{
    alloctrace_snapshot *snapshot;

    const bool has_details = rand() % 2;
    uint32_t sites[N_SITES];

    dumpfile_init(&dump);
    dump.traceback_limit = limit;
    dump.has_details = has_details;
    for (int i = 0; i < 3; i++) {
        dumpfile_module(&dump, modules[i], NULL, 32 * (uint64_t)i,
                        32 * (uint64_t)i + 31, 0);
        dumpfile_thread(&dump, (uint32_t)i + 1, threads[i]);
    }
    for (int i = 0; i < N_SITES; i++)
        sites[i] = make_site();
    for (int i = 0; i < N_PATHS; i++)
        dumpfile_traceback(&dump, rand() % 6 ? (uint32_t)(rand() % (i + 1)) : 0,
                           sites[rand() % N_SITES]);
    for (int i = 0; i < N_TRACES; i++)
        make_trace(i, (uint32_t)(rand() % (N_PATHS + 1)), has_details);
    for (int i = 0; i < N_BLOCKS && has_details; i++)
        dumpfile_block(&dump, 64 + 16 * (uint64_t)i, (uint64_t)i,
                       (uint32_t)(rand() % (N_PATHS + 1)),
                       (uint32_t)(rand() % 3));
    snapshot = dumpfile_load(&dump);
    if (rand() % 2)
        ck_assert_int_eq(alloctrace_snapshot_resolve(snapshot, resolve, NULL),
                         0);
    return snapshot;
}

/* ---- Random filters ---- */

/* Asks for some things, mostly for few. */
static struct alloctrace_filter make_filter(void)
{
    struct alloctrace_filter filter = alloctrace_filter_make(
        rand() % 2, rand() % 3 ? ANY_OF(patterns) : NULL);

    filter.all_frames = rand() % 2;
    filter.lineno = rand() % 4 ? ALLOCTRACE_ANY : rand() % 3;
    filter.domain = rand() % 5 ? ALLOCTRACE_ANY : rand() % 4;
    filter.function_pattern = rand() % 4 ? NULL : ANY_OF(patterns);
    filter.module_pattern = rand() % 6 ? NULL : ANY_OF(patterns);
    filter.type_pattern = rand() % 6 ? NULL : ANY_OF(patterns);
    filter.thread_pattern = rand() % 6 ? NULL : ANY_OF(patterns);
    return filter;
}

/* ---- What filters mean ---- */

static bool name_matches(const char *pattern, const char *name)
{
    return !pattern || fnmatch(pattern, name, FNM_NOESCAPE) == 0;
}

/* ".pyc" counts as ".py" on both sides. */
static bool file_matches(const char *pattern, const char *name)
{
    char texts[2][64];
    const char *const given[] = {pattern, name};

    if (!pattern)
        return true;
    for (int i = 0; i < 2; i++) {
        const size_t size = strlen(given[i]);

        strcpy(texts[i], given[i]);
        if (size >= 4 && strcmp(given[i] + size - 4, ".pyc") == 0)
            texts[i][size - 1] = '\0';
    }
    return name_matches(texts[0], texts[1]);
}

static bool frame_matches(const struct alloctrace_filter *filter,
                          const struct alloctrace_frame *frame)
{
    return file_matches(filter->filename_pattern, frame->file) &&
           (filter->lineno == ALLOCTRACE_ANY ||
            filter->lineno == (int64_t)frame->line) &&
           name_matches(filter->function_pattern, frame->function) &&
           name_matches(filter->module_pattern,
                        frame->module ? frame->module->path : "");
}

static bool path_matches(const alloctrace_snapshot *snapshot,
                         const struct alloctrace_filter *filter,
                         uint32_t traceback_id)
{
    alloctrace_traceback *traceback;
    bool is_match = false;
    size_t n;

    ck_assert_int_eq(
        alloctrace_snapshot_traceback(snapshot, traceback_id, &traceback), 0);
    n = filter->all_frames ? alloctrace_traceback_count(traceback) : 1;
    for (ptrdiff_t i = 1; i <= (ptrdiff_t)n && !is_match; i++)
        is_match =
            frame_matches(filter, alloctrace_traceback_frame(traceback, -i));
    alloctrace_traceback_free(traceback);
    return is_match;
}

static bool trace_matches(const alloctrace_snapshot *snapshot,
                          const struct alloctrace_filter *filter, size_t index,
                          const char *type)
{
    const struct alloctrace_trace *const trace =
        alloctrace_snapshot_trace(snapshot, index);
    const struct alloctrace_thread *const thread =
        alloctrace_snapshot_thread(snapshot, trace->thread);

    return (filter->domain == ALLOCTRACE_ANY ||
            filter->domain == (int64_t)trace->domain) &&
           name_matches(filter->thread_pattern, thread ? thread->name : "") &&
           name_matches(filter->type_pattern, type) &&
           path_matches(snapshot, filter, trace->traceback);
}

/* The types of all traces, as statistics by type have them. */
static void list_types(const alloctrace_snapshot *snapshot,
                       char list[N_TRACES][16])
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = ALLOCTRACE_BY_TYPE};
    alloctrace_statistics *statistics;

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(statistics, i);

        for (int j = 0; j < N_TRACES; j++)
            if (group->size >> j & 1)
                strcpy(list[j], group->key);
    }
    alloctrace_statistics_free(statistics);
}

/* The traces that filters let through, as a set. */
static uint64_t expected_traces(const alloctrace_snapshot *snapshot,
                                const struct alloctrace_filter *filters,
                                size_t n_filters)
{
    char list[N_TRACES][16];
    uint64_t set = 0;

    list_types(snapshot, list);
    for (int i = 0; i < N_TRACES; i++) {
        bool has_inclusive = false;
        bool is_included = false;
        bool is_excluded = false;

        for (size_t j = 0; j < n_filters; j++) {
            const bool is_match =
                trace_matches(snapshot, &filters[j], (size_t)i, list[i]);

            if (filters[j].inclusive)
                has_inclusive = true;
            if (filters[j].inclusive && is_match)
                is_included = true;
            if (!filters[j].inclusive && is_match)
                is_excluded = true;
        }
        if ((!has_inclusive || is_included) && !is_excluded)
            set |= UINT64_C(1) << i;
    }
    return set;
}

/* ---- What must be so of the result ---- */

/* Traces are those of the set, in their order, with their details. */
static void expect_traces(const alloctrace_snapshot *snapshot,
                          const alloctrace_snapshot *filtered, uint64_t set)
{
    const int has_details = alloctrace_snapshot_has_details(snapshot);
    size_t n = 0;

    ck_assert_int_eq(alloctrace_snapshot_has_details(filtered), has_details);
    for (size_t i = 0; i < N_TRACES; i++) {
        struct alloctrace_detail *left;
        struct alloctrace_detail *right;

        if (!(set >> i & 1))
            continue;
        ck_assert_ptr_nonnull(alloctrace_snapshot_trace(filtered, n));
        ck_assert_mem_eq(alloctrace_snapshot_trace(filtered, n),
                         alloctrace_snapshot_trace(snapshot, i),
                         sizeof(struct alloctrace_trace));
        if (has_details) {
            ck_assert_int_eq(alloctrace_snapshot_detail(snapshot, i, &left), 0);
            ck_assert_int_eq(alloctrace_snapshot_detail(filtered, n, &right),
                             0);
            ck_assert_mem_eq(left, right,
                             sizeof *left +
                                 left->n_sizes * sizeof *left->sizes);
            alloctrace_detail_free(left);
            alloctrace_detail_free(right);
        }
        n++;
    }
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(filtered), n);
}

/* Of the blocks those that a kept trace has. `raw` has the file's tracebacks;
 * its traces are those of the snapshot. */
static void expect_blocks(const alloctrace_snapshot *raw,
                          const alloctrace_snapshot *filtered, uint64_t set)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < alloctrace_snapshot_block_count(raw); i++) {
        const struct alloctrace_block *const block =
            alloctrace_snapshot_block(raw, i);
        bool is_kept = false;

        for (size_t j = 0; j < N_TRACES; j++) {
            const struct alloctrace_trace *const trace =
                alloctrace_snapshot_trace(raw, j);

            if (set >> j & 1 && trace->traceback == block->traceback &&
                trace->domain == block->domain)
                is_kept = true;
        }
        if (is_kept) {
            ck_assert_ptr_nonnull(alloctrace_snapshot_block(filtered, n));
            ck_assert_mem_eq(alloctrace_snapshot_block(filtered, n), block,
                             sizeof *block);
            n++;
        }
    }
    ck_assert_uint_eq(alloctrace_snapshot_block_count(filtered), n);
}

/* The group of statistics that traces of a set are in; NULL: there is none. */
static const struct alloctrace_statistic *
find_group(const alloctrace_statistics *statistics, uint64_t set)
{
    for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(statistics, i);

        if ((uint64_t)group->size & set)
            return group;
    }
    return NULL;
}

/* Groups are those of the whole, of what is kept: types do not change. */
static void expect_groups(const alloctrace_snapshot *snapshot,
                          const alloctrace_snapshot *filtered, uint64_t set)
{
    for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++) {
        const struct alloctrace_statistics_options options = {
            .size = sizeof options, .group_by = by};
        alloctrace_statistics *whole;
        alloctrace_statistics *part;
        size_t n = 0;

        ck_assert_int_eq(
            alloctrace_snapshot_statistics(snapshot, &options, &whole), 0);
        ck_assert_int_eq(
            alloctrace_snapshot_statistics(filtered, &options, &part), 0);
        for (size_t i = 0; i < alloctrace_statistics_count(whole); i++) {
            const struct alloctrace_statistic *const group =
                alloctrace_statistics_get(whole, i);
            const uint64_t kept = (uint64_t)group->size & set;
            const struct alloctrace_statistic *const found =
                find_group(part, kept);

            if (!kept)
                continue;
            n++;
            ck_assert_ptr_nonnull(found);
            ck_assert_uint_eq((uint64_t)found->size, kept);
            ck_assert_int_eq(found->count, __builtin_popcountll(kept));
            ck_assert_str_eq(found->key, group->key);
            ck_assert_uint_eq(found->line, group->line);
            ck_assert_uint_eq(found->number, group->number);
        }
        ck_assert_uint_eq(alloctrace_statistics_count(part), n);
        alloctrace_statistics_free(whole);
        alloctrace_statistics_free(part);
    }
}

/* Marks the functions that folding left out of a path. */
static void mark_wrappers(const alloctrace_snapshot *raw, uint32_t raw_id,
                          const alloctrace_snapshot *folded, uint32_t id,
                          bool *is_wrapper)
{
    alloctrace_traceback *long_one;
    alloctrace_traceback *short_one;
    size_t n;

    ck_assert_int_eq(alloctrace_snapshot_traceback(raw, raw_id, &long_one), 0);
    ck_assert_int_eq(alloctrace_snapshot_traceback(folded, id, &short_one), 0);
    n = alloctrace_traceback_count(long_one) -
        alloctrace_traceback_count(short_one);
    for (ptrdiff_t i = 1; i <= (ptrdiff_t)n; i++) {
        const struct alloctrace_frame *const frame =
            alloctrace_traceback_frame(long_one, -i);

        for (size_t j = 0; j < sizeof functions / sizeof *functions; j++)
            if (!frame->is_library &&
                strcmp(frame->function, functions[j]) == 0)
                is_wrapper[j] = true;
    }
    alloctrace_traceback_free(long_one);
    alloctrace_traceback_free(short_one);
}

/* The wrappers of a folded snapshot are those that kept traces came through.
 * Without a limit, which hides frames. */
static void expect_wrappers(const alloctrace_snapshot *raw,
                            const alloctrace_snapshot *folded,
                            const alloctrace_snapshot *filtered, uint64_t set)
{
    bool is_wrapper[sizeof functions / sizeof *functions] = {false};
    const size_t n = alloctrace_snapshot_wrapper_count(filtered);
    size_t n_expected = 0;

    for (size_t i = 0; i < N_TRACES; i++)
        if (set >> i & 1 && alloctrace_snapshot_trace(raw, i)->total_bytes)
            mark_wrappers(
                raw, alloctrace_snapshot_trace(raw, i)->traceback, folded,
                alloctrace_snapshot_trace(folded, i)->traceback, is_wrapper);
    for (size_t j = 0; j < sizeof functions / sizeof *functions; j++) {
        bool is_listed = false;

        if (!*functions[j] || !is_wrapper[j])
            continue;
        n_expected++;
        for (size_t i = 0; i < n; i++)
            if (!strcmp(alloctrace_snapshot_wrapper(filtered, i), functions[j]))
                is_listed = true;
        ck_assert_msg(is_listed, "%s is no wrapper", functions[j]);
    }
    ck_assert_uint_eq(n, n_expected);
}

static void check_list(const alloctrace_snapshot *raw,
                       const alloctrace_snapshot *snapshot, uint32_t limit)
{
    struct alloctrace_filter filters[MAX_FILTERS];
    const size_t n = (size_t)rand() % (MAX_FILTERS + 1);
    alloctrace_snapshot *filtered = NULL;
    uint64_t set;

    for (size_t i = 0; i < n; i++)
        filters[i] = make_filter();
    set = expected_traces(snapshot, filters, n);
    ck_assert_int_eq(
        alloctrace_snapshot_filter_traces(snapshot, filters, n, &filtered), 0);
    expect_traces(snapshot, filtered, set);
    if (n > 0)
        expect_blocks(raw, filtered, set);
    expect_groups(snapshot, filtered, set);
    if (raw != snapshot && limit == 0)
        expect_wrappers(raw, snapshot, filtered, set);
    alloctrace_snapshot_free(filtered);
}

START_TEST(filters_are_what_the_page_says)
{
    for (int seed = 0; seed < N_SNAPSHOTS; seed++) {
        alloctrace_snapshot *raw;
        alloctrace_snapshot *folded;
        uint32_t limit;

        srand((unsigned)seed);
        limit = rand() % 2 ? (uint32_t)(rand() % 7) : 0;
        raw = make_snapshot(limit);
        ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(raw, &folded), 0);
        for (int i = 0; i < N_LISTS; i++) {
            check_list(raw, raw, limit);
            check_list(raw, folded, limit);
        }
        alloctrace_snapshot_free(raw);
        alloctrace_snapshot_free(folded);
    }
}
END_TEST

/* What is filtered again has what both let through. */
START_TEST(filters_one_after_the_other_must_both_match)
{
    for (int seed = 0; seed < N_SNAPSHOTS; seed++) {
        alloctrace_snapshot *whole[2];
        struct alloctrace_filter filters[2];

        srand((unsigned)seed);
        whole[0] = make_snapshot(0);
        ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(whole[0], &whole[1]),
                         0);
        for (int i = 0; i < 2; i++)
            filters[i] = make_filter();
        for (int i = 0; i < 2; i++) {
            const uint64_t set = expected_traces(whole[i], &filters[0], 1) &
                                 expected_traces(whole[i], &filters[1], 1);
            alloctrace_snapshot *once;
            alloctrace_snapshot *twice;

            ck_assert_int_eq(alloctrace_snapshot_filter_traces(
                                 whole[i], &filters[0], 1, &once),
                             0);
            ck_assert_int_eq(
                alloctrace_snapshot_filter_traces(once, &filters[1], 1, &twice),
                0);
            alloctrace_snapshot_free(once);
            expect_traces(whole[i], twice, set);
            expect_blocks(whole[0], twice, set);
            expect_groups(whole[i], twice, set);
            alloctrace_snapshot_free(twice);
        }
        alloctrace_snapshot_free(whole[0]);
        alloctrace_snapshot_free(whole[1]);
    }
}
END_TEST

/* What is asked of no frame may be asked before or after folding. */
START_TEST(folding_and_filtering_may_change_places)
{
    for (int seed = 0; seed < N_SNAPSHOTS; seed++) {
        struct alloctrace_filter filter = alloctrace_filter_make(1, NULL);
        alloctrace_snapshot *raw;
        alloctrace_snapshot *folded;
        alloctrace_snapshot *part;
        alloctrace_snapshot *part_folded;
        uint64_t set;

        srand((unsigned)seed);
        raw = make_snapshot(0);
        filter.thread_pattern = ANY_OF(threads);
        filter.domain = rand() % 3 - 1;
        set = expected_traces(raw, &filter, 1);
        ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(raw, &folded), 0);
        ck_assert_int_eq(
            alloctrace_snapshot_filter_traces(raw, &filter, 1, &part), 0);
        ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(part, &part_folded),
                         0);
        expect_groups(folded, part_folded, set);
        alloctrace_snapshot_free(raw);
        alloctrace_snapshot_free(folded);
        alloctrace_snapshot_free(part);
        alloctrace_snapshot_free(part_folded);
    }
}
END_TEST

/* ---- Originals ---- */

/* All of a snapshot, as bytes. The caller frees them. */
static void *bytes_of(const alloctrace_snapshot *snapshot, size_t *size)
{
    char path[] = "/tmp/check_filter.XXXXXX";
    const int fd = mkstemp(path);
    void *bytes;

    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(alloctrace_snapshot_dump(snapshot, path, NULL), 0);
    ck_assert_int_eq(alloctrace_read_file(path, &bytes, size, NULL), 0);
    unlink(path);
    return bytes;
}

START_TEST(the_original_is_not_changed)
{
    for (int seed = 0; seed < 30; seed++) {
        alloctrace_snapshot *raw;
        alloctrace_snapshot *folded;
        void *before[2];
        size_t size[2];

        srand((unsigned)seed);
        raw = make_snapshot(seed % 3 ? 0 : 3);
        ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(raw, &folded), 0);
        before[0] = bytes_of(raw, &size[0]);
        before[1] = bytes_of(folded, &size[1]);
        for (int i = 0; i < N_LISTS; i++) {
            check_list(raw, raw, 1);
            check_list(raw, folded, 1);
        }
        for (int i = 0; i < 2; i++) {
            size_t size_after;
            void *const after = bytes_of(i ? folded : raw, &size_after);

            ck_assert_uint_eq(size_after, size[i]);
            ck_assert_mem_eq(after, before[i], size_after);
            free(after);
            free(before[i]);
        }
        alloctrace_snapshot_free(folded);
        alloctrace_snapshot_free(raw);
    }
}
END_TEST

/* ---- Owners ---- */

/* All that hangs together: each is made of one before it. */
struct family {
    alloctrace_snapshot *snapshots[5]; /* raw, folded, filtered, again, copy */
    alloctrace_traceback *traceback;   /* of the one filtered again */
    alloctrace_statistics *statistics; /* of the filtered one */
};

enum { N_MEMBERS = 7 };

static void family_init(struct family *family)
{
    const struct alloctrace_filter filter = alloctrace_filter_make(0, "a.c");
    const struct alloctrace_filter other = alloctrace_domain_filter_make(1, 0);
    alloctrace_snapshot **const s = family->snapshots;

    srand(4);
    s[0] = make_snapshot(0);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(s[0], &s[1]), 0);
    ck_assert_int_eq(alloctrace_snapshot_filter_traces(s[1], &filter, 1, &s[2]),
                     0);
    ck_assert_int_eq(alloctrace_snapshot_filter_traces(s[2], &other, 1, &s[3]),
                     0);
    ck_assert_int_eq(alloctrace_snapshot_filter_traces(s[3], NULL, 0, &s[4]),
                     0);
    ck_assert_int_eq(alloctrace_snapshot_traceback(
                         s[3], alloctrace_snapshot_trace(s[3], 0)->traceback,
                         &family->traceback),
                     0);
    ck_assert_int_eq(
        alloctrace_snapshot_statistics(s[2], NULL, &family->statistics), 0);
}

/* Looks at all of a member that is still there. */
static void family_use(const struct family *family, int member)
{
    volatile size_t n = 0;

    if (member < 5) {
        const alloctrace_snapshot *const s = family->snapshots[member];

        for (size_t i = 0; i < alloctrace_snapshot_trace_count(s); i++) {
            struct alloctrace_walk walk;
            const struct alloctrace_frame *frame;

            alloctrace_walk_begin(&walk, s,
                                  alloctrace_snapshot_trace(s, i)->traceback);
            while ((frame = alloctrace_walk_next(&walk)))
                n += strlen(frame->file) + strlen(frame->function);
        }
        for (size_t i = 0; i < alloctrace_snapshot_block_count(s); i++)
            n += alloctrace_snapshot_block(s, i)->size;
        for (size_t i = 0; i < alloctrace_snapshot_wrapper_count(s); i++)
            n += strlen(alloctrace_snapshot_wrapper(s, i));
    } else if (member == 5) {
        n += strlen(alloctrace_traceback_frame(family->traceback, 0)->file);
    } else {
        alloctrace_traceback *wrappers;

        ck_assert_int_eq(
            alloctrace_statistics_wrappers(family->statistics, 0, &wrappers),
            0);
        n += strlen(alloctrace_statistics_get(family->statistics, 0)->key);
        alloctrace_traceback_free(wrappers);
    }
    ck_assert_uint_gt(n, 0);
}

static void family_free(struct family *family, int member)
{
    if (member < 5)
        alloctrace_snapshot_free(family->snapshots[member]);
    else if (member == 5)
        alloctrace_traceback_free(family->traceback);
    else
        alloctrace_statistics_free(family->statistics);
}

/* Frees in the order of a number: its digits, of bases 7, 6 .. 1, say which of
 * those that are left is next. */
static void free_in_order(int order)
{
    int left[N_MEMBERS];
    struct family family;

    family_init(&family);
    for (int i = 0; i < N_MEMBERS; i++)
        left[i] = i;
    for (int n = N_MEMBERS; n > 0; n--) {
        const int next = order % n;

        order /= n;
        family_free(&family, left[next]);
        memmove(left + next, left + next + 1,
                (size_t)(n - next - 1) * sizeof *left);
        for (int i = 0; i < n - 1; i++)
            family_use(&family, left[i]);
    }
}

/* The address sanitizer sees what is freed too early, or never. */
START_TEST(owners_may_be_freed_in_every_order)
{
    for (int order = 0; order < 7 * 6 * 5 * 4 * 3 * 2; order++)
        free_in_order(order);
}
END_TEST

CHECK_MAIN("filter_random", filters_are_what_the_page_says,
           filters_one_after_the_other_must_both_match,
           folding_and_filtering_may_change_places, the_original_is_not_changed,
           owners_may_be_freed_in_every_order)
