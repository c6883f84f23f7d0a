/* SPDX-License-Identifier: MIT */
/*
 * Merging random snapshots against a plain table in which the tuples that they
 * were made of are added up one by one. What the order of merging could change
 * is compared, too, and sums of statistics with statistics of the sum.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloctrace/analysis.h"
#include "check_alloctrace.h"
#include "loaded.h"

enum {
    N_ROUNDS = 1500,
    N_SNAPSHOTS = 4, /* of a round, at most */
    N_FILES = 40,    /* likewise, where they are files */
    N_TRACES = 12,   /* of a snapshot, at most */
    N_FIGURES = 6,   /* of a trace: live, total, peak; blocks, then bytes */
    N_SUMS = 7,      /* of a detail: what is added up */
    N_ROWS = 2000
};

/* ---- Chance ---- */

static uint64_t state;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

/* ---- The table ---- */

/* All that was added up under one key. */
struct row {
    char key[200];
    int64_t figures[N_FIGURES];
    uint64_t sums[N_SUMS];
    uint64_t smallest, largest;
    bool has_range;
    uint64_t class_blocks[66], class_bytes[66];
};

struct table {
    struct row rows[N_ROWS];
    size_t n;
};

/* Finds a row, or begins one. */
static struct row *row_of(struct table *table, const char *key)
{
    for (size_t i = 0; i < table->n; i++)
        if (strcmp(table->rows[i].key, key) == 0)
            return &table->rows[i];
    ck_assert_uint_lt(table->n, N_ROWS);
    memset(&table->rows[table->n], 0, sizeof *table->rows);
    snprintf(table->rows[table->n].key, sizeof table->rows->key, "%s", key);
    return &table->rows[table->n++];
}

static int compare_rows(const void *left, const void *right)
{
    return strcmp(left, right); /* the key comes first */
}

static void tables_compare(struct table *a, struct table *b)
{
    ck_assert_uint_eq(a->n, b->n);
    qsort(a->rows, a->n, sizeof *a->rows, compare_rows);
    qsort(b->rows, b->n, sizeof *b->rows, compare_rows);
    for (size_t i = 0; i < a->n; i++) {
        const struct row *x = &a->rows[i];
        const struct row *y = &b->rows[i];

        ck_assert_str_eq(x->key, y->key);
        ck_assert_mem_eq(x->figures, y->figures, sizeof x->figures);
        ck_assert_mem_eq(x->sums, y->sums, sizeof x->sums);
        ck_assert_uint_eq(x->smallest, y->smallest);
        ck_assert_uint_eq(x->largest, y->largest);
        ck_assert_mem_eq(x->class_blocks, y->class_blocks,
                         sizeof x->class_blocks);
        ck_assert_mem_eq(x->class_bytes, y->class_bytes, sizeof x->class_bytes);
    }
}

/* ---- Making snapshots ---- */

/* A random kind of program, the same for all snapshots of a round. */
struct kind {
    bool has_details;
    uint32_t limit;
};

/* What a snapshot calls its threads and domains: another each time. */
struct names {
    uint32_t threads[4]; /* numbers of "main", "io", "io", "" */
    uint32_t domains[5]; /* numbers of 0, 7 and the named ones; 1: not there */
};
static const char *const thread_names[] = {"main", "io", "io", ""};
static const char *const domain_names[] = {"0", "7", "pool", "slab", "new"};

static struct dumpfile dump;

static void names_make(struct names *names)
{
    const uint32_t first = 0x80000000u + chance(3);
    uint32_t turn = chance(3);

    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t k = (i + turn) % 4;

        names->threads[k] = dumpfile_thread(&dump, chance(4), thread_names[k]);
    }
    names->domains[0] = 0;
    names->domains[1] = 7;
    for (uint32_t i = 0; i < 3; i++) {
        names->domains[2 + i] = chance(2) ? first + (i + turn) % 3 : 1;
        if (names->domains[2 + i] != 1)
            dumpfile_domain(&dump, names->domains[2 + i], domain_names[2 + i]);
    }
}

/* One frame of a path: of source, inlined, or an address. `text` gets how it
 * is called, the most recent frame first. */
static uint32_t site_make(uint32_t module, uint64_t bias, char *text)
{
    const uint32_t which = chance(5);
    struct dumpframe frame = {
        .file = "a.c", .function = "f", .line = 1 + which};

    if (which == 4) {
        strcat(text, "[lib.so+0x40]:0 ");
        return dumpfile_frame(&dump, (struct dumpframe){.address = bias + 0x40,
                                                        .module = module});
    }
    if (which == 3) {
        strcat(text, "i.h:9 a.c:4 ");
        frame.caller = dumpfile_frame(&dump, frame);
        frame.file = "i.h";
        frame.line = 9;
        return dumpfile_frame(&dump, frame);
    }
    sprintf(text + strlen(text), "a.c:%u ", frame.line);
    return dumpfile_frame(&dump, frame);
}

/* Adds a random path; `text` gets its frames, the most recent first. */
static uint32_t path_make(uint32_t module, uint64_t bias, char *text)
{
    const uint32_t depth = 1 + chance(3);
    char sites[3][32];
    uint32_t traceback = 0;

    for (uint32_t i = 0; i < depth; i++) {
        sites[i][0] = '\0';
        dump.left_out = chance(3);
        traceback = dumpfile_traceback(&dump, traceback,
                                       site_make(module, bias, sites[i]));
    }
    for (uint32_t i = depth; i-- > 0;)
        strcat(text, sites[i]);
    return traceback;
}

/* Cuts a path to its first `limit` words, as the reader does. */
static void path_cut(char *text, uint32_t limit)
{
    for (uint32_t i = 0; limit && *text; text++)
        if (*text == ' ' && ++i == limit) {
            text[1] = '\0';
            return;
        }
}

/* Adds details to the dump and to the row, unless they are there already. */
static void detail_make(struct row *row, uint32_t traceback, uint32_t thread,
                        uint32_t domain, bool has_blocks)
{
    uint64_t figures[9];
    const uint32_t class = chance(66);

    for (int i = 0; i < 9; i++)
        figures[i] = chance(1000);
    figures[8] += figures[7];
    if (!has_blocks)
        figures[7] = figures[8] = 0;
    dumpfile_detail(&dump, traceback, thread, domain, figures);
    dumpfile_size(&dump, traceback, thread, domain, class, 1 + figures[0],
                  figures[1]);
    for (int i = 0; i < N_SUMS; i++)
        row->sums[i] += figures[i];
    row->class_blocks[class] += 1 + figures[0];
    row->class_bytes[class] += figures[1];
    if (!has_blocks)
        return;
    if (!row->has_range || figures[7] < row->smallest)
        row->smallest = figures[7];
    if (!row->has_range || figures[8] > row->largest)
        row->largest = figures[8];
    row->has_range = true;
}

static void trace_make(struct table *table, const struct kind *kind,
                       const struct names *names, uint32_t module,
                       uint64_t bias)
{
    char key[200] = "";
    const uint32_t traceback = path_make(module, bias, key);
    const uint32_t thread = chance(4);
    uint32_t domain = chance(5);
    int64_t figures[N_FIGURES];
    struct row *row;

    while (names->domains[domain] == 1)
        domain = chance(5);
    path_cut(key, kind->limit);
    sprintf(key + strlen(key), "| %s | %s", thread_names[thread],
            domain_names[domain]);
    row = row_of(table, key);
    for (int i = 0; i < N_FIGURES; i++) {
        figures[i] = (int64_t)chance(1000) - (i < 2 ? 500 : 0);
        row->figures[i] += figures[i];
    }
    dumpfile_trace_full(&dump, traceback, names->threads[thread],
                        names->domains[domain], figures);
    if (kind->has_details && chance(4))
        detail_make(row, traceback, names->threads[thread],
                    names->domains[domain], figures[2] != 0);
}

static alloctrace_snapshot *snapshot_make(struct table *table,
                                          const struct kind *kind)
{
    const uint64_t bias = 0x1000 * (1 + chance(5));
    const uint32_t n_traces = chance(N_TRACES + 1);
    struct names names;
    uint32_t module;

    dumpfile_init(&dump);
    dump.traceback_limit = kind->limit;
    dump.has_details = kind->has_details;
    dump.has_left_out = true;
    for (uint32_t i = chance(3); i-- > 0;)
        dumpfile_module(&dump, i ? "/lib/x.so" : "/lib/y.so", NULL, 0, 9, 0);
    module =
        dumpfile_module(&dump, "/lib/lib.so", "c0de", bias, bias + 99, bias);
    names_make(&names);
    for (uint32_t i = 0; i < n_traces; i++)
        trace_make(table, kind, &names, module, bias);
    return dumpfile_load(&dump);
}

/* ---- Reading snapshots ---- */

static void path_text(const alloctrace_snapshot *snapshot, uint32_t id,
                      char *text)
{
    alloctrace_traceback *traceback;

    *text = '\0';
    ck_assert_int_eq(alloctrace_snapshot_traceback(snapshot, id, &traceback),
                     0);
    for (size_t i = 1; i <= alloctrace_traceback_count(traceback); i++) {
        const struct alloctrace_frame *frame =
            alloctrace_traceback_frame(traceback, -(ptrdiff_t)i);

        sprintf(text + strlen(text), "%s:%u ", frame->file, frame->line);
    }
    alloctrace_traceback_free(traceback);
}

static void detail_read(const alloctrace_snapshot *snapshot, size_t index,
                        struct row *row)
{
    struct alloctrace_detail *detail;

    ck_assert_int_eq(alloctrace_snapshot_detail(snapshot, index, &detail), 0);
    row->sums[0] += detail->temporary_blocks;
    row->sums[1] += detail->temporary_bytes;
    row->sums[2] += detail->resized_blocks;
    row->sums[3] += detail->resized_in_place;
    row->sums[4] += detail->moved_bytes;
    row->sums[5] += detail->grown_bytes;
    row->sums[6] += detail->shrunk_bytes;
    for (size_t i = 0; i < detail->n_sizes; i++) {
        const struct alloctrace_size_class *class = &detail->sizes[i];
        const uint32_t number =
            class->to < 2 ? (uint32_t) class->to
                          : 65 - (uint32_t)__builtin_clzll(class->from - 1);

        row->class_blocks[number] += class->blocks;
        row->class_bytes[number] += class->bytes;
    }
    /* With a limit two traces can have one key. */
    if (detail->largest &&
        (!row->has_range || detail->smallest < row->smallest))
        row->smallest = detail->smallest;
    if (detail->largest > row->largest)
        row->largest = detail->largest;
    row->has_range = row->has_range || detail->largest;
    alloctrace_detail_free(detail);
}

/* All traces of a snapshot. */
static void table_read(struct table *table, const alloctrace_snapshot *snapshot)
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);
    char key[200];

    table->n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_trace *trace =
            alloctrace_snapshot_trace(snapshot, i);
        const char *name =
            alloctrace_snapshot_domain_name(snapshot, trace->domain);
        struct row *row;

        path_text(snapshot, trace->traceback, key);
        sprintf(key + strlen(key), "| %s | ",
                alloctrace_snapshot_thread(snapshot, trace->thread)->name);
        if (trace->domain < 0x80000000u)
            sprintf(key + strlen(key), "%u", trace->domain);
        else
            strcat(key, name);
        row = row_of(table, key);
        row->figures[0] += trace->live_blocks;
        row->figures[1] += trace->live_bytes;
        row->figures[2] += trace->total_blocks;
        row->figures[3] += trace->total_bytes;
        row->figures[4] += trace->peak_blocks;
        row->figures[5] += trace->peak_bytes;
        if (alloctrace_snapshot_has_details(snapshot))
            detail_read(snapshot, i, row);
    }
    if (!alloctrace_snapshot_traceback_limit(snapshot))
        ck_assert_uint_eq(table->n, n); /* equal ones stand once */
}

/* Statistics of a snapshot are added to a table. */
static void statistics_add(struct table *table,
                           const alloctrace_snapshot *snapshot, int group_by,
                           int metric)
{
    const struct alloctrace_statistics_options options = {
        .size = sizeof options, .group_by = group_by, .metric = metric};
    alloctrace_statistics *statistics;
    char key[200];

    ck_assert_int_eq(
        alloctrace_snapshot_statistics(snapshot, &options, &statistics), 0);
    for (size_t i = 0; i < alloctrace_statistics_count(statistics); i++) {
        const struct alloctrace_statistic *group =
            alloctrace_statistics_get(statistics, i);
        struct row *row;

        snprintf(key, sizeof key, "%s:%u", group->key, group->line);
        if (group_by == ALLOCTRACE_BY_TRACEBACK)
            path_text(snapshot, group->traceback, key);
        if (group_by == ALLOCTRACE_BY_DOMAIN && group->number == 7)
            strcpy(key, "7");
        row = row_of(table, key);
        row->figures[0] += group->size;
        row->figures[1] += group->count;
    }
    alloctrace_statistics_free(statistics);
}

/* Groups of nothing may be there or not. */
static void empty_remove(struct table *table)
{
    size_t n = 0;

    for (size_t i = 0; i < table->n; i++)
        if (table->rows[i].figures[0] || table->rows[i].figures[1])
            table->rows[n++] = table->rows[i];
    table->n = n;
}

/* ---- Merging ---- */

/* Merges snapshots, forwards or backwards. */
static alloctrace_snapshot *merge(alloctrace_snapshot *const *snapshots,
                                  size_t n, bool is_backwards)
{
    alloctrace_builder *builder;
    alloctrace_snapshot *merged;

    ck_assert_int_eq(alloctrace_builder_create(&builder), 0);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(alloctrace_builder_add_snapshot(
                             builder, snapshots[is_backwards ? n - 1 - i : i]),
                         0);
    ck_assert_int_eq(alloctrace_builder_finish(builder, &merged), 0);
    return merged;
}

/* Tables are large. */
static struct table expected, actual;

static size_t round_make(struct kind *kind, alloctrace_snapshot **snapshots,
                         uint32_t n_max)
{
    const size_t n = 1 + chance(n_max);

    *kind = (struct kind){.has_details = chance(2), .limit = chance(2) * 2};
    expected.n = 0;
    for (size_t i = 0; i < n; i++)
        snapshots[i] = snapshot_make(&expected, kind);
    return n;
}

static void round_end(alloctrace_snapshot **snapshots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        alloctrace_snapshot_free(snapshots[i]);
}

START_TEST(a_merged_snapshot_has_the_sums_of_all)
{
    alloctrace_snapshot *snapshots[N_SNAPSHOTS];
    struct kind kind;

    state = 1;
    for (int round = 0; round < N_ROUNDS; round++) {
        const size_t n = round_make(&kind, snapshots, N_SNAPSHOTS);

        for (int way = 0; way < 2; way++) {
            alloctrace_snapshot *merged = merge(snapshots, n, way);

            ck_assert_int_eq(alloctrace_snapshot_has_details(merged),
                             kind.has_details);
            table_read(&actual, merged);
            tables_compare(&expected, &actual);
            alloctrace_snapshot_free(merged);
        }
        round_end(snapshots, n);
    }
}
END_TEST

START_TEST(merging_merged_snapshots_is_the_same)
{
    alloctrace_snapshot *snapshots[N_SNAPSHOTS];
    struct kind kind;

    state = 2;
    for (int round = 0; round < N_ROUNDS / 3; round++) {
        const size_t n = round_make(&kind, snapshots, N_SNAPSHOTS);
        const size_t n_left = 1 + chance((uint32_t)n);
        alloctrace_snapshot *halves[2] = {
            merge(snapshots, n_left, false),
            n_left < n ? merge(snapshots + n_left, n - n_left, false) : NULL};
        alloctrace_snapshot *merged = merge(halves, halves[1] ? 2 : 1, false);

        table_read(&actual, merged);
        tables_compare(&expected, &actual);
        ck_assert_uint_eq(alloctrace_snapshot_process(merged)->n_processes, n);
        alloctrace_snapshot_free(merged);
        round_end(halves, 2);
        round_end(snapshots, n);
    }
}
END_TEST

START_TEST(statistics_of_the_sum_are_sums_of_statistics)
{
    alloctrace_snapshot *snapshots[N_SNAPSHOTS];
    struct kind kind;

    state = 3;
    for (int round = 0; round < N_ROUNDS / 3; round++) {
        const size_t n = round_make(&kind, snapshots, N_SNAPSHOTS);
        alloctrace_snapshot *merged = merge(snapshots, n, false);

        for (int by = ALLOCTRACE_BY_FILENAME; by <= ALLOCTRACE_BY_MODULE; by++)
            for (int metric = ALLOCTRACE_METRIC_LIVE;
                 metric <= ALLOCTRACE_METRIC_PEAK; metric++) {
                expected.n = actual.n = 0;
                for (size_t i = 0; i < n; i++)
                    statistics_add(&expected, snapshots[i], by, metric);
                statistics_add(&actual, merged, by, metric);
                empty_remove(&expected);
                empty_remove(&actual);
                tables_compare(&expected, &actual);
            }
        alloctrace_snapshot_free(merged);
        round_end(snapshots, n);
    }
}
END_TEST

/* ---- Files ---- */

static char folder[] = "/tmp/check_merge.XXXXXX";
static char names[N_FILES][64];

static void files_write(alloctrace_snapshot *const *snapshots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "%s/%zu", folder, i);
        ck_assert_int_eq(alloctrace_snapshot_dump(snapshots[i], names[i], NULL),
                         0);
    }
}

/* Merges the files with little memory or enough. The caller frees `bytes`. */
static void files_merge(size_t n, uint64_t max_memory, void **bytes,
                        size_t *size)
{
    const struct alloctrace_merge_options options = {.size = sizeof options,
                                                     .max_memory = max_memory};
    const char *paths[N_FILES];
    char output[64];

    for (size_t i = 0; i < n; i++)
        paths[i] = names[i];
    snprintf(output, sizeof output, "%s/merged", folder);
    ck_assert_int_eq(alloctrace_merge(paths, n, output, &options, NULL, NULL),
                     0);
    ck_assert_int_eq(alloctrace_read_file(output, bytes, size, NULL), 0);
    ck_assert_int_eq(unlink(output), 0);
}

/* Whatever is in memory at a time, the file is the same. */
START_TEST(files_are_merged_in_little_memory)
{
    static const uint64_t memory[] = {1, 3000, 30000, 0};
    alloctrace_snapshot *snapshots[N_FILES];
    struct kind kind;

    state = 4;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (int round = 0; round < N_ROUNDS / 75; round++) {
        const size_t n = round_make(&kind, snapshots, N_FILES);
        alloctrace_snapshot *merged;
        void *bytes[4];
        size_t sizes[4];

        files_write(snapshots, n);
        for (size_t i = 0; i < 4; i++) {
            files_merge(n, memory[i], &bytes[i], &sizes[i]);
            ck_assert_uint_eq(sizes[i], sizes[0]);
            ck_assert_mem_eq(bytes[i], bytes[0], sizes[0]);
        }
        ck_assert_int_eq(
            alloctrace_snapshot_load_bytes(bytes[0], sizes[0], &merged, NULL),
            0);
        table_read(&actual, merged);
        tables_compare(&expected, &actual);
        ck_assert_uint_eq(alloctrace_snapshot_process(merged)->n_processes, n);
        alloctrace_snapshot_free(merged);
        for (size_t i = 0; i < 4; i++)
            free(bytes[i]);
        for (size_t i = 0; i < n; i++)
            unlink(names[i]);
        round_end(snapshots, n);
    }
    ck_assert_int_eq(rmdir(folder), 0); /* nothing was left behind */
}
END_TEST

CHECK_MAIN("merge_random", a_merged_snapshot_has_the_sums_of_all,
           merging_merged_snapshots_is_the_same,
           statistics_of_the_sum_are_sums_of_statistics,
           files_are_merged_in_little_memory)
