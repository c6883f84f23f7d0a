/* SPDX-License-Identifier: MIT */
/*
 * What filters let through, for filters.py. Lines of standard input:
 *
 *     t DOMAIN SIZE PATH...          a block; the most recent frame first
 *     f INCLUSIVE PATTERN LINE ALL DOMAIN
 *                                    a filter; "-" is none
 *     r                              writes the bytes that all filters let
 *                                    through, and forgets the filters
 *     n                              forgets the blocks, too
 */
#include <inttypes.h>
#include <stdio.h>

#include "vectors.h"

enum { MAX_FILTERS = 16 };

static struct alloctrace_filter filters[MAX_FILTERS];
static char patterns[MAX_FILTERS][64];
static size_t n_filters;

static void check(int error)
{
    if (error)
        exit(2);
}

static int64_t number_of(const char *text)
{
    return strcmp(text, "-") ? strtoll(text, NULL, 10) : ALLOCTRACE_ANY;
}

static void read_filter(const char *line)
{
    char texts[2][32]; /* line, domain */
    int inclusive;
    int all;

    if (n_filters == MAX_FILTERS ||
        sscanf(line, "f %d %63s %31s %d %31s", &inclusive, patterns[n_filters],
               texts[0], &all, texts[1]) != 5)
        exit(2);
    filters[n_filters] = alloctrace_filter_make(
        inclusive,
        strcmp(patterns[n_filters], "-") ? patterns[n_filters] : NULL);
    filters[n_filters].lineno = number_of(texts[0]);
    filters[n_filters].all_frames = all;
    filters[n_filters].domain = number_of(texts[1]);
    n_filters++;
}

static void read_block(alloctrace_builder *builder, const char *line)
{
    unsigned domain;
    uint64_t size;
    int used;

    if (sscanf(line, "t %u %" SCNu64 " %n", &domain, &size, &used) != 2)
        exit(2);
    vector_add(builder, domain, size, line + used, 0);
}

static void run(const alloctrace_snapshot *snapshot)
{
    alloctrace_snapshot *filtered;
    int64_t sum = 0;

    check(alloctrace_snapshot_filter_traces(snapshot, filters, n_filters,
                                            &filtered));
    for (size_t i = 0; i < alloctrace_snapshot_trace_count(filtered); i++)
        sum += alloctrace_snapshot_trace(filtered, i)->live_bytes;
    printf("%" PRId64 "\n", sum);
    alloctrace_snapshot_free(filtered);
    n_filters = 0;
}

int main(void)
{
    alloctrace_snapshot *snapshot = NULL;
    alloctrace_builder *builder = NULL;
    char line[4096];

    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (*line == 't') {
            if (!builder)
                check(alloctrace_builder_create(&builder));
            read_block(builder, line);
        } else if (*line == 'f') {
            read_filter(line);
        } else if (*line == 'r') {
            if (!snapshot)
                check(alloctrace_builder_finish(builder, &snapshot));
            run(snapshot);
        } else {
            alloctrace_snapshot_free(snapshot);
            snapshot = NULL;
            builder = NULL;
        }
    }
    alloctrace_snapshot_free(snapshot);
    return fflush(stdout) ? 2 : 0;
}
