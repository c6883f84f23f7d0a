/* SPDX-License-Identifier: MIT */
/*
 * The library's side of differential.py: reads commands, a line each, and
 * prints what the library answers. Snapshots are built from tuples and kept in
 * slots; texts are hexadecimal, names of files are numbered as they are met.
 *
 *     case N                             print where the answers begin
 *     name TEXT                          the next name of a file
 *     begin LIMIT                        build a snapshot
 *     t DOMAIN SIZE TOTAL NAME:LINE...   a block, the most recent frame first
 *     finish SLOT
 *     attribute SLOT KEY VALUE
 *     dump SLOT PATH
 *     load SLOT PATH
 *     f INCLUSIVE PATTERN LINE ALL DOMAIN   a filter of the next `filter`; -1
 *     d INCLUSIVE DOMAIN                    is any
 *     filter SLOT INTO
 *     traces SLOT
 *     statistics SLOT KEY CUMULATIVE
 *     compare SLOT OLD KEY CUMULATIVE
 *     format SLOT TRACE LIMIT REVERSED   "-" is no limit
 *     order SLOT                         all tracebacks, each with each
 *     slice SLOT TRACE START STOP
 *
 * What the library refuses is "refused"; all else that goes wrong ends the
 * program.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloctrace/analysis.h"

enum { MAX_NAMES = 4096, MAX_FRAMES = 64, MAX_FILTERS = 16, N_SLOTS = 4 };

static char *names[MAX_NAMES];
static int n_names;

static alloctrace_builder *builder;
static alloctrace_snapshot *slots[N_SLOTS];

static struct alloctrace_filter filters[MAX_FILTERS];
static char *patterns[MAX_FILTERS]; /* of each; NULL = none */
static int n_filters;

static void die(const char *what)
{
    fprintf(stderr, "differential: %s\n", what);
    exit(2);
}

/* Checks what can only fail for reasons that no case has. */
static void must(int error, const char *what)
{
    if (!error)
        return;
    fprintf(stderr, "differential: %s: %s\n", what, alloctrace_strerror(error));
    exit(2);
}

/* ---- Reading ---- */

static char *next_word(void)
{
    char *const word = strtok(NULL, " \n");

    if (!word)
        die("a word is missing");
    return word;
}

static int64_t next_number(void)
{
    char *const word = next_word();
    char *end;
    int64_t number;

    errno = 0;
    number = strtoll(word, &end, 10);
    if (*end || errno)
        die("not a number");
    return number;
}

/* The caller frees it. */
static char *next_text(void)
{
    const char *const word = next_word();
    const size_t n = strlen(word) / 2;
    char *const text = calloc(n + 1, 1);

    if (!text)
        die("out of memory");
    for (size_t i = 0; strcmp(word, "-") && i < n; i++) {
        const char digits[3] = {word[2 * i], word[2 * i + 1]};

        text[i] = (char)strtoul(digits, NULL, 16);
    }
    return text;
}

static int next_slot(void)
{
    const int64_t slot = next_number();

    if (slot < 0 || slot >= N_SLOTS)
        die("no such slot");
    return (int)slot;
}

static const alloctrace_snapshot *next_snapshot(void)
{
    return slots[next_slot()];
}

static void put_snapshot(int slot, alloctrace_snapshot *snapshot)
{
    alloctrace_snapshot_free(slots[slot]);
    slots[slot] = snapshot;
}

static int next_grouping(void)
{
    static const char *const groupings[] = {"filename", "lineno", "traceback"};
    static const int values[] = {ALLOCTRACE_BY_FILENAME, ALLOCTRACE_BY_LINENO,
                                 ALLOCTRACE_BY_TRACEBACK};
    const char *const word = next_word();

    for (int i = 0; i < 3; i++)
        if (strcmp(word, groupings[i]) == 0)
            return values[i];
    return 99;
}

static struct alloctrace_statistics_options next_options(void)
{
    struct alloctrace_statistics_options options = {
        .size = sizeof options, .flags = ALLOCTRACE_LIKE_CPYTHON};

    options.group_by = next_grouping();
    options.cumulative = (int)next_number();
    return options;
}

/* ---- Building ---- */

static void do_name(void)
{
    if (n_names == MAX_NAMES)
        die("too many names");
    names[n_names++] = next_text();
}

static void do_begin(void)
{
    const struct alloctrace_process process = {
        .program = "",
        .host = "",
        .writer = "",
        .reason = "",
        .word_bits = 64,
        .traceback_limit = (uint32_t)next_number(),
        .n_processes = 1,
    };

    must(alloctrace_builder_create(&builder), "create");
    must(alloctrace_builder_set_process(builder, &process), "set_process");
}

static void do_tuple(void)
{
    struct alloctrace_frame frames[MAX_FRAMES] = {{0}};
    const uint32_t domain = (uint32_t)next_number();
    const uint64_t size = (uint64_t)next_number();
    const uint64_t total = (uint64_t)next_number();
    size_t n = 0;
    char *word;

    while ((word = strtok(NULL, " \n"))) {
        unsigned line;
        int name;

        if (n == MAX_FRAMES || sscanf(word, "%d:%u", &name, &line) != 2 ||
            name < 0 || name >= n_names)
            die("not a frame");
        frames[n].file = names[name];
        frames[n++].line = line;
    }
    must(alloctrace_builder_add(builder, domain, size, frames, n, total),
         "add");
}

static void do_finish(void)
{
    const int slot = next_slot();
    alloctrace_snapshot *snapshot;

    must(alloctrace_builder_finish(builder, &snapshot), "finish");
    builder = NULL;
    put_snapshot(slot, snapshot);
}

static void do_attribute(void)
{
    alloctrace_snapshot *const snapshot = slots[next_slot()];
    char *const key = next_text();
    char *const value = next_text();

    must(alloctrace_snapshot_set_attribute(snapshot, key, value), "attribute");
    free(key);
    free(value);
}

static void do_dump(void)
{
    const alloctrace_snapshot *const snapshot = next_snapshot();
    char *const path = next_text();

    must(alloctrace_snapshot_dump(snapshot, path, NULL), "dump");
    free(path);
}

static void do_load(void)
{
    const int slot = next_slot();
    char *const path = next_text();
    alloctrace_snapshot *snapshot;

    must(alloctrace_snapshot_load(path, &snapshot, NULL), "load");
    put_snapshot(slot, snapshot);
    free(path);
}

/* ---- Filters ---- */

static void add_filter(struct alloctrace_filter filter, char *pattern)
{
    if (n_filters == MAX_FILTERS)
        die("too many filters");
    patterns[n_filters] = pattern;
    filters[n_filters++] = filter;
}

static void do_filter_line(void)
{
    const int inclusive = (int)next_number();
    char *const pattern = next_text();
    struct alloctrace_filter filter =
        alloctrace_filter_make(inclusive, pattern);

    filter.lineno = next_number();
    filter.all_frames = (int)next_number();
    filter.domain = next_number();
    add_filter(filter, pattern);
}

static void do_domain_filter(void)
{
    const int inclusive = (int)next_number();

    add_filter(
        alloctrace_domain_filter_make(inclusive, (uint32_t)next_number()),
        NULL);
}

static void do_filter(void)
{
    const alloctrace_snapshot *const snapshot = next_snapshot();
    const int into = next_slot();
    alloctrace_snapshot *filtered;

    must(alloctrace_snapshot_filter_traces(snapshot, filters, (size_t)n_filters,
                                           &filtered),
         "filter");
    while (n_filters > 0)
        free(patterns[--n_filters]);
    put_snapshot(into, filtered);
}

/* ---- Answers ---- */

/* Frames, the oldest first. */
static void print_frames(const alloctrace_traceback *traceback)
{
    const size_t n = alloctrace_traceback_count(traceback);

    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_frame *const frame =
            alloctrace_traceback_frame(traceback, (ptrdiff_t)i);
        char text[4096];

        alloctrace_frame_format(frame, text, sizeof text);
        printf("|%s", text);
    }
    putchar('\n');
}

static void do_traces(void)
{
    const alloctrace_snapshot *const snapshot = next_snapshot();
    const size_t n = alloctrace_snapshot_trace_count(snapshot);

    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_trace *const trace =
            alloctrace_snapshot_trace(snapshot, i);
        alloctrace_traceback *traceback;
        char text[4096];

        must(alloctrace_snapshot_traceback(snapshot, trace->traceback,
                                           &traceback),
             "traceback");
        printf("%" PRIu32 " %" PRId64 " %" PRId64 " %" PRIu64 " ",
               trace->domain, trace->live_blocks, trace->live_bytes,
               alloctrace_traceback_total_nframe(traceback));
        print_frames(traceback);
        alloctrace_trace_format(snapshot, i, ALLOCTRACE_LIKE_CPYTHON, text,
                                sizeof text);
        puts(text);
        alloctrace_traceback_free(traceback);
    }
}

static void print_statistics(const alloctrace_statistics *statistics)
{
    const size_t n = alloctrace_statistics_count(statistics);

    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_statistic *const group =
            alloctrace_statistics_get(statistics, i);
        alloctrace_traceback *traceback;
        char text[4096];

        printf("%" PRId64 " %" PRId64 " ", group->size, group->count);
        if (alloctrace_statistics_is_diff(statistics))
            printf("%" PRId64 " %" PRId64 " ", group->size_diff,
                   group->count_diff);
        must(alloctrace_statistics_traceback(statistics, i, &traceback),
             "statistics_traceback");
        print_frames(traceback);
        alloctrace_statistics_format(statistics, i, ALLOCTRACE_LIKE_CPYTHON,
                                     text, sizeof text);
        puts(text);
        alloctrace_traceback_free(traceback);
    }
}

static void answer_statistics(int error, alloctrace_statistics *statistics)
{
    if (error == ALLOCTRACE_EBAD_ARGUMENT) {
        puts("refused");
        return;
    }
    must(error, "statistics");
    print_statistics(statistics);
    alloctrace_statistics_free(statistics);
}

static void do_statistics(void)
{
    const alloctrace_snapshot *const snapshot = next_snapshot();
    const struct alloctrace_statistics_options options = next_options();
    alloctrace_statistics *statistics = NULL;
    const int error =
        alloctrace_snapshot_statistics(snapshot, &options, &statistics);

    answer_statistics(error, statistics);
}

static void do_compare(void)
{
    const alloctrace_snapshot *const snapshot = next_snapshot();
    const alloctrace_snapshot *const old = next_snapshot();
    const struct alloctrace_statistics_options options = next_options();
    alloctrace_statistics *statistics = NULL;
    const int error =
        alloctrace_snapshot_compare_to(snapshot, old, &options, &statistics);

    answer_statistics(error, statistics);
}

static alloctrace_traceback *traceback_of(const alloctrace_snapshot *snapshot,
                                          size_t index)
{
    const struct alloctrace_trace *const trace =
        alloctrace_snapshot_trace(snapshot, index);
    alloctrace_traceback *traceback;

    if (!trace)
        die("no such trace");
    must(alloctrace_snapshot_traceback(snapshot, trace->traceback, &traceback),
         "traceback");
    return traceback;
}

static void do_format(void)
{
    const alloctrace_snapshot *const snapshot = next_snapshot();
    alloctrace_traceback *const traceback =
        traceback_of(snapshot, (size_t)next_number());
    const char *const word = next_word();
    const int limit = strcmp(word, "-") ? atoi(word) : ALLOCTRACE_NO_LIMIT;
    char *text;

    must(alloctrace_traceback_format(traceback, limit, (int)next_number(),
                                     ALLOCTRACE_LIKE_CPYTHON, &text),
         "format");
    fputs(text, stdout);
    alloctrace_text_free(text);
    alloctrace_traceback_free(traceback);
}

/* For each pair of traces '<', '=' or '>'; 'h' if tracebacks are equal and
 * their hashes are not; then whether one has the other's first frame. */
static void print_pair(const alloctrace_traceback *left,
                       const alloctrace_traceback *right)
{
    const int order = alloctrace_traceback_compare(left, right);

    if (order == 0 &&
        alloctrace_traceback_hash(left) != alloctrace_traceback_hash(right))
        putchar('h');
    putchar(order < 0 ? '<' : order > 0 ? '>' : '=');
    putchar(alloctrace_traceback_contains(left,
                                          alloctrace_traceback_frame(right, 0))
                ? '+'
                : '-');
}

static void do_order(void)
{
    const alloctrace_snapshot *const snapshot = next_snapshot();
    const size_t n = alloctrace_snapshot_trace_count(snapshot);

    for (size_t i = 0; i < n; i++) {
        alloctrace_traceback *const left = traceback_of(snapshot, i);

        for (size_t k = 0; k < n; k++) {
            alloctrace_traceback *const right = traceback_of(snapshot, k);

            print_pair(left, right);
            alloctrace_traceback_free(right);
        }
        alloctrace_traceback_free(left);
        putchar('\n');
    }
}

static void do_slice(void)
{
    const alloctrace_snapshot *const snapshot = next_snapshot();
    alloctrace_traceback *const traceback =
        traceback_of(snapshot, (size_t)next_number());
    const ptrdiff_t start = (ptrdiff_t)next_number();
    const char *const word = next_word();
    const ptrdiff_t stop = strcmp(word, "-") ? atol(word) : PTRDIFF_MAX;
    alloctrace_traceback *slice;

    must(alloctrace_traceback_slice(traceback, start, stop, &slice), "slice");
    print_frames(slice);
    alloctrace_traceback_free(slice);
    alloctrace_traceback_free(traceback);
}

/* ---- Commands ---- */

static void do_case(void)
{
    printf("\036case %" PRId64 "\n", next_number());
}

static const struct {
    const char *name;
    void (*run)(void);
} commands[] = {
    {"t", do_tuple},         {"name", do_name},
    {"begin", do_begin},     {"finish", do_finish},
    {"case", do_case},       {"attribute", do_attribute},
    {"dump", do_dump},       {"load", do_load},
    {"f", do_filter_line},   {"d", do_domain_filter},
    {"filter", do_filter},   {"traces", do_traces},
    {"compare", do_compare}, {"statistics", do_statistics},
    {"format", do_format},   {"order", do_order},
    {"slice", do_slice},
};

static void run_line(char *line)
{
    const char *const word = strtok(line, " \n");

    for (size_t i = 0; word && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(word, commands[i].name) == 0) {
            commands[i].run();
            return;
        }
    die("unknown command");
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0)
        run_line(line);
    free(line);
    for (int i = 0; i < N_SLOTS; i++)
        alloctrace_snapshot_free(slots[i]);
    for (int i = 0; i < n_names; i++)
        free(names[i]);
    return fflush(stdout) == 0 ? 0 : 2;
}
