/* SPDX-License-Identifier: MIT */
/*
 * Which frame answers for an allocation: random trees of paths against a
 * second implementation of the rule in docs/design.md, which looks at whole
 * paths frame by frame.
 */
#include <stdio.h>
#include <string.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "dumpfile.h"

enum { CALL = 1, INLINED = 3 }; /* kinds */
enum { R = 2 };                 /* a flag: the result is returned */

static struct dumpfile dump;

static void load(alloctrace_snapshot **raw, alloctrace_snapshot **folded)
{
    dumpfile_finish(&dump);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(dump.file.data,
                                                    dump.file.size, raw, NULL),
                     0);
    dumpfile_fini(&dump);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(*raw, folded), 0);
}

enum { N_SITES = 12, N_PATHS = 60, MAX_CHAIN = 3, MAX_LEVELS = 4 * N_PATHS };

/* Types and their sizes; the first is none. */
static const struct {
    const char *name;
    uint32_t size;
} types[] = {{NULL, 0},        {"char", 1},      {"u8", 1},
             {"struct a", 8},  {"struct b", 16}, {"struct b2", 16},
             {"struct c", 24}, {"struct d", 30}, {"opaque", 0}};
enum { N_TYPES = sizeof types / sizeof *types };

/* A level of a random path. */
struct step {
    char function[16];
    int hands_on;
    int type; /* in `types` */
    int is_library;
};

/* A call site: the steps that were inlined there. */
struct site {
    struct step steps[MAX_CHAIN]; /* the innermost first */
    int n;
    uint32_t frame; /* its number in the file */
};

/* A tree of paths, by traceback number - 1. */
struct forest {
    struct site sites[N_SITES];
    int parent[N_PATHS]; /* -1 = outermost */
    int site[N_PATHS];
    int64_t bytes[N_PATHS];  /* in `blocks` */
    int64_t blocks[N_PATHS]; /* 0 = no trace */
};

static void make_site(struct site *site, int number)
{
    uint32_t caller = 0;

    site->n = 1 + rand() % MAX_CHAIN;
    for (int i = site->n - 1; i >= 0; i--) {
        struct step *step = &site->steps[i];

        snprintf(step->function, sizeof step->function, "f%d_%d", number, i);
        step->hands_on = rand() % 3 > 0;
        step->type = rand() % 2 ? rand() % N_TYPES : 0;
        step->is_library = rand() % 5 == 0;
        caller = dumpfile_frame(
            &dump, (struct dumpframe){.file = step->is_library
                                                  ? "/usr/include/c++/12/map"
                                                  : "a.c",
                                      .function = step->function,
                                      .type = types[step->type].name,
                                      .type_size = types[step->type].size,
                                      .flags = step->hands_on ? R : 0,
                                      .kind = i == 0 ? CALL : INLINED,
                                      .caller = caller});
    }
    site->frame = caller;
}

static void make_forest(struct forest *forest)
{
    dumpfile_init(&dump);
    for (int i = 0; i < N_SITES; i++)
        make_site(&forest->sites[i], i);
    for (int i = 0; i < N_PATHS; i++) {
        forest->parent[i] = i > 0 && rand() % 8 ? rand() % i : -1;
        forest->site[i] = rand() % N_SITES;
        forest->blocks[i] = rand() % 3;
        forest->bytes[i] = forest->blocks[i] * (4 + rand() % 24);
        dumpfile_traceback(&dump, (uint32_t)(forest->parent[i] + 1),
                           forest->sites[forest->site[i]].frame);
        if (forest->blocks[i])
            dumpfile_trace(&dump, (uint32_t)i + 1, 0, 0, forest->blocks[i],
                           forest->bytes[i]);
    }
}

/* The steps of a whole path, the most recent first. Returns how many. */
static int whole_path(const struct forest *forest, int path,
                      const struct step **steps)
{
    int n = 0;

    for (; path >= 0; path = forest->parent[path]) {
        const struct site *site = &forest->sites[forest->site[path]];

        for (int i = 0; i < site->n; i++)
            steps[n++] = &site->steps[i];
    }
    return n;
}

/* The rule once more: where a path begins, and its type. */
static int reference(const struct step *const *steps, int n, int64_t average,
                     int *type)
{
    int end = 0;
    int answer = -1;
    int outside;

    while (end < n - 1 && steps[end]->hands_on)
        end++;
    for (int i = end; i >= 0; i--) { /* inwards: of equals the inner one */
        const int t = steps[i]->type;
        const int64_t size = types[t].size;

        if (t == 0 || size >= average + 8)
            continue;
        if (steps[i]->hands_on && size >= 1 && size <= 8 && average / size != 1)
            continue;
        if (answer < 0 || types[t].size >= types[steps[answer]->type].size)
            answer = i;
    }
    if (answer < 0)
        answer = end;
    *type = steps[answer]->type;
    for (outside = answer; outside < n; outside++)
        if (!steps[outside]->is_library)
            return outside;
    return answer;
}

/* Compares one trace's folded path with the rest of the whole one. */
static void expect_rest(const alloctrace_snapshot *folded, size_t trace,
                        const struct step *const *steps, int n)
{
    alloctrace_traceback *traceback;

    ck_assert_int_eq(alloctrace_snapshot_traceback(
                         folded,
                         alloctrace_snapshot_trace(folded, trace)->traceback,
                         &traceback),
                     0);
    ck_assert_int_eq((int)alloctrace_traceback_count(traceback), n);
    for (int i = 0; i < n; i++)
        ck_assert_str_eq(
            alloctrace_traceback_frame(traceback, -1 - i)->function,
            steps[i]->function);
    alloctrace_traceback_free(traceback);
}

static void expect_types(const alloctrace_snapshot *snapshot,
                         const int64_t *bytes)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = ALLOCTRACE_BY_TYPE};
    alloctrace_statistics *statistics;
    size_t n_types = 0;

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    for (int i = 0; i < N_TYPES; i++)
        n_types += bytes[i] > 0;
    ck_assert_uint_eq(alloctrace_statistics_count(statistics), n_types);
    for (size_t i = 0; i < n_types; i++) {
        const struct alloctrace_statistic *group =
            alloctrace_statistics_get(statistics, i);
        int type = 0;

        for (int k = 1; k < N_TYPES; k++)
            if (strcmp(group->key, types[k].name) == 0)
                type = k;
        ck_assert_int_eq(group->size, bytes[type]);
    }
    alloctrace_statistics_free(statistics);
}

static void expect_forest(const struct forest *forest)
{
    const struct step *steps[MAX_LEVELS];
    int64_t bytes[N_TYPES] = {0};
    alloctrace_snapshot *raw;
    alloctrace_snapshot *folded;
    size_t trace = 0;

    load(&raw, &folded);
    for (int i = 0; i < N_PATHS; i++) {
        int type;
        int n;
        int begin;

        if (!forest->blocks[i])
            continue;
        n = whole_path(forest, i, steps);
        begin =
            reference(steps, n, forest->bytes[i] / forest->blocks[i], &type);
        bytes[type] += forest->bytes[i];
        expect_rest(folded, trace++, steps + begin, n - begin);
    }
    ck_assert_uint_eq(alloctrace_snapshot_trace_count(folded), trace);
    expect_types(raw, bytes);
    expect_types(folded, bytes);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(raw);
}

static size_t name_twice(void *data, const struct alloctrace_module *module,
                         uint64_t address, struct alloctrace_symbol *symbols)
{
    (void)data;
    (void)module;
    (void)address;
    symbols[0].function = "_Znwm";
    symbols[1].function = "strdup";
    return 2;
}

static size_t name_thrice(void *data, const struct alloctrace_module *module,
                          uint64_t address, struct alloctrace_symbol *symbols)
{
    (void)data;
    (void)module;
    (void)address;
    for (int i = 0; i < 3; i++)
        symbols[i].function = "outer";
    return 3;
}

/* Asks everything of the groups of a snapshot. */
static void ask(const alloctrace_snapshot *snapshot, int by)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = by};
    alloctrace_statistics *statistics;
    alloctrace_traceback *traceback;

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++) {
        ck_assert_int_eq(
            alloctrace_statistics_traceback(statistics, i, &traceback), 0);
        alloctrace_traceback_free(traceback);
        ck_assert_int_eq(
            alloctrace_statistics_wrappers(statistics, i, &traceback), 0);
        alloctrace_traceback_free(traceback);
    }
    alloctrace_statistics_free(statistics);
}

/* Files that the loader takes though no writer would make them: folding and
 * what follows survive them (and the sanitizers see it). */
START_TEST(forged_paths_do_no_harm)
{
    struct forest forest;

    for (unsigned seed = 0; seed < 4000; seed++) {
        alloctrace_snapshot *raw;
        alloctrace_snapshot *folded;

        srand(seed / 100);
        make_forest(&forest);
        dumpfile_module(&dump, "/lib/a.so", NULL, 0, 99, 0);
        dumpfile_finish(&dump);
        srand(seed);
        for (int i = 0; i < 3; i++)
            dump.file.data[16 + (size_t)rand() % (dump.file.size - 56)] =
                (unsigned char)(rand() % 4 ? rand() % 70 : rand());
        file_mend(&dump.file);
        if (alloctrace_snapshot_load_bytes(dump.file.data, dump.file.size, &raw,
                                           NULL) == 0) {
            ck_assert_int_eq(alloctrace_snapshot_resolve(raw, name_twice, NULL),
                             0);
            ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(raw, &folded),
                             0);
            for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE;
                 by++)
                ask(folded, by);
            alloctrace_snapshot_free(folded);
            alloctrace_snapshot_free(raw);
        }
        dumpfile_fini(&dump);
    }
}
END_TEST

/* Code inlined into an address that is named later. */
START_TEST(an_address_has_nothing_inlined_into_it)
{
    alloctrace_snapshot *raw;
    alloctrace_snapshot *folded;
    uint32_t frame;

    dumpfile_init(&dump);
    dumpfile_module(&dump, "/lib/a.so", NULL, 0, 99, 0);
    frame =
        dumpfile_frame(&dump, (struct dumpframe){.address = 9, .module = 1});
    frame = dumpfile_frame(&dump, (struct dumpframe){.file = "a.c",
                                                     .function = "inner",
                                                     .flags = R,
                                                     .caller = frame});
    dumpfile_trace(&dump, dumpfile_traceback(&dump, 0, frame), 0, 0, 1, 8);
    dumpfile_finish(&dump);
    ck_assert_int_eq(alloctrace_snapshot_load_bytes(dump.file.data,
                                                    dump.file.size, &raw, NULL),
                     0);
    dumpfile_fini(&dump);
    ck_assert_int_eq(alloctrace_snapshot_resolve(raw, name_thrice, NULL), 0);
    ck_assert_int_eq(alloctrace_snapshot_fold_wrappers(raw, &folded), 0);
    ask(folded, ALLOCTRACE_BY_TRACEBACK);
    alloctrace_snapshot_free(folded);
    alloctrace_snapshot_free(raw);
}
END_TEST

START_TEST(random_paths_fold_as_the_rule_says)
{
    for (unsigned seed = 0; seed < 300; seed++) {
        struct forest forest;

        srand(seed);
        make_forest(&forest);
        expect_forest(&forest);
    }
}
END_TEST

CHECK_MAIN("fold_random", forged_paths_do_no_harm,
           an_address_has_nothing_inlined_into_it,
           random_paths_fold_as_the_rule_says)
