/* SPDX-License-Identifier: MIT */
/* See filters.h. Each kind of includes is a pass of its own, over what the
 * others left; excludes are one pass together. */
#include "filters.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What is asked for, in the order of `names`. */
enum kind {
    BY_FILE,
    BY_FUNCTION,
    BY_TYPE,
    BY_MODULE,
    BY_THREAD,
    BY_DOMAIN,
    N_KINDS
};

struct filter_item {
    enum kind kind;
    int inclusive;
    char *pattern; /* owned; of a domain its number or name */
    int64_t line;  /* or ALLOCTRACE_ANY */
};

/* The options; the position is twice the kind, and one more to exclude. */
static const char *const names[] = {
    "--include",          "--exclude",        "--include-function",
    "--exclude-function", "--include-type",   "--exclude-type",
    "--include-module",   "--exclude-module", "--include-thread",
    "--exclude-thread",   "--include-domain", "--exclude-domain"};

/* ---- Reading ---- */

static int fail_memory(void)
{
    fputs("alloctrace: out of memory\n", stderr);
    return EXIT_UNUSABLE;
}

/* Reads a number that takes up all of a text; false if it is none, or above
 * `limit`. */
static bool read_number(const char *text, uint64_t limit, uint64_t *number)
{
    *number = 0;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9')
            return false;
        *number = *number * 10 + (uint64_t)(*c - '0');
        if (*number > limit)
            return false;
    }
    return *text != '\0';
}

/* Where the line begins in "PATTERN:LINE"; NULL: there is none. */
static const char *find_line(const char *text)
{
    const char *const colon = strrchr(text, ':');

    if (!colon || !colon[1] || colon[1 + strspn(colon + 1, "0123456789")])
        return NULL;
    return colon + 1;
}

/* Position of an option in `names`; -1: it is no filter. */
static int find_name(const char *name)
{
    if (strcmp(name, "--domain") == 0)
        return 2 * BY_DOMAIN;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

/* As patterns: what has no name is printed as "<unknown>". Files really have
 * that name, and functions are not printed then. */
static const char *pattern_of(int position, const char *value)
{
    const int kind = position / 2;

    if ((kind == BY_TYPE || kind == BY_MODULE || kind == BY_THREAD) &&
        strcmp(value, "<unknown>") == 0)
        return "";
    return value;
}

/* Returns 0, or 2 after a message. */
static int item_read(struct filter_item *item, int position, const char *value,
                     const char *command)
{
    const char *const pattern = pattern_of(position, value);
    const char *const line = position / 2 == BY_FILE ? find_line(value) : NULL;
    const size_t size = line ? (size_t)(line - 1 - value) : strlen(pattern);
    uint64_t number = 0;

    if (line && !read_number(line, UINT32_MAX, &number))
        return args_fail(command,
                         "%s is '%s', whose line is not up to %" PRIu32,
                         names[position], value, UINT32_MAX);
    *item =
        (struct filter_item){.kind = position / 2,
                             .inclusive = position % 2 == 0,
                             .pattern = strndup(pattern, size),
                             .line = line ? (int64_t)number : ALLOCTRACE_ANY};
    return item->pattern ? 0 : fail_memory();
}

int filters_read(struct filters *filters, const struct args *args,
                 const char *command)
{
    const char *name;
    const char *value;
    size_t n = 0;

    *filters =
        (struct filters){.all_frames = args_get(args, "--all-frames") != NULL};
    for (int at = 0; args_next(args, &at, &value);)
        n++;
    filters->items = calloc(n + 1, sizeof *filters->items);
    if (!filters->items)
        return fail_memory();
    for (int at = 0; (name = args_next(args, &at, &value));) {
        const int position = find_name(name);

        if (position < 0)
            continue;
        if (item_read(&filters->items[filters->count], position, value,
                      command))
            return EXIT_UNUSABLE;
        filters->count++;
    }
    return 0;
}

void filters_fini(struct filters *filters)
{
    for (size_t i = 0; i < filters->count; i++)
        free(filters->items[i].pattern);
    free(filters->items);
    *filters = (struct filters){0};
}

/* ---- Applying ---- */

/* Filters that are gathered for one pass. */
struct pass {
    struct alloctrace_filter *filters; /* owned */
    size_t count;
    size_t capacity; /* of `filters` */
};

static int pass_add(struct pass *pass, struct alloctrace_filter filter)
{
    if (pass->count == pass->capacity) {
        const size_t capacity = pass->capacity * 2 + 8;
        struct alloctrace_filter *const grown =
            realloc(pass->filters, capacity * sizeof *grown);

        if (!grown)
            return ALLOCTRACE_ENO_MEMORY;
        pass->filters = grown;
        pass->capacity = capacity;
    }
    pass->filters[pass->count++] = filter;
    return 0;
}

/* Adds the domains of a number or a name; a name may be that of several, or of
 * none in this snapshot. */
static int pass_add_domain(struct pass *pass,
                           const alloctrace_snapshot *snapshot,
                           const struct filter_item *item)
{
    const size_t n = alloctrace_snapshot_domain_count(snapshot);
    const char *const name = item->pattern;
    uint64_t number;

    if (read_number(name, UINT32_MAX, &number))
        return pass_add(pass, alloctrace_domain_filter_make(item->inclusive,
                                                            (uint32_t)number));
    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_domain *const domain =
            alloctrace_snapshot_domain(snapshot, i);

        if (strcmp(domain->name, name) == 0 &&
            pass_add(pass, alloctrace_domain_filter_make(item->inclusive,
                                                         domain->id)))
            return ALLOCTRACE_ENO_MEMORY;
    }
    /* "malloc" need not be listed. */
    if (strcmp(alloctrace_snapshot_domain_name(snapshot, 0), name) == 0)
        return pass_add(pass,
                        alloctrace_domain_filter_make(item->inclusive, 0));
    return 0;
}

static int pass_add_item(struct pass *pass, const alloctrace_snapshot *snapshot,
                         const struct filter_item *item, int all_frames)
{
    struct alloctrace_filter filter =
        alloctrace_filter_make(item->inclusive, NULL);

    filter.all_frames = all_frames;
    filter.lineno = item->line;
    switch (item->kind) {
    case BY_FILE:
        filter.filename_pattern = item->pattern;
        break;
    case BY_FUNCTION:
        filter.function_pattern = item->pattern;
        break;
    case BY_TYPE:
        filter.type_pattern = item->pattern;
        break;
    case BY_MODULE:
        filter.module_pattern = item->pattern;
        break;
    case BY_THREAD:
        filter.thread_pattern = item->pattern;
        break;
    default:
        return pass_add_domain(pass, snapshot, item);
    }
    return pass_add(pass, filter);
}

/* Puts what a pass leaves of a snapshot in its place, which is freed unless it
 * is the first. */
static int pass_run(const struct filters *filters, bool is_include,
                    enum kind kind, const alloctrace_snapshot *first,
                    alloctrace_snapshot **filtered)
{
    const alloctrace_snapshot *const from = *filtered ? *filtered : first;
    alloctrace_snapshot *made = NULL;
    struct pass pass = {0};
    bool is_asked = false;
    int result = 0;

    for (size_t i = 0; i < filters->count && !result; i++) {
        const struct filter_item *const item = &filters->items[i];

        if (is_include ? !item->inclusive || item->kind != kind
                       : item->inclusive)
            continue;
        is_asked = true;
        result = pass_add_item(&pass, from, item, filters->all_frames);
    }
    /* A domain that is not there: nothing passes. */
    if (!result && is_asked && is_include && pass.count == 0)
        result = pass_add(&pass, alloctrace_filter_make(0, NULL));
    if (!result && is_asked)
        result = alloctrace_snapshot_filter_traces(from, pass.filters,
                                                   pass.count, &made);
    free(pass.filters);
    if (made) {
        alloctrace_snapshot_free(*filtered);
        *filtered = made;
    }
    return result;
}

int filters_apply(const struct filters *filters,
                  const alloctrace_snapshot *snapshot,
                  alloctrace_snapshot **filtered)
{
    int result = 0;

    *filtered = NULL;
    for (int kind = 0; kind < N_KINDS && !result; kind++)
        result = pass_run(filters, true, kind, snapshot, filtered);
    if (!result)
        result = pass_run(filters, false, N_KINDS, snapshot, filtered);
    if (result) {
        alloctrace_snapshot_free(*filtered);
        *filtered = NULL;
    }
    return result;
}

/* ---- Saying so ---- */

static int temporary_bytes(const alloctrace_snapshot *snapshot, int64_t *bytes)
{
    struct alloctrace_detail *detail;

    if (alloctrace_snapshot_detail_sum(snapshot, &detail))
        return ALLOCTRACE_ENO_MEMORY;
    *bytes = (int64_t)detail->temporary_bytes;
    alloctrace_detail_free(detail);
    return 0;
}

/* The bytes of all traces by a metric. */
static int bytes_sum(const alloctrace_snapshot *snapshot, int metric,
                     int64_t *bytes)
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);
    uint64_t sum = 0;

    if (metric == ALLOCTRACE_METRIC_TEMPORARY)
        return temporary_bytes(snapshot, bytes);
    for (size_t i = 0; i < n; i++) {
        const struct alloctrace_trace *const trace =
            alloctrace_snapshot_trace(snapshot, i);

        sum +=
            (uint64_t)(metric == ALLOCTRACE_METRIC_TOTAL  ? trace->total_bytes
                       : metric == ALLOCTRACE_METRIC_PEAK ? trace->peak_bytes
                                                          : trace->live_bytes);
    }
    *bytes = (int64_t)sum;
    return 0;
}

int filters_print(const struct out *out, const alloctrace_snapshot *snapshot,
                  const alloctrace_snapshot *filtered, int metric)
{
    const size_t n = alloctrace_snapshot_trace_count(snapshot);
    int64_t all;
    int64_t passed;

    if (bytes_sum(snapshot, metric, &all) ||
        bytes_sum(filtered, metric, &passed))
        return ALLOCTRACE_ENO_MEMORY;
    fprintf(out->file, "filtered: %zu of %zu trace%s, %s of %s\n",
            alloctrace_snapshot_trace_count(filtered), n, n == 1 ? "" : "s",
            out_size(passed), out_size(all));
    return 0;
}
